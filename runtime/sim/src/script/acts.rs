//! What a script makes happen: first whether it can, then that it does.

use std::time::Duration;

use foresee_kernel::script::{Act, Pin, ScriptLine, Wanted};
use foresee_kernel::{CarrierKind, Datum, Event, NodeEvent, NodeId, Way};
use foresee_world::{Action, Discipline, Envelope};

use super::pin::Probe;
use super::{Player, Trouble, plans};
use crate::channels::NONE;
use crate::flights::Flight;

/// What a command does to a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delivered,
    Lost,
    Doubled,
}

impl Player {
    /// Whether an act can happen now.
    pub(super) fn possible(&self, act: &Act) -> Result<(), Trouble> {
        match act {
            Act::Deliver(wanted, pin) => {
                let slot = self.find(wanted, Fate::Delivered)?;
                let Some(flight) = self.engine.flights.get(slot) else { return Ok(()) };
                let (node, event) = self.engine.arrival(flight.route, flight.message().clone());
                self.up(node)?;
                self.pinned(node, &event, pin.as_ref())
            }
            Act::Drop(wanted) => self.find(wanted, Fate::Lost).map(drop),
            Act::Duplicate(wanted) => self.find(wanted, Fate::Doubled).map(drop),
            Act::Fire { node, layer, timer, pin } => {
                self.up(*node)?;
                self.armed(*node, *layer, timer)?;
                let event = NodeEvent::Layer(*layer, Event::Timer(timer.clone()));
                self.pinned(*node, &event, pin.as_ref())
            }
            Act::Call { node, layer, call, pin } => {
                self.up(*node)?;
                let event = NodeEvent::Layer(*layer, Event::Call(call(0)));
                self.pinned(*node, &event, pin.as_ref())
            }
            Act::Crash(node) | Act::Reset(node) => self.up(*node),
            Act::Restart(node) if self.engine.ambient.up(*node) => {
                Err(Trouble::new(format!("{node} is not down")))
            }
            Act::Restart(_) => Ok(()),
            Act::Partition(these, those) => self.sides(these, those),
            Act::Cut(one, other) if self.between(*one, *other).is_empty() => {
                Err(Trouble::new(format!("no connection is open between {one} and {other}")))
            }
            Act::Cut(..) => Ok(()),
            Act::Heal if self.engine.ambient.parted.is_empty() => Err(Trouble::new("nothing is partitioned")),
            Act::Heal => Ok(()),
        }
    }

    fn up(&self, node: NodeId) -> Result<(), Trouble> {
        if self.engine.ambient.up(node) { Ok(()) } else { Err(Trouble::new(format!("{node} is down"))) }
    }

    /// Whether two sides are all nodes, each on one of them.
    fn sides(&self, these: &[NodeId], those: &[NodeId]) -> Result<(), Trouble> {
        let all = (0..self.engine.states.len()).map(|index| NodeId::new(index as u32));
        for node in all {
            match (these.contains(&node), those.contains(&node)) {
                (true, true) => return Err(Trouble::new(format!("{node} is on both sides"))),
                (false, false) => return Err(Trouble::new(format!("{node} is on neither side"))),
                _ => {}
            }
        }
        match these.is_empty() || those.is_empty() {
            true => Err(Trouble::new("one side is empty")),
            false => Ok(()),
        }
    }

    /// The open connections between two nodes.
    fn between(&self, one: NodeId, other: NodeId) -> Vec<(u8, (NodeId, NodeId))> {
        let mut open = self.engine.open_connections(&[one]);
        open.retain(|(_, ends)| ends.0 == other || ends.1 == other);
        open
    }

