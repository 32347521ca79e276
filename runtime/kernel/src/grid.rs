//! What choices are made from where a set is not written down: finite grids of quantities, and the subsets of a size.
//!
//! Both are lists in ascending order, for `choose`, `choose_or` and `random` alike. What would be too long a list is
//! a fault of the handler: an author who means thousands of options has not said what they mean.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use crate::choice::Options;
use crate::fault;

/// The most values that a grid may have.
pub const GRID_VALUES_MAX: usize = 4096;

/// The most subsets that a choice among subsets may have.
pub const SUBSETS_MAX: usize = 65_536;

/// What grids are made of: durations and whole numbers.
pub trait Quantity: Copy + Ord {
    /// The sum, where it can be represented.
    fn plus(self, by: Self) -> Option<Self>;
}

impl Quantity for Duration {
    fn plus(self, by: Self) -> Option<Self> {
        self.checked_add(by)
    }
}

macro_rules! quantities {
    ($($number:ty)*) => {
        $(impl Quantity for $number {
            fn plus(self, by: Self) -> Option<Self> {
                self.checked_add(by)
            }
        })*
    };
}

quantities!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// The ends of a grid: `a..=b`, which ends in `b` itself, or `a..b`, which stays below it.
pub trait Ends<T> {
    /// The first value, the last or the first beyond, and whether the last belongs to it.
    fn ends(self) -> (T, T, bool);
}

impl<T> Ends<T> for Range<T> {
    fn ends(self) -> (T, T, bool) {
        (self.start, self.end, false)
    }
}

impl<T> Ends<T> for RangeInclusive<T> {
    fn ends(self) -> (T, T, bool) {
        let (first, last) = self.into_inner();
        (first, last, true)
    }
}

/// The first value, then each twice the one before, as long as they are within the ends. `..=` ends in the last one itself:
/// `doubling(1..=10)` is 1, 2, 4, 8, 10.
pub fn doubling<T: Quantity>(ends: impl Ends<T>) -> Vec<T> {
    let (first, last, inclusive) = ends.ends();
    values(first, last, inclusive, "doubling", |value| (value, value))
}

/// The first value, then each by `step` above the one before, as long as they are within the ends. `..=` ends in the last one
/// itself: `grid(0..=10, 4)` is 0, 4, 8, 10.
pub fn grid<T: Quantity>(ends: impl Ends<T>, step: T) -> Vec<T> {
    let (first, last, inclusive) = ends.ends();
    values(first, last, inclusive, "grid", |value| (value, step))
}

fn values<T: Quantity>(first: T, last: T, inclusive: bool, name: &str, next: impl Fn(T) -> (T, T)) -> Vec<T> {
    let (mut values, mut at) = (Vec::new(), Some(first));
    while let Some(value) = at.filter(|value| *value < last) {
        if values.len() == GRID_VALUES_MAX {
            fault::raise(format!("`{name}` would have more than {GRID_VALUES_MAX} values"));
        }
        values.push(value);
        let (value, by) = next(value);
        at = value.plus(by);
        if at.is_some_and(|at| at <= value) {
            fault::raise(format!("the values of `{name}` do not ascend"));
        }
    }
    if inclusive && first <= last {
        values.push(last);
    }
    values
}

/// All subsets of `options` that have `size` elements, in ascending order; none where there are too few.
pub fn subsets<O: Options>(options: O, size: usize) -> Vec<BTreeSet<O::Item>>
where
    O::Item: Clone,
{
    let options = options.options();
    if size > options.len() {
        return Vec::new();
    }
    if count(options.len(), size).is_none_or(|count| count > SUBSETS_MAX) {
        let of = options.len();
        fault::raise(format!("there are more than {SUBSETS_MAX} ways to take {size} of {of}"));
    }
    let (mut subsets, mut taken) = (Vec::new(), (0..size).collect::<Vec<usize>>());
    loop {
        subsets.push(taken.iter().map(|at| options[*at].clone()).collect());
        // The last that can still move on does, and those behind it follow closely.
        let movable = (0..size).rfind(|place| taken[*place] < options.len() - size + place);
        let Some(place) = movable else { return subsets };
        let first = taken[place] + 1;
        (place..size).for_each(|at| taken[at] = first + (at - place));
    }
}

/// The number of ways to take `k` of `n`, where it can be represented.
fn count(n: usize, k: usize) -> Option<usize> {
    let k = k.min(n - k);
    // Each quotient is a number of ways itself, so nothing is lost.
    (0..k).try_fold(1_usize, |ways, i| Some(ways.checked_mul(n - i)? / (i + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(body: impl FnOnce()) -> bool {
        fault::guard(std::panic::AssertUnwindSafe(body)).is_err()
    }

    #[test]
    fn grids_ascend_and_end_where_they_say() {
        assert_eq!(doubling(1_u8..=10), [1, 2, 4, 8, 10]);
        assert_eq!(doubling(1_u8..8), [1, 2, 4]);
        assert_eq!(doubling(100_u8..=255), [100, 200, 255]);
        assert_eq!(doubling(Duration::from_millis(100)..=Duration::from_secs(10)).len(), 8);
        assert_eq!(grid(0..=10, 4), [0, 4, 8, 10]);
        assert_eq!(grid(0..=8, 4), [0, 4, 8]);
        assert_eq!(grid(3..=3, 1), [3]);
        assert_eq!(grid(3..3, 1), [] as [i32; 0]);
        assert_eq!(doubling(std::ops::RangeInclusive::new(4, 3)), [] as [i32; 0]);
    }

    #[test]
    fn grids_that_never_end_are_faults() {
        assert!(faults(|| drop(doubling(0..=4))));
        assert!(faults(|| drop(grid(0..=4, 0))));
        assert!(faults(|| drop(grid(0..=4, -1))));
        assert!(faults(|| drop(grid(0_u32..=u32::MAX, 1))));
    }

    #[test]
    fn subsets_are_all_of_a_size_and_sorted() {
        let of = |n: u8, k: usize| subsets((0..n).collect::<BTreeSet<_>>(), k);
        for n in 0..7 {
            for k in 0..=usize::from(n) + 1 {
                let found = of(n, k);
                assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
                assert!(found.iter().all(|subset| subset.len() == k));
                let expected = if k > n.into() { 0 } else { count(n.into(), k).expect("a small number") };
                assert_eq!(found.len(), expected, "{k} of {n}");
            }
        }
        assert_eq!(of(4, 2).first(), Some(&[0, 1].into()));
        assert!(faults(|| drop(of(40, 20))));
    }
}
