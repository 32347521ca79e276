//! A replicated key-value store on openraft and its store in memory, with the HTTP front of `examples/kv`: `PUT /keys/KEY`.
//!
//! The first node makes the cluster and leads it; writes go to it. Nothing survives a process.

mod network;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Router, routing};
use clap::Parser;
use openraft::Config;
use openraft::storage::Adaptor;
use openraft_memstore::{ClientRequest, MemStore, TypeConfig};
use tokio::net::TcpListener;

type Raft = openraft::Raft<TypeConfig>;

/// A replica of a key-value store on openraft
#[derive(Parser)]
struct Args {
    /// Which node this is, from 0
    #[arg(long)]
    id: usize,
    /// Where the nodes listen for each other, in their order
    #[arg(long, value_delimiter = ',')]
    peers: Vec<SocketAddr>,
    /// Where this node listens for clients
    #[arg(long)]
    http: SocketAddr,
}

/// The store answers again, and writes nothing, where a key comes with the number it came with last.
static SERIAL: AtomicU64 = AtomicU64::new(0);

async fn write(State(raft): State<Raft>, Path(key): Path<String>, value: String) -> (StatusCode, String) {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    match raft.client_write(ClientRequest { client: key, serial, status: value }).await {
        Ok(done) => (StatusCode::OK, done.data.0.unwrap_or_default()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let own = *args.peers.get(args.id).ok_or("--id is not one of the peers")?;
    let peers: BTreeMap<u64, SocketAddr> = (0..).zip(args.peers).collect();
    // As in openraft's own examples.
    let config = Config {
        heartbeat_interval: 500,
        election_timeout_min: 1500,
        election_timeout_max: 3000,
        ..Config::default()
    };
    let (log, machine) = Adaptor::new(MemStore::new_async().await);
    let network = network::Network(Arc::new(peers.clone()));
    let raft = Raft::new(args.id as u64, Arc::new(config.validate()?), network, log, machine).await?;
    let (listener, front) = (TcpListener::bind(own).await?, TcpListener::bind(args.http).await?);
    if args.id == 0 {
        raft.initialize(peers.keys().copied().collect::<std::collections::BTreeSet<u64>>()).await?;
    }
    let pages = Router::new().route("/keys/{key}", routing::put(write)).with_state(raft.clone());
    tokio::select! {
        served = network::serve(listener, raft) => served?,
        served = axum::serve(front, pages) => served?,
    }
    Ok(())
}
