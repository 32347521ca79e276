//! Services: declarations, handlers, routines.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::ast::{self, ModifierKind};
use crate::body::{message_type, root};
use crate::check::{Cast, Checked, Trigger};
use crate::diag::Diagnostics;
use crate::ir::{
    Choose, Const, Fair, Handler, Ignore, Layer, Parameter, Provided, QueryHandler, Routine, Sendable,
    Service, State, Timer, Variable,
};
use crate::names::{CallKind, LayerName, Names, ServiceNames};
use crate::tokens::identifier;

use super::stack::Stacks;
use super::value::Home;
use super::{fields, message, objective, property};

pub(super) fn lower(
    checked: &Checked<'_>,
    index: usize,
    service: &ast::Service,
    diagnostics: &mut Diagnostics,
) -> Service {
    let (places, names) = (checked.places, &checked.names.services[index]);
    let ident = places.ident(&service.name);
    let own = service.messages().flat_map(|section| &section.messages);
    let messages = own.zip(&names.messages).map(|(it, name)| message(checked, it, name.slot)).collect();
    let states = service.states().map(|it| State {
        ident: places.ident(&it.name),
        doc: it.doc.clone(),
        line: places.line(it.name.span),
    });
    let timers = service.timers().map(|it| Timer {
        ident: places.ident(&it.name),
        doc: it.doc.clone(),
        params: fields(checked, &it.params),
        every: it.every.as_ref().and_then(|every| checked.rust.expr(every)).cloned(),
    });
    Service {
        module: identifier(&snake(&service.name.name), ident.span()),
        path: module_path(&checked.names, names),
        file: names.file,
        ident,
        doc: service.doc.clone(),
        line: places.line(service.name.span),
        carriers: names.carriers.iter().map(|it| (it.name.clone(), it.kind)).collect(),
        consts: service.consts().filter_map(|it| constant(checked, it)).collect(),
        parameters: service.parameters().filter_map(|it| parameter(checked, it)).collect(),
        states: states.collect(),
        variables: service.variables().filter_map(|it| variable(checked, it)).collect(),
        messages,
        timers: timers.collect(),
        handlers: handlers(checked, index),
        queries: queries(checked, index),
        provides: names.provides.iter().map(|it| Provided { interface: it.interface, by: it.by }).collect(),
        layers: layers(checked, index, diagnostics),
        ignores: ignores(checked, index),
        routines: routines(checked, index, service),
        properties: property::of_service(checked, index, service, diagnostics),
        liveness: super::run::liveness(
            checked,
            super::value::Home::Service { index, own: false },
            service.properties(),
            diagnostics,
        ),
        objectives: objective::of_service(checked, index, service, diagnostics),
        fair: fair(service),
        sendable: sendable(checked, index, service),
        tables: crate::ir::Tables::default(),
    }
}

/// What a generic node of a service may send.
fn sendable(checked: &Checked<'_>, index: usize, service: &ast::Service) -> Vec<Sendable> {
    let (names, own) = (&checked.names, &checked.names.services[index]);
    let one = |it: &ast::Sendable| {
        let message = names.message(own, &it.message.name)?;
        let field = |it: &ast::SendableField| {
            Some((checked.places.ident(&it.name), checked.rust.expr(&it.set)?.clone()))
        };
        let fields = it.fields.iter().map(field).collect::<Option<_>>()?;
        Some(Sendable { message, slot: names.message_at(own, message).slot, fields })
    };
    service.generic().filter_map(one).collect()
}

/// The path to the module of a service.
pub(crate) fn module_path(names: &Names, service: &ServiceNames) -> TokenStream {
    let path = names.module_path(service);
    let path = path.iter().map(|it| identifier(it, proc_macro2::Span::call_site()));
    quote!(#(#path)::*)
}

/// `RandTree` as `rand_tree`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = name.trim_start_matches("r#").chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let starts = letter.is_uppercase()
            && at > 0
            && (!letters[at - 1].is_uppercase()
                || letters.get(at + 1).is_some_and(|next| next.is_lowercase()));
        if starts && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    match syn::parse_str::<Ident>(&snake) {
        Ok(_) => snake,
        Err(_) => format!("{snake}_service"),
    }
}

/// The choices that are declared fair.
fn fair(service: &ast::Service) -> Fair {
    if service.fair().any(|it| it.sites.is_empty()) {
        return Fair::All;
    }
    let sites = service.fair().flat_map(|it| &it.sites);
    let name = |it: &ast::Dotted| it.segments.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(".");
    Fair::Sites(sites.map(name).collect())
}

