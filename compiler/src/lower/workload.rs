//! What the application calls: who calls what, in which ways it can go, how often and when.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::ast::{self, Binders, Expr, ExprKind, MethodCall, WorkClauseKind};
use crate::check::unknown;
use crate::diag::Diagnostic;
use crate::ir::Work;
use crate::names::{CallKind, CallRef};
use crate::types::Type;

use super::one_line;
use super::plan::Clauses;
use super::system::Build;
use super::value::{Home, Lowerer, Value};

/// A draw of nature in a call: the name of what is drawn, and the distribution.
pub(super) type Draw = (Ident, TokenStream);

impl Build<'_, '_, '_> {
    /// A line of `workload`.
    pub(super) fn work(&mut self, work: &ast::Work) -> Option<Work> {
        let (mut clauses, mut after_restart, mut whole) = (Clauses::default(), false, true);
        let nobody = Binders::default();
        let mut each = &nobody;
        for clause in &work.clauses {
            let word = match &clause.kind {
                WorkClauseKind::Once => "once",
                WorkClauseKind::Each(_) => "each",
                WorkClauseKind::AtMost(_) => "at most",
                WorkClauseKind::Rate(_) => "rate",
                WorkClauseKind::At(_) => "at",
                WorkClauseKind::Within(_) => "within",
                WorkClauseKind::AfterRestart => "after restart",
            };
            whole &= clauses.note(self, word, clause.span);
            let lowered = match &clause.kind {
                WorkClauseKind::Once => {
                    clauses.most = Some(quote!(1));
                    Some(())
                }
                WorkClauseKind::Each(binders) => {
                    each = binders;
                    Some(())
                }
                WorkClauseKind::AtMost(most) => self.whole(most, "u32").map(|it| clauses.most = Some(it)),
                WorkClauseKind::Rate(rate) => self.rate(rate).map(|it| clauses.rate = Some(it)),
                WorkClauseKind::At(at) => self.duration(at).map(|it| clauses.within = Some((it.clone(), it))),
                WorkClauseKind::Within(range) => {
                    self.stretch(range, true).map(|it| clauses.within = Some(it))
                }
                WorkClauseKind::AfterRestart => {
                    after_restart = true;
                    Some(())
                }
            };
            whole &= lowered.is_some();
        }
        // What is called at a rate is called for ever; anything else once, unless it says how often.
        if clauses.most.is_none() && !clauses.said("rate") {
            clauses.most = Some(quote!(1));
        }
        let mut lowerer = self.lowerer();
        let each = lowerer.heads(each);
        let lowered = lowerer.drawn(&work.call);
        let (called, draws) = (lowered.0?, lowered.1);
        let places = self.checked.places;
        whole.then_some(())?;
        Some(Work {
            text: one_line(places.file.slice(work.call.span)),
            line: places.line(work.call.span),
            most: clauses.most.take(),
            timing: clauses.timing(),
            after_restart,
            each: each?,
            draws,
            node: called.node,
            module: called.module,
            variant: called.variant,
            fields: called.fields,
            request: called.request,
        })
    }
}

/// A downcall of a node.
struct Called {
    node: TokenStream,
    module: TokenStream,
    variant: Ident,
    fields: Vec<(Ident, TokenStream)>,
    request: bool,
}

