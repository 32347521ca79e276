//! The steps of a service that lives: what happens to it, what each step changes, and what leaves it.
//!
//! Everything that leaves a step (messages, answers, upcalls) waits in order until the durable changes of the step, and of all
//! steps before it, are on disk. What has nothing to wait for leaves at once. Nothing here waits: who takes the steps is [`crate::helm`]'s business.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use foresee_kernel::recording::{self, Happening};
use foresee_kernel::{
    Below, CarrierKind, Changes, Datum, Delay, Effect, Event, Fault, Law, Lost, NodeEvent, NodeId, NodeState,
    Ran, Scratch, Violation, fault, names,
};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::clock;
use crate::frame::{DATAGRAM_BYTES_MAX, DatagramHead};
use crate::leaving::Leaving;
use crate::link::{Adopt, Input, Link, Seat};
use crate::meter::Meter;
use crate::outbox::Sent;
use crate::service::{Ask, Done, Service};
use crate::store::StepChanges;

/// The longest that a timer is set for; a longer one fires then.
const TIMER_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// What ends with a crash.
pub(crate) struct Life {
    /// Greater than that of any life before it.
    pub number: u64,
    pub state: NodeState,
    /// The durable variables as they were handed to the journal.
    written: NodeState,
    /// What is armed, by when it fires and the order in which it was armed.
    timers: BTreeMap<TimerKey, (u8, Datum)>,
    armed: BTreeMap<(u8, Datum), TimerKey>,
    timers_set: u64,
    links: BTreeMap<(u8, NodeId), Link>,
    inbox: mpsc::Receiver<Input>,
    inlet: mpsc::Sender<Input>,
    /// What the node sent to itself.
    own: VecDeque<(u8, Datum)>,
    /// The requests of programs that wait for an answer, by their number: a new one has the greatest.
    pub requests: VecDeque<(u64, Done<Datum>)>,
    next_request: u64,
    outputs: VecDeque<(u64, Output)>,
    /// The number of the last step that changed durable state.
    pub last_write: u64,
    /// Up to which number all is on disk, as was seen last.
    committed: u64,
    waiting: VecDeque<Datum>,
    pub leaving: Leaving,
    /// The moment, for timers, where something looked at it in this turn.
    now: Option<Instant>,
    /// When the step before ended, or the turn began.
    clock: Duration,
    /// How often something was taken from the queues: each comes first in turn.
    taken: usize,
    /// What the service's own task waits for, as far as it was told: a timer, and room for upcalls.
    known: (Option<Instant>, bool),
    scratch: Scratch,
    effects: Vec<Effect>,
}

/// When a timer fires, and the number of its arming.
type TimerKey = (Instant, u64);

/// What leaves a step when everything before it is on disk.
enum Output {
    Send {
        carrier: u8,
        to: NodeId,
        message: Datum,
    },
    Disconnect {
        carrier: u8,
        to: NodeId,
    },
    /// The service was told that a connection broke: what it sends from here on is meant for a new one.
    Told {
        carrier: u8,
        peer: NodeId,
    },
    Upcall(Datum),
    Answer {
        request: u64,
        value: Datum,
    },
    Do(Box<dyn FnOnce() + Send>),
}

/// What happens.
pub(crate) enum Next {
    Input(Input),
    Timer((u8, Datum)),
    Adopt(u8, Adopt),
    Ask(Ask),
}

/// What steps are counted by.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Start,
    Deliver,
    Broken,
    Timer,
    Call,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Start, Kind::Deliver, Kind::Broken, Kind::Timer, Kind::Call];

    fn name(self) -> &'static str {
        match self {
            Kind::Start => "start",
            Kind::Deliver => "deliver",
            Kind::Broken => "broken",
            Kind::Timer => "timer",
            Kind::Call => "call",
        }
    }

    /// The counters, in the order of the kinds.
    pub(crate) fn counters(meter: &Meter) -> [Counter; 5] {
        Kind::ALL.map(|kind| meter.event(kind.name()))
    }
}

