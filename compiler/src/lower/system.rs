//! Systems: groups, arguments, network, bounds.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit_mut::VisitMut;

use crate::ast::{self, BoundValue, Expr, ExprKind, LinkClauseKind};
use crate::body::{Mode, Places, Walker};
use crate::check::Checked;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::{Bounds, Group, Link, System};
use crate::names::{Names, Qualified, ServiceNames};
use crate::types::Type;

use super::stack::Stacks;
use super::value::{Home, Lowerer, SystemScope};
use super::{objective, property, run, service};

pub(super) fn lower(
    checked: &Checked<'_>,
    system: &ast::System,
    diagnostics: &mut Diagnostics,
) -> Option<System> {
    let viewing = scope(checked, system);
    assumptions(checked, system, diagnostics);
    let properties = property::of_system(checked, &viewing, system, diagnostics);
    let liveness = run::liveness(checked, Home::System(&viewing), system.properties(), diagnostics);
    let objectives = objective::of_system(checked, &viewing, system, diagnostics);
    let mut bounds = within(checked, &viewing, system, diagnostics);
    let scope = SystemScope { building: true, ..viewing.clone() };
    let scales = objective::scales(checked, &scope, system, diagnostics);
    let mut build = Build {
        checked,
        scope: &scope,
        viewing: &viewing,
        objectives: checked.objectives_of(system),
        own: own_objectives(system),
        called: called(system),
        diagnostics,
    };
    build.bounds(system, &mut bounds);
    let statistical = system.properties().filter(|it| it.kind == ast::PropertyKind::Statistical);
    let statistics = statistical.filter_map(|it| build.statistical(it)).collect();
    let faults = system.faults().filter_map(|it| build.fault(it)).collect();
    let workload = system.workload().filter_map(|it| build.work(it)).collect();
    let groups = system.nodes().filter_map(|it| build.group(it)).collect();
    let links = system.network().map(|it| build.link(it)).collect();
    let named = viewing.named.take().into_iter().filter_map(|(group, index)| {
        let (name, ..) = viewing.groups.get(group)?;
        let group = system.nodes().find(|it| it.name.name == *name)?;
        Some((checked.places.ident(&group.name), index))
    });
    let named = named.collect();
    let horizon = system.horizons().next().and_then(|it| build.horizon(&it.value));
    Some(System {
        ident: checked.places.ident(&system.name),
        doc: system.doc.clone(),
        line: checked.places.line(system.name.span),
        parameters: system.parameters().filter_map(|it| service::parameter(checked, it)).collect(),
        ordered: Vec::new(),
        groups,
        places: system.nodes().flat_map(|it| checked.names.places(&it.stack)).collect(),
        claims: checked.properties_of(system),
        weighed: checked.objectives_of(system),
        links,
        named,
        horizon,
        properties,
        liveness,
        statistics,
        objectives,
        scales,
        faults,
        workload,
        bounds,
    })
}

