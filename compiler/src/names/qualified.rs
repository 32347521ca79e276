//! What a system calls the properties and objectives of its services, where several have one name.
//!
//! A name that one service alone has stays as it is. Of a name that several have, each is told by the layers that lead to its
//! service, `tree.depth`, which leaves that of a node's top service bare; and by its service, `Scribe.depth`, where layers do not
//! tell them apart. Read `docs/semantics.md`, section 9.

use std::collections::{BTreeMap, BTreeSet};

use super::{Names, Place};
use crate::ast::Dotted;

/// What a system calls things of its services.
#[derive(Clone, Debug, Default)]
pub struct Qualified {
    things: Vec<Thing>,
}

/// A property or an objective of a service that takes part.
#[derive(Clone, Debug)]
struct Thing {
    service: usize,
    name: String,
    /// What stands before its name in another spelling of it: the paths of layers that lead to the service, and its own name.
    prefixes: BTreeSet<String>,
    called: String,
}

/// Why a spelling stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nothing is called this.
    Unknown,
    /// It could be any of these.
    Ambiguous(Vec<String>),
}

impl Qualified {
    /// What a system with these services calls what `of` gives for each.
    pub fn new<'n>(names: &Names, places: &[Place], of: impl Fn(usize) -> Vec<&'n str>) -> Self {
        let mut paths: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for place in places {
            paths.entry(place.service).or_default().insert(&place.path);
        }
        let mut having: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for service in paths.keys() {
            for name in of(*service) {
                having.entry(name).or_default().insert(*service);
            }
        }
        let mut things = Vec::new();
        for (name, services) in having {
            for &service in &services {
                let others = || services.iter().copied().filter(move |it| *it != service);
                let by_path = paths[&service].first().copied().filter(|path| {
                    let apart =
                        |other: usize| !paths[&other].contains(path) && names.services[other].name != *path;
                    paths[&service].len() == 1 && others().all(apart)
                });
                let own = &names.services[service];
                let by_service = match others().any(|it| names.services[it].name == own.name) {
                    true => format!("{}.{}", names.files.list[own.file].module, own.name),
                    false => own.name.clone(),
                };
                let prefix = match services.len() {
                    1 => "",
                    _ => by_path.unwrap_or(&by_service),
                };
                let prefixes = paths[&service].iter().map(|it| (*it).to_owned()).chain([by_service.clone()]);
                things.push(Thing {
                    service,
                    name: name.to_owned(),
                    prefixes: prefixes.filter(|it| !it.is_empty()).collect(),
                    called: joined(prefix, name),
                });
            }
        }
        Qualified { things }
    }

    /// All names, in the order of what they were before they were told apart.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.things.iter().map(|it| it.called.as_str())
    }

    /// What the thing `name` of a service is called.
    pub fn called<'n>(&'n self, service: usize, name: &'n str) -> &'n str {
        let thing = self.things.iter().find(|it| it.service == service && it.name == name);
        thing.map_or(name, |it| &it.called)
    }

    /// What a thing is called that a system names by layers, by its service, or by its name alone.
    ///
    /// # Errors
    /// It stands for nothing, or for several things.
    pub fn resolve(&self, written: &Dotted) -> Result<&str, Unresolved> {
        self.look_up(&written.layers(), &written.split_last().0.name)
    }

    fn look_up(&self, prefix: &str, name: &str) -> Result<&str, Unresolved> {
        let written = joined(prefix, name);
        if let Some(exact) = self.things.iter().find(|it| it.called == written) {
            return Ok(&exact.called);
        }
        let fits = |it: &&Thing| it.name == name && (prefix.is_empty() || it.prefixes.contains(prefix));
        let found: Vec<&str> = self.things.iter().filter(fits).map(|it| it.called.as_str()).collect();
        match found[..] {
            [] => Err(Unresolved::Unknown),
            [one] => Ok(one),
            _ => Err(Unresolved::Ambiguous(found.iter().map(|it| (*it).to_owned()).collect())),
        }
    }
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::ServiceNames;

    /// Services of these names, each with what leads to it.
    fn called(stacks: &[(&str, &[&str])]) -> Qualified {
        let service = |name: &str| ServiceNames { name: name.to_owned(), ..ServiceNames::default() };
        let file = |module: &str| crate::names::FileNames { module: module.to_owned(), ..Default::default() };
        let mut names = Names::default();
        names.files.list = vec![file("home")];
        names.services = stacks.iter().map(|(name, _)| service(name)).collect();
        let places = stacks.iter().enumerate().flat_map(|(service, (_, paths))| {
            paths.iter().map(move |path| Place { path: (*path).to_owned(), service })
        });
        Qualified::new(&names, &places.collect::<Vec<_>>(), |_| vec!["depth"])
    }

    fn all(called: &Qualified) -> Vec<&str> {
        called.all().collect()
    }

    #[test]
    fn a_name_of_one_service_stays_bare() {
        let one = called(&[("Tree", &["tree", "other.tree"])]);
        assert_eq!(all(&one), ["depth"]);
        assert_eq!(one.look_up("other.tree", "depth"), Ok("depth"));
        assert_eq!(one.look_up("Tree", "depth"), Ok("depth"));
        assert_eq!(one.look_up("nothing", "depth"), Err(Unresolved::Unknown));
    }

    #[test]
    fn layers_tell_names_apart_and_services_do_where_layers_do_not() {
        let stack = called(&[("Scribe", &[""]), ("Tree", &["tree"])]);
        assert_eq!(all(&stack), ["depth", "tree.depth"]);
        assert_eq!(stack.look_up("", "depth"), Ok("depth"));
        assert_eq!(stack.look_up("Tree", "depth"), Ok("tree.depth"));
        let groups = called(&[("Client", &[""]), ("Server", &[""]), ("Tree", &["tree"])]);
        assert_eq!(all(&groups), ["Client.depth", "Server.depth", "tree.depth"]);
        let candidates = ["Client.depth", "Server.depth", "tree.depth"].map(str::to_owned).to_vec();
        assert_eq!(groups.look_up("", "depth"), Err(Unresolved::Ambiguous(candidates)));
        let placed_twice = called(&[("Tree", &["a", "b"]), ("Ring", &["c"])]);
        assert_eq!(all(&placed_twice), ["Tree.depth", "c.depth"]);
        assert_eq!(placed_twice.look_up("a", "depth"), Ok("Tree.depth"));
    }

    #[test]
    fn a_layer_of_the_name_of_another_service_is_told_by_its_own() {
        let odd = called(&[("Tree", &["", "x"]), ("Ring", &["Tree"])]);
        assert_eq!(all(&odd), ["Tree.depth", "Ring.depth"]);
    }
}
