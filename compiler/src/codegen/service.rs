//! The module of a service: its types, tables, functions and its `Service`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::visit_mut::VisitMut;

use super::{
    Sources, declare, doc, docs, generic, handle, property, query, routine, stack, step, tables, used, wire,
};
use crate::body::{Mode, RoutineShape, Site, Walker};
use crate::ir::{Call, CallRef, Service, Spec, Trigger};
use crate::names::ServiceNames;

/// What the functions of a service are generated from.
pub(super) struct Generator<'a> {
    pub sources: Sources<'a>,
    pub spec: &'a Spec,
    pub index: usize,
    pub service: &'a Service,
    shapes: BTreeMap<String, RoutineShape>,
    sites: RefCell<Vec<Site>>,
}

impl<'a> Generator<'a> {
    /// A walk that rewrites; what it reports was reported before.
    pub(super) fn walker(&self, mode: Mode) -> Walker<'_> {
        let names: &ServiceNames = &self.sources.names.services[self.index];
        Walker::new(self.sources.names, names, self.sources.places, mode, &self.shapes)
    }

    /// The index of a new site, which the author left `open` or not.
    pub(super) fn site(&self, name: &str, line: u32, open: bool) -> usize {
        let mut sites = self.sites.borrow_mut();
        sites.push(Site { name: name.to_owned(), line, chance: false, open });
        sites.len() - 1
    }

    /// All sites so far.
    pub(super) fn all_sites(&self) -> Vec<Site> {
        self.sites.borrow().clone()
    }

    /// The number of sites so far.
    pub(super) fn sites(&self) -> usize {
        self.sites.borrow().len()
    }

    /// Adds the sites that a body has.
    pub(super) fn add_sites(&self, sites: Vec<Site>) {
        self.sites.borrow_mut().extend(sites);
    }

    /// The text by which tables and documentation call an event.
    pub(super) fn event(&self, trigger: Trigger) -> String {
        match trigger {
            Trigger::Start => "start".to_owned(),
            Trigger::Deliver(message) => format!("deliver {}", self.message_name(message)),
            Trigger::Timer(index) => format!("timer {}", self.service.timers[index].ident),
            Trigger::Broken => "broken".to_owned(),
            Trigger::Call(call) => format!("downcall {}", self.call(call).name),
            Trigger::Query(call) => format!("query {}", self.call(call).name),
            Trigger::Upcall(slot, call) => format!("upcall {}.{}", self.layer(slot), self.call(call).name),
            Trigger::Answered(slot, call) => format!("answer {}.{}", self.layer(slot), self.call(call).name),
            Trigger::Aspect(variable) => format!("aspect {}", self.watched(variable).0),
        }
    }

    /// The name and type of what an aspect watches.
    pub(super) fn watched(&self, variable: Option<usize>) -> (Ident, TokenStream) {
        match variable.map(|index| &self.service.variables[index]) {
            Some(variable) => (variable.ident.clone(), variable.ty.to_token_stream()),
            None => (format_ident!("state"), quote!(State)),
        }
    }

    /// A call of an interface.
    pub(super) fn call(&self, at: CallRef) -> &'a Call {
        &self.spec.interfaces[at.interface].calls[at.call]
    }

    /// The path from the service's module to a type of an interface.
    pub(super) fn interface(&self, interface: usize, name: &str) -> TokenStream {
        let span = proc_macro2::Span::call_site();
        let (module, name) = (self.sources.names.interface_path(interface, span), format_ident!("{name}"));
        quote!(super::#module::#name)
    }

    /// The name of the lower layer at a slot.
    pub(super) fn layer(&self, slot: usize) -> &str {
        &self.service.layers[slot].name
    }

    /// The name of a message.
    pub(super) fn message_name(&self, message: crate::ir::MessageRef) -> String {
        let message = match message.shared {
            true => &self.spec.messages[message.index].1,
            false => &self.service.messages[message.index],
        };
        message.ident.to_string()
    }

    /// The module of the file that declares a message, if it is another one.
    pub(super) fn foreign(&self, message: crate::ir::MessageRef) -> Option<&str> {
        let file = message.shared.then(|| self.spec.messages[message.index].0)?;
        (file != self.service.file).then(|| self.spec.files[file].module.as_str())
    }

    /// The enum of a message.
    pub(super) fn message_type(&self, message: crate::ir::MessageRef) -> TokenStream {
        let names = self.sources.names;
        let span = proc_macro2::Span::call_site();
        crate::body::message_type(names, &names.services[self.index], message, span)
    }

    /// The path of the file that declares the service.
    pub(super) fn file(&self) -> &str {
        &self.spec.files[self.service.file].path
    }
}

