//! Systems as functions that build a model, and the table of the whole spec.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{Sources, doc, docs, plan, property, qualified, stack};
use crate::ir::{Group, Link, Parameter, Scale, Spec, System};

fn build(system: &System) -> Ident {
    format_ident!("build_{}", crate::lower::snake(&system.ident.to_string()))
}

/// The module of what a system claims and weighs.
pub(super) fn claims(system: &System) -> Ident {
    format_ident!("system_{}", crate::lower::snake(&system.ident.to_string()))
}

/// The function that builds a system, and its claims.
pub(super) fn system(spec: &Spec, system: &System, sources: Sources<'_>) -> TokenStream {
    let (name, function) = (system.ident.to_string(), build(system));
    let claims = claims(system);
    let parameters = system.parameters.iter().map(|it| {
        let (ident, ty, text) = (&it.ident, &it.ty, it.ident.to_string());
        let default = default(it, sources);
        // Properties may be all that names it.
        quote!(let #ident: #ty = this_arguments.get(#text, #default)?; let _ = &#ident;)
    });
    let groups = system.groups.iter().map(|it| {
        let (ident, text) = (&it.ident, it.ident.to_string());
        let size = it.size.as_ref().map_or_else(|| quote!(None), |size| quote!(Some(#size)));
        quote!(let #ident = this_model.group(#text, #size)?;)
    });
    // What claims look at later must be there.
    let named = system.named.iter().map(|(group, index)| {
        let index = proc_macro2::Literal::u64_unsuffixed(*index);
        quote!(let _ = #group[#index];)
    });
    let places = system.groups.iter().map(|it| place(spec, it));
    let links = system.links.iter().map(link);
    let taking_part = |index: &usize| system.places.iter().any(|it| it.service == *index);
    let properties =
        (0..spec.services.len()).filter(taking_part).map(|index| qualified::added(spec, system, index));
    let liveness = (!system.liveness.is_empty()).then(|| quote!(this_model.liveness(&#claims::LIVENESS);));
    let scales = system.scales.iter().map(|(name, it)| scale(name, it));
    let plan = plan::plan(spec, system);
    let horizon = system.horizon.iter().map(|it| quote!(this_model.horizon(#it);));
    let bounds = bounds(system);
    let (own, docs) = (property::module(spec, &claims, system, sources), docs(&system.doc));
    let about = doc(&format!("Builds the system `{name}` (line {}).", system.line));
    quote! {
        #own

        #[allow(unused_variables)]
        #about
        #docs
        pub fn #function(this_arguments: &kernel::Arguments) -> Result<kernel::Model, kernel::ArgumentError> {
            ::foresee::support::build(#name, || {
                let mut this_model = kernel::model::ModelBuilder::new(&SPEC, #name, this_arguments)?;
                #(#parameters)*
                #(#groups)*
                #(#named)*
                #(#places)*
                #(#links)*
                #(#properties)*
                this_model.properties(&#claims::PROPERTIES);
                #liveness
                this_model.objectives(&#claims::OBJECTIVES);
                #(#scales)*
                #(#horizon)*
                #plan
                #bounds
                Ok(this_model.finish())
            })
        }
    }
}

fn default(parameter: &Parameter, sources: Sources<'_>) -> TokenStream {
    match &parameter.default {
        None => quote!(None),
        Some(default) => {
            let value = crate::lower::constant(sources.names, sources.places, default);
            quote!(Some(#value))
        }
    }
}

fn place(spec: &Spec, group: &Group) -> TokenStream {
    let (name, made) = (&group.ident, stack::placed(spec, &group.stack));
    let me = super::used(&made, "me");
    let generic = group.generic.then(|| quote!(this_model.generic(&#name);));
    quote!(this_model.place(&#name, |#me| #made); #generic)
}

fn link(link: &Link) -> TokenStream {
    let name = &link.carrier;
    let delay = link.delay.iter().map(|it| quote!(this_carrier.delay = kernel::#it;));
    let loss = link.loss.iter().map(|it| quote!(this_carrier.loss = #it;));
    let duplicates = link.duplicates.iter().map(|it| {
        let p = it.clone().unwrap_or_else(|| quote!(kernel::Carrier::DUPLICATES_DEFAULT));
        quote!(this_carrier.duplicates = Some(#p);)
    });
    let reorders = link.reorders.then(|| quote!(this_carrier.reorders = true;));
    let overtakes = link.overtakes.iter().map(|it| quote!(this_carrier.overtakes = Some(#it);));
    let bandwidth = link.bandwidth.iter().map(|it| quote!(this_carrier.bandwidth = Some(#it);));
    quote! {
        this_model.network(#name, |this_carrier| {
            #(#delay)* #(#loss)* #(#duplicates)* #reorders #(#overtakes)* #(#bandwidth)*
        });
    }
}

fn bounds(system: &System) -> TokenStream {
    let bounds = &system.bounds;
    let limits = [
        ("depth", &bounds.depth),
        ("messages", &bounds.messages),
        ("drops", &bounds.drops),
        ("duplicates", &bounds.duplicates),
        ("calls", &bounds.calls),
    ];
    let limits = limits.into_iter().filter_map(|(name, value)| {
        let (name, value) = (format_ident!("{name}"), value.as_ref()?);
        Some(quote!(this_model.bounds().#name = Some(#value);))
    });
    let within = bounds.within.iter().map(|it| {
        let view = super::used(it, "view");
        quote!(this_model.bounds().within.push(|#view| #it);)
    });
    let faults = bounds.faults.iter().map(plan::budget);
    let timed = bounds.timed.then(|| quote!(this_model.bounds().timed = true;));
    let retain = bounds.retain_ignored.then(|| quote!(this_model.bounds().retain_ignored = true;));
    quote!(#(#limits)* #(#within)* #(#faults)* #timed #retain)
}

fn scale(name: &str, scale: &Scale) -> TokenStream {
    let weight = scale.weight.iter().map(|it| quote!(it.weight = #it;));
    let level = scale.level.iter().map(|it| quote!(it.level = #it;));
    let discount = scale.discount.iter().map(|it| quote!(it.discount = #it;));
    let horizon = scale.horizon.iter().map(|it| quote!(it.horizon = Some(#it);));
    quote!(this_model.rescale(#name, |it| { #(#weight)* #(#level)* #(#discount)* #(#horizon)* });)
}

/// `SPEC`
pub(super) fn table(spec: &Spec, sources: Sources<'_>) -> TokenStream {
    let _ = sources;
    let (name, hash) = (&spec.name, spec.hash);
    let services = spec.services.iter().map(|it| &it.path);
    let systems = spec.systems.iter().map(|system| {
        let (name, line, function) = (system.ident.to_string(), system.line, build(system));
        let parameters = system.parameters.iter().map(|it| {
            let (name, ty) = (it.ident.to_string(), crate::lower::one_line(&it.ty_text));
            let default = match &it.default_text {
                Some(text) => quote!(Some(#text)),
                None => quote!(None),
            };
            quote!(kernel::ParameterInfo { name: #name, ty: #ty, default: #default })
        });
        let ordered = super::tables::ordered(&system.ordered);
        quote! {
            kernel::SystemInfo {
                name: #name,
                line: #line,
                parameters: &[#(#parameters),*],
                order_of_ids: #ordered,
                build: #function,
            }
        }
    });
    let shown = spec.systems.iter().enumerate().map(|(index, system)| {
        let about = doc(&format!("The system `{}` (line {}).", system.ident, system.line));
        let ident = &system.ident;
        quote!(#about pub static #ident: &kernel::SystemInfo = &SPEC.systems[#index];)
    });
    let taken = spec.services.iter().any(|it| it.module == "systems")
        || spec.interfaces.iter().any(|it| it.module == "systems");
    let shown = (!taken && !spec.systems.is_empty()).then(|| {
        quote! {
            /// The systems of the specification, to be built or simulated.
            #[allow(non_upper_case_globals)]
            pub mod systems {
                use super::{SPEC, kernel};
                #(#shown)*
            }
        }
    });
    quote! {
        #shown

        /// The specification: what every driver starts from.
        pub static SPEC: kernel::SpecInfo = kernel::SpecInfo {
            name: #name,
            file: FILE,
            hash: #hash,
            services: &[#(&#services::INFO),*],
            systems: &[#(#systems),*],
            scenarios: &SCENARIOS,
        };
    }
}