impl Life {
    /// One that begins in `state`, with room for so many messages from the network.
    pub(crate) fn new(number: u64, state: NodeState, inbox: usize) -> Self {
        let (inlet, inbox) = mpsc::channel(inbox);
        Life {
            number,
            written: state.clone(),
            state,
            timers: BTreeMap::new(),
            armed: BTreeMap::new(),
            timers_set: 0,
            links: BTreeMap::new(),
            inbox,
            inlet,
            own: VecDeque::new(),
            requests: VecDeque::new(),
            next_request: number << 32,
            outputs: VecDeque::new(),
            last_write: 0,
            committed: 0,
            waiting: VecDeque::new(),
            leaving: Leaving::default(),
            now: None,
            clock: clock::coarse(),
            taken: 0,
            known: (None, false),
            scratch: Scratch::noting(),
            effects: Vec::new(),
        }
    }

    /// Begins a turn.
    pub(crate) fn tick(&mut self) {
        (self.now, self.clock) = (None, clock::coarse());
    }

    /// Whether nothing has to be done before the next thing happens.
    pub(crate) fn is_clear(&self) -> bool {
        self.own.is_empty() && self.outputs.is_empty()
    }

    /// Whether upcalls wait for room; until they have it, the network is not read.
    pub(crate) fn holds_upcalls(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When the next timer fires.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Whether there is something to wait for since this was asked last: an earlier timer, or room for upcalls.
    pub(crate) fn has_news(&mut self) -> bool {
        let (timer, upcalls) = self.known;
        let next = self.next_timer();
        self.known = (next, self.holds_upcalls());
        let earlier = next.is_some_and(|next| timer.is_none_or(|timer| next < timer));
        earlier || self.known.1 && !upcalls
    }

    /// There is room for an upcall.
    pub(crate) fn pass_on(&mut self, permit: Option<mpsc::Permit<'_, Datum>>, meter: &Meter) {
        match (permit, self.waiting.pop_front()) {
            (Some(permit), Some(upcall)) => permit.send(upcall),
            // Nobody takes upcalls any more.
            _ => self.waiting.clear(),
        }
        meter.upcalls_waiting.set(self.waiting.len() as i64);
    }

    /// Whether what leaves a step has nothing to wait for.
    fn lets_out(&self) -> bool {
        self.outputs.is_empty() && self.last_write <= self.committed
    }
}

impl Service {
    /// The next thing that waits in a queue and may happen now.
    pub(crate) fn next(&mut self, life: &mut Life) -> Option<Next> {
        if let Some((carrier, message)) = life.own.pop_front() {
            return Some(Next::Input(Input::Message { from: self.shared.me, carrier, message }));
        }
        if !self.has_room(life) {
            return None;
        }
        if let Some(first) = life.timers.first_entry()
            && first.key().0 <= *life.now.get_or_insert_with(Instant::now)
        {
            return Some(Next::Timer(first.remove()));
        }
        life.taken = life.taken.wrapping_add(1);
        let reads = !life.holds_upcalls();
        (0..3).find_map(|place| match (life.taken + place) % 3 {
            0 => self.inlets.asks.try_recv().ok().map(Next::Ask),
            1 if reads => life.inbox.try_recv().ok().map(Next::Input),
            2 if reads => {
                let (from, carrier, message) = self.inlets.datagrams.try_recv().ok()?;
                Some(Next::Input(Input::Message { from, carrier, message }))
            }
            _ => None,
        })
    }

    /// Whether something may happen now, from the network where it is one that `reads`.
    pub(crate) fn is_ready(&self, life: &mut Life, reads: bool) -> bool {
        !(reads && life.holds_upcalls()) && self.has_room(life)
    }

    /// Whether nothing of its kind waits before it.
    pub(crate) fn is_first(&self, life: &Life, reads: bool) -> bool {
        match reads {
            true => life.inbox.is_empty(),
            false => self.inlets.asks.is_empty(),
        }
    }

