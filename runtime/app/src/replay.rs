//! `replay`: walk through a trace again. A file that was cut off or edited is refused with the place.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path as FilePath;
use std::sync::Arc;

use foresee_kernel::trace::Ending;
use foresee_kernel::{Model, SpecInfo, Trace};
use foresee_sim::ScenarioRun;
use foresee_world::Path;
use foresee_world::narrate::{self, Narration};
use serde_json::json;

use crate::args::{Format, ReplayArgs, TestForm, TraceForm};
use crate::exit::{Exit, Failure};
use crate::render::Drawn;
use crate::{model, recording, step, story, test, totest};

/// The largest trace that is read.
const TRACE_BYTES_MAX: u64 = 1 << 30;

/// Runs the command.
pub fn run(spec: &'static SpecInfo, args: &ReplayArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let text = text(&args.file)?;
    if foresee_kernel::recording::is_recording(&text) {
        return recorded(spec, args, &text, out);
    }
    let trace = parse(&args.file, &text)?;
    let walked = walk(spec, &args.file, &trace)?;
    let Walked { model, path, narration } = &walked;
    let drawn = Drawn { model, path, narration, ending: &trace.ending };
    match &args.out {
        None => show(args, &drawn, &trace, out)?,
        Some(file) => {
            let mut text = Vec::new();
            show(args, &drawn, &trace, &mut text)?;
            fs::write(file, text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        }
    }
    Ok(match trace.ending {
        // Something was made of the trace, and that went well.
        _ if args.form.is_some() || args.to_test.is_some() || args.step => Exit::Held,
        Ending::Violation { .. } | Ending::Fault { .. } | Ending::Cycle { .. } => Exit::Violation,
        Ending::Witness { .. } | Ending::Run => Exit::Held,
    })
}

/// A trace, walked again.
pub struct Walked {
    pub model: Arc<Model>,
    pub path: Path,
    pub narration: Narration,
}

/// Walks a trace that was read from `file` again.
pub fn walk(spec: &'static SpecInfo, file: &FilePath, trace: &Trace) -> Result<Walked, Failure> {
    let refuse = |what: String| Failure::usage(format!("{}: {what}", file.display()));
    belongs(spec, trace).map_err(refuse)?;
    let origin = &trace.origin;
    let walked = match &origin.scenario {
        Some(name) => scenario(spec, name, trace).map_err(|failure| refuse(failure.message))?,
        None => {
            let model = model::of_trace(spec, origin).map_err(|failure| refuse(failure.message))?;
            let (path, narration) =
                narrate::replay(&model, trace).map_err(|error| refuse(error.to_string()))?;
            Walked { model, path, narration }
        }
    };
    confirm(&walked, &trace.ending).map_err(refuse)?;
    Ok(walked)
}

/// Whether a trace is of `spec` as it is.
pub fn belongs(spec: &SpecInfo, trace: &Trace) -> Result<(), String> {
    let origin = &trace.origin;
    if origin.spec != spec.name {
        return Err(format!("it is a trace of `{}`, this is `{}`", origin.spec, spec.name));
    }
    if origin.spec_hash != format!("{:016x}", spec.hash) {
        return Err(format!(
            "`{}` has changed since it was written (its hash was {})",
            spec.file, origin.spec_hash
        ));
    }
    Ok(())
}

fn show(args: &ReplayArgs, drawn: &Drawn<'_>, trace: &Trace, out: &mut dyn Write) -> Result<(), Failure> {
    let Drawn { model, narration, ending, .. } = drawn;
    if args.step {
        let worlds = narrate::worlds(model, drawn.path);
        let worlds = worlds.map_err(|error| Failure::internal(error.to_string()))?;
        let prompt = args.out.is_none() && io::stdin().is_terminal();
        return step::run(drawn, &worlds, &mut io::stdin().lock(), prompt, out);
    }
    let text = match (args.to_test, args.form) {
        (Some(TestForm::Rust), _) => totest::rust(drawn, trace)?,
        (Some(TestForm::Scenario), _) => totest::scenario(drawn, trace)?,
        (None, Some(TraceForm::Json)) => trace.to_json(),
        (None, Some(form)) => drawn.render(form)?,
        (None, None) if args.format == Format::Json => {
            let origin = &trace.origin;
            let value = json!({
                "spec": origin.spec, "system": origin.system, "ending": ending, "steps": story::json(narration),
                "why": story::json_why(&reasons(drawn)),
            });
            format!("{value}\n")
        }
        (None, None) => {
            story::write(out, narration)?;
            writeln!(out, "{}", story::ending(ending))?;
            story::write_why(out, &reasons(drawn))?;
            return Ok(());
        }
    };
    Ok(out.write_all(text.as_bytes())?)
}

/// Why the property that the trace ends in is false.
fn reasons(drawn: &Drawn<'_>) -> Vec<(&'static str, String)> {
    match drawn.ending {
        Ending::Violation { property } => narrate::why(drawn.model, &drawn.narration.world, property),
        _ => Vec::new(),
    }
}

/// Plays a scenario again: its script may do what the system says nothing of.
pub fn play(spec: &'static SpecInfo, name: &str) -> Result<ScenarioRun, Failure> {
    let scenario = spec.scenarios.iter().find(|scenario| scenario.name == name);
    test::play(spec, scenario.ok_or_else(|| Failure::usage(format!("there is no scenario `{name}`")))?)
}

/// The trace of a scenario is made again.
fn scenario(spec: &'static SpecInfo, name: &str, trace: &Trace) -> Result<Walked, Failure> {
    let run = play(spec, name)?;
    if run.trace != *trace {
        let steps = run.trace.steps.iter().zip(&trace.steps);
        let first = steps.take_while(|(made, written)| made == written).count() + 1;
        return Err(Failure::usage(format!("step {first}: the scenario goes another way now")));
    }
    let narration = narrate::retell(&run.model, &run.path);
    let narration = narration.map_err(|error| Failure::internal(error.to_string()))?;
    Ok(Walked { model: run.model, path: run.path, narration })
}

/// Walks through what one live node recorded.
fn recorded(
    spec: &'static SpecInfo,
    args: &ReplayArgs,
    text: &str,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let refuse = |what: String| Failure::usage(format!("{}: {what}", args.file.display()));
    if args.form.is_some() || args.step || args.to_test.is_some() || args.out.is_some() {
        return Err(refuse(
            "it is the recording of one node, which is shown as text or JSON alone".to_owned(),
        ));
    }
    recording::run(spec, text, args.format, out).map_err(|failure| match failure.exit {
        Exit::Usage => refuse(failure.message),
        _ => failure,
    })
}

/// Reads a trace.
pub fn read(path: &FilePath) -> Result<Trace, Failure> {
    parse(path, &text(path)?)
}

fn parse(path: &FilePath, text: &str) -> Result<Trace, Failure> {
    Trace::from_json(text).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

fn text(path: &FilePath) -> Result<String, Failure> {
    let refuse = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let length = fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if length > TRACE_BYTES_MAX {
        return Err(refuse(format!("it has {length} bytes; a trace has at most {TRACE_BYTES_MAX}")));
    }
    let bytes = fs::read(path).map_err(|error| refuse(error.to_string()))?;
    String::from_utf8(bytes)
        .map_err(|error| refuse(format!("byte {}: it is not UTF-8", error.utf8_error().valid_up_to())))
}

/// Whether the cycle at the end of a trace ends where it begins.
pub fn closes(model: &Arc<Model>, path: &Path, narration: &Narration, after: usize) -> Result<(), String> {
    let starts = narration.steps.len() - path.moves.len();
    let worlds = narrate::worlds(model, path).map_err(|error| error.to_string())?;
    let begin = after.checked_sub(starts).and_then(|place| worlds.get(place));
    match begin.is_some() && begin == worlds.last() {
        true => Ok(()),
        false => Err(format!("the cycle after step {after} does not end where it begins")),
    }
}

/// Whether the replay ends as the trace says.
fn confirm(Walked { model, path, narration }: &Walked, ending: &Ending) -> Result<(), String> {
    let holds = |name: &str| {
        narrate::holds(model, &narration.world, name).ok_or_else(|| format!("there is no property `{name}`"))
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
        Ending::Cycle { after, .. } => closes(model, path, narration, *after),
        _ => Ok(()),
    }
}
