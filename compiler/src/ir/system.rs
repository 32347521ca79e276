//! The intermediate form of systems: what runs, over which network, under which faults and calls, within which bounds.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::names::{Place, Qualified};

pub use crate::ast::FaultKind;

use super::{Liveness, Objective, Parameter, Placed, Property, Scale, Statistical};

/// A system.
pub struct System {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its line.
    pub line: u32,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Where its properties depend on the order of ids; empty until the analyses have looked.
    pub ordered: Vec<super::Ordered>,
    /// Its groups.
    pub groups: Vec<Group>,
    /// The services of all groups with those below them.
    pub places: Vec<Place>,
    /// What it calls the properties of these services.
    pub claims: Qualified,
    /// What it calls their objectives.
    pub weighed: Qualified,
    /// What it says of the network.
    pub links: Vec<Link>,
    /// Nodes that its claims name by a number: the group, which must have that many nodes, and the number.
    pub named: Vec<(Ident, u64)>,
    /// Where a simulation ends.
    pub horizon: Option<TokenStream>,
    /// Its own properties.
    pub properties: Vec<Property>,
    /// Its own liveness properties.
    pub liveness: Vec<Liveness>,
    /// Its statistical properties.
    pub statistics: Vec<Statistical>,
    /// Its own objectives.
    pub objectives: Vec<Objective>,
    /// Objectives that it weighs, its own among them.
    pub scales: Vec<(String, Scale)>,
    /// What may go wrong.
    pub faults: Vec<Fault>,
    /// What the application calls.
    pub workload: Vec<Work>,
    /// Bounds for checking.
    pub bounds: Bounds,
}

/// A line of `faults`.
pub struct Fault {
    /// As written.
    pub text: String,
    /// Its line.
    pub line: u32,
    /// What happens.
    pub kind: FaultKind,
    /// Whom it may happen to.
    pub target: FaultTarget,
    /// How often at most.
    pub most: Option<TokenStream>,
    /// When.
    pub timing: Timing,
    /// Happens at all only with this probability.
    pub chance: Option<TokenStream>,
    /// How long until it is over: two durations.
    pub back: Option<(TokenStream, TokenStream)>,
}

/// Whom a fault may happen to.
pub enum FaultTarget {
    /// Any one of these, an expression of the code that builds the system.
    OneOf(TokenStream),
    /// All of these, an expression over `view`.
    AllOf(TokenStream),
}

/// A line of `workload`.
pub struct Work {
    /// The call as written.
    pub text: String,
    /// Its line.
    pub line: u32,
    /// How often at most; `None` for any number.
    pub most: Option<TokenStream>,
    /// When.
    pub timing: Timing,
    /// Whether the budget starts anew when the node has come back.
    pub after_restart: bool,
    /// For whom: a call of its own for each.
    pub each: Loops,
    /// What nature draws, in order: a name, and a distribution.
    pub draws: Vec<(Ident, TokenStream)>,
    /// Who is called: a node.
    pub node: TokenStream,
    /// The path to the module of the interface.
    pub module: TokenStream,
    /// The variant of its `Downcall`.
    pub variant: Ident,
    /// Its fields but for the reply.
    pub fields: Vec<(Ident, TokenStream)>,
    /// Whether it is a request, and has a reply.
    pub request: bool,
}

/// Loops, the outermost first.
#[derive(Default)]
pub struct Loops {
    /// Each with a pattern, what it ranges over, and statements that copy what it binds by reference.
    pub heads: Vec<(TokenStream, TokenStream, Vec<TokenStream>)>,
    /// A condition on what is bound.
    pub filter: Option<TokenStream>,
}

impl Loops {
    /// The loops around `inner`.
    pub fn around(&self, inner: TokenStream) -> TokenStream {
        let inner = match &self.filter {
            Some(filter) => quote!(if #filter { #inner }),
            None => inner,
        };
        self.heads.iter().rev().fold(
            inner,
            |inner, (pattern, domain, copies)| quote!(for #pattern in #domain { #(#copies)* #inner }),
        )
    }
}

/// When something happens.
#[derive(Default)]
pub struct Timing {
    /// So many a second.
    pub rate: Option<TokenStream>,
    /// Between two durations.
    pub within: Option<(TokenStream, TokenStream)>,
}

/// A bound on faults of a kind.
pub struct FaultBudget {
    /// The kind.
    pub kind: FaultKind,
    /// The nodes, an expression of the code that builds the system.
    pub nodes: TokenStream,
    /// How many at most.
    pub most: TokenStream,
}

/// A group of nodes.
pub struct Group {
    /// Its name.
    pub ident: Ident,
    /// How many nodes; `None` for a single one.
    pub size: Option<TokenStream>,
    /// Whether nothing is known of its nodes but what they may send.
    pub generic: bool,
    /// What runs there.
    pub stack: Placed,
}

/// What a system says of a carrier.
#[derive(Default)]
pub struct Link {
    /// The carrier's name.
    pub carrier: String,
    /// How long a message is under way.
    pub delay: Option<TokenStream>,
    /// The probability of loss.
    pub loss: Option<TokenStream>,
    /// Whether it doubles messages, and with which probability.
    pub duplicates: Option<Option<TokenStream>>,
    /// Whether messages overtake each other.
    pub reorders: bool,
    /// The probability that one does.
    pub overtakes: Option<TokenStream>,
    /// Bytes a second.
    pub bandwidth: Option<TokenStream>,
}

/// Bounds for checking.
#[derive(Default)]
pub struct Bounds {
    /// In steps.
    pub depth: Option<TokenStream>,
    /// In flight.
    pub messages: Option<TokenStream>,
    /// Predicates over `view`.
    pub within: Vec<TokenStream>,
    /// How many may be lost.
    pub drops: Option<TokenStream>,
    /// How many may be doubled.
    pub duplicates: Option<TokenStream>,
    /// How many calls may be made.
    pub calls: Option<TokenStream>,
    /// How many faults may happen.
    pub faults: Vec<FaultBudget>,
    /// `timed`
    pub timed: bool,
    /// `retain_ignored`
    pub retain_ignored: bool,
}
