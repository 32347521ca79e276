//! [`World`]: what may happen next, and what happens.
//!
//! What happens is said once, in [`World::perform`], as changes told to a [`Sink`]: one sink makes the next world,
//! another adds up its digest without making it. Caveat: the digest is a sum of 64-bit contents, so two different
//! worlds may share one; exact engines compare worlds.

use std::fmt;
use std::hash::{Hash, Hasher};

use foresee_kernel::digest::{at, mix};
use foresee_kernel::{CarrierKind, Datum, NodeId, States, View};

use crate::{Action, Discipline, Program, Successor, cut_by};

/// Budgets of faults that were spent. Only what is bounded is counted, or equal worlds would differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spent {
    /// Messages lost.
    pub drops: u32,
    /// Messages doubled.
    pub duplicates: u32,
}

/// A global state.
pub struct World<P: Program> {
    /// The nodes by id.
    pub nodes: Vec<P::Node>,
    /// What is in flight on each carrier, in the canonical order of its discipline.
    pub carriers: Vec<Vec<P::Envelope>>,
    /// Budgets of faults that were spent.
    pub spent: Spent,
}

/// Who is told the changes of a step.
pub trait Sink<P: Program> {
    /// `node` has a new state.
    fn node(&mut self, program: &P, id: NodeId, node: &P::Node);
    /// A message is no longer in flight.
    fn take(&mut self, program: &P, envelope: &P::Envelope);
    /// A message is in flight.
    fn put(&mut self, program: &P, envelope: &P::Envelope);
    /// Budgets are spent.
    fn spend(&mut self, spent: Spent);
}

/// The place of `spent` in digests, beyond any node's.
const SPENT_PLACE: u64 = u64::MAX;

impl<P: Program> World<P> {
    /// Calls `visit` with everything that may happen next, in a fixed order: deliveries, timers, losses, doublings.
    pub fn enabled(&self, program: &P, mut visit: impl FnMut(Action<P>)) {
        self.each_deliverable(program, |envelope| visit(Action::Deliver(envelope.clone())));
        for (index, node) in self.nodes.iter().enumerate() {
            let id = NodeId::new(index as u32);
            program.each_timer(node, &mut |timer| visit(Action::Fire(id, timer.clone())));
        }
        let bounds = &program.model().bounds;
        let may_drop = bounds.drops.is_none_or(|most| self.spent.drops < most);
        let may_double = bounds.duplicates.is_some_and(|most| self.spent.duplicates < most);
        for (index, carrier) in program.model().carriers.iter().enumerate() {
            let lossy = may_drop && carrier.loss > 0.0 && program.disciplines()[index] == Discipline::Bag;
            let doubling =
                may_double && carrier.duplicates.is_some() && carrier.kind == CarrierKind::Datagram;
            if lossy || doubling {
                distinct(&self.carriers[index], |envelope| {
                    let route = program.route(envelope);
                    if route.src == route.dst {
                        return;
                    }
                    if lossy {
                        visit(Action::Drop(envelope.clone()));
                    }
                    if doubling {
                        visit(Action::Duplicate(envelope.clone()));
                    }
                });
            }
        }
    }

    /// Calls `visit` with every message that may arrive next.
    pub fn each_deliverable(&self, program: &P, mut visit: impl FnMut(&P::Envelope)) {
        for (queue, discipline) in self.carriers.iter().zip(program.disciplines()) {
            match discipline {
                Discipline::Bag | Discipline::Set => distinct(queue, &mut visit),
                Discipline::Fifo => {
                    let mut last = None;
                    for envelope in queue {
                        let route = program.route(envelope);
                        if last != Some((route.src, route.dst)) {
                            last = Some((route.src, route.dst));
                            visit(envelope);
                        }
                    }
                }
            }
        }
    }

