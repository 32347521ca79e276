//! The step: from an event to its handlers, and the handlers themselves.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::visit_mut::VisitMut;

use super::service::Generator;
use super::{aspect, doc, docs, head, routine, used};
use crate::body::Mode;
use crate::ir::{Handler, Layer, MessageRef, Trigger};

/// The events that some handler or `ignore` is about, in file order.
fn triggers(generator: &Generator<'_>) -> Vec<Trigger> {
    let mut triggers: Vec<Trigger> = Vec::new();
    let handlers = generator.service.handlers.iter().map(|it| it.trigger);
    for trigger in handlers.chain(generator.service.ignores.iter().map(|it| it.trigger)) {
        if !triggers.contains(&trigger) {
            triggers.push(trigger);
        }
    }
    triggers
}

/// The name of the function that picks the handler of an event.
pub(super) fn take(generator: &Generator<'_>, trigger: Trigger) -> Ident {
    match trigger {
        Trigger::Start => format_ident!("take_start"),
        Trigger::Deliver(message) => {
            let foreign = generator.foreign(message).map(|module| format!("{module}_"));
            format_ident!("take_deliver_{}{}", foreign.unwrap_or_default(), generator.message_name(message))
        }
        Trigger::Timer(index) => format_ident!("take_timer_{}", generator.service.timers[index].ident),
        Trigger::Broken => format_ident!("take_broken"),
        Trigger::Call(call) | Trigger::Query(call) => {
            format_ident!("take_call_{}", plain(&generator.call(call).name))
        }
        Trigger::Upcall(slot, call) => {
            format_ident!(
                "take_upcall_{}_{}",
                plain(generator.layer(slot)),
                plain(&generator.call(call).name)
            )
        }
        Trigger::Answered(slot, call) => {
            format_ident!(
                "take_answer_{}_{}",
                plain(generator.layer(slot)),
                plain(&generator.call(call).name)
            )
        }
        Trigger::Aspect(variable) => format_ident!("take_aspect_{}", generator.watched(variable).0),
    }
}

fn plain(name: &str) -> &str {
    name.trim_start_matches("r#")
}

