//! A run as it stands between two events, which others may go on from too; and what may be taken out of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use foresee_kernel::{Figure, Model, Objective, Point, Quantity, Scratch};

use super::key::Key;
use super::sum::{Gain, Layout};
use super::{Open, Task};
use crate::engine::{Engine, Seen};
use crate::resolver::{AuthorsDefault, First, Policy, Random, ResolverKind, RoundRobin, Scene};
use crate::result::{Ending, TOTAL};
use crate::run::INSTANT_EVENTS_MAX;

/// What all runs of a task have in common: one goes on at a time.
pub(super) struct Common<'t> {
    pub task: &'t Task,
    pub keeps: Keeps,
    /// The memory of a resolver that has one: that of the run which goes on.
    turns: Rc<RefCell<RoundRobin>>,
}

/// A run between two events.
pub(super) struct Standing {
    pub engine: Engine,
    /// Whether its nodes have started.
    started: bool,
    /// Where its clock stands: all runs have one clock, which is that of the run which goes on.
    now: u64,
    /// How many events there were since the clock last moved.
    instant: u64,
    turns: RoundRobin,
}

/// Answers as [`RoundRobin`] does, for the run that goes on.
struct InTurn(Rc<RefCell<RoundRobin>>);

impl Policy for InTurn {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        self.0.borrow_mut().choose(point, scene)
    }
}

impl<'t> Common<'t> {
    pub fn new(task: &'t Task) -> Self {
        Common { task, keeps: Keeps::new(&task.model), turns: Rc::default() }
    }

    fn policy(&self) -> Box<dyn Policy> {
        match &self.task.options.resolver {
            _ if self.task.best => Box::new(Open(self.task.dice.clone())),
            ResolverKind::Random => Box::new(Random),
            ResolverKind::Default => Box::new(AuthorsDefault),
            ResolverKind::RoundRobin => Box::new(InTurn(self.turns.clone())),
            // No other gets here.
            ResolverKind::First | ResolverKind::Custom(_) => Box::new(First),
        }
    }

    /// A run in which nothing has happened.
    pub fn begin(&self, mut engine: Engine) -> Standing {
        engine.plans_run = true;
        engine.draws.throw(self.task.dice.clone());
        engine.policy = self.policy();
        Standing { engine, started: false, now: 0, instant: 0, turns: RoundRobin::default() }
    }

    /// Another run that stands where `standing` does.
    pub fn fork(&self, standing: &Standing) -> Standing {
        let Standing { engine, started, now, instant, turns } = standing;
        Standing {
            engine: engine.fork(self.policy()),
            started: *started,
            now: *now,
            instant: *instant,
            turns: turns.clone(),
        }
    }

    /// Lets one event happen: the start of all nodes, or what comes first from the queue. How the run ended, if it did.
    pub fn step(&self, standing: &mut Standing) -> Option<Ending> {
        let Standing { engine, started, now, instant, turns } = standing;
        engine.now.set(*now);
        self.turns.swap(&RefCell::new(std::mem::take(turns)));
        if std::mem::replace(started, true) {
            let Some(entry) = engine.queue.pop() else {
                return Some(engine.end.map_or(Ending::Quiet, |end| end.ending));
            };
            if let Some(end) = engine.end.filter(|end| entry.at > end.at) {
                return Some(end.ending);
            }
            if !engine.happen(entry) {
                return Some(Ending::EventsMax);
            }
            *instant = if engine.now.get() == *now { *instant + 1 } else { 0 };
        } else {
            engine.start();
        }
        *now = engine.now.get();
        *turns = self.turns.take();
        match engine.violation {
            Some(_) => Some(Ending::Violation),
            None => (*instant >= INSTANT_EVENTS_MAX).then_some(Ending::Stalled),
        }
    }

    /// Lets the run stand right before its next event, and takes out what came up until then; what tells its state apart, if that can be
    /// told.
    pub fn settle(&self, standing: &mut Standing) -> (Gain, Option<u128>) {
        let Standing { engine, started, now, turns, .. } = standing;
        if !*started {
            return (Gain::none(&self.task.layout), Some(0));
        }
        *now = engine.queue.first().map_or(*now, |entry| entry.at.max(*now));
        engine.now.set(*now);
        let gain = self.keeps.draw_off(&self.task.layout, engine);
        let mut key = Key::default();
        engine.write(&mut key, turns);
        (gain, key.finish())
    }

    /// What the run came to, which has ended so.
    pub fn close(&self, standing: &mut Standing, ending: Ending) -> crate::Run {
        standing.engine.now.set(standing.now);
        standing.engine.close(ending)
    }
}

