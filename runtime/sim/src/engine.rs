//! What happens in a run: takes what comes first from the queue, makes its node step, and schedules what the step asks for.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use foresee_kernel::{
    Datum, Delay, Effect, Event, Fault, FaultKind, FaultPlan, FaultTarget, Law, Model, NodeEvent, NodeId,
    NodeState, Scratch, States, View,
};
use foresee_net::{Churn, Draw, Fate as Passed};
use foresee_world::channel::Fate;
use foresee_world::reference::NO_FAULT;
use foresee_world::{Action, Ambient, Discipline, Envelope, Mark, Plans, Route};

use crate::channels::{Channels, NONE};
use crate::churn;
use crate::draws::Draws;
use crate::fail::Down;
use crate::fetch;
use crate::flights::{Flight, Flights, Stage};
use crate::gauge::Gauge;
use crate::ledger::Ledger;
use crate::network::{Network, nanos};
use crate::options::{LOOKS_MAX, Options, SimError};
use crate::queue::{Entry, Kind, Queue};
use crate::record::{Recorder, action};
use crate::requests::{Requests, Told};
use crate::resolver::{Chooser, Policy};
use crate::result::{Ending, Violation};
use crate::run::{EVENTS_MAX, INSTANT_EVENTS_MAX, Record};
use crate::schedule::Schedule;
use crate::tally::Tally;
use crate::timers::{Due, Queued, Timers};
use crate::watch::Watch;

/// What stands in the place of an effect that was carried out.
const DONE: Effect = Effect::Persist { layer: 0 };

/// The states of all nodes, and which of them are down.
pub(crate) struct Seen<'a> {
    pub states: &'a [NodeState],
    pub ambient: &'a Ambient,
}

impl Seen<'_> {
    /// The nodes that a line of the faults may happen to as things stand: all of them together, or any one.
    pub fn meant(&self, model: &Model, fault: &FaultPlan) -> Vec<NodeId> {
        let mut nodes = match &fault.target {
            FaultTarget::OneOf(nodes) => nodes.clone(),
            FaultTarget::AllOf(set) => set(&View::new(model, self)),
        };
        nodes.sort_unstable();
        nodes.dedup();
        if matches!(fault.kind, FaultKind::Crash | FaultKind::Reset) {
            self.ambient.keep_up(&mut nodes);
        }
        nodes
    }
}

impl States for Seen<'_> {
    fn layer(&self, node: NodeId, layer: usize) -> &Datum {
        &self.states[node.index()][layer]
    }

    fn up(&self, node: NodeId) -> bool {
        self.ambient.up(node)
    }
}

/// Where a run ends by the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub at: u64,
    pub ending: Ending,
}

/// One run as it stands.
pub(crate) struct Engine {
    pub model: Arc<Model>,
    pub seed: u64,
    pub end: Option<End>,
    pub events_max: u64,
    pub careful: bool,
    /// Whether the policy has a witness.
    pub deliberate: bool,
    /// How long the choices of the last step took, in nanoseconds.
    pub thought: u64,

    /// The virtual clock, in nanoseconds; it outlives an engine that panics.
    pub now: Rc<Cell<u64>>,
    /// How many entries were scheduled.
    pub order: u64,
    pub queue: Queue,
    pub flights: Flights,
    pub timers: Timers,
    pub states: Vec<NodeState>,

    pub network: Network,
    /// Who is down, and who is cut off from whom.
    pub ambient: Ambient,
    pub down: Down,
    /// The ordered connections, where they can break.
    pub channels: Option<Channels>,
    /// What a partition holds back.
    pub held: Vec<Entry>,
    /// Whether nothing is cut off where a connection breaks.
    pub gentle: bool,
    pub requests: Requests,
    pub schedule: Schedule,
    pub churn: Option<Arc<Churn>>,
    /// Whether calls and faults come by themselves.
    pub plans_run: bool,
    pub draws: Draws,
    pub policy: Box<dyn Policy>,
    pub scratch: Scratch,

