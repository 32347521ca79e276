//! Properties of services and systems: claims about one state.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast;
use crate::check::Checked;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::{Property, PropertyKind};

use super::seen;
use super::value::{Home, Lowerer, SystemScope};

pub(super) fn of_service(
    checked: &Checked<'_>,
    index: usize,
    service: &ast::Service,
    diagnostics: &mut Diagnostics,
) -> Vec<Property> {
    let properties = service.properties().filter_map(|it| {
        let own = it.kind == ast::PropertyKind::Local;
        lower(checked, Home::Service { index, own }, it, diagnostics)
    });
    properties.collect()
}

pub(super) fn of_system(
    checked: &Checked<'_>,
    scope: &SystemScope,
    system: &ast::System,
    diagnostics: &mut Diagnostics,
) -> Vec<Property> {
    system.properties().filter_map(|it| lower(checked, Home::System(scope), it, diagnostics)).collect()
}

fn lower(
    checked: &Checked<'_>,
    home: Home<'_>,
    property: &ast::Property,
    diagnostics: &mut Diagnostics,
) -> Option<Property> {
    let kind = match property.kind {
        ast::PropertyKind::Safety => PropertyKind::Safety,
        ast::PropertyKind::Local => PropertyKind::Local,
        ast::PropertyKind::Reachable => PropertyKind::Reachable,
        // Claims about runs are lowered elsewhere.
        ast::PropertyKind::Liveness => return None,
        ast::PropertyKind::Statistical => {
            if let Home::Service { .. } = home {
                let message = "a `statistical` property belongs to a system, where the numbers are";
                let found = Diagnostic::error("E0505", property.name.span, message);
                diagnostics.push(found.with_help("move it into `system NAME { properties { .. } }`"));
            }
            return None;
        }
    };
    if kind == PropertyKind::Local
        && let Home::System(_) = home
    {
        let found = Diagnostic::error("E0505", property.name.span, "a `local` property belongs to a service");
        diagnostics
            .push(found.with_help("write `safety .. forall a in GROUP: ..`, or move it into the service"));
        return None;
    }
    let mut lowerer = Lowerer::new(checked, home, diagnostics);
    let of_each = match (kind, home) {
        (PropertyKind::Local, _) => Some("me".to_owned()),
        (PropertyKind::Safety, Home::Service { .. }) => each_node(&property.expr),
        _ => None,
    };
    lowerer.ranging = of_each.is_some() && kind == PropertyKind::Safety;
    lowerer.own_node = of_each;
    let claim = lowerer.truth(&property.expr)?;
    let ghosts = reads_ghosts(&lowerer);
    let alone = lowerer.own_node.is_some() && !lowerer.reads_others && !lowerer.reads_up && !ghosts;
    let claim = lowerer.finish(claim);
    let why = match kind {
        // A state in which a witness is not yet found needs no reason.
        PropertyKind::Reachable => quote!(Vec::new()),
        _ => seen::why(&lowerer, &property.expr),
    };
    let (holds, why) = match (kind, home) {
        (PropertyKind::Local, Home::Service { index, .. }) => {
            (every(&lowerer, index, &claim), first(&lowerer, index, &claim, &why))
        }
        _ => (claim, why),
    };
    Some(Property {
        name: property.name.name.clone(),
        doc: property.doc.clone(),
        kind,
        line: checked.places.line(property.name.span),
        holds,
        why,
        reads_up: lowerer.reads_up,
        reads: lowerer.reads,
        alone,
        ghosts,
    })
}

/// The name of the node that is spoken of in `forall n in nodes ..: ..`, which is claimed of each node by itself as far as
/// nothing else is read.
fn each_node(expr: &ast::Expr) -> Option<String> {
    let ast::ExprKind::Quantified(it) = &expr.peeled().kind else { return None };
    let first = it.binders.list.first().filter(|_| it.quantifier == ast::Quantifier::Forall)?;
    let over_all = first.domain.as_ident().is_some_and(|it| it.name == "nodes");
    match &first.pattern.kind {
        ast::PatternKind::Bind(name) if over_all => Some(name.name.clone()),
        _ => None,
    }
}

/// Whether a ghost was read.
fn reads_ghosts(lowerer: &Lowerer<'_, '_, '_>) -> bool {
    let services = &lowerer.checked.names.services;
    let ghost = |(service, name): (usize, &String)| {
        services[service].variable(name).is_some_and(|variable| variable.is_ghost)
    };
    let mut read = lowerer.reads.iter().flat_map(|(service, names)| names.iter().map(|it| (*service, it)));
    read.any(ghost)
}

/// A claim about `me`, made of every node that runs the service.
fn every(lowerer: &Lowerer<'_, '_, '_>, index: usize, claim: &TokenStream) -> TokenStream {
    let (module, service) = (lowerer.module(index), lowerer.service_ident(index));
    quote!(view.running::<#module::#service>().into_iter().all(|me| #claim))
}

/// Why a claim about `me` is false, of the first node of which it is.
fn first(lowerer: &Lowerer<'_, '_, '_>, index: usize, claim: &TokenStream, why: &TokenStream) -> TokenStream {
    let (module, service) = (lowerer.module(index), lowerer.service_ident(index));
    quote! {
        match view.running::<#module::#service>().into_iter().find(|&me| !#claim) {
            Some(me) => ::foresee::support::of_node(me, #why),
            None => Vec::new(),
        }
    }
}
