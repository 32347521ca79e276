//! What may happen next in a world.

use std::fmt;

use foresee_kernel::NodeId;

use crate::Program;

/// Something that may happen next. Which of the ways a step can go is no part of it.
pub enum Action<P: Program> {
    /// A message arrives, or word that an ordered connection broke.
    Deliver(P::Envelope),
    /// A message arrives at a node that is down, and is lost.
    Miss(P::Envelope),
    /// What is still under way of a connection that a reset ended is lost. The envelope is the mark of its end.
    Lapse(P::Envelope),
    /// An armed timer fires.
    Fire(NodeId, P::Timer),
    /// A message is lost.
    Drop(P::Envelope),
    /// A message is doubled.
    Duplicate(P::Envelope),
    /// The application makes a call.
    Call(Calling),
    /// A node that is down starts again.
    Restart(NodeId),
    /// A partition ends: the nodes of this side reach the others again.
    Heal(Vec<NodeId>),
    /// Nodes stop, together.
    Crash {
        /// Index into [`foresee_kernel::Model::faults`].
        plan: u32,
        /// The nodes, sorted.
        nodes: Vec<NodeId>,
    },
    /// A node stops and starts again at once; its peers are not told.
    Reset {
        /// Index into [`foresee_kernel::Model::faults`].
        plan: u32,
        /// The node.
        node: NodeId,
    },
    /// An ordered connection breaks.
    Cut {
        /// Index into [`foresee_kernel::Model::faults`].
        plan: u32,
        /// Index into [`foresee_kernel::Model::carriers`].
        carrier: u8,
        /// Its ends, the lesser first.
        ends: (NodeId, NodeId),
    },
    /// Nodes are cut off from all others.
    Partition {
        /// Index into [`foresee_kernel::Model::faults`].
        plan: u32,
        /// The nodes, sorted.
        side: Vec<NodeId>,
    },
}

/// A call that the application makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Calling {
    /// Index into [`foresee_kernel::Model::calls`].
    pub plan: u32,
    /// Index into its ways.
    pub way: u32,
    /// The number that a request is given; 0 where the call is none.
    pub number: u32,
}

/// The part of an [`Action`] that a node answers with a step.
pub enum Stimulus<'a, P: Program> {
    /// A message arrives, or word that an ordered connection broke.
    Deliver(&'a P::Envelope),
    /// A timer fires.
    Fire(&'a P::Timer),
    /// The application calls.
    Call(Calling),
    /// A node that was down starts.
    Start,
    /// A node stops and starts: what it recovers from is its state now.
    Reset,
}

impl<P: Program> Action<P> {
    /// The message that it is about, if it is about one.
    pub fn envelope(&self) -> Option<&P::Envelope> {
        match self {
            Action::Deliver(envelope)
            | Action::Miss(envelope)
            | Action::Lapse(envelope)
            | Action::Drop(envelope)
            | Action::Duplicate(envelope) => Some(envelope),
            _ => None,
        }
    }

    /// The node that takes a step, and what it is told; None for what happens to nodes and the network without a step.
    pub fn stimulus(&self, program: &P) -> Option<(NodeId, Stimulus<'_, P>)> {
        match self {
            Action::Deliver(envelope) => Some((program.route(envelope).dst, Stimulus::Deliver(envelope))),
            Action::Fire(node, timer) => Some((*node, Stimulus::Fire(timer))),
            Action::Call(calling) => Some((calling.node(program), Stimulus::Call(*calling))),
            Action::Restart(node) => Some((*node, Stimulus::Start)),
            Action::Reset { node, .. } => Some((*node, Stimulus::Reset)),
            Action::Miss(_)
            | Action::Lapse(_)
            | Action::Drop(_)
            | Action::Duplicate(_)
            | Action::Heal(_)
            | Action::Crash { .. }
            | Action::Cut { .. }
            | Action::Partition { .. } => None,
        }
    }

    /// The line of the system that says that this may happen, if one does.
    pub fn plan(&self) -> Option<Planned> {
        match self {
            Action::Call(calling) => Some(Planned::Call(calling.plan)),
            Action::Crash { plan, .. }
            | Action::Reset { plan, .. }
            | Action::Cut { plan, .. }
            | Action::Partition { plan, .. } => Some(Planned::Fault(*plan)),
            Action::Drop(_) => Some(Planned::Loss),
            Action::Duplicate(_) => Some(Planned::Doubling),
            _ => None,
        }
    }
}

/// What a system says may be done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Planned {
    /// The network loses messages.
    Loss,
    /// The network doubles messages.
    Doubling,
    /// A line of the workload: index into [`foresee_kernel::Model::calls`].
    Call(u32),
    /// A line of the faults: index into [`foresee_kernel::Model::faults`].
    Fault(u32),
}

