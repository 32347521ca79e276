//! Fetches the memory of nodes whose turn is near, while another node takes its step.
//!
//! With thousands of nodes each event meets a node whose state the cache has forgotten, behind a chain of pointers. The
//! head of the queue says whose turn is next, so the first links of the chain are asked for early; at 10,000 nodes that
//! halves the time of an event. Nothing depends on it: elsewhere than on x86-64 it does nothing.

use foresee_kernel::{NodeState, Stack};

use crate::channels::Channels;
use crate::flights::Flights;
use crate::queue::{Entry, Kind, Queue};

/// Asks for the memory of what comes next, and for the first link of what comes a little later.
#[inline]
pub(crate) fn fetch_ahead(
    queue: &Queue,
    states: &[NodeState],
    stacks: &[Stack],
    flights: &Flights,
    channels: Option<&Channels>,
) {
    let ahead = queue.ahead();
    if let Some(entry) = ahead.last() {
        let node = entry.node as usize;
        fetch(states[node].as_ptr());
        let layers = stacks[node].layers();
        fetch(layers.as_ptr());
        fetch(layers.as_ptr_range().end.cast::<u8>().wrapping_sub(1));
        if entry.kind() == Kind::Delivery
            && let Some(flight) = flights.get(entry.slot)
        {
            fetch(std::ptr::from_ref(flight.message().as_any()).cast::<u8>());
            if let Some(channels) = channels {
                fetch(channels.place(flight.pair));
            }
        }
    }
    if let Some(entry) = ahead.len().checked_sub(LATER).map(|place| &ahead[place]) {
        fetch_first(entry, states, stacks, flights);
    } else if let [first, ..] = ahead {
        // Near the end of the handful it is not known what comes after it: whatever is left was asked for.
        fetch_first(first, states, stacks, flights);
    }
}

/// How many events before its own the first link of a chain is asked for.
const LATER: usize = 3;

fn fetch_first(entry: &Entry, states: &[NodeState], stacks: &[Stack], flights: &Flights) {
    let node = entry.node as usize;
    fetch(states.as_ptr().wrapping_add(node));
    fetch(stacks.as_ptr().wrapping_add(node));
    if entry.kind() == Kind::Delivery {
        fetch(flights.place(entry.slot));
    }
}

#[cfg(target_arch = "x86_64")]
fn fetch<T>(place: *const T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch is a hint: it reads nothing into the program, and no address makes it fault.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast::<i8>()) };
}

#[cfg(not(target_arch = "x86_64"))]
fn fetch<T>(_: *const T) {}
