//! Waiting for an exponential delay: closed forms for linear and growing costs.
//!
//! `T = start + Exp(mu)` with probability `1 - never`. The hazard rate falls and the cost's rate never does, so
//! there is one crossing, `x*` after the start; the plan is that or not to wait at all. Section 5(a).

use serde::{Deserialize, Serialize};

use super::{Plan, search};
use crate::cost::{Benefit, Cost};
use crate::error::{self, Result};
use crate::extended::Extended;
use crate::law::{Arrival, Delay};
use crate::numeric;

/// A wait for an exponential delay with a constant benefit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exponential {
    /// Arrivals a unit of time.
    pub mu: f64,
    /// Probability that it never arrives.
    pub never: f64,
    /// Time before which nothing can arrive.
    pub start: f64,
    /// What success is worth, over giving up.
    pub benefit: f64,
    /// What waiting costs.
    pub cost: Cost,
}

impl Exponential {
    /// Checks every figure.
    pub fn check(&self) -> Result<()> {
        error::positive("mu", self.mu)?;
        error::probability("p", self.never)?;
        error::non_negative("d", self.start)?;
        error::non_negative("B", self.benefit)?;
        // The worth of a unit of time must be a number too.
        error::finite("B", self.mu * self.benefit)?;
        self.cost.check()
    }

    /// `U(w)`: expected utility of giving up at `w`; infinite `w` is for ever.
    ///
    /// `-inf` at infinity iff it may never come and the cost is unbounded, or the cost outgrows the delay.
    pub fn utility(&self, w: Extended) -> Result<Extended> {
        self.check()?;
        let x = (w.get() - self.start).max(0.0);
        if x == 0.0 {
            let w = error::non_negative("w", w.get())?;
            return Ok(-Extended::of(self.cost.total(w)));
        }
        let arrives = 1.0 - self.never;
        let gain = self.benefit * arrives * -(-self.mu * x).exp_m1();
        let late = Extended::of(self.never) * Extended::of(self.between(x));
        // Costs beyond the floats may have no product with a chance below them.
        let spent = Extended::of(arrives) * Extended::new("cost", self.expected_cost(x))?;
        Ok(Extended::of(gain - (self.cost.total(self.start) + late.get() + spent.get())))
    }

    /// The best plan; the earliest of several.
    ///
    /// Linear cost: `x* = (1/mu) ln[(1-p)(mu B - c)/(c p)]` if `(1-p) mu B > c`; for ever if `p = 0` and
    /// `B > c (d + 1/mu)`, or if waiting is free. Quadratic cost without never: `w* = (mu B - c)/k`. Exponential cost
    /// without never: `w* = ln(mu B/(kappa g))/g`. Growing costs with never: bisection of `h(w) = C'(w)/B`.
    pub fn best(&self) -> Result<Plan> {
        self.check()?;
        let until = match self.crossing() {
            Some(x) => Extended::of(self.start + x),
            None => {
                return search::best(&self.arrival(), &Benefit::constant(self.benefit), &self.cost, 0.0);
            }
        };
        if until.get() <= self.start {
            return Ok(Plan::stop(0.0));
        }
        let utility = self.utility(until)?;
        Ok(if utility > Extended::ZERO { Plan { until, utility } } else { Plan::stop(0.0) })
    }

    /// The never-mass at which it stops being worth while to wait, for a linear cost: `1 - c/(mu B)`; none if it
    /// is not worth while even without.
    pub fn flip_never(mu: f64, benefit: f64, rate: f64) -> Result<Option<f64>> {
        error::positive("mu", mu)?;
        error::positive("B", benefit)?;
        error::non_negative("c", rate)?;
        let flip = 1.0 - rate / mu / benefit;
        Ok((0.0..=1.0).contains(&flip).then_some(flip))
    }

    /// The benefit below which it is not worth while to wait, for a linear cost and no start: `c/((1-p) mu)`.
    pub fn flip_benefit(mu: f64, never: f64, rate: f64) -> Result<Extended> {
        error::positive("mu", mu)?;
        error::probability("p", never)?;
        error::non_negative("c", rate)?;
        Ok(if rate == 0.0 { Extended::ZERO } else { Extended::of(rate / ((1.0 - never) * mu)) })
    }

    /// The law behind it.
    #[must_use]
    pub fn arrival(&self) -> Arrival {
        Arrival { delay: Delay::Exponential { rate: self.mu }, start: self.start, never: self.never }
    }

