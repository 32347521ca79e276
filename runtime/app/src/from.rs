//! Where a search begins: at the start, at a step of a trace, or in a state that a simulation was in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{Model, SpecInfo, argument};
use foresee_sim::Options;
use foresee_world::{Path, narrate};

use crate::args::CheckArgs;
use crate::exit::Failure;
use crate::replay;

/// `TRACE` or `TRACE:STEP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracePlace {
    file: PathBuf,
    /// How many steps of it are taken; all, where it is not said.
    step: Option<usize>,
}

impl TracePlace {
    /// Reads `t.json:12`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let step = text.rsplit_once(':').and_then(|(file, step)| Some((file, step.parse().ok()?)));
        match step {
            Some((file, step)) if !file.is_empty() => Ok(TracePlace { file: file.into(), step: Some(step) }),
            _ if text.is_empty() => Err("expected FILE or FILE:STEP".to_owned()),
            _ => Ok(TracePlace { file: text.into(), step: None }),
        }
    }
}

/// `SEED@TIME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    seed: u64,
    at: Duration,
}

impl Moment {
    /// Reads `7@12.5s`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || "expected SEED@TIME, such as 7@12.5s".to_owned();
        let (seed, at) = text.split_once('@').ok_or_else(expected)?;
        let seed = seed.trim().parse().map_err(|_| expected())?;
        Ok(Moment { seed, at: argument::duration(at.trim()).ok_or_else(expected)? })
    }
}

/// The path to where the search begins, in `model`; None at the start.
pub fn path(spec: &'static SpecInfo, model: &Arc<Model>, args: &CheckArgs) -> Result<Option<Path>, Failure> {
    if let Some(place) = &args.from {
        return of_trace(spec, model, place).map(Some);
    }
    match args.from_simulation {
        Some(moment) => of_simulation(model, moment).map(Some),
        None => Ok(None),
    }
}

fn of_trace(spec: &'static SpecInfo, model: &Arc<Model>, place: &TracePlace) -> Result<Path, Failure> {
    let refuse = |what: String| Failure::usage(format!("{}: {what}", place.file.display()));
    let trace = replay::read(&place.file)?;
    replay::belongs(spec, &trace).map_err(refuse)?;
    let arguments: Vec<(String, String)> =
        model.arguments.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if trace.origin.system != model.system || trace.origin.parameters != arguments {
        return Err(refuse(
            "it is of another system, or of other parameters, than what is checked".to_owned(),
        ));
    }
    let (mut path, narration) = narrate::replay(model, &trace).map_err(|error| refuse(error.to_string()))?;
    let starts = narration.steps.len() - path.moves.len();
    match place.step {
        Some(step) if step > narration.steps.len() => {
            return Err(refuse(format!("it has {} steps, and not {step}", narration.steps.len())));
        }
        Some(step) => path.moves.truncate(step.saturating_sub(starts)),
        None => {}
    }
    Ok(path)
}

fn of_simulation(model: &Arc<Model>, moment: Moment) -> Result<Path, Failure> {
    let Moment { seed, at } = moment;
    let options = Options { until: Some(at), trace: true, ..Options::default() };
    let run = foresee_sim::run(model, seed, &options).map_err(|error| Failure::usage(error.to_string()))?;
    if let Some(violation) = &run.violation {
        return Err(Failure::usage(format!("seed {seed} does not come so far: {violation}")));
    }
    let trace = run.trace.ok_or_else(|| Failure::internal("the run was not recorded"))?;
    let walked = narrate::replay(model, &trace);
    walked.map(|(path, _)| path).map_err(|error| Failure::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_moments_are_read_or_refused() {
        let place = |file: &str, step| Ok(TracePlace { file: file.into(), step });
        assert_eq!(TracePlace::parse("t.json"), place("t.json", None));
        assert_eq!(TracePlace::parse("a:b/t.json:12"), place("a:b/t.json", Some(12)));
        assert!(TracePlace::parse("").is_err());
        assert_eq!(Moment::parse("7@12.5s"), Ok(Moment { seed: 7, at: Duration::from_millis(12_500) }));
        assert!(
            Moment::parse("7").is_err() && Moment::parse("x@1s").is_err() && Moment::parse("7@1").is_err()
        );
    }
}
