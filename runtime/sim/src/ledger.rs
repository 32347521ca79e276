//! Objectives, accounted exactly: messages and bytes are counted and multiplied at the end, rates are summed over the
//! stretches of time in which they do not change, node by node.
//!
//! Sums run over nodes in the order of ids, so that rounding is the same in every run.

use std::collections::BTreeMap;

use foresee_kernel::{Model, NodeId, NodeState, Objective, Sense, Term, View};

use crate::engine::Views;
use crate::result::TOTAL;

/// Nanoseconds in a second.
const NANOS: f64 = 1e9;

/// The objectives of a model, as they stand.
#[derive(Debug)]
pub(crate) struct Ledger {
    objectives: Vec<Objective>,
    counts: Vec<Count>,
    rates: Vec<Rate>,
}

/// A term per message or per byte.
#[derive(Debug)]
struct Count {
    objective: usize,
    amount: f64,
    kinds: &'static [&'static str],
    bytes: bool,
    /// Messages or bytes of each node.
    units: Vec<u64>,
}

/// A term per second.
struct Rate {
    objective: usize,
    over: fn(&View<'_>) -> Vec<NodeId>,
    rate: fn(&View<'_>, NodeId) -> f64,
    local: bool,
    nodes: Vec<Meter>,
}

/// What runs at one node.
#[derive(Clone, Copy, Debug)]
struct Meter {
    /// Whether the term is summed over this node.
    counted: bool,
    /// Units a second, since `since`.
    rate: f64,
    since: u64,
    /// In units times nanoseconds: whole rates over whole nanoseconds add up without rounding.
    sum: f64,
}

impl std::fmt::Debug for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rate").field("objective", &self.objective).finish_non_exhaustive()
    }
}

impl Meter {
    fn set(&mut self, now: u64, rate: f64) {
        if rate.to_bits() != self.rate.to_bits() {
            self.flush(now);
            self.rate = rate;
        }
    }

    fn flush(&mut self, now: u64) {
        if self.rate != 0.0 {
            self.sum += self.rate * (now - self.since) as f64;
        }
        self.since = now;
    }
}

/// Values of objectives: in all, and what came up at each node.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub objectives: BTreeMap<String, f64>,
    pub by_node: BTreeMap<String, Vec<f64>>,
}

