//! The module of an interface: what goes down, what goes up, and what is asked.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{declare, doc, docs, handle};
use crate::ir::{Call, Interface};
use crate::names::CallKind;
use crate::types::Types;

/// The module of an interface.
pub(super) fn module(interface: &Interface, types: &Types) -> TokenStream {
    let of = |kinds: &[CallKind]| {
        let calls = interface.calls.iter().filter(|it| kinds.contains(&it.kind));
        calls.collect::<Vec<&Call>>()
    };
    let (name, module) = (&interface.ident, &interface.module);
    let down = of(&[CallKind::Command, CallKind::Request]);
    let down = enumeration("Downcall", &down, "Commands and requests: what the layer above asks.", types);
    let up = enumeration("Upcall", &of(&[CallKind::Upcall]), "What the layer above is told.", types);
    let queries = of(&[CallKind::Query]);
    let queries = queries.iter().map(|it| query(it, types));
    let (about, docs) =
        (doc(&format!("The interface `{name}` (line {}).", interface.line)), docs(&interface.doc));
    let program = handle::interface(interface);
    quote! {
        #about
        #docs
        pub mod #module {
            use super::*;

            #down
            #up
            #(#queries)*
            #program
        }
    }
}

fn enumeration(name: &str, calls: &[&Call], about: &str, types: &Types) -> TokenStream {
    let variants = calls.iter().map(|it| {
        let (docs, ident, fields) =
            (docs(&it.message.doc), &it.message.ident, declare::named(&it.message.fields));
        quote!(#docs #ident #fields)
    });
    let copy = calls.iter().flat_map(|it| &it.message.fields).all(|it| declare::is_copy(&it.ty, types, 8));
    let (name, about, derives) = (format_ident!("{name}"), doc(about), declare::derives(copy));
    quote! {
        #about
        #derives
        pub enum #name { #(#variants),* }
    }
}

/// A query is a type of its own: its answer has another type than that of the next.
fn query(call: &Call, types: &Types) -> TokenStream {
    let (docs, ident, fields) = (docs(&call.message.doc), &call.message.ident, &call.message.fields);
    let copy = fields.iter().all(|it| declare::is_copy(&it.ty, types, 8));
    let (derives, about) = (declare::derives(copy), doc(&format!("The query `{}`.", call.name)));
    let fields = fields.iter().map(|it| {
        let (name, ty) = (&it.ident, &it.ty);
        quote!(pub #name: #ty)
    });
    quote! {
        #about
        #docs
        #derives
        pub struct #ident { #(#fields),* }
    }
}
