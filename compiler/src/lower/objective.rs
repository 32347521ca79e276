//! Objectives: what messages, bytes, seconds and states are worth.

use quote::quote;

use crate::ast::{self, Binder, Expr, ExprKind, Goal, Literal, LiteralKind, Per, PerSecond, UnaryOp};
use crate::check::{Checked, unknown};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::{Objective, Term};
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
) -> (Vec<Objective>, Vec<(String, f64)>) {
    let (mut own, mut weights) = (Vec::new(), Vec::new());
    for entry in system.objectives() {
        match entry {
            ast::SystemObjective::Own(it) => own.push(lower(checked, Home::System(scope), it, diagnostics)),
            ast::SystemObjective::Reweigh(it) => {
                let (name, layers) = it.name.split_last();
                if let Some(layer) = layers.first() {
                    let found = Diagnostic::error(
                        "E0902",
                        layer.span,
                        "not yet supported: objectives of lower layers",
                    );
                    diagnostics.push(found.with_help("leave the layer out"));
                }
                if let Some(level) = &it.scale.level {
                    let found =
                        Diagnostic::error("E0911", level.span, "not yet supported: a new level in a system");
                    diagnostics.push(found.with_help("give the level where the objective is declared"));
                }
                if let Some(weight) = &it.scale.weight {
                    weights.push((name.name.clone(), number(checked, weight, diagnostics).unwrap_or(1.0)));
                }
            }
        }
    }
    (own, weights)
}

fn lower(
    checked: &Checked<'_>,
    home: Home<'_>,
    objective: &ast::Objective,
    diagnostics: &mut Diagnostics,
) -> Objective {
    let scale = &objective.scale;
    let weight = scale.weight.as_ref().and_then(|it| number(checked, it, diagnostics)).unwrap_or(1.0);
    let level = scale.level.as_ref().map_or(1.0, |it| {
        let level = number(checked, it, diagnostics).unwrap_or(1.0);
        if level < 1.0 || level.fract() != 0.0 {
            let found = Diagnostic::error("E0510", it.span, "a level is a whole number from 1");
            diagnostics.push(found.with_help("level 1 goes strictly before level 2"));
        }
        level
    });
    let terms = objective.terms.iter().filter_map(|it| term(checked, home, it, diagnostics)).collect();
    Objective {
        name: objective.name.name.clone(),
        maximize: objective.goal == Goal::Maximize,
        weight,
        level: level as u32,
        line: checked.places.line(objective.name.span),
        terms,
    }
}

fn term(
    checked: &Checked<'_>,
    home: Home<'_>,
    term: &ast::Term,
    diagnostics: &mut Diagnostics,
) -> Option<Term> {
    match &term.per {
        None => {
            let mut lowerer = Lowerer::new(checked, home, diagnostics);
            let value = lowerer.amount(&term.amount)?;
            Some(Term::AtHorizon { value: lowerer.finish(value) })
        }
        Some(Per::Message(kinds)) => {
            let kinds = messages(checked, home, kinds, diagnostics);
            Some(Term::PerMessage { amount: number(checked, &term.amount, diagnostics)?, kinds })
        }
        Some(Per::Byte(kinds)) => {
            let kinds = messages(checked, home, kinds, diagnostics);
            Some(Term::PerByte { amount: number(checked, &term.amount, diagnostics)?, kinds })
        }
        Some(Per::Second(second)) => per_second(checked, home, &term.amount, second, diagnostics),
        // Refused before.
        Some(Per::Call(..) | Per::Handler(_)) => None,
    }
}

/// The messages that a term counts.
fn messages(
    checked: &Checked<'_>,
    home: Home<'_>,
    kinds: &[ast::Dotted],
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let names = &checked.names;
    let services: Vec<_> = match home {
        Home::Service { index, .. } => vec![&names.services[index]],
        Home::System(scope) => scope.groups.iter().map(|(_, service, _)| &names.services[*service]).collect(),
    };
    let known = || {
        let own = services.iter().flat_map(|it| &it.messages);
        own.chain(&names.messages).map(|it| it.name.as_str())
    };
    let mut list = Vec::new();
    for kind in kinds {
        let (name, layers) = kind.split_last();
        if let Some(layer) = layers.first() {
            diagnostics.push(Diagnostic::error(
                "E0902",
                layer.span,
                "not yet supported: messages of lower layers",
            ));
        } else if !known().any(|it| it == name.name) {
            diagnostics.push(unknown("E0203", name.span, "message", &name.name, known()));
        }
        list.push(name.name.clone());
    }
    list
}

