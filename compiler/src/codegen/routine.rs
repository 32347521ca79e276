//! Routines: functions that borrow the variables they name, one by one.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::visit_mut::VisitMut;

use super::service::Generator;
use super::{doc, query};
use crate::body::{Borrow, Facts, Mode, borrowed};
use crate::ir::Routine;

pub(super) fn routine(generator: &Generator<'_>, routine: &Routine) -> TokenStream {
    let (function, shape) = (&routine.function, &routine.shape);
    let name = &function.sig.ident;
    let patterns = function.sig.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(typed) => Some(&*typed.pat),
        syn::FnArg::Receiver(_) => None,
    });
    let mut block = (*function.block).clone();
    let mut walker = generator
        .walker(Mode::Routine(shape.window()))
        .owned_by(&name.to_string(), generator.sites())
        .with_arguments(patterns);
    walker.visit_block_mut(&mut block);
    let noted = rewrites(&walker.facts);
    let statements = &block.stmts;
    let block = quote!({ #noted #(#statements)* });
    generator.add_sites(walker.facts.sites);
    let window = query::window(shape.window());
    let inputs = function.sig.inputs.iter();
    let variables = shape.borrows.iter().map(|(variable, borrow)| {
        let ty = variable_type(generator, variable);
        let name = borrowed(&format_ident!("{variable}"));
        match borrow {
            Borrow::Shared => quote!(#name: &#ty),
            Borrow::Mutable => quote!(#name: &mut #ty),
        }
    });
    let arguments = window.into_iter().chain(inputs.map(|it| quote!(#it))).chain(variables);
    let (output, attrs) = (&function.sig.output, &function.attrs);
    let about = doc(&format!("`{}:{}`", generator.file(), routine.line));
    quote! {
        #about
        #(#attrs)*
        pub fn #name(&self #(, #arguments)*) #output #block
    }
}

/// Tells the step of the durable variables that a body may change as a whole.
pub(super) fn rewrites(facts: &Facts) -> TokenStream {
    let names = facts.rewrites.iter();
    quote!(#(ctx.touch_all(#names);)*)
}

fn variable_type(generator: &Generator<'_>, variable: &str) -> TokenStream {
    if variable == "state" && !generator.service.states.is_empty() {
        return quote!(State);
    }
    let declared = generator.service.variables.iter().find(|it| it.ident == variable);
    match declared {
        Some(declared) => {
            let ty = &declared.ty;
            quote!(#ty)
        }
        None => {
            let unknown = format_ident!("{variable}");
            quote!(#unknown)
        }
    }
}
