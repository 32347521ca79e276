//! The same with generated services on real nodes.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foresee::Host;
use foresee::kernel::NodeId;
use foresee::live::{Limits, Transport};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::bench::bench::Upcall;
use crate::bench::bencher::Handle;
use crate::bench::{Bench, Bencher};
use crate::meter::{BATCH, Figures, NODES, VALUE_BYTES, WINDOW, WRITERS, cpu, latency, now, rate};

type Outcome = Result<Figures, Box<dyn Error>>;

struct Node {
    host: Host,
    bench: Handle,
}

/// Nodes that know each other; upcalls are counted.
async fn nodes(
    count: u32,
    transport: Transport,
    heard: &Arc<(AtomicU64, Notify)>,
) -> Result<Vec<Node>, Box<dyn Error>> {
    let mut nodes: Vec<Node> = Vec::new();
    for index in 0..count {
        let host = Host::bind("127.0.0.1:0").id(NodeId::new(index)).seed(1).volatile();
        let limits = Limits { patience: Duration::from_secs(20), ..Limits::default() };
        let host = host.limits(limits).transport(transport.clone()).open().await?;
        let peers = (0..count).filter(|it| *it != index).map(NodeId::new).collect();
        let (bench, mut told) = host.start(Bencher::new(peers)).await?;
        let heard = heard.clone();
        #[allow(clippy::disallowed_methods, reason = "it ends with its node, whose upcalls it takes")]
        drop(tokio::spawn(async move {
            while let Some(Upcall::Heard { .. }) = told.next().await {
                heard.0.fetch_add(1, Ordering::Relaxed);
                heard.1.notify_one();
            }
        }));
        nodes.push(Node { host, bench });
    }
    for one in &nodes {
        nodes.iter().for_each(|other| one.host.add_peer(other.host.me(), other.host.address()));
    }
    Ok(nodes)
}

async fn shut(nodes: Vec<Node>) {
    for node in nodes {
        node.host.shutdown().await;
    }
}

/// Round trips by connection over a transport, or by datagrams.
pub async fn ping(count: u32, over: Option<Transport>) -> Outcome {
    let datagrams = over.is_none();
    let nodes = nodes(2, over.unwrap_or(Transport::Tcp), &Arc::default()).await?;
    let (bench, to) = (&nodes[0].bench, NodeId::new(1));
    let call = async || if datagrams { bench.call(to).await } else { bench.round_trip(to).await };
    // A connection is made before.
    call().await?;
    let mut times = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let began = now();
        call().await?;
        times.push(now().duration_since(began));
    }
    shut(nodes).await;
    Ok(latency(times))
}

pub async fn flood(count: u32, transport: Transport) -> Outcome {
    let nodes = nodes(2, transport, &Arc::default()).await?;
    let to = NodeId::new(1);
    nodes[0].bench.round_trip(to).await?;
    let began = (now(), cpu());
    let mut under_way = FuturesUnordered::new();
    for _ in 0..count {
        if under_way.len() == WINDOW
            && let Some(done) = under_way.next().await
        {
            done?;
        }
        under_way.push(nodes[0].bench.flood(to, BATCH));
    }
    while let Some(done) = under_way.next().await {
        done?;
    }
    drop(under_way);
    let figures = rate(u64::from(count) * u64::from(BATCH), began);
    shut(nodes).await;
    Ok(figures)
}

pub async fn gossip(rumours: u32) -> Outcome {
    let heard: Arc<(AtomicU64, Notify)> = Arc::default();
    let nodes = nodes(NODES, Transport::Tcp, &heard).await?;
    let reach = async |rumours: u64| {
        while heard.0.load(Ordering::Relaxed) < rumours * u64::from(NODES) {
            heard.1.notified().await;
        }
    };
    // All connections are made before.
    nodes[0].bench.rumour(u64::MAX).await?;
    reach(1).await;
    let began = (now(), cpu());
    for rumour in 0..rumours {
        nodes[(rumour % NODES) as usize].bench.rumour(u64::from(rumour)).await?;
        reach((u64::from(rumour) + 2).saturating_sub(WINDOW as u64)).await;
    }
    reach(u64::from(rumours) + 1).await;
    let figures = rate(u64::from(rumours) * u64::from(NODES * (NODES - 1)), began);
    shut(nodes).await;
    Ok(figures)
}

pub async fn durable(count: u32) -> Outcome {
    let folder = tempfile::tempdir()?;
    let host = Host::bind("127.0.0.1:0").id(NodeId::new(0)).data(folder.path()).open().await?;
    let (bench, _told) = host.start(Bencher::new(vec![])).await?;
    let began = (now(), cpu());
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let bench = bench.clone();
        writers.spawn(async move {
            for key in (writer..count).step_by(WRITERS as usize) {
                bench.keep(u64::from(key), vec![7; VALUE_BYTES]).await?;
            }
            Ok::<_, foresee::kernel::Lost>(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    let figures = rate(u64::from(count), began);
    host.shutdown().await;
    Ok(figures)
}
