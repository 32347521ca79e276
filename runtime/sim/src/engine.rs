//! One run: takes what comes first from the queue, makes its node step, and schedules what the step asks for.

use std::cell::Cell;
use std::sync::Arc;

use foresee_kernel::{
    Datum, Delay, Effect, Event, Fault, Model, NodeEvent, NodeId, NodeState, Scratch, States, fault, names,
    trace,
};
use foresee_net::{Draw, Fate};
use foresee_world::reference::NO_FAULT;
use foresee_world::{Action, Envelope, Route, Timer};

use crate::draws::Draws;
use crate::fetch::fetch_ahead;
use crate::ledger::{Account, Ledger};
use crate::network::{Network, nanos};
use crate::options::{Options, SimError};
use crate::queue::{Entry, Kind, Queue};
use crate::record::Recorder;
use crate::resolver::{Chooser, Policy};
use crate::result::{Ending, Run, Violation};
use crate::slab::Slab;
use crate::tally::Tally;
use crate::timers::{Due, Queued, Timers};
use crate::watch::Watch;

/// The most events of a run that has no end of its own and of which the caller says nothing.
pub const EVENTS_MAX: u64 = 1_000_000;

/// The most events at one instant: a run in which the clock stands still for longer ends.
pub const INSTANT_EVENTS_MAX: u64 = 100_000_000;

/// The longest run, in events, whose trace is kept because it violates a property, without being asked for.
pub const TRACE_EVENTS_MAX: u64 = 1_000_000;

/// Runs `model` once. The same model, seed and options give the same run, to the last byte.
///
/// # Errors
/// An end beyond the clock; a workload or faults, which cannot be carried out yet; a property or an objective that panics.
pub fn run(model: &Arc<Model>, seed: u64, options: &Options) -> Result<Run, SimError> {
    let record = if options.trace { Record::Steps } else { Record::Nothing };
    let run = attempt(model, seed, options, record)?;
    let Some(violation) = &run.violation else { return Ok(run) };
    if options.trace {
        return Ok(run);
    }
    // A quick run keeps neither its steps nor the state before a fault; the same seed gives both.
    let record = if run.events <= TRACE_EVENTS_MAX { Record::Steps } else { Record::States };
    let again = attempt(model, seed, options, record)?;
    if again.violation.as_ref() != Some(violation) || again.events != run.events {
        let message = format!("run {seed} ended with {violation} and did not when it was repeated");
        return Err(SimError::Diverged { message });
    }
    Ok(again)
}

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    /// Only what is asked of a run.
    Nothing,
    /// The state before each step, for one that faults.
    States,
    /// All steps.
    Steps,
}

fn attempt(model: &Arc<Model>, seed: u64, options: &Options, record: Record) -> Result<Run, SimError> {
    names::scope(&model.names, || {
        // What panics here is a property, an objective or a policy: a handler's panic is a fault of its step.
        let now = Cell::new(0);
        let run = fault::guard(|| {
            let mut engine = Engine::new(model, seed, options, record, &now)?;
            let ending = engine.go();
            Ok(engine.close(ending))
        });
        run.unwrap_or_else(|fault| {
            Err(SimError::Evaluation { message: fault.to_string(), at_nanos: now.get() })
        })
    })
}

/// The states of all nodes, for properties and objectives.
pub(crate) struct Views<'a>(pub &'a [NodeState]);

impl States for Views<'_> {
    fn layer(&self, node: NodeId, layer: usize) -> &Datum {
        &self.0[node.index()][layer]
    }

    fn up(&self, _: NodeId) -> bool {
        true
    }
}

/// Where a run ends by the clock.
#[derive(Clone, Copy, Debug)]
struct End {
    at: u64,
    ending: Ending,
}

/// A message under way.
#[derive(Debug)]
struct Flight {
    route: Route,
    message: Datum,
}

struct Engine<'m> {
    model: &'m Arc<Model>,
    seed: u64,
    end: Option<End>,
    events_max: u64,
    careful: bool,

    /// The virtual clock, in nanoseconds; it outlives an engine that panics.
    now: &'m Cell<u64>,
    /// How many entries were scheduled.
    order: u64,
    queue: Queue,
    flights: Slab<Flight>,
    timers: Timers,
    states: Vec<NodeState>,

    network: Network,
    draws: Draws,
    policy: Box<dyn Policy>,
    scratch: Scratch,

    events: u64,
    messages: u64,
    bytes: u64,
    ledger: Ledger,
    tally: Tally,
    watch: Option<Watch>,
    violation: Option<Violation>,
    recorder: Option<Recorder>,
}

