//! The table of visited states by itself, for benches: how fast a search would be that did nothing but ask it.

use crate::visited::{Keeps, Visited};

/// The table that a search has at its end: the same cells on the same pages, grown in the same steps, with nothing beside the fingerprints.
pub struct RawTable(Visited);

impl RawTable {
    /// An empty table as large as that of a search that saw so many states, its memory written to; None where there is no memory.
    pub fn of(states: u64) -> Option<Self> {
        let mut table = Visited::new(Keeps::Nothing, false)?;
        while table.room() < states {
            if !table.grow() {
                return None;
            }
        }
        table.clear();
        Some(RawTable(table))
    }

    /// Notes fingerprints, all of whose cells are asked for before the first is looked at. How many of them are new. The table must
    /// have room for them.
    pub fn note(&self, batch: &[u64]) -> usize {
        batch.iter().for_each(|fingerprint| self.0.prefetch(*fingerprint));
        batch.iter().filter(|fingerprint| self.0.insert((**fingerprint).into())).count()
    }

    /// How much memory the table takes.
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

#[cfg(test)]
mod tests {
    use foresee_kernel::digest::mix;

    use super::*;

    #[test]
    fn it_is_as_large_as_after_growth_and_empty() {
        let fingerprints: Vec<u64> = (0..100_000).map(mix).collect();
        let table = RawTable::of(100_000).expect("there is memory");
        let mut grown = Visited::new(Keeps::Nothing, false).expect("there is memory");
        for (index, fingerprint) in fingerprints.iter().enumerate() {
            if index as u64 >= grown.room() {
                assert!(grown.grow());
            }
            assert!(grown.insert((*fingerprint).into()));
        }
        assert_eq!(table.bytes(), grown.bytes());
        assert_eq!(table.note(&fingerprints), 100_000);
        assert_eq!(table.note(&fingerprints), 0);
    }

    #[test]
    fn a_table_that_is_cleared_knows_nothing() {
        let mut visited = Visited::new(Keeps::Depths, false).expect("there is memory");
        assert!(visited.arrive(9.into(), 5).new);
        visited.clear();
        let mut depths = 0;
        visited.each_depth(|_| depths += 1);
        assert_eq!(depths, 0);
        assert!(visited.arrive(9.into(), 7).new);
    }
}
