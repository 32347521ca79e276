//! A belief about a delay and whether it ends at all: the last observations as they are, and a lognormal fit.
//!
//! Observations count by their age. Those that never came raise the never-mass, and so does its prior, which also
//! keeps a small sample from promising that everything arrives: with a never-mass of zero the best wait is for ever.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Chance, Confidence, Fading};
use crate::error::{self, Error, Reason, Result};
use crate::law::{Arrival, Delay, Steps};

/// The least standard deviation of `ln D` that a fit returns: equal observations are no certainty.
const SIGMA_MIN: f64 = 1e-3;

/// Delays observed, the most recent kept one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delays {
    /// When each was observed, and the delay; oldest first.
    recent: VecDeque<(f64, f64)>,
    capacity: usize,
    half_life: Option<f64>,
    /// Count, sum of `ln D`, sum of `(ln D)^2`.
    logs: Fading<3>,
    never: Chance,
}

impl Delays {
    /// Remembers `capacity` delays one by one. `never` is the prior chance that something never arrives, worth
    /// `worth` observations; no half-life is never forgetting.
    pub fn new(capacity: usize, never: f64, worth: f64, half_life: Option<f64>) -> Result<Delays> {
        if capacity == 0 {
            return Err(Error::new("capacity", Reason::NotAPeriod(0.0)));
        }
        error::probability("never", never)?;
        error::positive("worth", worth)?;
        let never = Chance::new(never * worth, (1.0 - never) * worth, half_life)
            .map_err(|_| Error::out_of_range("never", "must be above 0 and below 1 as a prior"))?;
        Ok(Delays { recent: VecDeque::new(), capacity, half_life, logs: Fading::new(half_life)?, never })
    }

    /// Something arrived at `now` after `delay`, which must be positive.
    pub fn arrived(&mut self, now: f64, delay: f64) -> Result<()> {
        error::positive("delay", delay)?;
        self.never.observe(now, 0.0, 1.0)?;
        let ln = delay.ln();
        self.logs.add(now, [1.0, ln, ln * ln])?;
        if self.recent.len() == self.capacity {
            self.recent.pop_front();
        }
        self.recent.push_back((now, delay));
        Ok(())
    }

    /// Something was given up as never arriving, at `now`.
    pub fn lost(&mut self, now: f64) -> Result<()> {
        self.never.observe(now, 1.0, 0.0)
    }

    /// The law made of the delays kept, weighted by age, with the never-mass; an error before the first arrival.
    pub fn observed(&self, now: f64) -> Result<Steps> {
        error::finite("now", now)?;
        if self.recent.is_empty() {
            return Err(Error::new("arrivals", Reason::Empty));
        }
        // Ages are relative to the youngest: only the proportions of the weights matter, and none may vanish.
        let youngest = self.recent.iter().map(|r| r.0).fold(f64::NEG_INFINITY, f64::max);
        let half_life = self.half_life.unwrap_or(f64::INFINITY);
        let weight = |seen: f64| (-(youngest - seen) / half_life).exp2();
        let points: Vec<_> = self.recent.iter().map(|&(seen, delay)| (delay, weight(seen))).collect();
        let arrived: f64 = points.iter().map(|p| p.1).sum();
        let never = self.never.at(now).mean();
        Steps::weighted(&points, arrived * never / (1.0 - never))
    }

    /// A lognormal delay with the mean and the variance of the logarithms, and the never-mass; an error before the
    /// second arrival that still counts.
    pub fn lognormal(&self, now: f64) -> Result<Arrival> {
        let [count, sum, squares] = self.logs.at(now);
        if count <= 1.0 {
            return Err(Error::out_of_range("arrivals", "must be worth more than one for a fit"));
        }
        let mu = sum / count;
        // Unbiased for equal weights; a difference of squares can round below zero.
        let variance = ((squares - count * mu * mu) / (count - 1.0)).max(SIGMA_MIN * SIGMA_MIN);
        let delay = Delay::LogNormal { mu, sigma: variance.sqrt() };
        Ok(Arrival { delay, start: 0.0, never: self.never.at(now).mean() })
    }

    /// The belief that something never arrives.
    #[must_use]
    pub fn never(&self, now: f64) -> Confidence {
        self.never.confidence(now)
    }
}
