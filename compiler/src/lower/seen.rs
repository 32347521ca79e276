//! Why a claim is false: the part of it that fails, what its binders stand for there, and the values in it, as written.
//! Of `a && b` the first part that is false is shown, of a `forall` the first that it does not hold of.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::ast::{Binary, BinaryOp, Expr, ExprKind, Pattern, PatternKind, Quantified, Quantifier, UnaryOp};
use crate::diag::Diagnostics;

use super::one_line;
use super::value::Lowerer;

/// A claim of a scenario, as an expression over `view`.
pub(super) fn claim(lowerer: &mut Lowerer<'_, '_, '_>, expr: &Expr) -> Option<TokenStream> {
    let holds = lowerer.truth(expr)?;
    let holds = lowerer.finish(holds);
    let seen = why(lowerer, expr);
    Some(quote! {
        match #holds {
            true => kernel::script::Claim { holds: true, seen: Vec::new() },
            false => kernel::script::Claim { holds: false, seen: #seen },
        }
    })
}

/// What shows why a claim is false, where it is, as an expression over `view`: the texts of its parts, each with what is to be said
/// of it. The claim was lowered before, so that nothing new can be wrong in it.
pub(super) fn why(lowerer: &Lowerer<'_, '_, '_>, expr: &Expr) -> TokenStream {
    let mut silent = Diagnostics::new();
    let mut again = Lowerer::new(lowerer.checked, lowerer.home, &mut silent);
    again.conditions = 1;
    let reasons = Reasons { lowerer: &mut again }.of(expr, true, true);
    if reasons.is_empty() {
        return quote!(Vec::new());
    }
    let reasons = again.finish(reasons);
    quote!({
        let mut this_why: Vec<(&'static str, String)> = Vec::new();
        #reasons
        this_why
    })
}

/// Writes statements that note in `this_why` why something is not as it should be.
struct Reasons<'l, 'c, 'a, 'd> {
    lowerer: &'l mut Lowerer<'c, 'a, 'd>,
}

impl Reasons<'_, '_, '_, '_> {
    /// Why `expr`, which should be `wanted`, is not. `whole` where it is all that is claimed, so that it need not be named.
    fn of(&mut self, expr: &Expr, wanted: bool, whole: bool) -> TokenStream {
        match &expr.kind {
            ExprKind::Paren(inner) => self.of(inner, wanted, whole),
            ExprKind::Unary(UnaryOp::Not, inner) => self.of(inner, !wanted, whole),
            ExprKind::Binary(binary) => self.binary(expr, binary, wanted, whole),
            ExprKind::Quantified(it) => match (it.quantifier, wanted) {
                (Quantifier::Forall, true) | (Quantifier::Exists, false) => self.instance(expr, it, wanted),
                _ => self.nobody(expr, it, wanted, whole),
            },
            _ => self.leaf(expr, wanted, whole),
        }
    }

    fn binary(&mut self, expr: &Expr, binary: &Binary, wanted: bool, whole: bool) -> TokenStream {
        let (left, right) = (&binary.left, &binary.right);
        // Where one part is to blame only that one is looked at: the other may have no value.
        match (binary.op, wanted) {
            (BinaryOp::And, true) => self.either(left, (right, true), (left, true)),
            (BinaryOp::Or, false) => self.either(left, (left, false), (right, false)),
            (BinaryOp::Implies, false) => self.either(left, (right, false), (left, true)),
            (BinaryOp::And, false) => self.both((left, false), (right, false)),
            (BinaryOp::Or, true) => self.both((left, true), (right, true)),
            (BinaryOp::Implies, true) => self.both((left, false), (right, true)),
            (BinaryOp::Iff, _) => {
                let (left, right) = (self.truth(left), self.truth(right));
                quote!(#left #right)
            }
            _ => self.leaf(expr, wanted, whole),
        }
    }

    /// Goes one way where `test` is true, and the other where it is false.
    fn either(&mut self, test: &Expr, holds: (&Expr, bool), fails: (&Expr, bool)) -> TokenStream {
        let Some(test) = self.lowerer.truth(test) else { return TokenStream::new() };
        let (holds, fails) = (self.of(holds.0, holds.1, false), self.of(fails.0, fails.1, false));
        quote!(if #test { #holds } else { #fails })
    }

    fn both(&mut self, left: (&Expr, bool), right: (&Expr, bool)) -> TokenStream {
        let (left, right) = (self.of(left.0, left.1, false), self.of(right.0, right.1, false));
        quote!(#left #right)
    }

    /// The first elements of which the body is not as wanted, and why.
    fn instance(&mut self, expr: &Expr, quantified: &Quantified, wanted: bool) -> TokenStream {
        let what = if wanted { "a counterexample to" } else { "a witness of" };
        let text = format!("{what} `{}`", self.text(expr));
        let mut names = Vec::new();
        quantified.binders.list.iter().for_each(|binder| bound(&binder.pattern, &mut names));
        let form: Vec<String> = names.iter().map(|name| format!("{name}: {{{name}:?}}")).collect();
        let form = form.join(", ");
        self.lowerer.labels += 1;
        let label = syn::Lifetime::new(&format!("'why_{}", self.lowerer.labels), Span::call_site());
        let search = self.lowerer.binders(&quantified.binders, |lowerer| {
            let body = lowerer.truth(&quantified.body)?;
            let found = if wanted { quote!(!#body) } else { body };
            let reasons = Reasons { lowerer }.of(&quantified.body, wanted, false);
            Some(quote!(if #found {
                this_why.push((#text, format!(#form)));
                #reasons
                break #label;
            }))
        });
        let Some(search) = search else { return TokenStream::new() };
        quote!(#label: { #search })
    }

    /// Why there is no element, or why they all are: what there is to range over, where its text does not say so.
    fn nobody(&mut self, expr: &Expr, quantified: &Quantified, wanted: bool, whole: bool) -> TokenStream {
        let said = if whole { TokenStream::new() } else { self.said(expr, !wanted) };
        // What a later set is depends on the elements of those before it.
        let mut values = Vec::new();
        if let Some(first) = quantified.binders.list.first() {
            listed(collection(&first.domain), &mut values);
        }
        let values: Vec<TokenStream> = values.into_iter().filter_map(|value| self.value(value)).collect();
        quote!(#said #(#values)*)
    }

    /// Something that has no parts that are claims: what it is, and the values in it.
    fn leaf(&mut self, expr: &Expr, wanted: bool, whole: bool) -> TokenStream {
        let mut values = Vec::new();
        match &expr.kind {
            ExprKind::Binary(binary) => {
                listed(&binary.left, &mut values);
                listed(&binary.right, &mut values);
            }
            ExprKind::Method(call) if !is_node(&call.base) => {
                listed(&call.base, &mut values);
                call.args.iter().for_each(|arg| listed(arg, &mut values));
            }
            _ if whole => listed(expr, &mut values),
            _ => {}
        }
        let said = if whole { TokenStream::new() } else { self.said(expr, !wanted) };
        let values: Vec<TokenStream> = values.into_iter().filter_map(|value| self.value(value)).collect();
        quote!(#said #(#values)*)
    }

    /// That `expr` is true, or false.
    fn said(&self, expr: &Expr, is: bool) -> TokenStream {
        let (text, is) = (self.text(expr), is.to_string());
        quote!(this_why.push((#text, #is.to_owned()));)
    }

    /// Whether `expr` is true.
    fn truth(&mut self, expr: &Expr) -> TokenStream {
        let text = self.text(expr);
        let Some(holds) = self.lowerer.truth(expr) else { return TokenStream::new() };
        quote!(this_why.push((#text, (#holds).to_string()));)
    }

    /// The value of `expr`, where it has one that can be shown.
    fn value(&mut self, expr: &Expr) -> Option<TokenStream> {
        let text = self.text(expr);
        let tokens = self.lowerer.expr(expr, None)?.tokens;
        Some(quote!(this_why.extend(::foresee::support::seen(#text, || {
            use ::foresee::support::{ByDebug as _, Opaque as _};
            (&::foresee::support::Shown(&#tokens)).shown()
        }));))
    }

    fn text(&self, expr: &Expr) -> String {
        one_line(self.lowerer.checked.places.file.slice(expr.span))
    }
}

/// The values in an expression, but for those whose text says what they are.
fn listed<'e>(expr: &'e Expr, values: &mut Vec<&'e Expr>) {
    match &expr.kind {
        ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Ref | UnaryOp::Deref | UnaryOp::Negate, inner) => {
            listed(inner, values)
        }
        ExprKind::Literal(_) | ExprKind::Lambda(_) | ExprKind::Path(_) => {}
        ExprKind::Array(parts) | ExprKind::Vec(parts) | ExprKind::Tuple(parts) => {
            parts.iter().for_each(|part| listed(part, values));
        }
        ExprKind::Call(_, args) => args.iter().for_each(|arg| listed(arg, values)),
        ExprKind::Range { start, end, .. } => start.iter().chain(end).for_each(|end| listed(end, values)),
        _ if is_node(expr) => {}
        _ => values.push(expr),
    }
}

/// What a set to range over is made of, where it is an iterator, of which nothing can be shown.
fn collection(expr: &Expr) -> &Expr {
    const ITERATORS: [&str; 9] =
        ["iter", "into_iter", "keys", "values", "enumerate", "rev", "copied", "cloned", "chars"];
    match &expr.kind {
        ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Ref, inner) => collection(inner),
        ExprKind::Method(call) if ITERATORS.contains(&call.name.name.as_str()) => collection(&call.base),
        _ => expr,
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

fn bound(pattern: &Pattern, names: &mut Vec<String>) {
    match &pattern.kind {
        PatternKind::Wild => {}
        PatternKind::Bind(ident) => names.push(ident.name.clone()),
        PatternKind::Tuple(parts) => parts.iter().for_each(|part| bound(part, names)),
        PatternKind::Ref(inner) => bound(inner, names),
    }
}
