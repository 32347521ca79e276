//! Handlers that may apply to one event at once. That is a choice of the protocol, and nothing is wrong with it; reported are
//! two kinds that are hardly meant as one: arms of what looks like a `match`, and handlers that do the same.
//!
//! Judged by events, states and `first`: whether two guards exclude each other is not known here.

use std::collections::BTreeSet;

use super::idle::{always, covers};
use crate::ast::Guard;
use crate::check::{Checked, Head, Trigger};
use crate::diag::{Diagnostic, Diagnostics};

/// Handlers that meet, by their places among the heads.
pub(super) struct Overlap {
    /// The states in which they do; empty for all.
    pub states: Vec<String>,
    /// The handlers.
    pub handlers: Vec<usize>,
}

/// All of them, by events in file order.
pub(super) fn overlaps(checked: &Checked<'_>, index: usize) -> Vec<Overlap> {
    let (heads, names) = (&checked.services[index].heads.handlers, &checked.names.services[index]);
    let mut found = Vec::new();
    let mut done: Vec<(Option<Trigger>, &[Option<crate::check::Cast>])> = Vec::new();
    for head in heads.iter().filter(|it| it.trigger.is_some_and(is_chosen)) {
        let event = (head.trigger, head.casts.as_slice());
        if done.contains(&event) {
            continue;
        }
        done.push(event);
        let all: Vec<usize> = (0..heads.len())
            .filter(|at| {
                (heads[*at].trigger, heads[*at].casts.as_slice()) == event && !heads[*at].is_otherwise()
            })
            .collect();
        let within = |state: Option<&String>| {
            let applies = |at: &usize| match (&heads[*at].states, state) {
                (Some(states), Some(state)) => states.contains(state),
                (Some(_), None) => false,
                (None, _) => true,
            };
            let meeting: Vec<usize> = all.iter().copied().filter(applies).collect();
            let groups: BTreeSet<(bool, usize)> = meeting
                .iter()
                .map(|at| heads[*at].first.map_or((false, *at), |group| (true, group)))
                .collect();
            (groups.len() > 1).then_some(meeting)
        };
        if names.states.is_empty() {
            found.extend(within(None).map(|handlers| Overlap { states: Vec::new(), handlers }));
            continue;
        }
        let mut sets: Vec<Overlap> = Vec::new();
        for state in &names.states {
            let Some(handlers) = within(Some(&state.name)) else { continue };
            match sets.iter_mut().find(|it| it.handlers == handlers) {
                Some(set) => set.states.push(state.name.clone()),
                None => sets.push(Overlap { states: vec![state.name.clone()], handlers }),
            }
        }
        for set in &mut sets {
            if set.states.len() == names.states.len() {
                set.states.clear();
            }
        }
        found.extend(sets);
    }
    found
}

/// Whether one of several handlers of such an event is chosen: aspects all run, and a query has one handler.
fn is_chosen(trigger: Trigger) -> bool {
    !matches!(trigger, Trigger::Aspect(_) | Trigger::Query(_))
}

pub(super) fn warnings(checked: &Checked<'_>, index: usize, diagnostics: &mut Diagnostics) {
    let heads = &checked.services[index].heads.handlers;
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for overlap in overlaps(checked, index) {
        for (place, one) in overlap.handlers.iter().enumerate() {
            for other in &overlap.handlers[place + 1..] {
                let (a, b) = (&heads[*one], &heads[*other]);
                if a.first.is_some() && a.first == b.first || told.contains(other) {
                    continue;
                }
                let found = same(checked, a, b).or_else(|| arms(a, b)).or_else(|| arms(b, a));
                if let Some(found) = found {
                    told.insert(*other);
                    diagnostics.push(found.about(&b.name));
                }
            }
        }
    }
}

fn named(head: &Head<'_>) -> crate::source::Span {
    head.handler.name.as_ref().map_or(head.handler.event.span, |it| it.span)
}

/// One with a pattern that some events do not match, beside one for every event: in a `match`, the second would be for the rest.
fn arms(general: &Head<'_>, special: &Head<'_>) -> Option<Diagnostic> {
    let plain = special.handler.guard.is_none() && special.handler.chooses.is_empty();
    (always(general) && plain && !always(special) && covers(general, special)).then(|| {
        let text = format!(
            "`{}` also applies where `{}` does, and which of them runs is a choice",
            general.name, special.name
        );
        Diagnostic::warning("W0405", named(general), text)
            .with_label("takes every event, not only the rest")
            .with_secondary(named(special), "its pattern looks like the arm of a `match`")
            .with_help(
                "end its head with `otherwise` if it is for the rest, or put `first { .. }` around both",
            )
    })
}

/// Two that apply under the same condition and do the same.
fn same(checked: &Checked<'_>, a: &Head<'_>, b: &Head<'_>) -> Option<Diagnostic> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let guard = |head: &Head<'_>| match &head.handler.guard {
        Some(Guard::When(guard)) => Some(words(&guard.text)),
        _ => None,
    };
    let args = |head: &Head<'_>| words(checked.places.file.slice(head.handler.event.span));
    let plain = a.handler.chooses.is_empty() && b.handler.chooses.is_empty();
    let alike = plain
        && guard(a) == guard(b)
        && args(a) == args(b)
        && words(&a.handler.body.text) == words(&b.handler.body.text);
    alike.then(|| {
        let text = format!("`{}` and `{}` do the same under the same condition", a.name, b.name);
        Diagnostic::warning("W0405", named(b), text)
            .with_label("a choice between these is none")
            .with_secondary(named(a), "the other one")
            .with_help("remove one, or change what it does")
    })
}
