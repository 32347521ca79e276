//! A bounded memory of function values, shared between threads, and a small one in front of it for each thread.
//!
//! Forgetting a value costs time and nothing else.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

const SHARDS: usize = 16;

/// Values by key: the first so many that come are kept.
pub(crate) struct Memo<V> {
    shards: [Mutex<HashMap<u64, V, FixedState>>; SHARDS],
    entries: AtomicU64,
    entries_max: u64,
}

impl<V: Copy> Memo<V> {
    pub(crate) fn new(entries_max: u64) -> Self {
        let shard = || Mutex::new(HashMap::with_hasher(FixedState::with_seed(0)));
        Memo { shards: std::array::from_fn(|_| shard()), entries: AtomicU64::new(0), entries_max }
    }

    fn shard(&self, key: u64) -> &Mutex<HashMap<u64, V, FixedState>> {
        &self.shards[(FixedState::with_seed(1).hash_one(key) >> 60) as usize]
    }

    pub(crate) fn get(&self, key: u64) -> Option<V> {
        self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
    }

    pub(crate) fn put(&self, key: u64, value: V) {
        if self.entries.load(Ordering::Relaxed) >= self.entries_max {
            return;
        }
        if self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).insert(key, value).is_none() {
            self.entries.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counted bytes.
    pub(crate) fn bytes(&self) -> u64 {
        // Hash tables are between half and seven eighths full.
        self.entries.load(Ordering::Relaxed) * (size_of::<(u64, V)>() as u64 + 1) * 3 / 2
    }
}

/// The values of one thread that were asked for last, one for each place.
pub(crate) struct Near<V> {
    slots: Box<[(u64, V)]>,
    shift: u32,
}

/// A key that is in no slot: where it is asked for, it is never found.
const NO_KEY: u64 = u64::MAX;

impl<V: Copy + Default> Near<V> {
    /// One of `2^bits` places.
    pub(crate) fn new(bits: u32) -> Self {
        Near { slots: vec![(NO_KEY, V::default()); 1 << bits].into(), shift: 64 - bits }
    }

    /// The value at `key`, which `far` gives where it is not at hand.
    ///
    /// # Errors
    /// That of `far`.
    #[inline]
    pub(crate) fn get<E>(&mut self, key: u64, far: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        let place = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        let slot = &mut self.slots[place as usize];
        if slot.0 == key && key != NO_KEY {
            return Ok(slot.1);
        }
        let value = far()?;
        *slot = (key, value);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_keeps_the_first_and_stops_at_its_bound() {
        let memo = Memo::new(10);
        (0..100).for_each(|key| memo.put(key, key * 2));
        assert!((0..10).all(|key| memo.get(key) == Some(key * 2)));
        assert_eq!((0..100).filter(|key| memo.get(*key).is_some()).count(), 10);
    }

    #[test]
    fn what_is_near_is_what_is_far() {
        let mut near = Near::new(4);
        let mut far = 0;
        for round in 0..3 {
            for key in [0, 1, 5, u64::MAX, 1 << 40] {
                let value = near.get(key, || {
                    far += 1;
                    Ok::<_, ()>(key ^ 7)
                });
                assert_eq!(value, Ok(key ^ 7), "round {round}");
            }
        }
        assert!((5 + 2..=15).contains(&far), "the key that marks empty slots is never near: {far}");
    }
}
