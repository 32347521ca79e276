//! `cargo run --release -p foresee-benches --bin prediction`: consequence prediction against breadth first, at equal CPU time.
//!
//! Both search from states in the middle of runs of Paxos on five servers with timers: those of the seeds 1 to 6, at one moment while the
//! servers' first proposals are under way and their timers are armed anew. A state in which something is decided already ends the bench.
//! Where two servers propose there is little that prediction may leave out; where all five do, more.
//!
//! Each search is a process of its own, `search-within`, which is built with the other programs: so each touches its memory first, and
//! what it costs to start, and to come to the state, is not counted. The order of the two alternates between rounds. A level is *whole* when
//! the search has seen all states of it that it ever would; it is *reached* when it has seen one. A figure is the median of the
//! rounds. A whole level more is what counts. A search that used far more CPU time than it was given, since the system was busy giving it
//! memory, is run again, and that is said.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use foresee_benches::Spread;
use serde_json::Value;

/// Consequence prediction against breadth first, at equal CPU time
#[derive(Debug, Parser)]
struct Args {
    /// Rounds, each of all searches
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// CPU milliseconds of a search; may be repeated
    #[arg(long, value_name = "MILLISECONDS", default_values_t = [100, 1_000])]
    budget: Vec<u64>,
    /// How many of the servers propose; may be repeated
    #[arg(long, value_name = "COUNT", default_values_t = [2, 3, 5])]
    proposers: Vec<u64>,
    /// The virtual time of the states
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1_030)]
    at: u64,
}

/// The seeds of the runs.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=6;

/// On how many of the states prediction is to be a level deeper.
const DEEPER_LEAST: usize = 5;

/// The depths to beat: those that a prototype reached in so many milliseconds.
const DEPTHS: [(u64, f64); 2] = [(100, 8.0), (1_000, 9.0)];

/// How much of its budget a search may use.
const OVER_MAX: f64 = 1.2;

/// How often a search is run again, at the most.
const AGAIN_MAX: usize = 10;

/// What stands on the command line.
const SEARCHES: [&str; 2] = ["bfs", "predict"];

/// What one search came to.
struct Found {
    whole: f64,
    reached: f64,
    states: f64,
    cpu_seconds: f64,
}

