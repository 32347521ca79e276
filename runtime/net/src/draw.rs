//! Random numbers keyed by what they are for, not taken from one long stream.
//!
//! The number that a message's delay is drawn from depends on the seed, on *delay*, on its way and on its place among
//! what its sender sent, and on nothing else. So two runs of one seed that differ in a single choice still draw
//! the same numbers for everything that they have in common, and adding a draw in one place moves none elsewhere.
//!
//! The generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
//! (SC 2011): a bijection of a 128-bit counter under a 64-bit key, tested against its published answers below.
//! **The layout of key and counter is part of the format of a seed**: changing it changes every run of every seed.
//! A golden value tests it.

use crate::ln::ln;

/// A source of random numbers. Whoever asks says by the method what is drawn, so that a source may also go through all that
/// could be drawn.
pub trait Draw {
    /// 64 random bits.
    fn bits(&mut self) -> u64;

    /// Uniform in `0.0..1.0`, on a grid of 2^-53.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in `0..n`; 0 where `n` is 0. By multiplication, so the bias is at most n / 2^64.
    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// Exponential with this mean: memoryless, by inversion. Rounded to a whole number.
    fn exponential(&mut self, mean: u64) -> u64 {
        // 1 - u is in (0, 1], a normal number, so the logarithm is finite; a float saturates on its way to u64.
        (-ln(1.0 - self.unit()) * mean as f64).round() as u64
    }

    /// True with probability `p`. A certain answer draws nothing.
    fn happens(&mut self, p: f64) -> bool {
        p > 0.0 && (p >= 1.0 || self.unit() < p)
    }

    /// One of the places of `weights`, which add up to 1; the last of positive weight takes what rounding leaves.
    fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.unit();
        for (place, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return place;
            }
            rest -= weight;
        }
        weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }
}

/// What numbers are drawn for. Streams of different purposes have nothing in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose(pub u8);

/// The random numbers for one thing: independent of those for any other.
///
/// Philox4x32-10 under the key `seed`, at the counters (from word 0): the low 32 bits of `number`; its next 16 bits,
/// then the purpose (8 bits), then the index of the block (8 bits); `a`; `b`. A block gives two draws, words 0
/// and 1 first, the lower word being the lower half.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    /// The second half of the block, while it was not drawn.
    kept: Option<u64>,
}

/// The greatest `number` of a stream, plus 1; what is beyond wraps.
pub const NUMBERS_MAX: u64 = 1 << 48;

impl Stream {
    /// The stream of `seed` for `purpose` at the place `(a, b)`, such as a node or a link, for its `number`-th use.
    pub fn new(seed: u64, purpose: Purpose, (a, b): (u32, u32), number: u64) -> Self {
        let high = (number >> 32) as u32 & 0xFFFF;
        let counter = [number as u32, high | u32::from(purpose.0) << 16, a, b];
        Stream { key: [seed as u32, (seed >> 32) as u32], counter, kept: None }
    }
}

impl Draw for Stream {
    fn bits(&mut self) -> u64 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        let [w0, w1, w2, w3] = philox(self.counter, self.key);
        self.counter[1] = self.counter[1].wrapping_add(1 << 24);
        self.kept = Some(u64::from(w2) | u64::from(w3) << 32);
        u64::from(w0) | u64::from(w1) << 32
    }
}

const ROUNDS: u32 = 10;

fn philox(mut x: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let left = u64::from(x[0]) * 0xD251_1F53;
        let right = u64::from(x[2]) * 0xCD9E_8D57;
        x = [
            (right >> 32) as u32 ^ x[1] ^ key[0],
            right as u32,
            (left >> 32) as u32 ^ x[3] ^ key[1],
            left as u32,
        ];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_its_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// Changing these numbers changes every run of every seed.
    #[test]
    fn the_layout_of_a_stream_is_part_of_the_format() {
        let mut stream = Stream::new(7, Purpose(2), (3, 4), (1 << 33) + 5);
        let drawn = [stream.bits(), stream.bits(), stream.bits()];
        let block = |index: u32| philox([5, 2 | 2 << 16 | index << 24, 3, 4], [7, 0]);
        let [w0, w1, w2, w3] = block(0).map(u64::from);
        let [v0, v1, _, _] = block(1).map(u64::from);
        assert_eq!(drawn, [w0 | w1 << 32, w2 | w3 << 32, v0 | v1 << 32]);
        let mut first = Stream::new(0, Purpose(0), (0, 0), 0);
        assert_eq!(first.bits(), 0xe169_c58d_6627_e8d5);
    }

    #[test]
    fn streams_of_different_keys_differ() {
        let first = |seed, purpose, place, number| Stream::new(seed, Purpose(purpose), place, number).bits();
        let base = first(1, 1, (1, 1), 1);
        let others = [
            first(2, 1, (1, 1), 1),
            first(1 << 40, 1, (1, 1), 1),
            first(1, 2, (1, 1), 1),
            first(1, 1, (2, 1), 1),
            first(1, 1, (1, 2), 1),
            first(1, 1, (1, 1), 2),
            first(1, 1, (1, 1), 1 << 32),
        ];
        assert!(others.iter().all(|other| *other != base), "{others:x?}");
    }

    /// The mean of n draws of unit(), drawn each from a stream of its own as simulations do.
    #[test]
    fn draws_across_streams_are_uniform() {
        let n = 200_000;
        let draws = (0..n).map(|number| Stream::new(42, Purpose(1), (9, 9), number).unit());
        let (mut sum, mut squares, mut buckets) = (0.0, 0.0, [0_u32; 16]);
        for draw in draws {
            assert!((0.0..1.0).contains(&draw));
            sum += draw;
            squares += draw * draw;
            buckets[(draw * 16.0) as usize] += 1;
        }
        let mean = sum / n as f64;
        let variance = squares / n as f64 - mean * mean;
        assert!((mean - 0.5).abs() < 0.003, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.001, "{variance}");
        // Chi squared with 15 degrees of freedom stays below 37.7 with probability 0.999.
        let expected = n as f64 / 16.0;
        let chi: f64 = buckets.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(chi < 37.7, "{chi}");
    }

    #[test]
    fn below_stays_below_and_certain_answers_draw_nothing() {
        let mut stream = Stream::new(1, Purpose(0), (0, 0), 0);
        for n in [1, 2, 3, 10, u64::MAX] {
            for _ in 0..100 {
                assert!(stream.below(n) < n);
            }
        }
        assert_eq!(stream.below(0), 0);
        let mut untouched = Stream::new(1, Purpose(0), (0, 0), 1);
        assert!(untouched.happens(1.0) && !untouched.happens(0.0));
        assert_eq!(untouched.bits(), Stream::new(1, Purpose(0), (0, 0), 1).bits());
    }

    #[test]
    fn weighted_draws_follow_the_weights() {
        let weights = [0.5, 0.0, 0.2, 0.3];
        let mut counts = [0_u32; 4];
        for number in 0..100_000 {
            counts[Stream::new(3, Purpose(0), (0, 0), number).weighted(&weights)] += 1;
        }
        for (count, weight) in counts.iter().zip(weights) {
            assert!((f64::from(*count) / 100_000.0 - weight).abs() < 0.006, "{counts:?}");
        }
        struct Last;
        impl Draw for Last {
            fn bits(&mut self) -> u64 {
                u64::MAX
            }
        }
        assert_eq!(Last.weighted(&[0.1, 0.2, 0.0]), 1, "an impossible outcome is never drawn");
    }
}