    /// Whether one more step may wait for the disk.
    fn has_room(&self, life: &mut Life) -> bool {
        let most = self.shared.limits.open_steps;
        if self.journal.handed() - life.committed >= most
            && let Ok(committed) = &*self.journal.committed.borrow()
        {
            life.committed = *committed;
        }
        self.journal.handed() - life.committed < most
    }

    pub(crate) fn happen(&mut self, life: &mut Life, happening: Next) -> Result<(), Fault> {
        match happening {
            Next::Input(Input::Message { from: src, carrier, message }) => {
                let message = match self.chooser.unloaded(&self.wires, carrier, src, message) {
                    Ok(message) => message,
                    Err(error) => {
                        self.shared.meter.refuse("malformed");
                        tracing::warn!(peer = %src, %error, "a message with a note is refused");
                        return Ok(());
                    }
                };
                let layer = self.stack.addressee(&message);
                let event = NodeEvent::Layer(layer, Event::Deliver { src, carrier, message });
                self.step(life, Kind::Deliver, &event)
            }
            Next::Input(Input::Broken { peer, carrier }) => {
                self.shared.meter.breaks.inc();
                // What steps before this one sent may still wait for the disk: it belongs to the connection that broke.
                self.put_out(life, Output::Told { carrier, peer });
                match self.carriers[usize::from(carrier)].kind {
                    // Breaks are no business of whoever never asked for connections.
                    CarrierKind::Datagram => Ok(()),
                    _ => self.step(life, Kind::Broken, &NodeEvent::Broken { peer, carrier }),
                }
            }
            Next::Timer(timer) => {
                life.armed.remove(&timer);
                let (layer, timer) = timer;
                self.step(life, Kind::Timer, &NodeEvent::Layer(layer, Event::Timer(timer)))
            }
            Next::Adopt(carrier, adopt) => {
                let peer = adopt.hello.from;
                self.link(life, carrier, peer).adopt(&self.shared, adopt);
                Ok(())
            }
            Next::Ask(ask) => self.ask(life, ask),
        }
    }

    fn ask(&mut self, life: &mut Life, ask: Ask) -> Result<(), Fault> {
        match ask {
            Ask::Command { call, done } => {
                let stepped = self.step(life, Kind::Call, &NodeEvent::Layer(0, Event::Call(call)));
                match &stepped {
                    Ok(()) => self.after(life, move || drop(done.send(Ok(())))),
                    Err(_) => drop(done.send(Err(Lost::Restarted))),
                }
                stepped
            }
            Ask::Request { asking, done } => {
                life.next_request += 1;
                let number = life.next_request;
                life.requests.push_back((number, done));
                self.step(life, Kind::Call, &NodeEvent::Layer(0, Event::Call(asking(number))))
            }
            Ask::Query { question, done } => {
                let (stack, state, me) = (&self.stack, &life.state, self.shared.me);
                let answer = fault::guard(|| {
                    question(&|query| {
                        let below = Below::new(me, stack.layers(), state, 0);
                        stack.layers()[0].service().query(&state[0], query, &below)
                    })
                });
                let answer = match answer {
                    Ok(Some(answer)) => Ok(answer),
                    Ok(None) => Err(Lost::Down("the service does not answer this query".to_owned())),
                    Err(fault) => Err(Lost::Down(format!("the query faulted: {fault}"))),
                };
                // It has seen what may not be on disk yet.
                self.after(life, move || drop(done.send(answer)));
                Ok(())
            }
        }
    }

    /// Does something when all that happened so far is on disk.
    pub(crate) fn after(&self, life: &mut Life, action: impl FnOnce() + Send + 'static) {
        match life.lets_out() {
            true => action(),
            false => life.outputs.push_back((life.last_write, Output::Do(Box::new(action)))),
        }
    }

