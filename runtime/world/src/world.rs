//! [`World`]: what may happen next, and what happens.
//!
//! What happens is said once, in [`World::perform`], as changes told to a [`Sink`]: one sink makes the next world,
//! another adds up its digest without making it. Caveat: the digest is a sum of 64-bit contents, so two different
//! worlds may share one; exact engines compare worlds.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use foresee_kernel::{CarrierKind, Datum, NodeId, States, View};

use crate::plans::Of;
use crate::sink::{Make, Noted, Sum, channel_digest};
use crate::{Action, Ambient, Discipline, Mark, Program, Route, Sink, Successor, channel, cut_by};

/// A global state.
pub struct World<P: Program> {
    /// The nodes by id. One that is down is as it would restart.
    pub nodes: Vec<P::Node>,
    /// What is in flight on each carrier, in the canonical order of its discipline.
    pub carriers: Vec<Vec<P::Envelope>>,
    /// What it is besides.
    pub ambient: Ambient,
}

impl<P: Program> World<P> {
    /// Calls `visit` with everything that may happen next, in a fixed order: deliveries, timers, losses and doublings, and then what
    /// plans allow.
    pub fn enabled(&self, program: &P, visit: impl FnMut(Action<P>)) {
        self.enabled_of(program, Of::Everything, visit);
    }

    /// As [`World::enabled`], of a part of it. Where that is one node, the world holds what is in flight to that node alone.
    pub fn enabled_of(&self, program: &P, of: Of, mut visit: impl FnMut(Action<P>)) {
        if of != Of::Several {
            self.each_arrival(program, &mut visit);
            for (index, node) in self.nodes.iter().enumerate() {
                let id = NodeId::new(index as u32);
                program.each_timer(node, &mut |timer| visit(Action::Fire(id, timer.clone())));
            }
            self.each_loss(program, &mut visit);
        }
        self.each_planned(program, of, &mut visit);
    }

