//! Which states were seen: their fingerprints, in one array that grows.
//!
//! A fingerprint is 64 bits of content. Two states that share one are taken for the same: with `n` states a state is
//! missed with a probability of about `n * n / 2^65`, which is 3 in a million at ten million states. Where that is too much, 64 bits more
//! are kept beside it, of the numbers in the row of a state: they are exact, where those of content are not.
//!
//! A search that spares transitions keeps beside each state which of its nodes are *asleep* ([`Sleepers`]); one that
//! must know how deep a state was reached keeps that ([`Visited::arrive`]).

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::cells::{Cells, Placed, REACH_BITS, spread};
use crate::pages::Pages;

/// The bits of the smallest table.
const SMALLEST_BITS: u32 = 12;

/// Up to so many bits a table grows fourfold.
const QUICK_BITS: u32 = 20;

/// What a state is known by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Print {
    /// Its fingerprint.
    pub first: u64,
    /// The fingerprint of its row, where both are kept.
    pub second: u64,
}

impl From<u64> for Print {
    fn from(first: u64) -> Self {
        Print { first, second: 0 }
    }
}

/// See the module's documentation.
pub(crate) struct Visited {
    cells: Pages<AtomicU64>,
    /// For each cell, the second fingerprint.
    seconds: Option<Pages<AtomicU64>>,
    /// For each cell, 0, or twice the least depth plus 2, plus 1 where the state was explored.
    depths: Option<Pages<AtomicU32>>,
    keeps: Keeps,
    bits: u32,
}

/// What is kept beside fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// Nothing.
    Nothing,
    /// The least depth, and whether the state was explored.
    Depths,
    /// Which of the first so many nodes are asleep, and whether the state was explored.
    Sleepers(u32),
}

/// How a state was reached that may have been reached before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// It was never reached before.
    pub new: bool,
    /// It was never reached in so few steps.
    pub nearer: bool,
}

/// What is known of a state that is about to be explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// It is explored for the first time.
    First,
    /// It was explored when it had been reached in more steps.
    Again,
    /// It was reached in fewer steps since.
    Stale,
}

/// How a state was reached with some nodes asleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awake {
    /// It was never reached before.
    New,
    /// It was, and these nodes have to be explored besides; none, where they are or will be anyway.
    Known(u32),
    /// The table has to grow first.
    Full,
}

/// The part of a note that says that a state was explored.
const EXPLORED: u64 = 1;

impl Visited {
    /// An empty table, of both fingerprints if it is `wide`; None where there is no memory.
    pub(crate) fn new(keeps: Keeps, wide: bool) -> Option<Self> {
        let bits = match keeps {
            Keeps::Nothing | Keeps::Depths => SMALLEST_BITS,
            Keeps::Sleepers(nodes) => (nodes + 1 + REACH_BITS).max(SMALLEST_BITS),
        };
        Visited::with_bits(bits, keeps, wide)
    }

    fn with_bits(bits: u32, keeps: Keeps, wide: bool) -> Option<Self> {
        let cells = Pages::zeroed(1 << bits)?;
        let seconds = if wide { Some(Pages::zeroed(1 << bits)?) } else { None };
        let depths = if keeps == Keeps::Depths { Some(Pages::zeroed(1 << bits)?) } else { None };
        Some(Visited { cells, seconds, depths, keeps, bits })
    }

    /// How many states may be in the table before it has to grow.
    pub(crate) fn room(&self) -> u64 {
        (1_u64 << self.bits) / 10 * 7
    }

    /// How much memory the table takes.
    pub(crate) fn bytes(&self) -> u64 {
        let seconds = self.seconds.as_ref().map_or(0, Pages::bytes);
        self.cells.bytes() + seconds + self.depths.as_ref().map_or(0, Pages::bytes)
    }

    /// By how many bits the table grows: small ones faster, for to spread one costs as much as to fill it.
    fn step(&self) -> u32 {
        if self.bits < QUICK_BITS { 2 } else { 1 }
    }

