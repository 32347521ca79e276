//! `cargo run --release -p foresee-benches --bin simulator`: events by CPU second of the simulator, and of the same services written by hand
//! on madsim.
//!
//! Each run is a process of its own: `simulate-events`, which is built with the other programs, and the peer in `benches/peers/madsim`, which
//! is built here, by cargo and in its own folder, since it needs a flag of the compiler that nothing else may see. All runs of a service have
//! the same number of events. Rounds are interleaved: each runs everything once. A figure is the median of the rounds; a ratio, and the
//! growth of the cost of an event, is taken in each round, and shown as the median with the least and the most. CPU seconds and peak memory
//! are the operating system's, of the whole process: putting the nodes together and starting them counts.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use foresee_benches::process::{self, Ran};
use foresee_benches::{Spread, peer};
use serde_json::Value;

/// The simulator against madsim
#[derive(Debug, Parser)]
struct Args {
    /// Rounds, each of all runs
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Events of a run
    #[arg(long, default_value_t = 3_000_000)]
    events: u64,
    /// How many nodes; may be repeated
    #[arg(long, value_name = "COUNT", default_values_t = [100, 1_000, 10_000])]
    nodes: Vec<u64>,
    /// Only services whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Ours evaluate the properties and objectives of their specs, too, which the peers have nothing like
    #[arg(long)]
    claims: bool,
}

/// A service that runs.
struct Service {
    /// On the command lines.
    name: &'static str,
    about: &'static str,
    /// Whether a peer has it.
    has_peer: bool,
}

const SERVICES: [Service; 3] = [
    Service { name: "ping", about: "ping flood", has_peer: true },
    Service { name: "gossip", about: "gossip", has_peer: true },
    Service { name: "rand_tree", about: "rand_tree", has_peer: false },
];

/// How many times the events by CPU second of a peer ours are to be, and at how many nodes.
const RATIO_LEAST: f64 = 10.0;
const RATIO_NODES: u64 = 1_000;

/// By how much the cost of an event may grow from the fewest nodes to the most.
const GROWTH_MOST: f64 = 2.0;

/// How much memory a run of the most nodes may take.
const PEAK_BYTES_MOST: u64 = 2 << 30;

/// What a run came to.
struct Figures {
    /// By CPU second.
    events: f64,
    peak_rss_bytes: u64,
}

/// The runs of a service on so many nodes, by round.
#[derive(Default)]
struct Runs {
    ours: Vec<Figures>,
    theirs: Vec<Figures>,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut args = Args::parse();
    args.nodes.sort_unstable();
    args.nodes.dedup();
    let mut out = io::stdout();
    let folder = std::env::current_exe()?.parent().map(Path::to_path_buf).unwrap_or_default();
    let ours = folder.join("simulate-events");
    let services: Vec<&Service> = SERVICES.iter().filter(|it| it.name.contains(&args.only)).collect();
    let theirs = match services.iter().any(|it| it.has_peer) {
        false => None,
        true => match peer::build("madsim") {
            Ok(program) => Some(program),
            Err(why) => {
                writeln!(out, "madsim is passed over: {why}")?;
                None
            }
        },
    };
    writeln!(out, "{} events a run, {} rounds", args.events, args.rounds)?;
    let mut all: Vec<Vec<Runs>> = Vec::new();
    for service in &services {
        let mut sizes: Vec<Runs> = args.nodes.iter().map(|_| Runs::default()).collect();
        for _ in 0..args.rounds.max(1) {
            for (nodes, runs) in args.nodes.iter().zip(&mut sizes) {
                let words = [service.name.to_owned(), nodes.to_string(), args.events.to_string()];
                let claims = args.claims.then(|| "claims".to_owned());
                let with_claims: Vec<String> = words.iter().cloned().chain(claims).collect();
                runs.ours.push(figures(&ours, &with_claims)?);
                if let Some(theirs) = theirs.as_ref().filter(|_| service.has_peer) {
                    runs.theirs.push(figures(theirs, &words)?);
                }
            }
        }
        all.push(sizes);
    }
    report(&args.nodes, &services, &all, &mut out)?;
    bars(&args.nodes, &services, &all, &mut out)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a program, which says how many events there were.
fn figures(program: &Path, args: &[String]) -> Result<Figures, String> {
    let Ran { text, cpu_seconds, peak_rss_bytes, .. } = process::run(program, args)?;
    let said = serde_json::from_str::<Value>(&text).ok().and_then(|it| it["events"].as_u64());
    let told = || format!("{} {}: says no number of events: {text}", program.display(), args.join(" "));
    Ok(Figures { events: said.ok_or_else(told)? as f64 / cpu_seconds, peak_rss_bytes })
}

impl Runs {
    /// Ours over the peer's, round by round.
    fn ratio(&self) -> Option<Spread> {
        let rounds = self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours.events / theirs.events);
        (!self.theirs.is_empty()).then(|| Spread::of(rounds))
    }
}

