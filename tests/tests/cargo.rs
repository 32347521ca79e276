//! `foresee cargo ..`: cargo with places in specs, in crates outside the workspace.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ran, binary, cargo_outside, foresee, root, run, target};
use serde_json::Value;

/// A spec with nothing wrong in it, and a function that panics.
const SPEC: &str = "//! One node that counts.

/// Fails on purpose.
pub fn fail(x: u32) -> u32 {
    assert!(x < 3, \"too much\");
    x
}

service Counter {
    variables { count: u32; }
    timers { tick; }
    transitions {
        upcall start() { tick.set(1s); }
        scheduler tick {
            count = (count + 1).min(5);
            tick.set(1s);
        }
    }
    properties { safety small: forall n in nodes: n.count <= 5; }
}

system One { nodes { n: Counter; } }
";

struct Project {
    _folder: tempfile::TempDir,
    path: PathBuf,
    spec: PathBuf,
    name: &'static str,
}

impl Project {
    /// What `foresee new` makes, with another spec. The names differ, since the tests share a target folder.
    fn new(name: &'static str) -> Project {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ran = run(foresee().args(["new", name]).current_dir(folder.path()));
        assert_eq!(ran.code, 0, "{ran:?}");
        let path = folder.path().join(name);
        fs::copy(root().join("Cargo.lock"), path.join("Cargo.lock")).expect("it can be copied");
        let spec = path.join(format!("specs/{name}.mace"));
        let project = Project { _folder: folder, path, spec, name };
        project.write(SPEC);
        project
    }

    fn write(&self, text: &str) {
        fs::write(&self.spec, text).expect("it can be written");
    }

    /// Writes the spec with `found` replaced; line and column of `at` in what replaces it.
    fn edit(&self, found: &str, replaced: &str, at: &str) -> String {
        assert_eq!(SPEC.matches(found).count(), 1, "`{found}` does not stand there once");
        let text = SPEC.replace(found, replaced);
        let offset =
            text.find(replaced).expect("it stands there") + replaced.find(at).expect("it holds the place");
        self.write(&text);
        let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        format!("{}:{}", text[..offset].matches('\n').count() + 1, text[start..offset].chars().count() + 1)
    }

    fn plain(&self, args: &[&str]) -> Ran {
        run(cargo_outside(&self.path).args(args))
    }

    fn cargo(&self, args: &[&str]) -> Ran {
        run(&mut self.foresee_cargo(args))
    }

    fn foresee_cargo(&self, args: &[&str]) -> Command {
        let mut command = foresee();
        command.arg("cargo").args(args).current_dir(&self.path).env("RUST_BACKTRACE", "1");
        command
            .env("CARGO_TARGET_DIR", target().join("outside"))
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER");
        command
    }

    fn place(&self, line_column: &str) -> String {
        format!("specs/{}.mace:{line_column}", self.name)
    }
}

fn has(component: &str) -> bool {
    Command::new(env!("CARGO"))
        .args([component, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn errors_name_the_spec_under_every_command() {
    let project = Project::new("places");
    let at = project.edit("tick.set(1s); }", "tick.set(1s); let a: bool = 1; assert!(a); }", "1; assert");
    let place = project.place(&at);
    let ways: [(&str, Ran); 3] = [
        ("foresee cargo check", project.cargo(&["check"])),
        ("foresee cargo build", project.cargo(&["build"])),
        ("cargo foresee build", {
            let programs = binary("foresee-cli", "foresee");
            let folder = programs.parent().expect("it stands in a folder");
            let path = std::env::var_os("PATH").unwrap_or_default();
            let path = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&path));
            let mut command = cargo_outside(&project.path);
            command.args(["foresee", "build"]).env("PATH", std::env::join_paths(path).expect("a path"));
            run(&mut command)
        }),
    ];
    for (way, ran) in ways {
        assert_ne!(ran.code, 0, "{way}: a type error compiles");
        assert!(ran.err.contains("E0308") && ran.err.contains(&place), "{way}: no {place} in:\n{}", ran.err);
        assert!(!ran.err.contains(".mace.rs"), "{way}:\n{}", ran.err);
    }
    if has("clippy") {
        let ran = project.cargo(&["clippy"]);
        assert!(
            ran.err.contains(&place) && !ran.err.contains(".mace.rs"),
            "clippy: no {place} in:\n{}",
            ran.err
        );
    }

    let json = project.cargo(&["check", "--message-format=json"]);
    let spans: Vec<String> = json
        .out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["message"]["code"]["code"] == "E0308")
        .flat_map(|message| message["message"]["spans"].as_array().cloned().unwrap_or_default())
        .filter(|span| span["is_primary"] == true)
        .map(|span| {
            let name = span["file_name"].as_str().unwrap_or_default();
            format!("{name}:{}:{}", span["line_start"], span["column_start"])
        })
        .collect();
    assert_eq!(spans, [place], "{}", json.out);

    // Plain cargo afterwards says what plain cargo says, and nothing remembered.
    let plain = project.plain(&["build"]);
    let theirs = format!("{}.mace.rs:{at}", project.name);
    assert!(plain.err.contains(&theirs), "no {theirs} in:\n{}", plain.err);

    // Of a claim that asks for what is not there, that place is shown, and not all that stands before it.
    let place = project.place(&project.edit("n.count <= 5", "n.count.halved() <= 5", "halved"));
    let ran = project.cargo(&["check"]);
    assert!(ran.err.contains("E0599") && ran.err.contains(&place), "no {place} in:\n{}", ran.err);
    assert!(!ran.err.contains("spec!"), "{}", ran.err);
}

#[test]
fn panics_and_backtraces_name_the_spec() {
    let project = Project::new("panics");
    let main = project.path.join("src/main.rs");
    let text = fs::read_to_string(&main).expect("the template");
    let text = format!(
        "{text}\n#[test]\nfn too_much() {{\n    panics::fail(std::env::args().count() as u32 + 3);\n}}\n"
    );
    fs::write(&main, text).expect("it can be written");
    let ran = project.cargo(&["test"]);
    assert_ne!(ran.code, 0, "{ran:?}");
    let place = project.place("5:5");
    assert!(ran.out.contains(&format!("panicked at {place}")), "{}", ran.out);
    let frame = ran.out.lines().any(|line| line.trim_start().starts_with("at ") && line.contains(&place));
    assert!(frame, "no frame of the backtrace is at {place}:\n{}", ran.out);

    // What is right still runs.
    let ran = project.cargo(&["run", "--quiet", "--", "check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn cargo_fix_cannot_damage_a_spec() {
    let project = Project::new("fixed");
    project.edit("tick.set(1s); }", "let mut a = 1s; tick.set(a); }", "mut");
    let spec = fs::read_to_string(&project.spec).expect("it is there");
    let fix = ["fix", "--allow-no-vcs", "--allow-dirty"];
    let clippy = ["clippy", "--fix", "--allow-no-vcs", "--allow-dirty"];
    let warned = |ran: &Ran| ran.err.contains("does not need to be mutable");
    let ran = project.cargo(&["check"]);
    assert!(ran.code == 0 && warned(&ran), "there is something to mend: {ran:?}");
    let mut ways = vec![("foresee cargo fix", project.cargo(&fix)), ("cargo fix", project.plain(&fix))];
    if has("clippy") {
        ways.push(("foresee cargo clippy --fix", project.cargo(&clippy)));
    }
    for (way, ran) in ways {
        assert_eq!(ran.code, 0, "{way}: {ran:?}");
        assert_eq!(fs::read_to_string(&project.spec).expect("it is there"), spec, "{way} changed the spec");
    }
    // What was mended in the file between is mended no more: what is compiled is what the spec says.
    for way in ["check", "build"] {
        let ran = project.plain(&[way]);
        assert!(ran.code == 0 && warned(&ran), "{way} compiles something else than the spec: {ran:?}");
    }
    let again = project.plain(&["build", "-v"]);
    assert!(again.err.contains("Fresh fixed"), "{}", again.err);
}

#[test]
fn imported_specs_are_named_watched_and_left_alone() {
    let project = Project::new("importing");
    let part = project.spec.with_file_name("parts").join("common.mace");
    fs::create_dir(part.parent().expect("a folder")).expect("it can be made");
    let (common, system) = SPEC.split_at(SPEC.find("system One").expect("a system"));
    let common = common.replace("n.count <= 5", "n.count <= 2");
    fs::write(&part, &common).expect("it can be written");
    project.write(&format!("import parts::common::{{Counter, fail}};\n\n{system}"));
    let main = project.path.join("src/main.rs");
    let text = fs::read_to_string(&main).expect("the template");
    let test = "#[test]\nfn too_much() {\n    importing::fail(std::env::args().count() as u32 + 3);\n}\n";
    fs::write(&main, format!("{text}\n{test}")).expect("it can be written");

    // Panics and backtraces name the imported file, and so do traces; they are refused when that file changes.
    let ran = project.cargo(&["test"]);
    let place = "specs/parts/common.mace:5:5";
    assert!(ran.code != 0 && ran.out.contains(&format!("panicked at {place}")), "{ran:?}");
    let frame = ran.out.lines().any(|line| line.trim_start().starts_with("at ") && line.contains(place));
    assert!(frame, "no frame of the backtrace is at {place}:\n{}", ran.out);
    let checked = project.plain(&["run", "--quiet", "--", "check", "--trace-out", "found.json"]);
    assert!(checked.code == 1 && checked.out.contains("specs/parts/common.mace"), "{checked:?}");
    assert!(project.plain(&["run", "--quiet", "--", "replay", "found.json"]).code < 2);
    fs::write(&part, format!("{common}// changed\n")).expect("it can be written");
    let refused = project.plain(&["run", "--quiet", "--", "replay", "found.json"]);
    assert_eq!(refused.code, 2, "{refused:?}");

    // Errors of rustc and of our own stand in the imported file.
    let wrong = common.replace("count = (count + 1).min(5);", "count = (count + 1).min(true);");
    fs::write(&part, &wrong).expect("it can be written");
    let ran = project.cargo(&["check"]);
    let place = "specs/parts/common.mace:15:37";
    assert!(ran.err.contains("E0308") && ran.err.contains(place), "no {place} in:\n{}", ran.err);
    let ran = project.plain(&["check"]);
    assert!(ran.err.contains("/importing/common.mace.rs:15:37"), "{}", ran.err);
    fs::write(&part, common.replace("timers { tick; }", "timers { tick; tick; }"))
        .expect("it can be written");
    let ran = project.plain(&["check"]);
    assert!(ran.err.contains("E0201") && ran.err.contains("specs/parts/common.mace:11:"), "{}", ran.err);

    // What cargo fix mends in between is in no file of the project.
    let odd = common.replace("tick.set(1s); }", "let mut a = 1s; tick.set(a); }");
    fs::write(&part, &odd).expect("it can be written");
    let ran = project.plain(&["fix", "--allow-no-vcs", "--allow-dirty"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(fs::read_to_string(&part).expect("it is there"), odd);
    let ran = project.plain(&["check"]);
    assert!(ran.code == 0 && ran.err.contains("does not need to be mutable"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_wrapper_that_was_set_before_is_called_with_what_we_add() {
    use std::os::unix::fs::PermissionsExt;

    let project = Project::new("chained");
    let (wrapper, log) = (project.path.join("wrapper.sh"), project.path.join("log"));
    let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\nexec \"$@\"\n", log.display());
    fs::write(&wrapper, script).expect("it can be written");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("it can be changed");
    let ran = run(project.foresee_cargo(&["check"]).env("RUSTC_WRAPPER", &wrapper));
    assert_eq!(ran.code, 0, "{ran:?}");
    let log = fs::read_to_string(&log).expect("the wrapper was called");
    let ours = |line: &&str| line.contains("--crate-name chained") && line.contains("=specs/chained.mace");
    assert_eq!(log.lines().filter(ours).count(), 1, "{log}");
}

#[test]
fn cargo_s_own_answers_come_through() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nothing = Path::new(folder.path());
    let ran = run(foresee().args(["cargo", "check"]).current_dir(nothing));
    assert_eq!(ran.code, 101, "{ran:?}");
    assert!(ran.err.contains("Cargo.toml"), "{}", ran.err);
    let version = run(foresee().args(["cargo", "--version"]).current_dir(nothing));
    assert!(version.code == 0 && version.out.starts_with("cargo "), "{version:?}");
}
