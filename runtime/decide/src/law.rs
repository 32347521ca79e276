//! When something arrives, if ever: continuous laws of a delay, and laws made of observations.
//!
//! An [`Arrival`] is a delay that starts at some time and never comes with some probability; a [`Steps`] is a law of
//! finitely many values with weights, from counts, from censored observations (Kaplan and Meier) or from a table.
//! Both are a [`Law`]. Times are in the caller's unit; rates are its inverse.

use serde::{Deserialize, Serialize};
use statrs::function::erf;

use crate::error::{self, Error, Reason, Result};

/// The law of an arrival time `T`, which may be infinite.
pub trait Law {
    /// `P(T > t)`, which includes never; 1 before time 0.
    fn survival(&self, t: f64) -> f64;

    /// `P(T >= t)`: as the survival, except where an atom lies at `t`.
    fn not_before(&self, t: f64) -> f64 {
        self.survival(t)
    }

    /// `P(T = infinity)`.
    fn never(&self) -> f64;

    /// Times at which the survival jumps or has a corner.
    fn kinks(&self) -> Vec<f64>;

    /// `P(T <= t)`.
    fn arrived(&self, t: f64) -> f64 {
        1.0 - self.survival(t)
    }
}

/// A delay that is almost surely finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "law", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delay {
    /// `P(D > t) = exp(-rate t)`.
    Exponential {
        /// Arrivals a unit of time; the mean is its inverse.
        rate: f64,
    },
    /// `ln D` is normal.
    LogNormal {
        /// Mean of `ln D`; the median is `exp(mu)`.
        mu: f64,
        /// Standard deviation of `ln D`.
        sigma: f64,
    },
    /// `P(D > t) = (scale / (scale + t))^shape`: an exponential delay of a rate known only as a Gamma belief.
    Lomax {
        /// Shape of the Gamma belief: arrivals seen, and the prior's.
        shape: f64,
        /// Its inverse scale: time watched, and the prior's.
        scale: f64,
    },
    /// Between two times with equal density.
    Uniform {
        /// The least delay.
        from: f64,
        /// The greatest delay; above the least.
        to: f64,
    },
    /// Always the same.
    Constant {
        /// The delay.
        value: f64,
    },
}

impl Delay {
    /// Checks the parameters.
    pub fn check(&self) -> Result<()> {
        match *self {
            Delay::Exponential { rate } => error::positive("rate", rate).map(drop),
            Delay::LogNormal { mu, sigma } => {
                error::finite("mu", mu)?;
                error::positive("sigma", sigma).map(drop)
            }
            Delay::Lomax { shape, scale } => {
                error::positive("shape", shape)?;
                error::positive("scale", scale).map(drop)
            }
            Delay::Uniform { from, to } => {
                error::non_negative("from", from)?;
                error::finite("to", to)?;
                if to > from { Ok(()) } else { Err(Error::out_of_range("to", "must be above `from`")) }
            }
            Delay::Constant { value } => error::non_negative("value", value).map(drop),
        }
    }

    /// `P(D > t)`.
    #[must_use]
    pub fn survival(&self, t: f64) -> f64 {
        if t < 0.0 {
            return 1.0;
        }
        match *self {
            Delay::Exponential { rate } => (-rate * t).exp(),
            Delay::LogNormal { .. } if t == 0.0 => 1.0,
            Delay::LogNormal { mu, sigma } => {
                0.5 * erf::erfc((t.ln() - mu) / (sigma * std::f64::consts::SQRT_2))
            }
            Delay::Lomax { shape, scale } => (-shape * (t / scale).ln_1p()).exp(),
            Delay::Uniform { from, to } => ((to - t) / (to - from)).clamp(0.0, 1.0),
            Delay::Constant { value } => f64::from(u8::from(t < value)),
        }
    }

    /// The density at `t`; 0 for a constant, which has none.
    #[must_use]
    pub fn density(&self, t: f64) -> f64 {
        if t < 0.0 {
            return 0.0;
        }
        match *self {
            Delay::Exponential { rate } => rate * (-rate * t).exp(),
            Delay::LogNormal { .. } if t == 0.0 => 0.0,
            Delay::LogNormal { mu, sigma } => {
                let z = (t.ln() - mu) / sigma;
                (-0.5 * z * z).exp() / (t * sigma * (2.0 * std::f64::consts::PI).sqrt())
            }
            Delay::Lomax { shape, scale } => shape / (scale + t) * self.survival(t),
            Delay::Uniform { from, to } if t >= from && t < to => 1.0 / (to - from),
            Delay::Uniform { .. } | Delay::Constant { .. } => 0.0,
        }
    }

