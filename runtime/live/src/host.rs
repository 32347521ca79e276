//! A host: one process's place in a cluster. It listens, keeps durable state, and runs services.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use foresee_kernel::embed::Handle as _;
use foresee_kernel::{CarrierInfo, Datum, Embedded, LocalClaims, Model, NodeId, Port, Stack, Wires};
use foresee_net::{Draw, Purpose, Stream, Topology};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use crate::cuts::{self, Cuts};
use crate::emulate::{self, Emulation};
use crate::helm::Helm;
use crate::meter::Meter;
use crate::peers::{PeerSource, Peers};
use crate::port::{LivePort, Upcalls};
use crate::record::{Recorder, Recording};
use crate::resolve::{Advisor, Chooser};
use crate::service::{Datagram, Inlets, Service};
use crate::steps::Kind;
use crate::store::Store;
use crate::transport::{self, Bound, Carry, Transport};
use crate::{Error, Limits, frame, listen, observe};

/// Draws of the host itself, such as pauses before a connection is tried again.
const PURPOSE: Purpose = Purpose(201);

/// How long a host that stops waits for its tasks.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How often a file of peers is looked at.
const PEERS_PERIOD: Duration = Duration::from_secs(1);

/// A host. Dropping it stops its services at once; [`Host::shutdown`] waits for them.
#[derive(Debug)]
pub struct Host {
    shared: Arc<Shared>,
    store: Store,
}

/// What the tasks of a host share.
pub(crate) struct Shared {
    pub me: NodeId,
    /// The name of this node, for logs.
    pub name: String,
    pub names: Arc<[String]>,
    pub peers: Peers,
    pub meter: Arc<Meter>,
    pub limits: Limits,
    /// What carries its connections.
    pub carry: Box<dyn Carry>,
    /// Whether whoever comes in has to prove who it is.
    pub proven: bool,
    /// For datagrams; None where they go through connections alone.
    pub socket: Option<Arc<UdpSocket>>,
    pub datagrams_in_streams: bool,
    /// The network that it pretends to be on.
    pub emulation: Option<Arc<Emulation>>,
    /// The links that are cut.
    pub cuts: Option<Arc<Cuts>>,
    pub boots: u64,
    pub services: Mutex<BTreeMap<String, Registered>>,
    address: SocketAddr,
    seed: u64,
    tasks: TaskTracker,
    running: Mutex<Running>,
    /// Where its tasks run: whoever calls a service may not run there.
    runtime: tokio::runtime::Handle,
}

/// The tasks of a host, by the order in which they began.
#[derive(Default)]
struct Running {
    tasks: BTreeMap<u64, Option<AbortHandle>>,
    begun: u64,
    stopped: bool,
}

/// The ways into a service, for the listeners of its host.
pub(crate) struct Doors {
    pub wires: Arc<Wires>,
    pub carriers: Arc<[CarrierInfo]>,
    /// What datagrams name the carriers by.
    pub keys: Arc<[u32]>,
    pub helm: Arc<Helm>,
    pub adopts: mpsc::Sender<(u8, crate::link::Adopt)>,
    pub datagrams: mpsc::Sender<Datagram>,
}

