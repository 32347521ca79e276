//! Surveys of the bodies of a service: each is walked with the types of what its head binds.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;

use crate::ast::{Guard, Service};
use crate::body::{Scope, Survey, Surveyor};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{CallKind, FieldName};
use crate::source::Span;
use crate::types::Type;

use super::{Checked, Head, Heads, Trigger};

/// The surveys of a service.
pub(super) struct Surveys {
    /// Of the handlers, in file order.
    pub handlers: Vec<Survey>,
    /// Of the routines, by name.
    pub routines: BTreeMap<String, Survey>,
    /// Of constants, defaults, initial values and intervals, by the name of what has them.
    pub values: BTreeMap<String, Survey>,
}

pub(super) fn survey(
    checked: &Checked<'_>,
    index: usize,
    service: &Service,
    heads: &Heads<'_>,
    acting: &BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> Surveys {
    let mut mistakes = Vec::new();
    let mut finish = |surveyor: Surveyor<'_>| {
        let mut survey = surveyor.survey;
        mistakes.append(&mut survey.mistakes);
        survey
    };
    let handlers: Vec<Survey> =
        heads.handlers.iter().map(|head| finish(handler(checked, index, acting, head))).collect();
    let mut routines = BTreeMap::new();
    for routine in service.routines() {
        if let Some(function) = checked.rust.function(&routine.fragment) {
            let mut surveyor = surveyor(checked, index, acting);
            for input in &function.sig.inputs {
                if let syn::FnArg::Typed(typed) = input {
                    let ty = checked.names.types.resolve(&typed.ty);
                    let by_reference = matches!(&*typed.ty, syn::Type::Reference(_));
                    let ty = if by_reference { ty.referenced() } else { ty };
                    surveyor.scope.bind(&typed.pat, &ty, false);
                }
            }
            surveyor.visit_block(&function.block);
            if let (syn::ReturnType::Type(_, ty), Some(syn::Stmt::Expr(value, None))) =
                (&function.sig.output, function.block.stmts.last())
            {
                surveyor.kept(&checked.names.types.resolve(ty), value);
            }
            routines.insert(routine.name.name.clone(), finish(surveyor));
        }
    }
    let mut values = BTreeMap::new();
    for timer in service.timers() {
        if let Some(every) = timer.every.as_ref().and_then(|it| checked.rust.expr(it)) {
            let mut surveyor = surveyor(checked, index, acting);
            surveyor.visit_expr(every);
            surveyor.delay("an interval is", every);
            values.insert(timer.name.name.clone(), finish(surveyor));
        }
    }
    for (name, ty, value) in initial(checked, service) {
        let mut surveyor = surveyor(checked, index, acting);
        surveyor.visit_expr(value);
        surveyor.expect(&format!("`{name}`"), &ty, value);
        values.insert(name.to_owned(), finish(surveyor));
    }
    // What was said of the same place or of a part of it, in better words, is not said again.
    let known: Vec<Span> = diagnostics.iter().map(|it| it.span).collect();
    let said = |span: Span| known.iter().any(|it| span.contains(*it));
    diagnostics.extend(mistakes.into_iter().filter(|it| !said(it.span)));
    let own = &checked.names.services[index];
    let handled = heads.handlers.iter().zip(&handlers);
    // An aspect of a ghost changes ghosts alone, as is looked at elsewhere.
    let handled = handled.filter(|(head, _)| head.watched_ghost(own).is_none());
    let bodies = handled.map(|(head, it)| (&head.name, it)).chain(&values);
    ghosts(bodies, &routines, diagnostics);
    Surveys { handlers, routines, values }
}

/// The constants, defaults of parameters and initial values of variables of a service, each with its name and its type.
fn initial<'c>(
    checked: &'c Checked<'_>,
    service: &'c Service,
) -> impl Iterator<Item = (&'c str, Type, &'c syn::Expr)> {
    let consts = service.consts().map(|it| (&it.name, &it.ty, Some(&it.value)));
    let parameters = service.parameters().map(|it| (&it.name, &it.ty, it.default.as_ref()));
    let variables = service.variables().map(|it| (&it.name, &it.ty, it.initial.as_ref()));
    consts.chain(parameters).chain(variables).filter_map(|(name, ty, value)| {
        let declared = checked.rust.ty(ty)?;
        let ty = checked.names.types.resolve(declared);
        let ty = if matches!(declared, syn::Type::Reference(_)) { ty.referenced() } else { ty };
        Some((name.name.as_str(), ty, checked.rust.expr(value?)?))
    })
}

