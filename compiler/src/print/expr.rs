//! Expressions as text: with the least parentheses, and with the places where a line may be broken.
//!
//! A tree that was parsed keeps its own parentheses, so these functions add none to it; a tree made by hand gets those
//! that precedence, and the greed of quantifiers and aggregates, ask for.

use crate::ast::*;

/// What the right end of an expression would take in if more text followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    Closed,
    /// Operators that bind tighter than comparisons: the body of `max`, the last set of a `count`.
    Tight,
    /// Everything but a comparison: a `count` whose condition ends in one.
    Compared,
    /// Everything.
    Greedy,
}

/// The strength of prefixed, cast and postfix expressions, above all operators.
const CAST: u8 = 14;
const PREFIX: u8 = 15;
const POSTFIX: u8 = 16;

/// An expression on one line.
pub fn flat(expr: &Expr) -> String {
    let mut out = String::new();
    write(&mut out, expr);
    out
}

/// An expression in parts between which a line may be broken.
pub fn parts(expr: &Expr) -> Vec<String> {
    match &expr.kind {
        ExprKind::Quantified(it) => {
            let mut list = vec![format!("{} {}:", it.quantifier.word(), binders(&it.binders))];
            list.extend(parts(&it.body));
            list
        }
        ExprKind::Temporal(op, inner) => prefixed(op.word(), parts(inner)),
        ExprKind::Binary(it) if it.op.strength() <= BinaryOp::And.strength() => {
            let (left, right) = sides(it);
            let mut list = if left { vec![format!("({})", flat(&it.left))] } else { parts(&it.left) };
            let right = if right { vec![format!("({})", flat(&it.right))] } else { parts(&it.right) };
            list.extend(prefixed(it.op.sign(), right));
            list
        }
        _ => vec![flat(expr)],
    }
}

/// Parts with a word before the first.
pub fn prefixed(word: &str, mut list: Vec<String>) -> Vec<String> {
    list[0] = format!("{word} {}", list[0]);
    list
}

/// `a in b, c in d where e`
pub fn binders(binders: &Binders) -> String {
    let list: Vec<_> =
        binders.list.iter().map(|it| format!("{} in {}", pattern(&it.pattern), domain(&it.domain))).collect();
    match &binders.filter {
        Some(filter) => format!("{} where {}", list.join(", "), flat(filter)),
        None => list.join(", "),
    }
}

/// What a binder ranges over; nothing in it may take in the next binder or the `where`.
fn domain(expr: &Expr) -> String {
    let mut out = String::new();
    wrapped(&mut out, expr, is_domain_wrapped(expr));
    out
}

fn is_domain_wrapped(expr: &Expr) -> bool {
    // No operand can follow a domain, so the open end of a range takes in nothing.
    let open = matches!(expr.kind, ExprKind::Range { end: None, .. });
    (tail(expr) != Tail::Closed && !open) || has_bare_aggregate(expr)
}

/// Whether an aggregate outside of parentheses could take the next binder for its own.
fn has_bare_aggregate(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Aggregate(_) => true,
        ExprKind::Unary(_, inner) | ExprKind::Cast(inner, _) => has_bare_aggregate(inner),
        ExprKind::Binary(it) => has_bare_aggregate(&it.left) || has_bare_aggregate(&it.right),
        ExprKind::Range { start, end, .. } => {
            [start, end].into_iter().flatten().any(|it| has_bare_aggregate(it))
        }
        _ => false,
    }
}

/// A pattern.
pub fn pattern(it: &Pattern) -> String {
    match &it.kind {
        PatternKind::Wild => "_".to_owned(),
        PatternKind::Bind(name) => name.name.clone(),
        PatternKind::Ref(inner) => format!("&{}", pattern(inner)),
        PatternKind::Tuple(list) => tuple(list.iter().map(pattern).collect()),
    }
}

/// `Name { a: b, c }`
pub fn stack(it: &Stack) -> String {
    let name = path(&it.path);
    let Some(fields) = &it.fields else { return name };
    let fields: Vec<_> = fields
        .iter()
        .map(|field| match &field.value {
            Some(value) => format!("{}: {}", field.name.name, flat(value)),
            None => field.name.name.clone(),
        })
        .collect();
    if fields.is_empty() { format!("{name} {{}}") } else { format!("{name} {{ {} }}", fields.join(", ")) }
}

/// `a::b`
pub fn path(it: &Path) -> String {
    it.segments.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>().join("::")
}

/// `a.b`
pub fn dotted(it: &Dotted) -> String {
    it.segments.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>().join(".")
}

/// Arguments, separated by commas.
pub fn list(exprs: &[Expr]) -> String {
    exprs.iter().map(flat).collect::<Vec<_>>().join(", ")
}

