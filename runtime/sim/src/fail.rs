//! What fails: nodes stop and return, connections break, partitions come and go. By the rules of the world
//! (`docs/semantics.md`, section 7); what is random about them is drawn here, keyed by what it is for.

use foresee_kernel::{Datum, NodeEvent, NodeId};
use foresee_net::Draw;
use foresee_world::{Action, Envelope, Mark, Route};

use crate::channels::Item;
use crate::engine::Engine;
use crate::flights::Flight;
use crate::requests::Told;

/// Which nodes are down, as [`Engine::ambient`] has it: a bit a node, which is near however many there are.
#[derive(Clone, Debug)]
pub(crate) struct Down(Vec<u64>);

impl Down {
    /// None of so many.
    pub fn none(nodes: usize) -> Self {
        Down(vec![0; nodes.div_ceil(64)])
    }

    pub fn set(&mut self, node: NodeId, down: bool) {
        let (word, bit) = (&mut self.0[node.index() / 64], 1 << (node.index() % 64));
        *word = if down { *word | bit } else { *word & !bit };
    }

    #[inline]
    pub fn has(&self, node: NodeId) -> bool {
        self.0[node.index() / 64] >> (node.index() % 64) & 1 == 1
    }
}

impl Engine {
    /// Nodes stop, together. `back` says whether they will return.
    pub fn crash(&mut self, plan: u32, nodes: Vec<NodeId>, back: bool) {
        self.comes();
        for id in &nodes {
            self.stop(*id);
            self.ambient.down.insert(*id, back);
            self.down.set(*id, true);
            let state = &self.states[id.index()];
            self.states[id.index()] = self.model.nodes[id.index()].recover(*id, state);
            self.lose(*id, !back);
        }
        nodes.iter().for_each(|id| self.disconnect(*id, Mark::Broken));
        self.tell(Action::Crash { plan, nodes: nodes.clone() });
        nodes.into_iter().for_each(|id| self.changed(id));
    }

    /// A node that is down starts again.
    pub fn restart(&mut self, id: NodeId) {
        self.comes();
        self.ambient.down.remove(&id);
        self.down.set(id, false);
        self.restarted(id);
        self.event_as(id, NodeEvent::Start, Action::Restart(id));
    }

    /// A node stops and starts again at once; its peers are not told.
    pub fn reset(&mut self, plan: u32, id: NodeId) {
        self.comes();
        self.stop(id);
        self.lose(id, false);
        self.disconnect(id, Mark::Ended);
        let state = &self.states[id.index()];
        self.states[id.index()] = self.model.nodes[id.index()].recover(id, state);
        self.restarted(id);
        self.event_as(id, NodeEvent::Start, Action::Reset { plan, node: id });
    }

    /// The ordered connection between two nodes breaks; it is open.
    pub fn cut(&mut self, plan: u32, carrier: u8, ends: (NodeId, NodeId)) {
        for (src, dst) in [ends, (ends.1, ends.0)] {
            self.break_off(Route { carrier, src, dst }, Mark::Broken);
        }
        self.tell(Action::Cut { plan, carrier, ends });
    }

    /// Nodes are cut off from all others.
    pub fn partition(&mut self, plan: u32, side: Vec<NodeId>, heals: bool) {
        self.ambient.parted.insert(side.clone(), heals);
        self.tell(Action::Partition { plan, side });
    }

    /// A partition ends; what it held back arrives now.
    pub fn heal(&mut self, side: Vec<NodeId>) {
        self.ambient.parted.remove(&side);
        std::mem::take(&mut self.held).into_iter().for_each(|entry| self.queue.push(entry));
        self.tell(Action::Heal(side));
    }

    /// The open connections, by carrier and ends, the lesser end first, of which one end is among `nodes`.
    pub fn open_connections(&self, nodes: &[NodeId]) -> Vec<(u8, (NodeId, NodeId))> {
        let Some(channels) = &self.channels else { return Vec::new() };
        let mut open = Vec::new();
        for dst in (0..self.states.len()).map(|index| NodeId::new(index as u32)) {
            let of = channels.open_at(dst).into_iter().filter(|(_, src)| dst < *src);
            let of = of.filter(|(_, src)| nodes.contains(&dst) || nodes.contains(src));
            open.extend(of.map(|(carrier, src)| (carrier, (dst, src))));
        }
        open
    }

