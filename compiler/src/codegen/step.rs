//! The step: from an event to its handlers, and the handlers themselves.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::visit_mut::VisitMut;

use super::service::Generator;
use super::{doc, docs, head, used};
use crate::body::Mode;
use crate::ir::{Handler, MessageRef, Trigger};

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
fn take(generator: &Generator<'_>, trigger: Trigger) -> Ident {
    match trigger {
        Trigger::Start => format_ident!("take_start"),
        Trigger::Deliver(message) => format_ident!("take_deliver_{}", generator.message_name(message)),
        Trigger::Timer(index) => format_ident!("take_timer_{}", generator.service.timers[index].ident),
        Trigger::Broken => format_ident!("take_broken"),
        Trigger::Call(index) => format_ident!("take_call_{}", generator.service.downcalls[index].ident),
    }
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
    let body = quote!(match event { #(#arms,)* _ => ctx.consumed(false) });
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
    let of = |shared: bool| {
        let messages = triggers.iter().filter_map(move |it| match it {
            Trigger::Deliver(message) if message.shared == shared => Some(*message),
            _ => None,
        });
        messages.collect::<Vec<MessageRef>>()
    };
    let group = |shared: bool| {
        let messages = of(shared);
        if messages.is_empty() {
            return None;
        }
        let ty = if shared { quote!(super::Message) } else { quote!(Message) };
        let arms = messages.iter().map(|it| {
            let variant = format_ident!("{}", generator.message_name(*it));
            let take = take(generator, Trigger::Deliver(*it));
            quote!(#ty::#variant { .. } => self.#take(this, ctx, src, message))
        });
        Some(quote! {
            if let Some(message) = message.get::<#ty>() {
                return match message { #(#arms,)* _ => ctx.consumed(false) };
            }
        })
    };
    let (own, shared) = (group(false), group(true));
    if own.is_none() && shared.is_none() {
        return None;
    }
    Some(quote!(kernel::Event::Deliver { src, message, .. } => { #own #shared ctx.consumed(false) }))
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

fn calls(generator: &Generator<'_>, triggers: &[Trigger]) -> Option<TokenStream> {
    let arms = triggers.iter().filter_map(|trigger| {
        let Trigger::Call(index) = trigger else { return None };
        let call = &generator.service.downcalls[*index];
        let (name, take) = (&call.ident, take(generator, *trigger));
        let fields: Vec<&Ident> = call.fields.iter().map(|it| &it.ident).collect();
        Some(quote!(Some(Call::#name { #(#fields),* }) => self.#take(this, ctx #(, #fields)*)))
    });
    let arms: Vec<TokenStream> = arms.collect();
    if arms.is_empty() {
        return None;
    }
    Some(quote! {
        kernel::Event::Call(call) => match call.get::<Call>() {
            #(#arms,)*
            _ => ctx.consumed(false),
        }
    })
}

/// `Service::accepts`.
pub(super) fn accepts(generator: &Generator<'_>) -> TokenStream {
    let own = (!generator.service.messages.is_empty()).then(|| quote!(message.get::<Message>().is_some()));
    let shared: BTreeSet<String> = triggers(generator)
        .into_iter()
        .filter_map(|it| match it {
            Trigger::Deliver(message) if message.shared => Some(generator.message_name(message)),
            _ => None,
        })
        .collect();
    let shared = (!shared.is_empty()).then(|| {
        let variants = shared.iter().map(|it| format_ident!("{it}"));
        quote!(matches!(message.get::<super::Message>(), Some(#(super::Message::#variants { .. })|*)))
    });
    let body = match (own, shared) {
        (Some(own), Some(shared)) => quote!(#own || #shared),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => quote!(false),
    };
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
    let takes = triggers(generator).into_iter().map(|trigger| picking(generator, trigger));
    let takes: Vec<TokenStream> = takes.collect();
    let handlers = generator.service.handlers.iter().filter(|it| is_function(it));
    let handlers: Vec<TokenStream> = handlers.map(|it| handler(generator, it)).collect();
    quote! {
        impl #ident { #(#takes)* }

        impl #ident { #(#handlers)* }
    }
}

/// Whether the handler is a function of its own: the types of what its head chooses are known.
fn is_function(handler: &Handler) -> bool {
    handler.chooses.iter().all(|it| it.ty.is_some())
}

fn handle(handler: &Handler) -> Ident {
    format_ident!("handle_{}", handler.name.trim_start_matches("r#"))
}

/// The variable that holds the ways of a handler, and the expression that counts them.
fn counted(handler: &Handler) -> (Ident, TokenStream) {
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

/// The function that picks one of the handlers of an event.
fn picking(generator: &Generator<'_>, trigger: Trigger) -> TokenStream {
    let all = generator.service.handlers.iter().enumerate();
    let handlers: Vec<(usize, &Handler)> = all.filter(|(_, it)| it.trigger == trigger).collect();
    // Those that apply only where no other does come last.
    let (last, first): (Vec<_>, Vec<_>) = handlers.iter().partition(|(_, it)| it.otherwise);
    let counts = first.iter().chain(&last).map(|(_, handler)| count(generator, handler, &handlers));
    let counts: Vec<TokenStream> = counts.collect();
    let alternatives = handlers.iter().map(|(index, it)| {
        let (index, count) = (*index as u16, counted(it).1);
        quote!(kernel::ctx::Alternative { handler: #index, ways: #count })
    });
    let bindings = binding(&handlers);
    let arms = handlers.iter().enumerate().map(|(at, (_, it))| arm_of(generator, at, it, &counted(it).0));
    let arms: Vec<TokenStream> = arms.collect();
    let meant = meant(generator, trigger);
    let site = site(generator, trigger, handlers.first().map(|(_, it)| it.line));
    let body = match handlers.is_empty() {
        true => quote!(ctx.consumed(#meant)),
        false => quote! {
            #(#counts)*
            let alternatives = [#(#alternatives),*];
            match ctx.which(&SITES[#site], &alternatives, #bindings) {
                #(#arms,)*
                _ => ctx.consumed(#meant),
            }
        },
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

fn site(generator: &Generator<'_>, trigger: Trigger, line: Option<u32>) -> proc_macro2::Literal {
    let name = match trigger {
        Trigger::Start => "start".to_owned(),
        Trigger::Deliver(message) => generator.message_name(message),
        Trigger::Timer(index) => generator.service.timers[index].ident.to_string(),
        Trigger::Broken => "broken".to_owned(),
        Trigger::Call(index) => generator.service.downcalls[index].ident.to_string(),
    };
    let site = match line {
        Some(line) => generator.site(&name, line),
        None => 0,
    };
    proc_macro2::Literal::usize_unsuffixed(site)
}

/// What the heads bound, as traces show it.
fn binding(handlers: &[(usize, &Handler)]) -> TokenStream {
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
fn arm_of(generator: &Generator<'_>, at: usize, handler: &Handler, options: &Ident) -> TokenStream {
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
        let matched = head::matched(generator, trigger, &it.patterns, &BTreeSet::new());
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
    generator.add_sites(walker.facts.sites);
    let matched = head::matched(generator, handler.trigger, &handler.patterns, &walker.facts.head_locals);
    let unused =
        handler.chooses.iter().filter(|it| !walker.facts.head_locals.contains(&it.ident.to_string()));
    let unused = unused.map(|it| it.ident.clone()).collect();
    let statements = &block.stmts;
    (head::prologue(&matched), quote!(#(#statements)*), unused)
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
    let place = format!("`{}:{}`: `{}`", generator.spec.file, handler.line, handler.head);
    let (place, docs, name) = (doc(&place), docs(&handler.doc), handle(handler));
    quote! {
        #place
        #docs
        fn #name(&self, #this: &mut Variables, #ctx: &kernel::Ctx<'_, Timer> #(, #arguments)* #(, #chosen)*) {
            #whole
        }
    }
}
