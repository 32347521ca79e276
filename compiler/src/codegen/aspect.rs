//! Aspects: after a layer was told something, those of every variable that changed run, until nothing changes any more.
//!
//! Each change is an event of its own, in the order in which they came about; the step's limit counts them.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::service::Generator;
use super::step;
use crate::ir::{Handler, Trigger};

/// What aspects watch: the control state first, then variables in file order.
fn watched(triggers: &[Trigger]) -> Vec<Option<usize>> {
    let mut watched: Vec<Option<usize>> = triggers
        .iter()
        .filter_map(|it| match it {
            Trigger::Aspect(variable) => Some(*variable),
            _ => None,
        })
        .collect();
    watched.sort();
    watched
}

/// The handling of an event, with the aspects of what it changes behind it.
pub(super) fn around(generator: &Generator<'_>, triggers: &[Trigger], handle: TokenStream) -> TokenStream {
    let watched = watched(triggers);
    if watched.is_empty() {
        return handle;
    }
    let values = watched.iter().map(|it| generator.watched(*it).0);
    quote! {
        let before = (#(this.#values.clone(),)*);
        let handle = |this: &mut Variables| #handle;
        handle(this);
        self.aspects(this, ctx, before)
    }
}

/// The function that tells aspects of changes.
pub(super) fn drain(generator: &Generator<'_>, triggers: &[Trigger]) -> Option<TokenStream> {
    let watched = watched(triggers);
    if watched.is_empty() {
        return None;
    }
    let (names, types): (Vec<Ident>, Vec<TokenStream>) =
        watched.iter().map(|it| generator.watched(*it)).unzip();
    let compare = names.iter().enumerate().map(|(at, name)| {
        let at = Literal::usize_unsuffixed(at);
        quote! {
            if this.#name != before.#at {
                changes.push_back(Changed::#name(::std::mem::replace(&mut before.#at, this.#name.clone())));
            }
        }
    });
    let takes = watched.iter().map(|it| step::take(generator, Trigger::Aspect(*it)));
    Some(quote! {
        /// Tells the aspects what changed since `before`, until nothing does.
        fn aspects(&self, this: &mut Variables, ctx: &kernel::Ctx<'_, Timer>, mut before: (#(#types,)*)) {
            enum Changed<#(#names),*> { #(#names(#names)),* }
            let mut changes = VecDeque::new();
            loop {
                #(#compare)*
                let Some(changed) = changes.pop_front() else { return };
                ctx.changed();
                match changed { #(Changed::#names(old) => self.#takes(this, ctx, &old)),* }
            }
        }
    })
}

/// Runs one of the aspects of a variable, if it applies.
pub(super) fn run(generator: &Generator<'_>, (index, handler): &(usize, &Handler)) -> TokenStream {
    let alternative = step::alternative(*index, handler);
    let bindings = step::binding(&[(*index, handler)]);
    let site =
        Literal::usize_unsuffixed(generator.site(&handler.name, handler.line, !handler.chooses.is_empty()));
    let arm = step::arm_of(generator, 0, handler, &step::counted(handler).0);
    let run = quote! {
        match ctx.which(&SITES[#site], &[#alternative], #bindings) {
            #arm,
            _ => {}
        }
    };
    // A `return` in a body that stands here in full must not keep the next aspect from running.
    if step::is_function(handler) { run } else { quote!((|| #run)();) }
}
