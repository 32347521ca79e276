//! Properties and objectives as tables of small functions over a view.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Sources, doc};
use crate::ir::{Objective, Property, PropertyKind, Reads, Spec, Term};

/// The statics `PROPERTIES` and `OBJECTIVES`.
pub(super) fn statics(
    spec: &Spec,
    properties: &[Property],
    objectives: &[Objective],
    sources: Sources<'_>,
) -> TokenStream {
    let _ = sources;
    let (count, listed) = (properties.len(), properties.iter().map(|it| property(spec, it)));
    let (amount, weighed) = (objectives.len(), objectives.iter().map(objective));
    quote! {
        /// What is claimed.
        #[allow(unused_variables)]
        pub static PROPERTIES: [kernel::Property; #count] = [#(#listed),*];

        /// What is to be made small or large.
        #[allow(unused_variables)]
        pub static OBJECTIVES: [kernel::Objective; #amount] = [#(#weighed),*];
    }
}

fn property(spec: &Spec, property: &Property) -> TokenStream {
    let kind = match property.kind {
        PropertyKind::Safety => format_ident!("Safety"),
        PropertyKind::Local => format_ident!("Local"),
        PropertyKind::Reachable => format_ident!("Reachable"),
    };
    let (name, line, reads) = (&property.name, property.line, reads(spec, &property.reads));
    let holds = function("view", &property.holds);
    quote! {
        kernel::Property {
            name: #name,
            kind: kernel::PropertyKind::#kind,
            file: FILE,
            line: #line,
            holds: #holds,
            reads: &[#(#reads),*],
        }
    }
}

/// A closure of one argument, which it may not need.
fn function(argument: &str, body: &TokenStream) -> TokenStream {
    let argument = super::used(body, argument);
    quote!(|#argument| #body)
}

fn reads(spec: &Spec, reads: &Reads) -> Vec<TokenStream> {
    let read = reads.iter().map(|(service, variables)| {
        let service = &spec.services[*service];
        let (module, ident) = (&service.module, &service.ident);
        let variables = variables.iter().map(|it| format_ident!("{it}"));
        quote! {
            kernel::Read {
                service: || ::std::any::TypeId::of::<#module::#ident>(),
                digest: |variables, digest| {
                    if let Some(variables) = variables.downcast_ref::<#module::Variables>() {
                        #(::std::hash::Hash::hash(&variables.#variables, digest);)*
                    }
                },
            }
        }
    });
    read.collect()
}

fn objective(objective: &Objective) -> TokenStream {
    let sense = if objective.maximize { format_ident!("Maximize") } else { format_ident!("Minimize") };
    let terms = objective.terms.iter().map(|term| match term {
        Term::PerMessage { amount, kinds } => {
            quote!(kernel::Term::PerMessage { amount: #amount, kinds: &[#(#kinds),*] })
        }
        Term::PerByte { amount, kinds } => {
            quote!(kernel::Term::PerByte { amount: #amount, kinds: &[#(#kinds),*] })
        }
        Term::PerSecond { over, rate, local } => {
            let over = function("view", over);
            let view = super::used(rate, "view");
            quote!(kernel::Term::PerSecond { over: #over, rate: |#view, node| #rate, local: #local })
        }
        Term::AtHorizon { value } => {
            let value = function("view", value);
            quote!(kernel::Term::AtHorizon { value: #value })
        }
    });
    let (name, weight, level, line) = (&objective.name, objective.weight, objective.level, objective.line);
    quote! {
        kernel::Objective {
            name: #name,
            sense: kernel::Sense::#sense,
            weight: #weight,
            level: #level,
            line: #line,
            terms: &[#(#terms),*],
        }
    }
}

/// A module with the claims of a system.
pub(super) fn module(
    spec: &Spec,
    name: &proc_macro2::Ident,
    system: &crate::ir::System,
    sources: Sources<'_>,
) -> TokenStream {
    let claims = statics(spec, &system.properties, &system.objectives, sources);
    let about = doc(&format!("What the system `{}` claims and weighs.", system.ident));
    quote! {
        #about
        pub mod #name {
            use super::*;

            #claims
        }
    }
}
