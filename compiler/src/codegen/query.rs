//! Queries: what a layer answers at once, from its state, changing nothing.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::visit_mut::VisitMut;

use super::service::Generator;
use super::{doc, docs, head, used};
use crate::body::{Mode, Window, bindings};
use crate::ir::{QueryHandler, Trigger};

/// `Service::query`.
pub(super) fn answers(generator: &Generator<'_>) -> Option<TokenStream> {
    let service = generator.service;
    let own = service.queries.iter().map(|it| {
        let message = &generator.call(it.call).message;
        let ty = generator.interface(it.call.interface, &message.ident.to_string());
        let fields: Vec<&Ident> = message.fields.iter().map(|it| &it.ident).collect();
        let name = function(it);
        quote! {
            if let Some(#ty { #(#fields),* }) = query.downcast_ref() {
                return Some(Box::new(self.#name(this, below #(, #fields)*)));
            }
        }
    });
    let passed = service.provides.iter().filter_map(|it| Some((it.interface, it.by?)));
    let passed = passed.flat_map(|(interface, slot)| {
        let calls = generator.spec.interfaces[interface].calls.iter();
        let queries = calls.filter(|it| it.kind == crate::names::CallKind::Query);
        queries.map(move |it| (generator.interface(interface, &it.message.ident.to_string()), slot))
    });
    let passed = passed.map(|(ty, slot)| {
        quote! {
            if query.is::<#ty>() {
                return below.pass(#slot, query);
            }
        }
    });
    let body: TokenStream = own.chain(passed).collect();
    if body.is_empty() {
        return None;
    }
    let (this, below) = (used(&body, "this"), used(&body, "below"));
    Some(quote! {
        fn query(
            &self,
            #this: &Variables,
            query: &dyn ::std::any::Any,
            #below: &kernel::Below<'_>,
        ) -> Option<Box<dyn ::std::any::Any>> {
            #body
            None
        }
    })
}

/// The functions that answer.
pub(super) fn handlers(generator: &Generator<'_>) -> Option<TokenStream> {
    let ident = &generator.service.ident;
    let handlers: Vec<TokenStream> =
        generator.service.queries.iter().map(|it| handler(generator, it)).collect();
    (!handlers.is_empty()).then(|| quote!(impl #ident { #(#handlers)* }))
}

fn function(query: &QueryHandler) -> Ident {
    format_ident!("query_{}", query.name.trim_start_matches("r#"))
}

fn handler(generator: &Generator<'_>, query: &QueryHandler) -> TokenStream {
    let names: Vec<String> = query.patterns.iter().flat_map(bindings).map(|it| it.to_string()).collect();
    let mut block = query.body.clone();
    let mut walker = generator
        .walker(Mode::Query)
        .owned_by(&query.name, 0)
        .with_head(names.iter().map(String::as_str), false);
    walker.visit_block_mut(&mut block);
    let trigger = Trigger::Query(query.call);
    let matched = head::matched(generator, trigger, &query.patterns, &[], &walker.facts.head_locals);
    let (prologue, statements) = (head::prologue_total(&matched), &block.stmts);
    let whole = quote!(#prologue #(#statements)*);
    let (this, below) = (used(&whole, "this"), used(&whole, "below"));
    let arguments = head::arguments(generator, trigger).into_iter().map(|it| {
        let (name, ty) = (used(&prologue, &it.name.to_string()), it.ty);
        quote!(#name: #ty)
    });
    let answer = &generator.call(query.call).answer;
    let place = doc(&format!("`{}:{}`: `{}`", generator.file(), query.line, query.head));
    let (docs, name) = (docs(&query.doc), function(query));
    quote! {
        #place
        #docs
        fn #name(&self, #this: &Variables, #below: &kernel::Below<'_> #(, #arguments)*) -> #answer {
            #whole
        }
    }
}

/// What a routine or a property needs to ask further down.
pub(super) fn window(window: Window) -> Option<TokenStream> {
    match window {
        Window::Step => Some(quote!(ctx: &kernel::Ctx<'_, Timer>)),
        Window::Below => Some(quote!(below: &kernel::Below<'_>)),
        Window::Me => Some(quote!(me: NodeId)),
        Window::None => None,
    }
}
