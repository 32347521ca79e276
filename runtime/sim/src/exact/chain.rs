//! A system as a Markov chain, or as a decision process where choices are open: what is still to come is worked out once for each state in
//! which something is drawn.
//!
//! From the first state on runs go on, depth first, each from a copy of the run that came to the state before. Between two draws a run is
//! certain, so a state is only looked up where the next event draws: it is known what comes of it, or the values of the draw are gone
//! through one after the other. Time only moves forward, so no state comes again before it is known, unless the clock stands still.
//!
//! What the best answers are is known backwards, and how often each comes up, forwards: states are numbered as they become known, so each has
//! a greater number than all that come after it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use foresee_kernel::{Digest, fault, names};
use hashbrown::HashMap;

use super::dice::Wheel;
use super::standing::{Common, Standing};
use super::sum::{Folded, Gain, Stops, Sum};
use super::{ExactError, Task};
use crate::SimError;
use crate::engine::Engine;
use crate::run::Record;

/// How many draws may follow each other in one run. Each keeps a copy of the run.
const DEPTH_MAX: usize = 20_000;

/// So many values are tried for each state that there may be, on average: an event may draw so often that its state alone is too much.
const TRIES_MOST: u64 = 16;

/// A state that is gone through.
struct Open {
    /// What tells it apart; None where it is like no other.
    key: Option<u128>,
    /// What came up on the way to it.
    gain: Gain,
    /// A run that stands in it.
    standing: Standing,
    wheels: Vec<Wheel>,
    found: Vec<Option<Sum>>,
}

/// Where a run has come to.
enum Came {
    /// This is what comes of it.
    Known(Sum),
    /// A state of which nothing is known yet.
    New(Box<Open>),
}

struct Chain<'t> {
    common: Common<'t>,
    states_max: u64,
    /// The numbers of the states that are known; None for those that are gone through.
    numbers: HashMap<u128, Option<u32>, BuildHasherDefault<Digest>>,
    /// What comes of each state that is known, by its number.
    known: Vec<Sum>,
    /// How many states were met, and how many values of their draws were tried.
    states: u64,
    tries: u64,
    /// Whether there are others, which were not gone through.
    missing: bool,
}

/// What all runs come to, and how many states were told apart.
pub(super) fn solve(task: &Task, states_max: u64) -> Result<(Sum, u64), ExactError> {
    let now = Rc::new(Cell::new(0));
    names::scope(&task.model.names, || {
        // What panics here is a property, an objective or a policy, as in any run.
        let solved = fault::guard(|| {
            let engine = Engine::new(&task.model, 0, &task.options, Record::States, &now)?;
            let mut chain = Chain {
                common: Common::new(task),
                states_max,
                numbers: HashMap::default(),
                known: Vec::new(),
                states: 0,
                tries: 0,
                missing: false,
            };
            let all = chain.solve(engine)?;
            Ok((chain.forwards(all), chain.states))
        });
        solved.unwrap_or_else(|fault| {
            Err(SimError::Evaluation { message: fault.to_string(), at_nanos: now.get() }.into())
        })
    })
}

