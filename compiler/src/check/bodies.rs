//! Rust in a service: every expression and body is walked once, for what it names and what it does.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::visit_mut::VisitMut;

use crate::analyse;
use crate::ast::{Fragment, Guard, Service};
use crate::body::{Effect, Facts, Mode, RoutineShape, Walker, Window, impurities};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{CallKind, ServiceNames};
use crate::source::Span;

use super::{Checked, Heads, ServiceFacts, survey};

pub(super) fn check<'a>(
    checked: &Checked<'a>,
    index: usize,
    service: &'a Service,
    heads: Heads<'a>,
    diagnostics: &mut Diagnostics,
) -> ServiceFacts<'a> {
    let none = BTreeMap::new();
    let mut bodies = Bodies { checked, index, none: &none, diagnostics };
    let initials = bodies.values(service);
    let mut routines = BTreeMap::new();
    for routine in service.routines() {
        if let Some(function) = checked.rust.function(&routine.fragment) {
            routines.insert(routine.name.name.clone(), bodies.routine(function));
        }
    }
    let shapes = analyse::shapes(&routines);
    bodies.initial_calls(&initials, &routines);
    let intervals = bodies.intervals(service, &routines);
    let mut handlers = Vec::new();
    for head in &heads.handlers {
        handlers.push(bodies.handler(head, &routines));
    }
    ghost_aspects(&checked.names.services[index], &heads, &handlers, &routines, diagnostics);
    let acting = acting(&checked.names.services[index], &routines);
    let surveys = survey::survey(checked, index, service, &heads, &acting, diagnostics);
    let survey::Surveys { handlers: surveys, routines: surveyed, values: valued } = surveys;
    ServiceFacts { heads, handlers, surveys, surveyed, valued, routines, initials, intervals, shapes }
}

/// The routines that do more than change ghosts and give a value.
fn acting(service: &ServiceNames, routines: &BTreeMap<String, Facts>) -> BTreeSet<String> {
    let acts = |facts| analyse::effects_beyond(facts, routines, Effect::is_inward, is_ghost(service));
    routines.iter().filter(|(_, facts)| acts(facts).is_some()).map(|(name, _)| name.clone()).collect()
}

fn is_ghost(service: &ServiceNames) -> impl Fn(&str) -> bool {
    |name| service.variable(name).is_some_and(|it| it.is_ghost)
}

/// Reports aspects of ghosts that do more than change ghosts: without the ghost they would never run.
fn ghost_aspects(
    service: &ServiceNames,
    heads: &Heads<'_>,
    handlers: &[Facts],
    routines: &BTreeMap<String, Facts>,
    diagnostics: &mut Diagnostics,
) {
    for (head, facts) in heads.handlers.iter().zip(handlers) {
        let Some(ghost) = head.watched_ghost(service) else { continue };
        let beyond = analyse::effects_beyond(facts, routines, Effect::is_inward, is_ghost(service));
        let Some((what, span, routine)) = beyond else { continue };
        let place = routine.and_then(|it| facts.calls.get(&it)).map_or(span, |it| *it);
        let message = format!("an aspect of the ghost `{ghost}` {what}");
        let mut found = Diagnostic::error("E0421", place, message)
            .with_label("what watches a ghost may change ghosts alone")
            .with_help(format!("do it where `{ghost}` is changed, or declare `{ghost}` without `ghost`"));
        if place != span {
            found = found.with_secondary(span, "here");
        }
        diagnostics.push(found);
    }
}

struct Bodies<'c, 'a, 'd> {
    checked: &'c Checked<'a>,
    index: usize,
    none: &'c BTreeMap<String, RoutineShape>,
    diagnostics: &'d mut Diagnostics,
}