    fn step(&mut self, life: &mut Life, kind: Kind, event: &NodeEvent) -> Result<(), Fault> {
        let happening = self.recorder.as_ref().and_then(|it| {
            let names = &self.shared.names;
            names::scope(names, || it.happening(event, &self.carriers))
        });
        self.step_noted(life, kind, event, happening)
    }

    /// One step, recorded, with its durable changes handed to the journal and its effects noted. Nodes are named where it is called.
    pub(crate) fn step_noted(
        &mut self,
        life: &mut Life,
        kind: Kind,
        event: &NodeEvent,
        happening: Option<Happening>,
    ) -> Result<(), Fault> {
        self.counted[kind as usize].inc();
        let (shared, scratch) = (&self.shared, &mut life.scratch);
        let mut resolver = self.chooser.step(&shared.meter);
        let spans = tracing::level_enabled!(tracing::Level::DEBUG);
        let span = spans.then(|| {
            tracing::debug_span!("step", service = %self.name, node = %shared.me, kind = kind.name())
                .entered()
        });
        let stepped = self.stack.step_in_place(shared.me, &mut life.state, event, &mut resolver, scratch);
        if span.is_some() {
            tracing::debug!(ran = ?scratch.ran(), "ran");
            tracing::debug!(decisions = ?scratch.decisions(), "chose");
        }
        drop(span);
        if stepped.is_ok() && self.has_ghosts {
            self.stack.forget_ghosts(shared.me, &mut life.state);
        }
        let violated = match (&stepped, &mut self.claims) {
            (Ok(()), Some(claims)) => {
                if let NodeEvent::Start = event {
                    claims.begin();
                }
                claims.step(&life.state)
            }
            _ => Vec::new(),
        };
        for violation in &violated {
            self.report(kind.name(), violation);
        }
        if let Some(recorder) = &mut self.recorder {
            let outcome = match &stepped {
                Ok(()) => Ok(recording::digest(&life.state)),
                Err(fault) => Err(fault.to_string()),
            };
            recorder.note(happening, life.scratch.decisions(), outcome, &violated);
        }
        stepped?;
        let ran = life.scratch.ran().iter();
        let consumed = ran.filter(|ran| matches!(ran, Ran::Consumed { meant: false, .. })).count();
        if consumed > 0 {
            self.shared.meter.consumed.inc_by(consumed as u64);
        }
        if let NodeEvent::Start = event {
            self.chooser.begins();
        }
        self.chooser.ran(life.scratch.ran());
        self.persist(life)?;
        std::mem::swap(life.scratch.effects(), &mut life.effects);
        let mut effects = std::mem::take(&mut life.effects);
        for effect in effects.drain(..) {
            self.carry_out(life, effect);
        }
        life.effects = effects;
        life.scratch.let_go();
        let began = std::mem::replace(&mut life.clock, clock::coarse());
        let took = life.clock.saturating_sub(began);
        if took > self.shared.limits.slow_step {
            self.shared.meter.slow_steps.inc();
            tracing::warn!(service = %self.name, kind = kind.name(), ?took, "a slow step");
        }
        Ok(())
    }

    /// Says that a step made a claim false. The service goes on: what to do about it is for whoever watches.
    fn report(&self, kind: &'static str, violation: &Violation) {
        let reasons = violation.why.iter().map(|(part, value)| format!("{part} is {value}"));
        let why = reasons.collect::<Vec<_>>().join("; ");
        let property = violation.property;
        tracing::error!(service = %self.name, node = %self.shared.name, property, kind, why, "a claim is violated");
        self.shared.violated(&self.name, property, &why);
    }

    /// Hands what the layers declare to the journal: all of it.
    pub(crate) fn persist_all(&mut self, life: &mut Life) -> Result<(), Fault> {
        let mut changes = StepChanges::new();
        for (layer, state) in self.stack.layers().iter().zip(&life.state) {
            let mut out = Changes::default();
            layer.service().save(None, state, &mut out);
            note(layer.service().info().name, out, &mut changes)?;
        }
        if !changes.is_empty() {
            life.last_write = self.journal.write(changes);
        }
        Ok(())
    }

