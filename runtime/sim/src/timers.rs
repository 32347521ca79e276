//! The armed timers of all nodes, and when they are due.
//!
//! A timer that is set again stays where it stands in the queue if it is to fire later: its entry, when it comes up, is
//! queued anew. A timer that is cancelled leaves its entry behind, to be skipped or to be used again. So a timer that
//! is put off with every message has one entry and not one for each message.

use foresee_kernel::{Datum, NodeId};

use crate::rollout::Armed;
use crate::slab::Slab;

/// All timers.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    records: Slab<Record>,
    /// For every node, its records by layer and digest of the timer.
    nodes: Vec<Vec<(Key, u32)>>,
}

type Key = (u8, u64);

/// So many timers of a node are found by looking at each.
const COMPARED_MOST: usize = 4;

/// In a line of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Record {
    node: NodeId,
    layer: u8,
    timer: Datum,
    /// When it is due and the order in which it was set; None where it is not armed.
    due: Moment,
    /// The time and the order of its entry in the queue, if it has one.
    queued: Moment,
}

/// A time and an order, if it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    at: u64,
    order: u64,
}

/// No moment: there is no such order.
const NEVER: Moment = Moment { at: 0, order: u64::MAX };

/// An entry to be queued: its time, its order of scheduling, its slot.
pub(crate) type Queued = (u64, u64, u32);

/// What has come up.
#[derive(Debug)]
pub(crate) enum Due {
    /// A timer fires; it is disarmed, and [`Timers::settle`] is to be called after its step.
    Fires { node: NodeId, layer: u8, timer: Datum },
    /// Not yet: this is to be queued.
    Later(Queued),
    /// Nothing: it was cancelled, or queued a second time. With what it was kept as, if it is kept no longer.
    Nothing(Option<Datum>),
}

impl Timers {
    pub fn new(nodes: usize) -> Self {
        Timers { records: Slab::new(), nodes: vec![Vec::new(); nodes] }
    }

    /// Where a timer is, to be fetched ahead.
    #[inline]
    pub fn place(&self, slot: u32) -> *const u8 {
        self.records.place(slot).cast()
    }

    /// A timer, to be fetched ahead.
    #[inline]
    pub fn timer(&self, slot: u32) -> Option<&Datum> {
        self.records.get(slot).map(|record| &record.timer)
    }

    /// Where the list of the timers of a node is, to be fetched ahead.
    #[inline]
    pub fn list(&self, node: usize) -> *const u8 {
        self.nodes.as_ptr().wrapping_add(node).cast()
    }

    /// Where the timers of a node are listed, and each of them if they are few, to be fetched ahead.
    #[inline]
    pub fn listed(&self, node: usize) -> (*const u8, impl Iterator<Item = *const u8>) {
        let list = &self.nodes[node];
        let few = if list.len() <= COMPARED_MOST { list.as_slice() } else { &[] };
        (list.as_ptr().cast(), few.iter().map(|(_, slot)| self.records.place(*slot).cast()))
    }

    /// Arms a timer, anew if it is armed. What is to be queued, and the timer itself if it is kept already.
    pub fn set(
        &mut self,
        node: NodeId,
        layer: u8,
        timer: Datum,
        at: u64,
        order: u64,
    ) -> (Option<Queued>, Option<Datum>) {
        let (due, mut left) = (Moment { at, order }, None);
        let slot = match self.find(node, layer, &timer) {
            Some(slot) => {
                left = Some(timer);
                slot
            }
            None => {
                let key = (layer, timer.digest());
                let slot = self.records.insert(Record { node, layer, timer, due: NEVER, queued: NEVER });
                let list = &mut self.nodes[node.index()];
                let place = list.partition_point(|(other, _)| *other < key);
                list.insert(place, (key, slot));
                slot
            }
        };
        let Some(record) = self.records.get_mut(slot) else { return (None, left) };
        record.due = due;
        if record.queued != NEVER && record.queued.at <= at {
            return (None, left);
        }
        record.queued = due;
        (Some((at, order, slot)), left)
    }

    /// Disarms a timer; what it was kept as, if it is kept no longer.
    pub fn cancel(&mut self, node: NodeId, layer: u8, timer: &Datum) -> Option<Datum> {
        let slot = self.find(node, layer, timer)?;
        if let Some(record) = self.records.get_mut(slot) {
            record.due = NEVER;
        }
        self.settle(slot)
    }

    /// Disarms a timer that is to fire now. False where it is not armed.
    pub fn take(&mut self, node: NodeId, layer: u8, timer: &Datum) -> bool {
        let Some(slot) = self.find(node, layer, timer) else { return false };
        let due = self.records.get_mut(slot).map(|record| std::mem::replace(&mut record.due, NEVER));
        self.settle(slot);
        due.is_some_and(|due| due != NEVER)
    }

    /// The armed timers of `node`, and when they are due.
    pub fn armed(&self, node: NodeId) -> Vec<Armed> {
        let records = self.nodes[node.index()].iter().filter_map(|(_, slot)| self.records.get(*slot));
        let armed = records.filter_map(|Record { node, layer, timer, due, .. }| {
            let armed = Armed { node: *node, layer: *layer, timer: timer.clone(), at_nanos: due.at };
            (*due != NEVER).then_some(armed)
        });
        armed.collect()
    }

