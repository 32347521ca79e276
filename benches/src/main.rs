//! `cargo run --release -p foresee-benches`: the checker against its peers.
//!
//! Each contender is a process. Rounds are interleaved, so that a machine that slows down slows all of them; a figure is the
//! median of the rounds' unique states for each CPU second, and a ratio is the median of the rounds' ratios. CPU
//! seconds and peak memory are the operating system's, of the finished process.

mod measure;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use measure::{Figures, median};

/// The checker against its peers
#[derive(Debug, Parser)]
struct Args {
    /// Rounds, each of all contenders
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only problems whose name contains this
    #[arg(long, default_value = "")]
    only: String,
}

/// A model that several checkers are given.
struct Problem {
    name: &'static str,
    /// The number of its states, which each contender must find.
    states: u64,
    contenders: Vec<Contender>,
}

/// A process that explores a problem. The first of a problem is ours.
struct Contender {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mut out = io::stdout();
    let programs = std::env::current_exe()?.parent().map(Path::to_path_buf).unwrap_or_default();
    for problem in problems(&programs).iter().filter(|problem| problem.name.contains(&args.only)) {
        let rounds = run(problem, args.rounds)?;
        report(problem, &rounds, &mut out)?;
    }
    Ok(())
}

fn problems(programs: &Path) -> Vec<Problem> {
    let two_phase = |name, rms: &str, states| {
        let ours = |name, more: &[&str]| {
            let args =
                words(["check", "--format", "json", "--param", rms].into_iter().chain(more.iter().copied()));
            Contender { name, program: programs.join("two-phase-commit"), args }
        };
        let peer = |name, more: [&str; 2]| {
            let count = rms.trim_start_matches("rms=");
            let args = words([count].into_iter().chain(more));
            Contender { name, program: programs.join("peer-two-phase-commit"), args }
        };
        let contenders = vec![
            ours("foresee, breadth first", &[]),
            ours("foresee, depth first", &["--search", "dfs"]),
            ours("foresee, breadth first, 2 threads", &["--threads", "2"]),
            peer("stateright, breadth first", ["bfs", "1"]),
            peer("stateright, depth first", ["dfs", "1"]),
            peer("stateright, breadth first, 2 threads", ["bfs", "2"]),
        ];
        Problem { name, states, contenders }
    };
    vec![
        two_phase("two-phase commit, 7 participants", "rms=7", 296_448),
        two_phase("two-phase commit, 8 participants", "rms=8", 1_745_408),
        two_phase("two-phase commit, 9 participants", "rms=9", 10_340_352),
    ]
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    words.map(str::to_owned).collect()
}

/// All rounds: for each contender, its figures by round.
fn run(problem: &Problem, rounds: usize) -> Result<BTreeMap<&'static str, Vec<Figures>>, String> {
    let mut all: BTreeMap<&str, Vec<Figures>> = BTreeMap::new();
    for _ in 0..rounds.max(1) {
        for contender in &problem.contenders {
            let figures = measure::run(&contender.program, &contender.args)?;
            if figures.unique_states != problem.states {
                let found = figures.unique_states;
                return Err(format!("{} finds {found} states of {}", contender.name, problem.states));
            }
            all.entry(contender.name).or_default().push(figures);
        }
    }
    Ok(all)
}

fn report(
    problem: &Problem,
    rounds: &BTreeMap<&'static str, Vec<Figures>>,
    out: &mut dyn Write,
) -> Result<(), Box<dyn std::error::Error>> {
    writeln!(
        out,
        "\n{}: {} unique states, {} rounds",
        problem.name,
        problem.states,
        rounds.values().map(Vec::len).max().unwrap_or(0)
    )?;
    writeln!(out, "  {:<40} {:>14} {:>9} {:>10} {:>8}", "", "states/CPU s", "CPU s", "B/state", "ratio")?;
    let ours = &rounds[problem.contenders[0].name];
    for contender in &problem.contenders {
        let theirs = &rounds[contender.name];
        let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| theirs.cpu_seconds / ours.cpu_seconds);
        writeln!(
            out,
            "  {:<40} {:>14.0} {:>9.2} {:>10.1} {:>8.1}",
            contender.name,
            median(theirs.iter().map(|it| it.unique_states as f64 / it.cpu_seconds)),
            median(theirs.iter().map(|it| it.cpu_seconds)),
            median(theirs.iter().map(|it| it.peak_rss_bytes as f64 / it.unique_states as f64)),
            median(ratios),
        )?;
    }
    writeln!(out, "  (ratio: CPU seconds over ours, breadth first, on one thread)")?;
    Ok(())
}
