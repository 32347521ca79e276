//! What a search found. Everything in it is in a fixed order, and but for paths, memory and memo figures it does not
//! depend on the number of threads where the search came to its end.

use std::fmt;

use foresee_kernel::PropertyKind;
use foresee_kernel::trace::Ending;
use foresee_world::Path;

use crate::options::Backend;

pub use crate::choices::ChoiceReport;
pub use crate::plans::PlanReport;

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Every reachable state was explored, and every property held.
    Held,
    /// Every property held in every state within the bounds, and a bound kept some state from being explored.
    HeldWithinBounds,
    /// A property does not hold, or a `reachable` one was not reached anywhere.
    Violated,
    /// A budget was spent, or the search cancelled, before more was known.
    Inconclusive,
}

/// What is known of one property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It held in every state.
    Held,
    /// It held in every state within the bounds.
    HeldWithinBounds,
    /// It does not hold in some state.
    Violated,
    /// A `reachable` property holds in some state.
    Reached,
    /// A `reachable` property holds in no state, at least within the bounds.
    Unreached,
    /// The search ended before it was known.
    Unknown,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it came to.
    pub verdict: Verdict,
    /// Whether every reachable state was explored: nothing was cut, no budget ended the search.
    pub complete: bool,
    /// Different states seen, the first ones included.
    pub unique_states: u64,
    /// By how many bits of a fingerprint states are told apart; 0 where they are compared themselves.
    pub fingerprint_bits: u32,
    /// Transitions of the states explored, those that lead nowhere new included.
    pub transitions: u64,
    /// How often it was looked up whether a state is known: of the transitions those that lead elsewhere and that no order of steps
    /// spares. Depends on the order of exploration.
    pub lookups: u64,
    /// The number of steps to the farthest state: over shortest ways when breadth first, as found when depth first.
    pub depth: u32,
    /// How many states were first seen at each depth.
    pub depth_histogram: Vec<u64>,
    /// The properties of the model in its order, then `no_fault`.
    pub properties: Vec<PropertyReport>,
    /// How often each handler of each service ran, those that never did included.
    pub handlers: Vec<HandlerReport>,
    /// The choices that authors left open, of all services.
    pub choices: Vec<ChoiceReport>,
    /// Messages that met no handler, and that the spec does not ignore on purpose.
    pub ignored: Vec<IgnoredReport>,
    /// What the system says may be done to it, and how often it was.
    pub plans: Vec<PlanReport>,
    /// A violation, where one was found: of those found the one nearest to the start.
    pub counterexample: Option<Counterexample>,
    /// For each `reachable` property that was reached, how.
    pub witnesses: Vec<Counterexample>,
    /// What kept states from being explored, and how many.
    pub cut_by: Vec<CutReport>,
    /// What was still growing when a bound or a budget cut the search. Of a search that ended within a level, which levels are in it
    /// depends on the number of threads.
    pub growth: Vec<GrowthReport>,
    /// What the search held at its end.
    pub memory: Memory,
    /// How the memo of steps did.
    pub memo: Memo,
    /// How what was under way was kept.
    pub network: NetworkReport,
}

/// A property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyReport {
    /// Its name.
    pub name: &'static str,
    /// What it claims.
    pub kind: PropertyKind,
    /// What is known of it.
    pub status: Status,
    /// In how many of the states seen it is violated; for `no_fault`, how many transitions are faults.
    pub violations: u64,
}

/// A handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerReport {
    /// Its service.
    pub service: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// In how many transitions it ran, once for each way in which they can go; starts of nodes are counted once.
    pub runs: u64,
}

/// A message that met no handler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IgnoredReport {
    /// The kind of message.
    pub message: &'static str,
    /// The control state of the receiver.
    pub state: &'static str,
    /// The receiver's service.
    pub service: &'static str,
    /// In how many transitions.
    pub count: u64,
}

/// Something that grows: a variable, or what is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrowthReport {
    /// The service whose variable it is, or which receives what is under way.
    pub service: &'static str,
    /// The variable, or the carrier.
    pub name: &'static str,
    /// What of it was measured.
    pub measure: Measure,
    /// How much there was nearest to the start.
    pub from: u64,
    /// How much there was at most.
    pub to: u64,
    /// In how many steps from the start that was met first.
    pub depth: u32,
}

/// What is measured of something that may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// The elements of a variable's collections, all together.
    Elements,
    /// How far from 0 the numbers in a variable are.
    Magnitude,
    /// Messages under way to a node, by one carrier.
    Messages,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Measure::Elements => "elements",
            Measure::Magnitude => "magnitude",
            Measure::Messages => "messages",
        })
    }
}

impl Report {
    /// How probable it is that two of the states seen share a fingerprint, and one was missed: by the birthday bound,
    /// `1 - exp(-n (n - 1) / 2^(bits + 1))` for `n` states.
    pub fn missed_probability(&self) -> f64 {
        match self.fingerprint_bits {
            0 => 0.0,
            bits => missed(self.unique_states, f64::from(bits)),
        }
    }

