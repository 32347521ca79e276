//! The rules of `ARCHITECTURE.md` that a look at manifests and sources can enforce: which crate depends on which, who
//! names which library, how files begin and how long they are, what never stands in tracked text.
//!
//! Every test gathers all it finds before it fails. It reads the working tree and never writes. Rules about behaviour
//! are enforced where the behaviour is; `ARCHITECTURE.md` names the test for each.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::root;
use foresee_compiler::compile::to_rust;
use foresee_compiler::source::SourceFile;
use serde_json::Value;

/// Who may depend on whom, among our own crates and in the manifests' ordinary and build dependencies.
const ARROWS: &[(&str, &[&str])] = &[
    ("foresee-compiler", &[]),
    ("foresee-macros", &["foresee-compiler"]),
    ("foresee-benches", &["foresee-compiler"]),
    ("foresee-cli", &["foresee-compiler", "foresee-decide"]),
    ("foresee-derive", &[]),
    ("foresee-net", &[]),
    ("foresee-decide", &[]),
    ("foresee-kernel", &[]),
    ("foresee-world", &["foresee-kernel", "foresee-net"]),
    ("foresee-check", &["foresee-kernel", "foresee-world"]),
    ("foresee-sim", &["foresee-kernel", "foresee-net", "foresee-world"]),
    (
        "foresee-predict",
        &[
            "foresee-kernel",
            "foresee-world",
            "foresee-check",
            "foresee-sim",
            "foresee-decide",
            "foresee-measure",
        ],
    ),
    ("foresee-measure", &["foresee-kernel", "foresee-decide"]),
    ("foresee-live", &["foresee-kernel", "foresee-measure", "foresee-net"]),
];

/// The crates of the compiler's side. `foresee-cli` is one of them: it builds specs and runs none. So are the benches: the engines
/// that they measure are programs to them.
const COMPILER: &[&str] = &["foresee-compiler", "foresee-macros", "foresee-cli", "foresee-benches"];

/// Pure mathematics, which belongs to neither side.
const NEUTRAL: &str = "foresee-decide";

/// The crates that never meet an asynchronous runtime or a socket, not even through others.
const PURE: &[&str] = &[
    "foresee-kernel",
    "foresee-net",
    "foresee-world",
    "foresee-check",
    "foresee-sim",
    "foresee-decide",
    "foresee-measure",
    "foresee-predict",
];

/// What a pure crate never has beneath it.
const IMPURE: &[&str] = &["tokio", "async-std", "smol", "mio", "socket2", "quinn"];

/// Where files are long for a reason, their header says so in these words.
const LONG_BECAUSE: &str = "is long because";

/// The most lines of a file whose header does not say why it is longer.
const LINES_MAX: usize = 700;

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The crates of this workspace that each crate of it names, in dependencies of the given kinds (`normal`, `build`, `dev`).
fn own_dependencies(kinds: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata(&["--no-deps"]);
    let packages = list(&metadata, "packages");
    let own: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let named = |package: &Value| {
        let dependencies = list(package, "dependencies").iter();
        let kept = dependencies.filter(|it| kinds.contains(&it["kind"].as_str().unwrap_or("normal")));
        kept.map(|it| text(it, "name")).filter(|name| own.contains(name)).map(str::to_owned).collect()
    };
    packages.iter().map(|package| (text(package, "name").to_owned(), named(package))).collect()
}

/// Every file of the working tree that is ours: no build output, nothing hidden but the CI script.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && (!name.starts_with('.') || name == ".ci") {
                files(&path, found);
            }
        } else if name != ".git" {
            // In a linked work tree `.git` is a file, and none of ours.
            found.push(path);
        }
    }
}

/// The sources of our crates with their paths from the root and their texts. Fixtures of the compiler are not sources.
fn sources() -> Vec<(String, String)> {
    tracked()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs") && !path.starts_with("tests/ui/"))
        .collect()
}

/// Every text file of ours, with its path from the root.
fn tracked() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(root(), &mut found);
    let relative =
        |path: &Path| path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
    let read =
        |path: PathBuf| Some((relative(&path).replace('\\', "/"), std::fs::read_to_string(path).ok()?));
    found.into_iter().filter_map(read).collect()
}

