//! Queries that a service provides: each has one handler, which always answers.

use std::collections::BTreeMap;

use crate::ast::{Guard, Service};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{CallKind, CallRef};
use crate::source::Span;

use super::{Checked, Heads, Trigger};

pub(super) fn check(
    checked: &Checked<'_>,
    index: usize,
    service: &Service,
    heads: &Heads<'_>,
    diagnostics: &mut Diagnostics,
) {
    let (names, own) = (&checked.names, &checked.names.services[index]);
    let mut handled: BTreeMap<CallRef, Span> = BTreeMap::new();
    for head in &heads.handlers {
        let Some(Trigger::Query(call)) = head.trigger else { continue };
        let name = &names.call_at(call).name;
        let written = head.handler;
        let clause = match (&written.guard, written.chooses.first()) {
            (Some(Guard::When(guard)), _) => Some((guard.span, "a condition")),
            (Some(Guard::Otherwise(span)), _) => Some((*span, "a condition")),
            (None, Some(choose)) => Some((choose.span, "a choice")),
            (None, None) if head.states.is_some() => {
                Some((written.states.as_ref().map_or(written.event.span, |it| it.span), "a condition"))
            }
            (None, None) if head.first.is_some() => Some((written.event.span, "a condition")),
            (None, None) => None,
        };
        if let Some((span, what)) = clause {
            let message = format!("the query `{name}` is always answered: its handler has no {}", &what[2..]);
            diagnostics.push(
                Diagnostic::error("E0434", span, message)
                    .with_label(format!("{what} would leave it without an answer, or with several"))
                    .with_help("decide in the body: `match state { .. }`, `if .. { .. } else { .. }`"),
            );
        }
        if let Some(earlier) = handled.insert(call, written.event.span) {
            let message = format!("the query `{name}` has two handlers");
            diagnostics.push(
                Diagnostic::error("E0434", written.event.span, message)
                    .with_secondary(earlier, "the first one")
                    .with_help("a query has one answer: put both into one handler"),
            );
        }
    }
    for ignore in &heads.ignores {
        if let Some(Trigger::Query(call)) = ignore.trigger {
            let message = format!(
                "the query `{}` cannot be ignored: who asks needs an answer",
                names.call_at(call).name
            );
            diagnostics.push(
                Diagnostic::error("E0434", ignore.ignore.event.span, message).with_help("leave this out"),
            );
        }
    }
    for provided in own.provides.iter().filter(|it| it.by.is_none()) {
        let missing = names
            .calls(provided.interface)
            .filter(|(at, call)| call.kind == CallKind::Query && !handled.contains_key(at));
        for (_, call) in missing {
            let (service, interface) = (&service.name.name, &names.interfaces[provided.interface].name);
            let params: Vec<&str> = call.params.iter().map(|it| it.name.as_str()).collect();
            let message =
                format!("`{service}` provides `{interface}` and does not answer its query `{}`", call.name);
            diagnostics.push(
                Diagnostic::error("E0435", provided.span, message)
                    .with_secondary(call.span, "declared here")
                    .with_help(format!("add `downcall {}({}) {{ .. }}`", call.name, params.join(", "))),
            );
        }
    }
}
