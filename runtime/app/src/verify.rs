//! `simulate --verify` decides the statistical properties of a system; `simulate --compare A B` sets two resolvers side by side.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use foresee_kernel::Model;
use foresee_sim::{Comparison, Demands, Estimate, Interval, Options, ResolverKind, Verdict, Verification};
use serde_json::json;

use crate::args::{Format, SimulateArgs};
use crate::exit::{Exit, Failure};

/// The most runs of a verification of which nothing else is said.
const RUNS_MAX: u64 = 10_000;

/// How many seeds are compared where nothing is said.
const SEEDS_COMPARED: u64 = 100;

/// The probability that an interval of a comparison misses the difference.
const COMPARE_ERROR: f64 = 0.05;

/// Decides every statistical property of `model`.
pub fn run(
    model: &Arc<Model>,
    args: &SimulateArgs,
    options: &Options,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if model.statistics.is_empty() {
        let message = format!("system `{}` has no statistical property to verify", model.system);
        return Err(Failure::usage(message));
    }
    let demands = Demands { alpha: args.alpha, beta: args.beta, indifference: args.indifference };
    let seeds = seeds(args, RUNS_MAX);
    let found = foresee_sim::verify(model, seeds, usize::from(args.threads), options, &demands)
        .map_err(|error| Failure::usage(error.to_string()))?;
    match args.format {
        Format::Json => writeln!(out, "{}", told(&found)?)?,
        Format::Text => write(&found, out)?,
    }
    let any = |verdict| found.estimates.iter().any(|estimate| estimate.verdict == verdict);
    Ok(match () {
        () if found.violating.is_some() || any(Verdict::Violated) => Exit::Violation,
        () if any(Verdict::Undecided) => Exit::Inconclusive,
        () => Exit::Held,
    })
}

/// Runs two resolvers on common random numbers.
pub fn compare(
    model: &Arc<Model>,
    args: &SimulateArgs,
    resolvers: [&ResolverKind; 2],
    options: &Options,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let seeds = seeds(args, SEEDS_COMPARED);
    let threads = usize::from(args.threads);
    let found = foresee_sim::compare(model, seeds, threads, options, resolvers, COMPARE_ERROR)
        .map_err(|error| Failure::usage(error.to_string()))?;
    match args.format {
        Format::Json => {
            let text = serde_json::to_string(&found).map_err(|error| Failure::internal(error.to_string()))?;
            writeln!(out, "{text}")?;
        }
        Format::Text => write_comparison(&found, out)?,
    }
    Ok(if found.violations == [0, 0] { Exit::Held } else { Exit::Violation })
}

fn seeds(args: &SimulateArgs, most: u64) -> Range<u64> {
    match (&args.seeds, args.seed) {
        (Some(seeds), _) => seeds.clone(),
        (None, Some(seed)) => seed..seed.saturating_add(1),
        (None, None) => 0..most,
    }
}

fn told(found: &Verification) -> Result<String, Failure> {
    let violation =
        found.violating.as_ref().map(|run| json!({ "seed": run.seed, "violation": run.violation }));
    let value = json!({
        "statistics": found.estimates,
        "runs": found.summary.runs,
        "violating": violation,
    });
    serde_json::to_string(&value).map_err(|error| Failure::internal(error.to_string()))
}

fn write(found: &Verification, out: &mut dyn Write) -> Result<(), Failure> {
    for estimate in &found.estimates {
        write_estimate(estimate, out)?;
    }
    writeln!(
        out,
        "{} runs, {} events, {:.3} virtual seconds",
        found.summary.runs, found.summary.events, found.summary.virtual_seconds
    )?;
    if let Some(run) = &found.violating
        && let Some(violation) = &run.violation
    {
        writeln!(out, "seed {}: {violation}", run.seed)?;
        writeln!(out, "  see it: simulate --seed {} --trace-out FILE, then replay FILE", run.seed)?;
    }
    Ok(())
}

/// What became of a claim, as a line.
pub(crate) fn headline(name: &str, claim: &str, verdict: Verdict) -> String {
    let verdict = match verdict {
        Verdict::Held => "held",
        Verdict::Violated => "violated",
        Verdict::Undecided => "undecided",
    };
    format!("statistical {name} {verdict}: {claim}")
}

/// The greatest probability of an event that is in none of so many runs with a probability of 5 %: `(1 - p)^runs = 0.05`.
fn unseen(runs: u64) -> f64 {
    1.0 - 0.05_f64.powf(1.0 / runs.max(1) as f64)
}

fn write_estimate(it: &Estimate, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "{}", headline(it.name, it.claim, it.verdict))?;
    write!(out, "  ")?;
    match (it.estimate, it.interval) {
        (Some(estimate), Some(Interval { low, high })) => {
            let sure = 100.0 * (1.0 - it.error);
            write!(out, "{estimate:.4}, {low:.4} to {high:.4} with {sure} %, ")?;
        }
        (Some(estimate), None) if it.indifference == 0.0 => {
            write!(out, "{estimate:.4} more in the last half of a run, ")?;
        }
        (Some(estimate), None) => write!(out, "{estimate:.4}, ")?,
        (None, _) => write!(out, "no run says anything of it, ")?,
    }
    write!(out, "{} runs", it.runs)?;
    if it.left_out > 0 {
        write!(out, ", {} left out", it.left_out)?;
    }
    writeln!(out)?;
    write!(
        out,
        "  {}: refuted though true at most {}, held though false at most {}",
        it.method, it.alpha, it.beta
    )?;
    if it.indifference > 0.0 {
        write!(out, ", either within {} of the bound", it.indifference)?;
    }
    writeln!(out)?;
    let is_bounded = it.indifference > 0.0;
    if it.verdict == Verdict::Held && !is_bounded {
        writeln!(
            out,
            "  evidence and no proof: what happens in {:.2} % of runs or fewer may be in none of these, and the expectation may be infinite by it",
            100.0 * unseen(it.runs)
        )?;
    }
    if let Some(note) = it.note {
        writeln!(out, "  {note}")?;
    }
    Ok(())
}

fn write_comparison(found: &Comparison, out: &mut dyn Write) -> Result<(), Failure> {
    let Comparison { resolvers: [first, second], seeds, violations, error, figures } = found;
    writeln!(out, "{second} less {first}, {seeds} seeds run by both, {} % intervals", 100.0 * (1.0 - error))?;
    for (name, told) in figures {
        let [one, other] = told.means;
        write!(out, "  {name:<24} {one:.3} to {other:.3}, difference {:.3}", told.difference)?;
        match told.interval {
            Some(Interval { low, high }) => writeln!(out, ", {low:.3} to {high:.3}")?,
            None => writeln!(out)?,
        }
    }
    for (name, count) in resolvers_with(found, *violations) {
        writeln!(out, "  {count} runs of {name} violate a property; their seeds are not compared")?;
    }
    Ok(())
}

fn resolvers_with(found: &Comparison, violations: [u64; 2]) -> impl Iterator<Item = (&String, u64)> {
    found.resolvers.iter().zip(violations).filter(|(_, count)| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::unseen;

    #[test]
    fn what_no_run_has_shown_is_rarer_the_more_runs_there_are() {
        for runs in [1, 50, 3_000] {
            let missed = (1.0 - unseen(runs)).powi(runs as i32);
            assert!((missed - 0.05).abs() < 1e-9, "{runs} runs: {missed}");
        }
        assert!((unseen(50) - 0.0582).abs() < 1e-3);
    }
}
