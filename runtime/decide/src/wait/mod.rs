//! How long to wait for something that may never come.
//!
//! With `T` the arrival, `S(t) = P(T > t)`, `B(t)` what success at `t` is worth and `C` the cumulative cost,
//!
//! ```text
//! U(w) = integral over [0, w] of  B(t) dF(t) - C'(t) S(t) dt
//! ```
//!
//! so it pays to go on while the hazard rate `f/S` exceeds `C'/B`. [`exponential`] has closed forms, [`observed`]
//! the optimum for a law made of observations, [`search`] the general rule by quadrature, [`commit`] a coordinator
//! that waits for votes. [`best`] takes the one that fits. Whoever waits is as patient after `u` units without news as
//! the plan at the start said: re-planning changes nothing.
//!
//! Time 0 is the start of the wait; utilities are relative to not waiting at all.

pub mod commit;
pub mod exponential;
pub mod observed;
pub mod search;

use serde::Serialize;

use crate::cost::{Benefit, Cost};
use crate::error::Result;
use crate::extended::Extended;
use crate::law::{Arrival, Delay, Steps};

/// A plan: give up at a time, and what the plan is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// When to give up: 0 for not waiting, infinite for ever.
    pub until: Extended,
    /// Expected utility of the plan, from now on.
    pub utility: Extended,
}

impl Plan {
    /// Not waiting (any longer), at time `now`.
    pub(crate) fn stop(now: f64) -> Plan {
        Plan { until: Extended::of(now), utility: Extended::ZERO }
    }
}

/// How long to wait for `arrival`; the earliest of several best times.
///
/// Closed forms where they exist (exponential delay, constant benefit), else the hazard rule by quadrature.
pub fn best(arrival: &Arrival, benefit: &Benefit, cost: &Cost) -> Result<Plan> {
    arrival.check()?;
    benefit.check()?;
    cost.check()?;
    match (arrival.delay, benefit) {
        (Delay::Constant { value }, _) => {
            let points = [(arrival.start + value, 1.0 - arrival.never)];
            observed::best(&Steps::weighted(&points, arrival.never)?, benefit, cost, 0.0)
        }
        (Delay::Exponential { rate }, Benefit::Constant { amount }) if *amount >= 0.0 => {
            let Arrival { start, never, .. } = *arrival;
            let wait =
                exponential::Exponential { mu: rate, never, start, benefit: *amount, cost: cost.clone() };
            wait.best()
        }
        _ => search::best(arrival, benefit, cost, 0.0),
    }
}
