//! Services: declarations, handlers, routines.

use proc_macro2::Ident;

use crate::ast::{self, Direction, ModifierKind};
use crate::body::root;
use crate::check::Checked;
use crate::diag::Diagnostics;
use crate::ir::{
    Choose, Const, Handler, Ignore, Message, Parameter, Routine, Service, State, Timer, Variable,
};
use crate::names::ServiceNames;

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
        module: Ident::new(&snake(&service.name.name), ident.span()),
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
        ignores: ignores(checked, index),
        routines: routines(checked, index, service),
        upcalls: calls(checked, service, Direction::Up),
        downcalls: calls(checked, service, Direction::Down),
        properties: property::of_service(checked, index, service, diagnostics),
        objectives: objective::of_service(checked, index, service, diagnostics),
    }
}

/// `RandTree` as `rand_tree`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = name.chars().collect();
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
        Some(Handler {
            name: head.name.clone(),
            trigger: head.trigger?,
            head: one_line(checked.places.file.slice(written.head_span())),
            line: checked.places.line(written.span),
            doc: written.doc.clone(),
            states: head.states.clone(),
            patterns: head.patterns.clone(),
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

fn element(path: &syn::TypePath) -> Option<syn::Type> {
    let last = path.path.segments.last()?;
    let known = matches!(last.ident.to_string().as_str(), "BTreeSet" | "Vec" | "VecDeque" | "Option");
    known.then(|| crate::types::arguments(&last.arguments).first().copied().cloned()).flatten()
}

fn ignores(checked: &Checked<'_>, index: usize) -> Vec<Ignore> {
    let ignores = checked.services[index].heads.ignores.iter().filter_map(|it| {
        Some(Ignore { trigger: it.trigger?, states: it.states.clone(), patterns: it.patterns.clone() })
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

fn calls(checked: &Checked<'_>, service: &ast::Service, direction: Direction) -> Vec<Message> {
    let provided: Vec<&str> = service.provides().map(|it| it.interface.name.as_str()).collect();
    let interfaces = checked.ast.interfaces().filter(|it| provided.contains(&it.name.name.as_str()));
    let calls = interfaces.flat_map(|it| &it.calls).filter(|call| call.direction == direction);
    let call = |call: &ast::Call| Message {
        ident: checked.places.ident(&call.name),
        doc: call.doc.clone(),
        line: checked.places.line(call.name.span),
        fields: fields(checked, &call.params),
        slot: 0,
    };
    calls.map(call).collect()
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
    }
}