    /// A life of a node ends, and its timers are gone.
    fn stop(&mut self, id: NodeId) {
        self.tell_application(|| Told::Ended { node: id });
        for (layer, timer) in self.model.nodes[id.index()].armed(&self.states[id.index()]) {
            self.timers.take(id, layer, &timer);
        }
    }

    /// What is under way to a node over its connections and to itself is lost; `all` of it, if the node never returns.
    fn lose(&mut self, id: NodeId, all: bool) {
        let cut_off = match &mut self.channels {
            Some(channels) => channels.forget(id, &self.flights),
            None => Vec::new(),
        };
        cut_off.into_iter().for_each(|item| self.cancel(item));
        let to_it = |(slot, flight): (u32, &Flight)| (flight.route.dst == id).then_some(slot);
        let lost: Vec<u32> = match all {
            true => self.flights.iter().filter_map(to_it).collect(),
            false => self.flights.own(id),
        };
        for slot in lost {
            self.flights.remove(slot);
        }
        self.network.stopped(id);
    }

    /// The connections of a node end, at the ends of those that are up.
    fn disconnect(&mut self, id: NodeId, how: Mark) {
        let ways = self.channels.as_ref().map_or_else(Vec::new, |channels| channels.ways_from(id));
        for route in ways {
            if route.dst != id && self.ambient.up(route.dst) {
                self.break_off(route, how);
            }
        }
    }

    /// A connection breaks at its receiver, if it is open there: a prefix of what is under way still arrives, and behind it the
    /// receiver is told, unless it will only find out.
    fn break_off(&mut self, route: Route, how: Mark) {
        let order = self.next_order();
        let ended = match &mut self.channels {
            Some(channels) => channels.end(route, how, order, &mut self.flights),
            None => None,
        };
        let Some(under_way) = ended else { return };
        let mut draw = self.draws.outage(route.src);
        let kept = match self.gentle {
            true => under_way.len(),
            false => draw.below(under_way.len() as u64 + 1) as usize,
        };
        let cut_off = kept < under_way.len();
        under_way[kept..].iter().for_each(|item| self.cancel(*item));
        if how == Mark::Broken || cut_off {
            let last = self.channels.as_mut().and_then(|channels| {
                let number = channels.number(route);
                channels.last(number, route)
            });
            let at = self.network.notice(&mut draw, self.now.get(), route, last);
            self.mark(at, route, how, order);
        }
    }

    /// Lets word of an end be under way.
    pub fn mark(&mut self, at: u64, route: Route, how: Mark, order: u64) {
        let flight = Flight::new(route, Datum::new(how), order);
        self.schedule(at, Flight { mark: true, ..flight });
    }

    /// Word of an end of a connection arrives, or what it cut off is lost.
    pub fn marked(&mut self, route: Route, order: u64) {
        if self.channels.is_none() {
            // A rollout keeps no channels: whoever is to be told is told.
            if self.ambient.up(route.dst) {
                let event = NodeEvent::Broken { peer: route.src, carrier: route.carrier };
                self.unplanned(route.dst, event);
            }
            return;
        }
        let ends = match &mut self.channels {
            Some(channels) => channels.close(route, order, &mut self.flights),
            None => Vec::new(),
        };
        for end in ends {
            let envelope = Envelope { route, message: Datum::new(end) };
            if end == Mark::Broken {
                if let Some(witness) = self.policy.witness() {
                    witness.broke(self.now.get(), route.dst, route.src);
                }
                let event = NodeEvent::Broken { peer: route.src, carrier: route.carrier };
                self.event_as(route.dst, event, Action::Deliver(envelope));
            } else {
                self.tell(Action::Lapse(envelope));
            }
        }
    }

    fn cancel(&mut self, item: Item) {
        if self.flights.get(item.slot).is_some_and(|flight| flight.order == item.order) {
            self.flights.remove(item.slot);
        }
    }

    /// Writes down something that makes no node step.
    pub fn tell(&mut self, action: Action<foresee_world::Direct>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.network(self.now.get(), action);
        }
    }
}
