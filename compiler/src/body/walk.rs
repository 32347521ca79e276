//! Resolves the bare names of a body and rewrites them, keeping every token's place.
//!
//! One walk does both: `check` runs it on a copy and keeps the findings and the [`Facts`], `codegen` runs it again and keeps
//! the rewritten tree. Names follow Rust's scoping: a local hides a variable. What is not understood is left to rustc.
//! Bare names are in `resolve.rs`, calls in `calls.rs`.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Span as TokenSpan;
use quote::quote_spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Ident, Pat};

use super::Places;
use super::facts::{Facts, Mode, RoutineShape};
use super::macros::{self, Arguments};
use super::resolve::{root, targets, verbatim};
use super::scope::{self, Local, Scopes};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{Names, ServiceNames};
use crate::source::Span;
use crate::tokens::identifier;

/// The walk.
pub struct Walker<'a> {
    pub(super) names: &'a Names,
    pub(super) service: &'a ServiceNames,
    pub(super) places: Places<'a>,
    pub(super) mode: Mode,
    pub(super) routines: &'a BTreeMap<String, RoutineShape>,
    pub(super) scopes: Scopes,
    pub(super) owner: String,
    pub(super) binding: Option<String>,
    pub(super) first_site: usize,
    /// Locals that hold what a choice gave, and the names of its site; the latest last.
    pub(super) chosen: Vec<(String, String)>,
    /// What was found out.
    pub facts: Facts,
    /// What is wrong.
    pub diagnostics: Diagnostics,
    reported: BTreeSet<Span>,
}

impl<'a> Walker<'a> {
    /// A walk of something that belongs to `service`.
    pub fn new(
        names: &'a Names,
        service: &'a ServiceNames,
        places: Places<'a>,
        mode: Mode,
        routines: &'a BTreeMap<String, RoutineShape>,
    ) -> Walker<'a> {
        Walker {
            names,
            service,
            places,
            mode,
            routines,
            scopes: Scopes::default(),
            owner: String::new(),
            binding: None,
            first_site: 0,
            chosen: Vec::new(),
            facts: Facts::default(),
            diagnostics: Diagnostics::new(),
            reported: BTreeSet::new(),
        }
    }

    /// Names the handler or routine whose body is walked, and the number of sites before it.
    pub fn owned_by(mut self, owner: &str, first_site: usize) -> Self {
        self.owner = owner.to_owned();
        self.first_site = first_site;
        self
    }

    /// Names what the value of the expression is bound to, after which its sites are called.
    pub fn bound_to(mut self, name: &str) -> Self {
        self.binding = Some(name.to_owned());
        self
    }

    /// Adds names that the head binds; `by_reference` where they stand for `(*name)`.
    pub fn with_head<'n>(mut self, names: impl IntoIterator<Item = &'n str>, by_reference: bool) -> Self {
        let local = if by_reference { Local::HeadReference } else { Local::Head };
        names.into_iter().for_each(|name| self.scopes.add(name, local));
        self
    }

    /// Adds arguments of a routine.
    pub fn with_arguments<'p>(mut self, patterns: impl IntoIterator<Item = &'p Pat>) -> Self {
        patterns.into_iter().for_each(|pattern| self.bind(pattern));
        self
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        // One place has one mistake: a second finding there follows from the first.
        if self.reported.insert(diagnostic.span) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn place(&self, span: TokenSpan) -> Span {
        self.places.place(span)
    }

    /// Puts the names of a pattern into the current scope.
    fn bind(&mut self, pattern: &Pat) {
        for ident in scope::bindings(pattern) {
            let name = ident.to_string();
            if name == "me" || name == "this" || name == "ctx" || name.starts_with("this_") {
                let message = format!("`{name}` cannot be the name of a local");
                let what = match name.as_str() {
                    "me" => "`me` is the id of this node everywhere",
                    _ => "generated code uses this name around the body",
                };
                let place = self.place(ident.span());
                self.report(
                    Diagnostic::error("E0407", place, message)
                        .with_label(what)
                        .with_help("choose another name"),
                );
            }
            let fixed = !scope::is_mutable(pattern, ident);
            self.chosen.retain(|(known, _)| *known != name);
            self.scopes.add(name, if fixed { Local::Fixed } else { Local::Value });
        }
    }

    /// The single name that an expression is, if it is one.
    pub(super) fn name_of(expr: &Expr) -> Option<&Ident> {
        match expr {
            Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
            Expr::Paren(inner) => Self::name_of(&inner.expr),
            _ => None,
        }
    }

    /// Whether an expression is what `choose` or `choose_or` gives.
    pub(super) fn is_choice(expr: &Expr) -> bool {
        match expr {
            Expr::Call(call) => {
                Self::name_of(&call.func).is_some_and(|it| it == "choose" || it == "choose_or")
            }
            Expr::Paren(inner) => Self::is_choice(&inner.expr),
            _ => false,
        }
    }

    /// Visits a condition, whose `let`s bind names in what follows, then `then`, in a scope of their own.
    fn scoped(&mut self, condition: &mut Expr, then: impl FnOnce(&mut Self)) {
        self.scopes.open();
        self.visit_expr_mut(condition);
        then(self);
        self.scopes.close();
    }
}

