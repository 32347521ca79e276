//! The names that a file and those that it imports declare: what `check` collects and everything later looks up.
//!
//! Pure data with look-ups; nothing here reports. Read `check/declare.rs`, which fills it.

mod interfaces;
mod qualified;
mod stacks;

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Ident, Path};
use crate::source::Span;
use crate::types::{IMPORTED, Type, Types};

pub use interfaces::{CallKind, CallName, CallRef, InterfaceName, LayerName, ProvidedName};
pub use qualified::{Qualified, Unresolved};
pub use stacks::{Place, bound};

/// The files that are compiled together, and what each sees.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The file that everything is looked at from.
    pub home: usize,
    /// All files.
    pub list: Vec<FileNames>,
}

/// What a file sees of others.
#[derive(Clone, Debug, Default)]
pub struct FileNames {
    /// Its module, within `imported` where it is not the home.
    pub module: String,
    /// Its path.
    pub path: String,
    /// Where it stands in the source.
    pub span: Span,
    /// What it imports, by the names that it gives.
    pub taken: BTreeMap<String, Taken>,
    /// The files that it imports as a whole, by the names that it gives.
    pub specs: BTreeMap<String, Taken>,
    /// What `use` brings in, which is Rust: nothing more is known of it.
    pub used: BTreeSet<String>,
    /// What could not be imported, which was said: nothing is known of it.
    pub lost: BTreeSet<String>,
    /// Whether some `use` ends in `*`, so that unknown names prove nothing.
    pub globs: bool,
}

/// An imported name.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The file that declares it.
    pub file: usize,
    /// Its name there; empty for a whole file.
    pub name: String,
    /// Where it is imported.
    pub span: Span,
}

impl Files {
    /// The file that a place is in.
    pub fn of(&self, span: Span) -> usize {
        // Files stand in the source in their order; what stands in no file belongs to the home.
        match self.list.iter().rposition(|file| file.span.start <= span.start) {
            Some(file) if span != Span::default() => file,
            _ => self.home,
        }
    }

    /// The file that declares a name as `file` sees it, and the name there.
    pub fn declared<'n>(&'n self, file: usize, name: &'n str) -> (usize, &'n str) {
        match self.list.get(file).and_then(|it| it.taken.get(name)) {
            Some(taken) => (taken.file, &taken.name),
            None => (file, name),
        }
    }

    /// The file that `file` imports as a whole under this name.
    pub fn spec(&self, file: usize, name: &str) -> Option<usize> {
        Some(self.list.get(file)?.specs.get(name)?.file)
    }

    /// The module of a file, as a path from all others: `imported::tree`. Empty for the home.
    pub fn path(&self, file: usize) -> Option<[&str; 2]> {
        if file == self.home { None } else { Some([IMPORTED, self.list.get(file)?.module.as_str()]) }
    }

    /// The key of a type in [`Types`]: names of the home stand for themselves.
    pub fn key(&self, file: usize, name: &str) -> String {
        match self.path(file) {
            None => name.to_owned(),
            Some([_, module]) => format!("{module}::{name}"),
        }
    }
}

/// All names of a file and of those that it imports.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The files.
    pub files: Files,
    /// Rust items by file and name: types, functions, constants.
    pub items: BTreeMap<(usize, String), ItemName>,
    /// Messages at file level, of all files.
    pub messages: Vec<MessageName>,
    /// The interfaces, those of the home first.
    pub interfaces: Vec<InterfaceName>,
    /// The services in file order, those of the home first.
    pub services: Vec<ServiceNames>,
    /// Their places, by file and name; of two that share a name, the first.
    pub places_of_services: BTreeMap<(usize, String), usize>,
    /// The types that the files declare.
    pub types: Types,
    /// Types of the files that have a default, by their keys.
    pub defaults: BTreeSet<String>,
    /// Methods of the file's own types that take `&mut self`.
    pub mutating_methods: BTreeSet<String>,
    /// Methods of the file's own types that do not.
    pub reading_methods: BTreeSet<String>,
}

/// A Rust item.
#[derive(Clone, Debug)]
pub struct ItemName {
    /// Where its name stands.
    pub span: Span,
    /// Whether it is a type, and not a function or constant.
    pub is_type: bool,
}

/// A message.
#[derive(Clone, Debug)]
pub struct MessageName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its fields in order.
    pub fields: Vec<FieldName>,
    /// The carrier: index into the service's carriers. 0 at file level.
    pub slot: usize,
    /// The file that declares it.
    pub file: usize,
}

impl MessageName {
    /// Whether it has a field of this name.
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|known| known.name == field)
    }
}

/// A field of a message, an argument of a timer or of a call.
#[derive(Clone, Debug)]
pub struct FieldName {
    /// Its name.
    pub name: String,
    /// Its type, if it could be read.
    pub ty: Option<syn::Type>,
}

