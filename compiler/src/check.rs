//! Whether a tree means something: names, values, heads and bodies. Every mistake is reported, none stops the rest.
//!
//! `declare.rs` collects names, `values.rs` looks at types, `heads.rs` at the heads of handlers, `bodies.rs` at Rust,
//! `remark.rs` at what a service says about itself, `systems.rs` at what is put together. Properties are checked while they
//! are lowered. No check looks at tokens: what stands in a body it learns from [`crate::body::Facts`].

mod arguments;
mod bodies;
mod declare;
mod heads;
mod interfaces;
mod queries;
mod remark;
mod stacks;
mod survey;
mod systems;
mod values;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{self, Ast};
use crate::body::{Facts, Places, RoutineShape, Rust, Survey};
use crate::diag::{Diagnostic, Diagnostics};
use crate::link::Linked;
use crate::names::{Names, Place, Qualified, Unresolved};
use crate::source::Span;

pub use arguments::Cast;
pub use heads::{Head, Heads, IgnoreHead, Trigger};

/// A tree that was looked at, with everything that was learnt.
pub struct Checked<'a> {
    /// The tree.
    pub ast: &'a Ast,
    /// The file and its tokens.
    pub places: Places<'a>,
    /// The parsed Rust.
    pub rust: Rust,
    /// The declared names.
    pub names: Names,
    /// What the bodies of each service do.
    pub services: Vec<ServiceFacts<'a>>,
    /// Services that properties take for what fills a layer, noted while they are lowered.
    pub assumed: RefCell<BTreeSet<Assumed>>,
    /// Routines that properties call, noted while they are lowered: service and name.
    pub called: RefCell<BTreeSet<(usize, String)>>,
    /// Places in properties that go by the order of ids, noted while they are lowered.
    pub ordered: RefCell<BTreeSet<Span>>,
}

/// A service that a property of another takes for what is below that, since its default says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assumed {
    /// The service that uses the layer.
    pub service: usize,
    /// The slot of the layer.
    pub slot: usize,
    /// The service that is taken for what fills it.
    pub bound: usize,
    /// Where.
    pub span: Span,
}

/// What the bodies of a service do.
#[derive(Default)]
pub struct ServiceFacts<'a> {
    /// The handlers and ignores in file order, groups opened.
    pub heads: Heads<'a>,
    /// What the handlers do, in the same order.
    pub handlers: Vec<Facts>,
    /// What the analyses know of the handlers, guards included, in the same order.
    pub surveys: Vec<Survey>,
    /// What the analyses know of the routines, by name.
    pub surveyed: BTreeMap<String, Survey>,
    /// What the analyses know of constants, defaults, initial values and intervals, by the name of what has them.
    pub valued: BTreeMap<String, Survey>,
    /// What the routines do, by name.
    pub routines: BTreeMap<String, Facts>,
    /// What initial values and the sets of generic nodes do.
    pub initials: Vec<Facts>,
    /// What the intervals of timers that are always on do, by the timer's name.
    pub intervals: BTreeMap<String, Facts>,
    /// How the routines are called, by name.
    pub shapes: BTreeMap<String, RoutineShape>,
}

impl Checked<'_> {
    /// What a system calls the properties of the services that take part in it.
    pub fn properties_of(&self, system: &ast::System) -> Qualified {
        self.qualified(system, |it| it.properties().map(|it| it.name.name.as_str()).collect())
    }

    /// What a system calls the objectives of the services that take part in it.
    pub fn objectives_of(&self, system: &ast::System) -> Qualified {
        self.qualified(system, |it| it.objectives().map(|it| it.name.name.as_str()).collect())
    }

    fn qualified<'s>(&'s self, system: &ast::System, of: fn(&'s ast::Service) -> Vec<&'s str>) -> Qualified {
        let places: Vec<Place> = system.nodes().flat_map(|it| self.names.places(&it.stack)).collect();
        Qualified::new(&self.names, &places, |it| self.ast.services().nth(it).map(of).unwrap_or_default())
    }
}

