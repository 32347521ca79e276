//! Claims about runs: liveness, and statements about probabilities and expectations.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::ast::{
    self, Binary, BinaryOp, Binder, Dotted, Expr, ExprKind, PatternKind, PropertyKind, Quantified,
    Quantifier, TemporalOp,
};
use crate::check::{Checked, unknown, unresolved};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::{Claim, Figure, Liveness, Predicate, Quantity, Statistical, Temporal};
use crate::names::Unresolved;
use crate::source::Span;
use crate::types::Type;

use super::one_line;
use super::system::Build;
use super::value::{Home, Lowerer, SystemScope};

/// The liveness properties among `properties`.
pub(super) fn liveness<'p>(
    checked: &Checked<'_>,
    home: Home<'_>,
    properties: impl Iterator<Item = &'p ast::Property>,
    diagnostics: &mut Diagnostics,
) -> Vec<Liveness> {
    let lower = |property: &ast::Property| {
        let mut bound = Vec::new();
        let (binders, claim) = opened(&property.expr);
        let mut run = Run { checked, home, diagnostics };
        let (instances, filter) = run.instances(&binders, &mut bound)?;
        let claim = run.claim(claim, &bound, filter)?;
        let (name, line) = (property.name.name.clone(), checked.places.line(property.name.span));
        Some(Liveness { name, line, instances, claim })
    };
    properties.filter(|it| it.kind == PropertyKind::Liveness).filter_map(lower).collect()
}

/// What is wrong with a word about runs that does not stand outermost.
pub(super) fn not_outermost(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error("E0545", span, format!("`{word}` stands outermost, and not within a claim"))
        .with_label("within it stands what is true or false of one state")
        .with_help("the forms are `eventually P`, `always eventually P`, `eventually always P`, `P leads to Q`, and `forall` around one of them")
}

/// `tree.depth`, as an expression.
fn dotted(expr: &Expr) -> Option<Dotted> {
    match &expr.kind {
        ExprKind::Path(path) => {
            path.as_ident().map(|it| Dotted { segments: vec![it.clone()], span: expr.span })
        }
        ExprKind::Field(inner, field) => {
            let mut segments = dotted(inner)?.segments;
            segments.push(field.clone());
            Some(Dotted { segments, span: expr.span })
        }
        _ => None,
    }
}

/// The quantifiers around a claim about runs, and the claim.
fn opened(expr: &Expr) -> (Vec<&Quantified>, &Expr) {
    let (mut around, mut inner) = (Vec::new(), expr.peeled());
    while let ExprKind::Quantified(it) = &inner.kind
        && it.quantifier == Quantifier::Forall
    {
        around.push(&**it);
        inner = it.body.peeled();
    }
    match &inner.kind {
        ExprKind::Temporal(..) => (around, inner),
        ExprKind::Binary(it) if it.op == BinaryOp::LeadsTo => (around, inner),
        _ => (Vec::new(), expr),
    }
}

/// A node that a claim is about: its name, and the service that runs there.
type Bound = (Ident, String, Option<usize>);

struct Run<'c, 'a, 'd> {
    checked: &'c Checked<'a>,
    home: Home<'c>,
    diagnostics: &'d mut Diagnostics,
}

