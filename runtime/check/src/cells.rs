//! The cells of the table of visited states: open addressing in one array, written by compare-and-swap.
//!
//! A place is the upper bits of a fingerprint, and cells are probed one after another from there, so that the content of a table is
//! spread over a larger one in one pass from back to front, where it is. In each cell, below the fingerprint, there may be a *note* of a few
//! bits. The upper bits of the fingerprint give way to it and nothing is lost: they are known from the place.

use std::sync::atomic::{AtomicU64, Ordering};

/// The cells of a table.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'v> {
    cells: &'v [AtomicU64],
    /// How far a fingerprint is shifted to give its place.
    shift: u32,
    /// How many bits a note has.
    note: u32,
    /// What of a fingerprint is kept.
    kept: u64,
    /// How far a cell may be from its place.
    reach: usize,
}

/// Where a fingerprint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It took a cell just now.
    New(usize),
    /// It was there.
    Known(usize),
    /// Its cell would be too far from its place to know it again: the table has to grow.
    Full,
}

/// Bits of a place beyond those of a note: a fingerprint is at most so many cells away from its place, as a power of 2.
pub(crate) const REACH_BITS: u32 = 8;

impl<'v> Cells<'v> {
    /// The cells in `cells`, of which there are a power of two and at least `2^(note + REACH_BITS)`.
    #[inline]
    pub(crate) fn new(cells: &'v [AtomicU64], note: u32) -> Self {
        let shift = 64 - cells.len().trailing_zeros();
        Cells { cells, shift, note, kept: u64::MAX >> note, reach: cells.len() >> note }
    }

    /// The place of a fingerprint.
    #[inline]
    pub(crate) fn home(&self, fingerprint: u64) -> usize {
        (fingerprint >> self.shift) as usize
    }

    /// Finds `fingerprint`, or gives it a cell with `note`.
    #[inline]
    pub(crate) fn put(&self, fingerprint: u64, note: u64) -> Placed {
        self.look(fingerprint, note, |_| (), |_| true)
    }

    /// As [`Cells::put`], where a second fingerprint of each is kept in `seconds`, and both have to be the same.
    #[inline]
    pub(crate) fn put_both(&self, fingerprint: u64, second: u64, note: u64, seconds: &[AtomicU64]) -> Placed {
        // Never 0: that stands for one that is yet to be written.
        let second = second.max(1);
        let write = |place: usize| seconds[place].store(second, Ordering::Release);
        let same = |place: usize| loop {
            match seconds[place].load(Ordering::Acquire) {
                0 => std::hint::spin_loop(),
                other => return other == second,
            }
        };
        self.look(fingerprint, note, write, same)
    }

    #[inline]
    fn look(
        &self,
        fingerprint: u64,
        note: u64,
        taken: impl Fn(usize),
        same: impl Fn(usize) -> bool,
    ) -> Placed {
        let kept = self.kept(fingerprint);
        let mask = self.cells.len() - 1;
        let home = self.home(fingerprint);
        let mut away = 0;
        loop {
            let place = (home + away) & mask;
            let cell = &self.cells[place];
            let mut found = cell.load(Ordering::Relaxed);
            if found == 0 {
                let filled = kept << self.note | note;
                match cell.compare_exchange(0, filled, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => {
                        taken(place);
                        return Placed::New(place);
                    }
                    Err(other) => found = other,
                }
            }
            if found >> self.note == kept && same(place) {
                return Placed::Known(place);
            }
            away += 1;
            if away == self.reach {
                return Placed::Full;
            }
        }
    }

    /// Gives `fingerprint`, which is not there, a cell with `note`, while no other thread looks. None where it would be
    /// too far from its place.
    fn fill(&self, fingerprint: u64, note: u64) -> Option<usize> {
        let mask = self.cells.len() - 1;
        self.fill_first(fingerprint, note, (0..self.reach).map(|away| (self.home(fingerprint) + away) & mask))
    }

