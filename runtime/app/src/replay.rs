//! `replay`: walk through a trace again. A file that was cut off or edited is refused with the place.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use foresee_kernel::trace::Ending;
use foresee_kernel::{Arguments, Model, SpecInfo, Trace};
use foresee_world::Direct;
use foresee_world::narrate::{self, Narration};
use serde_json::json;

use crate::args::{Format, ReplayArgs};
use crate::exit::{Exit, Failure};
use crate::faults::{self, FaultArg};
use crate::{model, story, test};

/// The largest trace that is read.
const TRACE_BYTES_MAX: u64 = 1 << 30;

/// Runs the command.
pub fn run(spec: &'static SpecInfo, args: &ReplayArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let refuse = |what: String| Failure::usage(format!("{}: {what}", args.file.display()));
    let trace = read(&args.file)?;
    let origin = &trace.origin;
    if origin.spec != spec.name {
        return Err(refuse(format!("it is a trace of `{}`, this is `{}`", origin.spec, spec.name)));
    }
    if origin.spec_hash != format!("{:016x}", spec.hash) {
        let what =
            format!("`{}` has changed since it was written (its hash was {})", spec.file, origin.spec_hash);
        return Err(refuse(what));
    }
    let (model, narration) = match &origin.scenario {
        Some(name) => scenario(spec, name, &trace).map_err(|failure| refuse(failure.message))?,
        None => {
            let arguments: Arguments = origin.parameters.iter().cloned().collect();
            let mut model = model::with_arguments(model::system(spec, Some(&origin.system))?, &arguments)?;
            let faults: Result<Vec<FaultArg>, String> =
                origin.faults.iter().map(|fault| FaultArg::parse(fault)).collect();
            faults::apply(Arc::make_mut(&mut model), &faults.map_err(refuse)?);
            let (_, narration) =
                narrate::replay(&model, &trace).map_err(|error| refuse(error.to_string()))?;
            (model, narration)
        }
    };
    confirm(&model, &trace.ending, &narration).map_err(refuse)?;
    match args.format {
        Format::Text => {
            story::write(out, &narration)?;
            writeln!(out, "{}", story::ending(&trace.ending))?;
        }
        Format::Json => {
            let value = json!({
                "spec": origin.spec, "system": origin.system, "ending": trace.ending, "steps": story::json(&narration),
            });
            writeln!(out, "{value}")?;
        }
    }
    Ok(match trace.ending {
        Ending::Violation { .. } | Ending::Fault { .. } => Exit::Violation,
        Ending::Witness { .. } | Ending::Run => Exit::Held,
    })
}

/// The trace of a scenario is made again: its script may do what the system says nothing of.
fn scenario(spec: &'static SpecInfo, name: &str, trace: &Trace) -> Result<(Arc<Model>, Narration), Failure> {
    let scenario = spec.scenarios.iter().find(|scenario| scenario.name == name);
    let scenario = scenario.ok_or_else(|| Failure::usage(format!("there is no scenario `{name}`")))?;
    let run = test::play(spec, scenario)?;
    if run.trace != *trace {
        let steps = run.trace.steps.iter().zip(&trace.steps);
        let first = steps.take_while(|(made, written)| made == written).count() + 1;
        return Err(Failure::usage(format!("step {first}: the scenario goes another way now")));
    }
    let narration = narrate::retell(&run.model, &run.path);
    let narration = narration.map_err(|error| Failure::internal(error.to_string()))?;
    Ok((run.model, narration))
}

fn read(path: &Path) -> Result<Trace, Failure> {
    let refuse = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let length = fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if length > TRACE_BYTES_MAX {
        return Err(refuse(format!("it has {length} bytes; a trace has at most {TRACE_BYTES_MAX}")));
    }
    let bytes = fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| refuse(format!("byte {}: it is not UTF-8", error.utf8_error().valid_up_to())))?;
    Trace::from_json(&text).map_err(|error| refuse(error.to_string()))
}

/// Whether the replay ends as the trace says.
fn confirm(model: &Arc<Model>, ending: &Ending, narration: &Narration) -> Result<(), String> {
    let holds = |name: &str| {
        let property = model.properties.iter().find(|property| property.name == name);
        let property = property.ok_or_else(|| format!("there is no property `{name}`"))?;
        Ok::<bool, String>(narration.world.view(&Direct::new(model.clone()), |view| (property.holds)(view)))
    };
    match ending {
        Ending::Violation { property } if holds(property)? => {
            Err(format!("`{property}` holds in the last state, though a violation was written"))
        }
        Ending::Witness { property } if !holds(property)? => {
            Err(format!("`{property}` does not hold in the last state, though a witness was written"))
        }
        Ending::Fault { .. } if narration.steps.last().is_none_or(|told| told.fault.is_none()) => {
            Err("the last step does not fault, though a fault was written".to_owned())
        }
        _ => Ok(()),
    }
}
