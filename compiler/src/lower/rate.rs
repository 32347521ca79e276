//! Rates of objectives: what every second costs, at which nodes, while what holds, and how it grows.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{self, Binder, Expr, PerSecond};
use crate::check::Checked;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::{Growth, Term};
use crate::types::Type;

use super::objective::literal;
use super::value::{Home, Lowerer};

/// `0.2 per second for n in nodes where F while P`: the sum over the first binder's nodes of what each costs.
pub(super) fn per_second(
    checked: &Checked<'_>,
    home: Home<'_>,
    amount: &Expr,
    second: &PerSecond,
    diagnostics: &mut Diagnostics,
) -> Option<Term> {
    let growth = match &second.growth {
        None => None,
        Some(growth) => Some(self::growth(checked, home, growth, diagnostics)?),
    };
    let Some((first, rest)) = second.binders.list.split_first() else {
        let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
        let rate = paid(&mut lowerer, amount, second, growth.is_some(), &[])?;
        let rate = lowerer.finish(whole(rate, growth.is_some()));
        let over = quote!(view.all().into_iter().take(1).collect());
        return Some(rated(over, quote!({ let _ = node; #rate }), growth, false));
    };
    let over = over(checked, home, first, diagnostics)?;
    let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
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
    let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
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
    let names = names(checked, rest);
    let rate = lowerer.binders(&inner, |lowerer| paid(lowerer, amount, second, growth.is_some(), &names))?;
    let local = bound && !lowerer.reads_others;
    let rate = lowerer.finish(whole(rate, growth.is_some()));
    Some(rated(over, quote!({ #tokens #rate }), growth, local))
}

/// Statements that add what is paid for one binding: to a sum, or, where it grows, to a list with a key for each.
fn paid(
    lowerer: &mut Lowerer<'_, '_, '_>,
    amount: &Expr,
    second: &PerSecond,
    grows: bool,
    names: &[proc_macro2::Ident],
) -> Option<TokenStream> {
    let during = second.during.as_ref().map(|it| lowerer.truth(it));
    let amount = lowerer.amount(amount)?;
    let paid = match grows {
        true => quote!(this_rates.push((::foresee::support::key(&(#(&#names,)*)), #amount));),
        false => quote!(this_rate += #amount;),
    };
    Some(match during {
        None => paid,
        Some(during) => {
            let during = during?;
            quote!(if #during { #paid })
        }
    })
}

fn whole(statements: TokenStream, grows: bool) -> TokenStream {
    match grows {
        true => quote!({ let mut this_rates = Vec::new(); #statements this_rates }),
        false => quote!({ let mut this_rate = 0.0; #statements this_rate }),
    }
}

fn rated(over: TokenStream, rate: TokenStream, growth: Option<Growth>, local: bool) -> Term {
    match growth {
        None => Term::PerSecond { over, rate, local },
        Some(growth) => Term::Growing { over, rates: rate, growth, local },
    }
}

/// The names that binders bind: what tells one thing that is paid for from another.
fn names(checked: &Checked<'_>, binders: &[Binder]) -> Vec<proc_macro2::Ident> {
    fn of(checked: &Checked<'_>, pattern: &ast::Pattern, names: &mut Vec<proc_macro2::Ident>) {
        match &pattern.kind {
            ast::PatternKind::Wild => {}
            ast::PatternKind::Bind(ident) => names.push(checked.places.ident(ident)),
            ast::PatternKind::Tuple(parts) => parts.iter().for_each(|it| of(checked, it, names)),
            ast::PatternKind::Ref(inner) => of(checked, inner, names),
        }
    }
    let mut names = Vec::new();
    binders.iter().for_each(|it| of(checked, &it.pattern, &mut names));
    names
}

/// `linearly`, `to the power 2`, `by 1.1`
fn growth(
    checked: &Checked<'_>,
    home: Home<'_>,
    growth: &ast::Growth,
    diagnostics: &mut Diagnostics,
) -> Option<Growth> {
    let (expr, factor) = match growth {
        ast::Growth::Linear => return Some(Growth::Power(quote!(1.0))),
        ast::Growth::Power(by) => (by, false),
        ast::Growth::Factor(by) => (by, true),
    };
    let sane = |it: f64| if factor { it > 0.0 } else { it >= 0.0 };
    if literal(expr).is_some_and(|it| !sane(it)) {
        let (message, help) = match factor {
            true => ("a rate grows by a factor above 0", "`growing by 1.1`: by a tenth each second"),
            false => ("a rate grows to a power of at least 0", "`growing to the power 2`"),
        };
        diagnostics.push(Diagnostic::error("E0510", expr.span, message).with_help(help));
        return None;
    }
    let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
    let by = lowerer.amount(expr)?;
    if lowerer.looks {
        let label = "how fast it grows is the same for all nodes, in every state";
        super::objective::unknown_amount(checked, expr, label, "use a number or a constant", diagnostics);
        return None;
    }
    let by = lowerer.finish(by);
    Some(if factor { Growth::Factor(by) } else { Growth::Power(by) })
}

/// The nodes that a rate is summed over.
fn over(
    checked: &Checked<'_>,
    home: Home<'_>,
    binder: &Binder,
    diagnostics: &mut Diagnostics,
) -> Option<proc_macro2::TokenStream> {
    let mut lowerer = Lowerer::of_objective(checked, home, diagnostics);
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
    let tokens = lowerer.nodes(&binder.domain, value)?;
    Some(lowerer.finish(tokens))
}
