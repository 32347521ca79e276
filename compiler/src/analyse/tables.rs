//! What the analyses know, gathered for the tables of the generated code and for documentation.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Ordered;
use super::usage::Traffic;
use super::{overlaps, pairs, tunings};
use crate::body::{Effect, Facts, Sent, Site, Survey};
use crate::check::{Checked, Head, ServiceFacts, Trigger};
use crate::ir::{self, Deeds, Ids, Sending, Tables};
use crate::names::{CallRef, FieldName, MessageName, ServiceNames};

/// The tables of the service at `index`.
pub(super) fn tables(
    checked: &Checked<'_>,
    index: usize,
    (ordered, grows, traffic): (&[Ordered], Vec<String>, &Traffic),
) -> Tables {
    let (facts, names) = (&checked.services[index], &checked.names.services[index]);
    let deeds = (0..facts.heads.handlers.len()).map(|at| deeds(checked, facts, names, at));
    let message = |at| checked.names.message_at(names, at).name.clone();
    let unhandled = pairs::unhandled(checked, index);
    let overlaps = overlaps::overlaps(checked, index).into_iter().filter_map(|it| {
        let heads: Vec<&Head<'_>> = it.handlers.iter().map(|at| &facts.heads.handlers[*at]).collect();
        let event = event(checked, names, heads.first()?.trigger?);
        let handlers = heads.iter().map(|it| it.name.clone()).collect();
        Some(ir::Overlap { event, states: it.states, handlers })
    });
    let (unsent, unwanted) = traffic.open(checked, index);
    Tables {
        layers: names.layers.iter().map(|it| it.name.clone()).collect(),
        deeds: deeds.collect(),
        ids: ids(checked, names),
        ordered: ordered.iter().map(|it| lowered(checked, it)).collect(),
        grows,
        unhandled: unhandled.into_iter().map(|(at, states)| (message(at), states)).collect(),
        unsent,
        unwanted,
        overlaps: overlaps.collect(),
        tunings: tunings::tunings(facts, names),
        waits: tunings::waits(checked, index),
    }
}

pub(super) fn lowered(checked: &Checked<'_>, it: &Ordered) -> ir::Ordered {
    ir::Ordered { place: it.place.clone(), line: checked.places.line(it.span), what: it.what.clone() }
}

/// The text by which the generated tables call an event.
fn event(checked: &Checked<'_>, names: &ServiceNames, trigger: Trigger) -> String {
    let call = |at: CallRef| &checked.names.call_at(at).name;
    match trigger {
        Trigger::Start => "start".to_owned(),
        Trigger::Broken => "broken".to_owned(),
        Trigger::Deliver(message) => format!("deliver {}", checked.names.message_at(names, message).name),
        Trigger::Timer(timer) => format!("timer {}", names.timers[timer].name),
        Trigger::Call(at) => format!("downcall {}", call(at)),
        Trigger::Query(at) => format!("query {}", call(at)),
        Trigger::Upcall(slot, at) => format!("upcall {}.{}", names.layers[slot].name, call(at)),
        Trigger::Answered(slot, at) => format!("answer {}.{}", names.layers[slot].name, call(at)),
        Trigger::Aspect(None) => "aspect state".to_owned(),
        Trigger::Aspect(Some(variable)) => format!("aspect {}", names.variables[variable].name),
    }
}

/// The routines that are reached from those named.
fn reached<'f>(from: &BTreeSet<String>, facts: &'f ServiceFacts<'_>) -> Vec<(&'f Facts, Option<&'f Survey>)> {
    let mut found: BTreeMap<&String, (&Facts, Option<&Survey>)> = BTreeMap::new();
    let mut work: Vec<&String> = from.iter().collect();
    while let Some(name) = work.pop() {
        if let Some((name, routine)) = facts.routines.get_key_value(name)
            && found.insert(name, (routine, facts.surveyed.get(name))).is_none()
        {
            work.extend(routine.calls.keys());
        }
    }
    found.into_values().collect()
}

