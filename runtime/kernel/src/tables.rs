//! Tables that the compiler finds out about a service by looking at its bodies: what each handler reads, changes, sends and
//! asks; where ids of nodes stand; whether their order matters; what only grows; what is neither handled nor ignored. All are
//! constants, and none changes what a step does.
//!
//! # Caveats
//! They say what shows in the text. A handler may do less than its table says, since a branch need not be taken, and what a
//! function of the application does to a value that it is handed is not looked at. [`Tables::order_of_ids`] names places of
//! which it is certain; [`IdsInfo::known`] tells where a type of the application hides what it holds.

/// What is known of a service.
#[derive(Debug)]
pub struct Tables {
    /// The names in `uses` of the layers below, by slot.
    pub layers: &'static [&'static str],
    /// Where ids of nodes stand: in variables, parameters, messages, arguments of timers and of calls.
    pub ids: &'static [IdsInfo],
    /// Where the order of ids matters, so that renaming nodes is no symmetry of the service.
    pub order_of_ids: &'static [OrderInfo],
    /// Variables that are added to again and again and never reduced: there is no end of states with them.
    pub grows: &'static [&'static str],
    /// Messages that some control state neither handles nor ignores.
    pub unhandled: &'static [PairInfo],
    /// Messages that the service knows and that no service of the spec sends.
    pub unsent: &'static [&'static str],
    /// Messages that the service knows and that no service of the spec handles or ignores.
    pub unwanted: &'static [&'static str],
    /// Events for which more than one handler may apply, so that it is a choice which of them runs.
    pub overlaps: &'static [OverlapInfo],
    /// Choices of how long until a timer fires.
    pub tunings: &'static [TuningInfo],
    /// What its objectives pay for by the second.
    pub waits: &'static [WaitInfo],
}

impl Tables {
    /// Nothing is known: a service written by hand.
    pub const NONE: Tables = Tables {
        layers: &[],
        ids: &[],
        order_of_ids: &[],
        grows: &[],
        unhandled: &[],
        unsent: &[],
        unwanted: &[],
        overlaps: &[],
        tunings: &[],
        waits: &[],
    };
}

/// What a handler does, with the routines that it calls.
#[derive(Debug)]
pub struct Deeds {
    /// The control states in which it applies; empty for all.
    pub states: &'static [&'static str],
    /// Variables that its guard and the sets in its head read; `state` is the control state.
    pub guard_reads: &'static [&'static str],
    /// Variables that its body reads.
    pub reads: &'static [&'static str],
    /// Variables that its body may change.
    pub writes: &'static [&'static str],
    /// Control states that it may enter, where they show.
    pub enters: &'static [&'static str],
    /// What it sends.
    pub sends: &'static [SendInfo],
    /// Timers that it arms.
    pub sets: &'static [&'static str],
    /// Timers that it disarms.
    pub cancels: &'static [&'static str],
    /// What it emits to the layer above.
    pub emits: &'static [&'static str],
    /// Commands and requests to lower layers: `tree.join`.
    pub calls: &'static [&'static str],
    /// Queries of lower layers, those of its head included: `tree.children`.
    pub asks: &'static [&'static str],
    /// Whether it answers a request.
    pub answers: bool,
    /// The names of its choices: what its head binds, and the sites in its body.
    pub choices: &'static [&'static str],
    /// The names of what it leaves to chance.
    pub chances: &'static [&'static str],
}

impl Deeds {
    /// Nothing is known.
    pub const NONE: Deeds = Deeds {
        states: &[],
        guard_reads: &[],
        reads: &[],
        writes: &[],
        enters: &[],
        sends: &[],
        sets: &[],
        cancels: &[],
        emits: &[],
        calls: &[],
        asks: &[],
        answers: false,
        choices: &[],
        chances: &[],
    };
}

/// A message that a handler sends.
#[derive(Debug, PartialEq, Eq)]
pub struct SendInfo {
    /// The message.
    pub message: &'static str,
    /// The carrier, by its name in `uses`.
    pub carrier: &'static str,
    /// To whom, as written.
    pub to: &'static str,
    /// Who that is, as far as it shows.
    pub receiver: Receiver,
    /// Whether it is sent whenever the body runs: no branch stands around it.
    pub always: bool,
    /// The line of the `send`.
    pub line: u32,
}

/// To whom a message goes, as far as the text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Receiver {
    /// The sender of the message that is being handled.
    Sender,
    /// The node itself.
    Itself,
    /// What a choice has bound.
    Chosen,
    /// Nodes that the event names: a field of the message, an argument.
    Told,
    /// Nodes that variables or parameters hold.
    Held,
    /// Anyone.
    Open,
}

impl Receiver {
    /// One word for tables and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Receiver::Sender => "sender",
            Receiver::Itself => "itself",
            Receiver::Chosen => "chosen",
            Receiver::Told => "told",
            Receiver::Held => "held",
            Receiver::Open => "open",
        }
    }
}

/// A place in the values of a service where ids of nodes stand, or may.
#[derive(Debug, PartialEq, Eq)]
pub struct IdsInfo {
    /// What holds them: `variable peers`, `message Join`, `timer resend`, `downcall join`.
    pub of: &'static str,
    /// The way there from the whole value: `.joiner`, `[*].owner`, `{key}`, `?`. Empty where the value is an id itself.
    pub path: &'static str,
    /// Whether that is certain: `false` where a type of the application hides what it holds.
    pub known: bool,
}

/// A place where the order of ids matters.
#[derive(Debug, PartialEq, Eq)]
pub struct OrderInfo {
    /// The handler, routine or property.
    pub place: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// What is done there.
    pub what: &'static str,
}

/// A message that some control states neither handle nor ignore.
#[derive(Debug, PartialEq, Eq)]
pub struct PairInfo {
    /// The message.
    pub message: &'static str,
    /// The control states.
    pub states: &'static [&'static str],
}

/// Handlers of which several may apply to one event; judged by heads alone, so guards may exclude each other.
#[derive(Debug, PartialEq, Eq)]
pub struct OverlapInfo {
    /// The event, as people read it: `deliver Join`.
    pub event: &'static str,
    /// The control states in which they meet; empty for all.
    pub states: &'static [&'static str],
    /// The handlers. Of those in one `first` group only one can be the one that runs.
    pub handlers: &'static [&'static str],
}

/// A choice whose option is the time until a timer fires, as far as the text tells: the value goes into the timer and nowhere else is
/// asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct TuningInfo {
    /// The choice, by the name of its site.
    pub choice: &'static str,
    /// The timer.
    pub timer: &'static str,
    /// Whether the timer's own handler sets it again, or it is always on: the time is a period.
    pub again: bool,
    /// Whether the timer has arguments, so that there may be many of it at a time.
    pub each: bool,
}

/// What an objective of a service pays for by the second: for each of a collection, while something holds.
#[derive(Debug, PartialEq)]
pub struct WaitInfo {
    /// The objective.
    pub objective: &'static str,
    /// Units a second for each, where that is written as a number and does not grow.
    pub price: Option<f64>,
    /// The variables that say what it is paid for: those of the innermost collection.
    pub over: &'static [&'static str],
    /// The variables by which it ends: those of the conditions.
    pub until: &'static [&'static str],
}