    /// How much memory the next table takes.
    pub(crate) fn bytes_grown(&self) -> u64 {
        self.bytes() << self.step()
    }

    /// Makes the table larger. False where there is no memory, and then it is as it was; or where a state would be too far from its
    /// place, and then states are missing: whoever comes next is to see that the search was ended.
    pub(crate) fn grow(&mut self) -> bool {
        let (before, bits) = (1_usize << self.bits, self.bits + self.step());
        let grown = self.cells.grow(1 << bits)
            && self.seconds.as_mut().is_none_or(|seconds| seconds.grow(1 << bits))
            && self.depths.as_mut().is_none_or(|depths| depths.grow(1 << bits));
        if !grown {
            return false;
        }
        self.bits = bits;
        let seconds = self.seconds.as_ref().map(Pages::as_slice);
        let depths = self.depths.as_ref().map(Pages::as_slice);
        let take = |place: usize| {
            let second = seconds.map_or(0, |seconds| seconds[place].swap(0, Ordering::Relaxed));
            (second, depths.map_or(0, |depths| depths[place].swap(0, Ordering::Relaxed)))
        };
        let put = |place: usize, (second, depth): (u64, u32)| {
            if let Some(seconds) = seconds {
                seconds[place].store(second, Ordering::Relaxed);
            }
            if let Some(depths) = depths {
                depths[place].store(depth, Ordering::Relaxed);
            }
        };
        spread(self.cells.as_slice(), before, self.note(), take, put)
    }

    /// Forgets every state. Afterwards all memory of the table has been written to.
    pub(crate) fn clear(&mut self) {
        self.cells.as_slice().iter().for_each(|cell| cell.store(0, Ordering::Relaxed));
        let depths = self.depths.iter().flat_map(|depths| depths.as_slice());
        depths.for_each(|depth| depth.store(0, Ordering::Relaxed));
    }

    /// Asks for the cell of `fingerprint`, which is needed soon.
    #[inline]
    pub(crate) fn prefetch(&self, fingerprint: u64) {
        self.cells.prefetch((fingerprint >> (64 - self.bits)) as usize);
    }

    /// How many bits of a cell are no fingerprint's.
    #[inline]
    fn note(&self) -> u32 {
        match self.keeps {
            Keeps::Nothing | Keeps::Depths => 0,
            Keeps::Sleepers(nodes) => nodes + 1,
        }
    }

    #[inline]
    fn cells(&self) -> Cells<'_> {
        // Where memory for all that is beside it was not to be had, there may be more of it.
        Cells::new(&self.cells.as_slice()[..1 << self.bits], self.note())
    }

    /// Finds a state, or gives it a cell with `note`.
    #[inline]
    fn put(&self, print: Print, note: u64) -> Placed {
        match &self.seconds {
            None => self.cells().put(print.first, note),
            Some(seconds) => self.cells().put_both(print.first, print.second, note, seconds.as_slice()),
        }
    }

    /// Notes a state. True if it is new. The table must have room.
    #[inline]
    pub(crate) fn insert(&self, print: Print) -> bool {
        matches!(self.put(print, 0), Placed::New(_))
    }

    /// A look at a table with sleepers.
    #[inline]
    pub(crate) fn sleepers(&self) -> Sleepers<'_> {
        Sleepers { visited: self, cells: self.cells() }
    }

    /// The cell of a state in a table without notes, and whether it was taken just now.
    fn place(&self, print: Print) -> (usize, bool) {
        match self.put(print, 0) {
            Placed::New(place) => (place, true),
            Placed::Known(place) => (place, false),
            Placed::Full => unreachable!("without notes every cell is in reach"),
        }
    }

    /// Notes that a state was reached in `depth` steps. Only for a table with depths.
    pub(crate) fn arrive(&self, print: Print, depth: u32) -> Arrival {
        let (place, new) = self.place(print);
        let cell = &self.depths().as_slice()[place];
        let mine = encode(depth);
        let mut found = cell.load(Ordering::Relaxed);
        while found == 0 || found & !1 > mine {
            match cell.compare_exchange(found, mine | (found & 1), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Arrival { new, nearer: true },
                Err(other) => found = other,
            }
        }
        Arrival { new, nearer: false }
    }

    /// Notes that a state is about to be explored from `depth`. Only for a table with depths.
    pub(crate) fn begin(&self, print: Print, depth: u32) -> Begin {
        let (place, _) = self.place(print);
        let cell = &self.depths().as_slice()[place];
        let mut found = cell.load(Ordering::Relaxed);
        loop {
            if found & !1 < encode(depth) {
                return Begin::Stale;
            }
            if found & 1 == 1 {
                return Begin::Again;
            }
            match cell.compare_exchange(found, found | 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Begin::First,
                Err(other) => found = other,
            }
        }
    }

    /// Calls `visit` with the least depth of every state. Only for a table with depths.
    pub(crate) fn each_depth(&self, mut visit: impl FnMut(u32)) {
        for cell in self.depths().as_slice() {
            let found = cell.load(Ordering::Relaxed);
            if found != 0 {
                visit((found >> 1) - 1);
            }
        }
    }

    fn depths(&self) -> &Pages<AtomicU32> {
        self.depths.as_ref().expect("the table was made with depths")
    }
}

