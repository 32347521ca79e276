//! Decides the statistical properties of a model, one run after another.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{Claim, Figure, Model, Statistical};
use serde::Serialize;

use super::growth::Growth;
use super::{Interval, Means, Proportion, RUNS_LEAST, Sprt};
use crate::{Options, Run, SimError, Summary, runs, runs_while};

/// Seeds that are run at a time for `finite`, each to three ends.
const BATCH: u64 = 32;

/// How sure an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demands {
    /// The probability that a true claim is refuted, at most.
    pub alpha: f64,
    /// The probability that a false claim is taken to hold, at most.
    pub beta: f64,
    /// How near to its bound a figure may be for either answer to do. Where nothing is said: 0.01 for a probability, and never more
    /// than half of its bound's distance from 0 and 1; a hundredth of its bound for a mean, or 0.01 where that is 0.
    pub indifference: Option<f64>,
}

impl Default for Demands {
    fn default() -> Self {
        Demands { alpha: 0.01, beta: 0.01, indifference: None }
    }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is taken to hold.
    Held,
    /// It is refuted.
    Violated,
    /// The runs were used up before either.
    Undecided,
}

/// A claim, what was estimated, and the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The name of the property.
    pub name: &'static str,
    /// The claim as written.
    pub claim: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The answer.
    pub verdict: Verdict,
    /// By which method.
    pub method: &'static str,
    /// How many runs were used.
    pub runs: u64,
    /// How many runs say nothing of it: what is given did not hold, or a quotient had no value.
    pub left_out: u64,
    /// The figure, if any run says something of it.
    pub estimate: Option<f64>,
    /// An interval that holds the true figure but with the probability `error`, whenever the runs ended.
    pub interval: Option<Interval>,
    /// See `interval`.
    pub error: f64,
    /// The probability that a true claim is refuted, at most.
    pub alpha: f64,
    /// The probability that a false claim is taken to hold, at most.
    pub beta: f64,
    /// How near to the bound either answer will do; 0 where the claim has no bound.
    pub indifference: f64,
    /// What else is to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// The answers to all claims of a model.
#[derive(Clone, Debug)]
pub struct Verification {
    /// One for each statistical property, in their order.
    pub estimates: Vec<Estimate>,
    /// The runs on which they rest.
    pub summary: Summary,
    /// The first run that violates another property: it ends everything, and what is undecided then stays so.
    pub violating: Option<Box<Run>>,
}

