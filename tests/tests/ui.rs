//! Diagnostics, each written in its fixture beneath the columns that it underlines:
//!
//! ```text
//!     variables { peers: HashSet<NodeId>; }
//! //~                    ^^^^^^^ E0301: `HashSet` cannot be stored in a variable
//! //~ help: use `BTreeSet`: it has one order, in every run
//! ```
//!
//! What is found in a file that a fixture imports is written behind its last line. Imported files stand in folders.
//!
//! `ui/fail` has errors, `ui/warn` warnings alone, `ui/pass` nothing at all. `FORESEE_BLESS=1` writes what comes out into
//! the fixtures; look at the difference before you keep it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use foresee_compiler::codes;
use foresee_compiler::compile;
use foresee_compiler::diag::{Diagnostic, Diagnostics};
use foresee_compiler::import::Library;
use foresee_compiler::source::{SOURCE_BYTES_MAX, SourceFile, Span};

const MARK: &str = "//~";
/// How many fixtures there are at least.
const FIXTURES_MIN: usize = 150;

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "mace"));
    paths.sort();
    paths
}

/// The files beside a fixture.
struct Beside<'a>(&'a Path);

impl Library for Beside<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.0.with_file_name(path))
    }
}

/// What comes out of a file: nothing but the reason where its bytes are no text of a specification.
fn diagnostics(path: &Path, bytes: Vec<u8>) -> (SourceFile, Diagnostics) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match SourceFile::from_bytes(name.clone(), bytes) {
        Ok(source) => {
            let loaded = compile::load(source, &Beside(path));
            let diagnostics = compile::look(&loaded);
            (loaded.source, diagnostics)
        }
        Err(error) => (SourceFile::new(name, ""), error.into()),
    }
}

/// A fixture with the diagnostics that come out, in place of those that are written.
fn annotated(path: &Path, bytes: &[u8]) -> (Vec<u8>, Diagnostics) {
    let marked = |line: &&[u8]| !line.starts_with(MARK.as_bytes());
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').filter(marked).collect();
    let (source, found) = diagnostics(path, lines.concat());
    let mut out = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.push(b'\n');
        }
        let mut marks = String::new();
        let here = |one: &&Diagnostic| {
            source.file_at(one.span.start) == 0 && source.line_column(one.span.start).line == index + 1
        };
        for one in found.iter().filter(here) {
            annotate(&mut marks, &source, one);
        }
        out.extend_from_slice(marks.as_bytes());
    }
    for one in found.iter().filter(|one| source.file_at(one.span.start) > 0) {
        let (file, place) = (source.name_at(one.span.start), source.line_column(one.span.start));
        let mark = format!("{MARK} {file}:{}:{} {}: {}\n", place.line, place.column, one.code, one.message);
        out.extend_from_slice(mark.as_bytes());
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
        let bytes = fs::read(&path).expect("a fixture can be read");
        let (expected, found) = annotated(&path, &bytes);
        let shown = String::from_utf8_lossy(&expected);
        if !holds(&found) {
            let _ = writeln!(wrong, "{} does not belong into ui/{folder}:\n{shown}", path.display());
        } else if expected != bytes && bless {
            fs::write(&path, expected).expect("a fixture can be written");
        } else if expected != bytes {
            let _ = writeln!(wrong, "{} says something else; what comes out is:\n{shown}", path.display());
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
    check("run", Diagnostics::is_empty);
    for path in ["ping", "two_phase_commit", "two_phase_commit_broken"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../specs/{path}.mace"));
        let (_, found) = diagnostics(&path, fs::read(&path).expect("a spec can be read"));
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn every_example_of_a_code_provokes_it() {
    let mut wrong = Vec::new();
    for code in codes::ALL.iter().filter(|code| !code.example.is_empty()) {
        let (_, found) = diagnostics(Path::new("example.mace"), code.example.into());
        if !found.iter().any(|one| one.code == code.code) {
            let codes: Vec<_> = found.iter().map(|one| (one.code, &one.message)).collect();
            wrong.push(format!("{}: {} gives {codes:?}", code.code, code.example));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes that no file of text can provoke, and the test that does.
const WITHOUT_FIXTURE: [(&str, &str); 5] = [
    ("E0004", "a_file_beyond_all_bounds_is_refused_unread"),
    ("E0009", "tests/cli.rs: files_that_are_no_specs_are_refused_at_once"),
    ("E0010", "cli/src/decide.rs: mistakes_have_their_field_and_their_place"),
    ("E0011", "cli/src/decide.rs: mistakes_have_their_field_and_their_place"),
    ("E0012", "cli/src/experiment/plan.rs: mistakes_have_their_place"),
];

#[test]
fn every_code_has_a_fixture_that_says_where_it_stands() {
    let marked = |folder: &str| -> Vec<String> {
        let texts = fixtures(folder).into_iter().map(|it| fs::read(it).expect("a fixture can be read"));
        let lines = texts.flat_map(|it| {
            let text = String::from_utf8_lossy(&it).into_owned();
            text.lines().filter_map(|it| it.strip_prefix(MARK)).map(str::to_owned).collect::<Vec<_>>()
        });
        lines.collect()
    };
    let (errors, warnings) = (marked("fail"), marked("warn"));
    let mut without = Vec::new();
    for code in codes::ALL {
        let lines = if code.code.starts_with('W') { &warnings } else { &errors };
        let here = format!(" {}: ", code.code);
        let exempt =
            WITHOUT_FIXTURE.iter().any(|it| it.0 == code.code) || codes::OF_ENGINES.contains(&code.code);
        if lines.iter().any(|line| line.contains(&here)) == exempt {
            without.push(code.code);
        }
    }
    assert!(without.is_empty(), "no fixture, or one and an exemption: {without:?}");
}

#[test]
fn a_file_beyond_all_bounds_is_refused_unread() {
    // Zeroed memory that nobody touches takes no room.
    let huge = vec![0; SOURCE_BYTES_MAX + 1];
    let error = SourceFile::from_bytes("huge.mace", huge).expect_err("it is too large");
    assert_eq!((error.code, error.span), ("E0004", Span::default()));
}

#[test]
fn fixtures_are_many_and_none_says_what_another_does() {
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in ["fail", "warn", "pass", "run"].into_iter().flat_map(fixtures) {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a fixture can be read")).into_owned();
        // The opening comment apart, which says what it is about.
        let code: String = text.lines().filter(|line| !line.starts_with("//")).map(str::trim).collect();
        let name = path.display().to_string();
        if let Some(other) = seen.insert(if code.is_empty() { name.clone() } else { code }, path) {
            panic!("{name} is {} again", other.display());
        }
    }
    assert!(seen.len() >= FIXTURES_MIN, "{} fixtures", seen.len());
}
