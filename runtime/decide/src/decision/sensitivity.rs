//! How far a choice by expected utility is from flipping.
//!
//! For the best act `i` and a rival `j`, with `d_s = U_i(s) - U_j(s)` and the lead `D = sum p_s d_s`:
//!
//! - a probability: mass `t` moved into state `s`, proportionally out of the others, flips the choice at
//!   `t = -D / (d_s - sum_{k != s} p_k d_k / (1 - p_s))`, feasible iff `-p_s <= t <= 1 - p_s`;
//! - a utility: that of `i` in `s` must fall, or that of `j` rise, by `D / p_s`;
//! - contamination: with `min_j > min_i` at `epsilon = D / (D + min_j - min_i)`;
//! - the evidence: with `n` observations behind the probabilities, `d` has the posterior standard deviation
//!   `sqrt((sum p d^2 - D^2) / (n + 1))`; a rival within 1.96 of them is a tie.
//!
//! And `EVPI = sum_s p_s max_a U - max_a EU`, what perfect information is worth: the cap on paying for estimates.
//! Section 5(e). Every rival is looked at, not only the second best: another may overtake first.

use serde::Serialize;
use statrs::function::erf;

use super::{Rule, Table, Verdict};
use crate::error::{self, Error, Result};
use crate::extended::Extended;
use crate::numeric;

/// Standard deviations within which a lead is a tie: the central 95 % of a normal law.
const TIE_DEVIATIONS: f64 = 1.959_963_984_540_054;

/// Places at which [`flip_of`] looks for a change of the choice on either side.
const PLACES: u32 = 512;

/// How far the choice by expected utility is from flipping.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Expected utilities and the choice.
    pub verdict: Verdict,
    /// The best act's rivals, nearest first.
    pub rivals: Vec<Rival>,
    /// Expected value of perfect information; none where both terms are the same infinity.
    pub evpi: Option<Extended>,
    /// Acts that are not told apart from the best: equal ones and, with observations, ties within the evidence.
    pub ties: Vec<usize>,
    /// Acts that another one is nowhere worse than and somewhere better.
    pub dominated: Vec<usize>,
}

/// What would have to change for a rival to be chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rival {
    /// The act.
    pub act: usize,
    /// By how much the best act's expected utility is greater.
    pub lead: Extended,
    /// For every state, the move of probability into it that makes the two equal; none where none does, and
    /// everywhere if a utility of the two is infinite.
    pub shifts: Vec<Option<f64>>,
    /// For every state, how far the best act's utility must fall or the rival's rise; none where no change will do.
    pub moves: Vec<Option<f64>>,
    /// The contamination at which the two are equal; none where distrust favours the best act as it is.
    pub epsilon: Option<f64>,
    /// Posterior probability that the rival is better, if the number of observations is known.
    pub flip_probability: Option<f64>,
    /// Whether the lead is within the evidence.
    pub tie: bool,
}

/// The report; `observations` is the worth of the evidence behind the probabilities, if known.
pub fn report(table: &Table, observations: Option<f64>) -> Result<Report> {
    if let Some(n) = observations {
        error::non_negative("observations", n)?;
    }
    let verdict = Rule::ExpectedUtility.decide(table)?;
    let mut rivals = Vec::new();
    for act in (0..table.acts().len()).filter(|&act| act != verdict.choice) {
        rivals.push(rival(table, &verdict, act, observations)?);
    }
    rivals.sort_by_key(|r| r.lead);
    let mut ties: Vec<usize> = rivals.iter().filter(|r| r.tie).map(|r| r.act).collect();
    ties.extend(verdict.best.iter().skip(1));
    ties.sort_unstable();
    ties.dedup();
    let dominated = table.dominated();
    let dominated = (0..dominated.len()).filter(|&i| dominated[i]).collect();
    Ok(Report { evpi: evpi(table, &verdict)?, verdict, rivals, ties, dominated })
}

/// Where along one figure a choice changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Flip {
    /// The figure as it is.
    pub at: f64,
    /// The nearest smaller value at which another choice is made.
    pub below: Option<f64>,
    /// The nearest greater one.
    pub above: Option<f64>,
    /// The smaller distance of the two, relative to `at`; none without a flip or at 0.
    pub relative: Option<f64>,
}