    /// What happens when `action` does: every change, told to `sink`. `successor` is the way the node's step goes,
    /// where the action makes a node step. A step that faulted has no effect but that its message is consumed.
    pub fn perform(
        &self,
        program: &P,
        action: &Action<P>,
        successor: Option<&Successor<P>>,
        sink: &mut impl Sink<P>,
    ) {
        let bounds = &program.model().bounds;
        match action {
            Action::Deliver(envelope) => {
                if !keeps(program, envelope) {
                    sink.take(program, envelope);
                }
                self.step(program, program.route(envelope).dst, successor, sink);
            }
            Action::Fire(id, _) => self.step(program, *id, successor, sink),
            Action::Drop(envelope) => {
                sink.take(program, envelope);
                if bounds.drops.is_some() {
                    sink.spend(Spent { drops: self.spent.drops + 1, ..self.spent });
                }
            }
            Action::Duplicate(envelope) => {
                sink.put(program, envelope);
                if bounds.duplicates.is_some() {
                    sink.spend(Spent { duplicates: self.spent.duplicates + 1, ..self.spent });
                }
            }
        }
    }

    fn step(&self, program: &P, id: NodeId, successor: Option<&Successor<P>>, sink: &mut impl Sink<P>) {
        let Some(successor) = successor else { return };
        if successor.fault.is_some() {
            return;
        }
        if self.nodes[id.index()] != successor.node {
            sink.node(program, id, &successor.node);
        }
        for envelope in &successor.sends {
            sink.put(program, envelope);
        }
    }

    /// Makes `action` happen.
    pub fn apply(&mut self, program: &P, action: &Action<P>, successor: Option<&Successor<P>>) {
        let mut changes = Noted(Vec::new());
        self.perform(program, action, successor, &mut changes);
        let mut make = Make(self);
        for change in changes.0 {
            match change {
                Change::Node(id, node) => make.node(program, id, &node),
                Change::Take(envelope) => make.take(program, &envelope),
                Change::Put(envelope) => make.put(program, &envelope),
                Change::Spend(spent) => make.spend(spent),
            }
        }
    }

    /// The world after `action`.
    pub fn after(&self, program: &P, action: &Action<P>, successor: Option<&Successor<P>>) -> Self {
        let mut next = self.clone();
        self.perform(program, action, successor, &mut Make(&mut next));
        next
    }

    /// Puts messages in flight, in order.
    pub fn put_all(&mut self, program: &P, envelopes: &[P::Envelope]) {
        let mut make = Make(self);
        envelopes.iter().for_each(|envelope| make.put(program, envelope));
    }

    /// The digest of this world's content: a sum over nodes, messages and spent budgets.
    pub fn digest(&self, program: &P) -> u64 {
        let mut sum = at(SPENT_PLACE, spent_digest(self.spent));
        for (index, node) in self.nodes.iter().enumerate() {
            sum = sum.wrapping_add(program.node_digest(NodeId::new(index as u32), node));
        }
        for (queue, discipline) in self.carriers.iter().zip(program.disciplines()) {
            match discipline {
                Discipline::Bag | Discipline::Set => {
                    for envelope in queue {
                        sum = sum.wrapping_add(program.envelope_digest(envelope));
                    }
                }
                Discipline::Fifo => {
                    let pair = |envelope: &P::Envelope| {
                        let route = program.route(envelope);
                        (route.src, route.dst)
                    };
                    for channel in queue.chunk_by(|a, b| pair(a) == pair(b)) {
                        sum = sum.wrapping_add(channel_digest(program, channel.iter()));
                    }
                }
            }
        }
        sum
    }

    /// The digest of the world after `action`, from `digest`, the digest of this one; without making that world.
    pub fn digest_after(
        &self,
        program: &P,
        digest: u64,
        action: &Action<P>,
        successor: Option<&Successor<P>>,
    ) -> u64 {
        let mut sink =
            Sum { world: self, sum: digest, put: Vec::new(), taken: Vec::new(), channels: Vec::new() };
        self.perform(program, action, successor, &mut sink);
        sink.finish(program)
    }

    /// How many messages are in flight.
    pub fn in_flight(&self) -> usize {
        self.carriers.iter().map(Vec::len).sum()
    }

