//! What is done to a system: faults, and the bounds of a check on them. Calls are in `workload.rs`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{self, Back, Expr, ExprKind, FaultClauseKind, FaultKind, Rate, RateUnit, Target};
use crate::diag::Diagnostic;
use crate::ir::{Fault, FaultBudget, FaultTarget, Timing};
use crate::names::CarrierKind;
use crate::source::Span;
use crate::types::Type;

use super::one_line;
use super::system::Build;
use super::value::{Home, Lowerer, Value};

/// Two durations.
pub(super) type Stretch = (TokenStream, TokenStream);

/// What clauses have said so far.
#[derive(Default)]
pub(super) struct Clauses {
    pub most: Option<TokenStream>,
    pub rate: Option<TokenStream>,
    pub within: Option<Stretch>,
    seen: Vec<(&'static str, Span)>,
}

impl Clauses {
    /// Notes a clause; false where one like it, or one that excludes it, was there before, which is reported.
    pub(super) fn note(&mut self, build: &mut Build<'_, '_, '_>, word: &'static str, span: Span) -> bool {
        let excludes = |other: &str| match (word, other) {
            ("at", "within") | ("within", "at") => true,
            ("rate", "at" | "within") | ("at" | "within", "rate") => true,
            ("once", "at most") | ("at most", "once") => true,
            _ => word == other,
        };
        let earlier = self.seen.iter().find(|(other, _)| excludes(other)).copied();
        self.seen.push((word, span));
        let Some((other, place)) = earlier else { return true };
        let message = match word == other {
            true => format!("`{word}` is said twice"),
            false => format!("`{word}` and `{other}` do not go together"),
        };
        build.diagnostics.push(
            Diagnostic::error("E0541", span, message)
                .with_secondary(place, "said here already")
                .with_help("keep one of both, or write two lines"),
        );
        false
    }

    pub(super) fn said(&self, word: &str) -> bool {
        self.seen.iter().any(|(known, _)| *known == word)
    }

    pub(super) fn timing(&mut self) -> Timing {
        Timing { rate: self.rate.take(), within: self.within.take() }
    }
}

impl Build<'_, '_, '_> {
    /// A line of `faults`.
    pub(super) fn fault(&mut self, fault: &ast::Fault) -> Option<Fault> {
        let (mut clauses, mut chance, mut back) = (Clauses::default(), None, None);
        let mut whole = true;
        for clause in &fault.clauses {
            let word = match &clause.kind {
                FaultClauseKind::AtMost(_) => "at most",
                FaultClauseKind::Rate(_) => "rate",
                FaultClauseKind::Chance(_) => "chance",
                FaultClauseKind::At(_) => "at",
                FaultClauseKind::Within(_) => "within",
                FaultClauseKind::Back(_) => "back",
            };
            whole &= clauses.note(self, word, clause.span);
            let lowered = match &clause.kind {
                FaultClauseKind::AtMost(most) => self.whole(most, "u32").map(|it| clauses.most = Some(it)),
                FaultClauseKind::Rate(rate) => self.rate(rate).map(|it| clauses.rate = Some(it)),
                FaultClauseKind::Chance(p) => self.probability(p).map(|it| chance = Some(it)),
                FaultClauseKind::At(at) => {
                    self.duration(at).map(|it| clauses.within = Some((it.clone(), it)))
                }
                FaultClauseKind::Within(range) => {
                    self.stretch(range, true).map(|it| clauses.within = Some(it))
                }
                FaultClauseKind::Back(after) => {
                    self.back(fault, after.as_ref(), clause.span).map(|it| back = Some(it))
                }
            };
            whole &= lowered.is_some();
        }
        if !["at most", "rate", "chance", "at", "within"].iter().any(|word| clauses.said(word)) {
            let message = format!("this does not say how often or when to {}", fault.kind.word());
            self.diagnostics.push(
                Diagnostic::error("E0540", fault.span, message)
                    .with_help("write `at most 1`, a `rate 0.001 per second`, a `chance 0.1`, or `at 60s`"),
            );
            whole = false;
        }
        if fault.kind == FaultKind::Cut && !self.connects() {
            let message = "there is nothing to cut: no service of this system uses an ordered connection";
            self.diagnostics.push(Diagnostic::error("E0542", fault.span, message).with_help(
                "leave it out; what is lost of a datagram is said in `network { net: loss 0.01; }`",
            ));
            whole = false;
        }
        // What has a moment of its own, or is left to one throw, happens once.
        let once = ["chance", "at", "within"].iter().any(|word| clauses.said(word));
        if once && clauses.most.is_none() {
            clauses.most = Some(quote!(1));
        }
        let target = self.target(fault.target.as_ref())?;
        whole.then(|| Fault {
            text: one_line(self.head(fault)),
            line: self.checked.places.line(fault.span),
            kind: fault.kind,
            target,
            most: clauses.most.take(),
            timing: clauses.timing(),
            chance,
            back,
        })
    }

