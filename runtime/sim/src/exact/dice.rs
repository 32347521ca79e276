//! A source of draws that goes through all that could be drawn: an odometer over the draws of a run, the last wheel turning first.
//!
//! A run is a function of what is drawn in it. The first run draws the first possibility everywhere and so finds the wheels; whoever reads
//! the odometer then turns the last wheel that has a possibility left, and the next run follows the wheels up to there.

use std::rc::Rc;
use std::time::Duration;

use foresee_kernel::{DelayModel, Model, NodeEvent, NodeId, NodeState, Point, Timing, names};
use foresee_net::Draw;

use crate::Options;
use crate::network::nanos;

/// The most values of one draw that are gone through.
pub(crate) const VALUES_MAX: u64 = 1_000;

/// What is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// How long messages of a carrier are under way.
    Carrier(usize),
    /// What becomes of a message between two nodes.
    Link(NodeId, NodeId),
    /// The moment of a timer of a node.
    Timer(NodeId),
    /// A chance or a choice in a handler of a node.
    Node(NodeId),
    /// Where a connection of a node is cut off, and when the other end hears of it.
    Outage(NodeId),
    /// A line of the workload.
    Call(usize),
    /// A line of the faults.
    Fault(usize),
}

/// Where somebody is free to answer an open choice: what a node knows of itself as it comes to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub site: Site,
    pub node: NodeId,
    /// What happens to the node, and what it is before that.
    pub own: Option<(NodeEvent, NodeState)>,
}

/// An open choice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Site {
    pub service: &'static str,
    pub name: &'static str,
    pub line: u32,
}

/// A wheel of the odometer.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    pub kind: Kind,
    /// Which of the possibilities it shows.
    pub at: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Values that are possible, with their probabilities.
    Chance(Vec<(u64, f64)>),
    /// Options of a choice, by their names.
    Choice { moment: Rc<Moment>, labels: Vec<Rc<str>> },
}

impl Wheel {
    /// How many possibilities it has.
    fn len(&self) -> usize {
        match &self.kind {
            Kind::Chance(values) => values.len(),
            Kind::Choice { labels, .. } => labels.len(),
        }
    }

    /// Shows the next possibility. False where there is none.
    pub fn turn(&mut self) -> bool {
        self.at += 1;
        self.at < self.len()
    }
}

/// Why a draw cannot be gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub place: Place,
    /// How many values there are; None where they are as good as continuous.
    pub values: Option<u64>,
}

/// The odometer.
#[derive(Debug)]
pub(crate) struct Dice {
    pub wheels: Vec<Wheel>,
    /// How many of the wheels the run has asked for.
    asked: usize,
    place: Place,
    pub refusal: Option<Refusal>,
}

impl Dice {
    pub fn new() -> Self {
        Dice { wheels: Vec::new(), asked: 0, place: Place::Call(0), refusal: None }
    }

    /// A run begins.
    pub fn rewind(&mut self) {
        self.asked = 0;
    }

    /// Says for what is drawn next.
    pub fn stand_at(&mut self, place: Place) {
        self.place = place;
    }

    /// Where the next wheel stands; it is new where the run has come beyond the last.
    fn next(&mut self, kind: impl FnOnce() -> Kind) -> &Wheel {
        if self.asked == self.wheels.len() {
            self.wheels.push(Wheel { kind: kind(), at: 0 });
        }
        self.asked += 1;
        &self.wheels[self.asked - 1]
    }

    fn chance(&mut self, values: impl FnOnce() -> Vec<(u64, f64)>) -> u64 {
        let wheel = self.next(|| Kind::Chance(values()));
        match &wheel.kind {
            Kind::Chance(values) => values.get(wheel.at).map_or(0, |(value, _)| *value),
            Kind::Choice { .. } => 0,
        }
    }

    /// One of the options of a choice of a node to which this happens, and which was this before.
    pub fn choose(&mut self, point: &Point<'_>, own: Option<(&NodeEvent, &NodeState)>) -> u32 {
        let site = Site { service: point.service.name, name: point.site.name, line: point.site.line };
        let wheel = self.next(|| Kind::Choice {
            moment: Rc::new(Moment {
                site,
                node: point.node,
                own: own.map(|(event, state)| (event.clone(), state.clone())),
            }),
            labels: (0..point.options).map(|option| Rc::from((point.label)(option))).collect(),
        });
        wheel.at as u32
    }

    /// Notes that this draw cannot be gone through; what the run comes to is then of no interest.
    pub fn refuse(&mut self, values: Option<u64>) {
        self.refusal.get_or_insert(Refusal { place: self.place, values });
    }

    pub fn below(&mut self, n: u64) -> Option<u64> {
        if n > VALUES_MAX {
            self.refuse(Some(n));
            return None;
        }
        match n {
            0 | 1 => Some(0),
            n => Some(self.chance(|| (0..n).map(|value| (value, 1.0 / n as f64)).collect())),
        }
    }

    pub fn happens(&mut self, p: f64) -> bool {
        p > 0.0 && (p >= 1.0 || self.chance(|| vec![(0, 1.0 - p), (1, p)]) == 1)
    }

    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let possible =
            || weights.iter().enumerate().filter(|(_, p)| **p > 0.0).map(|(at, p)| (at as u64, *p));
        match possible().nth(1) {
            None => possible().next().map_or(0, |(at, _)| at as usize),
            Some(_) => self.chance(|| possible().collect()) as usize,
        }
    }
}

