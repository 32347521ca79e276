//! A belief about a probability: Beta, with exponential forgetting.

use serde::{Deserialize, Serialize};
use statrs::function::beta;

use super::{Confidence, Fading, TAIL, moderate};
use crate::error::{self, Result};
use crate::extended::Extended;
use crate::numeric;

/// A probability known from a prior and from events that happened or did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    prior: Counts,
    seen: Fading<2>,
}

/// The two parameters of a Beta distribution: events and their absence, the prior's included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Events.
    pub events: f64,
    /// Occasions without one.
    pub others: f64,
}

impl Chance {
    /// A belief with a prior worth `events` and `others`, both positive; no half-life is never forgetting.
    pub fn new(events: f64, others: f64, half_life: Option<f64>) -> Result<Chance> {
        error::positive("prior.events", moderate("prior.events", events)?)?;
        error::positive("prior.others", moderate("prior.others", others)?)?;
        Ok(Chance { prior: Counts { events, others }, seen: Fading::new(half_life)? })
    }

    /// Adds what was seen at `now`.
    pub fn observe(&mut self, now: f64, events: f64, others: f64) -> Result<()> {
        moderate("events", events)?;
        moderate("others", others)?;
        self.seen.add(now, [events, others])
    }

    /// The distribution as it is at `now`.
    #[must_use]
    pub fn at(&self, now: f64) -> Counts {
        let [events, others] = self.seen.at(now);
        Counts { events: self.prior.events + events, others: self.prior.others + others }
    }

    /// Mean, interval, worth and age at `now`.
    #[must_use]
    pub fn confidence(&self, now: f64) -> Confidence {
        let counts = self.at(now);
        let [events, others] = self.seen.at(now);
        Confidence {
            mean: counts.mean(),
            low: counts.quantile(TAIL),
            high: counts.quantile(1.0 - TAIL),
            observations: events + others,
            age: self.seen.age(now),
        }
    }
}

impl Counts {
    /// `E[p] = a / (a + b)`.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.events / (self.events + self.others)
    }

    /// `Var[p] = a b / ((a + b)^2 (a + b + 1))`.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        mean * (1.0 - mean) / (self.events + self.others + 1.0)
    }

    /// `E[p / (1 - p)] = a / (b - 1)`; infinite for `b <= 1`.
    #[must_use]
    pub fn mean_odds(&self) -> Extended {
        Extended::of(if self.others > 1.0 { self.events / (self.others - 1.0) } else { f64::INFINITY })
    }

    /// `E[1 / p] = (a + b - 1) / (a - 1)`; infinite for `a <= 1`.
    #[must_use]
    pub fn mean_inverse(&self) -> Extended {
        let (a, b) = (self.events, self.others);
        Extended::of(if a > 1.0 { (a + b - 1.0) / (a - 1.0) } else { f64::INFINITY })
    }

    /// `E[this / other] = E[this] E[1/other]`, for independent beliefs: the ratio of two crash probabilities.
    #[must_use]
    pub fn mean_ratio(&self, other: &Counts) -> Extended {
        Extended::of(self.mean()) * other.mean_inverse()
    }

    /// `P(p <= x)`.
    #[must_use]
    pub fn cumulative(&self, x: f64) -> f64 {
        if x <= 0.0 {
            0.0
        } else if x >= 1.0 {
            1.0
        } else {
            beta::beta_reg(self.events, self.others, x)
        }
    }

    /// The least `x` with `P(p <= x) >= level`.
    #[must_use]
    pub fn quantile(&self, level: f64) -> f64 {
        numeric::root(&|x| self.cumulative(x) - level, 0.0, 1.0)
    }
}
