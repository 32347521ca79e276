//! The search loop: take a handful of states, look up what may happen to each part of each, note what is new.
//!
//! Successors of a handful are gathered before any is looked up in the table of visited states, so that the cells they
//! need are on their way by then. No world is made for a known state: a fingerprint is a sum that every transition adds
//! to. There is one loop; breadth first and depth first differ in their [`Frontier`].
//!
//! # Sleeping nodes
//! Steps of different nodes commute: what one sends to the other changes nothing of what the other can do already. So of
//! two orders of two steps one leads nowhere that the other does not. When a state is reached by a step of node `i`, the nodes
//! before `i` that were explored from its parent *sleep* in it, and so do those that slept in its parent, but for `i` and
//! whoever was sent something new: their steps are not looked up, since what they lead to is reached in the other order, in as
//! many steps. Which nodes sleep is kept beside the fingerprint. Reached again with fewer asleep, a state that was
//! explored is explored again as to these (Godefroid, *Partial-Order Methods for the Verification of Concurrent Systems*,
//! 1996, with nodes for transitions).
//!
//! All states are seen, breadth first at the same depth, and all steps are counted as if they were taken: nothing reported
//! depends on it. Steps do not commute where a workload or faults change what the others may do, where budgets are spent, or where a
//! bound cuts states by what they are; there nobody sleeps.
//!
//! # Depth first within a depth
//! A bound on depth is about shortest ways, and a depth first search reaches states by longer ones. So under such a bound
//! it keeps the least depth of each state beside its fingerprint, and explores a state again when it is reached in fewer
//! steps. It ends with the states, transitions and verdicts of a breadth first search; states may be explored often.

use std::sync::atomic::Ordering;

use foresee_kernel::PropertyKind;
use foresee_world::{Ambient, Bound, cut_by};

use crate::consequences::Fresh;
use crate::expansion::VISIBLE;
use crate::frontier::{Frontier, Hand, Sums, Waiting};
use crate::gather::{Candidate, Out, SEVERAL, Sleep};
use crate::judge::{NOTHING, NearJudge};
use crate::log::{Log, ROOT};
use crate::network::Network;
use crate::options::CheckError;
use crate::parts::Parts;
use crate::report::Cut;
use crate::shared::Shared;
use crate::tally::{Findings, Tally};
use crate::visited::{Arrival, Awake, Begin, Print, Visited};

/// Successors that are gathered before they are looked up.
const BATCH: usize = 256;
/// Handfuls between two looks at the memory that the process has.
const HANDS_PER_LOOK: u32 = 64;
/// Depths beyond this are counted together in the histogram.
const HISTOGRAM_MAX: usize = 1 << 20;

/// One thread of a search.
pub(crate) struct Worker<'a, F: Frontier, N: Network> {
    shared: &'a Shared<'a>,
    frontier: &'a F,
    local: F::Local,
    network: N,
    /// How many numbers say what a state is.
    width: usize,
    /// How many numbers a row has: where nodes sleep, one more says which of them are to be explored again.
    stride: usize,
    near_judge: NearJudge,
    hand: Hand,
    candidates: Vec<Candidate>,
    /// Changes beyond the first of candidates: how many, what the network says besides, and then places in the row and what comes there.
    changes: Vec<(u32, u32)>,
    /// Nodes of the state that is explored of which some step is a fault.
    faulty: Vec<usize>,
    /// For consequence prediction.
    fresh: Fresh,
    row: Vec<u32>,
    /// The last key of which nothing is to be noted.
    sound: Option<u64>,
    log: Log,
    tally: Tally,
    findings: Findings,
    own_bytes: u64,
}

impl<'a, F: Frontier, N: Network> Worker<'a, F, N> {
    pub(crate) fn new(shared: &'a Shared<'a>, frontier: &'a F, log: Log) -> Self {
        let model = foresee_world::Program::model(&shared.parts.program);
        let properties = model.properties.len();
        Worker {
            shared,
            frontier,
            local: frontier.local(),
            network: N::new(),
            width: shared.parts.stride(),
            stride: shared.stride(),
            near_judge: NearJudge::new(),
            hand: Hand::default(),
            candidates: Vec::new(),
            changes: Vec::new(),
            faulty: Vec::new(),
            fresh: Fresh::default(),
            row: Vec::new(),
            sound: None,
            log,
            tally: Tally::new(model),
            findings: Findings::new(properties),
            own_bytes: 0,
        }
    }