    /// The mean; infinite for a Lomax delay of shape 1 or less.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Delay::Exponential { rate } => 1.0 / rate,
            Delay::LogNormal { mu, sigma } => (mu + sigma * sigma / 2.0).exp(),
            Delay::Lomax { shape, scale } if shape > 1.0 => scale / (shape - 1.0),
            Delay::Lomax { .. } => f64::INFINITY,
            Delay::Uniform { from, to } => from / 2.0 + to / 2.0,
            Delay::Constant { value } => value,
        }
    }

    /// Times at which density or survival jumps.
    #[must_use]
    pub fn kinks(&self) -> Vec<f64> {
        match *self {
            Delay::Uniform { from, to } => vec![from, to],
            Delay::Constant { value } => vec![value],
            _ => vec![0.0],
        }
    }
}

impl Law for Delay {
    fn survival(&self, t: f64) -> f64 {
        Delay::survival(self, t)
    }

    fn not_before(&self, t: f64) -> f64 {
        match *self {
            Delay::Constant { value } => f64::from(u8::from(t <= value)),
            _ => Delay::survival(self, t),
        }
    }

    fn never(&self) -> f64 {
        0.0
    }

    fn kinks(&self) -> Vec<f64> {
        Delay::kinks(self)
    }
}

/// `start` and then a delay with probability `1 - never`; else never.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The law of the delay.
    pub delay: Delay,
    /// Before this time nothing can arrive.
    #[serde(default)]
    pub start: f64,
    /// Probability that it never arrives.
    #[serde(default)]
    pub never: f64,
}

impl Arrival {
    /// Checks the parameters.
    pub fn check(&self) -> Result<()> {
        self.delay.check()?;
        error::non_negative("start", self.start)?;
        error::probability("never", self.never)?;
        Ok(())
    }

    /// The density at `t` of arriving then, which integrates to `1 - never`.
    #[must_use]
    pub fn density(&self, t: f64) -> f64 {
        (1.0 - self.never) * self.delay.density(t - self.start)
    }

    /// The hazard rate at `t`: the density given that it has not arrived. 0 where it certainly has.
    #[must_use]
    pub fn hazard(&self, t: f64) -> f64 {
        let (density, survival) = (self.density(t), self.survival(t));
        if density == 0.0 { 0.0 } else { density / survival }
    }

    /// The probability of never, given silence until `t`: `never / S(t)`.
    #[must_use]
    pub fn never_after(&self, t: f64) -> f64 {
        if self.never == 0.0 { 0.0 } else { self.never / self.survival(t) }
    }

    /// The same arrival where the one it comes from may be dead: it then never comes.
    pub fn if_alive(&self, alive: f64) -> Result<Arrival> {
        error::probability("alive", alive)?;
        Ok(Arrival { never: 1.0 - alive * (1.0 - self.never), ..*self })
    }
}

impl Law for Arrival {
    fn survival(&self, t: f64) -> f64 {
        self.never + (1.0 - self.never) * self.delay.survival(t - self.start)
    }

    fn not_before(&self, t: f64) -> f64 {
        self.never + (1.0 - self.never) * self.delay.not_before(t - self.start)
    }

    fn never(&self) -> f64 {
        self.never
    }

    fn kinks(&self) -> Vec<f64> {
        self.delay.kinks().into_iter().map(|x| x + self.start).collect()
    }
}

/// A law of finitely many arrival times, with weights that need not add up to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Steps {
    /// Times in ascending order, each once, with its weight.
    points: Vec<(f64, f64)>,
    /// Weight of never.
    never: f64,
    /// Sum of all the weights.
    total: f64,
}

impl Steps {
    /// From arrival times with weights, in any order, and the weight of never.
    pub fn weighted(points: &[(f64, f64)], never: f64) -> Result<Steps> {
        error::non_negative("never", never)?;
        let mut sorted = Vec::with_capacity(points.len());
        for (i, &(time, weight)) in points.iter().enumerate() {
            error::non_negative(&format!("arrivals[{i}]"), time)?;
            error::non_negative(&format!("weights[{i}]"), weight)?;
            sorted.push((time, weight));
        }
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(sorted.len());
        for (time, weight) in sorted {
            match points.last_mut() {
                Some(last) if last.0 == time => last.1 += weight,
                _ => points.push((time, weight)),
            }
        }
        let total = points.iter().map(|p| p.1).sum::<f64>() + never;
        if total == 0.0 {
            return Err(Error::new("arrivals", Reason::Empty));
        }
        error::finite("weights", total)?;
        Ok(Steps { points, never, total })
    }