impl Ledger {
    pub fn new(model: &Model) -> Self {
        let nodes = model.nodes.len();
        let (mut counts, mut rates) = (Vec::new(), Vec::new());
        for (objective, told) in model.objectives.iter().enumerate() {
            for term in told.terms {
                let count = |amount: &f64, kinds: &&'static [&'static str], bytes| Count {
                    objective,
                    amount: *amount,
                    kinds,
                    bytes,
                    units: vec![0; nodes],
                };
                match term {
                    Term::PerMessage { amount, kinds } => counts.push(count(amount, kinds, false)),
                    Term::PerByte { amount, kinds } => counts.push(count(amount, kinds, true)),
                    Term::PerSecond { over, rate, local } => rates.push(Rate {
                        objective,
                        over: *over,
                        rate: *rate,
                        local: *local,
                        nodes: vec![Meter { counted: false, rate: 0.0, since: 0, sum: 0.0 }; nodes],
                    }),
                    Term::AtHorizon { .. } => {}
                }
            }
        }
        Ledger { objectives: model.objectives.clone(), counts, rates }
    }

    /// A message of `bytes` bytes was sent by `src`.
    pub fn message(&mut self, src: NodeId, kind: impl Fn() -> &'static str, bytes: u64) {
        for count in &mut self.counts {
            if count.kinds.is_empty() || count.kinds.contains(&kind()) {
                count.units[src.index()] += if count.bytes { bytes } else { 1 };
            }
        }
    }

    /// The rates in the first state.
    pub fn start(&mut self, model: &Model, states: &[NodeState]) {
        let views = Views(states);
        let view = View::new(model, &views);
        self.rates.iter_mut().for_each(|rate| rate.all(&view, 0));
    }

    /// The rates in the state after a step of `node`.
    pub fn stepped(&mut self, model: &Model, states: &[NodeState], node: NodeId, now: u64) {
        if self.rates.is_empty() {
            return;
        }
        let views = Views(states);
        let view = View::new(model, &views);
        for rate in &mut self.rates {
            if !rate.local {
                rate.all(&view, now);
            } else if rate.nodes[node.index()].counted {
                let value = (rate.rate)(&view, node);
                rate.nodes[node.index()].set(now, value);
            }
        }
    }

    /// What everything came to at `now`, in the last state.
    pub fn close(&mut self, model: &Model, states: &[NodeState], now: u64) -> Account {
        let mut by_node = vec![vec![0.0; states.len()]; self.objectives.len()];
        for count in &self.counts {
            let sums = by_node[count.objective].iter_mut().zip(&count.units);
            sums.for_each(|(sum, units)| *sum += count.amount * *units as f64);
        }
        for rate in &mut self.rates {
            rate.nodes.iter_mut().for_each(|meter| meter.flush(now));
            let sums = by_node[rate.objective].iter_mut().zip(&rate.nodes);
            sums.for_each(|(sum, meter)| *sum += meter.sum / NANOS);
        }
        let mut values = Vec::with_capacity(self.objectives.len());
        for (index, objective) in self.objectives.iter().enumerate() {
            values.push(self.sum(index) + at_horizon(objective, model, states));
        }
        let names = || self.objectives.iter().map(|objective| objective.name.to_owned());
        let mut objectives = totals(&self.objectives, &values);
        objectives.extend(names().zip(values));
        Account { objectives, by_node: names().zip(by_node).collect() }
    }

    /// What messages, bytes and seconds of an objective came to: each term is multiplied out once.
    fn sum(&self, objective: usize) -> f64 {
        let counts = self.counts.iter().filter(|count| count.objective == objective);
        let counted: f64 = counts.map(|count| count.amount * count.units.iter().sum::<u64>() as f64).sum();
        let rates = self.rates.iter().filter(|rate| rate.objective == objective);
        let lasted = rates.map(|rate| rate.nodes.iter().map(|meter| meter.sum).sum::<f64>() / NANOS);
        counted + lasted.sum::<f64>()
    }
}

impl Rate {
    /// Asks anew which nodes count, and for the rate of each.
    fn all(&mut self, view: &View<'_>, now: u64) {
        let over = (self.over)(view);
        self.nodes.iter_mut().for_each(|meter| meter.counted = false);
        for node in over {
            let value = (self.rate)(view, node);
            let meter = &mut self.nodes[node.index()];
            meter.counted = true;
            meter.set(now, value);
        }
        let gone = self.nodes.iter_mut().filter(|meter| !meter.counted);
        gone.for_each(|meter| meter.set(now, 0.0));
    }
}

fn at_horizon(objective: &Objective, model: &Model, states: &[NodeState]) -> f64 {
    let views = Views(states);
    let view = View::new(model, &views);
    let value = |term: &Term| match term {
        Term::AtHorizon { value } => value(&view),
        _ => 0.0,
    };
    objective.terms.iter().map(value).sum::<f64>() + 0.0
}

fn totals(objectives: &[Objective], values: &[f64]) -> BTreeMap<String, f64> {
    let mut levels: BTreeMap<u32, f64> = BTreeMap::new();
    for (objective, value) in objectives.iter().zip(values) {
        let sign = match objective.sense {
            Sense::Minimize => 1.0,
            Sense::Maximize => -1.0,
        };
        *levels.entry(objective.level).or_default() += sign * objective.weight * value;
    }
    let name = |(place, (level, sum)): (usize, (u32, f64))| match place {
        0 => (TOTAL.to_owned(), sum + 0.0),
        _ => (format!("{TOTAL}_level_{level}"), sum + 0.0),
    };
    levels.into_iter().enumerate().map(name).collect()
}
