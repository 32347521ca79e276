//! Small systems solved exactly: means, probabilities and the best that choices can do, without sampling.
//!
//! A run is a function of what is drawn in it. [`exact`] makes every run that there is, each once, and weighs it by its probability
//! ([`dice`]): chance, loss, doubling and who is hit by a fault are gone through; the clock is that of any run. So the figures are those
//! that [`crate::verify`] and [`crate::Summary`] estimate, up to the rounding of sums.
//!
//! Where a choice is left open and [`Answers::Best`] is asked for, the tree of all draws is that of a decision process with perfect recall,
//! solved from its leaves ("expectimax"): at a choice the option counts whose expectation is best. Whoever answers so knows all that was drawn
//! before, even the fate of a message under way and a planned fault: no policy of the nodes does better, and some of what the
//! bound promises no policy may reach.
//!
//! # Caveats
//! - Runs that come to the same state are not merged: their number grows exponentially with the draws of a run.
//! - What has a continuous law, or more than 1,000 values, is refused.

pub(crate) mod dice;
mod sum;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use foresee_kernel::{Claim, Datum, Event, Figure, Layer, Model, NodeEvent, NodeState, Point, Stack, names};
use serde::Serialize;

use self::dice::{Dice, Kind, Moment, Refusal, Site};
use self::sum::{Sum, better};
use crate::result::{Ending, Status, TOTAL};
use crate::run::{Record, attempt};
use crate::statistics::{Interval, Verdict, within_end};
use crate::{Options, Policy, ResolverKind, Scene, SimError};