/// The values nearest to `at`, within `low` and `high`, at which `choice` is another one.
///
/// Looks at evenly spaced places on either side, closer together near `at`, and bisects; a choice that changes and
/// changes back between two places is missed.
pub fn flip_of(choice: &dyn Fn(f64) -> Result<usize>, at: f64, low: f64, high: f64) -> Result<Flip> {
    error::finite("at", at)?;
    if !(low <= at && at <= high) {
        return Err(Error::out_of_range("at", format!("must lie between {low} and {high}, and is {at}")));
    }
    let here = choice(at)?;
    let search = |end: f64| -> Result<Option<f64>> {
        let mut inside = at;
        for i in 1..=PLACES {
            // Cubic spacing: fine near the figure, coarse far away.
            let part = f64::from(i) / f64::from(PLACES);
            let place = at + (end - at) * part.powi(3);
            if choice(place)? != here {
                let other = |x: f64| if choice(x).is_ok_and(|c| c == here) { -1.0 } else { 1.0 };
                let (a, b) = (inside.min(place), inside.max(place));
                return Ok(Some(numeric::root(&other, a, b)));
            }
            inside = place;
        }
        Ok(None)
    };
    let (below, above) = (search(low)?, search(high)?);
    let nearest = [below, above].into_iter().flatten().map(|x| (x - at).abs()).min_by(f64::total_cmp);
    let relative = nearest.filter(|_| at != 0.0).map(|distance| distance / at.abs());
    Ok(Flip { at, below, above, relative })
}

fn rival(table: &Table, verdict: &Verdict, act: usize, observations: Option<f64>) -> Result<Rival> {
    let p = table.probabilities()?;
    let (best, other) = (&table.utilities()[verdict.choice], &table.utilities()[act]);
    let (eu_best, eu_other) = (verdict.values[verdict.choice], verdict.values[act]);
    // The same infinity twice is a tie.
    let lead = eu_best.checked_sub(eu_other).unwrap_or(Extended::ZERO);
    let differences: Option<Vec<f64>> =
        best.iter().zip(other).map(|(x, y)| Some(x.finite()? - y.finite()?)).collect();
    let differences = differences.filter(|d| d.iter().all(|x| x.is_finite()));
    let finite = lead.finite().zip(differences);
    let (shifts, moves, chance) = match &finite {
        None => (vec![None; p.len()], vec![None; p.len()], None),
        Some((lead, d)) => (
            (0..p.len()).map(|s| shift(p, d, *lead, s)).collect(),
            p.iter().map(|&x| Some(lead / x).filter(|m| m.is_finite())).collect(),
            observations.map(|n| flip_probability(p, d, *lead, n)),
        ),
    };
    let tie = lead == Extended::ZERO || verdict.best.contains(&act) || within(&chance);
    let epsilon = epsilon(lead, best, other);
    Ok(Rival { act, lead, shifts, moves, epsilon, flip_probability: chance, tie })
}

/// Probability in the tail beyond the deviations of a tie.
fn within(chance: &Option<f64>) -> bool {
    chance.is_some_and(|c| c > 0.5 * erf::erfc(TIE_DEVIATIONS / std::f64::consts::SQRT_2))
}

/// The mass that must move into state `s` for the lead to vanish.
fn shift(p: &[f64], d: &[f64], lead: f64, s: usize) -> Option<f64> {
    let rest = 1.0 - p[s];
    if rest <= 0.0 {
        return None;
    }
    let others: f64 = (0..p.len()).filter(|&k| k != s).map(|k| p[k] * d[k]).sum::<f64>() / rest;
    let t = -lead / (d[s] - others);
    (t.is_finite() && -p[s] <= t && t <= rest).then_some(t + 0.0)
}

/// The contamination at which two acts are equal.
fn epsilon(lead: Extended, best: &[Extended], other: &[Extended]) -> Option<f64> {
    let least = |row: &[Extended]| row.iter().copied().fold(Extended::INFINITY, Extended::min);
    let gained = least(other).checked_sub(least(best))?;
    if gained <= Extended::ZERO {
        return None;
    }
    let flip = lead.get() / (lead.get() + gained.get());
    flip.is_finite().then_some(flip)
}

/// `P(the rival is better)`, the difference being normal with the posterior's deviation.
fn flip_probability(p: &[f64], d: &[f64], lead: f64, observations: f64) -> f64 {
    let variance: f64 = p.iter().zip(d).map(|(p, d)| p * (d - lead) * (d - lead)).sum();
    let deviation = (variance / (observations + 1.0)).sqrt();
    if lead == 0.0 {
        0.5
    } else if deviation == 0.0 {
        0.0
    } else {
        0.5 * erf::erfc(lead / (deviation * std::f64::consts::SQRT_2))
    }
}

fn evpi(table: &Table, verdict: &Verdict) -> Result<Option<Extended>> {
    let best_in =
        |s: usize| table.utilities().iter().map(|row| row[s]).fold(Extended::NEG_INFINITY, Extended::max);
    let best: Vec<Extended> = (0..table.states().len()).map(best_in).collect();
    let informed = Extended::dot(table.probabilities()?, &best, "utilities")?;
    // Rounding may make perfect information look harmful.
    Ok(informed.checked_sub(verdict.values[verdict.choice]).map(|x| x.max(Extended::ZERO)))
}