impl Refusal {
    /// What the system itself says that cannot be gone through: known before a run comes to it.
    pub fn of(model: &Model, options: &Options) -> Option<Refusal> {
        let carriers = model.carriers.iter().enumerate().filter_map(|(index, carrier)| {
            let place = Place::Carrier(index);
            match carrier.delay {
                // Then delays are those between sites.
                _ if options.topology.is_some() => None,
                DelayModel::Constant(_) => None,
                DelayModel::Uniform(least, most) => Refusal::of_range(place, least, most),
                DelayModel::Exponential(_) => Some(Refusal { place, values: None }),
            }
        });
        let calls = model.calls.iter().enumerate();
        let calls = calls.filter_map(|(line, call)| Refusal::of_moment(Place::Call(line), call.timing));
        let faults = model.faults.iter().enumerate().filter(|(_, fault)| fault.chance != Some(0.0));
        let faults = faults.filter_map(|(line, fault)| {
            let place = Place::Fault(line);
            let back = || fault.back.and_then(|(least, most)| Refusal::of_range(place, least, most));
            let end = options.until.or(model.horizon);
            let ever = || match (fault.timing.within, fault.timing.rate, end) {
                (None, None, Some(end)) => Refusal::of_range(place, Duration::from_nanos(1), end),
                _ => None,
            };
            Refusal::of_moment(place, fault.timing).or_else(ever).or_else(back)
        });
        carriers.chain(calls).chain(faults).next()
    }

    fn of_moment(place: Place, timing: Timing) -> Option<Refusal> {
        match (timing.rate, timing.within) {
            (Some(rate), _) if rate.is_finite() && rate > 0.0 => Some(Refusal { place, values: None }),
            (None, Some((least, most))) => Refusal::of_range(place, least, most),
            _ => None,
        }
    }

    fn of_range(place: Place, least: Duration, most: Duration) -> Option<Refusal> {
        let values = nanos(most).saturating_sub(nanos(least)).saturating_add(1);
        (values > VALUES_MAX).then_some(Refusal { place, values: Some(values) })
    }

    /// What cannot be gone through, and what to do about it.
    pub fn told(&self, model: &Model) -> String {
        let name = |node: NodeId| names::scope(&model.names, || node.to_string());
        let many = match self.values {
            Some(values) => format!("has {values} values, more than {VALUES_MAX}"),
            None => "has a continuous law".to_owned(),
        };
        let instead = "say a constant, or `choose` or `random` among a few values";
        match self.place {
            Place::Carrier(index) => {
                let carrier = model.carriers.get(index).map_or("?", |carrier| carrier.name);
                format!(
                    "the delay of `{carrier}` {many}: say a constant delay, such as `{carrier}: delay 10ms`"
                )
            }
            Place::Link(src, dst) => format!(
                "the time that a message from {} to {} is under way {many}: say a constant delay for its carrier",
                name(src),
                name(dst)
            ),
            Place::Timer(node) => format!("the delay of a timer of {} {many}: {instead}", name(node)),
            Place::Node(node) => format!("a choice in a handler of {} {many}: {instead}", name(node)),
            Place::Outage(node) => format!(
                "when word of a broken connection of {} arrives {many}: say a constant delay for its carrier",
                name(node)
            ),
            Place::Call(line) => {
                let said = model.calls.get(line).map(|call| (call.line, call.text));
                planned("call", said, &many)
            }
            Place::Fault(line) => {
                let said = model.faults.get(line).map(|fault| (fault.line, fault.text));
                planned("fault", said, &many)
            }
        }
    }
}

fn planned(what: &str, said: Option<(u32, &'static str)>, many: &str) -> String {
    let (line, text) = said.unwrap_or_default();
    format!(
        "a moment of the {what} in line {line} (`{text}`) {many}: say one moment, such as `at 5s`, in the place of a rate or a range"
    )
}

/// The random numbers for one thing.
#[derive(Debug)]
pub(crate) enum Numbers {
    /// Those of a seed.
    Drawn(foresee_net::Stream),
    /// All that they could be, one run after the other; those of a seed once something was refused.
    Thrown(std::rc::Rc<std::cell::RefCell<Dice>>, foresee_net::Stream),
}

impl Draw for Numbers {
    fn bits(&mut self) -> u64 {
        match self {
            Numbers::Drawn(stream) => stream.bits(),
            Numbers::Thrown(dice, stream) => {
                dice.borrow_mut().refuse(None);
                stream.bits()
            }
        }
    }

    fn below(&mut self, n: u64) -> u64 {
        match self {
            Numbers::Drawn(stream) => stream.below(n),
            Numbers::Thrown(dice, stream) => {
                let thrown = dice.borrow_mut().below(n);
                thrown.unwrap_or_else(|| stream.below(n))
            }
        }
    }

    fn happens(&mut self, p: f64) -> bool {
        match self {
            Numbers::Drawn(stream) => stream.happens(p),
            Numbers::Thrown(dice, _) => dice.borrow_mut().happens(p),
        }
    }

    fn weighted(&mut self, weights: &[f64]) -> usize {
        match self {
            Numbers::Drawn(stream) => stream.weighted(weights),
            Numbers::Thrown(dice, _) => dice.borrow_mut().weighted(weights),
        }
    }
}
