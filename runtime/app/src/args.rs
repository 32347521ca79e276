//! The arguments of the commands: a contract with scripts.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use foresee_kernel::argument;

use crate::faults::FaultArg;
use crate::from::{Moment, TracePlace};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explore every reachable state and check the properties
    Check(CheckArgs),
    /// Run the system on a virtual clock, one run a seed
    Simulate(SimulateArgs),
    /// Run the scenarios of the spec
    Test(TestArgs),
    /// Run one node of the system over real sockets, until it is told to stop
    #[cfg(feature = "live")]
    Node(crate::node::NodeArgs),
    /// Walk through a trace again and show every step
    Replay(ReplayArgs),
    /// Merge the recordings of a cluster into one run, in an order in which nothing arrives before it was sent
    Merge(crate::merge::MergeArgs),
    /// Say what the recordings of a cluster came to, in the figures of `simulate`
    Account(crate::account::AccountArgs),
    /// Show what the spec declares: services, handlers, choices, systems, properties
    Info(InfoArgs),
}

/// What is run.
#[derive(Args, Debug)]
pub struct SystemArgs {
    /// The system; the first of the spec if left out
    #[arg(long, value_name = "NAME")]
    pub system: Option<String>,
    /// A parameter of the system, as `name=value`; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
}

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The form in which a trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TraceForm {
    /// The form that `replay` reads
    Json,
    /// For people
    Text,
    /// A sequence diagram for Mermaid
    Mermaid,
    /// A sequence diagram as a picture
    Svg,
    /// A log with vector clocks for ShiViz
    Shiviz,
    /// Apalache's Informal Trace Format
    Itf,
}

/// The test that a trace becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TestForm {
    /// A scenario for the spec, which `test` runs
    Scenario,
    /// A file for the `tests` folder of a package that compiles the spec
    Rust,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    pub system: SystemArgs,
    /// Check this property alone, and that no step faults; may be repeated
    #[arg(long = "property", value_name = "NAME")]
    pub properties: Vec<String>,
    /// In which order states are explored; breadth first finds shortest counterexamples
    #[arg(long, value_enum, default_value = "bfs")]
    pub search: SearchKind,
    /// How what is under way is kept while states are explored; changes speed and memory and nothing else
    #[arg(long, value_enum, default_value = "observed")]
    pub network: NetworkKind,
    /// By how many bits states are told apart: 64, or 128 for twice the memory of their table
    #[arg(long, value_name = "BITS", default_value_t = 64, value_parser = fingerprint)]
    pub fingerprint: u32,
    /// Explore no further than this many steps from the start, nor than the system's own bounds say
    #[arg(long, value_name = "STEPS")]
    pub depth: Option<u32>,
    /// End after this many unique states
    #[arg(long, value_name = "STATES")]
    pub max_states: Option<u64>,
    /// End after this time, such as 60s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub time: Option<Duration>,
    /// End before more memory than this is in use, such as 4GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
    /// Where states that wait are written to when memory is short; the system's folder for temporary files if left out
    #[arg(long, value_name = "DIR", requires = "max_memory")]
    pub spill_dir: Option<PathBuf>,
    /// Threads that search
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// How many random walks are taken
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub walks: u64,
    /// The most steps of a random walk
    #[arg(long, value_name = "STEPS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub length: u32,
    /// Begin where a trace ends, or after so many of its steps
    #[arg(long, value_name = "FILE[:STEP]", value_parser = TracePlace::parse)]
    pub from: Option<TracePlace>,
    /// Begin in the state that a simulation is in at that time, such as 7@12.5s
    #[arg(long, value_name = "SEED@TIME", value_parser = Moment::parse, conflicts_with = "from")]
    pub from_simulation: Option<Moment>,
    /// Decide liveness properties too, in a graph of all states
    #[arg(long)]
    pub liveness: bool,
    /// The most states of that graph, about; they are kept whole
    #[arg(long, value_name = "STATES", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..=4_000_000_000))]
    pub liveness_states: u64,
    /// Explore fewer states that show the same of node states; may be repeated
    #[arg(long, value_enum, value_name = "NAME")]
    pub reduce: Vec<Reduction>,
    /// What the environment may do, in the place of what the system says: crash, reset, cut, partition, drop, duplicate
    #[arg(long, value_name = "KIND=COUNT,..", value_delimiter = ',', value_parser = FaultArg::parse)]
    pub fault: Vec<FaultArg>,
    /// Do not fail where a fault or a call of the workload never came about
    #[arg(long)]
    pub allow_unfired: bool,
    /// Go on after the first violation, and count them all
    #[arg(long)]
    pub keep_going: bool,
    /// Write the trace of a counterexample, or of a witness, to this file
    #[arg(long, value_name = "FILE")]
    pub trace_out: Option<PathBuf>,
    /// The form in which it is written
    #[arg(long, value_enum, default_value = "json", requires = "trace_out")]
    pub trace_format: TraceForm,
    /// The seed, for searches that draw (kept for the record by those that do not)
    #[arg(long)]
    pub seed: Option<u64>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// A way to explore fewer states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reduction {
    /// A message that its receiver does nothing with stays in the network, where that has no order
    RetainIgnored,
}

