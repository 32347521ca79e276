//! One service on its host: how it begins, what it waits for, and what becomes of it after a fault.
//!
//! Its steps are taken by whoever comes with something for it ([`crate::helm`]). Its own task recovers its state from disk, waits for what
//! nobody comes with (the disk, timers, room for upcalls), and begins the next life after a fault. A fault loses nothing of what was
//! committed: it leaves, then the service starts again from its durable state. The task never waits for the network, nor for the
//! program that takes its upcalls.

use std::collections::VecDeque;
use std::sync::Arc;

use foresee_kernel::embed::{Asking, Question};
use foresee_kernel::recording::{Durable, Happening, durable_text};
use foresee_kernel::{
    CarrierInfo, Datum, Fault, LocalClaims, Lost, NodeEvent, NodeId, NodeState, Stack, Wires, fault, names,
};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::helm::{Core, Helm, Look};
use crate::host::Shared;
use crate::link::Adopt;
use crate::record::Recorder;
use crate::resolve::Chooser;
use crate::steps::{Kind, Life, Next};
use crate::store::{Journal, Progress};

/// What a program asks of a service.
pub(crate) enum Ask {
    Command { call: Datum, done: Done<()> },
    Request { asking: Asking, done: Done<Datum> },
    Query { question: Question, done: Done<Box<dyn std::any::Any + Send>> },
}

pub(crate) type Done<T> = oneshot::Sender<Result<T, Lost>>;

/// A message that came as a datagram.
pub(crate) type Datagram = (NodeId, u8, Datum);

/// Connections that peers made, each for a carrier.
pub(crate) type Adopts = mpsc::Receiver<(u8, Adopt)>;

/// The queues of what found somebody else taking steps.
pub(crate) struct Inlets {
    pub asks: mpsc::Receiver<Ask>,
    pub datagrams: mpsc::Receiver<Datagram>,
}

/// A service that runs.
pub(crate) struct Service {
    pub shared: Arc<Shared>,
    pub name: Arc<str>,
    pub stack: Stack,
    /// Whether it has variables that are forgotten after each step.
    pub has_ghosts: bool,
    pub carriers: Arc<[CarrierInfo]>,
    /// What datagrams name the carriers by.
    pub keys: Arc<[u32]>,
    pub wires: Arc<Wires>,
    pub helm: Arc<Helm>,
    pub journal: Journal,
    pub upcalls: mpsc::Sender<Datum>,
    pub inlets: Inlets,
    pub chooser: Chooser,
    pub recorder: Option<Recorder>,
    /// What it checks of itself after each step.
    pub claims: Option<LocalClaims>,
    /// How often it started again after a fault.
    pub restarts: u64,
    /// Counters of its steps, by their kind.
    pub counted: [Counter; 5],
}

/// Why a life ended.
pub(crate) enum End {
    Stopped,
    Fault(Fault),
    Disk(String),
}

/// Lets go of what lives at the helm when the task of the service ends, however it does.
struct AtHelm(Arc<Helm>);

impl Drop for AtHelm {
    fn drop(&mut self) {
        self.0.stop();
    }
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
    pub(crate) async fn run(mut self, mut adopts: Adopts, started: oneshot::Sender<Result<(), Error>>) {
        let _at_helm = AtHelm(self.helm.clone());
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
            let (service, end) = self.live(state, &durable, &mut adopts, &mut started).await;
            self = service;
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
        while let Some(ask) = self.inlets.asks.recv().await {
            refuse(ask, &Lost::Down(down.clone()));
        }
    }

    /// One life: from `start()` to a fault or the end.
    async fn live(
        mut self,
        state: NodeState,
        durable: &Durable,
        adopts: &mut Adopts,
        started: &mut Option<oneshot::Sender<Result<(), Error>>>,
    ) -> (Self, End) {
        let mut life = Life::new(self.life(), state, self.shared.limits.inbox);
        let shared = self.shared.clone();
        let (mut service, mut life, end) =
            match names::scope(&shared.names, || self.begin(&mut life, durable)) {
                Ok(()) => {
                    // Whoever starts a service goes on when what its start changed is on disk.
                    let started = started.take();
                    self.after(&mut life, move || {
                        started.into_iter().for_each(|started| drop(started.send(Ok(()))))
                    });
                    self.wait(life, adopts).await
                }
                Err(fault) => (self, life, End::Fault(fault)),
            };
        if let End::Fault(_) = end {
            service.settle(&mut life).await;
        }
        let lost = match &end {
            End::Stopped => Lost::Stopped,
            End::Fault(_) => Lost::Restarted,
            End::Disk(reason) => Lost::Down(reason.clone()),
        };
        for (_, done) in std::mem::take(&mut life.requests) {
            let _ = done.send(Err(lost.clone()));
        }
        (service, end)
    }

    /// The first steps of a life: what the layers declare is written down, and `start()` runs.
    fn begin(&mut self, life: &mut Life, durable: &Durable) -> Result<(), Fault> {
        self.persist_all(life)?;
        let start = Happening::Start { life: self.life(), durable: durable_text(durable) };
        self.step_noted(life, Kind::Start, &NodeEvent::Start, Some(start))
    }

    /// Lives at the helm, and waits there for what nobody else comes with.
    async fn wait(self, life: Life, adopts: &mut Adopts) -> (Self, Life, End) {
        let (helm, shared, upcalls) = (self.helm.clone(), self.shared.clone(), self.upcalls.clone());
        let mut committed = self.journal.committed.clone();
        helm.begin(Core { service: self, life, end: None, more: false });
        let mut turned = helm.turn(|_| {}).await;
        loop {
            let look = match turned {
                Ok(look) => look,
                Err(core) => {
                    let Core { service, life, end, .. } = *core;
                    return (service, life, end.unwrap_or(End::Stopped));
                }
            };
            let Look { timer, upcalls: held, more } = look;
            turned = tokio::select! {
                // Whoever else runs in this thread has a turn before.
                () = tokio::task::yield_now(), if more => helm.turn(|_| {}).await,
                () = helm.call.notified() => helm.turn(|_| {}).await,
                _ = committed.changed() => helm.turn(|_| {}).await,
                permit = upcalls.reserve(), if held =>
                    helm.turn(|core| core.life.pass_on(permit.ok(), &shared.meter)).await,
                Some((carrier, adopt)) = adopts.recv() =>
                    helm.turn(|core| core.take(Next::Adopt(carrier, adopt))).await,
                () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() =>
                    helm.turn(|_| {}).await,
            };
        }
    }

    /// Waits until all steps before a fault are on disk, and lets out what they asked for.
    async fn settle(&mut self, life: &mut Life) {
        let reached = |progress: &Progress| match progress {
            Ok(number) => *number >= life.last_write,
            Err(_) => true,
        };
        // The journal holds the sender.
        let _ = self.journal.committed.wait_for(reached).await;
        // Where the disk failed, nothing leaves, and the next life says why it cannot begin.
        let _ = self.release(life);
        std::mem::take(&mut life.leaving).leave();
    }
}

pub(crate) fn refuse(ask: Ask, lost: &Lost) {
    match ask {
        Ask::Command { done, .. } => drop(done.send(Err(lost.clone()))),
        Ask::Request { done, .. } => drop(done.send(Err(lost.clone()))),
        Ask::Query { done, .. } => drop(done.send(Err(lost.clone()))),
    }
}
