//! `#[derive(foresee::Value)]`: what the runtime must know of a type that services store or send.
//!
//! It implements `foresee::kernel::Shape`: node ids are renamed in every field, every field counts for how large a value is, and an
//! enum tells the name of its variant.
//! The other traits of a value come from the usual derives, which generated code adds. It never looks at a type's
//! meaning: a field whose type has no `Shape` is rustc's error, at that field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, parse_macro_input, parse_quote};

/// Implements `foresee::kernel::Shape`.
#[proc_macro_derive(Value)]
pub fn value(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    shape(input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn shape(mut input: DeriveInput) -> syn::Result<TokenStream> {
    for parameter in input.generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::foresee::kernel::Shape));
    }
    let name = &input.ident;
    let (rename, extent, kind) = match &input.data {
        Data::Struct(data) => {
            let (rename, extent) = arms(&quote!(#name), &data.fields);
            (quote!(match self { #rename }), quote!(match self { #extent }), None)
        }
        Data::Enum(data) if data.variants.is_empty() => {
            (quote!(match *self {}), quote!(match *self {}), Some(quote!(match *self {})))
        }
        Data::Enum(data) => {
            let arms = data.variants.iter().map(|variant| {
                let variant_name = &variant.ident;
                arms(&quote!(#name::#variant_name), &variant.fields)
            });
            let (renames, extents): (Vec<_>, Vec<_>) = arms.unzip();
            let kinds = data.variants.iter().map(|variant| {
                let (ident, text) = (&variant.ident, variant.ident.to_string());
                let text = text.trim_start_matches("r#");
                quote!(#name::#ident { .. } => #text)
            });
            let kind = Some(quote!(match self { #(#kinds),* }));
            (quote!(match self { #(#renames)* }), quote!(match self { #(#extents)* }), kind)
        }
        Data::Union(data) => {
            return Err(syn::Error::new(data.union_token.span, "a union is no value: use an enum"));
        }
    };
    let kind = kind.map(|kind| {
        quote! {
            fn kind(&self) -> &'static str {
                #kind
            }
        }
    });
    let each_field = each_field(&input.data);
    let (implementation, ty, condition) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #implementation ::foresee::kernel::Shape for #name #ty #condition {
            fn rename(&mut self, map: &dyn Fn(::foresee::kernel::NodeId) -> ::foresee::kernel::NodeId) {
                let _ = map;
                #rename
            }
            fn extent(&self, extent: &mut ::foresee::kernel::Extent) {
                let _ = &extent;
                #extent
            }
            #each_field
            #kind
        }
    })
}

/// The arms that rename the fields of a struct or variant, and that count how large they are.
fn arms(path: &TokenStream, fields: &Fields) -> (TokenStream, TokenStream) {
    let bound: Vec<Ident> =
        (0..fields.len()).map(|at| format_ident!("field_{at}", span = Span::call_site())).collect();
    let members = fields.members();
    let patterns: Vec<TokenStream> =
        members.zip(&bound).map(|(member, bound)| quote!(#member: #bound)).collect();
    let renames = fields.iter().zip(&bound).map(|(field, bound)| {
        // At the type, so that a type without ids is reported where it is written.
        let span = field.ty.span();
        quote_spanned!(span=> ::foresee::kernel::Shape::rename(#bound, map);)
    });
    let rename = quote!(#path { #(#patterns),* } => { #(#renames)* });
    let extents = fields.iter().zip(&bound).map(|(field, bound)| {
        let span = field.ty.span();
        quote_spanned!(span=> ::foresee::kernel::Shape::extent(#bound, extent);)
    });
    (rename, quote!(#path { #(#patterns),* } => { #(#extents)* }))
}

/// The function that shows the fields of a struct one by one; none where they have no names.
fn each_field(data: &Data) -> Option<TokenStream> {
    let Data::Struct(data) = data else { return None };
    let Fields::Named(fields) = &data.fields else { return None };
    let visits = fields.named.iter().filter_map(|field| Some((field, field.ident.as_ref()?)));
    let visits = visits.map(|(field, ident)| {
        let text = ident.to_string();
        let text = text.trim_start_matches("r#");
        let span = field.ty.span();
        quote_spanned!(span=> visit(#text, ::foresee::kernel::Extent::of(&self.#ident));)
    });
    Some(quote! {
        fn each_field(&self, visit: &mut dyn FnMut(&'static str, ::foresee::kernel::Extent)) {
            let _ = &visit;
            #(#visits)*
        }
    })
}
