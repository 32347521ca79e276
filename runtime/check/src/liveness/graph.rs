//! The graph of all worlds within the bounds, breadth first: edges with what they do of what is owed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use foresee_kernel::{Model, NodeId, Tape};
use foresee_world::{Action, Direct, Envelope, Move, Successor, Timer, World, path};
use hashbrown::{HashMap, HashTable};

use super::Limits;
use crate::options::{CheckError, Progress};
use crate::pages;
use crate::verdict::STARTS_MAX;

/// After so many worlds it is looked whether time or memory is spent.
const LOOK_EVERY: usize = 256;

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// What is owed as long as it is possible.
#[derive(PartialEq, Eq, Hash)]
enum Owed {
    Arrive(Envelope),
    Fire(NodeId, Timer),
    Call(u32, u32),
    Restart(NodeId),
    Heal(Vec<NodeId>),
}

/// One thing that may happen, in one way.
pub(super) struct Edge {
    /// Where it leads.
    pub to: u32,
    /// The number of what is owed that it does; [`NONE`] for a fault.
    pub class: u32,
}

/// What fair choices do on an edge: an option that one of them offers, and whether it is taken.
pub(super) struct Offer {
    pub edge: u32,
    pub option: u32,
    pub taken: bool,
}

/// All worlds, by number in the order breadth first.
pub(super) struct Graph {
    pub model: Arc<Model>,
    pub worlds: Vec<World<Direct>>,
    /// How the nodes started, for each of the first worlds.
    pub starts: Vec<Vec<Vec<u32>>>,
    /// From where a world was first reached; [`NONE`] for the first ones.
    pub parents: Vec<(u32, u32)>,
    /// The edges from a world are those from the number that it has here up to the next one's.
    pub first: Vec<u32>,
    pub edges: Vec<Edge>,
    /// In the order of edges.
    pub offers: Vec<Offer>,
    /// The numbers of what is owed in each world, sorted, in the form of `first`.
    first_owed: Vec<u32>,
    owed: Vec<u32>,
    /// Whether a world was explored.
    pub explored: Vec<bool>,
    /// How many a bound kept from it.
    pub bounded: usize,
    /// Whether the exploration was ended.
    pub cut: bool,
    pub fair_choices: Vec<&'static str>,
}

type Way = (Action<Direct>, Option<Successor<Direct>>);

/// All that may happen in a world, in a fixed order.
fn ways(program: &Direct, world: &World<Direct>) -> Vec<Way> {
    let mut actions = Vec::new();
    world.enabled(program, |action| actions.push(action));
    let mut ways = Vec::new();
    for action in actions {
        match action.stimulus(program) {
            None => ways.push((action, None)),
            Some((id, stimulus)) => {
                let successors = program.successors(&world.nodes[id.index()], &stimulus);
                ways.extend(successors.into_iter().map(|successor| (action.clone(), Some(successor))));
            }
        }
    }
    ways
}

fn owed(action: &Action<Direct>) -> Option<Owed> {
    match action {
        Action::Deliver(envelope) | Action::Miss(envelope) | Action::Lapse(envelope) => {
            Some(Owed::Arrive(envelope.clone()))
        }
        Action::Fire(node, timer) => Some(Owed::Fire(*node, timer.clone())),
        Action::Call(calling) => Some(Owed::Call(calling.plan, calling.way)),
        Action::Restart(node) => Some(Owed::Restart(*node)),
        Action::Heal(side) => Some(Owed::Heal(side.clone())),
        Action::Drop(_)
        | Action::Duplicate(_)
        | Action::Crash { .. }
        | Action::Reset { .. }
        | Action::Cut { .. }
        | Action::Partition { .. } => None,
    }
}

