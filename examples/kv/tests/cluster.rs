//! Three real processes of the store under load, while one after another is killed and started again. Clients write down what
//! they asked and were told; nothing acknowledged may be lost, and every history must be linearizable.

#[path = "support/history.rs"]
mod history;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foresee_net::{Draw, Purpose, Stream};
use history::{Call, Op, linearizable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

const NODES: usize = 3;
const KEYS: u64 = 5;

struct Cluster {
    folder: tempfile::TempDir,
    listen: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    processes: Vec<Option<Child>>,
}

impl Cluster {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Ports that were free a moment ago.
        let ports: Vec<TcpListener> =
            (0..2 * NODES).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
        let addresses: Vec<SocketAddr> =
            ports.iter().map(|port| port.local_addr().expect("it has an address")).collect();
        let (listen, http) = (addresses[..NODES].to_vec(), addresses[NODES..].to_vec());
        let peers = listen.iter().enumerate().map(|(id, address)| format!("{id} = \"{address}\"\n"));
        let peers = format!("[peers]\n{}", peers.collect::<String>());
        std::fs::write(folder.path().join("peers.toml"), peers).expect("it is written");
        drop(ports);
        let mut cluster = Cluster { folder, listen, http, processes: Vec::new() };
        cluster.processes = (0..NODES).map(|id| Some(cluster.spawn(id))).collect();
        cluster
    }

    fn log(&self, id: usize) -> std::path::PathBuf {
        self.folder.path().join(format!("{id}.log"))
    }

    fn spawn(&self, id: usize) -> Child {
        let folder = self.folder.path();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log(id)).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kv"));
        command.args(["--id", &id.to_string(), "--listen", &self.listen[id].to_string()]);
        command.args(["--http", &self.http[id].to_string()]);
        command.arg("--peers").arg(folder.join("peers.toml")).arg("--data").arg(folder.join(id.to_string()));
        command.env("RUST_LOG", "warn").stdout(log).stderr(Stdio::null()).spawn().expect("it starts")
    }

    fn kill(&mut self, id: usize) {
        if let Some(mut process) = self.processes[id].take() {
            process.kill().expect("it is killed");
            process.wait().expect("it is gone");
        }
    }

    fn start(&mut self, id: usize) {
        self.processes[id] = Some(self.spawn(id));
    }

    fn logs(&self) -> String {
        let log = |id| std::fs::read_to_string(self.log(id)).unwrap_or_default();
        (0..NODES).map(|id| format!("node {id}:\n{}\n", log(id))).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().flatten() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// One request. None where there is no answer.
async fn request(address: SocketAddr, method: &str, target: &str, body: &str) -> Option<(u16, String)> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let text = format!(
            "{method} {target} HTTP/1.1\r\nhost: kv\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    };
    timeout(Duration::from_secs(8), asked).await.ok().flatten()
}

/// What is done, and what it came to: done or not, and the value before.
async fn ask(address: SocketAddr, key: u64, op: &Op) -> Option<(bool, Option<String>)> {
    let target = format!("/keys/k{key}");
    let (status, body) = match op {
        Op::Get => request(address, "GET", &target, "").await?,
        Op::Put(value) => request(address, "PUT", &target, value).await?,
        Op::Swap(from, to) => {
            let target = format!("{target}?from={}", from.as_deref().unwrap_or_default());
            request(address, "PUT", &target, to).await?
        }
    };
    let before = Some(body).filter(|body| !body.is_empty());
    match status {
        200 => Some((true, before)),
        404 => Some((true, None)),
        409 => Some((false, before)),
        _ => None,
    }
}

/// What all clients did, by key.
type Histories = Arc<Mutex<BTreeMap<u64, Vec<Call>>>>;

/// Asks one thing after another until it is told to stop.
async fn client(
    number: u32,
    http: Vec<SocketAddr>,
    began: Instant,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    histories: Histories,
) {
    let now = || began.elapsed().as_nanos() as u64;
    let mut seen: BTreeMap<u64, Option<String>> = BTreeMap::new();
    for turn in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut draws = Stream::new(11, Purpose(210), (number, 0), turn);
        let (key, address) = (draws.below(KEYS), http[draws.below(http.len() as u64) as usize]);
        let value = format!("{number}-{turn}");
        let op = match draws.below(4) {
            0 | 1 => Op::Get,
            2 => Op::Put(value),
            _ => Op::Swap(seen.get(&key).cloned().flatten(), value),
        };
        let start = now();
        let outcome = ask(address, key, &op).await;
        let ended = outcome.map(|(done, before)| (now(), done, before));
        match &ended {
            Some((_, _, before)) => {
                answered.fetch_add(1, Ordering::Relaxed);
                let after = match &op {
                    Op::Put(value) => Some(value.clone()),
                    _ => before.clone(),
                };
                seen.insert(key, after);
            }
            // A node that is down is not asked again at once.
            None => sleep_until(Instant::now() + Duration::from_millis(20)).await,
        }
        let call = Call { op, began: start, ended };
        histories.lock().expect("nobody panics with it").entry(key).or_default().push(call);
    }
}

/// Runs the cluster under load through `kills` of its processes.
async fn survives(kills: usize) {
    let mut cluster = Cluster::new();
    let (stop, answered, histories) = <(Arc<AtomicBool>, Arc<AtomicU64>, Histories)>::default();
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..4 {
        let (stop, answered) = (stop.clone(), answered.clone());
        clients.spawn(client(number, cluster.http.clone(), began, stop, answered, histories.clone()));
    }
    let progress = async |more: u64, cluster: &Cluster| {
        let goal = answered.load(Ordering::Relaxed) + more;
        let deadline = Instant::now() + Duration::from_secs(60);
        while answered.load(Ordering::Relaxed) < goal {
            assert!(Instant::now() < deadline, "the store answers no more\n{}", cluster.logs());
            sleep_until(Instant::now() + Duration::from_millis(5)).await;
        }
    };
    progress(40, &cluster).await;
    for kill in 0..kills {
        let mut draws = Stream::new(5, Purpose(211), (0, 0), kill as u64);
        let id = draws.below(NODES as u64) as usize;
        cluster.kill(id);
        progress(draws.below(20), &cluster).await;
        cluster.start(id);
        progress(20 + draws.below(20), &cluster).await;
    }
    stop.store(true, Ordering::Relaxed);
    while clients.join_next().await.is_some() {}
    let histories = histories.lock().expect("nobody panics with it");
    let (mut calls, mut unknown) = (0, 0);
    for (key, history) in histories.iter() {
        calls += history.len();
        unknown += history.iter().filter(|call| call.ended.is_none()).count();
        assert!(
            linearizable(history),
            "the history of key {key} is not linearizable: {history:#?}\n{}",
            cluster.logs()
        );
    }
    assert!(calls > 60 + kills * 20, "only {calls} calls");
    let data = Path::new(cluster.folder.path()).join("0").join("state.redb");
    assert!(data.exists(), "durable state is on disk");
    assert!(unknown < calls / 2, "{unknown} of {calls} calls had no answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_survives_kills() {
    survives(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: two hundred kills take minutes"]
async fn what_is_acknowledged_survives_two_hundred_kills() {
    survives(200).await;
}
