//! The flat network: messages that are in no order stand in the row one by one, and what each comes to at its receiver is remembered for
//! the two alone. Messages in order still belong to parts.

use foldhash::fast::FixedState;
use foresee_world::{Program, Route};
use hashbrown::HashMap;

use crate::consequences::{Fresh, Which};
use crate::expansion::{Expansion, Transition};
use crate::gather::{Candidate, Out};
use crate::network::{FAULTY, Hot, KEPT, LENGTH, Network, Own, bump, warm};
use crate::parts::{Kept, Parts};
use crate::rows::Edit;
use crate::tally::Tally;

/// See the module's documentation.
pub(crate) struct Flat {
    own: Own,
    /// The receivers of messages, by their numbers, plus 1; and for each carrier of each node a place in `queued`.
    receivers: Vec<(u32, u32)>,
    /// How many messages are under way to a node by a carrier, in the state that is explored; and one more than the most in any.
    queued: Vec<(u32, u32)>,
    /// By message and part, for each ambient: the place in `pairs`.
    places: Vec<HashMap<u64, u32, FixedState>>,
    /// What is known of messages at parts, and the number that each has with everybody.
    pairs: Vec<(Hot, u32)>,
    /// The transitions of these.
    transitions: Vec<Transition>,
    /// By number: how often a pair was explored as to what was under way alone.
    partly: Vec<u32>,
}

/// What a message comes to at a part.
enum Met {
    /// It is at hand: the place in `pairs`.
    Hot(usize),
    /// It was put together for once.
    Loose(Expansion),
}

impl Network for Flat {
    fn new() -> Self {
        Flat {
            own: Own::new(|out, near, spot, ordinal, transitions| {
                out.gather_flat(near, spot, ordinal, transitions);
            }),
            receivers: Vec::new(),
            queued: Vec::new(),
            places: Vec::new(),
            pairs: Vec::new(),
            transitions: Vec::new(),
            partly: Vec::new(),
        }
    }

    fn all(&mut self, out: &mut Out<'_>) -> u32 {
        let first = self.begin(out);
        let mut ordinal = 0;
        for node in 0..out.parts.nodes() {
            let hot = self.own.known(out, first + node, node);
            if hot.length & KEPT == 0 {
                let spot = out.spot(node, None);
                ordinal += self.own.loose(out, spot, ordinal, &out.parts.expand(spot));
                continue;
            }
            if out.first {
                self.own.explored(first + node, out.row[node]);
            }
            if hot.length & FAULTY != 0 {
                out.faulty.push(node);
            }
            let length = hot.length & LENGTH;
            if length > 0 && out.sleep.wakes(node) {
                let transitions = &self.own.transitions[hot.first as usize..(hot.first + length) as usize];
                out.gather_flat(&mut self.own.near_puts, out.spot(node, None), ordinal, transitions);
            }
            ordinal += length;
        }
        let mut before = None;
        for envelope in out.parts.flight(out.row).iter() {
            let node = self.receiver(out.parts, envelope);
            if before.replace(envelope) != Some(envelope) {
                ordinal += self.arriving(out, envelope, node, ordinal);
            }
        }
        self.measure(out);
        ordinal
    }

    fn consequences(&mut self, out: &mut Out<'_>, fresh: &mut Fresh) -> u32 {
        self.begin(out);
        let mut ordinal = self.own.consequences(out, fresh);
        let mut before = None;
        for envelope in out.parts.flight(out.row).iter() {
            let node = self.receiver(out.parts, envelope);
            if before.replace(envelope) == Some(envelope) {
                continue;
            }
            let spot = out.spot(node, Some(envelope));
            let (number, put_together);
            let expansion = match self.meet(out, envelope, node) {
                Met::Hot(place) => {
                    number = Some((place, self.pairs[place].1));
                    out.parts.pair_of(self.pairs[place].1)
                }
                Met::Loose(expansion) => {
                    (number, put_together) = (None, expansion);
                    &put_together
                }
            };
            let which = self.own.some(out, spot, ordinal, expansion, fresh);
            if out.first {
                match (number, which) {
                    (None, _) => out.tally.partly(out.parts, expansion, 1, which == Which::All),
                    (Some((place, _)), Which::All) => self.pairs[place].0.count += 1,
                    (Some((_, number)), Which::Arrivals) => bump(&mut self.partly, number),
                }
            }
            ordinal += expansion.transitions.len() as u32;
        }
        self.measure(out);
        ordinal
    }

    #[inline]
    fn make(parts: &Parts, candidate: &Candidate, changes: &[(u32, u32)], row: &mut [u32]) {
        row[candidate.node as usize] = candidate.part;
        let Some(more) = candidate.more.checked_sub(1) else { return };
        let ((count, _), (took, beyond)) = (changes[more as usize], changes[more as usize + 1]);
        let more = more as usize + 2;
        for (node, part) in &changes[more..more + count as usize] {
            row[*node as usize] = *part;
        }
        let mut edit = Edit { took: took.checked_sub(1), ..Edit::default() };
        if let Some(beyond) = beyond.checked_sub(1) {
            let beyond = parts.beyond(beyond);
            edit.loses = beyond.loses.map(|all| (candidate.node, all));
            (edit.puts, edit.once) = (&beyond.puts, &beyond.once);
        }
        parts.edit(row, &edit);
    }

