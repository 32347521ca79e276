//! What a run gives: figures, verdicts, and the trace where it was kept. Serialised as one line of `simulate`.

use std::collections::BTreeMap;
use std::fmt;

use foresee_kernel::{NodeState, Trace};
use serde::Serialize;

/// The name of the sum of objectives of the first level, in [`Run::objectives`].
pub const TOTAL: &str = "total";

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The seed that fixes everything below.
    pub seed: u64,
    /// Messages that arrived and timers that fired.
    pub events: u64,
    /// Where the clock stood at the end.
    pub virtual_seconds: f64,
    /// Why it ended.
    pub ending: Ending,
    /// The value of each objective, unweighted, and [`TOTAL`], where there are objectives: their sum by weights, what is
    /// to be maximised counted negative, so that less is better. Objectives of further levels have sums of
    /// their own, `total_level_2` and so on.
    pub objectives: BTreeMap<String, f64>,
    /// What became of each property, the built-in `no_fault` last.
    pub properties: Vec<PropertyOutcome>,
    /// Messages sent.
    pub messages: u64,
    /// The bytes of their wire forms.
    pub bytes: u64,
    /// What ended the run early, if something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<Violation>,
    /// How often each handler ran, by service and in file order.
    pub handlers: Vec<HandlerRuns>,
    /// How often a message met no handler, where the spec does not ignore it.
    pub ignored: Vec<Ignored>,
    /// What the application called, by the lines of the workload.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallRuns>,
    /// How often each line of the faults came true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultRuns>,
    /// The objectives on the way, where that was asked for.
    #[serde(skip_serializing_if = "OverTime::is_empty")]
    pub over_time: OverTime,
    /// What the resolver says of itself, for one that looks ahead: bytes of knowledge, choices, steps of rollouts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resolver: BTreeMap<String, f64>,
    /// For each objective, what its messages and seconds came to at each node.
    #[serde(skip)]
    pub objectives_by_node: BTreeMap<String, Vec<f64>>,
    /// What the run says of each statistical property of the model, where it was asked for: 1 or 0 for an event, the value of a
    /// quantity; None where the run does not count. Empty where the run ended in a fault.
    #[serde(skip)]
    pub figures: Vec<Option<f64>>,
    /// The states of all nodes at the end, where they were asked for; none where the run ended in a fault.
    #[serde(skip)]
    pub last: Vec<NodeState>,
    /// What happened, where it was asked for or a property was violated.
    #[serde(skip)]
    pub trace: Option<Trace>,
}

/// What objectives had come to at some moments of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OverTime {
    /// The moments, in seconds of virtual time.
    pub seconds: Vec<f64>,
    /// By the names of [`Run::objectives`], the value at each moment, as if the run had ended there.
    pub objectives: BTreeMap<String, Vec<f64>>,
}

impl OverTime {
    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }

    pub(crate) fn add(&mut self, at_nanos: u64, objectives: &BTreeMap<String, f64>) {
        self.seconds.push(at_nanos as f64 / 1e9);
        for (name, value) in objectives {
            self.objectives.entry(name.clone()).or_default().push(*value);
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// At the time that the caller asked for.
    Until,
    /// At the system's horizon.
    Horizon,
    /// Nothing was left to happen, and no end was set.
    Quiet,
    /// At the most events that it may have.
    EventsMax,
    /// The clock stood still for [`crate::INSTANT_EVENTS_MAX`] events.
    Stalled,
    /// A property was violated.
    Violation,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::Until => "until",
            Ending::Horizon => "horizon",
            Ending::Quiet => "quiet",
            Ending::EventsMax => "events_max",
            Ending::Stalled => "stalled",
            Ending::Violation => "violation",
        })
    }
}

/// What became of a property in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyOutcome {
    /// Its name.
    pub name: String,
    /// Its word in the language.
    pub kind: &'static str,
    /// What became of it.
    pub status: Status,
}

/// What became of a property in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was true in every state of the run.
    Held,
    /// It was false in the last.
    Violated,
    /// It was true in some state.
    Reached,
    /// It was true in none.
    Unreached,
}

/// What ended a run early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The property; `no_fault` for a step that faulted.
    pub property: String,
    /// What the fault said, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// When, on the virtual clock.
    pub at_nanos: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at_nanos as f64 / 1e9;
        match &self.fault {
            Some(fault) => write!(f, "`{}` is violated at {seconds} s: {fault}", self.property),
            None => write!(f, "`{}` is violated at {seconds} s", self.property),
        }
    }
}

/// How often a handler ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandlerRuns {
    /// The service.
    pub service: &'static str,
    /// The handler.
    pub name: &'static str,
    /// How often.
    pub runs: u64,
}

/// What became of a line of the workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRuns {
    /// As written.
    pub call: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// How often it was made.
    pub made: u64,
    /// How many of these were requests.
    pub requests: u64,
    /// How many of these were answered.
    pub answered: u64,
    /// How long that took on average; None where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_seconds: Option<f64>,
}

/// How often a line of the faults came true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultRuns {
    /// As written.
    pub fault: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// How often.
    pub fired: u64,
}

/// How often a message met no handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// The service.
    pub service: &'static str,
    /// The message's kind.
    pub message: &'static str,
    /// The control state.
    pub state: &'static str,
    /// How often.
    pub count: u64,
}
