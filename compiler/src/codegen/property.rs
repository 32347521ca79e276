//! Properties and objectives as tables of small functions over a view.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Sources, doc};
use crate::ir::{
    Amount, Growth, Liveness, Objective, Predicate, Property, PropertyKind, Reads, Spec, Temporal, Term,
};

/// The statics `PROPERTIES` and `OBJECTIVES`.
pub(super) fn statics(
    spec: &Spec,
    properties: &[Property],
    objectives: &[Objective],
    sources: Sources<'_>,
) -> TokenStream {
    let _ = sources;
    let (count, listed) = (properties.len(), properties.iter().map(|it| property(spec, it)));
    let (amount, weighed) = (objectives.len(), objectives.iter().map(|it| objective(spec, it)));
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
    let (reads_up, alone, ghosts) = (property.reads_up, property.alone, property.ghosts);
    let holds = function("view", &property.holds);
    let why = function("view", &property.why);
    quote! {
        kernel::Property {
            name: #name,
            kind: kernel::PropertyKind::#kind,
            file: FILE,
            line: #line,
            holds: #holds,
            why: #why,
            reads: &[#(#reads),*],
            reads_up: #reads_up,
            alone: #alone,
            ghosts: #ghosts,
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
        let (module, ident) = (&service.path, &service.ident);
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

/// The static `LIVENESS`, where there is anything to list in it.
pub(super) fn liveness(spec: &Spec, claims: &[Liveness]) -> TokenStream {
    if claims.is_empty() {
        return TokenStream::new();
    }
    let (count, listed) = (claims.len(), claims.iter().map(|it| liveness_property(spec, it)));
    quote! {
        /// What is claimed of runs that go on for ever.
        #[allow(unused_variables)]
        pub static LIVENESS: [kernel::Liveness; #count] = [#(#listed),*];
    }
}

fn liveness_property(spec: &Spec, property: &Liveness) -> TokenStream {
    let claim = match &property.claim {
        Temporal::Eventually(it) => {
            let it = predicate(spec, it);
            quote!(Eventually(#it))
        }
        Temporal::AlwaysEventually(it) => {
            let it = predicate(spec, it);
            quote!(AlwaysEventually(#it))
        }
        Temporal::EventuallyAlways(it) => {
            let it = predicate(spec, it);
            quote!(EventuallyAlways(#it))
        }
        Temporal::LeadsTo(first, then) => {
            let (first, then) = (predicate(spec, first), predicate(spec, then));
            quote!(LeadsTo(#first, #then))
        }
    };
    let (name, line, instances) = (&property.name, property.line, function("view", &property.instances));
    quote! {
        kernel::Liveness {
            name: #name,
            file: FILE,
            line: #line,
            instances: #instances,
            claim: kernel::Temporal::#claim,
        }
    }
}

/// A predicate about some nodes.
pub(super) fn predicate(spec: &Spec, predicate: &Predicate) -> TokenStream {
    let (holds, reads_up) = (&predicate.holds, predicate.reads_up);
    let reads = reads(spec, &predicate.reads);
    let named =
        predicate.nodes.iter().enumerate().filter(|(_, name)| super::mentions(holds, &name.to_string()));
    let bound = named.map(|(place, name)| quote!(let #name = this_nodes[#place];));
    let body = quote!({ #(#bound)* #holds });
    let (view, nodes) = (super::used(&body, "view"), super::used(&body, "this_nodes"));
    quote! {
        kernel::Predicate { holds: |#view, #nodes| #body, reads: &[#(#reads),*], reads_up: #reads_up }
    }
}

fn objective(spec: &Spec, objective: &Objective) -> TokenStream {
    let sense = if objective.maximize { format_ident!("Maximize") } else { format_ident!("Minimize") };
    let terms = objective.terms.iter().map(|it| term(spec, it));
    let (name, line, scale) = (&objective.name, objective.line, &objective.scale);
    let given = |value: &Option<TokenStream>, otherwise: TokenStream| value.clone().unwrap_or(otherwise);
    let (weight, level) = (given(&scale.weight, quote!(1.0)), given(&scale.level, quote!(1)));
    let discount = given(&scale.discount, quote!(1.0));
    let horizon = scale.horizon.as_ref().map_or_else(|| quote!(None), |it| quote!(Some(#it)));
    quote! {
        kernel::Objective {
            name: #name,
            sense: kernel::Sense::#sense,
            weight: #weight,
            level: #level,
            discount: #discount,
            horizon: #horizon,
            line: #line,
            terms: &[#(#terms),*],
        }
    }
}

fn term(spec: &Spec, term: &Term) -> TokenStream {
    match term {
        Term::PerMessage { amount, kinds } => {
            let amount = self::amount(amount);
            quote!(kernel::Term::PerMessage { amount: #amount, kinds: &[#(#kinds),*] })
        }
        Term::PerByte { amount, kinds } => {
            let amount = self::amount(amount);
            quote!(kernel::Term::PerByte { amount: #amount, kinds: &[#(#kinds),*] })
        }
        Term::PerCall { amount, up, calls } => {
            let amount = self::amount(amount);
            let direction = if *up { format_ident!("Up") } else { format_ident!("Down") };
            let calls = calls.iter().map(|(index, name)| {
                let service = service_type(spec, *index);
                quote!((#service, #name))
            });
            quote! {
                kernel::Term::PerCall {
                    amount: #amount,
                    direction: kernel::Direction::#direction,
                    calls: &[#(#calls),*],
                }
            }
        }
        Term::PerHandler { amount, handlers } => {
            let amount = self::amount(amount);
            let handlers = handlers.iter().filter_map(|(index, name)| {
                let place = spec.services[*index].handlers.iter().position(|it| it.name == *name)? as u16;
                let service = service_type(spec, *index);
                Some(quote!((#service, #place)))
            });
            quote!(kernel::Term::PerHandler { amount: #amount, handlers: &[#(#handlers),*] })
        }
        Term::PerSecond { over, rate, local } => {
            let over = function("view", over);
            let view = super::used(rate, "view");
            quote!(kernel::Term::PerSecond { over: #over, rate: |#view, node| #rate, local: #local })
        }
        Term::Growing { over, rates, growth, local } => {
            let over = function("view", over);
            let view = super::used(rates, "view");
            let growth = match growth {
                Growth::Power(by) => {
                    let by = function("view", by);
                    quote!(Power(#by))
                }
                Growth::Factor(by) => {
                    let by = function("view", by);
                    quote!(Factor(#by))
                }
            };
            quote! {
                kernel::Term::Growing {
                    over: #over,
                    rates: |#view, node| #rates,
                    growth: kernel::Growth::#growth,
                    local: #local,
                }
            }
        }
        Term::AtHorizon { value } => {
            let value = function("view", value);
            quote!(kernel::Term::AtHorizon { value: #value })
        }
    }
}

fn amount(amount: &Amount) -> TokenStream {
    match amount {
        Amount::Number(number) => quote!(kernel::Amount::Number(#number)),
        Amount::AtNode(tokens) => {
            let (view, me) = (super::used(tokens, "view"), super::used(tokens, "me"));
            quote!(kernel::Amount::AtNode(|#view, #me| #tokens))
        }
    }
}

fn service_type(spec: &Spec, service: usize) -> TokenStream {
    let (module, ident) = (&spec.services[service].path, &spec.services[service].ident);
    quote!(|| ::std::any::TypeId::of::<#module::#ident>())
}

/// A module with the claims of a system.
pub(super) fn module(
    spec: &Spec,
    name: &proc_macro2::Ident,
    system: &crate::ir::System,
    sources: Sources<'_>,
) -> TokenStream {
    let claims = statics(spec, &system.properties, &system.objectives, sources);
    let liveness = liveness(spec, &system.liveness);
    let renamed = super::qualified::statics(spec, system);
    let about = doc(&format!("What the system `{}` claims and weighs.", system.ident));
    quote! {
        #about
        pub mod #name {
            use super::*;

            #claims
            #liveness
            #renamed
        }
    }
}
