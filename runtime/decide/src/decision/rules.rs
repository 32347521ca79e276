//! The rules that need numbers: each gives every act a value, and the greatest value wins.

use serde::{Deserialize, Serialize};

use super::{Between, Lottery, Table};
use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;

/// Values this close, relatively, are a tie.
const TIE: f64 = 1e-12;

/// A decision rule with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// The greatest expected utility.
    ExpectedUtility,
    /// The greatest least utility.
    Maximin,
    /// The greatest greatest utility.
    Maximax,
    /// `x max + (1 - x) min`.
    Hurwicz {
        /// `x`, from 0 (maximin) to 1 (maximax).
        optimism: f64,
    },
    /// The greatest mean, as if all states were equally likely.
    Laplace,
    /// The least greatest regret; the value is the regret, negated.
    MinimaxRegret,
    /// `(1 - epsilon) EU + epsilon min`.
    Contamination {
        /// How far the probabilities are distrusted, from 0 to 1.
        epsilon: f64,
    },
    /// The greatest least expected utility over a box of distributions.
    GammaMaximin {
        /// The box.
        between: Between,
    },
    /// The greatest mean of the worst tail.
    Cvar {
        /// The tail's probability.
        tail: f64,
    },
    /// `(1 - weight) EU + weight CVaR`.
    MeanCvar {
        /// The tail's probability.
        tail: f64,
        /// The weight of the tail.
        weight: f64,
    },
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The value of every act.
    pub values: Vec<Extended>,
    /// The first of the best acts.
    pub choice: usize,
    /// All the best acts.
    pub best: Vec<usize>,
}

impl Rule {
    /// Its name: `expected_utility`, `gamma_maximin`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Rule::ExpectedUtility => "expected_utility",
            Rule::Maximin => "maximin",
            Rule::Maximax => "maximax",
            Rule::Hurwicz { .. } => "hurwicz",
            Rule::Laplace => "laplace",
            Rule::MinimaxRegret => "minimax_regret",
            Rule::Contamination { .. } => "contamination",
            Rule::GammaMaximin { .. } => "gamma_maximin",
            Rule::Cvar { .. } => "cvar",
            Rule::MeanCvar { .. } => "mean_cvar",
        }
    }

    /// The value of one act on its own; regret has none.
    pub fn value(&self, act: &Lottery) -> Result<Extended> {
        match self {
            Rule::ExpectedUtility => act.expected(),
            Rule::Maximin => Ok(act.least()),
            Rule::Maximax => Ok(act.greatest()),
            Rule::Hurwicz { optimism } => act.hurwicz(*optimism),
            Rule::Laplace => act.laplace(),
            Rule::Contamination { epsilon } => act.contaminated(*epsilon),
            Rule::GammaMaximin { between } => act.worst_within(between),
            Rule::Cvar { tail } => act.tail_mean(*tail),
            Rule::MeanCvar { tail, weight } => act.mean_and_tail(*tail, *weight),
            Rule::MinimaxRegret => {
                let why = "compares acts state by state, and lotteries share no states".to_string();
                Err(Error::new("minimax_regret", Reason::Malformed(why)))
            }
        }
    }

    /// Whether it looks at the probabilities.
    #[must_use]
    pub fn needs_probabilities(&self) -> bool {
        match self {
            Rule::Maximin | Rule::Maximax | Rule::Hurwicz { .. } | Rule::Laplace => false,
            Rule::MinimaxRegret | Rule::GammaMaximin { .. } => false,
            Rule::ExpectedUtility | Rule::Contamination { .. } => true,
            Rule::Cvar { .. } | Rule::MeanCvar { .. } => true,
        }
    }

    /// The values of a table's acts.
    pub fn values(&self, table: &Table) -> Result<Vec<Extended>> {
        if *self == Rule::MinimaxRegret {
            return Ok(table.regrets()?.into_iter().map(|regret| -Extended::of(regret)).collect());
        }
        let acts = if self.needs_probabilities() { table.lotteries()? } else { table.outcomes()? };
        acts.iter().map(|act| self.value(act)).collect()
    }

    /// The choice among a table's acts.
    pub fn decide(&self, table: &Table) -> Result<Verdict> {
        Verdict::of(self.values(table)?)
    }

    /// The choice among lotteries that share no states.
    pub fn decide_lotteries(&self, acts: &[Lottery]) -> Result<Verdict> {
        Verdict::of(acts.iter().map(|act| self.value(act)).collect::<Result<_>>()?)
    }
}

impl Verdict {
    /// The greatest of the values; an error if there is none.
    pub fn of(values: Vec<Extended>) -> Result<Verdict> {
        error::non_empty("acts", &values)?;
        let top = values.iter().copied().fold(Extended::NEG_INFINITY, Extended::max);
        let best: Vec<usize> = (0..values.len()).filter(|&i| is_tie(values[i], top)).collect();
        Ok(Verdict { choice: best[0], best, values })
    }
}

/// Whether two values differ by no more than rounding.
pub(crate) fn is_tie(x: Extended, y: Extended) -> bool {
    x == y
        || (x.is_finite()
            && y.is_finite()
            && (x.get() - y.get()).abs() <= TIE * x.get().abs().max(y.get().abs()))
}
