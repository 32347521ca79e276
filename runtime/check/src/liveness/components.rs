//! Components in which a fair run may stay for ever.
//!
//! What stays possible and is owed makes a generalised Büchi condition: a component that fails it has no part that meets it. A fair choice
//! makes a Streett condition: where an option is offered and never taken, what offers it is left out, and what is left is taken apart again.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};

use super::graph::{Graph, NONE};

/// What is looked for.
pub(super) struct Fair<'g> {
    pub graph: &'g Graph,
    /// A run comes to one of these again and again, where it is asked for.
    pub again: Option<&'g [bool]>,
}

/// States, each of which leads to each other by edges that are not left out.
pub(super) struct Component {
    pub states: HashSet<u32>,
    /// Edges that are not to be used.
    pub left_out: HashSet<u32>,
}

impl Component {
    /// The edges from a state that stay within.
    pub(super) fn edges<'c>(&'c self, graph: &'c Graph, state: u32) -> impl Iterator<Item = u32> + 'c {
        let stays = |edge: &u32| self.states.contains(&graph.edges[*edge as usize].to);
        graph.from(state).filter(move |edge| stays(edge) && !self.left_out.contains(edge))
    }
}

impl Fair<'_> {
    /// A fair component among `region`; of several the one that has the state which comes first there.
    pub(super) fn component(&self, region: &[u32]) -> Option<Component> {
        let mut left_out = HashSet::new();
        let mut waiting = vec![region.to_vec()];
        let mut found: Option<(usize, HashSet<u32>)> = None;
        let order: HashMap<u32, usize> = region.iter().enumerate().map(|(at, state)| (*state, at)).collect();
        while let Some(states) = waiting.pop() {
            for part in parts(self.graph, &states, &left_out) {
                let states: HashSet<u32> = part.iter().copied().collect();
                let component = Component { states, left_out: std::mem::take(&mut left_out) };
                let wanting = self.wanting(&component);
                left_out = component.left_out;
                match wanting {
                    Wanting::Nothing => {
                        let first = part.iter().map(|state| order[state]).min().unwrap_or(usize::MAX);
                        if found.as_ref().is_none_or(|(known, _)| first < *known) {
                            found = Some((first, component.states));
                        }
                    }
                    Wanting::Without(edges) => {
                        left_out.extend(edges);
                        waiting.push(part);
                    }
                    Wanting::Hopeless => {}
                }
            }
        }
        found.map(|(_, states)| Component { states, left_out })
    }

    fn wanting(&self, component: &Component) -> Wanting {
        let graph = self.graph;
        if self.again.is_some_and(|again| !component.states.iter().any(|state| again[*state as usize])) {
            return Wanting::Hopeless;
        }
        let (mut done, mut inner) = (HashSet::new(), Vec::new());
        let mut owed: HashMap<u32, usize> = HashMap::new();
        for state in &component.states {
            graph.owed(*state).iter().for_each(|class| *owed.entry(*class).or_default() += 1);
            for edge in component.edges(graph, *state) {
                done.insert(graph.edges[edge as usize].class);
                inner.push(edge);
            }
        }
        if inner.is_empty() && !component.states.iter().all(|state| graph.rests(*state)) {
            return Wanting::Hopeless;
        }
        if owed.iter().any(|(class, count)| *count == component.states.len() && !done.contains(class)) {
            return Wanting::Hopeless;
        }
        let (mut offered, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for offer in inner.iter().flat_map(|edge| graph.offers(*edge)) {
            offered.insert(offer.option);
            if offer.taken {
                taken.insert(offer.option);
            }
        }
        let missing: BTreeSet<u32> = offered.difference(&taken).copied().collect();
        if missing.is_empty() {
            return Wanting::Nothing;
        }
        let offers = |edge: &u32| graph.offers(*edge).iter().any(|offer| missing.contains(&offer.option));
        Wanting::Without(inner.into_iter().filter(offers).collect())
    }
}

/// What a component lacks to be fair.
enum Wanting {
    Nothing,
    /// It may have fair parts, without these edges.
    Without(Vec<u32>),
    /// Neither it nor a part of it is fair.
    Hopeless,
}

/// The strongly connected components among `states`, by Tarjan's algorithm without recursion.
fn parts(graph: &Graph, states: &[u32], left_out: &HashSet<u32>) -> Vec<Vec<u32>> {
    struct Seen {
        index: u32,
        low: u32,
        open: bool,
    }
    let within: HashSet<u32> = states.iter().copied().collect();
    let mut seen: HashMap<u32, Seen> = HashMap::new();
    let (mut stack, mut parts, mut counter) = (Vec::new(), Vec::new(), 0);
    for root in states {
        if seen.contains_key(root) {
            continue;
        }
        let mut calls = vec![(*root, NONE)];
        while let Some((state, edge)) = calls.last().copied() {
            let edges = graph.from(state);
            let mut at = edge;
            if edge == NONE {
                seen.insert(state, Seen { index: counter, low: counter, open: true });
                counter += 1;
                stack.push(state);
                at = edges.start;
            }
            let mut deeper = false;
            while at < edges.end {
                let to = graph.edges[at as usize].to;
                let skipped = !within.contains(&to) || left_out.contains(&at);
                at += 1;
                if skipped {
                    continue;
                }
                match seen.get(&to).map(|it| (it.open, it.index)) {
                    None => {
                        if let Some(call) = calls.last_mut() {
                            call.1 = at;
                        }
                        calls.push((to, NONE));
                        deeper = true;
                        break;
                    }
                    Some((true, index)) => {
                        if let Some(it) = seen.get_mut(&state) {
                            it.low = it.low.min(index);
                        }
                    }
                    Some((false, _)) => {}
                }
            }
            if deeper {
                continue;
            }
            calls.pop();
            let (index, low) = (seen[&state].index, seen[&state].low);
            if let Some((parent, _)) = calls.last()
                && let Some(it) = seen.get_mut(parent)
            {
                it.low = it.low.min(low);
            }
            if index == low {
                let mut part = Vec::new();
                while let Some(member) = stack.pop() {
                    if let Some(it) = seen.get_mut(&member) {
                        it.open = false;
                    }
                    part.push(member);
                    if member == state {
                        break;
                    }
                }
                parts.push(part);
            }
        }
    }
    parts
}
