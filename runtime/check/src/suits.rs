//! Which [`Network`](crate::network::Network) suits, by what is observed.
//!
//! A part costs much when it is new, and little ever after. Where inboxes grow, new states bring new parts for ever: then messages are
//! better kept one by one. It is looked at a few times early in a search, at the parts that came since the time before; where they are
//! too many the search begins again in the flat layout, and so it does where that turns out to have too few places in a row. What is
//! lost is less than a second, and what is known of steps and properties stays.
//!
//! # Caveats
//! What grows late is not seen: then [`Backend::Flat`] can be asked for.

use std::sync::atomic::{AtomicU64, Ordering};

use foresee_world::{Discipline, Program};

use crate::options::{Backend, Options, Search, Tuning};
use crate::parts::Parts;
use crate::report::NetworkReport;
use crate::rows::Layout;

/// After how many states it is looked at, and of how many new states more than one has to bring a new part for messages to be kept one by
/// one. At the start of a search much is new that will not be for long. A part that is new costs as much as 12 states that bring none, and
/// one by one a state costs a quarter more: measured with two-phase commit, Paxos, and Paxos on five servers.
const LOOKS: [(u64, u64); 4] = [(1 << 14, 4), (1 << 16, 12), (1 << 18, 12), (1 << 20, 12)];
/// The least share of states whose messages may not fit in a row, where more places are to be had: one in so many.
const STATES_PER_OVERFLOW: u64 = 50;
/// How many messages stand in a row at the least, if no bound says less.
const INLINE_MIN: usize = 12;

/// Looks at how many parts there are.
pub(crate) struct Probe {
    /// After how many states it is looked at next; never again, where that is the greatest number.
    due: AtomicU64,
    /// How many states and parts there were when it was looked at last.
    states: AtomicU64,
    parts: AtomicU64,
}

impl Probe {
    /// Where the layout may still change.
    pub(crate) fn new(parts: &Parts, options: &Options, tuning: &Tuning) -> Self {
        let changes = match parts.layout {
            Layout::Channels => options.network == Backend::Observed && is_any_flat(parts),
            Layout::Flat { inline } => inline < tuning.row_max,
        };
        let due = if changes && options.search != Search::Walks { LOOKS[0].0 } else { u64::MAX };
        Probe { due: AtomicU64::new(due), states: AtomicU64::new(0), parts: AtomicU64::new(0) }
    }

    /// Whether it is time to look.
    #[inline]
    pub(crate) fn is_due(&self, states: u64) -> bool {
        states >= self.due.load(Ordering::Relaxed)
    }

    /// Looks whether the layout suits. Of threads that look at once one does.
    pub(crate) fn suits(&self, parts: &Parts, states: u64) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        let next = LOOKS.into_iter().find(|(look, _)| *look > states).map_or(u64::MAX, |(look, _)| look);
        if states < due || self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return true;
        }
        let count = parts.count();
        let new_states = states - self.states.swap(states, Ordering::Relaxed).min(states);
        let new_parts = count - self.parts.swap(count, Ordering::Relaxed).min(count);
        match parts.layout {
            Layout::Channels => {
                let most = LOOKS.into_iter().find(|(look, _)| *look == due).map_or(0, |(_, most)| most);
                new_parts.saturating_mul(most) <= new_states
            }
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
