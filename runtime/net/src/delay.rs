//! How long a message is under way: distributions of delays.

use std::fmt;
use std::sync::Arc;

use crate::draw::Draw;
use crate::ln::ln;

/// A distribution of delays, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// Always as long.
    Constant(u64),
    /// Every nanosecond from the first to the second, both included, equally likely.
    Uniform(u64, u64),
    /// Exponential with this mean: memoryless, by inversion.
    Exponential(u64),
    /// Normal with this mean and standard deviation, by Marsaglia's polar method; what would be negative is 0.
    Normal {
        /// The mean, in nanoseconds.
        mean: u64,
        /// The standard deviation, in nanoseconds.
        deviation: u64,
    },
    /// Lognormal: its logarithm is normal. What delays over wide areas look like away from overload.
    LogNormal {
        /// The median, in nanoseconds.
        median: u64,
        /// The standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// Pareto: P(delay > x) = (least / x)^shape for x beyond `least`. A heavy tail; no mean at a shape of 1 and below.
    Pareto {
        /// The least delay, in nanoseconds.
        least: u64,
        /// The index of the tail, above 0.
        shape: f64,
    },
    /// Weibull: P(delay > x) = exp(-(x / scale)^shape). Of shapes below 1, what has lasted long lasts longer: as sessions of peers do
    /// (Stutzbach and Rejaie, "Understanding churn in peer-to-peer networks", IMC 2006).
    Weibull {
        /// The scale, in nanoseconds: 63 % are below it.
        scale: u64,
        /// The shape, above 0; 1 is exponential.
        shape: f64,
    },
    /// What was measured: between neighbours of the sorted sample every value is equally likely.
    Empirical(Sample),
}

/// Measured delays in nanoseconds, sorted; at least one.
#[derive(Clone, PartialEq)]
pub struct Sample(Arc<[u64]>);

impl Sample {
    /// A sample of measured delays in any order; None where there is none.
    pub fn new(mut delays: Vec<u64>) -> Option<Self> {
        delays.sort_unstable();
        (!delays.is_empty()).then(|| Sample(delays.into()))
    }

    /// The quantile at `q` in 0..=1, linear between neighbours.
    fn quantile(&self, q: f64) -> u64 {
        let place = q * (self.0.len() - 1) as f64;
        let below = (place as usize).min(self.0.len() - 1);
        let above = (below + 1).min(self.0.len() - 1);
        let share = place - below as f64;
        self.0[below] + ((self.0[above] - self.0[below]) as f64 * share).round() as u64
    }

    fn mean(&self) -> u64 {
        // Of the distribution that is drawn from: the two ends weigh half as much as what is between.
        let sum: u128 = self.0.windows(2).map(|pair| u128::from(u64::midpoint(pair[0], pair[1]))).sum();
        match self.0.len() {
            1 => self.0[0],
            n => (sum / (n as u128 - 1)) as u64,
        }
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} delays of {} to {} ns", self.0.len(), self.0[0], self.0[self.0.len() - 1])
    }
}

impl Delay {
    /// A delay of this distribution.
    pub fn nanos(&self, draw: &mut dyn Draw) -> u64 {
        match self {
            Delay::Constant(nanos) => *nanos,
            Delay::Uniform(least, most) if most <= least => *least,
            Delay::Uniform(0, u64::MAX) => draw.bits(),
            Delay::Uniform(least, most) => least + draw.below(most - least + 1),
            Delay::Exponential(mean) => draw.exponential(*mean),
            Delay::Normal { mean, deviation: 0 } => *mean,
            Delay::Normal { mean, deviation } => {
                (*mean as f64 + normal(draw) * *deviation as f64).round() as u64
            }
            Delay::LogNormal { median, sigma } => {
                (*median as f64 * libm::exp(sigma * normal(draw))).round() as u64
            }
            Delay::Pareto { least, shape } => {
                (*least as f64 * libm::exp(-ln(1.0 - draw.unit()) / shape)).round() as u64
            }
            Delay::Weibull { scale, shape } => {
                (*scale as f64 * libm::pow(-ln(1.0 - draw.unit()), 1.0 / shape)).round() as u64
            }
            Delay::Empirical(sample) => sample.quantile(draw.unit()),
        }
    }

    /// Whether it is always as long.
    pub fn steady(&self) -> bool {
        match self {
            Delay::Constant(_) => true,
            Delay::Uniform(least, most) => most <= least,
            Delay::Exponential(mean) => *mean == 0,
            Delay::Normal { deviation, .. } => *deviation == 0,
            Delay::LogNormal { median, sigma } => *median == 0 || *sigma == 0.0,
            Delay::Pareto { least, .. } => *least == 0,
            Delay::Weibull { scale, .. } => *scale == 0,
            Delay::Empirical(sample) => sample.0.first() == sample.0.last(),
        }
    }

    /// The mean in nanoseconds, as far as the clock goes: a Pareto delay of shape 1 or less has none.
    pub fn mean(&self) -> u64 {
        match self {
            Delay::Constant(mean) | Delay::Exponential(mean) | Delay::Normal { mean, .. } => *mean,
            Delay::Uniform(least, most) => u64::midpoint(*least, *most),
            Delay::LogNormal { median, sigma } => (*median as f64 * libm::exp(sigma * sigma / 2.0)) as u64,
            Delay::Pareto { shape, .. } if *shape <= 1.0 => u64::MAX,
            Delay::Pareto { least, shape } => (*least as f64 * shape / (shape - 1.0)) as u64,
            Delay::Weibull { scale, shape } => (*scale as f64 * libm::tgamma(1.0 + 1.0 / shape)) as u64,
            Delay::Empirical(sample) => sample.mean(),
        }
    }
}

/// A standard normal variable: Marsaglia and Bray's polar method (1964). Square roots are exact to the last bit on every
/// machine, as the logarithm here is.
fn normal(draw: &mut dyn Draw) -> f64 {
    // Each round succeeds with probability pi / 4; that all fail has one below 1e-42.
    for _ in 0..64 {
        let (x, y) = (2.0 * draw.unit() - 1.0, 2.0 * draw.unit() - 1.0);
        let square = x * x + y * y;
        if square < 1.0 && square > f64::MIN_POSITIVE {
            return x * (-2.0 * ln(square) / square).sqrt();
        }
    }
    0.0
}

#[cfg(test)]
mod tests;
