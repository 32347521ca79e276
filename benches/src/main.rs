//! `cargo run --release -p foresee-benches`: the checker against its peers, and against what is to be reached.
//!
//! Each contender is a process. Rounds are interleaved, so that a machine that slows down slows all of them; a figure is the
//! median of the rounds, and a ratio is the median of the rounds' ratios, with the least and the most. CPU seconds and peak memory are
//! the operating system's, of the finished process. A contender that finds another number of states ends the run; one that is not
//! installed is passed over, and that is said. At the end stands for each bar what was reached.

mod bars;
mod control;
mod measure;
mod problems;
mod spin;

use std::io::{self, Write};
use std::path::Path;

use bars::{Measure, Rounds};
use clap::Parser;
use foresee_benches::{Spread, median};
use measure::Figures;
use problems::{DEPTH, Kind, Problem, TWO_THREADS};

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
    let mut all = Vec::new();
    for mut problem in problems::all(&programs) {
        let mut rounds = Rounds::default();
        if problem.name.contains(&args.only) {
            problem.contenders.retain(|it| it.is_ours() || it.name.contains(&args.against));
            writeln!(out, "\n{}: {} unique states, {} rounds", problem.name, problem.states, args.rounds)?;
            prepare(&mut problem, scratch.path(), &mut out)?;
            rounds = run(&problem, args.rounds)?;
            report(&problem, &rounds, &mut out)?;
        }
        all.push((problem, rounds));
    }
    bars::summary(&all, &mut out)?;
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
        if let Kind::Spin(model) = &contender.kind {
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

/// All rounds.
fn run(problem: &Problem, rounds: usize) -> Result<Rounds, String> {
    let contenders = &problem.contenders;
    let mut all = Rounds { figures: vec![Vec::new(); contenders.len()], control: Vec::new() };
    for _ in 0..rounds.max(1) {
        let mut spares_none = None;
        for (contender, figures) in contenders.iter().zip(&mut all.figures) {
            let found = measure::run(contender, spares_none.as_ref())?;
            if found.unique_states != problem.states {
                let (name, states) = (contender.name, found.unique_states);
                return Err(format!("{name} finds {states} states of {}", problem.states));
            }
            if contender.name == DEPTH {
                spares_none = Some(found);
            }
            figures.push(found);
        }
        if problem.place(TWO_THREADS).is_some() {
            all.control.push(control::scaling());
        }
    }
    Ok(all)
}

fn report(problem: &Problem, rounds: &Rounds, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  {:<40} {:>12} {:>8} {:>15} {:>8} {:>8} {:>8} {:>15}",
        "", "states/CPU s", "CPU s", "", "wall s", "B/state", "ratio", ""
    )?;
    for (contender, theirs) in problem.contenders.iter().zip(&rounds.figures) {
        let of = |figure: fn(&Figures) -> f64| median(theirs.iter().map(figure));
        let cpu = Spread::of(theirs.iter().map(|it| it.cpu_seconds));
        let ratio = rounds.reached(problem, Measure::Ratio(contender.name));
        let Some(ratio) = ratio else { continue };
        writeln!(
            out,
            "  {:<40} {:>12.0} {:>8.2} {:>15} {:>8.2} {:>8.1} {:>8.1} {:>15}",
            contender.name,
            of(|it| it.unique_states as f64 / it.cpu_seconds),
            cpu.median,
            format!("({:.2} to {:.2})", cpu.least, cpu.most),
            of(|it| it.wall_seconds),
            of(|it| it.peak_rss_bytes as f64 / it.unique_states as f64),
            ratio.median,
            format!("({:.1} to {:.1})", ratio.least, ratio.most),
        )?;
    }
    writeln!(
        out,
        "  (ratio: CPU seconds over ours, breadth first, on one thread; least and most of the rounds)"
    )?;
    bars::besides(problem, rounds, out)
}