    /// The lines of the spec that could have come about and never did. That is a failing where everything was explored.
    pub fn idle(&self) -> impl Iterator<Item = &PlanReport> {
        let fired = |idle: &PlanReport| {
            let same = |plan: &&PlanReport| plan.is_of(idle.kind, &idle.text, idle.line);
            self.plans.iter().filter(same).any(|plan| plan.fired > 0)
        };
        self.plans.iter().filter(move |plan| plan.is_idle() && !fired(plan))
    }
}

/// The probability that two of `n` states share a fingerprint of so many bits.
fn missed(n: u64, bits: f64) -> f64 {
    let n = n as f64;
    let pairs = n * (n - 1.0).max(0.0) / 2.0;
    -(-pairs / bits.exp2()).exp_m1()
}

/// A path to a state or a fault, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The property.
    pub property: &'static str,
    /// The way there.
    pub path: Path,
    /// What is there, as a trace says it.
    pub ending: Ending,
}

/// What keeps states from being explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cut {
    /// A bound on depth, of the model or of the options.
    Depth,
    /// The model's bound on messages in flight.
    Messages,
    /// The model's `within`.
    Within,
    /// A violation was found, and the search was not to go on.
    Violation,
    /// The budget of unique states.
    States,
    /// The budget of time.
    Time,
    /// The budget of memory, or the system has no more.
    Memory,
    /// The search was cancelled.
    Cancelled,
    /// Consequence prediction: steps were left out of states.
    Consequences,
    /// Random walks, which never see all; counted are those that ended by their length.
    Walks,
}

impl Cut {
    /// Whether it belongs to what is checked: a search that only bounds cut has come to its end.
    pub fn is_bound(self) -> bool {
        matches!(self, Cut::Depth | Cut::Messages | Cut::Within)
    }

    /// Whether it is something that was spent, or the user's patience.
    pub fn is_budget(self) -> bool {
        matches!(self, Cut::States | Cut::Time | Cut::Memory | Cut::Cancelled)
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cut::Depth => "depth",
            Cut::Messages => "messages",
            Cut::Within => "within",
            Cut::Violation => "violation",
            Cut::States => "max-states",
            Cut::Time => "time",
            Cut::Memory => "max-memory",
            Cut::Cancelled => "cancelled",
            Cut::Consequences => "consequences",
            Cut::Walks => "walks",
        })
    }
}

/// What kept states from being explored, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutReport {
    /// What did.
    pub by: Cut,
    /// How many states, at the least.
    pub states: u64,
}

/// Counted bytes, by what holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The table of fingerprints.
    pub visited: u64,
    /// States that waited to be explored, when most did.
    pub frontier: u64,
    /// Waiting states that were written to disk, all together.
    pub spilled: u64,
    /// How each state was reached.
    pub log: u64,
    /// Interned node states, messages, timers, and nodes with what is under way to them.
    pub interner: u64,
    /// Remembered steps, transitions and evaluations of properties.
    pub memo: u64,
    /// The most that the whole process ever had resident, where the system says.
    pub peak_rss: Option<u64>,
}

impl Memory {
    /// All that was counted.
    pub fn counted(&self) -> u64 {
        self.visited + self.frontier + self.log + self.interner + self.memo
    }
}

/// How what was under way was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkReport {
    /// [`Backend::Channels`] or [`Backend::Flat`]; [`Backend::Observed`] where nothing was kept so, as by the reference explorer.
    pub backend: Backend,
    /// How many different nodes there were, each with what is kept with it.
    pub parts: u64,
}

/// How the memo of steps did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memo {
    /// Steps kept: (node state, stimulus), each with all its outcomes.
    pub entries: u64,
    /// Steps that a transition needed and that were answered without running a handler.
    pub hits: u64,
    /// Steps executed and not kept: beyond the bound of the memo, or of nodes that are hardly ever twice in one state.
    pub direct: u64,
    /// Of how many nodes nothing was kept in the end.
    pub nodes_direct: u32,
}

#[cfg(test)]
mod tests {
    use super::missed;

    #[test]
    fn equal_fingerprints_are_as_probable_as_birthdays() {
        // Of 23 people two share a birthday with probability 0.507; the bound by pairs says 0.500.
        assert!((missed(23, 365.0_f64.log2()) - 0.5).abs() < 1e-4);
        assert_eq!((missed(0, 64.0), missed(1, 64.0)), (0.0, 0.0));
        assert!((missed(10_340_352, 64.0) / 2.898e-6 - 1.0).abs() < 1e-3);
        assert!((missed(1 << 40, 64.0) - 1.0).abs() < 1e-9, "far too many states for 64 bits");
    }
}
