//! Tests that are made of traces: they compile as a user's would, fail where the bug is, as the trace does, and a Rust test passes
//! where it is mended.
//!
//! The crates that a user has are made anew: one whose specs have the bugs, one whose specs are mended.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use foresee::app::Exit;
use seeded_bugs::{BUGS, Bug, run, search};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace").to_owned()
}

/// A bug, and the tests that its trace became.
struct Traced {
    bug: &'static Bug,
    /// The scenario; or why there is none.
    scenario: Result<String, String>,
    rust: String,
}

/// Finds a bug, and makes tests of its trace.
fn trace(name: &str) -> Traced {
    let folder = tempfile::tempdir().expect("a folder");
    let index = BUGS.iter().position(|bug| bug.name == name).expect("there is such a bug");
    let trace = folder.path().join("trace.json").display().to_string();
    let more = ["--trace-out", &trace].map(str::to_owned);
    let exit = run(index, &[search(&BUGS[index]), more.to_vec()].concat(), &mut Vec::new(), &mut Vec::new());
    assert_eq!(exit, Exit::Violation, "{name}");
    let made = |form: &str| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let line = ["replay", &trace, "--to-test", form].map(str::to_owned);
        let exit = run(index, &line, &mut out, &mut err);
        let [out, err] = [out, err].map(|text| String::from_utf8(text).expect("text"));
        match exit {
            Exit::Held => Ok(out),
            Exit::Usage => Err(err),
            _ => panic!("{name}: {exit:?}: {err}"),
        }
    };
    let rust = made("rust").expect("a Rust test can follow every trace");
    Traced { bug: &BUGS[index], scenario: made("scenario"), rust }
}

impl Traced {
    fn spec(&self, broken: bool) -> String {
        let mut text = fs::read_to_string(root().join("specs").join(self.bug.spec)).expect("the spec");
        // What claims a bug breaks is part of the mended spec too: only what was replaced is as it was.
        for (from, to) in self.bug.edits {
            if broken || to.contains(from) {
                text = text.replacen(from, to, 1);
            }
        }
        text + "\n" + self.scenario.as_deref().unwrap_or_default()
    }

    /// The name of the scenario, and its last command.
    fn script(&self) -> Option<(String, String)> {
        let scenario = self.scenario.as_ref().ok()?;
        let name = scenario.split_whitespace().nth(1).expect("a scenario has a name");
        let command = scenario.lines().rev().map(str::trim).find(|line| line.ends_with(';'));
        Some((name.to_owned(), command.expect("a command").to_owned()))
    }
}

/// A crate outside the workspace, with a program and a test for each spec.
struct Package(PathBuf);

impl Package {
    fn new(folder: &Path, name: &str, traced: &[Traced], broken: bool) -> Self {
        let (root, package) = (root(), folder.join(name));
        let write = |path: &str, text: &str| {
            let path = package.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        let (mut paths, mut includes, mut arms, mut tests) =
            (String::new(), String::new(), String::new(), String::new());
        for it in traced {
            let name = it.bug.name;
            write(&format!("specs/{name}.mace"), &it.spec(broken));
            write(&format!("tests/found/{name}.rs"), &it.rust);
            let _ = write!(paths, "\"specs/{name}.mace\", ");
            let _ = writeln!(includes, "foresee::include_spec!(\"{name}\");");
            let _ = writeln!(arms, "        \"{name}\" => &{name}::SPEC,");
            let _ = writeln!(tests, "#[path = \"found/{name}.rs\"]\nmod {name};");
        }
        let dependency = |name: &str, path: &str| format!("{name} = {{ path = {:?} }}\n", root.join(path));
        write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}{}\n[build-dependencies]\n{}",
                dependency("foresee", "runtime"),
                dependency("foresee-macros", "compiler/macros"),
                dependency("foresee-compiler", "compiler"),
            ),
        );
        write(
            "build.rs",
            &format!(
                "fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    Ok(foresee_compiler::configure().compile(&[{paths}])?)\n}}\n"
            ),
        );
        write(
            "src/main.rs",
            &format!(
                "{includes}\nfn main() -> std::process::ExitCode {{\n    let spec = std::env::args().nth(1).unwrap_or_default();\n    let spec = match spec.as_str() {{\n{arms}        _ => panic!(),\n    }};\n    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());\n    foresee::app::run(spec, std::env::args_os().skip(1), &mut out, &mut err).into()\n}}\n"
            ),
        );
        write("tests/all.rs", &tests);
        // The same versions as the workspace, so that nothing is looked up anew.
        fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("it can be copied");
        Package(package)
    }

    /// Runs cargo here; the exit code, and all that it printed.
    fn cargo(&self, args: &[&str]) -> (i32, String) {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(&self.0).env("CARGO_TARGET_DIR", target.join("outside")).env_remove("RUSTFLAGS");
        let output = command.args(args).output().expect("cargo starts");
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.code().unwrap_or(-1), out + &err)
    }

    /// Runs a scenario; what is told of it.
    fn scenario(&self, spec: &str, name: &str) -> Value {
        let (code, said) =
            self.cargo(&["run", "--quiet", "--offline", "--", spec, "test", name, "--format", "json"]);
        assert!(code <= 1, "{spec}: {said}");
        serde_json::from_str(said.lines().next().unwrap_or_default()).expect("a line for the scenario")
    }
}

