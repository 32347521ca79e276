//! Systems: services and arguments, carriers, bounds, doubled names. Expressions are checked when they are lowered.

use std::collections::BTreeMap;

use syn::visit_mut::VisitMut;

use crate::ast::{self, BoundValue, Ident, LinkClauseKind};
use crate::body::{Mode, Walker};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::ServiceNames;
use crate::source::Span;

use super::{Checked, unknown};

pub(super) fn check(checked: &Checked<'_>, diagnostics: &mut Diagnostics) {
    for system in checked.ast.systems() {
        let mut systems = Systems { checked, diagnostics };
        systems.defaults(system);
        systems.nodes(system);
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
        let (routines, service) = (BTreeMap::new(), ServiceNames::default());
        for default in system.parameters().filter_map(|it| it.default.as_ref()) {
            let Some(mut expr) = self.checked.rust.expr(default).cloned() else { continue };
            let (names, places) = (&self.checked.names, self.checked.places);
            let mut walker = Walker::new(names, &service, places, Mode::Constant, &routines);
            walker.visit_expr_mut(&mut expr);
            self.diagnostics.extend(walker.diagnostics);
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

    fn nodes(&mut self, system: &ast::System) {
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
            self.stack(&group.stack);
        }
        if groups == 0 {
            let message = format!("the system `{}` has no nodes", system.name.name);
            let found = Diagnostic::error("E0515", system.name.span, message);
            self.diagnostics.push(found.with_help("say what runs: `nodes { n[3]: SERVICE; }`"));
        }
    }

    fn stack(&mut self, stack: &ast::Stack) {
        let names = &self.checked.names;
        let Some(name) = stack.path.as_ident() else {
            let found = Diagnostic::error("E0208", stack.path.span, "a service is named by one word");
            self.diagnostics.push(found);
            return;
        };
        let Some(index) = names.service(&name.name) else {
            if names.imported.contains(&name.name) {
                return;
            }
            let known = names.services.iter().map(|it| it.name.as_str());
            let found = unknown("E0208", name.span, "service", &name.name, known);
            self.diagnostics.push(found.with_label("not declared in this file"));
            return;
        };
        let service = &names.services[index];
        let mut given = BTreeMap::new();
        for field in stack.fields() {
            self.fresh(&mut given, &field.name, "arguments");
            let text = &field.name.name;
            if service.parameter(text).is_none() && !service.layers.contains_key(text) {
                let known = service.parameters.iter().map(|it| it.name.as_str());
                let what = format!("parameter of `{}` named", service.name);
                self.diagnostics.push(unknown("E0507", field.name.span, &what, text, known));
            }
        }
        for parameter in service.parameters.iter().filter(|it| !it.has_default) {
            if !given.contains_key(parameter.name.as_str()) {
                let message = format!("`{}` needs its parameter `{}`", service.name, parameter.name);
                self.diagnostics.push(
                    Diagnostic::error("E0506", stack.span, message)
                        .with_secondary(parameter.span, "declared here, without a default")
                        .with_help(format!("write `{} {{ {}: .. }}`", service.name, parameter.name)),
                );
            }
        }
    }

    fn network(&mut self, system: &ast::System) {
        let names = &self.checked.names;
        let used = system.nodes().filter_map(|it| names.service(&it.stack.path.as_ident()?.name));
        let carriers: Vec<_> = used.flat_map(|it| &names.services[it].carriers).collect();
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for link in system.network() {
            let (name, layers) = link.carrier.split_last();
            if let Some(layer) = layers.first() {
                self.diagnostics.push(Diagnostic::error(
                    "E0902",
                    layer.span,
                    "not yet supported: carriers of lower layers",
                ));
                continue;
            }
            self.fresh(&mut seen, name, "links");
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
        const KEYS: [&str; 5] = ["depth", "messages", "within", "drop", "duplicate"];
        for bound in system.check() {
            let key = bound.key.name.as_str();
            if !KEYS.contains(&key) {
                let later = ["crash", "reset", "partition", "cut", "call", "timed", "retain_ignored"];
                if later.contains(&key) {
                    let found = Diagnostic::error(
                        "E0914",
                        bound.span,
                        format!("not yet supported: the bound `{key}`"),
                    );
                    self.diagnostics.push(found.with_help(format!("there is: {}", KEYS.join(", "))));
                } else {
                    self.diagnostics.push(unknown("E0514", bound.key.span, "bound", key, KEYS));
                }
                continue;
            }
            let budget = matches!(key, "drop" | "duplicate");
            let fits = match &bound.value {
                BoundValue::Flag => false,
                BoundValue::AtMost(_) => budget || key == "messages",
                BoundValue::Expr(_) => !budget,
            };
            if !fits || bound.target.is_some() {
                let right = match key {
                    "within" => "within: PREDICATE;".to_owned(),
                    "drop" | "duplicate" => format!("{key}: at most 1;"),
                    _ => format!("{key}: 40;"),
                };
                let found =
                    Diagnostic::error("E0510", bound.span, format!("`{key}` is not written like this"));
                self.diagnostics.push(found.with_help(format!("write `{right}`")));
            }
        }
    }

    /// Properties of the services that take part, and of the system, are told apart by name.
    fn properties(&mut self, system: &ast::System) {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        let mut services: Vec<&ast::Service> = Vec::new();
        for group in system.nodes() {
            let service = self.checked.ast.services().find(|it| stack_is(&group.stack, &it.name.name));
            services.extend(service.filter(|it| !services.iter().any(|known| std::ptr::eq(*known, *it))));
        }
        let own = system.properties();
        for property in services.iter().flat_map(|it| it.properties()).chain(own) {
            if let Some(earlier) = seen.get(property.name.name.as_str()) {
                let inside = system.properties().any(|it| std::ptr::eq(it, property));
                let one_service = services.iter().any(|it| {
                    it.properties().filter(|known| known.name.name == property.name.name).count() > 1
                });
                // Doubles within a service are reported there.
                if inside || !one_service {
                    let message = format!(
                        "the system `{}` has two properties named `{}`",
                        system.name.name, property.name.name
                    );
                    self.diagnostics.push(
                        Diagnostic::error("E0201", property.name.span, message)
                            .with_secondary(*earlier, "the other one")
                            .with_help("give one of them another name"),
                    );
                }
            }
            seen.entry(&property.name.name).or_insert(property.name.span);
            if property.name.name == "no_fault" {
                let found = Diagnostic::error(
                    "E0207",
                    property.name.span,
                    "`no_fault` is built in: it holds where no step faults",
                );
                self.diagnostics.push(found.with_help("choose another name"));
            }
        }
    }

    fn objectives(&mut self, system: &ast::System) {
        let services = system
            .nodes()
            .filter_map(|group| self.checked.ast.services().find(|it| stack_is(&group.stack, &it.name.name)));
        let known: Vec<&str> =
            services.flat_map(|it| it.objectives()).map(|it| it.name.name.as_str()).collect();
        let mut seen = BTreeMap::new();
        for entry in system.objectives() {
            match entry {
                ast::SystemObjective::Own(it) => {
                    self.fresh(&mut seen, &it.name, "objectives");
                    if known.contains(&it.name.name.as_str()) {
                        let message =
                            format!("a service of this system has an objective `{}` already", it.name.name);
                        let found = Diagnostic::error("E0201", it.name.span, message);
                        self.diagnostics.push(found.with_help("give it another name"));
                    }
                }
                ast::SystemObjective::Reweigh(it) => {
                    let (name, layers) = it.name.split_last();
                    if layers.is_empty() && !known.contains(&name.name.as_str()) {
                        self.diagnostics.push(unknown(
                            "E0511",
                            name.span,
                            "objective",
                            &name.name,
                            known.iter().copied(),
                        ));
                    }
                }
            }
        }
    }

    /// Doubled names of properties and objectives within one service.
    fn services(&mut self) {
        for service in self.checked.ast.services() {
            let mut seen = BTreeMap::new();
            service.properties().for_each(|it| self.fresh(&mut seen, &it.name, "properties"));
            let mut seen = BTreeMap::new();
            service.objectives().for_each(|it| self.fresh(&mut seen, &it.name, "objectives"));
        }
    }
}

fn stack_is(stack: &ast::Stack, name: &str) -> bool {
    stack.path.as_ident().is_some_and(|it| it.name == name)
}
