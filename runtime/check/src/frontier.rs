//! States that wait to be explored, and the order in which they are: the parameter of the search loop.
//!
//! States are rows of numbers, kept packed. A search in another order is another [`Frontier`]; nothing else changes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::options::CheckError;
use crate::report::Cut;
use crate::spill::{Scratch, Spilling};

/// How many states a worker takes at once.
const HAND: usize = 32;
/// How many states are packed together; also what threads hand to each other.
const CHUNK: usize = 512;
/// How long a waiting thread sleeps before it looks whether the search was ended.
const WAIT: Duration = Duration::from_millis(20);

/// A handful of states.
#[derive(Default)]
pub(crate) struct Hand {
    /// The rows, one after another.
    pub words: Vec<u32>,
    /// Their indices in the log.
    pub indices: Vec<u32>,
    /// How many steps led to each.
    pub depths: Vec<u32>,
    /// The fingerprint and the key of the properties of each.
    pub sums: Vec<Sums>,
}

/// What is known of a state by adding up its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// The fingerprint.
    pub fingerprint: u64,
    /// The key of the properties.
    pub key: u64,
}

/// A state that is to wait.
pub(crate) struct Waiting<'r> {
    /// Its row.
    pub words: &'r [u32],
    /// Its index in the log.
    pub index: u32,
    /// How many steps led to it.
    pub depth: u32,
    /// What its parts add up to.
    pub sums: Sums,
}

impl Hand {
    fn clear(&mut self) {
        self.words.clear();
        self.indices.clear();
        self.depths.clear();
        self.sums.clear();
    }
}

/// How a search is ended before its frontier is.
#[derive(Default)]
pub(crate) struct Control {
    /// 0, or the place in `CUTS` plus 1 of what ended the search.
    stop: AtomicU8,
    halt: AtomicBool,
    unsuited: AtomicBool,
    error: Mutex<Option<CheckError>>,
}

const CUTS: [Cut; 5] = [Cut::Violation, Cut::States, Cut::Time, Cut::Memory, Cut::Cancelled];

impl Control {
    /// Ends the search at once. What says so first is the reason.
    pub(crate) fn stop(&self, why: Cut) {
        self.stops(why);
    }

    /// Ends the search; whether nothing else had ended it before.
    fn stops(&self, why: Cut) -> bool {
        let code = CUTS.iter().position(|cut| *cut == why).map_or(0, |place| place as u8 + 1);
        self.stop.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Ends the search without a report.
    pub(crate) fn fail(&self, error: CheckError) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.stop(Cut::Cancelled);
    }

