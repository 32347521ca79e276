//! How a walker of worlds keeps nodes and messages: as values, or as numbers that stand for them.

use std::fmt::Debug;
use std::hash::Hash;

use foresee_kernel::{Datum, Fault, Model, NodeId, Ran, SiteInfo};

use crate::{Discipline, Mark, Plans};

/// A representation of node states, messages and timers. Equal things are equal in every representation.
pub trait Program {
    /// The state of a node: all its layers, with what is armed.
    type Node: Clone + Eq + Ord + Hash + Debug;
    /// A message under way, with its route.
    type Envelope: Clone + Eq + Ord + Hash + Debug;
    /// An armed timer of a node.
    type Timer: Clone + Eq + Ord + Hash + Debug;

    /// The model.
    fn model(&self) -> &Model;

    /// How each carrier of the model treats what is in flight.
    fn disciplines(&self) -> &[Discipline];

    /// What is known of the model's plans.
    fn plans(&self) -> &Plans;

    /// What stands in a channel instead of a message, if that is no message.
    fn mark(&self, envelope: &Self::Envelope) -> Option<Mark>;

    /// The mark, for a channel.
    fn marked(&self, route: Route, mark: Mark) -> Self::Envelope;

    /// The state that a node has after a crash in `node`, before it starts again.
    fn recover(&self, id: NodeId, node: &Self::Node) -> Self::Node;

    /// From where to where, and by which carrier.
    fn route(&self, envelope: &Self::Envelope) -> Route;

    /// Calls `visit` with each armed timer of `node`, in a fixed order.
    fn each_timer(&self, node: &Self::Node, visit: &mut dyn FnMut(&Self::Timer));

    /// The state of a layer of `node`.
    fn layer<'a>(&'a self, node: &'a Self::Node, layer: usize) -> &'a Datum;

    /// A digest of the content of `node` standing at `id`.
    fn node_digest(&self, id: NodeId, node: &Self::Node) -> u64;

    /// A digest of the content of `envelope`, its route included.
    fn envelope_digest(&self, envelope: &Self::Envelope) -> u64;
}

/// The way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// Index into the model's carriers.
    pub carrier: u8,
    /// The sender.
    pub src: NodeId,
    /// The receiver.
    pub dst: NodeId,
}

/// One way in which a step of a node can go.
#[derive(Clone, Debug)]
pub struct Successor<P: Program> {
    /// The node's state after the step.
    pub node: P::Node,
    /// What it sends, in order.
    pub sends: Vec<P::Envelope>,
    /// The answers that lead here.
    pub tape: Vec<u32>,
    /// What ran.
    pub ran: Vec<Ran>,
    /// Where the author left something open and there was more than one option, in order.
    pub chose: Vec<&'static SiteInfo>,
    /// Why the step had no effect, if it had none.
    pub fault: Option<Fault>,
}
