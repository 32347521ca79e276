//! What may happen next in a world.

use std::fmt;

use foresee_kernel::NodeId;

use crate::Program;

/// Something that may happen next. Which of the ways a step can go is no part of it.
pub enum Action<P: Program> {
    /// A message arrives.
    Deliver(P::Envelope),
    /// An armed timer fires.
    Fire(NodeId, P::Timer),
    /// A message is lost.
    Drop(P::Envelope),
    /// A message is doubled.
    Duplicate(P::Envelope),
}

/// The part of an [`Action`] that a node answers with a step.
pub enum Stimulus<'a, P: Program> {
    /// A message arrives.
    Deliver(&'a P::Envelope),
    /// A timer fires.
    Fire(&'a P::Timer),
}

impl<P: Program> Action<P> {
    /// The node that takes a step, and what it is told; None for what the network does by itself.
    pub fn stimulus(&self, program: &P) -> Option<(NodeId, Stimulus<'_, P>)> {
        match self {
            Action::Deliver(envelope) => Some((program.route(envelope).dst, Stimulus::Deliver(envelope))),
            Action::Fire(node, timer) => Some((*node, Stimulus::Fire(timer))),
            Action::Drop(_) | Action::Duplicate(_) => None,
        }
    }
}

impl<P: Program> Clone for Action<P> {
    fn clone(&self) -> Self {
        match self {
            Action::Deliver(envelope) => Action::Deliver(envelope.clone()),
            Action::Fire(node, timer) => Action::Fire(*node, timer.clone()),
            Action::Drop(envelope) => Action::Drop(envelope.clone()),
            Action::Duplicate(envelope) => Action::Duplicate(envelope.clone()),
        }
    }
}

impl<P: Program> PartialEq for Action<P> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Action::Deliver(a), Action::Deliver(b)) => a == b,
            (Action::Fire(a, s), Action::Fire(b, t)) => a == b && s == t,
            (Action::Drop(a), Action::Drop(b)) => a == b,
            (Action::Duplicate(a), Action::Duplicate(b)) => a == b,
            _ => false,
        }
    }
}

impl<P: Program> Eq for Action<P> {}

impl<P: Program> fmt::Debug for Action<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Deliver(envelope) => write!(f, "deliver {envelope:?}"),
            Action::Fire(node, timer) => write!(f, "fire {timer:?} at {node:?}"),
            Action::Drop(envelope) => write!(f, "drop {envelope:?}"),
            Action::Duplicate(envelope) => write!(f, "duplicate {envelope:?}"),
        }
    }
}
