//! Who is told the changes of an action: [`Make`] makes the next world, [`Sum`] adds up its digest, [`Noted`] keeps them for later.

use foresee_kernel::NodeId;
use foresee_kernel::digest::mix;

use crate::world::{keeps, pair};
use crate::{Ambient, Discipline, Mark, Program, World, channel};

/// Who is told the changes of an action.
pub trait Sink<P: Program> {
    /// `node` has a new state.
    fn node(&mut self, program: &P, id: NodeId, node: &P::Node);
    /// What arrived is no longer in flight.
    fn take(&mut self, program: &P, envelope: &P::Envelope);
    /// A message, or a mark, is in flight.
    fn put(&mut self, program: &P, envelope: &P::Envelope);
    /// What is in flight to `id` over its connections and to itself is lost; `all` that is in flight to it, if it never returns.
    fn lose(&mut self, program: &P, id: NodeId, all: bool);
    /// The ambient changes.
    fn ambient(&mut self, program: &P, ambient: &Ambient);
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
            Discipline::Fifo if program.plans().breaks() => {
                return edit(program, queue, envelope, |channel| {
                    channel::take(channel, envelope, |other| program.mark(other));
                });
            }
            Discipline::Fifo => queue.iter().position(|other| other == envelope),
            Discipline::Bag | Discipline::Set => queue.binary_search(envelope).ok(),
        };
        queue.remove(place.expect("only what is in flight is taken"));
    }

    fn put(&mut self, program: &P, envelope: &P::Envelope) {
        let route = program.route(envelope);
        let carrier = usize::from(route.carrier);
        let queue = &mut self.0.carriers[carrier];
        let discipline = program.disciplines()[carrier];
        if discipline == Discipline::Fifo && program.plans().breaks() {
            let mark = |other: &P::Envelope| program.mark(other);
            if mark(envelope) == Some(Mark::Forget) {
                let open = |other: &P::Envelope| {
                    program.route(other).dst == route.dst && mark(other) == Some(Mark::Open)
                };
                return queue.retain(|other| !open(other));
            }
            return edit(program, queue, envelope, |channel| {
                channel::put(channel, envelope, mark, |mark| program.marked(route, mark));
            });
        }
        let keep = keeps(program, envelope);
        if let Some(place) = discipline.place(queue, envelope, keep, |other| pair(program, other)) {
            queue.insert(place, envelope.clone());
        }
    }

    fn lose(&mut self, program: &P, id: NodeId, all: bool) {
        for (queue, discipline) in self.0.carriers.iter_mut().zip(program.disciplines()) {
            queue.retain(|envelope| {
                let route = program.route(envelope);
                route.dst != id || !(all || *discipline == Discipline::Fifo || route.src == id)
            });
        }
    }

    fn ambient(&mut self, _: &P, ambient: &Ambient) {
        self.0.ambient = ambient.clone();
    }
}

/// Changes the channel that `envelope` belongs to.
fn edit<P: Program>(
    program: &P,
    queue: &mut Vec<P::Envelope>,
    envelope: &P::Envelope,
    change: impl FnOnce(&mut Vec<P::Envelope>),
) {
    let key = pair(program, envelope);
    let first = queue.partition_point(|other| pair(program, other) < key);
    let end = first + queue[first..].partition_point(|other| pair(program, other) == key);
    let mut channel: Vec<P::Envelope> = queue[first..end].to_vec();
    change(&mut channel);
    queue.splice(first..end, channel);
}

/// The sink that notes changes, for a world that is being looked at while they are told, or that may turn out not to change.
pub struct Noted<P: Program>(Vec<Change<P>>);

enum Change<P: Program> {
    Node(NodeId, P::Node),
    Take(P::Envelope),
    Put(P::Envelope),
    Lose(NodeId, bool),
    Ambient(Box<Ambient>),
}

impl<P: Program> Default for Noted<P> {
    fn default() -> Self {
        Noted(Vec::new())
    }
}

impl<P: Program> Noted<P> {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the changes.
    pub fn make(self, program: &P, world: &mut World<P>) {
        let mut make = Make(world);
        for change in self.0 {
            match change {
                Change::Node(id, node) => make.node(program, id, &node),
                Change::Take(envelope) => make.take(program, &envelope),
                Change::Put(envelope) => make.put(program, &envelope),
                Change::Lose(id, all) => make.lose(program, id, all),
                Change::Ambient(ambient) => make.ambient(program, &ambient),
            }
        }
    }
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
    fn lose(&mut self, _: &P, id: NodeId, all: bool) {
        self.0.push(Change::Lose(id, all));
    }
    fn ambient(&mut self, _: &P, ambient: &Ambient) {
        self.0.push(Change::Ambient(Box::new(ambient.clone())));
    }
}

/// The sink that adds up the next world's digest, where nothing breaks.
pub(crate) struct Sum<'w, P: Program> {
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

    fn lose(&mut self, _: &P, _: NodeId, _: bool) {
        unreachable!("the digest after a fault is that of the world after it");
    }

    fn ambient(&mut self, _: &P, ambient: &Ambient) {
        self.sum = self.sum.wrapping_sub(self.world.ambient.digest()).wrapping_add(ambient.digest());
    }
}

impl<'w, P: Program> Sum<'w, P> {
    /// The sink for an action in `world`, which has the digest `digest`.
    pub(crate) fn new(world: &'w World<P>, digest: u64) -> Self {
        Sum { world, sum: digest, put: Vec::new(), taken: Vec::new(), channels: Vec::new() }
    }

    /// The digest of the next world.
    pub(crate) fn finish(mut self, program: &P) -> u64 {
        while let Some(envelope) = self.taken.last().or(self.channels.last()) {
            let route = program.route(envelope);
            let same = |other: &&P::Envelope| program.route(other) == route;
            let channel = self.world.channel(program, route);
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

/// What the content of a channel adds to a digest.
pub(crate) fn channel_digest<'e, P: Program + 'e>(
    program: &P,
    channel: impl Iterator<Item = &'e P::Envelope>,
) -> u64 {
    channel.fold(0, |sum, envelope| mix(sum.wrapping_add(program.envelope_digest(envelope))))
}