    /// Makes an act happen that can.
    pub(super) fn act(&mut self, act: Act, line: &ScriptLine) {
        self.breaks |= matches!(
            act,
            Act::Crash(_) | Act::Restart(_) | Act::Reset(_) | Act::Partition(..) | Act::Cut(..) | Act::Heal
        );
        match act {
            Act::Deliver(wanted, pin) => {
                let Ok(slot) = self.find(&wanted, Fate::Delivered) else { return };
                *self.pin.borrow_mut() = pin;
                self.engine.arrive(slot);
            }
            Act::Drop(wanted) => {
                let Ok(slot) = self.find(&wanted, Fate::Lost) else { return };
                let route = self.engine.flights.get(slot).map(|flight| flight.route);
                if let (Some(route), Some(message)) = (route, self.engine.flights.remove(slot)) {
                    self.note(Envelope { route, message }, Action::Drop);
                }
            }
            Act::Duplicate(wanted) => {
                let Ok(slot) = self.find(&wanted, Fate::Doubled) else { return };
                let Some(flight) = self.engine.flights.get(slot) else { return };
                let copy = Envelope { route: flight.route, message: flight.message().clone() };
                let now = self.engine.now.get();
                let at = now.saturating_add(self.engine.network.delay(&mut self.engine.draws, now, &copy));
                self.engine.take_off(at, copy.route, NONE, copy.message.clone(), 0);
                self.note(copy, Action::Duplicate);
            }
            Act::Fire { node, layer, timer, pin } if self.engine.timers.take(node, layer, &timer) => {
                *self.pin.borrow_mut() = pin;
                self.engine.fire(node, layer, timer);
            }
            Act::Fire { .. } => {}
            Act::Call { node, layer, call, pin } => {
                *self.pin.borrow_mut() = pin;
                self.call(line, Way { node, layer, probability: 1.0, call });
            }
            Act::Crash(node) => self.engine.crash(plans::CRASH, vec![node], true),
            Act::Restart(node) => self.engine.restart(node),
            Act::Reset(node) => self.engine.reset(plans::RESET, node),
            Act::Partition(mut these, _) => {
                these.sort_unstable();
                these.dedup();
                self.engine.partition(plans::PARTITION, these, true);
            }
            Act::Cut(one, other) => {
                for (carrier, ends) in self.between(one, other) {
                    self.engine.cut(plans::CUT, carrier, ends);
                }
            }
            Act::Heal => {
                let sides: Vec<Vec<NodeId>> = self.engine.ambient.parted.keys().cloned().collect();
                sides.into_iter().for_each(|side| self.engine.heal(side));
            }
        }
        *self.pin.borrow_mut() = None;
    }

    /// Writes down what happened to a message.
    fn note(&mut self, envelope: Envelope, what: impl Fn(Envelope) -> Action<foresee_world::Direct>) {
        let now = self.engine.now.get();
        if self.engine.network.is_told(envelope.route.carrier)
            && let Some(recorder) = &mut self.engine.recorder
        {
            recorder.network(now, what(envelope));
        }
    }

    /// The oldest message that is meant and to which this can happen.
    fn find(&self, wanted: &Wanted, fate: Fate) -> Result<u32, Trouble> {
        let flights = &self.engine.flights;
        let to_it = flights.iter().filter(|(_, flight)| flight.route.dst == wanted.to);
        let mut to_it: Vec<(u32, &Flight)> = to_it.collect();
        to_it.sort_by_key(|(_, flight)| flight.order);
        let meant = |flight: &Flight| {
            (wanted.is)(flight.message()) && wanted.from.is_none_or(|from| from == flight.route.src)
        };
        let mut trouble = None;
        for (slot, flight) in to_it.iter().filter(|(_, flight)| meant(flight)) {
            match self.may(flight, fate, &to_it) {
                Ok(()) => return Ok(*slot),
                Err(why) => trouble = trouble.or(Some(why)),
            }
        }
        Err(trouble.unwrap_or_else(|| absent(wanted, &to_it)))
    }