fn tuple(list: Vec<String>) -> String {
    match list.as_slice() {
        [one] => format!("({one},)"),
        _ => format!("({})", list.join(", ")),
    }
}

/// How tightly the outermost form binds.
fn strength(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary(it) => it.op.strength(),
        // A range beside an operator reads badly even where it would parse.
        ExprKind::Range { .. } => 0,
        ExprKind::Cast(..) => CAST,
        ExprKind::Unary(..) => PREFIX,
        _ => POSTFIX,
    }
}

fn tail(expr: &Expr) -> Tail {
    match &expr.kind {
        ExprKind::Quantified(_) | ExprKind::Temporal(..) | ExprKind::Lambda(_) => Tail::Greedy,
        ExprKind::Aggregate(it) => match (it.op, &it.binders.filter) {
            (AggregateOp::Count, Some(filter)) => match compared(filter, false) {
                Some(false) => Tail::Greedy,
                _ => Tail::Compared,
            },
            (AggregateOp::Count, None) => Tail::Tight,
            _ => match it.body.as_ref().map(tail) {
                Some(Tail::Greedy) => Tail::Greedy,
                _ => Tail::Tight,
            },
        },
        ExprKind::Unary(_, inner) => tail(inner),
        ExprKind::Binary(it) => match sides(it).1 {
            true => Tail::Closed,
            false => tail(&it.right),
        },
        ExprKind::Range { end: Some(end), .. } => tail(end),
        ExprKind::Range { end: None, .. } => Tail::Greedy,
        _ => Tail::Closed,
    }
}

/// Follows a `count`'s condition as the parser does, which ends it before a comparison that would chain. The result says
/// whether a further comparison would end it; nothing, if one within already does.
fn compared(expr: &Expr, before: bool) -> Option<bool> {
    let operand = |expr: &Expr, wrapped: bool, before: bool| match wrapped {
        true => Some(before || expr.is_truth_by_form()),
        false => compared(expr, before),
    };
    match &expr.kind {
        ExprKind::Binary(it) => {
            let (left, right) = sides(it);
            let before = operand(&it.left, left, before)?;
            if before && it.op.is_comparison() {
                return None;
            }
            let after = (before && it.op.strength() > 7) || it.op.is_comparison();
            operand(&it.right, right, after)
        }
        ExprKind::Range { start, end, .. } => {
            if let Some(start) = start {
                operand(start, strength(start) < 5, before)?;
            }
            end.as_ref().map_or(Some(false), |end| operand(end, strength(end) < 5, false))
        }
        _ => Some(before || expr.is_truth_by_form()),
    }
}

/// Whether the left and the right side of an operator need parentheses.
fn sides(it: &Binary) -> (bool, bool) {
    let own = it.op.strength();
    let (least_left, least_right) = match it.op {
        BinaryOp::Implies => (own + 1, own),
        op if op.is_comparison() => (own + 1, own + 1),
        _ => (own, own + 1),
    };
    let swallowed = match tail(&it.left) {
        Tail::Closed => false,
        Tail::Tight => own > 7,
        Tail::Compared => !it.op.is_comparison(),
        Tail::Greedy => true,
    };
    (strength(&it.left) < least_left || swallowed, strength(&it.right) < least_right)
}

fn wrapped(out: &mut String, expr: &Expr, parentheses: bool) {
    if parentheses {
        out.push('(');
        write(out, expr);
        out.push(')');
    } else {
        write(out, expr);
    }
}

/// What a postfix is applied to.
fn base(out: &mut String, expr: &Expr) {
    let open = matches!(expr.kind, ExprKind::Aggregate(_) | ExprKind::Expected { finite: true, .. });
    wrapped(out, expr, strength(expr) < POSTFIX || tail(expr) != Tail::Closed || open);
}

// Forms stand in functions of their own where they would make the frame of `write`, which nests, larger.

fn vec(items: &[Expr]) -> String {
    format!("vec![{}]", list(items))
}

fn matches(it: &Matches) -> String {
    let guard = it.guard.as_ref().map_or_else(String::new, |it| format!(" if {}", flat(it)));
    format!("matches!({}, {}{guard})", flat(&it.value), it.pattern.text)
}