/// How a search keeps what is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NetworkKind {
    /// In channels, until inboxes are seen to be as many as states
    Observed,
    /// With the state of its receiver, as one thing that is remembered
    Channels,
    /// Message by message, where a carrier has no order
    Flat,
}

/// The order of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SearchKind {
    /// Breadth first
    Bfs,
    /// Depth first
    Dfs,
    /// Iterative deepening: depth first within a depth that grows; counterexamples are shortest, little memory waits
    Ids,
    /// Consequence prediction: deep soon, since not every order of what nodes do by themselves is tried; incomplete
    Predict,
    /// Random walks; incomplete
    Walks,
    /// The plain explorer that the others are tested against; slow
    Reference,
}

#[derive(Args, Debug)]
pub struct SimulateArgs {
    #[command(flatten)]
    pub system: SystemArgs,
    /// Run this one seed
    #[arg(long, conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Run the seeds from A up to, not including, B
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Range<u64>>,
    /// Who resolves choices: random, first, round-robin, default, lookahead, omniscient, measured
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub resolver: String,
    /// How lookahead and omniscient look ahead, such as gather=10s,rollouts=32,horizon=2s
    #[arg(long, value_name = "NAME=VALUE,..", default_value = "")]
    pub lookahead: foresee_predict::Settings,
    /// Where nodes are: a matrix or a topology (.csv, .json), or regions, transit-stub[:SEED], inet[:SEED]
    #[arg(long, value_name = "FILE|NAME", value_parser = crate::place::topology)]
    pub topology: Option<Arc<foresee_net::Topology>>,
    /// When nodes go down and come back: a record (.csv) or laws (.json)
    #[arg(long, value_name = "FILE", value_parser = crate::place::churn)]
    pub churn: Option<Arc<foresee_net::Churn>>,
    /// End each run at this virtual time, such as 60s, instead of at the system's horizon
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub until: Option<Duration>,
    /// Show also what the objectives have come to on the way, each time this has gone by, such as 5s
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["verify", "compare", "exact", "rare"])]
    pub every: Option<Duration>,
    /// Runs at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Write the trace of the first run that violates a property, or of the only run, to this file
    #[arg(long, value_name = "FILE")]
    pub trace_out: Option<PathBuf>,
    /// Draw where the nodes are at the end of the only run, as an SVG
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "verify", "compare", "exact", "rare"])]
    pub map: Option<PathBuf>,
    /// Draw an arrow from each node to those whose ids stand in this variable (with --map)
    #[arg(long, value_name = "VARIABLE", requires = "map")]
    pub links: Option<String>,
    /// Decide the statistical properties, on as many runs as it takes
    #[arg(long, conflicts_with_all = ["compare", "trace_out"])]
    pub verify: bool,
    /// The probability that a true claim is refuted, at most (with --verify)
    #[arg(long, default_value = "0.01", value_parser = error_bound, requires = "verify")]
    pub alpha: f64,
    /// The probability that a false claim is taken to hold, at most (with --verify)
    #[arg(long, default_value = "0.01", value_parser = error_bound, requires = "verify")]
    pub beta: f64,
    /// How near to its bound a figure may be for either answer to do (with --verify)
    #[arg(long, value_name = "FIGURE", value_parser = positive, requires = "verify")]
    pub indifference: Option<f64>,
    /// Run the same seeds with two resolvers, and show by how much they differ
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["resolver", "trace_out"])]
    pub compare: Option<Vec<String>>,
    /// Go through all that may be drawn, and show exact means and probabilities; for systems of few states without continuous delays
    #[arg(long, conflicts_with_all = ["seed", "seeds", "verify", "compare", "trace_out"])]
    pub exact: bool,
    /// Answer choices as well as anybody could who knows the whole state (with --exact)
    #[arg(long, requires = "exact", conflicts_with = "resolver")]
    pub optimal: bool,
    /// The most states in which something is drawn (with --exact)
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..), requires = "exact")]
    pub max_states: u64,
    /// Estimate the probability that this property is reached, or violated, before the end of a run, however rare that is
    #[arg(long, value_name = "PROPERTY", conflicts_with_all = ["seeds", "verify", "compare", "exact", "trace_out"])]
    pub rare: Option<String>,
    /// Properties that are reached on the way to it, in this order (with --rare)
    #[arg(long, value_name = "PROPERTY,..", value_delimiter = ',', requires = "rare")]
    pub via: Vec<String>,
    /// Runs from each of these to the next, in each batch (with --rare)
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..), requires = "rare")]
    pub effort: u32,
    /// Independent batches, whose spread says how precise the figure is (with --rare)
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), requires = "rare")]
    pub batches: u32,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Args, Debug)]