fn constant(checked: &Checked<'_>, it: &ast::Const) -> Option<Const> {
    Some(Const {
        ident: checked.places.ident(&it.name),
        doc: it.doc.clone(),
        ty: checked.rust.ty(&it.ty)?.clone(),
        value: checked.rust.expr(&it.value)?.clone(),
    })
}

/// A parameter of a service or of a system.
pub(super) fn parameter(checked: &Checked<'_>, it: &ast::Parameter) -> Option<Parameter> {
    let default = it.default.as_ref();
    Some(Parameter {
        ident: checked.places.ident(&it.name),
        doc: it.doc.clone(),
        ty: checked.rust.ty(&it.ty)?.clone(),
        ty_text: it.ty.text.clone(),
        default: default.and_then(|it| checked.rust.expr(it)).cloned(),
        default_text: default.map(|it| it.text.clone()),
    })
}

fn variable(checked: &Checked<'_>, it: &ast::Variable) -> Option<Variable> {
    Some(Variable {
        ident: checked.places.ident(&it.name),
        doc: it.doc.clone(),
        ty: checked.rust.ty(&it.ty)?.clone(),
        ty_text: one_line(&it.ty.text),
        initial: it.initial.as_ref().and_then(|it| checked.rust.expr(it)).cloned(),
        durable: it.is(ModifierKind::Durable),
        ghost: it.is(ModifierKind::Ghost),
        export: it.is(ModifierKind::Export),
        secret: it.is(ModifierKind::Secret),
        line: checked.places.line(it.name.span),
    })
}

