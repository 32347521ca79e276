//! Rates of objectives, summed over the stretches of time in which they do not change: constant ones, and ones that grow with the
//! age of what they are paid for.

use std::collections::BTreeMap;
use std::fmt;

use foresee_kernel::{Growth, NodeId, View};

use crate::exact::key::Key;
use crate::worth::{Grown, NANOS, Worth};

/// The nodes that a rate is summed over.
type Over = fn(&View<'_>) -> Vec<NodeId>;

/// A term per second.
#[derive(Clone)]
pub(crate) struct Rate {
    pub objective: usize,
    worth: Worth,
    over: Over,
    rate: fn(&View<'_>, NodeId) -> f64,
    local: bool,
    nodes: Vec<Meter>,
}

/// What runs at one node.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    /// Whether the term is summed over this node.
    counted: bool,
    /// Units a second, since `since`.
    rate: f64,
    since: u64,
    /// In units times nanoseconds: whole rates over whole nanoseconds add up without rounding.
    sum: f64,
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rate").field("objective", &self.objective).finish_non_exhaustive()
    }
}

impl Meter {
    fn set(&mut self, worth: Worth, now: u64, rate: f64) {
        if rate.to_bits() != self.rate.to_bits() {
            self.flush(worth, now);
            self.rate = rate;
        }
    }

    fn flush(&mut self, worth: Worth, now: u64) {
        if self.rate != 0.0 {
            self.sum += self.rate * worth.stretch(self.since, now);
        }
        self.since = now;
    }
}

