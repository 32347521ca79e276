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
use crate::names::{Names, ServiceNames};
use crate::types::Type;

use super::value::{Home, Lowerer, SystemScope};
use super::{objective, property, service};

pub(super) fn lower(
    checked: &Checked<'_>,
    system: &ast::System,
    diagnostics: &mut Diagnostics,
) -> Option<System> {
    let mut scope = scope(checked, system);
    let properties = property::of_system(checked, &scope, system, diagnostics);
    let (objectives, weights) = objective::of_system(checked, &scope, system, diagnostics);
    let mut bounds = within(checked, &scope, system, diagnostics);
    scope.building = true;
    let mut build = Build { checked, scope: &scope, diagnostics };
    build.bounds(system, &mut bounds);
    let groups = system.nodes().filter_map(|it| build.group(it)).collect();
    let links = system.network().map(|it| build.link(it)).collect();
    let horizon = system.horizons().next().and_then(|it| build.duration(&it.value));
    Some(System {
        ident: checked.places.ident(&system.name),
        doc: system.doc.clone(),
        line: checked.places.line(system.name.span),
        parameters: system.parameters().filter_map(|it| service::parameter(checked, it)).collect(),
        groups,
        links,
        horizon,
        properties,
        objectives,
        weights,
        bounds,
    })
}

fn scope(checked: &Checked<'_>, system: &ast::System) -> SystemScope {
    let mut scope = SystemScope::default();
    for group in system.nodes() {
        // An unknown service was reported; its group is left out of what can be named.
        let service = group.stack.path.as_ident().and_then(|it| checked.names.service(&it.name));
        if let Some(service) = service {
            scope.groups.push((group.name.name.clone(), service, group.size.is_none()));
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

/// A default of a parameter of a system: constants of the file and durations.
pub(crate) fn constant(names: &Names, places: Places<'_>, expr: &syn::Expr) -> TokenStream {
    let (none, service, mut expr) = (BTreeMap::new(), ServiceNames::default(), expr.clone());
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

struct Build<'c, 'a, 'd> {
    checked: &'c Checked<'a>,
    scope: &'c SystemScope,
    diagnostics: &'d mut Diagnostics,
}

impl Build<'_, '_, '_> {
    fn lowerer(&mut self) -> Lowerer<'_, '_, '_> {
        Lowerer::new(self.checked, Home::System(self.scope), self.diagnostics)
    }

    fn group(&mut self, group: &ast::NodeGroup) -> Option<Group> {
        let index = group.stack.path.as_ident().and_then(|it| self.checked.names.service(&it.name))?;
        let size = match &group.size {
            Some(size) => Some(self.whole(size, "usize")?),
            None => None,
        };
        let names = &self.checked.names.services[index];
        let mut arguments = BTreeMap::new();
        for field in group.stack.fields() {
            let Some(parameter) = names.parameter(&field.name.name) else { continue };
            let ty = parameter.ty.as_ref().map_or(Type::Unknown, |ty| self.checked.names.types.resolve(ty));
            let shorthand;
            let value = match &field.value {
                Some(value) => value,
                None => {
                    let path = ast::Path { segments: vec![field.name.clone()], span: field.name.span };
                    shorthand = Expr { kind: ExprKind::Path(path), span: field.name.span };
                    &shorthand
                }
            };
            if let Some(tokens) = self.argument(value, &ty) {
                arguments.insert(field.name.name.clone(), tokens);
            }
        }
        Some(Group { ident: self.checked.places.ident(&group.name), size, service: index, arguments })
    }

    /// An argument: a group where a set of ids is wanted, a single node where an id is, and values.
    fn argument(&mut self, expr: &Expr, wanted: &Type) -> Option<TokenStream> {
        let single =
            |name: &str, scope: &SystemScope| scope.groups.iter().find(|it| it.0 == name).map(|it| it.2);
        if let Some(name) = expr.peeled().as_ident()
            && let Some(single) = single(&name.name, self.scope)
        {
            let token = self.checked.places.ident(name);
            let many = matches!(wanted, Type::Set(_) | Type::Seq(_));
            let one = matches!(wanted, Type::Node(_));
            let optional = matches!(wanted, Type::Option(inner) if matches!(**inner, Type::Node(_)));
            let wrong = if one || optional { !single } else { !many && *wanted != Type::Unknown };
            if wrong {
                let message = match (one, single) {
                    (true, _) => format!("`{}` is a group of nodes, and one node is wanted", name.name),
                    _ => format!("`{}` stands for nodes, and {} is wanted", name.name, wanted.describe()),
                };
                let mut found = Diagnostic::error("E0509", expr.span, message);
                if one {
                    found = found.with_help(format!("write `{}[0]` for its first node", name.name));
                }
                self.diagnostics.push(found);
                return None;
            }
            return Some(match optional {
                true => quote!(Some(#token.only())),
                false => quote!((&#token).into()),
            });
        }
        let mut lowerer = self.lowerer();
        lowerer.locals.push(("me".to_owned(), Type::Node(None)));
        let value = lowerer.expr(expr, Some(wanted))?;
        let value = lowerer.by_value(value);
        let (tokens, ty) = (value.tokens, value.ty);
        Some(match (wanted, &ty) {
            // A list of ids stands for a set of them.
            (Type::Set(_), Type::Seq(_)) => quote!(#tokens.into_iter().collect()),
            (Type::Seq(_), Type::Seq(_)) if matches!(expr.peeled().kind, ExprKind::Array(_)) => {
                quote!(#tokens.into_iter().collect())
            }
            (Type::Text, Type::Ref(_)) => quote!(#tokens.to_owned()),
            (Type::Text, _) => quote!(#tokens.clone()),
            _ => tokens,
        })
    }

    /// A whole number of the given type.
    fn whole(&mut self, expr: &Expr, ty: &str) -> Option<TokenStream> {
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

    fn duration(&mut self, expr: &Expr) -> Option<TokenStream> {
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

    fn probability(&mut self, expr: &Expr) -> Option<TokenStream> {
        if let ExprKind::Literal(literal) = &expr.peeled().kind
            && let Ok(number) = literal.text.replace('_', "").parse::<f64>()
            && !(0.0..=1.0).contains(&number)
        {
            let found = Diagnostic::error("E0510", expr.span, "a probability is a number from 0 to 1");
            self.diagnostics.push(found.with_label("not a probability"));
            return None;
        }
        self.lowerer().amount(expr)
    }

    fn link(&mut self, link: &ast::Link) -> Link {
        let (name, _) = link.carrier.split_last();
        let mut lowered =
            Link { carrier: name.name.clone(), delay: None, loss: None, duplicates: None, reorders: false };
        for clause in &link.clauses {
            match &clause.kind {
                LinkClauseKind::Delay(delay) => lowered.delay = self.delay(delay),
                LinkClauseKind::Loss(loss) => lowered.loss = self.probability(loss),
                LinkClauseKind::Duplicates(None) => lowered.duplicates = Some(None),
                LinkClauseKind::Duplicates(Some(p)) => lowered.duplicates = Some(self.probability(p)),
                LinkClauseKind::Reorders(_) => lowered.reorders = true,
                // Refused before.
                LinkClauseKind::Bandwidth(_) => {}
            }
        }
        lowered
    }

    fn delay(&mut self, expr: &Expr) -> Option<TokenStream> {
        match &expr.peeled().kind {
            ExprKind::Range { start: Some(start), end: Some(end), .. } => {
                let (start, end) = (self.duration(start), self.duration(end));
                let (start, end) = (start?, end?);
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
                _ => {}
            }
        }
    }
}
