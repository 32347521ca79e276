//! How a program uses a service: each interface as a trait of asynchronous methods, and each service's typed handle.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::service::Generator;
use super::{doc, docs, raw};
use crate::ir::{Call, Field, Interface, Spec};
use crate::names::CallKind;

/// The trait of an interface, to stand in its module.
pub(super) fn interface(interface: &Interface) -> TokenStream {
    let methods = calls(interface).map(|(call, name)| {
        let (docs, arguments, answer) = (docs(&call.message.doc), arguments(call), answer(call));
        quote! {
            #docs
            fn #name(&self #(, #arguments)*) -> impl ::std::future::Future<Output = Result<#answer, kernel::Lost>> + Send;
        }
    });
    let implemented = calls(interface).map(|(call, name)| {
        let (arguments, answer, made) = (arguments(call), answer(call), made(call));
        quote!(async fn #name(&self #(, #arguments)*) -> Result<#answer, kernel::Lost> { #made })
    });
    let name = &interface.ident;
    let about = doc(&format!("The interface `{name}` as a program uses it: {HOW}."));
    let marker = doc(&format!("Names the interface `{name}` among those that a handle provides."));
    quote! {
        #marker
        pub struct Interface;

        #about
        pub trait #name { #(#methods)* }

        impl<H: kernel::embed::Provides<Interface>> #name for H { #(#implemented)* }
    }
}

/// The call, made through the port of a handle.
fn made(call: &Call) -> TokenStream {
    let variant = &call.message.ident;
    let fields: Vec<&Ident> = given(call).iter().map(|it| &it.ident).collect();
    let port = quote!(kernel::embed::Provides::<Interface>::port(self));
    match call.kind {
        CallKind::Query => quote!(kernel::embed::query(#port, #variant { #(#fields),* }).await),
        CallKind::Request => {
            let reply = call.message.fields.last().map(|it| &it.ident);
            let made = quote!(Downcall::#variant { #(#fields,)* #reply: this_reply });
            quote!(kernel::embed::request(#port, move |this_reply| #made).await)
        }
        _ => quote!(kernel::embed::command(#port, Downcall::#variant { #(#fields),* }).await),
    }
}

const HOW: &str = "a command is done when it is durable, a query is answered from one moment between steps, \
    and a request is done when it is answered";

/// The traits of a file's interfaces and its services' own types beside their modules, but what has the name of something else there.
pub(super) fn reexports(spec: &Spec, file: usize) -> TokenStream {
    let interfaces = spec.interfaces.iter().filter(|it| it.file == file).map(|it| (&it.module, &it.ident));
    let services = spec.services.iter().filter(|it| it.file == file).map(|it| (&it.module, &it.ident));
    let items = spec.items.iter().filter(|(of, _)| *of == file).filter_map(|(_, item)| match item {
        syn::Item::Struct(it) => Some(it.ident.to_string()),
        syn::Item::Enum(it) => Some(it.ident.to_string()),
        syn::Item::Type(it) => Some(it.ident.to_string()),
        _ => None,
    });
    let taken = spec.files[file]
        .reexports
        .iter()
        .map(|it| it.local.clone())
        .chain(items)
        .chain(RESERVED.map(str::to_owned));
    let mut taken: Vec<String> = taken.collect();
    let shown = interfaces.chain(services).filter_map(|(module, name)| {
        let text = name.to_string();
        let free = !taken.contains(&text);
        taken.push(text);
        free.then(|| quote!(pub use #module::#name;))
    });
    let mut shown: TokenStream = shown.collect();
    // The service that the file is named after is what most programs come for.
    let main = spec.services.iter().find(|it| file == 0 && it.file == 0 && it.module == spec.name.as_str());
    if let Some(main) = main {
        let module = &main.module;
        let upcalls = match main.provides.as_slice() {
            [one] => Some(&spec.interfaces[one.interface].module),
            _ => None,
        };
        let named = [(Some(module), "Handle"), (upcalls, "Upcall")].into_iter();
        for (module, name) in named.filter_map(|(module, name)| Some((module?, name))) {
            if !taken.iter().any(|it| it == name) {
                let name = format_ident!("{name}");
                shown.extend(quote!(pub use #module::#name;));
            }
        }
    }
    shown
}

/// Names that every generated file has.
const RESERVED: [&str; 10] = [
    "Message", "NodeId", "Payload", "Reply", "Duration", "Instant", "BTreeMap", "BTreeSet", "VecDeque",
    "WIRE",
];

/// What goes down, in file order.
fn calls(interface: &Interface) -> impl Iterator<Item = (&Call, Ident)> {
    let down = interface.calls.iter().filter(|it| it.kind != CallKind::Upcall);
    down.map(|it| (it, raw(&it.name)))
}

/// The fields that a caller gives: a request's reply is made for it.
fn given(call: &Call) -> &[Field] {
    match call.kind {
        CallKind::Request => call.message.fields.split_last().map_or(&[], |(_, rest)| rest),
        _ => &call.message.fields,
    }
}

fn arguments(call: &Call) -> Vec<TokenStream> {
    let argument = |field: &Field| {
        let (name, ty) = (&field.ident, &field.ty);
        quote!(#name: #ty)
    };
    given(call).iter().map(argument).collect()
}

fn answer(call: &Call) -> TokenStream {
    call.answer.as_ref().map_or_else(|| quote!(()), |ty| quote!(#ty))
}

/// The handle of a service, and what makes it one that a program can start.
pub(super) fn handle(generator: &Generator<'_>) -> TokenStream {
    let service = generator.service;
    let ident = &service.ident;
    let provided: Vec<usize> = service.provides.iter().map(|it| it.interface).collect();
    let traits = provided.iter().map(|at| {
        let interface = generator.interface(*at, "Interface");
        quote! {
            impl kernel::embed::Provides<#interface> for Handle {
                fn port(&self) -> &dyn kernel::Port {
                    &*self.port
                }
            }
        }
    });
    let (upcalls, upcall, recognised) = upcalls(generator, &provided);
    let embedded = service.layers.iter().all(|it| it.default.is_some()).then(|| {
        let lower = service.layers.iter().map(|layer| {
            let default = format_ident!("lower_{}", layer.name.trim_start_matches("r#"));
            quote!(self.#default(me))
        });
        let stack = match service.layers.is_empty() {
            true => quote!(let _ = me; kernel::Stack::new(vec![kernel::Layer::new(self)])),
            false => quote! {
                let lower = vec![#(#lower),*];
                kernel::Stack::over(kernel::Layer::new(self), lower)
            },
        };
        quote! {
            impl kernel::Embedded for #ident {
                type Upcall = #upcall;
                type Handle = Handle;

                fn stack(self, me: NodeId) -> kernel::Stack {
                    #stack
                }

                fn upcall(upcall: &kernel::Datum) -> Option<#upcall> {
                    #recognised
                }
            }
        }
    });
    let about = doc(&format!("How a program calls a node whose top layer is `{ident}`."));
    quote! {
        #about
        #[derive(Clone)]
        pub struct Handle {
            port: ::std::sync::Arc<dyn kernel::Port>,
        }

        impl Handle {
            /// A handle of the node behind `port`.
            pub fn new(port: ::std::sync::Arc<dyn kernel::Port>) -> Self {
                Handle { port }
            }
        }

        impl kernel::embed::Handle for Handle {
            fn service() -> &'static kernel::ServiceInfo {
                &INFO
            }

            fn over(port: ::std::sync::Arc<dyn kernel::Port>) -> Self {
                Handle::new(port)
            }
        }

        #(#traits)*
        #upcalls
        #embedded
    }
}

/// The type of a service's upcalls: what declares it, its name, and how one is recognised in `upcall`.
fn upcalls(generator: &Generator<'_>, provided: &[usize]) -> (Option<TokenStream>, TokenStream, TokenStream) {
    match provided {
        [] => (None, quote!(::std::convert::Infallible), quote!(let _ = upcall; None)),
        [one] => {
            let ty = generator.interface(*one, "Upcall");
            (None, ty.clone(), quote!(upcall.get::<#ty>().cloned()))
        }
        several => {
            let names: Vec<&Ident> = several.iter().map(|at| &generator.spec.interfaces[*at].ident).collect();
            let types: Vec<TokenStream> =
                several.iter().map(|at| generator.interface(*at, "Upcall")).collect();
            let declared = quote! {
                /// What a program is told, by the interface that says it.
                #[derive(Clone, Debug)]
                pub enum Told { #(#[doc = " An upcall of the interface."] #names(#types)),* }
            };
            let tries = names.iter().zip(&types).map(|(name, ty)| {
                quote!(if let Some(found) = upcall.get::<#ty>() { return Some(Told::#name(found.clone())); })
            });
            (Some(declared), quote!(Told), quote!(#(#tries)* None))
        }
    }
}