    /// Notes a first state.
    ///
    /// # Errors
    /// No memory for it.
    pub(crate) fn root(&mut self, words: &[u32], number: u32) -> Result<(), CheckError> {
        let fingerprint = self.shared.parts.fingerprint(words);
        if !self.shared.make_room(1, 0) {
            return Err(CheckError::NoMemory);
        }
        let table = self.shared.table();
        let print = self.print(fingerprint, words);
        let new = match (self.shared.graded, self.shared.sleepers) {
            (true, _) => table.arrive(print, 0).new,
            (false, 0) => table.insert(print),
            (false, _) => table.sleepers().arrive(print, 0) == Awake::New,
        };
        drop(table);
        if new {
            self.shared.unique.fetch_add(1, Ordering::Relaxed);
            let key = key_of(self.shared.parts, words);
            self.row.clear();
            self.row.extend_from_slice(words);
            self.row.resize(self.stride, 0);
            let arrival = Arrival { new: true, nearer: true };
            self.arrive(Sums { fingerprint, key }, (ROOT, number), 0, arrival);
        }
        Ok(())
    }

    /// Explores until the frontier is empty or the search is stopped.
    pub(crate) fn run(&mut self) {
        let mut hands = 0_u32;
        let mut hand = std::mem::take(&mut self.hand);
        while self.frontier.take(&mut self.local, &mut hand, self.shared.control) {
            std::mem::swap(&mut self.hand, &mut hand);
            self.explore();
            std::mem::swap(&mut self.hand, &mut hand);
            hands = hands.wrapping_add(1);
            self.look_around(hands.is_multiple_of(HANDS_PER_LOOK));
        }
        self.hand = hand;
    }

    fn look_around(&mut self, thoroughly: bool) {
        let Shared { progress, unique, .. } = self.shared;
        progress.unique_states.store(unique.load(Ordering::Relaxed), Ordering::Relaxed);
        progress.frontier.store(self.frontier.length(), Ordering::Relaxed);
        if thoroughly {
            let bytes = self.log.bytes() + self.network.bytes();
            self.shared.own_bytes.fetch_add(bytes - self.own_bytes.min(bytes), Ordering::Relaxed);
            self.own_bytes = bytes.max(self.own_bytes);
        }
        self.shared.look_at_budgets(self.frontier.bytes(), thoroughly);
    }

    /// Explores the states of the hand.
    fn explore(&mut self) {
        let (shared, mut place) = (self.shared, 0);
        while place < self.hand.indices.len() {
            if shared.control.stopped().is_some() {
                self.findings.left += (self.hand.indices.len() - place) as u64;
                return;
            }
            let table = shared.table();
            if shared.sleepers > 0 && place == 0 {
                self.hand.sums.iter().for_each(|sums| table.prefetch(sums.fingerprint));
            }
            while place < self.hand.indices.len() && self.candidates.len() < BATCH {
                self.expand(place, &table);
                place += 1;
            }
            drop(table);
            self.flush();
        }
    }

    /// What a state is known by.
    #[inline]
    fn print(&self, first: u64, words: &[u32]) -> Print {
        Print { first, second: if self.shared.wide { self.shared.parts.second(words) } else { 0 } }
    }

    /// What a state of the hand is known by.
    #[inline]
    fn print_of(&self, place: usize) -> Print {
        self.print(self.hand.sums[place].fingerprint, &self.row_of(place)[..self.width])
    }

    fn row_of(&self, place: usize) -> &[u32] {
        &self.hand.words[place * self.stride..(place + 1) * self.stride]
    }

