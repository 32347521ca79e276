//! The intermediate form: what `lower` makes and `codegen` reads. Names are resolved, mistakes are out of the way.
//!
//! Rust stays parsed and unwritten here; `codegen` rewrites a body at the moment it prints it. Properties and values of systems
//! are lowered to tokens already, since nothing else needs their form. Every list is in file order.

mod claim;
mod system;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};

use crate::analyse::Analysed;
use crate::body::{Facts, RoutineShape};
use crate::names::{CallKind, CarrierKind};

pub use claim::*;
pub use system::*;
pub use tables::*;

pub use crate::check::Trigger;
pub use crate::names::{CallRef, MessageRef};

/// A specification.
pub struct Spec {
    /// The file's name without `.mace`, as a Rust module.
    pub name: String,
    /// The files that it is put together from; the first is the one that imports the others.
    pub files: Vec<File>,
    /// XXH3 of the text of all files.
    pub hash: u64,
    /// The documentation of the file.
    pub doc: Option<String>,
    /// Rust items, as written, each with its file.
    pub items: Vec<(usize, syn::Item)>,
    /// Messages at file level, each with its file.
    pub messages: Vec<(usize, Message)>,
    /// Interfaces, those of the first file first.
    pub interfaces: Vec<Interface>,
    /// Services, those of the first file first.
    pub services: Vec<Service>,
    /// Systems.
    pub systems: Vec<System>,
    /// Scenarios.
    pub scenarios: Vec<Scenario>,
}

impl Spec {
    /// Takes in what the analyses found out.
    pub fn learn(&mut self, analysed: Analysed) {
        for (service, tables) in self.services.iter_mut().zip(analysed.services) {
            service.tables = tables;
        }
        for system in &mut self.systems {
            let found = analysed.systems.get(&system.ident.to_string());
            system.ordered = found.cloned().unwrap_or_default();
        }
    }
}

/// A file.
pub struct File {
    /// The name of its module.
    pub module: String,
    /// The path as it was given, or from there.
    pub path: String,
    /// What its module takes from those of other files.
    pub reexports: Vec<Reexport>,
}

/// What a module takes from that of another file.
pub struct Reexport {
    /// The other file.
    pub file: usize,
    /// The name there; `None` for the module as a whole.
    pub name: Option<String>,
    /// The name here.
    pub local: String,
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

/// An interface: a module with the types of its calls.
pub struct Interface {
    /// Its name.
    pub ident: Ident,
    /// The module.
    pub module: Ident,
    /// The file that declares it.
    pub file: usize,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its line.
    pub line: u32,
    /// Its calls in file order.
    pub calls: Vec<Call>,
}

/// A call of an interface: a variant of `Downcall` or `Upcall`, or a query's struct.
pub struct Call {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: CallKind,
    /// The variant or struct. A request's last field is its reply.
    pub message: Message,
    /// The type of a query's answer, or of what a request is answered with.
    pub answer: Option<syn::Type>,
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
    /// The path to that from the module of the first file.
    pub path: TokenStream,
    /// The file that declares it.
    pub file: usize,
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
    /// Handlers of queries.
    pub queries: Vec<QueryHandler>,
    /// The interfaces that it provides.
    pub provides: Vec<Provided>,
    /// The lower layers that it uses, by slot.
    pub layers: Vec<Layer>,
    /// Routines.
    pub routines: Vec<Routine>,
    /// Properties.
    pub properties: Vec<Property>,
    /// Liveness properties.
    pub liveness: Vec<Liveness>,
    /// Objectives.
    pub objectives: Vec<Objective>,
    /// The choices that are fair.
    pub fair: Fair,
    /// What a generic node of it may send.
    pub sendable: Vec<Sendable>,
    /// What the analyses know of it; empty until they have looked.
    pub tables: Tables,
}

/// A message that a generic node may send.
pub struct Sendable {
    /// The message.
    pub message: MessageRef,
    /// The slot of its carrier.
    pub slot: usize,
    /// Its fields, each with the set of what it may be.
    pub fields: Vec<(Ident, syn::Expr)>,
}

/// The choices of a service that are declared fair.
pub enum Fair {
    /// Every one.
    All,
    /// Those of these names.
    Sites(BTreeSet<String>),
}

impl Service {
    /// Whether the choice at the site of that name is declared fair.
    pub fn is_fair(&self, site: &str) -> bool {
        match &self.fair {
            Fair::All => true,
            Fair::Sites(sites) => sites.contains(site),
        }
    }

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
    /// Whether models of neighbours may know it.
    pub export: bool,
    /// Whether it never leaves the node.
    pub secret: bool,
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
    /// The types that payloads among the arguments are taken for, by their place.
    pub casts: Vec<Option<syn::Type>>,
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

/// The handler of a query.
pub struct QueryHandler {
    /// Its name.
    pub name: String,
    /// The query.
    pub call: CallRef,
    /// Its head, as written, on one line.
    pub head: String,
    /// Its line.
    pub line: u32,
    /// Its documentation.
    pub doc: Option<String>,
    /// Patterns for the query's arguments.
    pub patterns: Vec<syn::Pat>,
    /// The body: the answer.
    pub body: syn::Block,
}

/// An interface that a service provides.
pub struct Provided {
    /// Index into the spec's.
    pub interface: usize,
    /// The slot of the lower layer that it is passed through to.
    pub by: Option<usize>,
}

/// A lower layer.
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its interface: index into the spec's.
    pub interface: usize,
    /// What is there where a system says nothing else.
    pub default: Option<Placed>,
}

/// A service put into a stack.
pub struct Placed {
    /// The service: index into the spec's.
    pub service: usize,
    /// The arguments by parameter.
    pub arguments: BTreeMap<String, TokenStream>,
    /// What fills the slots that do not keep their default, by slot.
    pub lower: BTreeMap<usize, Placed>,
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
    /// The types that payloads among the arguments are taken for, by their place.
    pub casts: Vec<Option<syn::Type>>,
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

/// A golden script.
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// The system that it runs in.
    pub system: String,
    /// Its line.
    pub line: u32,
    /// Its commands.
    pub lines: Vec<ScenarioLine>,
}

/// A command of a scenario.
pub struct ScenarioLine {
    /// As written, on one line.
    pub text: String,
    /// Its line.
    pub line: u32,
    /// A `kernel::script::Command`.
    pub command: TokenStream,
}