/// What was found from one state: by search, by round.
struct State {
    seed: u64,
    arrivals: u64,
    timers: u64,
    found: [Vec<Found>; 2],
    /// How many searches were run again.
    again: usize,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mut out = io::stdout();
    let folder = std::env::current_exe()?.parent().map(Path::to_path_buf).unwrap_or_default();
    let program = folder.join("search-within");
    let mut summary = Vec::new();
    for proposers in &args.proposers {
        let parameters = [format!("proposers={proposers}"), "rounds=3".to_owned()];
        for budget in &args.budget {
            writeln!(
                out,
                "\nPaxos on 5 servers with timers, {}, {} ms into runs: {budget} ms of CPU time, {} rounds",
                parameters.join(", "),
                args.at,
                args.rounds
            )?;
            let mut states = Vec::new();
            for seed in SEEDS {
                states.push(measured(&program, &args, seed, *budget, &parameters)?);
            }
            report(&states, &mut out)?;
            summary.push((*proposers, *budget, states));
        }
    }
    writeln!(out, "\nsummary")?;
    for (proposers, budget, states) in &summary {
        summarise(*proposers, *budget, states, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// All rounds from the state of one run.
fn measured(
    program: &Path,
    args: &Args,
    seed: u64,
    budget: u64,
    parameters: &[String],
) -> Result<State, String> {
    let mut state = State { seed, arrivals: 0, timers: 0, found: [Vec::new(), Vec::new()], again: 0 };
    for round in 0..args.rounds.max(1) {
        for turn in 0..SEARCHES.len() {
            let which = (turn + round) % SEARCHES.len();
            let mut command = Command::new(program);
            command.arg(SEARCHES[which]).args([seed, args.at, budget].map(|it| it.to_string()));
            command.args(parameters);
            let mut said = run(&mut command)?;
            while cpu_seconds(&said) > budget as f64 * 1e-3 * OVER_MAX && state.again < AGAIN_MAX {
                state.again += 1;
                said = run(&mut command)?;
            }
            let number = |key: &str| said[key].as_f64().ok_or_else(|| format!("{key} is not said: {said}"));
            if said["decided"] != Value::Bool(false) {
                return Err(format!("at {} ms of seed {seed} something is decided already", args.at));
            }
            (state.arrivals, state.timers) = (number("arrivals")? as u64, number("timers")? as u64);
            state.found[which].push(Found {
                whole: number("whole")?,
                reached: number("reached")?,
                states: number("unique_states")?,
                cpu_seconds: number("cpu_seconds")?,
            });
        }
    }
    Ok(state)
}

/// What a search says that it used.
fn cpu_seconds(said: &Value) -> f64 {
    said["cpu_seconds"].as_f64().unwrap_or_default()
}

/// What a program prints, as JSON.
fn run(command: &mut Command) -> Result<Value, String> {
    let told = |what: String| format!("search-within: {what}");
    let ran = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let ran = ran.map_err(|error| {
        told(format!("{error}; build it first: cargo build --release -p foresee-benches -p bench-engines"))
    })?;
    if !ran.status.success() {
        return Err(told(ran.status.to_string()));
    }
    serde_json::from_slice(&ran.stdout).map_err(|error| told(error.to_string()))
}

impl State {
    fn spread(&self, which: usize, figure: fn(&Found) -> f64) -> Spread {
        Spread::of(self.found[which].iter().map(figure))
    }

    /// By how many whole levels prediction is deeper.
    fn lead(&self) -> f64 {
        self.spread(1, |it| it.whole).median - self.spread(0, |it| it.whole).median
    }
}

fn report(states: &[State], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {:>4} {:>9} {:>7} {:^44} {:^44}", "", "", "", "breadth first", "prediction")?;
    let heads = format!("{:>14} {:>8} {:>10} {:>8}", "whole", "reached", "k states", "CPU s");
    writeln!(out, "  {:>4} {:>9} {:>7} {heads:>44} {heads:>44} {:>6}", "seed", "messages", "timers", "lead")?;
    for state in states {
        write!(out, "  {:>4} {:>9} {:>7}", state.seed, state.arrivals, state.timers)?;
        for which in 0..SEARCHES.len() {
            let whole = state.spread(which, |it| it.whole);
            let (reached, count) =
                (state.spread(which, |it| it.reached), state.spread(which, |it| it.states));
            let cpu = state.spread(which, |it| it.cpu_seconds);
            let whole = format!("{} ({} to {})", whole.median, whole.least, whole.most);
            let columns =
                format!("{whole:>14} {:>8} {:>10.0} {:>8.3}", reached.median, count.median / 1e3, cpu.median);
            write!(out, " {columns:>44}")?;
        }
        writeln!(out, " {:>+6}", state.lead())?;
    }
    let again: usize = states.iter().map(|state| state.again).sum();
    if again > 0 {
        writeln!(out, "  {again} searches used more than {OVER_MAX} times their budget, and were run again")?;
    }
    Ok(())
}

fn summarise(proposers: u64, budget: u64, states: &[State], out: &mut dyn Write) -> io::Result<()> {
    let deeper = states.iter().filter(|state| state.lead() >= 1.0).count();
    let verdict = if deeper >= DEEPER_LEAST { "met" } else { "NOT MET" };
    let of = |figure| Spread::of(states.iter().map(|state| state.spread(1, figure).median));
    let (whole, reached) = (of(|it| it.whole), of(|it| it.reached));
    write!(
        out,
        "  {proposers} propose, {budget:>4} ms: prediction is a whole level deeper on {deeper} of {} states, bar {DEEPER_LEAST}: {verdict}; \
         its depth: {} whole, {} reached ({} to {})",
        states.len(),
        whole.median,
        reached.median,
        reached.least,
        reached.most,
    )?;
    match DEPTHS.iter().find(|(of, _)| *of == budget) {
        Some((_, depth)) => {
            let verdict = if reached.median >= *depth { "met" } else { "NOT MET" };
            writeln!(out, ", bar {depth}: {verdict}")
        }
        None => writeln!(out),
    }
}