impl VisitMut for Walker<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Path(path) => {
                if let (None, Some(ident)) = (&path.qself, path.path.get_ident().cloned())
                    && let Some(rewritten) = self.resolve(&ident)
                {
                    *expr = rewritten;
                }
            }
            Expr::Field(field) => {
                if let (Expr::Path(base), syn::Member::Named(member)) = (&*field.base, &field.member)
                    && base.path.is_ident("self")
                {
                    let member = member.clone();
                    *expr = self.qualified(&member);
                } else {
                    self.visit_expr_mut(&mut field.base);
                }
            }
            Expr::Lit(literal) => {
                if let Some(rewritten) = self.literal(&literal.lit) {
                    *expr = rewritten;
                }
            }
            Expr::Call(_) => self.call(expr),
            Expr::MethodCall(_) => self.method_call(expr),
            Expr::Struct(it) => self.constructor(it),
            Expr::Assign(assign) => {
                self.check_assignment(&assign.left, &assign.right);
                targets(&assign.left).into_iter().for_each(|place| self.writes(place));
                // What is assigned is bound to a name as well: a choice in it is called after the variable.
                let name = root(&assign.left).map(|(ident, _)| ident.to_string());
                self.visit_expr_mut(&mut assign.left);
                let outer = std::mem::replace(&mut self.binding, name);
                self.visit_expr_mut(&mut assign.right);
                self.binding = outer;
            }
            Expr::Binary(binary) => {
                use syn::BinOp::*;
                if let AddAssign(_) | SubAssign(_) | MulAssign(_) | DivAssign(_) | RemAssign(_)
                | BitXorAssign(_) | BitAndAssign(_) | BitOrAssign(_) | ShlAssign(_) | ShrAssign(_) =
                    binary.op
                {
                    self.writes(&binary.left);
                }
                match self.in_time(binary) {
                    Some(rewritten) => *expr = rewritten,
                    None => visit_mut::visit_expr_binary_mut(self, binary),
                }
            }
            Expr::Reference(reference) => {
                if reference.mutability.is_some() {
                    self.writes(&reference.expr);
                }
                self.visit_expr_mut(&mut reference.expr);
            }
            _ => self.visit_scoped(expr),
        }
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        self.scopes.open();
        for stmt in &block.stmts {
            // Items are known in the whole block, whatever their order.
            if let syn::Stmt::Item(syn::Item::Fn(it)) = stmt {
                self.scopes.add(it.sig.ident.to_string(), Local::Value);
            } else if let syn::Stmt::Item(syn::Item::Const(it)) = stmt {
                self.scopes.add(it.ident.to_string(), Local::Value);
            }
        }
        visit_mut::visit_block_mut(self, block);
        self.scopes.close();
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        let moment = local.init.as_ref().is_some_and(|init| self.moment(&init.expr).is_some());
        let chooses = local.init.as_ref().is_some_and(|init| Self::is_choice(&init.expr));
        let sites = self.facts.sites.len();
        if let Some(init) = &mut local.init {
            let name = match scope::bindings(&local.pat).as_slice() {
                [one] => Some(one.to_string()),
                _ => None,
            };
            let outer = std::mem::replace(&mut self.binding, name);
            self.matched(&init.expr, &local.pat);
            self.visit_expr_mut(&mut init.expr);
            self.binding = outer;
            if let Some((_, diverge)) = &mut init.diverge {
                self.visit_expr_mut(diverge);
            }
        }
        self.visit_pat_mut(&mut local.pat);
        self.bind(&local.pat);
        if local.init.is_none() {
            // Its value comes later.
            let names = scope::bindings(&local.pat);
            names.iter().for_each(|name| self.scopes.add(name.to_string(), Local::Value));
        }
        if let (true, [one]) = (moment, scope::bindings(&local.pat).as_slice()) {
            self.scopes.add(one.to_string(), Local::Moment);
        }
        if let (true, [one], Some(site)) = (
            chooses,
            scope::bindings(&local.pat).as_slice(),
            self.facts.sites.get(sites..).and_then(<[_]>::last),
        ) {
            self.chosen.push((one.to_string(), site.name.clone()));
        }
    }

    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        match pattern {
            Pat::Ident(it) if it.subpat.is_none() && it.by_ref.is_none() && it.mutability.is_none() => {
                if let Some(path) = self.variant(&it.ident) {
                    *pattern = Pat::Verbatim(path);
                }
            }
            Pat::Struct(it) => {
                if let Some(path) = it.path.get_ident().and_then(|ident| self.variant_with_fields(ident)) {
                    it.path = syn::parse2(path).unwrap_or_else(|_| it.path.clone());
                }
                it.fields.iter_mut().for_each(|field| self.visit_pat_mut(&mut field.pat));
            }
            Pat::Guard(it) => self.visit_pat_mut(&mut it.pat),
            Pat::Path(_) | Pat::Lit(_) | Pat::Range(_) | Pat::Const(_) => {}
            _ => visit_mut::visit_pat_mut(self, pattern),
        }
    }

    fn visit_macro_mut(&mut self, mac: &mut syn::Macro) {
        let format = macros::format_position(mac);
        let mut arguments = macros::arguments(mac);
        match &mut arguments {
            Arguments::List(list) => self.macro_list(list, format),
            Arguments::Repeat(value, _, count) => {
                self.visit_expr_mut(value);
                self.visit_expr_mut(count);
            }
            Arguments::Matches(expr, _, pattern) => {
                self.matched(expr, pattern);
                self.visit_expr_mut(expr);
                self.scopes.open();
                self.visit_arm_pattern(pattern);
                self.scopes.close();
            }
            Arguments::Opaque => self.check_opaque(mac),
        }
        if let Some(tokens) = arguments.into_tokens() {
            mac.tokens = tokens;
        }
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {
        // An item within a body sees none of the names around it, as in Rust.
    }

    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
}

