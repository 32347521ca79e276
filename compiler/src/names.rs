//! The names that a file declares: what `check` collects and everything later looks up.
//!
//! Pure data with look-ups; nothing here reports. Read `check/declare.rs`, which fills it.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Span;
use crate::types::{Type, Types};

/// All names of a file.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Rust items by name: types, functions, constants.
    pub items: BTreeMap<String, ItemName>,
    /// What `use` brings in.
    pub imported: BTreeSet<String>,
    /// Whether some `use` ends in `*`, so that unknown names prove nothing.
    pub globs: bool,
    /// Messages at file level.
    pub messages: Vec<MessageName>,
    /// The services in file order.
    pub services: Vec<ServiceNames>,
    /// The types that the file declares.
    pub types: Types,
    /// Types of the file that have a default.
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
    /// Where that stands.
    pub span: Span,
    /// Its bottom interfaces in the order of `uses`.
    pub carriers: Vec<CarrierName>,
    /// Layers below that it uses, by name.
    pub layers: BTreeMap<String, Span>,
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
    /// Downcalls of the interfaces that it provides.
    pub downcalls: Vec<CallName>,
    /// Upcalls of the interfaces that it provides.
    pub upcalls: Vec<CallName>,
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

/// A call of an interface.
#[derive(Clone, Debug)]
pub struct CallName {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Its parameters.
    pub params: Vec<FieldName>,
    /// Whether it has a result: a query or a request.
    pub has_result: bool,
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
    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<usize> {
        self.services.iter().position(|service| service.name == name)
    }

    /// The message of that name as service `service` sees it: its own first.
    pub fn message(&self, service: &ServiceNames, name: &str) -> Option<MessageRef> {
        let own = service.messages.iter().position(|message| message.name == name);
        let shared = || self.messages.iter().position(|message| message.name == name);
        let own = own.map(|index| MessageRef { shared: false, index });
        own.or_else(|| shared().map(|index| MessageRef { shared: true, index }))
    }

    /// What a reference stands for.
    pub fn message_at<'n>(&'n self, service: &'n ServiceNames, at: MessageRef) -> &'n MessageName {
        let list = if at.shared { &self.messages } else { &service.messages };
        &list[at.index]
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