impl<'c> Bodies<'c, '_, '_> {
    fn walker(&self, mode: Mode) -> Walker<'c> {
        let names = &self.checked.names;
        Walker::new(names, &names.services[self.index], self.checked.places, mode, self.none)
    }

    fn finish(&mut self, walker: Walker<'_>) -> Facts {
        self.diagnostics.extend(walker.diagnostics);
        walker.facts
    }

    /// Constants and defaults; what initial values and the fields of generic nodes do.
    fn values(&mut self, service: &Service) -> Vec<Facts> {
        for it in service.consts() {
            self.expr(&it.value, Mode::Constant, "");
        }
        for default in service.parameters().filter_map(|it| it.default.as_ref()) {
            self.expr(default, Mode::Constant, "");
        }
        let initial = service.variables().filter_map(|it| it.initial.as_ref());
        let sets = service.generic().flat_map(|it| &it.fields).map(|it| &it.set);
        initial.chain(sets).map(|it| self.expr(it, Mode::Initial, "")).collect()
    }

    /// Initial values may call routines that need no variable and do nothing: nothing has started yet.
    fn initial_calls(&mut self, initials: &[Facts], routines: &BTreeMap<String, Facts>) {
        for (name, place) in initials.iter().flat_map(|it| &it.calls) {
            let Some(own) = routines.get(name) else { continue };
            let reached = analyse::close(own, routines);
            let needs = |facts: &Facts| {
                let effect =
                    facts.effects.first().map(|(effect, span)| (effect.describe().to_owned(), *span));
                let reads = facts.variables.iter().chain(&facts.writes).next();
                effect.or(reads.map(|(name, span)| (format!("needs the variable `{name}`"), *span)))
            };
            let Some((what, span)) = needs(own).or_else(|| reached.into_values().find_map(needs)) else {
                continue;
            };
            let message = format!("the routine `{name}` {what}, so it cannot be called here");
            self.diagnostics.push(
                Diagnostic::error("E0413", *place, message)
                    .with_label("nothing has started, and no variable has a value yet")
                    .with_secondary(span, "here")
                    .with_help("hand it what it needs as arguments, or call it in `upcall start()`"),
            );
        }
    }

    /// The intervals of timers that are always on: they may choose, and change nothing, not even through a routine.
    fn intervals(
        &mut self,
        service: &Service,
        routines: &BTreeMap<String, Facts>,
    ) -> BTreeMap<String, Facts> {
        let mut intervals = BTreeMap::new();
        for it in service.timers() {
            let Some(every) = &it.every else { continue };
            let facts = self.expr(every, Mode::Every, &it.name.name);
            // Its own effects were refused already.
            let own = Facts { effects: Vec::new(), ..facts.clone() };
            let beyond = analyse::effects_beyond(&own, routines, Effect::is_for_intervals, |_| false);
            if let Some(beyond) = beyond {
                let found = refused(&facts, beyond, every.span);
                self.diagnostics.push(
                    found
                        .with_label("an interval may choose, and do nothing else")
                        .with_help("do it in the timer's handler"),
                );
            }
            intervals.insert(it.name.name.clone(), facts);
        }
        intervals
    }

    fn expr(&mut self, fragment: &Fragment, mode: Mode, owner: &str) -> Facts {
        let Some(expr) = self.checked.rust.expr(fragment) else { return Facts::default() };
        self.pure(|purity| purity.visit_expr(expr));
        let mut walker = self.walker(mode).owned_by(owner, 0).bound_to("every");
        walker.visit_expr_mut(&mut expr.clone());
        self.finish(walker)
    }

    fn pure(&mut self, visit: impl FnOnce(&mut crate::body::Purity)) {
        self.diagnostics.extend(impurities(visit, self.checked.places));
    }

    fn routine(&mut self, function: &syn::ItemFn) -> Facts {
        self.pure(|purity| purity.visit_item_fn(function));
        let patterns = function.sig.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(typed) => Some(&*typed.pat),
            syn::FnArg::Receiver(_) => None,
        });
        let owner = function.sig.ident.to_string();
        let mut walker =
            self.walker(Mode::Routine(Window::Step)).owned_by(&owner, 0).with_arguments(patterns);
        walker.visit_block_mut(&mut function.block.clone());
        self.finish(walker)
    }

    fn handler(&mut self, head: &super::Head<'_>, routines: &BTreeMap<String, Facts>) -> Facts {
        let mut bound = head.bound();
        if let Some(super::Trigger::Call(call)) = head.trigger
            && self.checked.names.call_at(call).kind == CallKind::Request
        {
            bound.push("reply".to_owned());
        }
        let is_query = matches!(head.trigger, Some(super::Trigger::Query(_)));
        let mode = if is_query { Mode::Query } else { Mode::Handler };
        let mut chosen: Vec<&str> = bound.iter().map(String::as_str).collect();
        let mut used = Vec::new();
        for choose in &head.handler.chooses {
            used.push(self.reading(&choose.set, &chosen, routines));
            chosen.push(&choose.name.name);
        }
        if let Some(Guard::When(guard)) = &head.handler.guard {
            used.push(self.reading(guard, &chosen, routines));
        }
        let mut facts = Facts::default();
        if let Some(block) = self.checked.rust.block(&head.handler.body) {
            self.pure(|purity| purity.visit_block(block));
            let mut walker =
                self.walker(mode).owned_by(&head.name, 0).with_head(chosen.iter().copied(), false);
            walker.visit_block_mut(&mut block.clone());
            facts = self.finish(walker);
            if is_query {
                self.answers(&facts, routines);
            }
        }
        for reading in used {
            facts.head_locals.extend(reading.head_locals);
            facts.calls.extend(reading.calls);
        }
        facts
    }

    /// The body of a query: it must change nothing, not even through a routine. Its own effects were refused already.
    fn answers(&mut self, facts: &Facts, routines: &BTreeMap<String, Facts>) {
        const LABEL: &str = "a query is answered from variables and lower layers alone, and changes nothing";
        const HELP: &str = "make it a command (no result) or a request (`-> Reply<..>`), which may do this";
        let own = Facts { effects: Vec::new(), ..facts.clone() };
        let effect = analyse::effects_of(&own, routines);
        let timer =
            analyse::asks_timers(&own, routines).map(|span| ("asks about a timer".to_owned(), span, None));
        let Some(beyond) = effect.or(timer) else { return };
        let span = beyond.1;
        let found = refused(facts, beyond, span);
        self.diagnostics.push(found.with_label(LABEL).with_help(HELP));
    }

    /// A guard, or the set of a `choose`: it must change nothing, not even through a routine.
    fn reading(&mut self, fragment: &Fragment, bound: &[&str], routines: &BTreeMap<String, Facts>) -> Facts {
        let Some(expr) = self.checked.rust.expr(fragment) else { return Facts::default() };
        self.pure(|purity| purity.visit_expr(expr));
        let mut walker = self.walker(Mode::Guard).with_head(bound.iter().copied(), true);
        walker.visit_expr_mut(&mut expr.clone());
        let facts = self.finish(walker);
        let direct = Facts { effects: Vec::new(), ..facts.clone() };
        if let Some(beyond) = analyse::effects_of(&direct, routines) {
            let found = refused(&facts, beyond, fragment.span);
            self.diagnostics.push(
                found
                    .with_label("guards and the sets of a head's `choose` only read")
                    .with_help("do it in the body"),
            );
        }
        facts
    }
}

/// Refuses what a body that may not does, directly or through a routine: what it does, where, and in which routine.
fn refused(facts: &Facts, beyond: (String, Span, Option<String>), otherwise: Span) -> Diagnostic {
    let (what, span, routine) = beyond;
    let direct = facts.writes.values().any(|it| *it == span);
    let called = routine.as_ref().and_then(|name| facts.calls.get(name));
    // Another routine stands between.
    let place = called.or_else(|| facts.calls.values().next()).copied();
    if direct || (routine.is_none() && place.is_none()) {
        return Diagnostic::error("E0406", span, format!("this {what}, which is not possible here"));
    }
    let name = routine.map_or_else(String::new, |name| format!(" `{name}`"));
    let message = format!("the routine{name} {what}, so it cannot be called here");
    Diagnostic::error("E0406", place.unwrap_or(otherwise), message).with_secondary(span, "here")
}
