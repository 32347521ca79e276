//! An append-only vector that many threads read without a lock: segments of doubling size that never move.
//!
//! A slot is written once. A reader who was handed an index by its writer finds the value there; another may find
//! nothing yet.

use std::mem::size_of;
use std::sync::OnceLock;

const FIRST_BITS: u32 = 5;
const SEGMENTS: usize = (33 - FIRST_BITS) as usize;

/// See the module's documentation.
pub(crate) struct Chunked<T> {
    segments: [OnceLock<Box<[OnceLock<T>]>>; SEGMENTS],
}

/// The segment of `index`, and the place in it.
fn place(index: u32) -> (usize, usize) {
    let shifted = u64::from(index) + (1 << FIRST_BITS);
    let top = 63 - shifted.leading_zeros();
    ((top - FIRST_BITS) as usize, (shifted - (1 << top)) as usize)
}

impl<T> Chunked<T> {
    pub(crate) fn new() -> Self {
        Chunked { segments: [const { OnceLock::new() }; SEGMENTS] }
    }

    /// The value at `index`, if it was written.
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let (segment, place) = place(index);
        self.segments[segment].get()?[place].get()
    }

    /// The value at `index`, which `make` gives where there is none yet.
    pub(crate) fn get_or_init(&self, index: u32, make: impl FnOnce() -> T) -> &T {
        let (segment, place) = place(index);
        let slots = self.segments[segment].get_or_init(|| {
            let length = 1_usize << (segment as u32 + FIRST_BITS);
            (0..length).map(|_| OnceLock::new()).collect()
        });
        slots[place].get_or_init(make)
    }

    /// What the segments hold, without what the values own elsewhere.
    pub(crate) fn bytes(&self) -> u64 {
        let slots = self.segments.iter().filter_map(|segment| segment.get().map(|slots| slots.len()));
        slots.sum::<usize>() as u64 * size_of::<OnceLock<T>>() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_consecutive() {
        let mut expected = (0, 0);
        for index in 0..10_000 {
            assert_eq!(place(index), expected);
            expected.1 += 1;
            if expected.1 == 1 << (expected.0 as u32 + FIRST_BITS) {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(place(u32::MAX).0, SEGMENTS - 1);
    }

    #[test]
    fn values_stay_where_they_were_put() {
        let chunked = Chunked::new();
        for index in 0..1_000 {
            assert!(chunked.get(index).is_none());
            assert_eq!(*chunked.get_or_init(index, || index * 3), index * 3);
        }
        assert!((0..1_000).all(|index| chunked.get(index) == Some(&(index * 3))));
        assert_eq!(*chunked.get_or_init(7, || 0), 21, "written once");
    }
}
