//! A replicated key-value store: every command goes through the log of `specs/paxos.mace`, and each replica applies it.
//!
//! Reads go through the log as well, so whatever is answered is linearizable. A command may stand in the log twice, after it was
//! asked for again; only its first place counts. Nothing is kept here: a replica that starts again is told the log anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Router, routing};
use clap::Parser;
use foresee::Host;
use foresee::kernel::{NodeId, Point};
use foresee::live::{Advisor, Upcalls};
use paxos::log::Upcall;
use paxos::{Command, Log, Paxos};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

foresee::include_spec!("paxos");

/// A replica of a key-value store
#[derive(Parser)]
struct Args {
    /// Which node this is
    #[arg(long)]
    id: u32,
    /// The file that says where the nodes are
    #[arg(long)]
    peers: PathBuf,
    /// Where this node listens for its peers
    #[arg(long)]
    listen: String,
    /// Where it listens for clients
    #[arg(long)]
    http: String,
    /// The folder for its durable state
    #[arg(long)]
    data: PathBuf,
}

#[derive(Serialize, Deserialize)]
enum Op {
    Get,
    Put(String),
    /// Put where the value is another one, or none.
    Swap(Option<String>, String),
}

/// Which request it is: the node, its life, the number in that life.
type Id = (u32, u64, u64);

/// Whether it was done, and the value before it.
type Done = (bool, Option<String>);

struct Store {
    log: paxos::paxos::Handle,
    life: (u32, u64),
    requests: AtomicU64,
    waiting: Mutex<BTreeMap<Id, oneshot::Sender<Done>>>,
}

impl Store {
    fn waiter(&self, id: Id) -> Option<oneshot::Sender<Done>> {
        self.waiting.lock().expect("nobody panics with it").remove(&id)
    }

    /// Puts a request into the log, and waits until it is applied here. None where that is not known in time.
    async fn ask(&self, key: String, op: Op) -> Option<Done> {
        let id = (self.life.0, self.life.1, self.requests.fetch_add(1, Ordering::Relaxed));
        let (done, outcome) = oneshot::channel();
        self.waiting.lock().expect("nobody panics with it").insert(id, done);
        let command = Command(postcard::to_stdvec(&(id, key, op)).ok()?);
        let asked = async { self.log.submit(command).await.ok().and(outcome.await.ok()) };
        let done = tokio::time::timeout(Duration::from_secs(5), asked).await.ok().flatten();
        self.waiter(id);
        done
    }

    /// Applies what was decided, in order.
    async fn apply(&self, mut decided: Upcalls<Upcall>) {
        let (mut values, mut applied) = (BTreeMap::<String, String>::new(), BTreeSet::new());
        while let Some(Upcall::Decided { command, .. }) = decided.next().await {
            let Ok((id, key, op)) = postcard::from_bytes::<(Id, String, Op)>(&command.0) else { continue };
            if applied.insert(id) {
                let before = values.get(&key).cloned();
                let (done, after) = match op {
                    Op::Put(value) => (true, Some(value)),
                    Op::Swap(from, to) if from == before => (true, Some(to)),
                    Op::Swap(..) => (false, None),
                    Op::Get => (true, None),
                };
                values.extend(after.map(|value| (key, value)));
                // Whoever gave up, or waits at another replica, needs no answer.
                let _ = self.waiter(id).map(|waiting| waiting.send((done, before)));
            }
        }
    }
}

/// Who proposes: always the same member, until a command has to be asked for again. Nothing else is advised on.
struct Favourite(u32);

impl Advisor for Favourite {
    fn advise(&mut self, point: &Point<'_>) -> Option<u32> {
        let again = point.site.name == "remind";
        self.0 += u32::from(again);
        (again || point.site.name == "submit").then_some(self.0 % point.options)
    }
}

type Asked = Query<BTreeMap<String, String>>;
type Answer = (StatusCode, String);

async fn read(store: State<Arc<Store>>, Path(key): Path<String>) -> Answer {
    answer(store.ask(key, Op::Get).await.map(|(_, value)| (value.is_some(), value)), StatusCode::NOT_FOUND)
}

/// `?from=VALUE` puts only where that is the value, an empty one where there is none.
async fn write(store: State<Arc<Store>>, Path(key): Path<String>, query: Asked, value: String) -> Answer {
    let from = query.get("from").map(|from| Some(from.clone()).filter(|from| !from.is_empty()));
    let op = from.map_or(Op::Put(value.clone()), |from| Op::Swap(from, value));
    answer(store.ask(key, op).await, StatusCode::CONFLICT)
}

fn answer(done: Option<Done>, otherwise: StatusCode) -> Answer {
    match done {
        Some((done, value)) => (if done { StatusCode::OK } else { otherwise }, value.unwrap_or_default()),
        None => (StatusCode::SERVICE_UNAVAILABLE, "whether it was done is not known".to_owned()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let args = Args::parse();
    let host = Host::bind(args.listen).id(NodeId::new(args.id)).peers(args.peers).data(args.data);
    // A window of the log may be more than a datagram holds.
    let host = host.datagrams_in_streams().open().await?;
    let service = Paxos::new(host.peers()).patience(Duration::from_millis(150)).window(64);
    let (log, decided) = host.start_advised(service, Favourite(0)).await?;
    let (life, waiting) = ((args.id, host.boots()), Mutex::default());
    let store = Arc::new(Store { log, life, requests: AtomicU64::new(0), waiting });
    let meter = host.meter().clone();
    let pages = Router::new().route("/keys/{key}", routing::get(read).put(write));
    let pages = pages.route("/metrics", routing::get(async move || meter.render())).with_state(store.clone());
    let listener = tokio::net::TcpListener::bind(args.http).await?;
    tokio::select! {
        served = axum::serve(listener, pages) => served?,
        () = store.apply(decided) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    host.shutdown().await;
    Ok(())
}
