//! Where the transitions of a state lead: successors that may be new, and who sleeps in them. See `search`.

use crate::parts::{NearPuts, Parts, Transition, VISIBLE};
use crate::visited::Visited;

/// A successor that may be new.
pub(crate) struct Candidate {
    pub fingerprint: u64,
    /// What the part that changed first became.
    pub part: u32,
    /// Which part that is; or [`SEVERAL`], and then all that changes is among the further changes.
    pub node: u32,
    /// Which transition of its parent it is, and [`VISIBLE`].
    pub ordinal: u32,
    /// Where further changes are in [`Worker::changes`], plus 1; 0 where there are none. How many comes first.
    pub more: u32,
    /// Which nodes sleep.
    pub asleep: u32,
    /// The place of its parent in the hand.
    pub parent: u32,
}

/// Stands for a node where what happens concerns several.
pub(crate) const SEVERAL: u32 = u32::MAX;

/// Which nodes sleep in a state.
#[derive(Clone, Copy)]
pub(crate) struct Sleep {
    /// A bit for each node that sleeps; where the state is explored again, for each but those that were woken.
    pub asleep: u32,
    /// The nodes that may sleep.
    pub mask: u32,
    /// Whether it was explored before, but for the nodes that were woken since.
    pub again: bool,
}

impl Sleep {
    /// Whether the steps of `node` are to be explored.
    #[inline]
    pub(crate) fn wakes(&self, node: usize) -> bool {
        if node < 32 { self.asleep >> node & 1 == 0 } else { !self.again }
    }

    /// Which nodes sleep after a step of `node`, but for those that are sent something.
    #[inline]
    fn after(&self, node: usize) -> u32 {
        let own = 1_u32.checked_shl(node as u32).unwrap_or(0);
        let before = own.wrapping_sub(1);
        // Where a state is explored again, only those count that are explored now.
        let kept = if self.again { !self.asleep & before } else { self.asleep | before };
        kept & self.mask & !own
    }
}

/// Where the transitions of a state lead to.
pub(crate) struct Out<'o> {
    pub parts: &'o Parts,
    pub row: &'o [u32],
    pub fingerprint: u64,
    /// The state's place in the hand.
    pub parent: u32,
    pub sleep: Sleep,
    pub near_puts: &'o mut NearPuts,
    pub candidates: &'o mut Vec<Candidate>,
    pub changes: &'o mut Vec<(u32, u32)>,
    pub table: &'o Visited,
}

impl Out<'_> {
    /// Gathers where the transitions of the part of `node` lead.
    #[inline]
    pub(crate) fn gather(&mut self, node: usize, mut ordinal: u32, transitions: &[Transition]) {
        let (parent, asleep) = (self.parent, self.sleep.after(node));
        for transition in transitions {
            match transition.beyond() {
                None => {
                    let fingerprint = self.fingerprint.wrapping_add(transition.delta);
                    self.table.prefetch(fingerprint);
                    // Of what is beyond, only whether properties see it is left.
                    let ordinal = ordinal | transition.beyond;
                    let (part, node) = (transition.part, node as u32);
                    let candidate = Candidate { fingerprint, part, node, ordinal, more: 0, asleep, parent };
                    self.candidates.push(candidate);
                }
                Some(beyond) => self.sending(node, ordinal, transition, beyond, asleep),
            }
            ordinal += 1;
        }
    }

    /// Gathers where partitions lead.
    pub(crate) fn divides(&mut self, mut ordinal: u32, after: &[(u32, u64)]) {
        let nodes = self.parts.nodes();
        for (ambient, delta) in after {
            if self.row[nodes] != *ambient {
                let (fingerprint, more) =
                    (self.fingerprint.wrapping_add(*delta), self.changes.len() as u32 + 1);
                self.changes.extend([(1, 0), (nodes as u32, *ambient)]);
                self.table.prefetch(fingerprint);
                let parent = self.parent;
                let candidate =
                    Candidate { fingerprint, part: 0, node: SEVERAL, ordinal, more, asleep: 0, parent };
                self.candidates.push(candidate);
            }
            ordinal += 1;
        }
    }

    /// Gathers where what concerns several nodes leads.
    pub(crate) fn several(&mut self, mut ordinal: u32, rows: &[Vec<u32>]) {
        for row in rows {
            let changes = row.iter().zip(self.row).enumerate().filter(|(_, (after, before))| after != before);
            let start = self.changes.len();
            self.changes.push((0, 0));
            self.changes.extend(changes.map(|(place, (after, _))| (place as u32, *after)));
            let count = (self.changes.len() - start - 1) as u32;
            self.changes[start].0 = count;
            if count > 0 {
                let fingerprint = self.parts.fingerprint(row);
                self.table.prefetch(fingerprint);
                let (parent, more) = (self.parent, start as u32 + 1);
                let candidate =
                    Candidate { fingerprint, part: 0, node: SEVERAL, ordinal, more, asleep: 0, parent };
                self.candidates.push(candidate);
            }
            ordinal += 1;
        }
    }

    /// Gathers where a transition leads that also changes other parts, or the ambient.
    fn sending(&mut self, node: usize, ordinal: u32, transition: &Transition, beyond: u32, mut asleep: u32) {
        let beyond = self.parts.beyond(beyond);
        let mut fingerprint = self.fingerprint.wrapping_add(transition.delta);
        let start = self.changes.len();
        self.changes.push((0, 0));
        for (receiver, bundle) in &beyond.sends {
            let part = self.row[*receiver as usize];
            let (next, delta) = self.parts.put(self.near_puts, *receiver as usize, part, *bundle);
            fingerprint = fingerprint.wrapping_add(delta);
            if next != part {
                self.changes.push((*receiver, next));
                asleep &= !1_u32.checked_shl(*receiver).unwrap_or(0);
            }
        }
        let nodes = self.parts.nodes();
        if self.row.get(nodes).is_some_and(|ambient| *ambient != beyond.ambient) {
            self.changes.push((nodes as u32, beyond.ambient));
        }
        let count = (self.changes.len() - start - 1) as u32;
        self.changes[start].0 = count;
        if count == 0 && self.row[node] == transition.part {
            // All that was sent was there already.
            return;
        }
        self.table.prefetch(fingerprint);
        let (part, node, parent, more) = (transition.part, node as u32, self.parent, start as u32 + 1);
        let ordinal = ordinal | (transition.beyond & VISIBLE);
        self.candidates.push(Candidate { fingerprint, part, node, ordinal, more, asleep, parent });
    }
}
