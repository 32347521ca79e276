//! Stacks: services put together in systems and in `uses`, their arguments, and the layers below them.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{self, Ident, Stack};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::bound;
use crate::source::Span;

use super::{Checked, unknown};

/// Checks what services say of the layers below them; gives the services whose defaults can be built.
pub(super) fn defaults(checked: &Checked<'_>, diagnostics: &mut Diagnostics) -> BTreeSet<usize> {
    let (names, mut sound) = (&checked.names, BTreeSet::new());
    for (index, service) in names.services.iter().enumerate() {
        let mut whole = true;
        for layer in service.layers.iter() {
            let Some(default) = &layer.default else { continue };
            let mut stacks = Stacks { checked, diagnostics, sound: None, seen: BTreeMap::new() };
            stacks.seen.insert(index, service.span);
            whole &= stacks.filled(default, layer.interface, &layer.name, layer.span);
        }
        if whole {
            sound.insert(index);
        }
    }
    sound
}

/// Checks the stack of a group of nodes.
pub(super) fn check(
    checked: &Checked<'_>,
    stack: &Stack,
    sound: &BTreeSet<usize>,
    diagnostics: &mut Diagnostics,
) {
    Stacks { checked, diagnostics, sound: Some(sound), seen: BTreeMap::new() }.placed(stack);
}

struct Stacks<'c, 'a, 'd> {
    checked: &'c Checked<'a>,
    diagnostics: &'d mut Diagnostics,
    /// The services whose defaults were checked; `None` while they are.
    sound: Option<&'c BTreeSet<usize>>,
    /// The services of the stack so far, and where each is named.
    seen: BTreeMap<usize, Span>,
}

