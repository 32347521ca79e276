//! Which [`Network`](crate::network::Network) suits, by what is observed.
//!
//! A part costs much when it is new and little ever after. Where inboxes grow, new states bring new parts for ever: then messages are
//! better kept one by one. It is looked at a few times early in a search, at the parts that came since the time before; where they are
//! too many the search begins again, in the other layout. What is lost is less than a second, and steps and properties stay known.
//!
//! # Caveats
//! What grows late is not seen: then [`Backend::Flat`] can be asked for.

use std::sync::atomic::{AtomicU64, Ordering};

use foresee_world::{Discipline, Program};

use crate::options::{Backend, Options, Search, Tuning};
use crate::parts::Parts;
use crate::report::NetworkReport;
use crate::rows::Layout;

/// After how many states it is looked at.
const LOOKS: [u64; 4] = [1 << 14, 1 << 16, 1 << 18, 1 << 20];
/// Of how many new states one may bring a new part, at the most.
const STATES_PER_PART: u64 = 25;
/// How many messages stand in a row at the least, if no bound says less.
const INLINE_MIN: usize = 8;

/// Looks at how many parts there are.
pub(crate) struct Probe {
    /// After how many states it is looked at next; never again, where that is the greatest number.
    due: AtomicU64,
    /// How many states and parts there were when it was looked at last.
    states: AtomicU64,
    parts: AtomicU64,
}

impl Probe {
    /// Where the layout may still be chosen.
    pub(crate) fn new(parts: &Parts, options: &Options) -> Self {
        let observed = options.network == Backend::Observed
            && parts.layout == Layout::Channels
            && options.search != Search::Walks
            && parts.program.disciplines().iter().any(|discipline| *discipline != Discipline::Fifo);
        let due = if observed { LOOKS[0] } else { u64::MAX };
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
        let next = LOOKS.into_iter().find(|look| *look > states).unwrap_or(u64::MAX);
        if states < due || self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return true;
        }
        let count = parts.count();
        let new_states = states - self.states.swap(states, Ordering::Relaxed).min(states);
        let new_parts = count - self.parts.swap(count, Ordering::Relaxed).min(count);
        new_parts * STATES_PER_PART <= new_states
    }

    /// What was used, at the end.
    pub(crate) fn report(&self, parts: &Parts, states: u64) -> NetworkReport {
        match parts.layout {
            Layout::Channels => NetworkReport { backend: Backend::Channels, states, parts: parts.count() },
            Layout::Flat { .. } => NetworkReport { backend: Backend::Flat, states, parts: parts.count() },
        }
    }
}

/// The flat layout that has room for as many messages as were seen under way, as far as that is reasonable.
pub(crate) fn layout(parts: &Parts, tuning: &Tuning) -> Layout {
    Layout::Flat { inline: parts.messages_max().max(INLINE_MIN).min(tuning.row_max) }
}
