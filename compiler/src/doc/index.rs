//! The index: each file with its services, interfaces and systems.

use super::html::{escape, markdown, summary};
use super::page::document;
use super::{Made, Spec, stem};
use crate::ast::Service;

/// The page. `services` are all services with their pages.
pub fn index(specs: &[Spec<'_>], services: &[Made<'_>]) -> String {
    let mut body = format!(
        "<header><h1>Specifications</h1><ul class=\"chips\"><li><b>{}</b> files</li><li><b>{}</b> services</li></ul></header>\n",
        specs.len(),
        services.len()
    );
    let mut links = String::new();
    for (at, spec) in specs.iter().enumerate() {
        let name = stem(&spec.places.file.name);
        links.push_str(&format!("<li><a href=\"#file-{at}\">{}</a></li>\n", escape(name)));
        body.push_str(&format!("<section id=\"file-{at}\"><h2>{}</h2>\n", escape(name)));
        body.push_str(&spec.ast.doc.as_deref().map(markdown).unwrap_or_default());
        body.push_str("<div class=\"grid\">\n");
        for made in services.iter().filter(|made| std::ptr::eq(made.spec.ast, spec.ast)) {
            body.push_str(&card(made.service, &made.file));
        }
        body.push_str("</div>\n");
        body.push_str(&rest(*spec));
        body.push_str("</section>\n");
    }
    let nav = format!(
        "<nav><p class=\"brand\"><a href=\"index.html\">foresee</a></p><p class=\"group\">Files</p><ul>{links}</ul></nav>\n"
    );
    document("Specifications", &nav, &body)
}

fn card(service: &Service, file: &str) -> String {
    let (handlers, _) = crate::overlap::placed(service);
    let states: Vec<String> = service.states().map(|state| escape(&state.name.name)).collect();
    let states = if states.is_empty() {
        String::new()
    } else {
        format!("<p class=\"path\">{}</p>", states.join(" &middot; "))
    };
    let provides: Vec<String> = service.provides().map(|it| escape(&it.interface.last().name)).collect();
    let provides = if provides.is_empty() {
        String::new()
    } else {
        format!("<li>provides <b>{}</b></li>", provides.join(", "))
    };
    format!(
        "<a class=\"card service\" href=\"{}\"><h3>{}</h3>{}{states}<ul class=\"chips\">{provides}{}{}</ul></a>\n",
        escape(file),
        escape(&service.name.name),
        service.doc.as_deref().map(|doc| format!("<p>{}</p>", summary(doc))).unwrap_or_default(),
        count(handlers.len(), "handler", "handlers"),
        count(service.properties().count(), "property", "properties")
    )
}

/// How many, as a chip; nothing for none.
fn count(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!("<li><b>1</b> {one}</li>"),
        _ => format!("<li><b>{count}</b> {many}</li>"),
    }
}

/// What else a file holds, in a line each.
fn rest(spec: Spec<'_>) -> String {
    let list = |title: &str, names: Vec<&str>| match names.is_empty() {
        true => String::new(),
        false => {
            let names: Vec<String> =
                names.iter().map(|name| format!("<code>{}</code>", escape(name))).collect();
            format!("<p class=\"rest\"><b>{title}</b> {}</p>\n", names.join(" "))
        }
    };
    list("Interfaces", spec.ast.interfaces().map(|it| it.name.name.as_str()).collect())
        + &list("Systems", spec.ast.systems().map(|it| it.name.name.as_str()).collect())
        + &list("Scenarios", spec.ast.scenarios().map(|it| it.name.name.as_str()).collect())
}
