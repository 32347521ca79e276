//! What will happen, by its time: a sorted handful of what is near, and before it a wheel of what is far.
//!
//! The wheel has a level for each digit of a time to the base 64, and a place for each value of the digit. An entry stands at the level of
//! the first digit in which it differs from the time up to which all is near, at the place of its own digit: to put it there takes no
//! comparison, and no entry moves for it. When nothing near is left the first place of the lowest level is taken: few entries are sorted,
//! many are spread over the levels below first. So an entry moves two or three times, however many there are. What is near already when it
//! comes goes to a heap beside, and so does everything as long as there are few entries in all. Where much of it does, as when nothing was
//! to come for long and then much comes before that, the wheel is turned back. What else was measured: decision 0071.
//!
//! The order is total, so it does not depend on the structure: time, then kind, then the order of scheduling.

use std::cmp::Reverse;

use crate::heap::Heap;

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

    pub fn before(&self, other: &Entry) -> bool {
        (u128::from(self.at) << 64 | u128::from(self.rank))
            < (u128::from(other.at) << 64 | u128::from(other.rank))
    }
}

/// Entries, the earliest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    /// What is near and was far, the earliest last. Only where there is nothing far is it empty.
    next: Vec<Entry>,
    /// Room in which more of what is near is put together; empty between calls.
    room: Vec<Entry>,
    /// What was near when it came, and everything as long as there were few entries.
    late: Heap,
    /// What is far; None as long as there were few entries.
    far: Option<Box<Wheel>>,
    /// How many entries came late since the wheel was last turned back.
    came_late: usize,
    /// How many must come late before it is turned back.
    turns_at: usize,
}

/// So many entries need no wheel.
const FEW: usize = 48;

/// So many that came late stay where they are.
const LATE_MOST: usize = 64;

/// Of so many entries that are far it is known at any time which come next...
const MANY: usize = 256;
/// ... and so many of these.
pub(crate) const AHEAD_LEAST: usize = 6;

impl Queue {
    #[inline]
    pub fn push(&mut self, entry: Entry) {
        match &mut self.far {
            Some(wheel) if entry.at > wheel.near_to => {
                wheel.put(entry);
                if self.next.is_empty() {
                    wheel.refill(&mut self.next);
                }
            }
            None if self.late.len() >= FEW => {
                self.late.push(entry);
                self.part();
            }
            None => self.late.push(entry),
            Some(_) => {
                self.late.push(entry);
                self.came_late += 1;
                if self.late.len() > LATE_MOST && self.came_late >= self.turns_at {
                    self.turn_back();
                }
            }
        }
    }

    /// Too much is near, as when nothing was to come for long and then much came before that: what is near is to end where it begins. An
    /// entry moves only when at least as many came late since the last time.
    #[cold]
    fn turn_back(&mut self) {
        let (Some(near_to), Some(wheel)) = (self.first().map(|entry| entry.at), &mut self.far) else {
            return;
        };
        self.turns_at = self.late.len() + self.next.len() + wheel.moved_by(near_to);
        if self.came_late < self.turns_at {
            return;
        }
        (self.came_late, self.turns_at) = (0, 0);
        self.late.drain_to(&mut self.room);
        self.room.append(&mut self.next);
        wheel.turn_back(near_to, &mut self.room);
        for entry in self.room.drain(..) {
            match entry.at > near_to {
                true => wheel.put(entry),
                false => self.late.push(entry),
            }
        }
        wheel.refill(&mut self.next);
    }

    /// Makes a wheel of all but the first.
    #[cold]
    fn part(&mut self) {
        let entries = self.late.take();
        let near_to = entries.iter().map(|entry| entry.at).min().unwrap_or(0);
        let mut wheel = Box::new(Wheel::new(near_to));
        for entry in entries {
            match entry.at > near_to {
                true => wheel.put(entry),
                false => self.late.push(entry),
            }
        }
        wheel.refill(&mut self.next);
        self.far = Some(wheel);
    }

    /// Entries that come soon, the earliest last: all of these, where nothing comes late. Where there are many entries, here are some.
    pub fn ahead(&self) -> &[Entry] {
        &self.next
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let far = self.far.iter().flat_map(|wheel| wheel.all());
        self.next.iter().chain(self.late.entries()).chain(far)
    }

    /// The entry that is next.
    pub fn first(&self) -> Option<&Entry> {
        match (self.next.last(), self.late.first()) {
            (Some(next), Some(late)) => Some(if late.before(next) { late } else { next }),
            (next, late) => next.or(late),
        }
    }

