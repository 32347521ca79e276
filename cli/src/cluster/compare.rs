//! `compare`: what collected runs of a cluster came to, beside runs of the simulator on the same system, parameters and topology.
//!
//! The interval of a figure is where 95 of 100 runs of the simulator lie: from the 2.5th to the 97.5th percentile of as many seeds
//! as asked for. A real run is drawn from its own distribution; if that were the simulator's, it would lie within with that probability.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::file::Cluster;
use super::program::{account, lines, seconds};
use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::report::Report;

/// The share of the simulator's runs that an interval leaves out at each end.
const TAIL: f64 = 0.025;

/// A run that was collected.
struct Collected {
    name: String,
    program: PathBuf,
    spec: String,
    account: Value,
}

/// Figures by their names.
type Figures = BTreeMap<String, f64>;

/// Sets the runs side by side.
///
/// # Errors
/// No runs, runs of other systems, a program that does not run.
pub(super) fn run(cluster: &Cluster, seeds: &str, report: &mut Report<'_>) -> Outcome {
    let until = cluster.until.as_deref().ok_or_else(|| {
        Failure::Told(format!("{}: `until` says up to when runs are compared", input::name(&cluster.path)))
    })?;
    seconds(until, &cluster.path)?;
    let runs = cluster.folder.join("runs");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&runs).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let system = json!(cluster.system_arguments());
    let mut live = Vec::new();
    for folder in folders {
        // What was done by hand, or shorter, is another experiment.
        let about = about(&folder)?;
        if about["system"] == system
            && about["topology"] == json!(cluster.topology)
            && about["played"] == json!(until)
        {
            live.push(read(&folder, until)?);
        }
    }
    // A spec that was changed is another system.
    let Some(last) = live.last() else {
        return Err(Failure::Told(format!(
            "there are no runs of this system, topology and length in `{}`: `foresee cluster run {}` makes one",
            input::name(&runs),
            input::name(&cluster.path)
        )));
    };
    let (spec, program) = (last.spec.clone(), last.program.clone());
    live.retain(|run| run.spec == spec);
    let mut simulate = Command::new(&program);
    simulate.arg("simulate").args(cluster.system_arguments());
    simulate.args(["--seeds", seeds, "--until", until, "--format", "json"]);
    if let Some(topology) = &cluster.topology {
        simulate.args(["--topology", topology]);
    }
    let mut simulated: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in lines(&mut simulate)? {
        let run: Value = serde_json::from_str(&line).unwrap_or_default();
        if run["seed"].is_u64() {
            for (name, value) in figures(&run) {
                simulated.entry(name).or_default().push(value);
            }
        }
    }
    let live: Vec<(String, Figures, Value)> =
        live.into_iter().map(|run| (run.name, figures(&run.account), run.account["holds"].clone())).collect();
    tell(&live, simulated, report)?;
    Ok(Exit::Held)
}