    /// Gathers the successors of a state of the hand.
    fn expand(&mut self, place: usize, table: &Visited) {
        let Some(first) = self.admit(place, table) else { return };
        let consequences = self.shared.consequences;
        let sleep = self.sleep(place, table);
        let (parts, hand) = (self.shared.parts, &self.hand);
        let row = &hand.words[place * self.stride..place * self.stride + self.width];
        let mut out = Out {
            parts,
            row,
            ambient: parts.ambient(row),
            fingerprint: hand.sums[place].fingerprint,
            parent: place as u32,
            depth: hand.depths[place],
            first,
            sleep,
            candidates: &mut self.candidates,
            changes: &mut self.changes,
            faulty: &mut self.faulty,
            tally: &mut self.tally,
            growth: &mut self.findings.growth,
            table,
        };
        let ordinal = if consequences {
            self.network.consequences(&mut out, &mut self.fresh)
        } else {
            self.network.all(&mut out)
        };
        if parts.concerns_several() {
            if !consequences || self.fresh.is_some() {
                if let Err(error) = expand_several(&mut out, ordinal) {
                    return self.shared.control.fail(error);
                }
            } else {
                self.fresh.left = true;
            }
        }
        self.fresh.left_out += u64::from(self.fresh.left && first);
        while let Some(node) = self.faulty.pop() {
            self.faulted(place, node, first);
        }
    }

    /// Which nodes sleep in a state that is about to be explored.
    #[inline]
    fn sleep(&self, place: usize, table: &Visited) -> Sleep {
        if self.shared.sleepers == 0 {
            return Sleep::default();
        }
        let mask = (1 << self.shared.sleepers) - 1;
        match self.hand.words[place * self.stride + self.width] {
            0 => {
                let asleep = table.sleepers().begin(self.print_of(place));
                Sleep { asleep, mask, again: false }
            }
            // Those that slept when it was explored, and do not sleep any more.
            woken => Sleep { asleep: !woken, mask, again: true },
        }
    }

    /// Whether a state is to be explored, and then whether for the first time.
    fn admit(&mut self, place: usize, table: &Visited) -> Option<bool> {
        let depth = self.hand.depths[place];
        let bounds = &self.shared.bounds;
        let messages = if bounds.messages.is_some() { self.in_flight(place) } else { 0 };
        let mut error = None;
        let cut = cut_by(bounds, depth, messages, || {
            let row = &self.hand.words[place * self.stride..place * self.stride + self.width];
            let Shared { parts, .. } = self.shared;
            let holds = parts.judge.within(&parts.program, &mut self.near_judge, || seen_of(parts, row));
            holds.unwrap_or_else(|problem| {
                error = Some(problem);
                false
            })
        });
        if let Some(error) = error {
            self.shared.control.fail(error);
            return None;
        }
        // A state of which some nodes were woken has been explored.
        let mut first = self.stride == self.width || self.row_of(place)[self.width] == 0;
        if self.shared.graded {
            if cut == Some(Bound::Depth) {
                // Counted at the end, when it is known what stayed so deep.
                return None;
            }
            match table.begin(self.print_of(place), depth) {
                Begin::First => {}
                Begin::Again => first = false,
                Begin::Stale => return None,
            }
        }
        match cut {
            None => Some(first),
            Some(bound) => {
                self.findings.cuts[bound as usize] += u64::from(first);
                None
            }
        }
    }

    fn in_flight(&self, place: usize) -> usize {
        self.shared.parts.in_flight(&self.row_of(place)[..self.width])
    }

    /// Notes the states among the candidates that are new.
    fn flush(&mut self) {
        let shared = self.shared;
        let candidates = std::mem::take(&mut self.candidates);
        let more = shared.options.threads.max(1) as u64 * BATCH as u64;
        let mut rest = &candidates[..];
        while !rest.is_empty() && shared.control.stopped().is_none() {
            if !shared.make_room(more, self.frontier.bytes()) {
                break;
            }
            let batch = &rest[..rest.len().min(BATCH)];
            let room = shared.table().room();
            let done = self.look_up(batch);
            rest = &rest[done..];
            if done < batch.len() && shared.control.stopped().is_none() {
                shared.grow(room, self.frontier.bytes());
            }
        }
        shared.progress.transitions.fetch_add(candidates.len() as u64, Ordering::Relaxed);
        self.candidates = candidates;
        self.candidates.clear();
        self.changes.clear();
    }

