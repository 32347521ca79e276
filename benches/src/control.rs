//! How much of the machine two threads get: arithmetic that shares nothing, on one thread and on two.

use std::hint::black_box;
use std::time::Instant;

const STEPS: u64 = 400_000_000;

/// How much of the machine of one thread two threads get: the same work done once, and done twice at once.
pub fn scaling() -> f64 {
    2.0 * seconds(1) / seconds(2)
}

fn seconds(threads: usize) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    let started = Instant::now();
    std::thread::scope(|scope| {
        for seed in 0..threads {
            scope.spawn(move || black_box(arithmetic(seed as u64)));
        }
    });
    started.elapsed().as_secs_f64()
}

fn arithmetic(seed: u64) -> u64 {
    (0..STEPS).fold(seed, |value, step| (value ^ step).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23))
}
