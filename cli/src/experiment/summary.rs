//! What the runs come to: means with intervals, a comparison seed by seed, and all figures as comma-separated values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::plan::Experiment;
use super::store::{Store, figure};
use crate::exit::Failure;

/// The whole experiment.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    title: Option<String>,
    cells: Vec<CellSummary>,
}

/// A cell.
#[derive(Debug, Serialize)]
struct CellSummary {
    cell: BTreeMap<String, String>,
    #[serde(skip)]
    name: String,
    runs: u64,
    /// Runs that violate a property.
    violations: u64,
    /// Objectives, and what the resolver says of itself.
    figures: BTreeMap<String, Figure>,
    /// How much each figure differs from that of the cell it is compared with, seed by seed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    differences: BTreeMap<String, Figure>,
}

/// A sample, summed up.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    n: u64,
    pub mean: f64,
    standard_deviation: f64,
    /// The 95 % interval of the mean, by Student's law; absent for a single run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    min: f64,
    median: f64,
    max: f64,
}

impl Figure {
    /// What is finite of a sample, summed up; None where nothing is.
    pub fn of(mut sample: Vec<f64>) -> Option<Figure> {
        sample.retain(|value| value.is_finite());
        sample.sort_by(f64::total_cmp);
        let (min, max) = (*sample.first()?, *sample.last()?);
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        let squares: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
        let standard_deviation = if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
        let half = StudentsT::new(0.0, 1.0, n - 1.0)
            .ok()
            .map(|law| law.inverse_cdf(0.975) * standard_deviation / n.sqrt());
        let median = f64::midpoint(sample[(sample.len() - 1) / 2], sample[sample.len() / 2]);
        let interval = half.map(|half| [mean - half, mean + half]);
        Some(Figure { n: sample.len() as u64, mean, standard_deviation, interval, min, median, max })
    }

    fn text(&self) -> String {
        match self.interval {
            // Less is rounding.
            Some([low, high]) if high - low > 1e-12 * self.mean.abs() => {
                format!("{} +- {}", short(self.mean), short((high - low) / 2.0))
            }
            _ => short(self.mean),
        }
    }
}

/// Four digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e7).contains(&size) => format!("{value:.3e}"),
        size => {
            let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            format!("{value:.digits$}")
        }
    }
}

/// The figures that runs have, by their names.
fn names(stores: &[Store]) -> Vec<String> {
    let mut names = BTreeSet::new();
    for run in stores.iter().flat_map(|store| store.runs.values()) {
        for group in ["objectives", "resolver"] {
            names.extend(run[group].as_object().into_iter().flat_map(|it| it.keys().cloned()));
        }
    }
    names.into_iter().collect()
}

/// Sums up.
pub(super) fn of(experiment: &Experiment, stores: &[Store]) -> Result<Summary, Failure> {
    let names = names(stores);
    let cells = experiment.cells.iter().zip(stores).map(|(cell, store)| {
        let runs = within(experiment, store);
        let sample =
            |name: &String| Figure::of(runs.iter().filter_map(|(_, run)| figure(run, name)).collect());
        let figures = names.iter().filter_map(|name| Some((name.clone(), sample(name)?))).collect();
        CellSummary {
            cell: cell.labels.iter().cloned().collect(),
            name: cell.name(),
            runs: runs.len() as u64,
            violations: runs.iter().filter(|(_, run)| !run["violation"].is_null()).count() as u64,
            figures,
            differences: differences(experiment, stores, cell, store, &names),
        }
    });
    Ok(Summary { title: experiment.title.clone(), cells: cells.collect() })
}

/// The runs of the experiment's seeds; the file may have more.
fn within<'s>(experiment: &Experiment, store: &'s Store) -> Vec<(&'s u64, &'s Value)> {
    store.runs.range(experiment.seeds.clone()).collect()
}

