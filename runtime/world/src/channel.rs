//! Ordered channels when connections can break: what stands in one besides messages, and how that changes.
//!
//! All that a node knows of its connection to a peer stands in the channel *from* that peer, so a node's own inbox says
//! whether what it sends gets through:
//!
//! | in the channel from `x` to `y` | meaning |
//! |---|---|
//! | [`Mark::Open`] | `y` has an end of a connection to `x`; what follows was sent over it |
//! | [`Mark::Broken`] | that connection broke behind what stands before, and `y` will be told |
//! | [`Mark::Ended`] | the same, but `y` will not be told before it sends something |
//!
//! What stands before a mark of the end may be delivered, in order, or be lost from any point on: that is the prefix of
//! `docs/semantics.md`, section 7. A channel is kept *tidy*, so that equal ones are equal: marks that say nothing any more are gone.

use foresee_kernel::{NodeId, Shape};
use serde::{Deserialize, Serialize};

/// What stands in an ordered channel besides messages, or is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mark {
    /// The receiver has an end of a connection to the sender. Put only where it has none.
    Open,
    /// The connection broke, and the receiver is told. Put only where one is open.
    Broken,
    /// The connection is gone, and the receiver is told when it sends something. Put only where one is open.
    Ended,
    /// Never in a channel: the receiver tried to send where nothing gets through, and will be told.
    Refused,
    /// Never in a channel: nothing can break any more, so what is open is of no interest, on the whole carrier.
    Forget,
}

impl Shape for Mark {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

/// What becomes of a message that a node sends to a peer, by what stands in the channel from that peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way.
    Sent,
    /// It is lost, and the sender will be told anyway.
    Lost,
    /// It is lost, and that is how the sender will know.
    Refused,
}

/// The fate of what the receiver of `channel` sends back.
pub fn fate(channel: impl Iterator<Item = Option<Mark>>) -> Fate {
    let mut fate = Fate::Sent;
    for mark in channel {
        match mark {
            Some(Mark::Broken) => return Fate::Lost,
            Some(Mark::Ended) => fate = Fate::Refused,
            _ => {}
        }
    }
    fate
}

/// Whether the receiver of `channel` has an open end that nothing was done to.
pub fn is_open<E>(channel: &[E], mark: impl Fn(&E) -> Option<Mark>) -> bool {
    last(channel, mark) == Some(Mark::Open)
}

fn last<E>(channel: &[E], mark: impl Fn(&E) -> Option<Mark>) -> Option<Mark> {
    channel.iter().rev().find_map(mark)
}

/// What can arrive next of a channel.
pub struct Next<'c, E> {
    /// The message at its head.
    pub head: Option<&'c E>,
    /// The end of the connection that it was sent over, where that is not at the head itself or has to be told.
    pub end: Option<&'c E>,
}

/// What can arrive next of `channel`.
pub fn next<E>(channel: &[E], mark: impl Fn(&E) -> Option<Mark>) -> Next<'_, E> {
    let mut next = Next { head: None, end: None };
    for envelope in channel {
        match mark(envelope) {
            None => {
                next.head.get_or_insert(envelope);
            }
            Some(Mark::Ended) if next.head.is_none() => {}
            Some(Mark::Broken | Mark::Ended) => {
                next.end = Some(envelope);
                break;
            }
            Some(_) => {}
        }
    }
    next
}

/// Puts a message or a mark at the end of a channel; `make` gives a mark for the channel.
pub fn put<E: Clone>(
    channel: &mut Vec<E>,
    envelope: &E,
    mark: impl Fn(&E) -> Option<Mark>,
    make: impl FnOnce(Mark) -> E,
) {
    let last = last(channel, &mark);
    match mark(envelope) {
        None => channel.push(envelope.clone()),
        Some(Mark::Open) if last != Some(Mark::Open) => channel.push(envelope.clone()),
        Some(Mark::Broken | Mark::Ended) if last == Some(Mark::Open) => channel.push(envelope.clone()),
        Some(Mark::Refused) => match fate(channel.iter().map(&mark)) {
            Fate::Lost => {}
            Fate::Sent => channel.push(make(Mark::Broken)),
            Fate::Refused => {
                if let Some(place) = channel.iter().rposition(|other| mark(other) == Some(Mark::Ended)) {
                    channel[place] = make(Mark::Broken);
                }
            }
        },
        Some(Mark::Forget) => channel.retain(|other| mark(other) != Some(Mark::Open)),
        Some(Mark::Open | Mark::Broken | Mark::Ended) => {}
    }
    tidy(channel, mark);
}

