//! A world in parts: for each node, its state and what is under way to it; and, for all, the ambient.
//!
//! A part is a world of its own, of which the other nodes are left out, and it has a number. A state of the system is
//! then a row of numbers, and its fingerprint the sum of its parts' digests. What may happen next is what may happen in
//! one of its parts, since almost every action concerns one node (the others: see `several`). What happens to that part is worked out once, by
//! [`World::enabled`] and [`World::perform`], and kept as transitions; and so is what it does to another part that a
//! message is sent to. Nothing here says for itself what may happen: it only remembers what a [`World`] said.

use std::hash::Hasher;
use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use foresee_kernel::digest::mix;
use foresee_kernel::{Digest, FaultKind, FaultTarget, Model, NodeId};
use foresee_world::{Action, Ambient, Noted, Of, Program, Sink, Stimulus, World};

use crate::chunked::Chunked;
use crate::expansion::{Beyond, Expansion, TAKES, Transition, VISIBLE, Way, is_arrival};
use crate::gather::bit;
use crate::intern::{Interned, NOBODY};
use crate::judge::Judge;
use crate::locals::Locals;
use crate::memo::{Memo, Near};
use crate::options::Tuning;
use crate::place::Place;
use crate::rows::Layout;
use crate::several::Divides;
use crate::steps::{Found, Step, Steps};
use crate::table::Table;

/// The number of the ambient that runs begin with; where nothing is ever spent, there is no other.
pub(crate) const FIRST: u32 = 0;

/// What a part is.
pub(crate) struct Part {
    /// The node's state, then its counters, then for each carrier how many messages are under way to it, and these.
    pub words: Box<[u32]>,
    /// What it contributes to a fingerprint.
    pub digest: u64,
    /// What its node contributes to the key of the properties.
    pub key: u64,
    /// How many messages are under way to it.
    pub messages: u32,
}

impl Part {
    /// The number of the node's state.
    pub(crate) fn node(&self) -> u32 {
        self.words[0]
    }
}

struct Bundle {
    receiver: u32,
    envelopes: Box<[u32]>,
}

/// All that a message that is no part's may come to at a part.
pub(crate) struct Pair {
    part: u32,
    ambient: u32,
    envelope: u32,
    pub expansion: Expansion,
}

/// Of which something may happen.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    /// The node.
    pub index: usize,
    /// The number of its part.
    pub part: u32,
    /// The number of the ambient.
    pub ambient: u32,
    /// The message that is no part's and is looked at; else all but such messages is.
    pub arriving: Option<u32>,
}

/// Where all that may happen to a part is kept, if it is.
pub(crate) enum Kept<'p> {
    /// Under a number.
    Pair(u32, &'p Expansion),
    /// Put together for once.
    Loose(Expansion),
}

/// What one thread has at hand of how messages change the parts they are sent to.
pub(crate) type NearPuts = Near<(u32, u64)>;

/// See the module's documentation.
pub(crate) struct Parts {
    /// Numbers for node states, messages and timers.
    pub program: Interned,
    /// The memo of steps.
    pub steps: Steps,
    /// The properties.
    pub judge: Judge,
    pub(crate) places: Vec<Place>,
    pub(crate) locals: Vec<Locals>,
    /// Whether rows say what the ambient is: where it can change, counters of single nodes aside.
    pub(crate) changes: bool,
    /// How what is under way is kept.
    pub(crate) layout: Layout,
    /// For the flat layout: what messages come to at parts, and what does not fit in a row.
    pairs: Table<Pair>,
    pub(crate) overflow: Table<Box<[u32]>>,
    /// The most messages in a row that were not all kept in it.
    pub(crate) flight_max: AtomicUsize,
    /// Whether something concerns several nodes at once, and whether that depends on their states.
    pub(crate) several: bool,
    pub(crate) together: bool,
    /// By the ambient.
    pub(crate) divides: Chunked<Divides>,
    pub(crate) ambients: Table<Ambient>,
    beyond: Table<Beyond>,
    bundles: Table<Bundle>,
    puts: Vec<Memo<(u32, u64)>>,
    transitions: AtomicU64,
    transitions_max: u64,
    /// Whether it is worked out which transitions are by what was under way.
    sorts_arrivals: bool,
}

