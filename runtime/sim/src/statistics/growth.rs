//! Evidence for and against an expectation being finite: whether it goes on growing as runs last longer.
//!
//! Each run is looked at when a quarter, a half and all of its time is over. What is added in the last half of it is compared, run by
//! run, with what was added in the quarter before: a figure that grows for ever, as the logarithm of time or faster, adds no less;
//! one that settles adds less and less. Neither is a proof.

use super::{Interval, Means, RUNS_LEAST};

/// What was added in two stretches of time, the second twice as long as the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Growth {
    later: Means,
    /// How much more was added in the second.
    excess: Means,
    /// Whether nothing was ever added in the second.
    still: bool,
}

impl Growth {
    pub fn new() -> Self {
        Growth { still: true, ..Growth::default() }
    }

    /// A run's value at a quarter, a half and all of its time.
    pub fn add(&mut self, quarter: f64, half: f64, all: f64) {
        let (first, second) = (half - quarter, all - half);
        self.later.add(second);
        self.excess.add(second - first);
        self.still &= second == 0.0;
    }

    /// Whether it settles, if there is evidence either way.
    pub fn settles(&self, error: f64) -> Option<bool> {
        let Interval { low, high } = self.excess.interval(error)?;
        let grows = self.later.interval(error)?.low > 0.0;
        match () {
            () if self.still => Some(true),
            () if high < 0.0 => Some(true),
            () if low > 0.0 && grows => Some(false),
            () => None,
        }
    }

    /// What the second stretch adds, on average.
    pub fn added(&self) -> f64 {
        self.later.mean().unwrap_or_default()
    }

    /// Whether there is an interval at all.
    pub fn is_young(&self) -> bool {
        self.later.runs() < RUNS_LEAST
    }
}

#[cfg(test)]
mod tests {
    use foresee_net::{Draw, Purpose, Stream};

    use super::*;

    fn judged(of_time: impl Fn(f64) -> f64) -> Option<bool> {
        let mut growth = Growth::new();
        for run in 0..500 {
            let noise = 0.5 + Stream::new(run, Purpose(0), (0, 0), 0).unit();
            growth.add(of_time(25.0) * noise, of_time(50.0) * noise, of_time(100.0) * noise);
        }
        growth.settles(0.01)
    }

    #[test]
    fn what_settles_is_told_from_what_grows() {
        assert_eq!(judged(|t| 3.0 * t), Some(false));
        assert_eq!(judged(f64::sqrt), Some(false));
        assert_eq!(judged(|t| 1.0 - (-t / 10.0).exp()), Some(true));
        assert_eq!(judged(|t| 1.0 - 1.0 / t), Some(true));
        assert_eq!(judged(|_| 7.0), Some(true));
    }

    #[test]
    fn few_runs_are_no_evidence() {
        let mut growth = Growth::new();
        (0..RUNS_LEAST - 1).for_each(|_| growth.add(1.0, 2.0, 4.0));
        assert!(growth.is_young() && growth.settles(0.01).is_none());
    }
}
