//! From the intermediate form to Rust: one module for the spec, one in it for each service.
//!
//! The code is meant to be read and stepped through: a function for each handler, tables at the top, plain conditions. It
//! names no crate but `foresee` and `std`. Bodies are rewritten here, token by token (`body.rs`), so that each keeps its
//! place; glue stands at the place of what it was made from. Codegen never sees the syntax tree of the specification.

mod aspect;
mod declare;
mod generic;
mod handle;
mod head;
mod interface;
mod payload;
mod plan;
mod property;
mod qualified;
mod query;
mod routine;
mod scenario;
mod service;
mod stack;
mod step;
mod system;
mod tables;
mod wire;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::body::Places;
use crate::ir::Spec;
use crate::names::Names;
use crate::tokens::identifier;
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

/// How the modules of imported files come into the module of the one that imports them.
#[derive(Clone, Copy)]
enum Imported<'a> {
    /// Written out.
    Inline,
    /// Each included from a file of its own, in a folder of this name beside the including one.
    Included(&'a str),
}

/// The contents of the generated module.
fn module(spec: &Spec, sources: Sources<'_>, imported: Imported<'_>) -> TokenStream {
    let systems = spec.systems.iter().map(|it| system::system(spec, it, sources));
    let (scenarios, table) = (scenario::statics(spec), system::table(spec, sources));
    let contents = part(spec, 0, sources);
    let (payloads, wire) = (payload::table(spec), wire::table(spec));
    let parts = (1..spec.files.len()).map(|index| {
        let file = &spec.files[index];
        let (name, about) = (format_ident!("{}", file.module), doc(&format!("From `{}`.", file.path)));
        let contents = match imported {
            Imported::Inline => part(spec, index, sources),
            Imported::Included(folder) => {
                let path = crate::emit::part_path(folder, &file.module);
                quote!(include!(#path);)
            }
        };
        quote!(#about pub mod #name { #contents })
    });
    let imported = (spec.files.len() > 1).then(|| {
        quote! {
            /// What the specification imports: a module for each file.
            pub mod imported { #(#parts)* }
        }
    });
    quote! { #contents #(#systems)* #scenarios #payloads #wire #table #imported }
}

/// What one file declares: types, messages, services.
pub fn part(spec: &Spec, index: usize, sources: Sources<'_>) -> TokenStream {
    let (file, types) = (&spec.files[index], &sources.names.types);
    let path = &file.path;
    let items = spec.items.iter().filter(|(of, _)| *of == index).map(|(_, item)| declare::item(item, types));
    let messages: Vec<_> = spec.messages.iter().filter(|(of, _)| *of == index).map(|(_, it)| it).collect();
    let messages = (!messages.is_empty()).then(|| {
        let doc = "Messages at file level: every service of the spec speaks them.";
        declare::messages(&format_ident!("Message"), messages, doc, types)
    });
    let interfaces = spec.interfaces.iter().filter(|it| it.file == index);
    let interfaces = interfaces.map(|it| interface::module(it, types));
    let services = (0..spec.services.len()).filter(|it| spec.services[*it].file == index);
    let services = services.map(|index| service::module(spec, index, sources));
    let outer = (index > 0).then(|| {
        quote!(
            use super::super::imported;
        )
    });
    let reexports = file.reexports.iter().map(|it| {
        let (module, local) = (format_ident!("{}", spec.files[it.file].module), raw(&it.local));
        match &it.name {
            None => quote!(pub use imported::#module as #local;),
            Some(name) if *name == it.local => quote!(pub use imported::#module::#local;),
            Some(name) => {
                let name = raw(name);
                quote!(pub use imported::#module::#name as #local;)
            }
        }
    });
    let shown = handle::reexports(spec, index);
    quote! {
        use ::foresee::kernel::{self, Instant, NodeId, Payload, Reply};
        use ::std::collections::{BTreeMap, BTreeSet, VecDeque};
        use ::std::time::Duration;
        #outer
        #(#reexports)*
        #shown

        /// The specification that this was generated from.
        pub const FILE: &str = #path;

        #(#items)*
        #messages
        #(#interfaces)*
        #(#services)*
    }
}

/// An identifier of text that may begin with `r#`.
fn raw(name: &str) -> Ident {
    identifier(name, proc_macro2::Span::call_site())
}

/// The whole as an item: what the procedural macro gives back.
pub fn item(spec: &Spec, sources: Sources<'_>) -> TokenStream {
    let imported = Imported::Included(&spec.name);
    let (name, doc, contents) =
        (format_ident!("{}", spec.name), docs(&spec.doc), module(spec, sources, imported));
    let allowed: TokenStream = ALLOWED.parse().unwrap_or_default();
    quote! {
        #doc
        #[allow(#allowed)]
        pub mod #name { #contents }
    }
}

/// The whole as a file of its own.
pub fn file(spec: &Spec, sources: Sources<'_>) -> TokenStream {
    let contents = module(spec, sources, Imported::Inline);
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
