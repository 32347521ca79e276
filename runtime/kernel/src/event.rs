//! What may happen to a layer of a node ([`Event`]) and what a step asks of the world ([`Effect`]). Both are closed.

use crate::{Datum, Delay, NodeId};

/// What a layer of a node is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Boot, and every restart after a crash.
    Start,
    /// A message arrives from `src` over the carrier at `carrier` in the model.
    Deliver {
        /// Who sent it.
        src: NodeId,
        /// Index into [`crate::Model::carriers`].
        carrier: u8,
        /// The message.
        message: Datum,
    },
    /// A timer of this layer fires; firing has disarmed it.
    Timer(Datum),
    /// A downcall from the layer above, or from the application.
    Call(Datum),
    /// An upcall from the lower service bound to `uses` slot `slot`.
    Upcall {
        /// Index into the service's `uses`.
        slot: u8,
        /// The upcall.
        upcall: Datum,
    },
    /// A request that this layer made of the service at `uses` slot `slot` is answered.
    Answered {
        /// Index into the service's `uses`.
        slot: u8,
        /// Index of the request among the calls of the slot's interface.
        method: u16,
        /// The number of the request.
        number: u64,
        /// The answer.
        value: Datum,
    },
    /// The ordered connection to `peer` broke.
    Broken {
        /// The other end.
        peer: NodeId,
        /// Index into [`crate::Model::carriers`].
        carrier: u8,
    },
}

/// What a step asks of the world. Nothing has happened yet: a driver carries effects out, in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send a message.
    Send {
        /// Index into [`crate::Model::carriers`].
        carrier: u8,
        /// The receiver; may be the sender itself.
        to: NodeId,
        /// The message.
        message: Datum,
    },
    /// Break the ordered connection to a peer.
    Disconnect {
        /// Index into [`crate::Model::carriers`].
        carrier: u8,
        /// The other end.
        to: NodeId,
    },
    /// Arm a timer, anew if it is armed.
    SetTimer {
        /// The layer whose timer it is.
        layer: u8,
        /// The timer and its arguments.
        timer: Datum,
        /// How long until it fires.
        delay: Delay,
    },
    /// Disarm a timer.
    CancelTimer {
        /// The layer whose timer it is.
        layer: u8,
        /// The timer and its arguments.
        timer: Datum,
    },
    /// Durable variables of a layer changed: they are on disk before the messages of this step leave.
    Persist {
        /// The layer.
        layer: u8,
    },
    /// An upcall of the topmost layer, for the application.
    Emit {
        /// The upcall.
        upcall: Datum,
    },
    /// The answer to a request that the application made at this node.
    Answer {
        /// The request's number.
        request: u64,
        /// The answer.
        value: Datum,
    },
    /// A line for the trace.
    Trace {
        /// The text.
        text: String,
    },
}