/// The names of a service.
#[derive(Clone, Debug, Default)]
pub struct ServiceNames {
    /// Its name.
    pub name: String,
    /// The file that declares it.
    pub file: usize,
    /// Where that stands.
    pub span: Span,
    /// Its bottom interfaces in the order of `uses`.
    pub carriers: Vec<CarrierName>,
    /// The lower layers that it uses, in order; a layer's place is its slot.
    pub layers: Vec<LayerName>,
    /// The interfaces that it provides, in order.
    pub provides: Vec<ProvidedName>,
    /// Constants.
    pub consts: BTreeMap<String, ConstName>,
    /// Parameters in order.
    pub parameters: Vec<ParameterName>,
    /// Control states in order.
    pub states: Vec<StateName>,
    /// Variables in order, without the control state.
    pub variables: Vec<VariableName>,
    /// Its own messages in order.
    pub messages: Vec<MessageName>,
    /// Timers in order.
    pub timers: Vec<TimerName>,
    /// Routines in order.
    pub routines: Vec<RoutineName>,
}

/// A bottom interface.
#[derive(Clone, Debug)]
pub struct CarrierName {
    /// The name in `uses`.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What it guarantees.
    pub kind: CarrierKind,
}

/// What a carrier guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarrierKind {
    /// Ordered connections.
    Reliable,
    /// Messages that may be lost.
    Datagram,
    /// As `Reliable`, between authenticated nodes.
    Secure,
}

impl CarrierKind {
    /// The kind of that name.
    pub fn of(name: &str) -> Option<CarrierKind> {
        match name {
            "Reliable" => Some(CarrierKind::Reliable),
            "Datagram" => Some(CarrierKind::Datagram),
            "Secure" => Some(CarrierKind::Secure),
            _ => None,
        }
    }

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            CarrierKind::Reliable => "Reliable",
            CarrierKind::Datagram => "Datagram",
            CarrierKind::Secure => "Secure",
        }
    }
}

/// A constant.
#[derive(Clone, Debug)]
pub struct ConstName {
    /// Where it is declared.
    pub span: Span,
    /// Its type.
    pub ty: Type,
}

/// A parameter of a service.
#[derive(Clone, Debug)]
pub struct ParameterName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its type, if it could be read.
    pub ty: Option<syn::Type>,
    /// Whether it has a default.
    pub has_default: bool,
}

/// A control state.
#[derive(Clone, Debug)]
pub struct StateName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct VariableName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its type, if it could be read.
    pub ty: Option<syn::Type>,
    /// Whether its type may hide something that the file does not declare.
    pub is_foreign: bool,
    /// Whether it exists for properties alone.
    pub is_ghost: bool,
    /// Whether it is kept on disk.
    pub is_durable: bool,
    /// Whether it has keys: a map, by which entries change, or a set.
    pub is_keyed: bool,
}

/// A timer.
#[derive(Clone, Debug)]
pub struct TimerName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its arguments.
    pub params: Vec<FieldName>,
    /// Whether it is armed by itself, for ever.
    pub is_periodic: bool,
}

/// A routine.
#[derive(Clone, Debug)]
pub struct RoutineName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// How many arguments it takes.
    pub arity: usize,
    /// The type of its result; `None` for none.
    pub output: Option<syn::Type>,
}

/// A message as a service sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageRef {
    /// Whether it is declared at file level.
    pub shared: bool,
    /// Index into the file's or the service's messages.
    pub index: usize,
}

impl Names {
    /// The service that a name stands for, where the name stands.
    pub fn service(&self, name: &Ident) -> Option<usize> {
        let (file, name) = self.files.declared(self.files.of(name.span), &name.name);
        self.service_in(file, name)
    }

    /// Adds a service.
    pub fn add_service(&mut self, service: ServiceNames) {
        // The first of a name is meant; another one is a mistake that is reported.
        let key = (service.file, service.name.clone());
        self.places_of_services.entry(key).or_insert(self.services.len());
        self.services.push(service);
    }

    /// The service of a file that has this name.
    fn service_in(&self, file: usize, name: &str) -> Option<usize> {
        self.places_of_services.get(&(file, name.to_owned())).copied()
    }

    /// The service that a path stands for: one name, or `spec::Name` for a file that is imported as a whole.
    pub fn service_at(&self, path: &Path) -> Option<usize> {
        match path.segments.as_slice() {
            [name] => self.service(name),
            [spec, name] => {
                let file = self.files.spec(self.files.of(spec.span), &spec.name)?;
                self.service_in(file, &name.name)
            }
            _ => None,
        }
    }

    /// The names of services that can be named in a file.
    pub fn services_seen(&self, file: usize) -> Vec<&str> {
        let own = self.services.iter().filter(|it| it.file == file).map(|it| it.name.as_str());
        let taken = self.files.list.get(file).into_iter().flat_map(|it| &it.taken);
        let taken =
            taken.filter(|(_, it)| self.services.iter().any(|s| s.file == it.file && s.name == it.name));
        own.chain(taken.map(|(name, _)| name.as_str())).collect()
    }

