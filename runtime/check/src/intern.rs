//! [`Interned`]: node states, messages and timers as numbers. Equal things have equal numbers, and only they.
//!
//! Layers are interned each for itself, and a node is a tuple of layers; so are the digests of content, which are those
//! of [`Direct`], and so are fingerprints the same whatever thread or run made them. Numbers are not: their order is that of
//! discovery, and nothing reported may depend on it.

use std::hash::Hasher;
use std::sync::Arc;

use foresee_kernel::digest::mix;
use foresee_kernel::{Datum, Digest, Model, NodeId};
use foresee_world::{
    Action, Direct, Discipline, Envelope, Mark, Node, Plans, Program, Route, Stimulus, Successor, Timer,
};

use crate::table::Table;

/// The number of a node that a part of a world leaves out: no timers, no content.
pub(crate) const NOBODY: u32 = u32::MAX;

/// See the module's documentation.
pub(crate) struct Interned {
    direct: Direct,
    layers: Table<Layer>,
    nodes: Table<Kept>,
    envelopes: Table<Sent>,
    timers: Table<Timer>,
}

struct Layer {
    state: Datum,
    digest: u64,
}

struct Kept {
    id: NodeId,
    layers: Box<[u32]>,
    timers: Box<[u32]>,
    digest: u64,
}

struct Sent {
    envelope: Envelope,
    mark: Option<Mark>,
    digest: u64,
}

/// What a value is taken to own besides its bytes: a shared pointer and its counts.
const DATUM_OVERHEAD: usize = 48;

impl Interned {
    pub(crate) fn new(model: Arc<Model>) -> Self {
        Interned {
            direct: Direct::new(model),
            layers: Table::new(),
            nodes: Table::new(),
            envelopes: Table::new(),
            timers: Table::new(),
        }
    }

    /// The program that executes steps.
    pub(crate) fn direct(&self) -> &Direct {
        &self.direct
    }

    /// The number of a node's state.
    pub(crate) fn node(&self, node: &Node) -> u32 {
        let layers: Box<[u32]> = node.layers.iter().map(|layer| self.layer_id(layer)).collect();
        let mut hash = Digest::new();
        hash.write_usize(node.id.index());
        layers.iter().for_each(|layer| hash.write_u32(*layer));
        let same = |kept: &Kept| kept.id == node.id && kept.layers == layers;
        self.nodes.intern(hash.finish(), same, || {
            let mut timers = Vec::new();
            self.direct.each_timer(node, &mut |timer| timers.push(self.timer_id(timer)));
            let digest = self.direct.node_digest(node.id, node);
            let owned = (layers.len() + timers.len()) * 4;
            (Kept { id: node.id, layers: layers.clone(), timers: timers.into(), digest }, owned)
        })
    }

    fn layer_id(&self, state: &Datum) -> u32 {
        let digest = state.digest();
        let make = || (Layer { state: state.clone(), digest }, state.encoded_len() + DATUM_OVERHEAD);
        let same = |layer: &Layer| layer.digest == digest && layer.state == *state;
        self.layers.intern(mix(digest), same, make)
    }

    fn timer_id(&self, timer: &Timer) -> u32 {
        let hash = mix(timer.timer.digest().wrapping_add(u64::from(timer.layer)));
        let owned = || timer.timer.encoded_len() + DATUM_OVERHEAD;
        self.timers.intern(hash, |other| other == timer, || (timer.clone(), owned()))
    }

    /// The number of a message under way.
    pub(crate) fn envelope(&self, envelope: &Envelope) -> u32 {
        let digest = self.direct.envelope_digest(envelope);
        let owned = || envelope.message.encoded_len() + DATUM_OVERHEAD;
        let same = |sent: &Sent| sent.envelope == *envelope;
        self.envelopes.intern(mix(digest), same, || {
            let mark = self.direct.mark(envelope);
            (Sent { envelope: envelope.clone(), mark, digest }, owned())
        })
    }

    /// The state that number `node` stands for.
    pub(crate) fn direct_node(&self, node: u32) -> Node {
        let kept = self.nodes.get(node);
        let layers = kept.layers.iter().map(|layer| self.layers.get(*layer).state.clone());
        Node { id: kept.id, layers: layers.collect() }
    }

