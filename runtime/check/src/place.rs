//! The parts of one node, and what may happen to them, as far as that is worth keeping.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::chunked::Chunked;
use crate::expansion::Expansion;
use crate::parts::Part;
use crate::table::Table;

/// The parts of one node.
pub(crate) struct Place {
    pub parts: Table<Part>,
    /// The most messages that are under way to one of them.
    pub messages_max: AtomicU32,
    /// By the ambient, by the number of the part.
    pub expansions: Chunked<Chunked<Expansion>>,
    /// Whether what may happen to them is worth keeping.
    keeps: AtomicBool,
}

impl Place {
    pub(crate) fn new() -> Self {
        Place {
            parts: Table::new(),
            messages_max: AtomicU32::new(0),
            expansions: Chunked::new(),
            keeps: AtomicBool::new(true),
        }
    }

    /// From now on keeps what may happen to parts and what steps come to, or does not.
    pub(crate) fn keep(&self, keeps: bool) {
        self.keeps.store(keeps, Ordering::Relaxed);
    }

    /// Whether it keeps them.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps.load(Ordering::Relaxed)
    }
}
