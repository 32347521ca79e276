//! Small systems solved exactly: means, probabilities and the best that choices can do, without sampling.
//!
//! A run is a function of what is drawn in it. [`exact`] goes through all that could be drawn and weighs what comes of it by its
//! probability ([`dice`]): chance, loss, doubling and who is hit by a fault; the clock is that of any run. So the figures are those
//! that [`crate::verify`] and [`crate::Summary`] estimate, up to the rounding of sums.
//!
//! A run is not made again for every value of a draw. Where an event draws, what the run may still do depends on its state alone ([`key`]),
//! and what is still to come is worked out once for each state, however many runs come to it ([`chain`]). So the work grows with
//! the states in which something is drawn, and these often are few where runs are without number. [`exhaustive`] makes every
//! run from its beginning and merges none: slow, and simple enough to compare [`exact`] with.
//!
//! Where a choice is left open and [`Answers::Best`] is asked for, this is a decision process, solved from its ends: at a choice the option
//! counts whose expectation is best. Whoever answers so knows the whole state, even the fate of a message under way and a planned
//! fault: no policy of the nodes does better, and some of what the bound promises no policy may reach. To know all that was drawn before
//! would help nobody beyond that: objectives are sums, so what came up before is the same for every option, and violations come first
//! however they came about.
//!
//! # Caveats
//! - What has a continuous law, or more than 1,000 values, is refused.
//! - The clock is part of the state: a system without an end has no finite number of states, whatever its nodes do.
//! - A statistical property that multiplies or divides what a run came to keeps the states apart that differ in it.
//! - States are told apart by 128 bits of a hash of all that they are.

mod chain;
mod close;
pub(crate) mod dice;
pub(crate) mod key;
mod standing;
mod sum;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use foresee_kernel::{Model, Point};
use serde::Serialize;

use self::dice::{Dice, Refusal};
use self::sum::{Folded, Layout, Stops};
use crate::result::{Ending, Status};
use crate::run::{Record, attempt};
use crate::statistics::{Interval, Verdict, within_end};
use crate::{Options, Policy, ResolverKind, Run, Scene, SimError};

/// Who answers choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The resolver of the options; where it draws, all that it could draw is gone through.
    Resolver,
    /// Whoever knows all that was drawn so far: violations become as improbable as can be, then the objectives of the first level as good
    /// as can be, then those of the second.
    Best,
}

/// The exact figures of a system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exact {
    /// How many runs there are, all options of open choices tried: those that the figures stand for. Beyond 2^53 it is
    /// rounded, and infinite beyond the range of floats (null in JSON).
    pub runs: f64,
    /// How many states were told apart in which something is drawn; None where runs were not merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<u64>,
    /// The probability of the runs that were not made because there are too many; 0 where all were.
    pub cut: f64,
    /// The mean of each objective and of their sums (see [`crate::Run::objectives`]), over the runs that no violation cut short; None
    /// where there is none or where runs were not made.
    pub objectives: BTreeMap<String, Option<f64>>,
    /// For each property, the probability of what becomes of it in a run.
    pub properties: BTreeMap<String, BTreeMap<Status, f64>>,
    /// The probability that a run ends with a violation of each property.
    pub violations: BTreeMap<String, f64>,
    /// The statistical properties, in their order.
    pub statistics: Vec<Settled>,
    /// How often each option of an open choice is taken in a run, on average, where the best is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Taken>,
    /// What the best answers are, by what a node knows of itself; what comes up most often first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Answered>,
}

/// A claim and what is true of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settled {
    /// The name of the property.
    pub name: &'static str,
    /// The claim as written.
    pub claim: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The answer.
    pub verdict: Verdict,
    /// The figure; None where it has no value or where runs were not made.
    pub value: Option<f64>,
    /// Where the figure of a probability lies if runs were not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The probability of the runs that say nothing of it: what is given did not hold, a quotient had no value, or a violation
    /// ended them.
    pub left_out: f64,
    /// What else is to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// An option of an open choice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Taken {
    /// The service.
    pub service: &'static str,
    /// The place of the choice, by its stable name.
    pub site: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The option.
    pub option: String,
    /// How often it is taken in a run, on average.
    pub times: f64,
}

/// How an open choice is answered best, wherever a node is in one state and one thing happens to it.
///
/// Where more than one option is taken, what is best depends on what the node does not know: the time, others, what is under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answered {
    /// The service.
    pub service: &'static str,
    /// The place of the choice, by its stable name.
    pub site: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The node.
    pub node: String,
    /// What happens to it.
    pub event: String,
    /// Its state before that, the top layer first.
    pub state: String,
    /// The options that are taken, and how often each is in a run, on average.
    pub options: BTreeMap<String, f64>,
}

impl Answered {
    /// How often the choice comes up so in a run, on average.
    pub fn times(&self) -> f64 {
        self.options.values().sum()
    }
}