/// Decides the statistical properties of `model` on runs of these seeds, no more than are needed.
///
/// # Errors
/// Those of [`crate::run`], and a claim about a time beyond the end of the runs.
pub fn verify(
    model: &Arc<Model>,
    seeds: Range<u64>,
    threads: usize,
    options: &Options,
    demands: &Demands,
) -> Result<Verification, SimError> {
    within_end(model, options)?;
    let end = options.until.or(model.horizon);
    let mut judges: Vec<Judge> = model.statistics.iter().map(|claim| Judge::new(claim, demands)).collect();
    let options = Options { figures: true, ..options.clone() };
    let (mut summary, mut violating) = (Summary::default(), None);
    if judges.iter().any(Judge::wants_runs) {
        runs_while(model, seeds.clone(), threads, &options, &mut |run| {
            summary.add(&run);
            if run.violation.is_some() {
                violating = Some(Box::new(run));
                return ControlFlow::Break(());
            }
            judges.iter_mut().zip(&run.figures).for_each(|(judge, value)| judge.add(*value));
            if judges.iter().any(Judge::wants_runs) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
    }
    if violating.is_none() && judges.iter().any(|judge| judge.is_finite()) {
        let mut finite: Vec<(usize, &mut Judge)> =
            judges.iter_mut().enumerate().filter(|(_, judge)| judge.is_finite()).collect();
        violating = lengthen(model, seeds, threads, &options, end, &mut finite, &mut summary)?;
    }
    Ok(Verification { estimates: judges.iter().map(Judge::estimate).collect(), summary, violating })
}

/// Refuses a claim about a time beyond the end of the runs.
pub(crate) fn within_end(model: &Model, options: &Options) -> Result<(), SimError> {
    let end = options.until.or(model.horizon);
    for claim in &model.statistics {
        if let (Figure::Probability { within: Some(within), .. }, Some(end)) = (&claim.figure, end)
            && *within > end
        {
            return Err(SimError::BeyondEnd { claim: claim.name, within: *within, end });
        }
    }
    Ok(())
}

/// Gathers evidence for claims of finiteness. A run that violates another property, if one does.
fn lengthen(
    model: &Arc<Model>,
    seeds: Range<u64>,
    threads: usize,
    options: &Options,
    end: Option<Duration>,
    judges: &mut [(usize, &mut Judge)],
    summary: &mut Summary,
) -> Result<Option<Box<Run>>, SimError> {
    let Some(end) = end else {
        let note = "the system has no horizon: say with `--until` how long runs last";
        judges.iter_mut().for_each(|(_, judge)| judge.note = Some(note));
        return Ok(None);
    };
    let mut seeds = seeds;
    while !seeds.is_empty() && judges.iter().any(|(_, judge)| judge.is_open()) {
        let batch = seeds.start..seeds.end.min(seeds.start + BATCH);
        seeds.start = batch.end;
        let mut figures: [Vec<Vec<Option<f64>>>; 3] = Default::default();
        let mut violating = None;
        for (place, until) in [end / 4, end / 2, end].into_iter().enumerate() {
            let options = Options { until: Some(until), ..options.clone() };
            runs(model, batch.clone(), threads, &options, &mut |run| {
                if place == 2 {
                    summary.add(&run);
                }
                figures[place].push(run.figures.clone());
                if run.violation.is_some() && violating.is_none() {
                    violating = Some(Box::new(run));
                }
            })?;
        }
        if violating.is_some() {
            return Ok(violating);
        }
        let [quarter, half, all] = &figures;
        for ((quarter, half), all) in quarter.iter().zip(half).zip(all) {
            for (index, judge) in judges.iter_mut() {
                judge.add_stretches([quarter[*index], half[*index], all[*index]]);
            }
        }
    }
    Ok(None)
}

/// A claim on its way to an answer.
struct Judge {
    claim: Arc<Statistical>,
    demands: Demands,
    indifference: f64,
    means: Means,
    left_out: u64,
    test: Test,
    decided: Option<bool>,
    note: Option<&'static str>,
}

enum Test {
    /// Of an event, or of its absence where `turned`.
    Probability {
        turned: bool,
        sprt: Sprt,
        proportion: Proportion,
    },
    /// Of a mean against a bound; whether it is to be above.
    Mean {
        bound: f64,
        above: bool,
    },
    Finite(Growth),
}

impl Judge {
    fn new(claim: &Arc<Statistical>, demands: &Demands) -> Self {
        let (bound, above) = match claim.claim {
            Claim::AtLeast(bound) | Claim::Above(bound) => (bound, true),
            Claim::AtMost(bound) | Claim::Below(bound) => (bound, false),
            Claim::Finite => (0.0, false),
        };
        let (mut indifference, mut decided) = (0.0, None);
        let test = match (&claim.figure, claim.claim) {
            (_, Claim::Finite) => Test::Finite(Growth::new()),
            (Figure::Expected(_), _) => {
                let usual = if bound == 0.0 { 0.01 } else { bound.abs() / 100.0 };
                indifference = demands.indifference.unwrap_or(usual);
                Test::Mean { bound, above }
            }
            (Figure::Probability { .. }, _) => {
                let distance = bound.min(1.0 - bound);
                let usual = if distance > 0.0 { (distance / 2.0).min(0.01) } else { 0.01 };
                indifference = demands.indifference.unwrap_or(usual);
                // A claim about an event to be rare is one about its absence to be frequent.
                let wanted = if above { bound } else { 1.0 - bound };
                let (least, most) = ((wanted - indifference).max(0.0), (wanted + indifference).min(1.0));
                decided = (wanted <= 0.0).then_some(true);
                let sprt = Sprt::new(least, most, demands.alpha, demands.beta);
                Test::Probability { turned: !above, sprt, proportion: Proportion::default() }
            }
        };
        Judge {
            claim: claim.clone(),
            demands: *demands,
            indifference,
            means: Means::default(),
            left_out: 0,
            test,
            decided,
            note: None,
        }
    }

    fn is_open(&self) -> bool {
        self.decided.is_none()
    }

    fn is_finite(&self) -> bool {
        matches!(self.test, Test::Finite(_))
    }

    /// Whether one more run, to one end, may decide it.
    fn wants_runs(&self) -> bool {
        self.is_open() && !self.is_finite()
    }

    /// A probability of error that keeps both demands.
    fn error(&self) -> f64 {
        self.demands.alpha.min(self.demands.beta)
    }

    /// What a run says of the figure.
    fn add(&mut self, value: Option<f64>) {
        if !self.wants_runs() {
            return;
        }
        let Some(value) = self.take(value) else { return };
        let error = self.error();
        match &mut self.test {
            Test::Probability { turned, sprt, proportion } => {
                let came = value != 0.0;
                sprt.add(came != *turned);
                proportion.add(came);
                self.decided = sprt.decided();
            }
            Test::Mean { bound, above } => {
                let Some(Interval { low, high }) = self.means.interval(error) else { return };
                let (beyond, within) = match *above {
                    true => (low >= *bound - self.indifference, high <= *bound + self.indifference),
                    false => (high <= *bound + self.indifference, low >= *bound - self.indifference),
                };
                let near = (self.means.mean().unwrap_or_default() >= *bound) == *above;
                self.decided = match (beyond, within) {
                    (true, true) => Some(near),
                    (holds, refuted) => (holds || refuted).then_some(holds),
                };
            }
            Test::Finite(_) => {}
        }
    }

    /// What a run says of the figure after a quarter, a half and all of its time.
    fn add_stretches(&mut self, values: [Option<f64>; 3]) {
        if !self.is_open() {
            return;
        }
        let [Some(quarter), Some(half), Some(all)] = values else {
            self.left_out += 1;
            return;
        };
        if self.take(Some(quarter + half + all)).is_none() {
            return;
        }
        let error = self.error();
        if let Test::Finite(growth) = &mut self.test {
            growth.add(quarter, half, all);
            self.decided = growth.settles(error);
            self.note = match self.decided {
                Some(true) => Some("it settles within the time of the runs: evidence, no proof"),
                Some(false) => Some("it goes on growing with the time of the runs: evidence, no proof"),
                None => None,
            };
        }
    }

    /// A value that counts; one that is not finite decides a claim by itself.
    fn take(&mut self, value: Option<f64>) -> Option<f64> {
        match value {
            None => {
                self.left_out += 1;
                None
            }
            Some(value) if value.is_finite() => {
                self.means.add(value);
                Some(value)
            }
            Some(value) => {
                let above = matches!(self.claim.claim, Claim::AtLeast(_) | Claim::Above(_));
                self.decided = Some((value > 0.0) == above && !value.is_nan());
                self.note = Some("a run has a value that is not finite");
                None
            }
        }
    }

    fn estimate(&self) -> Estimate {
        let Demands { alpha, beta, .. } = self.demands;
        let error = self.error();
        let (method, runs, estimate, interval) = match &self.test {
            Test::Probability { proportion, .. } => {
                let interval = (proportion.runs() > 0).then(|| proportion.interval(error));
                ("sequential probability ratio test", proportion.runs(), proportion.share(), interval)
            }
            Test::Mean { .. } => {
                let interval = self.means.interval(error);
                ("asymptotic confidence sequence", self.means.runs(), self.means.mean(), interval)
            }
            Test::Finite(growth) => ("growth with time", self.means.runs(), Some(growth.added()), None),
        };
        let young = match &self.test {
            Test::Finite(growth) => self.note.is_none() && growth.is_young(),
            Test::Mean { .. } => self.is_open() && self.means.runs() < RUNS_LEAST,
            Test::Probability { .. } => false,
        };
        Estimate {
            name: self.claim.name,
            claim: self.claim.text,
            line: self.claim.line,
            verdict: match self.decided {
                Some(true) => Verdict::Held,
                Some(false) => Verdict::Violated,
                None => Verdict::Undecided,
            },
            method,
            runs,
            left_out: self.left_out,
            estimate,
            interval,
            error,
            alpha,
            beta,
            indifference: self.indifference,
            note: if young { Some("a mean needs 50 runs at least") } else { self.note },
        }
    }
}