impl<'m> Engine<'m> {
    fn new(
        model: &'m Arc<Model>,
        seed: u64,
        options: &Options,
        record: Record,
        now: &'m Cell<u64>,
    ) -> Result<Self, SimError> {
        let refused = [(model.calls.is_empty(), "a workload"), (model.faults.is_empty(), "faults")];
        if let Some((_, what)) = refused.into_iter().find(|(empty, _)| !empty) {
            return Err(SimError::Unsupported { what });
        }
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
        Ok(Engine {
            model,
            seed,
            end,
            events_max,
            careful: record != Record::Nothing,
            now,
            order: 0,
            queue: Queue::default(),
            flights: Slab::new(),
            timers: Timers::new(nodes),
            states: Vec::with_capacity(nodes),
            network: Network::new(model),
            draws: Draws::new(seed, nodes),
            policy: options.resolver.policy(model),
            scratch: Scratch::default(),
            events: 0,
            messages: 0,
            bytes: 0,
            ledger: Ledger::new(model),
            tally: Tally::new(model),
            watch: None,
            violation: None,
            recorder: (record == Record::Steps).then(|| Recorder::new(model, seed)),
        })
    }

    /// Starts all nodes and lets happen what comes, up to an end.
    fn go(&mut self) -> Ending {
        self.start();
        let mut instant = 0;
        while self.violation.is_none() {
            let Some(entry) = self.queue.pop() else {
                return self.end.map_or(Ending::Quiet, |end| end.ending);
            };
            if let Some(end) = self.end.filter(|end| entry.at > end.at) {
                return end.ending;
            }
            fetch_ahead(&self.queue, &self.states, &self.model.nodes, &self.flights);
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
    fn start(&mut self) {
        for index in 0..self.model.nodes.len() {
            let id = NodeId::new(index as u32);
            self.states.push(self.model.nodes[index].init(id));
            let started = self.step(id, &NodeEvent::Start, None);
            self.tally.count(self.model, id, &self.states[index], self.scratch.ran(), None);
            match started {
                Ok(()) => self.carry_out(id),
                Err(fault) => self.faulted(fault),
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.started();
        }
        if self.spoilt() {
            return;
        }
        self.ledger.start(self.model, &self.states);
        let (watch, violated) = Watch::new(self.model, &self.states);
        self.watch = Some(watch);
        self.violated(violated);
    }

    /// Lets an entry of the queue happen. False where the run may have no more events.
    fn happen(&mut self, entry: Entry) -> bool {
        match entry.kind() {
            Kind::Delivery => {
                if self.events == self.events_max {
                    return false;
                }
                if let Some(flight) = self.flights.remove(entry.slot) {
                    self.now.set(entry.at);
                    self.deliver(flight);
                }
            }
            Kind::Timer => match self.timers.comes(entry.slot, entry.at, entry.order()) {
                Due::Nothing => {}
                Due::Later(queued) => self.push_timer(NodeId::new(entry.node), queued),
                Due::Fires { .. } if self.events == self.events_max => return false,
                Due::Fires { node, layer, timer } => {
                    self.now.set(entry.at);
                    self.fire(node, layer, timer);
                    self.timers.settle(entry.slot);
                }
            },
        }
        true
    }

    fn deliver(&mut self, flight: Flight) {
        let Flight { route: Route { carrier, src, dst }, message } = flight;
        let layer = self.model.nodes[dst.index()].addressee(&message);
        let event = NodeEvent::Layer(layer, Event::Deliver { src, carrier, message });
        self.event(dst, event);
    }

    fn fire(&mut self, node: NodeId, layer: u8, timer: Datum) {
        self.event(node, NodeEvent::Layer(layer, Event::Timer(timer)));
    }

    /// An event of `node`: its step, and what follows from it.
    fn event(&mut self, node: NodeId, event: NodeEvent) {
        self.events += 1;
        let action = self.recorder.is_some().then(|| action(node, &event)).flatten();
        let stepped = self.step(node, &event, action);
        let message = match &event {
            NodeEvent::Layer(_, Event::Deliver { message, .. }) => Some(message),
            _ => None,
        };
        self.tally.count(self.model, node, &self.states[node.index()], self.scratch.ran(), message);
        match stepped {
            Ok(()) => {
                self.carry_out(node);
                self.ledger.stepped(self.model, &self.states, node, self.now.get());
                let look = |watch: &mut Watch| watch.look(self.model, &self.states, node);
                let violated = self.watch.as_mut().and_then(look);
                self.violated(violated);
            }
            Err(fault) => self.faulted(fault),
        }
    }

    /// A step of `node`; what it came to is in the scratch. `action` is what it is called in a trace.
    fn step(
        &mut self,
        node: NodeId,
        event: &NodeEvent,
        action: Option<Action<foresee_world::Direct>>,
    ) -> Result<(), Fault> {
        let stack = &self.model.nodes[node.index()];
        let state = &mut self.states[node.index()];
        let labels = self.recorder.is_some();
        let mut chooser =
            Chooser { policy: &mut *self.policy, draws: &mut self.draws, now: self.now.get(), labels };
        if !self.careful {
            return stack.step_in_place(node, state, event, &mut chooser, &mut self.scratch);
        }
        let outcome = stack.step(node, state, event, &mut chooser);
        match (&mut self.recorder, action) {
            (Some(recorder), Some(action)) => recorder.step(self.now.get(), node, &action, &outcome),
            (Some(recorder), None) => recorder.start(node, &outcome),
            (None, _) => {}
        }
        *state = outcome.state;
        *self.scratch.effects() = outcome.effects;
        *self.scratch.ran() = outcome.ran;
        outcome.fault.map_or(Ok(()), Err)
    }

    /// Carries out what the last step of `node` asks for, in order.
    fn carry_out(&mut self, node: NodeId) {
        let mut effects = std::mem::take(self.scratch.effects());
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { carrier, to, message } => {
                    self.send(Route { carrier, src: node, dst: to }, message);
                }
                Effect::SetTimer { layer, timer, delay } => {
                    let at = self.now.get().saturating_add(self.delay(node, delay));
                    let order = self.next_order();
                    if let Some(queued) = self.timers.set(node, layer, timer, at, order) {
                        self.push_timer(node, queued);
                    }
                }
                Effect::CancelTimer { layer, timer } => self.timers.cancel(node, layer, &timer),
                // Of the rest, nothing happens in the world: what the application is told, and lines for a trace.
                _ => {}
            }
        }
        *self.scratch.effects() = effects;
    }

    fn send(&mut self, route: Route, message: Datum) {
        let Route { carrier, src, dst } = route;
        let bytes = message.encoded_len() as u64;
        self.messages += 1;
        self.bytes += bytes;
        self.ledger.message(src, || message.kind(), bytes);
        let carried = self.network.carry(&mut self.draws, self.now.get(), carrier, (src, dst), bytes);
        let told = self.recorder.as_mut().filter(|_| carried.told);
        match carried.fate {
            Fate::Arrives(at) => self.take_off(at, route, message),
            Fate::Lost => {
                if let Some(recorder) = told {
                    recorder.network(self.now.get(), Action::Drop(Envelope { route, message }));
                }
            }
            Fate::Doubled(first, copy) => {
                if let Some(recorder) = told {
                    let envelope = Envelope { route, message: message.clone() };
                    recorder.network(self.now.get(), Action::Duplicate(envelope));
                }
                self.take_off(first, route, message.clone());
                self.take_off(copy, route, message);
            }
        }
    }

    fn take_off(&mut self, at: u64, route: Route, message: Datum) {
        let order = self.next_order();
        let slot = self.flights.insert(Flight { route, message });
        self.queue.push(Entry::new(at, Kind::Delivery, order, slot, route.dst.index() as u32));
    }

    fn push_timer(&mut self, node: NodeId, (at, order, slot): Queued) {
        self.queue.push(Entry::new(at, Kind::Timer, order, slot, node.index() as u32));
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// How long until a timer fires: nature picks a moment where there is a range.
    fn delay(&mut self, node: NodeId, delay: Delay) -> u64 {
        let (least, most) = (nanos(delay.least), nanos(delay.most));
        match most > least {
            true => least + self.draws.timer(node).below((most - least).saturating_add(1)),
            false => least,
        }
    }

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
    fn spoilt(&self) -> bool {
        !self.careful && self.violation.as_ref().is_some_and(|violation| violation.fault.is_some())
    }

    /// The run as it stands at its end.
    fn close(&mut self, ending: Ending) -> Run {
        if let (Ending::Until | Ending::Horizon, Some(end)) = (ending, self.end) {
            self.now.set(end.at);
        }
        let fault = self.violation.as_ref().and_then(|violation| violation.fault.clone());
        let account = match self.spoilt() {
            true => Account::default(),
            false => self.ledger.close(self.model, &self.states, self.now.get()),
        };
        let properties = self.watch.as_ref().map(|watch| watch.outcomes(fault.is_some()));
        let kept = match (&self.violation, fault) {
            (Some(_), Some(message)) => trace::Ending::Fault { message },
            (Some(violation), None) => trace::Ending::Violation { property: violation.property.clone() },
            (None, _) => trace::Ending::Run,
        };
        Run {
            seed: self.seed,
            events: self.events,
            virtual_seconds: self.now.get() as f64 / 1e9,
            ending,
            objectives: account.objectives,
            properties: properties.unwrap_or_default(),
            messages: self.messages,
            bytes: self.bytes,
            violation: self.violation.take(),
            handlers: self.tally.handlers(),
            ignored: self.tally.ignored(),
            objectives_by_node: account.by_node,
            trace: self.recorder.take().map(|recorder| recorder.finish(kept)),
        }
    }
}

/// What an event of `node` is called in the world; None for its start.
fn action(node: NodeId, event: &NodeEvent) -> Option<Action<foresee_world::Direct>> {
    match event {
        NodeEvent::Layer(_, Event::Deliver { src, carrier, message }) => {
            let route = Route { carrier: *carrier, src: *src, dst: node };
            Some(Action::Deliver(Envelope { route, message: message.clone() }))
        }
        NodeEvent::Layer(layer, Event::Timer(timer)) => {
            Some(Action::Fire(node, Timer { layer: *layer, timer: timer.clone() }))
        }
        _ => None,
    }
}
