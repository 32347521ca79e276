//! What the threads of a search share: the table of visited states, budgets, and how the search is ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use foresee_kernel::Bounds;

use crate::frontier::Control;
use crate::options::{Options, Progress};
use crate::pages;
use crate::parts::Parts;
use crate::report::Cut;
use crate::suits::Probe;
use crate::visited::Visited;

/// What the threads of a search share.
pub(crate) struct Shared<'a> {
    pub parts: &'a Parts,
    pub options: &'a Options,
    /// The bounds of the model, the options' bound on depth included.
    pub bounds: Bounds,
    pub visited: RwLock<Visited>,
    /// Whether depths are kept beside fingerprints.
    pub graded: bool,
    /// Whether states are known by 128 bits.
    pub wide: bool,
    /// How many nodes may be asleep, the first ones; see the module's documentation.
    pub sleepers: u32,
    /// Whether only consequences are explored, see `consequences`.
    pub consequences: bool,
    pub unique: AtomicU64,
    /// Bytes of the logs, and of what threads have for themselves.
    pub own_bytes: AtomicU64,
    pub control: &'a Control,
    pub progress: &'a Progress,
    pub started: Instant,
    pub probe: &'a Probe,
}

impl Shared<'_> {
    /// How many threads search. What depends on the order of exploration has one.
    pub(crate) fn threads(&self) -> usize {
        if self.consequences { 1 } else { self.options.threads.max(1) }
    }

    /// How many numbers a row of the frontier has.
    pub(crate) fn stride(&self) -> usize {
        self.parts.stride() + usize::from(self.sleepers > 0)
    }

    pub(crate) fn table(&self) -> RwLockReadGuard<'_, Visited> {
        self.visited.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grows the table until `more` states fit. False where they cannot: then the search has been stopped.
    pub(crate) fn make_room(&self, more: u64, frontier_bytes: u64) -> bool {
        loop {
            let room = self.table().room();
            if self.unique.load(Ordering::Relaxed) + more <= room {
                return true;
            }
            if !self.grow(room, frontier_bytes) {
                return false;
            }
        }
    }

    /// Grows the table, unless it has room for more than `room` states already. False where it cannot be.
    pub(crate) fn grow(&self, room: u64, frontier_bytes: u64) -> bool {
        let mut table = self.visited.write().unwrap_or_else(PoisonError::into_inner);
        if table.room() > room {
            return true;
        }
        let most = self.options.max_memory.unwrap_or(u64::MAX);
        // The larger table takes the place of this one.
        let mut others = self.counted(frontier_bytes, 0);
        if self.options.max_memory.is_some() {
            others = others.max(pages::resident().unwrap_or(0).saturating_sub(table.bytes()));
        }
        let grown = others + table.bytes_grown() <= most && table.grow();
        if !grown {
            self.control.stop(Cut::Memory);
        }
        grown
    }

    fn counted(&self, frontier: u64, table: u64) -> u64 {
        let parts = self.parts.interner_bytes() + self.parts.memo_bytes();
        frontier + table + parts + self.own_bytes.load(Ordering::Relaxed)
    }

    /// Stops the search where a budget is spent or somebody asks for it.
    pub(crate) fn look_at_budgets(&self, frontier_bytes: u64, memory: bool) {
        if self.progress.is_cancelled() {
            self.control.stop(Cut::Cancelled);
        }
        let states = self.unique.load(Ordering::Relaxed);
        if self.probe.is_due(states) && !self.probe.suits(self.parts, states) {
            self.control.unsuited();
        }
        if self.options.time.is_some_and(|most| self.started.elapsed() >= most) {
            self.control.stop(Cut::Time);
        }
        let Some(most) = self.options.max_memory else { return };
        if memory {
            let table = self.table().bytes();
            let counted = self.counted(frontier_bytes, table);
            if counted.max(pages::resident().unwrap_or(0)) > most {
                self.control.stop(Cut::Memory);
            }
        }
    }
}
