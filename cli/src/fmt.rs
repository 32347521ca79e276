//! `foresee fmt`: specs in the one layout. A file that does not parse is never written.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use foresee_compiler::print;
use foresee_compiler::source::SourceFile;
use serde_json::json;

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::report::Report;

/// Formats every file in place, where that changes it; `-` is standard input, whose text goes to standard output, and a
/// folder stands for the specs in it. With `check` nothing is written, and the names of files that would change are listed.
pub fn run(files: &[PathBuf], check: bool, stdin: &mut dyn Read, report: &mut Report<'_>) -> Outcome {
    let mut exit = Exit::Held;
    for path in &input::specs(files)? {
        let standard = path.as_os_str() == "-";
        let read = if standard { from_stdin(stdin)? } else { input::read(path) };
        exit = exit.and(match read {
            Ok(file) => formatted(path, standard, &file, check, report)?,
            Err(unusable) => {
                report.unusable(&unusable)?;
                Exit::Usage
            }
        });
    }
    Ok(exit)
}

fn formatted(
    path: &Path,
    standard: bool,
    file: &SourceFile,
    check: bool,
    report: &mut Report<'_>,
) -> Outcome {
    let text = match print::format(file) {
        Ok(text) => text,
        Err(diagnostics) => {
            report.show(&diagnostics, file)?;
            return Ok(Exit::Usage);
        }
    };
    let changed = text != file.text;
    match (check, standard) {
        (true, _) if changed => {
            match report.format {
                Format::Text => writeln!(report.out, "{}", file.name)?,
                Format::Json => writeln!(report.out, "{}", json!({ "file": file.name, "formatted": false }))?,
            }
            return Ok(Exit::Violated);
        }
        (true, _) => {}
        (false, true) => write!(report.out, "{text}")?,
        (false, false) if changed => replace(path, &text)?,
        (false, false) => {}
    }
    Ok(Exit::Held)
}

fn from_stdin(stdin: &mut dyn Read) -> Result<Result<SourceFile, Box<input::Unusable>>, Failure> {
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes).map_err(|error| format!("cannot read standard input: {error}"))?;
    Ok(input::of_bytes("<stdin>", bytes))
}

/// Writes beside the file and renames, so that no interruption leaves half a spec. A link stays a link.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::Told(format!("{}: {error}", path.display()));
    let target = path.canonicalize().map_err(told)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = target.with_file_name(format!(".{name}.{}.fmt", std::process::id()));
    let permissions = fs::metadata(&target).map_err(told)?.permissions();
    // A file that may not be written is left alone, though its folder would allow a new one.
    if permissions.readonly() {
        return Err(Failure::Told(format!("{}: the file may not be written", path.display())));
    }
    let written = fs::write(&beside, text)
        .and_then(|()| fs::set_permissions(&beside, permissions))
        .and_then(|()| fs::rename(&beside, &target));
    written.map_err(|error| {
        // Best effort: the error that counts is told.
        let _ = fs::remove_file(&beside);
        told(error)
    })
}

#[cfg(test)]
mod tests {
    use foresee_compiler::render::Style;

    use super::*;

    const UGLY: &str = "service   A{states{B,C}}\n";

    fn told(files: &[PathBuf], check: bool, stdin: &str) -> (Exit, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut report = Report { format: Format::Text, out: &mut out, err: &mut err, style: Style::Plain };
        let exit = run(files, check, &mut stdin.as_bytes(), &mut report).unwrap();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn files_are_written_only_where_they_change_and_never_where_they_are_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let (ugly, wrong) = (folder.path().join("ugly.mace"), folder.path().join("wrong.mace"));
        fs::write(&ugly, UGLY).unwrap();
        fs::write(&wrong, "service A { states { B C }").unwrap();

        let (exit, out, _) = told(std::slice::from_ref(&ugly), true, "");
        assert_eq!((exit, out.trim_end()), (Exit::Violated, ugly.to_str().unwrap()));
        assert_eq!(fs::read_to_string(&ugly).unwrap(), UGLY);

        let (exit, out, err) = told(&[ugly.clone(), wrong.clone()], false, "");
        assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
        assert!(err.contains("wrong.mace"), "{err}");
        assert_eq!(fs::read_to_string(&wrong).unwrap(), "service A { states { B C }");
        assert_ne!(fs::read_to_string(&ugly).unwrap(), UGLY);

        let written = fs::metadata(&ugly).unwrap().modified().unwrap();
        assert_eq!(told(std::slice::from_ref(&ugly), false, "").0, Exit::Held);
        assert_eq!(fs::metadata(&ugly).unwrap().modified().unwrap(), written);
        assert_eq!(told(std::slice::from_ref(&ugly), true, "").0, Exit::Held);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn a_folder_stands_for_the_specs_in_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        for name in ["b.mace", "a.txt", "below/c.mace"] {
            fs::write(folder.path().join(name), UGLY).unwrap();
        }
        let (exit, out, _) = told(&[folder.path().to_owned()], true, "");
        assert_eq!((exit, out.lines().count()), (Exit::Violated, 2), "{out}");
        assert_eq!(told(&[folder.path().to_owned()], false, "").0, Exit::Held);
        assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), UGLY);
        assert_eq!(told(&[folder.path().to_owned()], true, "").0, Exit::Held);
    }

    #[test]
    fn standard_input_goes_to_standard_output() {
        let dash = [PathBuf::from("-")];
        let (exit, out, _) = told(&dash, false, UGLY);
        assert_eq!(exit, Exit::Held);
        assert_eq!(told(&dash, false, &out), (Exit::Held, out.clone(), String::new()));
        assert_eq!(told(&dash, true, UGLY).0, Exit::Violated);
        let (exit, out, err) = told(&dash, false, "service {");
        assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
        assert!(err.contains("<stdin>"), "{err}");
    }
}
