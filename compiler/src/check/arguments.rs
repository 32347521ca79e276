//! The types of an event's arguments: those that the author repeats, and those that payloads are taken for.

use crate::ast::Event;
use crate::body::is_capitalised;
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::MessageRef;
use crate::types::{Type, is_payload};

use super::{Checked, Trigger};

/// What a payload must be for a pattern to match it.
#[derive(Clone, Debug, PartialEq)]
pub enum Cast {
    /// One of the messages that the service knows.
    Message(MessageRef),
    /// A value of this type.
    Type(Box<syn::Type>),
}

/// What the payloads among the arguments of an event are taken for, by their place.
pub(super) fn casts(
    checked: &Checked<'_>,
    index: usize,
    trigger: Trigger,
    event: &Event,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Cast>> {
    let declared = declared(checked, index, trigger);
    let written = event.args.iter().flatten().zip(declared);
    let cast = |(arg, declared): (&crate::ast::Arg, Option<syn::Type>)| {
        let (declared, repeated) = (declared?, arg.ty.as_ref());
        let given = repeated.and_then(|it| checked.rust.ty(it));
        if is_payload(&declared) {
            return match given {
                Some(given) => (!is_payload(given)).then(|| Cast::Type(Box::new(given.clone()))),
                None => {
                    let pattern = checked.rust.pattern(&arg.pattern)?;
                    let meant = meant(checked, index, pattern);
                    if meant.is_none() && !is_open(pattern) {
                        let message = "what type this payload has is not known here";
                        let found = Diagnostic::error("E0436", arg.pattern.span, message);
                        let help = "write it behind the pattern, such as `7: u8`, or name a message or a type of the file";
                        diagnostics.push(found.with_help(help));
                    }
                    meant
                }
            };
        }
        let types = &checked.names.types;
        let (has, says) = (types.resolve(&declared), types.resolve(given?));
        if has != says && has != Type::Unknown && says != Type::Unknown {
            let span = repeated.map_or(event.span, |it| it.span);
            let wanted = quote::ToTokens::to_token_stream(&declared).to_string().replace(' ', "");
            let message = format!("this argument is a `{wanted}`");
            let found = Diagnostic::error("E0436", span, message).with_label("another type");
            diagnostics.push(found.with_help(format!("write `{wanted}`, or leave the type out")));
        }
        None
    };
    written.map(cast).collect()
}

/// The types of an event's arguments, where they are declared.
fn declared(checked: &Checked<'_>, index: usize, trigger: Trigger) -> Vec<Option<syn::Type>> {
    let names = &checked.names;
    match trigger {
        Trigger::Call(call) | Trigger::Query(call) | Trigger::Upcall(_, call) => {
            names.call_at(call).params.iter().map(|it| it.ty.clone()).collect()
        }
        Trigger::Answered(_, call) => vec![None, names.call_at(call).answer.clone()],
        Trigger::Timer(timer) => {
            names.services[index].timers[timer].params.iter().map(|it| it.ty.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a pattern matches any payload.
fn is_open(pattern: &syn::Pat) -> bool {
    match pattern {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(it) => it.subpat.is_none(),
        syn::Pat::Paren(inner) => is_open(&inner.pat),
        _ => false,
    }
}

/// The type that a pattern is of, where it names one.
fn meant(checked: &Checked<'_>, index: usize, pattern: &syn::Pat) -> Option<Cast> {
    let path = match pattern {
        syn::Pat::Ident(it) if is_capitalised(&it.ident.to_string()) => it.ident.clone().into(),
        syn::Pat::Struct(it) => it.path.clone(),
        syn::Pat::TupleStruct(it) => it.path.clone(),
        syn::Pat::Path(it) => it.path.clone(),
        syn::Pat::Lit(it) => return literal(&it.lit),
        syn::Pat::Paren(inner) => return meant(checked, index, &inner.pat),
        _ => return None,
    };
    let names = &checked.names;
    let single = path.get_ident().map(ToString::to_string);
    let message = single.and_then(|name| names.message(&names.services[index], &name));
    if let Some(message) = message {
        return Some(Cast::Message(message));
    }
    let mut ty = path;
    if ty.segments.len() > 1 {
        // The variant of an enum.
        ty.segments.pop();
        ty.segments.pop_punct();
    }
    Some(Cast::Type(Box::new(syn::parse_quote!(#ty))))
}

/// The type of a plain literal.
fn literal(lit: &syn::Lit) -> Option<Cast> {
    match lit {
        syn::Lit::Bool(_) => Some(Cast::Type(Box::new(syn::parse_quote!(bool)))),
        syn::Lit::Char(_) => Some(Cast::Type(Box::new(syn::parse_quote!(char)))),
        _ => None,
    }
}
