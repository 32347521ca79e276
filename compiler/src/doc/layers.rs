//! Where a service stands: what is above and below it, who binds it, and what its file imports.

use super::html::{code, escape, inline};
use super::sections::{doc, named, row, table};
use super::{Made, Spec, stem};
use crate::ast::{Ast, Expr, Import, Path, Service, Stack, Uses};
use crate::names::CarrierKind;

/// The layers: what the service provides, what it uses, and who stands on it. `all` are the services that have pages.
pub fn layers(spec: Spec<'_>, service: &Service, all: &[Made<'_>]) -> String {
    let mut rows = String::new();
    for provides in service.provides() {
        let through = match &provides.by {
            Some(by) => format!("passed through from <code>{}</code>", escape(&by.name)),
            None => "answered here".to_owned(),
        };
        rows.push_str(&row("provides", &[named(&provides.interface.last().name), String::new(), through]));
    }
    for uses in service.uses() {
        let below = below(spec, service, uses, all);
        let name = format!("<code>{}</code>", escape(&uses.name.name));
        rows.push_str(&row("uses", &[named(&uses.interface.last().name), name, below + &doc(&uses.doc)]));
    }
    for (upper, uses, file) in above(spec, service, all) {
        let link = format!("<a href=\"{}\">{}</a>", escape(file), escape(&upper.name.name));
        let name = format!("<code>{}</code>", escape(&uses.name.name));
        rows.push_str(&row("used by", &[link, name, String::new()]));
    }
    table(&["", "", "as", ""], &rows)
}

/// What a layer below may be: the network, or the services that are bound to it by default or in a system.
fn below(spec: Spec<'_>, service: &Service, uses: &Uses, all: &[Made<'_>]) -> String {
    if CarrierKind::of(&uses.interface.last().name).is_some() {
        return "the network ".to_owned();
    }
    let mut found = vec![];
    if let Some(stack) = &uses.default {
        found.push(format!("{} unless a system says otherwise", bound(spec, stack.span, &stack.path, all)));
    }
    for system in spec.ast.systems() {
        for group in system.nodes().filter(|group| is(&group.stack, service)) {
            let field = group.stack.fields().iter().find(|field| field.name.name == uses.name.name);
            if let Some(Expr { span, .. }) = field.and_then(|field| field.value.as_ref()) {
                let text = spec.places.file.slice(*span);
                let link = link(spec, text.split(['{', ' ']).next().unwrap_or_default(), all);
                let place = format!("in {}", escape(&system.name.name));
                found.push(format!(
                    "{place}: {}",
                    link.unwrap_or_else(|| format!("<code>{}</code>", code(text)))
                ));
            }
        }
    }
    match found.is_empty() {
        true => "what a system binds to it ".to_owned(),
        false => found.join("<br>") + " ",
    }
}

/// The services that bind this one to a layer of theirs by default.
fn above<'a>(
    spec: Spec<'_>,
    service: &Service,
    all: &'a [Made<'_>],
) -> Vec<(&'a Service, &'a Uses, &'a str)> {
    let mut found = vec![];
    for made in all {
        for uses in made.service.uses() {
            let name = uses.default.as_ref().and_then(|stack| stack.path.segments.last());
            let Some(name) = name.map(|name| name.name.as_str()) else { continue };
            let below = meant(made.spec, name, all);
            let here = below
                .is_some_and(|it| std::ptr::eq(it.service, service) && std::ptr::eq(it.spec.ast, spec.ast));
            if here {
                found.push((made.service, uses, made.file.as_str()));
            }
        }
    }
    found
}

fn is(stack: &Stack, service: &Service) -> bool {
    stack.path.segments.last().is_some_and(|name| name.name == service.name.name)
}

fn bound(spec: Spec<'_>, span: crate::source::Span, path: &Path, all: &[Made<'_>]) -> String {
    let name = path.segments.last().map(|name| name.name.as_str()).unwrap_or_default();
    link(spec, name, all).unwrap_or_else(|| format!("<code>{}</code>", code(spec.places.file.slice(span))))
}

/// A link to the page of the service that a name means here.
fn link(spec: Spec<'_>, name: &str, all: &[Made<'_>]) -> Option<String> {
    let made = meant(spec, name, all)?;
    Some(format!("<a href=\"{}\">{}</a>", escape(&made.file), escape(name)))
}

/// The service that a name means in a file: one of its own, or an imported one.
fn meant<'a, 'b>(spec: Spec<'_>, name: &str, all: &'a [Made<'b>]) -> Option<&'a Made<'b>> {
    let own = all.iter().find(|it| std::ptr::eq(it.spec.ast, spec.ast) && it.service.name.name == name);
    own.or_else(|| spec.ast.imports().find_map(|import| imported(import, name, all)))
}

/// The service that an import brings under a name.
fn imported<'a, 'b>(import: &Import, name: &str, all: &'a [Made<'b>]) -> Option<&'a Made<'b>> {
    let theirs = match &import.names {
        None => name,
        Some(names) => {
            let found = names.iter().find(|it| it.alias.as_ref().unwrap_or(&it.name).name == name)?;
            &found.name.name
        }
    };
    let file = &import.spec.segments.last()?.name;
    let stands = |it: &&Made<'_>| stem(&it.spec.places.file.name) == file && it.service.name.name == theirs;
    all.iter().find(stands)
}

/// What the file imports, with links to the pages of services.
pub fn imports(spec: Spec<'_>, all: &[Made<'_>]) -> String {
    let ast: &Ast = spec.ast;
    let rows = ast.imports().map(|import| {
        let path: Vec<&str> = import.spec.segments.iter().map(|it| it.name.as_str()).collect();
        let names = match &import.names {
            None => "all of it".to_owned(),
            Some(names) => {
                let one = |it: &crate::ast::ImportName| {
                    let here = it.alias.as_ref().unwrap_or(&it.name);
                    let shown = match &it.alias {
                        Some(alias) => format!("{} as {}", it.name.name, alias.name),
                        None => it.name.name.clone(),
                    };
                    link(spec, &here.name, all).unwrap_or_else(|| format!("<code>{}</code>", escape(&shown)))
                };
                names.iter().map(one).collect::<Vec<_>>().join(", ")
            }
        };
        let said = import.doc.as_deref().map(inline).unwrap_or_default();
        row(&format!("<code>{}</code>", escape(&path.join("::"))), &[names, said])
    });
    table(&["from", "names", ""], &rows.collect::<String>())
}
