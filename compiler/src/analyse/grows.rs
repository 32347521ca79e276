//! Variables that only grow: a service with one has no end of states, so a check of it ends at a bound or never.
//!
//! Reported is a number that is added to, or a sequence or text that is lengthened, again and again, tested nowhere on the way, in a
//! service that some system checks without a bound on depth or states. Again and again: on a timer that is always on, or behind a
//! cycle of messages and timers in which no guard and no branch stands. Sets and maps are left out: what is put into them is most
//! often there already.

use std::collections::{BTreeMap, BTreeSet};

use super::setting::Setting;
use super::whole::Whole;
use crate::ast::{Ident, ModifierKind, Service};
use crate::check::{Checked, Trigger};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::MessageRef;
use crate::source::Span;
use crate::types::Type;

/// What happens to services of the file and may happen again: the nodes of a graph of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Own(usize, MessageRef),
    Shared(usize),
    Timer(usize, usize),
}

/// The handlers of each service that may run without end: they stand behind a cycle of messages and timers.
pub(super) fn endless(checked: &Checked<'_>) -> Vec<BTreeSet<usize>> {
    let cause = |service: usize, message: MessageRef| match message.shared {
        true => Cause::Shared(message.index),
        false => Cause::Own(service, message),
    };
    let mut edges: BTreeMap<Cause, BTreeSet<Cause>> = BTreeMap::new();
    let mut handlers: Vec<(usize, usize, Cause)> = Vec::new();
    let mut begun: BTreeSet<Cause> = BTreeSet::new();
    for (service, facts) in checked.services.iter().enumerate() {
        let timers = &checked.names.services[service].timers;
        let periodic = timers.iter().enumerate().filter(|(_, it)| it.is_periodic);
        begun.extend(periodic.map(|(at, _)| Cause::Timer(service, at)));
        for (at, head) in facts.heads.handlers.iter().enumerate() {
            let from = match head.trigger {
                Some(Trigger::Deliver(message)) => cause(service, message),
                Some(Trigger::Timer(timer)) => Cause::Timer(service, timer),
                _ => continue,
            };
            handlers.push((service, at, from));
            // A condition may end the cycle.
            if head.handler.guard.is_some() {
                continue;
            }
            let own = &facts.surveys[at];
            let sent = own.sends.iter().filter(|it| it.always).map(|it| cause(service, it.message));
            let armed = timers.iter().enumerate().filter(|(_, it)| own.arms.contains(&it.name));
            let armed = armed.map(|(timer, _)| Cause::Timer(service, timer));
            edges.entry(from).or_default().extend(sent.chain(armed));
        }
    }
    let reached = |from: Cause| {
        let (mut seen, mut work) = (BTreeSet::new(), vec![from]);
        while let Some(next) = work.pop() {
            let further = edges.get(&next).into_iter().flatten().copied();
            work.extend(further.filter(|it| seen.insert(*it)).collect::<Vec<_>>());
        }
        seen
    };
    let cycles = edges.keys().copied().filter(|it| begun.contains(it) || reached(*it).contains(it));
    let mut endless: BTreeSet<Cause> = cycles.collect();
    endless.extend(endless.clone().into_iter().flat_map(reached));
    let mut found = vec![BTreeSet::new(); checked.services.len()];
    for (service, at, _) in handlers.into_iter().filter(|(_, _, cause)| endless.contains(cause)) {
        found[service].insert(at);
    }
    found
}

/// The variables of a service that only grow, each with where it does.
pub(super) fn growing(
    checked: &Checked<'_>,
    index: usize,
    service: &Service,
    (wholes, endless): (&[Whole], &BTreeSet<usize>),
) -> Vec<(Ident, Span)> {
    let names = &checked.names.services[index];
    let mut found = Vec::new();
    for variable in service.variables().filter(|it| !it.is(ModifierKind::Ghost)) {
        let name = &variable.name.name;
        let ty = names.variable(name).and_then(|it| it.ty.as_ref());
        let ty = ty.map(|ty| checked.names.types.resolve(ty));
        let lengthens = matches!(ty, Some(Type::Seq(_) | Type::Text | Type::Int(_) | Type::Duration));
        let unbounded = lengthens && ty.is_some_and(|ty| checked.names.types.unbounded(&ty) == Some(true));
        if !unbounded || wholes.iter().any(|it| it.survey.replaced.contains(name)) {
            continue;
        }
        // What a condition reads may bound it.
        let grown = endless.iter().find_map(|at| {
            let survey = &wholes[*at].survey;
            survey.grown.get(name).filter(|_| !survey.tested.contains(name))
        });
        found.extend(grown.map(|grown| (variable.name.clone(), *grown)));
    }
    found
}

pub(super) fn warnings(found: &[(Ident, Span)], settings: &[Setting<'_>], diagnostics: &mut Diagnostics) {
    let Some(setting) = settings.iter().find(|it| !it.is_bounded()) else { return };
    for (variable, grown) in found {
        let name = &variable.name;
        let text =
            format!("`{name}` only grows, and `{}` is checked without a bound", setting.system.name.name);
        diagnostics.push(
            Diagnostic::warning("W0301", variable.span, text)
                .with_label("there is no end of values, so a check finds no end of states")
                .with_secondary(*grown, "grows here, again and again")
                .with_help("take away what is no longer needed, or bound the check: `check { depth: 20; }`")
                .about(name),
        );
    }
}