impl Engine {
    /// Another run that stands where this one does, by the same clock. What a run only counts goes along; what it writes down for others
    /// does not.
    fn fork(&self, policy: Box<dyn Policy>) -> Self {
        let Engine {
            model,
            seed,
            end,
            events_max,
            careful,
            deliberate: _,
            thought,
            now,
            order,
            queue,
            flights,
            timers,
            states,
            network,
            ambient,
            down,
            channels,
            held,
            gentle,
            requests,
            schedule,
            churn,
            plans_run,
            draws,
            policy: _,
            scratch: _,
            events,
            messages,
            bytes,
            ledger,
            tally,
            watch,
            figures,
            last,
            gauge,
            violation,
            recorder: _,
            told: _,
        } = self;
        Engine {
            model: model.clone(),
            seed: *seed,
            end: *end,
            events_max: *events_max,
            careful: *careful,
            deliberate: false,
            thought: *thought,
            now: now.clone(),
            order: *order,
            queue: queue.clone(),
            flights: flights.clone(),
            timers: timers.clone(),
            states: states.clone(),
            network: network.clone(),
            ambient: ambient.clone(),
            down: down.clone(),
            channels: channels.clone(),
            held: held.clone(),
            gentle: *gentle,
            requests: requests.clone(),
            schedule: schedule.clone(),
            churn: churn.clone(),
            plans_run: *plans_run,
            draws: draws.clone(),
            policy,
            scratch: Scratch::default(),
            events: *events,
            messages: *messages,
            bytes: *bytes,
            ledger: ledger.clone(),
            tally: tally.clone(),
            watch: watch.as_ref().map(crate::watch::Watch::fork),
            figures: *figures,
            last: *last,
            gauge: gauge.clone(),
            violation: violation.clone(),
            recorder: None,
            told: None,
        }
    }
}

/// What cannot be taken out of a run before its end, since a statistical property asks for more than sums of it.
#[derive(Debug, Default)]
pub(super) struct Keeps {
    objectives: Vec<&'static str>,
    calls: bool,
}

/// How a quantity depends on what comes up in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Depends {
    Not,
    /// It grows by what comes up, times a number.
    Linearly,
    Otherwise,
}

fn depends(quantity: &Quantity) -> Depends {
    use Depends::{Linearly, Not, Otherwise};
    match quantity {
        Quantity::Number(_) | Quantity::State(_) => Not,
        Quantity::Objective(_) | Quantity::Total | Quantity::Calls(_) => Linearly,
        Quantity::Sum(left, right) | Quantity::Difference(left, right) => depends(left).max(depends(right)),
        Quantity::Product(left, right) => match (&**left, &**right) {
            (Quantity::Number(_), other) | (other, Quantity::Number(_)) => depends(other),
            (left, right) if depends(left).max(depends(right)) == Not => Not,
            _ => Otherwise,
        },
        Quantity::Quotient(left, right) => match &**right {
            Quantity::Number(number) if *number != 0.0 => depends(left),
            right if depends(left).max(depends(right)) == Not => Not,
            _ => Otherwise,
        },
    }
}

/// What a quantity that depends linearly on it grows by.
fn growth(quantity: &Quantity, came: &BTreeMap<String, f64>, calls: &dyn Fn(&str) -> u64) -> f64 {
    let of = |quantity: &Quantity| growth(quantity, came, calls);
    match quantity {
        Quantity::Number(_) | Quantity::State(_) => 0.0,
        Quantity::Objective(name) => came.get(*name).copied().unwrap_or_default(),
        Quantity::Total => came.get(TOTAL).copied().unwrap_or_default(),
        Quantity::Calls(name) => calls(name) as f64,
        Quantity::Sum(left, right) => of(left) + of(right),
        Quantity::Difference(left, right) => of(left) - of(right),
        Quantity::Product(left, right) => match (&**left, &**right) {
            (Quantity::Number(number), other) | (other, Quantity::Number(number)) => number * of(other),
            _ => 0.0,
        },
        Quantity::Quotient(left, right) => match &**right {
            Quantity::Number(number) => of(left) / number,
            _ => 0.0,
        },
    }
}

impl Keeps {
    fn new(model: &Model) -> Self {
        let mut keeps = Keeps::default();
        for claim in &model.statistics {
            if let Figure::Expected(quantity) = &claim.figure
                && depends(quantity) == Depends::Otherwise
            {
                keeps.all_of(model, quantity);
            }
        }
        keeps
    }

    fn all_of(&mut self, model: &Model, quantity: &Quantity) {
        match quantity {
            Quantity::Number(_) | Quantity::State(_) => {}
            Quantity::Objective(name) => self.objectives.push(name),
            Quantity::Total => {
                let first = model.objectives.iter().map(|objective| objective.level).min();
                let summed = model.objectives.iter().filter(|objective| Some(objective.level) == first);
                self.objectives.extend(summed.map(|objective| objective.name));
            }
            Quantity::Calls(_) => self.calls = true,
            Quantity::Sum(left, right)
            | Quantity::Difference(left, right)
            | Quantity::Product(left, right)
            | Quantity::Quotient(left, right) => {
                self.all_of(model, left);
                self.all_of(model, right);
            }
        }
    }

    /// Takes out of a run what came up.
    fn draw_off(&self, layout: &Layout, engine: &mut Engine) -> Gain {
        let Engine { model, ledger, states, ambient, now, requests, .. } = engine;
        let seen = Seen { states, ambient };
        let stays = |objective: &Objective| self.objectives.contains(&objective.name);
        let came = ledger.draw_off(model, &seen, now.get(), &stays);
        let calls = |name: &str| if self.calls { 0 } else { requests.made_of(model, name) };
        let figures = model.statistics.iter().map(|claim| match &claim.figure {
            Figure::Expected(quantity) if depends(quantity) == Depends::Linearly => {
                growth(quantity, &came, &calls)
            }
            _ => 0.0,
        });
        let figures = figures.collect();
        let objective = |name: &String| came.get(name).copied().unwrap_or_default();
        let objectives = layout.objectives.iter().map(objective).collect();
        if !self.calls {
            requests.forget_made();
        }
        Gain { objectives, figures }
    }
}
