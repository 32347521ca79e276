//! Pages about services, as HTML without scripts: states and transitions as a diagram, messages, timers, handlers, choices, properties,
//! objectives, and the documentation comments. A page a service, and an index.
//!
//! Made from the syntax tree and from the names in bodies (`facts.rs`), so that a specification which only parses can be
//! shown as well. Each page is one file with its style in it. `page.rs` puts a page together, `sections.rs` and `handlers.rs` write its
//! parts, `diagram.rs` draws, `index.rs` lists. Nothing here writes files.

mod diagram;
mod facts;
mod handlers;
mod html;
mod index;
mod page;
mod sections;
mod states;

use std::collections::BTreeSet;

use crate::ast::Ast;
use crate::body::Places;

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name, without a folder.
    pub file: String,
    /// Its contents.
    pub html: String,
}

/// A specification that pages are made from.
#[derive(Clone, Copy)]
pub struct Spec<'a> {
    /// The text and its tokens.
    pub places: Places<'a>,
    /// The tree.
    pub ast: &'a Ast,
}

/// The pages of all services of these specifications; the index is the first.
pub fn site(specs: &[Spec<'_>]) -> Vec<Page> {
    let mut taken = BTreeSet::from(["index.html".to_owned()]);
    let mut services = vec![];
    for spec in specs {
        for service in spec.ast.services() {
            let base = format!("{}.{}", stem(&spec.places.file.name), service.name.name);
            let mut names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
            let name = names.find_map(|name| Some(name + ".html").filter(|file| taken.insert(file.clone())));
            services.push((*spec, service, name.unwrap_or(base)));
        }
    }
    let mut pages = vec![Page { file: "index.html".to_owned(), html: index::index(specs, &services) }];
    for (spec, service, file) in &services {
        let siblings = services.iter().filter(|(other, ..)| std::ptr::eq(other.ast, spec.ast));
        let siblings: Vec<(&str, &str)> =
            siblings.map(|(_, service, file)| (service.name.name.as_str(), file.as_str())).collect();
        pages.push(Page { file: file.clone(), html: page::page(*spec, service, &siblings) });
    }
    pages
}

/// `rand_tree` of `specs/rand_tree.mace`.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.strip_suffix(".mace").unwrap_or(file)
}

#[cfg(test)]
mod tests;
