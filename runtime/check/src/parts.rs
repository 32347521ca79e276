//! A world in parts: for each node, its state and what is under way to it; and, for all, the ambient.
//!
//! A part is a world of its own, of which the other nodes are left out, and it has a number. A state of the system is
//! then a row of numbers, and its fingerprint the sum of its parts' digests. What may happen next is what may happen in
//! one of its parts, since almost every action concerns one node (the others: see `several`). What happens to that part is worked out once, by
//! [`World::enabled`] and [`World::perform`], and kept as transitions; and so is what it does to another part that a
//! message is sent to. Nothing here says for itself what may happen: it only remembers what a [`World`] said.

use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foresee_kernel::{Digest, FaultKind, FaultTarget, Model, NodeId};
use foresee_world::{Action, Ambient, Direct, Make, Of, Planned, Program, Sink, World};

use crate::chunked::Chunked;
use crate::intern::{Interned, NOBODY};
use crate::judge::Judge;
use crate::locals::Locals;
use crate::memo::{Memo, Near};
use crate::options::Tuning;
use crate::several::Divides;
use crate::steps::{Found, Step, Steps};
use crate::table::Table;

/// One way in which something can happen to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    /// What it adds to the fingerprint, apart from what is sent to others.
    pub delta: u64,
    /// The part afterwards.
    pub part: u32,
    /// The number of a [`Beyond`], plus 1, or 0 where nothing else changes; and [`VISIBLE`].
    pub beyond: u32,
}

/// The number of the ambient that runs begin with; where nothing is ever spent, there is no other.
const FIRST: u32 = 0;

/// Set in [`Transition::beyond`] where properties may see the change.
pub(crate) const VISIBLE: u32 = 1 << 31;

impl Transition {
    /// What changes beyond the part, if anything does: a number for [`Parts::beyond`].
    #[inline]
    pub(crate) fn beyond(&self) -> Option<u32> {
        (self.beyond & !VISIBLE).checked_sub(1)
    }
}

/// What a transition changes besides its part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// The receivers of what is sent, each with the number of what it is sent, in order.
    pub sends: Box<[(u32, u32)]>,
    /// The number of the ambient afterwards.
    pub ambient: u32,
}

/// All that may happen to a part.
#[derive(Default)]
pub(crate) struct Expansion {
    /// Where it leads somewhere: first the transitions that change nothing beyond the part.
    pub transitions: Box<[Transition]>,
    /// The kept steps that it consists of.
    pub steps: Vec<u32>,
    /// Steps beyond the bound of the memo; an expansion with one of these is not kept.
    pub loose: Vec<Step>,
    /// What happens without a step.
    pub network: u32,
    /// How many ways are faults.
    pub faults: u32,
    /// How many ways are by which plan.
    pub fired: Vec<(Planned, u32)>,
    /// Which of the transitions are by what was under way; not worked out unless it is asked for.
    pub arrivals: Box<[u32]>,
    /// How many ways are by what was under way, without a step.
    pub passing: u32,
    /// Whether a step on what was under way is a fault.
    pub arrivals_fault: bool,
}

impl Expansion {
    /// Counts the plan of an action.
    pub(crate) fn fire(&mut self, action: &Action<Interned>, ways: u32) {
        let Some(plan) = action.plan() else { return };
        match self.fired.iter_mut().find(|(known, _)| *known == plan) {
            Some((_, count)) => *count += ways,
            None => self.fired.push((plan, ways)),
        }
    }

    /// Counts a step.
    pub(crate) fn add(&mut self, found: Found<'_>) {
        let faults = found.step().successors.iter().filter(|successor| successor.fault.is_some());
        self.faults += faults.count() as u32;
        match found {
            Found::Kept(id, _) => self.steps.push(id),
            Found::Loose(step) => self.loose.push(step),
        }
    }
}