impl Parts {
    /// With what is under way kept with the parts of receivers.
    pub(crate) fn new(model: Arc<Model>, tuning: &Tuning, sorts_arrivals: bool) -> Self {
        let judge = Judge::new(model.properties.clone(), tuning.evaluations_max);
        let program = Interned::new(model);
        let steps = Steps::new(tuning.steps_max);
        Parts::of(program, steps, judge, tuning, sorts_arrivals, Layout::Channels)
    }

    /// The same in another layout: what steps come to and what properties say is still known.
    pub(crate) fn laid_out(self, tuning: &Tuning, layout: Layout) -> Self {
        Parts::of(self.program, self.steps, self.judge, tuning, self.sorts_arrivals, layout)
    }

    fn of(
        program: Interned,
        steps: Steps,
        judge: Judge,
        tuning: &Tuning,
        sorts_arrivals: bool,
        layout: Layout,
    ) -> Self {
        let model = program.model();
        let nodes = model.nodes.len();
        let locals = Locals::of(model, program.plans().first());
        let bounds = &model.bounds;
        let changes = layout != Layout::Channels
            || bounds.drops.is_some()
            || bounds.duplicates.is_some()
            || bounds.calls.is_some()
            || !model.faults.is_empty()
            || Locals::leave_some(&locals, model);
        let together = model.faults.iter().any(|fault| matches!(fault.target, FaultTarget::AllOf(_)));
        let several = together || model.faults.iter().any(|fault| fault.kind == FaultKind::Partition);
        let parts = Parts {
            program,
            steps,
            judge,
            places: (0..nodes).map(|_| Place::new()).collect(),
            locals,
            changes,
            layout,
            pairs: Table::new(),
            overflow: Table::new(),
            flight_max: AtomicUsize::new(0),
            several,
            together,
            divides: Chunked::new(),
            ambients: Table::new(),
            beyond: Table::new(),
            bundles: Table::new(),
            puts: (0..nodes).map(|_| Memo::new(tuning.transitions_max / nodes.max(1) as u64)).collect(),
            transitions: AtomicU64::new(0),
            transitions_max: tuning.transitions_max,
            sorts_arrivals,
        };
        let first = parts.ambient_id(parts.first());
        debug_assert_eq!(first, FIRST);
        parts
    }

    /// The ambient that runs begin with.
    pub(crate) fn first(&self) -> &Ambient {
        self.program.plans().first()
    }

    /// How many parts there are.
    pub(crate) fn count(&self) -> u64 {
        self.places.iter().map(|place| u64::from(place.parts.len())).sum()
    }

    /// About the most messages that were under way.
    pub(crate) fn messages_max(&self) -> usize {
        match self.layout {
            Layout::Channels => {
                let most =
                    self.places.iter().map(|place| place.messages_max.load(Ordering::Relaxed) as usize);
                most.sum()
            }
            Layout::Flat { .. } => self.flight_max.load(Ordering::Relaxed),
        }
    }

    /// How many lists of messages there are that do not fit in a row.
    pub(crate) fn overflows(&self) -> u64 {
        u64::from(self.overflow.len())
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.places.len()
    }

    /// The number of the ambient of a state.
    #[inline]
    pub(crate) fn ambient(&self, words: &[u32]) -> u32 {
        words.get(self.places.len()).copied().unwrap_or(FIRST)
    }

    /// The ambient of that number.
    pub(crate) fn ambient_of(&self, number: u32) -> &Ambient {
        self.ambients.get(number)
    }