impl<'c, 'a> Run<'c, 'a, '_> {
    fn lowerer(&mut self, bound: &[Bound]) -> Lowerer<'c, 'a, '_> {
        let mut lowerer = Lowerer::new(self.checked, self.home, self.diagnostics);
        lowerer.of_runs = true;
        lowerer.locals =
            bound.iter().map(|(_, name, service)| (name.clone(), Type::Node(*service))).collect();
        lowerer
    }

    /// The lists of nodes that the quantifiers range over, and the conditions on them that depend on the state.
    fn instances<'e>(
        &mut self,
        around: &[&'e Quantified],
        bound: &mut Vec<Bound>,
    ) -> Option<(TokenStream, Vec<&'e Expr>)> {
        let (mut whole, mut loops, mut of_states) = (true, Vec::new(), Vec::new());
        for quantified in around {
            for binder in &quantified.binders.list {
                match self.binder(binder, bound) {
                    Some(head) => loops.push((head, None)),
                    None => whole = false,
                }
            }
            let Some(filter) = &quantified.binders.filter else { continue };
            let mut lowerer = self.lowerer(bound);
            let condition = lowerer.truth(filter);
            match (condition, lowerer.looks, loops.last_mut()) {
                (Some(_), true, _) => of_states.push(filter),
                (Some(condition), false, Some((_, place))) => *place = Some(lowerer.finish(condition)),
                _ => whole = false,
            }
        }
        let names = bound.iter().map(|(token, ..)| token);
        let mut tokens = quote!(this_instances.push(vec![#(#names),*]););
        for ((token, domain), condition) in loops.into_iter().rev() {
            if let Some(condition) = condition {
                tokens = quote!(if #condition { #tokens });
            }
            tokens = quote!(for #token in #domain { #tokens });
        }
        let all = match bound.is_empty() {
            true => quote!(vec![Vec::new()]),
            false => quote!({ let mut this_instances = Vec::new(); #tokens this_instances }),
        };
        whole.then_some((all, of_states))
    }

    fn binder(&mut self, binder: &Binder, bound: &mut Vec<Bound>) -> Option<(Ident, TokenStream)> {
        let (name, token) = match &binder.pattern.kind {
            PatternKind::Bind(ident) => (ident.name.clone(), self.checked.places.ident(ident)),
            _ => {
                let message = "a claim about runs ranges over nodes, and each has a name";
                self.diagnostics.push(Diagnostic::error("E0546", binder.pattern.span, message));
                return None;
            }
        };
        let mut lowerer = self.lowerer(bound);
        let value = lowerer.expr(&binder.domain, None);
        let service = match value.as_ref().map(|it| it.ty.peeled()) {
            Some(Type::Group(group)) => match lowerer.home {
                Home::System(scope) => Some(Some(scope.groups[*group].1)),
                Home::Service { .. } => None,
            },
            Some(ty) => match ty.element().map(|it| it.peeled().clone()) {
                Some(Type::Node(service)) => Some(service),
                _ => None,
            },
            None => None,
        };
        let wrong = value.is_some() && (lowerer.looks || service.is_none());
        let domain = match value {
            Some(value) if !wrong => lowerer.nodes(&binder.domain, value).map(|it| lowerer.finish(it)),
            _ => None,
        };
        if wrong {
            let message = "a claim about runs ranges over nodes, the same ones in every state";
            self.diagnostics.push(
                Diagnostic::error("E0546", binder.domain.span, message)
                    .with_label("this differs from state to state, or is no collection of nodes")
                    .with_help("range over it within the claim: `eventually forall x in ..: ..`"),
            );
        }
        bound.push((token.clone(), name, service.flatten()));
        Some((token, domain?))
    }

    fn claim(&mut self, expr: &Expr, bound: &[Bound], filter: Vec<&Expr>) -> Option<Temporal> {
        if let ExprKind::Binary(it) = &expr.kind
            && let Binary { op: BinaryOp::LeadsTo, left, right, .. } = &**it
        {
            // What the nodes are filtered by is part of what the claim waits for.
            let (first, then) = (self.predicate(left, bound, &filter), self.predicate(right, bound, &[]));
            return Some(Temporal::LeadsTo(first?, then?));
        }
        if let Some(filter) = filter.first() {
            let message = "which nodes this is claimed of differs from state to state";
            self.diagnostics.push(
                Diagnostic::error("E0546", filter.span, message)
                    .with_label("this depends on the state, and the claim is about a run")
                    .with_help(
                        "put the quantifier within: `always eventually forall n in nodes where up(n): ..`",
                    ),
            );
            return None;
        }
        let ExprKind::Temporal(op, inner) = &expr.kind else {
            let message = "a liveness property says what comes true in a run";
            self.diagnostics.push(
                Diagnostic::error("E0545", expr.span, message)
                    .with_label("this is true or false of one state")
                    .with_help("write `eventually ..`, `always eventually ..` or `P leads to Q`; what holds in every state is `safety`"),
            );
            return None;
        };
        let (second, inside) = match &inner.peeled().kind {
            ExprKind::Temporal(second, inside) => (Some(*second), &**inside),
            _ => (None, &**inner),
        };
        let form: fn(Predicate) -> Temporal = match (op, second) {
            (TemporalOp::Eventually, None | Some(TemporalOp::Eventually)) => Temporal::Eventually,
            (TemporalOp::Always, Some(TemporalOp::Eventually)) => Temporal::AlwaysEventually,
            (TemporalOp::Eventually, Some(TemporalOp::Always)) => Temporal::EventuallyAlways,
            (TemporalOp::Always, _) => {
                let message = "what holds in every state is no liveness property";
                self.diagnostics.push(
                    Diagnostic::error("E0545", expr.span, message)
                        .with_help("make it `safety`, without `always`; `always eventually ..` is what comes true again and again"),
                );
                return None;
            }
        };
        Some(form(self.predicate(inside, bound, &[])?))
    }

    /// A claim about one state, for the nodes of an instance.
    fn predicate(&mut self, expr: &Expr, bound: &[Bound], filter: &[&Expr]) -> Option<Predicate> {
        let mut lowerer = self.lowerer(bound);
        let claims: Option<Vec<TokenStream>> =
            filter.iter().copied().chain([expr]).map(|it| lowerer.truth(it)).collect();
        let claims = claims?;
        let holds = lowerer.finish(quote!(#(#claims)&&*));
        let (reads, reads_up) = (lowerer.reads, lowerer.reads_up);
        Some(Predicate { nodes: bound.iter().map(|it| it.0.clone()).collect(), holds, reads, reads_up })
    }
}

impl Build<'_, '_, '_> {
    /// A statistical property.
    pub(super) fn statistical(&mut self, property: &ast::Property) -> Option<Statistical> {
        let expr = property.expr.peeled();
        let (figure, claim) = match &expr.kind {
            ExprKind::Expected { value, finite: true } => {
                (Figure::Expected(self.quantity(value)?), Claim::Finite)
            }
            ExprKind::Binary(it) if it.op.is_comparison() => self.compared(it)?,
            _ => {
                self.not_compared(expr.span);
                return None;
            }
        };
        Some(Statistical {
            name: property.name.name.clone(),
            line: self.checked.places.line(property.name.span),
            text: one_line(self.checked.places.file.slice(property.expr.span)),
            figure,
            claim,
        })
    }

    fn not_compared(&mut self, span: Span) {
        let message = "a statistical property compares one probability or expectation with a number";
        self.diagnostics.push(Diagnostic::error("E0547", span, message).with_help(
            "write `probability(P within 10s) >= 0.99`, `expected(cost) <= 50.0`, or `expected(cost) finite`",
        ));
    }

    fn compared(&mut self, it: &Binary) -> Option<(Figure, Claim)> {
        let is_figure = |expr: &Expr| {
            matches!(expr.peeled().kind, ExprKind::Probability(_) | ExprKind::Expected { finite: false, .. })
        };
        let (figure, number, turned) = match (is_figure(&it.left), is_figure(&it.right)) {
            (true, false) => (&it.left, &it.right, false),
            (false, true) => (&it.right, &it.left, true),
            _ => {
                self.not_compared(it.left.span.to(it.right.span));
                return None;
            }
        };
        let claim: fn(TokenStream) -> Claim = match (it.op, turned) {
            (BinaryOp::Ge, false) | (BinaryOp::Le, true) => Claim::AtLeast,
            (BinaryOp::Gt, false) | (BinaryOp::Lt, true) => Claim::Above,
            (BinaryOp::Le, false) | (BinaryOp::Ge, true) => Claim::AtMost,
            (BinaryOp::Lt, false) | (BinaryOp::Gt, true) => Claim::Below,
            _ => {
                let message = "no estimate is exactly equal to a number";
                let found = Diagnostic::error("E0547", it.op_span, message);
                self.diagnostics.push(found.with_help("write `>=` or `<=`, or one property for each side"));
                return None;
            }
        };
        match &figure.peeled().kind {
            ExprKind::Probability(it) => {
                let within = match &it.within {
                    Some(within) => Some(self.duration(within)?),
                    None => None,
                };
                let mut run = Run {
                    checked: self.checked,
                    home: Home::System(self.viewing),
                    diagnostics: self.diagnostics,
                };
                let event = run.predicate(&it.event, &[], &[]);
                let given = it.given.as_ref().map(|it| run.predicate(it, &[], &[]));
                let given = match given {
                    Some(given) => Some(given?),
                    None => None,
                };
                let bound = self.probability(number);
                Some((Figure::Probability { event: event?, within, given }, claim(bound?)))
            }
            ExprKind::Expected { value, .. } => {
                let (quantity, bound) = (self.quantity(value), self.lowerer().amount(number));
                Some((Figure::Expected(quantity?), claim(bound?)))
            }
            _ => None,
        }
    }

    /// A value of a run: numbers, objectives, calls, values of the last state, and arithmetic of them.
    fn quantity(&mut self, expr: &Expr) -> Option<Quantity> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.quantity(inner),
            ExprKind::Binary(it)
                if matches!(it.op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div) =>
            {
                let both = match it.op {
                    BinaryOp::Add => "Sum",
                    BinaryOp::Sub => "Difference",
                    BinaryOp::Mul => "Product",
                    _ => "Quotient",
                };
                let (left, right) = (self.quantity(&it.left), self.quantity(&it.right));
                Some(Quantity::Both(both, Box::new(left?), Box::new(right?)))
            }
            ExprKind::Literal(_) => Some(Quantity::Number(self.lowerer().amount(expr)?)),
            ExprKind::Call(function, args) if function.as_ident().is_some_and(|it| it.name == "calls") => {
                self.calls(expr, args)
            }
            ExprKind::Path(_) | ExprKind::Field(..) if self.objective(expr).is_some() => {
                let name = self.objective(expr)?;
                let last = name.split_last().0.name.as_str();
                if name.as_ident().is_some() && last == "total" {
                    return Some(Quantity::Total);
                }
                if name.as_ident().is_some() && self.own.contains(&last) {
                    return Some(Quantity::Objective(last.to_owned()));
                }
                match self.objectives.resolve(&name) {
                    Ok(called) => Some(Quantity::Objective(called.to_owned())),
                    Err(why) => {
                        let known = self.objectives.all().chain(self.own.iter().copied()).chain(["total"]);
                        self.diagnostics.push(unresolved(&name, known, why));
                        None
                    }
                }
            }
            _ => {
                let mut lowerer = Lowerer::new(self.checked, Home::System(self.viewing), self.diagnostics);
                lowerer.of_runs = true;
                let value = lowerer.amount(expr)?;
                Some(Quantity::State(lowerer.finish(value)))
            }
        }
    }

    /// The name of an objective: one that stands for one, or for nothing else in the system.
    fn objective(&self, expr: &Expr) -> Option<Dotted> {
        let name = dotted(expr)?;
        let SystemScope { groups, parameters, .. } = self.viewing;
        let known = |it: &ast::Ident| {
            let (file, name) = (self.checked.names.files.of(it.span), it.name.as_str());
            groups.iter().any(|it| it.0 == name)
                || parameters.iter().any(|it| it.0 == name)
                || self.checked.names.item(file, name).is_some()
        };
        let first = name.segments.first()?;
        let stated =
            name.as_ident().is_some_and(|it| it.name == "total" || self.own.contains(&it.name.as_str()));
        let weighed = !matches!(self.objectives.resolve(&name), Err(Unresolved::Unknown));
        let told = name.as_ident().is_some() && (stated || weighed);
        (told || !known(first)).then_some(name)
    }

    /// `calls(append)`
    fn calls(&mut self, expr: &Expr, args: &[Expr]) -> Option<Quantity> {
        let [Expr { kind: ExprKind::Path(path), span }] = args else {
            let found = Diagnostic::error("E0543", expr.span, "`calls` takes the name of a downcall");
            self.diagnostics.push(found.with_help("write `calls(append)`"));
            return None;
        };
        let called: Vec<&str> = self.called.iter().map(String::as_str).collect();
        let name = path.as_ident().map_or("", |it| it.name.as_str());
        if !called.contains(&name) {
            let found = unknown("E0543", *span, "call in the workload named", name, called);
            self.diagnostics.push(found);
            return None;
        }
        let calls = self.checked.names.interfaces.iter().flat_map(|it| &it.calls);
        let variant = calls.filter(|it| it.kind.is_down()).find(|it| it.name == name)?.type_name();
        Some(Quantity::Calls(variant))
    }
}
