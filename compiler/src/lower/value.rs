//! Expressions of properties and systems: resolved, typed as far as types are known, and written as Rust over a `view`.
//!
//! Ids are followed: `.x` on a node is that node's variable or parameter. References come and go as the author means them: a set
//! is asked with `contains(n)` whether `n` is an id or a reference to one. What has no known type is passed on to rustc.
//! Names are in `names.rs`, operators in `operators.rs`, parts and calls in `apply.rs`, binders in `quantify.rs`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span as TokenSpan, TokenStream};
use quote::{quote, quote_spanned};

use crate::ast::{self, Expr, ExprKind, LiteralKind};
use crate::body::{duration_tokens, with_unknown_unit};
use crate::check::Checked;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::Reads;
use crate::names::Place;
use crate::source::Span;
use crate::types::Type;

/// An expression, written.
pub(super) struct Value {
    /// Rust.
    pub tokens: TokenStream,
    /// Its type.
    pub ty: Type,
    /// Whether it is a place: a variable or a part of one, and not a value of its own.
    pub place: bool,
}

impl Value {
    pub(super) fn new(tokens: TokenStream, ty: Type) -> Value {
        Value { tokens, ty, place: false }
    }

    pub(super) fn place(tokens: TokenStream, ty: Type) -> Value {
        Value { tokens, ty, place: true }
    }
}

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) enum Home<'h> {
    /// In a service, by its index; `own` where bare names are the node's own variables.
    Service { index: usize, own: bool },
    /// In a system.
    System(&'h SystemScope),
}

/// The names of a system.
#[derive(Clone, Default)]
pub(super) struct SystemScope {
    /// Groups: name, service, whether it is a single node.
    pub groups: Vec<(String, usize, bool)>,
    /// How many nodes each group has, where that is written as a number.
    pub sizes: Vec<Option<u64>>,
    /// What is in the stack of each group.
    pub stacks: Vec<Vec<Place>>,
    /// Parameters: name, type, tokens of the type, the default as an expression.
    pub parameters: Vec<(String, Type, TokenStream, TokenStream)>,
    /// Whether groups and parameters are variables of the surrounding code, so that nothing needs to be fetched.
    pub building: bool,
    /// Nodes that are always named by a number, of groups whose size is known only when the system is put together.
    pub named: RefCell<BTreeSet<(usize, u64)>>,
}

/// Lowers expressions.
pub(super) struct Lowerer<'c, 'a, 'd> {
    pub checked: &'c Checked<'a>,
    pub diagnostics: &'d mut Diagnostics,
    pub home: Home<'c>,
    /// Names bound so far, innermost last.
    pub locals: Vec<(String, Type)>,
    /// What was read.
    pub reads: Reads,
    /// Whether it was asked which nodes are up.
    pub reads_up: bool,
    /// Whether anything was asked of a node: a variable, a parameter, a routine, whether it is up.
    pub looks: bool,
    /// What nature draws in a call of a workload, so far; `None` elsewhere.
    pub draws: Option<Vec<super::workload::Draw>>,
    /// Whether the expression is a claim about runs, so that messages speak of those.
    pub of_runs: bool,
    /// How many conditions are around what comes next, so that it may never be evaluated.
    pub(super) conditions: u32,
    /// Whether the expression stands in an objective, so that messages speak of that.
    pub weighing: bool,
    /// Whether something else than the node of that name was read.
    pub own_node: Option<String>,
    pub reads_others: bool,
    /// Whether the next `nodes` is what the claim as a whole ranges over, so that nothing is read by it.
    pub ranging: bool,
    /// Whether this is an argument of a lower layer, which names parameters and never a state.
    pub binding: bool,
    /// Whether the arithmetic that comes next yields a real number, so that `/` does not round.
    pub(super) real: bool,
    pub(super) prelude: BTreeMap<String, TokenStream>,
    pub(super) called: &'c RefCell<BTreeSet<(usize, String)>>,
    pub(super) labels: usize,
}

impl<'c, 'a, 'd> Lowerer<'c, 'a, 'd> {
    pub(super) fn new(checked: &'c Checked<'a>, home: Home<'c>, diagnostics: &'d mut Diagnostics) -> Self {
        Lowerer {
            checked,
            diagnostics,
            home,
            locals: Vec::new(),
            reads: Reads::new(),
            reads_up: false,
            looks: false,
            of_runs: false,
            conditions: 0,
            weighing: false,
            draws: None,
            own_node: None,
            reads_others: false,
            ranging: false,
            binding: false,
            real: false,
            prelude: BTreeMap::new(),
            called: &checked.called,
            labels: 0,
        }
    }

    /// Lowers expressions of an objective.
    pub(super) fn of_objective(
        checked: &'c Checked<'a>,
        home: Home<'c>,
        diagnostics: &'d mut Diagnostics,
    ) -> Self {
        Lowerer { weighing: true, ..Lowerer::new(checked, home, diagnostics) }
    }