fn tell(
    live: &[(String, Figures, Value)],
    mut simulated: BTreeMap<String, Vec<f64>>,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let runs = simulated.values().next().map_or(0, Vec::len);
    let mut rows = Vec::new();
    for (name, values) in &mut simulated {
        values.sort_by(f64::total_cmp);
        let (low, high) = (quantile(values, TAIL), quantile(values, 1.0 - TAIL));
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let here: Vec<f64> = live.iter().filter_map(|(_, figures, _)| figures.get(name).copied()).collect();
        let inside = here.iter().filter(|value| (low..=high).contains(*value)).count();
        rows.push((name.clone(), here, mean, (low, high), inside));
    }
    if report.format == Format::Json {
        let row = |(name, here, mean, (low, high), inside): &(String, Vec<f64>, f64, (f64, f64), usize)| json!({ "figure": name, "live": here, "simulated_mean": mean, "low": low, "high": high, "inside": inside });
        let ends: Vec<Value> =
            live.iter().map(|(run, _, holds)| json!({ "run": run, "holds": holds })).collect();
        let value = json!({
            "simulated_runs": runs, "figures": rows.iter().map(row).collect::<Vec<_>>(), "runs": ends,
        });
        writeln!(report.out, "{value}")?;
        return Ok(());
    }
    writeln!(report.out, "{} real runs beside {runs} of the simulator", live.len())?;
    writeln!(
        report.out,
        "{:<20}  {:>10}  {:>21}  {:>10}  {:>23}  {:>8}",
        "figure", "real mean", "least to most", "simulated", "95 of 100 within", "inside"
    )?;
    for (name, here, mean, (low, high), inside) in &rows {
        let real = here.iter().sum::<f64>() / here.len().max(1) as f64;
        let least = here.iter().copied().fold(f64::INFINITY, f64::min);
        let most = here.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        writeln!(
            report.out,
            "{name:<20}  {real:>10.3}  {least:>9.3} to {most:>8.3}  {mean:>10.3}  {low:>10.3} to {high:>9.3}  {inside:>3} of {}",
            here.len()
        )?;
    }
    let mut holds: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, value) in live.iter().filter_map(|(_, _, holds)| holds.as_object()).flatten() {
        *holds.entry(name).or_default() += usize::from(value == true);
    }
    for (name, count) in holds {
        writeln!(report.out, "{name:<20}  holds at the end of {count} of {} real runs", live.len())?;
    }
    Ok(())
}

/// The objectives of a run, and how many messages it sent.
fn figures(run: &Value) -> Figures {
    let objectives = run["objectives"].as_object().into_iter().flatten();
    let mut figures: Figures =
        objectives.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect();
    figures.extend(run["messages"].as_f64().map(|messages| ("messages".to_owned(), messages)));
    figures
}

/// The value below which a share of sorted values lies, between neighbours in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().saturating_sub(1)) as f64;
    let (below, rest) = (place as usize, place.fract());
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(low), Some(high)) => low + (high - low) * rest,
        (Some(low), None) => *low,
        _ => f64::NAN,
    }
}

/// What a folder says of its run.
fn about(folder: &Path) -> Result<Value, Failure> {
    let path = folder.join("run.json");
    let told = |what: String| Failure::Told(format!("{}: {what}", input::name(&path)));
    let text = fs::read_to_string(&path).map_err(|error| told(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| told(error.to_string()))
}

/// A run in a folder of its own.
fn read(folder: &Path, until: &str) -> Result<Collected, Failure> {
    let about = about(folder)?;
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .filter(|path| path.file_name().is_some_and(|name| name != "events.jsonl"))
        .collect();
    files.sort();
    let program = PathBuf::from(about["program"].as_str().unwrap_or_default());
    let begin = about["begin_millis"].as_u64().unwrap_or_default();
    let more = ["--begin".to_owned(), begin.to_string(), "--until".to_owned(), until.to_owned()];
    let account = account(&program, &files, &more)?;
    Ok(Collected {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        program,
        spec: about["spec"].as_str().unwrap_or_default().to_owned(),
        account,
    })
}

/// Shows what one run came to.
///
/// # Errors
/// Recordings that do not replay.
pub(super) fn show(folder: &Path, until: &str, report: &mut Report<'_>) -> Result<(), Failure> {
    let Collected { account, .. } = read(folder, until)?;
    let kept = input::name(folder);
    if report.format == Format::Json {
        writeln!(report.out, "{}", json!({ "event": "run", "collected": kept, "account": account }))?;
        return Ok(());
    }
    for (name, value) in figures(&account) {
        writeln!(report.out, "{name:<20}  {value:>10.3}")?;
    }
    for (name, holds) in account["holds"].as_object().into_iter().flatten() {
        let holds = if holds == true { "holds at the end" } else { "does not hold at the end" };
        writeln!(report.out, "{name:<20}  {holds}")?;
    }
    writeln!(report.out, "logs and recordings: {kept}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted: Vec<f64> = (0..=40).map(f64::from).collect();
        assert_eq!((quantile(&sorted, TAIL), quantile(&sorted, 1.0 - TAIL)), (1.0, 39.0));
        assert_eq!(quantile(&[3.0, 4.0], 0.5), 3.5);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
