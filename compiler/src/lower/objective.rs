//! Objectives: what messages, bytes, seconds and states are worth.

use std::collections::BTreeSet;

use quote::quote;

use crate::ast::{self, BinaryOp, Direction, Expr, ExprKind, Goal, Literal, LiteralKind, Per, UnaryOp};
use crate::check::{Checked, unknown};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::{Amount, Objective, Scale, Term};
use crate::names::CallKind;
use crate::types::Type;

use super::value::{Home, Lowerer, SystemScope};

pub(super) fn of_service(
    checked: &Checked<'_>,
    index: usize,
    service: &ast::Service,
    diagnostics: &mut Diagnostics,
) -> Vec<Objective> {
    service
        .objectives()
        .map(|it| lower(checked, Home::Service { index, own: false }, it, diagnostics))
        .collect()
}

pub(super) fn of_system(
    checked: &Checked<'_>,
    scope: &SystemScope,
    system: &ast::System,
    diagnostics: &mut Diagnostics,
) -> Vec<Objective> {
    let own = system.objectives().filter_map(|entry| match entry {
        ast::SystemObjective::Own(it) => Some(lower(checked, Home::System(scope), it, diagnostics)),
        ast::SystemObjective::Reweigh(_) => None,
    });
    own.collect()
}

/// What a system says of the weights, levels, discounts and horizons of objectives, its own among them. `scope` is that of
/// the code which puts the system together.
pub(super) fn scales(
    checked: &Checked<'_>,
    scope: &SystemScope,
    system: &ast::System,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, Scale)> {
    let (mut scales, objectives) = (Vec::new(), checked.objectives_of(system));
    for entry in system.objectives() {
        let (name, written) = match entry {
            ast::SystemObjective::Own(it) => (it.name.name.as_str(), &it.scale),
            ast::SystemObjective::Reweigh(it) => match objectives.resolve(&it.name) {
                Ok(name) => (name, &it.scale),
                // That was reported.
                Err(_) => continue,
            },
        };
        let scale = scale(checked, Home::System(scope), written, diagnostics);
        if [&scale.weight, &scale.level, &scale.discount, &scale.horizon].iter().any(|it| it.is_some()) {
            scales.push((name.to_owned(), scale));
        }
    }
    scales
}

fn lower(
    checked: &Checked<'_>,
    home: Home<'_>,
    objective: &ast::Objective,
    diagnostics: &mut Diagnostics,
) -> Objective {
    let terms = objective.terms.iter().filter_map(|it| term(checked, home, it, diagnostics)).collect();
    Objective {
        name: objective.name.name.clone(),
        maximize: objective.goal == Goal::Maximize,
        // What a system says of its own objectives may depend on its parameters, and is said where it is put together.
        scale: match home {
            Home::Service { .. } => scale(checked, home, &objective.scale, diagnostics),
            Home::System(_) => Scale::default(),
        },
        line: checked.places.line(objective.name.span),
        terms,
    }
}

