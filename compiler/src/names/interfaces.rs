//! Interfaces, their calls, and which of them a service provides and uses.
//!
//! A call is named by a [`CallRef`]. The generated module of an interface has an enum `Downcall` of its commands and requests,
//! an enum `Upcall`, and a struct for each query; [`CallName::type_name`] is the variant or struct that stands for a call.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::{FieldName, Names, ServiceNames, Taken};
use crate::ast::{Ident, Path, Stack};
use crate::source::Span;
use crate::tokens::identifier;

/// An interface.
#[derive(Clone, Debug)]
pub struct InterfaceName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// The file that declares it.
    pub file: usize,
    /// The module that holds its types, beside those of the services.
    pub module: String,
    /// Its calls in file order.
    pub calls: Vec<CallName>,
}

/// What a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// Downward, without a result: queued and handled within the step.
    Command,
    /// Downward, with a value that is there at once.
    Query,
    /// Downward, answered once and later.
    Request,
    /// Upward.
    Upcall,
}

impl CallKind {
    /// How a message to people calls it.
    pub const fn word(self) -> &'static str {
        match self {
            CallKind::Command => "command",
            CallKind::Query => "query",
            CallKind::Request => "request",
            CallKind::Upcall => "upcall",
        }
    }

    /// Whether it goes from the layer above to the service.
    pub const fn is_down(self) -> bool {
        !matches!(self, CallKind::Upcall)
    }
}

/// A call of an interface.
#[derive(Clone, Debug)]
pub struct CallName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// What it is.
    pub kind: CallKind,
    /// Its parameters.
    pub params: Vec<FieldName>,
    /// The type of a query's answer, or of what a request is answered with.
    pub answer: Option<syn::Type>,
}

impl CallName {
    /// The name of its variant in `Downcall` or `Upcall`; a query's struct.
    pub fn type_name(&self) -> String {
        let name = camel(&self.name);
        if self.kind == CallKind::Query { format!("{name}Query") } else { name }
    }
}

/// A call by its interface and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallRef {
    /// Index into [`Names::interfaces`].
    pub interface: usize,
    /// Index into [`InterfaceName::calls`].
    pub call: usize,
}

/// An interface that a service provides.
#[derive(Clone, Debug)]
pub struct ProvidedName {
    /// Index into [`Names::interfaces`].
    pub interface: usize,
    /// Where it is named.
    pub span: Span,
    /// The lower layer that provides it in the service's place: index into [`ServiceNames::layers`].
    pub by: Option<usize>,
}

/// A lower layer that a service uses.
#[derive(Clone, Debug)]
pub struct LayerName {
    /// The name in `uses`.
    pub name: String,
    /// Where that stands.
    pub span: Span,
    /// Index into [`Names::interfaces`]; `None` where there is no such interface, which was reported.
    pub interface: Option<usize>,
    /// What is there where a system says nothing else.
    pub default: Option<Stack>,
}

impl Names {
    /// The interface that a name stands for, where the name stands.
    pub fn interface(&self, name: &Ident) -> Option<usize> {
        let (file, name) = self.files.declared(self.files.of(name.span), &name.name);
        self.interfaces.iter().position(|interface| interface.file == file && interface.name == name)
    }

    /// The interface that a path stands for: one name, or `spec::Name` for a file that is imported as a whole.
    pub fn interface_at(&self, path: &Path) -> Option<usize> {
        match path.segments.as_slice() {
            [name] => self.interface(name),
            [spec, name] => {
                let file = self.files.spec(self.files.of(spec.span), &spec.name)?;
                self.interfaces.iter().position(|it| it.file == file && it.name == name.name)
            }
            _ => None,
        }
    }

    /// The names of the interfaces that a file declares or imports.
    pub fn interfaces_seen(&self, file: usize) -> impl Iterator<Item = &str> {
        let own = self.interfaces.iter().filter(move |it| it.file == file).map(|it| it.name.as_str());
        let taken = self.files.list.get(file).into_iter().flat_map(|it| &it.taken);
        let is =
            |taken: &Taken| self.interfaces.iter().any(|it| it.file == taken.file && it.name == taken.name);
        own.chain(taken.filter(move |(_, it)| is(it)).map(|(name, _)| name.as_str()))
    }

    /// The path to the module of an interface.
    pub fn interface_path(&self, interface: usize, span: proc_macro2::Span) -> TokenStream {
        let interface = &self.interfaces[interface];
        let path = self.files.path(interface.file).into_iter().flatten();
        let path = path.chain([interface.module.as_str()]).map(|it| identifier(it, span));
        quote_spanned!(span=> #(#path)::*)
    }

    /// What a reference stands for.
    pub fn call_at(&self, at: CallRef) -> &CallName {
        &self.interfaces[at.interface].calls[at.call]
    }

    /// The interface of a call.
    pub fn interface_of(&self, at: CallRef) -> &InterfaceName {
        &self.interfaces[at.interface]
    }

    /// The calls of an interface.
    pub fn calls(&self, interface: usize) -> impl Iterator<Item = (CallRef, &CallName)> {
        let calls = self.interfaces[interface].calls.iter().enumerate();
        calls.map(move |(call, it)| (CallRef { interface, call }, it))
    }

    /// The calls of the interfaces that a service provides, those that it passes through included.
    pub fn provided<'n>(
        &'n self,
        service: &'n ServiceNames,
    ) -> impl Iterator<Item = (CallRef, &'n CallName)> {
        service.provides.iter().flat_map(|it| self.calls(it.interface))
    }

    /// The downcall of that name which a service takes.
    pub fn downcall(&self, service: &ServiceNames, name: &str) -> Option<CallRef> {
        self.provided(service).find(|(_, it)| it.kind.is_down() && it.name == name).map(|(at, _)| at)
    }

    /// The upcall of that name which a service may emit.
    pub fn upcall(&self, service: &ServiceNames, name: &str) -> Option<CallRef> {
        self.provided(service).find(|(_, it)| !it.kind.is_down() && it.name == name).map(|(at, _)| at)
    }

    /// The call of that name which the interface of a lower layer has.
    pub fn layer_call(&self, layer: &LayerName, name: &str) -> Option<CallRef> {
        self.calls(layer.interface?).find(|(_, it)| it.name == name).map(|(at, _)| at)
    }
}

impl ServiceNames {
    /// The place of the lower layer of that name: its slot.
    pub fn layer(&self, name: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer.name == name)
    }

    /// How it provides an interface.
    pub fn provides(&self, interface: usize) -> Option<&ProvidedName> {
        self.provides.iter().find(|it| it.interface == interface)
    }
}

/// `max_load` as `MaxLoad`.
fn camel(name: &str) -> String {
    let words = name.trim_start_matches("r#").split('_');
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    words.filter_map(capital).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn calls_are_types_in_camel_case() {
        assert_eq!(super::camel("max_load"), "MaxLoad");
        assert_eq!(super::camel("r#type"), "Type");
        assert_eq!(super::camel("_x2"), "X2");
    }
}