    /// The number of the part that is all of `world`, with these counters of its node.
    pub(crate) fn part_id(&self, index: usize, world: &World<Interned>, counters: &[u32]) -> u32 {
        let mut words = vec![world.nodes[index]];
        words.extend_from_slice(counters);
        for queue in &world.carriers {
            words.push(queue.len() as u32);
            words.extend_from_slice(queue);
        }
        let mut hash = Digest::new();
        words.iter().for_each(|word| hash.write_u32(*word));
        self.places[index].parts.intern(
            hash.finish(),
            |part| *part.words == *words,
            || {
                let id = NodeId::new(index as u32);
                let counted = self.locals[index].digest(counters, self.first());
                let digest = world.digest(&self.program).wrapping_sub(world.ambient.digest());
                let part = Part {
                    digest: digest.wrapping_add(counted),
                    key: self.judge.key(&self.program, id, world.nodes[index]),
                    messages: world.in_flight(&self.program) as u32,
                    words: words.as_slice().into(),
                };
                self.places[index].messages_max.fetch_max(part.messages, Ordering::Relaxed);
                let owned = words.len() * 4;
                (part, owned)
            },
        )
    }

    /// The part of node `index` that has number `part`.
    #[inline]
    pub(crate) fn part(&self, index: usize, part: u32) -> &Part {
        self.places[index].parts.get(part)
    }

