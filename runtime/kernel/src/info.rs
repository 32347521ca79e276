//! Tables about a spec that the compiler writes and the runtime reads: names, lines, sites. All are constants.

use crate::{ArgumentError, Arguments, Deeds, Model, OrderInfo, ScenarioInfo, Tables};

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
    /// Its scenarios, in file order.
    pub scenarios: &'static [ScenarioInfo],
}

/// A system: what is put together, with parameters that the command line may override.
pub struct SystemInfo {
    /// Its name.
    pub name: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// Its parameters.
    pub parameters: &'static [ParameterInfo],
    /// Where its properties depend on the order of ids.
    pub order_of_ids: &'static [OrderInfo],
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
    /// What the compiler found out about its bodies and types.
    pub tables: &'static Tables,
}

impl ServiceInfo {
    /// A service that declares nothing.
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        ServiceInfo {
            name,
            file,
            line,
            states: &[],
            variables: &[],
            messages: &[],
            carriers: &[],
            handlers: &[],
            sites: &[],
            tables: &Tables::NONE,
        }
    }
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
    /// Whether models that neighbours make of this node may know it.
    pub export: bool,
    /// Whether it never leaves the node.
    pub secret: bool,
}

impl VariableInfo {
    /// A plain variable.
    pub const fn new(name: &'static str, ty: &'static str, line: u32) -> Self {
        VariableInfo { name, ty, line, durable: false, ghost: false, export: false, secret: false }
    }

    /// The same, surviving crashes.
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// The same, for properties alone.
    pub const fn ghost(mut self) -> Self {
        self.ghost = true;
        self
    }

    /// The same, known to the models of neighbours.
    pub const fn export(mut self) -> Self {
        self.export = true;
        self
    }

    /// The same, never leaving the node.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
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
    /// What it does.
    pub deeds: &'static Deeds,
}

impl HandlerInfo {
    /// A handler of which nothing else is known.
    pub const fn new(name: &'static str, event: &'static str, line: u32) -> Self {
        HandlerInfo { name, event, line, deeds: &Deeds::NONE }
    }

    /// The same, with what it does.
    pub const fn doing(mut self, deeds: &'static Deeds) -> Self {
        self.deeds = deeds;
        self
    }
}

/// A place at which a step branches.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteInfo {
    /// Its stable name: an event for the choice of a handler, `handler.binding` for one in a body.
    pub name: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// Whether the author left it open, by `choose`: else chance, the clock, or which handlers overlap makes it branch.
    pub open: bool,
    /// Whether the spec declares it a `fair choice`: an option that is offered for ever is taken for ever again.
    pub fair: bool,
}

impl SiteInfo {
    /// A place at which the choice is adversarial.
    pub const fn new(name: &'static str, line: u32) -> Self {
        SiteInfo { name, line, open: false, fair: false }
    }

    /// Where it stands in memory: what two sites of one name and line are told apart by.
    pub fn address(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The same, left open by the author.
    pub const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The same, declared fair.
    pub const fn fair(mut self) -> Self {
        self.fair = true;
        self
    }
}
