//! Expressions of properties and systems: resolved, typed as far as types are known, and written as Rust over a `view`.
//!
//! Ids are followed: `.x` on a node is that node's variable or parameter. References come and go as the author means them: a set
//! is asked with `contains(n)` whether `n` is an id or a reference to one. What has no known type is passed on to rustc.
//! Binders are in `quantify.rs`, the types of methods in `methods.rs`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span as TokenSpan, TokenStream};
use quote::{quote, quote_spanned};

use crate::ast::{self, Binary, BinaryOp, Expr, ExprKind, LiteralKind, UnaryOp};
use crate::body::{Borrow, duration_tokens};
use crate::check::{Checked, unknown};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::Reads;
use crate::source::Span;
use crate::types::Type;

use super::methods;

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

    fn place(tokens: TokenStream, ty: Type) -> Value {
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
#[derive(Default)]
pub(super) struct SystemScope {
    /// Groups: name, service, whether it is a single node.
    pub groups: Vec<(String, usize, bool)>,
    /// Parameters: name, type, tokens of the type, the default as an expression.
    pub parameters: Vec<(String, Type, TokenStream, TokenStream)>,
    /// Whether groups and parameters are variables of the surrounding code, so that nothing needs to be fetched.
    pub building: bool,
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
    /// Whether something else than the node of that name was read.
    pub own_node: Option<String>,
    pub reads_others: bool,
    prelude: BTreeMap<String, TokenStream>,
    called: &'c RefCell<BTreeSet<(usize, String)>>,
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
            own_node: None,
            reads_others: false,
            prelude: BTreeMap::new(),
            called: &checked.called,
            labels: 0,
        }
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

    pub(super) fn module(&self, service: usize) -> Ident {
        Ident::new(&super::service::snake(&self.checked.names.services[service].name), TokenSpan::call_site())
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
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(expr, literal, expected),
            ExprKind::Path(path) => self.path(expr, path, expected),
            ExprKind::Paren(inner) => {
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
            ExprKind::Array(parts) => {
                let parts = self.all(parts)?;
                let tokens = parts.iter().map(|it| &it.tokens);
                let tokens = quote_spanned!(span=> [#(#tokens),*]);
                let ty = parts.into_iter().next().map_or(Type::Unknown, |it| it.ty);
                Some(Value::new(tokens, Type::Seq(Box::new(ty))))
            }
            ExprKind::Struct(it) => self.construct(it, span),
            ExprKind::Macro { path, .. } => {
                self.not_yet("E0915", path.span, "macros in properties", "use `==`, `&&` and methods, or a pure routine");
                None
            }
            ExprKind::Unary(op, inner) => self.unary(*op, inner, expected, span),
            ExprKind::Binary(binary) => self.binary(binary),
            ExprKind::Cast(inner, ty) => {
                let value = self.expr(inner, None)?;
                let tokens = self.by_value(value).tokens;
                let written = self.checked.places.stream(ty.span);
                let parsed = syn::parse2::<syn::Type>(written.clone()).ok();
                let ty = parsed.map_or(Type::Unknown, |ty| self.checked.names.types.resolve(&ty));
                Some(Value::new(quote_spanned!(span=> ((#tokens) as #written)), ty))
            }
            ExprKind::Range { start, end, inclusive } => self.range(start.as_deref(), end.as_deref(), *inclusive, span),
            ExprKind::Field(base, name) => self.field(base, name),
            ExprKind::TupleField(base, number, _) => self.tuple_field(base, *number, span),
            ExprKind::Index(base, index) => self.index(base, index, span),
            ExprKind::Method(call) => self.method(call, span),
            ExprKind::Call(function, args) => self.call(expr, function, args),
            ExprKind::Closure(closure) => self.closure(closure, span),
            ExprKind::Lambda(lambda) => self.lambda(lambda, &[], span),
            ExprKind::Quantified(it) => self.quantified(it),
            ExprKind::Aggregate(it) => self.aggregate(it, span),
            ExprKind::Up(inner) => {
                let node = self.node(inner)?;
                self.reads_others = true;
                Some(Value::new(quote_spanned!(span=> view.up(#node)), Type::Bool))
            }
            ExprKind::Temporal(op, _) => {
                let message = format!("`{}` says something about a run, and this property is about one state", op.word());
                let found = Diagnostic::error("E0505", expr.span, message);
                self.report(found.with_help("leave the word out; `safety` properties hold in every state anyway"));
                None
            }
            ExprKind::Probability(_) | ExprKind::Expected { .. } => {
                let message = "probabilities and expectations stand in `statistical` properties of systems alone";
                self.report(Diagnostic::error("E0505", expr.span, message));
                None
            }
        }
    }

    pub(super) fn not_yet(&mut self, code: &'static str, span: Span, what: &str, help: &str) {
        let found = Diagnostic::error(code, span, format!("not yet supported: {what}"));
        self.report(found.with_label("part of the language, but this compiler cannot do it yet").with_help(help));
    }

    fn all(&mut self, exprs: &[Expr]) -> Option<Vec<Value>> {
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
    fn by_reference(&self, value: Value) -> TokenStream {
        let tokens = value.tokens;
        match value.ty {
            Type::Ref(_) => tokens,
            Type::Unknown if !value.place => tokens,
            _ => quote!(&#tokens),
        }
    }

    fn literal(&mut self, expr: &Expr, literal: &ast::Literal, expected: Option<&Type>) -> Option<Value> {
        let span = self.span(expr.span);
        let written = self.checked.places.stream(expr.span);
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

    fn local(&self, name: &str) -> Option<Type> {
        self.locals.iter().rev().find(|(known, _)| known == name).map(|(_, ty)| ty.clone())
    }

    fn path(&mut self, expr: &Expr, path: &ast::Path, expected: Option<&Type>) -> Option<Value> {
        let Some(ident) = path.as_ident() else {
            let written = self.checked.places.stream(path.span);
            let integer = path.segments.first().and_then(|it| crate::types::INTEGERS.iter().find(|known| **known == it.name));
            return Some(Value::new(written, integer.map_or(Type::Unknown, |it| Type::Int(it))));
        };
        let (name, token) = (ident.name.as_str(), self.checked.places.ident(ident));
        if let Some(ty) = self.local(name) {
            return Some(Value::place(quote!(#token), ty));
        }
        if let Some(value) = self.state(ident, expected) {
            return Some(value);
        }
        match self.home {
            Home::Service { index, own } => {
                if name == "nodes" {
                    let (module, service) = (self.module(index), self.service_ident(index));
                    self.fetch(name, quote!(let nodes = view.running::<#module::#service>();));
                    self.reads_others = true;
                    return Some(Value::place(quote!(nodes), Type::Seq(Box::new(Type::Node(Some(index))))));
                }
                let names = &self.checked.names.services[index];
                if let Some(constant) = names.consts.get(name) {
                    let module = self.module(index);
                    return Some(Value::place(quote!(#module::#token), constant.ty.clone()));
                }
                if own && (name == "me" || self.member_type(index, name).is_some()) {
                    if name == "me" {
                        return Some(Value::place(quote!(me), Type::Node(Some(index))));
                    }
                    return self.member(index, quote!(me), ident);
                }
            }
            Home::System(scope) => {
                if let Some(value) = self.of_system(scope, name, &token) {
                    return Some(value);
                }
            }
        }
        if self.checked.names.items.contains_key(name) || self.checked.names.imported.contains(name) || name == "None" {
            let ty = if name == "None" { Type::Option(Box::new(Type::Unknown)) } else { Type::Unknown };
            return Some(Value::new(quote!(#token), ty));
        }
        self.unknown_name(expr, ident);
        None
    }

    fn of_system(&mut self, scope: &SystemScope, name: &str, token: &Ident) -> Option<Value> {
        if let Some(at) = scope.groups.iter().position(|(known, ..)| known == name) {
            let (_, service, single) = scope.groups[at];
            self.reads_others = true;
            if single {
                if !scope.building {
                    self.fetch(name, quote!(let #token = view.group(#at)[0];));
                    return Some(Value::place(quote!(#token), Type::Node(Some(service))));
                }
                return Some(Value::new(quote!(#token.only()), Type::Node(Some(service))));
            }
            if !scope.building {
                self.fetch(name, quote!(let #token = view.group(#at);));
            }
            return Some(Value::place(quote!(#token), Type::Group(at)));
        }
        if let Some((_, ty, written, default)) = scope.parameters.iter().find(|(known, ..)| known == name) {
            if !scope.building {
                self.fetch(
                    name,
                    quote!(let #token: #written = view.model().arguments.get(#name, #default).unwrap_or_default();),
                );
            }
            return Some(Value::place(quote!(#token), ty.clone()));
        }
        if name == "nodes" && !scope.building {
            self.fetch(name, quote!(let nodes = view.all();));
            self.reads_others = true;
            return Some(Value::place(quote!(nodes), Type::Seq(Box::new(Type::Node(None)))));
        }
        None
    }

    pub(super) fn fetch(&mut self, name: &str, statement: TokenStream) {
        self.prelude.insert(name.to_owned(), statement);
    }

    pub(super) fn service_ident(&self, index: usize) -> Ident {
        Ident::new(&self.checked.names.services[index].name, TokenSpan::call_site())
    }

    /// A bare control state: of the service that is expected, else of the only one that has it.
    fn state(&mut self, ident: &ast::Ident, expected: Option<&Type>) -> Option<Value> {
        let services = &self.checked.names.services;
        let has = |index: &usize| services[*index].has_state(&ident.name);
        let expected = expected.and_then(|ty| match ty.peeled() {
            Type::State(index) => Some(*index),
            _ => None,
        });
        let home = match self.home {
            Home::Service { index, .. } => Some(index),
            Home::System(_) => None,
        };
        let index = expected.filter(has).or_else(|| home.filter(has)).or_else(|| {
            let mut all = (0..services.len()).filter(has);
            let first = all.next();
            first.filter(|_| all.next().is_none())
        })?;
        let (module, token) = (self.module(index), self.checked.places.ident(ident));
        let span = token.span();
        Some(Value::new(quote_spanned!(span=> #module::State::#token), Type::State(index)))
    }

    fn unknown_name(&mut self, expr: &Expr, ident: &ast::Ident) {
        let name = &ident.name;
        let mut known: Vec<String> = self.locals.iter().map(|(name, _)| name.clone()).collect();
        let mut help = None;
        match self.home {
            Home::Service { index, .. } => {
                let names = &self.checked.names.services[index];
                known.push("nodes".into());
                known.extend(names.states.iter().map(|it| it.name.clone()));
                known.extend(names.consts.keys().cloned());
                if self.member_type(index, name).is_some() {
                    let node = self.locals.iter().rev().find(|(_, ty)| matches!(ty.peeled(), Type::Node(_)));
                    let node = node.map_or("n", |(name, _)| name.as_str());
                    help = Some(format!("every node has its own: write `{node}.{name}`, or make the property `local`"));
                }
            }
            Home::System(scope) => {
                known.extend(scope.groups.iter().map(|(name, ..)| name.clone()));
                known.extend(scope.parameters.iter().map(|(name, ..)| name.clone()));
                known.extend(self.checked.names.services.iter().flat_map(|it| &it.states).map(|it| it.name.clone()));
            }
        }
        let mut found = unknown("E0501", expr.span, "name", name, known.iter().map(String::as_str));
        if let Some(help) = help {
            found.help = vec![help];
        }
        self.report(found);
    }

    fn construct(&mut self, it: &ast::Stack, span: TokenSpan) -> Option<Value> {
        let mut fields = Vec::new();
        for field in it.fields() {
            let name = self.checked.places.ident(&field.name);
            let value = match &field.value {
                Some(value) => self.expr(value, None)?,
                None => {
                    let path = ast::Path { segments: vec![field.name.clone()], span: field.name.span };
                    let expr = Expr { kind: ExprKind::Path(path), span: field.name.span };
                    self.expr(&expr, None)?
                }
            };
            let value = self.by_value(value).tokens;
            fields.push(quote!(#name: #value));
        }
        let path = self.checked.places.stream(it.path.span);
        let ty = it.path.as_ident().map_or(Type::Unknown, |it| Type::Named(it.name.clone()));
        Some(Value::new(quote_spanned!(span=> #path { #(#fields),* }), ty))
    }

    fn unary(&mut self, op: UnaryOp, inner: &Expr, expected: Option<&Type>, span: TokenSpan) -> Option<Value> {
        match op {
            UnaryOp::Not => {
                let value = self.expr(inner, expected)?;
                let value = self.by_value(value);
                let tokens = value.tokens;
                Some(Value::new(quote_spanned!(span=> !#tokens), value.ty))
            }
            UnaryOp::Negate => {
                let value = self.expr(inner, expected)?;
                let value = self.by_value(value);
                let tokens = value.tokens;
                Some(Value::new(quote_spanned!(span=> -#tokens), value.ty))
            }
            // What is copied was bound by value already, so the star has done its work.
            UnaryOp::Deref => {
                let value = self.expr(inner, expected)?;
                let tokens = &value.tokens;
                match &value.ty {
                    Type::Ref(it) => Some(Value::place(quote_spanned!(span=> (*#tokens)), (**it).clone())),
                    Type::Unknown => Some(Value::place(quote_spanned!(span=> (*#tokens)), Type::Unknown)),
                    _ => Some(value),
                }
            }
            UnaryOp::Ref => {
                let value = self.expr(inner, expected)?;
                let tokens = value.tokens;
                Some(Value::new(quote_spanned!(span=> &#tokens), value.ty.referenced()))
            }
        }
    }

    fn binary(&mut self, binary: &Binary) -> Option<Value> {
        let span = self.span(binary.op_span);
        match binary.op {
            BinaryOp::LeadsTo => {
                let message = "`leads to` says something about a run, and this property is about one state";
                self.report(Diagnostic::error("E0505", binary.op_span, message).with_help("`implies` is about one state"));
                None
            }
            BinaryOp::Implies | BinaryOp::Iff | BinaryOp::Or | BinaryOp::And => {
                let (left, right) = (self.truth(&binary.left), self.truth(&binary.right));
                let (left, right) = (left?, right?);
                let tokens = match binary.op {
                    BinaryOp::Implies => quote_spanned!(span=> (!#left || #right)),
                    BinaryOp::Iff => quote_spanned!(span=> (#left == #right)),
                    BinaryOp::Or => quote_spanned!(span=> (#left || #right)),
                    _ => quote_spanned!(span=> (#left && #right)),
                };
                Some(Value::new(tokens, Type::Bool))
            }
            _ => self.comparison_or_sum(binary, span),
        }
    }

    fn comparison_or_sum(&mut self, binary: &Binary, span: TokenSpan) -> Option<Value> {
        // A bare control state takes its service from the other side.
        let bare = |expr: &Expr| expr.peeled().as_ident().is_some_and(|it| it.name.starts_with(char::is_uppercase));
        let (left, right) = if bare(&binary.left) && !bare(&binary.right) {
            let right = self.expr(&binary.right, None)?;
            (self.expr(&binary.left, Some(&right.ty))?, right)
        } else {
            let left = self.expr(&binary.left, None);
            let expected = left.as_ref().map(|it| it.ty.clone());
            let right = self.expr(&binary.right, expected.as_ref());
            (left?, right?)
        };
        let (mut left, mut right) = (self.by_value(left), self.by_value(right));
        self.comparable(binary, &left.ty, &right.ty)?;
        // `x == *e` and `x == e` mean the same where only one of both is a reference.
        match (&left.ty, &right.ty) {
            (Type::Ref(_), Type::Ref(_)) => {}
            (Type::Ref(_), other) if *other != Type::Unknown => left = self.dereferenced(left),
            (other, Type::Ref(_)) if *other != Type::Unknown => right = self.dereferenced(right),
            (Type::Int(_), Type::Float) => left = float(left),
            (Type::Float, Type::Int(_)) => right = float(right),
            _ => {}
        }
        let op: TokenStream = binary.op.sign().parse().unwrap_or_default();
        let op = op.into_iter().map(|mut token| {
            token.set_span(span);
            token
        });
        let op: TokenStream = op.collect();
        let (a, b) = (&left.tokens, &right.tokens);
        let tokens = quote_spanned!(span=> (#a #op #b));
        let ty = match () {
            () if binary.op.is_comparison() => Type::Bool,
            () if left.ty == Type::Int("_") => right.ty,
            () => left.ty,
        };
        Some(Value::new(tokens, ty))
    }

    fn dereferenced(&self, value: Value) -> Value {
        let (tokens, stars) = (value.tokens, (0..value.ty.references()).map(|_| quote!(*)));
        Value::place(quote!((#(#stars)* #tokens)), value.ty.peeled().clone())
    }

    /// Reports a comparison that can never be meant.
    fn comparable(&mut self, binary: &Binary, left: &Type, right: &Type) -> Option<()> {
        if !binary.op.is_comparison() {
            return Some(());
        }
        let (left, right) = (left.peeled(), right.peeled());
        let class = |ty: &Type| match ty {
            Type::Bool => 1,
            Type::Int(_) | Type::Float => 2,
            Type::Text => 3,
            Type::Duration => 4,
            Type::Node(_) => 5,
            Type::State(index) => 100 + index,
            Type::Option(_) => 6,
            Type::Set(_) => 7,
            Type::Map(..) => 8,
            _ => 0,
        };
        let (a, b) = (class(left), class(right));
        if a != 0 && b != 0 && a != b {
            let message = format!("{} is compared with {}", left.describe(), right.describe());
            let mut found = Diagnostic::error("E0513", binary.left.span.to(binary.right.span), message);
            if matches!((left, right), (Type::Option(_), _)) {
                let right = self.checked.places.file.slice(binary.right.span);
                found = found.with_help(format!("write `== Some({right})`"));
            } else if let (Type::State(_), Type::State(_)) = (left, right) {
                found = found.with_help("the two control states belong to different services");
            }
            self.report(found);
            return None;
        }
        Some(())
    }

    fn range(&mut self, start: Option<&Expr>, end: Option<&Expr>, inclusive: bool, span: TokenSpan) -> Option<Value> {
        let mut side = |expr: Option<&Expr>| match expr {
            None => Some((TokenStream::new(), Type::Unknown)),
            Some(expr) => {
                let value = self.expr(expr, None)?;
                let value = self.by_value(value);
                Some((value.tokens, value.ty))
            }
        };
        let ((start, left), (end, right)) = (side(start)?, side(end)?);
        let ty = if matches!(left, Type::Unknown | Type::Int("_")) { right } else { left };
        let tokens = match inclusive {
            true => quote_spanned!(span=> (#start..=#end)),
            false => quote_spanned!(span=> (#start..#end)),
        };
        Some(Value::new(tokens, Type::Seq(Box::new(ty))))
    }

    /// An expression that must be a node, as an id.
    pub(super) fn node(&mut self, expr: &Expr) -> Option<TokenStream> {
        let value = self.expr(expr, None)?;
        let value = self.by_value(value);
        match value.ty.peeled() {
            Type::Node(_) => Some(value.tokens),
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

    /// The type of a variable or parameter of a service.
    pub(super) fn member_type(&self, service: usize, name: &str) -> Option<Type> {
        let names = &self.checked.names.services[service];
        if name == "state" && !names.states.is_empty() {
            return Some(Type::State(service));
        }
        let ty = |ty: &Option<syn::Type>| ty.as_ref().map_or(Type::Unknown, |ty| self.checked.names.types.resolve(ty));
        let variable = names.variable(name).map(|it| ty(&it.ty));
        variable.or_else(|| names.parameter(name).map(|it| ty(&it.ty)))
    }

    /// `node.name`, where the service is known.
    fn member(&mut self, service: usize, node: TokenStream, name: &ast::Ident) -> Option<Value> {
        let ty = self.member_type(service, &name.name)?;
        let (module, token) = (self.module(service), self.checked.places.ident(name));
        let span = token.span();
        if self.checked.names.services[service].parameter(&name.name).is_some() {
            return Some(Value::place(quote_spanned!(span=> #module::service(view, #node).#token), ty));
        }
        self.reads.entry(service).or_default().insert(name.name.clone());
        Some(Value::place(quote_spanned!(span=> #module::at(view, #node).#token), ty))
    }

    /// The service whose `name` is meant on a node.
    pub(super) fn service_of(&mut self, node: Option<usize>, name: &ast::Ident, routine: bool) -> Option<usize> {
        let names = &self.checked.names;
        let has = |index: usize| match routine {
            true => names.services[index].routine(&name.name).is_some(),
            false => self.member_type(index, &name.name).is_some(),
        };
        if let Some(index) = node.filter(|index| has(*index)) {
            return Some(index);
        }
        if let Home::Service { index, .. } = self.home
            && node.is_none()
            && has(index)
        {
            return Some(index);
        }
        // A known service that lacks the name: no other can be meant.
        let candidates: Vec<usize> = match node {
            Some(_) => Vec::new(),
            None => (0..names.services.len()).filter(|index| has(*index)).collect(),
        };
        match candidates.as_slice() {
            [one] => Some(*one),
            [] => {
                self.unknown_member(node, name);
                None
            }
            several => {
                let services: Vec<_> = several.iter().map(|it| format!("`{}`", names.services[*it].name)).collect();
                let message = format!("several services have `{}`: {}", name.name, services.join(", "));
                self.report(
                    Diagnostic::error("E0503", name.span, message)
                        .with_label("which of them runs on this node is not known here")
                        .with_help("say it in a property of that service, or range over a group of its nodes"),
                );
                None
            }
        }
    }

    fn unknown_member(&mut self, node: Option<usize>, name: &ast::Ident) {
        let services = &self.checked.names.services;
        if services.iter().any(|it| it.layers.contains_key(&name.name)) {
            return self.not_yet("E0902", name.span, "reading a layer below a service", "leave it out");
        }
        let of: Vec<usize> = match (node, self.home) {
            (Some(index), _) | (None, Home::Service { index, .. }) => vec![index],
            (None, Home::System(_)) => (0..services.len()).collect(),
        };
        let mut known: Vec<&str> = Vec::new();
        for index in &of {
            known.extend(services[*index].variables.iter().map(|it| it.name.as_str()));
            known.extend(services[*index].parameters.iter().map(|it| it.name.as_str()));
            known.extend(services[*index].routines.iter().map(|it| it.name.as_str()));
            known.push("state");
        }
        let message = match of.as_slice() {
            [one] => format!("`{}` has no variable or parameter `{}`", services[*one].name, name.name),
            _ => format!("no service has a variable or parameter `{}`", name.name),
        };
        let mut found = Diagnostic::error("E0502", name.span, message);
        if let Some(meant) = crate::names::closest(&name.name, known) {
            found = found.with_help(format!("did you mean `{meant}`?"));
        }
        self.report(found);
    }

    fn note_node(&mut self, base: &Expr) {
        let own = base.peeled().as_ident().map(|it| it.name.as_str());
        if self.own_node.is_none() || own != self.own_node.as_deref() {
            self.reads_others = true;
        }
    }

    fn field(&mut self, base: &Expr, name: &ast::Ident) -> Option<Value> {
        let value = self.expr(base, None)?;
        let token = self.checked.places.ident(name);
        let span = token.span();
        match value.ty.peeled().clone() {
            Type::Node(service) => {
                self.note_node(base);
                let node = self.by_value(value).tokens;
                let service = self.service_of(service, name, false)?;
                self.member(service, node, name)
            }
            Type::Named(ty) => {
                let tokens = value.tokens;
                let Some(field) = self.checked.names.types.field(&ty, &name.name) else {
                    let known: Vec<&str> = self.checked.names.types.fields(&ty)?.collect();
                    let what = format!("field of `{ty}` named");
                    let found = unknown("E0502", name.span, &what, &name.name, known);
                    self.report(found);
                    return None;
                };
                Some(Value::place(quote_spanned!(span=> #tokens.#token), field))
            }
            Type::Unknown => {
                let tokens = value.tokens;
                Some(Value::place(quote_spanned!(span=> #tokens.#token), Type::Unknown))
            }
            other => {
                let message = format!("{} has no field `{}`", other.describe(), name.name);
                let mut found = Diagnostic::error("E0502", name.span, message);
                if matches!(&other, Type::Option(inner) if matches!(**inner, Type::Node(_))) {
                    let help = format!("bind the node first: `p in {}`", self.checked.places.file.slice(base.span));
                    found = found.with_help(help);
                } else if other.element().is_some() || matches!(other, Type::Group(_)) {
                    found = found.with_help("range over its elements first: `forall x in ..: x.name`");
                }
                self.report(found);
                None
            }
        }
    }

    fn tuple_field(&mut self, base: &Expr, number: u32, span: TokenSpan) -> Option<Value> {
        let value = self.expr(base, None)?;
        let ty = match value.ty.peeled() {
            Type::Tuple(parts) => parts.get(number as usize).cloned().unwrap_or(Type::Unknown),
            Type::Named(name) => {
                self.checked.names.types.field(name, &number.to_string()).unwrap_or(Type::Unknown)
            }
            _ => Type::Unknown,
        };
        let (tokens, mut index) = (value.tokens, syn::Index::from(number as usize));
        index.span = span;
        Some(Value::place(quote_spanned!(span=> #tokens.#index), ty))
    }

    fn index(&mut self, base: &Expr, index: &Expr, span: TokenSpan) -> Option<Value> {
        let value = self.expr(base, None)?;
        let at = self.expr(index, None)?;
        let tokens = value.tokens;
        let ty = match value.ty.peeled() {
            Type::Group(group) => {
                let Home::System(scope) = self.home else { return None };
                Type::Node(Some(scope.groups[*group].1))
            }
            Type::Seq(inner) => (**inner).clone(),
            Type::Map(_, inner) => {
                let key = self.by_reference(at);
                return Some(Value::place(quote_spanned!(span=> #tokens[#key]), (**inner).clone()));
            }
            _ => Type::Unknown,
        };
        let at = self.by_value(at).tokens;
        Some(Value::place(quote_spanned!(span=> #tokens[#at]), ty))
    }

    fn method(&mut self, call: &ast::MethodCall, span: TokenSpan) -> Option<Value> {
        let base = self.expr(&call.base, None)?;
        if let Type::Node(service) = *base.ty.peeled()
            && !matches!(call.name.name.as_str(), "index" | "clone" | "cmp" | "max" | "min")
        {
            self.note_node(&call.base);
            let service = self.service_of(service, &call.name, true)?;
            let node = self.by_value(base).tokens;
            return self.routine(service, node, &call.name, &call.args);
        }
        let name = call.name.name.as_str();
        let parameter = methods::lambda_parameter(base.ty.peeled(), name);
        let mut args = Vec::new();
        let mut first = None;
        for arg in &call.args {
            let value = match &arg.kind {
                ExprKind::Lambda(lambda) => self.lambda(lambda, parameter.as_slice(), span)?,
                _ => self.expr(arg, None)?,
            };
            first = first.or_else(|| Some(value.ty.clone()));
            let tokens = match methods::takes_reference(name) {
                true => self.by_reference(value),
                false => self.by_value(value).tokens,
            };
            args.push(tokens);
        }
        let ty = methods::result(base.ty.peeled(), name, first.as_ref());
        let (tokens, method) = (base.tokens, self.checked.places.ident(&call.name));
        let turbofish = call.turbofish.as_ref().map(|it| {
            let written = self.checked.places.stream(it.span);
            quote!(::#written)
        });
        let span = method.span();
        Some(Value::new(quote_spanned!(span=> #tokens.#method #turbofish(#(#args),*)), ty))
    }

    /// A pure routine of a node.
    pub(super) fn routine(
        &mut self,
        service: usize,
        node: TokenStream,
        name: &ast::Ident,
        args: &[Expr],
    ) -> Option<Value> {
        let args: Vec<Option<Value>> = args.iter().map(|it| self.expr(it, None)).collect();
        let args: Vec<Value> = args.into_iter().collect::<Option<_>>()?;
        self.called.borrow_mut().insert((service, name.name.clone()));
        let facts = &self.checked.services.get(service)?;
        let shape = facts.shapes.get(&name.name)?.clone();
        let declared = self.checked.names.services[service].routine(&name.name)?.clone();
        let mutable = shape.borrows.values().any(|it| *it == Borrow::Mutable);
        if shape.ctx || mutable {
            let effect = facts.routines.get(&name.name).and_then(|it| crate::analyse::effects_of(it, &facts.routines));
            let (what, place) = match effect {
                Some((what, place, _)) => (what, place),
                None => ("asks about timers, which no property can see".to_owned(), declared.span),
            };
            self.report(
                Diagnostic::error("E0504", name.span, format!("the routine `{}` {what}", name.name))
                    .with_label("properties can call pure routines alone")
                    .with_secondary(place, "here")
                    .with_help("move what only reads into a routine of its own"),
            );
            return None;
        }
        if declared.arity != args.len() {
            let message = format!("`{}` takes {} argument(s), and {} given", name.name, declared.arity, args.len());
            self.report(Diagnostic::error("E0410", name.span, message).with_secondary(declared.span, "declared here"));
            return None;
        }
        let (module, token) = (self.module(service), self.checked.places.ident(name));
        let span = token.span();
        let mut passed: Vec<TokenStream> = Vec::new();
        if shape.me {
            passed.push(node.clone());
        }
        passed.extend(args.into_iter().map(|it| self.by_value(it).tokens));
        for variable in shape.borrows.keys() {
            self.reads.entry(service).or_default().insert(variable.clone());
            let variable = Ident::new(variable, span);
            passed.push(quote!(&#module::at(view, #node).#variable));
        }
        let ty = declared.output.as_ref().map_or(Type::Tuple(vec![]), |ty| self.checked.names.types.resolve(ty));
        Some(Value::new(quote_spanned!(span=> #module::service(view, #node).#token(#(#passed),*)), ty))
    }

    fn call(&mut self, expr: &Expr, function: &Expr, args: &[Expr]) -> Option<Value> {
        let span = self.span(expr.span);
        if let Some(name) = function.as_ident()
            && self.local(&name.name).is_none()
        {
            if let Home::Service { index, own: true } = self.home
                && self.checked.names.services[index].routine(&name.name).is_some()
            {
                return self.routine(index, quote!(me), name, args);
            }
            let known = self.checked.names.items.contains_key(&name.name)
                || self.checked.names.imported.contains(&name.name)
                || matches!(name.name.as_str(), "Some" | "Ok" | "Err" | "Box");
            if !known {
                let mut found = unknown("E0501", name.span, "function", &name.name, ["Some", "Ok", "Err"]);
                if let Home::Service { index, .. } = self.home
                    && self.checked.names.services[index].routine(&name.name).is_some()
                {
                    found.help = vec![format!("a routine is called on a node: `n.{}(..)`", name.name)];
                }
                self.report(found);
                return None;
            }
            let args = self.all(args)?;
            let ty = match (name.name.as_str(), args.as_slice()) {
                ("Some", [one]) => Type::Option(Box::new(one.ty.clone())),
                _ => Type::Unknown,
            };
            let (token, args) = (self.checked.places.ident(name), args.iter().map(|it| &it.tokens));
            return Some(Value::new(quote_spanned!(span=> #token(#(#args),*)), ty));
        }
        let function = self.expr(function, None)?.tokens;
        let args = self.all(args)?;
        let args = args.iter().map(|it| &it.tokens);
        Some(Value::new(quote_spanned!(span=> #function(#(#args),*)), Type::Unknown))
    }

    /// `|x| ..`, where the types of the parameters may be known from what it is given to.
    fn lambda(&mut self, lambda: &ast::Lambda, types: &[Type], span: TokenSpan) -> Option<Value> {
        let depth = self.locals.len();
        let mut patterns = Vec::new();
        let mut copies = Vec::new();
        for (at, pattern) in lambda.params.iter().enumerate() {
            let ty = types.get(at).cloned().unwrap_or(Type::Unknown);
            patterns.push(self.pattern(pattern, ty, &mut copies));
        }
        let body = self.expr(&lambda.body, None);
        self.locals.truncate(depth);
        let body = self.by_value(body?);
        let tokens = body.tokens;
        Some(Value::new(quote_spanned!(span=> |#(#patterns),*| { #(#copies)* #tokens }), body.ty))
    }
}

fn float(value: Value) -> Value {
    let tokens = value.tokens;
    Value::new(quote!((#tokens as f64)), Type::Float)
}