    /// For each carrier how many messages are under way to a part.
    pub(crate) fn queued(&self, index: usize, part: u32) -> impl Iterator<Item = u64> + '_ {
        let Part { words, messages, .. } = self.part(index, part);
        let carriers = self.program.model().carriers.len();
        let mut rest = &words[1 + self.locals[index].len()..];
        // Besides the lengths there is nothing but messages, as a rule, and then none has to be looked at.
        let marks = rest.len() != carriers + *messages as usize;
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first()?;
            let (envelopes, tail) = tail.split_at(*length as usize);
            rest = tail;
            let is_message = |envelope: &&u32| !marks || self.program.mark(envelope).is_none();
            Some(envelopes.iter().filter(is_message).count() as u64)
        })
    }

    /// A world of nobody.
    pub(crate) fn nobody(&self, ambient: u32) -> World<Interned> {
        self.bare(0, NOBODY, self.ambients.get(ambient))
    }

    /// The number of an ambient.
    pub(crate) fn ambient_id(&self, ambient: &Ambient) -> u32 {
        let make = || (ambient.clone(), 0);
        self.ambients.intern(ambient.digest(), |other| other == ambient, make)
    }

    /// What the ambient of that number contributes to a fingerprint.
    pub(crate) fn ambient_digest(&self, ambient: u32) -> u64 {
        self.ambients.get(ambient).digest()
    }

    /// What a transition changes besides its part.
    pub(crate) fn beyond(&self, number: u32) -> &Beyond {
        self.beyond.get(number)
    }

    /// All that may happen to a part by itself, kept for good; None where there is no room for it.
    pub(crate) fn kept_expansion(&self, index: usize, part: u32, ambient: u32) -> Option<&Expansion> {
        let kept = self.places[index].expansions.get_or_init(ambient, Chunked::new);
        if let Some(expansion) = kept.get(part) {
            return Some(expansion);
        }
        if !self.has_room(index) {
            return None;
        }
        let expansion = self.room_for(Spot { index, part, ambient, arriving: None }).ok()?;
        Some(kept.get_or_init(part, || expansion))
    }

    /// All that a message that is no part's may come to at a part of its receiver.
    pub(crate) fn pair(&self, index: usize, part: u32, ambient: u32, envelope: u32) -> Kept<'_> {
        let hash = mix(mix(u64::from(part) << 32 | u64::from(envelope)).wrapping_add(u64::from(ambient)));
        let same = |pair: &Pair| pair.part == part && pair.envelope == envelope && pair.ambient == ambient;
        if let Some(number) = self.pairs.find(hash, same) {
            return Kept::Pair(number, self.pair_of(number));
        }
        match self.room_for(Spot { index, part, ambient, arriving: Some(envelope) }) {
            Err(expansion) => Kept::Loose(expansion),
            Ok(expansion) => {
                let make = || (Pair { part, ambient, envelope, expansion }, 0);
                let number = self.pairs.intern(hash, same, make);
                Kept::Pair(number, self.pair_of(number))
            }
        }
    }

    /// What the pair of that number comes to.
    pub(crate) fn pair_of(&self, number: u32) -> &Expansion {
        &self.pairs.get(number).expansion
    }

    /// What may happen, where it may be kept; else for this once.
    fn room_for(&self, spot: Spot) -> Result<Expansion, Expansion> {
        let room = self.has_room(spot.index);
        let expansion = self.expand(spot);
        if !room || !expansion.loose.is_empty() {
            return Err(expansion);
        }
        self.transitions.fetch_add(expansion.transitions.len() as u64 + 4, Ordering::Relaxed);
        Ok(expansion)
    }

    /// Whether what may happen to the parts of a node is kept.
    fn has_room(&self, index: usize) -> bool {
        self.places[index].keeps() && self.transitions.load(Ordering::Relaxed) < self.transitions_max
    }

    /// Of how many nodes nothing is kept.
    pub(crate) fn nodes_direct(&self) -> u32 {
        self.places.iter().filter(|place| !place.keeps()).count() as u32
    }

    /// All that may happen at a spot.
    pub(crate) fn expand(&self, spot: Spot) -> Expansion {
        let (mut alone, mut sending) = (Vec::new(), Vec::new());
        let mut expansion = Expansion::default();
        self.each_action(spot, |action, found, world| {
            let arrives = self.sorts_arrivals && is_arrival(action);
            let mut sort_in = |transition: Option<Transition>| {
                let Some(transition) = transition else { return };
                let list = if transition.beyond().is_none() { &mut alone } else { &mut sending };
                list.push((transition, arrives));
            };
            let Some(found) = found else {
                expansion.network += 1;
                expansion.passing += u32::from(arrives);
                expansion.fire(action, 1);
                return sort_in(self.transition(spot, world, action, None));
            };
            let ways = found.step().successors.len();
            for successor in 0..ways {
                let way = Some((found.step(), successor));
                sort_in(self.transition(spot, world, action, way));
                expansion.arrivals_fault |= arrives && found.step().successors[successor].fault.is_some();
            }
            expansion.fire(action, ways as u32);
            expansion.add(found);
        });
        alone.append(&mut sending);
        let arrivals = alone.iter().enumerate().filter(|(_, (_, arrives))| *arrives);
        expansion.arrivals = arrivals.map(|(ordinal, _)| ordinal as u32).collect();
        expansion.transitions = alone.into_iter().map(|(transition, _)| transition).collect();
        expansion
    }

    /// The step that a node takes in a state, from memory where it is kept.
    pub(crate) fn step(&self, index: usize, node: u32, stimulus: &Stimulus<'_, Interned>) -> Found<'_> {
        self.steps.step(&self.program, node, stimulus, self.places[index].keeps())
    }

    /// Calls `visit` with every action at a spot, and the step that its node takes on it, if it takes one.
    fn each_action<'s>(
        &'s self,
        spot: Spot,
        mut visit: impl FnMut(&Action<Interned>, Option<Found<'s>>, &World<Interned>),
    ) {
        let Spot { index, part, ambient, arriving } = spot;
        let mut world = self.world(index, part, ambient);
        if let Some(envelope) = arriving {
            world.put_all(&self.program, &[envelope]);
        }
        let mut actions = Vec::new();
        let of = Of::Node(NodeId::new(index as u32));
        world.enabled_of(&self.program, of, |action| {
            if arriving.is_none() || action.envelope().copied() == arriving {
                actions.push(action);
            }
        });
        for action in &actions {
            let found = action.stimulus(&self.program).map(|(id, stimulus)| {
                assert_eq!(id.index(), index, "an action of a part concerns its node");
                self.step(index, world.nodes[index], &stimulus)
            });
            visit(action, found, &world);
        }
    }

    /// The transition of one way in which `action` can go; None where nothing changes.
    fn transition(
        &self,
        spot: Spot,
        world: &World<Interned>,
        action: &Action<Interned>,
        way: Option<(&Step, usize)>,
    ) -> Option<Transition> {
        let Spot { index, part, ambient, arriving } = spot;
        let successor = way.map(|(step, successor)| &step.successors[successor]);
        let mut sink = Inside { parts: self, index, here: Noted::default(), told: Told::default() };
        world.perform(&self.program, action, successor, &mut sink);
        let Inside { here, told: Told { sent, flat, takes, loses, spends }, .. } = sink;
        if here.is_empty() && sent.is_empty() && flat.is_empty() && loses.is_none() && !takes {
            return None;
        }
        let (next, after) = match here.is_empty() {
            true => (part, ambient),
            false => self.changed(spot, world, here, spends),
        };
        let alone = sent.is_empty() && flat.is_empty() && loses.is_none() && after == ambient;
        if next == part && alone && !takes {
            return None;
        }
        let (before, now) = (self.part(index, part), self.part(index, next));
        let spent = self.ambient_digest(after).wrapping_sub(self.ambient_digest(ambient));
        let mut delta = now.digest.wrapping_sub(before.digest).wrapping_add(spent);
        if let (Some(envelope), true) = (arriving, takes) {
            delta = delta.wrapping_sub(self.program.envelope_digest(&envelope));
        }
        let (once, puts): (Vec<u32>, Vec<u32>) =
            flat.into_iter().partition(|envelope| self.is_once(*envelope));
        let digests = puts.iter().map(|envelope| self.program.envelope_digest(envelope));
        delta = digests.fold(delta, u64::wrapping_add);
        let flags = if now.key == before.key { 0 } else { VISIBLE } | if takes { TAKES } else { 0 };
        let beyond = if alone { 0 } else { self.beyond_id(&sent, puts, once, loses, after) + 1 };
        assert!(beyond & (VISIBLE | TAKES) == 0, "more different sends than numbers for them");
        Some(Transition { delta, part: next, beyond: beyond | flags })
    }

    /// The number of a part after what happened to it, and of the ambient.
    fn changed(
        &self,
        spot: Spot,
        world: &World<Interned>,
        here: Noted<Interned>,
        spends: bool,
    ) -> (u32, u32) {
        let Spot { index, part, ambient, arriving } = spot;
        let mut next = match arriving {
            None => world.clone(),
            Some(_) => self.world(index, part, ambient),
        };
        here.make(&self.program, &mut next);
        let locals = &self.locals[index];
        if !spends {
            let counters = &self.part(index, part).words[1..=locals.len()];
            return (self.part_id(index, &next, counters), ambient);
        }
        let counters = locals.split(&mut next.ambient);
        let after = match next.ambient == *self.ambients.get(ambient) {
            true => ambient,
            false => self.ambient_id(&next.ambient),
        };
        (self.part_id(index, &next, &counters), after)
    }

    fn beyond_id(
        &self,
        sent: &[u32],
        mut puts: Vec<u32>,
        mut once: Vec<u32>,
        loses: Option<bool>,
        ambient: u32,
    ) -> u32 {
        let mut receivers: Vec<u32> = sent.iter().map(|envelope| self.receiver(*envelope)).collect();
        receivers.sort_unstable();
        receivers.dedup();
        let bundle = |receiver: &u32| {
            let envelopes = sent.iter().copied().filter(|envelope| self.receiver(*envelope) == *receiver);
            (*receiver, self.bundle_id(*receiver, envelopes.collect()))
        };
        puts.sort_unstable();
        once.sort_unstable();
        once.dedup();
        let sends = receivers.iter().map(bundle).collect();
        let told = puts.iter().fold(0, |told, envelope| told | bit(self.receiver(*envelope)));
        let beyond = Beyond { sends, puts: puts.into(), told, once: once.into(), loses, ambient };
        let mut hash = Digest::new();
        beyond.sends.iter().for_each(|(_, bundle)| hash.write_u32(*bundle));
        beyond.puts.iter().chain(&beyond.once).for_each(|envelope| hash.write_u32(*envelope));
        hash.write_u32(ambient);
        let owned = beyond.sends.len() * 8 + (beyond.puts.len() + beyond.once.len()) * 4;
        self.beyond.intern(hash.finish(), |other| *other == beyond, || (beyond.clone(), owned))
    }

    pub(crate) fn receiver(&self, envelope: u32) -> u32 {
        self.program.route(&envelope).dst.index() as u32
    }

    fn bundle_id(&self, receiver: u32, envelopes: Box<[u32]>) -> u32 {
        let mut hash = Digest::new();
        envelopes.iter().for_each(|envelope| hash.write_u32(*envelope));
        let same = |bundle: &Bundle| bundle.envelopes == envelopes;
        let owned = envelopes.len() * 4;
        self.bundles
            .intern(hash.finish(), same, || (Bundle { receiver, envelopes: envelopes.clone() }, owned))
    }

    /// The number of a list of messages that do not fit in a row.
    pub(crate) fn overflow_id(&self, envelopes: &[u32]) -> u32 {
        let mut hash = Digest::new();
        envelopes.iter().for_each(|envelope| hash.write_u32(*envelope));
        let owned = envelopes.len() * 4;
        self.overflow.intern(hash.finish(), |other| **other == *envelopes, || (envelopes.into(), owned))
    }

    /// The part `part` of node `index` after it was sent the messages of number `bundle`, and what that adds to the
    /// fingerprint.
    #[inline]
    pub(crate) fn put(&self, near: &mut NearPuts, index: usize, part: u32, bundle: u32) -> (u32, u64) {
        // A bundle has one receiver, so its number says which node's part is meant.
        let key = u64::from(part) << 32 | u64::from(bundle);
        let far = || Ok::<_, std::convert::Infallible>(self.put_far(index, part, bundle, key));
        let Ok(put) = near.get(key, far);
        put
    }

    fn put_far(&self, index: usize, part: u32, bundle: u32, key: u64) -> (u32, u64) {
        if let Some(put) = self.puts[index].get(key) {
            return put;
        }
        let bundle = self.bundles.get(bundle);
        debug_assert_eq!(bundle.receiver as usize, index);
        let mut world = self.world(index, part, FIRST);
        world.put_all(&self.program, &bundle.envelopes);
        let counters = &self.part(index, part).words[1..=self.locals[index].len()];
        let next = self.part_id(index, &world, counters);
        let delta = self.part(index, next).digest.wrapping_sub(self.part(index, part).digest);
        if self.places[index].keeps() {
            self.puts[index].put(key, (next, delta));
        }
        (next, delta)
    }

    /// The ways that lead somewhere, in the order of [`Expansion::transitions`], each with its action and tape.
    pub(crate) fn ways(&self, spot: Spot) -> Vec<(Transition, Way)> {
        let (mut alone, mut sending) = (Vec::new(), Vec::new());
        self.each_action(spot, |action, found, world| {
            let count = found.as_ref().map_or(1, |found| found.step().successors.len());
            for successor in 0..count {
                let way = found.as_ref().map(|found| (found.step(), successor));
                let Some(transition) = self.transition(spot, world, action, way) else {
                    continue;
                };
                let tape = way.map_or(Vec::new(), |(step, n)| step.successors[n].tape.clone());
                let list = if transition.beyond().is_none() { &mut alone } else { &mut sending };
                list.push((transition, Way { action: self.program.direct_action(action), tape }));
            }
        });
        alone.append(&mut sending);
        alone
    }

    /// The first way at a spot that is a fault, and what the fault says.
    pub(crate) fn fault(&self, spot: Spot) -> Option<(Way, String)> {
        let mut first = None;
        self.each_action(spot, |action, found, _| {
            let Some(found) = found else { return };
            for successor in &found.step().successors {
                if let (Some(fault), None) = (&successor.fault, &first) {
                    let action = self.program.direct_action(action);
                    first = Some((Way { action, tape: successor.tape.clone() }, fault.to_string()));
                }
            }
        });
        first
    }

    /// The expansions that are kept, by node, part and ambient.
    pub(crate) fn kept(&self, index: usize, part: u32, ambient: u32) -> Option<&Expansion> {
        self.places[index].expansions.get(ambient)?.get(part)
    }

    /// Counted bytes of what states are made of.
    pub(crate) fn interner_bytes(&self) -> u64 {
        let parts: u64 = self.places.iter().map(|place| place.parts.bytes()).sum();
        self.program.bytes() + parts + self.beyond.bytes() + self.bundles.bytes() + self.overflow.bytes()
    }

    /// Counted bytes of what is remembered to save time.
    pub(crate) fn memo_bytes(&self) -> u64 {
        let slots = |place: &Place| {
            let tables = (0..self.ambients.len()).filter_map(|ambient| place.expansions.get(ambient));
            tables.map(Chunked::bytes).sum::<u64>()
        };
        let puts: u64 = self.puts.iter().map(Memo::bytes).sum();
        let transitions = self.transitions.load(Ordering::Relaxed) * size_of::<Transition>() as u64;
        self.places.iter().map(slots).sum::<u64>()
            + puts
            + transitions
            + self.pairs.bytes()
            + self.steps.bytes()
            + self.judge.bytes()
    }
}

