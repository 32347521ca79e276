//! What a handler does as a whole: its body, its guard, and the routines that they reach.

use std::collections::BTreeSet;

use super::close;
use crate::body::{Effect, Facts, Survey};
use crate::check::ServiceFacts;

/// What a handler does, routines included.
#[derive(Default)]
pub struct Whole {
    /// What is sent, changed, tested.
    pub survey: Survey,
    /// Variables read or written.
    pub reads: BTreeSet<String>,
    /// Variables that may change.
    pub writes: BTreeSet<String>,
    /// Timers armed.
    pub arms: BTreeSet<String>,
    /// Whether it calls another layer, so that what follows does not show here.
    pub leaves: bool,
}

impl Whole {
    fn add(&mut self, facts: &Facts, survey: Option<&Survey>) {
        survey.into_iter().for_each(|it| self.survey.absorb(it));
        self.reads.extend(facts.variables.keys().cloned());
        self.writes.extend(facts.writes.keys().cloned());
        self.arms.extend(facts.timers_set.iter().cloned());
        self.leaves |=
            facts.effects.iter().any(|(it, _)| matches!(it, Effect::Call | Effect::Up | Effect::Answer));
    }
}

/// Every handler of a service as a whole, in order.
pub fn wholes(facts: &ServiceFacts<'_>) -> Vec<Whole> {
    let handlers = facts.handlers.iter().zip(&facts.surveys);
    let whole = |(own, survey): (&Facts, &Survey)| {
        let mut whole = Whole::default();
        whole.add(own, Some(survey));
        for (name, routine) in close(own, &facts.routines) {
            whole.add(routine, facts.surveyed.get(name));
        }
        whole
    };
    handlers.map(whole).collect()
}
