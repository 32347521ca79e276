//! Matrices as comma-separated values.

use super::{SITES_MAX, Topology};
use crate::file::{self, FileError, shown};

/// What a matrix counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    /// The time there and back, in milliseconds.
    RttMs,
    /// The time one way, in milliseconds.
    OneWayMs,
}

impl Unit {
    /// A value of this unit, one way in milliseconds.
    pub fn one_way_ms(self, value: f64) -> f64 {
        match self {
            Unit::RttMs => value / 2.0,
            Unit::OneWayMs => value,
        }
    }
}

impl Topology {
    /// A matrix of comma-separated values. Its first cell says what is counted, `rtt_ms` or `one_way_ms`; the rest of its
    /// first line names the sites; each further line is a site and the times from it to all. Lines that are empty or
    /// begin with `#` do not count.
    ///
    /// # Errors
    /// The line and the cell that is wrong.
    pub fn from_csv(text: &str) -> Result<Self, FileError> {
        let mut lines = file::lines(text);
        let Some((first, header)) = lines.next() else {
            return Err(FileError::new(0, "the matrix is empty"));
        };
        let mut cells = header.split(',').map(str::trim);
        let unit = match cells.next() {
            Some("rtt_ms") => Unit::RttMs,
            Some("one_way_ms") => Unit::OneWayMs,
            other => {
                let other = shown(other.unwrap_or_default());
                let message =
                    format!("the first cell says what is counted, `rtt_ms` or `one_way_ms`, not `{other}`");
                return Err(FileError::new(first, message));
            }
        };
        let sites: Vec<String> = cells.map(str::to_owned).take(SITES_MAX + 1).collect();
        super::named(&sites).map_err(|error| FileError { line: first, ..error })?;
        let (mut rows, mut numbers) = (Vec::new(), Vec::new());
        for (number, line) in lines {
            let Some(expected) = sites.get(rows.len()) else {
                let message = format!("there is a row beyond the {} sites of the first line", sites.len());
                return Err(FileError::new(number, message));
            };
            let mut cells = line.split(',').map(str::trim);
            let name = cells.next().unwrap_or_default();
            if name != expected {
                let message =
                    format!("the row of `{expected}` is expected here, and this is that of `{name}`");
                return Err(FileError::new(number, message));
            }
            let mut row = Vec::with_capacity(sites.len());
            for (column, cell) in cells.enumerate() {
                let value: f64 = cell.parse().map_err(|_| {
                    let cell = shown(cell);
                    FileError::new(number, format!("cell {}, `{cell}`, is no number", column + 2))
                })?;
                row.push(unit.one_way_ms(value));
            }
            rows.push(row);
            numbers.push(number);
        }
        if let Some(missing) = sites.get(rows.len()) {
            let message = format!("the matrix ends before the row of `{missing}`");
            return Err(FileError::new(numbers.last().copied().unwrap_or(first), message));
        }
        Topology::with_lines(sites, &rows, &|row| numbers[row])
    }
}