    #[inline]
    pub fn pop(&mut self) -> Option<Entry> {
        let Some(next) = self.next.last() else { return self.late.pop() };
        if self.late.first().is_some_and(|late| late.before(next)) {
            return self.late.pop();
        }
        let next = self.next.pop();
        if self.next.len() < AHEAD_LEAST
            && let Some(wheel) = &mut self.far
        {
            if self.next.is_empty() {
                wheel.refill(&mut self.next);
            } else if wheel.entries >= MANY {
                wheel.refill(&mut self.room);
                self.room.append(&mut self.next);
                std::mem::swap(&mut self.room, &mut self.next);
            }
        }
        next
    }
}

/// Bits of a digit.
const DIGIT_BITS: u32 = 6;
const PLACES: usize = 1 << DIGIT_BITS;
/// As many as 64 bits have digits.
const LEVELS: usize = 64_usize.div_ceil(DIGIT_BITS as usize);

/// So many entries of a place are sorted as they are; more are spread over the levels below first.
const SORTED_MOST: usize = 24;

/// Entries that are far, by the digits of their times.
#[derive(Clone, Debug)]
struct Wheel {
    /// All that comes later than this is here, and nothing else.
    near_to: u64,
    /// For each level, the places at which something stands.
    taken: [u64; LEVELS],
    /// The levels at which something stands.
    levels: u32,
    places: Vec<Vec<Entry>>,
    /// How many there are.
    entries: usize,
    /// Room for places, used again.
    spare: Vec<Vec<Entry>>,
}

impl Wheel {
    fn new(near_to: u64) -> Self {
        let places = (0..LEVELS * PLACES).map(|_| Vec::new()).collect();
        Wheel { near_to, taken: [0; LEVELS], levels: 0, places, entries: 0, spare: Vec::new() }
    }

    /// An entry that is later than what is near.
    #[inline]
    fn put(&mut self, entry: Entry) {
        let level = (63 - (entry.at ^ self.near_to).leading_zeros()) / DIGIT_BITS;
        let digit = (entry.at >> (level * DIGIT_BITS)) as usize % PLACES;
        let level = level as usize;
        let place = &mut self.places[level * PLACES + digit];
        if place.is_empty() {
            self.taken[level] |= 1 << digit;
            self.levels |= 1 << level;
            if place.capacity() == 0
                && let Some(spare) = self.spare.pop()
            {
                *place = spare;
            }
        }
        place.push(entry);
        self.entries += 1;
    }

    /// How many entries stand at another place where all is near up to `near_to`, which comes before what it is up to now.
    fn moved_by(&self, near_to: u64) -> usize {
        let levels = self.places.chunks_exact(PLACES).zip(&self.taken).take(self.level_between(near_to) + 1);
        levels.filter(|(_, taken)| **taken != 0).flat_map(|(places, _)| places).map(Vec::len).sum()
    }

    /// The level of the first digit in which an earlier time differs from that up to which all is near.
    fn level_between(&self, near_to: u64) -> usize {
        ((63 - (self.near_to ^ near_to | 1).leading_zeros()) / DIGIT_BITS) as usize
    }

    /// Lets all be near up to an earlier time, and takes out what would stand at another place then: all at the levels up to that of the
    /// first digit that is another. Above it the digits of both times are the same, and so are the places.
    fn turn_back(&mut self, near_to: u64, out: &mut Vec<Entry>) {
        for level in 0..=self.level_between(near_to) {
            while self.taken[level] != 0 {
                let digit = self.taken[level].trailing_zeros() as usize;
                let place = &mut self.places[level * PLACES + digit];
                self.entries -= place.len();
                out.append(place);
                self.taken[level] &= self.taken[level] - 1;
            }
            self.levels &= !(1 << level);
        }
        self.near_to = near_to;
    }