/// A service as its host knows it.
pub(crate) struct Registered {
    pub doors: Arc<Doors>,
    /// Why it is down, if it is.
    pub down: Option<String>,
    /// The claims that were false after some step, with what was false of them the first time.
    pub violated: BTreeMap<&'static str, String>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("me", &self.me).field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    /// Runs a task that ends with the host.
    pub(crate) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        struct Place(Arc<Shared>, u64);
        impl Drop for Place {
            fn drop(&mut self) {
                self.0.meter.tasks.dec();
                self.0.running().tasks.remove(&self.1);
            }
        }
        let number = {
            let mut running = self.running();
            if running.stopped {
                return;
            }
            running.begun += 1;
            let number = running.begun;
            running.tasks.insert(number, None);
            number
        };
        self.meter.tasks.inc();
        let place = Place(self.clone(), number);
        let task = async move {
            let _place = place;
            task.await;
        };
        let handle = self.tasks.spawn_on(task, &self.runtime).abort_handle();
        let Running { tasks, stopped, .. } = &mut *self.running();
        match tasks.get_mut(&number) {
            Some(known) => *known = Some(handle),
            None if *stopped => handle.abort(),
            // It has ended already.
            None => {}
        }
    }

    /// Ends its tasks, those that wait at once, and begins no more.
    fn stop(&self) {
        let tasks = {
            let mut running = self.running();
            running.stopped = true;
            std::mem::take(&mut running.tasks)
        };
        // One without a handle is just beginning, and ended by whoever begins it.
        tasks.values().flatten().for_each(AbortHandle::abort);
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn unit(&self, place: (u32, u32), number: u64) -> f64 {
        Stream::new(self.seed, PURPOSE, place, number).unit()
    }

    /// Whether the link with `peer` is cut.
    pub(crate) fn is_cut(&self, peer: NodeId) -> bool {
        self.cuts.as_ref().is_some_and(|cuts| cuts.cut(peer))
    }

    /// Puts a datagram with a message of `message` bytes on the wire.
    pub(crate) fn put_datagram(&self, bytes: &[u8], to: SocketAddr, message: u64) {
        let sent = self.socket.as_ref().map(|socket| socket.try_send_to(bytes, to));
        match sent {
            Some(Ok(_)) => {
                self.meter.messages_sent.inc();
                self.meter.bytes_sent.inc_by(message);
            }
            // A network may lose a datagram, and so may its sender.
            _ => self.meter.lose("socket busy"),
        }
    }

    /// The ways into a service.
    pub(crate) fn doors(&self, service: &str) -> Option<Arc<Doors>> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.get(service).map(|it| it.doors.clone())
    }

    pub(crate) fn down(&self, service: &str, reason: &str) {
        if let Some(known) = self.services.lock().unwrap_or_else(PoisonError::into_inner).get_mut(service) {
            known.down = Some(reason.to_owned());
        }
    }

    /// Notes that a claim became false.
    pub(crate) fn violated(&self, service: &str, property: &'static str, why: &str) {
        self.meter.violate(service, property);
        if let Some(known) = self.services.lock().unwrap_or_else(PoisonError::into_inner).get_mut(service) {
            known.violated.entry(property).or_insert_with(|| why.to_owned());
        }
    }
}

/// What a service may have beside its parameters.
#[derive(Default)]
pub struct Extras {
    /// Who is asked for its choices first.
    pub advisor: Option<Box<dyn Advisor>>,
    /// Where its steps are written down.
    pub recording: Option<Recording>,
    /// The system that it is part of, where what it can decide alone of that system's claims is to be checked after each step.
    pub check_local: Option<Arc<Model>>,
}

impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extras")
            .field("recording", &self.recording)
            .field("check_local", &self.check_local.is_some())
            .finish_non_exhaustive()
    }
}

/// Says where a host listens, whom it knows and where it keeps its data.
#[derive(Debug)]
pub struct Builder {
    address: String,
    id: Option<NodeId>,
    peers: PeerSource,
    names: Vec<String>,
    data: Option<PathBuf>,
    volatile: bool,
    limits: Limits,
    seed: Option<u64>,
    datagrams_in_streams: bool,
    emulate: Option<Arc<Topology>>,
    links: Option<PathBuf>,
    transport: Transport,
}

impl Builder {
    /// Which node this is. Left out, it is the one whose address among the peers is the one listened on.
    pub fn id(mut self, id: NodeId) -> Self {
        self.id = Some(id);
        self
    }

    /// The peers, this node among them: the path of a file, which is read again when it changes, a list, or names ([`crate::Dns`]).
    pub fn peers(mut self, peers: impl Into<PeerSource>) -> Self {
        self.peers = peers.into();
        self
    }

