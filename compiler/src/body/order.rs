//! Where a body goes by the order of ids: what it does would be something else after nodes are renamed. A part of the walk of
//! `survey.rs`.
//!
//! A set or map of ids hands them out in their order. What is collected from it stands in that order, which does no harm until an
//! element is taken by its place or the sequence is kept.

use syn::visit::{self, Visit};
use syn::{BinOp, Expr};

use super::infer::variable_at;
use super::survey::Surveyor;
use crate::types::Type;

/// Methods of collections and iterators that go by the order of the elements.
const ORDERED: &[&str] = &[
    "enumerate",
    "find",
    "first",
    "fold",
    "last",
    "max",
    "max_by",
    "max_by_key",
    "min",
    "min_by",
    "min_by_key",
    "next",
    "nth",
    "pop_first",
    "pop_last",
    "position",
    "range",
    "rev",
    "skip",
    "skip_while",
    "split_off",
    "step_by",
    "take",
    "take_while",
    "zip",
];

/// Methods of sequences that take elements by their place.
const BY_PLACE: &[&str] =
    &["back", "drain", "front", "get", "pop", "pop_back", "pop_front", "remove", "swap_remove", "truncate"];

/// Methods that add to a sequence at one of its ends.
const ADDING: &[&str] = &["append", "extend", "extend_from_slice", "push", "push_back", "push_front"];

