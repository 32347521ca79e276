//! Expressions of properties, objectives, systems and scenarios. See `ast.rs` for the conventions.
//!
//! Precedence, loosest first: `leads to`, `iff`, `implies` (to the right), `..`, `||`, `&&`, comparisons (which
//! do not chain), `|`, `^`, `&`, shifts, `+ -`, `* / %`, `as`, prefixes, postfixes. The body of `forall`, `exists` and
//! the temporal prefixes reaches as far as it can; that of `max`, `min` and `sum`, and the condition of `count`, ends
//! before a comparison that would chain or make no sense: `count m in s where m.a == n >= 2`
//! compares the count, and so does `count m in s where up(m) >= 2`, since nobody compares a truth value with a number.

use super::{Doc, Fragment, Ident, Path};
use crate::source::Span;

/// `safety agree: EXPR;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The documentation.
    pub doc: Doc,
    /// The kind.
    pub kind: PropertyKind,
    /// The name.
    pub name: Ident,
    /// The claim.
    pub expr: Expr,
    /// The whole.
    pub span: Span,
}

/// The kinds of properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PropertyKind {
    /// Holds in every state.
    Safety,
    /// Holds at a node after each of its events; the live node checks it too.
    Local,
    /// Some state satisfies it.
    Reachable,
    /// Comes true, under fairness.
    Liveness,
    /// A statement about probabilities or expectations.
    Statistical,
}

impl PropertyKind {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            PropertyKind::Safety => "safety",
            PropertyKind::Local => "local",
            PropertyKind::Reachable => "reachable",
            PropertyKind::Liveness => "liveness",
            PropertyKind::Statistical => "statistical",
        }
    }
}

/// An expression and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The whole.
    pub span: Span,
}

impl Expr {
    /// An expression that stands in no file.
    pub fn made(kind: ExprKind) -> Expr {
        Expr { kind, span: Span::default() }
    }

    /// The name, if the expression is a single identifier.
    pub fn as_ident(&self) -> Option<&Ident> {
        match &self.kind {
            ExprKind::Path(path) => path.as_ident(),
            _ => None,
        }
    }

    /// Whether this is a truth value by its form alone, which nobody compares with a number: a quantifier, `up(n)`, `!a`,
    /// `(a == b)`.
    pub fn is_truth_by_form(&self) -> bool {
        match &self.peeled().kind {
            ExprKind::Quantified(_) | ExprKind::Up(_) | ExprKind::Unary(UnaryOp::Not, _) => true,
            ExprKind::Binary(binary) => binary.op.strength() <= 7,
            _ => false,
        }
    }

    /// Without parentheses around it.
    pub fn peeled(&self) -> &Expr {
        let mut inner = self;
        while let ExprKind::Paren(next) = &inner.kind {
            inner = next;
        }
        inner
    }
}

/// The forms of expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `5`, `0.5`, `5s`, `"hi"`, `'x'`, `true`
    Literal(Literal),
    /// `n`, `Leading`, `u64::MAX`
    Path(Path),
    /// `(e)`
    Paren(Box<Expr>),
    /// `()`, `(a,)`, `(a, b)`
    Tuple(Vec<Expr>),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `Entry { reply, command: c }`; where a service is expected, a [`Stack`].
    Struct(Stack),
    /// `vec![a, b]`
    Vec(Vec<Expr>),
    /// `matches!(e, PATTERN if guard)`
    Matches(Box<Matches>),
    /// Any other macro, which no claim has: name and delimited arguments, which stay Rust text.
    Macro {
        /// The name before `!`.
        path: Path,
        /// The arguments with their delimiters.
        args: Fragment,
    },
    /// `!e`, `-e`, `*e`, `&e`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`, `a implies b`, `a leads to b`
    Binary(Box<Binary>),
    /// `e as u64`
    Cast(Box<Expr>, Fragment),
    /// `a..b`, `a..=b`, `a..`, `..b`
    Range {
        /// The lower end.
        start: Option<Box<Expr>>,
        /// The upper end.
        end: Option<Box<Expr>>,
        /// Whether the upper end belongs to it.
        inclusive: bool,
    },
    /// `e.name`
    Field(Box<Expr>, Ident),
    /// `e.0`, and where the number stands
    TupleField(Box<Expr>, u32, Span),
    /// `e[i]`
    Index(Box<Expr>, Box<Expr>),
    /// `e.name(args)`
    Method(Box<MethodCall>),
    /// `f(args)`
    Call(Box<Expr>, Vec<Expr>),
    /// `e.(path)+` or `e.(path)*`
    Closure(Box<Closure>),
    /// `|x| e`
    Lambda(Box<Lambda>),
    /// `forall` or `exists`
    Quantified(Box<Quantified>),
    /// `count`, `max`, `min` or `sum`
    Aggregate(Box<Aggregate>),
    /// `always e`, `eventually e`
    Temporal(TemporalOp, Box<Expr>),
    /// `up(e)`: the node is up.
    Up(Box<Expr>),
    /// `probability(P within T given G)`
    Probability(Box<Probability>),
    /// `expected(E)`, or `expected(E) finite`
    Expected {
        /// What is averaged.
        value: Box<Expr>,
        /// Whether the claim is just that it is finite.
        finite: bool,
    },
}