impl Calling {
    /// The node that is called.
    pub fn node<P: Program>(self, program: &P) -> NodeId {
        program.model().calls[self.plan as usize].ways[self.way as usize].node
    }
}

impl<P: Program> Clone for Action<P> {
    fn clone(&self) -> Self {
        match self {
            Action::Deliver(envelope) => Action::Deliver(envelope.clone()),
            Action::Miss(envelope) => Action::Miss(envelope.clone()),
            Action::Lapse(envelope) => Action::Lapse(envelope.clone()),
            Action::Fire(node, timer) => Action::Fire(*node, timer.clone()),
            Action::Drop(envelope) => Action::Drop(envelope.clone()),
            Action::Duplicate(envelope) => Action::Duplicate(envelope.clone()),
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
}

impl<P: Program> PartialEq for Action<P> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Action::Deliver(a), Action::Deliver(b))
            | (Action::Miss(a), Action::Miss(b))
            | (Action::Lapse(a), Action::Lapse(b))
            | (Action::Drop(a), Action::Drop(b))
            | (Action::Duplicate(a), Action::Duplicate(b)) => a == b,
            (Action::Fire(a, s), Action::Fire(b, t)) => a == b && s == t,
            (Action::Call(a), Action::Call(b)) => a == b,
            (Action::Restart(a), Action::Restart(b)) => a == b,
            (Action::Heal(a), Action::Heal(b)) => a == b,
            (Action::Crash { plan, nodes }, Action::Crash { plan: p, nodes: n }) => plan == p && nodes == n,
            (Action::Reset { plan, node }, Action::Reset { plan: p, node: n }) => plan == p && node == n,
            (Action::Cut { plan, carrier, ends }, Action::Cut { plan: p, carrier: c, ends: e }) => {
                plan == p && carrier == c && ends == e
            }
            (Action::Partition { plan, side }, Action::Partition { plan: p, side: s }) => {
                plan == p && side == s
            }
            _ => false,
        }
    }
}

impl<P: Program> Eq for Action<P> {}

impl<P: Program> fmt::Debug for Action<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Deliver(envelope) => write!(f, "deliver {envelope:?}"),
            Action::Miss(envelope) => write!(f, "miss {envelope:?}"),
            Action::Lapse(envelope) => write!(f, "lapse {envelope:?}"),
            Action::Fire(node, timer) => write!(f, "fire {timer:?} at {node:?}"),
            Action::Drop(envelope) => write!(f, "drop {envelope:?}"),
            Action::Duplicate(envelope) => write!(f, "duplicate {envelope:?}"),
            Action::Call(Calling { plan, way, number }) => write!(f, "call {plan}.{way} number {number}"),
            Action::Restart(node) => write!(f, "restart {node:?}"),
            Action::Heal(side) => write!(f, "heal {side:?}"),
            Action::Crash { plan, nodes } => write!(f, "crash {nodes:?} by {plan}"),
            Action::Reset { plan, node } => write!(f, "reset {node:?} by {plan}"),
            Action::Cut { plan, carrier, ends } => write!(f, "cut {ends:?} on {carrier} by {plan}"),
            Action::Partition { plan, side } => write!(f, "partition {side:?} by {plan}"),
        }
    }
}
