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

use std::ops::Range;
use std::sync::atomic::Ordering;

use foresee_kernel::PropertyKind;
use foresee_world::{Ambient, Bound, cut_by};

use crate::consequences::Fresh;
use crate::frontier::{Frontier, Hand, Sums, Waiting};
use crate::gather::{Candidate, Out, SEVERAL, Sleep};
use crate::judge::{NOTHING, NearJudge};
use crate::log::{Log, ROOT};
use crate::memo::Near;
use crate::options::CheckError;
use crate::parts::{NearPuts, Parts, Transition, VISIBLE};
use crate::report::Cut;
use crate::shared::Shared;
use crate::tally::{Findings, Tally};
use crate::visited::{Arrival, Awake, Begin, Visited};

/// Successors that are gathered before they are looked up.
const BATCH: usize = 256;
/// Handfuls between two looks at the memory that the process has.
const HANDS_PER_LOOK: u32 = 64;
/// Depths beyond this are counted together in the histogram.
const HISTOGRAM_MAX: usize = 1 << 20;

/// What a thread knows of a part without asking anybody.
#[derive(Clone, Copy, Default)]
pub(crate) struct Hot {
    /// Where its transitions are in [`Worker::transitions`].
    first: u32,
    /// How many there are; and what is known of them, in the upper bits.
    pub length: u32,
    /// In how many explored states it occurred.
    pub count: u32,
}

/// The bits of [`Hot::length`] that say what is known; none of them for a part that was never asked for.
pub(crate) const KEPT: u32 = 1 << 31;
const FAULTY: u32 = 1 << 30;
pub(crate) const LOOSE: u32 = 1 << 29;
pub(crate) const LENGTH: u32 = LOOSE - 1;

/// One thread of a search.
pub(crate) struct Worker<'a, F: Frontier> {
    pub shared: &'a Shared<'a>,
    frontier: &'a F,
    pub local: F::Local,
    pub nodes: usize,
    /// How many numbers say what a state is.
    pub width: usize,
    /// How many numbers a row has: where nodes sleep, one more says which of them are to be explored again.
    pub stride: usize,
    /// By ambient and node, then by part.
    pub hot: Vec<Vec<Hot>>,
    /// The transitions of the parts that this thread met.
    transitions: Vec<Transition>,
    pub near_puts: NearPuts,
    near_judge: NearJudge,
    pub hand: Hand,
    pub candidates: Vec<Candidate>,
    /// Changes beyond the first of candidates: how many, then places in the row and what comes there.
    pub changes: Vec<(u32, u32)>,
    /// Nodes of the state that is explored of which some step is a fault.
    pub faulty: Vec<usize>,
    /// For consequence prediction.
    pub fresh: Fresh,
    row: Vec<u32>,
    /// The last key of which nothing is to be noted.
    sound: Option<u64>,
    pub log: Log,
    pub tally: Tally,
    pub findings: Findings,
    own_bytes: u64,
}

