//! Puts the page of a service together.

use super::facts::{Facts, facts};
use super::html::{escape, inline, markdown};
use super::{Made, handlers, layers, sections, states, stem, tables};
use crate::ast::Service;

/// The style of all pages.
const STYLE: &str = include_str!("style.css");

/// The page of a service, one of `all`.
pub fn page(made: &Made<'_>, all: &[Made<'_>]) -> String {
    let (spec, service) = (made.spec, made.service);
    let siblings = all.iter().filter(|other| std::ptr::eq(other.spec.ast, spec.ast));
    let facts = facts(service, spec.places);
    let parts: Vec<(&str, &str, String)> = vec![
        ("states", "States", states::section(service, &facts)),
        ("layers", "Layers", layers::layers(spec, service, all)),
        ("imports", "Imports", layers::imports(spec, all)),
        ("interfaces", "Interfaces", sections::interfaces(spec, service)),
        ("parameters", "Parameters", sections::parameters(service)),
        ("variables", "Variables", sections::variables(service)),
        ("messages", "Messages", sections::messages(spec, service, &facts)),
        ("timers", "Timers", sections::timers(service, &facts)),
        ("choices", "Choices", handlers::choices(&facts)),
        ("handlers", "Handlers", handlers::section(spec, &facts)),
        ("effects", "What handlers do", tables::effects(spec, service)),
        ("analyses", "Analyses", tables::analyses(spec, service)),
        ("routines", "Routines", sections::routines(service)),
        ("properties", "Properties", sections::properties(spec, service.properties())),
        ("objectives", "Objectives", sections::objectives(spec, service)),
        ("systems", "Systems", sections::systems(spec, service)),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(.., html)| !html.is_empty()).collect();
    let mut body = header(spec, service, &facts);
    for (id, title, html) in &parts {
        body.push_str(&format!(
            "<section id=\"{id}\"><h2><a href=\"#{id}\">{title}</a></h2>\n{html}</section>\n"
        ));
    }
    let links: String =
        parts.iter().map(|(id, title, _)| format!("<li><a href=\"#{id}\">{title}</a></li>\n")).collect();
    let others: String = siblings
        .map(|other| {
            let here = if other.file == made.file { " aria-current=\"page\"" } else { "" };
            format!(
                "<li><a href=\"{}\"{here}>{}</a></li>\n",
                escape(&other.file),
                escape(&other.service.name.name)
            )
        })
        .collect();
    let nav = format!(
        "<nav><p class=\"brand\"><a href=\"index.html\">foresee</a></p><p class=\"group\">{}.mace</p><ul>{others}</ul>\
         <p class=\"group\">On this page</p><ul>{links}</ul></nav>\n",
        escape(stem(&spec.places.file.name))
    );
    document(&format!("{} - {}", service.name.name, stem(&spec.places.file.name)), &nav, &body)
}

/// A whole file.
pub fn document(title: &str, nav: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{nav}<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

fn header(spec: super::Spec<'_>, service: &Service, facts: &Facts<'_>) -> String {
    let mut html = format!("<header><p class=\"kind\">service</p><h1>{}</h1>\n", escape(&service.name.name));
    // What the file says of itself is about its only service, and has to do where a service says nothing.
    let of_file = spec.ast.services().count() == 1 || service.doc.is_none();
    let docs = [spec.ast.doc.as_deref().filter(|_| of_file), service.doc.as_deref()];
    for doc in docs.into_iter().flatten() {
        html.push_str(&format!("<div class=\"lead\">{}</div>\n", markdown(doc)));
    }
    let mut facts_line: Vec<String> = vec![];
    for provides in service.provides() {
        let by = provides.by.as_ref().map(|by| format!(" by {}", escape(&by.name))).unwrap_or_default();
        facts_line.push(format!("provides <b>{}</b>{by}", escape(&provides.interface.last().name)));
    }
    for uses in service.uses() {
        let doc = uses.doc.as_deref().map(|doc| format!(" title=\"{}\"", escape(doc))).unwrap_or_default();
        let default =
            uses.default.as_ref().map(|stack| format!(" = {}", escape(spec.places.file.slice(stack.span))));
        facts_line.push(format!(
            "<span{doc}>uses {}: <b>{}</b>{}</span>",
            escape(&uses.name.name),
            escape(&uses.interface.last().name),
            default.unwrap_or_default()
        ));
    }
    let mut count = |count: usize, one: &str, many: &str| {
        if count > 0 {
            facts_line.push(inline(&format!("**{count}** {}", if count == 1 { one } else { many })));
        }
    };
    count(facts.states.len(), "state", "states");
    count(facts.handlers.len(), "handler", "handlers");
    count(service.messages().map(|section| section.messages.len()).sum(), "message", "messages");
    count(service.properties().count(), "property", "properties");
    let chips: String = facts_line.iter().map(|fact| format!("<li>{fact}</li>")).collect();
    html.push_str(&format!("<ul class=\"chips\">{chips}</ul></header>\n"));
    html
}
