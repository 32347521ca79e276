//! A soak: eight nodes for as long as is asked, with churn and partitions. Memory, tasks and open files must not grow after warm-up, no
//! claim that a node can decide alone may be violated, and every recording must replay to the same states.
//!
//! It prints a line a sample and a verdict, and ends with 1 where something grew or is wrong. Everything is in one process, so that what
//! leaks in any of the nodes shows.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use foresee::Host;
use foresee::app::Exit;
use foresee::kernel::embed::Handle as _;
use foresee::kernel::{Arguments, Model, NodeId, argument};
use foresee::live::{Extras, Limits, Recording, Transport};
use foresee_net::{Draw, Purpose, Stream};
use live_tests::certs::Authority;
use mutual_exclusion::Lock;
use mutual_exclusion::member::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

foresee::include_spec!("mutual_exclusion");

/// Runs eight nodes with churn and partitions
#[derive(Parser)]
struct Args {
    /// For how long, such as 60s or 1h
    #[arg(long = "for", default_value = "2min", value_parser = |text: &str| argument::duration(text).ok_or("a duration such as 60s"))]
    length: Duration,
    /// How often a node is stopped, and how often some are cut off, on average
    #[arg(long, default_value = "2s", value_parser = |text: &str| argument::duration(text).ok_or("a duration such as 2s"))]
    every: Duration,
    /// tcp, tls or quic
    #[arg(long, default_value = "tcp", value_parser = ["tcp", "tls", "quic"])]
    transport: String,
    /// What is stopped and cut off, and when
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const NODES: u32 = 8;

/// The least and the most samples of a run; the first fifth is warm-up.
const SAMPLES: (u32, u32) = (10, 40);

/// The faults between two samples, about, and at least.
const FAULTS_EACH: u32 = 6;

/// Memory may rise by a tenth and this, since allocators keep some.
const MEMORY_SLACK_BYTES: u64 = 8 << 20;

/// What is held at one moment, when all nodes are up.
#[derive(Clone, Copy, Debug)]
struct Sample {
    memory: u64,
    files: u64,
    tasks: u64,
}

fn sample() -> Sample {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10;
    let files = std::fs::read_dir("/proc/self/fd").map_or(0, |found| found.count() as u64);
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64;
    Sample { memory, files, tasks }
}

struct Soak {
    folder: PathBuf,
    model: Arc<Model>,
    transport: Transport,
    addresses: BTreeMap<NodeId, SocketAddr>,
    links_version: u64,
    lives: u32,
    records: Vec<PathBuf>,
    entered: Arc<std::sync::atomic::AtomicU64>,
    violated: Vec<String>,
}

/// A node, and who uses it.
struct Running {
    host: Host,
    user: JoinHandle<()>,
}

impl Soak {
    async fn start(&mut self, index: u32) -> Result<Running, Box<dyn Error>> {
        let node = NodeId::new(index);
        let address = self.addresses.get(&node).map_or("127.0.0.1:0".to_owned(), ToString::to_string);
        let limits = Limits { patience: Duration::from_millis(500), ..Limits::default() };
        let host = Host::bind(address).id(node).names(self.model.names.iter().cloned()).limits(limits);
        let host = host.data(self.folder.join(index.to_string())).links(self.folder.join("links.toml"));
        let host = host.transport(self.transport.clone()).open().await?;
        self.addresses.insert(node, host.address());
        for (peer, address) in &self.addresses {
            host.add_peer(*peer, *address);
        }
        self.lives += 1;
        let file = self.folder.join(format!("{index}-{}.jsonl", self.lives));
        self.records.push(file.clone());
        let origin = foresee::world::narrate::origin(&self.model, "soak", None);
        let recording = Recording { file, origin, node: self.model.name(node).to_owned() };
        let extras =
            Extras { recording: Some(recording), check_local: Some(self.model.clone()), ..Extras::default() };
        let stack = self.model.nodes[node.index()].clone();
        let (port, mut told) = host.start_stack("Hour", stack, extras).await?;
        let (lock, entered) = (Handle::over(port), self.entered.clone());
        #[allow(clippy::disallowed_methods, reason = "whoever stops the node waits for it")]
        let user = tokio::spawn(async move {
            // It wants the lock again and again, and gives it back when it has it.
            while lock.enter().await.is_ok() {
                let Some(_) = told.recv().await else { return };
                entered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                sleep_until(Instant::now() + Duration::from_millis(5)).await;
                if lock.leave().await.is_err() {
                    return;
                }
            }
        });
        Ok(Running { host, user })
    }

    async fn stop(&mut self, running: Running) {
        for (service, claims) in running.host.violated() {
            self.violated.push(format!("{} of {service}: {}", running.host.me().index(), claims.join(", ")));
        }
        running.host.shutdown().await;
        let _ = running.user.await;
    }

