//! What observations say about the figures that decide, and how sure they are.
//!
//! A [`Chance`] is a belief about a probability (loss, a crash in a round, never answering), a [`Rate`] one about
//! events a unit of time (arrivals, crashes), a [`Delays`] one about how long something takes and whether it comes
//! at all; [`alive`] turns silence into the chance that the other is dead. All forget exponentially: counts halve in
//! every half-life, the prior does not, so a belief that is not fed slides back to it. A [`Drift`] keeps all instead, until there was a jump.
//!
//! **Take the expectation of the function that is needed, not the function of the expectation**: `E[p/(1-p)]` is not
//! `m/(1-m)`. The methods give the common ones.
//!
//! Time is the caller's, in any unit; nothing here looks at a clock.
//!
//! # Caveats
//! Observations are taken to be independent. Whether a process is *correct* cannot be learnt from its survival
//! alone: [`alive::correct`] only applies Bayes to a prior.

pub mod alive;
pub mod chance;
pub mod delays;
pub mod drift;
pub mod rate;

use serde::{Deserialize, Serialize};

pub use chance::Chance;
pub use delays::Delays;
pub use drift::Drift;
pub use rate::Rate;

use crate::error::{self, Error, Result};

/// A belief in figures, to be shown beside every decision that rests on it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Confidence {
    /// The mean.
    pub mean: f64,
    /// The lower end of the central 95 % interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many observations it is worth, the prior apart.
    pub observations: f64,
    /// Time since the last observation; none if there never was one.
    pub age: Option<f64>,
}

/// The mass left out on each side of a reported interval.
const TAIL: f64 = 0.025;

/// What a count or a duration may be, so that sums and quotients of them stay numbers.
const MODERATE: std::ops::RangeInclusive<f64> = 1e-150..=1e150;

/// `x` if it is 0 or moderate.
fn moderate(field: &str, x: f64) -> Result<f64> {
    error::non_negative(field, x)?;
    if x == 0.0 || MODERATE.contains(&x) {
        Ok(x)
    } else {
        Err(Error::out_of_range(field, format!("must be 0, or from 1e-150 to 1e150, and is {x}")))
    }
}

/// Sums of observations that halve in every half-life.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fading<const N: usize> {
    /// None for never forgetting.
    half_life: Option<f64>,
    #[serde(with = "sums")]
    sums: [f64; N],
    last: Option<f64>,
}

impl<const N: usize> Fading<N> {
    /// Nothing seen; no half-life is never forgetting.
    pub(crate) fn new(half_life: Option<f64>) -> Result<Self> {
        half_life.map(|h| error::positive("half_life", h)).transpose()?;
        Ok(Fading { half_life, sums: [0.0; N], last: None })
    }

    /// Adds observations at `now`. A time before the last one counts as that.
    pub(crate) fn add(&mut self, now: f64, more: [f64; N]) -> Result<()> {
        error::finite("now", now)?;
        self.sums = self.at(now);
        for (sum, x) in self.sums.iter_mut().zip(more) {
            *sum += x;
        }
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        Ok(())
    }

    /// The sums as they count at `now`.
    pub(crate) fn at(&self, now: f64) -> [f64; N] {
        let factor = match (self.age(now), self.half_life) {
            (Some(age), Some(half_life)) => (-age / half_life).exp2(),
            _ => 1.0,
        };
        self.sums.map(|sum| sum * factor)
    }

    /// Time since the last observation.
    pub(crate) fn age(&self, now: f64) -> Option<f64> {
        self.last.map(|last| (now - last).max(0.0))
    }
}

/// Arrays of any length as lists.
mod sums {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::{Serialize, Serializer};

    pub fn serialize<S: Serializer, const N: usize>(sums: &[f64; N], to: S) -> Result<S::Ok, S::Error> {
        sums.as_slice().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[f64; N], D::Error> {
        let list = Vec::<f64>::deserialize(from)?;
        list.try_into().map_err(|_| D::Error::custom(format!("expected {N} sums")))
    }
}
