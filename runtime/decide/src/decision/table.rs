//! Decision tables: what every act is worth in every state, and how likely the states are.

use serde::{Deserialize, Serialize};
use statrs::function::beta;

use super::Lottery;
use crate::error::{self, Error, Reason, Result, SUM_SLACK};
use crate::extended::Extended;
use crate::numeric;

/// Acts, states, and the utility of every act in every state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    acts: Vec<String>,
    states: Vec<String>,
    utilities: Vec<Vec<Extended>>,
    probabilities: Option<Vec<f64>>,
}

impl Table {
    /// A table of named acts and states; without probabilities the rules that need them are errors.
    pub fn new(
        acts: Vec<String>,
        states: Vec<String>,
        utilities: Vec<Vec<Extended>>,
        probabilities: Option<Vec<f64>>,
    ) -> Result<Table> {
        error::non_empty("acts", &acts)?;
        error::non_empty("states", &states)?;
        error::length("utilities", &utilities, acts.len())?;
        for (i, row) in utilities.iter().enumerate() {
            error::length(&format!("utilities[{i}]"), row, states.len())?;
        }
        if let Some(p) = &probabilities {
            error::length("probabilities", p, states.len())?;
            error::distribution("probabilities", p)?;
        }
        Ok(Table { acts, states, utilities, probabilities })
    }

    /// A table whose acts and states are named by their numbers, from 0.
    pub fn unnamed(utilities: Vec<Vec<Extended>>, probabilities: Option<Vec<f64>>) -> Result<Table> {
        error::non_empty("acts", &utilities)?;
        let names = |n: usize| (0..n).map(|i| i.to_string()).collect();
        Table::new(names(utilities.len()), names(utilities[0].len()), utilities, probabilities)
    }

    /// The acts' names.
    #[must_use]
    pub fn acts(&self) -> &[String] {
        &self.acts
    }

    /// The states' names.
    #[must_use]
    pub fn states(&self) -> &[String] {
        &self.states
    }

    /// The utilities, an act a row.
    #[must_use]
    pub fn utilities(&self) -> &[Vec<Extended>] {
        &self.utilities
    }

    /// The states' probabilities; an error if the table has none.
    pub fn probabilities(&self) -> Result<&[f64]> {
        self.probabilities.as_deref().ok_or_else(|| Error::new("probabilities", Reason::Missing))
    }

    /// Each act as a lottery over the states.
    pub fn lotteries(&self) -> Result<Vec<Lottery>> {
        let p = self.probabilities()?;
        self.utilities.iter().map(|row| Lottery::new(p, row)).collect()
    }

    /// Each act as a lottery whose probabilities are immaterial: for the rules that look at outcomes alone.
    pub(crate) fn outcomes(&self) -> Result<Vec<Lottery>> {
        let even = vec![1.0 / self.states.len() as f64; self.states.len()];
        let p = self.probabilities.as_ref().unwrap_or(&even);
        self.utilities.iter().map(|row| Lottery::new(p, row)).collect()
    }

    /// The greatest regret of every act: over the states, how much better the best act there would have been.
    ///
    /// Utilities must be finite, or the regret is no number.
    pub fn regrets(&self) -> Result<Vec<f64>> {
        for (i, row) in self.utilities.iter().enumerate() {
            for (j, utility) in row.iter().enumerate() {
                error::finite(&format!("utilities[{i}][{j}]"), utility.get())?;
            }
        }
        let best_in = |s: usize| self.utilities.iter().map(|row| row[s].get()).fold(f64::MIN, f64::max);
        let best: Vec<f64> = (0..self.states.len()).map(best_in).collect();
        let regret =
            |row: &Vec<Extended>| row.iter().zip(&best).map(|(u, b)| b - u.get()).fold(0.0, f64::max);
        Ok(self.utilities.iter().map(regret).collect())
    }

    /// Whether no act is worth more than `other` in any state, by act: `act` is dominated if another is nowhere
    /// worse and somewhere better.
    #[must_use]
    pub fn dominated(&self) -> Vec<bool> {
        let dominates = |a: &[Extended], b: &[Extended]| {
            a.iter().zip(b).all(|(x, y)| x >= y) && a.iter().zip(b).any(|(x, y)| x > y)
        };
        self.utilities.iter().map(|row| self.utilities.iter().any(|other| dominates(other, row))).collect()
    }
}

/// A box of probability distributions: a lower and an upper end for each state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Between {
    /// The least probabilities.
    pub low: Vec<f64>,
    /// The greatest.
    pub high: Vec<f64>,
}

impl Between {
    /// All distributions within `radius` of `p`, state by state.
    pub fn around(p: &[f64], radius: f64) -> Result<Between> {
        error::distribution("probabilities", p)?;
        error::probability("radius", radius)?;
        let low = p.iter().map(|x| (x - radius).max(0.0)).collect();
        let high = p.iter().map(|x| (x + radius).min(1.0)).collect();
        Ok(Between { low, high })
    }

    /// The central 95 % interval of each state's probability, where `p` was estimated from so many observations.
    ///
    /// State by state, Beta with one pseudo-observation for every state; stretched to contain `p` itself.
    pub fn of_observations(p: &[f64], observations: f64) -> Result<Between> {
        error::distribution("probabilities", p)?;
        error::non_negative("observations", observations)?;
        let states = p.len() as f64;
        let ends = |x: f64| {
            if p.len() == 1 {
                return (1.0, 1.0);
            }
            let (a, b) = (1.0 + observations * x, states - 1.0 + observations * (1.0 - x));
            let quantile = |level: f64| numeric::root(&|y| cumulative(a, b, y) - level, 0.0, 1.0);
            (quantile(0.025).min(x), quantile(0.975).max(x))
        };
        let (low, high) = p.iter().map(|&x| ends(x)).unzip();
        Ok(Between { low, high })
    }

    /// Checks the ends against each other and that some distribution lies between them.
    pub fn check(&self, states: usize) -> Result<()> {
        error::length("low", &self.low, states)?;
        error::length("high", &self.high, states)?;
        for (i, (&low, &high)) in self.low.iter().zip(&self.high).enumerate() {
            error::probability(&format!("low[{i}]"), low)?;
            error::probability(&format!("high[{i}]"), high)?;
            if low > high {
                return Err(Error::out_of_range(format!("low[{i}]"), format!("must be at most high[{i}]")));
            }
        }
        let (low, high) = (self.low.iter().sum::<f64>(), self.high.iter().sum::<f64>());
        if low > 1.0 + SUM_SLACK {
            return Err(Error::out_of_range(
                "low",
                format!("must add up to 1 at most, and adds up to {low}"),
            ));
        }
        if high < 1.0 - SUM_SLACK {
            return Err(Error::out_of_range(
                "high",
                format!("must add up to 1 at least, and adds up to {high}"),
            ));
        }
        Ok(())
    }
}

fn cumulative(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else {
        beta::beta_reg(a, b, x)
    }
}
