//! What is measured, how often, and the table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Parser;
use foresee::live::Transport;
use live_tests::certs::Authority;

use crate::{by_hand, ours};

/// Measures real nodes beside code written by hand
#[derive(Parser, Debug)]
pub struct Args {
    /// How often everything is measured; medians are shown
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Only what has this in its name: ping, flood, gossip, durable
    #[arg(long, default_value = "")]
    pub only: String,
    /// Only by ways that have this in their name: hand, calls, tasks, TCP, TLS, QUIC
    #[arg(long, default_value = "")]
    pub by: String,
    /// How many round trips, batches of 256 messages, rumours and writes there are in each
    #[arg(long, default_value_t = 2000)]
    pub count: u32,
}

/// The messages of a batch.
pub const BATCH: u32 = 256;
/// The batches under way at once.
pub const WINDOW: usize = 8;
/// The nodes that tell rumours.
pub const NODES: u32 = 31;
/// Who writes at the same time.
pub const WRITERS: u32 = 64;
/// The bytes of a value that is written.
pub const VALUE_BYTES: usize = 64;

/// Figures by their names.
pub type Figures = Vec<(&'static str, f64)>;

#[allow(clippy::disallowed_methods, reason = "this measures")]
pub fn now() -> Instant {
    Instant::now()
}

/// The CPU time that this process has taken.
pub fn cpu() -> Duration {
    // SAFETY: `usage` is a plain structure that the call fills in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |it: libc::timeval| Duration::new(it.tv_sec as u64, it.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// A number of things a second, and the CPU time of each in microseconds.
pub fn rate(count: u64, began: (Instant, Duration)) -> Figures {
    let (seconds, taken) = (now().duration_since(began.0).as_secs_f64(), cpu() - began.1);
    vec![("per second", count as f64 / seconds), ("CPU us each", taken.as_secs_f64() * 1e6 / count as f64)]
}

/// The middle and the slow end of times.
pub fn latency(mut times: Vec<Duration>) -> Figures {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    vec![("p50 us", at(0.5)), ("p99 us", at(0.99))]
}

/// One way of doing something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Hand,
    Calls,
    Tasks,
    Tcp,
    Tls,
    Quic,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            By::Hand => "by hand, direct",
            By::Calls => "by hand, calls",
            By::Tasks => "by hand, tasks",
            By::Tcp => "node, TCP",
            By::Tls => "node, TLS",
            By::Quic => "node, QUIC",
        }
    }

    fn transport(self, certs: &Path) -> Transport {
        match self {
            By::Tls => Transport::Tls(certs.to_owned()),
            By::Quic => Transport::Quic(certs.to_owned()),
            _ => Transport::Tcp,
        }
    }
}

/// What is measured, and in which ways; the first is what the others are set beside.
const CASES: [(&str, &[By]); 5] = [
    ("ping-pong", &[By::Hand, By::Calls, By::Tasks, By::Tcp, By::Tls, By::Quic]),
    ("ping-pong, datagrams", &[By::Hand, By::Tcp]),
    ("flood, one way", &[By::Hand, By::Tasks, By::Tcp, By::Tls, By::Quic]),
    ("gossip, 31 nodes", &[By::Tasks, By::Tcp]),
    ("durable writes", &[By::Hand, By::Tcp]),
];

/// Measures everything that was asked for; the table.
///
/// # Errors
/// What cannot be set up.
pub async fn run(args: &Args) -> Result<String, Box<dyn std::error::Error>> {
    let certs = Authority::new().folder(2);
    let mut measured: BTreeMap<(usize, usize, &'static str), Vec<f64>> = BTreeMap::new();
    for _ in 0..args.rounds {
        for (case, (name, ways)) in
            CASES.iter().enumerate().filter(|(_, (name, _))| name.contains(&args.only))
        {
            for (way, by) in ways.iter().enumerate().filter(|(_, by)| by.name().contains(&args.by)) {
                let transport = by.transport(certs.path());
                let figures = match (*name, by) {
                    ("ping-pong", By::Hand) => by_hand::ping(args.count).await?,
                    ("ping-pong", By::Calls) => by_hand::calls::ping(args.count).await?,
                    ("ping-pong", By::Tasks) => by_hand::ping_tasks(args.count).await?,
                    ("ping-pong", _) => ours::ping(args.count, Some(transport)).await?,
                    ("ping-pong, datagrams", By::Hand) => by_hand::datagrams(args.count).await?,
                    ("ping-pong, datagrams", _) => ours::ping(args.count, None).await?,
                    ("flood, one way", By::Hand) => by_hand::flood(args.count).await?,
                    ("flood, one way", By::Tasks) => by_hand::flood_tasks(args.count).await?,
                    ("flood, one way", _) => ours::flood(args.count, transport).await?,
                    ("gossip, 31 nodes", By::Tasks) => by_hand::gossip(args.count / 4).await?,
                    ("gossip, 31 nodes", _) => ours::gossip(args.count / 4).await?,
                    (_, By::Hand) => by_hand::durable(args.count)?,
                    _ => ours::durable(args.count).await?,
                };
                for (figure, value) in figures {
                    measured.entry((case, way, figure)).or_default().push(value);
                }
            }
        }
    }
    Ok(table(measured, args.rounds))
}

fn table(mut measured: BTreeMap<(usize, usize, &'static str), Vec<f64>>, rounds: usize) -> String {
    let mut text = format!("medians of {rounds} interleaved rounds\n\n");
    text += "| what | by | figure | median | least | most | over the first |\n|---|---|---|---:|---:|---:|---:|\n";
    for values in measured.values_mut() {
        values.sort_by(f64::total_cmp);
    }
    let median = |values: &[f64]| values[values.len() / 2];
    for ((case, way, figure), values) in &measured {
        let first = measured.get(&(*case, 0, *figure)).map_or(f64::NAN, |first| median(first));
        let (name, by) = (CASES[*case].0, CASES[*case].1[*way].name());
        let (least, most) = (values[0], values[values.len() - 1]);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {by} | {figure} | {:.1} | {least:.1} | {most:.1} | {:.2} |",
            median(values),
            median(values) / first
        );
    }
    text
}
