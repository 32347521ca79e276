//! Probabilities: the sequential probability ratio test, and an interval that may be looked at after every run.
//!
//! The test is Wald's ("Sequential tests of statistical hypotheses", Annals of Mathematical Statistics 16, 1945). Its thresholds are
//! the bounds `ln alpha` and `ln 1/beta`, which hold exactly by Ville's inequality; Wald's own, which are a little closer, hold
//! approximately. The interval inverts the mixture of Robbins ("Statistical methods related to the law of the iterated logarithm",
//! Annals of Mathematical Statistics 41, 1970) with the beta distribution of Krichevsky and Trofimov as prior.

use super::Interval;

/// Decides between two probabilities of an event.
#[derive(Clone, Copy, Debug)]
pub struct Sprt {
    /// What an event, and its absence, add to the logarithm of the likelihood ratio.
    came: f64,
    missed: f64,
    ratio: f64,
    accept: f64,
    refute: f64,
}

impl Sprt {
    /// Between `least` or less, which is refuted, and `most` or more, which is accepted; `least < most`. At `most` or more
    /// it refutes with probability `alpha` at most, at `least` or less it accepts with probability `beta` at most. Between
    /// the two it may do either.
    pub fn new(least: f64, most: f64, alpha: f64, beta: f64) -> Self {
        Sprt {
            came: (most / least).ln(),
            missed: ((1.0 - most) / (1.0 - least)).ln(),
            ratio: 0.0,
            accept: -beta.ln(),
            refute: alpha.ln(),
        }
    }

    /// Takes an outcome into account.
    pub fn add(&mut self, came: bool) {
        self.ratio += if came { self.came } else { self.missed };
    }

    /// Whether the greater probability is accepted or refuted, if either.
    pub fn decided(&self) -> Option<bool> {
        match self.ratio {
            ratio if ratio >= self.accept => Some(true),
            ratio if ratio <= self.refute => Some(false),
            _ => None,
        }
    }
}

/// How often an event came, and what that says of its probability.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proportion {
    runs: u64,
    came: u64,
    /// The logarithm of the mixture's likelihood.
    mixture: f64,
}

impl Proportion {
    /// Takes an outcome into account.
    pub fn add(&mut self, came: bool) {
        let alike = if came { self.came } else { self.runs - self.came };
        self.mixture += ((alike as f64 + 0.5) / (self.runs as f64 + 1.0)).ln();
        self.runs += 1;
        self.came += u64::from(came);
    }

    /// How many outcomes there were.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The share of those in which it came; None before the first.
    pub fn share(&self) -> Option<f64> {
        (self.runs > 0).then(|| self.came as f64 / self.runs as f64)
    }

    /// An interval which, with probability `1 - error`, holds the true probability after every run.
    pub fn interval(&self, error: f64) -> Interval {
        let Some(share) = self.share() else { return Interval { low: 0.0, high: 1.0 } };
        let (came, missed) = (self.came as f64, (self.runs - self.came) as f64);
        let term = |count: f64, p: f64| if count == 0.0 { 0.0 } else { count * p.ln() };
        let inside = |p: f64| self.mixture - term(came, p) - term(missed, 1.0 - p) < -error.ln();
        Interval { low: edge(share, 0.0, inside), high: edge(share, 1.0, inside) }
    }
}

/// The border of `inside` between a point within and an outer one, by halving.
fn edge(within: f64, outer: f64, inside: impl Fn(f64) -> bool) -> f64 {
    if inside(outer) {
        return outer;
    }
    let (mut within, mut outer) = (within, outer);
    for _ in 0..60 {
        let middle = f64::midpoint(within, outer);
        if inside(middle) { within = middle } else { outer = middle }
    }
    outer
}

#[cfg(test)]
mod tests {
    use foresee_net::{Draw, Purpose, Stream};

    use super::*;

    const ALPHA: f64 = 0.05;
    const BETA: f64 = 0.1;

    /// In how many of `trials` the test accepts at `p`, and after how many outcomes on average.
    fn accepted(p: f64, trials: u64) -> (u64, f64) {
        let (mut accepted, mut outcomes) = (0, 0);
        for trial in 0..trials {
            let mut sprt = Sprt::new(0.85, 0.95, ALPHA, BETA);
            let decided = loop {
                outcomes += 1;
                sprt.add(Stream::new(trial, Purpose(0), (0, 0), outcomes).happens(p));
                if let Some(decided) = sprt.decided() {
                    break decided;
                }
            };
            accepted += u64::from(decided);
        }
        (accepted, outcomes as f64 / trials as f64)
    }

    #[test]
    fn errors_stay_within_what_was_stated() {
        let trials = 2_000;
        let (right, _) = accepted(0.95, trials);
        let (wrong, _) = accepted(0.85, trials);
        // Three standard deviations of the counts beyond the stated errors.
        assert!(right as f64 >= trials as f64 * (1.0 - ALPHA) - 3.0 * 9.8, "{right}");
        assert!(wrong as f64 <= trials as f64 * BETA + 3.0 * 13.4, "{wrong}");
        assert!(
            right < trials && wrong > 0,
            "a test that never errs takes more than it needs: {right} {wrong}"
        );
    }

    #[test]
    fn clear_cases_are_decided_sooner() {
        let ((all, soon), (_, late)) = (accepted(0.999, 300), accepted(0.95, 300));
        assert!(all == 300 && soon < late, "{all} {soon} {late}");
        let (none, soon) = accepted(0.3, 300);
        assert!(none == 0 && soon < 10.0, "{none} {soon}");
    }

    #[test]
    fn certainty_is_refuted_by_one_miss() {
        let mut sprt = Sprt::new(0.99, 1.0, 0.01, 0.01);
        (0..458).for_each(|_| sprt.add(true));
        assert_eq!(sprt.decided(), None);
        sprt.add(true);
        assert_eq!(sprt.decided(), Some(true));
        sprt.add(false);
        assert_eq!(sprt.decided(), Some(false));
    }

    /// The interval holds the truth at all times at once, in all but the stated share of sequences.
    #[test]
    fn the_interval_may_be_looked_at_after_every_run() {
        let (trials, runs, error) = (200_u64, 500, 0.05);
        for p in [0.02, 0.5, 0.9] {
            let mut missed = 0;
            for trial in 0..trials {
                let mut proportion = Proportion::default();
                let leaves = (0..runs).any(|run| {
                    proportion.add(Stream::new(trial, Purpose(1), (0, 0), run).happens(p));
                    let Interval { low, high } = proportion.interval(error);
                    !(low..=high).contains(&p)
                });
                missed += u64::from(leaves);
            }
            assert!(missed as f64 <= trials as f64 * error + 3.0 * 3.1, "{p}: {missed} of {trials}");
        }
    }

    #[test]
    fn the_interval_shrinks_around_the_share() {
        let mut proportion = Proportion::default();
        assert_eq!(proportion.interval(0.05), Interval { low: 0.0, high: 1.0 });
        (0..10_000).for_each(|run| proportion.add(run % 10 != 0));
        let Interval { low, high } = proportion.interval(0.01);
        assert!(low < 0.9 && high > 0.9 && high - low < 0.03, "{low} {high}");
        let mut always = Proportion::default();
        (0..1_000).for_each(|_| always.add(true));
        let Interval { low, high } = always.interval(0.01);
        assert!(high == 1.0 && low > 0.98, "{low} {high}");
    }
}
