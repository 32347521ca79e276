//! Fetches the memory of nodes whose turn is near, while others take their steps.
//!
//! With thousands of nodes each event meets a node whose memory the cache has forgotten, behind chains of pointers: its state, its stack,
//! its timers, its connections. The queue says some events ahead whose turn is near, so each link of a chain is asked for some events
//! before the next. Nothing depends on it: elsewhere than on x86-64 it does nothing.

use foresee_kernel::Datum;

use crate::engine::Engine;
use crate::queue::{AHEAD_LEAST, Entry, Kind};

/// The memory of fewer nodes is near anyway.
pub(crate) const NODES_LEAST: usize = 256;

/// Of so many nodes all is fetched, and of fewer what each event needs.
const NODES_MANY: usize = 2_048;

/// How many events before its own each link is asked for, the one that comes next being 1 before.
const FIRST: usize = AHEAD_LEAST;
const SECOND: usize = 4;
const THIRD: usize = 2;

/// Lines of the cache of a state that are asked for.
const STATE_LINES_MOST: usize = 4;

/// So many pairs of a node are asked for.
const PAIRS_MOST: usize = 6;

const LINE: usize = 64;

impl Engine {
    /// Asks for the memory of what comes soon.
    #[inline]
    pub fn fetch_ahead(&self) {
        let ahead = self.queue.ahead();
        let before = |events: usize| ahead.len().checked_sub(events).map(|place| &ahead[place]);
        let many = self.states.len() >= NODES_MANY;
        if let Some(entry) = before(FIRST) {
            self.fetch_first(entry, many);
        }
        if let Some(entry) = before(SECOND) {
            self.fetch_second(entry, many);
        }
        if let Some(entry) = before(THIRD).filter(|_| many) {
            self.fetch_third(entry);
        }
    }

    /// What is found by the numbers in the entry.
    #[inline]
    fn fetch_first(&self, entry: &Entry, many: bool) {
        let node = entry.node as usize;
        fetch(self.states.as_ptr().wrapping_add(node));
        fetch(self.model.nodes.as_ptr().wrapping_add(node));
        if many {
            fetch(self.timers.list(node));
            fetch(self.draws.place(node));
            if let Some(channels) = &self.channels {
                fetch(channels.ends().as_ptr().wrapping_add(node));
            }
        }
        match entry.kind() {
            Kind::Delivery => fetch(self.flights.place(entry.slot)),
            Kind::Timer => fetch(self.timers.place(entry.slot)),
            Kind::Plan => {}
        }
    }

    /// What that leads to.
    #[inline]
    fn fetch_second(&self, entry: &Entry, many: bool) {
        let node = entry.node as usize;
        let layers = self.model.nodes[node].layers();
        fetch(self.states[node].as_ptr());
        fetch(layers.as_ptr());
        fetch(layers.as_ptr_range().end.cast::<u8>().wrapping_sub(1));
        if many {
            fetch(self.timers.listed(node).0);
            if let Some(channels) = &self.channels {
                let ends = channels.ends()[node].as_ptr_range();
                fetch(ends.start);
                fetch(ends.end.cast::<u8>().wrapping_sub(1));
            }
        }
        match entry.kind() {
            Kind::Delivery => {
                self.flights.get(entry.slot).iter().for_each(|flight| fetch(start(flight.message())))
            }
            Kind::Timer => self.timers.timer(entry.slot).iter().for_each(|timer| fetch(start(timer))),
            Kind::Plan => {}
        }
    }

    /// What that leads to, and is met in a step.
    #[inline]
    fn fetch_third(&self, entry: &Entry) {
        let node = entry.node as usize;
        for (layer, state) in self.model.nodes[node].layers().iter().zip(&self.states[node]) {
            fetch(std::ptr::from_ref(layer.service()).cast::<u8>());
            let lines = size_of_val(state.as_any()).div_ceil(LINE).min(STATE_LINES_MOST);
            (0..lines).for_each(|line| fetch(start(state).wrapping_add(line * LINE)));
        }
        self.timers.listed(node).1.for_each(fetch);
        if let Some(channels) = &self.channels {
            let ends = channels.ends()[node].iter().take(PAIRS_MOST);
            ends.for_each(|(.., number)| fetch(channels.place(*number)));
        }
    }
}

/// Where a value starts.
fn start(datum: &Datum) -> *const u8 {
    std::ptr::from_ref(datum.as_any()).cast()
}

#[cfg(target_arch = "x86_64")]
pub(crate) fn fetch<T>(place: *const T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch is a hint: it reads nothing into the program, and no address makes it fault.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast::<i8>()) };
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn fetch<T>(_: *const T) {}
