//! The intermediate form: what `lower` makes and `codegen` reads. Names are resolved, mistakes are out of the way.
//!
//! Rust stays parsed and unwritten here; `codegen` rewrites a body at the moment it prints it. Properties and values of systems
//! are lowered to tokens already, since nothing else needs their form. Every list is in file order.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};

use crate::body::{Facts, RoutineShape};
use crate::names::CarrierKind;

pub use crate::check::Trigger;
pub use crate::names::MessageRef;

/// A specification.
pub struct Spec {
    /// The file's name without `.mace`, as a Rust module.
    pub name: String,
    /// The path as it was given.
    pub file: String,
    /// XXH3 of the text.
    pub hash: u64,
    /// The documentation of the file.
    pub doc: Option<String>,
    /// Rust items, as written.
    pub items: Vec<syn::Item>,
    /// Messages at file level.
    pub messages: Vec<Message>,
    /// Services.
    pub services: Vec<Service>,
    /// Systems.
    pub systems: Vec<System>,
}

/// A message, an upcall or a downcall: a variant with named fields.
pub struct Message {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its line.
    pub line: u32,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The carrier: index into the sending service's.
    pub slot: usize,
}

/// A field or an argument.
pub struct Field {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its type.
    pub ty: syn::Type,
}

/// A service.
pub struct Service {
    /// Its name.
    pub ident: Ident,
    /// The module that holds it.
    pub module: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its line.
    pub line: u32,
    /// Its bottom interfaces.
    pub carriers: Vec<(String, CarrierKind)>,
    /// Constants.
    pub consts: Vec<Const>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Control states.
    pub states: Vec<State>,
    /// Variables, without the control state.
    pub variables: Vec<Variable>,
    /// Its own messages.
    pub messages: Vec<Message>,
    /// Timers.
    pub timers: Vec<Timer>,
    /// Handlers.
    pub handlers: Vec<Handler>,
    /// Events that are ignored on purpose.
    pub ignores: Vec<Ignore>,
    /// Routines.
    pub routines: Vec<Routine>,
    /// Upcalls of the interfaces that it provides.
    pub upcalls: Vec<Message>,
    /// Downcalls of the interfaces that it provides.
    pub downcalls: Vec<Message>,
    /// Properties.
    pub properties: Vec<Property>,
    /// Objectives.
    pub objectives: Vec<Objective>,
}

impl Service {
    /// The line of `states`, which the control state is listed with.
    pub fn states_line(&self) -> u32 {
        self.states.first().map_or(self.line, |state| state.line)
    }
}

/// A constant.
pub struct Const {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its type.
    pub ty: syn::Type,
    /// Its value.
    pub value: syn::Expr,
}

/// A parameter.
pub struct Parameter {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its type.
    pub ty: syn::Type,
    /// Its default.
    pub default: Option<syn::Expr>,
    /// The type as written.
    pub ty_text: String,
    /// The default as written.
    pub default_text: Option<String>,
}

/// A control state.
pub struct State {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its line.
    pub line: u32,
}

/// A variable.
pub struct Variable {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its type.
    pub ty: syn::Type,
    /// The type as written.
    pub ty_text: String,
    /// Its initial value; none is `Default`.
    pub initial: Option<syn::Expr>,
    /// Whether it survives a crash.
    pub durable: bool,
    /// Whether it exists for properties alone.
    pub ghost: bool,
    /// Its line.
    pub line: u32,
}

/// A timer.
pub struct Timer {
    /// Its name.
    pub ident: Ident,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its arguments.
    pub params: Vec<Field>,
    /// The interval, if it is always on.
    pub every: Option<syn::Expr>,
}

/// A handler.
pub struct Handler {
    /// Its stable name.
    pub name: String,
    /// What makes it run.
    pub trigger: Trigger,
    /// Its head, as written, on one line.
    pub head: String,
    /// Its line.
    pub line: u32,
    /// Its documentation.
    pub doc: Option<String>,
    /// The states in which it applies; `None` for all.
    pub states: Option<BTreeSet<String>>,
    /// Patterns for the event's arguments.
    pub patterns: Vec<syn::Pat>,
    /// The `choose` clauses.
    pub chooses: Vec<Choose>,
    /// The condition.
    pub guard: Option<syn::Expr>,
    /// Whether it applies only where no other handler of its event does.
    pub otherwise: bool,
    /// The `first` group that it belongs to.
    pub first: Option<usize>,
    /// Its place among the handlers of the service.
    pub order: usize,
    /// The body.
    pub body: syn::Block,
    /// What the body does.
    pub facts: Facts,
}

/// `choose x in SET`
pub struct Choose {
    /// The name of the chosen.
    pub ident: Ident,
    /// The set.
    pub set: syn::Expr,
    /// The type of the chosen, where it could be found out.
    pub ty: Option<syn::Type>,
}

/// An event that is ignored on purpose.
pub struct Ignore {
    /// The event.
    pub trigger: Trigger,
    /// The states in which it is; `None` for all.
    pub states: Option<BTreeSet<String>>,
    /// Patterns for the event's arguments.
    pub patterns: Vec<syn::Pat>,
}

/// A routine.
pub struct Routine {
    /// The function, as written.
    pub function: syn::ItemFn,
    /// Its line.
    pub line: u32,
    /// What a call passes on.
    pub shape: RoutineShape,
}

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
    /// What that reads.
    pub reads: Reads,
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

/// An objective.
pub struct Objective {
    /// Its name.
    pub name: String,
    /// Whether more is better.
    pub maximize: bool,
    /// Its factor.
    pub weight: f64,
    /// Its level, from 1.
    pub level: u32,
    /// Its line.
    pub line: u32,
    /// What it adds up.
    pub terms: Vec<Term>,
}

/// A term of an objective.
pub enum Term {
    /// For every message.
    PerMessage {
        /// Units a message.
        amount: f64,
        /// The kinds that count; empty for all.
        kinds: Vec<String>,
    },
    /// For every byte.
    PerByte {
        /// Units a byte.
        amount: f64,
        /// The kinds that count; empty for all.
        kinds: Vec<String>,
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
    /// A value of the state at the horizon.
    AtHorizon {
        /// An expression over `view`.
        value: TokenStream,
    },
}

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
    /// Its groups.
    pub groups: Vec<Group>,
    /// What it says of the network.
    pub links: Vec<Link>,
    /// Where a simulation ends.
    pub horizon: Option<TokenStream>,
    /// Its own properties.
    pub properties: Vec<Property>,
    /// Its own objectives.
    pub objectives: Vec<Objective>,
    /// New weights of objectives.
    pub weights: Vec<(String, f64)>,
    /// Bounds for checking.
    pub bounds: Bounds,
}

/// A group of nodes.
pub struct Group {
    /// Its name.
    pub ident: Ident,
    /// How many nodes; `None` for a single one.
    pub size: Option<TokenStream>,
    /// The service: index into the spec's.
    pub service: usize,
    /// The arguments by parameter.
    pub arguments: BTreeMap<String, TokenStream>,
}

/// What a system says of a carrier.
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
}