fn differences(
    experiment: &Experiment,
    stores: &[Store],
    cell: &super::plan::Cell,
    store: &Store,
    names: &[String],
) -> BTreeMap<String, Figure> {
    let Some((axis, with)) = &experiment.compare else { return BTreeMap::new() };
    if cell.on(axis) == Some(with) {
        return BTreeMap::new();
    }
    // The cell that is alike but on this axis.
    let but = |labels: &[(String, String)]| -> Vec<(String, String)> {
        labels.iter().filter(|(it, _)| it != axis).cloned().collect()
    };
    let alike = experiment
        .cells
        .iter()
        .zip(stores)
        .find(|(other, _)| other.on(axis) == Some(with) && but(&other.labels) == but(&cell.labels));
    let Some((_, other)) = alike else { return BTreeMap::new() };
    let difference = |name: &String| {
        let pairs = within(experiment, store)
            .into_iter()
            .filter_map(|(seed, run)| Some(figure(run, name)? - figure(other.runs.get(seed)?, name)?));
        Some((name.clone(), Figure::of(pairs.collect())?))
    };
    names.iter().filter_map(difference).collect()
}

/// The summary for people: a block a cell.
pub(super) fn text(summary: &Summary) -> String {
    let mut text = String::new();
    if let Some(title) = &summary.title {
        let _ = writeln!(text, "{title}\n");
    }
    for cell in &summary.cells {
        let violations = match cell.violations {
            0 => String::new(),
            some => format!(", {some} violate a property"),
        };
        let _ = writeln!(text, "{}: {} runs{violations}", cell.name, cell.runs);
        for (name, figure) in &cell.figures {
            let difference = match cell.differences.get(name) {
                Some(difference) => format!("   difference {}", difference.text()),
                None => String::new(),
            };
            let line = format!("  {name:<24} {:<24}{difference}", figure.text());
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

/// All runs, a line each.
pub(super) fn csv(experiment: &Experiment, stores: &[Store]) -> Result<String, Failure> {
    let names = names(stores);
    let axes: Vec<&String> = {
        let mut seen = Vec::new();
        for (axis, _) in experiment.cells.iter().flat_map(|cell| &cell.labels) {
            if !seen.contains(&axis) {
                seen.push(axis);
            }
        }
        seen
    };
    const COUNTS: [&str; 4] = ["events", "messages", "bytes", "virtual_seconds"];
    let mut text = String::new();
    let head = axes.iter().map(|axis| axis.as_str()).chain(["seed", "ending", "violation"]);
    let head: Vec<String> = head.chain(COUNTS).chain(names.iter().map(String::as_str)).map(cell).collect();
    let _ = writeln!(text, "{}", head.join(","));
    for (at, store) in experiment.cells.iter().zip(stores) {
        for (seed, run) in within(experiment, store) {
            let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
            let mut line: Vec<String> =
                axes.iter().map(|axis| cell(at.on(axis).unwrap_or_default())).collect();
            line.push(seed.to_string());
            line.push(cell(run["ending"].as_str().unwrap_or_default()));
            line.push(cell(run["violation"]["property"].as_str().unwrap_or_default()));
            line.extend(COUNTS.iter().map(|name| number(run[name].as_f64())));
            line.extend(names.iter().map(|name| number(figure(run, name))));
            let _ = writeln!(text, "{}", line.join(","));
        }
    }
    Ok(text)
}

/// A cell of comma-separated values (RFC 4180).
fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_summed_up() {
        let figure = Figure::of(vec![4.0, 1.0, f64::INFINITY, 3.0, 2.0]).unwrap();
        assert_eq!((figure.n, figure.mean, figure.median, figure.min, figure.max), (4, 2.5, 2.5, 1.0, 4.0));
        assert!((figure.standard_deviation - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        // Student's law with 3 degrees of freedom: 3.182446.
        let [low, high] = figure.interval.unwrap();
        assert!(((high - low) / 2.0 - 3.182446305 * (5.0_f64 / 12.0).sqrt()).abs() < 1e-6);
        assert!(Figure::of(vec![7.0]).unwrap().interval.is_none());
        assert!(Figure::of(vec![]).is_none());
    }

    #[test]
    fn numbers_have_four_digits_and_cells_their_quotes() {
        let shown: Vec<String> = [0.0, 1.0, 12.3456, 0.012344, 123456.7, 1e9, -2.5e-5].map(short).into();
        assert_eq!(shown, ["0", "1.000", "12.35", "0.01234", "123457", "1.000e9", "-2.500e-5"]);
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("plain"), "plain");
    }
}