/// Why a system cannot be solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExactError {
    /// A run cannot be made.
    Sim(SimError),
    /// Something drawn cannot be gone through.
    Continuous {
        /// What, and what to do.
        message: String,
    },
    /// A resolver that is no function of what is drawn.
    Resolver {
        /// Its name.
        name: String,
    },
    /// The best is asked for, and nothing says what is good.
    NoObjective {
        /// The system.
        system: &'static str,
    },
    /// A run does not end.
    Endless {
        /// How many events it had.
        events: u64,
    },
    /// The best is asked for, and there is more to go through than may be: of options that were not tried nothing is known.
    TooMany {
        /// How many there may be.
        most: u64,
        /// Of what.
        of: &'static str,
    },
}

impl fmt::Display for ExactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExactError::Sim(error) => error.fmt(f),
            ExactError::Continuous { message } => write!(f, "this cannot be solved exactly: {message}"),
            ExactError::Resolver { name } => write!(
                f,
                "resolver `{name}` does more than draw: an exact solution knows random, first, round-robin and default, or the best of all answers"
            ),
            ExactError::NoObjective { system } => {
                write!(f, "system `{system}` has no objective, so no answer to a choice is best")
            }
            ExactError::Endless { events } => {
                write!(
                    f,
                    "a run does not end within {events} events: say where runs end, by `horizon` or `--until`"
                )
            }
            ExactError::TooMany { most, of } => {
                write!(f, "there are more than {most} {of}: allow more, or say an earlier end")
            }
        }
    }
}

impl std::error::Error for ExactError {}

impl From<SimError> for ExactError {
    fn from(error: SimError) -> Self {
        ExactError::Sim(error)
    }
}

/// Leaves every choice to whoever reads the odometer.
struct Open(Rc<RefCell<Dice>>);

impl Policy for Open {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        self.0.borrow_mut().choose(point, scene.own)
    }
}

/// What is to be solved.
struct Task {
    model: Arc<Model>,
    options: Options,
    best: bool,
    layout: Layout,
    dice: Rc<RefCell<Dice>>,
}

impl Task {
    fn new(model: &Arc<Model>, options: &Options, answers: Answers) -> Result<Self, ExactError> {
        within_end(model, options)?;
        let best = answers == Answers::Best;
        if best && model.objectives.is_empty() {
            return Err(ExactError::NoObjective { system: model.system });
        }
        if let (false, ResolverKind::Custom(_)) = (best, &options.resolver) {
            return Err(ExactError::Resolver { name: options.resolver.name().to_owned() });
        }
        if let Some(refusal) = Refusal::of(model, options) {
            return Err(ExactError::Continuous { message: refusal.told(model) });
        }
        let resolver = if best { ResolverKind::First } else { options.resolver.clone() };
        let options =
            Options { figures: true, trace: false, last: false, every: None, resolver, ..options.clone() };
        let dice = Rc::new(RefCell::new(Dice::new()));
        Ok(Task { model: model.clone(), options, best, layout: Layout::new(model), dice })
    }

    /// Whether something was drawn that cannot be gone through.
    ///
    /// # Errors
    /// It was.
    fn drawn(&self) -> Result<(), ExactError> {
        match &self.dice.borrow().refusal {
            Some(refusal) => Err(ExactError::Continuous { message: refusal.told(&self.model) }),
            None => Ok(()),
        }
    }

    /// What a run came to that has ended.
    ///
    /// # Errors
    /// It has not, but had more events than it may.
    fn sum(&self, run: &Run) -> Result<sum::Sum, ExactError> {
        match run.ending {
            Ending::EventsMax | Ending::Stalled => Err(ExactError::Endless { events: run.events }),
            _ => Ok(self.layout.of(run)),
        }
    }
}

/// Solves `model`, `states_max` states in which something is drawn at most.
///
/// # Errors
/// See [`ExactError`]. A system with more states is no error where a resolver answers: the figures then say what is missing.
pub fn exact(
    model: &Arc<Model>,
    options: &Options,
    answers: Answers,
    states_max: u64,
) -> Result<Exact, ExactError> {
    let task = Task::new(model, options, answers)?;
    let (all, states) = chain::solve(&task, states_max)?;
    Ok(close::close(model, &task.layout, &all, Some(states)))
}

/// Solves `model` by making every run that there is from its beginning, `runs_max` of them at most: what [`exact`] is compared with.
///
/// # Errors
/// As [`exact`].
pub fn exhaustive(
    model: &Arc<Model>,
    options: &Options,
    answers: Answers,
    runs_max: u64,
) -> Result<Exact, ExactError> {
    let task = Task::new(model, options, answers)?;
    // What the possibilities of each wheel came to so far.
    let mut found = Vec::new();
    let mut runs = 0;
    let all = loop {
        task.dice.borrow_mut().rewind();
        let run = attempt(model, 0, &task.options, Record::States, &|engine| {
            engine.draws.throw(task.dice.clone());
            if task.best {
                engine.policy = Box::new(Open(task.dice.clone()));
            }
        })?;
        runs += 1;
        task.drawn()?;
        let sum = task.sum(&run)?;
        let stops = (runs >= runs_max).then_some(if task.best { Stops::Unknown } else { Stops::Missing });
        match task.layout.fold(&mut task.dice.borrow_mut().wheels, &mut found, sum, stops) {
            Folded::Turned => {}
            Folded::Unknown => return Err(ExactError::TooMany { most: runs_max, of: "runs" }),
            Folded::Whole(all) => break all,
        }
    };
    Ok(close::close(model, &task.layout, &all, None))
}