    /// From observed arrival times and the number of those that never came.
    ///
    /// With few observations add pseudo-counts to `never`: without any, the best wait is for ever.
    pub fn observed(arrivals: &[f64], never: f64) -> Result<Steps> {
        let points: Vec<_> = arrivals.iter().map(|&time| (time, 1.0)).collect();
        Steps::weighted(&points, never)
    }

    /// Kaplan and Meier's law: `censored` are times until which nothing had come when watching stopped.
    ///
    /// At equal times arrivals come before censorings. What is left after the last arrival counts as never.
    pub fn kaplan_meier(arrivals: &[f64], censored: &[f64]) -> Result<Steps> {
        for (i, &time) in arrivals.iter().enumerate() {
            error::non_negative(&format!("arrivals[{i}]"), time)?;
        }
        for (i, &time) in censored.iter().enumerate() {
            error::non_negative(&format!("censored[{i}]"), time)?;
        }
        let (mut arrivals, mut censored) = (arrivals.to_vec(), censored.to_vec());
        arrivals.sort_by(f64::total_cmp);
        censored.sort_by(f64::total_cmp);
        if arrivals.is_empty() && censored.is_empty() {
            return Err(Error::new("arrivals", Reason::Empty));
        }
        let mut survival = 1.0;
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (i, &time) in arrivals.iter().enumerate() {
            let gone = censored.partition_point(|&c| c < time);
            let at_risk = (arrivals.len() - i + censored.len() - gone) as f64;
            let lost = survival / at_risk;
            survival -= lost;
            points.push((time, lost));
        }
        Steps::weighted(&points, survival.max(0.0))
    }

    /// Times with their weights, ascending.
    #[must_use]
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The weight of never, on the scale of the points' weights.
    #[must_use]
    pub fn never_weight(&self) -> f64 {
        self.never
    }

    /// The sum of all weights, never's included.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }
}

impl Law for Steps {
    fn survival(&self, t: f64) -> f64 {
        let passed = self.points.partition_point(|p| p.0 <= t);
        (self.points[passed..].iter().map(|p| p.1).sum::<f64>() + self.never) / self.total
    }

    fn not_before(&self, t: f64) -> f64 {
        let passed = self.points.partition_point(|p| p.0 < t);
        (self.points[passed..].iter().map(|p| p.1).sum::<f64>() + self.never) / self.total
    }

    fn never(&self) -> f64 {
        self.never / self.total
    }

    fn kinks(&self) -> Vec<f64> {
        self.points.iter().map(|p| p.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric;

    #[test]
    fn densities_integrate_to_the_survival() {
        for delay in [
            Delay::Exponential { rate: 0.5 },
            Delay::LogNormal { mu: 0.3, sigma: 0.8 },
            Delay::Lomax { shape: 2.5, scale: 4.0 },
            Delay::Uniform { from: 1.0, to: 3.0 },
        ] {
            let mass = numeric::integral(&|t| delay.density(t), 0.0, 2.5, &delay.kinks());
            assert!((mass - (1.0 - delay.survival(2.5))).abs() < 1e-9, "{delay:?}");
        }
    }

    #[test]
    fn a_lomax_delay_is_an_exponential_one_under_a_gamma_belief() {
        // Gamma(3, 2): the mixture of exp(-r t) over the density of r.
        let density = |r: f64| 4.0 * r * r * (-2.0 * r).exp();
        let mixed = numeric::integral(&|r| density(r) * (-r * 1.5).exp(), 0.0, 60.0, &[]);
        assert!((mixed - Delay::Lomax { shape: 3.0, scale: 2.0 }.survival(1.5)).abs() < 1e-10);
    }

    #[test]
    fn kaplan_meier_without_censoring_is_the_empirical_law() {
        let times = [3.0, 1.0, 2.0, 2.0];
        let (km, plain) = (Steps::kaplan_meier(&times, &[]).unwrap(), Steps::observed(&times, 0.0).unwrap());
        for t in [0.0, 1.0, 1.5, 2.0, 3.0, 9.0] {
            assert!((km.survival(t) - plain.survival(t)).abs() < 1e-12);
        }
        // Watched by hand: at 2 three of four are left, one was censored at 1.5.
        let km = Steps::kaplan_meier(&[1.0, 2.0], &[1.5, 5.0]).unwrap();
        assert!((km.survival(1.0) - 0.75).abs() < 1e-12);
        assert!((km.survival(2.0) - 0.375).abs() < 1e-12);
        assert!((km.never() - 0.375).abs() < 1e-12);
    }
}
