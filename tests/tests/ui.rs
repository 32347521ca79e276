//! Diagnostics, each written in its fixture beneath the columns that it underlines:
//!
//! ```text
//!     variables { peers: HashSet<NodeId>; }
//! //~                    ^^^^^^^ E0301: `HashSet` cannot be stored in a variable
//! //~ help: use `BTreeSet`: it has one order, in every run
//! ```
//!
//! `ui/fail` has errors, `ui/warn` warnings alone, `ui/pass` nothing at all. `FORESEE_BLESS=1` writes what comes out into
//! the fixtures; look at the difference before you keep it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use foresee_compiler::codes;
use foresee_compiler::compile;
use foresee_compiler::diag::{Diagnostic, Diagnostics};
use foresee_compiler::source::SourceFile;

const MARK: &str = "//~";

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "mace"));
    paths.sort();
    paths
}

fn diagnostics(path: &Path, text: &str) -> (SourceFile, Diagnostics) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let source = SourceFile::new(name, text);
    let (_, diagnostics) = compile::front(&source);
    (source, diagnostics)
}

/// A fixture with the diagnostics that come out, in place of those that are written.
fn annotated(path: &Path, text: &str) -> (String, Diagnostics) {
    let plain: String =
        text.lines().filter(|line| !line.starts_with(MARK)).flat_map(|line| [line, "\n"]).collect();
    let (source, found) = diagnostics(path, &plain);
    let mut out = String::new();
    for (index, line) in plain.lines().enumerate() {
        let _ = writeln!(out, "{line}");
        for one in found.iter().filter(|one| source.line_column(one.span.start).line == index + 1) {
            annotate(&mut out, &source, one);
        }
    }
    (out, found)
}

fn annotate(out: &mut String, source: &SourceFile, one: &Diagnostic) {
    let (start, end) = (source.line_column(one.span.start), source.line_column(one.span.end));
    let line = source.line(start.line).unwrap_or("");
    let last = if end.line == start.line { end.column } else { line.chars().count() + 1 };
    let width = last.saturating_sub(start.column).max(1);
    // A place that the mark would cover is given by its columns.
    match start.column.checked_sub(MARK.len() + 1) {
        Some(spaces) => {
            let _ = write!(out, "{MARK}{}{}", " ".repeat(spaces), "^".repeat(width));
        }
        None => {
            let _ = write!(out, "{MARK} {}..{}", start.column, start.column + width);
        }
    }
    let _ = writeln!(out, " {}: {}", one.code, one.message);
    for help in &one.help {
        let _ = writeln!(out, "{MARK} help: {help}");
    }
}

/// Compares the fixtures of a folder with what comes out, or rewrites them.
fn check(folder: &str, holds: impl Fn(&Diagnostics) -> bool) {
    let bless = std::env::var_os("FORESEE_BLESS").is_some();
    let mut wrong = String::new();
    for path in fixtures(folder) {
        let text = fs::read_to_string(&path).expect("a fixture is text");
        let (expected, found) = annotated(&path, &text);
        if !holds(&found) {
            let _ = writeln!(wrong, "{} does not belong into ui/{folder}:\n{expected}", path.display());
        } else if expected != text && bless {
            fs::write(&path, expected).expect("a fixture can be written");
        } else if expected != text {
            let _ = writeln!(wrong, "{} says something else; what comes out is:\n{expected}", path.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nrun with FORESEE_BLESS=1 to take this over");
}

#[test]
fn mistakes_are_reported_where_they_are() {
    check("fail", Diagnostics::has_errors);
}

#[test]
fn suspicious_things_are_warned_about() {
    check("warn", |found| !found.is_empty() && !found.has_errors());
}

#[test]
fn good_specs_pass_in_silence() {
    check("pass", Diagnostics::is_empty);
    for path in ["ping", "two_phase_commit", "two_phase_commit_broken"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../specs/{path}.mace"));
        let (_, found) = diagnostics(&path, &fs::read_to_string(&path).expect("a spec is text"));
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn every_example_of_a_code_provokes_it() {
    let mut wrong = Vec::new();
    for code in codes::ALL.iter().filter(|code| !code.example.is_empty() && code.code > "E02") {
        let (_, found) = diagnostics(Path::new("example.mace"), code.example);
        if !found.iter().any(|one| one.code == code.code) {
            let codes: Vec<_> = found.iter().map(|one| (one.code, &one.message)).collect();
            wrong.push(format!("{}: {} gives {codes:?}", code.code, code.example));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_without_an_example_has_a_fixture() {
    let texts: Vec<String> = ["fail", "warn"]
        .iter()
        .flat_map(|it| fixtures(it))
        .map(|it| fs::read_to_string(it).expect("text"))
        .collect();
    for code in codes::ALL.iter().filter(|code| code.code > "E02") {
        let marked = format!("{}: ", code.code);
        assert!(!code.example.is_empty() || texts.iter().any(|text| text.contains(&marked)), "{}", code.code);
    }
}
