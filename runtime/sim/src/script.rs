//! Scenarios: carries out the golden script of a spec, with the engine of every other run.
//!
//! Between two lines of a script nothing happens. A line makes one thing happen now ([`acts`]), lets the engine go on for a
//! while ([`flow`]), or looks at the state. Nature takes no part beyond delays and chance: nothing is lost, doubled or
//! crashed, and nobody calls, unless the script says so. Choices that a line does not pin ([`pin`]) take the author's default,
//! else the first option.
//!
//! What a message, a timer or a call does is the engine's business alone; a script only says when.

mod acts;
mod flow;
mod pin;
pub(crate) mod plans;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use foresee_kernel::script::{Claim, Command, Pin, ScriptLine};
use foresee_kernel::{Call, Model, ScenarioInfo, Trace, View, fault, names, trace};
use foresee_world::Path;

use crate::engine::{Engine, Seen};
use crate::network::Network;
use crate::options::{Options, SimError};
use crate::run::Record;

/// The seed of every scenario: delays and chance come from it.
pub const SCENARIO_SEED: u64 = 0;

/// The most events of one `run`.
pub const SCRIPT_EVENTS_MAX: u64 = 100_000;

/// How a scenario went.
#[derive(Clone, Debug)]
pub struct ScenarioRun {
    /// Where and why it failed, if it did.
    pub failure: Option<Failure>,
    /// How many lines were carried out.
    pub lines: usize,
    /// Messages that arrived and timers that fired.
    pub events: u64,
    /// Where the clock stood at the end.
    pub virtual_seconds: f64,
    /// What happened.
    pub trace: Trace,
    /// What happened, to be told in [`ScenarioRun::model`].
    pub path: Path,
    /// The model whose workload and faults are those of the script.
    pub model: Arc<Model>,
}

/// Why a scenario failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line of the spec.
    pub line: u32,
    /// The command as written; empty where the nodes had not started.
    pub text: String,
    /// What is wrong.
    pub reason: String,
    /// What helps to understand it.
    pub notes: Vec<String>,
    /// The property that is violated, if that is the reason.
    pub property: Option<String>,
}

/// Why a line could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    reason: String,
    notes: Vec<String>,
}

impl Trouble {
    fn new(reason: impl Into<String>) -> Self {
        Trouble { reason: reason.into(), notes: Vec::new() }
    }

