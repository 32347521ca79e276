//! What a generic node may send, as a method of its service: every message with every value that its fields may have.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::VisitMut;

use super::service::Generator;
use super::used;
use crate::body::Mode;
use crate::ir::Sendable;

/// The method `sendable`; nothing where the service does not say.
pub(super) fn method(generator: &Generator<'_>) -> TokenStream {
    let sendable = &generator.service.sendable;
    if sendable.is_empty() {
        return TokenStream::new();
    }
    let messages: Vec<TokenStream> = sendable.iter().map(|it| message(generator, it)).collect();
    let me = used(&quote!(#(#messages)*), "me");
    quote! {
        fn sendable(&self, #me: NodeId) -> Vec<(u8, kernel::Datum)> {
            let mut this_messages = Vec::new();
            #(#messages)*
            this_messages
        }
    }
}

fn message(generator: &Generator<'_>, sendable: &Sendable) -> TokenStream {
    let (ty, slot) = (generator.message_type(sendable.message), sendable.slot as u8);
    let variant = quote::format_ident!("{}", generator.message_name(sendable.message));
    let fields = sendable.fields.iter().map(|(name, _)| quote!(#name: #name.clone()));
    let message = quote!(this_messages.push((#slot, kernel::Datum::new(#ty::#variant { #(#fields),* }))););
    sendable.fields.iter().rev().fold(message, |inner, (name, set)| {
        let mut set = set.clone();
        generator.walker(Mode::Initial).visit_expr_mut(&mut set);
        quote!(for #name in &kernel::choice::Options::options(#set) { #inner })
    })
}
