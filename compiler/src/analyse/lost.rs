//! One-shot timers that can be lost: each firing is to arm the next, and one of them may find nobody who does.
//!
//! Such a timer is armed by its own handlers and by `start()` alone. If it fires in a control state in which it has no handler, the
//! firing is consumed and the chain is broken, which matters if the node comes back to a state with a handler. A timer that anything
//! else arms as well is not reported.

use std::collections::BTreeSet;

use super::whole::Whole;
use crate::check::{Checked, Trigger};
use crate::diag::{Diagnostic, Diagnostics};

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