/// The module of the service at `index`.
pub(super) fn module(spec: &Spec, index: usize, sources: Sources<'_>) -> TokenStream {
    let service = &spec.services[index];
    let shapes =
        service.routines.iter().map(|it| (it.function.sig.ident.to_string(), it.shape.clone())).collect();
    let generator = Generator { sources, spec, index, service, shapes, sites: RefCell::default() };
    let types = types(&generator);
    let parameters = parameters(&generator);
    let step = step::step(&generator);
    let handlers = step::handlers(&generator);
    let routines = service.routines.iter().map(|it| routine::routine(&generator, it));
    let routines: Vec<TokenStream> = routines.collect();
    let variables = variables(&generator);
    let accepts = step::accepts(&generator);
    let defaults = stack::defaults(&generator);
    let (wire, handle) = (wire::methods(&generator), handle::handle(&generator));
    let sendable = generic::method(&generator);
    let (answers, queries) = (query::answers(&generator), query::handlers(&generator));
    let claims = property::statics(spec, &service.properties, &service.objectives, sources);
    let liveness = property::liveness(spec, &service.liveness);
    let tables = tables::tables(&generator);
    let (ident, module) = (&service.ident, &service.module);
    let about = doc(&format!("The service `{ident}` (line {}).", service.line));
    quote! {
        #about
        pub mod #module {
            use super::*;

            #parameters
            #types
            #tables

            impl kernel::Service for #ident {
                type Variables = Variables;
                type Timer = Timer;

                fn info() -> &'static kernel::ServiceInfo {
                    &INFO
                }

                #variables
                #step
                #answers
                #accepts
                #sendable
                #wire
            }

            #handlers
            #queries

            impl #ident { #(#routines)* }

            #defaults

            #handle

            /// The variables of a node that runs this service.
            pub fn at<'v>(view: &kernel::View<'v>, node: impl ::foresee::support::Id) -> &'v Variables {
                ::foresee::support::variables::<#ident>(view, node)
            }

            /// The service of a node that runs it, for its parameters.
            pub fn service<'v>(view: &kernel::View<'v>, node: impl ::foresee::support::Id) -> &'v #ident {
                ::foresee::support::service::<#ident>(view, node)
            }

            #claims
            #liveness
        }
    }
}