impl Chain<'_> {
    fn solve(&mut self, engine: Engine) -> Result<Sum, ExactError> {
        let task = self.common.task;
        let mut path: Vec<Box<Open>> = Vec::new();
        let begun = self.common.begin(engine);
        let mut came = self.go_on(begun, path.len())?;
        loop {
            let mut sum = match came {
                Came::New(mut open) => {
                    came = self.try_next(&mut open, path.len() + 1)?;
                    path.push(open);
                    continue;
                }
                Came::Known(sum) => sum,
            };
            if self.missing && task.best {
                return Err(ExactError::TooMany { most: self.states_max, of: "states" });
            }
            loop {
                let Some(mut open) = path.pop() else { return Ok(sum) };
                match task.layout.fold(&mut open.wheels, &mut open.found, sum, self.stops()) {
                    Folded::Turned => {
                        came = self.try_next(&mut open, path.len() + 1)?;
                        path.push(open);
                        break;
                    }
                    Folded::Unknown => {
                        return Err(ExactError::TooMany { most: self.states_max, of: "states" });
                    }
                    Folded::Whole(whole) => sum = self.learn(*open, whole),
                }
            }
        }
    }

    /// What becomes of values of draws that are left, if no more may be tried.
    fn stops(&self) -> Option<Stops> {
        let unknown = if self.common.task.best { Stops::Unknown } else { Stops::Missing };
        (self.tries >= self.states_max.saturating_mul(TRIES_MOST)).then_some(unknown)
    }

    /// Goes on from a state by what its wheels show.
    fn try_next(&mut self, open: &mut Open, depth: usize) -> Result<Came, ExactError> {
        let task = self.common.task;
        self.tries += 1;
        let mut standing = self.common.fork(&open.standing);
        {
            let mut dice = task.dice.borrow_mut();
            dice.wheels = std::mem::take(&mut open.wheels);
            dice.rewind();
        }
        let ended = self.common.step(&mut standing);
        task.drawn()?;
        open.wheels = std::mem::take(&mut task.dice.borrow_mut().wheels);
        match ended {
            Some(ending) => Ok(Came::Known(task.sum(&self.common.close(&mut standing, ending))?)),
            None => self.go_on(standing, depth),
        }
    }

    /// Goes on up to the next draw, or the end.
    fn go_on(&mut self, mut standing: Standing, depth: usize) -> Result<Came, ExactError> {
        let task = self.common.task;
        loop {
            let before = self.common.fork(&standing);
            task.dice.borrow_mut().rewind();
            let ended = self.common.step(&mut standing);
            task.drawn()?;
            let draws = !std::mem::take(&mut task.dice.borrow_mut().wheels).is_empty();
            if draws {
                return self.come_to(before, depth);
            }
            if let Some(ending) = ended {
                return Ok(Came::Known(task.sum(&self.common.close(&mut standing, ending))?));
            }
        }
    }

    /// A run has come to a state whose next event draws.
    fn come_to(&mut self, mut standing: Standing, depth: usize) -> Result<Came, ExactError> {
        let task = self.common.task;
        let (gain, key) = self.common.settle(&mut standing);
        match key.and_then(|key| self.numbers.get(&key)) {
            Some(Some(number)) => return Ok(Came::Known(self.recall(*number, &gain))),
            // It comes again at the same instant, and so for ever with some probability.
            Some(None) => return Err(ExactError::Endless { events: standing.engine.events }),
            None => {}
        }
        if depth >= DEPTH_MAX && task.options.until.or(task.model.horizon).is_none() {
            return Err(ExactError::Endless { events: standing.engine.events });
        }
        if self.states >= self.states_max || depth >= DEPTH_MAX {
            self.missing = true;
            return Ok(Came::Known(task.layout.missing()));
        }
        self.states += 1;
        if let Some(key) = key {
            self.numbers.insert(key, None);
        }
        Ok(Came::New(Box::new(Open { key, gain, standing, wheels: Vec::new(), found: Vec::new() })))
    }

    /// Keeps what comes of a state, which is known now; what comes of the way to it.
    fn learn(&mut self, open: Open, whole: Sum) -> Sum {
        let number = self.known.len() as u32;
        self.known.push(whole);
        if let Some(key) = open.key {
            self.numbers.insert(key, Some(number));
        }
        self.recall(number, &open.gain)
    }

    /// What comes of a way to a known state.
    fn recall(&self, number: u32, gain: &Gain) -> Sum {
        let task = self.common.task;
        let mut sum = self.known[number as usize].only();
        if task.best {
            sum.next.push((number, 1.0));
        }
        sum.after(&task.layout, gain)
    }

    /// How often each option is taken in a run, over all states that runs come to.
    fn forwards(&self, mut all: Sum) -> Sum {
        let mut times = vec![0.0; self.known.len()];
        let mut taken = BTreeMap::new();
        let mut pass = |sum: &Sum, here: f64, times: &mut Vec<f64>| {
            for (option, often) in &sum.taken {
                *taken.entry(option.clone()).or_default() += here * often;
            }
            for (state, p) in &sum.next {
                times[*state as usize] += here * p;
            }
        };
        pass(&all, 1.0, &mut times);
        for (number, sum) in self.known.iter().enumerate().rev() {
            let here = times[number];
            if here > 0.0 {
                pass(sum, here, &mut times);
            }
        }
        all.taken = taken;
        all
    }
}
