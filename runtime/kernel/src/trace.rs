//! Traces: one JSON format that checker, simulator and live node write, and one command replays.
//!
//! Every step carries a seal: a digest chained over all that came before it. A file that was cut off or edited is
//! refused, with the step at which it stops being what was written. Numbers and times are text where a reader's
//! language might round them.

use std::fmt;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The version that this crate writes and reads.
pub const VERSION: u32 = 1;

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
    /// A run, kept as such.
    Run,
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
        let mut trace = Trace { format, version: VERSION, origin, ending, steps, seal };
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
        let trace: Trace = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let message = match error.is_eof() {
                true => "the file ends in the middle of a trace".to_owned(),
                false => error.to_string(),
            };
            TraceError { place, message }
        })?;
        if trace.format != FORMAT {
            return Err(TraceError::at("format", format!("expected `{FORMAT}`, found `{}`", trace.format)));
        }
        if trace.version != VERSION {
            let message =
                format!("version {} cannot be read; this build reads version {VERSION}", trace.version);
            return Err(TraceError::at("version", message));
        }
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
