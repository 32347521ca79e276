//! The reference explorer: breadth first, by values, without cleverness. The yardstick of every engine.
//!
//! It keeps whole worlds in a set and compares them by equality, so it has no collisions; every step is executed
//! anew. It is slow, and it is meant to be obviously right. What an engine reports must be what this reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_kernel::{Model, NodeId, PropertyKind, Ran};
use hashbrown::HashMap;

use crate::path::{self, Move, Path};
use crate::{Action, Direct, Planned, Program, World};

/// The name of the built-in safety property: no step faults.
pub const NO_FAULT: &str = "no_fault";

/// When to stop short of everything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most unique states to visit.
    pub states_max: usize,
    /// The greatest depth to explore.
    pub depth_max: u32,
    /// Whether to stop at the first violation of a safety property.
    pub stop_at_violation: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { states_max: usize::MAX, depth_max: u32::MAX, stop_at_violation: true }
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Different worlds seen, the first ones included.
    pub unique_states: usize,
    /// Steps taken, those that lead to a known world or to the same world included.
    pub transitions: u64,
    /// The number of steps to the farthest world.
    pub depth: u32,
    /// Whether every reachable world was explored: no limit and no bound cut anything.
    pub complete: bool,
    /// Whether a limit of the search stopped it before the bounds of the model were exhausted.
    pub stopped: bool,
    /// For every safety property that is false somewhere, how many worlds violate it; for [`NO_FAULT`], how many steps.
    pub violations: BTreeMap<&'static str, u64>,
    /// The `reachable` properties that hold somewhere.
    pub reached: Vec<&'static str>,
    /// A shortest path to the first violation.
    pub counterexample: Option<(&'static str, Path)>,
    /// How often each handler ran, by service and name.
    pub handlers: BTreeMap<(&'static str, &'static str), u64>,
    /// How often each choice that the author left open was made among several options, by the address of its site; in steps, not in the
    /// first starts of nodes.
    pub chosen: BTreeMap<usize, u64>,
    /// How often a message met no handler, by service, message and control state; what the spec ignores is left out.
    pub ignored: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    /// How often each line of the workload and of the faults, and the network's losses and doublings, were steps taken.
    pub fired: BTreeMap<Planned, u64>,
}

/// Explores `model` from its first worlds. None where its starts branch in more than `limits.states_max` ways.
pub fn explore(model: &Arc<Model>, limits: Limits) -> Option<Report> {
    let program = Direct::new(model.clone());
    let mut search = Search {
        program: &program,
        limits,
        seen: HashMap::default(),
        queue: Vec::new(),
        report: Report { complete: true, ..Report::default() },
    };
    for initial in path::initials(&program, limits.states_max)? {
        let origin = Origin::Start(initial.starts);
        if initial.fault.is_some() {
            search.violated(NO_FAULT, &origin, None);
        }
        search.visit(initial.world, origin, 0);
    }
    search.run();
    Some(search.report)
}

/// How a world was first reached.
#[derive(Clone, Debug)]
enum Origin {
    Start(Vec<Vec<u32>>),
    Step { parent: usize, taken: Move },
}

struct Visited {
    world: World<Direct>,
    origin: Origin,
    depth: u32,
}

struct Search<'p> {
    program: &'p Direct,
    limits: Limits,
    seen: HashMap<World<Direct>, usize>,
    queue: Vec<Visited>,
    report: Report,
}