impl<'a, F: Frontier> Worker<'a, F> {
    pub(crate) fn new(shared: &'a Shared<'a>, frontier: &'a F, log: Log) -> Self {
        let model = foresee_world::Program::model(&shared.parts.program);
        let (nodes, properties) = (model.nodes.len(), model.properties.len());
        Worker {
            shared,
            frontier,
            local: frontier.local(),
            nodes,
            width: shared.parts.stride(),
            stride: shared.stride(),
            hot: Vec::new(),
            transitions: Vec::new(),
            near_puts: Near::new(15),
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
        let new = match (self.shared.graded, self.shared.sleepers) {
            (true, _) => table.arrive(fingerprint, 0).new,
            (false, 0) => table.insert(fingerprint),
            (false, _) => table.sleepers().arrive(fingerprint, 0) == Awake::New,
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
            let hot: usize = self.hot.iter().map(Vec::capacity).sum();
            let hot = hot * size_of::<Hot>() + self.transitions.capacity() * size_of::<Transition>();
            let bytes = self.log.bytes() + hot as u64;
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

    pub(crate) fn row_of(&self, place: usize) -> &[u32] {
        &self.hand.words[place * self.stride..(place + 1) * self.stride]
    }

    /// Gathers the successors of a state of the hand.
    fn expand(&mut self, place: usize, table: &Visited) {
        let Some(first) = self.admit(place, table) else { return };
        if self.shared.consequences {
            return self.expand_consequences(place, first, table);
        }
        let sleep = self.sleep(place, table);
        let ambient = self.shared.parts.ambient(&self.row_of(place)[..self.width]);
        let slots = ambient as usize * self.nodes..(ambient as usize + 1) * self.nodes;
        if self.hot.len() < slots.end {
            self.hot.resize_with(slots.end, Vec::new);
        }
        let mut reached = Reached { node: 0, ordinal: 0 };
        loop {
            self.gather(place, slots.clone(), &mut reached, first, sleep, table);
            if reached.node == self.nodes {
                break;
            }
            // A part that this thread does not know, or whose transitions are not kept.
            self.load(place, slots.start + reached.node, reached.node, ambient);
            if self.hot[slots.start + reached.node][self.row_of(place)[reached.node] as usize].length & LOOSE
                != 0
            {
                self.expand_loose(place, &mut reached, ambient, first, sleep, table);
            }
        }
        if self.shared.parts.concerns_several() {
            self.expand_several(place, reached.ordinal, first, table);
        }
        while let Some(node) = self.faulty.pop() {
            self.faulted(place, node, first);
        }
    }

    /// Which nodes sleep in a state that is about to be explored.
    #[inline]
    fn sleep(&self, place: usize, table: &Visited) -> Sleep {
        if self.shared.sleepers == 0 {
            return Sleep { asleep: 0, mask: 0, again: false };
        }
        let mask = (1 << self.shared.sleepers) - 1;
        match self.hand.words[place * self.stride + self.width] {
            0 => {
                let asleep = table.sleepers().begin(self.hand.sums[place].fingerprint);
                Sleep { asleep, mask, again: false }
            }
            // Those that slept when it was explored, and do not sleep any more.
            woken => Sleep { asleep: !woken, mask, again: true },
        }
    }

    /// Gathers where the parts of a state lead, from `reached` on, up to one that is not known.
    #[inline]
    fn gather(
        &mut self,
        place: usize,
        slots: Range<usize>,
        reached: &mut Reached,
        first: bool,
        sleep: Sleep,
        table: &Visited,
    ) {
        let row = &self.hand.words[place * self.stride..place * self.stride + self.width];
        let hot = &mut self.hot[slots];
        let transitions = &self.transitions[..];
        let mut out = Out {
            parts: self.shared.parts,
            row,
            fingerprint: self.hand.sums[place].fingerprint,
            parent: place as u32,
            sleep,
            near_puts: &mut self.near_puts,
            candidates: &mut self.candidates,
            changes: &mut self.changes,
            table,
        };
        let Reached { mut node, mut ordinal } = *reached;
        for (slot, part) in hot[node..].iter_mut().zip(&row[node..]) {
            let Some(known) = slot.get_mut(*part as usize) else { break };
            let Hot { first: start, length: marked, .. } = *known;
            if marked & (KEPT | FAULTY) != KEPT {
                if marked & KEPT == 0 {
                    break;
                }
                self.faulty.push(node);
            }
            known.count += u32::from(first);
            let length = marked & LENGTH;
            if length > 0 && sleep.wakes(node) {
                out.gather(node, ordinal, &transitions[start as usize..(start + length) as usize]);
            }
            ordinal += length;
            node += 1;
        }
        *reached = Reached { node, ordinal };
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
            match table.begin(self.hand.sums[place].fingerprint, depth) {
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
        let parts = self.row_of(place)[..self.nodes].iter().enumerate();
        parts.map(|(node, part)| self.shared.parts.part(node, *part).messages as usize).sum()
    }

    /// Asks for the transitions of a part.
    #[cold]
    pub(crate) fn load(&mut self, place: usize, slot: usize, node: usize, ambient: u32) {
        let part = self.row_of(place)[node];
        let known = &mut self.hot[slot];
        if known.len() <= part as usize {
            known.resize(part as usize + 1, Hot::default());
        }
        let hot = &mut known[part as usize];
        if hot.length & LOOSE != 0 {
            return;
        }
        self.findings.growth.meet(self.shared.parts, node, part, self.hand.depths[place]);
        let room = self.transitions.len() < LENGTH as usize;
        match self.shared.parts.kept_expansion(node, part, ambient).filter(|_| room) {
            None => hot.length = LOOSE,
            Some(expansion) => {
                let length = expansion.transitions.len() as u32;
                let faulty = if expansion.faults > 0 { FAULTY } else { 0 };
                let first = self.transitions.len() as u32;
                *hot = Hot { first, length: length | KEPT | faulty, count: 0 };
                self.transitions.extend_from_slice(&expansion.transitions);
            }
        }
    }

    /// Gathers where the part that was reached leads, whose transitions are not kept.
    fn expand_loose(
        &mut self,
        place: usize,
        reached: &mut Reached,
        ambient: u32,
        first: bool,
        sleep: Sleep,
        table: &Visited,
    ) {
        let (parts, node) = (self.shared.parts, reached.node);
        let row = &self.hand.words[place * self.stride..place * self.stride + self.width];
        let expansion = parts.expand(node, row[node], ambient);
        let mut out = Out {
            parts,
            row,
            fingerprint: self.hand.sums[place].fingerprint,
            parent: place as u32,
            sleep,
            near_puts: &mut self.near_puts,
            candidates: &mut self.candidates,
            changes: &mut self.changes,
            table,
        };
        if sleep.wakes(node) {
            out.gather(node, reached.ordinal, &expansion.transitions);
        }
        if first {
            self.tally.expansion(parts, &expansion, 1);
        }
        if expansion.faults > 0 {
            self.faulty.push(node);
        }
        *reached = Reached { node: node + 1, ordinal: reached.ordinal + expansion.transitions.len() as u32 };
    }

    /// Gathers where what concerns several nodes at once leads.
    #[cold]
    pub(crate) fn expand_several(&mut self, place: usize, ordinal: u32, first: bool, table: &Visited) {
        let parts = self.shared.parts;
        let row = &self.hand.words[place * self.stride..place * self.stride + self.width];
        let mut out = Out {
            parts,
            row,
            fingerprint: self.hand.sums[place].fingerprint,
            parent: place as u32,
            sleep: Sleep { asleep: 0, mask: 0, again: false },
            near_puts: &mut self.near_puts,
            candidates: &mut self.candidates,
            changes: &mut self.changes,
            table,
        };
        if let Some(divides) = parts.divides(parts.ambient(row)) {
            out.divides(ordinal, &divides.after);
            if first {
                self.tally.expansion(parts, &divides.counted, 1);
            }
            return;
        }
        let several = match parts.several(row) {
            Ok(several) => several,
            Err(error) => return self.shared.control.fail(error),
        };
        out.several(ordinal, &several.rows);
        if first {
            self.tally.expansion(parts, &several.counted, 1);
        }
        if several.counted.faults > 0 {
            self.faulty.push(self.nodes);
        }
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
        for candidate in batch {
            let (arrival, woken) = match sleepers {
                Some(sleepers) => match sleepers.arrive(candidate.fingerprint, candidate.asleep) {
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
                    (table.arrive(candidate.fingerprint, depth), 0)
                }
                None => {
                    let new = table.insert(candidate.fingerprint);
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

    /// Makes the state of a candidate, and notes it.
    #[inline(never)]
    fn reach(&mut self, candidate: &Candidate, arrival: Arrival, woken: u32) {
        let (place, node) = (candidate.parent as usize, candidate.node as usize);
        let parts = self.shared.parts;
        self.row.clear();
        self.row.extend_from_slice(&self.hand.words[place * self.stride..(place + 1) * self.stride]);
        let several = candidate.node == SEVERAL;
        let before = if several { 0 } else { std::mem::replace(&mut self.row[node], candidate.part) };
        let ambient = parts.ambient(&self.row[..self.width]);
        if let Some(more) = candidate.more.checked_sub(1) {
            let (count, _) = self.changes[more as usize];
            let more = more as usize + 1;
            for (node, part) in &self.changes[more..more + count as usize] {
                self.row[*node as usize] = *part;
            }
        }
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
    pub(crate) fn faulted(&mut self, place: usize, node: usize, first: bool) {
        if first {
            self.findings.fault(self.hand.depths[place] + 1, self.hand.indices[place], node);
            if !self.shared.options.keep_going {
                self.frontier.violated(self.shared.control);
            }
        }
    }

    /// What is left of the work, when it is over: how often each part occurred is put into the tally.
    pub(crate) fn finish(mut self) -> (Log, Tally, Findings) {
        for (slot, parts) in self.hot.iter().enumerate() {
            let (ambient, node) = ((slot / self.nodes) as u32, slot % self.nodes);
            for (part, hot) in parts.iter().enumerate().filter(|(_, hot)| hot.count > 0) {
                if let Some(expansion) = self.shared.parts.kept(node, part as u32, ambient) {
                    self.tally.expansion(self.shared.parts, expansion, u64::from(hot.count));
                }
            }
        }
        for (slot, part, count) in self.fresh.partly() {
            let (ambient, node) = ((slot / self.nodes) as u32, slot % self.nodes);
            if let Some(expansion) = self.shared.parts.kept(node, part, ambient) {
                self.tally.partly(self.shared.parts, expansion, u64::from(count), false);
            }
        }
        self.findings.left_out += self.fresh.left_out;
        self.findings.left += self.frontier.left(&self.local);
        (self.log, self.tally, self.findings)
    }
}

/// How far the parts of a state were gathered.
struct Reached {
    node: usize,
    /// How many transitions there were so far.
    ordinal: u32,
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
