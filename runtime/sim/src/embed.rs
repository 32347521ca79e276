//! A simulated world that a program uses as it uses live nodes: through the handles of services, in virtual time.
//!
//! [`Sim::block_on`] polls a future of the program's and, while it waits, lets the world go on, an event after the other. So a call
//! takes as much virtual time as it takes in the system, no time of the clock, and a seed fixes all of it. The network is the
//! system's; its workload and faults are the program's to make: it calls, crashes, restarts and parts nodes itself. A violated
//! property ends the world: from then on every call is [`Lost::Down`] and says why.
//!
//! # Caveats
//! - Futures of the program that wait for something else than this world (a socket, another thread) are given up for lost
//!   once nothing more will happen here.
//! - Calls are made when their futures are first polled.

use std::any::Any;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foresee_kernel::embed::{Asking, Handle, Pending, Question};
use foresee_kernel::{
    Arguments, Below, Bounds, Datum, Embedded, Event, Lost, Model, NodeEvent, NodeId, Port, SystemInfo,
    fault, names,
};

use crate::engine::Engine;
use crate::network::nanos;
use crate::options::{Options, SimError};
use crate::requests::Told;
use crate::run::Record;
use crate::script::plans;

/// The most events that a world lets happen for one future, or one stretch of time.
pub const WAIT_EVENTS_MAX: u64 = 10_000_000;

