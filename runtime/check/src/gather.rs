//! Where the transitions of a state lead: successors that may be new, and who sleeps in them. See `search`.

use foresee_world::Program;

use crate::expansion::{Beyond, Transition, VISIBLE};
use crate::growth::Growth;
use crate::parts::{NearPuts, Parts, Spot};
use crate::tally::Tally;
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
    /// Where further changes are, plus 1; 0 where there are none. How many comes first, and what a [`Network`](crate::network::Network)
    /// has to say besides.
    pub more: u32,
    /// Which nodes sleep.
    pub asleep: u32,
    /// The place of its parent in the hand.
    pub parent: u32,
}

/// Stands for a node where what happens concerns several.
pub(crate) const SEVERAL: u32 = u32::MAX;

/// Which nodes sleep in a state.
#[derive(Clone, Copy, Default)]
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
        let own = bit(node as u32);
        let before = own.wrapping_sub(1);
        // Where a state is explored again, only those count that are explored now.
        let kept = if self.again { !self.asleep & before } else { self.asleep | before };
        kept & self.mask & !own
    }
}

/// The bit of a node that may sleep; none of those that never do.
#[inline]
pub(crate) fn bit(node: u32) -> u32 {
    1_u32.checked_shl(node).unwrap_or(0)
}

/// A state that is explored, and where it leads to.
pub(crate) struct Out<'o> {
    pub parts: &'o Parts,
    pub row: &'o [u32],
    /// The number of its ambient.
    pub ambient: u32,
    pub fingerprint: u64,
    /// The state's place in the hand.
    pub parent: u32,
    /// How many steps led to it.
    pub depth: u32,
    /// Whether it is explored for the first time.
    pub first: bool,
    pub sleep: Sleep,
    pub candidates: &'o mut Vec<Candidate>,
    /// Changes beyond the first of candidates.
    pub changes: &'o mut Vec<(u32, u32)>,
    /// Nodes of which some step is a fault.
    pub faulty: &'o mut Vec<usize>,
    pub tally: &'o mut Tally,
    pub growth: &'o mut Growth,
    pub table: &'o Visited,
}

impl Out<'_> {
    /// Where something may happen at a node: what `arriving` comes to, or all else.
    #[inline]
    pub(crate) fn spot(&self, node: usize, arriving: Option<u32>) -> Spot {
        Spot { index: node, part: self.row[node], ambient: self.ambient, arriving }
    }

    /// Gathers where the transitions of the part of `node` lead, where all that is under way is parts'.
    #[inline]
    pub(crate) fn gather(
        &mut self,
        near: &mut NearPuts,
        node: usize,
        mut ordinal: u32,
        transitions: &[Transition],
    ) {
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
                Some(beyond) => self.sending(near, node, ordinal, transition, beyond, asleep),
            }
            ordinal += 1;
        }
    }

    /// Gathers where a transition leads that also changes other parts, or the ambient.
    fn sending(
        &mut self,
        near: &mut NearPuts,
        node: usize,
        ordinal: u32,
        transition: &Transition,
        beyond: u32,
        asleep: u32,
    ) {
        let start = self.changes.len();
        self.changes.push((0, 0));
        let (delta, asleep) = self.send(near, self.parts.beyond(beyond), asleep);
        let count = (self.changes.len() - start - 1) as u32;
        self.changes[start].0 = count;
        if count == 0 && self.row[node] == transition.part {
            // All that was sent was there already.
            return;
        }
        let fingerprint = self.fingerprint.wrapping_add(transition.delta).wrapping_add(delta);
        self.table.prefetch(fingerprint);
        let (part, node, parent, more) = (transition.part, node as u32, self.parent, start as u32 + 1);
        let ordinal = ordinal | (transition.beyond & VISIBLE);
        self.candidates.push(Candidate { fingerprint, part, node, ordinal, more, asleep, parent });
    }

    /// Notes the other parts that change, and the ambient. What that adds to the fingerprint, and who sleeps then.
    fn send(&mut self, near: &mut NearPuts, beyond: &Beyond, mut asleep: u32) -> (u64, u32) {
        let mut sum = 0_u64;
        for (receiver, bundle) in &beyond.sends {
            let part = self.row[*receiver as usize];
            let (next, delta) = self.parts.put(near, *receiver as usize, part, *bundle);
            sum = sum.wrapping_add(delta);
            if next != part {
                self.changes.push((*receiver, next));
                asleep &= !bit(*receiver);
            }
        }
        let nodes = self.parts.nodes();
        if self.row.get(nodes).is_some_and(|ambient| *ambient != beyond.ambient) {
            self.changes.push((nodes as u32, beyond.ambient));
        }
        (sum, asleep)
    }

    /// Gathers where transitions at a spot lead. Each candidate has, after how many changes there are, what it took, plus 1, and the
    /// number of what is beyond, plus 1.
    #[inline]
    pub(crate) fn gather_flat(
        &mut self,
        near: &mut NearPuts,
        spot: Spot,
        mut ordinal: u32,
        transitions: &[Transition],
    ) {
        let (node, arriving) = (spot.index, spot.arriving);
        let (parent, alone) = (self.parent, self.sleep.after(node));
        for transition in transitions {
            let took = arriving.filter(|_| transition.takes()).map_or(0, |envelope| envelope + 1);
            let mut fingerprint = self.fingerprint.wrapping_add(transition.delta);
            let (mut asleep, start) = (alone, self.changes.len());
            let mut more = 0;
            if transition.beyond & !VISIBLE != 0 {
                more = start as u32 + 1;
                let beyond = transition.beyond();
                self.changes.extend([(0, 0), (took, beyond.map_or(0, |beyond| beyond + 1))]);
                if let Some(beyond) = beyond {
                    let beyond = self.parts.beyond(beyond);
                    let (delta, awake) = self.send(near, beyond, asleep);
                    let (flat, awake) = self.send_flat(node, beyond, awake);
                    fingerprint = fingerprint.wrapping_add(delta).wrapping_add(flat);
                    asleep = awake;
                    self.changes[start].0 = (self.changes.len() - start - 2) as u32;
                }
            }
            if fingerprint != self.fingerprint {
                self.table.prefetch(fingerprint);
                let ordinal = ordinal | (transition.beyond & VISIBLE);
                let (part, node) = (transition.part, node as u32);
                self.candidates.push(Candidate { fingerprint, part, node, ordinal, more, asleep, parent });
            }
            ordinal += 1;
        }
    }

    /// What messages that are no part's add to the fingerprint, but for those that were counted, and who sleeps then.
    fn send_flat(&self, node: usize, beyond: &Beyond, mut asleep: u32) -> (u64, u32) {
        let program = &self.parts.program;
        let mut sum = 0_u64;
        asleep &= !beyond.told;
        if beyond.once.is_empty() && beyond.loses.is_none() {
            return (sum, asleep);
        }
        let flight = self.parts.flight(self.row);
        for envelope in &beyond.once {
            if !flight.contains(*envelope) {
                sum = sum.wrapping_add(program.envelope_digest(envelope));
                asleep &= !bit(self.parts.receiver(*envelope));
            }
        }
        if let Some(all) = beyond.loses {
            let lost = flight.iter().filter(|envelope| self.parts.is_lost(*envelope, node as u32, all));
            sum = lost.fold(sum, |sum, envelope| sum.wrapping_sub(program.envelope_digest(&envelope)));
        }
        (sum, asleep)
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
}
