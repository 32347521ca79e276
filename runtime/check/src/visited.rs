//! Which states were seen: their fingerprints in one array with open addressing, written by compare-and-swap.
//!
//! A fingerprint is 64 bits of content. Two states that share one are taken for the same: with `n` states a state is
//! missed with a probability of about `n * n / 2^65`, which is 3 in a million at ten million states.
//!
//! A place is the upper bits of a fingerprint, so a table twice as large is filled in one pass from front to back.
//! Searches that must know how deep a state was reached keep that beside it ([`Visited::arrive`]).

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::pages::Pages;

/// The bits of the smallest table.
const SMALLEST_BITS: u32 = 12;

/// See the module's documentation.
pub(crate) struct Visited {
    cells: Pages<AtomicU64>,
    /// For each cell, 0, or twice the least depth plus 2, plus 1 where the state was explored.
    depths: Option<Pages<AtomicU32>>,
    /// How far a fingerprint is shifted to give its place.
    shift: u32,
}

/// The cells alone, for a loop that has nothing else to look at.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'v> {
    cells: &'v [AtomicU64],
    shift: u32,
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

impl Visited {
    /// An empty table, with depths where `depths` says so; None where there is no memory.
    pub(crate) fn new(depths: bool) -> Option<Self> {
        Visited::with_bits(SMALLEST_BITS, depths)
    }

    fn with_bits(bits: u32, depths: bool) -> Option<Self> {
        let cells = Pages::zeroed(1 << bits)?;
        let depths = if depths { Some(Pages::zeroed(1 << bits)?) } else { None };
        Some(Visited { cells, depths, shift: 64 - bits })
    }

    /// How many states may be in the table before it has to grow.
    pub(crate) fn room(&self) -> u64 {
        (1_u64 << (64 - self.shift)) / 10 * 7
    }

    /// How much memory the table takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.cells.bytes() + self.depths.as_ref().map_or(0, Pages::bytes)
    }

    /// A table of twice the size with the same content; None where there is no memory.
    pub(crate) fn grown(&self) -> Option<Self> {
        let next = Visited::with_bits(65 - self.shift, self.depths.is_some())?;
        for (index, cell) in self.cells.as_slice().iter().enumerate() {
            let fingerprint = cell.load(Ordering::Relaxed);
            if fingerprint != 0 {
                let (place, _) = next.seen().place(fingerprint);
                if let (Some(from), Some(to)) = (&self.depths, &next.depths) {
                    let depth = from.as_slice()[index].load(Ordering::Relaxed);
                    to.as_slice()[place].store(depth, Ordering::Relaxed);
                }
            }
        }
        Some(next)
    }

    /// Asks for the cell of `fingerprint`, which is needed soon.
    #[inline]
    pub(crate) fn prefetch(&self, fingerprint: u64) {
        self.cells.prefetch((fingerprint >> self.shift) as usize);
    }

    /// The cells.
    #[inline]
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen { cells: self.cells.as_slice(), shift: self.shift }
    }

    /// Notes `fingerprint`. True if it is new. The table must have room.
    #[inline]
    pub(crate) fn insert(&self, fingerprint: u64) -> bool {
        self.seen().insert(fingerprint)
    }

    /// Notes that `fingerprint` was reached in `depth` steps. Only for a table with depths.
    pub(crate) fn arrive(&self, fingerprint: u64, depth: u32) -> Arrival {
        let (place, new) = self.seen().place(fingerprint);
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

    /// Notes that `fingerprint` is about to be explored from `depth`. Only for a table with depths.
    pub(crate) fn begin(&self, fingerprint: u64, depth: u32) -> Begin {
        let (place, _) = self.seen().place(fingerprint);
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

impl Seen<'_> {
    /// As [`Visited::insert`].
    #[inline]
    pub(crate) fn insert(&self, fingerprint: u64) -> bool {
        self.place(fingerprint).1
    }

    /// The cell of `fingerprint`, and whether it was taken just now.
    #[inline]
    fn place(&self, fingerprint: u64) -> (usize, bool) {
        // 0 stands for an empty cell; the state of that fingerprint shares another's.
        let fingerprint = fingerprint.max(1);
        let mask = self.cells.len() - 1;
        let mut place = (fingerprint >> self.shift) as usize;
        loop {
            let cell = &self.cells[place & mask];
            let mut found = cell.load(Ordering::Relaxed);
            if found == 0 {
                match cell.compare_exchange(0, fingerprint, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => return (place & mask, true),
                    Err(other) => found = other,
                }
            }
            if found == fingerprint {
                return (place & mask, false);
            }
            place += 1;
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
        let mut visited = Visited::new(false).expect("there is memory");
        for index in 0..count {
            if index >= visited.room() {
                visited = visited.grown().expect("there is memory");
            }
            assert!(visited.insert(mix(index)), "{index} is new");
        }
        visited
    }

    #[test]
    fn growth_keeps_everything_and_adds_nothing() {
        let visited = filled(100_000);
        assert!(64 - visited.shift > SMALLEST_BITS + 4);
        assert!((0..100_000).all(|index| !visited.insert(mix(index))));
        assert!((100_000..101_000).all(|index| visited.insert(mix(index))));
    }

    #[test]
    fn fingerprints_at_the_edges_are_kept() {
        let visited = Visited::new(false).expect("there is memory");
        // They share the last cell, and wrap around to the first.
        for fingerprint in [u64::MAX, u64::MAX - 1, u64::MAX - 2, 2, 0] {
            assert!(visited.insert(fingerprint), "{fingerprint}");
            assert!(!visited.insert(fingerprint), "{fingerprint}");
        }
        let grown = visited.grown().expect("there is memory");
        for fingerprint in [u64::MAX, u64::MAX - 1, u64::MAX - 2, 2, 0] {
            assert!(!grown.insert(fingerprint), "{fingerprint}");
        }
    }

    #[test]
    fn of_threads_that_insert_the_same_exactly_one_is_first() {
        let visited = Visited::with_bits(17, false).expect("there is memory");
        let insert = |from: u64| {
            // Dense neighbours, so that cells are fought over.
            let place = |step: u64| ((step * 7 + from) % 50_000) << 47 | 1;
            (0..50_000).filter(|step| visited.insert(place(*step))).count()
        };
        let new: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|from| scope.spawn(move || insert(from * 13))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no thread fails")).sum()
        });
        assert_eq!(new, 50_000);
    }

    #[test]
    fn depths_only_fall_and_a_state_is_explored_first_once() {
        let visited = Visited::new(true).expect("there is memory");
        assert_eq!(visited.arrive(9, 5), Arrival { new: true, nearer: true });
        assert_eq!(visited.arrive(9, 5), Arrival { new: false, nearer: false });
        assert_eq!(visited.begin(9, 5), Begin::First);
        assert_eq!(visited.arrive(9, 3), Arrival { new: false, nearer: true });
        assert_eq!(visited.begin(9, 5), Begin::Stale);
        let grown = visited.grown().expect("there is memory");
        assert_eq!(grown.begin(9, 3), Begin::Again);
        assert_eq!(grown.arrive(9, 4), Arrival { new: false, nearer: false });
        let mut depths = Vec::new();
        grown.each_depth(|depth| depths.push(depth));
        assert_eq!(depths, [3]);
    }
}
