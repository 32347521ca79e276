//! The search loop: take a handful of states, look up what may happen to each part of each, note what is new.
//!
//! Successors of a handful are gathered before any is looked up in the table of visited states, so that the cells they
//! need are on their way by then. No world is made for a known state: a fingerprint is a sum that every transition adds
//! to. There is one loop; breadth first and depth first differ in their [`Frontier`].
//!
//! # Depth first within a depth
//! A bound on depth is about shortest ways, and a depth first search reaches states by longer ones. So under such a bound
//! it keeps the least depth of each state beside its fingerprint, and explores a state again when it is reached in fewer
//! steps. It ends with the states, transitions and verdicts of a breadth first search; states may be explored often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use foresee_kernel::{Bounds, PropertyKind};
use foresee_world::{Bound, cut_by};

use crate::frontier::{Control, Frontier, Hand};
use crate::judge::{NOTHING, NearJudge};
use crate::log::{Log, ROOT};
use crate::memo::Near;
use crate::options::{CheckError, Options, Progress};
use crate::pages;
use crate::parts::{Expansion, NearPuts, Parts, Transition, VISIBLE};
use crate::report::Cut;
use crate::tally::{Findings, Tally};
use crate::visited::{Begin, Visited};

/// Successors that are gathered before they are looked up.
const BATCH: usize = 256;
/// Handfuls between two looks at the memory that the process has.
const HANDS_PER_LOOK: u32 = 256;
/// Depths beyond this are counted together in the histogram.
const HISTOGRAM_MAX: usize = 1 << 20;

/// What the threads of a search share.
pub(crate) struct Shared<'a> {
    pub parts: &'a Parts,
    pub options: &'a Options,
    /// The bounds of the model, the options' bound on depth included.
    pub bounds: Bounds,
    pub visited: RwLock<Visited>,
    /// Whether depths are kept beside fingerprints.
    pub graded: bool,
    pub unique: AtomicU64,
    /// Bytes of the logs, and of what threads have for themselves.
    pub own_bytes: AtomicU64,
    pub control: &'a Control,
    pub progress: &'a Progress,
    pub started: Instant,
}

impl Shared<'_> {
    fn table(&self) -> RwLockReadGuard<'_, Visited> {
        self.visited.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grows the table until `more` states fit. False where they cannot: then the search has been stopped.
    fn make_room(&self, more: u64, frontier_bytes: u64) -> bool {
        loop {
            if self.unique.load(Ordering::Relaxed) + more <= self.table().room() {
                return true;
            }
            let mut table = self.visited.write().unwrap_or_else(PoisonError::into_inner);
            if self.unique.load(Ordering::Relaxed) + more <= table.room() {
                return true;
            }
            let most = self.options.max_memory.unwrap_or(u64::MAX);
            let needed = self.counted(frontier_bytes, table.bytes()) + 2 * table.bytes();
            match if needed > most { None } else { table.grown() } {
                Some(grown) => *table = grown,
                None => {
                    self.control.stop(Cut::Memory);
                    return false;
                }
            }
        }
    }

    fn counted(&self, frontier: u64, table: u64) -> u64 {
        let parts = self.parts.interner_bytes() + self.parts.memo_bytes();
        frontier + table + parts + self.own_bytes.load(Ordering::Relaxed)
    }

    /// Stops the search where a budget is spent or somebody asks for it.
    fn look_at_budgets(&self, frontier_bytes: u64, memory: bool) {
        if self.progress.is_cancelled() {
            self.control.stop(Cut::Cancelled);
        }
        if self.options.time.is_some_and(|most| self.started.elapsed() >= most) {
            self.control.stop(Cut::Time);
        }
        let Some(most) = self.options.max_memory else { return };
        if memory {
            let table = self.table().bytes();
            let counted = self.counted(frontier_bytes, table);
            if counted.max(pages::resident().unwrap_or(0)) > most {
                self.control.stop(Cut::Memory);
            }
        }
    }
}

/// What a thread knows of a part without asking anybody.
#[derive(Clone, Copy)]
struct Hot<'a> {
    transitions: &'a [Transition],
    digest: u64,
    key: u64,
    messages: u32,
    /// In how many explored states it occurred.
    count: u32,
    state: HotState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HotState {
    Unknown,
    Kept,
    KeptFaulty,
    /// Its transitions are put together each time.
    Loose,
}

const UNKNOWN: Hot<'static> =
    Hot { transitions: &[], digest: 0, key: 0, messages: 0, count: 0, state: HotState::Unknown };

/// A successor that may be new.
struct Candidate {
    fingerprint: u64,
    /// The place of its parent in the hand.
    parent: u32,
    ordinal: u32,
    /// The part that changed first, and to what.
    node: u32,
    part: u32,
    /// Further changes: where they begin in `Worker::changes`, and how many there are.
    more: u32,
    more_count: u32,
    visible: bool,
}

