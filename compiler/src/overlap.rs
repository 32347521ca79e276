//! Handlers with what stands around them, and which of them may apply to one event at once.
//!
//! Judged by heads alone: the event, the states and `first`; whether two guards exclude each other is not known here.

use std::collections::BTreeSet;

use crate::ast::{Event, Guard, Handler, HandlerKind, Ignore, Service, States, Transition};

/// A handler in its place.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    /// The handler.
    pub handler: &'a Handler,
    /// The states in which it may apply, by its own clause and those around it; `None` is every state.
    pub states: Option<BTreeSet<&'a str>>,
    /// The place of the `first` around it.
    pub first: Option<u32>,
}

/// An `ignore` in its place.
#[derive(Clone, Debug)]
pub struct Ignored<'a> {
    /// The line itself.
    pub ignore: &'a Ignore,
    /// The states; `None` is every state.
    pub states: Option<BTreeSet<&'a str>>,
}

/// The transitions of a service, groups opened, in file order.
pub fn placed(service: &Service) -> (Vec<Placed<'_>>, Vec<Ignored<'_>>) {
    let mut found = (vec![], vec![]);
    collect(service.transitions(), &Surroundings::default(), &mut found);
    found
}

/// Whether both may apply to one event in one state, so that it is a choice which of them runs.
pub fn overlap(one: &Placed<'_>, other: &Placed<'_>) -> bool {
    let otherwise = |placed: &Placed<'_>| matches!(placed.handler.guard, Some(Guard::Otherwise(_)));
    let ordered = one.first.is_some() && one.first == other.first;
    let meet = match (&one.states, &other.states) {
        (Some(one), Some(other)) => !one.is_disjoint(other),
        (Some(states), None) | (None, Some(states)) => !states.is_empty(),
        (None, None) => true,
    };
    // Aspects all run; none is chosen.
    let aspect = one.handler.kind == HandlerKind::Aspect;
    let same = Key::of(one.handler) == Key::of(other.handler);
    same && meet && !ordered && !aspect && !otherwise(one) && !otherwise(other)
}

/// What tells events apart: for `deliver` the message, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<'a> {
    kind: HandlerKind,
    layer: Option<&'a str>,
    event: &'a str,
    message: Option<&'a str>,
}

impl<'a> Key<'a> {
    /// The event that a handler is for.
    pub fn of(handler: &'a Handler) -> Key<'a> {
        let event = &handler.event;
        Key {
            kind: handler.kind,
            layer: event.layer.as_ref().map(|layer| layer.name.as_str()),
            event: &event.name.name,
            message: message_of(event),
        }
    }
}

/// The message that a `deliver` is about: `Join` of `deliver(_, Join { joiner, .. })`.
pub fn message_of(event: &Event) -> Option<&str> {
    match (event.name.name.as_str(), event.args.as_deref()) {
        ("deliver", Some([_, message])) => {
            let text = &message.pattern.text;
            let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
            Some(&text[..end]).filter(|name| name.starts_with(char::is_uppercase))
        }
        _ => None,
    }
}

#[derive(Clone, Default)]
struct Surroundings<'a> {
    states: Option<BTreeSet<&'a str>>,
    first: Option<u32>,
}

fn collect<'a>(
    transitions: impl Iterator<Item = &'a Transition>,
    around: &Surroundings<'a>,
    found: &mut (Vec<Placed<'a>>, Vec<Ignored<'a>>),
) {
    for transition in transitions {
        match transition {
            Transition::Handler(handler) => {
                let states = narrowed(&around.states, handler.states.as_ref());
                found.0.push(Placed { handler, states, first: around.first });
            }
            Transition::In(group) => {
                let states = narrowed(&around.states, Some(&group.states));
                collect(group.transitions.iter(), &Surroundings { states, ..around.clone() }, found);
            }
            Transition::First(group) => {
                let first = Some(group.span.start);
                collect(group.transitions.iter(), &Surroundings { first, ..around.clone() }, found);
            }
            Transition::Ignore(ignore) => {
                let states = narrowed(&around.states, ignore.states.as_ref());
                found.1.push(Ignored { ignore, states });
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::source::SourceFile;

    #[test]
    fn handlers_overlap_by_event_state_and_first() {
        let file = SourceFile::new(
            "a.mace",
            "service A {
                states { Idle, Busy }
                transitions {
                    in Idle { upcall a: deliver(_, Go) { }  upcall b: deliver(_, Go) in Busy | Idle { } }
                    upcall c: deliver(_, Go) in Busy { }
                    upcall d: deliver(_, Go) otherwise { }
                    upcall e: deliver(_, Stop { .. }) { }
                    first { upcall f: deliver(_, Stop) { }  upcall g: deliver(_, Stop { x }) { } }
                    aspect x(_) { }  aspect x(_) { }
                    ignore deliver(_, Go) in Busy;
                }
            }",
        );
        let (ast, _) = parse(&file);
        let (placed, ignored) = placed(ast.services().next().unwrap());
        let mut pairs = vec![];
        for (at, one) in placed.iter().enumerate() {
            for other in placed[at + 1..].iter().filter(|other| overlap(one, other)) {
                let name = |placed: &Placed<'_>| placed.handler.name.as_ref().unwrap().name.clone();
                pairs.push(name(one) + &name(other));
            }
        }
        assert_eq!(pairs, ["ab", "ef", "eg"]);
        assert_eq!(placed[1].states, Some(BTreeSet::from(["Idle"])));
        assert_eq!(ignored[0].states, Some(BTreeSet::from(["Busy"])));
    }
}
