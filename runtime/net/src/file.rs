//! What files of models have in common: times, distributions of them, and mistakes with their places.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::delay::{Delay, Sample};

/// Why a file, or a set of figures, makes no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The line of the text, from 1; 0 where there is no text or the place in it is not known.
    pub line: usize,
    /// What is wrong and where, for people.
    pub message: String,
}

impl FileError {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        FileError { line, message: message.into() }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

impl std::error::Error for FileError {}

/// The lines of a file of comma-separated values that count, with their numbers: not the empty ones, nor those that begin with `#`.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// The beginning of a cell, for people.
pub(crate) fn shown(cell: &str) -> String {
    cell.chars().take(40).collect()
}

/// Reads JSON; a mistake is told with its line.
pub(crate) fn json<T: DeserializeOwned>(text: &str) -> Result<T, FileError> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // The line is said in front.
        let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message).to_owned();
        FileError::new(error.line(), format!("{message} (column {})", error.column()))
    })
}

/// A time in whole microseconds.
pub(crate) fn micros(ms: f64) -> Result<u32, String> {
    match ms {
        ms if ms.is_nan() => Err("is no number".to_owned()),
        ms if ms < 0.0 => Err(format!("is negative: {ms} ms")),
        ms if ms > 3_600_000.0 => Err(format!("is longer than an hour: {ms} ms; the unit is milliseconds")),
        ms => Ok((ms * 1_000.0).round() as u32),
    }
}

/// A distribution of times as it stands in a file; times in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Law {
    ConstantMs(f64),
    UniformMs(f64, f64),
    ExponentialMs(f64),
    Normal { mean_ms: f64, deviation_ms: f64 },
    Lognormal { median_ms: f64, sigma: f64 },
    Pareto { least_ms: f64, shape: f64 },
    Weibull { scale_ms: f64, shape: f64 },
    EmpiricalMs(Vec<f64>),
}

impl Law {
    /// The distribution; `place` is where it stands, for people.
    pub fn delay(&self, place: &str) -> Result<Delay, FileError> {
        let nanos = |ms: &f64| match micros(*ms) {
            Ok(_) => Ok((ms * 1e6).round() as u64),
            Err(what) => Err(FileError::new(0, format!("a time of `{place}` {what}"))),
        };
        let above = |value: f64, what: &str| match value.is_finite() && value > 0.0 {
            true => Ok(value),
            false => {
                Err(FileError::new(0, format!("`{place}`: the {what} is above 0 and finite, not {value}")))
            }
        };
        Ok(match self {
            Law::ConstantMs(ms) => Delay::Constant(nanos(ms)?),
            Law::UniformMs(least, most) => Delay::Uniform(nanos(least)?, nanos(most)?),
            Law::ExponentialMs(mean) => Delay::Exponential(nanos(mean)?),
            Law::Normal { mean_ms, deviation_ms } => {
                Delay::Normal { mean: nanos(mean_ms)?, deviation: nanos(deviation_ms)? }
            }
            Law::Lognormal { median_ms, sigma } => {
                Delay::LogNormal { median: nanos(median_ms)?, sigma: above(*sigma, "sigma")? }
            }
            Law::Pareto { least_ms, shape } => {
                Delay::Pareto { least: nanos(least_ms)?, shape: above(*shape, "shape")? }
            }
            Law::Weibull { scale_ms, shape } => {
                Delay::Weibull { scale: nanos(scale_ms)?, shape: above(*shape, "shape")? }
            }
            Law::EmpiricalMs(sample) => {
                let sample = sample.iter().map(nanos).collect::<Result<Vec<u64>, _>>()?;
                let empty = || FileError::new(0, format!("`{place}`: the sample is empty"));
                Delay::Empirical(Sample::new(sample).ok_or_else(empty)?)
            }
        })
    }
}
