//! `as pass(child: n[2])`: which handler a step takes, and how its choices go.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast;
use crate::check::{Head, Trigger, unknown};
use crate::diag::Diagnostic;

use super::scenario::Script;

impl Script<'_, '_, '_> {
    /// The pin of a command whose event is one of `events`, at a node of the service `top`, as an option. A handler of another layer is
    /// named by the path from the top.
    pub(super) fn pin(
        &mut self,
        pin: Option<&ast::Pin>,
        top: Option<usize>,
        events: &[(usize, Trigger)],
    ) -> Option<TokenStream> {
        let Some(pin) = pin else { return Some(quote!(None)) };
        let (name, layers) = pin.handler.split_last();
        let below = match (layers, top) {
            ([], _) => None,
            (layers, Some(top)) => Some(self.lowerer.below(top, layers)?),
            (layers, None) => return self.no_path(layers).and(None),
        };
        if events.is_empty() && below.is_none() {
            let message = "which handlers take this is not known here";
            let found = Diagnostic::error("E0535", pin.span, message);
            self.lowerer.report(found.with_help("leave it out"));
            return None;
        }
        let checked = self.lowerer.checked;
        let of = |service: usize| {
            let heads = checked.services.get(service).into_iter().flat_map(|it| &it.heads.handlers);
            heads.enumerate().map(move |(at, head)| (service, at, head))
        };
        let heads: Vec<(usize, usize, &Head<'_>)> = match below {
            // What the event becomes for a layer below is not written, so any handler may be meant.
            Some(service) => of(service).collect(),
            None => {
                let takes = |(service, trigger): &(usize, Trigger)| {
                    let trigger = *trigger;
                    of(*service).filter(move |(_, _, head)| head.trigger == Some(trigger))
                };
                events.iter().flat_map(takes).collect()
            }
        };
        let Some((service, at, head)) = heads.iter().find(|(_, _, head)| head.name == name.name) else {
            let known = heads.iter().map(|(_, _, head)| head.name.as_str());
            let what = match below {
                Some(service) => format!("handler of `{}` named", checked.names.services[service].name),
                None => "handler of this event named".to_owned(),
            };
            let found = unknown("E0535", name.span, &what, &name.name, known);
            self.lowerer.report(found);
            return None;
        };
        // Its own choices, and those of the routines that it calls.
        let facts = &checked.services[*service];
        let body = facts.handlers.get(*at);
        let called = body.into_iter().flat_map(|it| crate::analyse::close(it, &facts.routines).into_values());
        let sites: Vec<&str> =
            body.into_iter().chain(called).flat_map(|it| &it.sites).map(|it| it.name.as_str()).collect();
        let (chosen, body) = self.choices(pin, head, &sites)?;
        let (service, handler) = (&checked.names.services[*service].name, &name.name);
        Some(quote! {
            Some(kernel::script::Pin {
                service: #service,
                handler: #handler,
                head: vec![#(#chosen),*],
                body: vec![#(#body),*],
            })
        })
    }

    /// The choices of a pin: those of the head in its order, and those of the body.
    fn choices<'s>(
        &mut self,
        pin: &ast::Pin,
        head: &'s Head<'_>,
        sites: &[&'s str],
    ) -> Option<(Vec<TokenStream>, Vec<TokenStream>)> {
        let heads: Vec<&str> = head.handler.chooses.iter().map(|it| it.name.name.as_str()).collect();
        let mut given: Vec<Option<TokenStream>> = vec![None; heads.len()];
        let (mut body, mut seen) = (Vec::new(), BTreeSet::<String>::new());
        let mut sound = true;
        for choice in pin.choices.iter().flatten() {
            let (last, routine) = choice.name.split_last();
            let name = choice.name.segments.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(".");
            let name = name.as_str();
            let site = match routine {
                [] => format!("{}.{name}", head.name),
                _ => name.to_owned(),
            };
            let place = heads.iter().position(|known| *known == name);
            let Some(value) = self.lowerer.expr(&choice.value, None) else {
                sound = false;
                continue;
            };
            let tokens = self.lowerer.by_value(value).tokens;
            let text = quote!(format!("{:?}", #tokens));
            if !seen.insert(site.clone()) {
                let message = format!("`{name}` is given twice");
                self.lowerer.report(Diagnostic::error("E0201", last.span, message));
                sound = false;
            }
            match place {
                Some(place) => given[place] = Some(text),
                None if sites.contains(&site.as_str()) => body.push(quote!((#site, #text))),
                None => {
                    let own = |it: &&'s str| it.strip_prefix(head.name.as_str())?.strip_prefix('.');
                    let known = heads.iter().copied().chain(sites.iter().map(|it| own(it).unwrap_or(it)));
                    let what = format!("choice of `{}` named", head.name);
                    let mut found = unknown("E0535", choice.name.span, &what, name, known);
                    let in_routine = sites.iter().find(|it| it.rsplit('.').next() == Some(name));
                    if let Some(site) = in_routine {
                        found.help = vec![format!("a routine makes it: write `{site}`")];
                    }
                    self.lowerer.report(found);
                    sound = false;
                }
            }
        }
        let chosen = heads.iter().zip(given).map(|(name, value)| match value {
            Some(value) => quote!((#name, Some(#value))),
            None => quote!((#name, None)),
        });
        sound.then(|| (chosen.collect(), body))
    }
}
