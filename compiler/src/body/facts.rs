//! What a walk finds out, and what it is told: modes, borrows, effects, sites.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{CallRef, MessageRef};
use crate::source::Span;

/// Where an expression stands: decides what it may do and how names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A handler's body: variables are fields of `this`.
    Handler,
    /// A guard, or the set of a head's `choose`: reads only.
    Guard,
    /// The interval of a timer that is always on.
    Every,
    /// A routine: variables are borrowed one by one.
    Routine(Window),
    /// The answer to a query: variables are fields of `this`, and nothing changes.
    Query,
    /// The initial value of a variable: parameters and `me`.
    Initial,
    /// The default of a parameter, or a constant: constants alone.
    Constant,
}

/// What a routine sees beyond variables and parameters. Each sees what those after it see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The step: `ctx`.
    Step,
    /// The layers below, to ask them: `below`.
    Below,
    /// The node's own id: `me`.
    Me,
    /// Nothing.
    None,
}

/// How a routine borrows a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Borrow {
    /// `&`
    Shared,
    /// `&mut`
    Mutable,
}

/// What a call of a routine must pass on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutineShape {
    /// The variables, in order.
    pub borrows: BTreeMap<String, Borrow>,
    /// Whether it needs the step.
    pub ctx: bool,
    /// Whether it asks a lower layer.
    pub below: bool,
    /// Whether it needs the node's own id.
    pub me: bool,
}

impl RoutineShape {
    /// The least that it must see.
    pub fn window(&self) -> Window {
        match self {
            RoutineShape { ctx: true, .. } => Window::Step,
            RoutineShape { below: true, .. } => Window::Below,
            RoutineShape { me: true, .. } => Window::Me,
            _ => Window::None,
        }
    }
}

/// What a body does besides reading and writing variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Sends a message.
    Send,
    /// Arms a timer.
    SetTimer,
    /// Disarms a timer.
    CancelTimer,
    /// Asks whether a timer is armed.
    ReadTimer,
    /// Makes a choice.
    Choose,
    /// Draws chance.
    Random,
    /// Reads the time.
    Now,
    /// Emits to the layer above.
    Up,
    /// Gives a command to a lower layer, or makes a request of it.
    Call,
    /// Answers a request.
    Answer,
    /// Asks a lower layer.
    Ask,
}

impl Effect {
    /// How a message to people calls it.
    pub const fn describe(self) -> &'static str {
        match self {
            Effect::Send => "sends a message",
            Effect::SetTimer => "arms a timer",
            Effect::CancelTimer => "disarms a timer",
            Effect::ReadTimer => "asks about a timer",
            Effect::Choose => "makes a choice",
            Effect::Random => "draws chance",
            Effect::Now => "reads the time",
            Effect::Up => "calls the layer above",
            Effect::Call => "calls a layer below",
            Effect::Answer => "answers a request",
            Effect::Ask => "asks a layer below",
        }
    }

    /// Whether the interval of a timer may have it.
    pub const fn is_for_intervals(self) -> bool {
        self.is_inward() && !matches!(self, Effect::Now)
    }

    /// Whether nothing comes of it but the value that it gives.
    pub const fn is_inward(self) -> bool {
        matches!(self, Effect::Choose | Effect::Random | Effect::Now) || self.is_reading()
    }

    /// Whether it leaves everything as it was.
    pub const fn is_reading(self) -> bool {
        matches!(self, Effect::ReadTimer | Effect::Ask)
    }
}

/// A place at which a step branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its stable name.
    pub name: String,
    /// Its line.
    pub line: u32,
    /// Whether nature decides.
    pub chance: bool,
    /// Whether the author left it open.
    pub open: bool,
}

/// What a body does, directly.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Variables that are read or written, `state` among them.
    pub variables: BTreeMap<String, Span>,
    /// Variables that may be written.
    pub writes: BTreeMap<String, Span>,
    /// Durable variables that change otherwise than by entries that the body notes itself.
    pub rewrites: BTreeSet<String>,
    /// Whether the step is told of changes of durable variables.
    pub touches: bool,
    /// Whether parameters are read, or routines called.
    pub uses_self: bool,
    /// Whether the node's own id is read.
    pub me: bool,
    /// Everything that needs the window.
    pub effects: Vec<(Effect, Span)>,
    /// Routines called.
    pub calls: BTreeMap<String, Span>,
    /// Messages sent, where the kind is plain to see.
    pub sends: Vec<(MessageRef, Span)>,
    /// Messages named in any way.
    pub messages: BTreeSet<MessageRef>,
    /// Timers armed.
    pub timers_set: BTreeSet<String>,
    /// Timers disarmed.
    pub timers_cancelled: BTreeSet<String>,
    /// Control states entered or named.
    pub states: BTreeSet<String>,
    /// Names bound by the head that are used.
    pub head_locals: BTreeSet<String>,
    /// Parameters and constants named.
    pub constants: BTreeSet<String>,
    /// Upcalls emitted.
    pub upcalls: BTreeSet<String>,
    /// What is asked of lower layers: the slot and the query.
    pub asked: BTreeSet<(usize, CallRef)>,
    /// What is called of lower layers: the slot and the command or request.
    pub called: BTreeSet<(usize, CallRef)>,
    /// Places at which the step branches.
    pub sites: Vec<Site>,
    /// Choices whose option is the time until a timer fires: the name of the site, and the timer.
    pub tuned: Vec<(String, String)>,
}