/// Checks a tree.
pub fn check<'a>(linked: &'a Linked, places: Places<'a>, diagnostics: &mut Diagnostics) -> Checked<'a> {
    let ast = &linked.ast;
    let rust = Rust::read(ast, &linked.files, places, diagnostics);
    crate::analyse::check_allowances(ast, diagnostics);
    let names = declare::declare(ast, &linked.files, &rust, places, diagnostics);
    values::check(ast, &rust, &names, places, diagnostics);
    let mut checked = Checked {
        ast,
        places,
        rust,
        names,
        services: Vec::new(),
        called: RefCell::default(),
        ordered: RefCell::default(),
        assumed: RefCell::default(),
    };
    for (index, service) in ast.services().enumerate() {
        let heads = heads::read(&checked, index, service, diagnostics);
        queries::check(&checked, index, service, &heads, diagnostics);
        let facts = bodies::check(&checked, index, service, heads, diagnostics);
        checked.services.push(facts);
        remark::check(&checked, index, service, diagnostics);
    }
    systems::check(&checked, diagnostics);
    checked
}

/// Without errors about names that a part of the file may declare which could not be parsed.
pub fn plausible(ast: &Ast, source: &crate::source::SourceFile, found: Diagnostics) -> Diagnostics {
    const ABOUT_NAMES: [&str; 12] = [
        "E0202", "E0203", "E0204", "E0205", "E0206", "E0208", "E0209", "E0302", "E0403", "E0501", "E0502",
        "E0507",
    ];
    let mut kept = Diagnostics::new();
    for one in found {
        let hollow = !ast.broken.is_empty()
            && ABOUT_NAMES.contains(&one.code)
            && ast.may_declare(source.slice(one.span));
        if !hollow {
            kept.push(one);
        }
    }
    kept
}

/// An error about the name of an objective, none of `known` or several of them.
pub(crate) fn unresolved<'n>(
    name: &ast::Dotted,
    known: impl IntoIterator<Item = &'n str>,
    why: Unresolved,
) -> Diagnostic {
    let last = name.split_last().0;
    match why {
        Unresolved::Unknown => {
            let written = match name.as_ident() {
                Some(ident) => ident.name.clone(),
                None => format!("{}.{}", name.layers(), last.name),
            };
            unknown("E0511", name.span, "objective", &written, known)
        }
        Unresolved::Ambiguous(all) => {
            let list: Vec<String> = all.iter().map(|it| format!("`{it}`")).collect();
            let message = format!("several services of this system have an objective `{}`", last.name);
            Diagnostic::error("E0516", name.span, message)
                .with_label("it is not known which one is meant")
                .with_help(format!("write one of {}", list.join(", ")))
        }
    }
}

/// An error about a name that stands for nothing, with the one that was probably meant.
pub(crate) fn unknown<'n>(
    code: &'static str,
    span: Span,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    let found = Diagnostic::error(code, span, format!("there is no {what} `{name}`"));
    match crate::names::closest(name, known.iter().copied()) {
        Some(meant) => found.with_help(format!("did you mean `{meant}`?")),
        None if known.is_empty() => {
            let what = what.trim_end_matches(" named");
            found.with_help(format!("no {what} is declared where this could mean one"))
        }
        None if known.len() <= 8 => found.with_help(format!("there is: {}", known.join(", "))),
        None => found.with_help(format!("the first few are: {}", known[..8].join(", "))),
    }
}

/// What is said where something is called with the wrong number of arguments.
pub(crate) fn arity(name: &str, given: usize, expected: usize) -> String {
    let arguments = |n: usize| format!("{n} argument{}", if n == 1 { "" } else { "s" });
    let are = if given == 1 { "is" } else { "are" };
    format!("`{name}` takes {}, and {given} {are} given", arguments(expected))
}
