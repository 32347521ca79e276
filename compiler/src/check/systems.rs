//! Systems: services and arguments, carriers, bounds, doubled names. Expressions are checked when they are lowered.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit_mut::VisitMut;

use crate::ast::{self, BoundValue, Ident, LinkClauseKind};
use crate::body::{Mode, Walker};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::ServiceNames;
use crate::source::Span;

use super::{Checked, stacks, unknown, unresolved};

pub(super) fn check(checked: &Checked<'_>, diagnostics: &mut Diagnostics) {
    let sound = stacks::defaults(checked, diagnostics);
    for system in checked.ast.systems() {
        let mut systems = Systems { checked, diagnostics };
        systems.defaults(system);
        systems.nodes(system, &sound);
        systems.network(system);
        systems.bounds(system);
        systems.properties(system);
        systems.objectives(system);
        let mut horizons = system.horizons();
        if let (Some(first), Some(second)) = (horizons.next(), horizons.next()) {
            let found = Diagnostic::error("E0201", second.span, "there are two horizons");
            systems.diagnostics.push(found.with_secondary(first.span, "the first one"));
        }
    }
    let mut systems = Systems { checked, diagnostics };
    systems.services();
}

struct Systems<'c, 'a, 'd> {
    checked: &'c Checked<'a>,
    diagnostics: &'d mut Diagnostics,
}