/// The service's own type, with how to make one.
fn parameters(generator: &Generator<'_>) -> TokenStream {
    let service = generator.service;
    let ident = &service.ident;
    let docs_of_service = docs(&service.doc);
    let fields = service.parameters.iter().map(|it| {
        let (docs, ident, ty) = (docs(&it.doc), &it.ident, &it.ty);
        quote!(#docs pub #ident: #ty)
    });
    let required = service.parameters.iter().filter(|it| it.default.is_none()).map(|it| {
        let (ident, ty) = (&it.ident, &it.ty);
        quote!(#ident: #ty)
    });
    let values = service.parameters.iter().map(|it| {
        let ident = &it.ident;
        match &it.default {
            None => quote!(#ident),
            Some(default) => {
                let mut default = default.clone();
                generator.walker(Mode::Constant).visit_expr_mut(&mut default);
                quote!(#ident: #default)
            }
        }
    });
    let setters = service.parameters.iter().filter(|it| it.default.is_some()).map(|it| {
        let (ident, ty) = (&it.ident, &it.ty);
        let about = doc(&format!(
            "With another `{ident}` than the default, `{}`.",
            it.default_text.as_deref().unwrap_or("")
        ));
        quote! {
            #about
            pub fn #ident(mut self, #ident: #ty) -> Self {
                self.#ident = #ident;
                self
            }
        }
    });
    let consts = service.consts.iter().map(|it| {
        let (docs, ident, ty) = (docs(&it.doc), &it.ident, &it.ty);
        let mut value = it.value.clone();
        generator.walker(Mode::Constant).visit_expr_mut(&mut value);
        quote!(#docs pub const #ident: #ty = #value;)
    });
    quote! {
        #(#consts)*

        #docs_of_service
        #[derive(Clone, Debug)]
        pub struct #ident { #(#fields),* }

        impl #ident {
            /// The service with these parameters; the others have their defaults.
            pub fn new(#(#required),*) -> Self {
                #ident { #(#values),* }
            }

            #(#setters)*
        }
    }
}

/// Control states, variables, timers, messages, calls.
fn types(generator: &Generator<'_>) -> TokenStream {
    let (service, types) = (generator.service, &generator.sources.names.types);
    let state = (!service.states.is_empty()).then(|| {
        let derives = declare::derives(true);
        let states = service.states.iter().enumerate().map(|(at, it)| {
            let (docs, ident) = (docs(&it.doc), &it.ident);
            let default = (at == 0).then(|| quote!(#[default]));
            quote!(#docs #default #ident)
        });
        quote! {
            /// Control states.
            #derives
            #[derive(Default)]
            pub enum State { #(#states),* }
        }
    });
    let control = (!service.states.is_empty()).then(|| quote!(/** The control state. */ pub state: State,));
    let variables = service.variables.iter().map(|it| {
        let (docs, ident, ty) = (docs(&it.doc), &it.ident, &it.ty);
        quote!(#docs pub #ident: #ty)
    });
    let timers = service.timers.iter().map(|it| {
        let (docs, ident) = (docs(&it.doc), &it.ident);
        let params = it.params.iter().map(|it| &it.ty);
        if it.params.is_empty() { quote!(#docs #ident) } else { quote!(#docs #ident(#(#params),*)) }
    });
    let messages = (!service.messages.is_empty()).then(|| {
        declare::messages(
            &format_ident!("Message"),
            &service.messages,
            "The messages of this service.",
            types,
        )
    });
    let (of_variables, of_timers) = (declare::derives(false), declare::derives(false));
    quote! {
        #state

        /// Control state and variables.
        #of_variables
        pub struct Variables { #control #(#variables),* }

        /// Timers with their arguments.
        #of_timers
        pub enum Timer { #(#timers),* }

        #messages
    }
}

/// How variables start, survive, and are shown.
fn variables(generator: &Generator<'_>) -> TokenStream {
    let service = generator.service;
    let first = service.states.first().map(|it| {
        let ident = &it.ident;
        quote!(state: State::#ident,)
    });
    let initial = service.variables.iter().map(|it| {
        let ident = &it.ident;
        match &it.initial {
            Some(initial) => {
                let mut initial = initial.clone();
                generator.walker(Mode::Initial).visit_expr_mut(&mut initial);
                quote!(#ident: #initial)
            }
            None => {
                use syn::spanned::Spanned;
                let default = quote::quote_spanned!(it.ty.span()=> ::std::default::Default::default());
                quote!(#ident: #default)
            }
        }
    });
    let initial = quote!(Variables { #first #(#initial),* });
    let me = used(&initial, "me");
    let kept = service.variables.iter().filter(|it| it.durable || it.ghost).map(|it| {
        let ident = &it.ident;
        quote!(#ident: before.#ident.clone())
    });
    let kept: Vec<TokenStream> = kept.collect();
    let whole = kept.len() == service.variables.len() && service.states.is_empty();
    let recovered = match (kept.is_empty(), whole) {
        (true, false) => quote!(let _ = before; self.init(me)),
        (true, true) => quote!(let _ = (me, before); Variables {}),
        (false, true) => quote!(let _ = me; Variables { #(#kept),* }),
        (false, false) => quote!(Variables { #(#kept,)* ..self.init(me) }),
    };
    let ghosts = service.variables.iter().filter(|it| it.ghost).map(|it| {
        let ident = &it.ident;
        quote!(this.#ident = fresh.#ident;)
    });
    let ghosts: Vec<TokenStream> = ghosts.collect();
    let forgotten = (!ghosts.is_empty()).then(|| {
        quote! {
            fn forget_ghosts(&self, me: NodeId, this: &mut Variables) {
                let fresh = self.init(me);
                #(#ghosts)*
            }
        }
    });
    let control = match service.states.is_empty() {
        true => quote!(let _ = this; ""),
        false => quote!(INFO.states[this.state as usize]),
    };
    let shown = (!service.states.is_empty()).then(|| format_ident!("state")).into_iter();
    let shown = shown.chain(service.variables.iter().map(|it| it.ident.clone())).map(|ident| {
        let name = ident.to_string();
        let name = name.trim_start_matches("r#");
        quote!((#name, format!("{:?}", this.#ident)))
    });
    let shown = quote!(vec![#(#shown),*]);
    let this = used(&shown, "this");
    quote! {
        fn init(&self, #me: NodeId) -> Variables {
            #initial
        }

        fn recover(&self, me: NodeId, before: &Variables) -> Variables {
            #recovered
        }

        #forgotten

        fn control(this: &Variables) -> &'static str {
            #control
        }

        fn fields(#this: &Variables) -> Vec<(&'static str, String)> {
            #shown
        }
    }
}