    pub events: u64,
    pub messages: u64,
    pub bytes: u64,
    pub ledger: Ledger,
    pub tally: Tally,
    pub watch: Option<Watch>,
    /// What the run says of statistical properties, where that is asked for.
    pub figures: bool,
    /// Whether the states at the end are kept.
    pub last: bool,
    pub gauge: Option<Gauge>,
    pub violation: Option<Violation>,
    pub recorder: Option<Recorder>,
    /// What the application was told since it last listened; nothing is kept where none does.
    pub told: Option<Vec<Told>>,
}

impl Engine {
    pub fn new(
        model: &Arc<Model>,
        seed: u64,
        options: &Options,
        record: Record,
        now: &Rc<Cell<u64>>,
    ) -> Result<Self, SimError> {
        let end = match (options.until, model.horizon) {
            (Some(until), _) => Some((until, Ending::Until)),
            (None, horizon) => horizon.map(|horizon| (horizon, Ending::Horizon)),
        };
        let end = end.map(|(end, ending)| match nanos(end) {
            u64::MAX => Err(SimError::TooLong(end)),
            at => Ok(End { at, ending }),
        });
        let end = end.transpose()?;
        let events_max = options.events_max.unwrap_or(if end.is_some() { u64::MAX } else { EVENTS_MAX });
        let nodes = model.nodes.len();
        let mut policy = options.resolver.policy(model);
        let deliberate = policy.witness().is_some();
        let network = Network::new(model, options.topology.clone())?.changing(model, &options.later)?;
        if let Some(churn) = &options.churn {
            churn::said(model, churn)?;
        }
        let mut ledger = Ledger::new(model);
        if let Some(every) = options.every {
            let nanos = nanos(every);
            let looks = end.and_then(|end| end.at.checked_div(nanos));
            looks.filter(|looks| *looks <= LOOKS_MAX).ok_or(SimError::Looks(every))?;
            ledger.look(nanos);
        }
        Ok(Engine {
            model: model.clone(),
            seed,
            end,
            events_max,
            careful: record != Record::Nothing || deliberate,
            deliberate,
            thought: 0,
            now: now.clone(),
            order: 0,
            queue: Queue::default(),
            flights: Flights::default(),
            timers: Timers::new(nodes),
            states: Vec::with_capacity(nodes),
            network: if deliberate { network.of_varying_departures() } else { network },
            ambient: Ambient::default(),
            down: Down::none(nodes),
            channels: Plans::new(model).breaks().then(|| Channels::new(nodes, now.clone())),
            held: Vec::new(),
            gentle: false,
            requests: Requests::new(model),
            schedule: Schedule::new(model, end.map(|end| end.at)),
            churn: options.churn.clone(),
            plans_run: false,
            draws: Draws::new(seed, nodes),
            policy,
            scratch: Scratch::default(),
            events: 0,
            messages: 0,
            bytes: 0,
            ledger,
            tally: Tally::new(model),
            watch: None,
            figures: options.figures && !model.statistics.is_empty(),
            last: options.last,
            gauge: None,
            violation: None,
            recorder: (record == Record::Steps).then(|| Recorder::new(model, seed)),
            told: None,
        })
    }

    /// Starts all nodes and lets happen what comes, up to an end.
    pub fn go(&mut self) -> Ending {
        self.start();
        let mut instant = 0;
        while self.violation.is_none() {
            let Some(entry) = self.queue.pop() else {
                return self.end.map_or(Ending::Quiet, |end| end.ending);
            };
            if let Some(end) = self.end.filter(|end| entry.at > end.at) {
                return end.ending;
            }
            if self.states.len() >= fetch::NODES_LEAST {
                self.fetch_ahead();
            }
            let before = self.now.get();
            if !self.happen(entry) {
                return Ending::EventsMax;
            }
            instant = if self.now.get() == before { instant + 1 } else { 0 };
            if instant >= INSTANT_EVENTS_MAX {
                return Ending::Stalled;
            }
        }
        Ending::Violation
    }

