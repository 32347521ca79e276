//! Choices of how long until a timer fires, and what objectives pay for by the second: what a runtime has to know to resolve such
//! a choice by a formula instead of by trying.
//!
//! # Caveats
//! A choice in a routine is not looked at: whose timer it sets depends on who calls it. Of what is paid for the words of the text
//! are looked at, so a variable of another service that has the same name is taken for that of this one.

use std::collections::BTreeSet;

use super::setting::words;
use crate::ast::{Expr, Per, PerSecond};
use crate::check::{Checked, ServiceFacts, Trigger};
use crate::ir::{Tuning, Wait};
use crate::lower::literal;
use crate::names::ServiceNames;

/// The choices of a service that set a timer.
pub(super) fn tunings(facts: &ServiceFacts<'_>, names: &ServiceNames) -> Vec<Tuning> {
    let mut found = Vec::new();
    for (head, body) in facts.heads.handlers.iter().zip(&facts.handlers) {
        let own = match head.trigger {
            Some(Trigger::Timer(timer)) => Some(&names.timers[timer].name),
            _ => None,
        };
        for (choice, timer) in &body.tuned {
            found.push(Tuning { choice: choice.clone(), timer: timer.clone(), again: own == Some(timer) });
        }
    }
    for (timer, interval) in &facts.intervals {
        for site in interval.sites.iter().filter(|it| it.open) {
            found.push(Tuning { choice: site.name.clone(), timer: timer.clone(), again: true });
        }
    }
    found
}

/// What the objectives of a service pay for by the second.
pub(super) fn waits(checked: &Checked<'_>, index: usize) -> Vec<Wait> {
    let (Some(service), names) = (checked.ast.services().nth(index), &checked.names.services[index]) else {
        return Vec::new();
    };
    let variables = |of: &[&Expr]| {
        let texts = of.iter().flat_map(|it| words(checked.places.file.slice(it.span)));
        let known = texts.filter(|word| names.variable(word).is_some());
        known.map(str::to_owned).collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    for objective in service.objectives() {
        for term in &objective.terms {
            let Some(Per::Second(second)) = &term.per else { continue };
            let PerSecond { binders, during, growth } = &**second;
            let innermost: Vec<&Expr> = binders.list.last().map(|it| &it.domain).into_iter().collect();
            let conditions: Vec<&Expr> = binders.filter.iter().chain(during).collect();
            found.push(Wait {
                objective: objective.name.name.clone(),
                price: literal(&term.amount).filter(|_| growth.is_none()),
                over: variables(&innermost),
                until: variables(&conditions),
            });
        }
    }
    found
}