    /// Notes candidates. How many: less than all where the search is stopped or the table has to grow.
    fn look_up(&mut self, batch: &[Candidate]) -> usize {
        let shared = self.shared;
        let table = shared.table();
        let sleepers = (shared.sleepers > 0).then(|| table.sleepers());
        let counted = shared.options.max_states.is_some();
        let (mut new, mut done) = (0, 0);
        if shared.control.stopped().is_some() {
            // The table may have been left behind unfinished.
            return 0;
        }
        for candidate in batch {
            let mut print = Print::from(candidate.fingerprint);
            if shared.wide {
                self.make_row(candidate);
                print.second = shared.parts.second(&self.row[..self.width]);
            }
            let (arrival, woken) = match sleepers {
                Some(sleepers) => match sleepers.arrive(print, candidate.asleep) {
                    Awake::New => (Arrival { new: true, nearer: true }, 0),
                    Awake::Known(0) => {
                        done += 1;
                        continue;
                    }
                    Awake::Known(woken) => (Arrival { new: false, nearer: true }, woken),
                    Awake::Full => break,
                },
                None if shared.graded => {
                    let depth = self.hand.depths[candidate.parent as usize] + 1;
                    (table.arrive(print, depth), 0)
                }
                None => {
                    let new = table.insert(print);
                    (Arrival { new, nearer: new }, 0)
                }
            };
            if arrival.new {
                if counted && !self.allowed() {
                    break;
                }
                new += 1;
            }
            done += 1;
            if arrival.new || arrival.nearer {
                self.reach(candidate, arrival, woken);
            }
        }
        if !counted {
            shared.unique.fetch_add(new, Ordering::Relaxed);
        }
        done
    }

    /// Counts one more state. Whether it is within the budget of states.
    fn allowed(&self) -> bool {
        let most = self.shared.options.max_states.unwrap_or(u64::MAX);
        let allowed = self.shared.unique.fetch_add(1, Ordering::Relaxed) < most;
        if !allowed {
            self.shared.unique.fetch_sub(1, Ordering::Relaxed);
            self.shared.control.stop(Cut::States);
        }
        allowed
    }

    /// Makes the row of a candidate.
    #[inline]
    fn make_row(&mut self, candidate: &Candidate) {
        let place = candidate.parent as usize;
        self.row.clear();
        self.row.extend_from_slice(&self.hand.words[place * self.stride..(place + 1) * self.stride]);
        match candidate.node == SEVERAL {
            true => put_several(candidate, &self.changes, &mut self.row),
            false => N::make(self.shared.parts, candidate, &self.changes, &mut self.row[..self.width]),
        }
    }

    /// Makes the state of a candidate, and notes it.
    #[inline(never)]
    fn reach(&mut self, candidate: &Candidate, arrival: Arrival, woken: u32) {
        let (place, node) = (candidate.parent as usize, candidate.node as usize);
        let parts = self.shared.parts;
        let several = candidate.node == SEVERAL;
        let parent = self.row_of(place);
        let before = if several { 0 } else { parent[node] };
        let ambient = parts.ambient(&parent[..self.width]);
        self.make_row(candidate);
        if self.stride > self.width {
            self.row[self.width] = woken;
        }
        let mut key = self.hand.sums[place].key;
        if several || ambient != parts.ambient(&self.row[..self.width]) {
            key = key_of(parts, &self.row[..self.width]);
        } else if candidate.ordinal & VISIBLE != 0 {
            let change = parts.part(node, candidate.part).key.wrapping_sub(parts.part(node, before).key);
            key = key.wrapping_add(change);
        }
        let from = (self.hand.indices[place], candidate.ordinal & !VISIBLE);
        let sums = Sums { fingerprint: candidate.fingerprint, key };
        self.arrive(sums, from, self.hand.depths[place] + 1, arrival);
    }

