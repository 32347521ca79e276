//! Builds programs with cargo and says what rustc says, in the words of the spec.
//!
//! Cargo runs as under `foresee cargo`, so rustc names specs. Its messages come as JSON: the text is passed on as it is, and
//! with `--format json` each becomes an object like those of our own diagnostics.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use foresee_compiler::render::Style;
use serde_json::{Value, json};

use crate::args::Format;
use crate::exit::Failure;
use crate::report::Report;

/// Builds programs of a package, by their names; the files of those that could be built. What rustc says is shown.
///
/// # Errors
/// Cargo that cannot be started.
pub fn build(
    manifest: &Path,
    programs: &[String],
    target: Option<&Path>,
    report: &mut Report<'_>,
) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut cargo = crate::cargo::command(&["build".into(), "--keep-going".into()])?;
    cargo.arg("--manifest-path").arg(manifest);
    cargo.arg(match report.style {
        Style::Plain => "--message-format=json",
        Style::Coloured => "--message-format=json-diagnostic-rendered-ansi",
    });
    for program in programs {
        cargo.arg("--bin").arg(program);
    }
    if let Some(target) = target {
        cargo.arg("--target-dir").arg(target);
    }
    let told = |error: std::io::Error| Failure::Told(format!("cannot run cargo: {error}"));
    let mut running = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(told)?;
    let mut built = BTreeMap::new();
    let mut explained = false;
    for line in running.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let Ok(message) = serde_json::from_str::<Value>(&line.map_err(told)?) else { continue };
        match message["reason"].as_str() {
            Some("compiler-message") => {
                explained |= message["message"]["level"] == "error";
                show(&message["message"], report)?;
            }
            Some("compiler-artifact") => {
                let name =
                    message["target"]["name"].as_str().filter(|name| programs.iter().any(|it| it == name));
                if let (Some(name), Some(file)) = (name, message["executable"].as_str()) {
                    built.insert(name.to_owned(), PathBuf::from(file));
                }
            }
            _ => {}
        }
    }
    let status = running.wait().map_err(told)?;
    if !status.success() && !explained {
        // What it said itself, if anything, stands above.
        writeln!(report.err, "error: `cargo build` of {} ended with {status}", crate::input::name(manifest))?;
    }
    Ok(built)
}

/// Shows what rustc says.
fn show(message: &Value, report: &mut Report<'_>) -> Result<(), Failure> {
    let rendered = super::from_here(message["rendered"].as_str().unwrap_or_default());
    match report.format {
        Format::Text => write!(report.err, "{rendered}")?,
        // Where to read more about an error is no finding.
        Format::Json if message["level"] == "failure-note" => {}
        Format::Json => writeln!(report.out, "{}", value(message, &rendered))?,
    }
    Ok(())
}

/// In the form of `report.rs`.
fn value(message: &Value, rendered: &str) -> Value {
    let list = |key: &str| message[key].as_array().cloned().unwrap_or_default();
    let place = |span: &Value| {
        json!({
            "file": super::from_here(span["file_name"].as_str().unwrap_or_default()),
            "line": span["line_start"],
            "column": span["column_start"],
            "end_line": span["line_end"],
            "end_column": span["column_end"],
            "label": span["label"],
        })
    };
    let (main, others): (Vec<Value>, Vec<Value>) =
        list("spans").into_iter().partition(|span| span["is_primary"] == true);
    let children = |level: &str| {
        let of_level = list("children").into_iter().filter(|child| child["level"] == level);
        of_level.map(|child| child["message"].clone()).collect::<Vec<Value>>()
    };
    json!({
        "level": message["level"],
        "code": message["code"]["code"],
        "message": message["message"],
        "spans": main.iter().chain(&others).map(place).collect::<Vec<Value>>(),
        "notes": children("note"),
        "help": children("help"),
        "rendered": rendered,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_says_has_the_form_of_our_own_findings() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let file = here.join("specs/a.mace");
        let span = |primary: bool, line: u32| {
            json!({ "file_name": file, "line_start": line, "column_start": 2, "line_end": line, "column_end": 5,
                    "is_primary": primary, "label": null })
        };
        let message = json!({
            "level": "error", "code": { "code": "E0308" }, "message": "mismatched types",
            "spans": [span(false, 1), span(true, 2)],
            "children": [{ "level": "help", "message": "mend it" }, { "level": "note", "message": "odd" }],
            "rendered": format!("error[E0308]: mismatched types\n --> {}:2:2\n", file.display()),
        });
        let (mut out, mut err) = (Vec::new(), Vec::new());
        for format in [Format::Json, Format::Text] {
            let style = Style::Plain;
            show(&message, &mut Report { format, out: &mut out, err: &mut err, style }).unwrap();
        }
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&value["code"], &value["help"]), (&json!("E0308"), &json!(["mend it"])));
        let first = &value["spans"][0];
        assert_eq!((&first["file"], &first["line"]), (&json!("specs/a.mace"), &json!(2)));
        assert_eq!(
            String::from_utf8(err).unwrap(),
            "error[E0308]: mismatched types\n --> specs/a.mace:2:2\n"
        );
    }
}