/// One thread of a search.
pub(crate) struct Worker<'a, F: Frontier> {
    shared: &'a Shared<'a>,
    frontier: &'a F,
    pub local: F::Local,
    nodes: usize,
    stride: usize,
    hot: Vec<Vec<Hot<'a>>>,
    loose: Vec<(usize, Expansion)>,
    near_puts: NearPuts,
    near_judge: NearJudge,
    hand: Hand,
    /// For each state of the hand, the key of the properties.
    keys: Vec<u64>,
    candidates: Vec<Candidate>,
    changes: Vec<(u32, u32)>,
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
            stride: shared.parts.stride(),
            hot: Vec::new(),
            loose: Vec::new(),
            near_puts: Near::new(),
            near_judge: NearJudge::new(),
            hand: Hand::default(),
            keys: Vec::new(),
            candidates: Vec::new(),
            changes: Vec::new(),
            row: Vec::new(),
            sound: None,
            log,
            tally: Tally::new(model),
            findings: Findings::new(properties),
            own_bytes: 0,
        }
    }

    /// Notes a first state.
    pub(crate) fn root(&mut self, words: &[u32], number: u32) -> Result<(), CheckError> {
        let fingerprint = self.shared.parts.fingerprint(words);
        if !self.shared.make_room(1, 0) {
            return Err(CheckError::NoMemory);
        }
        let table = self.shared.table();
        let new = match self.shared.graded {
            true => table.arrive(fingerprint, 0).new,
            false => table.insert(fingerprint),
        };
        drop(table);
        if new {
            self.shared.unique.fetch_add(1, Ordering::Relaxed);
            let parts = words[..self.nodes].iter().enumerate();
            let key = |(node, part): (usize, &u32)| self.shared.parts.part(node, *part).key;
            let key = parts.map(key).fold(0_u64, u64::wrapping_add);
            self.row.clear();
            self.row.extend_from_slice(words);
            self.arrive(key, (ROOT, number), 0, true, true);
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
            let bytes = self.log.bytes() + (hot * size_of::<Hot<'_>>()) as u64;
            self.shared.own_bytes.fetch_add(bytes - self.own_bytes.min(bytes), Ordering::Relaxed);
            self.own_bytes = bytes.max(self.own_bytes);
        }
        self.shared.look_at_budgets(self.frontier.bytes(), thoroughly);
    }

    /// Explores the states of the hand.
    fn explore(&mut self) {
        self.keys.clear();
        let (shared, mut place) = (self.shared, 0);
        while place < self.hand.indices.len() {
            if shared.control.stopped().is_some() {
                self.findings.left += (self.hand.indices.len() - place) as u64;
                return;
            }
            let table = shared.table();
            while place < self.hand.indices.len() && self.candidates.len() < BATCH {
                self.expand(place, &table);
                place += 1;
            }
            drop(table);
            self.flush();
        }
    }

    fn row_of(&self, place: usize) -> &[u32] {
        &self.hand.words[place * self.stride..(place + 1) * self.stride]
    }

    /// Gathers the successors of a state of the hand.
    fn expand(&mut self, place: usize, table: &Visited) {
        let base = place * self.stride;
        let ambient = self.shared.parts.ambient(self.row_of(place));
        let first_slot = ambient as usize * self.nodes;
        let (mut fingerprint, mut key, mut messages) = (self.shared.parts.ambient_digest(ambient), 0_u64, 0);
        self.loose.clear();
        for node in 0..self.nodes {
            let part = self.hand.words[base + node];
            let known = self.hot.get(first_slot + node).and_then(|slot| slot.get(part as usize));
            let hot = match known {
                Some(hot) if hot.state != HotState::Unknown && hot.state != HotState::Loose => *hot,
                _ => self.load(first_slot + node, node, part, ambient),
            };
            fingerprint = fingerprint.wrapping_add(hot.digest);
            key = key.wrapping_add(hot.key);
            messages += hot.messages as usize;
        }
        self.keys.push(key);
        let Some(first) = self.admit(place, fingerprint, messages, table) else { return };
        let mut ordinal = 0;
        for node in 0..self.nodes {
            let part = self.hand.words[base + node];
            let hot = &mut self.hot[first_slot + node][part as usize];
            if hot.state == HotState::Loose {
                ordinal += self.expand_loose(place, node, fingerprint, ordinal, first, table);
                continue;
            }
            hot.count += u32::from(first);
            let (transitions, faulty) = (hot.transitions, hot.state == HotState::KeptFaulty);
            self.gather(place, node, fingerprint, ordinal, transitions, table);
            ordinal += transitions.len() as u32;
            if faulty {
                self.faulted(place, node, first);
            }
        }
    }

    /// Whether a state is to be explored, and then whether for the first time.
    fn admit(&mut self, place: usize, fingerprint: u64, messages: usize, table: &Visited) -> Option<bool> {
        let depth = self.hand.depths[place];
        let bounds = &self.shared.bounds;
        let mut error = None;
        let cut = cut_by(bounds, depth, messages, || {
            let row = &self.hand.words[place * self.stride..(place + 1) * self.stride];
            let nodes = || nodes_of(self.shared.parts, &row[..self.nodes]);
            let Shared { parts, .. } = self.shared;
            let holds = parts.judge.within(&parts.program, &mut self.near_judge, nodes);
            holds.unwrap_or_else(|problem| {
                error = Some(problem);
                false
            })
        });
        if let Some(error) = error {
            self.shared.control.fail(error);
            return None;
        }
        let mut first = true;
        if self.shared.graded {
            if cut == Some(Bound::Depth) {
                // Counted at the end, when it is known what stayed so deep.
                return None;
            }
            match table.begin(fingerprint, depth) {
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

    /// Asks for what is known of a part.
    #[cold]
    fn load(&mut self, slot: usize, node: usize, part: u32, ambient: u32) -> Hot<'a> {
        if self.hot.len() <= slot {
            self.hot.resize_with(slot + 1, Vec::new);
        }
        if self.hot[slot].len() <= part as usize {
            self.hot[slot].resize(part as usize + 1, UNKNOWN);
        }
        let parts = self.shared.parts;
        let known = parts.part(node, part);
        let hot = &mut self.hot[slot][part as usize];
        (hot.digest, hot.key, hot.messages) = (known.digest, known.key, known.messages);
        match parts.expansion(node, part, ambient) {
            Ok(expansion) => {
                hot.transitions = &expansion.transitions;
                hot.state = if expansion.faults > 0 { HotState::KeptFaulty } else { HotState::Kept };
            }
            Err(expansion) => {
                hot.state = HotState::Loose;
                self.loose.push((node, expansion));
            }
        }
        *hot
    }

    /// As [`Worker::gather`], of a part whose transitions are not kept. How many there are.
    fn expand_loose(
        &mut self,
        place: usize,
        node: usize,
        fingerprint: u64,
        ordinal: u32,
        first: bool,
        table: &Visited,
    ) -> u32 {
        let loose = std::mem::take(&mut self.loose);
        let mut count = 0;
        for (_, expansion) in loose.iter().filter(|(other, _)| *other == node) {
            self.gather(place, node, fingerprint, ordinal, &expansion.transitions, table);
            count = expansion.transitions.len() as u32;
            if first {
                self.tally.expansion(self.shared.parts, expansion, 1);
            }
            if expansion.faults > 0 {
                self.faulted(place, node, first);
            }
        }
        self.loose = loose;
        count
    }

    /// Gathers where the transitions of one part of a state lead.
    #[inline]
    fn gather(
        &mut self,
        place: usize,
        node: usize,
        fingerprint: u64,
        first: u32,
        transitions: &[Transition],
        table: &Visited,
    ) {
        for (ordinal, transition) in (first..).zip(transitions) {
            let mut candidate = Candidate {
                fingerprint: fingerprint.wrapping_add(transition.delta),
                parent: place as u32,
                ordinal,
                node: node as u32,
                part: transition.part,
                more: self.changes.len() as u32,
                more_count: 0,
                visible: transition.beyond & VISIBLE != 0,
            };
            if let Some(beyond) = transition.beyond() {
                let base = place * self.stride;
                let beyond = self.shared.parts.beyond(beyond);
                for (receiver, bundle) in &beyond.sends {
                    let part = self.hand.words[base + *receiver as usize];
                    let (next, delta) =
                        self.shared.parts.put(&mut self.near_puts, *receiver as usize, part, *bundle);
                    candidate.fingerprint = candidate.fingerprint.wrapping_add(delta);
                    if next != part {
                        self.changes.push((*receiver, next));
                    }
                }
                if self.stride > self.nodes && self.hand.words[base + self.nodes] != beyond.ambient {
                    self.changes.push((self.nodes as u32, beyond.ambient));
                }
                candidate.more_count = self.changes.len() as u32 - candidate.more;
                if candidate.more_count == 0 && self.hand.words[base + node] == transition.part {
                    // All that was sent was there already.
                    continue;
                }
            }
            table.prefetch(candidate.fingerprint);
            self.candidates.push(candidate);
        }
    }

    /// Notes the states among the candidates that are new.
    fn flush(&mut self) {
        let candidates = std::mem::take(&mut self.candidates);
        let threads = self.shared.options.threads.max(1) as u64;
        for batch in candidates.chunks(BATCH) {
            if self.shared.control.stopped().is_some()
                || !self.shared.make_room(threads * BATCH as u64, self.frontier.bytes())
            {
                break;
            }
            self.look_up(batch);
        }
        self.shared.progress.transitions.fetch_add(candidates.len() as u64, Ordering::Relaxed);
        self.candidates = candidates;
        self.candidates.clear();
        self.changes.clear();
    }

    fn look_up(&mut self, batch: &[Candidate]) {
        let table = self.shared.table();
        let mut new = 0;
        for candidate in batch {
            let depth = self.hand.depths[candidate.parent as usize] + 1;
            let (is_new, push) = match self.shared.graded {
                true => {
                    let arrival = table.arrive(candidate.fingerprint, depth);
                    (arrival.new, arrival.nearer)
                }
                false => {
                    let new = table.insert(candidate.fingerprint);
                    (new, new)
                }
            };
            if is_new {
                if !self.allowed() {
                    break;
                }
                new += 1;
            }
            if is_new || push {
                let key = self.reach(candidate);
                let parent = self.hand.indices[candidate.parent as usize];
                self.arrive(key, (parent, candidate.ordinal), depth, is_new, push);
            }
        }
        if self.shared.options.max_states.is_none() {
            self.shared.unique.fetch_add(new, Ordering::Relaxed);
        }
    }

    /// Whether one more state is within the budget of states. Where there is one, the state is counted.
    #[inline]
    fn allowed(&self) -> bool {
        let Some(most) = self.shared.options.max_states else { return true };
        let allowed = self.shared.unique.fetch_add(1, Ordering::Relaxed) < most;
        if !allowed {
            self.shared.unique.fetch_sub(1, Ordering::Relaxed);
            self.shared.control.stop(Cut::States);
        }
        allowed
    }

    /// Makes the row of a candidate, and its key for the properties.
    #[inline]
    fn reach(&mut self, candidate: &Candidate) -> u64 {
        let base = candidate.parent as usize * self.stride;
        self.row.clear();
        self.row.extend_from_slice(&self.hand.words[base..base + self.stride]);
        let node = candidate.node as usize;
        let before = std::mem::replace(&mut self.row[node], candidate.part);
        let more = candidate.more as usize;
        for (node, part) in &self.changes[more..more + candidate.more_count as usize] {
            self.row[*node as usize] = *part;
        }
        let mut key = self.keys[candidate.parent as usize];
        if candidate.visible {
            let parts = self.shared.parts;
            let change = parts.part(node, candidate.part).key.wrapping_sub(parts.part(node, before).key);
            key = key.wrapping_add(change);
        }
        key
    }

    /// Notes the state of `self.row`: how it was reached; whether properties hold, if it is new; and that it is to be
    /// explored, where it has to be.
    #[inline]
    fn arrive(&mut self, key: u64, from: (u32, u32), depth: u32, new: bool, push: bool) {
        let Some(index) = self.log.push(from.0, from.1) else {
            self.shared.control.stop(Cut::States);
            return;
        };
        if new {
            let place = (depth as usize).min(HISTOGRAM_MAX);
            if self.findings.histogram.len() <= place {
                self.findings.histogram.resize(place + 1, 0);
                self.shared.progress.depth.fetch_max(depth, Ordering::Relaxed);
            }
            self.findings.histogram[place] += 1;
            if self.sound != Some(key) {
                self.judge(key, depth, index);
            }
        }
        if push {
            self.frontier.push(&mut self.local, &self.row, index, depth);
        }
    }

    /// Evaluates the properties in the state of `self.row`.
    fn judge(&mut self, key: u64, depth: u32, index: u32) {
        let Shared { parts, options, .. } = self.shared;
        let nodes = || nodes_of(parts, &self.row[..self.nodes]);
        let found = match parts.judge.findings(&parts.program, &mut self.near_judge, key, nodes) {
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
        for (slot, parts) in self.hot.iter().enumerate() {
            let (ambient, node) = ((slot / self.nodes) as u32, slot % self.nodes);
            for (part, hot) in parts.iter().enumerate().filter(|(_, hot)| hot.count > 0) {
                if let Some(expansion) = self.shared.parts.kept(node, part as u32, ambient) {
                    self.tally.expansion(self.shared.parts, expansion, u64::from(hot.count));
                }
            }
        }
        self.findings.left += self.frontier.left(&self.local);
        (self.log, self.tally, self.findings)
    }
}

/// The node states of a row of parts.
fn nodes_of(parts: &Parts, row: &[u32]) -> Vec<u32> {
    row.iter().enumerate().map(|(node, part)| parts.part(node, *part).node()).collect()
}