    /// Moves what comes first to `next`, which is empty.
    fn refill(&mut self, next: &mut Vec<Entry>) {
        while next.is_empty() && self.levels != 0 {
            let level = self.levels.trailing_zeros() as usize;
            let digit = self.taken[level].trailing_zeros() as usize;
            let mut entries = std::mem::take(&mut self.places[level * PLACES + digit]);
            self.entries -= entries.len();
            self.taken[level] &= self.taken[level] - 1;
            if self.taken[level] == 0 {
                self.levels &= !(1 << level);
            }
            let shift = level as u32 * DIGIT_BITS;
            let within = (1_u64 << shift) - 1;
            // The digits above are those of what is near; above the highest level there are none.
            let above = u64::MAX.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
            let start = self.near_to & above | (digit as u64) << shift;
            match entries.len() <= SORTED_MOST || level == 0 {
                true => {
                    self.near_to = start | within;
                    std::mem::swap(next, &mut entries);
                }
                false => {
                    self.near_to = start;
                    for entry in entries.drain(..) {
                        match entry.at > start {
                            true => self.put(entry),
                            false => next.push(entry),
                        }
                    }
                }
            }
            self.spare.push(entries);
        }
        sort(next);
    }

    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.places.iter().flatten()
    }
}

/// Sorts entries, the earliest last.
fn sort(entries: &mut [Entry]) {
    if entries.len() > SORTED_MOST {
        return entries.sort_unstable_by_key(|entry| Reverse((entry.at, entry.rank)));
    }
    // By insertion, which is the least for a handful.
    for sorted in 1..entries.len() {
        let entry = entries[sorted];
        let mut hole = sorted;
        while hole > 0 && entries[hole - 1].before(&entry) {
            entries[hole] = entries[hole - 1];
            hole -= 1;
        }
        entries[hole] = entry;
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

    /// Delays of every order of magnitude, some into the past: as a script may have it.
    #[test]
    fn agrees_with_sorting_at_all_scales() {
        for seed in 0..20 {
            let mut stream = Stream::new(seed, Purpose(0), (0, 0), 0);
            let (mut queue, mut plain) = (Queue::default(), std::collections::BTreeSet::new());
            let mut clock = 0_u64;
            for order in 0..20_000 {
                let growing = order % 4_000 < 2_000;
                if stream.below(10) < if growing { 6 } else { 4 } {
                    let delay = stream.bits() >> (stream.below(63) + 1);
                    let at = match stream.below(100) {
                        0 => clock.saturating_sub(delay),
                        1 => u64::MAX,
                        2..20 => clock + 10_000,
                        _ => clock.saturating_add(delay >> 20),
                    };
                    queue.push(Entry::new(at, Kind::Timer, order, 0, 0));
                    plain.insert((at, order));
                } else {
                    assert_eq!(queue.first().map(|it| (it.at, it.order())), plain.first().copied());
                    let found = queue.pop().map(|it| (it.at, it.order()));
                    assert_eq!(found, plain.pop_first());
                    clock = found.map_or(clock, |(at, _)| clock.max(at.min(1 << 50)));
                }
                if order % 1_000 == 0 {
                    let mut entries: Vec<_> = queue.entries().map(|it| (it.at, it.order())).collect();
                    entries.sort_unstable();
                    assert!(entries.into_iter().eq(plain.iter().copied()));
                }
            }
            assert!(std::iter::from_fn(|| queue.pop()).map(|it| (it.at, it.order())).eq(plain));
        }
    }

    /// Something is to come long after, and much comes before it: little of that may go through the heap.
    #[test]
    fn what_is_far_is_not_taken_for_near() {
        let mut stream = Stream::new(9, Purpose(0), (0, 0), 0);
        let (mut queue, mut plain) = (Queue::default(), std::collections::BTreeSet::new());
        let put = |queue: &mut Queue, plain: &mut std::collections::BTreeSet<_>, order: u64, at: u64| {
            queue.push(Entry::new(at, Kind::Timer, order, 0, 0));
            plain.insert((at, order));
        };
        (0..60).for_each(|order| put(&mut queue, &mut plain, order, (order + 1) << 40));
        let mut most_late = 0;
        for order in 60..5_060 {
            put(&mut queue, &mut plain, order, 1_000_000 + stream.below(9_000_000));
        }
        for order in 5_060..60_000 {
            let found = queue.pop().expect("it has entries");
            assert_eq!(Some((found.at, found.order())), plain.pop_first());
            put(&mut queue, &mut plain, order, found.at + 1_000_000 + stream.below(9_000_000));
            if order > 20_000 {
                most_late = most_late.max(queue.late.len());
            }
        }
        assert!(most_late <= 2 * LATE_MOST, "{most_late}");
        assert!(queue.ahead().len() + 1 >= AHEAD_LEAST);
        assert!(std::iter::from_fn(|| queue.pop()).map(|it| (it.at, it.order())).eq(plain));
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
