//! The network in channels: what is under way to a node belongs to the node's part.

use crate::consequences::Fresh;
use crate::gather::{Candidate, Out};
use crate::network::{FAULTY, KEPT, LENGTH, LOOSE, Network, Own};
use crate::parts::Parts;
use crate::tally::Tally;

/// See the module's documentation.
pub(crate) struct Channels(Own);

impl Network for Channels {
    fn new() -> Self {
        Channels(Own::new(|out, near, spot, ordinal, transitions| {
            out.gather(near, spot.index, ordinal, transitions);
        }))
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
                let spot = out.spot(node, None);
                ordinal += self.0.loose(out, spot, ordinal, &out.parts.expand(spot));
                node += 1;
            }
        }
        ordinal
    }

    fn consequences(&mut self, out: &mut Out<'_>, fresh: &mut Fresh) -> u32 {
        self.0.consequences(out, fresh)
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
}