fn deeds(checked: &Checked<'_>, facts: &ServiceFacts<'_>, names: &ServiceNames, at: usize) -> Deeds {
    let (head, own, survey) = (&facts.heads.handlers[at], &facts.handlers[at], &facts.surveys[at]);
    let (guards, routines) = (reached(&survey.guard_calls, facts), reached(&survey.calls, facts));
    let bodies = || routines.iter().copied().chain([(own, Some(survey))]);
    let surveys = || bodies().filter_map(|(_, it)| it);
    let sorted = |names: BTreeSet<&String>| names.into_iter().cloned().collect::<Vec<String>>();
    let guard_reads =
        guards.iter().filter_map(|(_, it)| *it).flat_map(|it| &it.reads).chain(&survey.guard_reads);
    let calls = |of: BTreeSet<(usize, CallRef)>| {
        let name = |(slot, at): (usize, CallRef)| {
            format!("{}.{}", names.layers[slot].name, checked.names.call_at(at).name)
        };
        of.into_iter().map(name).collect::<Vec<_>>()
    };
    let chosen = head.handler.chooses.iter().map(|it| format!("{}.{}", head.name, it.name.name));
    // How long until it fires again is decided with a firing.
    let interval = match head.trigger {
        Some(Trigger::Timer(timer)) => facts.intervals.get(&names.timers[timer].name),
        _ => None,
    };
    let sites = |of: fn(&Site) -> bool| {
        let bodies = bodies().map(|(it, _)| it).chain(interval);
        bodies.flat_map(|it| &it.sites).filter(move |it| of(it)).map(|it| it.name.clone())
    };
    let mut sends: Vec<Sending> =
        surveys().flat_map(|it| &it.sends).map(|it| sending(checked, names, it)).collect();
    sends.sort();
    sends.dedup();
    let asks = bodies().chain(guards.iter().copied()).flat_map(|(it, _)| it.asked.iter().copied());
    Deeds {
        handler: head.name.clone(),
        states: match &head.states {
            Some(states) => {
                names.states.iter().map(|it| &it.name).filter(|it| states.contains(*it)).cloned().collect()
            }
            None => Vec::new(),
        },
        guard_reads: sorted(guard_reads.collect()),
        reads: sorted(surveys().flat_map(|it| &it.reads).collect()),
        writes: sorted(bodies().flat_map(|(it, _)| it.writes.keys()).collect()),
        enters: sorted(surveys().flat_map(|it| &it.entered).collect()),
        sends,
        sets: sorted(bodies().flat_map(|(it, _)| &it.timers_set).collect()),
        cancels: sorted(bodies().flat_map(|(it, _)| &it.timers_cancelled).collect()),
        emits: sorted(bodies().flat_map(|(it, _)| &it.upcalls).collect()),
        calls: calls(bodies().flat_map(|(it, _)| it.called.iter().copied()).collect()),
        asks: calls(asks.collect()),
        answers: bodies().any(|(it, _)| it.effects.iter().any(|(effect, _)| *effect == Effect::Answer)),
        choices: chosen.chain(sites(|it| it.open)).collect(),
        chances: sites(|it| it.chance).collect(),
    }
}

fn sending(checked: &Checked<'_>, names: &ServiceNames, it: &Sent) -> Sending {
    let message = checked.names.message_at(names, it.message);
    let over = match it.layer {
        Some(slot) => names.layers.get(slot).map(|it| it.name.clone()),
        None => names.carriers.get(message.slot).map(|it| it.name.clone()),
    };
    Sending {
        line: checked.places.line(it.span),
        message: message.name.clone(),
        over: over.unwrap_or_default(),
        to: it.to.clone(),
        receiver: it.receiver.word(),
        always: it.always,
    }
}

/// Where ids stand in what a service keeps, sends, arms and is told.
fn ids(checked: &Checked<'_>, names: &ServiceNames) -> Vec<Ids> {
    let mut found = Vec::new();
    let mut add = |of: String, start: &str, ty: Option<&syn::Type>| {
        let places = match ty {
            Some(ty) => checked.names.types.id_places(ty),
            None => vec![(String::new(), false)],
        };
        for (path, known) in places {
            found.push(Ids { of: of.clone(), path: format!("{start}{path}"), known });
        }
    };
    for it in &names.parameters {
        add(format!("parameter {}", it.name), "", it.ty.as_ref());
    }
    for it in &names.variables {
        add(format!("variable {}", it.name), "", it.ty.as_ref());
    }
    let fields = |add: &mut dyn FnMut(String, &str, Option<&syn::Type>), of: String, fields: &[FieldName]| {
        for field in fields {
            add(of.clone(), &format!(".{}", field.name), field.ty.as_ref());
        }
    };
    let shared: Vec<&MessageName> = checked.names.messages_beside(names).collect();
    for it in names.messages.iter().chain(shared) {
        fields(&mut add, format!("message {}", it.name), &it.fields);
    }
    for it in &names.timers {
        fields(&mut add, format!("timer {}", it.name), &it.params);
    }
    for (_, call) in checked.names.provided(names) {
        let of = format!("{} {}", call.kind.word(), call.name);
        fields(&mut add, of.clone(), &call.params);
        if call.answer.is_some() {
            add(format!("answer {}", call.name), "", call.answer.as_ref());
        }
    }
    found
}
