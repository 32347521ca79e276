//! From the intermediate form to Rust: one module for the spec, one in it for each service.
//!
//! The code is meant to be read and stepped through: a function for each handler, tables at the top, plain conditions. It
//! names no crate but `foresee` and `std`. Bodies are rewritten here, token by token (`body.rs`), so that each keeps its
//! place; glue stands at the place of what it was made from. Codegen never sees the syntax tree of the specification.

mod declare;
mod head;
mod property;
mod routine;
mod service;
mod step;
mod system;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::body::Places;
use crate::ir::Spec;
use crate::names::Names;
use crate::types::Types;

/// What the generated module may do without a warning: it is generated. What is not listed still warns about bodies.
const ALLOWED: &str = "clippy::all, clippy::pedantic, dead_code, for_loops_over_fallibles, irrefutable_let_patterns, missing_docs, \
    non_camel_case_types, non_snake_case, private_interfaces, unreachable_patterns, unused_braces, unused_imports, unused_parens";

/// What rewriting needs besides the intermediate form.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The declared names.
    pub names: &'a Names,
    /// The file and its tokens.
    pub places: Places<'a>,
}

/// The contents of the generated module.
pub fn module(spec: &Spec, sources: Sources<'_>) -> TokenStream {
    let (file, types) = (&spec.file, &sources.names.types);
    let items = spec.items.iter().map(|item| declare::item(item, types));
    let messages = (!spec.messages.is_empty()).then(|| {
        let doc = "Messages at file level: every service of the spec speaks them.";
        declare::messages(&format_ident!("Message"), &spec.messages, doc, types)
    });
    let services = (0..spec.services.len()).map(|index| service::module(spec, index, sources));
    let systems = spec.systems.iter().map(|it| system::system(spec, it, sources));
    let table = system::table(spec, sources);
    quote! {
        use ::foresee::kernel::{self, NodeId};
        use ::std::collections::{BTreeMap, BTreeSet, VecDeque};
        use ::std::time::Duration;

        /// The specification that this was generated from.
        pub const FILE: &str = #file;

        #(#items)*
        #messages
        #(#services)*
        #(#systems)*
        #table
    }
}

/// The whole as an item: what the procedural macro gives back.
pub fn item(spec: &Spec, sources: Sources<'_>) -> TokenStream {
    let (name, doc, contents) = (format_ident!("{}", spec.name), docs(&spec.doc), module(spec, sources));
    let allowed: TokenStream = ALLOWED.parse().unwrap_or_default();
    quote! {
        #doc
        #[allow(#allowed)]
        pub mod #name { #contents }
    }
}

/// The whole as a file of its own.
pub fn file(spec: &Spec, sources: Sources<'_>) -> TokenStream {
    let contents = module(spec, sources);
    let docs = spec.doc.iter().flat_map(|doc| doc.lines()).map(|line| format!(" {line}"));
    let allowed: TokenStream = ALLOWED.parse().unwrap_or_default();
    quote! { #(#![doc = #docs])* #![allow(#allowed)] #contents }
}

/// Documentation as attributes.
fn docs(doc: &Option<String>) -> TokenStream {
    let lines = doc.iter().flat_map(|doc| doc.lines()).map(|line| {
        let line = if line.is_empty() { String::new() } else { format!(" {}", line.trim_start_matches(' ')) };
        quote!(#[doc = #line])
    });
    quote!(#(#lines)*)
}

/// One line of documentation.
fn doc(text: &str) -> TokenStream {
    let text = format!(" {text}");
    quote!(#[doc = #text])
}

/// Whether an identifier occurs anywhere.
fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}

/// The name of an argument, with an underscore where `tokens` never mentions it.
fn used(tokens: &TokenStream, name: &str) -> Ident {
    if mentions(tokens, name) { format_ident!("{name}") } else { format_ident!("_{name}") }
}

/// Whether every field of a type is copied, so that the type may be as well.
fn all_copy(fields: &syn::Fields, types: &Types, depth: usize) -> bool {
    fields.iter().all(|field| declare::is_copy(&field.ty, types, depth))
}
