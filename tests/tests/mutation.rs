//! A type error in any body of a handler is reported at its file, line and column.
//!
//! A copy of a spec gets one in every handler, and a crate outside the workspace is made of such copies: rustc reports all errors
//! of one compilation, so that one run is about every handler. The suite takes a sample; `--ignored` takes every spec of
//! the repository that compiles.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{foresee, root, run, target};
use foresee_compiler::ast::{Ast, Transition};
use foresee_compiler::compile;
use foresee_compiler::import::Disk;
use foresee_compiler::source::{LineColumn, SourceFile};
use serde_json::Value;

/// What is put into each body. The error stands at the number.
const WRONG: &str = " let wrong_type: bool = 1u8; ";

/// What specs use of the application.
const APPLICATION: &str = "
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, foresee::Value)]
pub struct Foreign(pub u8);
";

/// A place as rustc names it.
type Place = (String, usize, usize);

fn collect<'a>(transitions: impl IntoIterator<Item = &'a Transition>, bodies: &mut Vec<usize>) {
    for transition in transitions {
        match transition {
            Transition::Handler(it) => bodies.push(it.body.span.start as usize + 1),
            Transition::In(group) => collect(&group.transitions, bodies),
            Transition::First(group) => collect(&group.transitions, bodies),
            Transition::Ignore(_) => {}
        }
    }
}

/// The text with a type error in every handler.
fn mutated(text: &str, ast: &Ast) -> String {
    let mut bodies = vec![];
    ast.services().for_each(|service| collect(service.transitions(), &mut bodies));
    let mut text = text.to_owned();
    bodies.sort();
    bodies.into_iter().rev().for_each(|at| text.insert_str(at, WRONG));
    text
}

/// Where the errors stand in a mutated text.
fn places(name: &str, text: &str) -> BTreeSet<Place> {
    let file = SourceFile::new(name, text);
    let wrong = text.match_indices(WRONG).map(|(at, _)| {
        let at = at + WRONG.find("1u8").expect("the number");
        let LineColumn { line, column } = file.line_column(at as u32);
        (format!("specs/{name}"), line, column)
    });
    wrong.collect()
}

/// The specs of the repository that compile and have handlers, by the names that they get.
fn specs() -> Vec<(PathBuf, String)> {
    let folders = ["specs", "tests/ui/run"];
    let mut specs = vec![];
    for folder in folders {
        let entries = fs::read_dir(root().join(folder)).expect("a folder of specs");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|it| it == "mace"));
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).expect("a spec is text");
            let loaded = compile::load(SourceFile::new(path.to_string_lossy(), text), &Disk);
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            if !compile::look(&loaded).has_errors() && !specs.iter().any(|(_, known)| *known == name) {
                specs.push((path, name));
            }
        }
    }
    specs
}

/// Makes a crate of mutated copies.
fn project(folder: &Path, name: &str, specs: &[(PathBuf, String)]) -> (PathBuf, BTreeSet<Place>) {
    let ran = run(foresee().args(["new", name]).current_dir(folder));
    assert_eq!(ran.code, 0, "{ran:?}");
    let project = folder.join(name);
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).expect("it can be copied");
    let write = |path: &str, text: &str| fs::write(project.join(path), text).expect("it can be written");
    let mut expected = BTreeSet::new();
    let (mut listed, mut included) = (String::new(), String::new());
    for (path, name) in specs {
        let text = fs::read_to_string(path).expect("a spec is text");
        let (ast, _) = compile::front(&SourceFile::new(name.as_str(), text.as_str()));
        let text = mutated(&text, &ast);
        expected.extend(places(name, &text));
        write(&format!("specs/{name}"), &text);
        listed.push_str(&format!("\"specs/{name}\", "));
        included.push_str(&format!("foresee::include_spec!({:?});\n", name.trim_end_matches(".mace")));
        let parts = path.with_file_name("parts");
        if parts.is_dir() {
            fs::create_dir_all(project.join("specs/parts")).expect("it can be made");
            for part in fs::read_dir(parts).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                let to = project.join("specs/parts").join(part.file_name().expect("a file"));
                fs::copy(&part, to).expect("it can be copied");
            }
        }
    }
    write(
        "build.rs",
        &format!(
            "fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    foresee_compiler::configure().compile(&[{listed}])?;\n    Ok(())\n}}\n"
        ),
    );
    write("src/main.rs", &format!("{included}{APPLICATION}\nfn main() {{}}\n"));
    let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("the template");
    let serde = "[dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n";
    write("Cargo.toml", &manifest.replacen("[dependencies]\n", serde, 1));
    (project, expected)
}

fn every_mutation_is_reported(name: &str, specs: &[(PathBuf, String)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, expected) = project(folder.path(), name, specs);
    let mut command = foresee();
    command.args(["cargo", "check", "--message-format=json"]).current_dir(&project);
    command
        .env("CARGO_TARGET_DIR", target().join("outside"))
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER");
    let ran = run(&mut command);
    let messages = ran.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let wrong = messages.filter(|it| it["message"]["code"]["code"] == "E0308");
    let spans = wrong.flat_map(|it| it["message"]["spans"].as_array().cloned().unwrap_or_default());
    let number = |value: &Value| value.as_u64().unwrap_or(0) as usize;
    let found: BTreeSet<Place> = spans
        .filter(|span| span["is_primary"] == true)
        .map(|span| {
            let name = span["file_name"].as_str().unwrap_or_default().to_owned();
            (name, number(&span["line_start"]), number(&span["column_start"]))
        })
        .collect();
    assert!(!expected.is_empty() && found == expected, "{found:#?} is not {expected:#?}\n{}", ran.err);
}

#[test]
fn a_type_error_in_a_handler_is_reported_where_it_is() {
    let sample = ["two_phase_commit.mace", "tree.mace", "features.mace", "answers.mace"];
    let specs: Vec<_> = specs().into_iter().filter(|(_, name)| sample.contains(&name.as_str())).collect();
    assert_eq!(specs.len(), sample.len());
    every_mutation_is_reported("mutated", &specs);
}

#[test]
#[ignore = "compiles every spec of the repository"]
fn a_type_error_in_any_handler_of_any_spec_is_reported_where_it_is() {
    every_mutation_is_reported("mutations", &specs());
}
