//! `foresee test`: runs the scenarios of specs, wherever they stand.
//!
//! The front end looks at every spec first, and what it finds is shown as `foresee check` shows it. Specs with scenarios
//! then become programs (`test/program.rs`), all in one build where they can be, and each scenario is run by a process
//! of its own, so that one that dies takes no other with it. A spec that has errors does not keep others from being run.

mod cargo;
mod played;
mod program;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use foresee_compiler::build::module_name;
use foresee_compiler::compile;
use foresee_compiler::import::{Disk, Loaded};
use serde_json::json;

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::report::Report;

/// A spec whose scenarios are to be run.
struct Spec {
    /// The name of the file in messages.
    shown: String,
    /// Where it is.
    path: PathBuf,
    /// The module that it becomes.
    module: String,
    /// The names of the scenarios to run, in the order of the file.
    scenarios: Vec<String>,
    /// The file with all that it imports.
    loaded: Loaded,
}

/// Runs the scenarios of the specs at `paths`, files and folders, or of the package here where there are none: those whose name,
/// `module::scenario`, contains `filter`.
///
/// # Errors
/// No spec or scenario to run, cargo that cannot be started, a cache that cannot be written.
pub fn run(paths: &[PathBuf], filter: Option<&str>, report: &mut Report<'_>) -> Outcome {
    let here = [package_here()];
    let paths = match (paths, &here) {
        ([], [Some(package)]) => std::slice::from_ref(package),
        ([], [None]) => {
            return Err("there is no package here: name specs, or folders with some".to_owned().into());
        }
        _ => paths,
    };
    let files = input::specs(paths)?;
    if files.is_empty() {
        let names = paths.iter().map(|path| input::name(path)).collect::<Vec<_>>().join(", ");
        return Err(format!("there is no spec in {names}").into());
    }
    let (specs, mut exit) = specs(&files, filter, report)?;
    if let (Some(filter), true, Exit::Held) = (filter, specs.is_empty(), exit) {
        return Err(format!("no scenario has `{filter}` in its name").into());
    }
    let (mut passed, mut failed, mut unbuilt) = (0, 0, 0);
    let programs = if specs.is_empty() { vec![] } else { program::programs(&specs, report)? };
    for (spec, program) in specs.iter().zip(programs) {
        let Some(program) = program else {
            unbuilt += 1;
            exit = exit.and(Exit::Usage);
            continue;
        };
        for scenario in &spec.scenarios {
            let played = played::play(&program, spec, scenario)?;
            if played.passed() {
                passed += 1
            } else {
                failed += 1
            }
            exit = exit.and(played.exit());
            played.show(spec, scenario, report)?;
        }
    }
    match report.format {
        Format::Text => {
            let unbuilt = if unbuilt > 0 { format!(", {unbuilt} not built") } else { String::new() };
            let specs = if specs.len() == 1 { "1 spec".to_owned() } else { format!("{} specs", specs.len()) };
            writeln!(report.out, "{passed} passed, {failed} failed in {specs}{unbuilt}")?;
        }
        Format::Json => {
            let all = json!({ "specs": specs.len(), "passed": passed, "failed": failed, "unbuilt": unbuilt });
            writeln!(report.out, "{all}")?;
        }
    }
    Ok(exit)
}

/// The folder of the package that this folder is in.
fn package_here() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let package = here.ancestors().find(|folder| is_package(folder))?;
    // As a user would write it, where that is short.
    Some(if package == here { PathBuf::from(".") } else { package.to_path_buf() })
}

/// Whether a folder is that of a package with a build script, and not of a workspace alone.
fn is_package(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file() && folder.join("build.rs").is_file()
}

/// The specs that have scenarios to run. What is wrong with any of the files is shown.
fn specs(
    files: &[PathBuf],
    filter: Option<&str>,
    report: &mut Report<'_>,
) -> Result<(Vec<Spec>, Exit), Failure> {
    let (mut found, mut exit, mut seen) = (vec![], Exit::Held, BTreeSet::new());
    for file in files {
        let path = file.canonicalize().unwrap_or_else(|_| file.clone());
        if !seen.insert(path.clone()) {
            continue;
        }
        let source = match input::read(file) {
            Ok(source) => source,
            Err(unusable) => {
                report.unusable(&unusable)?;
                exit = Exit::Usage;
                continue;
            }
        };
        let shown = source.name.clone();
        let loaded = compile::load(source, &Disk);
        let diagnostics = compile::look(&loaded);
        report.show(&diagnostics, &loaded.source)?;
        if diagnostics.has_errors() {
            exit = Exit::Usage;
            continue;
        }
        let names = loaded.files[0].ast.scenarios().map(|scenario| scenario.name.name.clone());
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            continue;
        }
        let Some(module) = module_name(file) else {
            let message =
                "the name of a spec becomes a Rust module: letters, digits and `_`, such as `ping.mace`";
            return Err(format!("{shown}: {message}").into());
        };
        let wanted = |name: &String| filter.is_none_or(|filter| format!("{module}::{name}").contains(filter));
        let scenarios: Vec<String> = names.into_iter().filter(wanted).collect();
        if !scenarios.is_empty() {
            found.push(Spec { shown, path, module, scenarios, loaded });
        }
    }
    Ok((found, exit))
}

/// A text without the path of this folder before the names of files.
fn from_here(text: &str) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    match here.map(|here| input::name(&here)) {
        Ok(here) if here.len() > 1 => text.replace(&format!("{here}/"), ""),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use foresee_compiler::render::Style;

    use super::*;

    fn told(paths: &[PathBuf], filter: Option<&str>) -> (Result<Exit, String>, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut report = Report { format: Format::Text, out: &mut out, err: &mut err, style: Style::Plain };
        let outcome = run(paths, filter, &mut report).map_err(|failure| match failure {
            Failure::Told(message) => message,
            Failure::Unread => String::new(),
        });
        (outcome, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn what_cannot_be_run_is_told_before_anything_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let wrong = write("wrong.mace", "service A { states { B, B } }");
        let quiet = write("quiet.mace", "service A { }");
        let (outcome, _, _) = told(&[empty], None);
        assert!(outcome.unwrap_err().contains("no spec in"));
        let (outcome, out, err) = told(&[wrong, quiet.clone()], None);
        assert_eq!((outcome, out.as_str()), (Ok(Exit::Usage), "0 passed, 0 failed in 0 specs\n"));
        assert!(err.contains("wrong.mace:1:25"), "{err}");
        let (outcome, _, _) = told(&[quiet], Some("never"));
        assert!(outcome.unwrap_err().contains("`never`"));
    }
}
