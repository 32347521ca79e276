//! What a run that somebody else took came to: objectives as a simulation accounts them, fed with the steps of real nodes.
//!
//! Nothing is simulated here. Whoever has the steps, such as the recordings of a cluster, tells them in the order of their times,
//! and gets the figures that [`crate::run`] would give for such a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_kernel::{Effect, FaultPlan, Model, NodeId, NodeState, Outcome, Temporal, View};
use foresee_world::Ambient;

use crate::engine::Seen;
use crate::ledger::Ledger;

/// The accounts of a run, as far as it was told. Times are nanoseconds from its beginning, and never fall.
#[derive(Debug)]
pub struct Accounts {
    model: Arc<Model>,
    states: Vec<NodeState>,
    ambient: Ambient,
    ledger: Ledger,
    steps: u64,
    messages: u64,
    bytes: u64,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Accounted {
    /// Steps of all nodes.
    pub steps: u64,
    /// Messages sent.
    pub messages: u64,
    /// The bytes of their wire forms.
    pub bytes: u64,
    /// As [`crate::Run::objectives`].
    pub objectives: BTreeMap<String, f64>,
    /// As [`crate::Run::objectives_by_node`].
    pub objectives_by_node: BTreeMap<String, Vec<f64>>,
}

impl Accounts {
    /// The accounts of `model` before anything has happened: no node has started.
    pub fn new(model: Arc<Model>) -> Self {
        let states: Vec<NodeState> = model
            .nodes
            .iter()
            .enumerate()
            .map(|(index, stack)| stack.init(NodeId::new(index as u32)))
            .collect();
        let down = (0..states.len()).map(|index| (NodeId::new(index as u32), true)).collect();
        let ambient = Ambient { down, ..Ambient::default() };
        let mut ledger = Ledger::new(&model);
        ledger.start(&model, &Seen { states: &states, ambient: &ambient }, 0);
        Accounts { model, states, ambient, ledger, steps: 0, messages: 0, bytes: 0 }
    }

    /// A node took a step at `now`, and is up. One that faulted changes nothing.
    pub fn step(&mut self, now: u64, node: NodeId, outcome: &Outcome) {
        self.comes(now);
        self.ambient.down.remove(&node);
        self.steps += 1;
        if outcome.fault.is_none() {
            self.ledger.ran(&self.model, node, &outcome.ran, &outcome.called, now);
            for effect in &outcome.effects {
                if let Effect::Send { message, .. } = effect {
                    let bytes = message.encoded_len() as u64;
                    self.messages += 1;
                    self.bytes += bytes;
                    self.ledger.message(node, || message.kind(), bytes, now);
                }
            }
            self.states[node.index()] = outcome.state.clone();
        }
        self.stepped(node, now);
    }

    /// A node went down at `now`: what was not durable is gone.
    pub fn down(&mut self, now: u64, node: NodeId) {
        self.comes(now);
        self.ambient.down.insert(node, true);
        let state = self.model.nodes[node.index()].recover(node, &self.states[node.index()]);
        self.states[node.index()] = state;
        self.stepped(node, now);
    }

    fn comes(&mut self, now: u64) {
        let seen = Seen { states: &self.states, ambient: &self.ambient };
        self.ledger.comes(&self.model, &seen, now);
    }

    fn stepped(&mut self, node: NodeId, now: u64) {
        let seen = Seen { states: &self.states, ambient: &self.ambient };
        self.ledger.stepped(&self.model, &seen, node, now);
    }

    /// The nodes that a line of the faults may happen to as things stand: all of them together, or any one.
    pub fn meant(&self, fault: &FaultPlan) -> Vec<NodeId> {
        self.seen().meant(&self.model, fault)
    }

    fn seen(&self) -> Seen<'_> {
        Seen { states: &self.states, ambient: &self.ambient }
    }

    /// Whether each property holds as things stand; of a liveness property, whether that holds which is to come about. Properties that
    /// read ghosts are left out: real nodes do not keep these.
    pub fn holds(&self) -> BTreeMap<String, bool> {
        let seen = self.seen();
        let view = View::new(&self.model, &seen);
        let properties = self.model.properties.iter().filter(|it| !it.ghosts);
        let properties = properties.map(|it| (it.name.to_owned(), (it.holds)(&view)));
        let claims = self.model.liveness.iter().map(|it| {
            let instances = (it.instances)(&view);
            let holds = instances.iter().all(|nodes| match &it.claim {
                Temporal::Eventually(goal)
                | Temporal::AlwaysEventually(goal)
                | Temporal::EventuallyAlways(goal) => (goal.holds)(&view, nodes),
                Temporal::LeadsTo(given, goal) => !(given.holds)(&view, nodes) || (goal.holds)(&view, nodes),
            });
            (it.name.to_owned(), holds)
        });
        properties.chain(claims).collect()
    }

    /// What everything came to at `now`.
    pub fn close(mut self, now: u64) -> Accounted {
        self.comes(now);
        let account =
            self.ledger.close(&self.model, &Seen { states: &self.states, ambient: &self.ambient }, now);
        Accounted {
            steps: self.steps,
            messages: self.messages,
            bytes: self.bytes,
            objectives: account.objectives,
            objectives_by_node: account.by_node,
        }
    }
}
