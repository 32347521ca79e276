//! `#[derive(foresee::Value)]`: where node ids stand in a type, and, for an enum, the name of its variant.
//!
//! Everything else that a value needs (`Clone`, `Eq`, `Ord`, `Hash`, `Debug`, serde's two) is derived beside it by
//! the usual derives; generated code does so by itself.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, parse_macro_input, parse_quote};

/// Derives `foresee::kernel::Shape`, the part of a service's values that std's and serde's derives leave.
#[proc_macro_derive(Value)]
pub fn value(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn derive(mut input: DeriveInput) -> syn::Result<TokenStream> {
    for parameter in input.generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::foresee::kernel::Shape));
    }
    let (rename, kind) = match &input.data {
        Data::Struct(data) => {
            let (pattern, rename) = fields(&data.fields);
            (quote!(let Self #pattern = *self; #rename), None)
        }
        Data::Enum(data) => {
            let mut arms = Vec::new();
            let mut kinds = Vec::new();
            for variant in &data.variants {
                let (name, (pattern, rename)) = (&variant.ident, fields(&variant.fields));
                let text = name.to_string();
                arms.push(quote!(Self::#name #pattern => { #rename }));
                kinds.push(quote!(Self::#name { .. } => #text));
            }
            let kind = match kinds.is_empty() {
                true => None,
                false => Some(quote! {
                    fn kind(&self) -> &'static str {
                        match self { #(#kinds),* }
                    }
                }),
            };
            (quote!(match *self { #(#arms)* }), kind)
        }
        Data::Union(data) => {
            let message = "a union has no shape that could be renamed; use an enum";
            return Err(syn::Error::new(data.union_token.span, message));
        }
    };
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        #[allow(unused_variables, clippy::all)]
        impl #generics ::foresee::kernel::Shape for #name #arguments #bounds {
            fn rename(&mut self, map: &dyn Fn(::foresee::kernel::NodeId) -> ::foresee::kernel::NodeId) {
                #rename
            }
            #kind
        }
    })
}

/// A pattern that binds every field, and the renaming of all of them.
fn fields(fields: &Fields) -> (TokenStream, TokenStream) {
    match fields {
        Fields::Named(named) => {
            let names: Vec<_> = named.named.iter().filter_map(|field| field.ident.as_ref()).collect();
            let bound: Vec<_> = names.iter().map(|name| format_ident!("field_{name}")).collect();
            (quote!({ #(#names: ref mut #bound),* }), renamed(&bound))
        }
        Fields::Unnamed(unnamed) => {
            let bound: Vec<_> =
                (0..unnamed.unnamed.len()).map(|index| format_ident!("field_{index}")).collect();
            (quote!(( #(ref mut #bound),* )), renamed(&bound))
        }
        Fields::Unit => (TokenStream::new(), TokenStream::new()),
    }
}

fn renamed(bound: &[syn::Ident]) -> TokenStream {
    quote!(#(::foresee::kernel::Shape::rename(#bound, map);)*)
}
