//! Means: a confidence sequence, an interval that may be looked at after every run.
//!
//! It is the asymptotic one of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit theory and asymptotic
//! confidence sequences", Annals of Statistics 52, 2024, theorem 2.2): for any distribution with more than two moments, its error
//! comes to what is stated as runs grow. It is narrowest around [`TUNED_FOR`] runs.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Interval;

/// The least number of runs after which the interval of a mean is used: before, a spread is not known.
pub const RUNS_LEAST: u64 = 50;

/// The number of runs at which the interval is as narrow as it can be.
const TUNED_FOR: f64 = 500.0;

/// The mean and the spread of a figure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Means {
    runs: u64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

impl Means {
    /// Takes a value into account.
    pub fn add(&mut self, value: f64) {
        self.runs += 1;
        let before = value - self.mean;
        self.mean += before / self.runs as f64;
        self.squares += before * (value - self.mean);
    }

    /// How many values there were.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Their mean; None before the first.
    pub fn mean(&self) -> Option<f64> {
        (self.runs > 0).then_some(self.mean)
    }

    /// The standard deviation of a value, as a sample; 0 before the second.
    pub fn deviation(&self) -> f64 {
        if self.runs < 2 { 0.0 } else { (self.squares / (self.runs - 1) as f64).sqrt() }
    }

    /// Student's interval of the true mean, for a number of values that was fixed before; None below two.
    pub fn student(&self, error: f64) -> Option<Interval> {
        let n = self.runs as f64;
        let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
        let half = student.inverse_cdf(1.0 - error / 2.0) * self.deviation() / n.sqrt();
        Some(Interval { low: self.mean - half, high: self.mean + half })
    }

    /// An interval which, with probability `1 - error` or nearly so, holds the true mean after every run from
    /// [`RUNS_LEAST`] on; None before that.
    pub fn interval(&self, error: f64) -> Option<Interval> {
        if self.runs < RUNS_LEAST {
            return None;
        }
        let spread = -2.0 * error.ln();
        let scale = (spread + (spread + 1.0).ln()) / TUNED_FOR;
        let n = self.runs as f64;
        let grown = n * scale + 1.0;
        let half = self.deviation() * (2.0 * grown / (n * n * scale) * (grown.sqrt() / error).ln()).sqrt();
        Some(Interval { low: self.mean - half, high: self.mean + half })
    }
}

#[cfg(test)]
mod tests {
    use foresee_net::{Delay, Purpose, Stream};

    use super::*;

    #[test]
    fn the_interval_holds_the_mean_at_all_times_at_once() {
        let (trials, runs, error) = (400_u64, 2_000, 0.05);
        let mut missed = 0;
        for trial in 0..trials {
            let mut means = Means::default();
            let leaves = (0..runs).any(|run| {
                let mut stream = Stream::new(trial, Purpose(2), (0, 0), run);
                means.add(Delay::Exponential(1_000_000).nanos(&mut stream) as f64);
                means.interval(error).is_some_and(|it| !(it.low..=it.high).contains(&1e6))
            });
            missed += u64::from(leaves);
        }
        assert!(missed as f64 <= trials as f64 * error + 3.0 * 4.4, "{missed} of {trials}");
    }

    #[test]
    fn there_is_no_interval_of_few_runs_and_a_narrow_one_of_many() {
        let mut means = Means::default();
        for run in 0..RUNS_LEAST {
            assert_eq!(means.interval(0.01), None);
            means.add((run % 2) as f64);
        }
        let wide = means.interval(0.01).expect("there are enough");
        (0..100_000).for_each(|run| means.add(f64::from(run % 2)));
        let narrow = means.interval(0.01).expect("there are enough");
        assert!(wide.high - wide.low > 0.4 && narrow.high - narrow.low < 0.02, "{wide:?} {narrow:?}");
        assert!(narrow.low < 0.5 && narrow.high > 0.5);
    }
}
