//! Messages that may arrive in a control state in which nobody handles or ignores them.
//!
//! Judged by the states in heads alone: whether a guard refuses, and whether such a message can arrive at all, is for a check.

use std::collections::BTreeSet;

use crate::check::{Checked, ServiceFacts, Trigger};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::MessageRef;

/// The messages of a service that some state neither handles nor ignores, with these states.
pub fn unhandled(checked: &Checked<'_>, index: usize) -> Vec<(MessageRef, Vec<String>)> {
    let (facts, service) = (&checked.services[index], &checked.names.services[index]);
    let mut messages: Vec<MessageRef> = Vec::new();
    let triggers = facts.heads.handlers.iter().map(|it| it.trigger);
    for trigger in triggers.chain(facts.heads.ignores.iter().map(|it| it.trigger)) {
        if let Some(Trigger::Deliver(message)) = trigger
            && !messages.contains(&message)
        {
            messages.push(message);
        }
    }
    let open = |message: MessageRef| {
        let covered = covered(facts, message);
        let states = service.states.iter().map(|it| &it.name);
        let open: Vec<String> = match &covered {
            None => Vec::new(),
            Some(covered) => states.filter(|it| !covered.contains(*it)).cloned().collect(),
        };
        (message, open)
    };
    messages.into_iter().map(open).filter(|(_, states)| !states.is_empty()).collect()
}

/// The states in which a message is handled or ignored; `None` for all.
fn covered(facts: &ServiceFacts<'_>, message: MessageRef) -> Option<BTreeSet<String>> {
    let trigger = Some(Trigger::Deliver(message));
    let handled = facts.heads.handlers.iter().filter(|it| it.trigger == trigger).map(|it| &it.states);
    let ignored = facts.heads.ignores.iter().filter(|it| it.trigger == trigger).map(|it| &it.states);
    let mut covered = BTreeSet::new();
    for states in handled.chain(ignored) {
        covered.extend(states.as_ref()?.iter().cloned());
    }
    Some(covered)
}

pub(super) fn warnings(checked: &Checked<'_>, index: usize, diagnostics: &mut Diagnostics) {
    let (facts, service) = (&checked.services[index], &checked.names.services[index]);
    for (message, states) in unhandled(checked, index) {
        let name = &checked.names.message_at(service, message).name;
        let trigger = Some(Trigger::Deliver(message));
        let handled = facts.heads.handlers.iter().find(|it| it.trigger == trigger);
        let handled = handled.map(|it| (it.handler.event.span, "handled in other states"));
        let ignored = facts.heads.ignores.iter().find(|it| it.trigger == trigger);
        let ignored = ignored.map(|it| (it.ignore.event.span, "ignored in other states"));
        let Some((place, label)) = handled.or(ignored) else { continue };
        let states = states.join(" | ");
        let pattern =
            if checked.names.message_at(service, message).fields.is_empty() { "" } else { " { .. }" };
        diagnostics.push(
            Diagnostic::warning(
                "W0402",
                place,
                format!("`{name}` is neither handled nor ignored in {states}"),
            )
            .with_label(label)
            .with_help(format!(
                "handle it there, or say that it is meant: `ignore deliver(_, {name}{pattern}) in {states};`"
            ))
            .about(name),
        );
    }
}
