//! `matches!(value, PATTERN if guard)` in claims: the value and the guard follow ids as everywhere, the pattern is Rust.

use proc_macro2::Span as TokenSpan;
use quote::quote_spanned;
use syn::parse::Parser;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;

use crate::ast::Matches;
use crate::diag::Diagnostic;
use crate::types::Type;

use super::value::{Lowerer, Value};

impl Lowerer<'_, '_, '_> {
    pub(super) fn matches(&mut self, it: &Matches, span: TokenSpan) -> Option<Value> {
        let value = self.expr(&it.value, None);
        let written = self.checked.places.stream(it.pattern.span);
        let mut pattern = match syn::Pat::parse_multi_with_leading_vert.parse2(written) {
            Ok(pattern) => pattern,
            Err(error) => {
                let message = format!("this is no pattern: {error}");
                self.report(Diagnostic::error("E0549", it.pattern.span, message));
                return None;
            }
        };
        let value = value?;
        if let Type::State(service) = *value.ty.peeled() {
            let names = &self.checked.names.services[service];
            let module = self.module(service);
            States { has: &|name| names.has_state(name), module: &module }.visit_pat_mut(&mut pattern);
        }
        let depth = self.locals.len();
        let mut bound = Bound::default();
        bound.visit_pat(&pattern);
        self.locals.extend(bound.0.into_iter().map(|name| (name, Type::Unknown)));
        let guard = it.guard.as_ref().map(|guard| self.truth(guard));
        self.locals.truncate(depth);
        let guard = match guard {
            Some(guard) => {
                let guard = guard?;
                Some(quote_spanned!(span=> if #guard))
            }
            None => None,
        };
        let value = match value.ty {
            Type::Ref(_) => self.dereferenced(value),
            _ => value,
        };
        let tokens = value.tokens;
        Some(Value::new(quote_spanned!(span=> matches!(#tokens, #pattern #guard)), Type::Bool))
    }
}

/// Bare control states become paths: `Idle` alone would bind whatever is there.
struct States<'a> {
    has: &'a dyn Fn(&str) -> bool,
    module: &'a proc_macro2::TokenStream,
}

impl VisitMut for States<'_> {
    fn visit_pat_mut(&mut self, pattern: &mut syn::Pat) {
        if let syn::Pat::Ident(it) = pattern
            && it.by_ref.is_none()
            && it.subpat.is_none()
            && (self.has)(&it.ident.to_string())
        {
            let (module, ident) = (self.module, &it.ident);
            *pattern = syn::Pat::Verbatim(quote_spanned!(ident.span()=> #module::State::#ident));
            return;
        }
        syn::visit_mut::visit_pat_mut(self, pattern);
    }
}

/// The names that a pattern binds.
#[derive(Default)]
struct Bound(Vec<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, it: &'ast syn::PatIdent) {
        self.0.push(it.ident.to_string());
        syn::visit::visit_pat_ident(self, it);
    }
}