/// `Service::step`.
pub(super) fn step(generator: &Generator<'_>) -> TokenStream {
    let triggers = triggers(generator);
    let has = |trigger: Trigger| triggers.contains(&trigger);
    let arming = generator.service.timers.iter().enumerate().filter(|(_, it)| it.every.is_some());
    let arming: Vec<TokenStream> = arming.map(|(index, _)| arm(generator, index)).collect();
    let start = has(Trigger::Start).then(|| quote!(self.take_start(this, ctx);));
    let mut arms = vec![quote!(kernel::Event::Start => { #(#arming)* #start })];
    arms.extend(deliver(generator, &triggers));
    arms.extend(timers(generator, &triggers));
    if has(Trigger::Broken) {
        arms.push(quote!(kernel::Event::Broken { peer, .. } => self.take_broken(this, ctx, peer)));
    }
    arms.extend(calls(generator, &triggers));
    arms.extend(upcalls(generator, &triggers));
    arms.extend(answers(generator, &triggers));
    let body = quote!(match event { #(#arms,)* _ => ctx.consumed(false) });
    let body = aspect::around(generator, &triggers, body);
    let this = used(&body, "this");
    quote! {
        fn step(&self, #this: &mut Variables, event: &kernel::Event, ctx: &kernel::Ctx<'_, Timer>) {
            #body
        }
    }
}

/// Arms a timer that is always on.
fn arm(generator: &Generator<'_>, index: usize) -> TokenStream {
    let timer = &generator.service.timers[index];
    let Some(mut every) = timer.every.clone() else { return TokenStream::new() };
    let name = &timer.ident;
    let owner = name.to_string();
    let mut walker = generator.walker(Mode::Every).owned_by(&owner, generator.sites()).bound_to("every");
    walker.visit_expr_mut(&mut every);
    generator.add_sites(walker.facts.sites);
    quote!(ctx.set(Timer::#name, #every);)
}

fn deliver(generator: &Generator<'_>, triggers: &[Trigger]) -> Option<TokenStream> {
    let groups = delivered(generator, triggers).into_iter().map(|messages| {
        let ty = generator.message_type(messages[0]);
        let arms = messages.iter().map(|it| {
            let variant = format_ident!("{}", generator.message_name(*it));
            let take = take(generator, Trigger::Deliver(*it));
            quote!(#ty::#variant { .. } => self.#take(this, ctx, src, message))
        });
        quote! {
            if let Some(message) = message.get::<#ty>() {
                return match message { #(#arms,)* _ => ctx.consumed(false) };
            }
        }
    });
    let groups: Vec<TokenStream> = groups.collect();
    if groups.is_empty() {
        return None;
    }
    Some(quote!(kernel::Event::Deliver { src, message, .. } => { #(#groups)* ctx.consumed(false) }))
}

/// The messages that are handled, those of one enum together: the service's own first, then those of files.
fn delivered(generator: &Generator<'_>, triggers: &[Trigger]) -> Vec<Vec<MessageRef>> {
    let mut groups: BTreeMap<Option<usize>, Vec<MessageRef>> = BTreeMap::new();
    for trigger in triggers {
        if let Trigger::Deliver(message) = trigger {
            let file = message.shared.then(|| generator.spec.messages[message.index].0);
            groups.entry(file).or_default().push(*message);
        }
    }
    groups.into_values().collect()
}

fn timers(generator: &Generator<'_>, triggers: &[Trigger]) -> Option<TokenStream> {
    if generator.service.timers.is_empty() {
        return None;
    }
    let arms = generator.service.timers.iter().enumerate().map(|(index, timer)| {
        let (name, trigger) = (&timer.ident, Trigger::Timer(index));
        let params: Vec<&Ident> = timer.params.iter().map(|it| &it.ident).collect();
        let handled = triggers.contains(&trigger);
        let pattern = match (params.is_empty(), handled) {
            (true, _) => quote!(Timer::#name),
            (false, true) => quote!(Timer::#name(#(#params),*)),
            (false, false) => quote!(Timer::#name(..)),
        };
        let take = take(generator, trigger);
        let handle =
            if handled { quote!(self.#take(this, ctx #(, #params)*)) } else { quote!(ctx.consumed(false)) };
        let again = timer.every.is_some().then(|| arm(generator, index));
        match again {
            Some(again) => quote!(Some(#pattern) => { #handle; #again }),
            None => quote!(Some(#pattern) => #handle),
        }
    });
    Some(quote! {
        kernel::Event::Timer(timer) => match timer.get::<Timer>() {
            #(#arms,)*
            None => ctx.consumed(false),
        }
    })
}

/// Commands and requests, by the interface that they are of; those of an interface that is passed through go on downward.
fn calls(generator: &Generator<'_>, triggers: &[Trigger]) -> Option<TokenStream> {
    let provided = generator.service.provides.iter().filter_map(|provided| {
        let ty = generator.interface(provided.interface, "Downcall");
        if let Some(slot) = provided.by {
            return Some(quote! {
                if call.get::<#ty>().is_some() {
                    return ctx.pass_down(#slot, call);
                }
            });
        }
        let arms = triggers.iter().filter_map(|trigger| {
            let Trigger::Call(at) = trigger else { return None };
            let message = &generator.call(*at).message;
            let fields: Vec<&Ident> = message.fields.iter().map(|it| &it.ident).collect();
            let (name, take) = (&message.ident, take(generator, *trigger));
            let arm = quote!(#ty::#name { #(#fields),* } => self.#take(this, ctx #(, #fields)*));
            (at.interface == provided.interface).then_some(arm)
        });
        let arms: Vec<TokenStream> = arms.collect();
        (!arms.is_empty()).then(|| {
            quote! {
                if let Some(call) = call.get::<#ty>() {
                    return match call { #(#arms,)* _ => ctx.consumed(false) };
                }
            }
        })
    });
    let provided: Vec<TokenStream> = provided.collect();
    if provided.is_empty() {
        return None;
    }
    Some(quote!(kernel::Event::Call(call) => { #(#provided)* ctx.consumed(false) }))
}

/// Upcalls, slot by slot. Those of an interface that is passed through go on upward, whether they are handled or not.
fn upcalls(generator: &Generator<'_>, triggers: &[Trigger]) -> Vec<TokenStream> {
    let of = |(slot, layer): (usize, &Layer)| {
        let passed = generator.service.provides.iter().any(|it| it.by == Some(slot));
        let ty = generator.interface(layer.interface, "Upcall");
        let arms = triggers.iter().filter_map(|trigger| {
            let Trigger::Upcall(at, call) = trigger else { return None };
            let message = &generator.call(*call).message;
            let fields: Vec<&Ident> = message.fields.iter().map(|it| &it.ident).collect();
            let (name, take) = (&message.ident, take(generator, *trigger));
            let arm = quote!(Some(#ty::#name { #(#fields),* }) => self.#take(this, ctx #(, #fields)*));
            (*at == slot).then_some(arm)
        });
        let arms: Vec<TokenStream> = arms.collect();
        let pass = passed.then(|| quote!(ctx.pass_up(upcall);));
        let rest = if passed { quote!({}) } else { quote!(ctx.consumed(false)) };
        let slot = proc_macro2::Literal::u8_unsuffixed(slot as u8);
        if arms.is_empty() {
            return passed
                .then(|| quote!(kernel::Event::Upcall { slot: #slot, upcall } => ctx.pass_up(upcall)));
        }
        Some(quote! {
            kernel::Event::Upcall { slot: #slot, upcall } => {
                #pass
                match upcall.get::<#ty>() { #(#arms,)* _ => #rest }
            }
        })
    };
    generator.service.layers.iter().enumerate().filter_map(of).collect()
}

/// Answers to requests that this service made.
fn answers(generator: &Generator<'_>, triggers: &[Trigger]) -> Vec<TokenStream> {
    let of = |trigger: &Trigger| {
        let Trigger::Answered(slot, call) = trigger else { return None };
        let (ty, take) = (&generator.call(*call).answer, take(generator, *trigger));
        let slot = proc_macro2::Literal::u8_unsuffixed(*slot as u8);
        let method = proc_macro2::Literal::u16_unsuffixed(call.call as u16);
        Some(quote! {
            kernel::Event::Answered { slot: #slot, method: #method, number, value } => match value.get::<#ty>() {
                Some(value) => self.#take(this, ctx, &ctx.reply(*number), value),
                None => ctx.consumed(false),
            }
        })
    };
    triggers.iter().filter_map(of).collect()
}

/// `Service::accepts`.
pub(super) fn accepts(generator: &Generator<'_>) -> TokenStream {
    let own = (!generator.service.messages.is_empty()).then(|| quote!(message.get::<Message>().is_some()));
    let shared =
        delivered(generator, &triggers(generator)).into_iter().filter(|it| it[0].shared).map(|group| {
            let ty = generator.message_type(group[0]);
            let variants: BTreeSet<String> = group.iter().map(|it| generator.message_name(*it)).collect();
            let variants = variants.iter().map(|it| format_ident!("{it}"));
            quote!(matches!(message.get::<#ty>(), Some(#(#ty::#variants { .. })|*)))
        });
    let all: Vec<TokenStream> = own.into_iter().chain(shared).collect();
    let body = if all.is_empty() { quote!(false) } else { quote!(#(#all)||*) };
    let message = used(&body, "message");
    quote! {
        fn accepts(#message: &kernel::Datum) -> bool {
            #body
        }
    }
}

/// The functions that pick handlers, and the handlers.
pub(super) fn handlers(generator: &Generator<'_>) -> TokenStream {
    let ident = &generator.service.ident;
    let triggers = triggers(generator);
    let takes = triggers.iter().map(|trigger| picking(generator, *trigger));
    let takes: Vec<TokenStream> = takes.chain(aspect::drain(generator, &triggers)).collect();
    let handlers = generator.service.handlers.iter().filter(|it| is_function(it));
    let handlers: Vec<TokenStream> = handlers.map(|it| handler(generator, it)).collect();
    quote! {
        impl #ident { #(#takes)* }

        impl #ident { #(#handlers)* }
    }
}

/// Whether the handler is a function of its own: the types of what its head chooses are known.
pub(super) fn is_function(handler: &Handler) -> bool {
    handler.chooses.iter().all(|it| it.ty.is_some())
}

fn handle(handler: &Handler) -> Ident {
    format_ident!("handle_{}", handler.name.trim_start_matches("r#"))
}

/// The variable that holds the ways of a handler, and the expression that counts them.
pub(super) fn counted(handler: &Handler) -> (Ident, TokenStream) {
    let name = format_ident!("ways_{}", handler.name.trim_start_matches("r#"));
    let count = if handler.chooses.is_empty() { quote!(#name) } else { quote!(#name.len()) };
    (name, count)
}

/// The statements that find out how often a handler applies, given those that are counted before it.
fn count(generator: &Generator<'_>, handler: &Handler, handlers: &[(usize, &Handler)]) -> TokenStream {
    let (name, _) = counted(handler);
    let mut statements = head::ways(generator, handler, &name);
    let mut unless = |filter: &dyn Fn(&Handler) -> bool| {
        let others = handlers.iter().filter(|(_, it)| filter(it)).map(|(_, it)| counted(it).1);
        let others: Vec<TokenStream> = others.collect();
        if !others.is_empty() {
            statements = quote!(if #(#others)+* == 0 { #statements });
        }
    };
    if handler.otherwise {
        unless(&|it| !it.otherwise);
    }
    if let Some(first) = handler.first {
        unless(&|it| {
            it.first == Some(first) && it.order < handler.order && it.otherwise == handler.otherwise
        });
    }
    if handler.chooses.is_empty() && statements.to_string() == quote!(#name = 1;).to_string() {
        return quote!(let #name = 1usize;);
    }
    let empty = if handler.chooses.is_empty() { quote!(0usize) } else { quote!(Vec::new()) };
    quote!(let mut #name = #empty; #statements)
}

/// The choice among the handlers that apply, and what each of them does.
fn picked(generator: &Generator<'_>, trigger: Trigger, handlers: &[(usize, &Handler)]) -> TokenStream {
    let alternatives = handlers.iter().map(|(index, it)| alternative(*index, it));
    let bindings = binding(handlers);
    let arms = handlers.iter().enumerate().map(|(at, (_, it))| arm_of(generator, at, it, &counted(it).0));
    let arms: Vec<TokenStream> = arms.collect();
    let meant = meant(generator, trigger);
    let site = site(generator, trigger, handlers);
    quote! {
        let alternatives = [#(#alternatives),*];
        match ctx.which(&SITES[#site], &alternatives, #bindings) {
            #(#arms,)*
            _ => ctx.consumed(#meant),
        }
    }
}

/// A handler as an option, and the number of its ways.
pub(super) fn alternative(index: usize, handler: &Handler) -> TokenStream {
    let (index, count) = (index as u16, counted(handler).1);
    quote!(kernel::ctx::Alternative { handler: #index, ways: #count })
}

/// The function that picks one of the handlers of an event; of the aspects of a variable it runs all that apply.
fn picking(generator: &Generator<'_>, trigger: Trigger) -> TokenStream {
    let all = generator.service.handlers.iter().enumerate();
    let handlers: Vec<(usize, &Handler)> = all.filter(|(_, it)| it.trigger == trigger).collect();
    // Those that apply only where no other does come last.
    let (last, first): (Vec<_>, Vec<_>) = handlers.iter().partition(|(_, it)| it.otherwise);
    let counts = first.iter().chain(&last).map(|(_, handler)| count(generator, handler, &handlers));
    let counts: Vec<TokenStream> = counts.collect();
    let body = match trigger {
        _ if handlers.is_empty() => {
            let meant = meant(generator, trigger);
            quote!(ctx.consumed(#meant))
        }
        Trigger::Aspect(_) => {
            let runs = handlers.iter().map(|it| aspect::run(generator, it));
            let runs: Vec<TokenStream> = runs.collect();
            quote!(#(#counts)* #(#runs)*)
        }
        _ => {
            let picked = picked(generator, trigger, &handlers);
            quote!(#(#counts)* #picked)
        }
    };
    let (this, about) =
        (used(&body, "this"), doc(&format!("Which handler takes `{}`.", generator.event(trigger))));
    let arguments = head::arguments(generator, trigger).into_iter().map(|it| {
        let (name, ty) = (used(&body, &it.name.to_string()), it.ty);
        quote!(#name: #ty)
    });
    let name = take(generator, trigger);
    quote! {
        #about
        fn #name(&self, #this: &mut Variables, ctx: &kernel::Ctx<'_, Timer> #(, #arguments)*) {
            #body
        }
    }
}

fn site(generator: &Generator<'_>, trigger: Trigger, handlers: &[(usize, &Handler)]) -> proc_macro2::Literal {
    let name = match trigger {
        Trigger::Start => "start".to_owned(),
        Trigger::Deliver(message) => generator.message_name(message),
        Trigger::Timer(index) => generator.service.timers[index].ident.to_string(),
        Trigger::Broken => "broken".to_owned(),
        Trigger::Call(call) | Trigger::Query(call) => generator.call(call).name.clone(),
        Trigger::Upcall(slot, call) | Trigger::Answered(slot, call) => {
            format!("{}.{}", generator.layer(slot), generator.call(call).name)
        }
        Trigger::Aspect(variable) => generator.watched(variable).0.to_string(),
    };
    let open = handlers.iter().any(|(_, it)| !it.chooses.is_empty());
    let site = handlers.first().map_or(0, |(_, first)| generator.site(&name, first.line, open));
    proc_macro2::Literal::usize_unsuffixed(site)
}

/// What the heads bound, as traces show it.
pub(super) fn binding(handlers: &[(usize, &Handler)]) -> TokenStream {
    let choosing = handlers.iter().enumerate().filter(|(_, (_, it))| !it.chooses.is_empty());
    let arms = choosing.map(|(at, (_, handler))| {
        let options = counted(handler).0;
        let idents: Vec<&Ident> = handler.chooses.iter().map(|it| &it.ident).collect();
        let text: Vec<String> = idents.iter().map(|it| format!("{it}: {{{it}:?}}")).collect();
        let text = text.join(", ");
        let pattern = if let [one] = idents.as_slice() { quote!(#one) } else { quote!((#(#idents),*)) };
        quote! {
            #at => {
                let #pattern = &#options[taken.way];
                format!(#text)
            }
        }
    });
    let arms: Vec<TokenStream> = arms.collect();
    match arms.is_empty() {
        true => quote!(&|_| String::new()),
        false => quote!(&|taken| match taken.alternative { #(#arms)* _ => String::new() }),
    }
}

/// The arm that runs one handler.
pub(super) fn arm_of(
    generator: &Generator<'_>,
    at: usize,
    handler: &Handler,
    options: &Ident,
) -> TokenStream {
    let arguments: Vec<Ident> =
        head::arguments(generator, handler.trigger).into_iter().map(|it| it.name).collect();
    let mut idents: Vec<Ident> = handler.chooses.iter().map(|it| it.ident.clone()).collect();
    let run = if is_function(handler) {
        let name = handle(handler);
        quote!(self.#name(this, ctx #(, #arguments)* #(, #idents)*))
    } else {
        let (prologue, body, unused) = body(generator, handler);
        for ident in idents.iter_mut().filter(|ident| unused.contains(ident)) {
            *ident = format_ident!("_{ident}");
        }
        quote!(#prologue #body)
    };
    let chosen = match idents.as_slice() {
        [] => return quote!(Some(kernel::ctx::Taken { alternative: #at, .. }) => { #run }),
        [one] => quote!(let #one = #options.swap_remove(way);),
        several => quote!(let (#(#several),*) = #options.swap_remove(way);),
    };
    quote!(Some(kernel::ctx::Taken { alternative: #at, way }) => { #chosen #run })
}

/// Whether consumption of the event is meant.
fn meant(generator: &Generator<'_>, trigger: Trigger) -> TokenStream {
    let ignores = generator.service.ignores.iter().filter(|it| it.trigger == trigger);
    let conditions = ignores.map(|it| {
        let states = head::in_states(&it.states);
        let matched = head::matched(generator, trigger, &it.patterns, &it.casts, &BTreeSet::new());
        let matches = (!matched.is_empty()).then(|| {
            let (pattern, scrutinee) = (matched.pattern(), matched.scrutinee());
            quote!(matches!(#scrutinee, #pattern))
        });
        match (states, matches) {
            (Some(states), Some(matches)) => quote!((#states && #matches)),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => quote!(true),
        }
    });
    let conditions: Vec<TokenStream> = conditions.collect();
    if conditions.is_empty() { quote!(false) } else { quote!(#(#conditions)||*) }
}

/// The body of a handler, rewritten, after the statements that bind what it needs.
fn body(generator: &Generator<'_>, handler: &Handler) -> (TokenStream, TokenStream, Vec<Ident>) {
    let names: Vec<String> =
        handler.patterns.iter().flat_map(crate::body::bindings).map(|it| it.to_string()).collect();
    let chosen: Vec<String> = handler.chooses.iter().map(|it| it.ident.to_string()).collect();
    let mut block = handler.body.clone();
    let mut walker = generator
        .walker(Mode::Handler)
        .owned_by(&handler.name, generator.sites())
        .with_head(names.iter().chain(&chosen).map(String::as_str), false);
    walker.visit_block_mut(&mut block);
    let noted = routine::rewrites(&walker.facts);
    generator.add_sites(walker.facts.sites);
    let matched = head::matched(
        generator,
        handler.trigger,
        &handler.patterns,
        &handler.casts,
        &walker.facts.head_locals,
    );
    let unused =
        handler.chooses.iter().filter(|it| !walker.facts.head_locals.contains(&it.ident.to_string()));
    let unused = unused.map(|it| it.ident.clone()).collect();
    let statements = &block.stmts;
    (head::prologue(&matched), quote!(#noted #(#statements)*), unused)
}

/// The function of a handler.
fn handler(generator: &Generator<'_>, handler: &Handler) -> TokenStream {
    let (prologue, body, unused) = body(generator, handler);
    let whole = quote!(#prologue #body);
    let (this, ctx) = (used(&whole, "this"), used(&whole, "ctx"));
    let arguments = head::arguments(generator, handler.trigger).into_iter().map(|it| {
        let (name, ty) = (used(&prologue, &it.name.to_string()), it.ty);
        quote!(#name: #ty)
    });
    let chosen = handler.chooses.iter().map(|it| {
        let name = if unused.contains(&it.ident) { format_ident!("_{}", it.ident) } else { it.ident.clone() };
        let ty = &it.ty;
        quote!(#name: #ty)
    });
    let place = format!("`{}:{}`: `{}`", generator.file(), handler.line, handler.head);
    let (place, docs, name) = (doc(&place), docs(&handler.doc), handle(handler));
    quote! {
        #place
        #docs
        fn #name(&self, #this: &mut Variables, #ctx: &kernel::Ctx<'_, Timer> #(, #arguments)* #(, #chosen)*) {
            #whole
        }
    }
}
