//! The rewriting of calls between layers: `tree.join(..)`, `tree.parent()`, `link.transmit(..)`, `up.joined(..)`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{Expr, Ident};

use super::facts::{Effect, Mode, Window};
use super::resolve::verbatim;
use super::walk::Walker;
use crate::diag::Diagnostic;
use crate::names::{CallKind, CallRef, closest};

impl Walker<'_> {
    /// Whether `ctx` is at hand.
    pub(super) fn sees_step(&self) -> bool {
        matches!(self.mode, Mode::Handler | Mode::Guard | Mode::Every | Mode::Routine(Window::Step))
    }

    /// `tree.join(..)`: a command, a query or a request to the lower layer at `slot`.
    pub(super) fn layer_call(&mut self, slot: usize, call: &mut syn::ExprMethodCall) -> Expr {
        let outer = self.binding.take();
        call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
        self.binding = outer;
        let (name, span) = (call.method.clone(), call.method.span());
        let nothing = verbatim(quote_spanned!(span=> ()));
        let layer = &self.service.layers[slot];
        // A layer without a known interface was reported.
        let Some(interface) = layer.interface else { return nothing };
        let Some(at) = self.names.layer_call(layer, &name.to_string()) else {
            self.unknown_call(interface, &name);
            return nothing;
        };
        let declared = self.names.call_at(at);
        let (kind, expected, given) = (declared.kind, declared.params.len(), call.args.len());
        if kind == CallKind::Upcall {
            let (place, layer) = (self.place(span), &layer.name);
            let found =
                Diagnostic::error("E0209", place, format!("`{name}` is an upcall: it comes from `{layer}`"));
            let help = format!("handle it: `upcall {layer}.{name}(..) {{ .. }}`");
            self.report(found.with_secondary(declared.span, "declared here").with_help(help));
            return nothing;
        }
        let passes = kind == CallKind::Request && given == expected + 1;
        if given != expected && !passes {
            self.wrong_arity(&name, given, expected);
            return nothing;
        }
        let effect = if kind == CallKind::Query { Effect::Ask } else { Effect::Call };
        let noted = if kind == CallKind::Query { &mut self.facts.asked } else { &mut self.facts.called };
        noted.insert((slot, at));
        if !self.permitted(effect, span) {
            return nothing;
        }
        let arguments: Vec<&Expr> = call.args.iter().collect();
        verbatim(match kind {
            CallKind::Query => self.query(slot, at, &name, &arguments),
            CallKind::Request if !passes => self.request(slot, at, &name, &arguments),
            _ => {
                let path = self.path(at, "Downcall", &name);
                let mut fields = self.fields(at, &name);
                fields.extend(passes.then(|| Ident::new("reply", span)));
                quote_spanned!(span=> ctx.call(#slot, #path { #(#fields: #arguments),* }))
            }
        })
    }

    fn query(&self, slot: usize, at: CallRef, name: &Ident, arguments: &[&Expr]) -> TokenStream {
        let (span, declared) = (name.span(), self.names.call_at(at));
        let module = self.names.interface_path(at.interface, span);
        let query = format_ident!("{}", declared.type_name(), span = span);
        let (fields, answer) = (self.fields(at, name), &declared.answer);
        let window = if self.sees_step() { quote_spanned!(span=> ctx) } else { quote_spanned!(span=> below) };
        quote_spanned!(span=> #window.query::<super::#module::#query, #answer>(
            #slot,
            &super::#module::#query { #(#fields: #arguments),* },
        ))
    }

    /// The arguments are evaluated before the request has its number.
    fn request(&self, slot: usize, at: CallRef, name: &Ident, arguments: &[&Expr]) -> TokenStream {
        let (span, path, fields) = (name.span(), self.path(at, "Downcall", name), self.fields(at, name));
        let method = proc_macro2::Literal::u16_unsuffixed(at.call as u16);
        if fields.is_empty() {
            return quote_spanned!(span=> ctx.request(#slot, #method, |reply| #path { reply }));
        }
        quote_spanned!(span=> match (#(#arguments,)*) {
            (#(#fields,)*) => ctx.request(#slot, #method, |reply| #path { #(#fields,)* reply }),
        })
    }

    /// The variant of a call, seen from the module of a service.
    fn path(&self, at: CallRef, list: &str, name: &Ident) -> TokenStream {
        let span = name.span();
        let module = self.names.interface_path(at.interface, span);
        let (list, variant) = (
            format_ident!("{list}", span = span),
            format_ident!("{}", self.names.call_at(at).type_name(), span = span),
        );
        quote_spanned!(span=> super::#module::#list::#variant)
    }

    fn fields(&self, at: CallRef, name: &Ident) -> Vec<Ident> {
        let params = self.names.call_at(at).params.iter();
        params.map(|it| format_ident!("{}", it.name, span = name.span())).collect()
    }

    fn unknown_call(&mut self, interface: usize, name: &Ident) {
        let (text, of) = (name.to_string(), &self.names.interfaces[interface]);
        let down = of.calls.iter().filter(|it| it.kind.is_down()).map(|it| it.name.as_str());
        let down: Vec<&str> = down.collect();
        let message = format!("the interface `{}` has no downcall `{text}`", of.name);
        let found = Diagnostic::error("E0209", self.place(name.span()), message);
        let found = found.with_secondary(of.span, "declared here");
        self.report(match closest(&text, down.iter().copied()) {
            Some(meant) => found.with_help(format!("did you mean `{meant}`?")),
            None if down.is_empty() => found.with_help("it has no downcalls at all"),
            None => found.with_help(format!("its downcalls are: {}", down.join(", "))),
        });
    }

    /// `up.joined(root)`
    pub(super) fn upcall(&mut self, call: &mut syn::ExprMethodCall) -> Expr {
        let name = call.method.clone();
        let (text, span) = (name.to_string(), name.span());
        call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
        let nothing = verbatim(quote_spanned!(span=> ()));
        let Some(at) = self.names.upcall(self.service, &text) else {
            self.unknown_upcall(&name);
            return nothing;
        };
        let declared = self.names.call_at(at);
        if declared.params.len() != call.args.len() {
            let expected = declared.params.len();
            self.wrong_arity(&name, call.args.len(), expected);
            return nothing;
        }
        if let Some(provided) = self.service.provides(at.interface)
            && let Some(by) = provided.by
        {
            let layer = &self.service.layers[by].name;
            let found = Diagnostic::error(
                "E0433",
                self.place(span),
                format!("`{text}` comes from the layer `{layer}`, not from here"),
            );
            let found = found.with_secondary(provided.span, "passed through here");
            self.report(found.with_help(format!("leave the call out, or `by {layer}`")));
            return nothing;
        }
        self.facts.upcalls.insert(text);
        if !self.permitted(Effect::Up, span) {
            return nothing;
        }
        let (path, fields, arguments) =
            (self.path(at, "Upcall", &name), self.fields(at, &name), call.args.iter());
        verbatim(quote_spanned!(span=> ctx.up(#path { #(#fields: #arguments),* })))
    }

    fn unknown_upcall(&mut self, name: &Ident) {
        let text = name.to_string();
        let provided = self.names.provided(self.service);
        let known: Vec<&str> =
            provided.filter(|(_, it)| !it.kind.is_down()).map(|(_, it)| it.name.as_str()).collect();
        let label = match known.is_empty() {
            true => "the service provides no interface with upcalls",
            false => "not declared in an interface that the service provides",
        };
        let place = self.place(name.span());
        let mut found =
            Diagnostic::error("E0209", place, format!("there is no upcall `{text}`")).with_label(label);
        if let Some(meant) = closest(&text, known) {
            found = found.with_help(format!("did you mean `{meant}`?"));
        }
        self.report(found);
    }
}