    /// Which node's state number `node` stands for.
    pub(crate) fn id(&self, node: u32) -> NodeId {
        self.nodes.get(node).id
    }

    /// The message that number `envelope` stands for.
    pub(crate) fn direct_envelope(&self, envelope: u32) -> &Envelope {
        &self.envelopes.get(envelope).envelope
    }

    /// The action, by values.
    pub(crate) fn direct_action(&self, action: &Action<Self>) -> Action<Direct> {
        let envelope = |id: &u32| self.direct_envelope(*id).clone();
        match action {
            Action::Deliver(id) => Action::Deliver(envelope(id)),
            Action::Miss(id) => Action::Miss(envelope(id)),
            Action::Lapse(id) => Action::Lapse(envelope(id)),
            Action::Fire(node, timer) => Action::Fire(*node, self.timers.get(*timer).clone()),
            Action::Drop(id) => Action::Drop(envelope(id)),
            Action::Duplicate(id) => Action::Duplicate(envelope(id)),
            Action::Call(calling) => Action::Call(*calling),
            Action::Restart(node) => Action::Restart(*node),
            Action::Heal(side) => Action::Heal(side.clone()),
            Action::Crash { plan, nodes } => Action::Crash { plan: *plan, nodes: nodes.clone() },
            Action::Reset { plan, node } => Action::Reset { plan: *plan, node: *node },
            Action::Cut { plan, carrier, ends } => {
                Action::Cut { plan: *plan, carrier: *carrier, ends: *ends }
            }
            Action::Partition { plan, side } => Action::Partition { plan: *plan, side: side.clone() },
        }
    }

    /// Executes a step of `node` in every way in which it can go.
    pub(crate) fn execute(&self, node: u32, stimulus: &Stimulus<'_, Self>) -> Vec<Successor<Self>> {
        let node = self.direct_node(node);
        let stimulus = match stimulus {
            Stimulus::Deliver(id) => Stimulus::Deliver(self.direct_envelope(**id)),
            Stimulus::Fire(id) => Stimulus::Fire(self.timers.get(**id)),
            Stimulus::Call(calling) => Stimulus::Call(*calling),
            Stimulus::Start => Stimulus::Start,
            Stimulus::Reset => Stimulus::Reset,
        };
        self.direct.successors(&node, &stimulus).into_iter().map(|way| self.successor(way)).collect()
    }

    fn successor(&self, successor: Successor<Direct>) -> Successor<Self> {
        let Successor { node, sends, tape, ran, chose, fault } = successor;
        let sends = sends.iter().map(|envelope| self.envelope(envelope)).collect();
        Successor { node: self.node(&node), sends, tape, ran, chose, fault }
    }

    /// Counted bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.layers.bytes() + self.nodes.bytes() + self.envelopes.bytes() + self.timers.bytes()
    }
}

impl Program for Interned {
    type Node = u32;
    type Envelope = u32;
    type Timer = u32;

    fn model(&self) -> &Model {
        self.direct.model()
    }

    fn disciplines(&self) -> &[Discipline] {
        self.direct.disciplines()
    }

    fn plans(&self) -> &Plans {
        self.direct.plans()
    }

    fn mark(&self, envelope: &u32) -> Option<Mark> {
        self.envelopes.get(*envelope).mark
    }

    fn marked(&self, route: Route, mark: Mark) -> u32 {
        self.envelope(&self.direct.marked(route, mark))
    }

    fn recover(&self, id: NodeId, node: &u32) -> u32 {
        self.node(&self.direct.recover(id, &self.direct_node(*node)))
    }

    fn route(&self, envelope: &u32) -> Route {
        self.envelopes.get(*envelope).envelope.route
    }

    fn each_timer(&self, node: &u32, visit: &mut dyn FnMut(&u32)) {
        if *node != NOBODY {
            self.nodes.get(*node).timers.iter().for_each(visit);
        }
    }

    fn layer<'a>(&'a self, node: &'a u32, layer: usize) -> &'a Datum {
        &self.layers.get(self.nodes.get(*node).layers[layer]).state
    }

    fn node_digest(&self, _: NodeId, node: &u32) -> u64 {
        if *node == NOBODY { 0 } else { self.nodes.get(*node).digest }
    }

    fn envelope_digest(&self, envelope: &u32) -> u64 {
        self.envelopes.get(*envelope).digest
    }
}