fn write(out: &mut String, expr: &Expr) {
    match &expr.kind {
        ExprKind::Literal(literal) => out.push_str(&literal.text),
        ExprKind::Path(it) => out.push_str(&path(it)),
        ExprKind::Paren(inner) => wrapped(out, inner, true),
        ExprKind::Tuple(items) => out.push_str(&tuple(items.iter().map(flat).collect())),
        ExprKind::Array(items) => *out += &format!("[{}]", list(items)),
        ExprKind::Struct(it) => out.push_str(&stack(it)),
        ExprKind::Vec(items) => *out += &vec(items),
        ExprKind::Matches(it) => *out += &matches(it),
        ExprKind::Macro { path: name, args } => *out += &format!("{}!{}", path(name), args.text),
        ExprKind::Unary(op, inner) => {
            out.push_str(op.sign());
            wrapped(out, inner, strength(inner) < PREFIX);
        }
        ExprKind::Binary(it) => {
            let (left, right) = sides(it);
            wrapped(out, &it.left, left);
            *out += &format!(" {} ", it.op.sign());
            wrapped(out, &it.right, right);
        }
        ExprKind::Cast(inner, ty) => {
            wrapped(out, inner, strength(inner) < CAST || tail(inner) != Tail::Closed);
            *out += &format!(" as {}", ty.text);
        }
        ExprKind::Range { start, end, inclusive } => {
            for (side, before) in [(start, true), (end, false)] {
                if !before {
                    out.push_str(if *inclusive { "..=" } else { ".." });
                }
                if let Some(side) = side {
                    let swallowed = before && !matches!(tail(side), Tail::Closed | Tail::Tight);
                    wrapped(out, side, strength(side) < 5 || swallowed);
                }
            }
        }
        _ => write_postfix(out, expr),
    }
}

fn write_postfix(out: &mut String, expr: &Expr) {
    match &expr.kind {
        ExprKind::Field(inner, name) => {
            base(out, inner);
            *out += &format!(".{}", name.name);
        }
        ExprKind::TupleField(inner, index, _) => {
            // `5.0` is a number.
            let literal = matches!(inner.kind, ExprKind::Literal(_));
            if literal {
                wrapped(out, inner, true)
            } else {
                base(out, inner)
            }
            *out += &format!(".{index}");
        }
        ExprKind::Index(inner, index) => {
            base(out, inner);
            *out += &format!("[{}]", flat(index));
        }
        ExprKind::Method(call) => {
            base(out, &call.base);
            let turbofish = call.turbofish.as_ref().map_or(String::new(), |it| format!("::{}", it.text));
            *out += &format!(".{}{turbofish}({})", call.name.name, list(&call.args));
        }
        ExprKind::Call(callee, args) => {
            // `(a.b)()` calls a field, `a.b()` a method.
            let field = matches!(callee.kind, ExprKind::Field(..));
            if field {
                wrapped(out, callee, true)
            } else {
                base(out, callee)
            }
            *out += &format!("({})", list(args));
        }
        ExprKind::Closure(it) => {
            base(out, &it.base);
            let path: Vec<_> = it.path.iter().map(|name| name.name.as_str()).collect();
            *out += &format!(".({}){}", path.join("."), if it.reflexive { "*" } else { "+" });
        }
        ExprKind::Up(node) => *out += &format!("up({})", flat(node)),
        _ => write_greedy(out, expr),
    }
}

fn write_greedy(out: &mut String, expr: &Expr) {
    match &expr.kind {
        ExprKind::Lambda(it) => {
            let params: Vec<_> = it.params.iter().map(pattern).collect();
            *out += &format!("|{}| {}", params.join(", "), flat(&it.body));
        }
        ExprKind::Quantified(it) => {
            *out += &format!("{} {}: {}", it.quantifier.word(), binders(&it.binders), flat(&it.body));
        }
        ExprKind::Aggregate(it) => {
            let mut binders = match &it.binders.filter {
                Some(filter) if it.op == AggregateOp::Count && compared(filter, false).is_none() => {
                    let unfiltered = Binders { list: it.binders.list.clone(), filter: None };
                    format!("{} where ({})", binders(&unfiltered), flat(filter))
                }
                _ => binders(&it.binders),
            };
            if let (None, None, Some(last)) = (&it.body, &it.binders.filter, it.binders.list.last())
                && strength(&last.domain) <= 7
                && !is_domain_wrapped(&last.domain)
            {
                // What ends before a comparison must not be one itself.
                let bare = domain(&last.domain);
                binders.truncate(binders.len() - bare.len());
                binders += &format!("({bare})");
            }
            *out += &format!("{} {binders}", it.op.word());
            if let Some(body) = &it.body {
                out.push_str(": ");
                wrapped(out, body, strength(body) <= 7 || tail(body) == Tail::Compared);
            }
        }
        ExprKind::Temporal(op, inner) => *out += &format!("{} {}", op.word(), flat(inner)),
        ExprKind::Probability(it) => {
            *out += &format!("probability({}", flat(&it.event));
            let clauses = [("within", &it.within), ("given", &it.given)];
            for (word, clause) in clauses {
                if let Some(clause) = clause {
                    *out += &format!(" {word} {}", flat(clause));
                }
            }
            out.push(')');
        }
        ExprKind::Expected { value, finite } => {
            *out += &format!("expected({}){}", flat(value), if *finite { " finite" } else { "" });
        }
        other => unreachable!("written before: {other:?}"),
    }
}