impl Walker<'_> {
    /// The forms that open scopes.
    fn visit_scoped(&mut self, expr: &mut Expr) {
        match expr {
            Expr::If(it) => {
                let branch = &mut it.then_branch;
                self.scoped(&mut it.cond, |walker| walker.visit_block_mut(branch));
                if let Some((_, otherwise)) = &mut it.else_branch {
                    self.visit_expr_mut(otherwise);
                }
            }
            Expr::While(it) => {
                let body = &mut it.body;
                self.scoped(&mut it.cond, |walker| walker.visit_block_mut(body));
            }
            Expr::Let(it) => {
                self.matched(&it.expr, &it.pat);
                self.visit_expr_mut(&mut it.expr);
                self.visit_pat_mut(&mut it.pat);
                self.bind(&it.pat);
            }
            Expr::ForLoop(it) => {
                self.visit_expr_mut(&mut it.expr);
                self.scopes.open();
                self.visit_pat_mut(&mut it.pat);
                self.bind(&it.pat);
                self.visit_block_mut(&mut it.body);
                self.scopes.close();
            }
            Expr::Closure(it) => {
                self.scopes.open();
                for input in &mut it.inputs {
                    self.visit_pat_mut(input);
                    self.bind(input);
                }
                self.visit_expr_mut(&mut it.body);
                self.scopes.close();
            }
            Expr::Match(it) => {
                it.arms.iter().for_each(|arm| self.matched(&it.expr, &arm.pat));
                self.visit_expr_mut(&mut it.expr);
                for arm in &mut it.arms {
                    self.scopes.open();
                    self.visit_arm_pattern(&mut arm.pat);
                    self.visit_expr_mut(&mut arm.body);
                    self.scopes.close();
                }
            }
            other => visit_mut::visit_expr_mut(self, other),
        }
    }

    /// Notes that `pattern` may change what it is matched with.
    fn matched(&mut self, matched: &Expr, pattern: &Pat) {
        if scope::borrows_mutably(pattern) {
            self.writes(matched);
        }
    }

    /// A pattern with its guard, in the current scope.
    fn visit_arm_pattern(&mut self, pattern: &mut Pat) {
        self.visit_pat_mut(pattern);
        self.bind(pattern);
        if let Pat::Guard(guarded) = pattern {
            self.visit_expr_mut(&mut guarded.guard);
        }
    }

    fn macro_list(
        &mut self,
        list: &mut syn::punctuated::Punctuated<Expr, syn::Token![,]>,
        format: Option<usize>,
    ) {
        let inline = format.and_then(|at| list.get(at)).map(|it| (macros::inline_names(it), span_of(it)));
        for argument in list.iter_mut() {
            // `name = value` in a format list is no assignment.
            match argument {
                Expr::Assign(named) if format.is_some() => self.visit_expr_mut(&mut named.right),
                other => self.visit_expr_mut(other),
            }
        }
        let Some((names, span)) = inline else { return };
        let given = |list: &syn::punctuated::Punctuated<Expr, syn::Token![,]>, name: &str| {
            list.iter().any(|it| matches!(it, Expr::Assign(named) if Self::name_of(&named.left).is_some_and(|left| left == name)))
        };
        for name in names {
            let ident = identifier(&name, span);
            if given(list, &name) {
                continue;
            }
            if let Some(value) = self.resolve(&ident) {
                list.push(verbatim(quote_spanned!(span=> #ident = #value)));
            }
        }
    }

    /// A macro that cannot be read must not name what would have to be rewritten.
    fn check_opaque(&mut self, mac: &syn::Macro) {
        fn idents(tokens: proc_macro2::TokenStream, found: &mut Vec<Ident>) {
            for token in tokens {
                match token {
                    proc_macro2::TokenTree::Ident(ident) => found.push(ident),
                    proc_macro2::TokenTree::Group(group) => idents(group.stream(), found),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        idents(mac.tokens.clone(), &mut found);
        for ident in found {
            let name = ident.to_string();
            let rewritten = self.service.variable(&name).is_some()
                || self.service.parameter(&name).is_some()
                || name == "me"
                || self.scopes.find(&name) == Some(Local::HeadReference);
            if self.scopes.find(&name) == Some(Local::Head) {
                self.facts.head_locals.insert(name);
            } else if rewritten
                && !matches!(self.scopes.find(&name), Some(Local::Value | Local::Fixed | Local::Moment))
            {
                let place = self.place(ident.span());
                self.report(
                    Diagnostic::error(
                        "E0412",
                        place,
                        format!("`{name}` stands inside a macro that cannot be read"),
                    )
                    .with_label("names are followed only where the arguments are expressions")
                    .with_help(format!(
                        "bind it before: `let value = {name};`, and use `value` in the macro"
                    )),
                );
            }
        }
    }
}

pub(super) fn span_of(expr: &Expr) -> TokenSpan {
    use syn::spanned::Spanned;
    expr.span()
}
