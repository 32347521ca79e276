//! Types of imported files by their whole paths: `Slot` becomes `imported::log::Slot`, each token where it stood.
//!
//! So a type means the same wherever it is named: in the module of the file that declares it, in those that import it, and
//! in what the compiler knows of types. Constants, functions and constructors stay as written: rustc finds them.

use std::collections::BTreeSet;

use syn::visit_mut::{self, VisitMut};

use super::read::Rust;
use crate::ast::{Ast, RustItemKind};
use crate::names::Files;
use crate::source::Span;
use crate::tokens::identifier;

/// Qualifies the types in everything that was parsed.
pub(super) fn all(rust: &mut Rust, ast: &Ast, files: &Files) {
    let types = ast.rust_items().filter_map(|item| {
        let is_type = matches!(item.kind, RustItemKind::Type | RustItemKind::Struct | RustItemKind::Enum);
        let name = item.name.as_ref().filter(|_| is_type)?;
        Some((files.of(name.span), name.name.as_str()))
    });
    let types = types.collect();
    let within = |span: &Span| Qualify { files, types: &types, file: files.of(*span) };
    rust.types.iter_mut().for_each(|(span, it)| within(span).visit_type_mut(it));
    rust.exprs.iter_mut().for_each(|(span, it)| within(span).visit_expr_mut(it));
    rust.patterns.iter_mut().for_each(|(span, it)| within(span).visit_pat_mut(it));
    rust.blocks.iter_mut().for_each(|(span, it)| within(span).visit_block_mut(it));
    rust.functions.iter_mut().for_each(|(span, it)| within(span).visit_item_fn_mut(it));
    rust.items.iter_mut().for_each(|(span, it)| within(span).visit_item_mut(it));
}

struct Qualify<'n> {
    files: &'n Files,
    /// The types that the files declare.
    types: &'n BTreeSet<(usize, &'n str)>,
    /// The file that is looked at.
    file: usize,
}

impl VisitMut for Qualify<'_> {
    fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
        visit_mut::visit_type_path_mut(self, path);
        if path.qself.is_some() || path.path.leading_colon.is_some() {
            return;
        }
        let Some(first) = path.path.segments.first() else { return };
        let (name, span) = (first.ident.to_string(), first.ident.span());
        let (file, declared) = match self.files.spec(self.file, &name) {
            Some(file) => (file, None),
            None => {
                let (file, declared) = self.files.declared(self.file, &name);
                if !self.types.contains(&(file, declared)) {
                    return;
                }
                (file, Some(declared))
            }
        };
        let Some(outer) = self.files.path(file) else { return };
        let mut segments: Vec<syn::PathSegment> = outer.map(|it| identifier(it, span).into()).into();
        let mut rest = std::mem::take(&mut path.path.segments).into_iter();
        let first = rest.next();
        if let (Some(declared), Some(first)) = (declared, first) {
            let ident = identifier(declared, span);
            segments.push(syn::PathSegment { ident, arguments: first.arguments });
        }
        path.path.segments = segments.into_iter().chain(rest).collect();
    }
}
