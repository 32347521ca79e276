//! How large a specification is and how often it branches: lines, handlers, branches, choices.
//!
//! The numbers serve to compare two specifications of one protocol, so they are defined to be hard to fool:
//!
//! - **Lines** hold something else than white space and comments. *Protocol lines* leave out systems and scenarios,
//!   which are experiments with a protocol rather than a part of it.
//! - **Handlers** are all entries of `transitions` with a body, queries among them. Routines are not.
//! - **Branches** are counted in the bodies of handlers *and routines*, in the Rust expressions of heads, and in the file's
//!   own Rust functions: one for each `if` (`if let`, and the `if` of a pattern, too), one for each `else` that is no
//!   `else if` (that of `let .. else` too), and one for each arm of a `match` beyond the first. Loops, `?` and a guard's `when` count
//!   nothing.
//! - **Branches with guards**, the second column, add each `&&` and `||` in a `when`, and in the routines that guards call,
//!   directly or not, each once: a condition that moved into a head has not vanished.
//! - **Choices** are events with several handlers that may apply in one state (not within `first`), `choose` in a head, and `choose(..)`
//!   and `choose_or(..)` in bodies.
//! - **Rust modules** of the user's crate that a specification uses are counted in, with those that they use in turn:
//!   logic that moved there has not vanished either.
//! - **Imported specifications** are counted in too, without their systems and scenarios, which no import brings.
//!
//! Nothing here looks at the file system but `modules.rs`, which is handed a function to read with.

mod against;
mod branches;
mod choices;
mod lines;
mod modules;

use serde::Serialize;

use crate::ast::{Ast, Fragment, Guard, Handler, Item, Service};
use crate::overlap::placed;
use crate::source::SourceFile;
use crate::tokens::TokenIndex;
use branches::{Operators, Tally};
use lines::CodeLines;

pub use against::Against;
pub use choices::Choices;
pub use modules::{Module, Modules, modules};

/// The numbers of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// The file's name.
    pub file: String,
    /// Lines of the file, of the specifications that it imports, and of the Rust modules that they use.
    pub lines: usize,
    /// The same without systems and scenarios.
    pub protocol_lines: usize,
    /// Everything in the file, in what it imports and in the Rust modules.
    pub total: Counts,
    /// Each service for itself.
    pub services: Vec<ServiceStats>,
    /// The specifications that were counted in.
    pub imports: Vec<Imported>,
    /// How many systems.
    pub systems: usize,
    /// How many scenarios.
    pub scenarios: usize,
    /// The Rust modules that were counted in.
    pub modules: Vec<Module>,
    /// The Rust modules that could not be found, and so are not counted.
    pub missing_modules: Vec<String>,
}

/// The numbers of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceStats {
    /// Its name.
    pub name: String,
    /// Its lines.
    pub lines: usize,
    /// What is in it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// The numbers of an imported specification, systems and scenarios left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Imported {
    /// The file's name.
    pub file: String,
    /// Its lines.
    pub lines: usize,
    /// What is in it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    /// Handlers.
    pub handlers: usize,
    /// Routines.
    pub routines: usize,
    /// Branches.
    pub branches: usize,
    /// Branches, and `&&` and `||` in guards.
    pub branches_with_guards: usize,
    /// `branches` for each handler, to two digits; 0 without handlers.
    pub branches_per_handler: f64,
    /// `branches_with_guards` for each handler, to two digits.
    pub branches_with_guards_per_handler: f64,
    /// Choices.
    pub choices: Choices,
}

