//! What may happen to a part, as it is kept: transitions, what they change beyond the part, and what they consist of.

use foresee_world::{Action, Direct, Planned};

use crate::intern::Interned;
use crate::steps::{Found, Step};

/// One way in which something can happen to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    /// What it adds to the fingerprint, apart from what is sent to others.
    pub delta: u64,
    /// The part afterwards.
    pub part: u32,
    /// The number of a [`Beyond`], plus 1, or 0 where nothing else changes; and [`VISIBLE`] and [`TAKES`].
    pub beyond: u32,
}

/// Set in [`Transition::beyond`] where properties may see the change.
pub(crate) const VISIBLE: u32 = 1 << 31;
/// Set in [`Transition::beyond`] where the message that it is by, which is no part's, is no longer under way.
pub(crate) const TAKES: u32 = 1 << 30;

impl Transition {
    /// What changes beyond the part, if anything does: a number for [`Parts::beyond`].
    #[inline]
    pub(crate) fn beyond(&self) -> Option<u32> {
        (self.beyond & !(VISIBLE | TAKES)).checked_sub(1)
    }

    /// Whether the message that it is by is no longer under way.
    #[inline]
    pub(crate) fn takes(&self) -> bool {
        self.beyond & TAKES != 0
    }
}

/// What a transition changes besides its part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// The receivers of what is sent into their parts, each with the number of what it is sent, in order.
    pub sends: Box<[(u32, u32)]>,
    /// What is sent that is no part's, as often as it is sent.
    pub puts: Box<[u32]>,
    /// A bit for each of its receivers.
    pub told: u32,
    /// What is sent that is no part's, and is there once.
    pub once: Box<[u32]>,
    /// Where what is under way to the node is lost: whether all of it is, or only what it sent itself.
    pub loses: Option<bool>,
    /// The number of the ambient afterwards.
    pub ambient: u32,
}

/// All that may happen to a part.
#[derive(Default)]
pub(crate) struct Expansion {
    /// Where it leads somewhere: first the transitions that change nothing beyond the part.
    pub transitions: Box<[Transition]>,
    /// The kept steps that it consists of.
    pub steps: Vec<u32>,
    /// Steps that are not kept; an expansion with one of these is not kept either.
    pub loose: Vec<Step>,
    /// What happens without a step.
    pub network: u32,
    /// How many ways are faults.
    pub faults: u32,
    /// How many ways are by which plan.
    pub fired: Vec<(Planned, u32)>,
    /// Which of the transitions are by what was under way; not worked out unless it is asked for.
    pub arrivals: Box<[u32]>,
    /// How many ways are by what was under way, without a step.
    pub passing: u32,
    /// Whether a step on what was under way is a fault.
    pub arrivals_fault: bool,
}

impl Expansion {
    /// Counts the plan of an action.
    pub(crate) fn fire(&mut self, action: &Action<Interned>, ways: u32) {
        let Some(plan) = action.plan() else { return };
        match self.fired.iter_mut().find(|(known, _)| *known == plan) {
            Some((_, count)) => *count += ways,
            None => self.fired.push((plan, ways)),
        }
    }

    /// Counts a step.
    pub(crate) fn add(&mut self, found: Found<'_>) {
        let faults = found.step().successors.iter().filter(|successor| successor.fault.is_some());
        self.faults += faults.count() as u32;
        match found {
            Found::Kept(id, _) => self.steps.push(id),
            Found::Loose(step) => self.loose.push(step),
        }
    }
}

/// An action by values, and the answers that its step is given.
pub(crate) struct Way {
    pub action: Action<Direct>,
    pub tape: Vec<u32>,
}

/// Whether it happens because something was under way.
pub(crate) fn is_arrival(action: &Action<Interned>) -> bool {
    matches!(action, Action::Deliver(_) | Action::Miss(_) | Action::Lapse(_))
}