    /// All armed timers, in no order: when each is due, the order in which it was set, its node, its layer, and what it is.
    pub fn all(&self) -> impl Iterator<Item = (u64, u64, NodeId, u8, &Datum)> {
        let armed = self.records.iter().filter(|record| record.due != NEVER);
        armed.map(|Record { node, layer, timer, due, .. }| (due.at, due.order, *node, *layer, timer))
    }

    /// What it means that the entry of `slot` of this time and order has come up.
    pub fn comes(&mut self, slot: u32, at: u64, order: u64) -> Due {
        let Some(record) = self.records.get_mut(slot) else { return Due::Nothing(None) };
        if record.queued != (Moment { at, order }) {
            return Due::Nothing(None);
        }
        record.queued = NEVER;
        match record.due {
            NEVER => Due::Nothing(self.settle(slot)),
            due if due == (Moment { at, order }) => {
                record.due = NEVER;
                Due::Fires { node: record.node, layer: record.layer, timer: record.timer.clone() }
            }
            due => {
                record.queued = due;
                Due::Later((due.at, due.order, slot))
            }
        }
    }

    /// Forgets what is neither armed nor queued, and gives it back.
    pub fn settle(&mut self, slot: u32) -> Option<Datum> {
        let idle = |record: &Record| record.due == NEVER && record.queued == NEVER;
        if !self.records.get(slot).is_some_and(idle) {
            return None;
        }
        let record = self.records.remove(slot)?;
        self.nodes[record.node.index()].retain(|(_, other)| *other != slot);
        Some(record.timer)
    }

    /// The record of a timer. Few are compared as they are, which is less than a digest costs.
    fn find(&self, node: NodeId, layer: u8, timer: &Datum) -> Option<u32> {
        let list = &self.nodes[node.index()];
        let alike = match list.len() <= COMPARED_MOST {
            true => list.as_slice(),
            false => {
                let key = (layer, timer.digest());
                let first = list.partition_point(|(other, _)| *other < key);
                let count = list[first..].iter().take_while(|(other, _)| *other == key).count();
                &list[first..first + count]
            }
        };
        let is_it = |((of, _), slot): &&(Key, u32)| {
            *of == layer && self.records.get(*slot).is_some_and(|record| record.timer == *timer)
        };
        alike.iter().find(is_it).map(|(_, slot)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId::new(0);

    fn fires(due: &Due) -> bool {
        matches!(due, Due::Fires { .. })
    }

    #[test]
    fn a_timer_that_is_put_off_has_one_entry() {
        let mut timers = Timers::new(1);
        let tick = Datum::new(1_u32);
        let (_, _, slot) = timers.set(NODE, 0, tick.clone(), 10, 0).0.expect("it is queued");
        for order in 1..100 {
            assert_eq!(timers.set(NODE, 0, tick.clone(), 10 + order, order).0, None);
        }
        let Due::Later((at, order, again)) = timers.comes(slot, 10, 0) else { panic!("it was put off") };
        assert_eq!((at, order, again), (109, 99, slot));
        assert!(fires(&timers.comes(slot, 109, 99)));
        timers.settle(slot);
        assert_eq!(timers.records.len(), 0);
    }

    #[test]
    fn a_timer_that_is_brought_forward_fires_once() {
        let mut timers = Timers::new(1);
        let tick = Datum::new(1_u32);
        let (_, _, slot) = timers.set(NODE, 0, tick.clone(), 10, 0).0.expect("it is queued");
        assert_eq!(timers.set(NODE, 0, tick.clone(), 5, 1).0, Some((5, 1, slot)));
        assert!(fires(&timers.comes(slot, 5, 1)));
        timers.settle(slot);
        // Another timer takes the slot before the first entry comes up.
        assert_eq!(timers.set(NODE, 0, Datum::new(2_u32), 20, 2).0, Some((20, 2, slot)));
        assert!(matches!(timers.comes(slot, 10, 0), Due::Nothing(_)));
        assert!(fires(&timers.comes(slot, 20, 2)));
    }

    #[test]
    fn a_cancelled_timer_does_not_fire_and_its_entry_is_used_again() {
        let mut timers = Timers::new(1);
        let tick = Datum::new(1_u32);
        let (_, _, slot) = timers.set(NODE, 0, tick.clone(), 10, 0).0.expect("it is queued");
        timers.cancel(NODE, 0, &tick);
        assert_eq!(timers.set(NODE, 0, tick.clone(), 12, 1).0, None);
        timers.cancel(NODE, 0, &Datum::new(7_u32));
        assert!(matches!(timers.comes(slot, 10, 0), Due::Later((12, 1, _))));
        timers.cancel(NODE, 0, &tick);
        assert!(matches!(timers.comes(slot, 12, 1), Due::Nothing(_)));
        assert_eq!(timers.records.len(), 0);
    }

    #[test]
    fn timers_differ_by_argument_layer_and_node() {
        let mut timers = Timers::new(2);
        let set = |timers: &mut Timers, node, layer, argument: u32, order| {
            timers.set(NodeId::new(node), layer, Datum::new(argument), 10, order).0.is_some()
        };
        assert!(set(&mut timers, 0, 0, 1, 0) && set(&mut timers, 0, 0, 2, 1));
        assert!(set(&mut timers, 0, 1, 1, 2) && set(&mut timers, 1, 0, 1, 3));
        assert!(!set(&mut timers, 0, 1, 1, 4), "it is armed already");
        assert_eq!(timers.records.len(), 4);
    }
}
