//! Stacks: services with their arguments, and what is below them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::service::Generator;
use super::{doc, used};
use crate::ir::{Layer, Parameter, Placed, Spec};

/// A stack as an expression; `me` is the node.
pub(super) fn placed(spec: &Spec, placed: &Placed) -> TokenStream {
    let service = &spec.services[placed.service];
    let (module, ident) = (&service.path, &service.ident);
    let given = |parameter: &Parameter| placed.arguments.get(&parameter.ident.to_string());
    let required = service.parameters.iter().filter(|it| it.default.is_none()).filter_map(given);
    let set = service.parameters.iter().filter(|it| it.default.is_some()).filter_map(|it| {
        let (ident, value) = (&it.ident, given(it)?);
        Some(quote!(.#ident(#value)))
    });
    let made = quote!(#module::#ident::new(#(#required),*) #(#set)*);
    if service.layers.is_empty() {
        return quote! {{
            let this_service = #made;
            kernel::Stack::new(vec![kernel::Layer::new(this_service)])
        }};
    }
    let lower = service.layers.iter().enumerate().map(|(slot, layer)| match placed.lower.get(&slot) {
        Some(lower) => self::placed(spec, lower),
        None => {
            let default = function(layer);
            quote!(this_service.#default(me))
        }
    });
    quote! {{
        let this_service = #made;
        let this_lower = vec![#(#lower),*];
        kernel::Stack::over(kernel::Layer::new(this_service), this_lower)
    }}
}

fn function(layer: &Layer) -> proc_macro2::Ident {
    format_ident!("lower_{}", layer.name.trim_start_matches("r#"))
}

/// What is below a service where a system says nothing else: a function for each layer that has a default.
pub(super) fn defaults(generator: &Generator<'_>) -> TokenStream {
    let service = generator.service;
    let defaults = service.layers.iter().filter_map(|layer| {
        let made = placed(generator.spec, layer.default.as_ref()?);
        let names = service
            .parameters
            .iter()
            .map(|it| &it.ident)
            .filter(|it| super::mentions(&made, &it.to_string()));
        let (name, me) = (function(layer), used(&made, "me"));
        let about = doc(&format!("The layer `{}` where a system does not say what is there.", layer.name));
        Some(quote! {
            #about
            pub fn #name(&self, #me: NodeId) -> kernel::Stack {
                let Self { #(#names,)* .. } = self;
                #made
            }
        })
    });
    let (ident, defaults) = (&service.ident, defaults.collect::<Vec<_>>());
    if defaults.is_empty() { TokenStream::new() } else { quote!(impl #ident { #(#defaults)* }) }
}