/// A table that keeps which nodes of each state are asleep.
#[derive(Clone, Copy)]
pub(crate) struct Sleepers<'v> {
    visited: &'v Visited,
    cells: Cells<'v>,
}

impl Sleepers<'_> {
    #[inline]
    fn put(&self, print: Print, note: u64) -> Placed {
        match &self.visited.seconds {
            None => self.cells.put(print.first, note),
            Some(seconds) => self.cells.put_both(print.first, print.second, note, seconds.as_slice()),
        }
    }

    /// Notes that a state was reached with the nodes `asleep`: only those sleep that always did.
    #[inline]
    pub(crate) fn arrive(&self, print: Print, asleep: u32) -> Awake {
        let asleep = u64::from(asleep) << 1;
        let place = match self.put(print, asleep) {
            Placed::New(_) => return Awake::New,
            Placed::Full => return Awake::Full,
            Placed::Known(place) => place,
        };
        let (before, woken) = self.cells.update(place, |note| {
            let both = note & (asleep | EXPLORED);
            (both != note).then_some(both)
        });
        match woken && before & EXPLORED != 0 {
            // They are not met when the state is explored: it was.
            true => Awake::Known(((before & !asleep) >> 1) as u32),
            false => Awake::Known(0),
        }
    }

    /// Notes that a state, which was reached, is being explored. The nodes that are asleep.
    #[inline]
    pub(crate) fn begin(&self, print: Print) -> u32 {
        match self.put(print, EXPLORED) {
            Placed::Known(place) => {
                let (note, _) = self.cells.update(place, |note| Some(note | EXPLORED));
                (note >> 1) as u32
            }
            Placed::New(_) | Placed::Full => 0,
        }
    }
}

