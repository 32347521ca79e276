//! Two resolvers on common random numbers: seed by seed, with the interval of the difference.
//!
//! Both are run on the same seeds. Random numbers are keyed by what they are for, so the two runs of a seed share all that the choices do
//! not change, and the difference varies less than the figures do. The interval is Student's, for a number of runs that was fixed before.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use foresee_kernel::Model;
use serde::Serialize;

use super::{Interval, Means};
use crate::{Options, ResolverKind, Run, SimError, runs};

/// Two resolvers, by what they came to.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The names of the two.
    pub resolvers: [String; 2],
    /// How many seeds were run by both, with no violation in either.
    pub seeds: u64,
    /// How many runs of each a violation ended; none of their seeds is compared.
    pub violations: [u64; 2],
    /// The probability that the interval of a difference misses it.
    pub error: f64,
    /// Each objective, messages and bytes.
    pub figures: BTreeMap<String, Difference>,
}

/// A figure of two resolvers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The mean of each.
    pub means: [f64; 2],
    /// The mean of the second less that of the first.
    pub difference: f64,
    /// The interval of the difference; None for a single seed.
    pub interval: Option<Interval>,
}

/// What is added up of a figure.
#[derive(Clone, Copy, Default)]
struct Paired {
    each: [Means; 2],
    difference: Means,
}

/// Runs `model` on each of `seeds` with both resolvers.
///
/// # Errors
/// Those of [`crate::run`].
pub fn compare(
    model: &Arc<Model>,
    seeds: Range<u64>,
    threads: usize,
    options: &Options,
    resolvers: [&ResolverKind; 2],
    error: f64,
) -> Result<Comparison, SimError> {
    let mut all: [Vec<Option<BTreeMap<String, f64>>>; 2] = Default::default();
    let mut violations = [0; 2];
    for (place, resolver) in resolvers.into_iter().enumerate() {
        let options = Options { resolver: resolver.clone(), ..options.clone() };
        runs(model, seeds.clone(), threads, &options, &mut |run| {
            violations[place] += u64::from(run.violation.is_some());
            all[place].push(run.violation.is_none().then(|| figures(&run)));
        })?;
    }
    let (mut paired, mut compared): (BTreeMap<String, Paired>, u64) = (BTreeMap::new(), 0);
    let [first, second] = &all;
    for (first, second) in first.iter().zip(second) {
        let (Some(first), Some(second)) = (first, second) else { continue };
        compared += 1;
        for (name, value) in first {
            let Some(other) = second.get(name) else { continue };
            let sums = paired.entry(name.clone()).or_default();
            sums.each[0].add(*value);
            sums.each[1].add(*other);
            sums.difference.add(other - value);
        }
    }
    let figures = paired.into_iter().map(|(name, sums)| (name, sums.told(error))).collect();
    let resolvers = resolvers.map(|resolver| resolver.name().to_owned());
    Ok(Comparison { resolvers, seeds: compared, violations, error, figures })
}

fn figures(run: &Run) -> BTreeMap<String, f64> {
    let mut figures = run.objectives.clone();
    figures.insert("messages".to_owned(), run.messages as f64);
    figures.insert("bytes".to_owned(), run.bytes as f64);
    figures
}

impl Paired {
    fn told(self, error: f64) -> Difference {
        let mean = |means: &Means| means.mean().unwrap_or_default();
        let difference = mean(&self.difference);
        let interval = self.difference.student(error);
        Difference { means: [mean(&self.each[0]), mean(&self.each[1])], difference, interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        let mut paired = Paired::default();
        for (a, b) in [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0), (4.0, 8.0), (5.0, 10.0)] {
            paired.each[0].add(a);
            paired.each[1].add(b);
            paired.difference.add(b - a);
        }
        let told = paired.told(0.05);
        assert_eq!((told.means, told.difference), ([3.0, 6.0], 3.0));
        // 2.776 is the quantile for 4 degrees of freedom; the deviation is the root of 2.5.
        let half = 2.776_445 * 2.5_f64.sqrt() / 5.0_f64.sqrt();
        let Interval { low, high } = told.interval.expect("there are several");
        assert!((low - (3.0 - half)).abs() < 1e-5 && (high - (3.0 + half)).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn a_single_seed_has_no_interval() {
        let mut paired = Paired::default();
        paired.difference.add(1.0);
        assert_eq!(paired.told(0.05).interval, None);
    }
}
