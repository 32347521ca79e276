//! Choices of how long until a timer fires, and what objectives pay for by the second: what a runtime has to know to resolve such
//! a choice by a formula instead of by trying.
//!
//! A choice in a routine is one choice of all that call it: the time is a period if the timer's own handler does, itself or by
//! other routines.
//!
//! # Caveats
//! Of what is paid for the words of the text are looked at, so a variable of another service that has the same name is taken for
//! that of this one.

use std::collections::BTreeSet;

use super::setting::words;
use super::shapes::close;
use crate::ast::{Expr, Per, PerSecond};
use crate::body::Facts;
use crate::check::{Checked, Head, ServiceFacts, Trigger};
use crate::ir::{Tuning, Wait};
use crate::lower::literal;
use crate::names::ServiceNames;

/// The choices of a service that set a timer.
pub(super) fn tunings(facts: &ServiceFacts<'_>, names: &ServiceNames) -> Vec<Tuning> {
    let mut found = Vec::new();
    let mut add = |choice: &str, timer: &str, again: bool| {
        let each = names.timers.iter().any(|it| it.name == timer && !it.params.is_empty());
        found.push(Tuning { choice: choice.to_owned(), timer: timer.to_owned(), again, each });
    };
    let handlers = || {
        let own = |head: &Head<'_>| match head.trigger {
            Some(Trigger::Timer(timer)) => Some(names.timers[timer].name.as_str()),
            _ => None,
        };
        facts.heads.handlers.iter().map(own).zip(&facts.handlers)
    };
    for (own, body) in handlers() {
        body.tuned.iter().for_each(|(choice, timer)| add(choice, timer, own == Some(timer.as_str())));
    }
    for (name, routine) in &facts.routines {
        for (choice, timer) in &routine.tuned {
            let calls = |body: &Facts| close(body, &facts.routines).contains_key(name.as_str());
            let again = handlers().any(|(own, body)| own == Some(timer.as_str()) && calls(body));
            add(choice, timer, again);
        }
    }
    for (timer, interval) in &facts.intervals {
        interval.sites.iter().filter(|it| it.open).for_each(|site| add(&site.name, timer, true));
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