/// What a part is.
pub(crate) struct Part {
    /// The node's state, then its counters, then for each carrier how many messages are under way to it, and these.
    words: Box<[u32]>,
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

/// The parts of one node.
struct Place {
    parts: Table<Part>,
    /// By the ambient, by the number of the part.
    expansions: Chunked<Chunked<Expansion>>,
}

struct Bundle {
    receiver: u32,
    envelopes: Box<[u32]>,
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
    places: Vec<Place>,
    locals: Vec<Locals>,
    /// Whether the ambient can change, counters of single nodes aside.
    changes: bool,
    /// Whether something concerns several nodes at once, and whether that depends on their states.
    pub(crate) several: bool,
    pub(crate) together: bool,
    /// By the ambient.
    pub(crate) divides: Chunked<Divides>,
    ambients: Table<Ambient>,
    beyond: Table<Beyond>,
    bundles: Table<Bundle>,
    puts: Vec<Memo<(u32, u64)>>,
    transitions: AtomicU64,
    transitions_max: u64,
    /// Whether it is worked out which transitions are by what was under way.
    sorts_arrivals: bool,
}

impl Parts {
    pub(crate) fn new(model: Arc<Model>, tuning: &Tuning, sorts_arrivals: bool) -> Self {
        let nodes = model.nodes.len();
        let judge = Judge::new(model.properties.clone(), tuning.evaluations_max);
        let program = Interned::new(model.clone());
        let locals = Locals::of(&model, program.plans().first());
        let bounds = &model.bounds;
        let changes = bounds.drops.is_some()
            || bounds.duplicates.is_some()
            || bounds.calls.is_some()
            || !model.faults.is_empty()
            || Locals::leave_some(&locals, &model);
        let together = model.faults.iter().any(|fault| matches!(fault.target, FaultTarget::AllOf(_)));
        let several = together || model.faults.iter().any(|fault| fault.kind == FaultKind::Partition);
        let place = || Place { parts: Table::new(), expansions: Chunked::new() };
        let parts = Parts {
            program,
            steps: Steps::new(tuning.steps_max),
            judge,
            places: (0..nodes).map(|_| place()).collect(),
            locals,
            changes,
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
    fn first(&self) -> &Ambient {
        self.program.plans().first()
    }

    /// How many numbers a state is: one for each node, and one for the ambient where it can change.
    pub(crate) fn stride(&self) -> usize {
        self.places.len() + usize::from(self.changes)
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.places.len()
    }

    /// The number of the ambient of a state.
    #[inline]
    pub(crate) fn ambient(&self, words: &[u32]) -> u32 {
        words.get(self.places.len()).copied().unwrap_or(0)
    }

    /// The ambient of that number.
    pub(crate) fn ambient_of(&self, number: u32) -> &Ambient {
        self.ambients.get(number)
    }

    /// A state as a row of numbers.
    pub(crate) fn encode_interned(&self, world: &World<Interned>) -> Vec<u32> {
        let mut ambient = world.ambient.clone();
        let mut words = Vec::with_capacity(self.stride());
        for (index, node) in world.nodes.iter().enumerate() {
            let mut part = self.bare(index, *node, self.first());
            for (queue, kept) in world.carriers.iter().zip(&mut part.carriers) {
                let here = |envelope: &&u32| self.receiver(**envelope) as usize == index;
                kept.extend(queue.iter().filter(here));
            }
            let counters = self.locals[index].split(&mut ambient);
            words.push(self.part_id(index, &part, &counters));
        }
        let ambient = self.ambient_id(&ambient);
        words.resize(self.stride(), ambient);
        words
    }

    /// A part with nothing under way.
    fn bare(&self, index: usize, node: u32, ambient: &Ambient) -> World<Interned> {
        let mut nodes = vec![NOBODY; self.places.len()];
        nodes[index] = node;
        let carriers = vec![Vec::new(); self.program.model().carriers.len()];
        World { nodes, carriers, ambient: ambient.clone() }
    }

    /// The world of a part, of which the other nodes are left out.
    pub(crate) fn world(&self, index: usize, part: u32, ambient: u32) -> World<Interned> {
        let words = &self.part(index, part).words;
        let mut world = self.bare(index, words[0], self.ambients.get(ambient));
        self.join(index, part, &mut world.ambient);
        let mut rest = &words[1 + self.locals[index].len()..];
        for queue in &mut world.carriers {
            let (length, tail) = rest.split_first().expect("a length for each carrier");
            let (envelopes, tail) = tail.split_at(*length as usize);
            queue.extend_from_slice(envelopes);
            rest = tail;
        }
        world
    }

    /// Puts the counters of a part into `ambient`.
    pub(crate) fn join(&self, index: usize, part: u32, ambient: &mut Ambient) {
        let locals = &self.locals[index];
        locals.join(&self.part(index, part).words[1..=locals.len()], ambient);
    }

    /// The number of the part that is all of `world`, with these counters of its node.
    fn part_id(&self, index: usize, world: &World<Interned>, counters: &[u32]) -> u32 {
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

    /// The fingerprint of a state: the digest of its world.
    pub(crate) fn fingerprint(&self, words: &[u32]) -> u64 {
        let ambient = self.ambient_digest(self.ambient(words));
        let parts = words[..self.places.len()].iter().enumerate();
        parts.fold(ambient, |sum, (index, part)| sum.wrapping_add(self.part(index, *part).digest))
    }

    /// What a transition changes besides its part.
    pub(crate) fn beyond(&self, number: u32) -> &Beyond {
        self.beyond.get(number)
    }

    /// All that may happen to a part, kept for good; None where there is no room for it.
    pub(crate) fn kept_expansion(&self, index: usize, part: u32, ambient: u32) -> Option<&Expansion> {
        let kept = self.places[index].expansions.get_or_init(ambient, Chunked::new);
        if let Some(expansion) = kept.get(part) {
            return Some(expansion);
        }
        if self.transitions.load(Ordering::Relaxed) >= self.transitions_max {
            return None;
        }
        let expansion = self.expand(index, part, ambient);
        if !expansion.loose.is_empty() {
            return None;
        }
        self.transitions.fetch_add(expansion.transitions.len() as u64 + 4, Ordering::Relaxed);
        Some(kept.get_or_init(part, || expansion))
    }

    /// All that may happen to a part.
    pub(crate) fn expand(&self, index: usize, part: u32, ambient: u32) -> Expansion {
        let (mut alone, mut sending) = (Vec::new(), Vec::new());
        let mut expansion = Expansion::default();
        self.each_action(index, part, ambient, |action, found, world| {
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
                return sort_in(self.transition(index, part, ambient, world, action, None));
            };
            let ways = found.step().successors.len();
            for successor in 0..ways {
                let way = Some((found.step(), successor));
                sort_in(self.transition(index, part, ambient, world, action, way));
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

    /// Calls `visit` with every action of a part, and the step that its node takes on it, if it takes one.
    fn each_action<'s>(
        &'s self,
        index: usize,
        part: u32,
        ambient: u32,
        mut visit: impl FnMut(&Action<Interned>, Option<Found<'s>>, &World<Interned>),
    ) {
        let world = self.world(index, part, ambient);
        let mut actions = Vec::new();
        let of = Of::Node(NodeId::new(index as u32));
        world.enabled_of(&self.program, of, |action| actions.push(action));
        for action in &actions {
            let found = action.stimulus(&self.program).map(|(id, stimulus)| {
                assert_eq!(id.index(), index, "an action of a part concerns its node");
                self.steps.step(&self.program, world.nodes[index], &stimulus)
            });
            visit(action, found, &world);
        }
    }

    /// The transition of one way in which `action` can go; None where nothing changes.
    fn transition(
        &self,
        index: usize,
        part: u32,
        ambient: u32,
        world: &World<Interned>,
        action: &Action<Interned>,
        way: Option<(&Step, usize)>,
    ) -> Option<Transition> {
        let mut next = world.clone();
        let mut sent = Vec::new();
        let successor = way.map(|(step, successor)| &step.successors[successor]);
        let mut sink = Inside { index, make: Make(&mut next), sent: &mut sent };
        world.perform(&self.program, action, successor, &mut sink);
        let counters = self.locals[index].split(&mut next.ambient);
        let after = match next.ambient == *self.ambients.get(ambient) {
            true => ambient,
            false => self.ambient_id(&next.ambient),
        };
        let next = self.part_id(index, &next, &counters);
        if next == part && sent.is_empty() && after == ambient {
            return None;
        }
        let (before, now) = (self.part(index, part), self.part(index, next));
        let spent = self.ambient_digest(after).wrapping_sub(self.ambient_digest(ambient));
        let delta = now.digest.wrapping_sub(before.digest).wrapping_add(spent);
        let visible = if now.key == before.key { 0 } else { VISIBLE };
        let beyond = match sent.is_empty() && after == ambient {
            true => 0,
            false => self.beyond_id(&sent, after) + 1,
        };
        assert!(beyond & VISIBLE == 0, "more different sends than numbers for them");
        Some(Transition { delta, part: next, beyond: beyond | visible })
    }

    fn beyond_id(&self, sent: &[u32], ambient: u32) -> u32 {
        let mut receivers: Vec<u32> = sent.iter().map(|envelope| self.receiver(*envelope)).collect();
        receivers.sort_unstable();
        receivers.dedup();
        let bundle = |receiver: &u32| {
            let envelopes = sent.iter().copied().filter(|envelope| self.receiver(*envelope) == *receiver);
            (*receiver, self.bundle_id(*receiver, envelopes.collect()))
        };
        let beyond = Beyond { sends: receivers.iter().map(bundle).collect(), ambient };
        let mut hash = Digest::new();
        beyond.sends.iter().for_each(|(_, bundle)| hash.write_u32(*bundle));
        hash.write_u32(ambient);
        let owned = beyond.sends.len() * 8;
        self.beyond.intern(
            hash.finish(),
            |other| *other == beyond,
            || (Beyond { sends: beyond.sends.clone(), ambient }, owned),
        )
    }

    fn receiver(&self, envelope: u32) -> u32 {
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
        self.puts[index].put(key, (next, delta));
        (next, delta)
    }

    /// The ways that lead somewhere, in the order of [`Expansion::transitions`], each with its action and tape.
    pub(crate) fn ways(&self, index: usize, part: u32, ambient: u32) -> Vec<(Transition, Way)> {
        let (mut alone, mut sending) = (Vec::new(), Vec::new());
        self.each_action(index, part, ambient, |action, found, world| {
            let count = found.as_ref().map_or(1, |found| found.step().successors.len());
            for successor in 0..count {
                let way = found.as_ref().map(|found| (found.step(), successor));
                let Some(transition) = self.transition(index, part, ambient, world, action, way) else {
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

    /// The first way of a part that is a fault, and what the fault says.
    pub(crate) fn fault(&self, index: usize, part: u32, ambient: u32) -> Option<(Way, String)> {
        let mut first = None;
        self.each_action(index, part, ambient, |action, found, _| {
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
        self.program.bytes() + parts + self.beyond.bytes() + self.bundles.bytes()
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
            + self.steps.bytes()
            + self.judge.bytes()
    }
}

/// An action by values, and the answers that its step is given.
pub(crate) struct Way {
    pub action: Action<Direct>,
    pub tape: Vec<u32>,
}

/// Whether it happens because something was under way.
fn is_arrival(action: &Action<Interned>) -> bool {
    matches!(action, Action::Deliver(_) | Action::Miss(_) | Action::Lapse(_))
}

/// The sink that makes the next part, and notes what is sent to others.
struct Inside<'w> {
    index: usize,
    make: Make<'w, Interned>,
    sent: &'w mut Vec<u32>,
}

impl Sink<Interned> for Inside<'_> {
    fn node(&mut self, program: &Interned, id: NodeId, node: &u32) {
        assert_eq!(id.index(), self.index, "a step of a part changes its node");
        self.make.node(program, id, node);
    }

    fn take(&mut self, program: &Interned, envelope: &u32) {
        self.make.take(program, envelope);
    }

    fn put(&mut self, program: &Interned, envelope: &u32) {
        match program.route(envelope).dst.index() == self.index {
            true => self.make.put(program, envelope),
            false => self.sent.push(*envelope),
        }
    }

    fn lose(&mut self, program: &Interned, id: NodeId, all: bool) {
        assert_eq!(id.index(), self.index, "a part loses what is in flight to its node");
        self.make.lose(program, id, all);
    }

    fn ambient(&mut self, program: &Interned, ambient: &Ambient) {
        self.make.ambient(program, ambient);
    }
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
