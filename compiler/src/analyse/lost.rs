//! One-shot timers that can be lost: each firing is to arm the next, and one of them may find nobody who does.
//!
//! Such a timer is armed by its own handlers and by `start()` alone. If it fires in a control state in which it has no handler, the
//! firing is consumed and the chain is broken, which matters if the node comes back to a state with a handler. A timer that anything
//! else arms as well is not reported.
//!
//! A crash clears timers. One is lost with it where what it is for survives: it was armed by a handler that changed durable variables
//! and no others, and after a restart nothing arms it: neither `start()` and what follows from that, nor what any timer that is always
//! on leads to, here or at a peer, nor a lower layer. What an application called for it calls for again, unless the timer's handler
//! reads what the call has left.

use std::collections::{BTreeMap, BTreeSet};

use super::setting::Setting;
use super::whole::Whole;
use crate::ast::{ModifierKind, Service};
use crate::check::{Checked, Trigger};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::MessageRef;

pub(super) fn warnings(checked: &Checked<'_>, index: usize, wholes: &[Whole], diagnostics: &mut Diagnostics) {
    let (facts, service) = (&checked.services[index], &checked.names.services[index]);
    let heads = &facts.heads;
    for (at, timer) in service.timers.iter().enumerate().filter(|(_, it)| !it.is_periodic) {
        let (mut sustained, mut elsewhere) = (None, false);
        for (head, _) in heads.handlers.iter().zip(wholes).filter(|(_, it)| it.arms.contains(&timer.name)) {
            match head.trigger {
                Some(Trigger::Timer(own)) if own == at => sustained = sustained.or(Some(head)),
                Some(Trigger::Start) => {}
                _ => elsewhere = true,
            }
        }
        let Some(sustained) = sustained.filter(|_| !elsewhere) else { continue };
        let mut covered: BTreeSet<&String> = BTreeSet::new();
        let handled =
            heads.handlers.iter().filter(|it| it.trigger == Some(Trigger::Timer(at))).map(|it| &it.states);
        let ignored =
            heads.ignores.iter().filter(|it| it.trigger == Some(Trigger::Timer(at))).map(|it| &it.states);
        let mut everywhere = false;
        for states in handled.chain(ignored) {
            match states {
                None => everywhere = true,
                Some(states) => covered.extend(states),
            }
        }
        let open: Vec<&str> = service
            .states
            .iter()
            .filter(|it| !covered.contains(&it.name))
            .map(|it| it.name.as_str())
            .collect();
        if everywhere || open.is_empty() {
            continue;
        }
        // What never leads back has no more use for the timer.
        let leads_back = heads.handlers.iter().zip(wholes).any(|(head, whole)| {
            let leaves = head.states.as_ref().is_none_or(|it| open.iter().any(|state| it.contains(*state)));
            // Where a node starts, the timer starts with it.
            let leaves = leaves && head.trigger != Some(Trigger::Start);
            leaves && (whole.survey.enters_any || whole.survey.entered.iter().any(|it| covered.contains(it)))
        });
        if !leads_back {
            continue;
        }
        let (name, states) = (&timer.name, open.join(" | "));
        diagnostics.push(
            Diagnostic::warning("W0403", timer.span, format!("`{name}` is lost if it fires in {states}"))
                .with_label("nothing arms it again after that")
                .with_secondary(sustained.handler.event.span, "only this arms it again")
                .with_help(format!("handle it there too, declare it with `every`, or say that it ends: `ignore {name} in {states};`"))
                .about(name),
        );
    }
}

