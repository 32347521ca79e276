//! A coordinator that waits for votes: commit when all have said yes, abort when one says no or the wait is over.
//!
//! The missing votes are independent; vote `i` arrives by its law and is a yes with probability `yes`. With the
//! utilities `B` of a commit and `-A` of an abort, giving up at `w` is worth
//! `(B + A) P(all yes by w) - A - E[C(min(T_all, T_no, w))]`. Section 5(a), atomic commit.

use serde::{Deserialize, Serialize};

use super::Plan;
use super::search::{self, Prospect};
use crate::cost::{Benefit, Cost};
use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;
use crate::law::{Arrival, Delay, Law};

/// A vote that is still missing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// When it arrives, if ever, counted from the request.
    pub arrival: Arrival,
    /// Probability that it is a yes; it does not depend on when it arrives.
    pub yes: f64,
}

/// What is at stake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stakes {
    /// Utility of a commit.
    pub commit: f64,
    /// Cost of an abort, as a positive number.
    pub abort: f64,
    /// Cost of waiting.
    pub cost: Cost,
}

/// How long to wait for the missing votes, after `elapsed` without any of them. The utility counts from `elapsed` on
/// and includes the abort: without waiting it is `-A`.
///
/// With no vote missing the transaction commits at once.
pub fn best(missing: &[Vote], stakes: &Stakes, elapsed: f64) -> Result<Plan> {
    check(missing, stakes, elapsed)?;
    if missing.is_empty() {
        return Ok(Plan { until: Extended::of(elapsed), utility: Extended::of(stakes.commit) });
    }
    let benefit = Benefit::constant(stakes.commit + stakes.abort);
    let plan = search::best(&Ballot { missing, elapsed }, &benefit, &stakes.cost, elapsed)?;
    Ok(Plan { utility: Extended::of(plan.utility.get() - stakes.abort), ..plan })
}

/// What giving up at `w` is worth, after `elapsed` without any of the missing votes.
pub fn utility(missing: &[Vote], stakes: &Stakes, elapsed: f64, w: Extended) -> Result<Extended> {
    check(missing, stakes, elapsed)?;
    if missing.is_empty() {
        return Ok(Extended::of(stakes.commit));
    }
    let benefit = Benefit::constant(stakes.commit + stakes.abort);
    let gained = search::utility(&Ballot { missing, elapsed }, &benefit, &stakes.cost, elapsed, w)?;
    Ok(Extended::of(gained.get() - stakes.abort))
}

fn check(missing: &[Vote], stakes: &Stakes, elapsed: f64) -> Result<()> {
    error::finite("commit", stakes.commit)?;
    error::non_negative("abort", stakes.abort)?;
    stakes.cost.check()?;
    error::non_negative("elapsed", elapsed)?;
    for (i, vote) in missing.iter().enumerate() {
        let name = format!("votes[{i}]");
        vote.arrival.check().map_err(|e| e.within(&name))?;
        error::probability("yes", vote.yes).map_err(|e| e.within(&name))?;
        if matches!(vote.arrival.delay, Delay::Constant { .. }) {
            let why = "must have a density: a constant delay has none".to_string();
            return Err(Error::new(format!("{name}.arrival.delay"), Reason::Malformed(why)));
        }
    }
    Ok(())
}

/// The missing votes, given silence until `elapsed`.
struct Ballot<'a> {
    missing: &'a [Vote],
    elapsed: f64,
}

impl Ballot<'_> {
    /// Probability that a vote has come by `t`, given silence.
    fn come(&self, vote: &Vote, t: f64) -> f64 {
        let silent = vote.arrival.survival(self.elapsed);
        if silent == 0.0 { 1.0 } else { 1.0 - vote.arrival.survival(t) / silent }
    }

    fn all(&self, chance: impl Fn(&Vote) -> f64) -> f64 {
        self.missing.iter().map(chance).product()
    }
}

impl Prospect for Ballot<'_> {
    /// The last missing yes comes at `t` and is a yes, as were the others.
    fn density(&self, t: f64) -> f64 {
        let last = self.missing.iter().enumerate().map(|(i, vote)| {
            let silent = vote.arrival.survival(self.elapsed);
            let density = vote.yes * vote.arrival.density(t) / silent;
            let others = self.missing.iter().enumerate().filter(|(j, _)| *j != i);
            density * others.map(|(_, other)| other.yes * self.come(other, t)).product::<f64>()
        });
        last.sum()
    }

    /// No vote has been a no, and not all have been a yes.
    fn open(&self, t: f64) -> f64 {
        let no_no = self.all(|vote| 1.0 - (1.0 - vote.yes) * self.come(vote, t));
        let all_yes = self.all(|vote| vote.yes * self.come(vote, t));
        (no_no - all_yes).max(0.0)
    }

    fn unresolved(&self) -> f64 {
        self.open(f64::INFINITY)
    }

    fn landmarks(&self) -> Vec<f64> {
        let mut times: Vec<f64> = self.missing.iter().flat_map(|vote| vote.arrival.landmarks()).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    }
}