/// Why there is no simulated world, or not the node in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedError {
    /// The system cannot be put together from these arguments.
    System(String),
    /// The system has no such node.
    NoNode {
        /// The group that was named.
        group: String,
        /// The place in it.
        index: usize,
        /// What there is.
        known: String,
    },
    /// The topmost layer of the node is another service.
    OtherService {
        /// The node.
        node: String,
        /// The service at its top.
        runs: &'static str,
        /// The service whose handle was asked for.
        wanted: &'static str,
    },
    /// The system cannot be simulated.
    Sim(SimError),
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmbedError::System(reason) => f.write_str(reason),
            EmbedError::NoNode { group, index, known } => {
                write!(f, "there is no node {index} of `{group}`; there are: {known}")
            }
            EmbedError::OtherService { node, runs, wanted } => {
                write!(f, "`{node}` runs `{runs}`, and a handle of `{wanted}` was asked for")
            }
            EmbedError::Sim(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EmbedError {}

/// See the module's documentation.
pub struct Sim {
    engine: Engine,
    asks: Arc<Mutex<VecDeque<Ask>>>,
    /// The requests that are open, by node and number.
    open: BTreeMap<(NodeId, u64), Done<Datum>>,
    /// The upcalls that nobody has taken yet, by node, of nodes that somebody listens to.
    upcalls: BTreeMap<NodeId, VecDeque<Datum>>,
    /// Why the world has ended, if it has.
    ended: Option<String>,
}

/// What a program asks of a node.
enum Ask {
    Command { node: NodeId, call: Datum, done: Done<()> },
    Request { node: NodeId, asking: Asking, done: Done<Datum> },
    Query { node: NodeId, question: Question, done: Done<Box<dyn Any + Send>> },
}

/// The place where a result is put for whoever waits for it.
struct Done<T>(Arc<Mutex<Option<Result<T, Lost>>>>);

impl<T> Done<T> {
    fn put(&self, result: Result<T, Lost>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}

impl Sim {
    /// The world of a system with its defaults, in which all nodes have started.
    ///
    /// # Errors
    /// See [`EmbedError`].
    pub fn new(system: &SystemInfo, seed: u64) -> Result<Self, EmbedError> {
        Sim::with(system, &Arguments::default(), seed, &Options::default())
    }

    /// The same with arguments of the system, a resolver of choices, a topology.
    ///
    /// # Errors
    /// See [`EmbedError`].
    pub fn with(
        system: &SystemInfo,
        arguments: &Arguments,
        seed: u64,
        options: &Options,
    ) -> Result<Self, EmbedError> {
        let built = fault::guard(|| (system.build)(arguments));
        let built = built.map_err(|fault| {
            EmbedError::System(format!("system `{}` cannot be put together: {fault}", system.name))
        })?;
        let model = built.map_err(|error| EmbedError::System(error.to_string()))?;
        let faults = plans::anything(&model, system.name, system.line);
        let bounds = Bounds { duplicates: model.bounds.duplicates, ..Bounds::default() };
        let model = Arc::new(Model { calls: Vec::new(), faults, bounds, horizon: None, ..model });
        let now = Rc::new(Cell::new(0));
        let engine = Engine::new(&model, seed, options, Record::States, &now).map_err(EmbedError::Sim)?;
        let (asks, open, upcalls) = (Arc::default(), BTreeMap::new(), BTreeMap::new());
        let mut sim = Sim { engine, asks, open, upcalls, ended: None };
        sim.engine.told = Some(Vec::new());
        sim.engine.events_max = u64::MAX;
        sim.within(Engine::start);
        Ok(sim)
    }

    /// A handle of the node at a place in a group; `index` is 0 for a single node.
    ///
    /// # Errors
    /// No such node, or one that runs another service.
    pub fn handle<H: Handle>(&self, group: &str, index: usize) -> Result<H, EmbedError> {
        let me = self.node(group, index)?;
        let runs = self.engine.model.nodes[me.index()].layers()[0].service().info();
        if !std::ptr::eq(runs, H::service()) {
            return Err(EmbedError::OtherService {
                node: self.engine.model.names[me.index()].clone(),
                runs: runs.name,
                wanted: H::service().name,
            });
        }
        Ok(H::over(Arc::new(SimPort { me, asks: self.asks.clone() })))
    }

    /// The id of the node at a place in a group.
    ///
    /// # Errors
    /// No such node.
    pub fn node(&self, group: &str, index: usize) -> Result<NodeId, EmbedError> {
        let groups = &self.engine.model.groups;
        let found = groups.iter().find(|it| it.name() == group).and_then(|it| it.ids().nth(index));
        found.ok_or_else(|| {
            let single = |id: NodeId, name: &str| self.engine.model.names[id.index()] == name;
            let known = groups.iter().map(|it| match it.ids().next() {
                Some(first) if single(first, it.name()) => it.name().to_owned(),
                _ => format!("{}[0..{}]", it.name(), it.len()),
            });
            EmbedError::NoNode { group: group.to_owned(), index, known: known.collect::<Vec<_>>().join(", ") }
        })
    }

    /// The virtual time.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.engine.now.get())
    }

    /// Lets the world go on until `future` is done.
    ///
    /// # Errors
    /// Those of the future. Where it waits and nothing more will happen, a property is violated, or [`WAIT_EVENTS_MAX`] events were not
    /// enough: [`Lost::Down`].
    pub fn block_on<T>(&mut self, future: impl Future<Output = Result<T, Lost>>) -> Result<T, Lost> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        let most = self.engine.events.saturating_add(WAIT_EVENTS_MAX);
        loop {
            if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
                return result;
            }
            if self.take_asks() {
                continue;
            }
            if self.engine.events >= most {
                return Err(Lost::Down(format!("it is not done after {WAIT_EVENTS_MAX} events")));
            }
            if !self.advance(u64::MAX) {
                let nothing = || "it is not done, and nothing more will happen".to_owned();
                let lost = Lost::Down(self.ended.clone().unwrap_or_else(nothing));
                // Calls within the future may have something to say about that.
                self.give_up(&lost);
                return match future.as_mut().poll(&mut context) {
                    Poll::Ready(result) => result,
                    Poll::Pending => Err(lost),
                };
            }
        }
    }

    /// Lets the world go on for `time`.
    ///
    /// # Errors
    /// [`Lost::Down`] where a property is violated meanwhile, or [`WAIT_EVENTS_MAX`] events come.
    pub fn run_for(&mut self, time: Duration) -> Result<(), Lost> {
        self.take_asks();
        let end = self.engine.now.get().saturating_add(nanos(time));
        let most = self.engine.events.saturating_add(WAIT_EVENTS_MAX);
        while self.advance(end) {
            if self.engine.events >= most {
                return Err(Lost::Down(format!("more than {WAIT_EVENTS_MAX} events come within {time:?}")));
            }
        }
        if let Some(reason) = &self.ended {
            return Err(Lost::Down(reason.clone()));
        }
        self.engine.now.set(end);
        Ok(())
    }

    /// The upcalls of a node since this was last asked, in order. What it told before it was first asked is not kept.
    pub fn upcalls<S: Embedded>(&mut self, node: NodeId) -> Vec<S::Upcall> {
        let told = self.upcalls.entry(node).or_default();
        told.drain(..).filter_map(|upcall| S::upcall(&upcall)).collect()
    }

    /// A node stops; what is durable it keeps. Nothing where it is down.
    pub fn crash(&mut self, node: NodeId) {
        if self.engine.ambient.up(node) {
            self.within(|engine| engine.crash(plans::CRASH, vec![node], true));
        }
    }

    /// A node that is down starts again. Nothing where it is up.
    pub fn restart(&mut self, node: NodeId) {
        if !self.engine.ambient.up(node) {
            self.within(|engine| engine.restart(node));
        }
    }

    /// Cuts nodes off from all others, until [`Sim::heal`].
    pub fn partition(&mut self, side: &[NodeId]) {
        let mut side = side.to_vec();
        side.sort_unstable();
        side.dedup();
        self.within(|engine| engine.partition(plans::PARTITION, side, true));
    }

    /// All partitions end.
    pub fn heal(&mut self) {
        let sides: Vec<_> = self.engine.ambient.parted.keys().cloned().collect();
        self.within(|engine| sides.into_iter().for_each(|side| engine.heal(side)));
    }

    /// Lets one event happen that comes until `end`. False where there is none, or the world has ended.
    fn advance(&mut self, end: u64) -> bool {
        if self.ended.is_some() || self.engine.queue.first().is_none_or(|entry| entry.at > end) {
            return false;
        }
        self.within(|engine| {
            if let Some(entry) = engine.queue.pop() {
                engine.happen(entry);
            }
        });
        true
    }

    /// Lets the engine do something, and passes on what the application is told by it.
    fn within(&mut self, act: impl FnOnce(&mut Engine)) {
        let model = self.engine.model.clone();
        let engine = &mut self.engine;
        // What panics here is a property or a policy: a handler's panic is a fault of its step.
        let done = names::scope(&model.names, || fault::guard(std::panic::AssertUnwindSafe(|| act(engine))));
        let violated = self.engine.violation.as_ref().map(ToString::to_string);
        self.ended = self.ended.take().or(done.err().map(|fault| fault.to_string())).or(violated);
        for told in self.engine.told.as_mut().map(std::mem::take).unwrap_or_default() {
            match told {
                Told::Answer { node, request, value } => {
                    if let Some(done) = self.open.remove(&(node, request)) {
                        done.put(Ok(value));
                    }
                }
                Told::Upcall { node, upcall } => {
                    if let Some(kept) = self.upcalls.get_mut(&node) {
                        kept.push_back(upcall);
                    }
                }
                Told::Ended { node } => {
                    let of_node = self.open.range((node, 0)..=(node, u64::MAX)).map(|(request, _)| *request);
                    for request in of_node.collect::<Vec<_>>() {
                        if let Some(done) = self.open.remove(&request) {
                            done.put(Err(Lost::Restarted));
                        }
                    }
                }
            }
        }
    }

    /// Makes the calls that were asked for. Whether there were any.
    fn take_asks(&mut self) -> bool {
        let asked = std::mem::take(&mut *self.asks.lock().unwrap_or_else(PoisonError::into_inner));
        let any = !asked.is_empty();
        asked.into_iter().for_each(|ask| self.ask(ask));
        any
    }

    fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Command { node, call, done } => match self.lost(node) {
                Some(lost) => done.put(Err(lost)),
                None => {
                    self.within(|engine| engine.unplanned(node, NodeEvent::Layer(0, Event::Call(call))));
                    done.put(self.ended.clone().map_or(Ok(()), |reason| Err(Lost::Down(reason))));
                }
            },
            Ask::Request { node, asking, done } => match self.lost(node) {
                Some(lost) => done.put(Err(lost)),
                None => {
                    let number = u64::from(self.engine.requests.number(node));
                    self.open.insert((node, number), done);
                    self.within(|engine| {
                        engine.unplanned(node, NodeEvent::Layer(0, Event::Call(asking(number))));
                    });
                }
            },
            Ask::Query { node, question, done } => match self.lost(node) {
                Some(lost) => done.put(Err(lost)),
                None => done.put(self.answer(node, question)),
            },
        }
    }

    /// Why a node takes no call, if it takes none.
    fn lost(&self, node: NodeId) -> Option<Lost> {
        match &self.ended {
            Some(reason) => Some(Lost::Down(reason.clone())),
            None if !self.engine.ambient.up(node) => Some(Lost::Down("the node is down".to_owned())),
            None => None,
        }
    }

    fn answer(&self, node: NodeId, question: Question) -> Result<Box<dyn Any + Send>, Lost> {
        let (stack, state) = (&self.engine.model.nodes[node.index()], &self.engine.states[node.index()]);
        let answered = names::scope(&self.engine.model.names, || {
            fault::guard(std::panic::AssertUnwindSafe(|| {
                question(&|query| {
                    let below = Below::new(node, stack.layers(), state, 0);
                    stack.layers()[0].service().query(&state[0], query, &below)
                })
            }))
        });
        match answered {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(Lost::Down("the service does not answer this query".to_owned())),
            Err(fault) => Err(Lost::Down(format!("the query faulted: {fault}"))),
        }
    }

    /// Nobody who waits will get an answer.
    fn give_up(&mut self, lost: &Lost) {
        std::mem::take(&mut self.open).into_values().for_each(|done| done.put(Err(lost.clone())));
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sim { engine, ended, .. } = self;
        f.debug_struct("Sim")
            .field("now", &self.now())
            .field("events", &engine.events)
            .field("ended", ended)
            .finish()
    }
}

