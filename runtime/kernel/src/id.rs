//! Node identities: opaque, ordered, and the same in every driver. Only the live driver knows addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names;

/// The logical identity of a node: its position in the system, counted from 0.
///
/// Printed by the name that the running system gives it (`n[2]`) where one is in scope, see [`names`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(u32);

impl NodeId {
    /// The identity at `index`.
    pub const fn new(index: u32) -> Self {
        NodeId(index)
    }

    /// The position of this node in its system, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match names::of(*self) {
            Some(name) => f.write_str(&name),
            None => write!(f, "node[{}]", self.0),
        }
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
