//! `cargo run --release -p foresee-benches`: the checker against its peers.
//!
//! Each contender is a process. Rounds are interleaved, so that a machine that slows down slows all of them; a figure is the
//! median of the rounds, and a ratio is the median of the rounds' ratios. CPU seconds and peak memory are the operating system's, of
//! the finished process. A contender that finds another number of states ends the run; one that is not installed is passed over, and
//! that is said.

mod control;
mod measure;
mod problems;
mod spin;

use std::io::{self, Write};
use std::path::Path;

use clap::Parser;
use measure::{Figures, median};
use problems::Problem;

/// The checker against its peers
#[derive(Debug, Parser)]
struct Args {
    /// Rounds, each of all contenders
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only problems whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Only contenders whose name contains this; ours are always there
    #[arg(long, default_value = "")]
    against: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mut out = io::stdout();
    let programs = std::env::current_exe()?.parent().map(Path::to_path_buf).unwrap_or_default();
    let scratch = tempfile::tempdir()?;
    for mut problem in problems::all(&programs).into_iter().filter(|it| it.name.contains(&args.only)) {
        problem.contenders.retain(|it| it.is_ours() || it.name.contains(&args.against));
        writeln!(out, "\n{}: {} unique states, {} rounds", problem.name, problem.states, args.rounds)?;
        prepare(&mut problem, scratch.path(), &mut out)?;
        let rounds = run(&problem, args.rounds)?;
        report(&problem, &rounds, &mut out)?;
    }
    let (alone, beside) = control::scaling(args.rounds);
    let scaling = 2.0 * alone / beside;
    writeln!(
        out,
        "\ncontrol: the same arithmetic on 2 threads at once takes {beside:.2} s of wall clock, on one {alone:.2} s"
    )?;
    writeln!(
        out,
        "  2 threads get {scaling:.2} times the machine of one: figures on 2 threads mean as much as that"
    )?;
    Ok(())
}

/// Builds what has to be built first, passes over what is not installed, and says how each contender is run.
fn prepare(
    problem: &mut Problem,
    scratch: &Path,
    out: &mut dyn Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut ready = Vec::new();
    for mut contender in problem.contenders.drain(..) {
        if let Some(model) = &contender.spin {
            match spin::build(model, &scratch.join(format!("spin-{}", ready.len())))? {
                Some(program) => contender.program = program,
                None => {
                    writeln!(
                        out,
                        "  {:<40} passed over: `spin` and `gcc` are not both installed",
                        contender.name
                    )?;
                    continue;
                }
            }
        }
        let name = contender.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(out, "  {:<40} {name} {}{}", contender.name, contender.args.join(" "), contender.note())?;
        ready.push(contender);
    }
    problem.contenders = ready;
    Ok(())
}

/// All rounds: for each contender, its figures by round.
fn run(problem: &Problem, rounds: usize) -> Result<Vec<Vec<Figures>>, String> {
    let mut all = vec![Vec::new(); problem.contenders.len()];
    for _ in 0..rounds.max(1) {
        for (contender, figures) in problem.contenders.iter().zip(&mut all) {
            let found = measure::run(contender)?;
            if found.unique_states != problem.states {
                let (name, states) = (contender.name, found.unique_states);
                return Err(format!("{name} finds {states} states of {}", problem.states));
            }
            figures.push(found);
        }
    }
    Ok(all)
}

fn report(problem: &Problem, rounds: &[Vec<Figures>], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  {:<40} {:>12} {:>8} {:>8} {:>8} {:>8}",
        "", "states/CPU s", "CPU s", "wall s", "B/state", "ratio"
    )?;
    let Some(ours) = rounds.first() else { return Ok(()) };
    for (contender, theirs) in problem.contenders.iter().zip(rounds) {
        let of = |figure: fn(&Figures) -> f64| median(theirs.iter().map(figure));
        let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| theirs.cpu_seconds / ours.cpu_seconds);
        writeln!(
            out,
            "  {:<40} {:>12.0} {:>8.2} {:>8.2} {:>8.1} {:>8.1}",
            contender.name,
            of(|it| it.unique_states as f64 / it.cpu_seconds),
            of(|it| it.cpu_seconds),
            of(|it| it.wall_seconds),
            of(|it| it.peak_rss_bytes as f64 / it.unique_states as f64),
            median(ratios),
        )?;
    }
    writeln!(out, "  (ratio: CPU seconds over ours, breadth first, on one thread)")?;
    if let Some(bare) = problem.contenders.iter().position(|it| it.name == problems::BARE) {
        let shares =
            ours.iter().zip(&rounds[bare]).map(|(all, bare)| 1.0 - bare.cpu_seconds / all.cpu_seconds);
        writeln!(out, "  properties take {:.0} % of the time", 100.0 * median(shares).max(0.0))?;
    }
    Ok(())
}