/// The sink that notes what changes of a part, and what else changes.
struct Inside<'w> {
    parts: &'w Parts,
    index: usize,
    here: Noted<Interned>,
    told: Told,
}

/// What changes beyond a part.
#[derive(Default)]
struct Told {
    /// What is sent into other parts.
    sent: Vec<u32>,
    /// What is sent that is no part's.
    flat: Vec<u32>,
    /// Whether the message that arrives, which is no part's, is taken.
    takes: bool,
    loses: Option<bool>,
    /// Whether the ambient changes, or what it counts of the node.
    spends: bool,
}

impl Inside<'_> {
    fn is_flat(&self, envelope: u32) -> bool {
        self.parts.is_flat(self.parts.discipline(envelope))
    }
}

impl Sink<Interned> for Inside<'_> {
    fn node(&mut self, program: &Interned, id: NodeId, node: &u32) {
        assert_eq!(id.index(), self.index, "a step of a part changes its node");
        self.here.node(program, id, node);
    }

    fn take(&mut self, program: &Interned, envelope: &u32) {
        match self.is_flat(*envelope) {
            true => self.told.takes = true,
            false => self.here.take(program, envelope),
        }
    }

    fn put(&mut self, program: &Interned, envelope: &u32) {
        if self.is_flat(*envelope) {
            return self.told.flat.push(*envelope);
        }
        match program.route(envelope).dst.index() == self.index {
            true => self.here.put(program, envelope),
            false => self.told.sent.push(*envelope),
        }
    }

    fn lose(&mut self, program: &Interned, id: NodeId, all: bool) {
        assert_eq!(id.index(), self.index, "a part loses what is in flight to its node");
        self.here.lose(program, id, all);
        if self.parts.layout != Layout::Channels {
            self.told.loses = Some(all);
        }
    }

    fn ambient(&mut self, program: &Interned, ambient: &Ambient) {
        self.here.ambient(program, ambient);
        self.told.spends = true;
    }
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