impl Systems<'_, '_, '_> {
    fn fresh<'n>(&mut self, seen: &mut BTreeMap<&'n str, Span>, ident: &'n Ident, what: &str) {
        if let Some(earlier) = seen.insert(&ident.name, ident.span) {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0201",
                    ident.span,
                    format!("there are two {what} named `{}`", ident.name),
                )
                .with_label("declared again here")
                .with_secondary(earlier, "first declared here")
                .with_help("give one of them another name"),
            );
        }
    }

    /// Defaults of parameters: constants of the file alone.
    fn defaults(&mut self, system: &ast::System) {
        let service = ServiceNames { file: self.checked.names.files.home, ..ServiceNames::default() };
        let routines = BTreeMap::new();
        for default in system.parameters().filter_map(|it| it.default.as_ref()) {
            let Some(mut expr) = self.checked.rust.expr(default).cloned() else { continue };
            let (names, places) = (&self.checked.names, self.checked.places);
            let mut walker = Walker::new(names, &service, places, Mode::Constant, &routines);
            walker.visit_expr_mut(&mut expr);
            let of_system = |span: Span| {
                let text = self.checked.places.file.slice(span);
                system.parameters().map(|it| &it.name).find(|it| it.name == text)
            };
            let found = walker.diagnostics.into_iter().map(|found| match of_system(found.span) {
                Some(other) if found.code == "E0205" => {
                    let message = format!("the parameter `{}` is not known here", other.name);
                    Diagnostic::error("E0413", found.span, message)
                        .with_label("defaults can only name constants")
                        .with_secondary(other.span, "declared here")
                        .with_help("compute it where it is needed")
                }
                _ => found,
            });
            let found: Vec<Diagnostic> = found.collect();
            self.diagnostics.extend(found);
        }
    }

    fn reserved(&mut self, ident: &Ident, what: &str) {
        let name = ident.name.as_str();
        if matches!(name, "me" | "nodes" | "any" | "view") || name.starts_with("this_") {
            self.diagnostics.push(
                Diagnostic::error("E0207", ident.span, format!("`{name}` cannot be the name of a {what}"))
                    .with_label("this word has a meaning of its own")
                    .with_help("choose another name"),
            );
        }
    }

    fn nodes(&mut self, system: &ast::System, sound: &BTreeSet<usize>) {
        let mut seen = BTreeMap::new();
        for parameter in system.parameters() {
            self.fresh(&mut seen, &parameter.name, "parameters");
            self.reserved(&parameter.name, "parameter");
        }
        let mut groups = 0;
        for group in system.nodes() {
            groups += 1;
            self.fresh(&mut seen, &group.name, "groups or parameters");
            self.reserved(&group.name, "group");
            stacks::check(self.checked, &group.stack, sound, self.diagnostics);
            self.generic(group);
        }
        let broken = |it: &ast::Fragment| system.span.contains(it.span);
        if groups == 0 && !self.checked.ast.broken.iter().any(broken) {
            let message = format!("the system `{}` has no nodes", system.name.name);
            let found = Diagnostic::error("E0515", system.name.span, message);
            self.diagnostics.push(found.with_help("say what runs: `nodes { n[3]: SERVICE; }`"));
        }
    }

    /// Of generic nodes some service in their stack says what they may send.
    fn generic(&mut self, group: &ast::NodeGroup) {
        let Some(word) = group.generic else { return };
        let places = self.checked.names.places(&group.stack);
        let services: Vec<&ast::Service> =
            places.iter().filter_map(|it| self.checked.ast.services().nth(it.service)).collect();
        if let Some(top) = services.first()
            && services.iter().all(|it| it.generic().next().is_none())
        {
            let text = format!("`{}` does not say what a generic node of it may send", top.name.name);
            self.diagnostics.push(
                Diagnostic::error("E0517", word, text)
                    .with_secondary(top.name.span, "this service")
                    .with_help("say it there: `generic { MESSAGE { field in SET } }`"),
            );
        }
    }

    fn network(&mut self, system: &ast::System) {
        let names = &self.checked.names;
        let places: Vec<_> = system.nodes().flat_map(|it| names.places(&it.stack)).collect();
        let carriers: Vec<_> = places.iter().flat_map(|it| &names.services[it.service].carriers).collect();
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for link in system.network() {
            let (name, layers) = link.carrier.split_last();
            let path: Vec<&str> = layers.iter().map(|it| it.name.as_str()).collect();
            let path = path.join(".");
            let within = |it: &&crate::names::Place| layers.is_empty() || it.path == path;
            let mut there = places.iter().filter(within).flat_map(|it| &names.services[it.service].carriers);
            if !layers.is_empty() && !there.any(|it| it.name == name.name) {
                let message = format!("no layer `{path}` of this system uses a carrier `{}`", name.name);
                let found = Diagnostic::error("E0508", link.carrier.span, message);
                self.diagnostics
                    .push(found.with_help("write the name of the carrier alone: layers share it"));
                continue;
            }
            if let Some(earlier) = seen.insert(&name.name, name.span) {
                let message = format!("the carrier `{}` is described twice", name.name);
                self.diagnostics.push(
                    Diagnostic::error("E0201", name.span, message)
                        .with_label("described again here")
                        .with_secondary(earlier, "first described here")
                        .with_help("write one line for it: the layers of a node share a carrier of one name"),
                );
            }
            let kinds: Vec<_> = carriers.iter().filter(|it| it.name == name.name).map(|it| it.kind).collect();
            if kinds.is_empty() {
                let known =
                    carriers.iter().map(|it| it.name.as_str()).collect::<std::collections::BTreeSet<_>>();
                let found = unknown("E0508", name.span, "carrier", &name.name, known);
                self.diagnostics.push(found.with_label("no service of this system uses it"));
                continue;
            }
            let ordered = kinds.iter().all(|it| *it != crate::names::CarrierKind::Datagram);
            for clause in &link.clauses {
                let word = match clause.kind {
                    LinkClauseKind::Loss(_) => "lose",
                    LinkClauseKind::Duplicates(_) => "double",
                    LinkClauseKind::Reorders(_) => "reorder",
                    _ => continue,
                };
                if ordered {
                    let message =
                        format!("`{}` is an ordered connection: it does not {word} messages", name.name);
                    self.diagnostics.push(
                        Diagnostic::error("E0510", clause.span, message)
                            .with_help(format!("leave it out, or declare `uses {}: Datagram;`", name.name)),
                    );
                }
            }
        }
    }

    fn bounds(&mut self, system: &ast::System) {
        const KEYS: [&str; 12] = [
            "depth",
            "messages",
            "within",
            "drop",
            "duplicate",
            "call",
            "crash",
            "reset",
            "partition",
            "cut",
            "timed",
            "retain_ignored",
        ];
        let mut seen = BTreeMap::new();
        for bound in system.check() {
            let key = bound.key.name.as_str();
            // Each `within` cuts for itself, and each fault has nodes of its own.
            if bound.target.is_none() && key != "within" {
                self.once(&mut seen, key, bound.key.span, "the bound");
            }
            if !KEYS.contains(&key) {
                self.diagnostics.push(unknown("E0514", bound.key.span, "bound", key, KEYS));
                continue;
            }
            let fault = matches!(key, "crash" | "reset" | "partition" | "cut");
            let fits = match &bound.value {
                BoundValue::Flag => matches!(key, "timed" | "retain_ignored"),
                BoundValue::AtMost(_) => fault || matches!(key, "drop" | "duplicate" | "call" | "messages"),
                BoundValue::Expr(_) => matches!(key, "depth" | "messages" | "within"),
            };
            if !fits || (bound.target.is_some() && !fault) {
                let right = match key {
                    "within" => "within: PREDICATE;".to_owned(),
                    "timed" | "retain_ignored" => format!("{key};"),
                    "depth" | "messages" => format!("{key}: 40;"),
                    _ if fault => format!("{key} any: at most 1;"),
                    _ => format!("{key}: at most 1;"),
                };
                let found =
                    Diagnostic::error("E0510", bound.span, format!("`{key}` is not written like this"));
                self.diagnostics.push(found.with_help(format!("write `{right}`")));
            }
        }
    }

    fn properties(&mut self, system: &ast::System) {
        let mut seen = BTreeMap::new();
        let theirs = taking_part(self.checked, system);
        for property in system.properties() {
            self.fresh(&mut seen, &property.name, "properties");
            let theirs = theirs.iter().flat_map(|it| it.properties()).map(|it| &it.name);
            self.taken(&property.name, theirs, "a property");
            self.built_in(&property.name);
        }
    }

    fn objectives(&mut self, system: &ast::System) {
        let mut seen = BTreeMap::new();
        let mut weighed = BTreeMap::new();
        let (theirs, objectives) = (taking_part(self.checked, system), self.checked.objectives_of(system));
        for entry in system.objectives() {
            match entry {
                ast::SystemObjective::Own(it) => {
                    self.fresh(&mut seen, &it.name, "objectives");
                    let theirs = theirs.iter().flat_map(|it| it.objectives()).map(|it| &it.name);
                    self.taken(&it.name, theirs, "an objective");
                }
                ast::SystemObjective::Reweigh(it) => {
                    let name =
                        it.name.segments.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(".");
                    self.once(&mut weighed, &name, it.name.span, "the weight of");
                    if let Err(why) = objectives.resolve(&it.name) {
                        self.diagnostics.push(unresolved(&it.name, objectives.all(), why));
                    }
                }
            }
        }
    }

    /// What a system claims or weighs itself has a name that none of its services uses: its author is free to choose it.
    fn taken<'n>(&mut self, name: &Ident, mut theirs: impl Iterator<Item = &'n Ident>, what: &str) {
        if let Some(earlier) = theirs.find(|it| it.name == name.name) {
            let message = format!("a service of this system has {what} `{}` already", name.name);
            let found = Diagnostic::error("E0201", name.span, message);
            self.diagnostics
                .push(found.with_secondary(earlier.span, "the other one").with_help("give it another name"));
        }
    }

    /// Something that is said once.
    fn once(&mut self, seen: &mut BTreeMap<String, Span>, name: &str, span: Span, what: &str) {
        if let Some(earlier) = seen.insert(name.to_owned(), span) {
            let found = Diagnostic::error("E0201", span, format!("{what} `{name}` is given twice"));
            self.diagnostics.push(found.with_secondary(earlier, "first given here"));
        }
    }

    fn built_in(&mut self, name: &Ident) {
        if name.name == "no_fault" {
            let message = "`no_fault` is built in: it holds where no step faults";
            let found = Diagnostic::error("E0207", name.span, message);
            self.diagnostics.push(found.with_help("choose another name"));
        }
    }

    /// Doubled names of properties and objectives within one service.
    fn services(&mut self) {
        for service in self.checked.ast.services() {
            let mut seen = BTreeMap::new();
            for property in service.properties() {
                self.fresh(&mut seen, &property.name, "properties");
                self.built_in(&property.name);
            }
            let mut seen = BTreeMap::new();
            service.objectives().for_each(|it| self.fresh(&mut seen, &it.name, "objectives"));
        }
    }
}

/// The services that take part in a system, in their order.
fn taking_part<'c>(checked: &'c Checked<'_>, system: &ast::System) -> Vec<&'c ast::Service> {
    let places = system.nodes().flat_map(|it| checked.names.places(&it.stack));
    let used: BTreeSet<usize> = places.map(|it| it.service).collect();
    let services = checked.ast.services().enumerate();
    services.filter(|(index, _)| used.contains(index)).map(|(_, it)| it).collect()
}
