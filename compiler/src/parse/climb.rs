//! Expressions: from the grammar's flat lists of operands and operators to a tree, by precedence.
//!
//! The grammar lets `count .. where P` and `max ..: e` swallow everything to their right; what does not belong to them
//! (`>= 3`) is split off here and given back to the list around them. Recursion and the height of the tree are
//! bounded, so that whatever walks the tree later may recurse. Operands are built in `operand.rs`.

use std::collections::VecDeque;

use pest::iterators::Pair;

use super::build::{Builder, Built, Kids};
use super::grammar::Rule;
use crate::ast::*;
use crate::diag::Diagnostic;
use crate::source::Span;

/// How deep expressions may be nested within each other.
pub const EXPR_NESTING_MAX: usize = 100;
/// How many operators one expression may have outside of parentheses.
pub const EXPR_OPERATORS_MAX: usize = 250;
/// How high the tree of an expression may be.
pub const EXPR_HEIGHT_MAX: usize = 300;

/// An expression and the height of its tree.
#[derive(Debug)]
pub struct Tall {
    pub expr: Expr,
    pub height: usize,
}

/// A piece of a flat list.
#[derive(Debug)]
pub enum Piece {
    Operand(Tall),
    /// Where an operand could be: the open end of a range.
    Open(Span),
    Op(Op, Span),
}

/// An infix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Binary(BinaryOp),
    Range { inclusive: bool },
}

impl Op {
    fn strength(self) -> u8 {
        match self {
            Op::Binary(op) => op.strength(),
            Op::Range { .. } => 4,
        }
    }

    fn is_comparison(self) -> bool {
        matches!(self, Op::Binary(op) if op.is_comparison())
    }
}

impl Builder<'_> {
    /// An expression.
    pub fn expr(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        self.tall_expr(pair).map(|tall| tall.expr)
    }

    /// An expression with its height.
    pub fn tall_expr(&self, pair: Pair<'_, Rule>) -> Built<Tall> {
        let pieces = self.pieces(pair)?;
        self.climb(pieces)
    }

    /// Puts a node together and checks the height of the tree.
    pub fn tall(&self, kind: ExprKind, span: Span, below: usize) -> Built<Tall> {
        if below >= EXPR_HEIGHT_MAX {
            return Err(too_complex(
                span,
                format!("the tree of this expression is more than {EXPR_HEIGHT_MAX} high"),
            ));
        }
        Ok(Tall { expr: Expr { kind, span }, height: below + 1 })
    }

    /// The flat list of an expression.
    pub fn pieces(&self, pair: Pair<'_, Rule>) -> Built<VecDeque<Piece>> {
        let span = self.span(&pair);
        if self.depth.get() == EXPR_NESTING_MAX {
            return Err(too_complex(
                span,
                format!("expressions are nested more than {EXPR_NESTING_MAX} deep"),
            ));
        }
        self.depth.set(self.depth.get() + 1);
        let pieces = self.pieces_inside(pair, span);
        self.depth.set(self.depth.get() - 1);
        pieces
    }

    fn pieces_inside(&self, pair: Pair<'_, Rule>, span: Span) -> Built<VecDeque<Piece>> {
        let mut pieces = VecDeque::new();
        for part in Kids::of(pair).rest() {
            if pieces.len() > 2 * EXPR_OPERATORS_MAX {
                let message = format!("the expression has more than {EXPR_OPERATORS_MAX} operators");
                return Err(too_complex(span, message));
            }
            match part.as_rule() {
                Rule::operand => self.operand(part, &mut pieces)?,
                Rule::infix => pieces.push_back(self.infix(&part)),
                Rule::open_range => {
                    let place = self.span(&part);
                    let mut kids = Kids::of(part);
                    pieces.push_back(Piece::Open(Span::point(place.start)));
                    pieces.push_back(self.infix(&kids.next(Rule::dots)));
                    match kids.opt(Rule::operand) {
                        Some(operand) => self.operand(operand, &mut pieces)?,
                        None => pieces.push_back(Piece::Open(Span::point(place.end))),
                    }
                }
                _ => {
                    pieces.push_back(self.infix(&part));
                    pieces.push_back(Piece::Open(Span::point(self.span(&part).end)));
                }
            }
        }
        Ok(pieces)
    }

    fn infix(&self, pair: &Pair<'_, Rule>) -> Piece {
        let op = match pair.as_str().trim_end() {
            ".." => Op::Range { inclusive: false },
            "..=" => Op::Range { inclusive: true },
            "iff" => Op::Binary(BinaryOp::Iff),
            "implies" => Op::Binary(BinaryOp::Implies),
            "||" => Op::Binary(BinaryOp::Or),
            "&&" => Op::Binary(BinaryOp::And),
            "==" => Op::Binary(BinaryOp::Eq),
            "!=" => Op::Binary(BinaryOp::Ne),
            "<" => Op::Binary(BinaryOp::Lt),
            "<=" => Op::Binary(BinaryOp::Le),
            ">" => Op::Binary(BinaryOp::Gt),
            ">=" => Op::Binary(BinaryOp::Ge),
            "|" => Op::Binary(BinaryOp::BitOr),
            "^" => Op::Binary(BinaryOp::BitXor),
            "&" => Op::Binary(BinaryOp::BitAnd),
            "<<" => Op::Binary(BinaryOp::Shl),
            ">>" => Op::Binary(BinaryOp::Shr),
            "+" => Op::Binary(BinaryOp::Add),
            "-" => Op::Binary(BinaryOp::Sub),
            "*" => Op::Binary(BinaryOp::Mul),
            "/" => Op::Binary(BinaryOp::Div),
            "%" => Op::Binary(BinaryOp::Rem),
            _ => Op::Binary(BinaryOp::LeadsTo),
        };
        Piece::Op(op, self.span(pair))
    }

    /// Builds the tree of a flat list, which alternates operands and operators.
    pub fn climb(&self, mut pieces: VecDeque<Piece>) -> Built<Tall> {
        let tree = self.climb_from(&mut pieces, 0)?;
        match tree {
            Side::There(tall) => Ok(tall),
            // The rest of the range was cut off: `count x in ..`, `max x in s: ..5`.
            Side::Open(span) => {
                Err(Diagnostic::error("E0101", span, "a range must stand in parentheses here"))
            }
        }
    }

    fn climb_from(&self, pieces: &mut VecDeque<Piece>, loosest: u8) -> Built<Side> {
        let mut left = match pieces.pop_front() {
            Some(Piece::Operand(tall)) => Side::There(tall),
            Some(Piece::Open(span)) => Side::Open(span),
            other => unreachable!("an operand is missing: {other:?}"),
        };
        let mut last: Option<(Op, Span)> = None;
        while let Some(Piece::Op(op, op_span)) = pieces.front() {
            let (op, op_span) = (*op, *op_span);
            if op.strength() < loosest {
                break;
            }
            if let Some((earlier, earlier_span)) = last
                && earlier.is_comparison()
                && op.is_comparison()
            {
                return Err(chained(earlier_span, op_span));
            }
            pieces.pop_front();
            let tightest =
                if op == Op::Binary(BinaryOp::Implies) { op.strength() } else { op.strength() + 1 };
            let right = self.climb_from(pieces, tightest)?;
            left = Side::There(self.join(left, op, op_span, right)?);
            last = Some((op, op_span));
        }
        Ok(left)
    }

    fn join(&self, left: Side, op: Op, op_span: Span, right: Side) -> Built<Tall> {
        let span = left.span().to(op_span).to(right.span());
        let below = left.height().max(right.height());
        let kind = match (op, left, right) {
            (Op::Range { inclusive }, left, right) => {
                ExprKind::Range { start: left.boxed(), end: right.boxed(), inclusive }
            }
            (Op::Binary(op), Side::There(left), Side::There(right)) => {
                ExprKind::Binary(Box::new(Binary { op, op_span, left: left.expr, right: right.expr }))
            }
            (Op::Binary(_), ..) => {
                return Err(Diagnostic::error(
                    "E0101",
                    op_span,
                    "the end of a range is missing beside this operator",
                )
                .with_help("put the range into parentheses"));
            }
        };
        self.tall(kind, span, below)
    }
}

