//! The memo of steps: (node state, stimulus) -> every way in which the step can go, executed once.
//!
//! Past a bound on entries, and where it was observed that steps hardly come again, they are executed each time they are asked for: what
//! comes out is the same.

use std::sync::atomic::{AtomicU64, Ordering};

use foresee_kernel::digest::mix;
use foresee_world::{Calling, Stimulus, Successor};

use crate::intern::Interned;
use crate::table::Table;

/// What a node is told, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The message of this number arrives.
    Deliver(u32),
    /// The timer of this number fires.
    Fire(u32),
    /// The application calls.
    Call(Calling),
    /// It starts, after a crash.
    Start,
    /// It stops and starts.
    Reset,
}

/// A step with all its outcomes.
pub(crate) struct Step {
    /// The node's state before.
    pub node: u32,
    /// What it is told.
    pub told: Told,
    /// The ways in which the step can go, in the order of the tape.
    pub successors: Vec<Successor<Interned>>,
}

/// Where a step came from.
pub(crate) enum Found<'a> {
    /// It is kept, under a number.
    Kept(u32, &'a Step),
    /// It was executed, and is not kept.
    Loose(Step),
}

impl Found<'_> {
    pub(crate) fn step(&self) -> &Step {
        match self {
            Found::Kept(_, step) => step,
            Found::Loose(step) => step,
        }
    }
}

/// See the module's documentation.
pub(crate) struct Steps {
    table: Table<Step>,
    steps_max: u64,
    loose: AtomicU64,
}

impl Steps {
    pub(crate) fn new(steps_max: u64) -> Self {
        Steps { table: Table::new(), steps_max, loose: AtomicU64::new(0) }
    }

    /// The step that `node` takes on `stimulus`, kept from now on if it `keeps` and there is room.
    pub(crate) fn step(
        &self,
        program: &Interned,
        node: u32,
        stimulus: &Stimulus<'_, Interned>,
        keeps: bool,
    ) -> Found<'_> {
        let (told, key) = match stimulus {
            Stimulus::Deliver(id) => (Told::Deliver(**id), u64::from(**id) << 1),
            Stimulus::Fire(id) => (Told::Fire(**id), u64::from(**id) << 1 | 1),
            Stimulus::Call(calling) => {
                let Calling { plan, way, number } = *calling;
                (
                    Told::Call(*calling),
                    mix(mix(u64::from(plan) << 32 | u64::from(way)).wrapping_add(number.into())),
                )
            }
            Stimulus::Start => (Told::Start, u64::MAX),
            Stimulus::Reset => (Told::Reset, u64::MAX - 1),
        };
        let hash = mix(mix(u64::from(node)).wrapping_add(key));
        let same = |step: &Step| step.node == node && step.told == told;
        if let Some(id) = self.table.find(hash, same) {
            return Found::Kept(id, self.table.get(id));
        }
        // Executed without a lock; where two threads do so at once, one result is dropped.
        let step = Step { node, told, successors: program.execute(node, stimulus) };
        if !keeps || u64::from(self.table.len()) >= self.steps_max {
            self.loose.fetch_add(1, Ordering::Relaxed);
            return Found::Loose(step);
        }
        let owned = owned(&step);
        let id = self.table.intern(hash, same, || (step, owned));
        Found::Kept(id, self.table.get(id))
    }

    /// The kept step of number `id`.
    pub(crate) fn get(&self, id: u32) -> &Step {
        self.table.get(id)
    }

    /// How many steps are kept.
    pub(crate) fn len(&self) -> u32 {
        self.table.len()
    }

    /// How many steps were executed and not kept.
    pub(crate) fn loose(&self) -> u64 {
        self.loose.load(Ordering::Relaxed)
    }

    /// Counted bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.table.bytes()
    }
}

fn owned(step: &Step) -> usize {
    let way = |way: &Successor<Interned>| {
        size_of::<Successor<Interned>>()
            + (way.sends.len() + way.tape.len()) * 4
            + way.ran.len() * 4
            + way.fault.as_ref().map_or(0, |fault| fault.message.len())
    };
    step.successors.iter().map(way).sum()
}
