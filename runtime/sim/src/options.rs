//! What a caller may say about a run, and what it may be told instead of one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foresee_net::{Churn, Topology};

use crate::ResolverKind;

/// The most looks at the objectives of a run on its way.
pub const LOOKS_MAX: u64 = 100_000;

/// How to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the run ends; the system's horizon where it is not given.
    pub until: Option<Duration>,
    /// Who answers choices.
    pub resolver: ResolverKind,
    /// Whether to keep the trace of the run. A run that violates a property keeps it anyway.
    pub trace: bool,
    /// The most events that a run may have. Without it, a run that has an end of its own has no limit, and one that has
    /// none ends after [`crate::EVENTS_MAX`].
    pub events_max: Option<u64>,
    /// Whether to say of each statistical property what the run says of it.
    pub figures: bool,
    /// Whether to keep the states of all nodes at the end.
    pub last: bool,
    /// Each time that the objectives are looked at on the way; they are not where it is not given.
    pub every: Option<Duration>,
    /// Where the nodes are. The times under way are then those between sites, instead of the carriers' delays; what a path
    /// loses is lost to datagrams and sent again by ordered connections.
    pub topology: Option<Arc<Topology>>,
    /// When nodes go down and come back, beside what the system says will be done to it.
    pub churn: Option<Arc<Churn>>,
    /// Topologies that take the place of that one, each for what is sent from its moment on. Where nodes are said to be nowhere
    /// they count for nothing.
    pub later: Vec<(Duration, Arc<Topology>)>,
}

/// Why there is no run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimError {
    /// The end lies beyond the clock, which counts nanoseconds in 64 bits.
    TooLong(Duration),
    /// The objectives cannot be looked at so often: there would be more than [`LOOKS_MAX`] looks, or no end to them.
    Looks(Duration),
    /// The topology does something to datagrams that the system does not say of their carrier.
    Unsaid {
        /// The carrier.
        carrier: &'static str,
        /// What the topology does to messages.
        does: &'static str,
        /// The clause that says so.
        clause: &'static str,
    },
    /// The topology breaks connections that get nothing through, and the system does not say that connections may break.
    Unbroken,
    /// The churn does something to a node that the system does not say of it.
    Churn {
        /// What, for people.
        message: String,
    },
    /// What is asked about a rare event makes no sense of this system.
    Rare {
        /// Why, for people.
        message: String,
    },
    /// A property or an objective panicked: it has no value.
    Evaluation {
        /// What the panic said.
        message: String,
        /// The virtual time at which it happened, in nanoseconds.
        at_nanos: u64,
    },
    /// A claim speaks of a time at which no run is left.
    BeyondEnd {
        /// The name of the claim.
        claim: &'static str,
        /// The time of which it speaks.
        within: Duration,
        /// Where runs end.
        end: Duration,
    },
    /// A run and its trace parted: a fault of the simulator, not of the spec.
    Diverged {
        /// What went apart.
        message: String,
    },
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SimError::TooLong(end) => {
                write!(f, "a run cannot last {end:?}: the virtual clock ends after 584 years")
            }
            SimError::Looks(every) => write!(
                f,
                "objectives cannot be looked at every {every:?}: a run needs an end by the clock for that, no more than {LOOKS_MAX} times away"
            ),
            SimError::Unsaid { carrier, does, clause } => write!(
                f,
                "the topology {does} messages, and the system does not say that of `{carrier}`: a run would leave \
                 what a check explores; say so in its network, `{carrier}: {clause};`"
            ),
            SimError::Unbroken => f.write_str(
                "the topology breaks connections that get nothing through, and the system does not say that one may break: a run would \
                 leave what a check explores; say so among its faults, `cut;` or `cut: at most 3;`",
            ),
            SimError::Rare { message } => f.write_str(message),
            SimError::Churn { message } => write!(f, "the churn does not fit the system: {message}"),
            SimError::Evaluation { message, at_nanos } => {
                let seconds = *at_nanos as f64 / 1e9;
                write!(f, "a property or an objective cannot be evaluated at {seconds} s: {message}")
            }
            SimError::BeyondEnd { claim, within, end } => {
                write!(
                    f,
                    "`{claim}` speaks of the first {within:?}, and runs end after {end:?}: say a later end"
                )
            }
            SimError::Diverged { message } => write!(f, "a run and its recording differ: {message}"),
        }
    }
}

impl std::error::Error for SimError {}
