//! What is counted: by each thread for itself, or at the end from how often each part occurred. Nothing here is on the
//! hot path but a histogram.

use std::collections::BTreeMap;

use foresee_kernel::{Model, Ran, ServiceInfo, SiteInfo};
use foresee_world::{Action, Planned, Program};

use crate::expansion::Expansion;
use crate::growth::Growth;
use crate::parts::Parts;
use crate::report::{HandlerReport, IgnoredReport};
use crate::steps::{Step, Told};

/// How often handlers ran, messages were ignored, and steps faulted.
pub(crate) struct Tally {
    services: Vec<&'static ServiceInfo>,
    /// For each node and layer, the place of its service in `services`.
    layers: Vec<Vec<usize>>,
    /// For each service, by handler.
    runs: Vec<Vec<u64>>,
    /// How often each choice that was left open was made, by the address of its site.
    chose: BTreeMap<usize, u64>,
    ignored: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    /// How often each kept step was taken, by its number.
    steps: Vec<u64>,
    /// How many transitions were by each plan.
    pub fired: BTreeMap<Planned, u64>,
    /// How many transitions there were.
    pub transitions: u64,
    /// How many of them were faults.
    pub faults: u64,
    /// How many steps were taken, each with all its ways.
    pub steps_taken: u64,
}

impl Tally {
    pub(crate) fn new(model: &Model) -> Self {
        let mut services: Vec<&'static ServiceInfo> = Vec::new();
        let mut place = |info: &'static ServiceInfo| {
            services.iter().position(|known| std::ptr::eq(*known, info)).unwrap_or_else(|| {
                services.push(info);
                services.len() - 1
            })
        };
        let layers = model.nodes.iter().map(|stack| {
            stack.layers().iter().map(|layer| place(layer.service().info())).collect::<Vec<_>>()
        });
        let layers = layers.collect();
        Tally {
            runs: services.iter().map(|info| vec![0; info.handlers.len()]).collect(),
            services,
            layers,
            chose: BTreeMap::new(),
            ignored: BTreeMap::new(),
            steps: Vec::new(),
            fired: BTreeMap::new(),
            transitions: 0,
            faults: 0,
            steps_taken: 0,
        }
    }

    /// Counts all that may happen to a part, `times` times.
    pub(crate) fn expansion(&mut self, parts: &Parts, expansion: &Expansion, times: u64) {
        for step in &expansion.steps {
            let place = *step as usize;
            if self.steps.len() <= place {
                self.steps.resize(place + 1, 0);
            }
            self.steps[place] += times;
        }
        self.transitions += u64::from(expansion.network) * times;
        for (plan, ways) in &expansion.fired {
            *self.fired.entry(*plan).or_default() += u64::from(*ways) * times;
        }
        expansion.loose.iter().for_each(|step| self.step(parts, step, times));
    }

    /// Counts what may happen to a part: all of it where it is `whole`, else what is by what was under way.
    pub(crate) fn partly(&mut self, parts: &Parts, expansion: &Expansion, times: u64, whole: bool) {
        if whole {
            return self.expansion(parts, expansion, times);
        }
        let arrives = |step: &&Step| matches!(step.told, Told::Deliver(_));
        let kept = expansion.steps.iter().map(|step| parts.steps.get(*step));
        kept.chain(&expansion.loose).filter(arrives).for_each(|step| self.step(parts, step, times));
        self.transitions += u64::from(expansion.passing) * times;
    }

    /// Counts an action that was taken.
    pub(crate) fn action<P: Program>(&mut self, action: &Action<P>) {
        if let Some(plan) = action.plan() {
            *self.fired.entry(plan).or_default() += 1;
        }
        self.transitions += 1;
    }

    /// Counts what ran in one way of a step; that there was one transition is counted elsewhere.
    pub(crate) fn way(&mut self, parts: &Parts, step: &Step, way: usize) {
        let successor = &step.successors[way];
        self.steps_taken += 1;
        self.faults += u64::from(successor.fault.is_some());
        successor.ran.iter().for_each(|ran| self.ran(parts, step, *ran, 1));
        self.chose(&successor.chose, 1);
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(&mut self, other: Tally) {
        self.transitions += other.transitions;
        other.fired.into_iter().for_each(|(plan, count)| *self.fired.entry(plan).or_default() += count);
        self.faults += other.faults;
        self.steps_taken += other.steps_taken;
        add(&mut self.steps, &other.steps);
        self.runs.iter_mut().zip(&other.runs).for_each(|(runs, more)| add(runs, more));
        other.chose.into_iter().for_each(|(site, count)| *self.chose.entry(site).or_default() += count);
        other.ignored.into_iter().for_each(|(key, count)| *self.ignored.entry(key).or_default() += count);
    }

    /// Spreads the counts of kept steps to what happens in them.
    pub(crate) fn settle(&mut self, parts: &Parts) {
        for (step, times) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            if times > 0 {
                self.step(parts, parts.steps.get(step as u32), times);
            }
        }
    }

    /// Counts one step with all its ways.
    fn step(&mut self, parts: &Parts, step: &Step, times: u64) {
        self.steps_taken += times;
        self.transitions += step.successors.len() as u64 * times;
        for successor in &step.successors {
            self.faults += u64::from(successor.fault.is_some()) * times;
            for ran in &successor.ran {
                self.ran(parts, step, *ran, times);
            }
            self.chose(&successor.chose, times);
        }
    }

    fn ran(&mut self, parts: &Parts, step: &Step, ran: Ran, times: u64) {
        let program = &parts.program;
        let node = program.id(step.node).index();
        match ran {
            Ran::Handler { layer, handler } => self.handler(node, layer, handler, times),
            Ran::Consumed { layer, meant: false } => {
                let Told::Deliver(envelope) = step.told else { return };
                if program.mark(&envelope).is_some() {
                    return;
                }
                let message = program.direct_envelope(envelope).message.kind();
                let service = program.model().nodes[node].layers()[usize::from(layer)].service();
                let state = service.control(program.layer(&step.node, usize::from(layer)));
                *self.ignored.entry((message, state, service.info().name)).or_default() += times;
            }
            Ran::Consumed { meant: true, .. } => {}
        }
    }

    /// Counts a handler of a layer of node `node`.
    pub(crate) fn handler(&mut self, node: usize, layer: u8, handler: u16, times: u64) {
        let service = self.layers[node][usize::from(layer)];
        self.runs[service][usize::from(handler)] += times;
    }

    /// Counts choices that were left open.
    pub(crate) fn chose(&mut self, sites: &[&'static SiteInfo], times: u64) {
        for site in sites {
            *self.chose.entry(site.address()).or_default() += times;
        }
    }

    /// How often a choice was made at a site.
    pub(crate) fn made(&self, site: &'static SiteInfo) -> u64 {
        self.chose.get(&site.address()).copied().unwrap_or(0)
    }

    /// The handlers of all services.
    pub(crate) fn handlers(&self) -> Vec<HandlerReport> {
        let of = |(info, runs): (&&'static ServiceInfo, &Vec<u64>)| {
            let report = |(handler, runs): (&'static foresee_kernel::HandlerInfo, &u64)| HandlerReport {
                service: info.name,
                name: handler.name,
                line: handler.line,
                runs: *runs,
            };
            info.handlers.iter().zip(runs).map(report).collect::<Vec<_>>()
        };
        self.services.iter().zip(&self.runs).flat_map(of).collect()
    }

    /// The messages that met no handler.
    pub(crate) fn ignored(&self) -> Vec<IgnoredReport> {
        let report = |(&(message, state, service), &count): (&(_, _, _), &u64)| IgnoredReport {
            message,
            state,
            service,
            count,
        };
        self.ignored.iter().map(report).collect()
    }
}

