//! Objectives: utilities as costs and rewards per message, byte, call and second, and of the state at the horizon.

use std::any::TypeId;
use std::fmt;
use std::time::Duration;

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
    /// The worth of a second from now: what comes up after `t` seconds counts this to the power `t`. 1 for all time alike.
    pub discount: f64,
    /// Where it ends, if that is before the run does.
    pub horizon: Option<Duration>,
    /// Its line in the spec.
    pub line: u32,
    /// What it adds up.
    pub terms: &'static [Term],
}

impl Objective {
    /// An objective to be made small, of weight 1 and level 1, neither discounted nor cut short.
    pub const fn minimize(name: &'static str, terms: &'static [Term]) -> Self {
        let sense = Sense::Minimize;
        Objective { name, sense, weight: 1.0, level: 1, discount: 1.0, horizon: None, line: 1, terms }
    }
}

/// An amount, in the author's unit of utility.
#[derive(Clone, Copy)]
pub enum Amount {
    /// Always the same.
    Number(f64),
    /// Of the node at which it comes up: a function of its parameters and the system's, never of a state.
    AtNode(fn(&View<'_>, NodeId) -> f64),
}

impl Amount {
    /// The amount at `node`.
    pub fn at(&self, view: &View<'_>, node: NodeId) -> f64 {
        match self {
            Amount::Number(amount) => *amount,
            Amount::AtNode(amount) => amount(view, node),
        }
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Number(amount) => write!(f, "{amount}"),
            Amount::AtNode(_) => f.write_str("an amount of the node"),
        }
    }
}

/// How a rate grows with the age of what it is paid for.
#[derive(Clone, Copy)]
pub enum Growth {
    /// At an age of `a` seconds the rate counts `a` to this power; 1 is linear.
    Power(fn(&View<'_>) -> f64),
    /// At an age of `a` seconds the rate counts this factor to the power `a`.
    Factor(fn(&View<'_>) -> f64),
}

/// The type of a service, in a table that is a constant.
pub type ServiceType = fn() -> TypeId;

/// Which way a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To the service, from above.
    Down,
    /// From the service, to above.
    Up,
}

/// One term of an objective. Amounts are in the author's unit of utility.
pub enum Term {
    /// `amount` for every message sent by a node.
    PerMessage {
        /// Units a message.
        amount: Amount,
        /// The kinds that count; empty for all.
        kinds: &'static [&'static str],
    },
    /// `amount` for every byte of a message's wire form.
    PerByte {
        /// Units a byte.
        amount: Amount,
        /// The kinds that count; empty for all.
        kinds: &'static [&'static str],
    },
    /// `amount` for every call that a service takes from above or makes to above, between layers or with the application.
    PerCall {
        /// Units a call.
        amount: Amount,
        /// Which way it goes.
        direction: Direction,
        /// The calls that count: the service that provides them, and their names.
        calls: &'static [(ServiceType, &'static str)],
    },
    /// `amount` for every time that a handler ran.
    PerHandler {
        /// Units a time.
        amount: Amount,
        /// The handlers that count: the service, and the index among [`crate::ServiceInfo::handlers`].
        handlers: &'static [(ServiceType, u16)],
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
    /// Rates that grow with age, each for itself: an age begins when its key appears among those of its node, and ends when the key
    /// is gone.
    Growing {
        /// The nodes that are summed over.
        over: fn(&View<'_>) -> Vec<NodeId>,
        /// At one node: a key for each thing that is paid for, and its units a second at an age of 1 (of 0, by a factor).
        rates: fn(&View<'_>, NodeId) -> Vec<(u64, f64)>,
        /// How it grows.
        growth: Growth,
        /// Whether `rates` reads nothing but its own node.
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
            Term::PerMessage { amount, kinds } => write!(f, "{amount:?} per message {kinds:?}"),
            Term::PerByte { amount, kinds } => write!(f, "{amount:?} per byte {kinds:?}"),
            Term::PerCall { amount, direction, calls } => {
                let word = match direction {
                    Direction::Down => "downcall",
                    Direction::Up => "upcall",
                };
                let names: Vec<_> = calls.iter().map(|(_, name)| name).collect();
                write!(f, "{amount:?} per {word} {names:?}")
            }
            Term::PerHandler { amount, .. } => write!(f, "{amount:?} per handler"),
            Term::PerSecond { .. } => f.write_str("per second"),
            Term::Growing { growth: Growth::Power(_), .. } => f.write_str("per second, growing to a power"),
            Term::Growing { growth: Growth::Factor(_), .. } => f.write_str("per second, growing by a factor"),
            Term::AtHorizon { .. } => f.write_str("at the horizon"),
        }
    }
}