    /// What the network may lose and double.
    fn each_loss(&self, program: &P, visit: &mut impl FnMut(Action<P>)) {
        let bounds = &program.model().bounds;
        let may_drop = bounds.drops.is_none_or(|most| self.ambient.drops < most);
        let may_double = bounds.duplicates.is_some_and(|most| self.ambient.duplicates < most);
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

    /// What may arrive next, or be lost where it cannot arrive.
    fn each_arrival(&self, program: &P, visit: &mut impl FnMut(Action<P>)) {
        let ambient = &self.ambient;
        let mut message = |envelope: &P::Envelope| {
            let route = program.route(envelope);
            if !ambient.up(route.dst) {
                if !keeps(program, envelope) {
                    visit(Action::Miss(envelope.clone()));
                }
            } else if ambient.joined(route.src, route.dst) {
                visit(Action::Deliver(envelope.clone()));
            }
        };
        let mut ends = Vec::new();
        for (queue, discipline) in self.carriers.iter().zip(program.disciplines()) {
            match discipline {
                Discipline::Bag | Discipline::Set => distinct(queue, &mut message),
                Discipline::Fifo if program.plans().breaks() => {
                    for channel in queue.chunk_by(|a, b| pair(program, a) == pair(program, b)) {
                        let next = channel::next(channel, |envelope| program.mark(envelope));
                        next.head.into_iter().for_each(&mut message);
                        ends.extend(next.end.cloned());
                    }
                }
                Discipline::Fifo => {
                    for channel in queue.chunk_by(|a, b| pair(program, a) == pair(program, b)) {
                        message(&channel[0]);
                    }
                }
            }
        }
        // That a connection broke is learnt without the network: no partition hides it.
        for end in ends {
            match program.mark(&end) {
                Some(Mark::Ended) => visit(Action::Lapse(end)),
                _ => visit(Action::Deliver(end)),
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
        let mut after = Cow::Borrowed(&self.ambient);
        let mut end = None;
        match action {
            Action::Deliver(envelope) => {
                if !keeps(program, envelope) && !self.ignores(program, envelope, successor) {
                    sink.take(program, envelope);
                }
                end = program.plans().breaks().then_some(envelope);
            }
            Action::Miss(envelope) | Action::Lapse(envelope) => sink.take(program, envelope),
            Action::Fire(..) => {}
            Action::Drop(envelope) => {
                sink.take(program, envelope);
                if bounds.drops.is_some() {
                    after.to_mut().drops += 1;
                }
            }
            Action::Duplicate(envelope) => {
                sink.put(program, envelope);
                if bounds.duplicates.is_some() {
                    after.to_mut().duplicates += 1;
                }
            }
            _ => self.perform_planned(program, action, after.to_mut(), sink),
        }
        let changed = matches!(&after, Cow::Owned(after) if *after != self.ambient);
        if changed {
            sink.ambient(program, &after);
        }
        let plans = program.plans();
        let tracked = plans.breaks() && plans.can_break(program.model(), &after);
        if changed && plans.breaks() && !tracked && plans.can_break(program.model(), &self.ambient) {
            self.forget(program, action, sink);
        }
        if let (Some(successor), Some((id, _))) = (successor, action.stimulus(program)) {
            let reset = matches!(action, Action::Reset { .. });
            // After a reset the node is another one, even where its start faults.
            if (successor.fault.is_none() || reset) && self.nodes[id.index()] != successor.node {
                sink.node(program, id, &successor.node);
            }
            if successor.fault.is_none() {
                let sending = Sending { ambient: &after, tracked, reset, taken: end };
                self.send(program, id, &successor.sends, &sending, sink);
            }
        }
    }

    /// Whether a message stays in flight because its receiver does nothing with it: under the reduction `retain-ignored`, on a
    /// carrier without order, where this way of the step changes nothing and sends nothing.
    fn ignores(&self, program: &P, envelope: &P::Envelope, successor: Option<&Successor<P>>) -> bool {
        let Route { carrier, dst, .. } = program.route(envelope);
        program.model().bounds.retain_ignored
            && program.disciplines()[usize::from(carrier)] != Discipline::Fifo
            && successor.is_some_and(|way| {
                way.fault.is_none() && way.sends.is_empty() && way.node == self.nodes[dst.index()]
            })
    }

    /// Tells `sink` what becomes of the messages that node `id` sends.
    fn send(
        &self,
        program: &P,
        id: NodeId,
        sends: &[P::Envelope],
        sending: &Sending<'_, P>,
        sink: &mut impl Sink<P>,
    ) {
        for envelope in sends {
            let route = program.route(envelope);
            let ordered = program.disciplines()[usize::from(route.carrier)] == Discipline::Fifo;
            if route.dst == id || !ordered || !program.plans().breaks() {
                // What can never arrive is not kept.
                if !sending.ambient.gone(route.dst) {
                    sink.put(program, envelope);
                }
                continue;
            }
            let back = Route { carrier: route.carrier, src: route.dst, dst: id };
            let fate = match sending.ambient.up(route.dst) {
                false => channel::Fate::Refused,
                true => self.fate(program, back, sending),
            };
            match fate {
                channel::Fate::Lost => {}
                channel::Fate::Refused => sink.put(program, &program.marked(back, Mark::Refused)),
                channel::Fate::Sent => {
                    if sending.tracked {
                        sink.put(program, &program.marked(back, Mark::Open));
                        sink.put(program, &program.marked(route, Mark::Open));
                    }
                    sink.put(program, envelope);
                }
            }
        }
    }

    /// What becomes of what the receiver of `back` sends to its sender.
    fn fate(&self, program: &P, back: Route, sending: &Sending<'_, P>) -> channel::Fate {
        if sending.reset {
            // What it knew of its connections is gone.
            return channel::Fate::Sent;
        }
        let channel = self.channel(program, back);
        // Where it has just been told of a break, that is behind it.
        let told = sending.taken.filter(|taken| program.mark(taken).is_some());
        let told = told.and_then(|told| channel.iter().position(|envelope| envelope == told));
        channel::fate(
            channel[told.map_or(0, |place| place + 1)..].iter().map(|envelope| program.mark(envelope)),
        )
    }

    /// What is in flight from one node to another on an ordered carrier.
    pub(crate) fn channel(&self, program: &P, route: Route) -> &[P::Envelope] {
        let queue = &self.carriers[usize::from(route.carrier)];
        let key = (route.src, route.dst);
        let first = queue.partition_point(|other| pair(program, other) < key);
        let channel = &queue[first..];
        &channel[..channel.partition_point(|other| pair(program, other) == key)]
    }

    /// Makes `action` happen.
    pub fn apply(&mut self, program: &P, action: &Action<P>, successor: Option<&Successor<P>>) {
        let mut changes = Noted::default();
        self.perform(program, action, successor, &mut changes);
        changes.make(program, self);
    }

    /// The world after `action`.
    pub fn after(&self, program: &P, action: &Action<P>, successor: Option<&Successor<P>>) -> Self {
        let mut next = self.clone();
        self.perform(program, action, successor, &mut Make(&mut next));
        next
    }

    /// Puts in flight what nodes send as they first start, in order.
    pub fn send_all(&mut self, program: &P, envelopes: &[P::Envelope]) {
        let ambient = std::mem::take(&mut self.ambient);
        let tracked = program.plans().breaks();
        let sending = Sending { ambient: &ambient, tracked, reset: true, taken: None };
        let mut changes = Noted::default();
        for envelope in envelopes {
            let src = program.route(envelope).src;
            self.send(program, src, std::slice::from_ref(envelope), &sending, &mut changes);
        }
        changes.make(program, self);
        self.ambient = ambient;
    }

    /// Puts messages and marks in flight as they are, in order.
    pub fn put_all(&mut self, program: &P, envelopes: &[P::Envelope]) {
        let mut make = Make(self);
        envelopes.iter().for_each(|envelope| make.put(program, envelope));
    }

    /// The digest of this world's content: a sum over nodes, messages and the ambient.
    pub fn digest(&self, program: &P) -> u64 {
        let mut sum = self.ambient.digest();
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
                    for channel in queue.chunk_by(|a, b| pair(program, a) == pair(program, b)) {
                        sum = sum.wrapping_add(channel_digest(program, channel.iter()));
                    }
                }
            }
        }
        sum
    }

