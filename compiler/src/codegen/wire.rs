//! What leaves a node: the table of message types with the hash of all that travels, and durable variables as rows.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Item, Type as RustType};

use super::payload;
use super::service::Generator;
use crate::ir::{Spec, Variable};
use crate::types::{Type, Types};

/// The table of the whole spec.
pub(super) fn table(spec: &Spec) -> TokenStream {
    let messages = payload::messages(spec);
    let entries = messages.iter().map(|(ty, name)| quote!(kernel::WireType::of::<#ty>(#name)));
    let calls = spec.interfaces.iter().map(|it| {
        let (name, module) = (format!("{}.{}", spec.files[it.file].module, it.ident), &it.module);
        let file = (it.file > 0).then(|| format_ident!("{}", spec.files[it.file].module));
        let file = file.map(|file| quote!(imported::#file::));
        quote!(kernel::WireType::of::<#file #module::Downcall>(#name))
    });
    let hash = crate::emit::hash(&travelling(spec));
    quote! {
        /// What the services of the specification send between processes.
        pub static WIRE: kernel::Wire = kernel::Wire {
            hash: #hash,
            types: &[#(#entries),*],
            calls: &[#(#calls),*],
            payloads: &PAYLOADS,
        };
    }
}

/// Everything that travels in a canonical text: messages and, since any may be a payload, every type that they are made of.
fn travelling(spec: &Spec) -> String {
    let shared = spec.messages.iter().map(|(file, message)| (spec.files[*file].module.clone(), message));
    let own = spec.services.iter().flat_map(|service| {
        let name = format!("{}.{}", spec.files[service.file].module, service.ident);
        service.messages.iter().map(move |message| (name.clone(), message))
    });
    let mut text = String::new();
    let mut types = Vec::new();
    for (name, message) in shared.chain(own) {
        text.push_str(&format!("{name}.{}", message.ident));
        for field in &message.fields {
            text.push_str(&format!(" {}: {},", field.ident, canonical(field.ty.to_token_stream())));
            types.push(field.ty.to_token_stream());
        }
        text.push('\n');
    }
    text + &closure(spec, types)
}

/// The items that `types` are made of, and those that these are made of, each once.
fn closure(spec: &Spec, types: impl IntoIterator<Item = TokenStream>) -> String {
    let mut open: Vec<TokenStream> = types.into_iter().collect();
    let (mut seen, mut text) = (BTreeSet::new(), String::new());
    while let Some(tokens) = open.pop() {
        for name in names(tokens) {
            if !seen.insert(name.clone()) {
                continue;
            }
            for item in spec.items.iter().filter_map(|(_, item)| declared(item, &name)) {
                text.push_str(&canonical(item.clone()));
                text.push('\n');
                open.push(item);
            }
        }
    }
    text
}

/// The item without its attributes, if it declares `name` and a type can contain it.
fn declared(item: &Item, name: &str) -> Option<TokenStream> {
    let mut item = item.clone();
    let (ident, attributes): (&Ident, _) = match &mut item {
        Item::Struct(it) => {
            it.fields.iter_mut().for_each(|field| field.attrs.retain(|it| !it.path().is_ident("doc")));
            (&it.ident, &mut it.attrs)
        }
        Item::Enum(it) => {
            it.variants.iter_mut().for_each(|variant| variant.attrs.retain(|it| !it.path().is_ident("doc")));
            (&it.ident, &mut it.attrs)
        }
        Item::Type(it) => (&it.ident, &mut it.attrs),
        Item::Const(it) => (&it.ident, &mut it.attrs),
        _ => return None,
    };
    let found = ident == name;
    // Derives change nothing on the wire; what tells serde how to write a type does.
    attributes.retain(|it| it.path().is_ident("serde"));
    found.then(|| item.to_token_stream())
}

fn names(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => found.extend(names(group.stream())),
            _ => {}
        }
    }
    found
}

/// Tokens with one space between them: how they were set takes no part, nor who prints them.
fn canonical(tokens: TokenStream) -> String {
    let mut text = String::new();
    for token in tokens {
        if !text.is_empty() {
            text.push(' ');
        }
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                text.push_str(&format!("{open}{}{close}", canonical(group.stream())));
            }
            other => text.push_str(&other.to_string()),
        }
    }
    text
}

/// `Service::wire`, and how durable variables are saved and loaded.
pub(super) fn methods(generator: &Generator<'_>) -> TokenStream {
    let root = match generator.service.file {
        0 => quote!(super),
        _ => quote!(super::super::super),
    };
    let durable = durable(generator);
    quote! {
        fn wire() -> &'static kernel::Wire {
            &#root::WIRE
        }

        #durable
    }
}

fn durable(generator: &Generator<'_>) -> Option<TokenStream> {
    let types = &generator.sources.names.types;
    let variables: Vec<&Variable> = generator.service.variables.iter().filter(|it| it.durable).collect();
    if variables.is_empty() {
        return None;
    }
    let described = variables.iter().map(|it| {
        let (name, form) = (it.ident.to_string(), form(&it.ty, types));
        (&it.ident, name.trim_start_matches("r#").to_owned(), form, schema(generator.spec, it))
    });
    let described: Vec<_> = described.collect();
    let differences = described.iter().map(|(ident, name, form, _)| {
        quote!(kernel::durable::changes::<_, #form>(#name, touched, &mut before.#ident, &now.#ident, out);)
    });
    let whole = described.iter().map(|(ident, name, form, schema)| {
        quote!(kernel::durable::write::<_, #form>(#name, #schema, &now.#ident, out);)
    });
    let read = described.iter().map(|(ident, name, form, schema)| {
        quote!(#ident: kernel::durable::read::<_, #form>(#name, #schema, rows, || first.#ident.clone())?)
    });
    let all = variables.len() == generator.service.variables.len() && generator.service.states.is_empty();
    let rest = (!all).then(|| quote!(..first.clone()));
    Some(quote! {
        fn save(
            before: Option<(&mut Variables, kernel::TouchedIn<'_>)>,
            now: &Variables,
            out: &mut kernel::Changes,
        ) {
            match before {
                Some((before, touched)) => { #(#differences)* }
                None => { #(#whole)* }
            }
        }

        fn load(&self, me: NodeId, rows: &kernel::Rows) -> Result<Variables, kernel::SchemaError> {
            let first = kernel::Service::init(self, me);
            Ok(Variables { #(#read,)* #rest })
        }
    })
}

/// How a variable of this type is laid out.
fn form(ty: &RustType, types: &Types) -> TokenStream {
    let name = match types.resolve(ty) {
        Type::Map(..) => "Entries",
        Type::Set(_) => "Elements",
        Type::Seq(_) if is_vec(ty) => "Places",
        _ => "One",
    };
    let name = format_ident!("{name}");
    quote!(kernel::durable::#name)
}

fn is_vec(ty: &RustType) -> bool {
    matches!(ty, RustType::Path(path) if path.path.is_ident("Vec") || path.path.segments.last().is_some_and(|it| it.ident == "Vec"))
}

/// The type as the spec writes it and, where that names types of the spec, a hash of what they are.
fn schema(spec: &Spec, variable: &Variable) -> String {
    let ty = variable.ty.to_token_stream();
    let text = crate::lower::one_line(&variable.ty_text);
    match closure(spec, [ty]) {
        closure if closure.is_empty() => text,
        closure => format!("{text} ({:016x})", crate::emit::hash(&closure)),
    }
}
