//! What a system says will be done to it: the application's calls (its workload) and the environment's faults.
//!
//! Both are nature's: the checker explores every way in which they can go, within their budgets; a simulation draws
//! when and which. Nothing happens that a system does not say may happen.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Datum, NodeId, View};

/// A line of a workload: a call that the application makes.
#[derive(Clone, Debug)]
pub struct Call {
    /// As written, for people: `a.join(n)`.
    pub text: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// How often at most; None for any number.
    pub most: Option<u32>,
    /// When.
    pub timing: Timing,
    /// Whether the budget starts anew whenever the node that is called has come back from a crash.
    pub after_restart: bool,
    /// The ways in which nature may let it go: who is called with what. Their probabilities add up to 1.
    pub ways: Vec<Way>,
}

/// One way in which a call can go.
#[derive(Clone)]
pub struct Way {
    /// Who is called.
    pub node: NodeId,
    /// The layer that is called, the top being 0.
    pub layer: u8,
    /// How probable it is.
    pub probability: f64,
    /// The downcall; a request is given this number.
    pub call: Arc<dyn Fn(u64) -> Datum + Send + Sync>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?} with probability {}", (self.call)(0), self.node, self.probability)
    }
}

/// When something happens, in a simulation. Where nothing is said: at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// At random moments, so many a second on average (a Poisson process).
    pub rate: Option<f64>,
    /// At some moment between these.
    pub within: Option<(Duration, Duration)>,
}

/// A line of `faults`.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// As written, for people: `crash n`.
    pub text: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// What happens.
    pub kind: FaultKind,
    /// Whom it may happen to.
    pub target: FaultTarget,
    /// How often at most; None for any number.
    pub most: Option<u32>,
    /// When, in a simulation.
    pub timing: Timing,
    /// Happens at all in a run only with this probability.
    pub chance: Option<f64>,
    /// How long until a crashed node returns or a partition heals; None where it never does.
    pub back: Option<(Duration, Duration)>,
}

impl FaultPlan {
    /// How long a crashed node stays away, and a partition lasts, where a system says `back` and no more (simulation).
    pub const BACK_DEFAULT: Duration = Duration::from_secs(1);
}

/// A bound of a check on faults: how many of a kind may happen, over all lines that say they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultBudget {
    /// The kind.
    pub kind: FaultKind,
    /// Faults of these nodes are counted.
    pub nodes: Vec<NodeId>,
    /// How many at most.
    pub most: u32,
}

/// What a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A node stops; its peers' connections break.
    Crash,
    /// A node stops and starts again at once; peers learn of it at their next send.
    Reset,
    /// Nodes are cut off from all others.
    Partition,
    /// One ordered connection breaks.
    Cut,
}

impl FaultKind {
    /// The word of the language.
    pub const fn keyword(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Reset => "reset",
            FaultKind::Partition => "partition",
            FaultKind::Cut => "cut",
        }
    }
}

/// Whom a fault may happen to.
#[derive(Clone)]
pub enum FaultTarget {
    /// Any one of these nodes at a time.
    OneOf(Vec<NodeId>),
    /// All of the nodes that this gives in the state in which the fault happens, together.
    AllOf(fn(&View<'_>) -> Vec<NodeId>),
}

impl fmt::Debug for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultTarget::OneOf(nodes) => write!(f, "one of {nodes:?}"),
            FaultTarget::AllOf(_) => f.write_str("a set that depends on the state"),
        }
    }
}