    /// Whether the model's bounds let a search go on from here. `depth` is the number of steps taken so far.
    pub fn within_bounds(&self, program: &P, depth: u32) -> bool {
        let bounds = &program.model().bounds;
        let within = || self.view(program, |view| bounds.within.iter().all(|within| within(view)));
        cut_by(bounds, depth, self.in_flight(), within).is_none()
    }

    /// Calls `look` with the view that properties have of this world.
    pub fn view<R>(&self, program: &P, look: impl FnOnce(&View<'_>) -> R) -> R {
        let states = WorldStates { world: self, program };
        look(&View::new(program.model(), &states))
    }
}

/// Whether a message stays in flight after it arrived. What a node sends to itself never does.
fn keeps<P: Program>(program: &P, envelope: &P::Envelope) -> bool {
    let route = program.route(envelope);
    program.disciplines()[usize::from(route.carrier)] == Discipline::Set && route.src != route.dst
}

fn distinct<E: PartialEq>(queue: &[E], mut visit: impl FnMut(&E)) {
    for (index, envelope) in queue.iter().enumerate() {
        if index == 0 || queue[index - 1] != *envelope {
            visit(envelope);
        }
    }
}

fn spent_digest(spent: Spent) -> u64 {
    u64::from(spent.drops) << 32 | u64::from(spent.duplicates)
}

fn channel_digest<'e, P: Program + 'e>(program: &P, channel: impl Iterator<Item = &'e P::Envelope>) -> u64 {
    channel.fold(0, |sum, envelope| mix(sum.wrapping_add(program.envelope_digest(envelope))))
}

/// The sink that makes the next world.
pub struct Make<'w, P: Program>(pub &'w mut World<P>);

impl<P: Program> Sink<P> for Make<'_, P> {
    fn node(&mut self, _: &P, id: NodeId, node: &P::Node) {
        self.0.nodes[id.index()] = node.clone();
    }

    fn take(&mut self, program: &P, envelope: &P::Envelope) {
        let carrier = usize::from(program.route(envelope).carrier);
        let queue = &mut self.0.carriers[carrier];
        let place = match program.disciplines()[carrier] {
            Discipline::Fifo => queue.iter().position(|other| other == envelope),
            Discipline::Bag | Discipline::Set => queue.binary_search(envelope).ok(),
        };
        queue.remove(place.expect("only what is in flight is taken"));
    }

    fn put(&mut self, program: &P, envelope: &P::Envelope) {
        let carrier = usize::from(program.route(envelope).carrier);
        let pair = |other: &P::Envelope| {
            let route = program.route(other);
            (route.src, route.dst)
        };
        let queue = &mut self.0.carriers[carrier];
        let keep = keeps(program, envelope);
        if let Some(place) = program.disciplines()[carrier].place(queue, envelope, keep, pair) {
            queue.insert(place, envelope.clone());
        }
    }

    fn spend(&mut self, spent: Spent) {
        self.0.spent = spent;
    }
}

/// The sink that notes changes, for a world that is being looked at while they are told.
struct Noted<P: Program>(Vec<Change<P>>);

enum Change<P: Program> {
    Node(NodeId, P::Node),
    Take(P::Envelope),
    Put(P::Envelope),
    Spend(Spent),
}

impl<P: Program> Sink<P> for Noted<P> {
    fn node(&mut self, _: &P, id: NodeId, node: &P::Node) {
        self.0.push(Change::Node(id, node.clone()));
    }
    fn take(&mut self, _: &P, envelope: &P::Envelope) {
        self.0.push(Change::Take(envelope.clone()));
    }
    fn put(&mut self, _: &P, envelope: &P::Envelope) {
        self.0.push(Change::Put(envelope.clone()));
    }
    fn spend(&mut self, spent: Spent) {
        self.0.push(Change::Spend(spent));
    }
}

/// The sink that adds up the next world's digest.
struct Sum<'w, P: Program> {
    world: &'w World<P>,
    sum: u64,
    /// Messages put into sets, which are there once.
    put: Vec<P::Envelope>,
    /// The heads taken of ordered channels.
    taken: Vec<P::Envelope>,
    /// What is put at the end of ordered channels.
    channels: Vec<P::Envelope>,
}