    /// Time after the start at which the hazard meets `C'/B`; `None` where the cost's rate may fall.
    fn crossing(&self) -> Option<f64> {
        let Exponential { mu, never: p, start: d, benefit, ref cost } = *self;
        if let Cost::Pieces { .. } = cost {
            return None;
        }
        let worth = mu * benefit;
        if p == 1.0 || worth == 0.0 {
            return Some(0.0);
        }
        let first = cost.rate(d);
        // What the next moment brings, less what it costs, at the start and then in units of the survival.
        if (1.0 - p) * worth <= first && (p > 0.0 || !matches!(cost, Cost::Linear { .. })) {
            return Some(0.0);
        }
        Some(match *cost {
            Cost::Linear { rate } if p == 0.0 => {
                if worth > rate {
                    f64::INFINITY
                } else {
                    0.0
                }
            }
            _ if !cost.is_unbounded() => f64::INFINITY,
            // Logarithms apart, so that no quotient overflows.
            Cost::Linear { rate } => ((-p).ln_1p() - p.ln() + (worth - rate).ln() - rate.ln()) / mu,
            Cost::Quadratic { rate, growth } if p == 0.0 && growth > 0.0 => (worth - rate) / growth - d,
            Cost::Quadratic { .. } if p == 0.0 => f64::INFINITY,
            Cost::Exponential { scale, growth } if p == 0.0 => (worth / (scale * growth)).ln() / growth - d,
            _ => self.bisected(),
        })
    }

    /// The zero of `(1-p) (mu B - C') - p C' e^(mu x)`, which falls from positive to negative.
    fn bisected(&self) -> f64 {
        let left = |x: f64| {
            let rate = self.cost.rate(self.start + x);
            (1.0 - self.never) * (self.mu * self.benefit - rate) * (-self.mu * x).exp() - self.never * rate
        };
        let mut far = 1.0 / self.mu;
        while left(far) > 0.0 && far < f64::MAX / 4.0 {
            far *= 2.0;
        }
        numeric::root(&left, 0.0, far)
    }

    /// `C(d + x) - C(d)`.
    fn between(&self, x: f64) -> f64 {
        if x.is_infinite() && !self.cost.is_unbounded() {
            // Only pieces can cost a bounded amount that is not 0.
            let last = self.cost.kinks().last().copied().unwrap_or(0.0);
            return self.cost.between(self.start, (last - self.start).max(0.0));
        }
        self.cost.between(self.start, x)
    }

    /// The integral over `[0, x]` of `C'(d + y) e^(-mu y)`: the cost spent if it does arrive.
    fn expected_cost(&self, x: f64) -> f64 {
        let (mu, d) = (self.mu, self.start);
        let (end, gone) = ((-mu * x).exp(), -(-mu * x).exp_m1());
        match self.cost {
            Cost::Linear { rate } => rate * gone / mu,
            Cost::Quadratic { rate, growth } => {
                let moment = if x.is_infinite() { 1.0 } else { moment(mu * x, end, gone) };
                (rate + growth * d) * gone / mu + growth * moment / mu / mu
            }
            Cost::Exponential { growth, .. } => {
                let first = self.cost.rate(d);
                let net = growth - mu;
                let grown = if net == 0.0 { x } else { (net * x).exp_m1() / net };
                if first == 0.0 { 0.0 } else { first * grown }
            }
            Cost::Pieces { .. } => {
                let far = x.min(d.max(self.cost.kinks().last().copied().unwrap_or(0.0)) + 60.0 / mu);
                numeric::integral(
                    &|y| self.cost.rate(d + y) * (-mu * y).exp(),
                    0.0,
                    far,
                    &self.cost.kinks().iter().map(|t| t - d).collect::<Vec<_>>(),
                )
            }
        }
    }
}

/// `1 - e^(-z) (1 + z)`, with a series where that cancels.
fn moment(z: f64, end: f64, gone: f64) -> f64 {
    if z > 0.05 {
        return gone - z * end;
    }
    // Sum over n >= 2 of (-1)^n (n-1)/n! z^n.
    let mut term = z * z / 2.0;
    let mut sum = 0.0;
    for n in 2..14 {
        sum += f64::from(n - 1) * term;
        term *= -z / f64::from(n + 1);
    }
    sum
}