    fn with(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Runs `scenario` in `model`, which is its system with its defaults.
///
/// # Errors
/// A property that panics: it has no value.
pub fn scenario(model: &Arc<Model>, scenario: &'static ScenarioInfo) -> Result<ScenarioRun, SimError> {
    names::scope(&model.names, || {
        let now = Rc::new(Cell::new(0));
        let run = fault::guard(|| {
            // The first time shows what the script does; what it does is the second's workload and faults.
            let open = plans::open(model, scenario);
            let mut player = Player::new(&open, &now, Record::States)?;
            player.play(scenario);
            let model = plans::model(model, scenario, player.calls, player.breaks);
            now.set(0);
            let mut player = Player::new(&model, &now, Record::Steps)?;
            let failure = player.play(scenario);
            Ok(player.close(scenario, failure))
        });
        run.unwrap_or_else(|fault| {
            Err(SimError::Evaluation { message: fault.to_string(), at_nanos: now.get() })
        })
    })
}

/// A script and the run that it is about.
struct Player {
    engine: Engine,
    /// How the step of the line at hand is to go.
    pin: Rc<RefCell<Option<Pin>>>,
    lines: usize,
    /// The calls of the script, so far.
    calls: Vec<Call>,
    /// Whether the script lets something fail.
    breaks: bool,
}

impl Player {
    fn new(model: &Arc<Model>, now: &Rc<Cell<u64>>, record: Record) -> Result<Self, SimError> {
        let mut engine = Engine::new(model, SCENARIO_SEED, &Options::default(), record, now)?;
        let pin = Rc::new(RefCell::new(None));
        engine.policy = Box::new(pin::Pinned(pin.clone()));
        engine.network = Network::calm(model);
        engine.events_max = u64::MAX;
        engine.gentle = true;
        Ok(Player { engine, pin, lines: 0, calls: Vec::new(), breaks: false })
    }

    fn play(&mut self, scenario: &'static ScenarioInfo) -> Option<Failure> {
        self.engine.start();
        if let Some(trouble) = self.violation() {
            return Some(self.failure(scenario.line, "", trouble));
        }
        for line in scenario.script {
            let done = self.line(line);
            if let Err(trouble) = self.violation().map_or(done, Err) {
                return Some(self.failure(line.line, line.text, trouble));
            }
            self.lines += 1;
        }
        None
    }

    fn line(&mut self, line: &ScriptLine) -> Result<(), Trouble> {
        match &line.command {
            Command::Do(act) => {
                let act = self.look(act)?;
                self.possible(&act)?;
                self.act(act, line);
                Ok(())
            }
            Command::Refuse(act) => {
                let act = self.look(act)?;
                match self.possible(&act) {
                    Ok(()) => Err(Trouble::new("this can happen here, and the scenario says that it cannot")),
                    Err(_) => Ok(()),
                }
            }
            Command::RunQuiet => self.run_quiet(),
            Command::RunFor(time) => {
                let time = self.look(time)?;
                self.run_for(time)
            }
            Command::RunUntil(holds) => self.run_until(*holds),
            Command::Expect(claim) => {
                let Claim { holds, seen } = self.look(claim)?;
                if holds {
                    return Ok(());
                }
                let notes = seen.into_iter().map(|(text, value)| format!("{text} is {value}"));
                Err(Trouble { reason: "this does not hold".to_owned(), notes: notes.collect() })
            }
        }
    }

    /// What a line says about the state as it is.
    fn look<T>(&self, say: &fn(&View<'_>) -> T) -> Result<T, Trouble> {
        let views = Seen { states: &self.engine.states, ambient: &self.engine.ambient };
        let view = View::new(&self.engine.model, &views);
        fault::guard(|| say(&view))
            .map_err(|fault| Trouble::new(format!("this has no value: {}", fault.message)))
    }

    /// The property that was violated by what happened last.
    fn violation(&self) -> Option<Trouble> {
        let violation = self.engine.violation.as_ref()?;
        if let Some(fault) = &violation.fault {
            return Some(Trouble::new(format!("a step faults: {fault}")));
        }
        let properties = &self.engine.model.properties;
        let property = properties.iter().find(|property| property.name == violation.property);
        let place = property.map_or(String::new(), |it| format!(" ({}:{})", it.file, it.line));
        Some(Trouble::new(format!("`{}`{place} is violated", violation.property)))
    }

    fn failure(&self, line: u32, text: &str, trouble: Trouble) -> Failure {
        let Trouble { reason, notes } = trouble;
        let property = self.engine.violation.as_ref().map(|violation| violation.property.clone());
        Failure { line, text: text.to_owned(), reason, notes, property }
    }

    fn close(mut self, scenario: &ScenarioInfo, failure: Option<Failure>) -> ScenarioRun {
        let ending = match self.engine.violation.take() {
            Some(violation) => match violation.fault {
                Some(message) => trace::Ending::Fault { message },
                None => trace::Ending::Violation { property: violation.property },
            },
            None => trace::Ending::Run,
        };
        let recorder = self.engine.recorder.take().expect("a scenario is recorded");
        let (trace, path) = recorder.finish_scenario(scenario.name, ending);
        let virtual_seconds = self.engine.now.get() as f64 / 1e9;
        let (lines, events, model) = (self.lines, self.engine.events, self.engine.model.clone());
        ScenarioRun { failure, lines, events, virtual_seconds, trace, path, model }
    }
}
