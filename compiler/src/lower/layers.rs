//! Layers in properties: `n.tree.parent()`, `n.tree.children`, `n.(parent)+`. What fills a layer is asked through the interface; its
//! variables can be read where it is known which service it is: in a system, or from the default of `uses`.

use std::collections::BTreeSet;

use proc_macro2::{Span as TokenSpan, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::analyse;
use crate::ast::{self, Expr, MethodCall};
use crate::check::{Assumed, Trigger, unknown};
use crate::diag::Diagnostic;
use crate::ir::Reads;
use crate::names::{CallKind, CallRef};
use crate::types::Type;

use super::value::{Home, Lowerer, Value};

/// A layer below a service, on some node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LayerAt {
    /// The service that uses it.
    pub service: usize,
    /// Its slot there.
    pub slot: usize,
    /// The service that fills it, where that is known.
    pub bound: Option<usize>,
}

impl Lowerer<'_, '_, '_> {
    /// `node.tree`, where the service of the node has such a layer.
    pub(super) fn layer(&mut self, service: usize, node: TokenStream, name: &ast::Ident) -> Option<Value> {
        let slot = self.checked.names.services[service].layer(&name.name)?;
        let bound = self.filled(service, slot);
        Some(Value::new(node, Type::Layer { service, slot, bound }))
    }

    /// The service that fills a slot, as far as it is known here.
    pub(super) fn filled(&self, service: usize, slot: usize) -> Option<usize> {
        let names = &self.checked.names;
        let Home::System(scope) = self.home else { return names.default_below(service, slot) };
        let layer = &names.services[service].layers[slot].name;
        let found: BTreeSet<usize> = scope
            .stacks
            .iter()
            .flat_map(|places| {
                let above = places.iter().filter(|it| it.service == service);
                let path = above.map(|it| it.qualified(layer)).next();
                places.iter().filter(move |it| Some(&it.path) == path.as_ref()).map(|it| it.service)
            })
            .collect();
        if found.len() == 1 { found.into_iter().next() } else { None }
    }

    /// The service that fills a layer, whose variables are read; reported where that is not known.
    fn known(&mut self, layer: LayerAt, name: &ast::Ident) -> Option<usize> {
        let names = &self.checked.names;
        let (service, declared) =
            (&names.services[layer.service], &names.services[layer.service].layers[layer.slot]);
        if let Some(bound) = layer.bound {
            if let Home::Service { .. } = self.home {
                // A system may put another service there; then this has no meaning.
                let assumed = Assumed { service: layer.service, slot: layer.slot, bound, span: name.span };
                self.checked.assumed.borrow_mut().insert(assumed);
            }
            return Some(bound);
        }
        let message =
            format!("which service fills `{}` below `{}` is not known here", declared.name, service.name);
        let found =
            Diagnostic::error("E0554", name.span, message).with_secondary(declared.span, "declared here");
        let interface = declared.interface.map_or("", |it| names.interfaces[it].name.as_str());
        let found = found.with_help(format!("ask a query of `{interface}`, or give the layer a default"));
        self.report(found);
        None
    }

    /// The service to which a path of layers leads from another; reported where that is not known.
    pub(super) fn below(&mut self, service: usize, path: &[ast::Ident]) -> Option<usize> {
        path.iter().try_fold(service, |service, name| {
            let above = &self.checked.names.services[service];
            let Some(slot) = above.layer(&name.name) else {
                let known = above.layers.iter().map(|it| it.name.as_str());
                let what = format!("layer of `{}` named", above.name);
                self.report(unknown("E0501", name.span, &what, &name.name, known));
                return None;
            };
            self.known(LayerAt { service, slot, bound: self.filled(service, slot) }, name)
        })
    }

    /// The layers below a service which `has` something: the paths that lead there, and the services that fill them, as far
    /// as they are known here.
    pub(super) fn further_down(&self, service: usize, has: impl Fn(usize) -> bool) -> Vec<(String, usize)> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::from([service]));
        let mut work = std::collections::VecDeque::from([(String::new(), service)]);
        while let Some((path, above)) = work.pop_front() {
            for (slot, layer) in self.checked.names.services[above].layers.iter().enumerate() {
                let Some(lower) = self.filled(above, slot) else { continue };
                if !seen.insert(lower) {
                    continue;
                }
                let path =
                    if path.is_empty() { layer.name.clone() } else { format!("{path}.{}", layer.name) };
                if has(lower) {
                    found.push((path.clone(), lower));
                }
                work.push_back((path, lower));
            }
        }
        found
    }

    /// `layer.name`: a layer further down, or a variable or parameter of what fills it.
    pub(super) fn field_of_layer(
        &mut self,
        layer: LayerAt,
        node: TokenStream,
        name: &ast::Ident,
    ) -> Option<Value> {
        let service = self.known(layer, name)?;
        if let Some(lower) = self.layer(service, node.clone(), name) {
            return Some(lower);
        }
        let found = self.member(service, node, name);
        if found.is_none() {
            self.unknown_member(Some(service), name);
        }
        found
    }

    /// `layer.name(..)`: a query of its interface, or a pure routine of what fills it.
    pub(super) fn method_of_layer(
        &mut self,
        layer: LayerAt,
        node: TokenStream,
        call: &MethodCall,
    ) -> Option<Value> {
        let names = &self.checked.names;
        let declared = &names.services[layer.service].layers[layer.slot];
        let query = names.layer_call(declared, &call.name.name);
        if let Some(query) = query.filter(|it| names.call_at(*it).kind == CallKind::Query) {
            let (module, service) = (self.module(layer.service), self.service_ident(layer.service));
            let (asked, answer, value) = self.asked(query, call)?;
            let (span, slot) = (self.span(call.name.span), layer.slot);
            let tokens = quote_spanned!(span=> ::foresee::support::below::<#module::#service, _>(
                view,
                #node,
                |below| below.query::<_, #answer>(#slot, &#asked),
            ));
            return Some(Value::new(tokens, value));
        }
        if let Some(other) = query {
            let (kind, span) = (names.call_at(other).kind.word(), names.call_at(other).span);
            let message =
                format!("`{}` is no query but a {kind}, and a property changes nothing", call.name.name);
            let found =
                Diagnostic::error("E0504", call.name.span, message).with_secondary(span, "declared here");
            self.report(found.with_help("ask a query, which is a downcall with a result"));
            return None;
        }
        let service = self.known(layer, &call.name)?;
        let names = &self.checked.names;
        if names.services[service].routine(&call.name.name).is_none() {
            self.unknown_member(Some(service), &call.name);
            return None;
        }
        self.routine(service, node, &call.name, &call.args)
    }

    /// The query of that name which a service answers, itself or through a lower layer.
    pub(super) fn answers(&self, service: usize, name: &str) -> Option<CallRef> {
        let names = &self.checked.names;
        let found = names.downcall(&names.services[service], name)?;
        (names.call_at(found).kind == CallKind::Query).then_some(found)
    }

    /// `node.name(..)`, a query that the node's service answers.
    pub(super) fn query(
        &mut self,
        service: usize,
        node: TokenStream,
        query: CallRef,
        call: &MethodCall,
    ) -> Option<Value> {
        let (module, ident) = (self.module(service), self.service_ident(service));
        let (asked, answer, value) = self.asked(query, call)?;
        let span = self.span(call.name.span);
        let tokens = quote_spanned!(span=>
            ::foresee::support::query::<#module::#ident, _, #answer>(view, #node, &#asked)
        );
        Some(Value::new(tokens, value))
    }

    /// A query's value, and the type of its answer twice: written, and as far as it is known.
    fn asked(&mut self, query: CallRef, call: &MethodCall) -> Option<(TokenStream, TokenStream, Type)> {
        let args = self.all(&call.args)?;
        let declared = self.checked.names.call_at(query);
        if declared.params.len() != args.len() {
            let message = crate::check::arity(&declared.name, args.len(), declared.params.len());
            let found = Diagnostic::error("E0410", call.name.span, message);
            let found = found.with_secondary(declared.span, "declared here");
            self.report(found);
            return None;
        }
        let read = queried(self, query, &mut BTreeSet::new());
        for (service, variables) in read {
            self.reads.entry(service).or_default().extend(variables);
        }
        let declared = self.checked.names.call_at(query);
        let (ty, span) = (format_ident!("{}", declared.type_name()), self.span(call.name.span));
        let module = self.checked.names.interface_path(query.interface, TokenSpan::call_site());
        let fields = declared.params.iter().zip(args).map(|(param, value)| {
            let (name, tokens) = (format_ident!("{}", param.name), value.tokens);
            // What a binder ranges over by reference is given by value.
            let copies = (0..value.ty.references()).map(|_| quote!(.clone()));
            quote!(#name: #tokens #(#copies)*)
        });
        let asked = quote_spanned!(span=> #module::#ty { #(#fields),* });
        let answer = declared.answer.clone()?;
        let known = self.checked.names.types.resolve(&answer);
        Some((asked, quote!(#answer), known))
    }

    /// What a routine that asks lower layers reads of them.
    pub(super) fn reads_below(&mut self, service: usize, routine: &str) {
        let facts = &self.checked.services[service];
        let Some(routine) = facts.routines.get(routine) else { return };
        for (_, query) in analyse::asks(routine, &facts.routines) {
            for (service, variables) in queried(self, query, &mut BTreeSet::new()) {
                self.reads.entry(service).or_default().extend(variables);
            }
        }
    }

    /// A call of a routine that asks lower layers: in their sight.
    pub(super) fn in_sight(
        &self,
        service: usize,
        node: &TokenStream,
        call: TokenStream,
        span: TokenSpan,
    ) -> TokenStream {
        let (module, ident) = (self.module(service), self.service_ident(service));
        quote_spanned!(span=> ::foresee::support::below::<#module::#ident, _>(view, #node, |below| #call))
    }

    /// The layer that a bare name means, where variables stand bare as well.
    pub(super) fn own_layer(&mut self, index: usize, name: &ast::Ident) -> Option<Value> {
        self.layer(index, quote!(me), name)
    }

    /// A step of a closure: a query of the layer goes before a variable of what fills it.
    pub(super) fn is_call(&self, ty: &Type, name: &str) -> bool {
        let names = &self.checked.names;
        let routine = |service: usize| names.services[service].routine(name).is_some();
        match (ty.peeled(), self.home) {
            (Type::Layer { service, slot, bound }, _) => {
                let layer = &names.services[*service].layers[*slot];
                let query = names.layer_call(layer, name);
                query.is_some_and(|it| names.call_at(it).kind == CallKind::Query)
                    || bound.is_some_and(routine)
            }
            (Type::Node(Some(service)), _) => routine(*service) || self.called_not_read(*service, name),
            (_, Home::Service { index, .. }) => routine(index) || self.called_not_read(index, name),
            _ => false,
        }
    }

    /// The layer that a step of a closure leads to, if it does.
    pub(super) fn step_of(&self, ty: &Type, name: &str) -> Type {
        let service = match (ty, self.home) {
            (Type::Node(Some(service)), _) | (Type::Layer { bound: Some(service), .. }, _) => *service,
            (Type::Node(None), Home::Service { index, .. }) => index,
            _ => return Type::Unknown,
        };
        match self.checked.names.services[service].layer(name) {
            Some(slot) => Type::Layer { service, slot, bound: self.filled(service, slot) },
            None => Type::Unknown,
        }
    }

    /// Whether a service answers a query of that name and has no variable of it.
    fn called_not_read(&self, service: usize, name: &str) -> bool {
        self.member_type(service, name).is_none() && self.answers(service, name).is_some()
    }

    /// The node that `n.tree` is: `n`. Only where the name is that of layers and nothing else.
    pub(super) fn root_of<'e>(&self, expr: &'e Expr) -> &'e Expr {
        let mut services = self.checked.names.services.iter();
        match &expr.peeled().kind {
            ast::ExprKind::Field(base, name)
                if services.clone().any(|it| it.layer(&name.name).is_some())
                    && services.all(|it| {
                        it.variable(&name.name).is_none() && it.parameter(&name.name).is_none()
                    }) =>
            {
                self.root_of(base)
            }
            _ => expr,
        }
    }
}

/// Whatever an answer to a query may depend on: the variables of every service that answers it.
fn queried(lowerer: &Lowerer<'_, '_, '_>, query: CallRef, seen: &mut BTreeSet<CallRef>) -> Reads {
    let mut reads = Reads::new();
    if !seen.insert(query) {
        return reads;
    }
    for (service, facts) in lowerer.checked.services.iter().enumerate() {
        let handlers = facts.heads.handlers.iter().zip(&facts.handlers);
        for (_, body) in handlers.filter(|(head, _)| head.trigger == Some(Trigger::Query(query))) {
            let reached = analyse::close(body, &facts.routines);
            let variables = reached.into_values().chain([body]).flat_map(|it| it.variables.keys().cloned());
            reads.entry(service).or_default().extend(variables);
            for (_, further) in analyse::asks(body, &facts.routines) {
                for (service, variables) in queried(lowerer, further, seen) {
                    reads.entry(service).or_default().extend(variables);
                }
            }
        }
    }
    reads
}
