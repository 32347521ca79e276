//! Handlers that never run, because another one always applies where they do: later in a `first` group, or `otherwise`.

use crate::body::bindings;
use crate::check::{Checked, Head, Trigger};
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn warnings(checked: &Checked<'_>, index: usize, diagnostics: &mut Diagnostics) {
    let heads = &checked.services[index].heads.handlers;
    for (at, head) in heads.iter().enumerate().filter(|(_, it)| it.trigger.is_some()) {
        let before = |(place, other): (usize, &Head<'_>)| {
            let ordered = head.first.is_some() && head.first == other.first && place < at;
            let last = head.is_otherwise() && !other.is_otherwise();
            (ordered && head.is_otherwise() == other.is_otherwise() || last) && other.trigger == head.trigger
        };
        let hides = |other: &Head<'_>| always(other) && covers(other, head);
        let Some((_, hiding)) = heads.iter().enumerate().find(|it| before((it.0, it.1)) && hides(it.1))
        else {
            continue;
        };
        let name = head.handler.name.as_ref();
        let span = name.map_or(head.handler.event.span, |it| it.span);
        let text = format!("`{}` never runs: `{}` applies wherever it would", head.name, hiding.name);
        diagnostics.push(
            Diagnostic::warning("W0404", span, text)
                .with_secondary(hiding.handler.event.span, "has no condition")
                .with_help("give that one a condition, or remove this one")
                .about(&head.name),
        );
    }
}

/// Whether a handler applies to every event of its kind in its states.
pub(super) fn always(head: &Head<'_>) -> bool {
    let plain = |pattern: &syn::Pat| match pattern {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(it) => it.subpat.is_none() && !bindings(pattern).is_empty(),
        _ => false,
    };
    let is_message = |at: usize| at == 1 && matches!(head.trigger, Some(Trigger::Deliver(_)));
    let fits = |(at, pattern): (usize, &syn::Pat)| match pattern {
        syn::Pat::Struct(it) if is_message(at) => it.fields.iter().all(|it| plain(&it.pat)),
        syn::Pat::Ident(_) | syn::Pat::Path(_) if is_message(at) => true,
        other => plain(other),
    };
    let unconditional = head.handler.guard.is_none() && head.handler.chooses.is_empty();
    unconditional && head.patterns.iter().enumerate().all(fits)
}

/// Whether a handler applies in all states in which another does.
pub(super) fn covers(head: &Head<'_>, other: &Head<'_>) -> bool {
    match (&head.states, &other.states) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow.is_subset(wide),
    }
}
