//! The best heartbeat period: exact over the integers, and the two laws of thumb.
//!
//! Between the jumps of the ceilings `ceil(2 tau_i / delta)` the objective is `A delta + K/delta + const`, convex.
//! So on every plateau the best integer is `sqrt(K/A)` rounded down or up and clamped; the plateaus are
//! `O(sqrt tau)` many, and a jump leads from one to the next. With several protocols the plateaus are those of all
//! their ceilings together.

use serde::Serialize;

use super::{Form, Objective, Period};
use crate::error::{Error, Result};
use crate::extended::Extended;

/// The most plateaus that a search visits; `2 sqrt(2 tau)` of them for each protocol.
pub const PLATEAUS_MAX: u64 = 10_000_000;

/// The best period and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Optimum {
    /// The smallest of the best periods.
    pub period: Period,
    /// Cost a round.
    pub cost: Extended,
    /// Cost of one invocation, heartbeats and detection charged to the invocations.
    pub per_invocation: Extended,
}

impl Objective {
    /// The integer period of the least cost; the smallest of several.
    ///
    /// [`Period::Never`] where heartbeats cost and no wait does. An error where a delay is so long that there are
    /// more than [`PLATEAUS_MAX`] plateaus.
    pub fn best(&self, form: Form) -> Result<Optimum> {
        let (rise, fall) = (self.rise(form), self.beats * self.c_hb);
        if rise == 0.0 && fall > 0.0 {
            return Ok(self.at(form, Period::Never));
        }
        // Free heartbeats pull to the start of a plateau, as does an infinite price of waiting.
        let free = (fall / rise).sqrt();
        let target = if free.is_nan() { 0.0 } else { free };
        let mut best: Option<Optimum> = None;
        let mut start = 1;
        for _ in 0..PLATEAUS_MAX {
            let end = self.plateau_end(start);
            for delta in candidates(start, end, target) {
                let here = self.at(form, Period::Every(delta));
                if best.is_none_or(|b| here.cost < b.cost) {
                    best = Some(here);
                }
            }
            match end {
                Some(end) => start = end + 1,
                None => return best.ok_or_else(|| Error::out_of_range("beats", "leave no period")),
            }
        }
        Err(Error::out_of_range("tau", format!("must be small enough for {PLATEAUS_MAX} plateaus")))
    }

    /// What a given period costs.
    #[must_use]
    pub fn at(&self, form: Form, period: Period) -> Optimum {
        Optimum {
            period,
            cost: self.cost(form, period),
            per_invocation: self.cost_per_invocation(form, period),
        }
    }

    /// The square-root law, which ignores the copies sent: `sqrt(K / A)`, for one pair and Theorem 5.1
    /// `delta_A = sqrt(2 c_hb / (lambda sigma c_wait))`, and with detection
    /// `sqrt(2 c_hb / (lambda sigma c_wait + beta c_det))`.
    #[must_use]
    pub fn square_root(&self) -> Extended {
        ratio(self.beats * self.c_hb, self.rise(Form::Paper))
    }

    /// The law for periods below the round trip, the ceiling smoothed away:
    /// `delta_B = sqrt((2 c_hb / (lambda sigma) + 8 tau c_send) / c_wait)`.
    #[must_use]
    pub fn smoothed(&self) -> Extended {
        ratio(self.beats * self.c_hb + self.copies(), self.rise(Form::Paper))
    }

    /// What copies cost at a period of one round, the ceiling smoothed away.
    pub(super) fn copies(&self) -> f64 {
        self.demands.iter().map(|d| d.rate * d.share * 4.0 * d.tau as f64 * d.prices.send).sum()
    }

    /// `A`: what a longer period adds to the cost of a round.
    pub(super) fn rise(&self, form: Form) -> f64 {
        let waits = self.demands.iter().map(|d| {
            let price = d.rate * d.share * d.prices.wait;
            if price == 0.0 { 0.0 } else { price * d.wait_slope(form) }
        });
        let late = self.detection.as_ref().map_or(0.0, |d| d.rate * d.cost * 0.5);
        waits.sum::<f64>() + late
    }

    /// The last period with the same ceilings as `start`, or none if that plateau is endless.
    fn plateau_end(&self, start: u64) -> Option<u64> {
        let end = |tau: u64| {
            let window = (2 * tau).div_ceil(start);
            // The longest period with this window: one less than the first that needs fewer copies.
            (window > 1).then(|| (2 * tau).div_ceil(window - 1) - 1)
        };
        self.demands.iter().filter_map(|d| end(d.tau)).min()
    }
}

/// The integers next to `target` inside a plateau, smallest first.
fn candidates(start: u64, end: Option<u64>, target: f64) -> impl Iterator<Item = u64> {
    // Casts saturate, so a target beyond the integers is clamped to the plateau's end.
    let low = (target.floor() as u64).clamp(start, end.unwrap_or(u64::MAX >> 2));
    let high = (target.ceil() as u64).clamp(start, end.unwrap_or(u64::MAX >> 2));
    [low, high].into_iter().take(if low == high { 1 } else { 2 })
}

fn ratio(fall: f64, rise: f64) -> Extended {
    if fall == 0.0 { Extended::ZERO } else { Extended::of((fall / rise).sqrt()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heartbeat::Demand;
    use crate::protocol::Prices;

    #[test]
    fn plateaus_are_those_of_the_ceiling() {
        let prices = Prices { send: 1.0, wait: 1.0 };
        let demand = |tau| Demand { rate: 0.1, share: 1.0, tau, gamma: 0.1, prices };
        for taus in [vec![1], vec![20], vec![7, 12, 31]] {
            let objective =
                Objective::new(2.0, 1.0, taus.iter().map(|&t| demand(t)).collect(), None).unwrap();
            let windows = |delta: u64| taus.iter().map(|t| (2 * t).div_ceil(delta)).collect::<Vec<_>>();
            let mut start = 1;
            while let Some(end) = objective.plateau_end(start) {
                assert!((start..=end).all(|delta| windows(delta) == windows(start)));
                assert_ne!(windows(end + 1), windows(start));
                start = end + 1;
            }
            assert!(windows(start).iter().all(|&m| m == 1));
        }
    }
}