    /// Hands what the step changed to the journal.
    fn persist(&mut self, life: &mut Life) -> Result<(), Fault> {
        let Some(touched) = life.scratch.touched() else { return Ok(()) };
        let mut changes = StepChanges::new();
        for (index, layer) in self.stack.layers().iter().enumerate() {
            if touched.any(index as u8) {
                let (before, mut out) = (&mut life.written[index], Changes::default());
                layer.service().save(
                    Some((before, touched.layer(index as u8))),
                    &life.state[index],
                    &mut out,
                );
                note(layer.service().info().name, out, &mut changes)?;
            }
        }
        if !changes.is_empty() {
            self.shared.meter.durable_steps.inc();
            life.last_write = self.journal.write(changes);
        }
        Ok(())
    }

    fn carry_out(&mut self, life: &mut Life, effect: Effect) {
        let output = match effect {
            Effect::Send { carrier, to, message } if to != self.shared.me => {
                let message = self.chooser.loaded(&self.wires, carrier, to, message);
                if life.lets_out() {
                    return self.send(life, carrier, to, &message);
                }
                Output::Send { carrier, to, message }
            }
            Effect::Send { carrier, to, message } => Output::Send { carrier, to, message },
            Effect::Disconnect { carrier, to } => Output::Disconnect { carrier, to },
            Effect::Emit { upcall } => Output::Upcall(upcall),
            Effect::Answer { request, value } => Output::Answer { request, value },
            Effect::SetTimer { layer, timer, delay } => return self.arm(life, (layer, timer), delay),
            Effect::CancelTimer { layer, timer } => {
                if let Some(key) = life.armed.remove(&(layer, timer)) {
                    life.timers.remove(&key);
                }
                return;
            }
            Effect::Trace { text } => {
                tracing::info!(service = %self.name, node = %self.shared.name, "{text}");
                return;
            }
            // What changed is found where it was touched.
            Effect::Persist { .. } => return,
        };
        self.put_out(life, output);
    }

    fn arm(&mut self, life: &mut Life, timer: (u8, Datum), delay: Delay) {
        let unit = if delay.least == delay.most { 0.0 } else { self.chooser.unit() };
        let wait = match delay.law {
            Law::Uniform => {
                delay.least + (delay.most.min(TIMER_MAX).saturating_sub(delay.least)).mul_f64(unit)
            }
            Law::Exponential(mean) => {
                Duration::try_from_secs_f64(-(1.0 - unit).ln() * mean.as_secs_f64()).unwrap_or(TIMER_MAX)
            }
        };
        life.timers_set += 1;
        let key = (Instant::now() + wait.min(TIMER_MAX), life.timers_set);
        if let Some(before) = life.armed.insert(timer.clone(), key) {
            life.timers.remove(&before);
        }
        life.timers.insert(key, timer);
    }

    /// Lets something out, or has it wait for the disk.
    fn put_out(&mut self, life: &mut Life, output: Output) {
        match life.lets_out() {
            true => self.let_out(life, output),
            false => life.outputs.push_back((life.last_write, output)),
        }
    }

    /// Lets out what waits for nothing any more.
    ///
    /// # Errors
    /// Why nothing more will be on disk.
    pub(crate) fn release(&mut self, life: &mut Life) -> Result<(), String> {
        if life.outputs.is_empty() {
            return Ok(());
        }
        life.committed = self.journal.committed.borrow().clone()?;
        while let Some((number, _)) = life.outputs.front()
            && *number <= life.committed
            && let Some((_, output)) = life.outputs.pop_front()
        {
            self.let_out(life, output);
        }
        Ok(())
    }

