//! The program of a cluster: built or found, and asked about its system and about what nodes recorded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::file::{Cluster, Program};
use super::folder::State;
use super::{folder, process};
use crate::exit::Failure;
use crate::experiment::{absolute, build};
use crate::input;

/// A program that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    /// The hash of its spec.
    pub spec: String,
    /// The names of the nodes of its system.
    pub nodes: Vec<String>,
}

/// Builds or finds the program, and asks it which nodes the system has.
///
/// # Errors
/// Cargo that fails, a program that is no service, a system or parameters that it does not have.
pub(super) fn find(cluster: &Cluster) -> Result<Found, Failure> {
    let base = cluster.path.parent().unwrap_or(Path::new(""));
    let path = match &cluster.program {
        Program::Package(package) => build(package, base, cluster.release)?,
        Program::File(path) => absolute(base, path),
    };
    let mut info = Command::new(&path);
    info.arg("info").args(cluster.system_arguments()).args(["--format", "json"]);
    let info = json(&mut info)?;
    let nodes = info["model"]["nodes"].as_array().into_iter().flatten();
    let nodes: Vec<String> = nodes.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    match (info["hash"].as_str(), nodes.is_empty()) {
        (Some(hash), false) => Ok(Found { path, spec: hash.to_owned(), nodes }),
        _ => Err(Failure::Told(format!("{}: its spec has no system with nodes", path.display()))),
    }
}

/// The last line that a command prints, as JSON.
pub(super) fn json(command: &mut Command) -> Result<Value, Failure> {
    let lines = lines(command)?;
    let last = lines.last().and_then(|line| serde_json::from_str(line).ok());
    let shown = command.get_program().to_string_lossy();
    last.ok_or_else(|| Failure::Told(format!("{shown} is no service: it answers no JSON")))
}

/// The lines that a command prints. Where it finds a violation, it has not failed.
pub(super) fn lines(command: &mut Command) -> Result<Vec<String>, Failure> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::Told(format!("{shown} cannot be started: {error}")))?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().strip_prefix("error: ").unwrap_or(said.trim());
        return Err(Failure::Told(format!("{shown}: {said}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// What recordings came to, as `account` says; `more` are further options of it.
pub(super) fn account(program: &Path, files: &[PathBuf], more: &[String]) -> Result<Value, Failure> {
    if files.is_empty() {
        return Err("there are no recordings: `record = true` in the file of the cluster makes them"
            .to_owned()
            .into());
    }
    json(Command::new(program).arg("account").args(files).args(more).args(["--format", "json"]))
}

/// The recordings that the nodes of a cluster have made so far.
pub(super) fn recordings(cluster: &Cluster, state: &State) -> Vec<PathBuf> {
    let of = |node: &super::Node| {
        let home = folder::node(&cluster.folder, node.index);
        (0..node.lives).map(move |life| process::recording(&home, life)).collect::<Vec<_>>()
    };
    state.nodes.iter().flat_map(of).filter(|file| file.exists()).collect()
}

/// The nodes that a line of the system's faults, counted from 1, would happen to now.
///
/// # Errors
/// No recordings, a number of no line, a line that means nobody now.
pub(super) fn meant(cluster: &Cluster, state: &State, number: usize) -> Result<Vec<String>, Failure> {
    let begin = ["--begin".to_owned(), state.begin_millis.to_string()];
    let account = account(&state.program, &recordings(cluster, state), &begin)?;
    let faults = account["faults"].as_array().cloned().unwrap_or_default();
    let fault = number.checked_sub(1).and_then(|place| faults.get(place)).ok_or_else(|| {
        let all = faults.iter().enumerate();
        let all: Vec<String> = all.map(|(place, it)| format!("{}: {}", place + 1, it["fault"])).collect();
        Failure::Told(format!("the system has no fault {number}; it has: {}", all.join(", ")))
    })?;
    let nodes = names(&fault["nodes"]);
    match nodes.is_empty() {
        true => Err(Failure::Told(format!("{} means no node as things stand", fault["fault"]))),
        false => Ok(nodes),
    }
}

/// A list of names.
pub(super) fn names(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

/// A duration such as `250ms`, `60s` or `2min`, in seconds.
///
/// # Errors
/// A text that is none.
pub(super) fn seconds(text: &str, at: &Path) -> Result<f64, Failure> {
    let text = text.trim();
    let units = [("ms", 1e-3), ("min", 60.0), ("s", 1.0), ("h", 3600.0)];
    let found = units.iter().find_map(|(unit, factor)| {
        let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        (number.is_finite() && number > 0.0).then_some(number * factor)
    });
    let file = input::name(at);
    found.ok_or_else(|| Failure::Told(format!("{file}: `{text}` is no duration such as 250ms, 60s or 2min")))
}