impl Surveyor<'_> {
    fn orders(&mut self, place: crate::source::Span, what: impl Into<String>) {
        self.survey.ordered.push((place, what.into()));
    }

    fn holds_ids(&self, ty: &Type) -> bool {
        self.scope.names.types.holds_ids(ty)
    }

    /// `a < b`
    pub(super) fn ordered_comparison(&mut self, it: &syn::ExprBinary) {
        let by_order = matches!(it.op, BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_));
        let ids = |expr| self.holds_ids(&self.scope.of(expr));
        // Sets are compared for being smaller by their elements' order as well.
        if by_order && (ids(&it.left) || ids(&it.right)) {
            let place = self.place(&it.left).to(self.place(&it.right));
            self.orders(place, "ids are compared");
        }
    }

    /// `x.f(..)`
    pub(super) fn ordered_method(&mut self, it: &syn::ExprMethodCall) {
        let method = it.method.to_string();
        let of = self.scope.of(&it.receiver);
        let holds = |ty: &Type| self.holds_ids(ty);
        let by_order = match (method.as_str(), of.peeled()) {
            ("cmp" | "partial_cmp" | "lt" | "le" | "gt" | "ge" | "clamp", other) => holds(other),
            // Of two ids, or of all of them.
            ("max" | "min", Type::Seq(_)) if !super::infer::is_iterator(&it.receiver) => false,
            ("max" | "min", other) => holds(other),
            ("sort" | "sort_unstable" | "is_sorted", Type::Seq(item)) => holds(item),
            (_, Type::Set(item)) => ORDERED.contains(&method.as_str()) && holds(item),
            (_, Type::Map(key, _)) => {
                (ORDERED.contains(&method.as_str()) || method.ends_with("_key_value")) && holds(key)
            }
            // A sequence has an order of its own, unless it runs through a set or a map of ids.
            (_, Type::Seq(item)) => {
                (ORDERED.contains(&method.as_str()) || BY_PLACE.contains(&method.as_str()))
                    && holds(item)
                    && self.goes_by_ids(&it.receiver)
            }
            ("index", Type::Node(_)) => true,
            _ => false,
        };
        if by_order {
            let place = self.places.place(it.method.span());
            self.orders(place, format!("`{method}` goes by the order of ids"));
        }
        if ADDING.contains(&method.as_str()) {
            self.added(it);
        }
    }

    /// `xs.push(x)`: what is added in the order of ids stands in it.
    fn added(&mut self, it: &syn::ExprMethodCall) {
        let Some(value) = it.args.last() else { return };
        let given = self.scope.of(value);
        let one_by_one = it.method.to_string().starts_with("push");
        let by_order = if one_by_one { self.is_of_loop(value) } else { self.goes_by_ids(value) };
        let of = self.scope.of(&it.receiver);
        if !by_order || !self.holds_ids(&given) || !matches!(of.peeled(), Type::Seq(_) | Type::Unknown) {
            return;
        }
        if variable_at(&self.scope, &it.receiver).is_some() {
            let place = self.places.place(it.method.span());
            self.orders(place, "the sequence keeps ids in their order");
        } else if let Expr::Path(path) = &*it.receiver
            && let Some(name) = path.path.get_ident().map(ToString::to_string)
            && self.scope.depth(&name).is_some_and(|at| self.loops.first().is_none_or(|outer| at < *outer))
        {
            if matches!(of.peeled(), Type::Unknown) {
                let item = if one_by_one { Some(given) } else { given.peeled().element() };
                self.scope.retype(&name, Type::Seq(Box::new(item.unwrap_or(Type::Unknown))));
            }
            self.by_ids.insert(name);
        }
    }

    /// Whether something stands in the order of ids: it comes from a set or map of them, one after the other.
    fn goes_by_ids(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Paren(it) => self.goes_by_ids(&it.expr),
            Expr::Reference(it) => self.goes_by_ids(&it.expr),
            Expr::Path(it) => it.path.get_ident().is_some_and(|name| self.by_ids.contains(&name.to_string())),
            Expr::MethodCall(it) => match self.scope.of(&it.receiver).peeled() {
                Type::Set(item) => self.holds_ids(item),
                Type::Map(key, _) => self.holds_ids(key),
                _ => self.goes_by_ids(&it.receiver),
            },
            _ => false,
        }
    }

    /// `let xs = ..`: notes whether the local stands in the order of ids.
    pub(super) fn ordered_local(&mut self, local: &syn::Local) {
        for name in super::scope::bindings(&local.pat) {
            let name = name.to_string();
            let ty = self.scope.local(&name).map_or(Type::Unknown, |it| it.ty.clone());
            let sequence = matches!(ty.peeled(), Type::Seq(item) if self.holds_ids(item));
            if sequence && local.init.as_ref().is_some_and(|init| self.goes_by_ids(&init.expr)) {
                self.by_ids.insert(name);
            } else {
                self.by_ids.remove(&name);
            }
        }
    }

    /// `xs[0]`
    pub(super) fn ordered_index(&mut self, it: &syn::ExprIndex) {
        let holds = matches!(self.scope.of(&it.expr).peeled(), Type::Seq(item) if self.holds_ids(item));
        if holds && self.goes_by_ids(&it.expr) {
            let place = self.place(&it.expr).to(self.place(&it.index));
            self.orders(place, "the place of an id in their order matters");
        }
    }

    /// A value that goes where a `wanted` is kept or told: a sequence goes there with its order.
    pub fn kept(&mut self, wanted: &Type, value: &Expr) {
        if matches!(wanted.peeled(), Type::Seq(item) if self.holds_ids(item)) && self.goes_by_ids(value) {
            let place = self.place(value);
            self.orders(place, "the sequence keeps ids in their order");
        }
    }

    /// A text that is made of `value`.
    pub(super) fn written_out(&mut self, value: &Expr) {
        if self.holds_ids(&self.scope.of(value)) {
            let place = self.place(value);
            self.orders(place, "the text of an id tells one from another");
        }
    }

    /// A loop through what has type `of`: whether it goes by the order of ids.
    pub(super) fn ordered_loop(&mut self, it: &syn::ExprForLoop, of: &Type) -> bool {
        let through = match of.peeled() {
            Type::Set(item) => self.holds_ids(item),
            Type::Map(key, _) => self.holds_ids(key),
            Type::Seq(_) => self.goes_by_ids(&it.expr),
            _ => false,
        };
        if through && leaves_early(&it.body) {
            let place = self.places.place(it.for_token.span);
            self.orders(place, "the loop goes through ids in their order, and may end early");
        }
        through
    }

    /// `x = id`, in a loop that goes by the order of ids: the last one stays.
    pub(super) fn ordered_assign(&mut self, it: &syn::ExprAssign) {
        let Some(outer) = self.loops.first().copied() else { return };
        let target = match &*it.left {
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            _ => None,
        };
        let beyond = target.as_ref().and_then(|name| self.scope.depth(name)).is_some_and(|at| at < outer);
        let variable = matches!(&*it.left, Expr::Path(_)) && variable_at(&self.scope, &it.left).is_some()
            || matches!(&*it.left, Expr::Field(field) if matches!(&*field.base, Expr::Path(base) if base.path.is_ident("self")));
        let same = target.is_some_and(|name| mentions(&it.right, |it| it == name));
        if (beyond || variable)
            && !same
            && self.is_of_loop(&it.right)
            && self.holds_ids(&self.scope.of(&it.right))
        {
            let place = self.place(&it.left).to(self.place(&it.right));
            self.orders(place, "the last id in their order stays");
        }
    }

    /// Whether an expression takes from what a loop through ids goes by.
    fn is_of_loop(&self, expr: &Expr) -> bool {
        let Some(outer) = self.loops.first() else { return false };
        mentions(expr, |name| self.scope.depth(name).is_some_and(|at| at >= *outer))
    }
}

/// Whether an expression mentions a name.
fn mentions(expr: &Expr, is: impl Fn(&str) -> bool) -> bool {
    struct Mentions<F>(F, bool);
    impl<'ast, F: Fn(&str) -> bool> Visit<'ast> for Mentions<F> {
        fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
            self.1 |= path.path.get_ident().is_some_and(|name| self.0(&name.to_string()));
            visit::visit_expr_path(self, path);
        }
    }
    let mut mentions = Mentions(is, false);
    mentions.visit_expr(expr);
    mentions.1
}

/// Whether a loop may end before it has seen everything.
fn leaves_early(body: &syn::Block) -> bool {
    struct Leaves(bool);
    impl<'ast> Visit<'ast> for Leaves {
        fn visit_expr_break(&mut self, _: &'ast syn::ExprBreak) {
            self.0 = true;
        }
        fn visit_expr_return(&mut self, _: &'ast syn::ExprReturn) {
            self.0 = true;
        }
        fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut leaves = Leaves(false);
    leaves.visit_block(body);
    leaves.0
}
