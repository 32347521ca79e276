//! Traces: one JSON format that checker, simulator and live node write, and one command replays.
//!
//! Every step carries a seal: a digest chained over all that came before it. A file that was cut off or edited is
//! refused, with the step at which it stops being what was written. Numbers and times are text where a reader's
//! language might round them.

use std::fmt;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The newest version that this crate writes; it reads every version up to it.
///
/// Version 2 has what the application calls and what the environment does to nodes and connections. A trace without these
/// is written as version 1. Version 3 has runs that go on for ever.
pub const VERSION: u32 = 3;

const FORMAT: &str = "foresee-trace";

/// A run, or the part of one that matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Always `foresee-trace`.
    format: String,
    /// The version of the format.
    version: u32,
    /// What was run.
    pub origin: Origin,
    /// Why it was kept.
    pub ending: Ending,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// The seal over everything.
    seal: String,
}

/// What a trace was taken from; replaying it needs the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The spec's name.
    pub spec: String,
    /// The digest of the spec's text, in hexadecimal.
    pub spec_hash: String,
    /// The system's name.
    pub system: String,
    /// The system's arguments, in the order of their names.
    pub parameters: Vec<(String, String)>,
    /// Who wrote it: `check`, `simulate`, ..
    pub writer: String,
    /// The seed, where there is one.
    pub seed: Option<u64>,
    /// The scenario, where one was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Faults that were asked for beyond what the system says: `crash=1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Whether a part of it is a simulation's, which budgets that are for checking do not bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unbudgeted: bool,
}

/// Why a trace was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A property is false in the last state.
    Violation {
        /// The property.
        property: String,
    },
    /// A `reachable` property holds in the last state.
    Witness {
        /// The property.
        property: String,
    },
    /// The last step faulted.
    Fault {
        /// What it said.
        message: String,
    },
    /// What is behind some step is walked again and again, by which a liveness property is false.
    Cycle {
        /// The property.
        property: String,
        /// After how many of the steps it begins; where that is all of them, the run stays in the last state.
        after: usize,
    },
    /// A run, kept as such.
    Run,
}

impl Ending {
    /// The first version of the format that has this ending.
    fn version(&self) -> u32 {
        match self {
            Ending::Violation { .. } | Ending::Witness { .. } | Ending::Fault { .. } | Ending::Run => 1,
            Ending::Cycle { .. } => 3,
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Virtual time in nanoseconds from the start, where the run had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_nanos: Option<u64>,
    /// What happened.
    pub action: Action,
    /// How the step's points were answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// The digest of the global state after the step, in hexadecimal.
    pub state: String,
    /// The seal over all steps up to this one.
    #[serde(default)]
    seal: String,
}

impl Step {
    /// A step that is not sealed yet.
    pub fn new(at_nanos: Option<u64>, action: Action, choices: Vec<Choice>, state: u64) -> Self {
        Step { at_nanos, action, choices, state: format!("{state:016x}"), seal: String::new() }
    }
}

/// What happened, in the names of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A node started; only a start that branches is written, before everything else.
    Start {
        /// The node.
        node: String,
    },
    /// A message was delivered.
    Deliver(Transfer),
    /// A message was lost.
    Drop(Transfer),
    /// A message was doubled.
    Duplicate(Transfer),
    /// A timer fired.
    Fire {
        /// The node.
        node: String,
        /// The layer, the top being 0.
        layer: u8,
        /// The timer with its arguments.
        timer: String,
    },
    /// A message arrived at a node that was down, and was lost.
    Miss(Transfer),
    /// A node was told that an ordered connection broke.
    Broken(Connection),
    /// What was still under way of a connection that a reset ended was lost.
    Lapse(Connection),
    /// The application made a call.
    Call(Called),
    /// Nodes stopped, together.
    Crash {
        /// The nodes.
        nodes: Vec<String>,
        /// The line of `faults` that says so.
        plan: Plan,
    },
    /// A node that was down started again.
    Restart {
        /// The node.
        node: String,
    },
    /// A node stopped and started again at once; its peers were not told.
    Reset {
        /// The node.
        node: String,
        /// The line of `faults` that says so.
        plan: Plan,
    },
    /// An ordered connection broke.
    Cut {
        /// One end and the other.
        connection: Connection,
        /// The line of `faults` that says so.
        plan: Plan,
    },
    /// Nodes were cut off from all others.
    Partition {
        /// The nodes.
        side: Vec<String>,
        /// The line of `faults` that says so.
        plan: Plan,
    },
    /// Nodes that were cut off are so no longer.
    Heal {
        /// The nodes.
        side: Vec<String>,
    },
}

impl Action {
    /// The first version of the format that has this action.
    fn version(&self) -> u32 {
        match self {
            Action::Start { .. }
            | Action::Deliver(_)
            | Action::Drop(_)
            | Action::Duplicate(_)
            | Action::Fire { .. } => 1,
            Action::Miss(_)
            | Action::Broken(_)
            | Action::Lapse(_)
            | Action::Call(_)
            | Action::Crash { .. }
            | Action::Restart { .. }
            | Action::Reset { .. }
            | Action::Cut { .. }
            | Action::Partition { .. }
            | Action::Heal { .. } => 2,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Start { node } => write!(f, "start {node}"),
            Action::Deliver(Transfer { from, to, message, .. }) => {
                write!(f, "deliver {message} from {from} to {to}")
            }
            Action::Drop(Transfer { from, to, message, .. }) => {
                write!(f, "drop {message} from {from} to {to}")
            }
            Action::Duplicate(Transfer { from, to, message, .. }) => {
                write!(f, "duplicate {message} from {from} to {to}")
            }
            Action::Fire { node, timer, .. } => write!(f, "fire {timer} at {node}"),
            Action::Miss(Transfer { from, to, message, .. }) => {
                write!(f, "deliver {message} from {from} to {to}, which is down")
            }
            Action::Broken(Connection { node, peer, .. }) => {
                write!(f, "tell {node} that its connection to {peer} broke")
            }
            Action::Lapse(Connection { node, peer, .. }) => {
                write!(f, "lose what {peer} sent to {node} before its reset")
            }
            Action::Call(Called { node, call, .. }) => write!(f, "{node}.{call}"),
            Action::Crash { nodes, .. } => write!(f, "crash {}", nodes.join(", ")),
            Action::Restart { node } => write!(f, "restart {node}"),
            Action::Reset { node, .. } => write!(f, "reset {node}"),
            Action::Cut { connection: Connection { node, peer, .. }, .. } => {
                write!(f, "cut {node} from {peer}")
            }
            Action::Partition { side, .. } => write!(f, "partition {}", side.join(", ")),
            Action::Heal { side } => write!(f, "heal {}", side.join(", ")),
        }
    }
}

/// A message between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// The layer of the receiver that it is for, the top being 0: two layers may have messages that look alike.
    pub layer: u8,
    /// The carrier's name; with its kind where two carriers have one name.
    pub carrier: String,
    /// The message, as people read it.
    pub message: String,
    /// Its wire form in hexadecimal: what a replay compares.
    pub wire: String,
}

