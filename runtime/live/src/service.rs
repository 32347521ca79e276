//! One service on its host: a task that owns the node's state, takes one step after another, and carries out what each asks.
//!
//! Everything that leaves a step (messages, answers, upcalls) waits in order until the durable changes of the step, and of all
//! steps before it, are on disk. A fault loses nothing of that: what was committed leaves, then the service starts again from its
//! durable state. The task never waits for the network, nor for the program that takes its upcalls.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::embed::{Asking, Question};
use foresee_kernel::recording::{self, Durable, Happening, durable_text};
use foresee_kernel::{
    Below, CarrierInfo, CarrierKind, Changes, Datum, Delay, Effect, Event, Fault, Law, LocalClaims, Lost,
    NodeEvent, NodeId, NodeState, Ran, Scratch, Stack, Touched, Violation, Wires, fault, names,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::time::{DelayQueue, delay_queue};

use crate::Error;
use crate::frame::{self, DATAGRAM_BYTES_MAX, DatagramHead};
use crate::host::Shared;
use crate::link::{Adopt, Input, Link, Seat};
use crate::record::Recorder;
use crate::resolve::Chooser;
use crate::store::{Journal, StepChanges};

/// The longest that a timer is set for; a longer one fires then.
const TIMER_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a program asks of a service.
pub(crate) enum Ask {
    Command { call: Datum, done: Done<()> },
    Request { asking: Asking, done: Done<Datum> },
    Query { question: Question, done: Done<Box<dyn std::any::Any + Send>> },
}

pub(crate) type Done<T> = oneshot::Sender<Result<T, Lost>>;

/// A message that came as a datagram.
pub(crate) type Datagram = (NodeId, u8, Datum);

/// The ways into a service.
pub(crate) struct Inlets {
    pub asks: mpsc::Receiver<Ask>,
    pub adopts: mpsc::Receiver<(u8, Adopt)>,
    pub datagrams: mpsc::Receiver<Datagram>,
}

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

/// A service that runs.
pub(crate) struct Service {
    pub shared: Arc<Shared>,
    pub name: Arc<str>,
    pub stack: Stack,
    pub carriers: Vec<CarrierInfo>,
    pub wires: Arc<Wires>,
    pub journal: Journal,
    pub upcalls: mpsc::Sender<Datum>,
    pub inlets: Inlets,
    pub chooser: Chooser,
    pub recorder: Option<Recorder>,
    /// What it checks of itself after each step.
    pub claims: Option<LocalClaims>,
    /// How often it started again after a fault.
    pub restarts: u64,
}

/// What ends with a crash.
struct Life {
    state: NodeState,
    /// The durable variables as they were handed to the journal.
    written: NodeState,
    timers: DelayQueue<(u8, Datum)>,
    armed: BTreeMap<(u8, Datum), delay_queue::Key>,
    links: BTreeMap<(u8, NodeId), Link>,
    inbox: mpsc::Receiver<Input>,
    inlet: mpsc::Sender<Input>,
    /// What the node sent to itself.
    own: VecDeque<(u8, Datum)>,
    requests: BTreeMap<u64, Done<Datum>>,
    next_request: u64,
    outputs: VecDeque<(u64, Output)>,
    /// The number of the last step that changed durable state.
    last_write: u64,
    waiting: VecDeque<Datum>,
}

/// Why a life ended.
enum End {
    Stopped,
    Fault(Fault),
    Disk(String),
}

impl Service {
    /// The state from disk, or the first one; `start()` has not run.
    async fn recover(&mut self) -> Result<(NodeState, Durable), Error> {
        let layers = self.journal.load().await?;
        let (me, requests) = (self.shared.me, self.life() << 32);
        let mut state = NodeState::new();
        for layer in self.stack.layers() {
            let service = layer.service();
            let rows = layers.get(service.info().name).cloned().unwrap_or_default();
            let loaded = fault::guard(|| service.load(me, &rows, requests));
            let loaded =
                loaded.map_err(|fault| Error::Service(format!("{}: {fault}", service.info().name)))?;
            let named = |error| Error::Service(format!("{}: {error}", service.info().name));
            state.push(loaded.map_err(named)?);
        }
        Ok((state, layers))
    }

    /// The number of this life: greater than that of any before it.
    fn life(&self) -> u64 {
        (self.shared.boots << 12) + self.restarts
    }

    /// Runs until the host stops or the service is down for good. `started` is told how the first start went.
    pub(crate) async fn run(mut self, started: oneshot::Sender<Result<(), Error>>) {
        let mut started = Some(started);
        let mut faults: VecDeque<Instant> = VecDeque::new();
        let down = loop {
            let (state, durable) = match self.recover().await {
                Ok(recovered) => recovered,
                Err(error) => {
                    let reason = error.to_string();
                    if let Some(started) = started.take() {
                        let _ = started.send(Err(error));
                        return;
                    }
                    break reason;
                }
            };
            let end = self.live(state, &durable, &mut started).await;
            let limits = &self.shared.limits;
            match end {
                End::Stopped => return,
                End::Disk(reason) => break reason,
                End::Fault(fault) => {
                    tracing::error!(service = %self.name, node = %self.shared.name, %fault, "a step faulted; the service starts again");
                    let now = Instant::now();
                    faults.push_back(now);
                    while faults.front().is_some_and(|at| now - *at > limits.restart_window) {
                        faults.pop_front();
                    }
                    if faults.len() > limits.restarts {
                        break format!(
                            "it faulted {} times within {:?}: {fault}",
                            faults.len(),
                            limits.restart_window
                        );
                    }
                    self.restarts += 1;
                    self.shared.meter.restarts.inc();
                }
            }
        };
        tracing::error!(service = %self.name, node = %self.shared.name, reason = down, "the service is down");
        self.shared.down(&self.name, &down);
        if let Some(started) = started.take() {
            let _ = started.send(Err(Error::Service(down.clone())));
        }
        // Whoever calls is told, until the host stops.
        loop {
            let ask = tokio::select! {
                () = self.shared.stop.cancelled() => return,
                ask = self.inlets.asks.recv() => ask,
            };
            match ask {
                None => return,
                Some(ask) => refuse(ask, &Lost::Down(down.clone())),
            }
        }
    }

    /// One life: from `start()` to a fault or the end.
    async fn live(
        &mut self,
        state: NodeState,
        durable: &Durable,
        started: &mut Option<oneshot::Sender<Result<(), Error>>>,
    ) -> End {
        let (inlet, inbox) = mpsc::channel(self.shared.limits.inbox);
        let mut life = Life {
            written: state.clone(),
            state,
            timers: DelayQueue::new(),
            armed: BTreeMap::new(),
            links: BTreeMap::new(),
            inbox,
            inlet,
            own: VecDeque::new(),
            requests: BTreeMap::new(),
            next_request: self.life() << 32,
            outputs: VecDeque::new(),
            last_write: 0,
            waiting: VecDeque::new(),
        };
        let end = match self.begin(&mut life, durable) {
            Ok(()) => {
                // Whoever starts a service goes on when what its start changed is on disk.
                let started = started.take();
                let done = move || started.into_iter().for_each(|started| drop(started.send(Ok(()))));
                life.outputs.push_back((life.last_write, Output::Do(Box::new(done))));
                self.turn(&mut life).await
            }
            Err(fault) => End::Fault(fault),
        };
        if let End::Fault(_) = end {
            self.settle(&mut life).await;
        }
        let lost = match &end {
            End::Stopped => Lost::Stopped,
            End::Fault(_) => Lost::Restarted,
            End::Disk(reason) => Lost::Down(reason.clone()),
        };
        for done in std::mem::take(&mut life.requests).into_values() {
            let _ = done.send(Err(lost.clone()));
        }
        end
    }

    /// The first steps of a life: what the layers declare is written down, and `start()` runs.
    fn begin(&mut self, life: &mut Life, durable: &Durable) -> Result<(), Fault> {
        let mut changes = StepChanges::new();
        for (layer, state) in self.stack.layers().iter().zip(&life.state) {
            let mut out = Changes::default();
            layer.service().save(None, state, &mut out);
            self.note(layer.service().info().name, out, &mut changes)?;
        }
        if !changes.is_empty() {
            life.last_write = self.journal.write(changes);
        }
        let start = Happening::Start { life: self.life(), durable: durable_text(durable) };
        self.step_noted(life, "start", &NodeEvent::Start, Some(start))
    }

    fn note(&self, layer: &'static str, out: Changes, changes: &mut StepChanges) -> Result<(), Fault> {
        let list = out.into_list().map_err(|message| Fault { message, place: None })?;
        changes.extend(list.into_iter().map(|change| (layer, change)));
        Ok(())
    }

    /// Takes what happens, one after another.
    async fn turn(&mut self, life: &mut Life) -> End {
        loop {
            if let Err(reason) = self.release(life) {
                return End::Disk(reason);
            }
            let stepped = match life.own.pop_front() {
                Some((carrier, message)) => self.deliver(life, self.shared.me, carrier, message),
                None => match self.next(life).await {
                    Some(happening) => self.happen(life, happening),
                    None => return End::Stopped,
                },
            };
            if let Err(fault) = stepped {
                return End::Fault(fault);
            }
        }
    }

    /// What happens next; None where the host stops.
    async fn next(&mut self, life: &mut Life) -> Option<Next> {
        let room = self.journal.open_steps() < self.shared.limits.open_steps;
        let reads = room && life.waiting.is_empty();
        let Inlets { asks, adopts, datagrams } = &mut self.inlets;
        let upcalls = &self.upcalls;
        let committed = &mut self.journal.committed;
        tokio::select! {
            () = self.shared.stop.cancelled() => None,
            _ = committed.changed(), if !life.outputs.is_empty() => Some(Next::Committed),
            permit = upcalls.reserve(), if !life.waiting.is_empty() => {
                let first = life.waiting.pop_front();
                match (permit, first) {
                    (Ok(permit), Some(upcall)) => permit.send(upcall),
                    // Nobody takes upcalls any more.
                    _ => life.waiting.clear(),
                }
                self.shared.meter.upcalls_waiting.set(life.waiting.len() as i64);
                Some(Next::Committed)
            }
            Some(ask) = asks.recv(), if room => Some(Next::Ask(ask)),
            Some((carrier, adopt)) = adopts.recv() => Some(Next::Adopt(carrier, adopt)),
            Some(input) = life.inbox.recv(), if reads => Some(Next::Input(input)),
            Some((from, carrier, message)) = datagrams.recv(), if reads =>
                Some(Next::Input(Input::Message { from, carrier, message })),
            Some(expired) = poll_fn(|context| life.timers.poll_expired(context)), if room && !life.timers.is_empty() =>
                Some(Next::Timer(expired.into_inner())),
        }
    }

    fn happen(&mut self, life: &mut Life, happening: Next) -> Result<(), Fault> {
        match happening {
            Next::Committed => Ok(()),
            Next::Input(Input::Message { from, carrier, message }) => {
                self.deliver(life, from, carrier, message)
            }
            Next::Input(Input::Broken { peer, carrier }) => {
                self.shared.meter.breaks.inc();
                // What steps before this one sent may still wait for the disk: it belongs to the connection that broke.
                life.outputs.push_back((life.last_write, Output::Told { carrier, peer }));
                match self.carriers[usize::from(carrier)].kind {
                    // Breaks are no business of whoever never asked for connections.
                    CarrierKind::Datagram => Ok(()),
                    _ => self.step(life, "broken", &NodeEvent::Broken { peer, carrier }),
                }
            }
            Next::Timer((layer, timer)) => {
                life.armed.remove(&(layer, timer.clone()));
                self.step(life, "timer", &NodeEvent::Layer(layer, Event::Timer(timer)))
            }
            Next::Adopt(carrier, adopt) => {
                let peer = adopt.hello.from;
                self.link(life, carrier, peer).adopt(adopt);
                Ok(())
            }
            Next::Ask(ask) => self.ask(life, ask),
        }
    }

    fn deliver(&mut self, life: &mut Life, src: NodeId, carrier: u8, message: Datum) -> Result<(), Fault> {
        let message = match self.chooser.unloaded(&self.wires, carrier, src, message) {
            Ok(message) => message,
            Err(error) => {
                self.shared.meter.refuse("malformed");
                tracing::warn!(peer = %src, %error, "a message with a note is refused");
                return Ok(());
            }
        };
        let layer = self.stack.addressee(&message);
        self.step(life, "deliver", &NodeEvent::Layer(layer, Event::Deliver { src, carrier, message }))
    }

    fn ask(&mut self, life: &mut Life, ask: Ask) -> Result<(), Fault> {
        match ask {
            Ask::Command { call, done } => {
                let stepped = self.step(life, "call", &NodeEvent::Layer(0, Event::Call(call)));
                match &stepped {
                    Ok(()) => self.after(life, move || drop(done.send(Ok(())))),
                    Err(_) => drop(done.send(Err(Lost::Restarted))),
                }
                stepped
            }
            Ask::Request { asking, done } => {
                life.next_request += 1;
                let number = life.next_request;
                life.requests.insert(number, done);
                self.step(life, "call", &NodeEvent::Layer(0, Event::Call(asking(number))))
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
    fn after(&self, life: &mut Life, action: impl FnOnce() + Send + 'static) {
        life.outputs.push_back((life.last_write, Output::Do(Box::new(action))));
    }

    fn step(&mut self, life: &mut Life, kind: &'static str, event: &NodeEvent) -> Result<(), Fault> {
        let scope = self.shared.names.clone();
        let recorder = self.recorder.as_ref();
        let happening = recorder.and_then(|it| names::scope(&scope, || it.happening(event, &self.carriers)));
        self.step_noted(life, kind, event, happening)
    }

    /// One step, recorded, with its durable changes handed to the journal and its effects noted.
    fn step_noted(
        &mut self,
        life: &mut Life,
        kind: &'static str,
        event: &NodeEvent,
        happening: Option<Happening>,
    ) -> Result<(), Fault> {
        let shared = self.shared.clone();
        let began = Instant::now();
        let mut scratch = Scratch::noting();
        let mut resolver = self.chooser.step(&shared.meter);
        shared.meter.event(kind);
        let stepped = names::scope(&shared.names, || {
            let _span = tracing::debug_span!("step", service = %self.name, node = %shared.me, kind).entered();
            let stepped =
                self.stack.step_in_place(shared.me, &mut life.state, event, &mut resolver, &mut scratch);
            tracing::debug!(ran = ?scratch.ran(), "ran");
            tracing::debug!(decisions = ?scratch.decisions(), "chose");
            stepped
        });
        if stepped.is_ok() {
            self.stack.forget_ghosts(shared.me, &mut life.state);
        }
        let violated = match (&stepped, &mut self.claims) {
            (Ok(()), Some(claims)) => {
                if let NodeEvent::Start = event {
                    claims.begin();
                }
                names::scope(&shared.names, || claims.step(&life.state))
            }
            _ => Vec::new(),
        };
        for violation in &violated {
            self.report(kind, violation);
        }
        if let Some(recorder) = &mut self.recorder {
            let outcome = match &stepped {
                Ok(()) => Ok(recording::digest(&life.state)),
                Err(fault) => Err(fault.to_string()),
            };
            recorder.note(happening, scratch.decisions(), outcome, &violated);
        }
        stepped?;
        let consumed = scratch.ran().iter().filter(|ran| matches!(ran, Ran::Consumed { meant: false, .. }));
        shared.meter.consumed.inc_by(consumed.count() as u64);
        if let NodeEvent::Start = event {
            self.chooser.begins();
        }
        self.chooser.ran(scratch.ran());
        self.persist(life, scratch.touched())?;
        for effect in std::mem::take(scratch.effects()) {
            self.carry_out(life, effect);
        }
        let took = began.elapsed();
        if took > shared.limits.slow_step {
            shared.meter.slow_steps.inc();
            tracing::warn!(service = %self.name, kind, ?took, "a slow step");
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

    /// Hands what the step changed to the journal.
    fn persist(&mut self, life: &mut Life, touched: Option<&Touched>) -> Result<(), Fault> {
        let Some(touched) = touched else { return Ok(()) };
        let mut changes = StepChanges::new();
        for (index, layer) in self.stack.layers().iter().enumerate() {
            if touched.any(index as u8) {
                let (before, mut out) = (&mut life.written[index], Changes::default());
                layer.service().save(
                    Some((before, touched.layer(index as u8))),
                    &life.state[index],
                    &mut out,
                );
                self.note(layer.service().info().name, out, &mut changes)?;
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
            Effect::Send { carrier, to, message } if to == self.shared.me => {
                Output::Send { carrier, to, message }
            }
            Effect::Send { carrier, to, message } => {
                let message = self.chooser.loaded(&self.wires, carrier, to, message);
                Output::Send { carrier, to, message }
            }
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
        life.outputs.push_back((life.last_write, output));
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
        let wait = wait.min(TIMER_MAX);
        match life.armed.get(&timer) {
            Some(key) => life.timers.reset(key, wait),
            None => {
                let key = life.timers.insert(timer.clone(), wait);
                life.armed.insert(timer, key);
            }
        }
    }

    /// Lets out what waits for nothing any more.
    fn release(&mut self, life: &mut Life) -> Result<(), String> {
        if life.outputs.is_empty() {
            return Ok(());
        }
        let committed = self.journal.committed.borrow_and_update().clone()?;
        while let Some((number, _)) = life.outputs.front() {
            if *number > committed {
                break;
            }
            if let Some((_, output)) = life.outputs.pop_front() {
                self.let_out(life, output);
            }
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
                    link.told();
                }
            }
            Output::Answer { request, value } => {
                if let Some(done) = life.requests.remove(&request) {
                    // Whoever gave up needs no answer.
                    let _ = done.send(Ok(value));
                }
            }
            Output::Do(action) => action(),
            Output::Upcall(upcall) => {
                if !life.waiting.is_empty() {
                    life.waiting.push_back(upcall);
                } else if let Err(mpsc::error::TrySendError::Full(upcall)) = self.upcalls.try_send(upcall) {
                    life.waiting.push_back(upcall);
                }
                self.shared.meter.upcalls_waiting.set(life.waiting.len() as i64);
            }
        }
    }

    fn send(&mut self, life: &mut Life, carrier: u8, to: NodeId, message: &Datum) {
        let Some((place, form)) = self.wires.encode(message) else {
            self.shared.meter.lose("no wire form");
            tracing::error!(service = %self.name, ?message, "a message has no wire form");
            return;
        };
        let info = &self.carriers[usize::from(carrier)];
        if info.kind == CarrierKind::Datagram && !self.shared.datagrams_in_streams {
            self.send_datagram(info.name, to, &frame::message(place, &form));
            return;
        }
        if form.len() + 2 > self.shared.limits.frame_bytes {
            self.shared.meter.lose("oversized");
            let bytes = form.len();
            tracing::error!(service = %self.name, bytes, kind = message.kind(), "a message is longer than a frame may be");
            return;
        }
        self.link(life, carrier, to).send(frame::message(place, &form));
    }

    fn send_datagram(&self, carrier: &'static str, to: NodeId, frame: &[u8]) {
        let shared = &self.shared;
        let Some(address) = shared.peers.address(to) else { return shared.meter.lose("no address") };
        let key = frame::key(&self.name, carrier, CarrierKind::Datagram);
        let mut bytes = DatagramHead { key, wire: self.wires.hash(), from: shared.me, to }.write();
        bytes.extend_from_slice(frame);
        if bytes.len() > DATAGRAM_BYTES_MAX {
            shared.meter.lose("oversized");
            tracing::warn!(service = %self.name, bytes = bytes.len(), "a datagram is longer than UDP carries");
            return;
        }
        if shared.is_cut(to) {
            return shared.meter.lose("link cut");
        }
        let message = frame.len() as u64;
        match &shared.emulation {
            None => shared.put_datagram(&bytes, address, message),
            Some(network) => network.datagram(to, address, bytes, message, shared.limits.queued_messages),
        }
    }

    fn link<'l>(&self, life: &'l mut Life, carrier: u8, peer: NodeId) -> &'l Link {
        let life_number = self.life();
        let inlet = &life.inlet;
        life.links.entry((carrier, peer)).or_insert_with(|| {
            Link::open(Seat {
                shared: self.shared.clone(),
                service: self.name.clone(),
                carrier: (carrier, self.carriers[usize::from(carrier)].name),
                ordered: self.carriers[usize::from(carrier)].kind != CarrierKind::Datagram,
                wires: self.wires.clone(),
                peer,
                life: life_number,
                inbox: inlet.clone(),
            })
        })
    }

    /// Waits until all steps before a fault are on disk, and lets out what they asked for.
    async fn settle(&mut self, life: &mut Life) {
        let reached = |progress: &crate::store::Progress| match progress {
            Ok(number) => *number >= life.last_write,
            Err(_) => true,
        };
        // The journal holds the sender.
        let _ = self.journal.committed.wait_for(reached).await;
        // Where the disk failed, nothing leaves, and the next life says why it cannot begin.
        let _ = self.release(life);
    }
}

/// What happened.
enum Next {
    Committed,
    Input(Input),
    Timer((u8, Datum)),
    Adopt(u8, Adopt),
    Ask(Ask),
}

fn refuse(ask: Ask, lost: &Lost) {
    match ask {
        Ask::Command { done, .. } => drop(done.send(Err(lost.clone()))),
        Ask::Request { done, .. } => drop(done.send(Err(lost.clone()))),
        Ask::Query { done, .. } => drop(done.send(Err(lost.clone()))),
    }
}
