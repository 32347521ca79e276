//! [`Extent`]: how large a value is, in the two ways in which the values of a finite program can grow without end.

use std::time::Duration;

/// How large a value is: what its collections hold, all together, and how far from 0 its numbers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The elements of its collections, of those within others too; a text has as many as bytes.
    pub elements: u64,
    /// The greatest distance of one of its integers from 0. A duration counts in nanoseconds, an id of a node not at all.
    pub magnitude: u64,
}

impl Extent {
    /// The extent of `value`.
    pub fn of<T: crate::Shape + ?Sized>(value: &T) -> Self {
        let mut extent = Extent::default();
        value.extent(&mut extent);
        extent
    }

    /// Counts elements of a collection.
    pub fn add(&mut self, elements: usize) {
        self.elements = self.elements.saturating_add(elements as u64);
    }

    /// Counts a number by its distance from 0.
    pub fn reach(&mut self, magnitude: u64) {
        self.magnitude = self.magnitude.max(magnitude);
    }

    /// Counts a duration.
    pub fn last(&mut self, time: Duration) {
        self.reach(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{NodeId, Payload, Shape};

    fn of(value: &dyn Shape) -> (u64, u64) {
        let Extent { elements, magnitude } = Extent::of(value);
        (elements, magnitude)
    }

    #[test]
    fn elements_are_counted_at_every_depth_and_numbers_by_the_greatest() {
        let nested = BTreeMap::from([(1_u8, BTreeSet::from([7_i32, -300])), (2, BTreeSet::new())]);
        assert_eq!(of(&nested), (4, 300));
        assert_eq!(of(&(Some(vec!["ab".to_owned()]), [3_u16; 2], true)), (3, 3));
        assert_eq!(of(&(i8::MIN, u128::MAX)), (0, u64::MAX));
        assert_eq!(of(&(None::<u8>, NodeId::new(9))), (0, 0));
        assert_eq!(of(&vec![Payload::of(5_u8), Payload::of("abc")]), (5, 5));
        assert_eq!(of(&Duration::from_micros(2)), (0, 2_000));
    }
}
