//! A run from its beginning to its end: how it is attempted, what is kept of it, and what it came to.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use foresee_kernel::{Model, fault, names, trace};

use crate::engine::{Engine, Seen};
use crate::gauge::Ends;
use crate::ledger::Account;
use crate::options::{Options, SimError};
use crate::result::{Ending, Run};

/// The most events of a run that has no end of its own and of which the caller says nothing.
pub const EVENTS_MAX: u64 = 1_000_000;

/// The most events at one instant: a run in which the clock stands still for longer ends.
pub const INSTANT_EVENTS_MAX: u64 = 100_000_000;

/// The longest run, in events, whose trace is kept because it violates a property, without being asked for.
pub const TRACE_EVENTS_MAX: u64 = 1_000_000;

/// Runs `model` once. The same model, seed and options give the same run, to the last byte.
///
/// # Errors
/// An end beyond the clock; a topology or a churn that does what the system does not say; a property or an objective that panics.
pub fn run(model: &Arc<Model>, seed: u64, options: &Options) -> Result<Run, SimError> {
    let record = if options.trace { Record::Steps } else { Record::Nothing };
    let run = attempt(model, seed, options, record, &|_| {})?;
    let Some(violation) = &run.violation else { return Ok(run) };
    if options.trace {
        return Ok(run);
    }
    // A quick run keeps neither its steps nor the state before a fault; the same seed gives both.
    let record = if run.events <= TRACE_EVENTS_MAX { Record::Steps } else { Record::States };
    let again = attempt(model, seed, options, record, &|_| {})?;
    if again.violation.as_ref() != Some(violation) || again.events != run.events {
        let message = format!("run {seed} ended with {violation} and did not when it was repeated");
        return Err(SimError::Diverged { message });
    }
    Ok(again)
}

/// How much of a run is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Only what is asked of a run.
    Nothing,
    /// The state before each step, for one that faults.
    States,
    /// All steps.
    Steps,
}

/// One run; `prepare` may change its engine before anything happens.
pub(crate) fn attempt(
    model: &Arc<Model>,
    seed: u64,
    options: &Options,
    record: Record,
    prepare: &dyn Fn(&mut Engine),
) -> Result<Run, SimError> {
    names::scope(&model.names, || {
        // What panics here is a property, an objective or a policy: a handler's panic is a fault of its step.
        let now = Rc::new(Cell::new(0));
        let run = fault::guard(|| {
            let mut engine = Engine::new(model, seed, options, record, &now)?;
            engine.plans_run = true;
            prepare(&mut engine);
            let ending = engine.go();
            Ok(engine.close(ending))
        });
        run.unwrap_or_else(|fault| {
            Err(SimError::Evaluation { message: fault.to_string(), at_nanos: now.get() })
        })
    })
}

impl Engine {
    /// The run as it stands at its end.
    pub fn close(&mut self, ending: Ending) -> Run {
        if let (Ending::Until | Ending::Horizon, Some(end)) = (ending, self.end) {
            self.now.set(end.at);
        }
        let fault = self.violation.as_ref().and_then(|violation| violation.fault.clone());
        let account = match self.spoilt() {
            true => Account::default(),
            false => self.ledger.close(
                &self.model,
                &Seen { states: &self.states, ambient: &self.ambient },
                self.now.get(),
            ),
        };
        let figures = match (&self.gauge, self.spoilt()) {
            (Some(gauge), false) => {
                let seen = Seen { states: &self.states, ambient: &self.ambient };
                let calls = |name: &str| self.requests.made_of(&self.model, name);
                gauge.close(&self.model, &seen, &Ends { objectives: &account.objectives, calls: &calls })
            }
            _ => Vec::new(),
        };
        let properties = self.watch.as_ref().map(|watch| watch.outcomes(fault.is_some()));
        let kept = match (&self.violation, fault) {
            (Some(_), Some(message)) => trace::Ending::Fault { message },
            (Some(violation), None) => trace::Ending::Violation { property: violation.property.clone() },
            (None, _) => trace::Ending::Run,
        };
        Run {
            seed: self.seed,
            events: self.events,
            virtual_seconds: self.now.get() as f64 / 1e9,
            ending,
            objectives: account.objectives,
            properties: properties.unwrap_or_default(),
            messages: self.messages,
            bytes: self.bytes,
            violation: self.violation.take(),
            handlers: self.tally.handlers(),
            ignored: self.tally.ignored(),
            calls: self.requests.runs(&self.model),
            faults: self.schedule.runs(&self.model),
            over_time: self.ledger.seen(),
            objectives_by_node: account.by_node,
            figures,
            resolver: self.policy.report(),
            last: if self.last && !self.spoilt() { std::mem::take(&mut self.states) } else { Vec::new() },
            trace: self.recorder.take().map(|recorder| recorder.finish(kept)),
        }
    }
}