/// Takes what arrived out of a channel: the message at its head, or the mark of an end with all that stands before it.
pub fn take<E: PartialEq>(channel: &mut Vec<E>, envelope: &E, mark: impl Fn(&E) -> Option<Mark>) {
    let place = channel.iter().position(|other| other == envelope);
    let place = place.expect("only what is in flight is taken");
    match mark(envelope) {
        None => drop(channel.remove(place)),
        // The end itself stays: its receiver was not told.
        Some(Mark::Ended) => drop(channel.drain(..place)),
        Some(_) => drop(channel.drain(..=place)),
    }
    tidy(channel, mark);
}

/// Drops the marks that say nothing any more.
fn tidy<E>(channel: &mut Vec<E>, mark: impl Fn(&E) -> Option<Mark>) {
    let is_end = |place: &E| matches!(mark(place), Some(Mark::Broken | Mark::Ended));
    let mut place = 0;
    while place < channel.len() {
        let closed = channel.get(place + 1).is_some_and(is_end);
        let idle = match mark(&channel[place]) {
            // Nothing is left of what was sent over it, and it has an end; or the next end says as much.
            Some(Mark::Open) => closed,
            Some(Mark::Ended) => closed || place == 0 && channel[1..].iter().any(is_end),
            _ => false,
        };
        if idle {
            channel.remove(place);
            place = place.saturating_sub(1);
        } else {
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as digits, marks as letters.
    fn mark(of: &char) -> Option<Mark> {
        match of {
            'o' => Some(Mark::Open),
            'b' => Some(Mark::Broken),
            'e' => Some(Mark::Ended),
            'r' => Some(Mark::Refused),
            'f' => Some(Mark::Forget),
            _ => None,
        }
    }

    fn after(channel: &str, put: &str) -> String {
        let mut channel: Vec<char> = channel.chars().collect();
        for envelope in put.chars() {
            super::put(&mut channel, &envelope, mark, |made| ['b', 'e'][usize::from(made == Mark::Ended)]);
        }
        channel.into_iter().collect()
    }

    fn taken(channel: &str, envelope: char) -> String {
        let mut channel: Vec<char> = channel.chars().collect();
        take(&mut channel, &envelope, mark);
        channel.into_iter().collect()
    }

    fn arrivals(channel: &str) -> (Option<char>, Option<char>) {
        let channel: Vec<char> = channel.chars().collect();
        let next = next(&channel, mark);
        (next.head.copied(), next.end.copied())
    }

    #[test]
    fn marks_are_put_where_they_say_something() {
        assert_eq!(after("", "oo1o2"), "o12");
        assert_eq!(after("o1", "b"), "o1b");
        assert_eq!(after("o", "b"), "b", "what is closed and empty is gone");
        assert_eq!(after("", "b"), "", "nothing is open");
        assert_eq!(after("o1b", "bo2"), "o1bo2");
        assert_eq!(after("o1e", "o2e"), "o1eo2e");
        assert_eq!(after("e", "o2b"), "o2b", "one end is told for both");
        assert_eq!(after("o1eo2bo3", "f"), "1e2b3");
    }

    #[test]
    fn a_sender_is_told_once_that_nothing_gets_through() {
        assert_eq!(after("", "rr"), "b");
        assert_eq!(after("e", "rr"), "b");
        assert_eq!(after("eo2", "r"), "bo2");
        assert_eq!(after("o1b", "r"), "o1b");
    }

    #[test]
    fn what_stands_before_an_end_is_delivered_in_order_or_lost_with_it() {
        assert_eq!(arrivals("o12"), (Some('1'), None));
        assert_eq!(arrivals("o12b"), (Some('1'), Some('b')));
        assert_eq!(taken("o12b", '1'), "o2b");
        assert_eq!(taken("o2b", '2'), "b");
        assert_eq!(taken("o12bo3", 'b'), "o3");
        assert_eq!(arrivals("bo3"), (None, Some('b')), "the break is told before what comes after it");
        assert_eq!(arrivals("o1eo3"), (Some('1'), Some('e')));
        assert_eq!(taken("o1eo3", 'e'), "eo3");
        assert_eq!(arrivals("eo3b"), (Some('3'), Some('b')));
    }
}