impl<P: Program> Sink<P> for Sum<'_, P> {
    fn node(&mut self, program: &P, id: NodeId, node: &P::Node) {
        let before = program.node_digest(id, &self.world.nodes[id.index()]);
        self.sum = self.sum.wrapping_sub(before).wrapping_add(program.node_digest(id, node));
    }

    fn take(&mut self, program: &P, envelope: &P::Envelope) {
        match program.disciplines()[usize::from(program.route(envelope).carrier)] {
            Discipline::Bag | Discipline::Set => {
                self.sum = self.sum.wrapping_sub(program.envelope_digest(envelope));
            }
            Discipline::Fifo => self.taken.push(envelope.clone()),
        }
    }

    fn put(&mut self, program: &P, envelope: &P::Envelope) {
        let carrier = usize::from(program.route(envelope).carrier);
        match program.disciplines()[carrier] {
            Discipline::Bag => {}
            Discipline::Fifo => return self.channels.push(envelope.clone()),
            Discipline::Set if keeps(program, envelope) => {
                let there = self.world.carriers[carrier].binary_search(envelope).is_ok();
                if there || self.put.contains(envelope) {
                    return;
                }
                self.put.push(envelope.clone());
            }
            Discipline::Set => {}
        }
        self.sum = self.sum.wrapping_add(program.envelope_digest(envelope));
    }

    fn spend(&mut self, spent: Spent) {
        let before = at(SPENT_PLACE, spent_digest(self.world.spent));
        self.sum = self.sum.wrapping_sub(before).wrapping_add(at(SPENT_PLACE, spent_digest(spent)));
    }
}

impl<P: Program> Sum<'_, P> {
    fn finish(mut self, program: &P) -> u64 {
        while let Some(envelope) = self.taken.last().or(self.channels.last()) {
            let route = program.route(envelope);
            let same = |other: &&P::Envelope| program.route(other) == route;
            let queue = &self.world.carriers[usize::from(route.carrier)];
            let key = (route.src, route.dst);
            let pair = |other: &P::Envelope| {
                let other = program.route(other);
                (other.src, other.dst)
            };
            let first = queue.partition_point(|other| pair(other) < key);
            let channel = &queue[first..];
            let channel = &channel[..channel.partition_point(|other| pair(other) == key)];
            let heads = self.taken.iter().filter(same).count();
            let after = channel[heads..].iter().chain(self.channels.iter().filter(same));
            let mut after = after.peekable();
            if !channel.is_empty() {
                self.sum = self.sum.wrapping_sub(channel_digest(program, channel.iter()));
            }
            if after.peek().is_some() {
                self.sum = self.sum.wrapping_add(channel_digest(program, after));
            }
            self.taken.retain(|other| program.route(other) != route);
            self.channels.retain(|other| program.route(other) != route);
        }
        self.sum
    }
}

struct WorldStates<'a, P: Program> {
    world: &'a World<P>,
    program: &'a P,
}

impl<P: Program> States for WorldStates<'_, P> {
    fn layer(&self, node: NodeId, layer: usize) -> &Datum {
        self.program.layer(&self.world.nodes[node.index()], layer)
    }

    fn up(&self, _: NodeId) -> bool {
        true
    }
}

impl<P: Program> Clone for World<P> {
    fn clone(&self) -> Self {
        World { nodes: self.nodes.clone(), carriers: self.carriers.clone(), spent: self.spent }
    }
}

impl<P: Program> PartialEq for World<P> {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.carriers == other.carriers && self.spent == other.spent
    }
}

impl<P: Program> Eq for World<P> {}

impl<P: Program> Hash for World<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nodes.hash(state);
        self.carriers.hash(state);
        self.spent.hash(state);
    }
}

impl<P: Program> fmt::Debug for World<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let World { nodes, carriers, spent } = self;
        f.debug_struct("World")
            .field("nodes", nodes)
            .field("carriers", carriers)
            .field("spent", spent)
            .finish()
    }
}
