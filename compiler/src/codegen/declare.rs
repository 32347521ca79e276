//! Types: Rust items of the file with the usual derives, and enums of messages, calls and timers.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Item, Visibility};

use super::{all_copy, doc, docs};
use crate::ir::{Field, Message};
use crate::types::{Type, Types};

/// The derives of everything that is stored or sent.
pub(super) fn derives(copy: bool) -> TokenStream {
    let copy = copy.then(|| quote!(Copy,));
    quote! {
        #[derive(
            Clone, #copy PartialEq, Eq, PartialOrd, Ord, Hash, Debug,
            ::foresee::serde::Serialize, ::foresee::serde::Deserialize, ::foresee::Value,
        )]
        #[serde(crate = "::foresee::serde")]
    }
}

/// A Rust item of the file: public, and a value if it is a type.
pub(super) fn item(item: &Item, types: &Types) -> TokenStream {
    let public = |vis: &mut Visibility| {
        if let Visibility::Inherited = vis {
            *vis = syn::parse_quote!(pub);
        }
    };
    let mut item = item.clone();
    match &mut item {
        Item::Struct(it) => {
            public(&mut it.vis);
            it.fields.iter_mut().for_each(|field| public(&mut field.vis));
            let copy = it.generics.params.is_empty() && all_copy(&it.fields, types, 8);
            let derives = missing_derives(&it.attrs, copy);
            quote!(#derives #it)
        }
        Item::Enum(it) => {
            public(&mut it.vis);
            let copy =
                it.generics.params.is_empty() && it.variants.iter().all(|it| all_copy(&it.fields, types, 8));
            let derives = missing_derives(&it.attrs, copy && !it.variants.is_empty());
            quote!(#derives #it)
        }
        Item::Type(it) => {
            public(&mut it.vis);
            quote!(#it)
        }
        Item::Const(it) => {
            public(&mut it.vis);
            quote!(#it)
        }
        Item::Fn(it) => {
            public(&mut it.vis);
            quote!(#it)
        }
        other => quote!(#other),
    }
}

/// The usual derives but those that the author wrote.
fn missing_derives(attrs: &[syn::Attribute], copy: bool) -> TokenStream {
    let mut written: Vec<String> = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        let _ = attr.parse_nested_meta(|meta| {
            written.extend(meta.path.segments.last().map(|it| it.ident.to_string()));
            Ok(())
        });
    }
    let mut derives = Vec::new();
    for name in ["Clone", "Copy", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Debug"] {
        if !written.iter().any(|it| it == name) && (copy || name != "Copy") {
            let name: TokenStream = name.parse().unwrap_or_default();
            derives.push(name);
        }
    }
    for (name, path) in [
        ("Serialize", quote!(::foresee::serde::Serialize)),
        ("Deserialize", quote!(::foresee::serde::Deserialize)),
        ("Value", quote!(::foresee::Value)),
    ] {
        if !written.iter().any(|it| it == name) {
            derives.push(path);
        }
    }
    quote!(#[derive(#(#derives),*)] #[serde(crate = "::foresee::serde")])
}

/// Whether values of a type are certainly copied.
pub(super) fn is_copy(ty: &syn::Type, types: &Types, depth: usize) -> bool {
    fn known(ty: &Type, types: &Types, depth: usize) -> bool {
        match ty {
            Type::Named(name) if depth > 0 => {
                let fields: Option<Vec<&str>> = types.fields(name).map(Iterator::collect);
                // An enum's variants are not kept: it may hold anything.
                fields.is_some_and(|fields| {
                    !fields.is_empty()
                        && fields
                            .iter()
                            .all(|it| types.field(name, it).is_some_and(|ty| known(&ty, types, depth - 1)))
                })
            }
            Type::Option(inner) => known(inner, types, depth),
            Type::Tuple(parts) => parts.iter().all(|it| known(it, types, depth)),
            other => other.is_copy(),
        }
    }
    known(&types.resolve(ty), types, depth)
}

/// An enum of messages or calls.
pub(super) fn messages<'m>(
    name: &Ident,
    messages: impl IntoIterator<Item = &'m Message>,
    about: &str,
    types: &Types,
) -> TokenStream {
    let messages: Vec<&Message> = messages.into_iter().collect();
    let variants = messages.iter().map(|message| {
        let (docs, ident, fields) = (docs(&message.doc), &message.ident, named(&message.fields));
        quote!(#docs #ident #fields)
    });
    let copy = messages.iter().flat_map(|it| &it.fields).all(|it| is_copy(&it.ty, types, 8));
    let (about, derives) = (doc(about), derives(copy));
    let slots = messages.iter().map(|message| {
        let (ident, slot) = (&message.ident, message.slot);
        quote!(#name::#ident { .. } => #slot)
    });
    quote! {
        #about
        #derives
        pub enum #name { #(#variants),* }

        impl #name {
            /// The carrier that the message travels over: index into those of the sending service.
            pub fn carrier(&self) -> usize {
                match self { #(#slots),* }
            }
        }
    }
}

/// Named fields in braces, or nothing.
pub(super) fn named(fields: &[Field]) -> TokenStream {
    let list = fields.iter().map(|field| {
        let (docs, ident, ty) = (docs(&field.doc), &field.ident, &field.ty);
        quote!(#docs #ident: #ty)
    });
    if fields.is_empty() { TokenStream::new() } else { quote!({ #(#list),* }) }
}
