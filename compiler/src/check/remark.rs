//! What a service says about itself: which choices are fair, and what a generic node of it may send.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{self, Service};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

use super::{Checked, Trigger, unknown};

pub(super) fn check(checked: &Checked<'_>, index: usize, service: &Service, diagnostics: &mut Diagnostics) {
    let known = sites(checked, index);
    for site in service.fair().flat_map(|it| &it.sites) {
        let name = name_of(site);
        if !known.contains(&name) {
            let found = unknown("E0212", site.span, "choice", &name, known.iter().map(String::as_str));
            diagnostics.push(found.with_label("neither an event with handlers nor a choice in a body"));
        }
    }
    service.generic().for_each(|it| sendable(checked, index, it, diagnostics));
}

/// A message that a generic node may send: with all of its fields, each once. The sets are read with the bodies.
fn sendable(checked: &Checked<'_>, index: usize, written: &ast::Sendable, diagnostics: &mut Diagnostics) {
    let (names, own) = (&checked.names, &checked.names.services[index]);
    let name = &written.message;
    let Some(message) = names.message(own, &name.name) else {
        let known = own.messages.iter().chain(names.messages_beside(own)).map(|it| it.name.as_str());
        let found = unknown("E0203", name.span, "message", &name.name, known);
        diagnostics.push(found.with_label("neither in this service nor at file level"));
        return;
    };
    if own.carriers.is_empty() {
        let text = format!("`{}` uses no carrier that `{}` could travel over", own.name, name.name);
        let found = Diagnostic::error("E0206", name.span, text);
        diagnostics.push(found.with_help("add `uses net: Reliable;` or `uses net: Datagram;`"));
    }
    let declared = names.message_at(own, message);
    let mut given: BTreeMap<&str, Span> = BTreeMap::new();
    for field in &written.fields {
        let text = &field.name.name;
        if let Some(earlier) = given.insert(text, field.name.span) {
            let found =
                Diagnostic::error("E0201", field.name.span, format!("the field `{text}` is given twice"));
            diagnostics.push(found.with_secondary(earlier, "first given here"));
        } else if !declared.has(text) {
            let known = declared.fields.iter().map(|it| it.name.as_str());
            let what = format!("field of `{}` named", declared.name);
            let found = unknown("E0210", field.name.span, &what, text, known);
            diagnostics.push(found.with_secondary(declared.span, "declared here"));
        }
    }
    for field in declared.fields.iter().filter(|it| !given.contains_key(it.name.as_str())) {
        let text = format!("`{}` lacks the field `{}`", declared.name, field.name);
        diagnostics.push(
            Diagnostic::error("E0211", name.span, text)
                .with_secondary(declared.span, "declared here")
                .with_help(format!("say what it may be: `{} in SET`", field.name)),
        );
    }
}

/// The name of a choice as traces write it.
fn name_of(site: &crate::ast::Dotted) -> String {
    site.segments.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(".")
}

/// The names of the places at which a service chooses: events, and choices in bodies and intervals.
fn sites(checked: &Checked<'_>, index: usize) -> BTreeSet<String> {
    let (facts, names) = (&checked.services[index], &checked.names.services[index]);
    let bodies = facts.handlers.iter().chain(facts.routines.values()).chain(facts.intervals.values());
    let mut sites: BTreeSet<String> = bodies.flat_map(|it| &it.sites).map(|it| it.name.clone()).collect();
    for head in &facts.heads.handlers {
        sites.extend(match head.trigger {
            None => None,
            Some(Trigger::Start) => Some("start".to_owned()),
            Some(Trigger::Broken) => Some("broken".to_owned()),
            Some(Trigger::Deliver(message)) => Some(checked.names.message_at(names, message).name.clone()),
            Some(Trigger::Timer(timer)) => Some(names.timers[timer].name.clone()),
            Some(Trigger::Call(call)) => Some(checked.names.call_at(call).name.clone()),
            Some(Trigger::Upcall(slot, call) | Trigger::Answered(slot, call)) => {
                Some(format!("{}.{}", names.layers[slot].name, checked.names.call_at(call).name))
            }
            // A query makes no choices.
            Some(Trigger::Query(_)) => None,
            // Aspects all run: a choice is among the ways of one.
            Some(Trigger::Aspect(_)) => Some(head.name.clone()),
        });
    }
    sites
}