/// `0.2 per second for n in nodes where F while P`: the sum over the first binder's nodes of what each costs.
fn per_second(
    checked: &Checked<'_>,
    home: Home<'_>,
    amount: &Expr,
    second: &PerSecond,
    diagnostics: &mut Diagnostics,
) -> Option<Term> {
    let Some((first, rest)) = second.binders.list.split_first() else {
        let mut lowerer = Lowerer::new(checked, home, diagnostics);
        let during = second.during.as_ref().map(|it| lowerer.truth(it));
        let amount = lowerer.amount(amount)?;
        let rate = match during {
            None => amount,
            Some(during) => {
                let during = during?;
                quote!(if #during { #amount } else { 0.0 })
            }
        };
        let rate = lowerer.finish(rate);
        let over = quote!(view.all().into_iter().take(1).collect());
        return Some(Term::PerSecond { over, rate: quote!({ let _ = node; #rate }), local: false });
    };
    let over = over(checked, home, first, diagnostics)?;
    let mut lowerer = Lowerer::new(checked, home, diagnostics);
    let value = lowerer.expr(&first.domain, None)?;
    let service = match value.ty.peeled() {
        Type::Group(group) => match home {
            Home::System(scope) => Some(scope.groups[*group].1),
            Home::Service { .. } => None,
        },
        ty => match ty.element().map(|it| it.peeled().clone()) {
            Some(Type::Node(service)) => service,
            _ => None,
        },
    };
    // The domain itself is not part of the rate.
    let mut lowerer = Lowerer::new(checked, home, diagnostics);
    let (tokens, bound) = match &first.pattern.kind {
        ast::PatternKind::Bind(ident) => {
            lowerer.locals.push((ident.name.clone(), Type::Node(service)));
            lowerer.own_node = Some(ident.name.clone());
            let token = checked.places.ident(ident);
            (quote!(let #token = node;), true)
        }
        _ => (quote!(let _ = node;), false),
    };
    let inner = ast::Binders { list: rest.to_vec(), filter: second.binders.filter.clone() };
    let rate = lowerer.binders(&inner, |lowerer| {
        let during = second.during.as_ref().map(|it| lowerer.truth(it));
        let amount = lowerer.amount(amount)?;
        Some(match during {
            None => quote!(this_rate += #amount;),
            Some(during) => {
                let during = during?;
                quote!(if #during { this_rate += #amount; })
            }
        })
    })?;
    let local = bound && !lowerer.reads_others;
    let rate = lowerer.finish(quote!({ let mut this_rate = 0.0; #rate this_rate }));
    Some(Term::PerSecond { over, rate: quote!({ #tokens #rate }), local })
}

/// The nodes that a rate is summed over.
fn over(
    checked: &Checked<'_>,
    home: Home<'_>,
    binder: &Binder,
    diagnostics: &mut Diagnostics,
) -> Option<proc_macro2::TokenStream> {
    let mut lowerer = Lowerer::new(checked, home, diagnostics);
    let value = lowerer.expr(&binder.domain, None)?;
    let ids = match value.ty.peeled() {
        Type::Group(_) => true,
        ty => ty.element().is_some_and(|it| matches!(it.peeled(), Type::Node(_))),
    };
    if !ids {
        let message = "the first thing that a rate ranges over is a collection of nodes";
        let found = Diagnostic::error("E0513", binder.domain.span, message);
        lowerer.report(found.with_help("write `for n in nodes, x in ..`"));
        return None;
    }
    let tokens = value.tokens;
    let tokens = lowerer.finish(quote!(::foresee::support::ids(&#tokens)));
    Some(tokens)
}

/// A number that is known when the spec is compiled.
fn number(checked: &Checked<'_>, expr: &Expr, diagnostics: &mut Diagnostics) -> Option<f64> {
    let value = match &expr.kind {
        ExprKind::Literal(Literal { kind: LiteralKind::Int | LiteralKind::Float, text }) => {
            text.replace('_', "").parse::<f64>().ok()
        }
        ExprKind::Paren(inner) => return number(checked, inner, diagnostics),
        ExprKind::Unary(UnaryOp::Negate, inner) => return number(checked, inner, diagnostics).map(|it| -it),
        _ => None,
    };
    if value.is_none() {
        let text = checked.places.file.slice(expr.span);
        diagnostics.push(
            Diagnostic::error("E0512", expr.span, format!("`{text}` is not a number that is known here"))
                .with_label("amounts, weights and levels are plain numbers")
                .with_help("write the number itself, such as `0.01`"),
        );
    }
    value
}
