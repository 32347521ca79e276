//! Rust in a service: every expression and body is walked once, for what it names and what it does.

use std::collections::BTreeMap;

use syn::visit::Visit;
use syn::visit_mut::VisitMut;

use crate::analyse;
use crate::ast::{Fragment, Guard, Service};
use crate::body::{Facts, Mode, RoutineShape, Walker, impurities};
use crate::diag::{Diagnostic, Diagnostics};

use super::{Checked, Heads, ServiceFacts};

pub(super) fn check<'a>(
    checked: &Checked<'a>,
    index: usize,
    service: &'a Service,
    heads: Heads<'a>,
    diagnostics: &mut Diagnostics,
) -> ServiceFacts<'a> {
    let none = BTreeMap::new();
    let mut bodies = Bodies { checked, index, none: &none, diagnostics };
    bodies.values(service);
    let mut routines = BTreeMap::new();
    for routine in service.routines() {
        if let Some(function) = checked.rust.function(&routine.fragment) {
            routines.insert(routine.name.name.clone(), bodies.routine(function));
        }
    }
    let shapes = analyse::shapes(&routines);
    let mut handlers = Vec::new();
    for head in &heads.handlers {
        handlers.push(bodies.handler(head, &routines));
    }
    ServiceFacts { heads, handlers, routines, shapes }
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

    /// Constants, defaults, initial values, intervals.
    fn values(&mut self, service: &Service) {
        for it in service.consts() {
            self.expr(&it.value, Mode::Constant, "");
        }
        for default in service.parameters().filter_map(|it| it.default.as_ref()) {
            self.expr(default, Mode::Constant, "");
        }
        for initial in service.variables().filter_map(|it| it.initial.as_ref()) {
            self.expr(initial, Mode::Initial, "");
        }
        for it in service.timers() {
            if let Some(every) = &it.every {
                self.expr(every, Mode::Every, &it.name.name);
            }
        }
    }

    fn expr(&mut self, fragment: &Fragment, mode: Mode, owner: &str) -> Facts {
        let Some(expr) = self.checked.rust.expr(fragment) else { return Facts::default() };
        self.pure(|purity| purity.visit_expr(expr));
        let mut walker = self.walker(mode).owned_by(owner, 0);
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
            self.walker(Mode::Routine { ctx: true }).owned_by(&owner, 0).with_arguments(patterns);
        walker.visit_block_mut(&mut function.block.clone());
        self.finish(walker)
    }

    fn handler(&mut self, head: &super::Head<'_>, routines: &BTreeMap<String, Facts>) -> Facts {
        let mut bound = head.bound();
        if let Some(super::Trigger::Call(call)) = head.trigger
            && self.checked.names.services[self.index].downcalls[call].has_result
        {
            bound.push("reply".to_owned());
        }
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
                self.walker(Mode::Handler).owned_by(&head.name, 0).with_head(chosen.iter().copied(), false);
            walker.visit_block_mut(&mut block.clone());
            facts = self.finish(walker);
        }
        for reading in used {
            facts.head_locals.extend(reading.head_locals);
            facts.calls.extend(reading.calls);
        }
        facts
    }

    /// A guard, or the set of a `choose`: it must change nothing, not even through a routine.
    fn reading(&mut self, fragment: &Fragment, bound: &[&str], routines: &BTreeMap<String, Facts>) -> Facts {
        let Some(expr) = self.checked.rust.expr(fragment) else { return Facts::default() };
        self.pure(|purity| purity.visit_expr(expr));
        let mut walker = self.walker(Mode::Guard).with_head(bound.iter().copied(), true);
        walker.visit_expr_mut(&mut expr.clone());
        let facts = self.finish(walker);
        let direct = Facts { effects: Vec::new(), ..facts.clone() };
        if let Some((what, span, routine)) = analyse::effects_of(&direct, routines) {
            let called = |name: &String| facts.calls.get(name).copied();
            let found = match routine.as_ref().map(|name| (name, called(name))) {
                None => Diagnostic::error("E0406", span, format!("this {what}, which is not possible here")),
                Some((name, place)) => {
                    let message = format!("the routine `{name}` {what}, so it cannot be called here");
                    let place =
                        place.or_else(|| facts.calls.values().next().copied()).unwrap_or(fragment.span);
                    Diagnostic::error("E0406", place, message).with_secondary(span, "here")
                }
            };
            self.diagnostics.push(
                found
                    .with_label("guards and the sets of a head's `choose` only read")
                    .with_help("do it in the body"),
            );
        }
        facts
    }
}
