//! What waiting costs and what success is worth, as functions of time.
//!
//! A [`Cost`] is cumulative: `C(0) = 0`, never falling. A [`Benefit`] is what success *at* a time is worth: a dinner
//! reservation makes it fall at half past five. Time is in the caller's unit, amounts in the author's unit of utility.

use serde::{Deserialize, Serialize};

use crate::error::{self, Error, Result};

/// The cumulative cost of having waited for some time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Cost {
    /// `C(w) = rate w`.
    Linear {
        /// Cost a unit of time.
        rate: f64,
    },
    /// `C(w) = rate w + growth w^2 / 2`.
    Quadratic {
        /// Cost a unit of time at first.
        rate: f64,
        /// What that rate grows by in a unit of time.
        growth: f64,
    },
    /// `C(w) = scale (e^(growth w) - 1)`.
    Exponential {
        /// The cost that grows.
        scale: f64,
        /// Its growth a unit of time.
        growth: f64,
    },
    /// A rate that changes at given times: painless while the magazine lasts, then not.
    Pieces {
        /// Time from which each rate holds, ascending, and the rate; before the first it is 0.
        rates: Vec<(f64, f64)>,
    },
}

impl Cost {
    /// Linear cost.
    #[must_use]
    pub fn linear(rate: f64) -> Cost {
        Cost::Linear { rate }
    }

    /// Checks the parameters.
    pub fn check(&self) -> Result<()> {
        match self {
            Cost::Linear { rate } => error::non_negative("c", *rate).map(drop),
            Cost::Quadratic { rate, growth } => {
                error::non_negative("c", *rate)?;
                error::non_negative("growth", *growth).map(drop)
            }
            Cost::Exponential { scale, growth } => {
                error::non_negative("scale", *scale)?;
                error::non_negative("growth", *growth).map(drop)
            }
            Cost::Pieces { rates } => pieces("rates", rates, error::non_negative),
        }
    }

    /// `C(w)`.
    #[must_use]
    pub fn total(&self, w: f64) -> f64 {
        self.between(0.0, w)
    }

    /// `C(from + more) - C(from)`, without cancellation.
    #[must_use]
    pub fn between(&self, from: f64, more: f64) -> f64 {
        if more == 0.0 {
            return 0.0;
        }
        match self {
            Cost::Linear { rate } => times(*rate, more),
            Cost::Quadratic { rate, growth } => {
                times(*rate, more) + times(*growth, more * (from + more / 2.0))
            }
            Cost::Exponential { scale, growth } => {
                let grown = times(*growth, more).exp_m1();
                times(*scale, times((growth * from).exp(), grown))
            }
            Cost::Pieces { rates } => {
                let ends = rates.iter().skip(1).map(|r| r.0).chain([f64::INFINITY]);
                let to = from + more;
                let parts = rates.iter().zip(ends);
                parts.map(|(&(start, rate), end)| times(rate, (end.min(to) - start.max(from)).max(0.0))).sum()
            }
        }
    }

    /// `C'(w)`: what the next moment costs, a unit of time; from the right at a change.
    #[must_use]
    pub fn rate(&self, w: f64) -> f64 {
        match self {
            Cost::Linear { rate } => *rate,
            Cost::Quadratic { rate, growth } => rate + times(*growth, w),
            Cost::Exponential { scale, growth } => times(scale * growth, (growth * w).exp()),
            Cost::Pieces { rates } => {
                let passed = rates.partition_point(|r| r.0 <= w);
                if passed == 0 { 0.0 } else { rates[passed - 1].1 }
            }
        }
    }