/// An ordered connection, seen from one end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// This end.
    pub node: String,
    /// The other end.
    pub peer: String,
    /// The carrier's name; with its kind where two carriers have one name.
    pub carrier: String,
}

/// A call of the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// The node that was called.
    pub node: String,
    /// The layer that was called, the top being 0.
    pub layer: u8,
    /// The call with its arguments, as people read it: `join({n[1]})`.
    pub call: String,
    /// Its wire form in hexadecimal.
    pub wire: String,
    /// The line of the workload that says so.
    pub plan: Plan,
}

/// A line of a system that says what will be done to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// As written.
    pub text: String,
    /// Its line in the spec.
    pub line: u32,
    /// Its place among the model's calls, or its faults: lines of a spec may give several.
    pub index: u32,
}

/// How one point of a step was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The site's name.
    pub site: String,
    /// The option's name.
    pub option: String,
    /// The option's place.
    pub picked: u32,
    /// How many options there were.
    pub of: u32,
}

/// Why a text is no trace that can be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// Where: `line 3, column 9`, or `step 4`.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for TraceError {}

impl Trace {
    /// A sealed trace.
    pub fn new(origin: Origin, ending: Ending, steps: Vec<Step>) -> Self {
        let (format, seal) = (FORMAT.to_owned(), String::new());
        let version = steps.iter().map(|step| step.action.version()).fold(ending.version(), u32::max);
        let mut trace = Trace { format, version, origin, ending, steps, seal };
        let seals = trace.seals();
        for (step, seal) in trace.steps.iter_mut().zip(&seals) {
            step.seal.clone_from(seal);
        }
        trace.seal = trace.last_seal(&seals);
        trace
    }

    /// The trace as indented JSON, ending in a newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a trace and checks its seals.
    ///
    /// # Errors
    /// A text that is cut off, no trace, of another version, or not what was once written; with the place.
    pub fn from_json(text: &str) -> Result<Self, TraceError> {
        // What a newer version holds may not be read at all, so its number is looked at first.
        let Head { format, version } = parse(text)?;
        if format != FORMAT {
            return Err(TraceError::at("format", format!("expected `{FORMAT}`, found `{format}`")));
        }
        if !(1..=VERSION).contains(&version) {
            let message =
                format!("version {version} cannot be read; this build reads up to version {VERSION}");
            return Err(TraceError::at("version", message));
        }
        let trace: Trace = parse(text)?;
        let seals = trace.seals();
        for (index, (step, seal)) in trace.steps.iter().zip(&seals).enumerate() {
            if step.seal != *seal {
                let message =
                    "its seal does not match: this step, or the origin, was changed after it was written";
                return Err(TraceError::at(&format!("step {}", index + 1), message.to_owned()));
            }
        }
        if trace.seal != trace.last_seal(&seals) {
            let message = "the seal does not match: steps were removed at the end, or the ending was changed";
            return Err(TraceError::at("end", message.to_owned()));
        }
        Ok(trace)
    }

    fn seals(&self) -> Vec<String> {
        let mut digest = Digest::new();
        fold(&mut digest, &(&self.format, self.version, &self.origin));
        let seal = |step: &Step| {
            fold(&mut digest, &(step.at_nanos, &step.action, &step.choices, &step.state));
            format!("{:016x}", digest.finish())
        };
        self.steps.iter().map(seal).collect()
    }

    fn last_seal(&self, seals: &[String]) -> String {
        let mut digest = Digest::new();
        fold(
            &mut digest,
            &(&self.format, self.version, &self.origin, seals.last(), seals.len(), &self.ending),
        );
        format!("{:016x}", digest.finish())
    }
}

impl TraceError {
    /// An error at `place`.
    pub fn at(place: &str, message: String) -> Self {
        TraceError { place: place.to_owned(), message }
    }
}

/// What every version of the format begins with.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, TraceError> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let message = match error.is_eof() {
            true => "the file ends in the middle of a trace".to_owned(),
            false => error.to_string(),
        };
        TraceError { place, message }
    })
}

fn fold(digest: &mut Digest, value: &impl Serialize) {
    digest.write(serde_json::to_string(value).unwrap_or_default().as_bytes());
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
