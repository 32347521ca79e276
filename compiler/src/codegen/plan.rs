//! What is done to a system and what is claimed of its runs, as statements that add it to the model.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::property;
use crate::ir::{
    Claim, Fault, FaultBudget, FaultKind, FaultTarget, Figure, Quantity, Spec, Statistical, System, Timing,
    Work,
};

/// Faults, calls and statistical properties.
pub(super) fn plan(spec: &Spec, system: &System) -> TokenStream {
    let faults = system.faults.iter().map(fault);
    let workload = system.workload.iter().map(work);
    let statistics = system.statistics.iter().map(|it| statistical(spec, it));
    quote!(#(#faults)* #(#workload)* #(#statistics)*)
}

fn fault(fault: &Fault) -> TokenStream {
    let (text, line, kind, most) = (&fault.text, fault.line, kind(fault.kind), optional(&fault.most));
    let target = match &fault.target {
        FaultTarget::OneOf(nodes) => quote!(OneOf(#nodes)),
        FaultTarget::AllOf(nodes) => {
            let view = super::used(nodes, "view");
            quote!(AllOf(|#view| #nodes))
        }
    };
    let (timing, chance) = (timing(&fault.timing), optional(&fault.chance));
    let back = optional(&fault.back.as_ref().map(|(first, last)| quote!((#first, #last))));
    quote! {
        this_model.fault(kernel::FaultPlan {
            text: #text,
            line: #line,
            kind: #kind,
            target: kernel::FaultTarget::#target,
            most: #most,
            timing: #timing,
            chance: #chance,
            back: #back,
        });
    }
}

fn work(work: &Work) -> TokenStream {
    let (text, line, most, timing) = (&work.text, work.line, optional(&work.most), timing(&work.timing));
    let (after_restart, ways) = (work.after_restart, ways(work));
    let calls = work.each.around(quote! {
        let mut this_ways = Vec::new();
        #ways
        this_model.call(kernel::Call {
            text: #text,
            line: #line,
            most: #most,
            timing: #timing,
            after_restart: #after_restart,
            ways: this_ways,
        });
    });
    match work.each.heads.is_empty() {
        true => quote!({ #calls }),
        false => calls,
    }
}

/// Every outcome of what nature draws is a way.
fn ways(work: &Work) -> TokenStream {
    let Work { node, module, variant, fields, .. } = work;
    let weights: Vec<Ident> =
        (0..work.draws.len()).map(|place| format_ident!("this_weight_{place}")).collect();
    let names: Vec<Ident> = (0..fields.len()).map(|place| format_ident!("this_value_{place}")).collect();
    let values = fields.iter().map(|(_, value)| value);
    let given = fields
        .iter()
        .zip(&names)
        .map(|((field, _), name)| quote!(#field: ::std::clone::Clone::clone(&#name)));
    let (number, reply) = match work.request {
        true => {
            let reply = quote!(kernel::Reply::new(this_node, kernel::Reply::<()>::APPLICATION, this_number));
            (format_ident!("this_number"), quote!(reply: #reply))
        }
        false => (format_ident!("_this_number"), TokenStream::new()),
    };
    let way = quote! {
        let this_node: NodeId = #node;
        #(let #names = #values;)*
        this_ways.push(kernel::Way {
            node: this_node,
            layer: 0,
            probability: 1.0 #(* #weights)*,
            call: ::std::sync::Arc::new(move |#number| {
                kernel::Datum::new(#module::Downcall::#variant { #(#given,)* #reply })
            }),
        });
    };
    work.draws.iter().zip(&weights).rev().fold(way, |way, ((name, distribution), weight)| {
        quote!(for (#name, #weight) in #distribution.into_outcomes() { #way })
    })
}

fn kind(kind: FaultKind) -> TokenStream {
    let kind = match kind {
        FaultKind::Crash => format_ident!("Crash"),
        FaultKind::Reset => format_ident!("Reset"),
        FaultKind::Partition => format_ident!("Partition"),
        FaultKind::Cut => format_ident!("Cut"),
    };
    quote!(kernel::FaultKind::#kind)
}

fn timing(timing: &Timing) -> TokenStream {
    let rate = optional(&timing.rate);
    let within = optional(&timing.within.as_ref().map(|(first, last)| quote!((#first, #last))));
    quote!(kernel::Timing { rate: #rate, within: #within })
}

fn optional(value: &Option<TokenStream>) -> TokenStream {
    value.as_ref().map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

/// A bound of a check on faults.
pub(super) fn budget(budget: &FaultBudget) -> TokenStream {
    let (kind, nodes, most) = (kind(budget.kind), &budget.nodes, &budget.most);
    quote! {
        let this_nodes = #nodes;
        this_model.bounds().faults.push(kernel::FaultBudget { kind: #kind, nodes: this_nodes, most: #most });
    }
}

fn statistical(spec: &Spec, property: &Statistical) -> TokenStream {
    let figure = match &property.figure {
        Figure::Probability { event, within, given } => {
            let (event, within) = (property::predicate(spec, event), optional(within));
            let given = optional(&given.as_ref().map(|it| property::predicate(spec, it)));
            quote!(Probability { event: #event, within: #within, given: #given })
        }
        Figure::Expected(value) => {
            let value = quantity(value);
            quote!(Expected(#value))
        }
    };
    let claim = match &property.claim {
        Claim::AtLeast(bound) => quote!(AtLeast(#bound)),
        Claim::Above(bound) => quote!(Above(#bound)),
        Claim::AtMost(bound) => quote!(AtMost(#bound)),
        Claim::Below(bound) => quote!(Below(#bound)),
        Claim::Finite => quote!(Finite),
    };
    let (name, line, text) = (&property.name, property.line, &property.text);
    quote! {
        this_model.statistical(kernel::Statistical {
            name: #name,
            file: FILE,
            line: #line,
            text: #text,
            figure: kernel::Figure::#figure,
            claim: kernel::Claim::#claim,
        });
    }
}

fn quantity(quantity: &Quantity) -> TokenStream {
    let value = match quantity {
        Quantity::Number(number) => quote!(Number(#number)),
        Quantity::Objective(name) => quote!(Objective(#name)),
        Quantity::Total => quote!(Total),
        Quantity::Calls(name) => quote!(Calls(#name)),
        Quantity::State(value) => {
            let view = super::used(value, "view");
            quote!(State(|#view| #value))
        }
        Quantity::Both(how, left, right) => {
            let (how, left, right) = (format_ident!("{how}"), self::quantity(left), self::quantity(right));
            quote!(#how(Box::new(#left), Box::new(#right)))
        }
    };
    quote!(kernel::Quantity::#value)
}
