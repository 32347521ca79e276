//! The intermediate form of what is claimed and weighed: properties of states and runs, and objectives.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};

/// What a property or objective reads: variables by the index of their service, the control state as `state`.
pub type Reads = BTreeMap<usize, BTreeSet<String>>;

/// A property.
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// What it claims.
    pub kind: PropertyKind,
    /// Its line.
    pub line: u32,
    /// An expression over `view` that says whether it holds.
    pub holds: TokenStream,
    /// An expression over `view` that says why it does not hold, where it does not.
    pub why: TokenStream,
    /// What that reads.
    pub reads: Reads,
    /// Whether it asks which nodes are up.
    pub reads_up: bool,
    /// Whether it is claimed of each node by itself, and a node that runs can decide it from what it keeps.
    pub alone: bool,
    /// Whether it reads ghosts.
    pub ghosts: bool,
}

/// What a property claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// Holds in every state.
    Safety,
    /// Holds at every node of the service, in every state.
    Local,
    /// Some state satisfies it.
    Reachable,
}

/// A predicate on states, about the nodes of an instance.
pub struct Predicate {
    /// The names of those nodes.
    pub nodes: Vec<Ident>,
    /// An expression over `view` and those names.
    pub holds: TokenStream,
    /// What that reads.
    pub reads: Reads,
    /// Whether it asks which nodes are up.
    pub reads_up: bool,
}

/// A liveness property.
pub struct Liveness {
    /// Its name.
    pub name: String,
    /// Its line.
    pub line: u32,
    /// An expression over `view`: the lists of nodes for which it is claimed.
    pub instances: TokenStream,
    /// What is claimed of each.
    pub claim: Temporal,
}

/// What a liveness property claims.
pub enum Temporal {
    /// `eventually P`
    Eventually(Predicate),
    /// `always eventually P`
    AlwaysEventually(Predicate),
    /// `eventually always P`
    EventuallyAlways(Predicate),
    /// `P leads to Q`
    LeadsTo(Predicate, Predicate),
}

/// A statistical property.
pub struct Statistical {
    /// Its name.
    pub name: String,
    /// Its line.
    pub line: u32,
    /// The claim as written, on one line.
    pub text: String,
    /// What is estimated.
    pub figure: Figure,
    /// What is claimed of it.
    pub claim: Claim,
}

/// What a statistical property estimates.
pub enum Figure {
    /// `probability(P within T given G)`
    Probability {
        /// What comes true.
        event: Predicate,
        /// By when.
        within: Option<TokenStream>,
        /// Among which runs.
        given: Option<Predicate>,
    },
    /// `expected(E)`
    Expected(Quantity),
}

/// What is claimed of a figure.
pub enum Claim {
    /// `>= 0.9`
    AtLeast(TokenStream),
    /// `> 0.9`
    Above(TokenStream),
    /// `<= 0.9`
    AtMost(TokenStream),
    /// `< 0.9`
    Below(TokenStream),
    /// `finite`
    Finite,
}

/// A value of a run.
pub enum Quantity {
    /// A number, as an expression of the code that builds the system.
    Number(TokenStream),
    /// What an objective came to.
    Objective(String),
    /// The weighted sum of the first level.
    Total,
    /// How often a downcall was made by the application.
    Calls(String),
    /// An expression over `view`, of the last state.
    State(TokenStream),
    /// Two values put together, by the name of the kernel's variant.
    Both(&'static str, Box<Quantity>, Box<Quantity>),
}

/// An objective.
pub struct Objective {
    /// Its name.
    pub name: String,
    /// Whether more is better.
    pub maximize: bool,
    /// How it is weighed: constant expressions.
    pub scale: Scale,
    /// Its line.
    pub line: u32,
    /// What it adds up.
    pub terms: Vec<Term>,
}

/// How an objective is weighed: values of its fields, where they are given.
#[derive(Default)]
pub struct Scale {
    /// Its factor, an `f64`.
    pub weight: Option<TokenStream>,
    /// Its level, a `u32`.
    pub level: Option<TokenStream>,
    /// The worth of a second from now, an `f64`.
    pub discount: Option<TokenStream>,
    /// Where it ends, a `Duration`.
    pub horizon: Option<TokenStream>,
}

/// An amount.
pub enum Amount {
    /// A number.
    Number(f64),
    /// An expression over `view` and `me`.
    AtNode(TokenStream),
}

/// How a rate grows.
pub enum Growth {
    /// To the power: an expression over `view`.
    Power(TokenStream),
    /// By the factor: an expression over `view`.
    Factor(TokenStream),
}

/// A term of an objective.
pub enum Term {
    /// For every message.
    PerMessage {
        /// Units a message.
        amount: Amount,
        /// The kinds that count; empty for all.
        kinds: Vec<String>,
    },
    /// For every byte.
    PerByte {
        /// Units a byte.
        amount: Amount,
        /// The kinds that count; empty for all.
        kinds: Vec<String>,
    },
    /// For every call.
    PerCall {
        /// Units a call.
        amount: Amount,
        /// Whether the call goes up.
        up: bool,
        /// The calls that count: the service that provides them, and their names.
        calls: Vec<(usize, String)>,
    },
    /// For every run of a handler.
    PerHandler {
        /// Units a run.
        amount: Amount,
        /// The handlers that count: the service, and their names.
        handlers: Vec<(usize, String)>,
    },
    /// A rate.
    PerSecond {
        /// An expression over `view`: the nodes.
        over: TokenStream,
        /// An expression over `view` and `node`: units a second.
        rate: TokenStream,
        /// Whether the rate reads nothing but its own node.
        local: bool,
    },
    /// Rates that grow.
    Growing {
        /// An expression over `view`: the nodes.
        over: TokenStream,
        /// An expression over `view` and `node`: pairs of a key and units a second.
        rates: TokenStream,
        /// How they grow.
        growth: Growth,
        /// Whether the rates read nothing but their own node.
        local: bool,
    },
    /// A value of the state at the horizon.
    AtHorizon {
        /// An expression over `view`.
        value: TokenStream,
    },
}
