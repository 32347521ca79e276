//! What will happen, by its time: a heap with four children a place, which has half the levels of a binary one and
//! keeps siblings in one or two cache lines.
//!
//! The order is total, so it does not depend on the structure: time, then kind, then the order of scheduling.

/// The kinds of what may happen at one instant, in the order in which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The application calls, or something fails or is mended.
    Plan = 0,
    /// A message arrives.
    Delivery = 1,
    /// A timer fires.
    Timer = 2,
}

/// An entry of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When, in nanoseconds.
    pub at: u64,
    /// The kind in the 2 highest bits, the order of scheduling below.
    rank: u64,
    /// What: a number in the slab of its kind.
    pub slot: u32,
    /// The node that takes a step; here so that its memory can be fetched ahead, and it costs no room.
    pub node: u32,
}

const ORDER_BITS: u32 = 62;

impl Entry {
    pub fn new(at: u64, kind: Kind, order: u64, slot: u32, node: u32) -> Self {
        Entry { at, rank: (kind as u64) << ORDER_BITS | order, slot, node }
    }

    pub fn kind(&self) -> Kind {
        match self.rank >> ORDER_BITS {
            0 => Kind::Plan,
            1 => Kind::Delivery,
            _ => Kind::Timer,
        }
    }

    pub fn order(&self) -> u64 {
        self.rank & ((1 << ORDER_BITS) - 1)
    }

    fn before(&self, other: &Entry) -> bool {
        (u128::from(self.at) << 64 | u128::from(self.rank))
            < (u128::from(other.at) << 64 | u128::from(other.rank))
    }
}

/// Entries, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: Vec<Entry>,
}

const CHILDREN: usize = 4;

impl Queue {
    pub fn push(&mut self, entry: Entry) {
        self.heap.push(entry);
        let mut hole = self.heap.len() - 1;
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if !entry.before(&self.heap[parent]) {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = entry;
    }

    /// The entry that is next, and after it those of which one comes after it.
    pub fn ahead(&self) -> (Option<&Entry>, &[Entry]) {
        match self.heap.split_first() {
            Some((first, rest)) => (Some(first), &rest[..rest.len().min(CHILDREN)]),
            None => (None, &[]),
        }
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.heap.iter()
    }

    /// The entry that is next.
    pub fn first(&self) -> Option<&Entry> {
        self.heap.first()
    }

    pub fn pop(&mut self) -> Option<Entry> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first().copied() else { return Some(last) };
        let heap = self.heap.as_mut_slice();
        let mut hole = 0;
        loop {
            let from = hole * CHILDREN + 1;
            let to = (from + CHILDREN).min(heap.len());
            if from >= to {
                break;
            }
            let mut least = from;
            for child in from + 1..to {
                if heap[child].before(&heap[least]) {
                    least = child;
                }
            }
            if !heap[least].before(&last) {
                break;
            }
            heap[hole] = heap[least];
            hole = least;
        }
        heap[hole] = last;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use foresee_net::{Draw, Purpose, Stream};

    use super::*;

    #[test]
    fn entries_come_by_time_then_kind_then_order_of_scheduling() {
        let mut queue = Queue::default();
        let entries = [
            Entry::new(5, Kind::Timer, 0, 0, 0),
            Entry::new(5, Kind::Delivery, 2, 1, 0),
            Entry::new(5, Kind::Delivery, 1, 2, 0),
            Entry::new(4, Kind::Timer, 3, 3, 0),
            Entry::new(u64::MAX, Kind::Timer, 4, 4, 0),
        ];
        entries.iter().for_each(|entry| queue.push(*entry));
        let slots: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|entry| entry.slot).collect();
        assert_eq!(slots, [3, 2, 1, 0, 4]);
        assert_eq!((entries[1].kind(), entries[1].order()), (Kind::Delivery, 2));
    }

    #[test]
    fn agrees_with_sorting() {
        let mut stream = Stream::new(5, Purpose(0), (0, 0), 0);
        let mut queue = Queue::default();
        let mut plain: Vec<(u64, u64)> = Vec::new();
        let mut clock = 0;
        for order in 0..20_000 {
            if stream.below(5) < 3 || plain.is_empty() {
                let at = clock + stream.below(50);
                queue.push(Entry::new(at, Kind::Timer, order, 0, 0));
                plain.push((at, order));
            } else {
                let place = (0..plain.len()).min_by_key(|place| plain[*place]).expect("it has entries");
                let expected = plain.swap_remove(place);
                let found = queue.pop().expect("it has entries");
                assert_eq!((found.at, found.order()), expected);
                clock = found.at;
            }
        }
    }
}
