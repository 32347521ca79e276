//! Tables about a spec that the compiler writes and the runtime reads: names, lines, sites. All are constants.

use crate::{ArgumentError, Arguments, Model};

/// A compiled spec.
#[derive(Debug)]
pub struct SpecInfo {
    /// The name of the file without `.mace`.
    pub name: &'static str,
    /// The path as it was given to the compiler.
    pub file: &'static str,
    /// XXH3 of the text: a trace of another text is refused.
    pub hash: u64,
    /// Its services, in file order.
    pub services: &'static [&'static ServiceInfo],
    /// Its systems, in file order.
    pub systems: &'static [SystemInfo],
}

/// A system: what is put together, with parameters that the command line may override.
pub struct SystemInfo {
    /// Its name.
    pub name: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// Its parameters.
    pub parameters: &'static [ParameterInfo],
    /// Builds the model from arguments; what they leave out has its default.
    pub build: fn(&Arguments) -> Result<Model, ArgumentError>,
}

impl std::fmt::Debug for SystemInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemInfo").field("name", &self.name).field("parameters", &self.parameters).finish()
    }
}

/// A parameter of a system.
#[derive(Debug)]
pub struct ParameterInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type, as written.
    pub ty: &'static str,
    /// Its default, as written; one without must be given.
    pub default: Option<&'static str>,
}

/// A service.
#[derive(Debug)]
pub struct ServiceInfo {
    /// Its name.
    pub name: &'static str,
    /// The spec's path as it was given to the compiler.
    pub file: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The names of its control states; the first is where a node starts. Empty where it declares none.
    pub states: &'static [&'static str],
    /// Its variables, in order.
    pub variables: &'static [VariableInfo],
    /// The messages it declares itself.
    pub messages: &'static [MessageInfo],
    /// Its bottom interfaces, in the order of `uses`.
    pub carriers: &'static [CarrierInfo],
    /// Its handlers, in file order.
    pub handlers: &'static [HandlerInfo],
    /// Where its steps branch.
    pub sites: &'static [SiteInfo],
}

/// A variable of a service.
#[derive(Debug)]
pub struct VariableInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type, as written.
    pub ty: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// Whether it survives a crash.
    pub durable: bool,
    /// Whether it exists for properties alone.
    pub ghost: bool,
}

/// A message kind.
#[derive(Debug)]
pub struct MessageInfo {
    /// Its name.
    pub name: &'static str,
    /// Its line in the spec.
    pub line: u32,
}

/// A bottom interface that a service uses.
#[derive(Debug)]
pub struct CarrierInfo {
    /// The name in `uses`.
    pub name: &'static str,
    /// What it guarantees.
    pub kind: CarrierKind,
}

/// What a carrier guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CarrierKind {
    /// Ordered connections, breaks reported.
    Reliable,
    /// Messages that may be lost, reordered and duplicated.
    Datagram,
    /// As `Reliable`, between authenticated nodes.
    Secure,
}

/// A handler.
#[derive(Debug)]
pub struct HandlerInfo {
    /// Its stable name: as written, or derived from its event.
    pub name: &'static str,
    /// Its event, as people read it: `deliver Join`, `timer retry`.
    pub event: &'static str,
    /// Its line in the spec.
    pub line: u32,
}

/// A place at which a step branches.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteInfo {
    /// Its stable name: an event for the choice of a handler, `handler.binding` for one in a body.
    pub name: &'static str,
    /// Its line in the spec.
    pub line: u32,
}
