//! Operators: connectives, comparisons, arithmetic, ranges, references.

use proc_macro2::{Span as TokenSpan, TokenStream};
use quote::{quote, quote_spanned};

use crate::ast::{Binary, BinaryOp, Expr, UnaryOp};
use crate::diag::Diagnostic;
use crate::types::Type;

use super::value::{Lowerer, Value};

impl Lowerer<'_, '_, '_> {
    pub(super) fn unary(
        &mut self,
        op: UnaryOp,
        inner: &Expr,
        expected: Option<&Type>,
        span: TokenSpan,
    ) -> Option<Value> {
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
                if *value.ty.peeled() == Type::Duration {
                    let found = Diagnostic::error("E0513", inner.span, "a duration is never negative");
                    self.report(found.with_help("leave the `-` out"));
                    return None;
                }
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

    pub(super) fn binary(&mut self, binary: &Binary, real: bool) -> Option<Value> {
        let span = self.span(binary.op_span);
        match binary.op {
            BinaryOp::LeadsTo => {
                let found = if self.of_runs {
                    super::run::not_outermost(binary.op_span, "leads to")
                } else {
                    let message =
                        "`leads to` says something about a run, and this property is about one state";
                    Diagnostic::error("E0505", binary.op_span, message)
                        .with_help("`implies` is about one state")
                };
                self.report(found);
                None
            }
            BinaryOp::Implies | BinaryOp::Iff | BinaryOp::Or | BinaryOp::And => {
                let left = self.truth(&binary.left);
                self.conditions += u32::from(binary.op != BinaryOp::Iff);
                let right = self.truth(&binary.right);
                self.conditions -= u32::from(binary.op != BinaryOp::Iff);
                let (left, right) = (left?, right?);
                let tokens = match binary.op {
                    BinaryOp::Implies => quote_spanned!(span=> (!#left || #right)),
                    BinaryOp::Iff => quote_spanned!(span=> (#left == #right)),
                    BinaryOp::Or => quote_spanned!(span=> (#left || #right)),
                    _ => quote_spanned!(span=> (#left && #right)),
                };
                Some(Value::new(tokens, Type::Bool))
            }
            _ => self.comparison_or_sum(binary, span, real),
        }
    }

    /// `real`: whether a real number is wanted, so that whole numbers are not divided as such.
    pub(super) fn comparison_or_sum(
        &mut self,
        binary: &Binary,
        span: TokenSpan,
        real: bool,
    ) -> Option<Value> {
        // A bare control state takes its service from the other side.
        let bare =
            |expr: &Expr| expr.peeled().as_ident().is_some_and(|it| it.name.starts_with(char::is_uppercase));
        let (left, right) = if bare(&binary.left) && !bare(&binary.right) {
            let right = self.expr(&binary.right, None)?;
            (self.expr(&binary.left, Some(&right.ty))?, right)
        } else {
            let real = real && binary.op.strength() >= 12;
            self.real = real;
            let left = self.expr(&binary.left, None);
            let expected = left.as_ref().map(|it| it.ty.clone());
            self.real = real;
            let right = self.expr(&binary.right, expected.as_ref());
            (left?, right?)
        };
        let (mut left, mut right) = (self.by_value(left), self.by_value(right));
        self.comparable(binary, &left.ty, &right.ty)?;
        // Where a real number comes out, the types of whole ones need not be alike.
        if real && binary.op.strength() >= 12 && left.ty != right.ty {
            (left, right) = (real_number(left), real_number(right));
        }
        self.countable(binary, &left.ty, &right.ty)?;
        let holds = |ty: &Type| self.checked.names.types.holds_ids(ty);
        if binary.op.is_ordering() && (holds(&left.ty) || holds(&right.ty)) {
            self.checked.ordered.borrow_mut().insert(binary.op_span);
        }
        // `x == *e` and `x == e` mean the same where only one of both is a reference.
        match (&left.ty, &right.ty) {
            (Type::Ref(_), Type::Ref(_)) => {}
            (Type::Ref(_), other) if *other != Type::Unknown => left = self.dereferenced(left),
            (other, Type::Ref(_)) if *other != Type::Unknown => right = self.dereferenced(right),
            (Type::Option(a), Type::Option(b)) if borrowed(a, b) => left = cloned(left),
            (Type::Option(a), Type::Option(b)) if borrowed(b, a) => right = cloned(right),
            (Type::Int(_), Type::Float) => left = float(left),
            (Type::Float, Type::Int(_)) => right = float(right),
            (Type::Float, Type::Unknown) if real && divides(&right) => right = float(right),
            (Type::Unknown, Type::Float) if real && divides(&left) => left = float(left),
            _ if real && binary.op == BinaryOp::Div && divides(&left) && divides(&right) => {
                (left, right) = (float(left), float(right));
            }
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

    pub(super) fn dereferenced(&self, value: Value) -> Value {
        let (tokens, stars) = (value.tokens, (0..value.ty.references()).map(|_| quote!(*)));
        Value::place(quote!((#(#stars)* #tokens)), value.ty.peeled().clone())
    }

    /// Reports a comparison that can never be meant.
    pub(super) fn comparable(&mut self, binary: &Binary, left: &Type, right: &Type) -> Option<()> {
        if !binary.op.is_comparison() {
            return Some(());
        }
        let (left, right) = (left.peeled(), right.peeled());
        if left.has_instant() || right.has_instant() {
            let place = binary.left.span.to(binary.right.span);
            let found = Diagnostic::error("E0518", place, "instants cannot be compared in a claim");
            self.report(
                found
                    .with_label("which instant it is stands in no state")
                    .with_help("keep what is found out by a comparison in a body in a variable; whether there is an instant shows `.is_some()`"),
            );
            return None;
        }
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
            } else if matches!((left, right), (Type::Bool, Type::Int(_) | Type::Float)) {
                found =
                    found.with_help("a `count` ends before its comparison where it stands in parentheses");
            } else if let (Type::State(_), Type::State(_)) = (left, right) {
                found = found.with_help("the two control states belong to different services");
            }
            self.report(found);
            return None;
        }
        Some(())
    }

    /// Reports arithmetic of what is no number, and of integers of different types.
    fn countable(&mut self, binary: &Binary, left: &Type, right: &Type) -> Option<()> {
        let (left, right) = (left.peeled(), right.peeled());
        let slice = |expr: &Expr| self.checked.places.file.slice(expr.span);
        if let (Type::Int(a), Type::Int(b)) = (left, right) {
            let shift = matches!(binary.op, BinaryOp::Shl | BinaryOp::Shr);
            if a == b || *a == "_" || *b == "_" || shift {
                return Some(());
            }
            let message = format!("this is a `{a}`, and that a `{b}`");
            let found = Diagnostic::error("E0513", binary.left.span.to(binary.right.span), message);
            let help = match crate::types::is_wider(a, b) {
                true => format!("make them alike: `{} as {a}`", slice(&binary.right)),
                false => format!("make them alike: `{} as {b}`", slice(&binary.left)),
            };
            self.report(found.with_help(help));
            return None;
        }
        let nodes = |ty: &Type| matches!(ty, Type::Node(_) | Type::Group(_) | Type::Layer { .. });
        let never = |ty: &Type| nodes(ty) || matches!(ty, Type::State(_) | Type::Option(_));
        if binary.op.strength() < 8 || !(never(left) || never(right)) {
            return Some(());
        }
        let wrong = if never(left) { (&binary.left, left) } else { (&binary.right, right) };
        let message = format!("`{}` takes numbers, and this is {}", binary.op.sign(), wrong.1.describe());
        let mut found = Diagnostic::error("E0513", wrong.0.span, message);
        if nodes(left) && nodes(right) {
            let (left, right) = (slice(&binary.left), slice(&binary.right));
            found = found.with_help(format!("several nodes are a list: `[{left}, {right}]`"));
        } else if nodes(wrong.1) && matches!(wrong.1, Type::Group(_)) {
            found = found.with_help(format!("`{}.len()` is how many they are", slice(wrong.0)));
        }
        self.report(found);
        None
    }

    pub(super) fn range(
        &mut self,
        start: Option<&Expr>,
        end: Option<&Expr>,
        inclusive: bool,
        span: TokenSpan,
    ) -> Option<Value> {
        let mut side = |expr: Option<&Expr>| match expr {
            None => Some((TokenStream::new(), Type::Unknown)),
            Some(expr) => {
                let value = self.expr(expr, None)?;
                let value = self.by_value(value);
                if matches!(
                    value.ty.peeled(),
                    Type::Seq(_) | Type::Set(_) | Type::Map(..) | Type::Group(_) | Type::Bool
                ) {
                    let message =
                        format!("a range has numbers at its ends, and this is {}", value.ty.describe());
                    self.report(Diagnostic::error("E0513", expr.span, message));
                    return None;
                }
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
}

/// Whether a value may be cast for a division: a whole number, or something of which nothing is known but that it is divided.
fn divides(value: &Value) -> bool {
    matches!(value.ty, Type::Int(_)) || (value.ty == Type::Unknown && !value.place)
}

/// Whether the first is a reference to what the second is.
fn borrowed(one: &Type, other: &Type) -> bool {
    matches!(one, Type::Ref(_)) && !matches!(other, Type::Ref(_) | Type::Unknown)
}

/// What an `Option` of a reference refers to.
fn cloned(value: Value) -> Value {
    let (tokens, ty) = (value.tokens, value.ty);
    let inner = ty.element().map_or(Type::Unknown, |it| it.peeled().clone());
    Value::new(quote!((#tokens).cloned()), Type::Option(Box::new(inner)))
}

/// A whole number of a known type as a real one.
fn real_number(value: Value) -> Value {
    match value.ty {
        Type::Int(name) if name != "_" => float(value),
        _ => value,
    }
}

fn float(value: Value) -> Value {
    let tokens = value.tokens;
    Value::new(quote!((#tokens as f64)), Type::Float)
}