/// The code of a source: what stands before comments, line by line. Good enough to look for names of crates.
fn code(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source.lines().enumerate().map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
}

/// Whether `line` uses the crate `name` in a path.
fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let starts = line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '"' || c == '`')
    });
    starts || line.trim_start().starts_with(&format!("use {name};"))
}

fn check(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn crates_depend_along_the_arrows_alone() {
    let mut problems = Vec::new();
    for (name, dependencies) in own_dependencies(&["normal", "build"]) {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else { continue };
        for dependency in dependencies.iter().filter(|it| !allowed.contains(&it.as_str())) {
            problems.push(format!("{name} must not depend on {dependency}"));
        }
    }
    check(&problems);
}

#[test]
fn the_compiler_and_the_runtime_never_depend_on_each_other() {
    let mut problems = Vec::new();
    // Test dependencies too: what the two have in common is tested in crates of its own.
    for (name, dependencies) in own_dependencies(&["normal", "build", "dev"]) {
        let compiler = COMPILER.contains(&name.as_str());
        // The tests' own crate is where both are brought together.
        let ours = name.starts_with("foresee") && name != "foresee-tests";
        for dependency in dependencies.iter().filter(|it| it.starts_with("foresee") && *it != NEUTRAL) {
            if ours && compiler != COMPILER.contains(&dependency.as_str()) {
                problems.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    check(&problems);
}

#[test]
fn every_crate_of_ours_has_its_arrows_written_down() {
    let free = ["foresee", "foresee-app", "foresee-tests"];
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).chain(free).collect();
    let own = own_dependencies(&["normal"]);
    let missing = own.keys().filter(|name| name.starts_with("foresee") && !known.contains(name.as_str()));
    check(&missing.map(|name| format!("{name} is not in ARROWS")).collect::<Vec<_>>());
}

#[test]
fn pure_crates_have_no_runtime_and_no_socket_beneath_them() {
    let host = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let host = String::from_utf8_lossy(&host.stdout).into_owned();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let metadata = metadata(&["--filter-platform", host]);
    let packages = list(&metadata, "packages").iter();
    let names: BTreeMap<&str, &str> = packages.map(|it| (text(it, "id"), text(it, "name"))).collect();
    let nodes = list(&metadata["resolve"], "nodes").iter();
    let nodes: BTreeMap<&str, &Value> = nodes.map(|it| (text(it, "id"), it)).collect();
    let linked = |id: &str| -> Vec<&str> {
        let dependencies = nodes.get(id).map_or(&[][..], |node| list(node, "deps")).iter();
        let linked =
            dependencies.filter(|it| list(it, "dep_kinds").iter().any(|kind| kind["kind"].is_null()));
        linked.map(|it| text(it, "pkg")).collect()
    };
    let mut problems = Vec::new();
    for (id, name) in names.iter().filter(|(_, name)| PURE.contains(name)) {
        let (mut seen, mut open) = (BTreeSet::from([*id]), vec![*id]);
        while let Some(next) = open.pop() {
            if IMPURE.contains(&names[next]) {
                problems.push(format!("{name} links {}", names[next]));
            }
            open.extend(linked(next).into_iter().filter(|it| seen.insert(it)).collect::<Vec<_>>());
        }
    }
    check(&problems);
}

#[test]
fn libraries_of_one_stage_are_named_in_that_stage_alone() {
    // (a library, the folders or files below `compiler/src` that may name it)
    let rules: &[(&str, &[&str])] = &[
        ("pest", &["parse", "parse.rs"]),
        ("pest_derive", &["parse", "parse.rs"]),
        ("annotate_snippets", &["diag", "diag.rs", "render.rs"]),
        ("prettyplease", &["emit", "emit.rs"]),
    ];
    let mut problems = Vec::new();
    for (path, source) in sources() {
        let Some(inside) = path.strip_prefix("compiler/src/") else { continue };
        let room = inside.split('/').next().unwrap_or_default();
        for (library, rooms) in rules.iter().filter(|(_, rooms)| !rooms.contains(&room)) {
            for (line, _) in code(&source).filter(|(_, line)| names_crate(line, library)) {
                problems.push(format!("{path}:{line} names {library}; only {} may", rooms.join(", ")));
            }
        }
    }
    check(&problems);
}

#[test]
fn code_generation_never_sees_the_syntax_tree() {
    let mut problems = Vec::new();
    for (path, source) in sources() {
        if path.starts_with("compiler/src/codegen") {
            for (line, _) in
                code(&source).filter(|(_, line)| line.contains("crate::ast") || line.contains(" ast::"))
            {
                problems.push(format!("{path}:{line} names the syntax tree"));
            }
        }
    }
    check(&problems);
}

#[test]
fn generated_code_names_no_crate_but_foresee_and_std() {
    let mut problems = Vec::new();
    let mut seen = 0;
    for (path, text) in tracked() {
        let spec = path.starts_with("specs/") || path.starts_with("tests/ui/run/");
        if !spec || !path.ends_with(".mace") {
            continue;
        }
        let source = SourceFile::new(path.clone(), text.as_str());
        let Ok((rust, _)) = to_rust(&source, "spec") else { continue };
        seen += 1;
        for (line, code) in code(&rust) {
            for named in crates_named(code).filter(|it| !["foresee", "std"].contains(it)) {
                problems.push(format!("{path}: line {line} of its Rust names {named}"));
            }
        }
    }
    assert!(seen > 0, "no spec becomes Rust");
    check(&problems);
}

/// The crates that stand at the start of absolute paths in `line`.
fn crates_named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("::").filter_map(|(at, _)| {
        let before = line[..at].chars().next_back();
        let continues = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '>');
        let rest = &line[at + 2..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        (!continues && end > 0).then_some(&rest[..end])
    })
}

#[test]
fn every_source_opens_with_what_it_does() {
    let mut problems = Vec::new();
    for (path, source) in sources() {
        if !source.starts_with("//! ") {
            problems.push(format!("{path} does not open with `//! `"));
        }
    }
    check(&problems);
}

#[test]
fn long_sources_say_why() {
    let mut problems = Vec::new();
    for (path, source) in sources() {
        let lines = source.lines().count();
        let header: String = source.lines().take_while(|line| line.starts_with("//!")).collect();
        if lines > LINES_MAX && !header.contains(LONG_BECAUSE) {
            problems
                .push(format!("{path} has {lines} lines, and its header does not say \"{LONG_BECAUSE}\""));
        }
    }
    check(&problems);
}

#[test]
fn no_path_of_a_machine_stands_in_tracked_text() {
    // Put together here, so that this file does not contain them.
    let foreign: Vec<String> =
        ["work", "root", "home", "Users", "tmp/bash"].map(|it| format!("/{it}/")).into();
    let mut problems = Vec::new();
    for (path, content) in tracked() {
        for (index, line) in content.lines().enumerate() {
            if let Some(found) = foreign.iter().find(|it| line.contains(it.as_str())) {
                problems.push(format!("{path}:{} contains {found}", index + 1));
            }
        }
    }
    check(&problems);
}

#[test]
fn nothing_is_left_unfinished_in_sources() {
    let marks: Vec<String> =
        ["TO DO", "FIX ME", "todo !(", "unimplemented !("].map(|it| it.replace(' ', "")).into();
    let mut problems = Vec::new();
    for (path, source) in sources() {
        for (index, line) in source.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(mark.as_str())) {
                problems.push(format!("{path}:{} contains {mark}", index + 1));
            }
        }
    }
    check(&problems);
}

#[test]
fn the_tests_that_the_architecture_names_exist() {
    let architecture =
        std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let mut problems = Vec::new();
    let mut named = 0;
    // Tests stand there as `path/to/file.rs::name_of_test`.
    for word in architecture.split('`').filter(|word| word.contains(".rs::")) {
        let (file, test) = word.split_once("::").expect("the word contains it");
        let source = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        named += 1;
        if !source.contains(&format!("fn {test}(")) {
            problems.push(format!("`{word}` does not exist"));
        }
    }
    assert!(named > 0, "ARCHITECTURE.md names no tests");
    check(&problems);
}