/// Reports bodies that depend on a ghost, directly or through a routine. A routine may read one: properties call it.
fn ghosts<'s>(
    bodies: impl Iterator<Item = (&'s String, &'s Survey)>,
    routines: &BTreeMap<String, Survey>,
    diagnostics: &mut Diagnostics,
) {
    for (name, survey) in bodies {
        let direct = survey.ghosts.iter().next().map(|(ghost, place)| (ghost.clone(), *place, None));
        let through = || {
            survey.relied_on.iter().find_map(|(routine, place)| {
                ghost_of(routine, routines).map(|(ghost, span)| (ghost, *place, Some((routine, span))))
            })
        };
        let Some((ghost, place, routine)) = direct.or_else(through) else { continue };
        let mut found = Diagnostic::error("E0421", place, format!("`{name}` depends on the ghost `{ghost}`"))
            .with_label("ghosts exist for properties alone, and a live node has none")
            .with_help(format!(
                "read it in a property, or to change a ghost; else declare `{ghost}` without `ghost`"
            ));
        if let Some((routine, span)) = routine {
            found = found.with_secondary(span, format!("the routine `{routine}` reads it"));
        }
        diagnostics.push(found);
    }
}

/// A ghost on which a routine depends, itself or through those that it calls.
fn ghost_of(routine: &str, routines: &BTreeMap<String, Survey>) -> Option<(String, Span)> {
    let (mut seen, mut work) = (vec![routine], vec![routine]);
    while let Some(survey) = work.pop().and_then(|it| routines.get(it)) {
        if let Some((ghost, span)) = survey.ghosts.iter().next() {
            return Some((ghost.clone(), *span));
        }
        for next in
            survey.relied_on.keys().map(String::as_str).filter(|it| !seen.contains(it)).collect::<Vec<_>>()
        {
            seen.push(next);
            work.push(next);
        }
    }
    None
}

fn surveyor<'c>(checked: &'c Checked<'_>, index: usize, acting: &'c BTreeSet<String>) -> Surveyor<'c> {
    Surveyor::new(Scope::new(&checked.names, index).with_acting(acting), checked.places)
}

fn handler<'c>(
    checked: &'c Checked<'_>,
    index: usize,
    acting: &'c BTreeSet<String>,
    head: &Head<'_>,
) -> Surveyor<'c> {
    let mut surveyor = surveyor(checked, index, acting);
    let types = head.trigger.map(|trigger| arguments(checked, index, trigger)).unwrap_or_default();
    for (at, pattern) in head.patterns.iter().enumerate() {
        surveyor.scope.bind(pattern, types.get(at).unwrap_or(&Type::Unknown), true);
    }
    if let (Some(Trigger::Deliver(_)), Some(syn::Pat::Ident(sender))) = (head.trigger, head.patterns.first())
    {
        surveyor.sender = Some(sender.ident.to_string());
    }
    for choose in &head.handler.chooses {
        if let Some(set) = checked.rust.expr(&choose.set) {
            surveyor.chosen(&choose.name.name, set);
        }
    }
    if let Some(Guard::When(guard)) = &head.handler.guard
        && let Some(guard) = checked.rust.expr(guard)
    {
        surveyor.condition(guard);
        surveyor.truth(guard);
    }
    surveyor.head_ends();
    if let Some(Trigger::Call(call)) = head.trigger
        && checked.names.call_at(call).kind == CallKind::Request
    {
        let answer = checked.names.call_at(call).answer.as_ref();
        surveyor.answer = answer.map(|it| checked.names.types.resolve(it));
    }
    if let Some(block) = checked.rust.block(&head.handler.body) {
        surveyor.visit_block(block);
    }
    surveyor
}

/// The types of an event's arguments, in order.
fn arguments(checked: &Checked<'_>, index: usize, trigger: Trigger) -> Vec<Type> {
    let (names, service) = (&checked.names, &checked.names.services[index]);
    let resolve = |ty: &Option<syn::Type>| ty.as_ref().map_or(Type::Unknown, |it| names.types.resolve(it));
    let fields = |fields: &[FieldName]| fields.iter().map(|it| resolve(&it.ty)).collect();
    match trigger {
        Trigger::Start => Vec::new(),
        // The fields of the message are found by its name.
        Trigger::Deliver(_) => vec![Type::Node(None), Type::Unknown],
        Trigger::Broken => vec![Type::Node(None)],
        Trigger::Timer(timer) => fields(&service.timers[timer].params),
        Trigger::Call(call) | Trigger::Query(call) | Trigger::Upcall(_, call) => {
            fields(&names.call_at(call).params)
        }
        Trigger::Answered(_, call) => vec![Type::Unknown, resolve(&names.call_at(call).answer)],
        Trigger::Aspect(None) => vec![Type::State(index)],
        Trigger::Aspect(Some(variable)) => vec![resolve(&service.variables[variable].ty)],
    }
}
