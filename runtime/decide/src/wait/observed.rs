//! Waiting for an arrival whose law is made of observations: exact, in one pass.
//!
//! Between observations nothing can be gained, so the best plan ends at one of them, or does not begin:
//! `U(x_k) = [sum_{i<=k} w_i (B(x_i) - C(x_i)) - (W - W_k) C(x_k)] / W`, with weights `w_i`, their partial sums
//! `W_k` and their total `W`, never included.

use super::Plan;
use crate::cost::{Benefit, Cost};
use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;
use crate::law::{Law, Steps};

/// How much better a later time must be, relatively, to count as better at all: sums have rounding errors.
const TIE: f64 = 1e-12;

/// The best plan after `elapsed` without an arrival; the earliest of several. The utility counts from `elapsed` on.
pub fn best(law: &Steps, benefit: &Benefit, cost: &Cost, elapsed: f64) -> Result<Plan> {
    let mut best = Plan::stop(elapsed);
    for (until, utility) in utilities(law, benefit, cost, elapsed)? {
        let slack = TIE * utility.abs().max(best.utility.get().abs());
        if utility > best.utility.get() + slack {
            best = Plan { until: Extended::of(until), utility: Extended::of(utility) };
        }
    }
    Ok(best)
}

/// The expected utility of giving up right after each observed time later than `elapsed`, given silence until then.
pub fn utilities(law: &Steps, benefit: &Benefit, cost: &Cost, elapsed: f64) -> Result<Vec<(f64, f64)>> {
    benefit.check()?;
    cost.check()?;
    error::non_negative("elapsed", elapsed)?;
    let left = &law.points()[law.points().partition_point(|p| p.0 <= elapsed)..];
    let open = if elapsed == 0.0 && left.len() == law.points().len() {
        law.total()
    } else {
        law.survival(elapsed) * law.total()
    };
    let (mut arrived, mut gained) = (0.0, 0.0);
    // What arrives at once is worth something even to whoever does not wait at all; it is no part of the wait.
    let mut list = Vec::with_capacity(left.len());
    for &(time, weight) in left {
        let spent = cost.between(elapsed, time - elapsed);
        arrived += weight;
        gained += weight * (benefit.at(time) - spent);
        let rest = open - arrived;
        let late = if rest <= 0.0 { 0.0 } else { rest * spent };
        let utility = (gained - late) / open;
        if utility.is_nan() {
            return Err(Error::new("cost", Reason::NotFinite));
        }
        list.push((time, utility));
    }
    Ok(list)
}
