//! Counts the choices that a service leaves open.

use std::collections::BTreeMap;

use serde::Serialize;

use super::branches::Tally;
use crate::ast::{Fragment, Service};
use crate::overlap::{Key, Placed, overlap, placed};

/// Choices by their form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Choices {
    /// Events with several handlers of which more than one may apply.
    pub overlaps: usize,
    /// `choose x in SET` in heads.
    pub heads: usize,
    /// `choose(..)` in bodies, in routines and as the interval of a timer.
    pub bodies: usize,
    /// `choose_or(..)`.
    pub with_default: usize,
    /// All of them.
    pub total: usize,
}

impl Choices {
    pub(super) fn plus(&self, other: &Choices) -> Choices {
        Choices {
            overlaps: self.overlaps + other.overlaps,
            heads: self.heads + other.heads,
            bodies: self.bodies + other.bodies,
            with_default: self.with_default + other.with_default,
            total: self.total + other.total,
        }
    }
}

/// Counts the choices of a service; `tally` counts within a piece of its Rust.
pub fn choices(
    service: &Service,
    block: impl Fn(&Fragment) -> Tally,
    expression: impl Fn(&Fragment) -> Tally,
) -> Choices {
    let (found, _) = placed(service);
    let mut choices = Choices { overlaps: overlaps(&found), ..Choices::default() };
    let mut add = |tally: Tally| {
        choices.bodies += tally.chooses;
        choices.with_default += tally.choose_ors;
    };
    found.iter().for_each(|placed| add(block(&placed.handler.body)));
    service.routines().for_each(|routine| add(block(&routine.body)));
    service.timers().filter_map(|timer| timer.every.as_ref()).for_each(|every| add(expression(every)));
    choices.heads = found.iter().map(|placed| placed.handler.chooses.len()).sum();
    choices.total = choices.overlaps + choices.heads + choices.bodies + choices.with_default;
    choices
}

/// The number of events for which two handlers may apply at once.
fn overlaps(found: &[Placed<'_>]) -> usize {
    let mut events: BTreeMap<Key<'_>, Vec<&Placed<'_>>> = BTreeMap::new();
    for placed in found {
        events.entry(Key::of(placed.handler)).or_default().push(placed);
    }
    let open = |list: &&Vec<&Placed<'_>>| {
        list.iter().enumerate().any(|(at, one)| list[at + 1..].iter().any(|other| overlap(one, other)))
    };
    events.values().filter(open).count()
}
