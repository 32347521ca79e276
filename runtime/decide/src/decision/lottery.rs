//! Lotteries: outcomes with probabilities and utilities, and what one is worth under a rule.
//!
//! All values follow the paper's conventions for infinities; see [`Extended`].

use serde::Serialize;

use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;

/// Outcomes with their probabilities and utilities; probabilities add up to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lottery {
    probabilities: Vec<f64>,
    utilities: Vec<Extended>,
}

impl Lottery {
    /// A lottery of outcomes in some fixed order.
    pub fn new(probabilities: &[f64], utilities: &[Extended]) -> Result<Lottery> {
        error::distribution("probabilities", probabilities)?;
        error::length("utilities", utilities, probabilities.len())?;
        Ok(Lottery { probabilities: probabilities.to_vec(), utilities: utilities.to_vec() })
    }

    /// A sure thing.
    #[must_use]
    pub fn sure(utility: Extended) -> Lottery {
        Lottery { probabilities: vec![1.0], utilities: vec![utility] }
    }

    /// The probabilities, in the order given.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The utilities, in the order given.
    #[must_use]
    pub fn utilities(&self) -> &[Extended] {
        &self.utilities
    }

    /// Expected utility: `sum p u`.
    pub fn expected(&self) -> Result<Extended> {
        Extended::dot(&self.probabilities, &self.utilities, "utilities")
    }

    /// The worst outcome listed, however unlikely.
    #[must_use]
    pub fn least(&self) -> Extended {
        self.utilities.iter().copied().fold(Extended::INFINITY, Extended::min)
    }

    /// The best outcome listed, however unlikely.
    #[must_use]
    pub fn greatest(&self) -> Extended {
        self.utilities.iter().copied().fold(Extended::NEG_INFINITY, Extended::max)
    }

    /// Hurwicz: `x max + (1 - x) min`, where `x` is the optimism.
    pub fn hurwicz(&self, optimism: f64) -> Result<Extended> {
        error::probability("optimism", optimism)?;
        Extended::dot(&[optimism, 1.0 - optimism], &[self.greatest(), self.least()], "utilities")
    }

    /// Laplace: the mean of the outcomes, as if all were equally likely.
    pub fn laplace(&self) -> Result<Extended> {
        let mut sum = Extended::ZERO;
        for &utility in &self.utilities {
            sum = sum.plus(utility, "utilities")?;
        }
        Extended::new("utilities", sum.get() / self.utilities.len() as f64)
    }

    /// Epsilon-contamination: `(1 - epsilon) EU + epsilon min`.
    pub fn contaminated(&self, epsilon: f64) -> Result<Extended> {
        error::probability("epsilon", epsilon)?;
        Extended::dot(&[1.0 - epsilon, epsilon], &[self.expected()?, self.least()], "utilities")
    }

    /// CVaR: the mean of the worst `tail` of the probability mass, the outcome at its edge split.
    ///
    /// A tail of 0 is its limit, the worst outcome that is possible at all; a tail of 1 is the expected utility.
    pub fn tail_mean(&self, tail: f64) -> Result<Extended> {
        error::probability("tail", tail)?;
        let mut order: Vec<usize> = (0..self.utilities.len()).collect();
        order.sort_by_key(|&i| self.utilities[i]);
        let possible = order.iter().copied().find(|&i| self.probabilities[i] > 0.0);
        let Some(worst) = possible else {
            return Err(Error::new("probabilities", Reason::NotADistribution(0.0)));
        };
        if tail == 0.0 {
            return Ok(self.utilities[worst]);
        }
        let mut left = tail;
        let mut sum = Extended::ZERO;
        for i in order {
            let part = self.probabilities[i].min(left);
            sum = sum.plus(Extended::of(part) * self.utilities[i], "utilities")?;
            left -= part;
        }
        Extended::new("utilities", sum.get() / tail)
    }

    /// Mean and CVaR: `(1 - weight) EU + weight CVaR`.
    pub fn mean_and_tail(&self, tail: f64, weight: f64) -> Result<Extended> {
        error::probability("weight", weight)?;
        Extended::dot(&[1.0 - weight, weight], &[self.expected()?, self.tail_mean(tail)?], "utilities")
    }

    /// The least expected utility over all distributions within a box: from the lower ends, the spare mass is poured
    /// on the worst outcomes first.
    pub fn worst_within(&self, between: &super::Between) -> Result<Extended> {
        between.check(self.utilities.len())?;
        let mut order: Vec<usize> = (0..self.utilities.len()).collect();
        order.sort_by_key(|&i| self.utilities[i]);
        let mut spare = 1.0 - between.low.iter().sum::<f64>();
        let mut poured = between.low.clone();
        for i in order {
            let part = (between.high[i] - between.low[i]).min(spare).max(0.0);
            poured[i] += part;
            spare -= part;
        }
        Extended::dot(&poured, &self.utilities, "utilities")
    }
}
