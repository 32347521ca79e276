//! Counts the choices that a service leaves open.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::branches::Tally;
use crate::ast::{Fragment, Guard, Handler, HandlerKind, Service, States, Transition};

/// Choices by their form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Choices {
    /// Events with several handlers of which more than one may apply.
    pub overlaps: usize,
    /// `choose x in SET` in heads.
    pub heads: usize,
    /// `choose(..)` in bodies, in routines and as the interval of a timer.
    pub bodies: usize,
    /// `choose_or(..)`.
    pub with_default: usize,
    /// All of them.
    pub total: usize,
}

impl Choices {
    pub(super) fn plus(&self, other: &Choices) -> Choices {
        Choices {
            overlaps: self.overlaps + other.overlaps,
            heads: self.heads + other.heads,
            bodies: self.bodies + other.bodies,
            with_default: self.with_default + other.with_default,
            total: self.total + other.total,
        }
    }
}

/// Counts the choices of a service; `tally` counts within a piece of its Rust.
pub fn choices(
    service: &Service,
    block: impl Fn(&Fragment) -> Tally,
    expression: impl Fn(&Fragment) -> Tally,
) -> Choices {
    let mut found = vec![];
    collect(service.transitions(), &Surroundings::default(), &mut found);
    let mut choices = Choices { overlaps: overlaps(&found), ..Choices::default() };
    let mut add = |tally: Tally| {
        choices.bodies += tally.chooses;
        choices.with_default += tally.choose_ors;
    };
    found.iter().for_each(|candidate| add(block(&candidate.handler.body)));
    service.routines().for_each(|routine| add(block(&routine.body)));
    service.timers().filter_map(|timer| timer.every.as_ref()).for_each(|every| add(expression(every)));
    choices.heads = found.iter().map(|candidate| candidate.handler.chooses.len()).sum();
    choices.total = choices.overlaps + choices.heads + choices.bodies + choices.with_default;
    choices
}

/// A handler with what stands around it.
struct Candidate<'a> {
    handler: &'a Handler,
    /// The states in which it applies; `None` is every state.
    states: Option<BTreeSet<&'a str>>,
    /// The place of the `first` around it.
    first: Option<u32>,
}

#[derive(Clone, Default)]
struct Surroundings<'a> {
    states: Option<BTreeSet<&'a str>>,
    first: Option<u32>,
}

fn collect<'a>(
    transitions: impl Iterator<Item = &'a Transition>,
    around: &Surroundings<'a>,
    found: &mut Vec<Candidate<'a>>,
) {
    for transition in transitions {
        match transition {
            Transition::Handler(handler) => {
                let states = narrowed(&around.states, handler.states.as_ref());
                found.push(Candidate { handler, states, first: around.first });
            }
            Transition::In(group) => {
                let states = narrowed(&around.states, Some(&group.states));
                collect(group.transitions.iter(), &Surroundings { states, ..around.clone() }, found);
            }
            Transition::First(group) => {
                let first = Some(group.span.start);
                collect(group.transitions.iter(), &Surroundings { first, ..around.clone() }, found);
            }
            Transition::Ignore(_) => {}
        }
    }
}

fn narrowed<'a>(around: &Option<BTreeSet<&'a str>>, own: Option<&'a States>) -> Option<BTreeSet<&'a str>> {
    let own: Option<BTreeSet<&str>> =
        own.map(|states| states.names.iter().map(|name| name.name.as_str()).collect());
    match (around, own) {
        (Some(around), Some(own)) => Some(around.intersection(&own).copied().collect()),
        (around, own) => own.or_else(|| around.clone()),
    }
}

/// The number of events for which two handlers may apply at once.
fn overlaps(found: &[Candidate<'_>]) -> usize {
    let mut events: BTreeMap<Key<'_>, Vec<&Candidate<'_>>> = BTreeMap::new();
    for candidate in found {
        events.entry(key(candidate.handler)).or_default().push(candidate);
    }
    let open = |list: &&Vec<&Candidate<'_>>| {
        list.iter().enumerate().any(|(at, one)| list[at + 1..].iter().any(|other| overlap(one, other)))
    };
    events.values().filter(open).count()
}

fn overlap(one: &Candidate<'_>, other: &Candidate<'_>) -> bool {
    let otherwise = |candidate: &Candidate<'_>| matches!(candidate.handler.guard, Some(Guard::Otherwise(_)));
    let ordered = one.first.is_some() && one.first == other.first;
    let meet = match (&one.states, &other.states) {
        (Some(one), Some(other)) => !one.is_disjoint(other),
        (Some(states), None) | (None, Some(states)) => !states.is_empty(),
        (None, None) => true,
    };
    // Aspects all run; none is chosen.
    let aspect = one.handler.kind == HandlerKind::Aspect;
    meet && !ordered && !aspect && !otherwise(one) && !otherwise(other)
}

type Key<'a> = (HandlerKind, Option<&'a str>, &'a str, Option<&'a str>);

/// The event of a handler; for `deliver` with the message.
fn key(handler: &Handler) -> Key<'_> {
    let event = &handler.event;
    let message = match (event.name.name.as_str(), event.args.as_deref()) {
        ("deliver", Some([_, message])) => Some(constructor(&message.pattern.text)),
        _ => None,
    };
    (handler.kind, event.layer.as_ref().map(|layer| layer.name.as_str()), &event.name.name, message)
}

/// `Join` of `Join { joiner, .. }`.
fn constructor(pattern: &str) -> &str {
    let end = pattern.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(pattern.len());
    &pattern[..end]
}