    fn cut(&mut self, side: &[u32]) -> Result<(), Box<dyn Error>> {
        self.links_version += 1;
        let names: Vec<String> =
            side.iter().map(|node| format!("\"{}\"", self.model.name(NodeId::new(*node)))).collect();
        let cut = if side.is_empty() { String::new() } else { format!("[{}]", names.join(", ")) };
        let text = format!("version = {}\ncut = [{cut}]\n", self.links_version);
        let (new, file) = (self.folder.join("links.new"), self.folder.join("links.toml"));
        std::fs::write(&new, text)?;
        Ok(std::fs::rename(new, file)?)
    }
}

async fn soak(args: &Args, folder: &Path, out: &mut dyn Write) -> Result<bool, Box<dyn Error>> {
    let count = (args.length.as_secs_f64() / (args.every * FAULTS_EACH).as_secs_f64()) as u32;
    if count < SAMPLES.0 {
        let least = args.every * FAULTS_EACH * SAMPLES.0;
        return Err(format!(
            "--for {:?} is too short for --every {:?}: at least {least:?}",
            args.length, args.every
        )
        .into());
    }
    let count = count.min(SAMPLES.1);
    let arguments = [("size", NODES.to_string()), ("patience", "1s".to_owned())];
    let arguments: Arguments = arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let model = Arc::new(mutual_exclusion::build_hour(&arguments)?);
    let certs = Authority::new().folder(NODES);
    let transport = match args.transport.as_str() {
        "tls" => Transport::Tls(certs.path().to_owned()),
        "quic" => Transport::Quic(certs.path().to_owned()),
        _ => Transport::Tcp,
    };
    let mut soak = Soak {
        folder: folder.to_owned(),
        model,
        transport,
        addresses: BTreeMap::new(),
        links_version: 0,
        lives: 0,
        records: Vec::new(),
        entered: Arc::default(),
        violated: Vec::new(),
    };
    soak.cut(&[])?;
    let mut nodes: Vec<Option<Running>> = Vec::new();
    for index in 0..NODES {
        nodes.push(Some(soak.start(index).await?));
    }
    for running in nodes.iter().flatten() {
        soak.addresses.iter().for_each(|(peer, address)| running.host.add_peer(*peer, *address));
    }
    let (mut samples, mut faults) = (Vec::new(), [0_u32; 2]);
    let began = Instant::now();
    for number in 0..count {
        let until = began + args.length.mul_f64(f64::from(number + 1) / f64::from(count));
        let mut turn = 0;
        loop {
            let mut draws = Stream::new(args.seed, Purpose(230), (number, turn), 0);
            turn += 1;
            let next = Instant::now() + args.every.mul_f64(0.5 + draws.unit());
            if next + args.every * 2 >= until {
                break;
            }
            sleep_until(next).await;
            let away = Instant::now() + args.every.mul_f64(draws.unit());
            let index = draws.below(u64::from(NODES)) as u32;
            match draws.below(2) {
                0 => {
                    faults[0] += 1;
                    if let Some(running) = nodes[index as usize].take() {
                        soak.stop(running).await;
                    }
                    sleep_until(away).await;
                    nodes[index as usize] = Some(soak.start(index).await?);
                }
                _ => {
                    faults[1] += 1;
                    soak.cut(&[index, (index + 1 + draws.below(6) as u32) % NODES])?;
                    sleep_until(away).await;
                    soak.cut(&[])?;
                }
            }
        }
        sleep_until(until).await;
        let found = sample();
        let entered = soak.entered.load(std::sync::atomic::Ordering::Relaxed);
        let Sample { memory, files, tasks } = found;
        let seconds = began.elapsed().as_secs_f64();
        writeln!(
            out,
            "{seconds:>7.1} s  {:>6.1} MiB  {files:>4} files  {tasks:>4} tasks  {:>4} stops  {:>4} cuts  {entered:>7} times in the lock",
            memory as f64 / f64::from(1 << 20),
            faults[0],
            faults[1]
        )?;
        out.flush()?;
        samples.push(found);
    }
    let lives = soak.lives;
    for running in nodes.into_iter().flatten() {
        soak.stop(running).await;
    }
    let most = |of: &[Sample], what: fn(&Sample) -> u64| of.iter().map(what).max().unwrap_or(0);
    let rest = &samples[samples.len() / 5..];
    let (early, late) = rest.split_at(rest.len() / 2);
    let (before, after) = (most(early, |it| it.memory), most(late, |it| it.memory));
    let grew = [
        ("memory", after > before + before / 10 + MEMORY_SLACK_BYTES),
        ("open files", most(late, |it| it.files) > most(early, |it| it.files) + 8),
        ("tasks", most(late, |it| it.tasks) > most(early, |it| it.tasks) + 16),
    ];
    let mut well = true;
    for (what, _) in grew.iter().filter(|(_, grew)| *grew) {
        well = false;
        writeln!(out, "{what} grew from one half after warm-up to the other")?;
    }
    for violated in &soak.violated {
        well = false;
        writeln!(out, "violated: node {violated}")?;
    }
    let mut steps = 0;
    for file in &soak.records {
        steps += std::fs::read_to_string(file)?.lines().count().saturating_sub(2);
        let line = ["soak".into(), "replay".into(), OsString::from(file)];
        let (mut told, mut wrong) = (Vec::new(), Vec::new());
        let exit = foresee::app::run(&mutual_exclusion::SPEC, line, &mut told, &mut wrong);
        if exit != Exit::Held {
            well = false;
            writeln!(out, "{} does not replay: {}", file.display(), String::from_utf8_lossy(&wrong))?;
        }
    }
    writeln!(
        out,
        "{lives} lives, {steps} recorded steps replayed; {}",
        if well { "all is well" } else { "not well" }
    )?;
    Ok(well)
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut out = std::io::stdout();
    let outcome = tempfile::tempdir().map_err(Into::into).and_then(|folder| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(soak(&args, folder.path(), &mut out))
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(out, "error: {error}");
            ExitCode::from(2)
        }
    }
}
