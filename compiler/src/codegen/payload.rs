//! What may travel as a payload: the messages and the types of the spec, each under a name of its own.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::ir::Spec;

/// How the module of the spec reaches the module of a file, and the name by which payloads know the file.
fn place(spec: &Spec, file: usize) -> (TokenStream, String) {
    match file {
        0 => (TokenStream::new(), spec.name.clone()),
        _ => {
            let module = &spec.files[file].module;
            let path = format_ident!("{module}");
            (quote!(imported::#path::), module.clone())
        }
    }
}

/// The enums of messages, as the module of the spec calls them, and their names on the wire.
pub(super) fn messages(spec: &Spec) -> Vec<(TokenStream, String)> {
    let with_messages = (0..spec.files.len()).filter(|file| spec.messages.iter().any(|(of, _)| of == file));
    let of_files = with_messages.map(|file| {
        let (path, name) = place(spec, file);
        (quote!(#path Message), name)
    });
    let of_services = spec.services.iter().filter(|it| !it.messages.is_empty()).map(|it| {
        let (module, name) = (&it.path, format!("{}.{}", place(spec, it.file).1, it.ident));
        (quote!(#module::Message), name)
    });
    of_files.chain(of_services).collect()
}

/// The types that may travel as payloads, and their names on the wire.
fn carried(spec: &Spec) -> Vec<(TokenStream, String)> {
    let types = spec.items.iter().filter_map(|(file, item)| match item {
        syn::Item::Struct(it) if it.generics.params.is_empty() => Some((*file, &it.ident)),
        syn::Item::Enum(it) if it.generics.params.is_empty() => Some((*file, &it.ident)),
        _ => None,
    });
    let types = types.map(|(file, ident)| {
        let (path, name) = place(spec, file);
        (quote!(#path #ident), format!("{name}.{ident}"))
    });
    messages(spec).into_iter().chain(types).collect()
}

/// Their table, and what makes payloads of them.
pub(super) fn table(spec: &Spec) -> TokenStream {
    let carried = carried(spec);
    let implementations = carried.iter().map(|(ty, name)| {
        quote! {
            impl kernel::payload::Carried for #ty {
                const NAME: &'static str = #name;
            }
        }
    });
    let (count, entries) =
        (carried.len(), carried.iter().map(|(ty, _)| quote!(kernel::PayloadType::of::<#ty>())));
    quote! {
        #(#implementations)*

        /// What may travel as a payload, besides the plain types of Rust.
        pub static PAYLOADS: [kernel::PayloadType; #count] = [#(#entries),*];
    }
}