/// `matches!(value, PATTERN if guard)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matches {
    /// What is looked at.
    pub value: Expr,
    /// The pattern, which stays Rust text.
    pub pattern: Fragment,
    /// The condition on what it binds.
    pub guard: Option<Expr>,
}

/// A literal as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// What it is.
    pub kind: LiteralKind,
    /// The whole text, suffix included.
    pub text: String,
}

/// The kinds of literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiteralKind {
    /// `true` or `false`
    Bool,
    /// `5`, `0xff`, `1_000u64`
    Int,
    /// `0.5`, `1e9`
    Float,
    /// A number with one of the units `ns us ms s min h d`.
    Duration,
    /// Any string: plain, raw, of bytes.
    Str,
    /// `'x'`, `b'x'`
    Char,
}

/// The units of durations and their length in nanoseconds, longest name first.
pub const UNITS: [(&str, u64); 7] = [
    ("min", 60_000_000_000),
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

impl Literal {
    /// The length of a duration in nanoseconds, rounded; `None` for other literals and where it exceeds 64 bits.
    pub fn nanoseconds(&self) -> Option<u64> {
        let (number, unit) = split_unit(&self.text)?;
        let number = number.replace('_', "");
        match number.parse::<u64>() {
            Ok(whole) => whole.checked_mul(unit),
            Err(_) => {
                let exact = number.parse::<f64>().ok()? * unit as f64;
                (exact.is_finite() && exact >= 0.0 && exact < u64::MAX as f64).then(|| exact.round() as u64)
            }
        }
    }
}

/// Splits a number with a unit into the number and the unit's length in nanoseconds.
pub fn split_unit(text: &str) -> Option<(&str, u64)> {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let (unit, nanoseconds) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text[..text.len() - unit.len()].trim_end_matches('_');
    let plain = number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
    (digits && plain).then_some((number, *nanoseconds))
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
    /// `*`
    Deref,
    /// `&`
    Ref,
}

impl UnaryOp {
    /// The sign.
    pub const fn sign(self) -> &'static str {
        match self {
            UnaryOp::Not => "!",
            UnaryOp::Negate => "-",
            UnaryOp::Deref => "*",
            UnaryOp::Ref => "&",
        }
    }
}

/// `left op right`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// Where it stands.
    pub op_span: Span,
    /// The left side.
    pub left: Expr,
    /// The right side.
    pub right: Expr,
}

/// Infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BinaryOp {
    /// `leads to`
    LeadsTo,
    /// `iff`
    Iff,
    /// `implies`
    Implies,
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl BinaryOp {
    /// The sign or words, single-spaced.
    pub const fn sign(self) -> &'static str {
        match self {
            BinaryOp::LeadsTo => "leads to",
            BinaryOp::Iff => "iff",
            BinaryOp::Implies => "implies",
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::BitAnd => "&",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }

    /// How tightly it binds: more is tighter. Ranges bind between `implies` (3) and `||` (5).
    pub const fn strength(self) -> u8 {
        match self {
            BinaryOp::LeadsTo => 1,
            BinaryOp::Iff => 2,
            BinaryOp::Implies => 3,
            BinaryOp::Or => 5,
            BinaryOp::And => 6,
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => 7,
            BinaryOp::BitOr => 8,
            BinaryOp::BitXor => 9,
            BinaryOp::BitAnd => 10,
            BinaryOp::Shl | BinaryOp::Shr => 11,
            BinaryOp::Add | BinaryOp::Sub => 12,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => 13,
        }
    }

    /// Whether it is `<` or the like, so that order matters.
    pub const fn is_ordering(self) -> bool {
        matches!(self, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge)
    }

    /// Whether it is `==`, `<` or the like.
    pub const fn is_comparison(self) -> bool {
        self.strength() == 7
    }
}

