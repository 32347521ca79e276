//! The network in channels: what is under way to a node belongs to the node's part.

use crate::consequences::{Fresh, Which};
use crate::gather::{Candidate, Out};
use crate::network::{FAULTY, KEPT, LENGTH, LOOSE, Network, Own};
use crate::parts::{Parts, Spot};
use crate::tally::Tally;

/// See the module's documentation.
pub(crate) struct Channels(Own);

impl Network for Channels {
    fn new() -> Self {
        Channels(Own::new())
    }

    #[inline]
    fn all(&mut self, out: &mut Out<'_>) -> u32 {
        let nodes = out.parts.nodes();
        let first = self.0.slots(out);
        let (mut node, mut ordinal) = (0, 0);
        while node < nodes {
            (node, ordinal) = self.kept(out, first, node, ordinal);
            if node == nodes {
                break;
            }
            // A part that this thread does not know, or whose transitions are not kept.
            if self.0.load(out, first + node, node).length & LOOSE != 0 {
                ordinal += self.loose(out, node, ordinal);
                node += 1;
            }
        }
        ordinal
    }

    fn consequences(&mut self, out: &mut Out<'_>, fresh: &mut Fresh) -> u32 {
        let first = self.0.slots(out);
        let mut ordinal = 0;
        for node in 0..out.parts.nodes() {
            let is_fresh = fresh.note(out, node);
            let (slot, part) = (first + node, out.row[node]);
            let hot = self.0.known(out, slot, node);
            let spot = Spot { index: node, part, ambient: out.ambient, arriving: None };
            let put_together;
            let expansion = match out.parts.kept(node, part, out.ambient).filter(|_| hot.length & KEPT != 0) {
                Some(expansion) => expansion,
                None => {
                    put_together = out.parts.expand(spot);
                    &put_together
                }
            };
            let which = Which::of(expansion, is_fresh);
            let sleep = out.sleep;
            for (range, sleeping) in which.ranges(expansion, node, sleep) {
                let at = ordinal + range.start as u32;
                out.sleep = sleeping;
                out.gather(&mut self.0.near_puts, node, at, &expansion.transitions[range]);
            }
            out.sleep = sleep;
            if which.faults(expansion) {
                out.faulty.push(node);
            }
            fresh.left_some(which);
            if out.first {
                match (hot.length & KEPT != 0, which) {
                    (false, _) => out.tally.partly(out.parts, expansion, 1, which == Which::All),
                    (true, Which::All) => self.0.explored(slot, part),
                    (true, Which::Arrivals) => self.0.explored_partly(slot, part),
                }
            }
            ordinal += expansion.transitions.len() as u32;
        }
        ordinal
    }

    #[inline]
    fn make(_: &Parts, candidate: &Candidate, changes: &[(u32, u32)], row: &mut [u32]) {
        row[candidate.node as usize] = candidate.part;
        let Some(more) = candidate.more.checked_sub(1) else { return };
        let (count, _) = changes[more as usize];
        let more = more as usize + 1;
        for (node, part) in &changes[more..more + count as usize] {
            row[*node as usize] = *part;
        }
    }

    fn count(self, parts: &Parts, tally: &mut Tally) {
        self.0.count(parts, tally);
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

impl Channels {
    /// Gathers where the parts of a state lead, from `node` on, up to one that is not known.
    #[inline]
    fn kept(&mut self, out: &mut Out<'_>, first: usize, mut node: usize, mut ordinal: u32) -> (usize, u32) {
        let Own { hot, transitions, near_puts, .. } = &mut self.0;
        let nodes = out.parts.nodes();
        let (hot, row) = (&mut hot[first + node..first + nodes], &out.row[node..nodes]);
        for (slot, part) in hot.iter_mut().zip(row) {
            let Some(known) = slot.get_mut(*part as usize) else { break };
            let (start, marked) = (known.first, known.length);
            if marked & (KEPT | FAULTY) != KEPT {
                if marked & KEPT == 0 {
                    break;
                }
                out.faulty.push(node);
            }
            known.count += u32::from(out.first);
            let length = marked & LENGTH;
            if length > 0 && out.sleep.wakes(node) {
                let transitions = &transitions[start as usize..(start + length) as usize];
                out.gather(near_puts, node, ordinal, transitions);
            }
            ordinal += length;
            node += 1;
        }
        (node, ordinal)
    }

    /// Gathers where a part leads whose transitions are not kept. How many there are.
    fn loose(&mut self, out: &mut Out<'_>, node: usize, ordinal: u32) -> u32 {
        let part = out.row[node];
        let expansion = out.parts.expand(Spot { index: node, part, ambient: out.ambient, arriving: None });
        if out.sleep.wakes(node) {
            out.gather(&mut self.0.near_puts, node, ordinal, &expansion.transitions);
        }
        if out.first {
            out.tally.expansion(out.parts, &expansion, 1);
        }
        if expansion.faults > 0 {
            out.faulty.push(node);
        }
        expansion.transitions.len() as u32
    }
}