fn scale(checked: &Checked<'_>, home: Home<'_>, scale: &ast::Scale, diagnostics: &mut Diagnostics) -> Scale {
    let mut fixed = |expr: &Option<Expr>, duration: bool| {
        let expr = expr.as_ref()?;
        if matches!(home, Home::Service { .. }) && !is_constant(checked, home, expr) {
            unknown_amount(
                checked,
                expr,
                "weights, levels, discounts and horizons of a service are made of numbers and constants",
                "a system can set it with its own parameters: `objectives { NAME weight .. }`",
                diagnostics,
            );
            return None;
        }
        let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
        if !duration {
            return lowerer.amount(expr);
        }
        let value = lowerer.expr(expr, None)?;
        let value = lowerer.by_value(value);
        match value.ty.peeled() {
            Type::Duration | Type::Unknown => Some(value.tokens),
            other => {
                let message = format!("a duration is needed here, and this is {}", other.describe());
                let found = Diagnostic::error("E0510", expr.span, message);
                lowerer.report(found.with_help("write a unit: `10ms`, `5s`, `2min`"));
                None
            }
        }
    };
    let (weight, level) = (fixed(&scale.weight, false), fixed(&scale.level, false));
    let (discount, horizon) = (fixed(&scale.discount, false), fixed(&scale.horizon, true));
    let mut sane = |expr: &Option<Expr>, holds: fn(f64) -> bool, message: &str, help: &str| {
        let Some(expr) = expr else { return };
        if literal(expr).is_some_and(|it| !holds(it)) {
            diagnostics.push(Diagnostic::error("E0510", expr.span, message).with_help(help));
        }
    };
    sane(
        &scale.weight,
        |it| it >= 0.0,
        "a weight is not negative",
        "what is to be small is `minimize`, what is to be large `maximize`",
    );
    sane(
        &scale.level,
        |it| it >= 1.0 && it.fract() == 0.0,
        "a level is a whole number from 1",
        "level 1 goes strictly before level 2",
    );
    sane(
        &scale.discount,
        |it| it > 0.0 && it <= 1.0,
        "a discount is a number above 0, and at most 1",
        "it is the worth of a second from now: `discount 0.99`",
    );
    Scale { weight, level: level.map(|it| quote!((#it) as u32)), discount, horizon }
}

/// Whether an expression is arithmetic of numbers and constants.
fn is_constant(checked: &Checked<'_>, home: Home<'_>, expr: &Expr) -> bool {
    let inner = |expr: &Expr| is_constant(checked, home, expr);
    match &expr.kind {
        ExprKind::Literal(it) => {
            matches!(it.kind, LiteralKind::Int | LiteralKind::Float | LiteralKind::Duration)
        }
        ExprKind::Path(path) => path.as_ident().is_some_and(|it| {
            let file = checked.names.files.of(it.span);
            let of_file = checked.names.item(file, &it.name).is_some_and(|item| !item.is_type);
            let of_service = match home {
                Home::Service { index, .. } => checked.names.services[index].consts.contains_key(&it.name),
                Home::System(_) => false,
            };
            of_file || of_service
        }),
        ExprKind::Paren(it) | ExprKind::Unary(UnaryOp::Negate, it) | ExprKind::Cast(it, _) => inner(it),
        ExprKind::Binary(it) => it.op.strength() >= 12 && inner(&it.left) && inner(&it.right),
        _ => false,
    }
}

pub(super) fn unknown_amount(
    checked: &Checked<'_>,
    expr: &Expr,
    label: &str,
    help: &str,
    diagnostics: &mut Diagnostics,
) {
    let text = checked.places.file.slice(expr.span);
    let message = format!("`{text}` is not a number that is known here");
    diagnostics.push(Diagnostic::error("E0512", expr.span, message).with_label(label).with_help(help));
}

fn term(
    checked: &Checked<'_>,
    home: Home<'_>,
    term: &ast::Term,
    diagnostics: &mut Diagnostics,
) -> Option<Term> {
    let amount = |diagnostics: &mut Diagnostics| amount(checked, home, &term.amount, diagnostics);
    match &term.per {
        None => {
            let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
            let value = lowerer.amount(&term.amount)?;
            Some(Term::AtHorizon { value: lowerer.finish(value) })
        }
        Some(Per::Message(kinds)) => {
            let kinds = messages(checked, home, kinds, diagnostics);
            Some(Term::PerMessage { amount: amount(diagnostics)?, kinds })
        }
        Some(Per::Byte(kinds)) => {
            let kinds = messages(checked, home, kinds, diagnostics);
            Some(Term::PerByte { amount: amount(diagnostics)?, kinds })
        }
        Some(Per::Call(direction, names)) => {
            let up = *direction == Direction::Up;
            let calls = counted(
                checked,
                home,
                names,
                if up { Counted::Upcall } else { Counted::Downcall },
                diagnostics,
            );
            Some(Term::PerCall { amount: amount(diagnostics)?, up, calls: calls? })
        }
        Some(Per::Handler(names)) => {
            let handlers = counted(checked, home, names, Counted::Handler, diagnostics);
            Some(Term::PerHandler { amount: amount(diagnostics)?, handlers: handlers? })
        }
        Some(Per::Second(second)) => {
            super::rate::per_second(checked, home, &term.amount, second, diagnostics)
        }
    }
}

/// An amount: of numbers, constants and parameters, and never of a state.
fn amount(
    checked: &Checked<'_>,
    home: Home<'_>,
    expr: &Expr,
    diagnostics: &mut Diagnostics,
) -> Option<Amount> {
    if let Some(number) = literal(expr) {
        return Some(Amount::Number(number));
    }
    let home = match home {
        Home::Service { index, .. } => Home::Service { index, own: true },
        Home::System(scope) => Home::System(scope),
    };
    let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
    let tokens = lowerer.amount(expr)?;
    if !lowerer.reads.is_empty() || lowerer.reads_up {
        let label = "an amount is made of numbers, constants and parameters";
        let help = "what depends on the state is a rate `per second`, or a value at the horizon";
        unknown_amount(checked, expr, label, help, diagnostics);
        return None;
    }
    Some(Amount::AtNode(lowerer.finish(tokens)))
}

/// What a term counts besides messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Upcall,
    Downcall,
    Handler,
}

/// The calls or handlers of the given names, each with its service.
fn counted(
    checked: &Checked<'_>,
    home: Home<'_>,
    names: &[ast::Dotted],
    what: Counted,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<(usize, String)>> {
    let services = taking_part(home);
    let of = |index: usize| -> Vec<&str> {
        let names = &checked.names.services[index];
        match what {
            Counted::Upcall | Counted::Downcall => {
                let down = what == Counted::Downcall;
                let calls = checked.names.provided(names).filter(|(_, it)| it.kind.is_down() == down);
                calls.map(|(_, it)| it.name.as_str()).collect()
            }
            Counted::Handler => {
                let heads = checked.services.get(index).map(|it| &it.heads.handlers);
                heads.into_iter().flatten().map(|it| it.name.as_str()).collect()
            }
        }
    };
    let word = match what {
        Counted::Upcall => "upcall",
        Counted::Downcall => "downcall",
        Counted::Handler => "handler",
    };
    let (mut list, mut whole) = (Vec::new(), true);
    for name in names {
        let (last, layers) = name.split_last();
        let Some(services) = within(checked, home, layers, &services, diagnostics) else {
            whole = false;
            continue;
        };
        let found: Vec<usize> =
            services.iter().copied().filter(|it| of(*it).contains(&last.name.as_str())).collect();
        if found.is_empty() {
            let known: BTreeSet<&str> = services.iter().flat_map(|it| of(*it)).collect();
            diagnostics.push(unknown("E0543", last.span, word, &last.name, known));
            whole = false;
        }
        for index in found {
            let names = &checked.names.services[index];
            let call = match what {
                Counted::Handler => None,
                Counted::Upcall => checked.names.upcall(names, &last.name),
                Counted::Downcall => checked.names.downcall(names, &last.name),
            };
            let call = call.map(|it| checked.names.call_at(it));
            if call.is_some_and(|it| it.kind == CallKind::Query) {
                let message = format!("`{}` is a query: it is answered at once and is no event", last.name);
                let found = Diagnostic::error("E0543", last.span, message);
                diagnostics.push(found.with_help("count commands, requests, or the handler that asks"));
                whole = false;
            }
            list.push((index, call.map_or_else(|| last.name.clone(), |it| it.type_name())));
        }
    }
    whole.then_some(list)
}

/// The messages that a term counts.
fn messages(
    checked: &Checked<'_>,
    home: Home<'_>,
    kinds: &[ast::Dotted],
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let names = &checked.names;
    let all = taking_part(home);
    let mut list = Vec::new();
    for kind in kinds {
        let (name, layers) = kind.split_last();
        list.push(name.name.clone());
        let Some(services) = within(checked, home, layers, &all, diagnostics) else { continue };
        let known = || {
            let own = services.iter().flat_map(|it| &names.services[*it].messages);
            own.chain(&names.messages).map(|it| it.name.as_str())
        };
        if !known().any(|it| it == name.name) {
            diagnostics.push(unknown("E0203", name.span, "message", &name.name, known()));
        }
    }
    list
}

/// The services whose things can be named without a path.
fn taking_part(home: Home<'_>) -> Vec<usize> {
    match home {
        Home::Service { index, .. } => vec![index],
        Home::System(scope) => {
            let all: BTreeSet<usize> = scope.stacks.iter().flatten().map(|it| it.service).collect();
            all.into_iter().collect()
        }
    }
}

/// The services that a path of layers leads to; all of those given where there is none.
fn within(
    checked: &Checked<'_>,
    home: Home<'_>,
    layers: &[ast::Ident],
    services: &[usize],
    diagnostics: &mut Diagnostics,
) -> Option<Vec<usize>> {
    let names = &checked.names;
    let Some(first) = layers.first() else { return Some(services.to_vec()) };
    let found: Vec<usize> = match home {
        Home::Service { index, .. } => {
            let step = |service: usize, layer: &ast::Ident| {
                names.default_below(service, names.services[service].layer(&layer.name)?)
            };
            layers.iter().try_fold(index, step).into_iter().collect()
        }
        Home::System(scope) => {
            let path: Vec<&str> = layers.iter().map(|it| it.name.as_str()).collect();
            let path = path.join(".");
            scope.stacks.iter().flatten().filter(|it| it.path == path).map(|it| it.service).collect()
        }
    };
    if found.is_empty() {
        let message = "it is not known here which service this layer has".to_owned();
        let found = Diagnostic::error("E0554", first.span, message);
        diagnostics.push(found.with_help("name a layer of `uses` that has a default, or say it in a system"));
        return None;
    }
    Some(found)
}

/// The value of a whole number from 0 as written.
pub(super) fn whole_number(expr: &Expr) -> Option<u64> {
    let value = literal(expr)?;
    let whole = value >= 0.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX);
    whole.then_some(value as u64)
}

/// The value of a number as written, or of arithmetic of such numbers.
pub(crate) fn literal(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Literal(Literal { kind: LiteralKind::Int | LiteralKind::Float, text }) => {
            text.replace('_', "").parse::<f64>().ok()
        }
        ExprKind::Paren(inner) => literal(inner),
        ExprKind::Unary(UnaryOp::Negate, inner) => literal(inner).map(|it| -it),
        ExprKind::Binary(it) => {
            let (left, right) = (literal(&it.left)?, literal(&it.right)?);
            let value = match it.op {
                BinaryOp::Add => left + right,
                BinaryOp::Sub => left - right,
                BinaryOp::Mul => left * right,
                BinaryOp::Div => left / right,
                _ => return None,
            };
            value.is_finite().then_some(value)
        }
        _ => None,
    }
}