    /// Whether some service of the system uses an ordered connection.
    fn connects(&self) -> bool {
        let services = &self.checked.names.services;
        let mut places = self.scope.stacks.iter().flatten();
        places.any(|it| services[it.service].carriers.iter().any(|it| it.kind != CarrierKind::Datagram))
    }

    /// A fault as written, up to its colon.
    fn head(&self, fault: &ast::Fault) -> &str {
        let end = match &fault.target {
            Some(Target::Any(span)) => span.end,
            Some(Target::Expr(expr)) => expr.span.end,
            None => fault.span.start + fault.kind.word().len() as u32,
        };
        self.checked.places.file.slice(Span::new(fault.span.start, end)).trim()
    }

    /// `back`, `back after 3s`, `back within 1s..5s`
    fn back(&mut self, fault: &ast::Fault, back: Option<&Back>, span: Span) -> Option<Stretch> {
        if !matches!(fault.kind, FaultKind::Crash | FaultKind::Partition) {
            let (what, help) = match fault.kind {
                FaultKind::Reset => {
                    ("a node that is reset is back at once", "leave it out, or write `crash`")
                }
                _ => ("a connection that was cut is made anew by the next message", "leave it out"),
            };
            self.diagnostics.push(Diagnostic::error("E0541", span, what).with_help(help));
            return None;
        }
        match back {
            Some(Back::After(time)) => self.stretch(time, false),
            Some(Back::Within(time)) => self.stretch(time, true),
            None => Some((quote!(kernel::FaultPlan::BACK_DEFAULT), quote!(kernel::FaultPlan::BACK_DEFAULT))),
        }
    }

    /// `1s..5s` as two durations; `5s` alone begins at 0 where it is the end of something, and is both otherwise.
    pub(super) fn stretch(&mut self, expr: &Expr, until: bool) -> Option<Stretch> {
        let ExprKind::Range { start, end, .. } = &expr.peeled().kind else {
            let end = self.duration(expr)?;
            return Some((if until { quote!(Duration::ZERO) } else { end.clone() }, end));
        };
        let Some(end) = end else {
            let found = Diagnostic::error("E0510", expr.span, "this range has no end");
            self.diagnostics.push(found.with_help("write both ends: `1s..5s`"));
            return None;
        };
        let first = match start {
            Some(start) => self.duration(start),
            None => Some(quote!(Duration::ZERO)),
        };
        let last = self.duration(end);
        let (first, last) = (first?, last?);
        let known = |expr: &Expr| match &expr.peeled().kind {
            ExprKind::Literal(literal) => literal.nanoseconds(),
            _ => None,
        };
        if let (Some(start), Some(end)) = (start.as_deref().and_then(known), known(end))
            && start > end
        {
            let found = Diagnostic::error("E0510", expr.span, "this range ends before it begins");
            self.diagnostics.push(found.with_help("write the shorter time first"));
            return None;
        }
        Some((first, last))
    }

