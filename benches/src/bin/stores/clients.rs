//! Clients that write, and what they see.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures time, and its tasks end with the connections that they drive"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cluster::Cluster;

/// Why a bench ends early.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The keys that are written, and the bytes of a value.
const KEYS: usize = 1000;
const VALUE_BYTES: usize = 64;

/// How long a cluster may take until it answers, and how long clients write before it counts.
const PATIENCE: Duration = Duration::from_secs(30);
const WARM_UP: Duration = Duration::from_secs(1);

/// What came of the writes.
#[derive(Clone)]
pub struct Figures {
    /// Acknowledged in a second.
    pub rate: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Of all servers together, for each.
    pub cpu_us: f64,
}

fn now() -> Instant {
    Instant::now()
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Failed> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(requests)
}

async fn put(requests: &mut SendRequest<Full<Bytes>>, key: usize) -> Result<(), Failed> {
    requests.ready().await?;
    let body = Full::new(Bytes::from_static(&[b'v'; VALUE_BYTES]));
    let request = Request::builder().method(Method::PUT).uri(format!("/keys/k{key}")).header("host", "kv");
    let answer = requests.send_request(request.body(body)?).await?;
    let status = answer.status();
    let text = answer.into_body().collect().await?.to_bytes();
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("{status}: {}", String::from_utf8_lossy(&text)).into()),
    }
}

/// Waits until the cluster does what it is asked.
async fn ready(address: SocketAddr) -> Result<(), Failed> {
    let began = now();
    loop {
        let asked = async { put(&mut connect(address).await?, 0).await }.await;
        match asked {
            Ok(()) => return Ok(()),
            Err(error) if now() - began > PATIENCE => return Err(error),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Has so many clients write for so long.
///
/// # Errors
/// A cluster that does not come up, and a write that fails.
pub async fn write(cluster: &Cluster, clients: usize, length: Duration) -> Result<Figures, Failed> {
    ready(cluster.leader).await?;
    let from = now() + WARM_UP;
    let to = from + length;
    let mut running = JoinSet::new();
    for number in 0..clients {
        let mut requests = connect(cluster.leader).await?;
        running.spawn(async move {
            let (mut times, mut key) = (Vec::new(), number);
            loop {
                let began = now();
                if began >= to {
                    return Ok::<_, Failed>(times);
                }
                key = (key + clients) % KEYS;
                put(&mut requests, key).await?;
                let ended = now();
                if began >= from && ended < to {
                    times.push(ended - began);
                }
            }
        });
    }
    sleep(from.saturating_duration_since(now())).await;
    let before = cluster.cpu()?;
    sleep(to.saturating_duration_since(now())).await;
    let taken = cluster.cpu()? - before;
    let mut times = Vec::new();
    while let Some(ended) = running.join_next().await {
        times.extend(ended??);
    }
    times.sort_unstable();
    let at = |share: f64| match times.is_empty() {
        true => f64::NAN,
        false => times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3,
    };
    let count = times.len() as f64;
    Ok(Figures {
        rate: count / length.as_secs_f64(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        cpu_us: taken.as_secs_f64() * 1e6 / count,
    })
}
