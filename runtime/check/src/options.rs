//! What a search is told, what it shows while it runs, and why it may refuse.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use foresee_kernel::{Fault, TraceError};
use foresee_world::Path;

/// The order in which states are explored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Search {
    /// All states of a depth before any of the next: counterexamples are shortest.
    #[default]
    BreadthFirst,
    /// The newest state next: little memory for what is yet to be explored, long counterexamples.
    DepthFirst,
    /// Depth first within a depth that grows by one: counterexamples are shortest, and little waits to be explored.
    IterativeDeepening,
    /// Consequence prediction: breadth first, without all orders of what nodes do by themselves. Deep soon, and incomplete. One thread.
    Consequences,
    /// Random walks. One thread.
    Walks,
}

/// How what is under way is kept while states are explored. It changes no result, only how fast it comes and in how much memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    /// As what the search observes suggests: in channels, until inboxes are seen to be as many as states.
    #[default]
    Observed,
    /// What is under way to a node has a number together with the node's state.
    Channels,
    /// Messages that are in no order have each a number of their own.
    Flat,
}

/// By how much of its content a state is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fingerprint {
    /// By 64 bits.
    #[default]
    Narrow,
    /// By 128 bits, for twice the memory of the table and some time. Random walks keep to 64.
    Wide,
}

/// Which random walks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walks {
    /// What they are drawn from.
    pub seed: u64,
    /// How many.
    pub count: u64,
    /// The most steps of each.
    pub length: u32,
}

impl Default for Walks {
    fn default() -> Self {
        Walks { seed: 0, count: 1_000, length: 1_000 }
    }
}

/// What a search is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The order in which states are explored.
    pub search: Search,
    /// How what is under way is kept.
    pub network: Backend,
    /// By how much of its content a state is known.
    pub fingerprint: Fingerprint,
    /// How many threads search; 0 is taken for 1.
    pub threads: usize,
    /// A bound, as `depth` of a model is: states so many steps from the start are not explored further.
    pub max_depth: Option<u32>,
    /// A budget: the most unique states. The search that would see one more ends inconclusive.
    pub max_states: Option<u64>,
    /// A budget of wall-clock time.
    pub time: Option<Duration>,
    /// A budget of memory in bytes: of what the search counts, and of what the process has resident.
    pub max_memory: Option<u64>,
    /// Where waiting states are written to when memory is short; the system's folder for temporary files where it is not given.
    pub spill_dir: Option<PathBuf>,
    /// Whether to go on after a violation, to count all of them.
    pub keep_going: bool,
    /// Which walks, for [`Search::Walks`].
    pub walks: Walks,
    /// Where to begin: at the end of this path instead of at the start. Depths are counted from there.
    pub from: Option<Path>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            search: Search::default(),
            network: Backend::default(),
            fingerprint: Fingerprint::default(),
            threads: 1,
            max_depth: None,
            max_states: None,
            time: None,
            max_memory: None,
            spill_dir: None,
            keep_going: false,
            walks: Walks::default(),
            from: None,
        }
    }
}

/// Bounds on what is remembered to save time. They change no result, only how fast it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// The most steps, (node state, stimulus), whose outcomes are kept. Beyond it steps are executed each time.
    pub steps_max: u64,
    /// The most transitions of single nodes that are kept ready. Beyond it they are put together each time.
    pub transitions_max: u64,
    /// The most evaluations of properties that are kept. Beyond it properties are evaluated each time.
    pub evaluations_max: u64,
    /// The most nodes whose steps are spared where another order leads to the same states; at most 12 count.
    pub sleepers_max: u32,
    /// Whether steps are spared depth first too. There states are explored again so often that it seldom pays.
    pub sleepers_depth_first: bool,
    /// After how many states it is looked at for the first time whether messages are better kept one by one, and whose steps are worth
    /// keeping.
    pub look_first: u64,
    /// How many messages stand in the row of a state at the most, where they are kept one by one; the rest of them has a number.
    pub row_max: usize,
    /// How many bytes of waiting states a breadth first search keeps in memory, and what is beyond it writes to disk; where it is not given,
    /// an eighth of the budget of memory, if there is one.
    pub frontier_max: Option<u64>,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            steps_max: 4 << 20,
            transitions_max: 16 << 20,
            evaluations_max: 4 << 20,
            sleepers_max: 12,
            sleepers_depth_first: false,
            look_first: 1 << 14,
            row_max: 48,
            frontier_max: None,
        }
    }
}

/// What a running search shows, and how it is told to end. Shared between the search and whoever watches it.
#[derive(Debug, Default)]
pub struct Progress {
    pub(crate) unique_states: AtomicU64,
    pub(crate) transitions: AtomicU64,
    pub(crate) depth: AtomicU32,
    pub(crate) frontier: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Unique states so far.
    pub fn unique_states(&self) -> u64 {
        self.unique_states.load(Ordering::Relaxed)
    }

    /// Transitions looked up so far; at the end, all.
    pub fn transitions(&self) -> u64 {
        self.transitions.load(Ordering::Relaxed)
    }

    /// The number of steps to the farthest state so far.
    pub fn depth(&self) -> u32 {
        self.depth.load(Ordering::Relaxed)
    }

    /// States that wait to be explored.
    pub fn frontier(&self) -> u64 {
        self.frontier.load(Ordering::Relaxed)
    }

    /// Asks the search to end with what it knows. May be called at any time, also from a signal handler.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the search was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// The starts of the nodes branch into more first states than are taken.
    TooManyStarts {
        /// The most that are taken.
        most: usize,
    },
    /// A property, or a `within` bound, panicked.
    PropertyFault {
        /// The property's name, or `within`.
        property: &'static str,
        /// What it said.
        fault: Fault,
    },
    /// The path to begin at the end of cannot be walked.
    NoPath(TraceError),
    /// States that wait cannot be written to disk, or not be read again.
    Spill {
        /// The folder.
        folder: String,
        /// What the system says.
        error: String,
    },
    /// The system has no memory for even the smallest search.
    NoMemory,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckError::TooManyStarts { most } => {
                write!(f, "the starts of the nodes branch into more than {most} first states")
            }
            CheckError::PropertyFault { property, fault } => {
                write!(f, "`{property}` cannot be evaluated: {fault}")
            }
            CheckError::NoPath(error) => write!(f, "the search cannot begin there: {error}"),
            CheckError::Spill { folder, error } => {
                write!(f, "states that wait to be explored cannot be kept in {folder}: {error}")
            }
            CheckError::NoMemory => f.write_str("there is no memory for a search"),
        }
    }
}

impl std::error::Error for CheckError {}
