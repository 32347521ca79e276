//! A content hash: 64 bits that depend on the value alone, never on an address, a process or an insertion order.
//!
//! Fingerprints of states are sums of such digests, so they survive threads and restarts of the same build.

use std::hash::Hasher;

use xxhash_rust::xxh3::xxh3_64;

const K: u64 = 0x9E37_79B9_7F4A_7C15;

/// A small streaming hasher: integers are folded in by a multiply and a rotate, byte strings by XXH3, and the
/// end is finished by [`mix`]. Quality is what a visited set needs; it is no cryptographic hash.
#[derive(Clone, Debug)]
pub struct Digest(u64);

impl Digest {
    /// A hasher in its fixed initial state.
    pub const fn new() -> Self {
        Digest(0x243F_6A88_85A3_08D3)
    }

    fn fold(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(26) ^ mix(word)).wrapping_mul(K);
    }
}

impl Default for Digest {
    fn default() -> Self {
        Digest::new()
    }
}

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        mix(self.0)
    }
    fn write(&mut self, bytes: &[u8]) {
        self.fold(xxh3_64(bytes));
        self.fold(bytes.len() as u64);
    }
    fn write_u8(&mut self, i: u8) {
        self.fold(u64::from(i));
    }
    fn write_u16(&mut self, i: u16) {
        self.fold(u64::from(i));
    }
    fn write_u32(&mut self, i: u32) {
        self.fold(u64::from(i));
    }
    fn write_u64(&mut self, i: u64) {
        self.fold(i);
    }
    fn write_u128(&mut self, i: u128) {
        self.fold(i as u64);
        self.fold((i >> 64) as u64);
    }
    fn write_usize(&mut self, i: usize) {
        self.fold(i as u64);
    }
}

/// A bijective mixer of 64 bits (the finaliser of SplitMix64, Steele et al. 2014).
pub const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The digest of `content` standing at position `place`: equal contents at different places differ.
pub const fn at(place: u64, content: u64) -> u64 {
    mix(content.wrapping_add(mix(place.wrapping_add(K))))
}
