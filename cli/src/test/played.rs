//! One scenario, run by the program of its spec.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Spec, from_here};
use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::report::Report;

/// How a scenario went.
pub struct Played {
    /// What the program said of it; why it said nothing where it did not come to that.
    told: Result<Value, String>,
    /// How long the program ran.
    took: Duration,
}

/// Runs a scenario.
///
/// # Errors
/// A program that cannot be started.
#[expect(clippy::disallowed_methods, reason = "it is shown how long a scenario takes")]
pub fn play(program: &Path, spec: &Spec, scenario: &str) -> Result<Played, Failure> {
    let started = Instant::now();
    let ran = Command::new(program).args(["test", scenario, "--format", "json"]).output();
    let took = started.elapsed();
    let ran = ran.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let lines = String::from_utf8_lossy(&ran.stdout);
    let values = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = values.into_iter().find(|value| value["scenario"] == scenario).map(|mut told| {
        told["file"] = json!(spec.shown);
        if told["failure"].is_object() {
            shorten(&mut told["failure"]);
            told["failure"]["file"] = json!(spec.shown);
        }
        told
    });
    let told = told.ok_or_else(|| {
        let said = String::from_utf8_lossy(&ran.stderr);
        format!("the program of the spec ended with {}\n{}", ran.status, from_here(said.trim_end()))
    });
    Ok(Played { told, took })
}

/// Names files from here in all texts of a value.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = from_here(text),
        Value::Array(list) => list.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

impl Played {
    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.told.as_ref().is_ok_and(|told| told["passed"] == true)
    }

    /// How a run with it ends.
    pub fn exit(&self) -> Exit {
        match &self.told {
            Ok(_) if self.passed() => Exit::Held,
            Ok(_) => Exit::Violated,
            Err(_) => Exit::Internal,
        }
    }

    /// Shows it: a line, and for a failure why.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub fn show(&self, spec: &Spec, scenario: &str, report: &mut Report<'_>) -> Result<(), Failure> {
        let (seconds, name) = (self.took.as_secs_f64(), format!("{}::{scenario}", spec.module));
        if report.format == Format::Json {
            let mut value = match &self.told {
                Ok(told) => told.clone(),
                Err(reason) => {
                    let failure = json!({ "file": spec.shown, "reason": reason });
                    json!({ "scenario": scenario, "file": spec.shown, "passed": false, "failure": failure })
                }
            };
            value["seconds"] = json!(seconds);
            writeln!(report.out, "{value}")?;
            return Ok(());
        }
        let told = match &self.told {
            Ok(told) => told,
            Err(reason) => {
                writeln!(report.out, "FAILED  {name} ({seconds:.3} s)")?;
                reason.lines().try_for_each(|line| writeln!(report.out, "        {line}"))?;
                return Ok(());
            }
        };
        let failure = &told["failure"];
        if self.passed() {
            let (commands, events) = (&told["commands"], &told["events"]);
            let virtual_seconds = told["virtual_seconds"].as_f64().unwrap_or(0.0);
            let ran = format!("{commands} commands, {events} events in {virtual_seconds:.3} s");
            writeln!(report.out, "ok      {name} ({ran}) {seconds:.3} s")?;
            return Ok(());
        }
        let text = |key: &str| failure[key].as_str().unwrap_or_default();
        let command = if text("command").is_empty() { "the nodes start" } else { text("command") };
        writeln!(report.out, "FAILED  {name} {seconds:.3} s")?;
        writeln!(report.out, "        {}:{}: {command}", spec.shown, failure["line"])?;
        writeln!(report.out, "        {}", text("reason"))?;
        for note in failure["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            writeln!(report.out, "          {note}")?;
        }
        Ok(())
    }
}