impl Graph {
    pub(super) fn explore(
        program: &Direct,
        limits: Limits,
        progress: &Progress,
    ) -> Result<Graph, CheckError> {
        let mut graph = Graph {
            model: program.shared_model().clone(),
            worlds: Vec::new(),
            starts: Vec::new(),
            parents: Vec::new(),
            first: vec![0],
            edges: Vec::new(),
            offers: Vec::new(),
            first_owed: vec![0],
            owed: Vec::new(),
            explored: Vec::new(),
            bounded: 0,
            cut: false,
            fair_choices: Vec::new(),
        };
        let layers = program.shared_model().nodes.iter().flat_map(|stack| stack.layers());
        let fair = layers.flat_map(|it| it.service().info().sites).any(|site| site.fair);
        #[expect(clippy::disallowed_methods, reason = "a budget of time is counted from here")]
        let started = Instant::now();
        let spent = || {
            limits.time.is_some_and(|most| started.elapsed() >= most)
                || limits.max_memory.zip(pages::resident()).is_some_and(|(most, now)| now >= most)
        };
        let mut numbers = Numbers { fair, ..Numbers::default() };
        let most = limits.states_max.min(STARTS_MAX);
        for initial in path::initials(program, most).ok_or(CheckError::TooManyStarts { most })? {
            let known = graph.worlds.len();
            if graph.number(program, &mut numbers, initial.world, (NONE, 0)) as usize == known {
                graph.starts.push(initial.starts);
            }
        }
        let (mut depths, mut next) = (vec![0_u32; graph.worlds.len()], 0);
        while next < graph.worlds.len() {
            graph.cut |= graph.worlds.len() > limits.states_max || progress.is_cancelled();
            graph.cut |= next.is_multiple_of(LOOK_EVERY) && spent();
            let within = graph.worlds[next].within_bounds(program, depths[next]);
            graph.bounded += usize::from(!within);
            graph.explored.push(within && !graph.cut);
            if within && !graph.cut {
                graph.expand(program, &mut numbers, next as u32);
                depths.resize(graph.worlds.len(), depths[next] + 1);
            }
            graph.first.push(graph.edges.len() as u32);
            graph.first_owed.push(graph.owed.len() as u32);
            next += 1;
        }
        Ok(graph)
    }

    fn number(
        &mut self,
        program: &Direct,
        numbers: &mut Numbers,
        world: World<Direct>,
        parent: (u32, u32),
    ) -> u32 {
        let digest = world.digest(program);
        if let Some((_, known)) = numbers.worlds.find(digest, |(_, it)| self.worlds[*it as usize] == world) {
            return *known;
        }
        let number = self.worlds.len() as u32;
        numbers.worlds.insert_unique(digest, (digest, number), |(digest, _)| *digest);
        self.worlds.push(world);
        self.parents.push(parent);
        number
    }

    fn expand(&mut self, program: &Direct, numbers: &mut Numbers, state: u32) {
        let ways = ways(program, &self.worlds[state as usize]);
        self.offer(program, numbers, state, &ways);
        let mut owing = Vec::new();
        for (action, successor) in &ways {
            let class = owed(action).map_or(NONE, |owed| {
                let new = numbers.classes.len() as u32;
                *numbers.classes.entry(owed).or_insert(new)
            });
            if class != NONE {
                owing.push(class);
            }
            let next = self.worlds[state as usize].after(program, action, successor.as_ref());
            let to = self.number(program, numbers, next, (state, self.edges.len() as u32));
            self.edges.push(Edge { to, class });
        }
        owing.sort_unstable();
        owing.dedup();
        self.owed.append(&mut owing);
    }

