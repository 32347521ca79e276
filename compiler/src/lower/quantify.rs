//! Binders: `forall`, `exists`, `count`, `max`, `min`, `sum`, and closures `n.(parent)+`. All become loops.

use proc_macro2::{Span as TokenSpan, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::ast::{
    Aggregate, AggregateOp, Binders, Closure, Expr, ExprKind, MethodCall, Pattern, PatternKind, Quantified,
    Quantifier,
};
use crate::diag::Diagnostic;
use crate::ir::Loops;
use crate::tokens::identifier;
use crate::types::Type;

use super::value::{Home, Lowerer, Value};

impl Lowerer<'_, '_, '_> {
    pub(super) fn quantified(&mut self, it: &Quantified) -> Option<Value> {
        self.labels += 1;
        let label =
            syn::Lifetime::new(&format!("'{}_{}", it.quantifier.word(), self.labels), TokenSpan::call_site());
        let found = it.quantifier == Quantifier::Exists;
        let tokens = self.binders(&it.binders, |lowerer| {
            let body = lowerer.truth(&it.body)?;
            Some(match it.quantifier {
                Quantifier::Forall => quote!(if !#body { break #label false; }),
                Quantifier::Exists => quote!(if #body { break #label true; }),
            })
        })?;
        let otherwise = !found;
        Some(Value::new(quote!((#label: { #tokens #otherwise })), Type::Bool))
    }

    pub(super) fn aggregate(&mut self, it: &Aggregate, span: TokenSpan, real: bool) -> Option<Value> {
        self.labels += 1;
        let result = format_ident!("{}_{}", it.op.word(), self.labels);
        if it.op == AggregateOp::Count {
            let tokens = self.binders(&it.binders, |_| Some(quote!(#result += 1;)))?;
            return Some(Value::new(
                quote_spanned!(span=> { let mut #result = 0usize; #tokens #result }),
                Type::Int("usize"),
            ));
        }
        let Some(body) = &it.body else {
            let message = format!("`{}` needs a value after a colon", it.op.word());
            let place = it.binders.list.last().map_or(crate::source::Span::default(), |it| it.span);
            self.report(Diagnostic::error("E0513", place, message));
            return None;
        };
        let mut ty = Type::Unknown;
        let tokens = self.binders(&it.binders, |lowerer| {
            lowerer.real = real;
            let value = lowerer.expr(body, None)?;
            let value = lowerer.by_value(value);
            ty = value.ty.clone();
            let tokens = value.tokens;
            Some(quote!(#result.push(#tokens);))
        })?;
        if !matches!(ty.peeled(), Type::Int(_) | Type::Float | Type::Duration | Type::Unknown) {
            let message = format!("`{}` needs numbers, and this is {}", it.op.word(), ty.describe());
            let mut found = Diagnostic::error("E0513", body.span, message);
            if ty == Type::Bool {
                found = found.with_help("`count .. where P` counts how often it holds");
            }
            self.report(found);
            return None;
        }
        let take = match (it.op, &ty) {
            (AggregateOp::Sum, Type::Duration) => quote!(#result.into_iter().sum::<::std::time::Duration>()),
            (AggregateOp::Sum, _) => quote!(::foresee::support::sum(#result)),
            (AggregateOp::Max, Type::Float) => {
                quote!(#result.into_iter().reduce(f64::max).unwrap_or_default())
            }
            (AggregateOp::Min, Type::Float) => {
                quote!(#result.into_iter().reduce(f64::min).unwrap_or_default())
            }
            (AggregateOp::Max, _) => quote!(#result.into_iter().max().unwrap_or_default()),
            _ => quote!(#result.into_iter().min().unwrap_or_default()),
        };
        Some(Value::new(quote_spanned!(span=> { let mut #result = Vec::new(); #tokens #take }), ty))
    }

    /// Loops over what is bound, around `inner`.
    pub(super) fn binders(
        &mut self,
        binders: &Binders,
        inner: impl FnOnce(&mut Self) -> Option<TokenStream>,
    ) -> Option<TokenStream> {
        let (depth, conditions) = (self.locals.len(), self.conditions);
        let result = self.loops(binders, inner);
        self.locals.truncate(depth);
        self.conditions = conditions;
        result
    }

    fn loops(
        &mut self,
        binders: &Binders,
        inner: impl FnOnce(&mut Self) -> Option<TokenStream>,
    ) -> Option<TokenStream> {
        let loops = self.heads(binders);
        let tokens = inner(self)?;
        Some(loops?.around(tokens))
    }

    /// The loops of binders. What they bind stays in scope.
    pub(super) fn heads(&mut self, binders: &Binders) -> Option<Loops> {
        let (mut loops, mut whole) = (Loops::default(), true);
        for binder in &binders.list {
            let domain = self.domain(&binder.domain);
            whole &= domain.is_some();
            // Names are bound even where the domain is wrong, so that they are not reported as well.
            let (domain, element) = domain.unwrap_or((TokenStream::new(), Type::Unknown));
            let mut copies = Vec::new();
            let pattern = self.pattern(&binder.pattern, element, &mut copies);
            loops.heads.push((pattern, domain, copies));
            // There may be nothing to range over.
            self.conditions += 1;
        }
        if let Some(filter) = &binders.filter {
            loops.filter = self.truth(filter);
            whole &= loops.filter.is_some();
        }
        whole.then_some(loops)
    }

    /// What a binder ranges over, as something to iterate, and the type of its elements.
    pub(super) fn domain(&mut self, expr: &Expr) -> Option<(TokenStream, Type)> {
        let value = self.expr(expr, None)?;
        let tokens = value.tokens;
        match value.ty.peeled() {
            Type::Group(group) => {
                let Home::System(scope) = self.home else { return None };
                let service = scope.groups[*group].1;
                let ids =
                    if scope.building { quote!(#tokens.ids()) } else { quote!(#tokens.iter().copied()) };
                Some((ids, Type::Node(Some(service))))
            }
            Type::Node(_) => {
                let message = "this is one node, and a binder ranges over several";
                let help = "write `[n]` for a list of one node, or use the node as it is";
                self.report(Diagnostic::error("E0513", expr.span, message).with_help(help));
                None
            }
            Type::Unknown if value.place => Some((quote!(&#tokens), Type::Unknown)),
            Type::Unknown => Some((tokens, Type::Unknown)),
            collection if collection.element().is_some() => {
                let by_reference = value.place || matches!(value.ty, Type::Ref(_));
                let element = match by_reference {
                    true => collection.element_by_reference(),
                    false => collection.element(),
                };
                let tokens = match &value.ty {
                    Type::Ref(_) => quote!((#tokens)),
                    _ if value.place => quote!(&#tokens),
                    _ => tokens,
                };
                Some((tokens, element.unwrap_or(Type::Unknown)))
            }
            other => {
                let message =
                    format!("a binder ranges over nodes or a collection, and this is {}", other.describe());
                self.report(Diagnostic::error("E0513", expr.span, message));
                None
            }
        }
    }

    /// Binds the names of a pattern; what is copied is bound by value, through a statement in `copies`.
    pub(super) fn pattern(
        &mut self,
        pattern: &Pattern,
        ty: Type,
        copies: &mut Vec<TokenStream>,
    ) -> TokenStream {
        match &pattern.kind {
            PatternKind::Wild => quote!(_),
            PatternKind::Bind(ident) => {
                if matches!(ident.name.as_str(), "view" | "nodes" | "me") || ident.name.starts_with("this_") {
                    let message = format!("`{}` cannot be bound in a property", ident.name);
                    let found = Diagnostic::error("E0407", ident.span, message);
                    self.report(
                        found
                            .with_label("this word has a meaning of its own")
                            .with_help("choose another name"),
                    );
                }
                // A second of the name of the node that is spoken of hides it.
                self.reads_others |=
                    self.own_node.as_ref() == Some(&ident.name) && self.local(&ident.name).is_some();
                let token = self.checked.places.ident(ident);
                let references = ty.references();
                let inner = ty.peeled().clone();
                if references > 0 && inner.is_copy() {
                    let stars = (0..references).map(|_| quote!(*));
                    copies.push(quote!(let #token = #(#stars)* #token;));
                    self.locals.push((ident.name.clone(), inner));
                } else {
                    self.locals.push((ident.name.clone(), ty));
                }
                quote!(#token)
            }
            PatternKind::Tuple(parts) => {
                let references = ty.references();
                let inner = ty.peeled().clone();
                let types = match &inner {
                    Type::Tuple(types) if types.len() == parts.len() => types.clone(),
                    Type::Tuple(types) => {
                        let message =
                            format!("this binds {} parts, and there are {}", parts.len(), types.len());
                        self.report(Diagnostic::error("E0513", pattern.span, message));
                        vec![Type::Unknown; parts.len()]
                    }
                    Type::Unknown => vec![Type::Unknown; parts.len()],
                    other => {
                        let message = format!("{} has no parts to bind", other.describe());
                        self.report(Diagnostic::error("E0513", pattern.span, message));
                        vec![Type::Unknown; parts.len()]
                    }
                };
                let parts = parts.iter().zip(types).map(|(part, ty)| {
                    let ty = if references > 0 && ty != Type::Unknown { ty.referenced() } else { ty };
                    self.pattern(part, ty, copies)
                });
                let parts: Vec<TokenStream> = parts.collect();
                quote!((#(#parts,)*))
            }
            PatternKind::Ref(inner) => match ty {
                Type::Ref(ty) => {
                    let inner = self.pattern(inner, *ty, copies);
                    quote!(&#inner)
                }
                other => {
                    let written = self.pattern(inner, other.clone(), copies);
                    if other == Type::Unknown { quote!(&#written) } else { written }
                }
            },
        }
    }

    /// `n.(parent)+`: the nodes reached by following a path of fields again and again.
    pub(super) fn closure(&mut self, closure: &Closure, span: TokenSpan) -> Option<Value> {
        let start = self.node(&closure.base)?;
        let of = self.expr(&closure.base, None)?.ty.peeled().clone();
        let service = match of {
            Type::Node(service) => service,
            _ => None,
        };
        self.reads_others = true;
        let bound = "at".to_owned();
        let id = identifier(&bound, TokenSpan::call_site());
        let depth = self.locals.len();
        let at = if let Type::Layer { .. } = of { of } else { Type::Node(service) };
        self.locals.push((bound.clone(), at.clone()));
        let first = closure.path.first().map_or(closure.base.span, |it| it.span);
        let name = crate::ast::Ident { name: bound, span: first };
        let path = crate::ast::Path { segments: vec![name], span: first };
        let mut expr = Expr { kind: ExprKind::Path(path), span: first };
        let mut ty = at;
        for field in &closure.path {
            let called = self.is_call(&ty, &field.name);
            ty = self.step_of(&ty, &field.name);
            let kind = match called {
                true => ExprKind::Method(Box::new(MethodCall {
                    base: expr,
                    name: field.clone(),
                    turbofish: None,
                    args: vec![],
                })),
                false => ExprKind::Field(Box::new(expr), field.clone()),
            };
            expr = Expr { kind, span: field.span };
        }
        let next = self.expr(&expr, None);
        self.locals.truncate(depth);
        let next = next?;
        let ids = match next.ty.peeled() {
            Type::Node(_) | Type::Unknown => true,
            other => other.element().is_some_and(|it| matches!(it.peeled(), Type::Node(_) | Type::Unknown)),
        };
        if !ids {
            let message = format!("following a path needs ids, and this is {}", next.ty.describe());
            self.report(Diagnostic::error("E0513", first, message));
            return None;
        }
        let (tokens, reflexive) = (next.tokens, closure.reflexive);
        let tokens = if next.place { quote!(&#tokens) } else { tokens };
        let walk = quote_spanned!(span=> ::foresee::support::closure(#start, #reflexive, |#id| ::foresee::support::ids(#tokens)));
        Some(Value::new(walk, Type::Set(Box::new(Type::Node(service)))))
    }
}
