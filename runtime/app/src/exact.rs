//! `simulate --exact` solves a small system: all runs that there are, weighed by their probabilities.

use std::io::Write;
use std::sync::Arc;

use foresee_kernel::Model;
use foresee_sim::{Answered, Answers, Exact, ExactError, Interval, Options, Settled, Verdict};

use crate::args::{Format, SimulateArgs};
use crate::claims;
use crate::exit::{Exit, Failure};
use crate::simulate::said;
use crate::verify::headline;

/// Runs the command.
pub fn run(
    model: &Arc<Model>,
    args: &SimulateArgs,
    options: &Options,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let answers = if args.optimal { Answers::Best } else { Answers::Resolver };
    let found =
        foresee_sim::exact(model, options, answers, args.max_states).map_err(|error| match error {
            ExactError::TooMany { .. } => {
                Failure { exit: Exit::Inconclusive, message: format!("{error} (`--max-states`, `--until`)") }
            }
            error => Failure::usage(error.to_string()),
        })?;
    let unjudged: Vec<_> = claims::liveness(model).into_iter().collect();
    match args.format {
        Format::Json => {
            let internal = |error: serde_json::Error| Failure::internal(error.to_string());
            let mut value = serde_json::to_value(&found).map_err(internal)?;
            if !unjudged.is_empty() {
                value["not_checked"] = claims::json(&unjudged).into();
            }
            writeln!(out, "{}", serde_json::to_string(&value).map_err(internal)?)?;
        }
        Format::Text => {
            write(&found, out)?;
            claims::write(out, &unjudged)?;
        }
    }
    let any = |verdict| found.statistics.iter().any(|claim| claim.verdict == verdict);
    Ok(match () {
        () if !found.violations.is_empty() || any(Verdict::Violated) => Exit::Violation,
        () if found.cut > 0.0 || any(Verdict::Undecided) => Exit::Inconclusive,
        () => Exit::Held,
    })
}

/// Up to so many, a number is shown digit by digit.
const DIGITS_MOST: f64 = 1e9;

fn number_of(runs: f64) -> String {
    match runs {
        runs if runs < DIGITS_MOST => format!("{runs:.0}"),
        f64::INFINITY => "more than 1e308".to_owned(),
        _ => format!("{runs:.3e}"),
    }
}

/// So many answers are shown; JSON has all.
const ANSWERS_SHOWN_MOST: usize = 12;

fn write(found: &Exact, out: &mut dyn Write) -> Result<(), Failure> {
    let Exact { runs, states, cut, objectives, properties, violations, statistics, choices, policy } = found;
    let states = states.map_or_else(String::new, |states| format!(", from {states} states"));
    let runs = number_of(*runs);
    match *cut > 0.0 {
        false => writeln!(out, "all {runs} runs{states}, weighed by their probabilities")?,
        true => {
            writeln!(
                out,
                "{runs} runs{states}, weighed by their probabilities; others, of probability {cut:.6}, were not made"
            )?;
            writeln!(
                out,
                "  no mean is known without them: allow more by --max-states, or say an earlier end by --until"
            )?;
        }
    }
    let least = if *cut > 0.0 { "at least " } else { "" };
    for (name, mean) in objectives {
        match mean {
            Some(mean) => writeln!(out, "  objective  {name:<24} mean {mean:.6}")?,
            None => writeln!(out, "  objective  {name:<24} mean unknown")?,
        }
    }
    for (name, probabilities) in properties {
        let told: Vec<String> =
            probabilities.iter().map(|(status, p)| format!("{} with {least}{p:.6}", said(*status))).collect();
        writeln!(out, "  property   {name:<24} {}", told.join(", "))?;
    }
    for (name, p) in violations {
        writeln!(out, "  a run violates `{name}` with probability {least}{p:.6}; `check` shows how")?;
    }
    for taken in choices {
        let place = format!("{}, line {}", taken.site, taken.line);
        writeln!(out, "  choice     {place:<24} {} {:.6} times a run", taken.option, taken.times)?;
    }
    for answered in policy.iter().take(ANSWERS_SHOWN_MOST) {
        write_answer(answered, out)?;
    }
    if policy.len() > ANSWERS_SHOWN_MOST {
        writeln!(out, "  and {} more answers, in `--format json`", policy.len() - ANSWERS_SHOWN_MOST)?;
    }
    statistics.iter().try_for_each(|claim| write_claim(claim, out))
}

/// What is best where a node knows so much of itself, and how often each option is it.
fn write_answer(it: &Answered, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "  best       {} at {}, on {}", it.site, it.node, it.event)?;
    writeln!(out, "             in {}", it.state)?;
    let times = it.times();
    for (option, taken) in &it.options {
        match it.options.len() {
            1 => writeln!(out, "             takes {option}, {times:.6} times a run")?,
            _ => writeln!(
                out,
                "             takes {option} in {:.1} % of {times:.6} times a run",
                100.0 * taken / times
            )?,
        }
    }
    Ok(())
}

fn write_claim(it: &Settled, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "{}", headline(it.name, it.claim, it.verdict))?;
    match (it.value, it.interval) {
        (Some(value), _) => write!(out, "  {value:.6}")?,
        (None, Some(Interval { low, high })) => write!(out, "  {low:.6} to {high:.6}")?,
        (None, None) => write!(out, "  unknown")?,
    }
    if it.left_out > 1e-12 {
        write!(out, ", runs of probability {:.6} left out", it.left_out)?;
    }
    writeln!(out)?;
    if let Some(note) = it.note {
        writeln!(out, "  {note}")?;
    }
    Ok(())
}
