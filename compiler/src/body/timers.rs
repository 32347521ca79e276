//! The rewriting of what is done with timers: `retry.set(..)`, `retry.cancel()`, `retry.is_set()`.

use quote::quote_spanned;
use syn::Expr;
use syn::visit_mut::VisitMut;

use super::facts::Effect;
use super::literal;
use super::resolve::verbatim;
use super::scope::Local;
use super::walk::{Walker, span_of};
use crate::diag::Diagnostic;

impl Walker<'_> {
    /// `retry.set(..)`, `resend(slot).cancel()`, `retry.is_set()`
    pub(super) fn timer_call(&mut self, call: &mut syn::ExprMethodCall) -> Option<Expr> {
        let (name, arguments) = match &mut *call.receiver {
            Expr::Call(timer) => (Self::name_of(&timer.func)?.clone(), timer.args.iter_mut().collect()),
            other => (Self::name_of(other)?.clone(), Vec::new()),
        };
        let text = name.to_string();
        if self.scopes.find(&text).is_some() || self.service.variable(&text).is_some() {
            return None;
        }
        let timer = self.service.timer(&text)?;
        let (expected, periodic) = (timer.params.len(), timer.is_periodic);
        let method = call.method.to_string();
        let effect = match (method.as_str(), call.args.len()) {
            ("set", 1) => Effect::SetTimer,
            ("cancel", 0) => Effect::CancelTimer,
            ("is_set", 0) => Effect::ReadTimer,
            _ => {
                let place = self.place(call.method.span());
                let message = match method.as_str() {
                    "set" => format!("`{text}.set` takes one delay"),
                    "cancel" | "is_set" => format!("`{text}.{method}` takes no argument"),
                    _ => format!("a timer has no `{method}`"),
                };
                let help = "a timer has `.set(delay)`, `.cancel()` and `.is_set()`";
                self.report(Diagnostic::error("E0204", place, message).with_help(help));
                call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
                return Some(Expr::Verbatim(proc_macro2::TokenStream::new()));
            }
        };
        if arguments.len() != expected {
            self.wrong_arity(&name, arguments.len(), expected);
        }
        if periodic && effect != Effect::ReadTimer {
            let place = self.place(call.method.span());
            self.report(
                Diagnostic::error("E0416", place, format!("the timer `{text}` is always on"))
                    .with_label(format!("`.{method}` has no meaning for a timer declared with `every`"))
                    .with_help("declare it without `every` to arm it by hand, or guard its handler"),
            );
        }
        // A choice that goes straight into the timer.
        let held = call.args.first().and_then(Self::name_of).map(ToString::to_string);
        let held = held.filter(|it| self.scopes.find(it) == Some(Local::Fixed));
        let held = held.and_then(|it| self.chosen.iter().rev().find(|(name, _)| *name == it).cloned());
        let (straight, sites) = (call.args.first().is_some_and(Self::is_choice), self.facts.sites.len());
        let tuned = text.clone();
        match effect {
            Effect::SetTimer => {
                self.facts.timers_set.insert(text);
                self.check_delay(call.args.first());
            }
            Effect::CancelTimer => drop(self.facts.timers_cancelled.insert(text)),
            _ => {}
        }
        let span = call.method.span();
        if !self.permitted(effect, span) {
            call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
            return Some(Expr::Verbatim(proc_macro2::TokenStream::new()));
        }
        let mut arguments = arguments;
        arguments.iter_mut().for_each(|it| self.visit_expr_mut(it));
        let timer_span = name.span();
        let timer = match arguments.is_empty() {
            true => quote_spanned!(timer_span=> Timer::#name),
            false => quote_spanned!(timer_span=> Timer::#name(#(#arguments),*)),
        };
        call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
        let drawn = self.facts.sites.get(sites..).and_then(<[_]>::last).filter(|_| straight);
        let site = drawn.map(|it| it.name.clone()).or(held.map(|(_, site)| site));
        if let (Effect::SetTimer, Some(site)) = (effect, site) {
            self.facts.tuned.push((site, tuned));
        }
        let (method, delay) = (&call.method, call.args.iter());
        Some(verbatim(quote_spanned!(span=> ctx.#method(#timer #(, #delay)*))))
    }

    /// A bare number is no delay.
    fn check_delay(&mut self, delay: Option<&Expr>) {
        let Some((delay, number)) = delay.and_then(|it| Some((it, literal::bare_number(it)?))) else {
            return;
        };
        let place = self.place(span_of(delay));
        self.report(literal::without_unit(&number, place));
    }
}
