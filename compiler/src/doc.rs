//! Pages about services, as HTML without scripts: states and transitions as a diagram, layers, imports, messages, timers, handlers,
//! choices, properties, objectives, and the documentation comments. A page a service, and an index.
//!
//! Made from the syntax tree and from the names in bodies (`facts.rs`), so that a specification which only parses can be
//! shown as well; one that is right also has what the analyses know. Each page is one file with its style in it. `page.rs` puts a page together, `sections.rs`, `handlers.rs` and `tables.rs` write its
//! parts, `diagram.rs` draws, `index.rs` lists. Nothing here writes files.

mod diagram;
mod facts;
mod handlers;
mod html;
mod index;
mod layers;
mod page;
mod sections;
mod states;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Ast, Service};
use crate::body::Places;
use crate::ir::Tables;

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name, without a folder.
    pub file: String,
    /// The specification and the service that it is about; none for the index.
    pub about: Option<(String, String)>,
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
    /// What the analyses know of its services, by name: what each handler reads and changes, where ids stand. Nothing is shown of
    /// one that is not there.
    pub tables: &'a BTreeMap<String, Tables>,
}

/// A service and the file of its page.
struct Made<'a> {
    spec: Spec<'a>,
    service: &'a Service,
    file: String,
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
            services.push(Made { spec: *spec, service, file: name.unwrap_or(base) });
        }
    }
    let index = index::index(specs, &services);
    let mut pages = vec![Page { file: "index.html".to_owned(), about: None, html: index }];
    for made in &services {
        let about = (made.spec.places.file.name.clone(), made.service.name.name.clone());
        pages.push(Page { file: made.file.clone(), about: Some(about), html: page::page(made, &services) });
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
