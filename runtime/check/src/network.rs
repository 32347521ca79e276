//! [`Network`]: how the loop of a search knows what may happen to a state, and makes the rows of those that follow.
//!
//! There are two: `channels`, where a node's state and what is under way to it have one number together, and `flat`, where messages that
//! are in no order have each their own. Which one is used is what `suits` observes, unless it is said.

use crate::consequences::{Fresh, Which};
use crate::expansion::{Expansion, Transition};
use crate::gather::{Candidate, Out};
use crate::memo::Near;
use crate::parts::{NearPuts, Parts, Spot};
use crate::tally::Tally;

/// See the module's documentation. One for each thread.
pub(crate) trait Network: Sized + Send {
    /// Nothing is known yet.
    fn new() -> Self;

    /// Gathers all successors of a state. How many transitions there were.
    fn all(&mut self, out: &mut Out<'_>) -> u32;

    /// Gathers those successors that follow from what is under way, or from a node's state that is new. How many transitions there were.
    fn consequences(&mut self, out: &mut Out<'_>, fresh: &mut Fresh) -> u32;

    /// Makes of its parent's row the row of a candidate that is by one node's step.
    fn make(parts: &Parts, candidate: &Candidate, changes: &[(u32, u32)], row: &mut [u32]);

    /// Counts what was explored.
    fn count(self, parts: &Parts, tally: &mut Tally);

    /// Counted bytes.
    fn bytes(&self) -> u64;
}

/// What a thread knows of a part, or of a message at a part, without asking anybody.
#[derive(Clone, Copy, Default)]
pub(crate) struct Hot {
    /// Where its transitions are.
    pub first: u32,
    /// How many there are; and what is known of them, in the upper bits.
    pub length: u32,
    /// In how many explored states it occurred.
    pub count: u32,
}

/// The bits of [`Hot::length`] that say what is known; none of them for a part that was never asked for.
pub(crate) const KEPT: u32 = 1 << 31;
pub(crate) const FAULTY: u32 = 1 << 30;
pub(crate) const LOOSE: u32 = 1 << 29;
pub(crate) const LENGTH: u32 = LOOSE - 1;

/// How a network gathers where transitions at a spot lead; the first has the number that is given.
pub(crate) type Gather = fn(&mut Out<'_>, &mut NearPuts, Spot, u32, &[Transition]);

/// What a thread knows of parts by themselves.
pub(crate) struct Own {
    gather: Gather,
    /// By ambient and node, then by part.
    pub hot: Vec<Vec<Hot>>,
    /// The transitions of the parts that this thread met.
    pub transitions: Vec<Transition>,
    pub near_puts: NearPuts,
    /// By ambient and node, then by part: how often it was explored as to what was under way alone.
    partly: Vec<Vec<u32>>,
}

impl Own {
    pub(crate) fn new(gather: Gather) -> Self {
        let (hot, transitions, partly) = (Vec::new(), Vec::new(), Vec::new());
        Own { gather, hot, transitions, near_puts: Near::new(15), partly }
    }

    /// Where the parts of an ambient are, node by node.
    #[inline]
    pub(crate) fn slots(&mut self, out: &Out<'_>) -> usize {
        let nodes = out.parts.nodes();
        let first = out.ambient as usize * nodes;
        if self.hot.len() < first + nodes {
            self.hot.resize_with(first + nodes, Vec::new);
        }
        first
    }

    /// What is known of a node's part, which is asked for where nothing is.
    #[inline]
    pub(crate) fn known(&mut self, out: &mut Out<'_>, slot: usize, node: usize) -> Hot {
        match self.hot[slot].get(out.row[node] as usize) {
            Some(hot) if hot.length & KEPT != 0 => *hot,
            _ => self.load(out, slot, node),
        }
    }

    /// Asks for the transitions of a part.
    #[cold]
    pub(crate) fn load(&mut self, out: &mut Out<'_>, slot: usize, node: usize) -> Hot {
        let part = out.row[node];
        let known = &mut self.hot[slot];
        if known.len() <= part as usize {
            known.resize(part as usize + 1, Hot::default());
        }
        let hot = &mut known[part as usize];
        if hot.length & LOOSE != 0 {
            return *hot;
        }
        out.growth.meet(out.parts, node, part, out.depth);
        let expansion = out.parts.kept_expansion(node, part, out.ambient);
        *hot = warm(&mut self.transitions, expansion);
        *hot
    }

    /// Counts that a part was explored.
    #[inline]
    pub(crate) fn explored(&mut self, slot: usize, part: u32) {
        self.hot[slot][part as usize].count += 1;
    }

    /// Gathers where an expansion leads that is not kept. How many transitions there are.
    pub(crate) fn loose(
        &mut self,
        out: &mut Out<'_>,
        spot: Spot,
        ordinal: u32,
        expansion: &Expansion,
    ) -> u32 {
        if out.sleep.wakes(spot.index) {
            (self.gather)(out, &mut self.near_puts, spot, ordinal, &expansion.transitions);
        }
        if out.first {
            out.tally.expansion(out.parts, expansion, 1);
        }
        if expansion.faults > 0 {
            out.faulty.push(spot.index);
        }
        expansion.transitions.len() as u32
    }

    /// Gathers what is explored by consequence prediction of what may happen to parts by themselves. How many transitions there are.
    pub(crate) fn consequences(&mut self, out: &mut Out<'_>, fresh: &mut Fresh) -> u32 {
        let first = self.slots(out);
        fresh.begin();
        let mut ordinal = 0;
        for node in 0..out.parts.nodes() {
            fresh.note(out, node);
            let (slot, spot) = (first + node, out.spot(node, None));
            let kept = self.known(out, slot, node).length & KEPT != 0;
            let put_together;
            let expansion = match out.parts.kept(node, spot.part, out.ambient).filter(|_| kept) {
                Some(expansion) => expansion,
                None => {
                    put_together = out.parts.expand(spot);
                    &put_together
                }
            };
            let which = self.some(out, spot, ordinal, expansion, fresh);
            if out.first {
                match (kept, which) {
                    (false, _) => out.tally.partly(out.parts, expansion, 1, which == Which::All),
                    (true, Which::All) => self.explored(slot, spot.part),
                    (true, Which::Arrivals) => self.explored_partly(slot, spot.part),
                }
            }
            ordinal += expansion.transitions.len() as u32;
        }
        ordinal
    }

    /// Gathers what is explored by consequence prediction of what may happen at a spot.
    pub(crate) fn some(
        &mut self,
        out: &mut Out<'_>,
        spot: Spot,
        ordinal: u32,
        expansion: &Expansion,
        fresh: &mut Fresh,
    ) -> Which {
        let which = fresh.which(spot.index, expansion);
        let sleep = out.sleep;
        for (range, sleeping) in which.ranges(expansion, spot.index, sleep) {
            let at = ordinal + range.start as u32;
            out.sleep = sleeping;
            (self.gather)(out, &mut self.near_puts, spot, at, &expansion.transitions[range]);
        }
        out.sleep = sleep;
        if which.faults(expansion) {
            out.faulty.push(spot.index);
        }
        which
    }

    /// Counts that a part was explored as to what was under way alone.
    fn explored_partly(&mut self, slot: usize, part: u32) {
        if self.partly.len() <= slot {
            self.partly.resize_with(slot + 1, Vec::new);
        }
        bump(&mut self.partly[slot], part);
    }

    pub(crate) fn count(&self, parts: &Parts, tally: &mut Tally) {
        let place = |slot: usize| ((slot / parts.nodes()) as u32, slot % parts.nodes());
        for (slot, all) in self.hot.iter().enumerate() {
            let (ambient, node) = place(slot);
            for (part, hot) in all.iter().enumerate().filter(|(_, hot)| hot.count > 0) {
                if let Some(expansion) = parts.kept(node, part as u32, ambient) {
                    tally.expansion(parts, expansion, u64::from(hot.count));
                }
            }
        }
        for (slot, all) in self.partly.iter().enumerate() {
            let (ambient, node) = place(slot);
            for (part, count) in all.iter().enumerate().filter(|(_, count)| **count > 0) {
                if let Some(expansion) = parts.kept(node, part as u32, ambient) {
                    tally.partly(parts, expansion, u64::from(*count), false);
                }
            }
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        let hot: usize = self.hot.iter().map(Vec::capacity).sum();
        (hot * size_of::<Hot>() + self.transitions.capacity() * size_of::<Transition>()) as u64
    }
}

/// Keeps the transitions of an expansion at hand, where it is kept and there is room.
pub(crate) fn warm(transitions: &mut Vec<Transition>, expansion: Option<&Expansion>) -> Hot {
    match expansion.filter(|_| transitions.len() < LENGTH as usize) {
        None => Hot { first: 0, length: LOOSE, count: 0 },
        Some(expansion) => {
            let length = expansion.transitions.len() as u32;
            let faulty = if expansion.faults > 0 { FAULTY } else { 0 };
            let first = transitions.len() as u32;
            transitions.extend_from_slice(&expansion.transitions);
            Hot { first, length: length | KEPT | faulty, count: 0 }
        }
    }
}

/// Counts one more at a place.
pub(crate) fn bump(counts: &mut Vec<u32>, place: u32) {
    let place = place as usize;
    if counts.len() <= place {
        counts.resize(place + 1 + place / 2, 0);
    }
    counts[place] += 1;
}