impl Rate {
    pub fn new(
        objective: usize,
        worth: Worth,
        over: Over,
        rate: fn(&View<'_>, NodeId) -> f64,
        local: bool,
        nodes: usize,
    ) -> Self {
        Rate { objective, worth, over, rate, local, nodes: vec![Meter::default(); nodes] }
    }

    /// Asks anew which nodes count, and for the rate of each.
    pub fn all(&mut self, view: &View<'_>, now: u64) {
        let over = (self.over)(view);
        self.nodes.iter_mut().for_each(|meter| meter.counted = false);
        for node in over {
            let value = (self.rate)(view, node);
            let meter = &mut self.nodes[node.index()];
            meter.counted = true;
            meter.set(self.worth, now, value);
        }
        let worth = self.worth;
        let gone = self.nodes.iter_mut().filter(|meter| !meter.counted);
        gone.for_each(|meter| meter.set(worth, now, 0.0));
    }

    /// After a step of `node`.
    pub fn stepped(&mut self, view: &View<'_>, node: NodeId, now: u64) {
        if !self.local {
            self.all(view, now);
        } else if self.nodes[node.index()].counted {
            let value = (self.rate)(view, node);
            self.nodes[node.index()].set(self.worth, now, value);
        }
    }

    /// Begins anew: what came up so far counts no more.
    pub fn forget(&mut self) {
        self.nodes.iter_mut().for_each(|meter| meter.sum = 0.0);
    }

    /// Writes down what runs, and what it came to so far, at the moment of the last [`Rate::close`].
    pub fn write(&self, key: &mut Key) {
        for Meter { counted, rate, since: _, sum } in &self.nodes {
            key.flag(*counted);
            key.number(*rate);
            key.number(*sum);
        }
    }

    /// What it came to at `now`, in units; each node's share is added to `by_node`.
    pub fn close(&mut self, now: u64, by_node: &mut [f64]) -> f64 {
        let mut all = 0.0;
        for (meter, sum) in self.nodes.iter_mut().zip(by_node) {
            meter.flush(self.worth, now);
            *sum += meter.sum / NANOS;
            all += meter.sum;
        }
        all / NANOS
    }
}

/// A term per second whose rates grow.
#[derive(Clone)]
pub(crate) struct Growing {
    pub objective: usize,
    worth: Worth,
    over: Over,
    rates: fn(&View<'_>, NodeId) -> Vec<(u64, f64)>,
    growth: Growth,
    /// Known once the run has started.
    grown: Grown,
    local: bool,
    nodes: Vec<Ages>,
}

/// What is paid for at one node.
#[derive(Clone, Debug, Default)]
struct Ages {
    /// Whether the term is summed over this node.
    counted: bool,
    /// By key.
    each: BTreeMap<u64, Age>,
    /// In units.
    sum: f64,
}

#[derive(Clone, Copy, Debug)]
struct Age {
    birth: u64,
    /// Units a second but for growth, since `since`.
    rate: f64,
    since: u64,
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Growing").field("objective", &self.objective).finish_non_exhaustive()
    }
}

impl Growing {
    pub fn new(
        objective: usize,
        worth: Worth,
        over: Over,
        rates: fn(&View<'_>, NodeId) -> Vec<(u64, f64)>,
        growth: Growth,
        local: bool,
        nodes: usize,
    ) -> Self {
        let (grown, nodes) = (Grown::Power(0.0), vec![Ages::default(); nodes]);
        Growing { objective, worth, over, rates, growth, grown, local, nodes }
    }

    /// The rates in the first state.
    pub fn start(&mut self, view: &View<'_>, now: u64) {
        self.grown = Grown::new(self.growth, view);
        self.all(view, now);
    }

    fn all(&mut self, view: &View<'_>, now: u64) {
        let over = (self.over)(view);
        self.nodes.iter_mut().for_each(|ages| ages.counted = false);
        for node in over {
            let rates = (self.rates)(view, node);
            self.nodes[node.index()].counted = true;
            self.set(node.index(), now, rates);
        }
        for index in 0..self.nodes.len() {
            if !self.nodes[index].counted && !self.nodes[index].each.is_empty() {
                self.set(index, now, Vec::new());
            }
        }
    }

    /// After a step of `node`.
    pub fn stepped(&mut self, view: &View<'_>, node: NodeId, now: u64) {
        if !self.local {
            self.all(view, now);
        } else if self.nodes[node.index()].counted {
            let rates = (self.rates)(view, node);
            self.set(node.index(), now, rates);
        }
    }

    /// From `now` on these rates are paid at a node: what is gone ends, what is new begins.
    fn set(&mut self, node: usize, now: u64, rates: Vec<(u64, f64)>) {
        let mut wanted: BTreeMap<u64, f64> = BTreeMap::new();
        rates.into_iter().for_each(|(key, rate)| *wanted.entry(key).or_default() += rate);
        let (worth, grown) = (self.worth, self.grown);
        let Ages { each, sum, .. } = &mut self.nodes[node];
        each.retain(|key, age| {
            let rate = wanted.remove(key);
            if rate.map(f64::to_bits) != Some(age.rate.to_bits()) {
                *sum += age.flush(worth, grown, now);
                age.rate = rate.unwrap_or_default();
            }
            rate.is_some()
        });
        let born = wanted.into_iter().map(|(key, rate)| (key, Age { birth: now, rate, since: now }));
        each.extend(born);
    }

    /// Begins anew: what came up so far counts no more.
    pub fn forget(&mut self) {
        self.nodes.iter_mut().for_each(|ages| ages.sum = 0.0);
    }

    /// Writes down what grows since when, and what it came to so far, at the moment of the last [`Growing::close`].
    pub fn write(&self, key: &mut Key) {
        let (Grown::Power(speed) | Grown::Factor(speed)) = self.grown;
        key.number(speed);
        for Ages { counted, each, sum } in &self.nodes {
            key.flag(*counted);
            key.number(*sum);
            key.word(each.len() as u64);
            for (name, Age { birth, rate, since: _ }) in each {
                key.word(*name);
                key.word(*birth);
                key.number(*rate);
            }
        }
    }

    /// What it came to at `now`, in units; each node's share is added to `by_node`.
    pub fn close(&mut self, now: u64, by_node: &mut [f64]) -> f64 {
        let (worth, grown, mut all) = (self.worth, self.grown, 0.0);
        for (ages, sum) in self.nodes.iter_mut().zip(by_node) {
            ages.sum += ages.each.values_mut().map(|age| age.flush(worth, grown, now)).sum::<f64>();
            *sum += ages.sum;
            all += ages.sum;
        }
        all
    }
}

impl Age {
    /// What came up since the last time.
    fn flush(&mut self, worth: Worth, grown: Grown, now: u64) -> f64 {
        let came = self.rate * worth.grown(grown, self.birth, self.since, now);
        self.since = now;
        came
    }
}
