//! Consequence prediction: breadth first, but not every interleaving of what nodes do by themselves.
//!
//! What is under way always arrives. What a node does by itself (its timers, calls of the application, and what may befall it:
//! crash, restart, reset, loss) is explored only from states of that node that were not explored before in this search, whatever the
//! other nodes' states were. So causal chains are followed to their end, and deep states are reached soon (Yabandeh et al.,
//! *CrystalBall: Predicting and Preventing Inconsistencies in Deployed Distributed Systems*, NSDI 2009).
//!
//! What concerns several nodes at once is explored where some node is in a state that it was not in before.
//!
//! # Caveats
//! States are missed: a search that left a step out says so ([`crate::Cut::Consequences`]), and is never complete. Every state that it
//! reaches is reachable. Which they are depends on the order of exploration, so there is one thread.

use crate::frontier::Frontier;
use crate::gather::{Out, SEVERAL, Sleep};
use crate::parts::Expansion;
use crate::search::{KEPT, LENGTH, LOOSE, Worker};
use crate::visited::Visited;

/// In which states nodes were seen, and what was left out for it.
#[derive(Default)]
pub(crate) struct Fresh {
    /// By node, by the number of its state: whether it was seen while the node was up, and while it was down.
    seen: Vec<Vec<[bool; 2]>>,
    /// By slot and part: how often it was explored in part.
    partly: Vec<Vec<u32>>,
    /// In how many states something was left out.
    pub left_out: u64,
}

impl Fresh {
    /// Whether `node` was never seen in its state of number `state`; it is from now on.
    fn note(&mut self, node: usize, state: u32, up: bool) -> bool {
        if self.seen.len() <= node {
            self.seen.resize_with(node + 1, Vec::new);
        }
        let (states, place) = (&mut self.seen[node], state as usize);
        if states.len() <= place {
            states.resize(place + 1 + place / 2, [false; 2]);
        }
        !std::mem::replace(&mut states[place][usize::from(up)], true)
    }

    fn count(&mut self, slot: usize, part: u32) {
        if self.partly.len() <= slot {
            self.partly.resize_with(slot + 1, Vec::new);
        }
        let (parts, place) = (&mut self.partly[slot], part as usize);
        if parts.len() <= place {
            parts.resize(place + 1 + place / 2, 0);
        }
        parts[place] += 1;
    }

    /// The parts that were explored in part, by slot, each with how often.
    pub(crate) fn partly(&self) -> impl Iterator<Item = (usize, u32, u32)> + '_ {
        self.partly.iter().enumerate().flat_map(|(slot, parts)| {
            let counted = parts.iter().enumerate().filter(|(_, count)| **count > 0);
            counted.map(move |(part, count)| (slot, part as u32, *count))
        })
    }
}

impl<F: Frontier> Worker<'_, F> {
    /// Gathers the successors of a state of the hand that follow from what is under way, or from a node's state that is new.
    pub(crate) fn expand_consequences(&mut self, place: usize, first: bool, table: &Visited) {
        let parts = self.shared.parts;
        let ambient = parts.ambient(&self.row_of(place)[..self.width]);
        let slots = ambient as usize * self.nodes;
        if self.hot.len() < slots + self.nodes {
            self.hot.resize_with(slots + self.nodes, Vec::new);
        }
        let (mut ordinal, mut left_out, mut some_fresh) = (0, false, false);
        for node in 0..self.nodes {
            let part = self.row_of(place)[node];
            let up = parts.ambient_of(ambient).up(foresee_kernel::NodeId::new(node as u32));
            let fresh = self.fresh.note(node, parts.part(node, part).node(), up);
            some_fresh |= fresh;
            let known = self.hot[slots + node].get(part as usize).map_or(0, |hot| hot.length);
            if known & (KEPT | LOOSE) == 0 {
                self.load(place, slots + node, node, ambient);
            }
            let hot = self.hot[slots + node][part as usize];
            if hot.length & LOOSE == 0 {
                debug_assert!(hot.length & KEPT != 0, "it was asked for");
                let expansion = parts.kept(node, part, ambient).expect("it is kept");
                match self.gather_consequences(place, node, ordinal, expansion, fresh, table) {
                    true => self.hot[slots + node][part as usize].count += u32::from(first),
                    false => {
                        left_out = true;
                        if first {
                            self.fresh.count(slots + node, part);
                        }
                    }
                }
                ordinal += hot.length & LENGTH;
                continue;
            }
            let expansion = parts.expand(node, part, ambient);
            let whole = self.gather_consequences(place, node, ordinal, &expansion, fresh, table);
            left_out |= !whole;
            if first {
                self.tally.partly(parts, &expansion, 1, whole);
            }
            ordinal += expansion.transitions.len() as u32;
        }
        if parts.concerns_several() {
            match some_fresh {
                true => self.expand_several(place, ordinal, first, table),
                false => left_out = true,
            }
        }
        self.fresh.left_out += u64::from(left_out && first);
        while let Some(node) = self.faulty.pop() {
            self.faulted(place, node, first);
        }
    }

    /// Gathers where the part of `node` leads, and whether that was all: where the node's state is `fresh`, or where what is left out
    /// leads nowhere.
    fn gather_consequences(
        &mut self,
        place: usize,
        node: usize,
        ordinal: u32,
        expansion: &Expansion,
        fresh: bool,
        table: &Visited,
    ) -> bool {
        debug_assert!((node as u32) < SEVERAL);
        let mut out = Out {
            parts: self.shared.parts,
            row: &self.hand.words[place * self.stride..place * self.stride + self.width],
            fingerprint: self.hand.sums[place].fingerprint,
            parent: place as u32,
            sleep: Sleep { asleep: 0, mask: 0, again: false },
            near_puts: &mut self.near_puts,
            candidates: &mut self.candidates,
            changes: &mut self.changes,
            table,
        };
        if fresh || expansion.arrivals.len() == expansion.transitions.len() {
            out.gather(node, ordinal, &expansion.transitions);
            if expansion.faults > 0 {
                self.faulty.push(node);
            }
            return true;
        }
        for arrival in &expansion.arrivals {
            let place = *arrival as usize;
            out.gather(node, ordinal + arrival, &expansion.transitions[place..=place]);
        }
        if expansion.arrivals_fault {
            self.faulty.push(node);
        }
        false
    }
}