    /// The expression with everything that it needs fetched before it.
    pub(super) fn finish(&mut self, tokens: TokenStream) -> TokenStream {
        let prelude = std::mem::take(&mut self.prelude);
        if prelude.is_empty() {
            return tokens;
        }
        let prelude = prelude.values();
        quote!({ #(#prelude)* #tokens })
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn span(&self, span: Span) -> TokenSpan {
        self.checked.places.token_span(span)
    }

    /// An expression that must be a truth value.
    pub(super) fn truth(&mut self, expr: &Expr) -> Option<TokenStream> {
        let value = self.expr(expr, Some(&Type::Bool))?;
        match value.ty.peeled() {
            Type::Bool => Some(self.by_value(value).tokens),
            Type::Unknown => Some(value.tokens),
            other => {
                let message = format!("a truth value is needed here, and this is {}", other.describe());
                let mut found = Diagnostic::error("E0513", expr.span, message);
                if other.is_number() {
                    found = found.with_help("compare it: `.. > 0`");
                } else if matches!(other, Type::Option(_)) {
                    found = found.with_help("ask `.is_some()` or `.is_none()`");
                } else if other.element().is_some() {
                    found = found.with_help("ask `.is_empty()`");
                }
                self.report(found);
                None
            }
        }
    }

    /// An expression that must be a number, as an `f64`.
    pub(super) fn amount(&mut self, expr: &Expr) -> Option<TokenStream> {
        self.real = true;
        let value = self.expr(expr, Some(&Type::Float))?;
        let span = self.span(expr.span);
        let value = self.by_value(value);
        let tokens = value.tokens;
        match value.ty.peeled() {
            Type::Float => Some(tokens),
            Type::Int(_) | Type::Unknown => Some(quote_spanned!(span=> (#tokens) as f64)),
            Type::Duration => Some(quote_spanned!(span=> (#tokens).as_secs_f64())),
            Type::Bool => Some(quote_spanned!(span=> f64::from(u8::from(#tokens)))),
            other => {
                let message = format!("a number is needed here, and this is {}", other.describe());
                self.report(Diagnostic::error("E0513", expr.span, message));
                None
            }
        }
    }

    /// Any expression. `None` where it is wrong, which was reported.
    pub(super) fn expr(&mut self, expr: &Expr, expected: Option<&Type>) -> Option<Value> {
        let span = self.span(expr.span);
        // Arithmetic hands it on to its operands; anything else has numbers of its own.
        let real = std::mem::take(&mut self.real);
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(expr, literal, expected),
            ExprKind::Path(path) => self.path(expr, path, expected),
            ExprKind::Paren(inner) => {
                self.real = real;
                let value = self.expr(inner, expected)?;
                let tokens = value.tokens;
                Some(Value { tokens: quote_spanned!(span=> (#tokens)), ..value })
            }
            ExprKind::Tuple(parts) => {
                let parts: Vec<Value> = self.all(parts)?;
                let tokens = parts.iter().map(|it| &it.tokens);
                let tokens = quote_spanned!(span=> (#(#tokens,)*));
                Some(Value::new(tokens, Type::Tuple(parts.into_iter().map(|it| it.ty).collect())))
            }
            ExprKind::Array(exprs) => {
                let parts = self.all(exprs)?;
                if self.mixed(exprs, &parts) {
                    return None;
                }
                if parts.iter().any(|it| matches!(it.ty, Type::Group(_))) {
                    return Some(self.joined(parts));
                }
                let tokens = parts.iter().map(|it| &it.tokens);
                let tokens = quote_spanned!(span=> [#(#tokens),*]);
                let ty = parts.into_iter().next().map_or(Type::Unknown, |it| it.ty);
                Some(Value::new(tokens, Type::Seq(Box::new(ty))))
            }
            ExprKind::Struct(it) => self.construct(it, span),
            ExprKind::Vec(parts) => {
                let parts = self.all(parts)?;
                let tokens = parts.iter().map(|it| &it.tokens);
                let tokens = quote_spanned!(span=> vec![#(#tokens),*]);
                let ty = parts.into_iter().next().map_or(Type::Unknown, |it| it.ty);
                Some(Value::new(tokens, Type::Seq(Box::new(ty))))
            }
            ExprKind::Matches(it) => self.matches(it, span),
            ExprKind::Macro { path, .. } => {
                let message = "a claim has no macros but `matches!` and `vec!`";
                let found = Diagnostic::error("E0549", path.span, message);
                self.report(found.with_help("use `==`, `&&` and methods, or a pure routine"));
                None
            }
            ExprKind::Unary(op, inner) => {
                self.real = real && *op == ast::UnaryOp::Negate;
                self.unary(*op, inner, expected, span)
            }
            ExprKind::Binary(binary) => self.binary(binary, real),
            ExprKind::Cast(inner, ty) => self.cast(inner, ty, span),
            ExprKind::Range { start, end, inclusive } => {
                self.range(start.as_deref(), end.as_deref(), *inclusive, span)
            }
            ExprKind::Field(base, name) => self.field(base, name),
            ExprKind::TupleField(base, number, _) => self.tuple_field(base, *number, span),
            ExprKind::Index(base, index) => self.index(base, index, span),
            ExprKind::Method(call) => self.method(call, span),
            ExprKind::Call(function, args) => self.call(expr, function, args),
            ExprKind::Closure(closure) => self.closure(closure, span),
            ExprKind::Lambda(lambda) => self.lambda(lambda, &[], span),
            ExprKind::Quantified(it) => self.quantified(it),
            ExprKind::Aggregate(it) => self.aggregate(it, span, real),
            ExprKind::Up(inner) => {
                let node = self.node(inner)?;
                self.look(expr.span)?;
                (self.reads_others, self.reads_up) = (true, true);
                Some(Value::new(quote_spanned!(span=> view.up(#node)), Type::Bool))
            }
            ExprKind::Temporal(op, _) => {
                let word = op.word();
                let found = if self.of_runs {
                    super::run::not_outermost(expr.span, word)
                } else {
                    let message =
                        format!("`{word}` says something about a run, and this property is about one state");
                    Diagnostic::error("E0505", expr.span, message)
                        .with_help("leave the word out; `safety` properties hold in every state anyway")
                };
                self.report(found);
                None
            }
            ExprKind::Probability(_) | ExprKind::Expected { .. } => {
                let message =
                    "probabilities and expectations stand in `statistical` properties of systems alone";
                self.report(Diagnostic::error("E0505", expr.span, message));
                None
            }
        }
    }

    fn cast(&mut self, inner: &Expr, ty: &ast::Fragment, span: TokenSpan) -> Option<Value> {
        let value = self.expr(inner, None)?;
        let tokens = self.by_value(value).tokens;
        let written = self.checked.places.stream(ty.span);
        let parsed = syn::parse2::<syn::Type>(written.clone()).ok();
        let ty = parsed.map_or(Type::Unknown, |ty| self.checked.names.types.resolve(&ty));
        Some(Value::new(quote_spanned!(span=> ((#tokens) as #written)), ty))
    }

    pub(super) fn all(&mut self, exprs: &[Expr]) -> Option<Vec<Value>> {
        let values: Vec<Option<Value>> = exprs.iter().map(|it| self.expr(it, None)).collect();
        let values: Option<Vec<Value>> = values.into_iter().collect();
        Some(values?.into_iter().map(|it| self.by_value(it)).collect())
    }

    /// A reference to something that is copied becomes the thing itself.
    pub(super) fn by_value(&self, value: Value) -> Value {
        let references = value.ty.references();
        let inner = value.ty.peeled().clone();
        if references == 0 || !inner.is_copy() {
            return value;
        }
        let (tokens, stars) = (value.tokens, (0..references).map(|_| quote!(*)));
        Value::new(quote!((#(#stars)* #tokens)), inner)
    }

    /// A value as an argument that is taken by reference.
    pub(super) fn by_reference(&self, value: Value) -> TokenStream {
        let tokens = value.tokens;
        match value.ty {
            Type::Ref(_) => tokens,
            Type::Unknown if !value.place => tokens,
            _ => quote!(&#tokens),
        }
    }

    pub(super) fn literal(
        &mut self,
        expr: &Expr,
        literal: &ast::Literal,
        expected: Option<&Type>,
    ) -> Option<Value> {
        let span = self.span(expr.span);
        let written = self.checked.places.stream(expr.span);
        if matches!(literal.kind, LiteralKind::Int | LiteralKind::Float)
            && let Some(found) = with_unknown_unit(&literal.text, expr.span)
        {
            self.report(found);
            return None;
        }
        let ty = match literal.kind {
            LiteralKind::Bool => Type::Bool,
            LiteralKind::Int => {
                let suffix = crate::types::INTEGERS.iter().find(|name| literal.text.ends_with(**name));
                if suffix.is_none() && expected == Some(&Type::Float) {
                    return Some(Value::new(quote_spanned!(span=> (#written as f64)), Type::Float));
                }
                Type::Int(suffix.unwrap_or(&"_"))
            }
            LiteralKind::Float => Type::Float,
            LiteralKind::Duration => {
                let Some(nanoseconds) = literal.nanoseconds() else {
                    self.report(Diagnostic::error("E0415", expr.span, "this duration is too long"));
                    return None;
                };
                return Some(Value::new(duration_tokens(nanoseconds, span), Type::Duration));
            }
            LiteralKind::Str => Type::Text.referenced(),
            LiteralKind::Char => Type::Unknown,
        };
        Some(Value::new(written, ty))
    }

    pub(super) fn local(&self, name: &str) -> Option<Type> {
        self.locals.iter().rev().find(|(known, _)| known == name).map(|(_, ty)| ty.clone())
    }

    /// An expression that must be a node, as an id.
    pub(super) fn node(&mut self, expr: &Expr) -> Option<TokenStream> {
        let value = self.expr(expr, None)?;
        let value = self.by_value(value);
        match value.ty.peeled() {
            Type::Node(_) | Type::Layer { .. } => Some(value.tokens),
            Type::Unknown => {
                let tokens = value.tokens;
                Some(quote!(::foresee::support::id(#tokens)))
            }
            other => {
                let message = format!("a node is needed here, and this is {}", other.describe());
                self.report(Diagnostic::error("E0513", expr.span, message));
                None
            }
        }
    }
}