/// Depths are limited to what fits; a search ends long before.
fn encode(depth: u32) -> u32 {
    (depth.min(u32::MAX / 2 - 2) + 1) << 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use foresee_kernel::digest::mix;

    fn filled(count: u64) -> Visited {
        let mut visited = Visited::new(Keeps::Nothing, false).expect("there is memory");
        for index in 0..count {
            if index >= visited.room() {
                assert!(visited.grow());
            }
            assert!(visited.insert(mix(index).into()), "{index} is new");
        }
        visited
    }

    #[test]
    fn growth_keeps_everything_and_adds_nothing() {
        let visited = filled(100_000);
        assert!(visited.bits > SMALLEST_BITS + 4);
        assert!((0..100_000).all(|index| !visited.insert(mix(index).into())));
        assert!((100_000..101_000).all(|index| visited.insert(mix(index).into())));
    }

    #[test]
    fn fingerprints_at_the_edges_are_kept() {
        let visited = Visited::new(Keeps::Nothing, false).expect("there is memory");
        // They share the last cell, and wrap around to the first.
        for fingerprint in [u64::MAX, u64::MAX - 1, u64::MAX - 2, 2, 0] {
            assert!(visited.insert(fingerprint.into()), "{fingerprint}");
            assert!(!visited.insert(fingerprint.into()), "{fingerprint}");
        }
        let mut grown = visited;
        assert!(grown.grow());
        for fingerprint in [u64::MAX, u64::MAX - 1, u64::MAX - 2, 2, 0] {
            assert!(!grown.insert(fingerprint.into()), "{fingerprint}");
        }
    }

    #[test]
    fn of_threads_that_insert_the_same_exactly_one_is_first() {
        let visited = Visited::with_bits(17, Keeps::Nothing, false).expect("there is memory");
        let insert = |from: u64| {
            // Dense neighbours, so that cells are fought over.
            let place = |step: u64| ((step * 7 + from) % 50_000) << 47 | 1;
            (0..50_000).filter(|step| visited.insert(place(*step).into())).count()
        };
        let new: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|from| scope.spawn(move || insert(from * 13))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no thread fails")).sum()
        });
        assert_eq!(new, 50_000);
    }

    #[test]
    fn states_that_share_a_fingerprint_are_told_apart_by_the_second() {
        for keeps in [Keeps::Nothing, Keeps::Depths, Keeps::Sleepers(4)] {
            let mut visited = Visited::new(keeps, true).expect("there is memory");
            // Four states share a fingerprint.
            let print = |index: u64| Print { first: mix(index / 4), second: index % 4 };
            let new = |visited: &Visited, index| match keeps {
                Keeps::Nothing => visited.insert(print(index)),
                Keeps::Depths => visited.arrive(print(index), 7).new,
                Keeps::Sleepers(_) => visited.sleepers().arrive(print(index), 3) == Awake::New,
            };
            for index in 0..8_000 {
                if index >= visited.room() {
                    assert!(visited.grow());
                }
                // 0 and 1 are one.
                assert_eq!(new(&visited, index), index % 4 != 1, "{index}");
            }
            assert!((0..8_000).all(|index| !new(&visited, index)));
        }
    }

    #[test]
    fn depths_only_fall_and_a_state_is_explored_first_once() {
        let visited = Visited::new(Keeps::Depths, false).expect("there is memory");
        assert_eq!(visited.arrive(9.into(), 5), Arrival { new: true, nearer: true });
        assert_eq!(visited.arrive(9.into(), 5), Arrival { new: false, nearer: false });
        assert_eq!(visited.begin(9.into(), 5), Begin::First);
        assert_eq!(visited.arrive(9.into(), 3), Arrival { new: false, nearer: true });
        assert_eq!(visited.begin(9.into(), 5), Begin::Stale);
        let mut grown = visited;
        assert!(grown.grow());
        assert_eq!(grown.begin(9.into(), 3), Begin::Again);
        assert_eq!(grown.arrive(9.into(), 4), Arrival { new: false, nearer: false });
        let mut depths = Vec::new();
        grown.each_depth(|depth| depths.push(depth));
        assert_eq!(depths, [3]);
    }

    #[test]
    fn sleepers_wake_and_never_sleep_again() {
        let visited = Visited::new(Keeps::Sleepers(4), false).expect("there is memory");
        let sleepers = visited.sleepers();
        assert_eq!(sleepers.arrive(9.into(), 0b1110), Awake::New);
        assert_eq!(sleepers.arrive(9.into(), 0b0111), Awake::Known(0), "it is yet to be explored");
        assert_eq!(sleepers.begin(9.into()), 0b0110);
        assert_eq!(sleepers.arrive(9.into(), 0b0110), Awake::Known(0));
        assert_eq!(sleepers.arrive(9.into(), 0b1100), Awake::Known(0b0010));
        let mut grown = visited;
        assert!(grown.grow());
        assert_eq!(grown.sleepers().arrive(9.into(), 0b1100), Awake::Known(0));
        assert_eq!(grown.sleepers().arrive(9.into(), 0), Awake::Known(0b0100));
        assert_eq!(grown.sleepers().arrive(9.into(), 0), Awake::Known(0));
    }
}
