//! Runs whose random numbers are those of one seed after the other: how a run goes on from a state in which another was.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use foresee_kernel::{Model, fault, names};

use crate::engine::Engine;
use crate::options::{Options, SimError};
use crate::run::Record;

/// A part of a run, in which numbers are those of one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub seed: u64,
    /// After how many entries of the queue, from the beginning of the run, the next leg begins.
    pub ends: u64,
}

/// A run whose numbers are those of one leg after the other, up to where the property of this place is reached or violated: after how many
/// entries of the queue that is. None where the run ends before.
pub(crate) fn journey(
    model: &Arc<Model>,
    legs: &[Leg],
    property: usize,
    options: &Options,
) -> Result<Option<u64>, SimError> {
    let Some(first) = legs.first() else { return Ok(None) };
    let now = Rc::new(Cell::new(0));
    names::scope(&model.names, || {
        let found = fault::guard(|| {
            let mut engine = Engine::new(model, first.seed, options, Record::States, &now)?;
            engine.plans_run = true;
            Ok(engine.go_to(property, legs))
        });
        found.unwrap_or_else(|fault| {
            Err(SimError::Evaluation { message: fault.to_string(), at_nanos: now.get() })
        })
    })
}

impl Engine {
    /// Lets happen what comes, leg by leg, up to a property.
    fn go_to(&mut self, property: usize, legs: &[Leg]) -> Option<u64> {
        self.start();
        let (mut entries, mut leg) = (0, 0);
        loop {
            if self.watch.as_ref().is_some_and(|watch| watch.came_to(property)) && leg + 1 == legs.len() {
                return Some(entries);
            }
            if legs[leg].ends == entries && leg + 1 < legs.len() {
                leg += 1;
                self.draws.reseed(legs[leg].seed);
                continue;
            }
            if self.violation.is_some() {
                return None;
            }
            let entry = self.queue.pop()?;
            if self.is_beyond_end(entry.at) || !self.happen(entry) {
                return None;
            }
            entries += 1;
        }
    }
}
