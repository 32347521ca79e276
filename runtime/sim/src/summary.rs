//! Many runs in a few figures.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Run;
use crate::result::{Ending, Status};

/// Runs, folded in the order in which they come.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// How many runs.
    pub runs: u64,
    /// Events of all runs.
    pub events: u64,
    /// Virtual seconds of all runs.
    pub virtual_seconds: f64,
    /// Messages of all runs.
    pub messages: u64,
    /// Bytes of all runs.
    pub bytes: u64,
    /// How many runs ended for each reason.
    pub endings: BTreeMap<String, u64>,
    /// Each objective, over the runs that no violation cut short.
    pub objectives: BTreeMap<String, Moments>,
    /// What the resolver says of itself, over the same runs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resolver: BTreeMap<String, Moments>,
    /// For each property, in how many runs it came out how.
    pub properties: BTreeMap<String, BTreeMap<Status, u64>>,
    /// The runs that a violation ended.
    pub violations: Vec<ViolationAt>,
}

/// A run that a violation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViolationAt {
    /// The seed of the run.
    pub seed: u64,
    /// The property.
    pub property: String,
    /// When, on the virtual clock.
    pub at_nanos: u64,
}

/// Number, mean, spread and range of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Moments {
    /// How many runs.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// The standard deviation of a run, as a sample: by n - 1; 0 for one run.
    pub standard_deviation: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The sum of squared distances from the mean.
    #[serde(skip)]
    squares: f64,
}

impl Moments {
    fn of(value: f64) -> Self {
        Moments { n: 1, mean: value, standard_deviation: 0.0, min: value, max: value, squares: 0.0 }
    }

    /// Welford's update: no difference of large sums.
    fn add(&mut self, value: f64) {
        self.n += 1;
        let before = value - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (value - self.mean);
        self.standard_deviation = (self.squares / (self.n - 1) as f64).sqrt();
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, run: &Run) {
        self.runs += 1;
        self.events += run.events;
        self.virtual_seconds += run.virtual_seconds;
        self.messages += run.messages;
        self.bytes += run.bytes;
        *self.endings.entry(run.ending.to_string()).or_default() += 1;
        for outcome in &run.properties {
            let counts = self.properties.entry(outcome.name.clone()).or_default();
            *counts.entry(outcome.status).or_default() += 1;
        }
        if run.ending != Ending::Violation {
            add_all(&mut self.objectives, &run.objectives);
            add_all(&mut self.resolver, &run.resolver);
        }
        self.violations.extend(run.violation.as_ref().map(|violation| ViolationAt {
            seed: run.seed,
            property: violation.property.clone(),
            at_nanos: violation.at_nanos,
        }));
    }
}

fn add_all(all: &mut BTreeMap<String, Moments>, values: &BTreeMap<String, f64>) {
    for (name, value) in values {
        match all.get_mut(name) {
            Some(moments) => moments.add(*value),
            None => {
                all.insert(name.clone(), Moments::of(*value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_values() {
        let mut moments = Moments::of(2.0);
        [4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().for_each(|value| moments.add(value));
        assert_eq!((moments.n, moments.min, moments.max), (8, 2.0, 9.0));
        assert!((moments.mean - 5.0).abs() < 1e-12);
        assert!((moments.standard_deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn moments_survive_a_large_offset() {
        let mut moments = Moments::of(1e9 + 1.0);
        [1e9 + 2.0, 1e9 + 3.0].into_iter().for_each(|value| moments.add(value));
        assert!((moments.standard_deviation - 1.0).abs() < 1e-6);
    }
}