pub struct TestArgs {
    /// The scenarios; all of the spec if left out
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Write the trace of each scenario into this folder, as NAME.json
    #[arg(long, value_name = "DIR")]
    pub trace_out: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// The trace
    pub file: PathBuf,
    /// Write it in another form
    #[arg(long = "as", value_enum, value_name = "FORM", conflicts_with_all = ["step", "to_test"])]
    pub form: Option<TraceForm>,
    /// Walk to and fro by commands from the standard input
    #[arg(long, conflicts_with = "to_test")]
    pub step: bool,
    /// Write a test that goes the same way
    #[arg(long, value_enum, value_name = "KIND")]
    pub to_test: Option<TestForm>,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Args, Debug)]
pub struct InfoArgs {
    #[command(flatten)]
    pub system: SystemArgs,
    /// Explore the first states, and say what the checker remembers and how it keeps what is under way
    #[arg(long)]
    pub observe: bool,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn error_bound(text: &str) -> Result<f64, String> {
    let expected = || "expected a probability above 0 and below 0.5".to_owned();
    let bound: f64 = text.parse().map_err(|_| expected())?;
    if bound > 0.0 && bound < 0.5 { Ok(bound) } else { Err(expected()) }
}

fn positive(text: &str) -> Result<f64, String> {
    let expected = || "expected a number above 0".to_owned();
    let figure: f64 = text.parse().map_err(|_| expected())?;
    if figure.is_finite() && figure > 0.0 { Ok(figure) } else { Err(expected()) }
}

/// How many bits a fingerprint has.
fn fingerprint(text: &str) -> Result<u32, String> {
    match text {
        "64" => Ok(64),
        "128" => Ok(128),
        _ => Err("fingerprints have 64 bits or 128".to_owned()),
    }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    argument::duration(text).ok_or_else(|| "expected a duration such as 250ms, 60s, 2min or 1h".to_owned())
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let expected = || "expected two whole numbers as A..B, A below B".to_owned();
    let (from, to) = text.split_once("..").ok_or_else(expected)?;
    let range = from.trim().parse().map_err(|_| expected())?..to.trim().parse().map_err(|_| expected())?;
    if range.is_empty() { Err(expected()) } else { Ok(range) }
}

fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as 512MiB or 4GiB".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| expected())?;
    let unit = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        _ => return Err(expected()),
    };
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_durations_seeds_and_parameters_are_read_or_refused() {
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("4GiB"), Ok(4 << 30));
        assert!(size("0").is_err() && size("4GB").is_err() && size("99999999999GiB").is_err());
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(duration("5").is_err() && duration("-5s").is_err());
        assert_eq!(seeds("0..100"), Ok(0..100));
        assert!(seeds("5..5").is_err() && seeds("1-3").is_err());
        assert_eq!(parameter("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(parameter("=1").is_err() && parameter("rms").is_err());
    }
}
