//! Priority queues under the load of a simulation: the earliest entry is taken, and one is put in that comes later by a random delay. Prints
//! the nanoseconds of CPU time that both take together, by the number of entries, and by the delays.
//!
//! `cargo run --release -p foresee-sim --example queues [-- ROUNDS]`
//!
//! The first two columns are the engine's own sources. Rounds are interleaved, and a figure is the least of them.

#![allow(clippy::print_stdout, reason = "an example prints what it measures")]

#[allow(dead_code, reason = "the engine uses more of it")]
#[path = "../src/heap.rs"]
mod heap;
#[allow(dead_code, reason = "the engine uses more of it")]
#[path = "../src/queue.rs"]
mod queue;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use foresee_net::{Delay, Draw, Purpose, Stream};
use queue::{Entry, Kind};

/// Takes the earliest and puts in what comes later.
trait Structure: Default {
    fn put(&mut self, entry: Entry);
    fn take(&mut self) -> Option<Entry>;
}

impl Structure for queue::Queue {
    fn put(&mut self, entry: Entry) {
        self.push(entry);
    }
    fn take(&mut self) -> Option<Entry> {
        self.pop()
    }
}

impl Structure for heap::Heap {
    fn put(&mut self, entry: Entry) {
        self.push(entry);
    }
    fn take(&mut self) -> Option<Entry> {
        self.pop()
    }
}

fn key(entry: &Entry) -> (u64, u64) {
    (entry.at, entry.order())
}

/// An entry by its key.
#[derive(PartialEq, Eq)]
struct Keyed(Entry);

impl Ord for Keyed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for Keyed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The heap of the standard library, which is binary.
#[derive(Default)]
struct Binary(BinaryHeap<Reverse<Keyed>>);

impl Structure for Binary {
    fn put(&mut self, entry: Entry) {
        self.0.push(Reverse(Keyed(entry)));
    }
    fn take(&mut self) -> Option<Entry> {
        self.0.pop().map(|Reverse(Keyed(entry))| entry)
    }
}

/// A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, 1990): a bucket for each bit in which a time first differs from the last that was taken.
struct Radix {
    last: u64,
    /// Those of the last time, by their order.
    now: BinaryHeap<Reverse<Keyed>>,
    buckets: [Vec<Entry>; 64],
}

impl Default for Radix {
    fn default() -> Self {
        Radix { last: 0, now: BinaryHeap::new(), buckets: std::array::from_fn(|_| Vec::new()) }
    }
}

impl Structure for Radix {
    fn put(&mut self, entry: Entry) {
        match (entry.at ^ self.last).checked_ilog2() {
            None => self.now.push(Reverse(Keyed(entry))),
            Some(bit) => self.buckets[bit as usize].push(entry),
        }
    }
    fn take(&mut self) -> Option<Entry> {
        if self.now.is_empty() {
            let bucket = self.buckets.iter().position(|bucket| !bucket.is_empty())?;
            let mut entries = std::mem::take(&mut self.buckets[bucket]);
            self.last = entries.iter().map(|entry| entry.at).min()?;
            entries.drain(..).for_each(|entry| self.put(entry));
            self.buckets[bucket] = entries;
        }
        self.now.pop().map(|Reverse(Keyed(entry))| entry)
    }
}

/// A calendar queue (Brown, 1988): a day for each stretch of time, again and again, as many days as there are entries.
struct Calendar {
    days: Vec<Vec<Entry>>,
    /// The length of a day.
    width: u64,
    /// The end of the day that is looked at.
    until: u64,
    count: usize,
    /// The time that was taken last.
    last: u64,
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar { days: vec![Vec::new(); 2], width: 1, until: 1, count: 0, last: 0 }
    }
}

impl Calendar {
    fn day(&self, at: u64) -> usize {
        (at / self.width) as usize & (self.days.len() - 1)
    }

    /// As many days as there are entries, three times as long as between the first entries on average.
    fn plan(&mut self) {
        let mut all: Vec<Entry> = self.days.drain(..).flatten().collect();
        all.sort_unstable_by_key(key);
        let some = &all[..all.len().min(64)];
        let gap = some.last().map_or(1, |last| (last.at - some[0].at) / some.len() as u64);
        self.width = (3 * gap).max(1);
        self.days = vec![Vec::new(); all.len().max(2).next_power_of_two()];
        self.until = (self.last / self.width + 1) * self.width;
        // Each day the earliest last.
        for entry in all.into_iter().rev() {
            let day = self.day(entry.at);
            self.days[day].push(entry);
        }
    }
}