    /// All nodes start, in the order of their ids, before anything is delivered.
    pub fn start(&mut self) {
        for index in 0..self.model.nodes.len() {
            let id = NodeId::new(index as u32);
            self.states.push(self.model.nodes[index].init(id));
            let started = self.step(id, &NodeEvent::Start, None);
            self.tally.count(&self.model, id, &self.states[index], self.scratch.ran(), None);
            match started {
                Ok(()) => {
                    let (ran, called) = self.scratch.seen();
                    self.ledger.ran(&self.model, id, ran, called, 0);
                    self.carry_out(id);
                    self.witnessed(id);
                }
                Err(fault) => self.faulted(fault),
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.started();
        }
        if self.spoilt() {
            return;
        }
        self.ledger.start(&self.model, &Seen { states: &self.states, ambient: &self.ambient }, 0);
        let (watch, violated) =
            Watch::new(&self.model, &Seen { states: &self.states, ambient: &self.ambient });
        self.watch = Some(watch);
        if self.figures {
            self.gauge =
                Some(Gauge::new(&self.model, &Seen { states: &self.states, ambient: &self.ambient }));
        }
        self.violated(violated);
        if self.plans_run {
            self.plan();
        }
    }

    /// Lets an entry of the queue happen. False where the run may have no more events.
    #[inline]
    pub fn happen(&mut self, entry: Entry) -> bool {
        match entry.kind() {
            Kind::Plan if self.events == self.events_max => return false,
            Kind::Plan => {
                self.advance(entry.at);
                self.planned(entry.slot);
            }
            Kind::Delivery => {
                if self.events == self.events_max {
                    return false;
                }
                if self.flights.get(entry.slot).is_some_and(|flight| flight.order == entry.order()) {
                    if self.holds_back(entry) {
                        self.hold_back(entry);
                    } else if self.network.has_receivers() && !self.comes_in(entry) {
                        // It waits for its receiver, or is gone.
                    } else {
                        self.advance(entry.at);
                        self.arrive(entry.slot);
                    }
                }
            }
            Kind::Timer => match self.timers.comes(entry.slot, entry.at, entry.order()) {
                Due::Nothing(left) => left.into_iter().for_each(|timer| self.scratch.keep(timer)),
                Due::Later(queued) => self.push_timer(NodeId::new(entry.node), queued),
                Due::Fires { .. } if self.events == self.events_max => return false,
                Due::Fires { node, layer, timer } => {
                    self.advance(entry.at);
                    self.fire(node, layer, timer);
                    let left = self.timers.settle(entry.slot);
                    left.into_iter().for_each(|timer| self.scratch.keep(timer));
                }
            },
        }
        true
    }

    /// Whether a moment lies behind the end of the run.
    pub fn is_beyond_end(&self, at: u64) -> bool {
        self.end.is_some_and(|end| at > end.at)
    }

    /// The clock never goes back: what a script has left overdue happens now.
    fn advance(&mut self, at: u64) {
        if at > self.now.get() {
            self.now.set(at);
        }
    }

    /// Whether a partition stands between the ends of a message.
    fn holds_back(&self, entry: Entry) -> bool {
        let parted = |flight: &Flight| {
            !flight.mark
                && flight.stage != Stage::Taken
                && !self.ambient.joined(flight.route.src, flight.route.dst)
        };
        !self.ambient.parted.is_empty() && self.flights.get(entry.slot).is_some_and(parted)
    }

    /// Whether a node is up, without a look at what may be far.
    #[inline]
    fn is_up(&self, node: NodeId) -> bool {
        debug_assert_eq!(self.down.has(node), !self.ambient.up(node));
        !self.down.has(node)
    }

    /// What is in flight arrives: a message, or word of the end of a connection.
    #[inline(always)]
    pub fn arrive(&mut self, slot: u32) {
        let Some(&Flight { route, order, mark, attached, pair, .. }) = self.flights.get(slot) else { return };
        if pair != NONE
            && let Some(channels) = &mut self.channels
            && !channels.arrive(slot, &mut self.flights)
        {
            self.flights.remove(slot);
            return;
        }
        let Some(message) = self.flights.remove(slot) else { return };
        if mark {
            return self.marked(route, order);
        }
        if self.is_up(route.dst) {
            return self.deliver(route, message, attached);
        }
        if self.network.discipline(route.carrier) != Discipline::Set || route.src == route.dst {
            self.tell(Action::Miss(Envelope { route, message }));
        }
    }

    /// Whether a message by this route stands in a channel that can break.
    #[inline]
    pub fn is_channel(&self, route: Route) -> bool {
        self.channels.is_some() && route.src != route.dst && self.network.is_ordered(route.carrier)
    }

    /// A message that is no longer in flight is delivered.
    #[inline(always)]
    fn deliver(&mut self, route: Route, message: Datum, attached: u64) {
        if self.deliberate
            && let Some(witness) = self.policy.witness()
        {
            witness.arrives(self.now.get(), route, attached);
        }
        let (dst, event) = self.arrival(route, message);
        self.event(dst, event);
    }

    /// What its receiver is told when a message arrives.
    #[inline(always)]
    pub fn arrival(&self, route: Route, message: Datum) -> (NodeId, NodeEvent) {
        let Route { carrier, src, dst } = route;
        let layer = self.model.nodes[dst.index()].addressee(&message);
        (dst, NodeEvent::Layer(layer, Event::Deliver { src, carrier, message }))
    }

    /// A timer that is no longer armed fires.
    #[inline]
    pub fn fire(&mut self, node: NodeId, layer: u8, timer: Datum) {
        self.event(node, NodeEvent::Layer(layer, Event::Timer(timer)));
    }

    /// An event of `node`: its step, and what follows from it.
    #[inline(always)]
    fn event(&mut self, node: NodeId, event: NodeEvent) {
        let action = self.recorder.is_some().then(|| action(node, &event)).flatten();
        self.take_step(node, event, action);
    }

    /// An event of `node` that no trace can name.
    pub fn unplanned(&mut self, node: NodeId, event: NodeEvent) {
        self.take_step(node, event, None);
    }

    /// An event of `node` that is called `action` in a trace.
    pub fn event_as(&mut self, node: NodeId, event: NodeEvent, action: Action<foresee_world::Direct>) {
        self.take_step(node, event, Some(action));
    }

    #[inline(always)]
    fn take_step(&mut self, node: NodeId, event: NodeEvent, action: Option<Action<foresee_world::Direct>>) {
        self.events += 1;
        self.comes();
        let stepped = self.step(node, &event, action);
        let message = match &event {
            NodeEvent::Layer(_, Event::Deliver { message, .. }) => Some(message),
            _ => None,
        };
        self.tally.count(&self.model, node, &self.states[node.index()], self.scratch.ran(), message);
        self.settle(node, stepped);
        if let NodeEvent::Layer(_, Event::Deliver { message: datum, .. } | Event::Timer(datum)) = event {
            self.scratch.keep(datum);
        }
    }

    /// What follows from a step of `node`.
    #[inline(always)]
    pub fn settle(&mut self, node: NodeId, stepped: Result<(), Fault>) {
        match stepped {
            Ok(()) => {
                let now = self.now.get();
                let (ran, called) = self.scratch.seen();
                self.ledger.ran(&self.model, node, ran, called, now);
                if self.deliberate {
                    self.told_what_ran(node);
                }
                self.carry_out(node);
                self.changed(node);
            }
            Err(fault) => self.faulted(fault),
        }
    }

    /// Something happens now: what objectives make of the time until then.
    #[inline]
    pub fn comes(&mut self) {
        let seen = Seen { states: &self.states, ambient: &self.ambient };
        self.ledger.comes(&self.model, &seen, self.now.get());
    }

    /// The state of `node` is another: what objectives and properties make of it.
    #[inline(always)]
    pub fn changed(&mut self, node: NodeId) {
        let seen = Seen { states: &self.states, ambient: &self.ambient };
        self.ledger.stepped(&self.model, &seen, node, self.now.get());
        let violated = self.watch.as_mut().and_then(|watch| watch.look(&self.model, &seen, node));
        if let Some(gauge) = &mut self.gauge {
            gauge.look(&self.model, &seen, node, self.now.get());
        }
        self.violated(violated);
        if self.deliberate {
            self.witnessed(node);
        }
    }

    /// A step of `node`; what it came to is in the scratch. `action` is what it is called in a trace.
    #[inline(always)]
    fn step(
        &mut self,
        node: NodeId,
        event: &NodeEvent,
        action: Option<Action<foresee_world::Direct>>,
    ) -> Result<(), Fault> {
        let labels = self.recorder.is_some();
        let outcome = if self.deliberate {
            self.deliberate(node, event, labels)
        } else {
            let stack = &self.model.nodes[node.index()];
            let state = &mut self.states[node.index()];
            let (policy, draws, now) = (&mut *self.policy, &mut self.draws, self.now.get());
            if !self.careful {
                let mut chooser = Chooser { policy, draws, now, labels, step: None, own: None };
                return stack.step_in_place(node, state, event, &mut chooser, &mut self.scratch);
            }
            let mut chooser = Chooser { policy, draws, now, labels, step: None, own: Some((event, state)) };
            stack.step(node, state, event, &mut chooser)
        };
        match (&mut self.recorder, action) {
            (Some(recorder), Some(action)) => recorder.step(self.now.get(), node, &action, &outcome),
            (Some(recorder), None) => recorder.start(node, &outcome),
            (None, _) => {}
        }
        self.states[node.index()] = outcome.state;
        *self.scratch.effects() = outcome.effects;
        *self.scratch.ran() = outcome.ran;
        *self.scratch.called() = outcome.called;
        outcome.fault.map_or(Ok(()), Err)
    }

    /// Carries out what the last step of `node` asks for, in order.
    #[inline]
    fn carry_out(&mut self, node: NodeId) {
        let mut effects = std::mem::take(self.scratch.effects());
        for effect in &mut effects {
            // What was just written is read field by field: a message moves once, into what is under way.
            if let Effect::Send { .. } = effect {
                self.send(node, effect);
                continue;
            }
            match std::mem::replace(effect, DONE) {
                Effect::SetTimer { layer, timer, delay } => {
                    let at = self.now.get().saturating_add(self.delay(node, delay));
                    let order = self.next_order();
                    let (queued, left) = self.timers.set(node, layer, timer, at, order);
                    if let Some(queued) = queued {
                        self.push_timer(node, queued);
                    }
                    left.into_iter().for_each(|timer| self.scratch.keep(timer));
                }
                Effect::CancelTimer { layer, timer } => {
                    let left = self.timers.cancel(node, layer, &timer);
                    self.scratch.keep(timer);
                    left.into_iter().for_each(|timer| self.scratch.keep(timer));
                }
                Effect::Answer { request, value } => {
                    self.requests.answered(node, request, self.now.get());
                    self.tell_application(|| Told::Answer { node, request, value });
                }
                Effect::Emit { upcall } if self.told.is_none() => self.scratch.keep(upcall),
                Effect::Emit { upcall } => self.tell_application(|| Told::Upcall { node, upcall }),
                // Of the rest, nothing happens in the world: they are lines for a trace.
                _ => {}
            }
        }
        effects.clear();
        *self.scratch.effects() = effects;
    }

    /// Carries out a [`Effect::Send`] of `src`, of which nothing is left.
    #[inline(always)]
    fn send(&mut self, src: NodeId, effect: &mut Effect) {
        let Effect::Send { carrier, to: dst, message } = effect else { return };
        let route @ Route { carrier, dst, .. } = Route { carrier: *carrier, src, dst: *dst };
        let bytes = message.encoded_len() as u64;
        let now = self.now.get().saturating_add(self.thought);
        let attached = match self.deliberate {
            true => self.policy.witness().map_or(0, |witness| witness.sent(self.now.get(), route, message)),
            false => 0,
        };
        self.messages += 1;
        self.bytes += bytes;
        self.ledger.message(src, || message.kind(), bytes, self.now.get());
        let Some(pair) = self.gets_through(route) else { return };
        let last = self.channels.as_mut().and_then(|channels| channels.last(pair, route));
        let carried = self.network.carry(&mut self.draws, now, carrier, (src, dst), bytes, last);
        let Effect::Send { message, .. } = std::mem::replace(effect, DONE) else { return };
        let told = self.recorder.as_mut().filter(|_| carried.told);
        match carried.fate {
            Passed::Arrives(at) if carried.stuck => {
                let slot = self.take_off(at, route, pair, message, attached);
                if let Some(flight) = self.flights.get_mut(slot) {
                    flight.stage = Stage::Stuck;
                }
            }
            Passed::Arrives(at) => drop(self.take_off(at, route, pair, message, attached)),
            Passed::Lost => match told {
                Some(recorder) => recorder.network(self.now.get(), Action::Drop(Envelope { route, message })),
                None => self.scratch.keep(message),
            },
            Passed::Doubled(first, copy) => {
                if let Some(recorder) = told {
                    let envelope = Envelope { route, message: message.clone() };
                    recorder.network(self.now.get(), Action::Duplicate(envelope));
                }
                self.take_off(first, route, pair, message.clone(), attached);
                self.take_off(copy, route, pair, message, attached);
            }
        }
    }

    /// A message is in flight until `at`; it stands in a channel of the pair of this number, if there is one.
    #[inline(always)]
    pub fn take_off(&mut self, at: u64, route: Route, pair: u32, message: Datum, attached: u64) -> u32 {
        let order = self.next_order();
        let slot = self.schedule(at, Flight { attached, pair, ..Flight::new(route, message, order) });
        if pair != NONE
            && let Some(channels) = &mut self.channels
        {
            channels.send(pair, route, slot, order, &mut self.flights);
        }
        slot
    }

    /// Lets something be in flight until `at`.
    #[inline(always)]
    pub fn schedule(&mut self, at: u64, flight: Flight) -> u32 {
        let (order, dst) = (flight.order, flight.route.dst);
        let slot = self.flights.insert(flight);
        self.queue.push(Entry::new(at, Kind::Delivery, order, slot, dst.index() as u32));
        slot
    }

    /// Whether a message is on its way once it is sent, and the number of the pair in whose channel it stands then; none where it stands
    /// in no channel. Where a connection is gone the sender will be told.
    #[inline]
    fn gets_through(&mut self, route: Route) -> Option<u32> {
        if !self.is_channel(route) {
            return (!self.ambient.gone(route.dst)).then_some(NONE);
        }
        let up = self.is_up(route.dst);
        let Some(channels) = &mut self.channels else { return Some(NONE) };
        let pair = channels.find(route);
        let fate = if up { channels.fate(pair, route) } else { Fate::Refused };
        match fate {
            Fate::Sent => return Some(pair.unwrap_or_else(|| channels.number(route))),
            Fate::Lost => {}
            Fate::Refused => {
                self.order += 1;
                let order = self.order;
                let back = Route { carrier: route.carrier, src: route.dst, dst: route.src };
                if channels.refuse(route, order, &mut self.flights) {
                    let number = channels.number(back);
                    let last = channels.last(number, back);
                    let at =
                        self.network.notice(&mut self.draws.outage(route.src), self.now.get(), back, last);
                    self.mark(at, back, Mark::Broken, order);
                }
            }
        }
        None
    }

    pub fn push_timer(&mut self, node: NodeId, (at, order, slot): Queued) {
        self.queue.push(Entry::new(at, Kind::Timer, order, slot, node.index() as u32));
    }

    /// Whether calls and faults come by themselves.
    pub fn plans_run(&self) -> bool {
        self.plans_run
    }

    pub fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// How long until a timer fires: nature picks a moment where there is a range.
    fn delay(&mut self, node: NodeId, delay: Delay) -> u64 {
        if let Law::Exponential(mean) = delay.law {
            let exponential = foresee_net::Delay::Exponential(nanos(mean));
            return exponential.nanos(&mut self.draws.timer(node));
        }
        let (least, most) = (nanos(delay.least), nanos(delay.most));
        match most > least {
            true => least + self.draws.timer(node).below((most - least).saturating_add(1)),
            false => least,
        }
    }

    #[inline]
    fn violated(&mut self, property: Option<&'static str>) {
        if let (None, Some(property)) = (&self.violation, property) {
            let at_nanos = self.now.get();
            self.violation = Some(Violation { property: property.to_owned(), fault: None, at_nanos });
        }
    }

    fn faulted(&mut self, fault: Fault) {
        if self.violation.is_none() {
            let (property, fault) = (NO_FAULT.to_owned(), Some(fault.to_string()));
            self.violation = Some(Violation { property, fault, at_nanos: self.now.get() });
        }
    }

    /// Whether a step left a state that is none: a fault in a run that keeps no state to go back to. Such a run is
    /// repeated with care, and nothing may look at it.
    pub fn spoilt(&self) -> bool {
        !self.careful && self.violation.as_ref().is_some_and(|violation| violation.fault.is_some())
    }
}
