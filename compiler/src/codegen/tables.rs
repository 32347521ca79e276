//! The tables of a service that the runtime reads: names and lines, what each handler does, and what the analyses found out.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use super::service::Generator;
use crate::body::Site;
use crate::ir::{Deeds, Ids, Ordered, Overlap, Sending, Tables, Tuning, Wait};

/// All of them.
pub(super) fn tables(generator: &Generator<'_>) -> TokenStream {
    let service = generator.service;
    let handlers = service.handlers.iter().map(|it| {
        let (name, event, line) = (&it.name, generator.event(it.trigger), it.line);
        let deeds = service.tables.deeds.get(it.order).map(deeds);
        let deeds = deeds.map(|deeds| quote!(.doing(&#deeds)));
        quote!(kernel::HandlerInfo::new(#name, #event, #line) #deeds)
    });
    let sites = generator.all_sites();
    let sites = sites.iter().map(|Site { name, line, open, .. }| {
        let fair = service.is_fair(name).then(|| quote!(.fair()));
        let open = open.then(|| quote!(.open()));
        quote!(kernel::SiteInfo::new(#name, #line) #open #fair)
    });
    let (handler_count, site_count) = (handlers.len(), sites.len());
    let states = service.states.iter().map(|it| it.ident.to_string());
    let control = (!service.states.is_empty()).then(|| {
        let line = service.states_line();
        quote!(kernel::VariableInfo::new("state", "State", #line),)
    });
    let variables = service.variables.iter().map(|it| {
        let (name, ty, line) = (it.ident.to_string(), &it.ty_text, it.line);
        let marks =
            [("durable", it.durable), ("ghost", it.ghost), ("export", it.export), ("secret", it.secret)];
        let marks = marks.iter().filter(|(_, is)| *is).map(|(mark, _)| format_ident!("{mark}"));
        quote!(kernel::VariableInfo::new(#name, #ty, #line) #(.#marks())*)
    });
    let messages = service.messages.iter().map(|it| {
        let (name, line) = (it.ident.to_string(), it.line);
        quote!(kernel::MessageInfo { name: #name, line: #line })
    });
    let carriers = service.carriers.iter().map(|(name, kind)| {
        let kind = format_ident!("{}", kind.word());
        quote!(kernel::CarrierInfo { name: #name, kind: kernel::CarrierKind::#kind })
    });
    let (name, line) = (service.ident.to_string(), service.line.to_token_stream());
    let known = of_service(&service.tables);
    quote! {
        static HANDLERS: [kernel::HandlerInfo; #handler_count] = [#(#handlers),*];

        static SITES: [kernel::SiteInfo; #site_count] = [#(#sites),*];

        static TABLES: kernel::Tables = #known;

        /// Names and lines of the service.
        pub static INFO: kernel::ServiceInfo = kernel::ServiceInfo {
            name: #name,
            file: FILE,
            line: #line,
            states: &[#(#states),*],
            variables: &[#control #(#variables),*],
            messages: &[#(#messages),*],
            carriers: &[#(#carriers),*],
            handlers: &HANDLERS,
            sites: &SITES,
            tables: &TABLES,
        };
    }
}

/// Only what is there is written; all else is as in `NONE`.
fn deeds(it: &Deeds) -> TokenStream {
    let lists = [
        ("states", &it.states),
        ("guard_reads", &it.guard_reads),
        ("reads", &it.reads),
        ("writes", &it.writes),
        ("enters", &it.enters),
        ("sets", &it.sets),
        ("cancels", &it.cancels),
        ("emits", &it.emits),
        ("calls", &it.calls),
        ("asks", &it.asks),
        ("choices", &it.choices),
        ("chances", &it.chances),
    ];
    let lists = lists.into_iter().filter(|(_, names)| !names.is_empty()).map(|(field, names)| {
        let field = format_ident!("{field}");
        quote!(#field: &[#(#names),*],)
    });
    let sends = (!it.sends.is_empty()).then(|| {
        let sends = it.sends.iter().map(sending);
        quote!(sends: &[#(#sends),*],)
    });
    let answers = it.answers.then(|| quote!(answers: true,));
    quote!(kernel::Deeds { #(#lists)* #sends #answers ..kernel::Deeds::NONE })
}

fn sending(it: &Sending) -> TokenStream {
    let Sending { line, message, over, to, receiver, always } = it;
    let receiver = format_ident!("{receiver}");
    quote!(kernel::SendInfo {
        message: #message, carrier: #over, to: #to, receiver: kernel::Receiver::#receiver, always: #always, line: #line,
    })
}

fn of_service(it: &Tables) -> TokenStream {
    let ids = it
        .ids
        .iter()
        .map(|Ids { of, path, known }| quote!(kernel::IdsInfo { of: #of, path: #path, known: #known }));
    let ordered = ordered(&it.ordered);
    let unhandled = it
        .unhandled
        .iter()
        .map(|(message, states)| quote!(kernel::PairInfo { message: #message, states: &[#(#states),*] }));
    let overlaps = it.overlaps.iter().map(|Overlap { event, states, handlers }| {
        quote!(kernel::OverlapInfo { event: #event, states: &[#(#states),*], handlers: &[#(#handlers),*] })
    });
    let (layers, grows, unsent, unwanted) = (&it.layers, &it.grows, &it.unsent, &it.unwanted);
    let tunings = it.tunings.iter().map(|Tuning { choice, timer, again, each }| {
        quote!(kernel::TuningInfo { choice: #choice, timer: #timer, again: #again, each: #each })
    });
    let waits = it.waits.iter().map(|Wait { objective, price, over, until }| {
        let price = match price {
            Some(price) => quote!(Some(#price)),
            None => quote!(None),
        };
        quote!(kernel::WaitInfo {
            objective: #objective, price: #price, over: &[#(#over),*], until: &[#(#until),*],
        })
    });
    quote! {
        kernel::Tables {
            layers: &[#(#layers),*],
            ids: &[#(#ids),*],
            order_of_ids: #ordered,
            grows: &[#(#grows),*],
            unhandled: &[#(#unhandled),*],
            unsent: &[#(#unsent),*],
            unwanted: &[#(#unwanted),*],
            overlaps: &[#(#overlaps),*],
            tunings: &[#(#tunings),*],
            waits: &[#(#waits),*],
        }
    }
}

/// Places where the order of ids matters.
pub(super) fn ordered(places: &[Ordered]) -> TokenStream {
    let places = places.iter().map(
        |Ordered { place, line, what }| quote!(kernel::OrderInfo { place: #place, line: #line, what: #what }),
    );
    quote!(&[#(#places),*])
}
