//! From a fair component to a lasso: the way there, and a cycle that takes all that it owes.

use std::collections::VecDeque;

use foresee_world::{Direct, Path};
use hashbrown::{HashMap, HashSet};

use super::components::{Component, Fair};
use super::graph::{Graph, NONE};

/// A path with a cycle at its end, and after how many moves that begins. `parents` says how the states of `region` are
/// reached, which has them in that order.
pub(super) fn of(
    program: &Direct,
    graph: &Graph,
    fair: &Fair<'_>,
    component: &Component,
    region: &[u32],
    parents: &HashMap<u32, (u32, u32)>,
) -> (Path, usize) {
    // What comes first in the region is nearest to where bad runs begin.
    let knot = region.iter().copied().find(|state| component.states.contains(state)).unwrap_or(0);
    let mut steps = Vec::new();
    let mut at = knot;
    while let Some((parent, edge)) = parents.get(&at).copied().filter(|(parent, _)| *parent != NONE) {
        steps.push((parent, edge));
        at = parent;
    }
    while let (parent, edge) = graph.parents[at as usize]
        && parent != NONE
    {
        steps.push((parent, edge));
        at = parent;
    }
    steps.reverse();
    let begin = steps.len();
    steps.extend(Round::new(graph, fair, component, knot).go());
    let moves = steps.into_iter().filter_map(|(state, edge)| graph.step(program, state, edge)).collect();
    (Path { starts: graph.starts[at as usize].clone(), moves }, begin)
}

/// A cycle on its way.
struct Round<'r> {
    graph: &'r Graph,
    fair: &'r Fair<'r>,
    component: &'r Component,
    knot: u32,
    at: u32,
    steps: Vec<(u32, u32)>,
}

impl<'r> Round<'r> {
    fn new(graph: &'r Graph, fair: &'r Fair<'r>, component: &'r Component, knot: u32) -> Self {
        Round { graph, fair, component, knot, at: knot, steps: Vec::new() }
    }

    fn go(mut self) -> Vec<(u32, u32)> {
        let graph = self.graph;
        if let Some(again) = self.fair.again
            && !again[self.knot as usize]
        {
            self.walk(|_, edge| again[graph.edges[edge as usize].to as usize]);
        }
        // What is not owed at the knot is not owed all along.
        for class in graph.owed(self.knot) {
            let free = |state: u32| graph.owed(state).binary_search(class).is_err();
            let does = |_: u32, edge: u32| {
                let edge = &graph.edges[edge as usize];
                edge.class == *class || free(edge.to)
            };
            if !self.steps.iter().any(|(state, edge)| does(*state, *edge)) {
                self.walk(does);
            }
        }
        loop {
            self.close();
            let (mut offered, mut taken) = (Vec::new(), HashSet::new());
            for offer in self.steps.iter().flat_map(|(_, edge)| graph.offers(*edge)) {
                offered.push(offer.option);
                if offer.taken {
                    taken.insert(offer.option);
                }
            }
            let Some(missing) = offered.into_iter().find(|option| !taken.contains(option)) else {
                return self.steps;
            };
            let takes = |_: u32, edge: u32| {
                graph.offers(edge).iter().any(|offer| offer.taken && offer.option == missing)
            };
            if !self.walk(takes) {
                return self.steps;
            }
        }
    }

    fn close(&mut self) {
        let (graph, knot) = (self.graph, self.knot);
        if self.at != knot {
            self.walk(|_, edge| graph.edges[edge as usize].to == knot);
        }
    }

    /// Walks the fewest steps up to an edge that is wanted, that one included. False where there is none.
    fn walk(&mut self, wanted: impl Fn(u32, u32) -> bool) -> bool {
        let graph = self.graph;
        let mut parents: HashMap<u32, (u32, u32)> = HashMap::new();
        parents.insert(self.at, (NONE, 0));
        let mut waiting = VecDeque::from([self.at]);
        while let Some(state) = waiting.pop_front() {
            for edge in self.component.edges(graph, state) {
                let to = graph.edges[edge as usize].to;
                if wanted(state, edge) {
                    let (mut back, mut place) = (vec![(state, edge)], state);
                    while parents[&place].0 != NONE {
                        back.push(parents[&place]);
                        place = parents[&place].0;
                    }
                    self.steps.extend(back.into_iter().rev());
                    self.at = to;
                    return true;
                }
                parents.entry(to).or_insert_with(|| {
                    waiting.push_back(to);
                    (state, edge)
                });
            }
        }
        false
    }
}