/// Makes tests of the traces of these bugs, and sees what becomes of them.
fn follow(names: &[&str]) {
    // Crates of one name share the folder that they are built in.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let traced: Vec<Traced> = names.iter().map(|name| trace(name)).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let broken = Package::new(folder.path(), "broken", &traced, true);
    let mended = Package::new(folder.path(), "mended", &traced, false);
    for (package, failing) in [(&broken, true), (&mended, false)] {
        let (code, said) =
            package.cargo(&["test", "--quiet", "--offline", "--no-fail-fast", "--test", "all"]);
        assert!(said.contains(&format!("running {} tests", traced.len())), "{said}");
        assert_eq!(code != 0, failing, "{said}");
        let (failed, passed) = if failing { (traced.len(), 0) } else { (0, traced.len()) };
        assert!(said.contains(&format!("{passed} passed; {failed} failed")), "{said}");
        if failing {
            assert_eq!(said.matches("the trace can be walked as it was: ").count(), traced.len(), "{said}");
        }
    }
    for it in &traced {
        let Some((name, last)) = it.script() else {
            let refusal = it.scenario.as_ref().expect_err("no scenario");
            assert!(refusal.contains("--to-test rust can follow it"), "{refusal}");
            continue;
        };
        let told = broken.scenario(it.bug.name, &name);
        let failure = &told["failure"];
        assert_eq!(failure["property"], it.bug.property, "{}: {told}", it.bug.name);
        let command = failure["command"].as_str().unwrap_or_default();
        assert_eq!(command.trim_end_matches(';'), last.trim_end_matches(';'), "{}: {told}", it.bug.name);
        // The way is possible no more there, or leads where nothing is wrong.
        let told = mended.scenario(it.bug.name, &name);
        assert_ne!(told["failure"]["property"], it.bug.property, "{}: {told}", it.bug.name);
    }
}

#[test]
fn every_trace_becomes_a_text_that_can_stand_in_a_spec_and_in_a_crate() {
    // One takes seconds to find.
    for bug in BUGS.iter().filter(|bug| bug.name != "paxos_promises_below") {
        let Traced { scenario, rust, .. } = trace(bug.name);
        let head: Vec<&str> = rust.lines().take_while(|line| !line.is_empty()).collect();
        assert!(head.len() > 2 && head.iter().all(|line| line.starts_with("//!")), "{rust}");
        assert!(!head[0].contains("(at "), "no place in generated code: {}", head[0]);
        match scenario {
            Err(refusal) => assert!(refusal.contains("--to-test rust can follow it"), "{refusal}"),
            Ok(scenario) => {
                let inside = scenario.lines().skip(1).take_while(|line| *line != "}");
                for line in inside.map(str::trim) {
                    assert!(line.starts_with("// ") || line.ends_with(';'), "{scenario}");
                }
                assert!(!scenario.contains("reply ") && !scenario.contains("(at "), "{scenario}");
            }
        }
    }
}

#[test]
#[ignore = "builds crates"]
fn tests_of_traces_fail_where_the_bug_is_and_pass_where_it_is_mended() {
    follow(&["commit_hasty", "token_forgetful", "tree_children_and_siblings", "mace_recovery_timer"]);
}

#[test]
#[ignore = "compiles all specs four times"]
fn every_trace_becomes_a_test() {
    let names: Vec<&str> = BUGS.iter().map(|bug| bug.name).collect();
    follow(&names);
}