    fn let_out(&mut self, life: &mut Life, output: Output) {
        match output {
            Output::Send { carrier, to, message } if to == self.shared.me => {
                life.own.push_back((carrier, message))
            }
            Output::Send { carrier, to, message } => self.send(life, carrier, to, &message),
            Output::Disconnect { carrier, to } => {
                life.links.remove(&(carrier, to));
            }
            Output::Told { carrier, peer } => {
                if let Some(link) = life.links.get(&(carrier, peer)) {
                    link.outbox().told();
                }
            }
            Output::Answer { request, value } => {
                let place = life.requests.binary_search_by_key(&request, |(number, _)| *number);
                if let Some((_, done)) = place.ok().and_then(|place| life.requests.remove(place)) {
                    life.leaving.answer(done, value);
                }
            }
            Output::Do(action) => action(),
            Output::Upcall(upcall) => {
                let waits = match life.holds_upcalls() {
                    true => Some(upcall),
                    false => match self.upcalls.try_send(upcall) {
                        Err(mpsc::error::TrySendError::Full(upcall)) => Some(upcall),
                        _ => None,
                    },
                };
                if let Some(upcall) = waits {
                    life.waiting.push_back(upcall);
                    self.shared.meter.upcalls_waiting.set(life.waiting.len() as i64);
                }
            }
        }
    }

    fn send(&mut self, life: &mut Life, carrier: u8, to: NodeId, message: &Datum) {
        let kind = self.carriers[usize::from(carrier)].kind;
        if kind == CarrierKind::Datagram && !self.shared.datagrams_in_streams {
            return self.send_datagram(carrier, to, message);
        }
        let link = self.link(life, carrier, to);
        match link.send(&self.wires, message) {
            Sent::Done => {}
            Sent::Flush => {
                let outbox = link.outbox().clone();
                life.leaving.write(outbox);
            }
            Sent::Formless => self.report_formless(message),
            Sent::Oversized(bytes) => {
                self.shared.meter.lose("oversized");
                tracing::error!(service = %self.name, bytes, kind = message.kind(), "a message is longer than a frame may be");
            }
        }
    }

    fn report_formless(&self, message: &Datum) {
        self.shared.meter.lose("no wire form");
        tracing::error!(service = %self.name, ?message, "a message has no wire form");
    }

    fn send_datagram(&self, carrier: u8, to: NodeId, message: &Datum) {
        let shared = &self.shared;
        let Some(address) = shared.peers.address(to) else { return shared.meter.lose("no address") };
        let key = self.keys[usize::from(carrier)];
        let mut bytes = DatagramHead { key, wire: self.wires.hash(), from: shared.me, to }.write();
        if !self.wires.encode_into(message, &mut bytes) {
            return self.report_formless(message);
        }
        if bytes.len() > DATAGRAM_BYTES_MAX {
            shared.meter.lose("oversized");
            tracing::warn!(service = %self.name, bytes = bytes.len(), "a datagram is longer than UDP carries");
            return;
        }
        if shared.is_cut(to) {
            return shared.meter.lose("link cut");
        }
        let message = (bytes.len() - DatagramHead::BYTES) as u64;
        match &shared.emulation {
            None => shared.put_datagram(&bytes, address, message),
            Some(network) => network.datagram(to, address, bytes, message, shared.limits.queued_messages),
        }
    }

    fn link<'l>(&self, life: &'l mut Life, carrier: u8, peer: NodeId) -> &'l Link {
        let (inlet, number) = (&life.inlet, life.number);
        life.links.entry((carrier, peer)).or_insert_with(|| {
            Link::open(Seat {
                shared: self.shared.clone(),
                service: self.name.clone(),
                carrier: (carrier, self.carriers[usize::from(carrier)].name),
                ordered: self.carriers[usize::from(carrier)].kind != CarrierKind::Datagram,
                wires: self.wires.clone(),
                peer,
                life: number,
                helm: self.helm.clone(),
                inbox: inlet.clone(),
            })
        })
    }
}

fn note(layer: &'static str, out: Changes, changes: &mut StepChanges) -> Result<(), Fault> {
    let list = out.into_list().map_err(|message| Fault { message, place: None })?;
    changes.extend(list.into_iter().map(|change| (layer, change)));
    Ok(())
}