/// Two figures that differ by less than this share of a bound are taken to be the same: sums round.
const ROUNDING: f64 = 1e-12;

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
    /// How many runs were made.
    pub runs: u64,
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
    /// The best is asked for, and there are more runs than may be made: of options that were not tried nothing is known.
    TooMany {
        /// How many may be made.
        runs_max: u64,
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
            ExactError::TooMany { runs_max } => {
                write!(f, "there are more than {runs_max} runs: allow more, or say an earlier end")
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

/// Solves `model` by making every run that there is, `runs_max` of them at most.
///
/// # Errors
/// See [`ExactError`]. A system with more runs is no error where a resolver answers: the figures then say what is missing.
pub fn exact(
    model: &Arc<Model>,
    options: &Options,
    answers: Answers,
    runs_max: u64,
) -> Result<Exact, ExactError> {
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
    let options = Options { figures: true, trace: false, last: false, resolver, ..options.clone() };
    let levels = levels(model);
    let dice = Rc::new(RefCell::new(Dice::new()));
    // What the possibilities of each wheel came to so far.
    let mut found: Vec<Option<Sum>> = Vec::new();
    let mut runs = 0;
    let all = loop {
        dice.borrow_mut().rewind();
        let run = attempt(model, 0, &options, Record::States, &|engine| {
            engine.draws.throw(dice.clone());
            if best {
                engine.policy = Box::new(Open(dice.clone()));
            }
        })?;
        runs += 1;
        let mut dice = dice.borrow_mut();
        if let Some(refusal) = &dice.refusal {
            return Err(ExactError::Continuous { message: refusal.told(model) });
        }
        if matches!(run.ending, Ending::EventsMax | Ending::Stalled) {
            return Err(ExactError::Endless { events: run.events });
        }
        found.resize(dice.wheels.len(), None);
        let stops = runs >= runs_max;
        let mut sum = Sum::of(&run);
        // What this run ends is complete; the last wheel that is not turns.
        while let (Some(mut wheel), Some(before)) = (dice.wheels.pop(), found.pop()) {
            let at = wheel.at;
            let turns = wheel.turn();
            if turns && stops && best {
                return Err(ExactError::TooMany { runs_max });
            }
            let mut now = match &wheel.kind {
                Kind::Chance(values) => {
                    let mut now = before.unwrap_or_default();
                    now.add(&sum, values[at].1);
                    if turns && stops {
                        now.cut += values[wheel.at..].iter().map(|(_, p)| p).sum::<f64>();
                    }
                    now
                }
                Kind::Choice { moment, labels } => {
                    sum.take(moment.clone(), labels[at].clone());
                    match before {
                        Some(before) if !better(&sum, &before, &levels) => before,
                        _ => std::mem::take(&mut sum),
                    }
                }
            };
            if turns && !stops {
                dice.wheels.push(wheel);
                found.push(Some(now));
                break;
            }
            std::mem::swap(&mut sum, &mut now);
        }
        if dice.wheels.is_empty() {
            break sum;
        }
    };
    Ok(close(model, runs, &all))
}

/// The names of the sums of objectives, the first level first.
fn levels(model: &Model) -> Vec<String> {
    let mut levels: Vec<u32> = model.objectives.iter().map(|objective| objective.level).collect();
    levels.sort_unstable();
    levels.dedup();
    let name = |level| if level == 1 { TOTAL.to_owned() } else { format!("{TOTAL}_level_{level}") };
    levels.into_iter().map(name).collect()
}

fn close(model: &Model, runs: u64, all: &Sum) -> Exact {
    let mean = |sum: &f64| (all.cut == 0.0 && all.whole > 0.0).then(|| sum / all.whole);
    let settle = |(index, claim): (usize, &Arc<foresee_kernel::Statistical>)| {
        let (sum, mass) = all.figures.get(index).copied().unwrap_or_default();
        let ratio = if mass > 0.0 { Some(sum / mass) } else { None };
        let value = ratio.filter(|_| all.cut == 0.0);
        let probability = matches!(claim.figure, Figure::Probability { .. });
        let interval = (probability && all.cut > 0.0)
            .then(|| Interval { low: sum / (mass + all.cut), high: (sum + all.cut) / (mass + all.cut) });
        let between = value.map(|value| (value, value)).or(interval.map(|it| (it.low, it.high)));
        let holds = between.and_then(|between| holds(claim.claim, between));
        Settled {
            name: claim.name,
            claim: claim.text,
            line: claim.line,
            verdict: match holds {
                Some(true) => Verdict::Held,
                Some(false) => Verdict::Violated,
                None => Verdict::Undecided,
            },
            value,
            interval,
            left_out: (1.0 - all.cut - mass).max(0.0),
            note: match (claim.claim, value) {
                (Claim::Finite, _) => Some("`finite` is about ever longer runs: `--verify` gathers evidence"),
                (_, None) if all.cut == 0.0 => Some("no run says anything of it"),
                (_, Some(value)) if value.is_nan() => Some("the values of runs have no mean"),
                _ => None,
            },
        }
    };
    Exact {
        runs,
        cut: all.cut,
        objectives: all.objectives.iter().map(|(name, sum)| (name.clone(), mean(sum))).collect(),
        properties: all.properties.clone(),
        violations: all.violations.clone(),
        statistics: model.statistics.iter().enumerate().map(settle).collect(),
        choices: choices(all),
        policy: names::scope(&model.names, || policy(model, all)),
    }
}

/// How often each option is taken, over all moments.
fn choices(all: &Sum) -> Vec<Taken> {
    let mut counted: BTreeMap<(&Site, &str), f64> = BTreeMap::new();
    for ((moment, option), times) in &all.taken {
        *counted.entry((&moment.site, option)).or_default() += times;
    }
    let taken = counted.into_iter().map(|((site, option), times)| Taken {
        service: site.service,
        site: site.name,
        line: site.line,
        option: option.to_owned(),
        times,
    });
    taken.collect()
}

/// The options that are taken, by what is shown of the moment.
fn policy(model: &Model, all: &Sum) -> Vec<Answered> {
    let mut taken: BTreeMap<_, BTreeMap<String, f64>> = BTreeMap::new();
    for ((moment, option), times) in &all.taken {
        let Moment { site, node, own } = &**moment;
        let stack = &model.nodes[node.index()];
        let own = own.as_ref().map(|(event, state)| (told(event), shown(stack, state)));
        let options = taken.entry((site, node.to_string(), own.unwrap_or_default())).or_default();
        *options.entry(option.to_string()).or_default() += times;
    }
    let answered = taken.into_iter().map(|((site, node, (event, state)), options)| Answered {
        service: site.service,
        site: site.name,
        line: site.line,
        node,
        event,
        state,
        options,
    });
    let mut answered: Vec<Answered> = answered.collect();
    answered.sort_by(|one, two| two.times().total_cmp(&one.times()));
    answered
}

/// What happens to a node, in words of the spec.
fn told(event: &NodeEvent) -> String {
    match event {
        NodeEvent::Start => "start".to_owned(),
        NodeEvent::Broken { peer, .. } => format!("broken({peer})"),
        NodeEvent::Layer(_, event) => match event {
            Event::Deliver { src, message, .. } => format!("deliver {message:?} from {src}"),
            Event::Timer(timer) => format!("timer {timer:?}"),
            Event::Call(call) => format!("call {call:?}"),
            other => format!("{other:?}"),
        },
    }
}

/// The variables of a node, the top layer first.
fn shown(stack: &Stack, state: &NodeState) -> String {
    let layer = |(layer, state): (&Layer, &Datum)| {
        let fields =
            layer.service().fields(state).into_iter().map(|(name, value)| format!("{name}: {value}"));
        format!("{} {{ {} }}", layer.service().info().name, fields.collect::<Vec<_>>().join(", "))
    };
    stack.layers().iter().zip(state).map(layer).collect::<Vec<_>>().join(" over ")
}

/// Whether a claim is true of a figure that lies between these.
fn holds(claim: Claim, (low, high): (f64, f64)) -> Option<bool> {
    let (surely, surely_not) = match claim {
        Claim::AtLeast(bound) => {
            let bound = bound - ROUNDING * bound.abs();
            (low >= bound, high < bound)
        }
        Claim::Above(bound) => {
            let bound = bound + ROUNDING * bound.abs();
            (low > bound, high <= bound)
        }
        Claim::AtMost(bound) => {
            let bound = bound + ROUNDING * bound.abs();
            (high <= bound, low > bound)
        }
        Claim::Below(bound) => {
            let bound = bound - ROUNDING * bound.abs();
            (high < bound, low >= bound)
        }
        Claim::Finite => (false, false),
    };
    (surely || surely_not).then_some(surely)
}