    /// The message of that name as service `service` sees it: its own first.
    pub fn message(&self, service: &ServiceNames, name: &str) -> Option<MessageRef> {
        if let Some(index) = service.messages.iter().position(|message| message.name == name) {
            return Some(MessageRef { shared: false, index });
        }
        let (file, name) = self.files.declared(service.file, name);
        let index = self.messages.iter().position(|it| it.file == file && it.name == name)?;
        Some(MessageRef { shared: true, index })
    }

    /// What a reference stands for.
    pub fn message_at<'n>(&'n self, service: &'n ServiceNames, at: MessageRef) -> &'n MessageName {
        let list = if at.shared { &self.messages } else { &service.messages };
        &list[at.index]
    }

    /// The messages at file level that a service can name without an import.
    pub fn messages_beside<'n>(&'n self, service: &'n ServiceNames) -> impl Iterator<Item = &'n MessageName> {
        self.messages.iter().filter(|it| it.file == service.file)
    }

    /// A Rust item of that name as a file sees it.
    pub fn item(&self, file: usize, name: &str) -> Option<&ItemName> {
        let (file, name) = self.files.declared(file, name);
        self.items.get(&(file, name.to_owned()))
    }

    /// Whether the file of a module declares a Rust item of this name.
    pub fn is_declared(&self, module: &str, name: &str) -> bool {
        let file = self.files.list.iter().position(|it| it.module == module);
        file.is_some_and(|file| self.items.contains_key(&(file, name.to_owned())))
    }

    /// Whether a name is that of a Rust item, or of something that `use` brings in and of which nothing is known.
    pub fn is_rust(&self, file: usize, name: &str) -> bool {
        self.item(file, name).is_some() || self.is_foreign(file, name)
    }

    /// Whether nothing is known of a name but that it is there.
    pub fn is_foreign(&self, file: usize, name: &str) -> bool {
        let of =
            |it: &FileNames| it.used.contains(name) || it.lost.contains(name) || it.specs.contains_key(name);
        self.files.list.get(file).is_some_and(of)
    }

    /// What to say of a name in the place of a `what` of the language, where it is that of something else: Rust that `use` brings in, or
    /// a whole file. `None` where it is neither.
    pub fn mistaken(&self, file: usize, name: &str, what: &str) -> Option<String> {
        let of = self.files.list.get(file)?;
        if of.lost.contains(name) {
            return None;
        }
        let rust = || format!("`use` brings in Rust; {what}s come by `import FILE::{{{name}}};`");
        let whole = || format!("`{name}` is a file: write `{name}::NAME`");
        of.used.contains(name).then(rust).or_else(|| of.specs.contains_key(name).then(whole))
    }

    /// Whether names that nobody knows prove nothing in a file.
    pub fn has_globs(&self, file: usize) -> bool {
        self.files.list.get(file).is_some_and(|it| it.globs)
    }

    /// The names of the Rust items of a file, its own and the imported ones.
    pub fn items_seen(&self, file: usize) -> impl Iterator<Item = &str> {
        let own = self.items.keys().filter(move |(of, _)| *of == file).map(|(_, name)| name.as_str());
        let taken = self.files.list.get(file).into_iter().flat_map(|it| it.taken.keys());
        own.chain(taken.map(String::as_str))
    }

    /// Where a service's module is: `tree`, or `imported::overlay::tree`.
    pub fn module_path(&self, service: &ServiceNames) -> Vec<String> {
        let path = self.files.path(service.file).into_iter().flatten().map(str::to_owned);
        path.chain(std::iter::once(crate::lower::snake(&service.name))).collect()
    }
}

impl ServiceNames {
    /// The variable of that name.
    pub fn variable(&self, name: &str) -> Option<&VariableName> {
        self.variables.iter().find(|known| known.name == name)
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&ParameterName> {
        self.parameters.iter().find(|known| known.name == name)
    }

    /// The timer of that name.
    pub fn timer(&self, name: &str) -> Option<&TimerName> {
        self.timers.iter().find(|known| known.name == name)
    }

    /// The routine of that name.
    pub fn routine(&self, name: &str) -> Option<&RoutineName> {
        self.routines.iter().find(|known| known.name == name)
    }

    /// Whether it has a control state of that name.
    pub fn has_state(&self, name: &str) -> bool {
        self.states.iter().any(|known| known.name == name)
    }
}

/// The name among `known` that was probably meant.
pub fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match name.chars().count() {
        0..=2 => 0,
        length => (length / 3).max(1),
    };
    let scored = known.into_iter().map(|candidate| (distance(name, candidate), candidate));
    scored
        .filter(|(score, candidate)| *score <= limit && *candidate != name)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of letters to add, drop, replace or swap with a neighbour; a change of case alone counts as one.
fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return 1;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_near() {
        assert_eq!(closest("chlidren", ["parent", "children"]), Some("children"));
        assert_eq!(closest("joined", ["Joined", "Idle"]), Some("Joined"));
        assert_eq!(closest("xyz", ["parent", "children"]), None);
        assert_eq!(closest("a", ["a"]), None);
    }
}
