//! `simulate --rare` estimates the probability of what hardly ever happens.

use std::io::Write;
use std::sync::Arc;

use foresee_kernel::Model;
use foresee_sim::{Interval, Options, Rare, Splitting};

use crate::args::{Format, SimulateArgs};
use crate::exit::{Exit, Failure};

/// The probability that the interval misses.
const ERROR: f64 = 0.05;

/// Runs the command.
pub fn run(
    model: &Arc<Model>,
    args: &SimulateArgs,
    event: &str,
    options: &Options,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let how = Splitting {
        event: event.to_owned(),
        milestones: args.via.clone(),
        effort: args.effort,
        batches: args.batches,
        error: ERROR,
    };
    let found = foresee_sim::rare(model, args.seed.unwrap_or(0), usize::from(args.threads), options, &how)
        .map_err(|error| Failure::usage(error.to_string()))?;
    match args.format {
        Format::Json => {
            let text = serde_json::to_string(&found).map_err(|error| Failure::internal(error.to_string()))?;
            writeln!(out, "{text}")?;
        }
        Format::Text => write(&found, out)?,
    }
    Ok(Exit::Held)
}

fn write(found: &Rare, out: &mut dyn Write) -> Result<(), Failure> {
    let Rare { event, probability, interval, error, levels, runs } = found;
    write!(out, "probability of {event}: {probability:.3e}")?;
    if let Some(Interval { low, high }) = interval {
        write!(out, ", {low:.3e} to {high:.3e} with {} %", 100.0 * (1.0 - error))?;
    }
    writeln!(out)?;
    for level in levels {
        writeln!(
            out,
            "  {:<24} reached by {:.4} of the runs from the level before",
            level.name, level.share
        )?;
    }
    if *probability == 0.0 {
        writeln!(
            out,
            "  no batch came to it: more effort, or milestones on the way to it (`--via`), may show how rare it is"
        )?;
    }
    writeln!(out, "{runs} runs")?;
    Ok(())
}