fn add(sums: &mut Vec<u64>, more: &[u64]) {
    if sums.len() < more.len() {
        sums.resize(more.len(), 0);
    }
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// What a thread found.
pub(crate) struct Findings {
    /// For each property, in how many states it is to be noted.
    pub counts: Vec<u64>,
    /// For each property, the depth and index of the state nearest to the start in which it is to be noted.
    pub nearest: Vec<Option<(u32, u32)>>,
    /// The fault nearest to the start: the depth after it, the index of the state before it, and the node.
    pub fault: Option<(u32, u32, usize)>,
    /// How many states each [`foresee_world::Bound`] cut.
    pub cuts: [u64; 3],
    /// How many states were first seen at each depth.
    pub histogram: Vec<u64>,
    /// How many states were left unexplored.
    pub left: u64,
    /// How many states were explored but for some steps.
    pub left_out: u64,
    /// How large things became.
    pub growth: Growth,
}

impl Findings {
    pub(crate) fn new(properties: usize) -> Self {
        Findings {
            counts: vec![0; properties],
            nearest: vec![None; properties],
            fault: None,
            cuts: [0; 3],
            histogram: Vec::new(),
            left: 0,
            left_out: 0,
            growth: Growth::default(),
        }
    }

    /// Notes a property of the state at `index`.
    pub(crate) fn note(&mut self, property: usize, depth: u32, index: u32) {
        self.counts[property] += 1;
        nearer(&mut self.nearest[property], (depth, index));
    }

    /// Notes a fault of `node`.
    pub(crate) fn fault(&mut self, depth: u32, index: u32, node: usize) {
        nearer(&mut self.fault, (depth, index, node));
    }

    /// Adds what another thread found.
    pub(crate) fn merge(&mut self, other: Findings) {
        add(&mut self.counts, &other.counts);
        add(&mut self.histogram, &other.histogram);
        self.cuts.iter_mut().zip(other.cuts).for_each(|(sum, more)| *sum += more);
        self.left += other.left;
        self.left_out += other.left_out;
        self.growth.merge(other.growth);
        for (mine, theirs) in self.nearest.iter_mut().zip(other.nearest) {
            theirs.into_iter().for_each(|theirs| nearer(mine, theirs));
        }
        other.fault.into_iter().for_each(|theirs| nearer(&mut self.fault, theirs));
    }
}

fn nearer<T: Ord + Copy>(best: &mut Option<T>, found: T) {
    if best.is_none_or(|best| found < best) {
        *best = Some(found);
    }
}
