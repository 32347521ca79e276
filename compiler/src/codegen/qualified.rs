//! The claims and objectives of services as a system that has several of one name calls them.
//!
//! Where a system calls all of a service's by their own names, it takes that service's tables as they are.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::ir::{Service, Spec, System};
use crate::names::Qualified;

/// A table of a service.
struct Table {
    /// Its name in the module of the service.
    name: &'static str,
    /// The type of its entries, and the method that takes them.
    of: [Ident; 2],
    /// The names of its entries, as the service and as the system calls them.
    names: Vec<[String; 2]>,
}

impl Table {
    fn renamed(&self) -> bool {
        self.names.iter().any(|[own, called]| own != called)
    }

    /// Its name in the module of the system.
    fn there(&self, service: usize) -> Ident {
        format_ident!("{}_{service}", self.name)
    }
}

/// The tables of a service that there are.
fn tables(service: &Service, system: &System, index: usize) -> Vec<Table> {
    let table = |name, [of, method]: [&str; 2], called: &Qualified, own: Vec<&String>| {
        let both = |own: &String| [own.clone(), called.called(index, own).to_owned()];
        let names = own.into_iter().map(both).collect();
        Table { name, of: [format_ident!("{of}"), format_ident!("{method}")], names }
    };
    let claims = service.properties.iter().map(|it| &it.name).collect();
    let runs: Vec<&String> = service.liveness.iter().map(|it| &it.name).collect();
    let weighed = service.objectives.iter().map(|it| &it.name).collect();
    let (claimed, lives) = (&system.claims, !runs.is_empty());
    let runs = table("LIVENESS", ["Liveness", "liveness"], claimed, runs);
    [table("PROPERTIES", ["Property", "properties"], claimed, claims)]
        .into_iter()
        .chain(lives.then_some(runs))
        .chain([table("OBJECTIVES", ["Objective", "objectives"], &system.weighed, weighed)])
        .collect()
}

/// Statics for the module of a system: the tables of services in which it calls something otherwise.
pub(super) fn statics(spec: &Spec, system: &System) -> TokenStream {
    let mut taken: Vec<usize> = system.places.iter().map(|it| it.service).collect();
    taken.sort_unstable();
    taken.dedup();
    let statics = taken.into_iter().flat_map(|index| {
        let service = &spec.services[index];
        tables(service, system, index).into_iter().filter(Table::renamed).map(move |table| {
            let (module, name, there) = (&service.path, format_ident!("{}", table.name), table.there(index));
            let ([of, _], count) = (&table.of, table.names.len());
            let entries =
                table.names.iter().enumerate().map(
                    |(place, [_, called])| quote!(kernel::#of { name: #called, ..#module::#name[#place] }),
                );
            let about = super::doc(&format!(
                "`{}` of `{}`, by their names in this system.",
                table.name, service.ident
            ));
            quote! {
                #about
                pub static #there: [kernel::#of; #count] = [#(#entries),*];
            }
        })
    });
    statics.collect()
}

/// What adds the claims and objectives of a service to the model of a system.
pub(super) fn added(spec: &Spec, system: &System, index: usize) -> TokenStream {
    let (service, claims) = (&spec.services[index], super::system::claims(system));
    let added = tables(service, system, index).into_iter().map(|table| {
        let (module, name, [_, method]) = (&service.path, format_ident!("{}", table.name), &table.of);
        match table.renamed() {
            true => {
                let there = table.there(index);
                quote!(this_model.#method(&#claims::#there);)
            }
            false => quote!(this_model.#method(&#module::#name);),
        }
    });
    added.collect()
}