/// One side of an operator.
enum Side {
    There(Tall),
    Open(Span),
}

impl Side {
    fn span(&self) -> Span {
        match self {
            Side::There(tall) => tall.expr.span,
            Side::Open(span) => *span,
        }
    }

    fn height(&self) -> usize {
        match self {
            Side::There(tall) => tall.height,
            Side::Open(_) => 0,
        }
    }

    fn boxed(self) -> Option<Box<Expr>> {
        match self {
            Side::There(tall) => Some(Box::new(tall.expr)),
            Side::Open(_) => None,
        }
    }
}

/// Cuts a list before the first operator that cannot belong to an aggregate's body or a set.
pub fn cut_at_comparison(pieces: &mut VecDeque<Piece>) -> VecDeque<Piece> {
    let stop = pieces.iter().position(|piece| matches!(piece, Piece::Op(op, _) if op.strength() <= 7));
    pieces.split_off(stop.unwrap_or(pieces.len()))
}

/// Cuts a list before the first comparison that would chain, as in `a == b >= c` or `(exists ..) >= c`.
pub fn cut_at_chain(pieces: &mut VecDeque<Piece>) -> VecDeque<Piece> {
    let mut compared = false;
    let mut stop = pieces.len();
    for (index, piece) in pieces.iter().enumerate() {
        let op = match piece {
            Piece::Op(op, _) => op,
            Piece::Operand(tall) => {
                compared |= tall.expr.is_truth_by_form();
                continue;
            }
            Piece::Open(_) => continue,
        };
        if op.is_comparison() && compared {
            stop = index;
            break;
        }
        compared = (compared && op.strength() > 7) || op.is_comparison();
    }
    pieces.split_off(stop)
}

fn too_complex(span: Span, message: String) -> Diagnostic {
    let span = Span::new(span.start, span.end.min(span.start + 60));
    Diagnostic::error("E0102", span, message)
        .with_help("split it into several properties, or move a part of it into a pure routine")
}

fn chained(first: Span, second: Span) -> Diagnostic {
    Diagnostic::error("E0103", second, "comparisons do not chain")
        .with_label("a second comparison")
        .with_secondary(first, "the first")
        .with_help(
            "join two comparisons with `&&`, or put parentheses round the one that is meant as a truth value",
        )
}