impl Structure for Calendar {
    fn put(&mut self, entry: Entry) {
        let day = self.day(entry.at);
        let day = &mut self.days[day];
        let place = day.partition_point(|other| key(other) > key(&entry));
        day.insert(place, entry);
        self.count += 1;
        if self.count > 2 * self.days.len() {
            self.plan();
        }
    }
    fn take(&mut self) -> Option<Entry> {
        if self.count == 0 {
            return None;
        }
        for _ in 0..self.days.len() {
            let day = self.day(self.until - 1);
            if self.days[day].last().is_some_and(|entry| entry.at < self.until) {
                self.count -= 1;
                let entry = self.days[day].pop()?;
                self.last = entry.at;
                return Some(entry);
            }
            self.until += self.width;
        }
        // Nothing in a year: the first of all.
        let first = self.days.iter().filter_map(|day| day.last()).map(key).min()?;
        self.until = (first.0 / self.width + 1) * self.width;
        self.take()
    }
}

/// Seconds of CPU time of this process.
fn cpu_seconds() -> f64 {
    // SAFETY: the structure is plain numbers, for which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is valid for writes, and this call keeps no pointer to it.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

const OPERATIONS: usize = 1_000_000;

/// Nanoseconds to take an entry and put one in, and a digest of what came out.
fn measured<S: Structure>(entries: usize, delays: &[u64]) -> (f64, u64) {
    let (mut structure, mut order, mut digest) = (S::default(), 0, 0_u64);
    let mut draw = delays.iter().cycle();
    let mut next = |from: u64, structure: &mut S| {
        let delay = draw.next().copied().unwrap_or(1);
        order += 1;
        structure.put(Entry::new(from + delay, Kind::Delivery, order, 0, 0));
    };
    (0..entries).for_each(|_| next(0, &mut structure));
    let mut turn = |times: usize| {
        for _ in 0..times {
            if let Some(entry) = structure.take() {
                digest = digest.rotate_left(5) ^ entry.at ^ entry.order();
                next(entry.at, &mut structure);
            }
        }
    };
    turn(2 * entries);
    let before = cpu_seconds();
    turn(OPERATIONS);
    ((cpu_seconds() - before) * 1e9 / OPERATIONS as f64, digest)
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    const MS: u64 = 1_000_000;
    let drawn = |delay: Delay| -> Vec<u64> {
        let draw = |number| delay.nanos(&mut Stream::new(1, Purpose(0), (0, 0), number));
        (0..1 << 16).map(draw).collect()
    };
    // Messages, and a timer for each that is a thousand times as long.
    let mixed = |number: u64| {
        let delay = Stream::new(1, Purpose(0), (0, 0), number).below(9 * MS) + MS;
        if number.is_multiple_of(2) { delay } else { 1_000 * delay }
    };
    let loads = [
        ("1 to 10 ms, evenly", drawn(Delay::Uniform(MS, 10 * MS))),
        ("exponential, 10 ms", drawn(Delay::Exponential(10 * MS))),
        ("10 ms, always", vec![10 * MS]),
        ("messages and timers", (0..1 << 16).map(mixed).collect()),
    ];
    type Measured = fn(usize, &[u64]) -> (f64, u64);
    let structures: [(&str, Measured); 5] = [
        ("wheel", measured::<queue::Queue>),
        ("4-heap", measured::<heap::Heap>),
        ("2-heap", measured::<Binary>),
        ("radix", measured::<Radix>),
        ("calendar", measured::<Calendar>),
    ];
    print!("{:<20} {:>8}", "delays", "entries");
    structures.iter().for_each(|(name, _)| print!(" {name:>9}"));
    println!();
    for (name, delays) in &loads {
        for entries in [50, 500, 5_000, 50_000] {
            let mut least = [f64::INFINITY; 5];
            for _ in 0..rounds {
                let mut digests = Vec::new();
                for (least, (_, measured)) in least.iter_mut().zip(&structures) {
                    let (nanos, digest) = measured(entries, delays);
                    *least = least.min(nanos);
                    digests.push(digest);
                }
                assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "all take the same entries");
            }
            print!("{name:<20} {entries:>8}");
            least.iter().for_each(|nanos| print!(" {nanos:>9.1}"));
            println!();
        }
    }
}
