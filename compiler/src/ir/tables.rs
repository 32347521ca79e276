//! What the analyses know of a service, for the tables that its generated code carries and for its page of documentation.

/// What is known of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// The names of the layers below, by slot.
    pub layers: Vec<String>,
    /// What each handler does, in the order of the heads.
    pub deeds: Vec<Deeds>,
    /// Where ids of nodes stand.
    pub ids: Vec<Ids>,
    /// Where the order of ids matters.
    pub ordered: Vec<Ordered>,
    /// Variables that only grow.
    pub grows: Vec<String>,
    /// Messages with the control states that neither handle nor ignore them.
    pub unhandled: Vec<(String, Vec<String>)>,
    /// Messages that the service knows and nobody sends.
    pub unsent: Vec<String>,
    /// Messages that the service knows and nobody handles or ignores.
    pub unwanted: Vec<String>,
    /// Events with handlers of which several may apply.
    pub overlaps: Vec<Overlap>,
    /// Choices of how long until a timer fires.
    pub tunings: Vec<Tuning>,
    /// What objectives pay for by the second.
    pub waits: Vec<Wait>,
}

/// What a handler does, routines included. Names are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// The name of the handler.
    pub handler: String,
    /// The control states in which it applies, in the order of `states`; empty for all.
    pub states: Vec<String>,
    /// Variables that guard and sets of the head read.
    pub guard_reads: Vec<String>,
    /// Variables that the body reads.
    pub reads: Vec<String>,
    /// Variables that may change.
    pub writes: Vec<String>,
    /// Control states that it enters, where they show.
    pub enters: Vec<String>,
    /// What it sends.
    pub sends: Vec<Sending>,
    /// Timers armed.
    pub sets: Vec<String>,
    /// Timers disarmed.
    pub cancels: Vec<String>,
    /// Upcalls emitted.
    pub emits: Vec<String>,
    /// Commands and requests to lower layers, `tree.join`.
    pub calls: Vec<String>,
    /// Queries of lower layers.
    pub asks: Vec<String>,
    /// Whether it answers a request.
    pub answers: bool,
    /// Its choices by name, those of the head first.
    pub choices: Vec<String>,
    /// What it leaves to chance, by name.
    pub chances: Vec<String>,
}

/// A message that a handler sends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sending {
    /// The line of the `send`.
    pub line: u32,
    /// The message.
    pub message: String,
    /// The carrier, or the lower layer that it is handed to.
    pub over: String,
    /// To whom, as written.
    pub to: String,
    /// Who that is, as far as it shows: a variant of `kernel::Receiver`.
    pub receiver: &'static str,
    /// Whether no branch stands around it.
    pub always: bool,
}

/// A place where ids stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// What holds them: `variable peers`.
    pub of: String,
    /// The way there.
    pub path: String,
    /// Whether that is certain.
    pub known: bool,
}

/// A place where the order of ids matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// The handler, routine or property.
    pub place: String,
    /// Its line.
    pub line: u32,
    /// What is done there.
    pub what: String,
}

/// Handlers of which several may apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The event, as people read it.
    pub event: String,
    /// The control states; empty for all.
    pub states: Vec<String>,
    /// The handlers by name.
    pub handlers: Vec<String>,
}

/// A choice of how long until a timer fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// The choice, by the name of its site.
    pub choice: String,
    /// The timer.
    pub timer: String,
    /// Whether the timer's own handler sets it again, or it is always on.
    pub again: bool,
    /// Whether the timer has arguments.
    pub each: bool,
}

/// What an objective pays for by the second.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// The objective.
    pub objective: String,
    /// Units a second for each, where that is a number.
    pub price: Option<f64>,
    /// The variables that say what it is paid for.
    pub over: Vec<String>,
    /// The variables by which it ends.
    pub until: Vec<String>,
}