    /// Whether waiting for ever costs without bound.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        match self {
            Cost::Linear { rate } => *rate > 0.0,
            Cost::Quadratic { rate, growth } => *rate > 0.0 || *growth > 0.0,
            Cost::Exponential { scale, growth } => scale * growth > 0.0,
            Cost::Pieces { rates } => rates.last().is_some_and(|r| r.1 > 0.0),
        }
    }

    /// Times at which the rate jumps.
    #[must_use]
    pub fn kinks(&self) -> Vec<f64> {
        match self {
            Cost::Pieces { rates } => rates.iter().map(|r| r.0).collect(),
            _ => Vec::new(),
        }
    }
}

/// What success at a time is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Benefit {
    /// The same whenever it comes.
    Constant {
        /// The amount.
        amount: f64,
    },
    /// Amounts that change at given times: a deadline.
    Pieces {
        /// Time from which each amount holds, ascending, and the amount; before the first it is 0.
        amounts: Vec<(f64, f64)>,
    },
    /// Falls by half in every half-life.
    Fading {
        /// The amount at time 0.
        amount: f64,
        /// The half-life, in units of time.
        half_life: f64,
    },
}

impl Benefit {
    /// The same whenever it comes.
    #[must_use]
    pub fn constant(amount: f64) -> Benefit {
        Benefit::Constant { amount }
    }

    /// `before` until the deadline, `after` from it on.
    #[must_use]
    pub fn deadline(at: f64, before: f64, after: f64) -> Benefit {
        Benefit::Pieces { amounts: vec![(0.0, before), (at, after)] }
    }

    /// Checks the parameters. An amount may be negative: success after the deadline may be worse than none.
    pub fn check(&self) -> Result<()> {
        match self {
            Benefit::Constant { amount } => error::finite("B", *amount).map(drop),
            Benefit::Pieces { amounts } => pieces("amounts", amounts, error::finite),
            Benefit::Fading { amount, half_life } => {
                error::finite("B", *amount)?;
                error::positive("half_life", *half_life).map(drop)
            }
        }
    }

    /// The amount for success at `t`.
    #[must_use]
    pub fn at(&self, t: f64) -> f64 {
        match self {
            Benefit::Constant { amount } => *amount,
            Benefit::Pieces { amounts } => {
                let passed = amounts.partition_point(|a| a.0 <= t);
                if passed == 0 { 0.0 } else { amounts[passed - 1].1 }
            }
            Benefit::Fading { amount, half_life } => amount * (-t / half_life).exp2(),
        }
    }

    /// Times at which the amount jumps.
    #[must_use]
    pub fn kinks(&self) -> Vec<f64> {
        match self {
            Benefit::Pieces { amounts } => amounts.iter().map(|a| a.0).collect(),
            _ => Vec::new(),
        }
    }
}

/// `x y` with `0 * inf = 0`, for factors that are not negative.
fn times(x: f64, y: f64) -> f64 {
    if x == 0.0 || y == 0.0 { 0.0 } else { x * y }
}

fn pieces(field: &str, list: &[(f64, f64)], check: fn(&str, f64) -> Result<f64>) -> Result<()> {
    error::non_empty(field, list)?;
    for (i, &(from, value)) in list.iter().enumerate() {
        error::non_negative(&format!("{field}[{i}][0]"), from)?;
        check(&format!("{field}[{i}][1]"), value)?;
        if i > 0 && from <= list[i - 1].0 {
            return Err(Error::out_of_range(format!("{field}[{i}][0]"), "must be after the one before"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric;

    #[test]
    fn totals_are_integrals_of_rates() {
        for cost in [
            Cost::linear(2.0),
            Cost::Quadratic { rate: 1.0, growth: 0.5 },
            Cost::Exponential { scale: 3.0, growth: 0.2 },
            Cost::Pieces { rates: vec![(1.0, 2.0), (2.5, 0.5)] },
        ] {
            for (from, more) in [(0.0, 4.0), (1.5, 2.0), (3.0, 0.0)] {
                let sum = numeric::integral(&|t| cost.rate(t), from, from + more, &cost.kinks());
                assert!((sum - cost.between(from, more)).abs() < 1e-10, "{cost:?}");
            }
        }
    }
}
