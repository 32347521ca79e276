//! Claims about runs rather than states: liveness, and statements about probabilities and expectations.
//!
//! They are here as data, with the predicates that they are made of. A check decides liveness where it is asked to; a simulation estimates
//! what is statistical. Whoever cannot judge a claim says so, and never counts it as held.

use std::fmt;
use std::time::Duration;

use crate::{Datum, Model, NodeId, Read, View, property};

/// A predicate on states, about some nodes.
#[derive(Clone, Copy)]
pub struct Predicate {
    /// Whether it holds in a state, for the given nodes.
    pub holds: fn(&View<'_>, &[NodeId]) -> bool,
    /// All that `holds` may read of the variables of nodes.
    pub reads: &'static [Read],
    /// Whether it also asks which nodes are up.
    pub reads_up: bool,
}

impl Predicate {
    /// The digest of what this predicate may read of the variables of `node`, as [`crate::Property::projection`] gives it.
    pub fn projection<'s>(&self, model: &Model, node: NodeId, layer: &dyn Fn(usize) -> &'s Datum) -> u64 {
        property::projection(self.reads, model, node, layer)
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a predicate")
    }
}

/// What a liveness property says of a run that goes on for ever.
#[derive(Clone, Copy, Debug)]
pub enum Temporal {
    /// In some state from here on.
    Eventually(Predicate),
    /// Again and again: from every state on, in some later one.
    AlwaysEventually(Predicate),
    /// From some state on, in all.
    EventuallyAlways(Predicate),
    /// From every state in which the first holds on, the second holds in that state or in a later one.
    LeadsTo(Predicate, Predicate),
}

/// A liveness property, under the fairness that the semantics documents.
pub struct Liveness {
    /// Its name, unique in its system.
    pub name: &'static str,
    /// The spec's path as it was given to the compiler.
    pub file: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The instances of the claim: it holds if it holds for each of these lists of nodes, which depend on the model alone. A
    /// claim without quantifiers around it has one instance, of no nodes.
    pub instances: fn(&View<'_>) -> Vec<Vec<NodeId>>,
    /// The claim about the nodes of an instance.
    pub claim: Temporal,
}

impl fmt::Debug for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "liveness {} (line {})", self.name, self.line)
    }
}

/// A statement about the runs of a system.
#[derive(Debug)]
pub struct Statistical {
    /// Its name, unique in its system.
    pub name: &'static str,
    /// The spec's path as it was given to the compiler.
    pub file: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The claim as written, on one line.
    pub text: &'static str,
    /// What is estimated.
    pub figure: Figure,
    /// What is claimed of it.
    pub claim: Claim,
}

/// What a statistical property estimates.
#[derive(Debug)]
pub enum Figure {
    /// The probability that `event` comes true within a time, among the runs in which `given` holds in every state of
    /// that time.
    Probability {
        /// What comes true in some state.
        event: Predicate,
        /// By when; the end of the run where it is None.
        within: Option<Duration>,
        /// Among which runs; all where it is None.
        given: Option<Predicate>,
    },
    /// The expectation of a value of the run.
    Expected(Quantity),
}

/// What is claimed of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim {
    /// At least this.
    AtLeast(f64),
    /// More than this.
    Above(f64),
    /// At most this.
    AtMost(f64),
    /// Less than this.
    Below(f64),
    /// Any finite value.
    Finite,
}

/// A value of a run.
pub enum Quantity {
    /// A number.
    Number(f64),
    /// What an objective came to, unweighted.
    Objective(&'static str),
    /// The sum of the objectives of the first level by their weights, what is to be maximised counted negative.
    Total,
    /// How often the application made this downcall.
    Calls(&'static str),
    /// A value of the last state.
    State(fn(&View<'_>) -> f64),
    /// A sum.
    Sum(Box<Quantity>, Box<Quantity>),
    /// A difference.
    Difference(Box<Quantity>, Box<Quantity>),
    /// A product.
    Product(Box<Quantity>, Box<Quantity>),
    /// A quotient; a run in which both sides are 0 has no value.
    Quotient(Box<Quantity>, Box<Quantity>),
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Number(number) => write!(f, "{number}"),
            Quantity::Objective(name) => f.write_str(name),
            Quantity::Total => f.write_str("total"),
            Quantity::Calls(name) => write!(f, "calls({name})"),
            Quantity::State(_) => f.write_str("a value of the last state"),
            Quantity::Sum(left, right) => write!(f, "({left:?} + {right:?})"),
            Quantity::Difference(left, right) => write!(f, "({left:?} - {right:?})"),
            Quantity::Product(left, right) => write!(f, "({left:?} * {right:?})"),
            Quantity::Quotient(left, right) => write!(f, "({left:?} / {right:?})"),
        }
    }
}
