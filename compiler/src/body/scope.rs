//! Which names are local at a place, as Rust's own scoping says.

use syn::visit::{self, Visit};
use syn::{Ident, Pat};

/// How a local is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// By value, in the body.
    Value,
    /// By value, in the body, with a value that stays: it is not `mut`.
    Fixed,
    /// By value, in the body, to what `now()` gave or to what was made of that.
    Moment,
    /// By the handler's head, by value.
    Head,
    /// By the handler's head, as a reference that stands for the value: `(*x)`.
    HeadReference,
}

/// The locals in force, innermost last.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    stack: Vec<(String, Local)>,
    marks: Vec<usize>,
}

impl Scopes {
    /// Opens a scope.
    pub fn open(&mut self) {
        self.marks.push(self.stack.len());
    }

    /// Closes the innermost scope.
    pub fn close(&mut self) {
        let mark = self.marks.pop().unwrap_or(0);
        self.stack.truncate(mark);
    }

    /// Adds a local.
    pub fn add(&mut self, name: impl Into<String>, local: Local) {
        self.stack.push((name.into(), local));
    }

    /// What the name is, if it is local.
    pub fn find(&self, name: &str) -> Option<Local> {
        self.stack.iter().rev().find(|(known, _)| known == name).map(|(_, local)| *local)
    }

    /// The names, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.stack.iter().map(|(name, _)| name.as_str())
    }
}

/// The names that a pattern binds. A lone capitalised name is a constant or variant, as everybody writes them.
pub fn bindings(pattern: &Pat) -> Vec<&Ident> {
    fn collect<'p>(pattern: &'p Pat, found: &mut Vec<&'p Ident>) {
        match pattern {
            Pat::Ident(it) => {
                let plain = it.by_ref.is_none() && it.mutability.is_none() && it.subpat.is_none();
                if !(plain && is_capitalised(&it.ident.to_string())) {
                    found.push(&it.ident);
                }
                if let Some((_, inner)) = &it.subpat {
                    collect(inner, found);
                }
            }
            Pat::Guard(it) => collect(&it.pat, found),
            // All alternatives bind the same names.
            Pat::Or(it) => it.cases.first().into_iter().for_each(|case| collect(case, found)),
            Pat::Paren(it) => collect(&it.pat, found),
            Pat::Reference(it) => collect(&it.pat, found),
            Pat::Slice(it) => it.elems.iter().for_each(|part| collect(part, found)),
            Pat::Struct(it) => it.fields.iter().for_each(|field| collect(&field.pat, found)),
            Pat::Tuple(it) => it.elems.iter().for_each(|part| collect(part, found)),
            Pat::TupleStruct(it) => it.elems.iter().for_each(|part| collect(part, found)),
            Pat::Type(it) => collect(&it.pat, found),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(pattern, &mut found);
    found
}

/// Whether a pattern binds a name by `mut`.
pub(super) fn is_mutable(pattern: &Pat, name: &Ident) -> bool {
    struct Mutable<'n>(&'n Ident, bool);
    impl<'ast> Visit<'ast> for Mutable<'_> {
        fn visit_pat_ident(&mut self, it: &'ast syn::PatIdent) {
            self.1 |= it.ident == *self.0 && it.mutability.is_some();
            visit::visit_pat_ident(self, it);
        }
        fn visit_expr(&mut self, _: &'ast syn::Expr) {}
    }
    let mut mutable = Mutable(name, false);
    mutable.visit_pat(pattern);
    mutable.1
}

/// Whether a pattern binds something by `ref mut`, so that what it is matched with may be changed.
pub(super) fn borrows_mutably(pattern: &Pat) -> bool {
    struct Borrows(bool);
    impl<'ast> Visit<'ast> for Borrows {
        fn visit_pat_ident(&mut self, it: &'ast syn::PatIdent) {
            self.0 |= it.by_ref.is_some() && it.mutability.is_some();
            visit::visit_pat_ident(self, it);
        }
        fn visit_expr(&mut self, _: &'ast syn::Expr) {}
    }
    let mut borrows = Borrows(false);
    borrows.visit_pat(pattern);
    borrows.0
}

/// Whether a name starts with a capital letter.
pub fn is_capitalised(name: &str) -> bool {
    name.trim_start_matches("r#").starts_with(|c: char| c.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_bind_what_rust_binds() {
        let names = |text: &str| {
            let pattern = syn::parse::Parser::parse_str(Pat::parse_multi, text).unwrap();
            bindings(&pattern).iter().map(|it| it.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names("(a, Some(mut b), None, _)"), ["a", "b"]);
        assert_eq!(names("Job { reply, command: c @ Put(_), .. }"), ["reply", "c"]);
        assert_eq!(names("&x"), ["x"]);
    }
}