    /// Notes the state of `self.row`: how it was reached; whether properties hold, if it is new; and that it is to be
    /// explored, where it has to be.
    #[inline]
    fn arrive(&mut self, sums: Sums, from: (u32, u32), depth: u32, arrival: Arrival) {
        let Some(index) = self.log.push(from.0, from.1) else {
            self.shared.control.stop(Cut::States);
            return;
        };
        if arrival.new {
            let place = (depth as usize).min(HISTOGRAM_MAX);
            if self.findings.histogram.len() <= place {
                self.findings.histogram.resize(place + 1, 0);
                self.shared.progress.depth.fetch_max(depth, Ordering::Relaxed);
            }
            self.findings.histogram[place] += 1;
            if self.sound != Some(sums.key) {
                self.judge(sums.key, depth, index);
            }
        }
        if arrival.nearer {
            self.frontier.push(&mut self.local, &Waiting { words: &self.row, index, depth, sums });
        }
    }

    /// Evaluates the properties in the state of `self.row`.
    fn judge(&mut self, key: u64, depth: u32, index: u32) {
        let Shared { parts, options, .. } = self.shared;
        let state = || seen_of(parts, &self.row[..self.width]);
        let found = match parts.judge.findings(&parts.program, &mut self.near_judge, key, state) {
            Ok(found) => found,
            Err(error) => return self.shared.control.fail(error),
        };
        if found == NOTHING {
            self.sound = Some(key);
            return;
        }
        let model = foresee_world::Program::model(&parts.program);
        for property in parts.judge.set(found) {
            let property = usize::from(*property);
            self.findings.note(property, depth, index);
            if model.properties[property].kind != PropertyKind::Reachable && !options.keep_going {
                self.frontier.violated(self.shared.control);
            }
        }
    }

    /// Notes that some step of the part of `node` is a fault.
    #[cold]
    fn faulted(&mut self, place: usize, node: usize, first: bool) {
        if first {
            self.findings.fault(self.hand.depths[place] + 1, self.hand.indices[place], node);
            if !self.shared.options.keep_going {
                self.frontier.violated(self.shared.control);
            }
        }
    }

    /// What is left of the work, when it is over: how often each part occurred is put into the tally.
    pub(crate) fn finish(mut self) -> (Log, Tally, Findings) {
        self.network.count(self.shared.parts, &mut self.tally);
        self.findings.left_out += self.fresh.left_out;
        self.findings.left += self.frontier.left(&self.local);
        (self.log, self.tally, self.findings)
    }
}

/// Gathers where what concerns several nodes at once leads.
#[cold]
fn expand_several(out: &mut Out<'_>, ordinal: u32) -> Result<(), CheckError> {
    let (parts, first) = (out.parts, out.first);
    if let Some(divides) = parts.divides(out.ambient) {
        out.divides(ordinal, &divides.after);
        if first {
            out.tally.expansion(parts, &divides.counted, 1);
        }
        return Ok(());
    }
    let several = parts.several(out.row)?;
    out.several(ordinal, &several.rows);
    if first {
        out.tally.expansion(parts, &several.counted, 1);
    }
    if several.counted.faults > 0 {
        out.faulty.push(parts.nodes());
    }
    Ok(())
}

/// Makes of its parent's row the row of a candidate that concerns several nodes.
fn put_several(candidate: &Candidate, changes: &[(u32, u32)], row: &mut [u32]) {
    let Some(more) = candidate.more.checked_sub(1) else { return };
    let (count, _) = changes[more as usize];
    for (place, word) in &changes[more as usize + 1..][..count as usize] {
        row[*place as usize] = *word;
    }
}

/// What properties may see of a row: the states of nodes, and the ambient.
fn seen_of(parts: &Parts, row: &[u32]) -> (Vec<u32>, Ambient) {
    let nodes = row[..parts.nodes()].iter().enumerate();
    let nodes = nodes.map(|(node, part)| parts.part(node, *part).node()).collect();
    (nodes, parts.ambient_of(parts.ambient(row)).clone())
}

/// The key of the properties in a row.
fn key_of(parts: &Parts, row: &[u32]) -> u64 {
    let ambient = parts.judge.ambient_key(parts.ambient_of(parts.ambient(row)));
    let nodes = row[..parts.nodes()].iter().enumerate();
    nodes.fold(ambient, |sum, (node, part)| sum.wrapping_add(parts.part(node, *part).key))
}