    /// Whether the network may do this to a message.
    fn may(&self, flight: &Flight, fate: Fate, others: &[(u32, &Flight)]) -> Result<(), Trouble> {
        let route = flight.route;
        let carrier = &self.engine.model.carriers[usize::from(route.carrier)];
        let kind = flight.message().kind();
        if fate == Fate::Delivered && !self.engine.ambient.joined(route.src, route.dst) {
            return Err(Trouble::new(format!("a partition stands between {} and {}", route.src, route.dst)));
        }
        if fate == Fate::Delivered {
            let ordered = self.engine.network.discipline(route.carrier) == Discipline::Fifo;
            let before = others.iter().find(|(_, other)| other.route == route && other.order < flight.order);
            return match before.filter(|_| ordered) {
                Some((_, first)) if first.mark => Err(Trouble::new(format!(
                    "`{kind}` from {} to {} waits until the receiver was told that the connection before it broke",
                    route.src, route.dst
                ))),
                Some((_, first)) => Err(Trouble::new(format!(
                    "`{kind}` from {} to {} waits behind `{}`, which was sent before it over the same connection",
                    route.src,
                    route.dst,
                    first.message().kind()
                ))),
                None => Ok(()),
            };
        }
        let verb = if fate == Fate::Lost { "loses" } else { "doubles" };
        if route.src == route.dst {
            let reason = format!("`{kind}` is from {} to itself, and nobody {verb} that", route.src);
            return Err(Trouble::new(reason));
        }
        if carrier.kind != CarrierKind::Datagram {
            let reason = format!("`{}` is an ordered connection: it {verb} no message", carrier.name);
            return Err(Trouble::new(reason).with("`cut a from b` breaks a connection"));
        }
        Ok(())
    }

    fn armed(&self, node: NodeId, layer: u8, timer: &Datum) -> Result<(), Trouble> {
        let armed = self.engine.model.nodes[node.index()].armed(&self.engine.states[node.index()]);
        if armed.iter().any(|(at, known)| *at == layer && known == timer) {
            return Ok(());
        }
        let names: Vec<String> = armed.iter().map(|(_, timer)| format!("{timer:?}")).collect();
        let trouble = Trouble::new(format!("`{timer:?}` is not armed at {node}"));
        Err(match names.is_empty() {
            true => trouble.with(format!("no timer is armed at {node}")),
            false => trouble.with(format!("armed at {node}: {}", names.join(", "))),
        })
    }

    /// Whether the step of `node` can go as it is pinned.
    fn pinned(&self, node: NodeId, event: &NodeEvent, pin: Option<&Pin>) -> Result<(), Trouble> {
        let Some(pin) = pin else { return Ok(()) };
        let (draws, now) = (self.engine.draws.clone(), Duration::from_nanos(self.engine.now.get()));
        let mut probe = Probe { pin, draws, now, met: Vec::new(), missing: None };
        let stack = &self.engine.model.nodes[node.index()];
        let outcome = stack.probe(node, &self.engine.states[node.index()], event, &mut probe);
        let trouble = || Trouble::new(format!("the step cannot go as `{pin}`"));
        if let Some((site, offered)) = probe.missing {
            let offered = offered.join(", ");
            return Err(trouble().with(format!("the options of `{site}` are: {offered}")));
        }
        if probe.met.iter().all(|site| site.contains('.')) {
            return Err(trouble().with(format!("no handler applies in this state of {node}")));
        }
        let unasked = pin.body.iter().find(|(site, _)| !probe.met.contains(site));
        match (unasked, outcome.fault) {
            (Some((site, _)), None) => Err(trouble().with(format!("the step does not come to `{site}`"))),
            _ => Ok(()),
        }
    }
}

/// That there is no message of the kind, and what there is.
fn absent(wanted: &Wanted, to_it: &[(u32, &Flight)]) -> Trouble {
    let Wanted { kind, from, to, .. } = wanted;
    let sender = from.map_or(String::new(), |from| format!(" from {from}"));
    let trouble = Trouble::new(format!("no `{kind}`{sender} is in flight to {to}"));
    let there =
        to_it.iter().map(|(_, flight)| format!("{} from {}", flight.message().kind(), flight.route.src));
    let there: Vec<String> = there.collect();
    match there.is_empty() {
        true => trouble.with(format!("nothing is in flight to {to}")),
        false => trouble.with(format!("in flight to {to}: {}", there.join(", "))),
    }
}
