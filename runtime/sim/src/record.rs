//! The recorder: walks a [`World`] of its own beside a run, so that what is written down is what may happen there.
//!
//! What the simulator calls a loss or a copy is an action of the world only where the carrier has such actions; on
//! a duplicating set a message that was sent is there for ever, and neither is a step.

use std::sync::Arc;

use foresee_kernel::trace::{self, Ending};
use foresee_kernel::{Event, Model, NodeEvent, NodeId, Outcome, Trace};
use foresee_world::{Action, Direct, Envelope, Move, Node, Path, Route, Timer, World, narrate};

/// What a run did, so far.
#[derive(Debug)]
pub(crate) struct Recorder {
    model: Arc<Model>,
    program: Direct,
    seed: u64,
    /// None while nodes start.
    walk: Option<Walk>,
    nodes: Vec<Node>,
    sends: Vec<Envelope>,
    /// What the network does to messages of starts; it is told when all nodes have started.
    early: Vec<Action<Direct>>,
    starts: Vec<(NodeId, Vec<trace::Choice>)>,
    steps: Vec<trace::Step>,
    path: Path,
}

#[derive(Debug)]
struct Walk {
    world: World<Direct>,
    digest: u64,
}

impl Recorder {
    pub fn new(model: &Arc<Model>, seed: u64) -> Self {
        Recorder {
            model: model.clone(),
            program: Direct::new(narrate::unbudgeted(model)),
            seed,
            walk: None,
            nodes: Vec::new(),
            sends: Vec::new(),
            early: Vec::new(),
            starts: Vec::new(),
            steps: Vec::new(),
            path: Path::default(),
        }
    }

    /// Node `id` has started. Nodes start in the order of their ids.
    pub fn start(&mut self, id: NodeId, outcome: &Outcome) {
        if !outcome.decisions.is_empty() || outcome.fault.is_some() {
            self.starts.push((id, outcome.decisions.iter().map(narrate::choice).collect()));
        }
        self.path.starts.push(tape(outcome));
        let successor = self.program.successor(id, outcome.clone(), Vec::new());
        self.nodes.push(successor.node);
        self.sends.extend(successor.sends);
    }

    /// All nodes have started.
    pub fn started(&mut self) {
        let mut world = self.program.world(std::mem::take(&mut self.nodes));
        world.send_all(&self.program, &std::mem::take(&mut self.sends));
        let digest = world.digest(&self.program);
        for (id, choices) in self.starts.drain(..) {
            let action = trace::Action::Start { node: id.to_string() };
            self.steps.push(trace::Step::new(Some(0), action, choices, digest));
        }
        self.walk = Some(Walk { world, digest });
        for action in std::mem::take(&mut self.early) {
            self.network(0, action);
        }
    }

    /// The network did something by itself.
    pub fn network(&mut self, now: u64, action: Action<Direct>) {
        let Some(walk) = &mut self.walk else { return self.early.push(action) };
        walk.digest = walk.world.digest_after(&self.program, walk.digest, &action, None);
        walk.world.apply(&self.program, &action, None);
        let told = narrate::describe(&self.program, &action);
        self.steps.push(trace::Step::new(Some(now), told, Vec::new(), walk.digest));
        self.path.moves.push(Move { action, tape: Vec::new() });
    }

    /// Node `id` took a step.
    pub fn step(&mut self, now: u64, id: NodeId, action: &Action<Direct>, outcome: &Outcome) {
        let Some(walk) = &mut self.walk else { return };
        let choices = outcome.decisions.iter().map(narrate::choice).collect();
        let told = narrate::describe(&self.program, action);
        let successor = self.program.successor(id, outcome.clone(), Vec::new());
        walk.digest = walk.world.digest_after(&self.program, walk.digest, action, Some(&successor));
        walk.world.apply(&self.program, action, Some(&successor));
        self.steps.push(trace::Step::new(Some(now), told, choices, walk.digest));
        self.path.moves.push(Move { action: action.clone(), tape: tape(outcome) });
    }

    /// The trace of the run.
    pub fn finish(self, ending: Ending) -> Trace {
        Trace::new(narrate::origin(&self.model, "simulate", Some(self.seed)), ending, self.steps)
    }

    /// The trace of the scenario that was run, and its path.
    pub fn finish_scenario(self, name: &str, ending: Ending) -> (Trace, Path) {
        let mut origin = narrate::origin(&self.model, "test", Some(self.seed));
        origin.scenario = Some(name.to_owned());
        (Trace::new(origin, ending, self.steps), self.path)
    }
}

fn tape(outcome: &Outcome) -> Vec<u32> {
    outcome.decisions.iter().map(|decision| decision.picked).collect()
}

/// What an event of `node` is called in the world; None for its start.
pub(crate) fn action(node: NodeId, event: &NodeEvent) -> Option<Action<Direct>> {
    match event {
        NodeEvent::Layer(_, Event::Deliver { src, carrier, message }) => {
            let route = Route { carrier: *carrier, src: *src, dst: node };
            Some(Action::Deliver(Envelope { route, message: message.clone() }))
        }
        NodeEvent::Layer(layer, Event::Timer(timer)) => {
            Some(Action::Fire(node, Timer { layer: *layer, timer: timer.clone() }))
        }
        _ => None,
    }
}
