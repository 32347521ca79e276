//! A belief about events a unit of time: Gamma, with exponential forgetting.

use serde::{Deserialize, Serialize};
use statrs::function::{erf, gamma};

use super::{Confidence, Fading, TAIL, moderate};
use crate::error::{self, Result};
use crate::extended::Extended;
use crate::law::Delay;
use crate::numeric;

/// Events above which the cumulative function is approximated; its exact series would be too long.
const EVENTS_EXACT: f64 = 1e6;

/// A rate known from a prior and from events counted over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    prior: Exposure,
    seen: Fading<2>,
}

/// The two parameters of a Gamma distribution: events and the time watched, the prior's included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Events.
    pub events: f64,
    /// Time watched, in the caller's unit.
    pub time: f64,
}

impl Rate {
    /// A belief with a prior worth `events` in `time`, both positive; no half-life is never forgetting.
    pub fn new(events: f64, time: f64, half_life: Option<f64>) -> Result<Rate> {
        error::positive("prior.events", moderate("prior.events", events)?)?;
        error::positive("prior.time", moderate("prior.time", time)?)?;
        Ok(Rate { prior: Exposure { events, time }, seen: Fading::new(half_life)? })
    }

    /// Adds that `events` were seen in the `time` up to `now`.
    pub fn observe(&mut self, now: f64, events: f64, time: f64) -> Result<()> {
        moderate("events", events)?;
        moderate("time", time)?;
        self.seen.add(now, [events, time])
    }

    /// The distribution as it is at `now`.
    #[must_use]
    pub fn at(&self, now: f64) -> Exposure {
        let [events, time] = self.seen.at(now);
        Exposure { events: self.prior.events + events, time: self.prior.time + time }
    }

    /// Mean, interval, worth (in events) and age at `now`.
    #[must_use]
    pub fn confidence(&self, now: f64) -> Confidence {
        let exposure = self.at(now);
        Confidence {
            mean: exposure.mean(),
            low: exposure.quantile(TAIL),
            high: exposure.quantile(1.0 - TAIL),
            observations: self.seen.at(now)[0],
            age: self.seen.age(now),
        }
    }
}

impl Exposure {
    /// `E[rate] = n / time`.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.events / self.time
    }

    /// `Var[rate] = n / time^2`.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.mean() / self.time
    }

    /// `E[1 / rate] = time / (n - 1)`; infinite for `n <= 1`.
    #[must_use]
    pub fn mean_inverse(&self) -> Extended {
        Extended::of(if self.events > 1.0 { self.time / (self.events - 1.0) } else { f64::INFINITY })
    }

    /// The law of the time to the next event, the rate being uncertain: `P(D > t) = (time / (time + t))^n`.
    #[must_use]
    pub fn next_event(&self) -> Delay {
        Delay::Lomax { shape: self.events, scale: self.time }
    }

    /// `P(rate <= x)`.
    #[must_use]
    pub fn cumulative(&self, x: f64) -> f64 {
        let scaled = x * self.time;
        if scaled <= 0.0 {
            0.0
        } else if scaled.is_infinite() {
            1.0
        } else if self.events > EVENTS_EXACT {
            // Wilson and Hilferty: the cube root is very nearly normal.
            let part = 1.0 / (9.0 * self.events);
            let z = ((scaled / self.events).cbrt() - 1.0 + part) / part.sqrt();
            0.5 * erf::erfc(-z / std::f64::consts::SQRT_2)
        } else {
            gamma::gamma_lr(self.events, scaled)
        }
    }

    /// The least `x` with `P(rate <= x) >= level`.
    #[must_use]
    pub fn quantile(&self, level: f64) -> f64 {
        let mut far = self.mean().max(f64::MIN_POSITIVE);
        while self.cumulative(far) < level && far < f64::MAX / 4.0 {
            far *= 2.0;
        }
        numeric::root(&|x| self.cumulative(x) - level, 0.0, far)
    }
}
