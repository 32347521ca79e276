//! What the end-to-end tests share: the programs as a user runs them.

// Every test file uses its own part of this.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use serde_json::Value;

/// The workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace")
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The program of a package of the workspace, built if need be.
pub fn binary(package: &str, name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    built
        .entry(package.to_owned())
        .or_insert_with(|| {
            let output = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--locked", "-p", package])
                .current_dir(root())
                .output()
                .expect("cargo starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            target().join("debug").join(name)
        })
        .clone()
}

/// The program of an example service.
pub fn service(name: &str) -> Command {
    Command::new(binary(name, name))
}

/// The `foresee` program.
pub fn foresee() -> Command {
    Command::new(binary("foresee-cli", "foresee"))
}

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Standard output as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

/// Runs the command line of a generated service in this process.
pub fn generated(spec: &'static foresee::kernel::SpecInfo, arguments: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["spec"].iter().chain(arguments).map(Into::into);
    let code = foresee::app::run(spec, line, &mut out, &mut err) as i32;
    let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
    Ran { code, out: text(out), err: text(err) }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    Ran {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8(stdout).expect("standard output is UTF-8"),
        err: String::from_utf8(stderr).expect("standard error is UTF-8"),
    }
}

/// A crate outside the workspace that shares one target folder with the others of these tests.
pub fn cargo_outside(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(folder).env("CARGO_TARGET_DIR", target().join("outside")).env_remove("RUSTFLAGS");
    command
}

/// The fields that `docs/language/tools.md` promises for the objects of a command, in the order of its rows.
pub fn promised_fields(command: &str) -> Vec<BTreeSet<String>> {
    let page = std::fs::read_to_string(root().join("docs/language/tools.md")).expect("there is the page");
    let (_, section) = page.split_once("### JSON").expect("it has the section");
    let rows = section.lines().take_while(|line| !line.starts_with("## ")).filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        (cells.first()?.trim_matches('`') == command).then(|| (*cells.get(2).unwrap_or(&"")).to_owned())
    });
    let fields = |cell: String| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    rows.map(fields).collect()
}

/// The fields of an object.
pub fn fields(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("a JSON object").keys().cloned().collect()
}
