//! [`regress`]: follows a trace through a spec that may have changed since, to see whether what it shows is still there.

use std::fmt;

use foresee_kernel::trace::{Ending, Step};
use foresee_kernel::{SpecInfo, Trace, TraceError};
use foresee_world::narrate;

use crate::model;
use crate::replay::{self, Walked, closes};

/// Whether what a trace shows is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Regression {
    /// The trace can be walked, and ends as it did.
    There {
        /// How it ends.
        ending: String,
    },
    /// The trace can be walked, and what it ended in is not there.
    Mended,
    /// The trace can be walked no more.
    Parted {
        /// Where, and why.
        why: TraceError,
    },
}

impl Regression {
    /// Whether the trace ends as it did.
    pub fn is_there(&self) -> bool {
        matches!(self, Regression::There { .. })
    }
}

impl fmt::Display for Regression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Regression::There { ending } => write!(f, "the trace can be walked as it was: {ending}"),
            Regression::Mended => f.write_str("the trace can be walked, and does not end as it did"),
            Regression::Parted { why } => write!(f, "the trace can be walked no more: {why}"),
        }
    }
}

/// Follows `trace`, which is JSON, through `spec`: by the names of actions and choices, whatever the states are. That of a scenario is
/// compared with what the scenario of its name does now.
///
/// # Errors
/// What is no trace, or one of another spec, of a system or scenario that is no more, or of parameters that it does not have.
pub fn regress(spec: &'static SpecInfo, trace: &str) -> Result<Regression, String> {
    let trace = Trace::from_json(trace).map_err(|error| error.to_string())?;
    let origin = &trace.origin;
    if origin.spec != spec.name {
        return Err(format!("it is a trace of `{}`, this is `{}`", origin.spec, spec.name));
    }
    let walked = match &origin.scenario {
        Some(name) => played(spec, name, &trace)?,
        None => followed(spec, &trace)?,
    };
    let Walked { model, path, narration } = match walked {
        Ok(walked) => walked,
        Err(why) => return Ok(Regression::Parted { why }),
    };
    let there = match &trace.ending {
        Ending::Violation { property } => narrate::holds(&model, &narration.world, property) == Some(false),
        Ending::Witness { property } => narrate::holds(&model, &narration.world, property) == Some(true),
        Ending::Fault { .. } => narration.steps.last().is_some_and(|told| told.fault.is_some()),
        Ending::Cycle { after, .. } => closes(&model, &path, &narration, *after).is_ok(),
        Ending::Run => true,
    };
    Ok(match there {
        true => Regression::There { ending: crate::story::ending(&trace.ending) },
        false => Regression::Mended,
    })
}

/// Walks as far as the system goes by itself.
fn followed(spec: &'static SpecInfo, trace: &Trace) -> Result<Result<Walked, TraceError>, String> {
    let model = model::of_trace(spec, &trace.origin).map_err(|failure| failure.message)?;
    let followed = narrate::follow(&model, trace);
    Ok(followed.map(|(path, narration)| Walked { model, path, narration }))
}

/// Plays a scenario again, which may do what the system says nothing of, and looks whether it goes the same way.
fn played(spec: &'static SpecInfo, name: &str, trace: &Trace) -> Result<Result<Walked, TraceError>, String> {
    let run = replay::play(spec, name).map_err(|failure| failure.message)?;
    fn names(step: &Step) -> impl Iterator<Item = (&str, &str)> {
        step.choices.iter().map(|choice| (&*choice.site, &*choice.option))
    }
    let same = |one: &Step, other: &Step| one.action == other.action && names(one).eq(names(other));
    let (made, written) = (&run.trace.steps, &trace.steps);
    let alike = made.iter().zip(written).take_while(|(one, other)| same(one, other)).count();
    if alike < made.len().max(written.len()) {
        let place = format!("step {}", alike + 1);
        return Ok(Err(TraceError { place, message: "the scenario goes another way now".to_owned() }));
    }
    let narration = narrate::retell(&run.model, &run.path).map_err(|error| error.to_string())?;
    Ok(Ok(Walked { model: run.model, path: run.path, narration }))
}
