//! What a run says about each statistical property of its model: whether an event came, what a quantity came to.
//!
//! A predicate is evaluated only where what it reads has changed. Nothing here knows of other runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_kernel::digest::at;
use foresee_kernel::{Figure, Model, NodeId, Predicate, Quantity, States, Statistical, View};

use crate::engine::Seen;
use crate::exact::key::Key;
use crate::network::nanos;
use crate::result::TOTAL;

/// The statistical properties of a model, in one run.
#[derive(Clone, Debug)]
pub(crate) struct Gauge {
    watched: Vec<Watched>,
}

#[derive(Clone, Debug)]
struct Watched {
    claim: Arc<Statistical>,
    /// Up to when states count.
    until: u64,
    event: Tracked,
    given: Tracked,
    /// Whether the event came, and whether what is given held so far.
    came: bool,
    kept: bool,
}

/// A predicate and what it was in the last state.
#[derive(Clone, Debug, Default)]
struct Tracked {
    /// For every node, the digest of what it reads there, and the sum of these.
    parts: Vec<u64>,
    key: u64,
    value: bool,
}

impl Gauge {
    /// Looks at the first state.
    pub fn new(model: &Model, seen: &Seen<'_>) -> Self {
        let watched = |claim: &Arc<Statistical>| {
            let until = match claim.figure {
                Figure::Probability { within: Some(within), .. } => nanos(within),
                _ => u64::MAX,
            };
            let (event, given) = (Tracked::default(), Tracked::default());
            let mut watched = Watched { claim: claim.clone(), until, event, given, came: false, kept: true };
            if let Figure::Probability { event, given, .. } = &claim.figure {
                watched.event.begin(event, model, seen);
                if let Some(given) = given {
                    watched.given.begin(given, model, seen);
                }
                watched.note();
            }
            watched
        };
        Gauge { watched: model.statistics.iter().map(watched).collect() }
    }

    /// Looks at the state after a step of `node` at `now`.
    pub fn look(&mut self, model: &Model, seen: &Seen<'_>, node: NodeId, now: u64) {
        for watched in &mut self.watched {
            let Watched { claim, until, event, given, .. } = watched;
            if let Figure::Probability { event: comes, given: holds, .. } = &claim.figure
                && now <= *until
            {
                let mut changed = event.read(comes, model, seen, node);
                if let Some(holds) = holds {
                    changed |= given.read(holds, model, seen, node);
                }
                if changed {
                    watched.note();
                }
            }
        }
    }

    /// Writes down what of the past still makes a difference; what each predicate is now is a function of the state.
    pub fn write(&self, key: &mut Key) {
        for watched in &self.watched {
            key.flag(watched.kept);
            key.flag(watched.kept && watched.came);
        }
    }

    /// What the run says of each property: 1 or 0 for an event, the value of a quantity; None where the run does not count.
    pub fn close(&self, model: &Model, seen: &Seen<'_>, ends: &Ends<'_>) -> Vec<Option<f64>> {
        let view = View::new(model, seen);
        let figure = |watched: &Watched| match &watched.claim.figure {
            Figure::Probability { .. } => watched.kept.then_some(f64::from(u8::from(watched.came))),
            Figure::Expected(quantity) => ends.value(quantity, &view),
        };
        self.watched.iter().map(figure).collect()
    }
}

impl Watched {
    fn note(&mut self) {
        self.came |= self.event.value;
        if let Figure::Probability { given: Some(_), .. } = self.claim.figure {
            self.kept &= self.given.value;
        }
    }
}

impl Tracked {
    fn begin(&mut self, predicate: &Predicate, model: &Model, seen: &Seen<'_>) {
        self.parts = vec![0; seen.states.len()];
        for index in 0..seen.states.len() {
            self.part(predicate, model, seen, NodeId::new(index as u32));
        }
        self.value = (predicate.holds)(&View::new(model, seen), &[]);
    }

    /// Takes note of `node`. Whether anything that the predicate reads has changed.
    fn read(&mut self, predicate: &Predicate, model: &Model, seen: &Seen<'_>, node: NodeId) -> bool {
        let changed = self.part(predicate, model, seen, node);
        if changed {
            self.value = (predicate.holds)(&View::new(model, seen), &[]);
        }
        changed
    }

    fn part(&mut self, predicate: &Predicate, model: &Model, seen: &Seen<'_>, node: NodeId) -> bool {
        let index = node.index();
        let read = predicate.projection(model, node, &|layer| &seen.states[index][layer]);
        let part = at(index as u64, read.wrapping_add(u64::from(!seen.up(node))));
        let before = std::mem::replace(&mut self.parts[index], part);
        self.key = self.key.wrapping_sub(before).wrapping_add(part);
        before != part
    }
}

/// What quantities are made of, at the end of a run.
pub(crate) struct Ends<'a> {
    pub objectives: &'a BTreeMap<String, f64>,
    /// How often the application made the downcall of this name.
    pub calls: &'a dyn Fn(&str) -> u64,
}

impl Ends<'_> {
    fn value(&self, quantity: &Quantity, view: &View<'_>) -> Option<f64> {
        let both =
            |left: &Quantity, right: &Quantity| Some((self.value(left, view)?, self.value(right, view)?));
        match quantity {
            Quantity::Number(number) => Some(*number),
            Quantity::Objective(name) => self.objectives.get(*name).copied(),
            Quantity::Total => self.objectives.get(TOTAL).copied(),
            Quantity::Calls(name) => Some((self.calls)(name) as f64),
            Quantity::State(value) => Some(value(view)),
            Quantity::Sum(left, right) => both(left, right).map(|(left, right)| left + right),
            Quantity::Difference(left, right) => both(left, right).map(|(left, right)| left - right),
            Quantity::Product(left, right) => both(left, right).map(|(left, right)| left * right),
            Quantity::Quotient(left, right) => match both(left, right)? {
                (0.0, 0.0) => None,
                (left, right) => Some(left / right),
            },
        }
    }
}