impl Stacks<'_, '_, '_> {
    /// What fills a layer. Whether everything below can be built.
    fn filled(&mut self, stack: &Stack, interface: Option<usize>, layer: &str, declared: Span) -> bool {
        let names = &self.checked.names;
        if let (Some(index), Some(interface)) = (names.top(stack), interface)
            && names.services[index].provides(interface).is_none()
        {
            let known = names.services.iter().filter(|it| it.provides(interface).is_some());
            let (service, interface) = (&names.services[index], &names.interfaces[interface].name);
            let known: Vec<String> = known.map(|it| format!("`{}`", it.name)).collect();
            let message = format!("`{}` does not provide `{interface}`", service.name);
            let mut found = Diagnostic::error("E0551", stack.path.span, message)
                .with_label(format!("the layer `{layer}` has the interface `{interface}`"))
                .with_secondary(declared, "declared here");
            if !known.is_empty() {
                found = found.with_help(format!("it is provided by {}", known.join(", ")));
            }
            self.diagnostics.push(found);
            return false;
        }
        self.placed(stack)
    }

    fn placed(&mut self, stack: &Stack) -> bool {
        let span = stack.path.span;
        let Some(index) = self.checked.names.top(stack) else {
            self.no_service(&stack.path);
            return false;
        };
        if let Some(earlier) = self.seen.insert(index, span) {
            self.twice(span, index, earlier);
            return false;
        }
        self.arguments(stack, index);
        self.layers(stack, index)
    }

    /// Reports a service that is not there.
    fn no_service(&mut self, path: &ast::Path) {
        let (names, file) = (&self.checked.names, self.checked.names.files.of(path.span));
        let found = match path.segments.as_slice() {
            [name] if names.is_foreign(file, &name.name) => {
                let Some(help) = names.mistaken(file, &name.name, "service") else { return };
                Diagnostic::error("E0208", name.span, format!("`{}` is no service", name.name))
                    .with_help(help)
            }
            [name] => unknown("E0208", name.span, "service", &name.name, names.services_seen(file))
                .with_label("neither declared in this file nor imported"),
            [spec, name] if names.files.spec(file, &spec.name).is_some() => {
                let there = names.files.spec(file, &spec.name);
                let known =
                    names.services.iter().filter(|it| Some(it.file) == there).map(|it| it.name.as_str());
                unknown("E0208", name.span, "service", &name.name, known)
            }
            _ => Diagnostic::error("E0208", path.span, "this names no service")
                .with_help("a service is named by one word, or by two where its file is imported as a whole"),
        };
        self.diagnostics.push(found);
    }

    fn twice(&mut self, span: Span, index: usize, earlier: Span) {
        let service = &self.checked.names.services[index].name;
        let message = format!("`{service}` stands in this stack already");
        self.diagnostics.push(
            Diagnostic::error("E0553", span, message)
                .with_label("a message to this node would be for either of them")
                .with_secondary(earlier, "it stands here as well")
                .with_help("use another service here, or let one layer serve both"),
        );
    }

    fn arguments(&mut self, stack: &Stack, index: usize) {
        let service = &self.checked.names.services[index];
        let mut given: BTreeMap<&str, Span> = BTreeMap::new();
        for field in stack.fields() {
            self.fresh(&mut given, &field.name);
            let text = &field.name.name;
            if service.parameter(text).is_none() && service.layer(text).is_none() {
                let known = service.parameters.iter().map(|it| it.name.as_str());
                let known = known.chain(service.layers.iter().map(|it| it.name.as_str()));
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

    fn fresh<'n>(&mut self, given: &mut BTreeMap<&'n str, Span>, ident: &'n Ident) {
        if let Some(earlier) = given.insert(&ident.name, ident.span) {
            let message = format!("there are two arguments named `{}`", ident.name);
            self.diagnostics.push(
                Diagnostic::error("E0201", ident.span, message)
                    .with_label("declared again here")
                    .with_secondary(earlier, "first declared here")
                    .with_help("give one of them another name"),
            );
        }
    }

    fn layers(&mut self, stack: &Stack, index: usize) -> bool {
        let service = &self.checked.names.services[index];
        let mut whole = true;
        // A layer without a known interface was reported.
        for layer in service.layers.iter().filter(|it| it.interface.is_some()) {
            let given = stack.fields().iter().find(|it| it.name.name == layer.name);
            whole &= match (given, &layer.default) {
                (Some(given), _) => match self.binding(given, &layer.name) {
                    Some(lower) => self.filled(&lower, layer.interface, &layer.name, layer.span),
                    None => false,
                },
                (None, Some(default)) => self.default(stack, index, default),
                (None, None) => {
                    let message =
                        format!("nothing is said of the layer `{}` below `{}`", layer.name, service.name);
                    self.diagnostics.push(
                        Diagnostic::error("E0552", stack.span, message)
                            .with_secondary(layer.span, "declared here, without a default")
                            .with_help(format!("write `{} {{ {}: SERVICE }}`", service.name, layer.name)),
                    );
                    false
                }
            };
        }
        whole
    }

    /// The service that an argument binds a layer to.
    fn binding(&mut self, given: &ast::FieldInit, layer: &str) -> Option<Stack> {
        let found = given.value.as_ref().and_then(bound);
        if found.is_none() {
            let span = given.value.as_ref().map_or(given.name.span, |it| it.span);
            let message = format!("`{layer}` is a layer: a service belongs here, with its arguments");
            let help = format!("write `{layer}: SERVICE {{ .. }}`");
            self.diagnostics.push(Diagnostic::error("E0552", span, message).with_help(help));
        }
        found
    }

    /// A default was checked where it stands; here it matters alone what services it adds to the stack.
    fn default(&mut self, stack: &Stack, index: usize, default: &Stack) -> bool {
        let names = &self.checked.names;
        match self.sound {
            // Follow it: it may lead back here.
            None => self.follow(default, stack.path.span),
            Some(sound) if !sound.contains(&index) => false,
            Some(_) => {
                for place in names.places(default) {
                    if let Some(earlier) = self.seen.insert(place.service, stack.path.span) {
                        self.twice(stack.path.span, place.service, earlier);
                        return false;
                    }
                }
                true
            }
        }
    }

    fn follow(&mut self, default: &Stack, span: Span) -> bool {
        let names = &self.checked.names;
        let Some(index) = names.top(default) else { return false };
        if let Some(earlier) = self.seen.insert(index, span) {
            self.twice(span, index, earlier);
            return false;
        }
        let lower =
            (0..names.services[index].layers.len()).filter_map(|slot| names.filled(default, index, slot));
        let lower: Vec<Stack> = lower.collect();
        lower.iter().all(|it| self.follow(it, span))
    }
}
