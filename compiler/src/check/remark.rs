//! What a service says about itself: which choices are fair, and what a generic node of it may send.

use std::collections::BTreeSet;

use crate::ast::Service;
use crate::diag::Diagnostics;

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
