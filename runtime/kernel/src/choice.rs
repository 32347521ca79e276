//! Choices and chance: where a step branches ([`Point`]), who answers ([`Resolver`]), and the tape that replays.
//!
//! A step is a function of (state, event, tape). A handler asks in its own order, so a later point may depend on
//! an earlier answer; [`Tape::advance`] walks all of them like an odometer.

use std::collections::{BTreeSet, VecDeque};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use crate::{NodeId, ServiceInfo, SiteInfo, fault};

/// Who picks: the author's system, or nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nature {
    /// A choice: ours to resolve, adversarial when checking safety.
    Choice,
    /// Chance: nature's, with a declared distribution.
    Chance,
}

/// A point at which a step branches.
pub struct Point<'a> {
    /// The node that takes the step.
    pub node: NodeId,
    /// The service whose handler asks.
    pub service: &'static ServiceInfo,
    /// Where in the spec.
    pub site: &'static SiteInfo,
    /// Who picks.
    pub nature: Nature,
    /// How many options there are; at least 2.
    pub options: u32,
    /// For chance, the probability of each option (they add up to 1); empty for a choice.
    pub weights: &'a [f64],
    /// The author's default, where the site has one.
    pub default: Option<u32>,
    /// The stable name of an option, such as `descend(child: n[2])`.
    pub label: &'a dyn Fn(u32) -> String,
    /// The handler that an option runs, as an index into [`ServiceInfo::handlers`]; the same for all options where handlers are not
    /// what is chosen.
    pub handler: &'a dyn Fn(u32) -> u16,
}

/// Answers the points of a step.
pub trait Resolver {
    /// The option taken, below `point.options`.
    fn resolve(&mut self, point: &Point<'_>) -> u32;

    /// What the clock of the node shows, since it began. None where there is no clock: comparisons in time are then nature's.
    fn now(&self) -> Option<Duration> {
        None
    }

    /// Whether the names of the options taken should be recorded in the step's decisions.
    fn wants_labels(&self) -> bool {
        false
    }
}

/// One answer that a step received.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Where in the spec.
    pub site: &'static SiteInfo,
    /// Who picked.
    pub nature: Nature,
    /// The option taken.
    pub picked: u32,
    /// How many there were.
    pub options: u32,
    /// The probability of the option taken; 1 for a choice.
    pub probability: f64,
    /// The name of the option taken; empty unless the resolver wanted it.
    pub label: String,
}

/// A resolver that replays a prefix of answers and takes option 0 beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tape {
    picks: Vec<u32>,
    widths: Vec<u32>,
    position: usize,
    labels: bool,
}

impl Tape {
    /// A tape that starts with `picks`.
    pub fn new(picks: Vec<u32>) -> Self {
        Tape { picks, widths: Vec::new(), position: 0, labels: false }
    }

    /// The same tape, asking for the names of the options taken.
    pub fn with_labels(mut self) -> Self {
        self.labels = true;
        self
    }

    /// The answers given since the last rewind, in order.
    pub fn picks(&self) -> &[u32] {
        &self.picks[..self.position]
    }

    /// Moves to the next combination of answers, as an odometer does, and rewinds. False when all were seen.
    pub fn advance(&mut self) -> bool {
        self.picks.truncate(self.position);
        self.position = 0;
        while let (Some(pick), Some(width)) = (self.picks.pop(), self.widths.pop()) {
            if pick + 1 < width {
                self.picks.push(pick + 1);
                // The width is learnt again when the point is reached again.
                self.widths.truncate(self.picks.len() - 1);
                return true;
            }
        }
        false
    }
}

impl Resolver for Tape {
    fn resolve(&mut self, point: &Point<'_>) -> u32 {
        if self.position == self.picks.len() {
            self.picks.push(0);
        }
        self.widths.truncate(self.position);
        self.widths.push(point.options);
        let pick = self.picks[self.position];
        self.position += 1;
        pick
    }

    fn wants_labels(&self) -> bool {
        self.labels
    }
}

/// A distribution of finite support: outcomes with their probabilities, which add up to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution<T> {
    outcomes: Vec<(T, f64)>,
}

impl<T> Distribution<T> {
    /// Outcomes in proportion to their weights. Weights that are negative or not finite, or a sum of 0, leave
    /// no outcome, and drawing from it is a fault of the handler.
    pub fn weighted(outcomes: impl IntoIterator<Item = (T, f64)>) -> Self {
        let mut outcomes: Vec<(T, f64)> = outcomes.into_iter().collect();
        let sum: f64 = outcomes.iter().map(|(_, weight)| *weight).sum();
        let sane = outcomes.iter().all(|(_, weight)| weight.is_finite() && *weight >= 0.0);
        if !sane || !sum.is_finite() || sum <= 0.0 {
            return Distribution { outcomes: Vec::new() };
        }
        outcomes.retain(|(_, weight)| *weight > 0.0);
        outcomes.iter_mut().for_each(|(_, weight)| *weight /= sum);
        Distribution { outcomes }
    }

