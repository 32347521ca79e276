//! `run`: starts a cluster anew, plays the faults of its system on the real processes at the moments that the seed draws, ends it, and says what it
//! came to. The system is the one that `simulate` runs: the same lines say who fails and when.
//!
//! *Caveats*: whom a fault means is asked of the recordings, which takes a moment; the fault comes that much later. Breaks of single
//! connections (`cut`) are not played.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::folder::{self, Folder, State};
use super::program::{account, meant, recordings, seconds};
use super::{Cluster, back, begin, chosen, collect, end, file, finish, relink, struck};
use super::{KILL_PATIENCE, compare};
use crate::exit::{Exit, Failure, Outcome};
use crate::report::Report;

/// What is planned for a moment.
enum Planned {
    /// A line of the faults, from 1, with what was drawn for it.
    Fault {
        number: usize,
        fault: Value,
        moment: Value,
    },
    Back(String),
    Heal(Vec<String>),
}

/// Runs a cluster from its beginning to its end.
///
/// # Errors
/// Whatever keeps it from starting, or ends it early.
pub(super) fn run(path: &Path, until: Option<&str>, report: &mut Report<'_>) -> Outcome {
    let cluster = file::read(path)?;
    let until = until.or(cluster.until.as_deref()).ok_or_else(|| {
        Failure::Told("how long? `--until 60s`, or `until` in the file of the cluster, says so".to_owned())
    })?;
    let length = seconds(until, path)?;
    let folder = Folder::hold(&cluster.folder)?;
    let mut state = begin(&cluster, &folder, true, report)?;
    match played(&cluster, &folder, &mut state, until, length, report) {
        Ok(()) => {}
        Err(failure) => {
            end(&cluster.folder, &state.nodes, rustix::process::Signal::KILL, KILL_PATIENCE);
            collect(&cluster, &folder, &state, None)?;
            return Err(failure);
        }
    }
    let kept = finish(&cluster, &folder, &state, Some(until), report)?;
    compare::show(&kept, until, report)?;
    Ok(Exit::Held)
}

fn played(
    cluster: &Cluster,
    folder: &Folder,
    state: &mut State,
    until: &str,
    length: f64,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let mut planned: BTreeMap<(u64, u32), Planned> = BTreeMap::new();
    let mut order = 0;
    let millis = |seconds: &Value| (seconds.as_f64().unwrap_or_default() * 1e3) as u64;
    let mut plan = |planned: &mut BTreeMap<_, _>, at: u64, what: Planned| {
        order += 1;
        planned.insert((at, order), what);
    };
    if cluster.record {
        let seed = ["--seed".to_owned(), cluster.seed.to_string(), "--until".to_owned(), until.to_owned()];
        let account = account(&state.program, &recordings(cluster, state), &seed)?;
        for (place, fault) in account["faults"].as_array().into_iter().flatten().enumerate() {
            for moment in fault["moments"].as_array().into_iter().flatten() {
                let what = Planned::Fault { number: place + 1, fault: fault.clone(), moment: moment.clone() };
                plan(&mut planned, millis(&moment["at_seconds"]), what);
            }
        }
    }
    let end = (length * 1e3) as u64;
    let now = |state: &State| folder::now_millis().saturating_sub(state.begin_millis);
    let wait = |state: &State, at: u64| {
        let at = (state.begin_millis + at).saturating_sub(folder::now_millis());
        folder::pause(Duration::from_millis(at));
    };
    while let Some(((at, _), what)) = planned.pop_first() {
        if at >= end {
            break;
        }
        wait(state, at);
        match what {
            Planned::Fault { number, fault, moment } => {
                let backs = moment["back_seconds"].as_array().cloned();
                let mut nodes = meant(cluster, state, number).unwrap_or_default();
                if fault["together"] == false && !nodes.is_empty() {
                    let pick = moment["pick"].as_f64().unwrap_or_default() * nodes.len() as f64;
                    nodes = vec![nodes.swap_remove((pick as usize).min(nodes.len() - 1))];
                }
                if nodes.is_empty() {
                    continue;
                }
                let came = now(state);
                let later = |place: usize| Some(came + millis(backs.as_ref()?.get(place)?));
                match fault["kind"].as_str().unwrap_or_default() {
                    kind @ ("crash" | "reset") => {
                        let these = chosen(state, &nodes)?;
                        let killed = struck(cluster, folder, &these)?;
                        writeln!(report.err, "{:>8.3} s: killed {}", came as f64 / 1e3, killed.join(", "))?;
                        for (place, name) in killed.into_iter().enumerate() {
                            let at = if kind == "reset" { Some(came) } else { later(place) };
                            if let Some(at) = at {
                                plan(&mut planned, at, Planned::Back(name));
                            }
                        }
                    }
                    "partition" if nodes.len() < state.names.len() => {
                        state.cut.push(nodes.clone());
                        relink(cluster, folder, state)?;
                        folder.note("partition", &nodes)?;
                        writeln!(report.err, "{:>8.3} s: cut off {}", came as f64 / 1e3, nodes.join(", "))?;
                        if let Some(at) = later(0) {
                            plan(&mut planned, at, Planned::Heal(nodes));
                        }
                    }
                    _ => writeln!(report.err, "note: {} is not played on real processes", fault["fault"])?,
                }
            }
            Planned::Back(name) => {
                let these = chosen(state, std::slice::from_ref(&name))?;
                back(cluster, folder, state, &these)?;
                writeln!(report.err, "{:>8.3} s: {name} is back", now(state) as f64 / 1e3)?;
            }
            Planned::Heal(side) => {
                state.cut.retain(|cut| *cut != side);
                relink(cluster, folder, state)?;
                folder.note("heal", &side)?;
                writeln!(report.err, "{:>8.3} s: healed {}", now(state) as f64 / 1e3, side.join(", "))?;
            }
        }
    }
    wait(state, end);
    // Whoever died by itself is part of what came of it.
    let running = super::process::running(&cluster.folder, &state.nodes);
    let gone: Vec<&str> = state
        .nodes
        .iter()
        .filter(|node| !running.contains_key(&node.index))
        .map(|node| node.name.as_str())
        .collect();
    if !gone.is_empty() {
        writeln!(report.err, "note: down at the end: {}", gone.join(", "))?;
    }
    Ok(())
}