    /// The digest of the world after `action`, from `digest`, the digest of this one; where nothing can break, without making that
    /// world.
    pub fn digest_after(
        &self,
        program: &P,
        digest: u64,
        action: &Action<P>,
        successor: Option<&Successor<P>>,
    ) -> u64 {
        let plain = matches!(
            action,
            Action::Deliver(_) | Action::Fire(..) | Action::Drop(_) | Action::Duplicate(_) | Action::Call(_)
        );
        if !plain || program.plans().breaks() {
            return self.after(program, action, successor).digest(program);
        }
        let mut sink = Sum::new(self, digest);
        self.perform(program, action, successor, &mut sink);
        sink.finish(program)
    }

    /// How many messages are in flight.
    pub fn in_flight(&self, program: &P) -> usize {
        if !program.plans().breaks() {
            return self.carriers.iter().map(Vec::len).sum();
        }
        let messages = |queue: &Vec<P::Envelope>| queue.iter().filter(|e| program.mark(e).is_none()).count();
        self.carriers.iter().map(messages).sum()
    }

    /// Whether the model's bounds let a search go on from here. `depth` is the number of steps taken so far.
    pub fn within_bounds(&self, program: &P, depth: u32) -> bool {
        let bounds = &program.model().bounds;
        let within = || self.view(program, |view| bounds.within.iter().all(|within| within(view)));
        cut_by(bounds, depth, self.in_flight(program), within).is_none()
    }

    /// Calls `look` with the view that properties have of this world.
    pub fn view<R>(&self, program: &P, look: impl FnOnce(&View<'_>) -> R) -> R {
        let states = WorldStates { world: self, program };
        look(&View::new(program.model(), &states))
    }
}

/// How a node's messages leave it.
struct Sending<'a, P: Program> {
    ambient: &'a Ambient,
    /// Whether it is of interest who is connected to whom.
    tracked: bool,
    /// Whether the node has no connections any more.
    reset: bool,
    /// What has just arrived.
    taken: Option<&'a P::Envelope>,
}

/// The channel that an envelope is in.
pub(crate) fn pair<P: Program>(program: &P, envelope: &P::Envelope) -> (NodeId, NodeId) {
    let route = program.route(envelope);
    (route.src, route.dst)
}

/// Whether a message stays in flight after it arrived. What a node sends to itself never does.
pub(crate) fn keeps<P: Program>(program: &P, envelope: &P::Envelope) -> bool {
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

struct WorldStates<'a, P: Program> {
    world: &'a World<P>,
    program: &'a P,
}

impl<P: Program> States for WorldStates<'_, P> {
    fn layer(&self, node: NodeId, layer: usize) -> &Datum {
        self.program.layer(&self.world.nodes[node.index()], layer)
    }

    fn up(&self, node: NodeId) -> bool {
        self.world.ambient.up(node)
    }
}

impl<P: Program> Clone for World<P> {
    fn clone(&self) -> Self {
        World { nodes: self.nodes.clone(), carriers: self.carriers.clone(), ambient: self.ambient.clone() }
    }
}

impl<P: Program> PartialEq for World<P> {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.carriers == other.carriers && self.ambient == other.ambient
    }
}

impl<P: Program> Eq for World<P> {}

impl<P: Program> Hash for World<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nodes.hash(state);
        self.carriers.hash(state);
        self.ambient.hash(state);
    }
}

impl<P: Program> fmt::Debug for World<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let World { nodes, carriers, ambient } = self;
        f.debug_struct("World")
            .field("nodes", nodes)
            .field("carriers", carriers)
            .field("ambient", ambient)
            .finish()
    }
}