pub(super) fn scope(checked: &Checked<'_>, system: &ast::System) -> SystemScope {
    let mut scope = SystemScope::default();
    for group in system.nodes() {
        // An unknown service was reported; its group is left out of what can be named.
        let service = checked.names.service_at(&group.stack.path);
        if let Some(service) = service {
            scope.groups.push((group.name.name.clone(), service, group.size.is_none()));
            scope.sizes.push(group.size.as_ref().and_then(objective::whole_number));
            scope.stacks.push(checked.names.places(&group.stack));
        }
    }
    for parameter in system.parameters() {
        let Some(ty) = checked.rust.ty(&parameter.ty) else { continue };
        let default = match &parameter.default {
            Some(default) => {
                let value = checked.rust.expr(default).map(|it| constant(&checked.names, checked.places, it));
                quote!(Some(#value))
            }
            None => quote!(None),
        };
        let resolved = checked.names.types.resolve(ty);
        scope.parameters.push((parameter.name.name.clone(), resolved, ty.to_token_stream(), default));
    }
    scope
}

/// Properties that read the variables of a lower layer hold of the service that they take it for.
fn assumptions(checked: &Checked<'_>, system: &ast::System, diagnostics: &mut Diagnostics) {
    let names = &checked.names;
    for (group, assumed) in system.nodes().flat_map(|group| {
        let assumed = checked.assumed.borrow();
        assumed.iter().map(|it| (group, *it)).collect::<Vec<_>>()
    }) {
        let places = names.places(&group.stack);
        let Some(above) = places.iter().find(|it| it.service == assumed.service) else { continue };
        let layer = &names.services[assumed.service].layers[assumed.slot].name;
        let path = above.qualified(layer);
        let filled = places.iter().find(|it| it.path == path).filter(|it| it.service != assumed.bound);
        if let Some(filled) = filled {
            let (is, taken) = (&names.services[filled.service].name, &names.services[assumed.bound].name);
            let message = format!("a property reads `{layer}` as a `{taken}`, and here it is a `{is}`");
            diagnostics.push(
                Diagnostic::error("E0555", group.stack.span, message)
                    .with_secondary(assumed.span, "read here")
                    .with_help("let the property ask a query of the interface, which every service answers"),
            );
            return;
        }
    }
}

/// A default of a parameter of a system: constants of the file and durations.
pub(crate) fn constant(names: &Names, places: Places<'_>, expr: &syn::Expr) -> TokenStream {
    let service = ServiceNames { file: names.files.home, ..ServiceNames::default() };
    let (none, mut expr) = (BTreeMap::new(), expr.clone());
    Walker::new(names, &service, places, Mode::Constant, &none).visit_expr_mut(&mut expr);
    match &expr {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => quote!(#text.to_owned()),
        _ => expr.to_token_stream(),
    }
}

/// The predicates that cut a search.
fn within(
    checked: &Checked<'_>,
    scope: &SystemScope,
    system: &ast::System,
    diagnostics: &mut Diagnostics,
) -> Bounds {
    let mut bounds = Bounds::default();
    for bound in system.check().filter(|it| it.key.name == "within") {
        let BoundValue::Expr(predicate) = &bound.value else { continue };
        let mut lowerer = Lowerer::new(checked, Home::System(scope), diagnostics);
        if let Some(claim) = lowerer.truth(predicate) {
            bounds.within.push(lowerer.finish(claim));
        }
    }
    bounds
}

/// The names of the objectives that a system states itself.
fn own_objectives(system: &ast::System) -> Vec<&str> {
    let own = system.objectives().filter_map(|entry| match entry {
        ast::SystemObjective::Own(it) => Some(it.name.name.as_str()),
        ast::SystemObjective::Reweigh(_) => None,
    });
    own.collect()
}

/// The names of what the application of a system calls.
fn called(system: &ast::System) -> Vec<String> {
    let name = |work: &ast::Work| match &work.call.peeled().kind {
        ExprKind::Method(call) => Some(call.name.name.clone()),
        _ => None,
    };
    system.workload().filter_map(name).collect()
}

/// What is evaluated once, when a system is put together.
pub(super) struct Build<'c, 'a, 'd> {
    pub checked: &'c Checked<'a>,
    /// The names of the code that puts it together.
    pub scope: &'c SystemScope,
    /// The names of what looks at a state.
    pub viewing: &'c SystemScope,
    /// The objectives of the services that take part, by name.
    pub objectives: Qualified,
    /// Those of the system.
    pub own: Vec<&'c str>,
    /// What the application calls.
    pub called: Vec<String>,
    pub diagnostics: &'d mut Diagnostics,
}

impl Build<'_, '_, '_> {
    pub(super) fn lowerer(&mut self) -> Lowerer<'_, '_, '_> {
        Lowerer::new(self.checked, Home::System(self.scope), self.diagnostics)
    }

    fn group(&mut self, group: &ast::NodeGroup) -> Option<Group> {
        let size = match &group.size {
            Some(size) => Some(self.whole(size, "usize")?),
            None => None,
        };
        let home = Home::System(self.scope);
        let stack =
            Stacks { checked: self.checked, home, diagnostics: self.diagnostics }.placed(&group.stack)?;
        let generic = group.generic.is_some();
        Some(Group { ident: self.checked.places.ident(&group.name), size, generic, stack })
    }

    /// A whole number of the given type.
    pub(super) fn whole(&mut self, expr: &Expr, ty: &str) -> Option<TokenStream> {
        if objective::literal(expr).is_some_and(|it| it < 0.0) {
            let found = Diagnostic::error("E0510", expr.span, "a number of things is not negative");
            self.diagnostics.push(found.with_label("below 0"));
            return None;
        }
        let mut lowerer = self.lowerer();
        let value = lowerer.expr(expr, None)?;
        let value = lowerer.by_value(value);
        let ty: TokenStream = ty.parse().unwrap_or_default();
        match value.ty.peeled() {
            Type::Int("_") => Some(value.tokens),
            Type::Int(_) | Type::Unknown => {
                let tokens = value.tokens;
                Some(quote!((#tokens) as #ty))
            }
            other => {
                let message = format!("a whole number is needed here, and this is {}", other.describe());
                self.diagnostics.push(Diagnostic::error("E0510", expr.span, message));
                None
            }
        }
    }

    pub(super) fn duration(&mut self, expr: &Expr) -> Option<TokenStream> {
        let mut lowerer = self.lowerer();
        let value = lowerer.expr(expr, None)?;
        let value = lowerer.by_value(value);
        match value.ty.peeled() {
            Type::Duration | Type::Unknown => Some(value.tokens),
            other => {
                let message = format!("a duration is needed here, and this is {}", other.describe());
                let found = Diagnostic::error("E0510", expr.span, message);
                self.diagnostics.push(found.with_help("write a unit: `10ms`, `5s`, `2min`"));
                None
            }
        }
    }

    fn horizon(&mut self, expr: &Expr) -> Option<TokenStream> {
        if let ExprKind::Literal(literal) = &expr.peeled().kind
            && literal.nanoseconds() == Some(0)
        {
            let message = "a simulation that ends at once shows nothing";
            let found = Diagnostic::error("E0510", expr.span, message);
            self.diagnostics.push(found.with_help("write a time above 0, or leave the horizon out"));
            return None;
        }
        self.duration(expr)
    }

    pub(super) fn probability(&mut self, expr: &Expr) -> Option<TokenStream> {
        if objective::literal(expr).is_some_and(|it| !(0.0..=1.0).contains(&it)) {
            let found = Diagnostic::error("E0510", expr.span, "a probability is a number from 0 to 1");
            self.diagnostics.push(found.with_label("not a probability"));
            return None;
        }
        self.lowerer().amount(expr)
    }

    fn link(&mut self, link: &ast::Link) -> Link {
        let (name, _) = link.carrier.split_last();
        let mut lowered = Link { carrier: name.name.clone(), ..Link::default() };
        for clause in &link.clauses {
            match &clause.kind {
                LinkClauseKind::Delay(delay) => lowered.delay = self.delay(delay),
                LinkClauseKind::Loss(loss) => lowered.loss = self.probability(loss),
                LinkClauseKind::Duplicates(None) => lowered.duplicates = Some(None),
                LinkClauseKind::Duplicates(Some(p)) => lowered.duplicates = Some(self.probability(p)),
                LinkClauseKind::Reorders(None) => lowered.reorders = true,
                LinkClauseKind::Reorders(Some(p)) => {
                    (lowered.reorders, lowered.overtakes) = (true, self.probability(p));
                }
                LinkClauseKind::Bandwidth(bandwidth) => lowered.bandwidth = self.bandwidth(bandwidth),
            }
        }
        lowered
    }

    fn bandwidth(&mut self, expr: &Expr) -> Option<TokenStream> {
        if objective::literal(expr).is_some_and(|it| it <= 0.0) {
            let found = Diagnostic::error("E0510", expr.span, "a bandwidth is above 0");
            self.diagnostics.push(found.with_help("it counts bytes a second: `bandwidth 1_000_000`"));
            return None;
        }
        self.lowerer().amount(expr)
    }

    fn delay(&mut self, expr: &Expr) -> Option<TokenStream> {
        match &expr.peeled().kind {
            ExprKind::Range { .. } => {
                let (start, end) = self.stretch(expr, true)?;
                Some(quote!(DelayModel::Uniform(#start, #end)))
            }
            ExprKind::Call(function, args)
                if function.as_ident().is_some_and(|it| it.name == "exponential") =>
            {
                let [mean] = args.as_slice() else {
                    let found =
                        Diagnostic::error("E0510", expr.span, "`exponential` takes the mean delay alone");
                    self.diagnostics.push(found.with_help("write `delay exponential(20ms)`"));
                    return None;
                };
                let mean = self.duration(mean)?;
                Some(quote!(DelayModel::Exponential(#mean)))
            }
            _ => {
                let constant = self.duration(expr)?;
                Some(quote!(DelayModel::Constant(#constant)))
            }
        }
    }

    fn bounds(&mut self, system: &ast::System, bounds: &mut Bounds) {
        for bound in system.check() {
            match (bound.key.name.as_str(), &bound.value) {
                ("depth", BoundValue::Expr(value)) => bounds.depth = self.whole(value, "u32"),
                ("messages", BoundValue::Expr(value) | BoundValue::AtMost(value)) => {
                    bounds.messages = self.whole(value, "u32")
                }
                ("drop", BoundValue::AtMost(value)) => bounds.drops = self.whole(value, "u32"),
                ("duplicate", BoundValue::AtMost(value)) => bounds.duplicates = self.whole(value, "u32"),
                ("call", BoundValue::AtMost(value)) => {
                    if self.called.is_empty() {
                        let message =
                            "there is nothing to bound: the application of this system calls nothing";
                        let found = Diagnostic::error("E0542", bound.span, message);
                        let help = "say what it calls: `workload { at most 2: call n[0].append(1); }`";
                        self.diagnostics.push(found.with_help(help));
                    }
                    bounds.calls = self.whole(value, "u32");
                }
                ("timed", BoundValue::Flag) => bounds.timed = true,
                ("retain_ignored", BoundValue::Flag) => bounds.retain_ignored = true,
                _ => bounds.faults.extend(self.budget(system, bound)),
            }
        }
    }
}