    /// Notes what fair choices offer, by the answers that lead to them.
    fn offer(&mut self, program: &Direct, numbers: &mut Numbers, state: u32, ways: &[Way]) {
        if !numbers.fair {
            return;
        }
        let answers = |way: &Way| way.1.iter().flat_map(|it| it.tape.iter().copied()).collect::<Vec<u32>>();
        let tapes: Vec<Vec<u32>> = ways.iter().map(answers).collect();
        // For each way the fair choices in it: the answers before, and the number of the option.
        let mut made: Vec<Vec<(usize, u32)>> = Vec::new();
        for ((action, _), tape) in ways.iter().zip(&tapes) {
            let mut options = Vec::new();
            if let Some((id, stimulus)) = action.stimulus(program).filter(|_| !tape.is_empty()) {
                let mut tape = Tape::new(tape.clone()).with_labels();
                let node = &self.worlds[state as usize].nodes[id.index()];
                let decisions = program.step(node, &stimulus, &mut tape).decisions;
                for (place, decision) in decisions.iter().enumerate().filter(|(_, it)| it.site.fair) {
                    let new = numbers.options.len() as u32;
                    let key = (id, decision.site.address(), decision.label.clone());
                    options.push((place, *numbers.options.entry(key).or_insert(new)));
                    if !self.fair_choices.contains(&decision.site.name) {
                        self.fair_choices.push(decision.site.name);
                    }
                }
            }
            made.push(options);
        }
        for (index, (action, _)) in ways.iter().enumerate() {
            let edge = (self.edges.len() + index) as u32;
            for (place, option) in &made[index] {
                // What it could have been instead: the same step, answered alike up to there.
                let alike = |other: &usize| {
                    ways[*other].0 == *action && tapes[*other].get(..*place) == tapes[index].get(..*place)
                };
                let offered = (0..ways.len()).filter(alike).flat_map(|other| &made[other]);
                let offered: BTreeSet<u32> =
                    offered.filter(|(at, _)| at == place).map(|(_, other)| *other).collect();
                self.offers.extend(offered.iter().map(|other| Offer {
                    edge,
                    option: *other,
                    taken: other == option,
                }));
            }
        }
    }

    /// The edges from a world.
    pub(super) fn from(&self, state: u32) -> std::ops::Range<u32> {
        self.first[state as usize]..self.first[state as usize + 1]
    }

    /// What is owed in a world, sorted.
    pub(super) fn owed(&self, state: u32) -> &[u32] {
        let place = state as usize;
        &self.owed[self.first_owed[place] as usize..self.first_owed[place + 1] as usize]
    }

    /// What fair choices do on an edge.
    pub(super) fn offers(&self, edge: u32) -> &[Offer] {
        let begin = self.offers.partition_point(|offer| offer.edge < edge);
        let count = self.offers[begin..].partition_point(|offer| offer.edge == edge);
        &self.offers[begin..begin + count]
    }

    /// Whether a run may stay in a world for ever without doing anything.
    pub(super) fn rests(&self, state: u32) -> bool {
        self.explored[state as usize] && self.owed(state).is_empty()
    }

    /// The move that an edge from `state` is.
    pub(super) fn step(&self, program: &Direct, state: u32, edge: u32) -> Option<Move> {
        let place = edge - self.first[state as usize];
        let way = ways(program, &self.worlds[state as usize]).into_iter().nth(place as usize)?;
        Some(Move { action: way.0, tape: way.1.map(|successor| successor.tape).unwrap_or_default() })
    }

    /// What of `region` is reached from `sources` within it, in the order of reaching, and from where: (world, edge), or [`NONE`].
    pub(super) fn spread(&self, sources: &[u32], region: &[bool]) -> (Vec<u32>, HashMap<u32, (u32, u32)>) {
        let (mut order, mut parents) = (Vec::new(), HashMap::new());
        for source in sources.iter().filter(|source| region[**source as usize]) {
            if parents.insert(*source, (NONE, 0)).is_none() {
                order.push(*source);
            }
        }
        let mut next = 0;
        while next < order.len() {
            let state = order[next];
            next += 1;
            for edge in self.from(state) {
                let to = self.edges[edge as usize].to;
                if region[to as usize] && !parents.contains_key(&to) {
                    parents.insert(to, (state, edge));
                    order.push(to);
                }
            }
        }
        (order, parents)
    }
}

/// Numbers of what was met.
#[derive(Default)]
struct Numbers {
    worlds: HashTable<(u64, u32)>,
    classes: HashMap<Owed, u32>,
    options: HashMap<(NodeId, usize, String), u32>,
    /// Whether any choice is declared fair.
    fair: bool,
}