impl Lowerer<'_, '_, '_> {
    /// A call, and what nature draws in it.
    fn drawn(&mut self, call: &Expr) -> (Option<Called>, Vec<Draw>) {
        self.draws = Some(Vec::new());
        let called = match &call.peeled().kind {
            ExprKind::Method(method) => self.downcall(method),
            _ => {
                let message = "a workload calls a downcall of a node";
                let found = Diagnostic::error("E0543", call.span, message);
                self.report(found.with_help("write `call n[0].append(1);`"));
                None
            }
        };
        (called, self.draws.take().unwrap_or_default())
    }

    fn downcall(&mut self, method: &MethodCall) -> Option<Called> {
        let base = self.expr(&method.base, None)?;
        let base = self.by_value(base);
        let Type::Node(service) = *base.ty.peeled() else {
            // Where it is not known what this is, something is wrong before it.
            if *base.ty.peeled() == Type::Unknown && self.diagnostics.has_errors() {
                return None;
            }
            let message = format!("a workload calls a node, and this is {}", base.ty.describe());
            let mut found = Diagnostic::error("E0543", method.base.span, message);
            if let Type::Group(_) = base.ty.peeled() {
                let text = self.checked.places.file.slice(method.base.span);
                found = found.with_help(format!(
                    "write `each a in {text}: call a.{0}(..)`, or `call random({text}).{0}(..)`",
                    method.name.name
                ));
            }
            self.report(found);
            return None;
        };
        let at = self.downcall_of(service, &method.name)?;
        let names = &self.checked.names;
        let call = names.call_at(at).clone();
        let word = call.kind.word();
        if call.kind == CallKind::Query {
            let message = format!("`{}` is a {word}: it is answered at once, and nothing happens", call.name);
            let found = Diagnostic::error("E0543", method.name.span, message);
            self.report(found.with_help("a workload calls commands and requests"));
            return None;
        }
        if call.params.len() != method.args.len() {
            let message = crate::check::arity(&call.name, method.args.len(), call.params.len());
            let found = Diagnostic::error("E0410", method.name.span, message);
            self.report(found.with_secondary(call.span, "declared here"));
            return None;
        }
        let fields = call.params.iter().zip(&method.args).map(|(param, arg)| {
            let ty = param.ty.as_ref().map_or(Type::Unknown, |ty| self.checked.names.types.resolve(ty));
            let token = syn::parse_str(&param.name).ok()?;
            Some((token, self.argument(arg, &ty)?))
        });
        let fields: Vec<Option<(Ident, TokenStream)>> = fields.collect();
        let span = self.span(method.name.span);
        Some(Called {
            node: base.tokens,
            module: self.checked.names.interface_path(at.interface, proc_macro2::Span::call_site()),
            variant: Ident::new(&call.type_name(), span),
            fields: fields.into_iter().collect::<Option<_>>()?,
            request: call.kind == CallKind::Request,
        })
    }

    /// The downcall of that name that the service of a node takes.
    fn downcall_of(&mut self, service: Option<usize>, name: &ast::Ident) -> Option<CallRef> {
        let Home::System(scope) = self.home else { return None };
        let services: BTreeSet<usize> = match service {
            Some(service) => [service].into(),
            None => scope.groups.iter().map(|it| it.1).collect(),
        };
        let names = &self.checked.names;
        let taken = services.iter().filter_map(|it| names.downcall(&names.services[*it], &name.name));
        let taken: BTreeSet<CallRef> = taken.collect();
        if taken.len() == 1 {
            return taken.first().copied();
        }
        let found = match taken.is_empty() {
            true => {
                let calls = services.iter().flat_map(|it| names.provided(&names.services[*it]));
                let known: BTreeSet<&str> =
                    calls.filter(|(_, it)| it.kind.is_down()).map(|(_, it)| it.name.as_str()).collect();
                unknown("E0543", name.span, "downcall", &name.name, known)
            }
            false => {
                let message = format!("several interfaces of this system have `{}`", name.name);
                Diagnostic::error("E0543", name.span, message)
                    .with_help("call the nodes of one group: `each a in n: call a.NAME(..)`")
            }
        };
        self.report(found);
        None
    }

    /// `random(DISTRIBUTION)` in a call: one way for each outcome.
    pub(super) fn random(&mut self, expr: &Expr, args: &[Expr]) -> Option<Value> {
        let [of] = args else {
            let found = Diagnostic::error("E0548", expr.span, "`random` takes what nature draws from");
            self.report(
                found.with_help(
                    "write `random(1..=3)`, `random(n)` or `random(weighted([(1, 0.9), (2, 0.1)]))`",
                ),
            );
            return None;
        };
        let (distribution, ty) = self.distribution(of)?;
        let place = self.draws.as_ref().map_or(0, Vec::len);
        let name = format_ident!("this_random_{place}");
        match &mut self.draws {
            Some(draws) => draws.push((name.clone(), distribution)),
            None => {
                let message = "`random` stands in the call of a workload alone";
                let found = Diagnostic::error("E0548", expr.span, message);
                self.report(
                    found
                        .with_label("here nothing is drawn")
                        .with_help("when something happens is drawn from a `rate` or `within` a time"),
                );
                return None;
            }
        }
        Some(Value::new(quote!(::std::clone::Clone::clone(&#name)), ty))
    }

    fn distribution(&mut self, of: &Expr) -> Option<(TokenStream, Type)> {
        let uniform = |tokens: TokenStream| quote!(kernel::Distribution::uniform(#tokens));
        if let ExprKind::Call(function, args) = &of.peeled().kind
            && let (Some(name), [arg]) = (function.as_ident(), args.as_slice())
        {
            match name.name.as_str() {
                "bernoulli" => {
                    let p = self.amount(arg)?;
                    return Some((quote!(kernel::choice::bernoulli(#p)), Type::Bool));
                }
                "uniform" => return self.distribution(arg),
                "weighted" => {
                    let value = self.expr(arg, None)?;
                    let ty = match value.ty.element() {
                        Some(Type::Tuple(parts)) if parts.len() == 2 => parts[0].clone(),
                        _ => Type::Unknown,
                    };
                    let tokens = value.tokens;
                    return Some((quote!(kernel::Distribution::weighted(#tokens)), ty));
                }
                _ => {}
            }
        }
        let (place, value) = {
            let value = self.expr(of, None)?;
            (value.place, value)
        };
        let tokens = &value.tokens;
        match value.ty.peeled() {
            Type::Group(group) => {
                let Home::System(scope) = self.home else { return None };
                Some((uniform(quote!(#tokens.ids())), Type::Node(Some(scope.groups[*group].1))))
            }
            Type::Unknown => Some((uniform(quote!(#tokens)), Type::Unknown)),
            ty => {
                match ty.element() {
                    Some(element) => {
                        let items = if place { quote!(#tokens.iter().cloned()) } else { quote!(#tokens) };
                        Some((uniform(items), element.peeled().clone()))
                    }
                    None => {
                        let message = format!("nature draws from several, and this is {}", ty.describe());
                        let found = Diagnostic::error("E0548", of.span, message);
                        self.report(found.with_help(
                            "write a range, a group, a list, `bernoulli(0.1)` or `weighted([..])`",
                        ));
                        None
                    }
                }
            }
        }
    }
}