    /// The names of the nodes, by number, for a file of peers and for logs.
    pub fn names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names = names.into_iter().collect();
        self
    }

    /// The folder for durable variables.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Lets services with durable variables run without a folder: what is durable survives faults, not the process.
    pub fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Other bounds than the usual ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The seed of choices without advice or default, and of chance; from the clock if left out.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sends datagrams through connections: for messages longer than UDP carries. A break loses them and tells nobody.
    pub fn datagrams_in_streams(mut self) -> Self {
        self.datagrams_in_streams = true;
        self
    }

    /// Pretends to be where `topology` has this node: what is sent to a peer is held back for as long as the way there takes, and
    /// datagrams are lost and doubled as it says. Draws are keyed by [`Builder::seed`].
    pub fn emulate(mut self, topology: impl Into<Arc<Topology>>) -> Self {
        self.emulate = Some(topology.into());
        self
    }

    /// A file that says which links are cut, read again when it changes: `cut` is a list of sides, each a list of nodes
    /// that are cut off from all others, and `version` a number that is shown when it was read. Without the file none is.
    pub fn links(mut self, file: impl Into<PathBuf>) -> Self {
        self.links = Some(file.into());
        self
    }

    /// What carries connections; TCP if left out.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Listens, reads the peers and opens the data.
    ///
    /// # Errors
    /// An address that cannot be listened on, certificates that cannot be used, peers or links that cannot be read, peers that do not say which node this is, data that cannot be
    /// opened, is damaged, or is of another node or a newer version.
    pub async fn open(self) -> Result<Host, Error> {
        let peers = Peers::open(self.peers, self.names.clone(), &self.address).await?;
        let find = |address: SocketAddr| {
            self.id.or_else(|| peers.at(address)).ok_or_else(|| {
                Error::Peers(format!(
                    "which node this is is not said: no single peer has the address {address}; name it with `id`"
                ))
            })
        };
        let (bound, me) = transport::bind(&self.transport, &self.address, &self.limits, find).await?;
        let Bound { carry, datagrams, address } = bound;
        let (socket, proven) = (datagrams.map(Arc::new), self.transport.is_proven());
        let now = now_nanos();
        let meter = Arc::new(Meter::new());
        let store = match &self.data {
            Some(folder) => Store::open(folder, me, meter.clone()).await?,
            // Without a counter on disk the clock tells one life from the next.
            None => Store::volatile(me, now >> 20, meter.clone()).await?,
        };
        let cuts = match self.links {
            None => None,
            Some(file) => Some(Arc::new(Cuts::open(file, self.names.clone(), me)?)),
        };
        let seed = self.seed.unwrap_or(now);
        let (emulation, held) = match self.emulate {
            None => (None, None),
            Some(topology) => {
                let (emulation, held) = Emulation::new(topology, seed, me, store.boots, meter.clone());
                let emulation = Arc::new(emulation);
                (Some(emulation.clone()), Some((emulation, held)))
            }
        };
        let names: Arc<[String]> = self.names.into();
        let name = names.get(me.index()).cloned().unwrap_or_else(|| format!("node[{}]", me.index()));
        let shared = Arc::new(Shared {
            me,
            name,
            names,
            peers,
            meter,
            limits: self.limits,
            carry,
            proven,
            socket: socket.clone(),
            datagrams_in_streams: self.datagrams_in_streams || socket.is_none(),
            emulation,
            cuts,
            boots: store.boots,
            services: Mutex::default(),
            address,
            seed,
            tasks: TaskTracker::new(),
            running: Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
        });
        tracing::info!(node = %shared.name, %address, boots = store.boots, "listening");
        shared.spawn(listen::connections(shared.clone()));
        if let Some(socket) = socket {
            shared.spawn(listen::datagrams(shared.clone(), socket));
        }
        if let Some((emulation, held)) = held {
            shared.spawn(emulate::carry(shared.clone(), emulation, held));
        }
        if let Some(cuts) = &shared.cuts {
            shared.spawn(cuts::watch(shared.clone(), cuts.clone()));
        }
        if shared.peers.by_name() {
            shared.spawn(look_up_peers(shared.clone()));
        }
        if shared.peers.file().is_some() {
            shared.spawn(watch_peers(shared.clone()));
        }
        if self.data.is_none() && !self.volatile {
            return Ok(Host { shared, store: store.unkept() });
        }
        Ok(Host { shared, store })
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the lives of a node without a disk are told apart by the clock; nothing computes with it"
)]
pub(crate) fn now_nanos() -> u64 {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Reads the file of peers when it has changed.
async fn watch_peers(shared: Arc<Shared>) {
    let Some(path) = shared.peers.file().map(ToOwned::to_owned) else { return };
    let modified = || std::fs::metadata(&path).and_then(|data| data.modified()).ok();
    let mut known = modified();
    let mut period = tokio::time::interval(PEERS_PERIOD);
    loop {
        period.tick().await;
        let found = modified();
        if found != known {
            known = found;
            match shared.peers.refresh() {
                Ok(()) => tracing::info!(path = %path.display(), "the peers were read again"),
                Err(error) => tracing::warn!(%error, "the peers stay as they were"),
            }
        }
    }
}

/// Asks for the names of peers again.
async fn look_up_peers(shared: Arc<Shared>) {
    let mut period = tokio::time::interval(shared.limits.resolve);
    // The first moment is now, and they were just asked for.
    period.tick().await;
    loop {
        period.tick().await;
        shared.peers.look_up().await;
    }
}

impl Host {
    /// Begins to say what a host is; `address` is where it listens, for connections and datagrams.
    pub fn bind(address: impl Into<String>) -> Builder {
        Builder {
            address: address.into(),
            id: None,
            peers: PeerSource::List(BTreeMap::new()),
            names: Vec::new(),
            data: None,
            volatile: false,
            limits: Limits::default(),
            seed: None,
            datagrams_in_streams: false,
            emulate: None,
            links: None,
            transport: Transport::default(),
        }
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.shared.me
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The nodes that it knows, itself included.
    pub fn peers(&self) -> BTreeSet<NodeId> {
        self.shared.peers.ids().into_iter().chain([self.shared.me]).collect()
    }

    /// Makes a node known, or known at another address.
    pub fn add_peer(&self, node: NodeId, address: SocketAddr) {
        self.shared.peers.add(node, address);
    }

    /// What it counts.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.shared.meter
    }

    /// The services that are down for good, and why.
    pub fn down(&self) -> BTreeMap<String, String> {
        let services = self.shared.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.iter().filter_map(|(name, it)| Some((name.clone(), it.down.clone()?))).collect()
    }

    /// The claims of each service that were false after some step of it, where it checks itself.
    pub fn violated(&self) -> BTreeMap<String, Vec<&'static str>> {
        let services = self.shared.services.lock().unwrap_or_else(PoisonError::into_inner);
        let some = services.iter().filter(|(_, it)| !it.violated.is_empty());
        some.map(|(name, it)| (name.clone(), it.violated.keys().copied().collect())).collect()
    }

    /// Starts a service under its own name; done when its start is on disk.
    ///
    /// # Errors
    /// See [`Host::start_stack`].
    pub async fn start<S: Embedded>(&self, service: S) -> Result<(S::Handle, Upcalls<S::Upcall>), Error> {
        let name = S::info().name;
        self.start_as(name, service).await
    }

    /// Starts one of several instances of a service under a name that its peers know it by.
    ///
    /// # Errors
    /// See [`Host::start_stack`].
    pub async fn start_as<S: Embedded>(
        &self,
        name: &str,
        service: S,
    ) -> Result<(S::Handle, Upcalls<S::Upcall>), Error> {
        let (port, stream) = self.start_stack(name, service.stack(self.me()), Extras::default()).await?;
        Ok((S::Handle::over(port), Upcalls { stream, read: S::upcall }))
    }

    /// Starts a service whose choices `advisor` is asked for first.
    ///
    /// # Errors
    /// See [`Host::start_stack`].
    pub async fn start_advised<S: Embedded>(
        &self,
        service: S,
        advisor: impl Advisor + 'static,
    ) -> Result<(S::Handle, Upcalls<S::Upcall>), Error> {
        let extras = Extras { advisor: Some(Box::new(advisor)), ..Extras::default() };
        let (port, stream) = self.start_stack(S::info().name, service.stack(self.me()), extras).await?;
        Ok((S::Handle::over(port), Upcalls { stream, read: S::upcall }))
    }

    /// Shows counters and health over HTTP at `address`, as `/metrics` and `/health`.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn observe(&self, address: &str) -> Result<SocketAddr, Error> {
        let refuse = |error| Error::io(format!("cannot listen on {address}"), error);
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        let bound = listener.local_addr().map_err(refuse)?;
        self.shared.spawn(observe::serve(self.shared.clone(), listener));
        Ok(bound)
    }

    /// Has the emulated network be another from now on ([`Builder::emulate`]): what is under way stays so. Nothing, where none is emulated.
    pub fn emulate(&self, topology: impl Into<Arc<Topology>>) {
        if let Some(emulation) = &self.shared.emulation {
            emulation.becomes(topology.into());
        }
    }

    /// How often a host was opened on its data, this time included. Without a folder it is a number that grows with the clock.
    pub fn boots(&self) -> u64 {
        self.shared.boots
    }

    /// Starts any stack.
    ///
    /// # Errors
    /// A name that is taken, durable variables without a folder, durable state of another schema, or a service that faults on
    /// its start again and again.
    pub async fn start_stack(
        &self,
        name: &str,
        stack: Stack,
        extras: Extras,
    ) -> Result<(Arc<dyn Port>, mpsc::Receiver<Datum>), Error> {
        let shared = &self.shared;
        let (stack, carriers) = stack.alone();
        let variables = || stack.layers().iter().flat_map(|layer| layer.service().info().variables);
        if !self.store.kept && variables().any(|variable| variable.durable) {
            let what = format!(
                "`{name}` has durable variables: give the host a folder with `data`, or say `volatile`"
            );
            return Err(Error::Service(what));
        }
        let has_ghosts = variables().any(|variable| variable.ghost);
        let wires = Arc::new(Chooser::wires(extras.advisor.as_deref(), Wires::of(&stack)));
        let carriers: Arc<[CarrierInfo]> = carriers.into();
        let keys: Arc<[u32]> = carriers.iter().map(|it| frame::key(name, it.name, it.kind)).collect();
        let helm = Arc::new(Helm::new(shared.names.clone()));
        let claims = extras.check_local.map(|model| LocalClaims::new(model, shared.me));
        let recorder = extras
            .recording
            .map(|it| Recorder::begin(it, claims.is_some(), wires.clone(), shared.meter.clone()));
        let recorder = recorder.transpose()?;
        let limits = &shared.limits;
        let (ask, asks) = mpsc::channel(limits.inbox);
        let (adopt, adopts) = mpsc::channel(64);
        let (datagram, datagrams) = mpsc::channel(limits.inbox);
        let (upcall, upcalls) = mpsc::channel(limits.upcalls.max(1));
        {
            let mut services = shared.services.lock().unwrap_or_else(PoisonError::into_inner);
            if services.contains_key(name) {
                return Err(Error::Service(format!("a service named `{name}` runs here already")));
            }
            let (wires, carriers, keys) = (wires.clone(), carriers.clone(), keys.clone());
            let doors =
                Doors { wires, carriers, keys, helm: helm.clone(), adopts: adopt, datagrams: datagram };
            let known = Registered { doors: Arc::new(doors), down: None, violated: BTreeMap::new() };
            services.insert(name.to_owned(), known);
        }
        let place = (shared.me.index() as u32, shared.boots as u32);
        let service = Service {
            shared: shared.clone(),
            name: Arc::from(name),
            stack,
            has_ghosts,
            carriers,
            keys,
            wires,
            helm: helm.clone(),
            journal: self.store.journal(name),
            upcalls: upcall,
            inlets: Inlets { asks, datagrams },
            chooser: Chooser::new(shared.seed, place, extras.advisor, recorder.is_some()),
            recorder,
            claims,
            restarts: 0,
            counted: Kind::counters(&shared.meter),
        };
        let (started, outcome) = oneshot::channel();
        shared.spawn(service.run(adopts, started));
        let outcome =
            outcome.await.unwrap_or_else(|_| Err(Error::Service("the host was stopped".to_owned())));
        if let Err(error) = outcome {
            shared.services.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
            return Err(error);
        }
        Ok((Arc::new(LivePort { me: shared.me, helm, asks: ask }), upcalls))
    }

    /// Stops the services, and waits until their tasks have ended and their state is closed.
    pub async fn shutdown(self) {
        self.shared.stop();
        self.shared.tasks.close();
        if tokio::time::timeout(STOP_PATIENCE, self.shared.tasks.wait()).await.is_err() {
            tracing::warn!("tasks of the host did not end in time");
        }
        self.shared.carry.close().await;
        let Host { store, .. } = &self;
        store.close().await;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.shared.stop();
    }
}