    /// Ends the search, for it to begin again in another layout; not where something else has ended it.
    pub(crate) fn unsuited(&self) {
        if self.stops(Cut::Cancelled) {
            self.unsuited.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the search is to begin again in another layout.
    pub(crate) fn is_unsuited(&self) -> bool {
        self.unsuited.load(Ordering::Relaxed)
    }

    /// What ended the search, if anything did.
    #[inline]
    pub(crate) fn stopped(&self) -> Option<Cut> {
        CUTS.get(usize::from(self.stop.load(Ordering::Relaxed)).wrapping_sub(1)).copied()
    }

    /// Why there is no report, if there is none.
    pub(crate) fn error(&self) -> Option<CheckError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// States that wait, in some order, for some threads.
pub(crate) trait Frontier: Sync {
    /// What one thread has of it for itself.
    type Local: Send;

    /// What the next thread has for itself.
    fn local(&self) -> Self::Local;

    /// Adds a state.
    fn push(&self, local: &mut Self::Local, state: &Waiting<'_>);

    /// Takes a few states; waits for other threads where there are none. False when the search is over.
    fn take(&self, local: &mut Self::Local, hand: &mut Hand, control: &Control) -> bool;

    /// A violation was found and the search is not to go on for long.
    fn violated(&self, control: &Control);

    /// About how many states wait.
    fn length(&self) -> u64;

    /// How many states wait that no thread has taken for itself, when the search is over.
    fn shared_left(&self) -> u64;

    /// Counted bytes when there were most.
    fn bytes_peak(&self) -> u64;

    /// Counted bytes now.
    fn bytes(&self) -> u64;

    /// Bytes that were written to disk.
    fn spilled(&self) -> u64 {
        0
    }

    /// How many states a thread leaves unexplored.
    fn left(&self, local: &Self::Local) -> u64;
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts bytes, and the most there were.
#[derive(Default)]
struct Account {
    now: AtomicU64,
    peak: AtomicU64,
}

impl Account {
    fn add(&self, bytes: u64) {
        let now = self.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(now, Ordering::Relaxed);
    }

    fn remove(&self, bytes: u64) {
        self.now.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// All states of a depth before any of the next. A level begins when all threads have ended the one before.
pub(crate) struct Breadth {
    stride: usize,
    threads: u32,
    levels: Mutex<Levels>,
    turned: Condvar,
    length: AtomicU64,
    account: Account,
    spilling: Option<Spilling>,
    spilled: AtomicU64,
    /// Why states could not be written to disk, until a thread tells everybody.
    failed: Mutex<Option<CheckError>>,
}

struct Levels {
    current: VecDeque<Stored>,
    next: VecDeque<Stored>,
    /// The file of `next`, if it has one yet.
    scratch: Option<Arc<Scratch>>,
    /// The depth of `current`; before the first level, the number before 0.
    depth: u32,
    busy: u32,
    over: bool,
}

struct Chunk {
    first: u32,
    count: u32,
    words: Packed,
    sums: Vec<Sums>,
}

/// States of a level, in memory or on disk.
enum Stored {
    Here(Chunk),
    Away { scratch: Arc<Scratch>, start: u64, length: usize, first: u32, count: u32, narrow: bool },
}

impl Chunk {
    fn bytes(&self) -> u64 {
        self.words.bytes() + (self.sums.capacity() * size_of::<Sums>()) as u64
    }

    /// As it stands on disk: the rows, then for each state its sums.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes() as usize);
        match &self.words {
            Packed::Narrow(words) => words.iter().for_each(|word| bytes.extend(word.to_le_bytes())),
            Packed::Wide(words) => words.iter().for_each(|word| bytes.extend(word.to_le_bytes())),
        }
        for Sums { fingerprint, key } in &self.sums {
            bytes.extend(fingerprint.to_le_bytes());
            bytes.extend(key.to_le_bytes());
        }
        bytes
    }

    /// The chunk that [`Chunk::to_bytes`] wrote.
    fn from_bytes(bytes: &[u8], first: u32, count: u32, narrow: bool) -> Self {
        let (words, sums) = bytes.split_at(bytes.len() - count as usize * size_of::<Sums>());
        let words = match narrow {
            true => {
                Packed::Narrow(words.as_chunks().0.iter().map(|word| u16::from_le_bytes(*word)).collect())
            }
            false => Packed::Wide(words.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()),
        };
        let longs: Vec<u64> = sums.as_chunks().0.iter().map(|long| u64::from_le_bytes(*long)).collect();
        let sums = longs.chunks_exact(2).map(|pair| Sums { fingerprint: pair[0], key: pair[1] }).collect();
        Chunk { first, count, words, sums }
    }
}

/// Numbers in two bytes each, where all fit.
enum Packed {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Packed {
    /// Adds a row. False where it does not fit: then nothing was added.
    #[inline]
    fn push(&mut self, row: &[u32]) -> bool {
        match self {
            Packed::Wide(words) => words.extend_from_slice(row),
            Packed::Narrow(words) => {
                let (length, mut all) = (words.len(), 0);
                words.extend(row.iter().map(|word| {
                    all |= word;
                    *word as u16
                }));
                if all > u32::from(u16::MAX) {
                    words.truncate(length);
                    return false;
                }
            }
        }
        true
    }

    fn bytes(&self) -> u64 {
        match self {
            Packed::Narrow(words) => words.capacity() as u64 * 2,
            Packed::Wide(words) => words.capacity() as u64 * 4,
        }
    }
}

/// What one thread has of a [`Breadth`].
#[derive(Default)]
pub(crate) struct BreadthLocal {
    reading: Option<Chunk>,
    /// How many states of `reading` were taken.
    taken: usize,
    depth: u32,
    writing: Option<Chunk>,
}

impl Breadth {
    pub(crate) fn new(stride: usize, threads: usize, spilling: Option<Spilling>) -> Self {
        let (current, next) = (VecDeque::new(), VecDeque::new());
        let levels =
            Levels { current, next, scratch: None, depth: u32::MAX, busy: threads as u32, over: false };
        Breadth {
            stride,
            threads: threads as u32,
            levels: Mutex::new(levels),
            turned: Condvar::new(),
            length: AtomicU64::new(0),
            account: Account::default(),
            spilling,
            spilled: AtomicU64::new(0),
            failed: Mutex::new(None),
        }
    }

    fn open(&self, first: u32, narrow: bool) -> Chunk {
        let capacity = CHUNK * self.stride;
        let words = match narrow {
            true => Packed::Narrow(Vec::with_capacity(capacity)),
            false => Packed::Wide(Vec::with_capacity(capacity)),
        };
        let chunk = Chunk { first, count: 0, words, sums: Vec::with_capacity(CHUNK) };
        self.account.add(chunk.bytes());
        chunk
    }

    fn hand_over(&self, mut chunk: Chunk) {
        let before = chunk.bytes();
        match &mut chunk.words {
            Packed::Narrow(words) => words.shrink_to_fit(),
            Packed::Wide(words) => words.shrink_to_fit(),
        }
        chunk.sums.shrink_to_fit();
        self.account.remove(before - chunk.bytes());
        self.length.fetch_add(u64::from(chunk.count), Ordering::Relaxed);
        let stored = match &self.spilling {
            Some(spilling) if self.bytes() > spilling.bytes_max => self.spill(spilling, chunk),
            _ => Stored::Here(chunk),
        };
        locked(&self.levels).next.push_back(stored);
    }

    /// Writes a chunk to disk; where that fails it stays in memory, and the search is told to end.
    fn spill(&self, spilling: &Spilling, chunk: Chunk) -> Stored {
        let write = || {
            let scratch = {
                let mut levels = locked(&self.levels);
                match &levels.scratch {
                    Some(scratch) => scratch.clone(),
                    None => levels.scratch.insert(spilling.open()?).clone(),
                }
            };
            let bytes = chunk.to_bytes();
            Ok((scratch.append(&bytes)?, bytes.len(), scratch))
        };
        match write() {
            Ok((start, length, scratch)) => {
                self.account.remove(chunk.bytes());
                self.spilled.fetch_add(length as u64, Ordering::Relaxed);
                let narrow = matches!(chunk.words, Packed::Narrow(_));
                Stored::Away { scratch, start, length, first: chunk.first, count: chunk.count, narrow }
            }
            Err(error) => {
                locked(&self.failed).get_or_insert(spilling.error(&error));
                Stored::Here(chunk)
            }
        }
    }

    /// A chunk in memory again; None where it cannot be read: then the search has been ended.
    fn fetch(&self, stored: Stored, control: &Control) -> Option<Chunk> {
        let (scratch, start, length, first, count, narrow) = match stored {
            Stored::Here(chunk) => return Some(chunk),
            Stored::Away { scratch, start, length, first, count, narrow } => {
                (scratch, start, length, first, count, narrow)
            }
        };
        match scratch.read(start, length) {
            Ok(bytes) => {
                let chunk = Chunk::from_bytes(&bytes, first, count, narrow);
                self.account.add(chunk.bytes());
                Some(chunk)
            }
            Err(error) => {
                let told = self.spilling.as_ref().map(|spilling| spilling.error(&error));
                told.into_iter().for_each(|error| control.fail(error));
                None
            }
        }
    }

    fn unpack(&self, local: &mut BreadthLocal, hand: &mut Hand) -> bool {
        let Some(chunk) = &local.reading else { return false };
        let (from, to) = (local.taken, (local.taken + HAND).min(chunk.count as usize));
        if from == to {
            self.account.remove(chunk.bytes());
            local.reading = None;
            return false;
        }
        let range = from * self.stride..to * self.stride;
        match &chunk.words {
            Packed::Narrow(words) => hand.words.extend(words[range].iter().map(|word| u32::from(*word))),
            Packed::Wide(words) => hand.words.extend_from_slice(&words[range]),
        }
        hand.indices.extend((from..to).map(|place| chunk.first + place as u32 * self.threads));
        hand.depths.resize(to - from, local.depth);
        hand.sums.extend_from_slice(&chunk.sums[from..to]);
        local.taken = to;
        true
    }

    /// Waits for the next level; the last to come begins it. False when there is none.
    fn turn(&self, mut levels: MutexGuard<'_, Levels>, control: &Control) -> bool {
        levels.busy -= 1;
        if levels.busy == 0 {
            let next = std::mem::take(&mut levels.next);
            levels.current = next;
            levels.scratch = None;
            levels.depth = levels.depth.wrapping_add(1);
            levels.busy = self.threads;
            levels.over = levels.current.is_empty() || control.halt.load(Ordering::Relaxed);
            self.turned.notify_all();
            return !levels.over;
        }
        let depth = levels.depth;
        while levels.depth == depth && !levels.over {
            if control.stopped().is_some() {
                return false;
            }
            let waited = self.turned.wait_timeout(levels, WAIT);
            levels = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !levels.over
    }
}

impl Frontier for Breadth {
    type Local = BreadthLocal;

    fn local(&self) -> BreadthLocal {
        BreadthLocal::default()
    }

    fn push(&self, local: &mut BreadthLocal, state: &Waiting<'_>) {
        let Waiting { words, index, sums, .. } = *state;
        if let Some(chunk) = &mut local.writing
            && (chunk.count as usize) < CHUNK
            && chunk.words.push(words)
        {
            debug_assert_eq!(chunk.first + chunk.count * self.threads, index, "indices are consecutive");
            chunk.count += 1;
            chunk.sums.push(sums);
            return;
        }
        let narrow = words.iter().all(|word| *word <= u32::from(u16::MAX));
        let mut chunk = self.open(index, narrow);
        chunk.words.push(words);
        chunk.sums.push(sums);
        chunk.count = 1;
        if let Some(full) = local.writing.replace(chunk) {
            self.hand_over(full);
        }
    }

    fn take(&self, local: &mut BreadthLocal, hand: &mut Hand, control: &Control) -> bool {
        hand.clear();
        loop {
            if self.spilling.is_some()
                && let Some(error) = locked(&self.failed).take()
            {
                control.fail(error);
            }
            if control.stopped().is_some() {
                return false;
            }
            if self.unpack(local, hand) {
                return true;
            }
            let mut levels = locked(&self.levels);
            if let Some(stored) = levels.current.pop_front() {
                let depth = levels.depth;
                drop(levels);
                let Some(chunk) = self.fetch(stored, control) else { return false };
                self.length.fetch_sub(u64::from(chunk.count), Ordering::Relaxed);
                (local.depth, local.taken, local.reading) = (depth, 0, Some(chunk));
                continue;
            }
            if let Some(chunk) = local.writing.take() {
                drop(levels);
                self.hand_over(chunk);
                levels = locked(&self.levels);
            }
            if !self.turn(levels, control) {
                return false;
            }
        }
    }

    /// The level is brought to its end, so that what was found does not depend on threads.
    fn violated(&self, control: &Control) {
        control.halt.store(true, Ordering::Relaxed);
    }

    fn length(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    fn shared_left(&self) -> u64 {
        self.length()
    }

    fn bytes_peak(&self) -> u64 {
        self.account.peak.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        self.account.now.load(Ordering::Relaxed)
    }

    fn spilled(&self) -> u64 {
        self.spilled.load(Ordering::Relaxed)
    }

    fn left(&self, local: &BreadthLocal) -> u64 {
        let reading = local.reading.as_ref().map_or(0, |chunk| chunk.count as usize - local.taken);
        let writing = local.writing.as_ref().map_or(0, |chunk| chunk.count as usize);
        (reading + writing) as u64
    }
}

/// The newest states next, a handful at a time. A thread that has none is given the oldest of another.
pub(crate) struct Depth {
    stride: usize,
    threads: usize,
    pool: Mutex<Pool>,
    given: Condvar,
    /// How many threads wait for states.
    idle: AtomicUsize,
    length: AtomicU64,
    account: Account,
}

struct Pool {
    stacks: Vec<Vec<u32>>,
    over: bool,
}

/// What one thread has of a [`Depth`].
pub(crate) struct DepthLocal {
    /// For each state its row, its index, its depth, and its sums.
    stack: Vec<u32>,
    counted: u64,
}

impl Depth {
    /// A hand of a depth first search: the more at once, the less it is one.
    const HAND: usize = 12;

    pub(crate) fn new(stride: usize, threads: usize) -> Self {
        Depth {
            stride,
            threads,
            pool: Mutex::new(Pool { stacks: Vec::new(), over: false }),
            given: Condvar::new(),
            idle: AtomicUsize::new(0),
            length: AtomicU64::new(0),
            account: Account::default(),
        }
    }

    fn size(&self) -> usize {
        self.stride + 6
    }

    fn count(&self, local: &mut DepthLocal) {
        let bytes = local.stack.capacity() as u64 * 4;
        if bytes > local.counted {
            self.account.add(bytes - local.counted);
        } else {
            self.account.remove(local.counted - bytes);
        }
        local.counted = bytes;
    }

    fn share(&self, local: &mut DepthLocal) {
        let states = local.stack.len() / self.size();
        if self.idle.load(Ordering::Relaxed) == 0 || states < 2 * Self::HAND {
            return;
        }
        let kept = local.stack.split_off(states / 2 * self.size());
        let given = std::mem::replace(&mut local.stack, kept);
        locked(&self.pool).stacks.push(given);
        self.given.notify_one();
    }

    /// Waits for another thread's states. False when no thread has any.
    fn wait(&self, local: &mut DepthLocal, control: &Control) -> bool {
        let mut pool = locked(&self.pool);
        self.idle.fetch_add(1, Ordering::Relaxed);
        loop {
            if let Some(stack) = pool.stacks.pop() {
                self.idle.fetch_sub(1, Ordering::Relaxed);
                local.stack = stack;
                return true;
            }
            if pool.over || self.idle.load(Ordering::Relaxed) == self.threads {
                pool.over = true;
                self.given.notify_all();
                return false;
            }
            if control.stopped().is_some() {
                return false;
            }
            let waited = self.given.wait_timeout(pool, WAIT);
            pool = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Frontier for Depth {
    type Local = DepthLocal;

    fn local(&self) -> DepthLocal {
        DepthLocal { stack: Vec::new(), counted: 0 }
    }

    fn push(&self, local: &mut DepthLocal, state: &Waiting<'_>) {
        let Sums { fingerprint, key } = state.sums;
        local.stack.extend_from_slice(state.words);
        local.stack.extend([state.index, state.depth]);
        local.stack.extend([fingerprint as u32, (fingerprint >> 32) as u32, key as u32, (key >> 32) as u32]);
    }

    fn take(&self, local: &mut DepthLocal, hand: &mut Hand, control: &Control) -> bool {
        hand.clear();
        if control.stopped().is_some() {
            return false;
        }
        self.share(local);
        self.count(local);
        if local.stack.is_empty() && !self.wait(local, control) {
            return false;
        }
        let size = self.size();
        for _ in 0..Self::HAND {
            let Some(start) = local.stack.len().checked_sub(size) else { break };
            let state = &local.stack[start..];
            let (words, rest) = state.split_at(self.stride);
            let long = |place: usize| u64::from(rest[place]) | u64::from(rest[place + 1]) << 32;
            hand.words.extend_from_slice(words);
            hand.indices.push(rest[0]);
            hand.depths.push(rest[1]);
            hand.sums.push(Sums { fingerprint: long(2), key: long(4) });
            local.stack.truncate(start);
        }
        self.length.store((local.stack.len() / size) as u64, Ordering::Relaxed);
        true
    }

    fn violated(&self, control: &Control) {
        control.stop(Cut::Violation);
    }

    fn length(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    fn shared_left(&self) -> u64 {
        locked(&self.pool).stacks.iter().map(|stack| (stack.len() / self.size()) as u64).sum()
    }

    fn bytes_peak(&self) -> u64 {
        self.account.peak.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        self.account.now.load(Ordering::Relaxed)
    }

    fn left(&self, local: &DepthLocal) -> u64 {
        (local.stack.len() / self.size()) as u64
    }
}