impl Search<'_> {
    fn run(&mut self) {
        let mut next = 0;
        while next < self.queue.len() {
            if self.done() {
                self.report.complete = false;
                self.report.stopped = true;
                return;
            }
            self.expand(next);
            next += 1;
        }
    }

    fn done(&self) -> bool {
        (self.limits.stop_at_violation && self.report.counterexample.is_some())
            || self.queue.len() > self.limits.states_max
    }

    fn expand(&mut self, index: usize) {
        let Visited { world, depth, .. } = &self.queue[index];
        let (world, depth) = (world.clone(), *depth);
        if !world.within_bounds(self.program, depth) {
            self.report.complete = false;
            return;
        }
        if depth >= self.limits.depth_max {
            self.report.complete = false;
            self.report.stopped = true;
            return;
        }
        let mut actions = Vec::new();
        world.enabled(self.program, |action| actions.push(action));
        for action in actions {
            let Some((id, stimulus)) = action.stimulus(self.program) else {
                self.arrive(index, &world, &action, None, depth);
                continue;
            };
            for successor in self.program.successors(&world.nodes[id.index()], &stimulus) {
                self.count(&world, id, &action, &successor.ran);
                for site in &successor.chose {
                    *self.report.chosen.entry(site.address()).or_default() += 1;
                }
                self.arrive(index, &world, &action, Some(successor), depth);
            }
        }
    }

    fn arrive(
        &mut self,
        parent: usize,
        world: &World<Direct>,
        action: &Action<Direct>,
        successor: Option<crate::Successor<Direct>>,
        depth: u32,
    ) {
        self.report.transitions += 1;
        if let Some(plan) = action.plan() {
            *self.report.fired.entry(plan).or_default() += 1;
        }
        let tape = successor.as_ref().map(|successor| successor.tape.clone()).unwrap_or_default();
        let origin = Origin::Step { parent, taken: Move { action: action.clone(), tape } };
        if successor.as_ref().is_some_and(|successor| successor.fault.is_some()) {
            self.violated(NO_FAULT, &origin, None);
        }
        let next = world.after(self.program, action, successor.as_ref());
        self.visit(next, origin, depth + 1);
    }

    fn visit(&mut self, world: World<Direct>, origin: Origin, depth: u32) {
        if self.seen.contains_key(&world) {
            return;
        }
        let index = self.queue.len();
        self.seen.insert(world.clone(), index);
        self.report.unique_states += 1;
        self.report.depth = self.report.depth.max(depth);
        let mut violated = Vec::new();
        for property in &self.program.model().properties {
            let holds = world.view(self.program, |view| (property.holds)(view));
            match property.kind {
                PropertyKind::Safety | PropertyKind::Local if !holds => violated.push(property.name),
                PropertyKind::Reachable if holds && !self.report.reached.contains(&property.name) => {
                    self.report.reached.push(property.name);
                }
                _ => {}
            }
        }
        self.queue.push(Visited { world, origin: origin.clone(), depth });
        for name in violated {
            self.violated(name, &origin, Some(index));
        }
    }

    fn violated(&mut self, property: &'static str, origin: &Origin, at: Option<usize>) {
        *self.report.violations.entry(property).or_default() += 1;
        if self.report.counterexample.is_none() {
            let path = match at {
                Some(index) => self.path(&self.queue[index].origin),
                None => self.path(origin),
            };
            self.report.counterexample = Some((property, path));
        }
    }

    fn path(&self, origin: &Origin) -> Path {
        let mut moves = Vec::new();
        let mut origin = origin;
        loop {
            match origin {
                Origin::Start(starts) => {
                    moves.reverse();
                    return Path { starts: starts.clone(), moves };
                }
                Origin::Step { parent, taken } => {
                    moves.push(taken.clone());
                    origin = &self.queue[*parent].origin;
                }
            }
        }
    }

    fn count(&mut self, world: &World<Direct>, id: NodeId, action: &Action<Direct>, ran: &[Ran]) {
        let stack = &self.program.model().nodes[id.index()];
        for ran in ran {
            match *ran {
                Ran::Handler { layer, handler } => {
                    let info = stack.layers()[usize::from(layer)].service().info();
                    let name = info.handlers[usize::from(handler)].name;
                    *self.report.handlers.entry((info.name, name)).or_default() += 1;
                }
                Ran::Consumed { layer, meant: false } => {
                    if let Action::Deliver(envelope) = action
                        && self.program.mark(envelope).is_none()
                    {
                        let service = stack.layers()[usize::from(layer)].service();
                        let state = service.control(&world.nodes[id.index()].layers[usize::from(layer)]);
                        let key = (service.info().name, envelope.message.kind(), state);
                        *self.report.ignored.entry(key).or_default() += 1;
                    }
                }
                Ran::Consumed { meant: true, .. } => {}
            }
        }
    }
}
