//! `test`: runs the scenarios of a spec, a line each, and says how many passed.

use std::fs;
use std::io::Write;

use foresee_kernel::{Arguments, ScenarioInfo, SpecInfo};
use foresee_sim::{Failure as Failed, ScenarioRun};
use serde_json::{Value, json};

use crate::args::{Format, TestArgs};
use crate::exit::{Exit, Failure};
use crate::model;

/// Runs the command.
pub fn run(spec: &'static SpecInfo, args: &TestArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let scenarios = chosen(spec, &args.names)?;
    if let Some(folder) = &args.trace_out {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    }
    let (mut passed, mut failed) = (0, 0);
    for scenario in scenarios {
        let run = play(spec, scenario)?;
        match run.failure {
            None => passed += 1,
            Some(_) => failed += 1,
        }
        match args.format {
            Format::Text => write_run(spec, scenario, &run, out)?,
            Format::Json => writeln!(out, "{}", json_run(spec, scenario, &run))?,
        }
        if let Some(folder) = &args.trace_out {
            let path = folder.join(format!("{}.json", scenario.name));
            fs::write(&path, run.trace.to_json())
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        }
    }
    match args.format {
        Format::Text => writeln!(out, "{passed} passed, {failed} failed")?,
        Format::Json => {
            writeln!(out, "{}", json!({ "spec": spec.name, "passed": passed, "failed": failed }))?;
        }
    }
    Ok(if failed == 0 { Exit::Held } else { Exit::Violation })
}

/// The scenarios of these names, in file order; all where none is named.
fn chosen(spec: &'static SpecInfo, names: &[String]) -> Result<Vec<&'static ScenarioInfo>, Failure> {
    for name in names {
        if !spec.scenarios.iter().any(|scenario| scenario.name == name) {
            let known: Vec<&str> = spec.scenarios.iter().map(|scenario| scenario.name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Failure::usage(format!("{} has no scenario `{name}`; it has: {known}", spec.file)));
        }
    }
    let wanted = |scenario: &&ScenarioInfo| names.is_empty() || names.iter().any(|it| it == scenario.name);
    Ok(spec.scenarios.iter().filter(wanted).collect())
}

/// Runs one scenario in its system.
pub fn play(spec: &'static SpecInfo, scenario: &'static ScenarioInfo) -> Result<ScenarioRun, Failure> {
    let place = |what: String| {
        Failure::usage(format!("{}:{}: scenario `{}`: {what}", spec.file, scenario.line, scenario.name))
    };
    let system = model::system(spec, Some(scenario.system))?;
    let model =
        model::with_arguments(system, &Arguments::default()).map_err(|failure| place(failure.message))?;
    model::refuse(&model).map_err(|failure| place(failure.message))?;
    foresee_sim::scenario(&model, scenario).map_err(|error| place(error.to_string()))
}

fn write_run(
    spec: &SpecInfo,
    scenario: &ScenarioInfo,
    run: &ScenarioRun,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Some(Failed { line, text, reason, notes, .. }) = &run.failure else {
        writeln!(
            out,
            "ok      {} ({} commands, {} events in {:.3} s)",
            scenario.name, run.lines, run.events, run.virtual_seconds
        )?;
        return Ok(());
    };
    writeln!(out, "FAILED  {}", scenario.name)?;
    let text = if text.is_empty() { "the nodes start" } else { text };
    writeln!(out, "        {}:{line}: {text}", spec.file)?;
    writeln!(out, "        {reason}")?;
    for note in notes {
        writeln!(out, "          {note}")?;
    }
    Ok(())
}

fn json_run(spec: &SpecInfo, scenario: &ScenarioInfo, run: &ScenarioRun) -> Value {
    let failure = run.failure.as_ref().map(|failed| {
        let Failed { line, text, reason, notes, property } = failed;
        json!({ "file": spec.file, "line": line, "command": text, "reason": reason, "notes": notes,
                "property": property })
    });
    json!({
        "scenario": scenario.name,
        "system": scenario.system,
        "line": scenario.line,
        "passed": run.failure.is_none(),
        "commands": run.lines,
        "events": run.events,
        "virtual_seconds": run.virtual_seconds,
        "failure": failure,
    })
}