    /// All outcomes equally likely.
    pub fn uniform(outcomes: impl IntoIterator<Item = T>) -> Self {
        Distribution::weighted(outcomes.into_iter().map(|outcome| (outcome, 1.0)))
    }

    /// The outcomes of positive probability, in the order given.
    pub fn outcomes(&self) -> &[(T, f64)] {
        &self.outcomes
    }

    /// The outcomes, taken.
    pub fn into_outcomes(self) -> Vec<(T, f64)> {
        self.outcomes
    }
}

/// True with probability `p` (clamped to 0..=1).
pub fn bernoulli(p: f64) -> Distribution<bool> {
    let p = p.clamp(0.0, 1.0);
    Distribution::weighted([(true, p), (false, 1.0 - p)])
}

/// What `random(..)` in a body may be given.
pub trait Chance {
    /// What is drawn.
    type Outcome;
    /// The distribution it stands for.
    fn distribution(self) -> Distribution<Self::Outcome>;
}

impl<T> Chance for Distribution<T> {
    type Outcome = T;
    fn distribution(self) -> Distribution<T> {
        self
    }
}

impl<T> Chance for Range<T>
where
    Range<T>: Iterator<Item = T>,
{
    type Outcome = T;
    fn distribution(self) -> Distribution<T> {
        Distribution::uniform(counted(self))
    }
}

impl<T> Chance for RangeInclusive<T>
where
    RangeInclusive<T>: Iterator<Item = T>,
{
    type Outcome = T;
    fn distribution(self) -> Distribution<T> {
        Distribution::uniform(counted(self))
    }
}

/// The most options or outcomes of a range: each of them is explored.
pub const RANGE_MAX: usize = 65_536;

/// The numbers of a range. More than [`RANGE_MAX`] are a fault of the step.
fn counted<T>(range: impl Iterator<Item = T>) -> Vec<T> {
    let numbers: Vec<T> = range.take(RANGE_MAX + 1).collect();
    if numbers.len() > RANGE_MAX {
        fault::raise(format!("a range of more than {RANGE_MAX} numbers is too large to choose or draw from"));
    }
    numbers
}

macro_rules! uniform_of {
    ($([$($generics:tt)*] $owned:ty;)*) => {
        $(impl<$($generics)*> Chance for $owned {
            type Outcome = T;
            fn distribution(self) -> Distribution<T> {
                Distribution::uniform(self)
            }
        }
        impl<$($generics)*> Chance for &$owned where T: Clone {
            type Outcome = T;
            fn distribution(self) -> Distribution<T> {
                Distribution::uniform(self.iter().cloned())
            }
        })*
    };
}

uniform_of! {
    [T] BTreeSet<T>;
    [T] Vec<T>;
    [T] VecDeque<T>;
    [T, const N: usize] [T; N];
}

/// What may stand as the set of a `choose`: anything whose items can be ordered and owned.
pub trait Options {
    /// An option.
    type Item: Ord;
    /// The options, sorted and unique.
    fn options(self) -> Vec<Self::Item>;
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items.dedup();
    items
}

macro_rules! options_of {
    ($([$($generics:tt)*] $owned:ty, $item:ty;)*) => {
        $(impl<$($generics)*> Options for $owned {
            type Item = $item;
            fn options(self) -> Vec<$item> {
                sorted(self.into_iter().collect())
            }
        }
        impl<$($generics)*> Options for &$owned where $item: Clone {
            type Item = $item;
            fn options(self) -> Vec<$item> {
                sorted(self.iter().cloned().collect())
            }
        })*
    };
}

impl<T: Ord> Options for BTreeSet<T> {
    type Item = T;
    fn options(self) -> Vec<T> {
        self.into_iter().collect()
    }
}

impl<T: Ord + Clone> Options for &BTreeSet<T> {
    type Item = T;
    fn options(self) -> Vec<T> {
        self.iter().cloned().collect()
    }
}

options_of! {
    [T: Ord] Vec<T>, T;
    [T: Ord] VecDeque<T>, T;
    [T: Ord] Option<T>, T;
    [T: Ord, const N: usize] [T; N], T;
}

impl<T: Ord> Options for Range<T>
where
    Range<T>: Iterator<Item = T>,
{
    type Item = T;
    fn options(self) -> Vec<T> {
        counted(self)
    }
}

impl<T: Ord> Options for RangeInclusive<T>
where
    RangeInclusive<T>: Iterator<Item = T>,
{
    type Item = T;
    fn options(self) -> Vec<T> {
        counted(self)
    }
}
