//! Replies: a request's handle, plain ordered data that may be stored and may travel in messages.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::{NodeId, Shape};

/// Names a request that was made at `origin` and will be answered with a `T`, once, there and nowhere else.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Reply<T> {
    origin: NodeId,
    layer: u8,
    number: u64,
    answer: PhantomData<fn() -> T>,
}

impl<T> Reply<T> {
    /// The layer of requests that the application above the stack made.
    pub const APPLICATION: u8 = u8::MAX;

    /// Names request `number` of layer `layer` of node `origin`.
    pub const fn new(origin: NodeId, layer: u8, number: u64) -> Self {
        Reply { origin, layer, number, answer: PhantomData }
    }

    /// The node at which the request was made.
    pub const fn origin(&self) -> NodeId {
        self.origin
    }

    /// The layer that made it, or [`Reply::APPLICATION`].
    pub const fn layer(&self) -> u8 {
        self.layer
    }

    /// Its number among the requests of that layer.
    pub const fn number(&self) -> u64 {
        self.number
    }

    const fn key(&self) -> (NodeId, u8, u64) {
        (self.origin, self.layer, self.number)
    }
}

// Derives would ask the same of `T`.
impl<T> Clone for Reply<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Reply<T> {}

impl<T> PartialEq for Reply<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Reply<T> {}

impl<T> PartialOrd for Reply<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Reply<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl<T> Hash for Reply<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reply {} to {}", self.number, self.origin)
    }
}

impl<T> Shape for Reply<T> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        self.origin = map(self.origin);
    }
}
