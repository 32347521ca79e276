//! Which [`Network`](crate::network::Network) suits, and what is worth keeping, by what is observed.
//!
//! A part costs much when it is new, and little ever after. Where inboxes grow, new states bring new parts for ever: then messages are
//! better kept one by one. It is looked at a few times early in a search, at the parts that came since the time before; where they are
//! too many the search begins again in the flat layout, and so it does where that turns out to have too few places in a row. What is
//! lost is less than a second, and what is known of steps and properties stays.
//!
//! It is also looked at how often a node's part was asked for that had been met before. Where a node remembers all that ever happened to it,
//! hardly one of its parts comes again: then its steps are executed directly and nothing of them is kept, until its parts do come again.
//!
//! # Caveats
//! What grows late is not seen: then [`Backend::Flat`] can be asked for.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use foresee_world::{Discipline, Program};

use crate::options::{Backend, Options, Search, Tuning};
use crate::parts::Parts;
use crate::report::NetworkReport;
use crate::rows::Layout;

/// How often it is looked at: each time so many times as many states are known as the time before.
const GROWTH: u64 = 4;
/// At the first looks: of how many new states more than one has to bring a new part for messages to be kept one by one. At the start of a
/// search much is new that will not be for long. A part that is new costs as much as 12 states that bring none, and one by one a state costs
/// a quarter more: measured with two-phase commit, Paxos, and Paxos on five servers.
const LOOKS: [u64; 4] = [4, 12, 12, 12];
/// Of how many states all but one have to bring a new part of a node for its steps not to be kept.
const STATES_PER_HIT: u64 = 8;
/// The least share of states whose messages may not fit in a row, where more places are to be had: one in so many.
const STATES_PER_OVERFLOW: u64 = 50;
/// How many messages stand in a row at the least, if no bound says less.
const INLINE_MIN: usize = 12;

/// Looks at how many parts there are.
pub(crate) struct Probe {
    /// Whether the layout may change.
    changes: bool,
    /// How often it was looked at.
    looks: AtomicUsize,
    /// After how many states it is looked at next; never, where that is the greatest number.
    due: AtomicU64,
    /// How many states there were when it was looked at last, and how many parts of each node.
    states: AtomicU64,
    parts: Vec<AtomicU64>,
}

impl Probe {
    pub(crate) fn new(parts: &Parts, options: &Options, tuning: &Tuning) -> Self {
        let changes = match parts.layout {
            Layout::Channels => options.network == Backend::Observed && is_any_flat(parts),
            Layout::Flat { inline } => inline < tuning.row_max,
        };
        let due = if options.search == Search::Walks { u64::MAX } else { tuning.look_first.max(1) };
        Probe {
            changes,
            looks: AtomicUsize::new(0),
            due: AtomicU64::new(due),
            states: AtomicU64::new(0),
            parts: parts.places.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether it is time to look.
    #[inline]
    pub(crate) fn is_due(&self, states: u64) -> bool {
        states >= self.due.load(Ordering::Relaxed)
    }

    /// Looks whether the layout suits, and what is worth keeping. Of threads that look at once one does.
    pub(crate) fn suits(&self, parts: &Parts, states: u64) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        let next = due.saturating_mul(GROWTH);
        if states < due || self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return true;
        }
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        let new_states = states - self.states.swap(states, Ordering::Relaxed).min(states);
        let mut new_parts = 0;
        for (place, before) in parts.places.iter().zip(&self.parts) {
            let count = u64::from(place.parts.len());
            let new = count - before.swap(count, Ordering::Relaxed).min(count);
            // Where a state has its own part of a node, that is asked for once.
            place.keep(new.saturating_mul(STATES_PER_HIT) <= new_states.saturating_mul(STATES_PER_HIT - 1));
            new_parts += new;
        }
        // Later, more would be lost by beginning again than is won.
        let Some(most) = LOOKS.get(look).filter(|_| self.changes) else { return true };
        match parts.layout {
            Layout::Channels => new_parts.saturating_mul(*most) <= new_states,
            Layout::Flat { .. } => parts.overflows() * STATES_PER_OVERFLOW <= states,
        }
    }
}

/// What was used.
pub(crate) fn report(parts: &Parts) -> NetworkReport {
    let backend = match parts.layout {
        Layout::Channels => Backend::Channels,
        Layout::Flat { .. } => Backend::Flat,
    };
    NetworkReport { backend, parts: parts.count() }
}

/// Whether some carrier has no order.
fn is_any_flat(parts: &Parts) -> bool {
    parts.program.disciplines().iter().any(|discipline| *discipline != Discipline::Fifo)
}

/// The flat layout that has room for more messages than were seen under way, as far as that is reasonable.
pub(crate) fn layout(parts: &Parts, tuning: &Tuning) -> Layout {
    let seen = parts.messages_max();
    Layout::Flat { inline: (seen + seen / 8).max(INLINE_MIN).min(tuning.row_max) }
}
