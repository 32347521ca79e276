//! Heads of handlers: the states, patterns, guards and choices that decide whether and how often a handler applies.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Pat;
use syn::visit_mut::VisitMut;

use super::service::Generator;
use crate::body::{Mode, bindings};
use crate::ir::{Handler, Message, Trigger};

/// An argument of an event within its functions.
pub(super) struct Argument {
    /// Its name.
    pub name: Ident,
    /// Its type, a reference.
    pub ty: TokenStream,
}

/// The arguments of an event, in the order of its patterns.
pub(super) fn arguments(generator: &Generator<'_>, trigger: Trigger) -> Vec<Argument> {
    let of = |message: &Message| {
        let field = |field: &crate::ir::Field| {
            let ty = &field.ty;
            Argument { name: field.ident.clone(), ty: quote!(&#ty) }
        };
        message.fields.iter().map(field).collect()
    };
    match trigger {
        Trigger::Start => Vec::new(),
        Trigger::Deliver(message) => {
            let ty = generator.message_type(message);
            let src = Argument { name: format_ident!("src"), ty: quote!(&NodeId) };
            vec![src, Argument { name: format_ident!("message"), ty: quote!(&#ty) }]
        }
        Trigger::Broken => vec![Argument { name: format_ident!("peer"), ty: quote!(&NodeId) }],
        Trigger::Timer(index) => {
            let params = &generator.service.timers[index].params;
            let argument = |field: &crate::ir::Field| {
                let ty = &field.ty;
                Argument { name: field.ident.clone(), ty: quote!(&#ty) }
            };
            params.iter().map(argument).collect()
        }
        Trigger::Call(call) | Trigger::Query(call) | Trigger::Upcall(_, call) => {
            of(&generator.call(call).message)
        }
        Trigger::Answered(_, call) => {
            let ty = &generator.call(call).answer;
            let reply = Argument { name: format_ident!("reply"), ty: quote!(&Reply<#ty>) };
            vec![reply, Argument { name: format_ident!("value"), ty: quote!(&#ty) }]
        }
        Trigger::Aspect(variable) => {
            let ty = generator.watched(variable).1;
            vec![Argument { name: format_ident!("old"), ty: quote!(&#ty) }]
        }
    }
}

/// The patterns of a head, cut down to the names that are needed, with the arguments that they match.
pub(super) struct Matched {
    patterns: Vec<Pat>,
    arguments: Vec<TokenStream>,
    /// The names bound, each with whether the author wrote `mut`.
    pub bound: Vec<(Ident, bool)>,
}

impl Matched {
    /// Whether there is nothing to match.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns as one.
    pub(super) fn pattern(&self) -> TokenStream {
        let patterns = &self.patterns;
        match patterns.as_slice() {
            [one] => quote!(#one),
            several => quote!((#(#several),*)),
        }
    }

    /// The arguments as one.
    pub(super) fn scrutinee(&self) -> TokenStream {
        match self.arguments.as_slice() {
            [one] => quote!(#one),
            several => quote!((#(#several),*)),
        }
    }

    /// Whether all patterns are plain names.
    fn is_plain(&self) -> bool {
        self.patterns.iter().all(|it| matches!(it, Pat::Ident(it) if it.subpat.is_none()))
    }
}

/// Cuts the patterns of an event down.
pub(super) fn matched(
    generator: &Generator<'_>,
    trigger: Trigger,
    patterns: &[Pat],
    casts: &[Option<syn::Type>],
    needed: &BTreeSet<String>,
) -> Matched {
    let mut matched = Matched { patterns: Vec::new(), arguments: Vec::new(), bound: Vec::new() };
    let arguments = arguments(generator, trigger);
    for (at, (pattern, argument)) in patterns.iter().zip(arguments).enumerate() {
        for ident in bindings(pattern) {
            if needed.contains(&ident.to_string()) {
                matched.bound.push((ident.clone(), is_mutable(pattern, ident)));
            }
        }
        let is_message = matches!(trigger, Trigger::Deliver(_)) && at == 1;
        let kept = cut(pattern, needed, is_message).map(|mut cut| {
            generator.walker(Mode::Guard).visit_pat_mut(&mut cut);
            cut
        });
        let name = argument.name;
        match (kept, casts.get(at).and_then(Option::as_ref)) {
            (kept, Some(ty)) => {
                let inner = kept.unwrap_or_else(|| syn::parse_quote!(_));
                matched.patterns.push(syn::parse_quote!(Some(#inner)));
                matched.arguments.push(quote!(#name.get::<#ty>()));
            }
            (Some(kept), None) => {
                matched.patterns.push(kept);
                matched.arguments.push(quote!(#name));
            }
            (None, None) => {}
        }
    }
    matched
}

/// A pattern without the names that are not needed; `None` where it matches everything that it can meet.
fn cut(pattern: &Pat, needed: &BTreeSet<String>, is_message: bool) -> Option<Pat> {
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => None,
        Pat::Paren(inner) => cut(&inner.pat, needed, is_message),
        // The event has the right message already.
        Pat::Path(_) if is_message => None,
        Pat::Ident(_) if is_message => None,
        Pat::Ident(it) => {
            let inner = it.subpat.as_ref().and_then(|(_, inner)| cut(inner, needed, false));
            let name = it.ident.to_string();
            let binds = bindings(pattern).iter().any(|bound| **bound == it.ident);
            if !binds {
                return Some(pattern.clone());
            }
            if !needed.contains(&name) {
                return inner;
            }
            let mut kept = it.clone();
            // Bound by reference, and made a value of its own afterwards.
            (kept.by_ref, kept.mutability) = (None, None);
            kept.subpat = inner.map(|inner| (Default::default(), Box::new(inner)));
            Some(Pat::Ident(kept))
        }
        Pat::Struct(it) => {
            let mut kept = it.clone();
            kept.fields = Default::default();
            for field in &it.fields {
                if let Some(pattern) = cut(&field.pat, needed, false) {
                    let plain = matches!(&pattern, Pat::Ident(bound) if bound.subpat.is_none()
                        && matches!(&field.member, syn::Member::Named(name) if *name == bound.ident));
                    let mut field = field.clone();
                    field.colon_token = (!plain).then(Default::default);
                    field.pat = Box::new(pattern);
                    kept.fields.push(field);
                }
            }
            if kept.fields.is_empty() && is_message {
                return None;
            }
            kept.rest = Some(syn::PatRest { attrs: Vec::new(), dot2_token: Default::default() });
            Some(Pat::Struct(kept))
        }
        Pat::Tuple(it) => {
            let parts: Vec<Option<Pat>> = it.elems.iter().map(|part| cut(part, needed, false)).collect();
            if parts.iter().all(Option::is_none) {
                return None;
            }
            let mut kept = it.clone();
            for (slot, (part, old)) in kept.elems.iter_mut().zip(parts.into_iter().zip(&it.elems)) {
                *slot = part.unwrap_or_else(|| {
                    if let Pat::Rest(_) = old { old.clone() } else { syn::parse_quote!(_) }
                });
            }
            Some(Pat::Tuple(kept))
        }
        Pat::TupleStruct(it) => {
            let mut kept = it.clone();
            for part in kept.elems.iter_mut().filter(|part| !matches!(part, Pat::Rest(_))) {
                *part = cut(part, needed, false).unwrap_or_else(|| syn::parse_quote!(_));
            }
            Some(Pat::TupleStruct(kept))
        }
        Pat::Slice(it) => {
            let mut kept = it.clone();
            kept.elems.iter_mut().for_each(|part| cut_element(part, needed));
            Some(Pat::Slice(kept))
        }
        Pat::Or(it) => {
            let mut kept = it.clone();
            for case in &mut kept.cases {
                *case = cut(case, needed, false).unwrap_or_else(|| syn::parse_quote!(_));
            }
            Some(Pat::Or(kept))
        }
        other => Some(other.clone()),
    }
}

/// As [`cut`], of an element of a list: `..` and `rest @ ..` stand for any number of them.
fn cut_element(part: &mut Pat, needed: &BTreeSet<String>) {
    match part {
        Pat::Rest(_) => {}
        Pat::Ident(it) if matches!(&it.subpat, Some((_, inner)) if matches!(**inner, Pat::Rest(_))) => {
            if needed.contains(&it.ident.to_string()) {
                (it.by_ref, it.mutability) = (None, None);
            } else {
                *part = syn::parse_quote!(..);
            }
        }
        _ => *part = cut(part, needed, false).unwrap_or_else(|| syn::parse_quote!(_)),
    }
}

fn is_mutable(pattern: &Pat, name: &Ident) -> bool {
    struct Find<'n>(&'n Ident, bool);
    impl<'ast> syn::visit::Visit<'ast> for Find<'_> {
        fn visit_pat_ident(&mut self, it: &'ast syn::PatIdent) {
            self.1 |= it.ident == *self.0 && it.mutability.is_some();
            syn::visit::visit_pat_ident(self, it);
        }
    }
    let mut find = Find(name, false);
    syn::visit::Visit::visit_pat(&mut find, pattern);
    find.1
}

/// `let` statements that bind what the body needs, each a value of its own.
pub(super) fn prologue(matched: &Matched) -> TokenStream {
    let clones = matched.bound.iter().map(|(name, mutable)| {
        let mutable = mutable.then(|| quote!(mut));
        quote!(let #mutable #name = #name.clone();)
    });
    if matched.is_empty() {
        return TokenStream::new();
    }
    if matched.is_plain() {
        let clones = matched.patterns.iter().zip(&matched.arguments).map(|(pattern, argument)| {
            let mutable = matched
                .bound
                .iter()
                .any(|(name, mutable)| *mutable && matches!(pattern, Pat::Ident(it) if it.ident == *name));
            let mutable = mutable.then(|| quote!(mut));
            quote!(let #mutable #pattern = #argument.clone();)
        });
        return quote!(#(#clones)*);
    }
    let (pattern, scrutinee) = (matched.pattern(), matched.scrutinee());
    quote!(let #pattern = #scrutinee else { return }; #(#clones)*)
}

/// As [`prologue`], where there is nothing to go on with if the patterns do not match.
pub(super) fn prologue_total(matched: &Matched) -> TokenStream {
    if matched.is_empty() || matched.is_plain() {
        return prologue(matched);
    }
    let clones = matched.bound.iter().map(|(name, mutable)| {
        let mutable = mutable.then(|| quote!(mut));
        quote!(let #mutable #name = #name.clone();)
    });
    let (pattern, scrutinee) = (matched.pattern(), matched.scrutinee());
    quote!(let #pattern = #scrutinee; #(#clones)*)
}

/// The states of a clause as a condition.
pub(super) fn in_states(states: &Option<BTreeSet<String>>) -> Option<TokenStream> {
    let states = states.as_ref()?;
    let states = states.iter().map(|it| format_ident!("{it}"));
    Some(quote!(matches!(this.state, #(State::#states)|*)))
}

/// The statements that count the ways in which a handler applies: a number, or a list of options.
pub(super) fn ways(generator: &Generator<'_>, handler: &Handler, ways: &Ident) -> TokenStream {
    let names: Vec<String> = handler.patterns.iter().flat_map(bindings).map(|it| it.to_string()).collect();
    let mut chosen: Vec<String> = names;
    let mut needed = BTreeSet::new();
    let mut sets = Vec::new();
    for choose in &handler.chooses {
        let (set, used) = reading(generator, &choose.set, &chosen);
        needed.extend(used);
        sets.push(set);
        chosen.push(choose.ident.to_string());
    }
    let guard = handler.guard.as_ref().map(|guard| {
        let (guard, used) = reading(generator, guard, &chosen);
        needed.extend(used);
        guard
    });
    let idents: Vec<&Ident> = handler.chooses.iter().map(|it| &it.ident).collect();
    let mut tokens = match idents.as_slice() {
        [] => quote!(#ways = 1;),
        [_] => quote!(),
        several => quote!(#ways.push((#(#several.clone()),*));),
    };
    if let ([ident], [set]) = (idents.as_slice(), sets.as_slice()) {
        let filter = guard.map(|guard| quote!(#ways.retain(|#ident| { let _ = #ident; #guard });));
        tokens = quote!(#ways = kernel::choice::Options::options(#set); #filter);
    } else {
        if let Some(guard) = guard {
            tokens = quote!(if #guard { #tokens });
        }
        for (ident, set) in idents.iter().zip(&sets).rev() {
            tokens = quote!(for #ident in &kernel::choice::Options::options(#set) { #tokens });
        }
    }
    let matched = matched(generator, handler.trigger, &handler.patterns, &handler.casts, &needed);
    if !matched.is_empty() {
        let (pattern, scrutinee) = (matched.pattern(), matched.scrutinee());
        tokens = quote!(if let #pattern = #scrutinee { #tokens });
    }
    if let Some(states) = in_states(&handler.states) {
        tokens = quote!(if #states { #tokens });
    }
    tokens
}

/// A guard or set with its names rewritten, and the names of the head that it uses.
fn reading(generator: &Generator<'_>, expr: &syn::Expr, bound: &[String]) -> (TokenStream, BTreeSet<String>) {
    let mut expr = expr.clone();
    let mut walker = generator.walker(Mode::Guard).with_head(bound.iter().map(String::as_str), true);
    walker.visit_expr_mut(&mut expr);
    (quote!(#expr), walker.facts.head_locals)
}