    /// `0.1 per second`, as a number a second.
    pub(super) fn rate(&mut self, rate: &Rate) -> Option<TokenStream> {
        let amount = self.lowerer().amount(&rate.amount)?;
        if super::objective::literal(&rate.amount).is_some_and(|it| it < 0.0) {
            let found = Diagnostic::error("E0510", rate.amount.span, "a rate is not negative");
            self.diagnostics.push(found.with_help("0 is never"));
            return None;
        }
        Some(match rate.per {
            RateUnit::Second => amount,
            RateUnit::Minute => quote!((#amount) / 60.0),
            RateUnit::Hour => quote!((#amount) / 3600.0),
        })
    }

    /// Whom a fault may hit: any one of the nodes that are named, or all that a set names in the state.
    fn target(&mut self, target: Option<&Target>) -> Option<FaultTarget> {
        let Some(Target::Expr(expr)) = target else {
            return Some(FaultTarget::OneOf(quote!(this_model.ids())));
        };
        let mut lowerer = Lowerer::new(self.checked, Home::System(self.viewing), self.diagnostics);
        let value = lowerer.expr(expr, None)?;
        if lowerer.looks {
            let tokens = lowerer.nodes(expr, value)?;
            return Some(FaultTarget::AllOf(lowerer.finish(tokens)));
        }
        Some(FaultTarget::OneOf(self.nodes_of(expr)?))
    }

    /// A list of nodes, known when the system is put together.
    pub(super) fn nodes_of(&mut self, expr: &Expr) -> Option<TokenStream> {
        let mut lowerer = self.lowerer();
        let value = lowerer.expr(expr, None)?;
        lowerer.nodes(expr, value)
    }

    /// `crash any: at most 1;` as a bound of a check.
    pub(super) fn budget(&mut self, system: &ast::System, bound: &ast::Bound) -> Option<FaultBudget> {
        let kinds = [FaultKind::Crash, FaultKind::Reset, FaultKind::Partition, FaultKind::Cut];
        let kind = kinds.into_iter().find(|kind| kind.word() == bound.key.name)?;
        let ast::BoundValue::AtMost(most) = &bound.value else { return None };
        if !system.faults().any(|it| it.kind == kind) {
            let message = format!("there is nothing to bound: this system has no fault `{}`", kind.word());
            let help = format!("say that it may happen: `faults {{ {} n: at most 1; }}`", kind.word());
            self.diagnostics.push(Diagnostic::error("E0542", bound.span, message).with_help(help));
            return None;
        }
        let nodes = match &bound.target {
            Some(Target::Expr(expr)) => self.nodes_of(expr),
            _ => Some(quote!(this_model.ids())),
        };
        let most = self.whole(most, "u32");
        Some(FaultBudget { kind, nodes: nodes?, most: most? })
    }
}

impl Lowerer<'_, '_, '_> {
    /// The nodes that a value stands for, as a list of ids.
    pub(super) fn nodes(&mut self, expr: &Expr, value: Value) -> Option<TokenStream> {
        let tokens = &value.tokens;
        match value.ty.peeled() {
            Type::Node(_) => {
                let id = self.by_value(value).tokens;
                Some(quote!(vec![#id]))
            }
            Type::Group(_) if self.building() => Some(quote!(#tokens.ids().collect::<Vec<NodeId>>())),
            Type::Unknown => Some(quote!(::foresee::support::nodes(#tokens))),
            ty if ty.element().is_some_and(|it| matches!(it.peeled(), Type::Node(_) | Type::Unknown))
                || matches!(ty, Type::Group(_)) =>
            {
                Some(match value.place {
                    true => quote!(::foresee::support::nodes(&#tokens)),
                    false => quote!(::foresee::support::nodes(#tokens)),
                })
            }
            other => {
                let message = format!("nodes are needed here, and this is {}", other.describe());
                self.report(Diagnostic::error("E0513", expr.span, message));
                None
            }
        }
    }

    fn building(&self) -> bool {
        matches!(self.home, Home::System(scope) if scope.building)
    }
}
