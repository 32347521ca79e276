//! One heartbeat for everything: protocols that wait for it, and a detector that watches it, decided together.
//!
//! The period is common, so both demands pull at it; the detector's shift is its own. A round costs
//!
//! ```text
//! J(delta, shift) = [heartbeats and invocations, as in crate::heartbeat]
//!                 + pairs * [beta c_det E[T_D] + c_mist/E[T_MR] + c_susp (1 - P_A)]
//! ```
//!
//! With the shift fixed, no mistakes and no copies this is the combined law
//! `sqrt(2 c_hb / (lambda sigma c_wait + beta c_det))` of [`Objective::square_root`]. What a silence then means for
//! retransmission and for waiting comes from [`crate::belief::alive`]: one minus the chance of being alive is
//! the `dead` of [`crate::retransmit`], and [`crate::law::Arrival::if_alive`] adds it to the never-mass of a wait.
//!
//! # Caveats
//! The detector's part has no closed optimum. Periods are searched on all small ones, the starts of the plateaus and
//! a geometric grid, then step by step around the best; shifts by a scan and golden sections. A narrow valley between
//! can be missed.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::detector::{Detector, Prices, Quality};
use crate::error::{self, Error, Result};
use crate::extended::Extended;
use crate::heartbeat::{Form, Objective, Period};
use crate::law::Law;
use crate::numeric;

/// Periods up to this one are all tried.
const SMALL: u64 = 24;

/// Periods of the geometric grid for every factor of two.
const PER_DOUBLING: f64 = 6.0;

/// Shifts tried for every period before the best is refined.
const SHIFTS: u32 = 24;

/// Watchers of the heartbeats.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Pairs of a watcher and a watched process.
    pub pairs: f64,
    /// Probability that a heartbeat is lost.
    pub loss: f64,
    /// Law of a heartbeat's delay, in rounds.
    pub delay: &'a dyn Law,
    /// What late and false suspicions cost, a round and a pair; the heartbeat's price here is not charged again.
    pub prices: Prices,
}

/// A common period, a shift, and what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The common period, in rounds.
    pub period: u64,
    /// The detector's shift, in rounds.
    pub shift: f64,
    /// Cost a round of all together.
    pub cost: Extended,
    /// The part of heartbeats and invocations.
    pub protocols: Extended,
    /// The part of detection and mistakes.
    pub detector: f64,
    /// The detector's quality.
    pub quality: Quality,
}

/// What a given period and shift cost.
pub fn at(objective: &Objective, form: Form, watch: &Watch<'_>, period: u64, shift: f64) -> Result<Plan> {
    error::period("delta", period)?;
    error::positive("pairs", watch.pairs)?;
    watch.prices.check()?;
    let detector = Detector { eta: period as f64, shift, loss: watch.loss, delay: watch.delay };
    let quality = detector.quality()?;
    let watched = watch.pairs * watch.prices.mistakes_and_delays(&quality);
    let protocols = objective.cost(form, Period::Every(period));
    let cost = Extended::new("prices", protocols.get() + watched)?;
    Ok(Plan { period, shift, cost, protocols, detector: watched, quality })
}

/// The best period up to `longest` rounds with the best shift up to `shift_max` rounds.
pub fn best(
    objective: &Objective,
    form: Form,
    watch: &Watch<'_>,
    longest: u64,
    shift_max: f64,
) -> Result<Plan> {
    error::period("longest", longest)?;
    error::non_negative("shift_max", shift_max)?;
    if let Some(detection) = objective.detection() {
        let why = format!("must be left to the watch, and has rate {}", detection.rate);
        return Err(Error::out_of_range("detection", why));
    }
    let best_shift = |period: u64| best_shift(objective, form, watch, period, shift_max);
    let mut best = best_shift(1)?;
    for period in candidates(objective, longest) {
        let here = best_shift(period)?;
        if here.cost < best.cost {
            best = here;
        }
    }
    // Downhill by whole rounds, in steps that halve.
    let mut step = (best.period / 8).max(1);
    loop {
        let neighbours = [best.period.saturating_sub(step).max(1), (best.period + step).min(longest)];
        let mut moved = false;
        for period in neighbours {
            let here = best_shift(period)?;
            if here.cost < best.cost {
                (best, moved) = (here, true);
            }
        }
        if !moved && step == 1 {
            return Ok(best);
        }
        step = if moved { step } else { step / 2 };
    }
}

fn best_shift(objective: &Objective, form: Form, watch: &Watch<'_>, period: u64, most: f64) -> Result<Plan> {
    let cost = |shift: f64| at(objective, form, watch, period, shift).map_or(f64::INFINITY, |p| p.detector);
    let most = most.min(crate::detector::OVERDUE_MAX * period as f64);
    let place = |i: u32| most * f64::from(i) / f64::from(SHIFTS);
    let mut best = (0, f64::INFINITY);
    for i in 0..=SHIFTS {
        let value = cost(place(i));
        if value < best.1 {
            best = (i, value);
        }
    }
    let near = (place(best.0.saturating_sub(1)), place((best.0 + 1).min(SHIFTS)));
    let refined = numeric::least(&cost, near.0, near.1, 1e-4);
    let shift = if refined.1 < best.1 { refined.0 } else { place(best.0) };
    at(objective, form, watch, period, shift)
}

fn candidates(objective: &Objective, longest: u64) -> BTreeSet<u64> {
    let mut periods: BTreeSet<u64> = (1..=SMALL.min(longest)).collect();
    let mut at = SMALL as f64;
    while at < longest as f64 {
        periods.insert(at as u64);
        at *= (1.0 / PER_DOUBLING).exp2();
    }
    periods.insert(longest);
    for demand in objective.demands() {
        for copies in 1..=SMALL {
            periods.insert((2 * demand.tau).div_ceil(copies).min(longest));
        }
    }
    periods
}