/// Counts a file. `modules` are the Rust modules that it uses, from [`modules`].
pub fn stats(file: &SourceFile, ast: &Ast, tokens: &TokenIndex, modules: Modules) -> Stats {
    let code = CodeLines::of(&file.text);
    let counter = Counter { tokens };
    let services: Vec<ServiceStats> =
        ast.services().map(|service| counter.service(service, code.within(file, service.span))).collect();
    let mut total = services.iter().fold(Counts::default(), |sum, service| sum.plus(&service.counts));
    let loose = ast.rust_items().map(|item| counter.tally(&item.fragment, branches::item).branches);
    total.add_branches(
        loose.sum::<usize>() + modules.found.iter().map(|module| module.branches).sum::<usize>(),
    );
    let imported: usize = modules.found.iter().map(|module| module.lines).sum();
    let experiments = ast.items.iter().filter(|item| matches!(item, Item::System(_) | Item::Scenario(_)));
    let outside: usize = experiments.map(|item| code.within(file, item.span())).sum();
    Stats {
        file: file.name.clone(),
        lines: code.all() + imported,
        protocol_lines: code.all() + imported - outside,
        total: total.with_ratios(),
        services,
        imports: vec![],
        systems: ast.systems().count(),
        scenarios: ast.scenarios().count(),
        modules: modules.found,
        missing_modules: modules.missing,
    }
}

impl Stats {
    /// Counts an imported specification in.
    pub fn import(&mut self, imported: Stats) {
        self.lines += imported.protocol_lines;
        self.protocol_lines += imported.protocol_lines;
        self.total = self.total.plus(&imported.total).with_ratios();
        let Stats { file, protocol_lines: lines, total: counts, .. } = imported;
        self.imports.push(Imported { file, lines, counts });
    }
}

impl Counts {
    fn plus(self, other: &Counts) -> Counts {
        Counts {
            handlers: self.handlers + other.handlers,
            routines: self.routines + other.routines,
            branches: self.branches + other.branches,
            branches_with_guards: self.branches_with_guards + other.branches_with_guards,
            choices: self.choices.plus(&other.choices),
            ..self
        }
    }

    fn add_branches(&mut self, branches: usize) {
        self.branches += branches;
        self.branches_with_guards += branches;
    }

    fn with_ratios(mut self) -> Counts {
        let ratio = |branches: usize| match self.handlers {
            0 => 0.0,
            handlers => (branches as f64 / handlers as f64 * 100.0).round() / 100.0,
        };
        self.branches_per_handler = ratio(self.branches);
        self.branches_with_guards_per_handler = ratio(self.branches_with_guards);
        self
    }
}

struct Counter<'a> {
    tokens: &'a TokenIndex,
}

impl Counter<'_> {
    fn service(&self, service: &Service, lines: usize) -> ServiceStats {
        let (placed, _) = placed(service);
        let handlers: Vec<&Handler> = placed.iter().map(|placed| placed.handler).collect();
        let mut branches = 0;
        let mut operators = Operators::default();
        for handler in &handlers {
            branches += self.tally(&handler.body, branches::block).branches;
            let sets =
                handler.chooses.iter().map(|choose| self.tally(&choose.set, branches::expression).branches);
            branches += sets.sum::<usize>();
            if let Some(Guard::When(guard)) = &handler.guard {
                let tally = self.tally(guard, branches::expression);
                branches += tally.branches;
                operators.guard(tally);
            }
        }
        for routine in service.routines() {
            let tally = self.tally(&routine.fragment, branches::item);
            branches += tally.branches;
            operators.routine(&routine.name.name, tally);
        }
        let counts = Counts {
            handlers: handlers.len(),
            routines: service.routines().count(),
            branches,
            branches_with_guards: branches + operators.reached(),
            choices: choices::choices(
                service,
                |body| self.tally(body, branches::block),
                |every| self.tally(every, branches::expression),
            ),
            ..Counts::default()
        };
        ServiceStats { name: service.name.name.clone(), lines, counts: counts.with_ratios() }
    }

    fn tally(&self, fragment: &Fragment, read: fn(proc_macro2::TokenStream) -> Tally) -> Tally {
        read(self.tokens.slice(fragment.span))
    }
}

#[cfg(test)]
mod tests;
