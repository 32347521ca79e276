//! `foresee check`: the front end alone.

use std::path::PathBuf;

use foresee_compiler::compile;
use foresee_compiler::import::Disk;

use crate::exit::{Exit, Outcome};
use crate::input;
use crate::report::Report;

/// Checks every file with all that it imports, and shows all that is found in any of them; warnings are no failure.
pub fn run(files: &[PathBuf], report: &mut Report<'_>) -> Outcome {
    let mut exit = Exit::Held;
    for path in files {
        match input::read(path) {
            Ok(file) => {
                let loaded = compile::load(file, &Disk);
                let diagnostics = compile::look(&loaded);
                report.show(&diagnostics, &loaded.source)?;
                if diagnostics.has_errors() {
                    exit = exit.and(Exit::Usage);
                }
            }
            Err(unusable) => {
                report.unusable(&unusable)?;
                exit = exit.and(Exit::Usage);
            }
        }
    }
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use foresee_compiler::render::Style;

    use super::*;
    use crate::args::Format;

    #[test]
    fn every_file_is_looked_at_and_warnings_are_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let wrong = write("wrong.mace", "service A { states { B, B } }");
        let unused = write("unused.mace", "service A { timers { never; } }");
        let missing = folder.path().join("missing.mace");
        let told = |files: &[PathBuf], format: Format| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let exit = run(files, &mut Report { format, out: &mut out, err: &mut err, style: Style::Plain })
                .unwrap();
            (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
        };
        let (exit, out, err) = told(&[missing.clone(), wrong.clone(), unused.clone()], Format::Text);
        assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
        for name in ["missing.mace", "wrong.mace:1", "unused.mace:1"] {
            assert!(err.contains(name), "{name} is missing in {err}");
        }
        let (exit, out, err) = told(std::slice::from_ref(&unused), Format::Json);
        assert_eq!((exit, err.as_str()), (Exit::Held, ""));
        assert!(out.lines().count() > 0);
        for line in told(&[missing, wrong, unused], Format::Json).1.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value["code"].is_string() && value["spans"][0]["line"].is_u64(), "{line}");
        }
    }
}