/// `base.name::<T>(args)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodCall {
    /// What it is called on.
    pub base: Expr,
    /// The method.
    pub name: Ident,
    /// The type arguments after `::`, with `<` and `>`.
    pub turbofish: Option<Fragment>,
    /// The arguments.
    pub args: Vec<Expr>,
}

/// `base.(path)+` or `base.(path)*`: everything reached by following `path` again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Where it starts.
    pub base: Expr,
    /// The fields or queries to follow, `a.b` as two.
    pub path: Vec<Ident>,
    /// Whether the start belongs to it: `*` rather than `+`.
    pub reflexive: bool,
}

/// `|x, (a, b)| body`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lambda {
    /// The parameters.
    pub params: Vec<Pattern>,
    /// The body.
    pub body: Expr,
}

/// A pattern in a binder or a lambda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// The whole.
    pub span: Span,
}

/// The forms of patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternKind {
    /// `_`
    Wild,
    /// `x`
    Bind(Ident),
    /// `(a, b)`
    Tuple(Vec<Pattern>),
    /// `&x`
    Ref(Box<Pattern>),
}

/// `a in nodes`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binder {
    /// What is bound.
    pub pattern: Pattern,
    /// What it ranges over: nodes, a collection, an `Option`.
    pub domain: Expr,
    /// The whole.
    pub span: Span,
}

/// `a in nodes, b in a.peers where a != b`; a later domain may use earlier names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binders {
    /// The binders.
    pub list: Vec<Binder>,
    /// The condition after `where`.
    pub filter: Option<Expr>,
}

/// `forall BINDERS: body` or `exists BINDERS: body`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantified {
    /// Which.
    pub quantifier: Quantifier,
    /// What is bound.
    pub binders: Binders,
    /// The claim about it.
    pub body: Expr,
}

/// The quantifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantifier {
    /// For all.
    Forall,
    /// For some.
    Exists,
}

impl Quantifier {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            Quantifier::Forall => "forall",
            Quantifier::Exists => "exists",
        }
    }
}

/// `count BINDERS where P`, `max BINDERS: e`, `min ..`, `sum ..`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Which.
    pub op: AggregateOp,
    /// What is bound.
    pub binders: Binders,
    /// What is aggregated; none for `count`.
    pub body: Option<Expr>,
}

/// The aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AggregateOp {
    /// How many.
    Count,
    /// The largest value.
    Max,
    /// The smallest value.
    Min,
    /// The sum of the values.
    Sum,
}

impl AggregateOp {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            AggregateOp::Count => "count",
            AggregateOp::Max => "max",
            AggregateOp::Min => "min",
            AggregateOp::Sum => "sum",
        }
    }
}

/// The temporal prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemporalOp {
    /// From here on.
    Always,
    /// Some time.
    Eventually,
}

impl TemporalOp {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            TemporalOp::Always => "always",
            TemporalOp::Eventually => "eventually",
        }
    }
}

/// `probability(event within time given condition)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probability {
    /// What comes true.
    pub event: Expr,
    /// By when; none is by the horizon.
    pub within: Option<Expr>,
    /// Among the runs in which this holds.
    pub given: Option<Expr>,
}

/// `Name { field: value, .. }` or `Name`: a struct literal, or a service with its arguments and lower layers, whose values
/// may again be services (`tree: RandTree { max_children: 2 }` or `tree: RandTree`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The name.
    pub path: Path,
    /// The fields; `None` where no braces are written.
    pub fields: Option<Vec<FieldInit>>,
    /// The whole.
    pub span: Span,
}

impl Stack {
    /// The fields, if any.
    pub fn fields(&self) -> &[FieldInit] {
        self.fields.as_deref().unwrap_or(&[])
    }
}

/// `field: value`, or the shorthand `field`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInit {
    /// The field.
    pub name: Ident,
    /// The value; none in the shorthand.
    pub value: Option<Expr>,
}
