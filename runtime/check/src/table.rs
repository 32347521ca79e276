//! An interner: equal things get one number, for good. Shared between threads; numbers are dense and never reused.
//!
//! Equality is exact: two things with the same hash stay apart. Where the order of numbers comes from threads, nothing
//! that is reported may depend on it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use hashbrown::HashTable;

use crate::chunked::Chunked;

const SHARDS: usize = 16;

/// See the module's documentation.
pub(crate) struct Table<T> {
    shards: [Mutex<HashTable<(u32, u32)>>; SHARDS],
    items: Chunked<T>,
    next: AtomicU32,
    owned: AtomicU64,
}

/// The hash as the shards know it: 32 bits of it are kept beside the number.
fn spread(kept: u32) -> u64 {
    u64::from(kept).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        Table {
            shards: [const { Mutex::new(HashTable::new()) }; SHARDS],
            items: Chunked::new(),
            next: AtomicU32::new(0),
            owned: AtomicU64::new(0),
        }
    }

    /// The number of the thing that `same` recognises among those of `hash`; where there is none, `make` gives it,
    /// and how many bytes it owns elsewhere.
    pub(crate) fn intern(
        &self,
        hash: u64,
        same: impl Fn(&T) -> bool,
        make: impl FnOnce() -> (T, usize),
    ) -> u32 {
        let shard = &self.shards[(hash >> 60) as usize];
        let kept = (hash >> 16) as u32;
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shard.find(spread(kept), |(other, id)| *other == kept && same(self.get(*id)));
        if let Some((_, id)) = known {
            return *id;
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        assert!(id < u32::MAX - 1, "more different things than numbers for them");
        let (item, owned) = make();
        self.owned.fetch_add(owned as u64, Ordering::Relaxed);
        self.items.get_or_init(id, || item);
        shard.insert_unique(spread(kept), (kept, id), |(kept, _)| spread(*kept));
        id
    }

    /// The number of the thing that `same` recognises among those of `hash`, if there is one.
    pub(crate) fn find(&self, hash: u64, same: impl Fn(&T) -> bool) -> Option<u32> {
        let shard = &self.shards[(hash >> 60) as usize];
        let kept = (hash >> 16) as u32;
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.find(spread(kept), |(other, id)| *other == kept && same(self.get(*id))).map(|(_, id)| *id)
    }

    /// The thing that has number `id`.
    pub(crate) fn get(&self, id: u32) -> &T {
        self.items.get(id).expect("a number was handed out for a thing")
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// Counted bytes: slots, hash tables and what things own.
    pub(crate) fn bytes(&self) -> u64 {
        let entries = u64::from(self.len());
        self.items.bytes() + self.owned.load(Ordering::Relaxed) + entries * 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collision_of_hashes_merges_nothing() {
        let table = Table::new();
        let intern = |value: u32| table.intern(42, |other| *other == value, || (value, 0));
        assert_eq!((0..100).map(intern).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!((0..100).map(intern).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!(table.find(42, |other| *other == 7), Some(7));
        assert_eq!(table.find(42, |other| *other == 700), None);
    }

    #[test]
    fn threads_agree_on_numbers() {
        let table = Table::new();
        let intern = |value: u32| {
            let hash = foresee_kernel::digest::mix(u64::from(value % 512));
            table.intern(hash, |other| *other == value, || (value, 0))
        };
        let ids = |from: u32| (0..2_000).map(|step| intern((from + step * 7) % 2_000)).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|from| scope.spawn(move || ids(from * 431))).collect();
            threads.into_iter().for_each(|thread| drop(thread.join().expect("no thread fails")));
        });
        assert_eq!(table.len(), 2_000);
        assert!((0..2_000).all(|value| *table.get(intern(value)) == value));
    }
}
