//! Runs what is missing: processes of `simulate`, several at a time, each for some seeds of a cell.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::plan::{Experiment, Program};
use super::store::Store;
use crate::exit::Failure;

/// A program that was found.
pub(super) struct Built {
    pub path: PathBuf,
    /// The hash of its spec.
    pub spec: String,
}

/// Builds or finds the program of each service, and asks it for its spec.
///
/// # Errors
/// Cargo that fails, a program that cannot be started or is no service.
pub(super) fn programs(experiment: &Experiment, base: &Path) -> Result<Vec<Built>, Failure> {
    let paths = experiment.services.iter().map(|service| match &service.program {
        Program::File(path) => Ok(absolute(base, path)),
        Program::Package(package) => build(package, base, experiment.release),
    });
    paths.map(|path| asked(path?)).collect()
}

/// A path from the folder of the experiment; a bare name that is no file there is left to the search path.
pub(crate) fn absolute(base: &Path, path: &str) -> PathBuf {
    let bare = Path::new(path).components().count() == 1;
    match base.join(path).canonicalize() {
        Ok(found) => found,
        Err(_) if bare => PathBuf::from(path),
        Err(_) => base.join(path),
    }
}

/// The program of a package of the workspace in which the experiment's file stands.
pub(crate) fn build(package: &str, base: &Path, release: bool) -> Result<PathBuf, Failure> {
    let mut cargo = crate::cargo::command(&["build".into(), "-p".into(), package.into()])?;
    if release {
        cargo.arg("--release");
    }
    cargo.arg("--message-format=json-render-diagnostics");
    if !base.as_os_str().is_empty() {
        cargo.current_dir(base);
    }
    let told = |error: std::io::Error| Failure::Told(format!("cannot run cargo: {error}"));
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(told)?;
    if !output.status.success() {
        return Err(format!("cargo cannot build `{package}`").into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let built = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    built.ok_or_else(|| format!("`{package}` has no program").into())
}

fn asked(path: PathBuf) -> Result<Built, Failure> {
    let shown = path.display();
    let output = Command::new(&path)
        .args(["info", "--format", "json"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::Told(format!("{shown} cannot be started: {error}")))?;
    let info: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    match info.as_ref().and_then(|info| info["hash"].as_str()) {
        Some(hash) => Ok(Built { spec: hash.to_owned(), path }),
        None => Err(format!("{shown} is no service: it has no `info --format json`").into()),
    }
}

/// Some seeds of a cell.
struct Job {
    cell: usize,
    seeds: Range<u64>,
}

/// Runs what is missing of each cell. What went wrong with cells is returned; the others have all their runs.
///
/// # Errors
/// A run that cannot be written.
pub(super) fn run(
    experiment: &Experiment,
    programs: &[Built],
    base: &Path,
    stores: &mut [Store],
    jobs: usize,
) -> Result<Vec<String>, Failure> {
    let queue = jobs_of(experiment, stores, jobs);
    let bar = bar(queue.iter().map(|job| job.seeds.end - job.seeds.start).sum());
    let queue = Mutex::new(queue);
    let stores: Vec<Mutex<&mut Store>> = stores.iter_mut().map(Mutex::new).collect();
    let (failures, fatal) = (Mutex::new(Vec::<String>::new()), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let Some(job) = locked(&queue).pop_front() else { return };
                    let cell = &experiment.cells[job.cell];
                    let mut command = Command::new(&programs[cell.service].path);
                    command.arg("simulate").args(&cell.arguments).args(["--format", "json", "--seeds"]);
                    command.arg(format!("{}..{}", job.seeds.start, job.seeds.end));
                    if !base.as_os_str().is_empty() {
                        command.current_dir(base);
                    }
                    match simulate(command, &stores[job.cell], &bar) {
                        Ok(None) => {}
                        Ok(Some(said)) => {
                            // One complaint a cell: the other seeds have the same.
                            locked(&queue).retain(|it| it.cell != job.cell);
                            let said = format!("{}: {said}", cell.name());
                            let mut failures = locked(&failures);
                            if !failures.contains(&said) {
                                failures.push(said);
                            }
                        }
                        Err(failure) => {
                            locked(&queue).clear();
                            *locked(&fatal) = Some(failure);
                        }
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    match fatal.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Some(failure) => Err(failure),
        None => {
            let mut failures = failures.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
            failures.sort();
            Ok(failures)
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The missing seeds, in runs of neighbours that are short enough for all cores to have work until the end.
fn jobs_of(experiment: &Experiment, stores: &[Store], jobs: usize) -> VecDeque<Job> {
    let missing =
        |store: &Store| experiment.seeds.clone().filter(|seed| !store.runs.contains_key(seed)).collect();
    let missing: Vec<Vec<u64>> = stores.iter().map(missing).collect();
    let all: usize = missing.iter().map(Vec::len).sum();
    let most = (all / (8 * jobs)).clamp(1, 256) as u64;
    let mut queue = VecDeque::new();
    for (cell, seeds) in missing.iter().enumerate() {
        let mut open: Option<Range<u64>> = None;
        for seed in seeds {
            match &mut open {
                Some(range) if range.end == *seed && range.end - range.start < most => range.end += 1,
                _ => {
                    queue.extend(open.replace(*seed..seed + 1).map(|seeds| Job { cell, seeds }));
                }
            }
        }
        queue.extend(open.map(|seeds| Job { cell, seeds }));
    }
    queue
}

/// Runs one process and keeps its runs as they end. What it complains of, if it does.
fn simulate(
    mut command: Command,
    store: &Mutex<&mut Store>,
    bar: &ProgressBar,
) -> Result<Option<String>, Failure> {
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut running = match started {
        Ok(running) => running,
        Err(error) => return Ok(Some(format!("it cannot be started: {error}"))),
    };
    let (out, err) = (running.stdout.take(), running.stderr.take());
    std::thread::scope(|scope| {
        let said = scope.spawn(move || {
            let mut said = String::new();
            let _ = err.map(|mut err| err.read_to_string(&mut said));
            said
        });
        let mut kept = Ok(());
        for line in out.map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            let Ok(line) = line else { break };
            // The last line is the summary of these seeds, which has none of its own.
            if let Ok(run) = serde_json::from_str::<Value>(&line)
                && run["seed"].is_u64()
            {
                kept = locked(store).add(&line, run);
                bar.inc(1);
                if kept.is_err() {
                    let _ = running.kill();
                    break;
                }
            }
        }
        let ended = running.wait();
        let said = said.join().unwrap_or_default();
        kept?;
        // 1: a run violates a property, which its line says.
        Ok(match ended.map(|status| status.code()) {
            Ok(Some(0 | 1)) => None,
            Ok(Some(_)) => Some(said.trim().strip_prefix("error: ").unwrap_or(said.trim()).to_owned()),
            Ok(None) => Some("it was killed".to_owned()),
            Err(error) => Some(error.to_string()),
        })
    })
}

/// A bar on standard error, where that is a terminal.
fn bar(runs: u64) -> ProgressBar {
    let bar = ProgressBar::new(runs);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} runs, {eta} left") {
        bar.set_style(style);
    }
    bar
}