    /// As [`Cells::fill`], and none where that would be beyond the last cell.
    #[inline]
    fn fill_ahead(&self, fingerprint: u64, note: u64) -> Option<usize> {
        let home = self.home(fingerprint);
        self.fill_first(fingerprint, note, home..self.cells.len().min(home + self.reach))
    }

    #[inline]
    fn fill_first(
        &self,
        fingerprint: u64,
        note: u64,
        mut places: impl Iterator<Item = usize>,
    ) -> Option<usize> {
        let place = places.find(|place| self.cells[*place].load(Ordering::Relaxed) == 0)?;
        self.cells[place].store(self.kept(fingerprint) << self.note | note, Ordering::Relaxed);
        Some(place)
    }

    /// What of a fingerprint is kept in its cell. Never 0: that stands for an empty cell, and the two fingerprints
    /// concerned are one.
    #[inline]
    fn kept(&self, fingerprint: u64) -> u64 {
        (fingerprint & self.kept).max(1)
    }

    fn note_mask(&self) -> u64 {
        (1 << self.note) - 1
    }

    /// Changes the note at `place` to what `change` gives, where it gives anything; the note before, and whether it was
    /// changed.
    #[inline]
    pub(crate) fn update(&self, place: usize, change: impl Fn(u64) -> Option<u64>) -> (u64, bool) {
        let cell = &self.cells[place];
        let mut found = cell.load(Ordering::Relaxed);
        loop {
            let note = found & self.note_mask();
            let Some(next) = change(note) else { return (note, false) };
            let next = found & !self.note_mask() | next;
            match cell.compare_exchange(found, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return (note, true),
                Err(other) => found = other,
            }
        }
    }

    /// The fingerprint and the note in a cell that is not empty.
    fn read(&self, place: usize, found: u64) -> (u64, u64) {
        let kept = found >> self.note;
        // Below the upper bits that gave way, the place is known; so is how far away from it the cell is.
        let low_home = (kept >> self.shift) as usize;
        let away = place.wrapping_sub(low_home) & (self.reach - 1);
        let home = place.wrapping_sub(away) & (self.cells.len() - 1);
        let lower = 64 - self.note;
        let upper = if self.note == 0 { 0 } else { ((home / self.reach) as u64) << lower };
        (upper | kept, found & self.note_mask())
    }
}