/// How much more an event costs in `most` than in `least`, round by round.
fn growth(least: &[Figures], most: &[Figures]) -> Spread {
    Spread::of(least.iter().zip(most).map(|(least, most)| least.events / most.events))
}

fn report(nodes: &[u64], services: &[&Service], all: &[Vec<Runs>], out: &mut dyn Write) -> io::Result<()> {
    let heads = ["M events/CPU s", "peak MiB"];
    writeln!(out, "\n{:<12} {:>7} {:^33} {:^33} {:>20}", "", "", "foresee", "madsim", "")?;
    let columns = format!("{:>24} {:>8}", heads[0], heads[1]);
    writeln!(out, "{:<12} {:>7} {columns} {columns} {:>20}", "service", "nodes", "ratio")?;
    for (service, sizes) in services.iter().zip(all) {
        for (nodes, runs) in nodes.iter().zip(sizes) {
            let columns = |figures: &[Figures]| {
                let rate = Spread::of(figures.iter().map(|it| it.events / 1e6));
                let peak = Spread::of(figures.iter().map(|it| it.peak_rss_bytes as f64 / (1 << 20) as f64));
                match figures.is_empty() {
                    true => format!("{:>24} {:>8}", "-", "-"),
                    false => format!("{:>24} {:>8.0}", rate.shown(2), peak.most),
                }
            };
            let (ours, theirs) = (columns(&runs.ours), columns(&runs.theirs));
            let ratio = runs.ratio().map_or("-".to_owned(), |it| it.shown(1));
            writeln!(out, "{:<12} {nodes:>7} {ours} {theirs} {ratio:>20}", service.about)?;
        }
        if let [first, .., last] = sizes.as_slice() {
            let (ours, theirs) = (growth(&first.ours, &last.ours), growth(&first.theirs, &last.theirs));
            let theirs = if last.theirs.is_empty() { "-".to_owned() } else { theirs.shown(2) };
            writeln!(out, "{:<20} {:>24} {:>33}", "  growth of cost", ours.shown(2), theirs)?;
        }
    }
    Ok(())
}

/// The table of what is to be reached.
fn bars(nodes: &[u64], services: &[&Service], all: &[Vec<Runs>], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{:<62} {:>24} {:>10}", "bars", "reached", "bar")?;
    let mut line = |what: String, reached: String, bar: String, met: bool| {
        writeln!(out, "{what:<62} {reached:>24} {bar:>10}   {}", if met { "met" } else { "NOT MET" })
    };
    for (service, sizes) in services.iter().zip(all) {
        let about = service.about;
        if let Some(runs) = nodes.iter().position(|it| *it == RATIO_NODES).map(|place| &sizes[place])
            && service.has_peer
        {
            let what = format!("{about}, {RATIO_NODES} nodes: events of ours over madsim's");
            let bar = format!(">= {RATIO_LEAST}");
            match runs.ratio() {
                Some(ratio) => line(what, ratio.shown(1), bar, ratio.median >= RATIO_LEAST)?,
                None => line(what, "not measured".to_owned(), bar, false)?,
            }
        }
        if let ([least, .., most], [first, .., last]) = (nodes, sizes.as_slice()) {
            let grown = growth(&first.ours, &last.ours);
            let what = format!("{about}: cost of an event at {most} nodes over that at {least}");
            line(what, grown.shown(2), format!("<= {GROWTH_MOST}"), grown.median <= GROWTH_MOST)?;
        }
        if let (Some(most), Some(runs)) = (nodes.last(), sizes.last()) {
            let peak = runs.ours.iter().map(|it| it.peak_rss_bytes).max().unwrap_or(0);
            let what = format!("{about}, {most} nodes: peak memory in MiB");
            let bar = format!("<= {}", PEAK_BYTES_MOST >> 20);
            line(what, (peak >> 20).to_string(), bar, peak <= PEAK_BYTES_MOST)?;
        }
    }
    Ok(())
}
