//! Decisions from order alone: levels that go strictly before each other, and a rule that needs no numbers.

use serde::{Deserialize, Serialize};

use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;

/// The acts that are best level by level: those within `slack[0]` of the best at level 0, of these those within
/// `slack[1]` of the best at level 1, and so on. Never empty.
///
/// `values[act][level]` is what an act is worth on a level, by whatever rule. A slack of 0 is the strict order; a
/// positive one lets a level pass on what it finds almost equal.
pub fn lexicographic(values: &[Vec<Extended>], slack: &[f64]) -> Result<Vec<usize>> {
    error::non_empty("acts", values)?;
    for (i, s) in slack.iter().enumerate() {
        error::non_negative(&format!("slack[{i}]"), *s)?;
    }
    for (i, row) in values.iter().enumerate() {
        error::length(&format!("acts[{i}]"), row, slack.len())?;
    }
    let mut left: Vec<usize> = (0..values.len()).collect();
    for (level, &slack) in slack.iter().enumerate() {
        let best = left.iter().map(|&i| values[i][level]).fold(Extended::NEG_INFINITY, Extended::max);
        // Where the best is infinite only what equals it stays.
        left.retain(|&i| {
            let value = values[i][level];
            value == best || (best.is_finite() && best.get() - value.get() <= slack)
        });
    }
    Ok(left)
}

/// A decision without numbers: states ranked by likelihood, and in every act outcomes ranked by preference.
///
/// Ranks are only compared, never added or multiplied: likelihoods among each other, utilities among each other, and
/// never one with the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordinal {
    /// How likely each state is: a higher rank is more likely, equal ranks are equally so.
    pub likelihood: Vec<u32>,
    /// How good each act's outcome is in each state: a higher rank is better.
    pub preference: Vec<Vec<u32>>,
}

/// How two acts compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The first is better.
    Better,
    /// The second is better.
    Worse,
    /// Their outcomes rank alike in every state.
    Equal,
    /// The likeliest states in which they differ disagree.
    Undecided,
}

/// What the qualitative rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The acts that no other beats; never empty.
    pub best: Vec<usize>,
    /// For every act that is not among them, an act that beats it.
    pub beaten_by: Vec<Option<usize>>,
}

impl Ordinal {
    /// Checks the sizes.
    pub fn check(&self) -> Result<()> {
        error::non_empty("likelihood", &self.likelihood)?;
        error::non_empty("preference", &self.preference)?;
        for (i, row) in self.preference.iter().enumerate() {
            error::length(&format!("preference[{i}]"), row, self.likelihood.len())?;
        }
        Ok(())
    }

    /// Likely dominance (Dubois, Fargier and Prade): the first act is better iff among the states in which the two
    /// differ, all of the likeliest favour it.
    ///
    /// The strict part is transitive, so there always is an unbeaten act. Whoever assigns numbers such that a state
    /// outweighs all less likely ones together, by more than the ratio of the greatest to the least difference in
    /// utility, finds the same acts better by expected utility.
    pub fn compare(&self, first: usize, second: usize) -> Result<Comparison> {
        self.check()?;
        let act = |i: usize| {
            self.preference.get(i).ok_or_else(|| Error::new(format!("preference[{i}]"), Reason::Missing))
        };
        let (a, b) = (act(first)?, act(second)?);
        let likeliest = |favours: fn(u32, u32) -> bool| {
            let states = self.likelihood.iter().zip(a.iter().zip(b));
            states.filter(|(_, (x, y))| favours(**x, **y)).map(|(rank, _)| *rank).max()
        };
        Ok(match (likeliest(|x, y| x > y), likeliest(|x, y| x < y)) {
            (None, None) => Comparison::Equal,
            (for_, against) if for_ > against => Comparison::Better,
            (for_, against) if for_ < against => Comparison::Worse,
            _ => Comparison::Undecided,
        })
    }

    /// The acts that none beats.
    pub fn decide(&self) -> Result<Choice> {
        self.check()?;
        let acts = self.preference.len();
        let mut beaten_by = vec![None; acts];
        for (i, beaten) in beaten_by.iter_mut().enumerate() {
            for j in 0..acts {
                if beaten.is_none() && self.compare(j, i)? == Comparison::Better {
                    *beaten = Some(j);
                }
            }
        }
        let best = (0..acts).filter(|&i| beaten_by[i].is_none()).collect();
        Ok(Choice { best, beaten_by })
    }
}