/// Spreads the content of the first `before` of `cells` over all of them, which are more, and of which the others are empty. What is kept
/// beside cells is taken and put by `take` and `put`. False where a cell would be too far from its place: then some are lost.
///
/// Cells are taken from the last to the first. Places only grow, so that a cell goes where all is spread already; what does not, waits
/// until the end.
pub(crate) fn spread<B: Copy>(
    cells: &[AtomicU64],
    before: usize,
    note: u32,
    take: impl Fn(usize) -> B,
    put: impl Fn(usize, B),
) -> bool {
    let (old, new) = (Cells::new(&cells[..before], note), Cells::new(cells, note));
    let mut waiting = Vec::new();
    for place in (0..before).rev() {
        let found = cells[place].load(Ordering::Relaxed);
        if found == 0 {
            continue;
        }
        let (fingerprint, note) = old.read(place, found);
        let beside = take(place);
        cells[place].store(0, Ordering::Relaxed);
        let ahead = new.home(fingerprint) >= place;
        match ahead.then(|| new.fill_ahead(fingerprint, note)).flatten() {
            Some(place) => put(place, beside),
            None => waiting.push((fingerprint, note, beside)),
        }
    }
    waiting.into_iter().all(|(fingerprint, note, beside)| match new.fill(fingerprint, note) {
        Some(place) => {
            put(place, beside);
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use foresee_kernel::digest::mix;

    fn cells(bits: u32) -> Vec<AtomicU64> {
        (0..1 << bits).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn with_notes_and_without_whole_fingerprints_are_kept() {
        for note in [0, 1, 4, 11] {
            let array = cells(note.max(3) + REACH_BITS);
            let cells = Cells::new(&array, note);
            let count = array.len() as u64 * 7 / 10;
            for index in 1..count {
                assert!(matches!(cells.put(mix(index), index % (1 << note)), Placed::New(_)), "{note}");
            }
            let mut all = Vec::new();
            for (place, cell) in array.iter().enumerate() {
                match cell.load(Ordering::Relaxed) {
                    0 => {}
                    found => all.push(cells.read(place, found)),
                }
            }
            all.sort_unstable();
            let mut expected: Vec<_> = (1..count).map(|index| (mix(index), index % (1 << note))).collect();
            expected.sort_unstable();
            assert!(all == expected, "with notes of {note} bits");
        }
    }

    #[test]
    fn what_is_spread_is_all_there_with_what_is_beside_it() {
        for note in [0, 1, 4] {
            let bits = note.max(3) + REACH_BITS;
            let (array, beside) = (cells(bits + 2), cells(bits + 2));
            let before = 1 << bits;
            let old = Cells::new(&array[..before], note);
            let count = before as u64 * 7 / 10;
            let mut inserted = Vec::new();
            // Half of them crowd at both ends.
            let fingerprint = |index: u64| match index % 4 {
                0 => mix(index) >> 12,
                1 => !(mix(index) >> 12),
                _ => mix(index),
            };
            for index in 1..count {
                if let Placed::New(place) = old.put(fingerprint(index), index % (1 << note)) {
                    beside[place].store(fingerprint(index), Ordering::Relaxed);
                    inserted.push(index);
                }
            }
            let take = |place: usize| beside[place].swap(0, Ordering::Relaxed);
            let put = |place: usize, that: u64| beside[place].store(that, Ordering::Relaxed);
            assert!(
                inserted.len() as u64 * 2 > count,
                "with notes of {note} bits some do not fit, and most do"
            );
            assert!(spread(&array, before, note, take, put), "in a larger table all are in reach");
            let new = Cells::new(&array, note);
            for index in inserted {
                let Placed::Known(place) = new.put(fingerprint(index), 0) else { panic!("{index} is lost") };
                assert_eq!(new.update(place, |_| None).0, index % (1 << note), "the note of {index}");
                assert_eq!(beside[place].load(Ordering::Relaxed), fingerprint(index), "beside {index}");
            }
            assert!(array.iter().filter(|cell| cell.load(Ordering::Relaxed) != 0).count() as u64 <= count);
        }
    }

    #[test]
    fn fingerprints_that_differ_above_alone_are_told_apart() {
        let array = cells(4 + REACH_BITS);
        let cells = Cells::new(&array, 4);
        for upper in 0..16_u64 {
            assert!(matches!(cells.put(upper << 60 | 77, upper), Placed::New(_)), "{upper}");
        }
        for upper in 0..16_u64 {
            let Placed::Known(place) = cells.put(upper << 60 | 77, 0) else { panic!("{upper} is there") };
            assert_eq!(cells.update(place, |_| None), (upper, false));
        }
    }

    #[test]
    fn what_would_be_too_far_away_is_refused() {
        let array = cells(2 + REACH_BITS);
        let cells = Cells::new(&array, 2);
        let reach = 1 << REACH_BITS;
        let placed: Vec<Placed> = (1..=reach + 1).map(|index| cells.put(index, 0)).collect();
        assert!(placed[..reach as usize].iter().all(|placed| matches!(placed, Placed::New(_))));
        assert_eq!(placed[reach as usize], Placed::Full);
    }

    #[test]
    fn notes_change_at_once() {
        let array = cells(3 + REACH_BITS);
        let cells = Cells::new(&array, 3);
        let Placed::New(place) = cells.put(99, 7) else { panic!("it is new") };
        assert_eq!(cells.update(place, |note| (note != 7).then_some(1)), (7, false));
        assert_eq!(cells.update(place, |note| Some(note & 3)), (7, true));
        assert_eq!(cells.update(place, |_| None), (3, false));
        assert_eq!(cells.put(99, 0), Placed::Known(place));
    }
}