fn handlers(checked: &Checked<'_>, index: usize) -> Vec<Handler> {
    let facts = &checked.services[index];
    let handler = |(order, (head, body)): (usize, (&crate::check::Head<'_>, &crate::body::Facts))| {
        let written = head.handler;
        let guard = match &written.guard {
            Some(ast::Guard::When(guard)) => Some(checked.rust.expr(guard)?.clone()),
            _ => None,
        };
        let trigger = head.trigger.filter(|it| !matches!(it, Trigger::Query(_)))?;
        Some(Handler {
            name: head.name.clone(),
            trigger,
            head: one_line(checked.places.file.slice(written.head_span())),
            line: checked.places.line(written.span),
            doc: written.doc.clone(),
            states: head.states.clone(),
            patterns: patterns(checked, trigger, head),
            casts: casts(checked, index, &head.casts),
            chooses: chooses(checked, index, head)?,
            guard,
            otherwise: head.is_otherwise(),
            first: head.first,
            order,
            body: checked.rust.block(&written.body)?.clone(),
            facts: body.clone(),
        })
    };
    facts.heads.handlers.iter().zip(&facts.handlers).enumerate().filter_map(handler).collect()
}

/// The types of payloads, as the module of a service names them.
fn casts(checked: &Checked<'_>, index: usize, casts: &[Option<Cast>]) -> Vec<Option<syn::Type>> {
    let service = &checked.names.services[index];
    let ty = |it: &Option<Cast>| match it {
        Some(Cast::Message(message)) => {
            let ty = message_type(&checked.names, service, *message, proc_macro2::Span::call_site());
            Some(syn::parse_quote!(#ty))
        }
        Some(Cast::Type(ty)) => Some((**ty).clone()),
        None => None,
    };
    casts.iter().map(ty).collect()
}

/// The patterns of a head; a request brings its reply, which nobody writes.
fn patterns(checked: &Checked<'_>, trigger: Trigger, head: &crate::check::Head<'_>) -> Vec<syn::Pat> {
    let mut patterns = head.patterns.clone();
    if let Trigger::Call(call) = trigger
        && checked.names.call_at(call).kind == CallKind::Request
    {
        patterns.push(syn::parse_quote!(reply));
    }
    patterns
}

fn layers(checked: &Checked<'_>, index: usize, diagnostics: &mut Diagnostics) -> Vec<Layer> {
    let layer = |it: &LayerName| {
        let home = Home::Service { index, own: false };
        let default = it.default.as_ref();
        let default = default.and_then(|it| Stacks { checked, home, diagnostics }.placed(it));
        Some(Layer { name: it.name.clone(), interface: it.interface?, default })
    };
    checked.names.services[index].layers.iter().filter_map(layer).collect()
}

fn queries(checked: &Checked<'_>, index: usize) -> Vec<QueryHandler> {
    let query = |head: &crate::check::Head<'_>| {
        let Some(Trigger::Query(call)) = head.trigger else { return None };
        let written = head.handler;
        Some(QueryHandler {
            name: head.name.clone(),
            call,
            head: one_line(checked.places.file.slice(written.head_span())),
            line: checked.places.line(written.span),
            doc: written.doc.clone(),
            patterns: head.patterns.clone(),
            body: checked.rust.block(&written.body)?.clone(),
        })
    };
    checked.services[index].heads.handlers.iter().filter_map(query).collect()
}

fn chooses(checked: &Checked<'_>, index: usize, head: &crate::check::Head<'_>) -> Option<Vec<Choose>> {
    let mut hidden = head.bound();
    hidden.extend(head.handler.chooses.iter().map(|it| it.name.name.clone()));
    let choose = |it: &ast::Choose| {
        let set = checked.rust.expr(&it.set)?.clone();
        // What the head binds hides variables, and its type is not known here.
        let named = root(&set).map(|it| it.0.to_string());
        let is_hidden = named.is_some_and(|name| hidden.contains(&name));
        let ty = item_type(checked, &checked.names.services[index], &set).filter(|_| !is_hidden);
        Some(Choose { ident: checked.places.ident(&it.name), set, ty })
    };
    head.handler.chooses.iter().map(choose).collect()
}

/// The type of the elements of a set, where its form shows it: a variable, a parameter, or a call of a routine.
fn item_type(checked: &Checked<'_>, names: &ServiceNames, set: &syn::Expr) -> Option<syn::Type> {
    let declared = match set {
        syn::Expr::Reference(it) => return item_type(checked, names, &it.expr),
        syn::Expr::Paren(it) => return item_type(checked, names, &it.expr),
        syn::Expr::MethodCall(it) if it.method == "clone" => return item_type(checked, names, &it.receiver),
        syn::Expr::Path(path) => {
            let name = path.path.get_ident()?.to_string();
            let variable = names.variable(&name).and_then(|it| it.ty.as_ref());
            variable.or_else(|| names.parameter(&name).and_then(|it| it.ty.as_ref()))?
        }
        syn::Expr::Call(call) if is_named(&call.func, "subsets") => {
            let item = item_type(checked, names, call.args.first()?)?;
            return Some(syn::parse_quote!(BTreeSet<#item>));
        }
        syn::Expr::Call(call) => match &*call.func {
            syn::Expr::Path(path) => names.routine(&path.path.get_ident()?.to_string())?.output.as_ref()?,
            _ => return None,
        },
        _ => return None,
    };
    let syn::Type::Path(path) = declared else { return None };
    let last = path.path.segments.last()?;
    if let (Some(alias), true) =
        (checked.names.types.alias(&last.ident.to_string()), path.path.segments.len() == 1)
    {
        let syn::Type::Path(path) = alias else { return None };
        return element(path);
    }
    element(path)
}

fn is_named(function: &syn::Expr, name: &str) -> bool {
    matches!(function, syn::Expr::Path(path) if path.path.is_ident(name))
}

fn element(path: &syn::TypePath) -> Option<syn::Type> {
    let last = path.path.segments.last()?;
    let known = matches!(last.ident.to_string().as_str(), "BTreeSet" | "Vec" | "VecDeque" | "Option");
    known.then(|| crate::types::arguments(&last.arguments).first().copied().cloned()).flatten()
}

fn ignores(checked: &Checked<'_>, index: usize) -> Vec<Ignore> {
    let ignores = checked.services[index].heads.ignores.iter().filter_map(|it| {
        Some(Ignore {
            trigger: it.trigger?,
            states: it.states.clone(),
            patterns: it.patterns.clone(),
            casts: casts(checked, index, &it.casts),
        })
    });
    ignores.collect()
}

fn routines(checked: &Checked<'_>, index: usize, service: &ast::Service) -> Vec<Routine> {
    let routine = |it: &ast::Routine| {
        Some(Routine {
            function: checked.rust.function(&it.fragment)?.clone(),
            line: checked.places.line(it.name.span),
            shape: checked.services[index].shapes.get(&it.name.name)?.clone(),
        })
    };
    service.routines().filter_map(routine).collect()
}

/// Text on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn modules_are_named_in_snake_case() {
        assert_eq!(super::snake("RandTree"), "rand_tree");
        assert_eq!(super::snake("HTTPServer"), "http_server");
        assert_eq!(super::snake("Mod"), "mod_service");
        assert_eq!(super::snake("r#Type"), "type_service");
    }
}
