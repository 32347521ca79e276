//! Expectations: a claim, and where it fails the values of its parts, as written.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{BinaryOp, Expr, ExprKind, Pattern, PatternKind, Quantified, Quantifier, UnaryOp};
use crate::diag::Diagnostics;

use super::one_line;
use super::value::Lowerer;

/// A claim, as an expression over `view`.
pub(super) fn claim(lowerer: &mut Lowerer<'_, '_, '_>, expr: &Expr) -> Option<TokenStream> {
    let holds = lowerer.truth(expr)?;
    let holds = lowerer.finish(holds);
    let mut parts = Parts::default();
    parts.truth(expr);
    // Everything in it was looked at once already, so nothing new can be wrong.
    let mut silent = Diagnostics::new();
    let mut again = Lowerer::new(lowerer.checked, lowerer.home, &mut silent);
    let shown = parts.list.iter().filter_map(|part| shown(&mut again, part));
    let shown: Vec<TokenStream> = shown.collect();
    // Rust could not tell what an empty list is of.
    let seen = match shown.is_empty() {
        true => quote!(Vec::new()),
        false => quote!([#(#shown),*].into_iter().flatten().collect()),
    };
    Some(quote! {
        match #holds {
            true => kernel::script::Claim { holds: true, seen: Vec::new() },
            false => kernel::script::Claim { holds: false, seen: #seen },
        }
    })
}

/// A part of a claim that is worth showing.
enum Part<'e> {
    /// Its value.
    Value(&'e Expr),
    /// What makes a `forall` false.
    Counterexample(&'e Expr, &'e Quantified),
}

#[derive(Default)]
struct Parts<'e> {
    list: Vec<Part<'e>>,
}

impl<'e> Parts<'e> {
    /// A truth value: its parts, not itself.
    fn truth(&mut self, expr: &'e Expr) {
        match &expr.kind {
            ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Not, inner) => self.truth(inner),
            ExprKind::Binary(binary) => match binary.op {
                BinaryOp::And | BinaryOp::Or | BinaryOp::Implies | BinaryOp::Iff => {
                    self.truth(&binary.left);
                    self.truth(&binary.right);
                }
                _ => {
                    self.value(&binary.left);
                    self.value(&binary.right);
                }
            },
            ExprKind::Method(call) if !is_node(&call.base) => {
                self.value(&call.base);
                call.args.iter().for_each(|arg| self.value(arg));
            }
            ExprKind::Quantified(it) if it.quantifier == Quantifier::Forall => {
                self.list.push(Part::Counterexample(expr, it));
            }
            ExprKind::Quantified(_) => {}
            _ => self.value(expr),
        }
    }

    /// A value, unless its text says what it is.
    fn value(&mut self, expr: &'e Expr) {
        match &expr.kind {
            ExprKind::Paren(inner) => self.value(inner),
            ExprKind::Unary(UnaryOp::Ref | UnaryOp::Deref | UnaryOp::Negate, inner) => self.value(inner),
            ExprKind::Literal(_) | ExprKind::Lambda(_) | ExprKind::Path(_) => {}
            ExprKind::Array(parts) | ExprKind::Vec(parts) | ExprKind::Tuple(parts) => {
                parts.iter().for_each(|part| self.value(part))
            }
            ExprKind::Call(_, args) => args.iter().for_each(|arg| self.value(arg)),
            _ if is_node(expr) => {}
            _ => self.list.push(Part::Value(expr)),
        }
    }
}

/// Whether it is a node by its form: `n[1]`.
fn is_node(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Index(base, index) => {
            base.as_ident().is_some() && matches!(index.kind, ExprKind::Literal(_))
        }
        ExprKind::Path(_) => true,
        _ => false,
    }
}

fn shown(lowerer: &mut Lowerer<'_, '_, '_>, part: &Part<'_>) -> Option<TokenStream> {
    let text = |expr: &Expr| one_line(lowerer.checked.places.file.slice(expr.span));
    match part {
        Part::Value(expr) => {
            let text = text(expr);
            let tokens = lowerer.expr(expr, None)?.tokens;
            let shown = lowerer.finish(quote!((&::foresee::support::Shown(&#tokens)).shown()));
            Some(quote!(::foresee::support::seen(#text, || {
                use ::foresee::support::{ByDebug as _, Opaque as _};
                #shown
            })))
        }
        Part::Counterexample(expr, quantified) => {
            let text = format!("a counterexample to `{}`", text(expr));
            let binders = &quantified.binders;
            let mut names = Vec::new();
            binders.list.iter().for_each(|binder| bound(&binder.pattern, &mut names));
            let form: Vec<String> = names.iter().map(|name| format!("{name}: {{{name}:?}}")).collect();
            let form = form.join(", ");
            let search = lowerer.binders(binders, |lowerer| {
                let body = lowerer.truth(&quantified.body)?;
                Some(quote!(if !#body { return Some(format!(#form)); }))
            })?;
            let search = lowerer.finish(quote!(#search));
            Some(quote!(::foresee::support::seen(#text, || { #search None })))
        }
    }
}

fn bound(pattern: &Pattern, names: &mut Vec<String>) {
    match &pattern.kind {
        PatternKind::Wild => {}
        PatternKind::Bind(ident) => names.push(ident.name.clone()),
        PatternKind::Tuple(parts) => parts.iter().for_each(|part| bound(part, names)),
        PatternKind::Ref(inner) => bound(inner, names),
    }
}