    fn count(self, parts: &Parts, tally: &mut Tally) {
        self.own.count(parts, tally);
        for (hot, number) in self.pairs.iter().filter(|(hot, _)| hot.count > 0) {
            tally.expansion(parts, parts.pair_of(*number), u64::from(hot.count));
        }
        for (number, count) in self.partly.iter().enumerate().filter(|(_, count)| **count > 0) {
            tally.partly(parts, parts.pair_of(number as u32), u64::from(*count), false);
        }
    }

    fn bytes(&self) -> u64 {
        let transitions = self.transitions.capacity() * size_of::<Transition>();
        let entries: usize = self.places.iter().map(HashMap::capacity).sum();
        let pairs = self.pairs.capacity() * size_of::<(Hot, u32)>() + entries * 17;
        self.own.bytes() + (transitions + pairs + self.receivers.capacity() * 8) as u64
    }
}

impl Flat {
    /// Where the parts of the state's ambient are, node by node.
    fn begin(&mut self, out: &Out<'_>) -> usize {
        if self.queued.is_empty() {
            self.queued.resize(out.parts.nodes() * out.parts.program.model().carriers.len(), (0, 0));
        }
        self.own.slots(out)
    }

    /// The receiver of a message, of which it is noted that it is under way to it.
    #[inline]
    fn receiver(&mut self, parts: &Parts, envelope: u32) -> usize {
        let known = self.receivers.get(envelope as usize).copied().filter(|(receiver, _)| *receiver != 0);
        let (receiver, queue) = known.unwrap_or_else(|| self.route(parts, envelope));
        self.queued[queue as usize].0 += 1;
        receiver as usize - 1
    }

    #[cold]
    fn route(&mut self, parts: &Parts, envelope: u32) -> (u32, u32) {
        let Route { carrier, dst, .. } = parts.program.route(&envelope);
        let carriers = parts.program.model().carriers.len();
        let queue = dst.index() * carriers + usize::from(carrier);
        let place = envelope as usize;
        if self.receivers.len() <= place {
            self.receivers.resize(place + 1 + place / 2, (0, 0));
        }
        self.receivers[place] = (dst.index() as u32 + 1, queue as u32);
        self.receivers[place]
    }

    /// Notes where more messages were under way than ever before.
    #[inline]
    fn measure(&mut self, out: &mut Out<'_>) {
        let carriers = out.parts.program.model().carriers.len();
        for (queue, (here, most)) in self.queued.iter_mut().enumerate() {
            if *here >= *most {
                *most = *here + 1;
                out.growth.queued(queue / carriers, queue % carriers, out.depth, u64::from(*here));
            }
            *here = 0;
        }
    }

    /// What a message comes to at the part of its receiver.
    #[inline]
    fn meet(&mut self, out: &Out<'_>, envelope: u32, node: usize) -> Met {
        let key = u64::from(envelope) << 32 | u64::from(out.row[node]);
        match self.places.get(out.ambient as usize).and_then(|places| places.get(&key)) {
            Some(place) => Met::Hot(*place as usize),
            None => self.ask(out, envelope, node, key),
        }
    }

    #[cold]
    fn ask(&mut self, out: &Out<'_>, envelope: u32, node: usize, key: u64) -> Met {
        let ambient = out.ambient as usize;
        if self.places.len() <= ambient {
            self.places.resize_with(ambient + 1, || HashMap::with_hasher(FixedState::with_seed(0)));
        }
        match out.parts.pair(node, out.row[node], out.ambient, envelope) {
            Kept::Loose(expansion) => Met::Loose(expansion),
            Kept::Pair(number, expansion) => {
                let hot = warm(&mut self.transitions, Some(expansion));
                if hot.length & KEPT == 0 {
                    return Met::Loose(out.parts.expand(out.spot(node, Some(envelope))));
                }
                let place = self.pairs.len();
                self.pairs.push((hot, number));
                self.places[ambient].insert(key, place as u32);
                Met::Hot(place)
            }
        }
    }

    /// Gathers where a message that arrives leads. How many transitions there are.
    #[inline]
    fn arriving(&mut self, out: &mut Out<'_>, envelope: u32, node: usize, ordinal: u32) -> u32 {
        match self.meet(out, envelope, node) {
            Met::Hot(place) => {
                let hot = &mut self.pairs[place].0;
                hot.count += u32::from(out.first);
                if hot.length & FAULTY != 0 {
                    out.faulty.push(node);
                }
                let length = hot.length & LENGTH;
                if length > 0 && out.sleep.wakes(node) {
                    let transitions = &self.transitions[hot.first as usize..(hot.first + length) as usize];
                    out.gather_flat(
                        &mut self.own.near_puts,
                        out.spot(node, Some(envelope)),
                        ordinal,
                        transitions,
                    );
                }
                length
            }
            Met::Loose(expansion) => self.own.loose(out, out.spot(node, Some(envelope)), ordinal, &expansion),
        }
    }
}
