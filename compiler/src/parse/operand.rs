//! Operands of expressions: literals, paths, calls, quantifiers. See `climb.rs` for how they are put together.

use std::collections::VecDeque;

use pest::iterators::Pair;

use super::build::{Builder, Built, Kids};
use super::climb::{Piece, Tall, cut_at_chain, cut_at_comparison};
use super::grammar::Rule;
use crate::ast::*;
use crate::diag::Diagnostic;
use crate::source::Span;

type Pieces = VecDeque<Piece>;

impl Builder<'_> {
    /// `prefix* primary postfix* cast*`, appended to the list, with what an aggregate gives back.
    pub fn operand(&self, pair: Pair<'_, Rule>, pieces: &mut Pieces) -> Built<()> {
        let mut kids = Kids::of(pair);
        let prefixes = kids.all(Rule::prefix);
        let primary = kids.any();
        let (mut tall, given_back) = match primary.as_rule() {
            Rule::aggregate => self.aggregate(primary)?,
            _ => (self.primary(primary)?, Pieces::new()),
        };
        let mut casts = vec![];
        for postfix in kids.rest() {
            match postfix.as_rule() {
                Rule::cast => casts.push(postfix),
                _ => tall = self.postfix(tall, postfix)?,
            }
        }
        for prefix in prefixes.into_iter().rev() {
            tall = self.prefixed(prefix, tall)?;
        }
        for cast in casts {
            let span = tall.expr.span.to(self.span(&cast));
            let ty = self.fragment(&Kids::of(cast).next(Rule::path));
            tall = self.tall(ExprKind::Cast(Box::new(tall.expr), ty), span, tall.height)?;
        }
        pieces.push_back(Piece::Operand(tall));
        pieces.extend(given_back);
        Ok(())
    }

    fn prefixed(&self, prefix: Pair<'_, Rule>, tall: Tall) -> Built<Tall> {
        let op = match prefix.as_str().trim_end() {
            "!" => UnaryOp::Not,
            "-" => UnaryOp::Negate,
            "*" => UnaryOp::Deref,
            _ => UnaryOp::Ref,
        };
        let span = self.span(&prefix).to(tall.expr.span);
        self.tall(ExprKind::Unary(op, Box::new(tall.expr)), span, tall.height)
    }

    fn primary(&self, pair: Pair<'_, Rule>) -> Built<Tall> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::number | Rule::string | Rule::boolean => {
                let kind = ExprKind::Literal(literal(pair.as_rule(), self.text(span)));
                self.tall(kind, span, 0)
            }
            Rule::path_expr => self.path_expr(pair),
            Rule::paren => {
                let trailing = pair.clone().into_inner().any(|it| it.as_rule() == Rule::comma);
                let inner = pair.into_inner().filter(|it| it.as_rule() == Rule::expr);
                let (mut list, below) = self.exprs(inner)?;
                let kind = match list.len() {
                    1 if !trailing => ExprKind::Paren(Box::new(list.remove(0))),
                    _ => ExprKind::Tuple(list),
                };
                self.tall(kind, span, below)
            }
            Rule::array => {
                let (list, below) = self.exprs(Kids::of(pair).rest())?;
                self.tall(ExprKind::Array(list), span, below)
            }
            Rule::vec => self.vec(pair),
            Rule::matches => self.matches(pair),
            Rule::quantified => self.quantified(pair),
            Rule::temporal => {
                let mut kids = Kids::of(pair);
                let op = match kids.any().as_rule() {
                    Rule::w_always => TemporalOp::Always,
                    _ => TemporalOp::Eventually,
                };
                let tall = self.tall_expr(kids.next(Rule::expr))?;
                self.tall(ExprKind::Temporal(op, Box::new(tall.expr)), span, tall.height)
            }
            Rule::lambda => {
                let mut kids = Kids::of(pair);
                let params =
                    Kids::of(kids.next(Rule::lambda_params)).rest().map(|it| self.pattern(it)).collect();
                let tall = self.tall_expr(kids.next(Rule::expr))?;
                let lambda = Lambda { params, body: tall.expr };
                self.tall(ExprKind::Lambda(Box::new(lambda)), span, tall.height)
            }
            Rule::probability => self.probability(pair),
            Rule::expected => {
                let mut kids = Kids::of(pair);
                let tall = self.tall_expr(kids.next(Rule::expr))?;
                let finite = kids.opt(Rule::w_finite).is_some();
                self.tall(ExprKind::Expected { value: Box::new(tall.expr), finite }, span, tall.height)
            }
            rule => unreachable!("the grammar has no operand {rule:?}"),
        }
    }

    /// `vec![a, b]`
    fn vec(&self, pair: Pair<'_, Rule>) -> Built<Tall> {
        let span = self.span(&pair);
        let (list, below) = self.exprs(Kids::of(pair).rest())?;
        self.tall(ExprKind::Vec(list), span, below)
    }

    /// `matches!(value, PATTERN if guard)`
    fn matches(&self, pair: Pair<'_, Rule>) -> Built<Tall> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let value = self.tall_expr(kids.next(Rule::expr))?;
        let pattern = self.fragment(&kids.next(Rule::matches_pattern));
        let guard = kids.opt(Rule::expr).map(|it| self.tall_expr(it)).transpose()?;
        let below = value.height.max(guard.as_ref().map_or(0, |it| it.height));
        let it = Matches { value: value.expr, pattern, guard: guard.map(|it| it.expr) };
        self.tall(ExprKind::Matches(Box::new(it)), span, below)
    }

    /// Several expressions and the greatest height among them.
    fn exprs<'i>(&self, pairs: impl Iterator<Item = Pair<'i, Rule>>) -> Built<(Vec<Expr>, usize)> {
        let mut list = vec![];
        let mut below = 0;
        for pair in pairs {
            let tall = self.tall_expr(pair)?;
            below = below.max(tall.height);
            list.push(tall.expr);
        }
        Ok((list, below))
    }

    /// The arguments of a call.
    pub fn call_args(&self, pair: Pair<'_, Rule>) -> Built<Vec<Expr>> {
        self.exprs(Kids::of(pair).rest()).map(|(list, _)| list)
    }

    fn path_expr(&self, pair: Pair<'_, Rule>) -> Built<Tall> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let path = self.path(kids.next(Rule::path));
        if let Some(args) = kids.opt(Rule::macro_args) {
            let args = self.fragment(&Kids::of(args).next(Rule::group));
            return self.tall(ExprKind::Macro { path, args }, span, 0);
        }
        let Some(fields) = kids.opt(Rule::struct_fields) else {
            return self.tall(ExprKind::Path(path), span, 0);
        };
        let (fields, below) = self.field_inits(fields)?;
        self.tall(ExprKind::Struct(Stack { path, fields: Some(fields), span }), span, below)
    }

    fn field_inits(&self, pair: Pair<'_, Rule>) -> Built<(Vec<FieldInit>, usize)> {
        let mut list = vec![];
        let mut below = 0;
        for field in Kids::of(pair).rest() {
            let mut kids = Kids::of(field);
            let name = self.ident(kids.next(Rule::ident));
            let value = kids.opt(Rule::expr).map(|it| self.tall_expr(it)).transpose()?;
            below = below.max(value.as_ref().map_or(0, |tall| tall.height));
            list.push(FieldInit { name, value: value.map(|tall| tall.expr) });
        }
        Ok((list, below))
    }

    /// `Name { field: value }`
    pub fn stack(&self, pair: Pair<'_, Rule>) -> Built<Stack> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let path = self.path(kids.next(Rule::path));
        let fields = kids.opt(Rule::struct_fields).map(|it| self.field_inits(it)).transpose()?;
        Ok(Stack { path, fields: fields.map(|(list, _)| list), span })
    }

    fn postfix(&self, base: Tall, pair: Pair<'_, Rule>) -> Built<Tall> {
        let own = self.span(&pair);
        let span = base.expr.span.to(own);
        let Tall { expr: base, height } = base;
        match pair.as_rule() {
            Rule::closure => {
                let mut kids = Kids::of(pair);
                let path = kids.all(Rule::ident).into_iter().map(|it| self.ident(it)).collect();
                let reflexive = kids.next(Rule::closure_sign).as_str() == "*";
                self.tall(ExprKind::Closure(Box::new(Closure { base, path, reflexive })), span, height)
            }
            Rule::tuple_field => {
                let digits = pair.as_str().trim_start_matches('.').trim();
                let place = Span::new(own.end - digits.len() as u32, own.end);
                let too_large = |_| Diagnostic::error("E0101", place, "no tuple has so many fields");
                let index = digits.parse().map_err(too_large)?;
                if matches!(base.kind, ExprKind::Literal(_)) {
                    return Err(Diagnostic::error("E0101", own, "a literal has no fields"));
                }
                self.tall(ExprKind::TupleField(Box::new(base), index, place), span, height)
            }
            Rule::index => {
                let index = self.tall_expr(Kids::of(pair).next(Rule::expr))?;
                let below = height.max(index.height);
                self.tall(ExprKind::Index(Box::new(base), Box::new(index.expr)), span, below)
            }
            Rule::call_args => {
                let (mut args, below) = self.exprs(Kids::of(pair).rest())?;
                let below = height.max(below);
                if args.len() == 1 && base.as_ident().is_some_and(|name| *name == "up") {
                    return self.tall(ExprKind::Up(Box::new(args.remove(0))), span, below);
                }
                self.tall(ExprKind::Call(Box::new(base), args), span, below)
            }
            _ => {
                let mut kids = Kids::of(pair);
                let name = self.ident(kids.next(Rule::ident));
                let turbofish =
                    kids.opt(Rule::turbofish).map(|it| self.fragment(&Kids::of(it).next(Rule::angle)));
                let Some(args) = kids.opt(Rule::call_args) else {
                    return self.tall(ExprKind::Field(Box::new(base), name), span, height);
                };
                let (args, below) = self.exprs(Kids::of(args).rest())?;
                let call = MethodCall { base, name, turbofish, args };
                self.tall(ExprKind::Method(Box::new(call)), span, height.max(below))
            }
        }
    }

    fn quantified(&self, pair: Pair<'_, Rule>) -> Built<Tall> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let quantifier = match kids.any().as_rule() {
            Rule::w_forall => Quantifier::Forall,
            _ => Quantifier::Exists,
        };
        let (binders, below) = self.tall_binders(kids.next(Rule::binders))?;
        let body = self.tall_expr(kids.next(Rule::expr))?;
        let below = below.max(body.height);
        let quantified = Quantified { quantifier, binders, body: body.expr };
        self.tall(ExprKind::Quantified(Box::new(quantified)), span, below)
    }

    /// An aggregate, and the pieces to its right that do not belong to it.
    fn aggregate(&self, pair: Pair<'_, Rule>) -> Built<(Tall, Pieces)> {
        let start = self.span(&pair).start;
        let mut kids = Kids::of(pair);
        let op = match kids.any().as_rule() {
            Rule::w_count => AggregateOp::Count,
            Rule::w_max => AggregateOp::Max,
            Rule::w_min => AggregateOp::Min,
            _ => AggregateOp::Sum,
        };
        let binders = kids.next(Rule::binders);
        if op == AggregateOp::Count {
            return self.count(start, binders);
        }
        let (binders, below) = self.tall_binders(binders)?;
        let mut pieces = self.pieces(kids.next(Rule::expr))?;
        let given_back = cut_at_comparison(&mut pieces);
        let body = self.climb(pieces)?;
        let span = Span::new(start, body.expr.span.end);
        let below = below.max(body.height);
        let aggregate = Aggregate { op, binders, body: Some(body.expr) };
        Ok((self.tall(ExprKind::Aggregate(Box::new(aggregate)), span, below)?, given_back))
    }

    fn count(&self, start: u32, pair: Pair<'_, Rule>) -> Built<(Tall, Pieces)> {
        let mut kids = Kids::of(pair);
        let mut list = kids.all(Rule::binder);
        let filter = kids.opt(Rule::filter);
        let last = if filter.is_none() { list.pop() } else { None };
        let (mut binders, mut below) = (Binders::default(), 0);
        for pair in list {
            let (binder, height) = self.binder(pair)?;
            below = below.max(height);
            binders.list.push(binder);
        }
        let mut given_back = Pieces::new();
        if let Some(pair) = last {
            let mut kids = Kids::of(pair);
            let pattern = self.pattern(kids.next(Rule::pattern));
            let mut pieces = self.pieces(kids.next(Rule::expr))?;
            given_back = cut_at_comparison(&mut pieces);
            let domain = self.climb(pieces)?;
            below = below.max(domain.height);
            let span = pattern.span.to(domain.expr.span);
            binders.list.push(Binder { pattern, domain: domain.expr, span });
        }
        if let Some(pair) = filter {
            let mut pieces = self.pieces(Kids::of(pair).next(Rule::expr))?;
            given_back = cut_at_chain(&mut pieces);
            let condition = self.climb(pieces)?;
            below = below.max(condition.height);
            binders.filter = Some(condition.expr);
        }
        let end = binders.filter.as_ref().map(|it| it.span.end);
        let end = end.or(binders.list.last().map(|it| it.span.end)).unwrap_or(start);
        let aggregate = Aggregate { op: AggregateOp::Count, binders, body: None };
        let tall = self.tall(ExprKind::Aggregate(Box::new(aggregate)), Span::new(start, end), below)?;
        Ok((tall, given_back))
    }

    fn probability(&self, pair: Pair<'_, Rule>) -> Built<Tall> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let event = self.tall_expr(kids.next(Rule::expr))?;
        let mut below = event.height;
        let mut optional = |clause: Option<Pair<'_, Rule>>| -> Built<Option<Expr>> {
            let Some(clause) = clause else { return Ok(None) };
            let tall = self.tall_expr(Kids::of(clause).next(Rule::expr))?;
            below = below.max(tall.height);
            Ok(Some(tall.expr))
        };
        let within = optional(kids.opt(Rule::within_clause))?;
        let given = optional(kids.opt(Rule::given))?;
        let probability = Probability { event: event.expr, within, given };
        self.tall(ExprKind::Probability(Box::new(probability)), span, below)
    }

    /// `a in nodes, b in nodes where a != b`
    pub fn binders(&self, pair: Pair<'_, Rule>) -> Built<Binders> {
        self.tall_binders(pair).map(|(binders, _)| binders)
    }

    fn tall_binders(&self, pair: Pair<'_, Rule>) -> Built<(Binders, usize)> {
        let (mut binders, mut below) = (Binders::default(), 0);
        for part in Kids::of(pair).rest() {
            if part.as_rule() == Rule::filter {
                let tall = self.tall_expr(Kids::of(part).next(Rule::expr))?;
                below = below.max(tall.height);
                binders.filter = Some(tall.expr);
            } else {
                let (binder, height) = self.binder(part)?;
                below = below.max(height);
                binders.list.push(binder);
            }
        }
        Ok((binders, below))
    }

    fn binder(&self, pair: Pair<'_, Rule>) -> Built<(Binder, usize)> {
        let span = self.span(&pair);
        let mut kids = Kids::of(pair);
        let pattern = self.pattern(kids.next(Rule::pattern));
        let domain = self.tall_expr(kids.next(Rule::expr))?;
        Ok((Binder { pattern, domain: domain.expr, span }, domain.height))
    }

    /// A pattern; delimiters, whose depth is limited, bound the recursion.
    pub fn pattern(&self, pair: Pair<'_, Rule>) -> Pattern {
        let span = self.span(&pair);
        let inner = Kids::of(pair).any();
        let kind = match inner.as_rule() {
            Rule::wild => PatternKind::Wild,
            Rule::ident => PatternKind::Bind(self.ident(inner)),
            Rule::ref_pattern => {
                PatternKind::Ref(Box::new(self.pattern(Kids::of(inner).next(Rule::pattern))))
            }
            _ => PatternKind::Tuple(Kids::of(inner).rest().map(|it| self.pattern(it)).collect()),
        };
        Pattern { kind, span }
    }
}

/// A literal from its text.
fn literal(rule: Rule, text: &str) -> Literal {
    let kind = match rule {
        Rule::boolean => LiteralKind::Bool,
        Rule::string if text.starts_with('\'') || text.starts_with("b'") => LiteralKind::Char,
        Rule::string => LiteralKind::Str,
        _ if split_unit(text).is_some() => LiteralKind::Duration,
        _ if !text.starts_with("0x") && is_float(text) => LiteralKind::Float,
        _ => LiteralKind::Int,
    };
    Literal { kind, text: text.to_owned() }
}

/// Whether a number has a fraction, an exponent or a suffix of floating-point types.
fn is_float(text: &str) -> bool {
    const INTEGERS: [&str; 12] =
        ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];
    if INTEGERS.iter().any(|suffix| text.ends_with(suffix)) {
        return false;
    }
    let digits = text.trim_end_matches("f64").trim_end_matches("f32");
    digits.len() < text.len() || digits.contains(['.', 'e', 'E'])
}
