//! Objectives: utilities as costs and rewards per message, per byte, per second, and of the state at the horizon.

use std::fmt;

use crate::{NodeId, View};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sense {
    /// Less is better: the terms are costs.
    Minimize,
    /// More is better: the terms are rewards.
    Maximize,
}

/// A named objective: the sum of its terms.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Its name.
    pub name: &'static str,
    /// Which way is better.
    pub sense: Sense,
    /// Its factor in the sum of objectives of its level.
    pub weight: f64,
    /// Level 1 goes strictly before level 2.
    pub level: u32,
    /// Its line in the spec.
    pub line: u32,
    /// What it adds up.
    pub terms: &'static [Term],
}

/// One term of an objective. Amounts are in the author's unit of utility.
pub enum Term {
    /// `amount` for every message sent by a node.
    PerMessage {
        /// Units a message.
        amount: f64,
        /// The kinds that count; empty for all.
        kinds: &'static [&'static str],
    },
    /// `amount` for every byte of a message's wire form.
    PerByte {
        /// Units a byte.
        amount: f64,
        /// The kinds that count; empty for all.
        kinds: &'static [&'static str],
    },
    /// A rate that lasts while the state does, in units a second: the sum of `rate` over the nodes of `over`.
    PerSecond {
        /// The nodes that are summed over.
        over: fn(&View<'_>) -> Vec<NodeId>,
        /// Units a second at one node.
        rate: fn(&View<'_>, NodeId) -> f64,
        /// Whether `rate` reads nothing but its own node, so that only a step of that node can change it.
        local: bool,
    },
    /// A value of the state at the horizon.
    AtHorizon {
        /// Units.
        value: fn(&View<'_>) -> f64,
    },
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::PerMessage { amount, kinds } => write!(f, "{amount} per message {kinds:?}"),
            Term::PerByte { amount, kinds } => write!(f, "{amount} per byte {kinds:?}"),
            Term::PerSecond { .. } => f.write_str("per second"),
            Term::AtHorizon { .. } => f.write_str("at the horizon"),
        }
    }
}