/// The port behind a handle of a simulated node.
struct SimPort {
    me: NodeId,
    asks: Arc<Mutex<VecDeque<Ask>>>,
}

impl SimPort {
    fn ask<T: Send + 'static>(&self, make: impl FnOnce(Done<T>) -> Ask + Send + 'static) -> Pending<T> {
        let place = Arc::new(Mutex::new(None));
        let (asks, mut make, done) = (self.asks.clone(), Some(make), Done(place.clone()));
        let mut done = Some(done);
        // The world wakes nobody: it polls again after every event.
        Box::pin(poll_fn(move |_| {
            if let (Some(make), Some(done)) = (make.take(), done.take()) {
                asks.lock().unwrap_or_else(PoisonError::into_inner).push_back(make(done));
            }
            match place.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(result) => Poll::Ready(result),
                None => Poll::Pending,
            }
        }))
    }
}

impl Port for SimPort {
    fn me(&self) -> NodeId {
        self.me
    }

    fn command(&self, call: Datum) -> Pending<()> {
        let node = self.me;
        self.ask(move |done| Ask::Command { node, call, done })
    }

    fn request(&self, asking: Asking) -> Pending<Datum> {
        let node = self.me;
        self.ask(move |done| Ask::Request { node, asking, done })
    }

    fn query(&self, question: Question) -> Pending<Box<dyn Any + Send>> {
        let node = self.me;
        self.ask(move |done| Ask::Query { node, question, done })
    }
}