/// Timers that a crash takes away from durable variables that need them.
pub(super) fn by_crashes(
    checked: &Checked<'_>,
    index: usize,
    service: &Service,
    (wholes, settings): (&[Whole], &[Setting<'_>]),
    diagnostics: &mut Diagnostics,
) {
    let Some(setting) = settings.iter().find(|it| it.crashes && it.comes_back) else { return };
    let durable: BTreeSet<&String> =
        service.variables().filter(|it| it.is(ModifierKind::Durable)).map(|it| &it.name.name).collect();
    let ghosts: BTreeSet<&String> =
        service.variables().filter(|it| it.is(ModifierKind::Ghost)).map(|it| &it.name.name).collect();
    if durable.is_empty() {
        return;
    }
    let names = &checked.names.services[index];
    let heads = &checked.services[index].heads.handlers;
    let again = armed_again(checked, index);
    for (at, timer) in names.timers.iter().enumerate().filter(|(_, it)| !it.is_periodic) {
        if again.contains(&at) {
            continue;
        }
        let own = Some(Trigger::Timer(at));
        let fired = heads.iter().zip(wholes).filter(|(head, _)| head.trigger == own);
        let mut needs: BTreeSet<&String> = BTreeSet::new();
        let mut by_state = false;
        for (head, whole) in fired {
            needs.extend(whole.survey.reads.iter().chain(&whole.survey.guard_reads));
            by_state |= head.states.is_some();
        }
        let arming = heads
            .iter()
            .zip(wholes)
            .filter(|(head, whole)| head.trigger != own && whole.arms.contains(&timer.name));
        let found = arming.filter_map(|(head, whole)| {
            let changed: BTreeSet<&String> = whole.writes.iter().filter(|it| !ghosts.contains(it)).collect();
            let called = matches!(head.trigger, Some(Trigger::Call(_))) && changed.is_disjoint(&needs);
            let survives = !changed.is_empty() && changed.is_subset(&durable);
            (survives && !called && !by_state).then_some((head, changed))
        });
        let Some((head, reason)) = found.into_iter().next() else { continue };
        let (name, kept) = (&timer.name, quoted(&reason));
        let text = format!("`{name}` is lost when a node crashes, and what it is for survives");
        diagnostics.push(
            Diagnostic::warning("W0403", timer.span, text)
                .with_label("a crash clears timers, and nothing arms it after a restart")
                .with_secondary(head.handler.event.span, format!("armed here, with {kept}, which is durable"))
                .with_help(format!(
                    "arm it again where it is needed: `upcall start() {{ if .. {{ {name}.set(..); }} }}`"
                ))
                .with_note(format!("`{}` crashes such nodes and brings them back", setting.system.name.name))
                .about(name),
        );
    }
}

fn quoted(names: &BTreeSet<&String>) -> String {
    names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" and ")
}

/// What happens: the nodes of a graph of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Start(usize),
    Timer(usize, usize),
    Own(usize, MessageRef),
    Shared(usize),
    /// A lower layer, the connections, a change of a variable: what may come at any time.
    Other,
}

/// The timers of a service that something arms in every life of a node.
fn armed_again(checked: &Checked<'_>, index: usize) -> BTreeSet<usize> {
    let message = |service: usize, it: MessageRef| match it.shared {
        true => Cause::Shared(it.index),
        false => Cause::Own(service, it),
    };
    let mut edges: BTreeMap<Cause, Vec<Cause>> = BTreeMap::new();
    let mut work = vec![Cause::Start(index), Cause::Other];
    for (service, facts) in checked.services.iter().enumerate() {
        let timers = &checked.names.services[service].timers;
        let periodic = timers.iter().enumerate().filter(|(_, it)| it.is_periodic);
        work.extend(periodic.map(|(at, _)| Cause::Timer(service, at)));
        for (head, whole) in facts.heads.handlers.iter().zip(super::whole::wholes(facts)) {
            let from = match head.trigger {
                Some(Trigger::Start) => Cause::Start(service),
                Some(Trigger::Timer(timer)) => Cause::Timer(service, timer),
                Some(Trigger::Deliver(it)) => message(service, it),
                // The application calls when it wants to, not because a node came back.
                Some(Trigger::Call(_) | Trigger::Query(_)) | None => continue,
                Some(_) => Cause::Other,
            };
            let armed = timers.iter().enumerate().filter(|(_, it)| whole.arms.contains(&it.name));
            let armed = armed.map(|(at, _)| Cause::Timer(service, at));
            let sent = whole.survey.sends.iter().map(|it| message(service, it.message));
            edges.entry(from).or_default().extend(armed.chain(sent));
        }
    }
    let mut seen: BTreeSet<Cause> = work.iter().copied().collect();
    while let Some(next) = work.pop() {
        let further = edges.get(&next).into_iter().flatten().copied();
        work.extend(further.filter(|it| seen.insert(*it)).collect::<Vec<_>>());
    }
    let own = |cause: Cause| {
        if let Cause::Timer(service, at) = cause { (service == index).then_some(at) } else { None }
    };
    seen.into_iter().filter_map(own).collect()
}
