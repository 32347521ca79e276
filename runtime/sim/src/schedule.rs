//! What a system says will be done to it, on the clock: when the application calls, when faults come and go.
//!
//! Each line of the workload and of the faults draws its own numbers. A line at a rate has its next moment in the queue, any other
//! all of its moments.

use std::collections::BTreeSet;
use std::time::Duration;

use foresee_kernel::{FaultKind, FaultPlan, FaultTarget, Model, NodeId, Timing, View};
use foresee_net::Draw;

use crate::engine::{Engine, Seen};
use crate::exact::dice::Numbers;
use crate::exact::key::{Key, Places};
use crate::network::nanos;
use crate::queue::{Entry, Kind};
use crate::result::FaultRuns;
use crate::slab::Slab;

/// What is planned, and what of it has happened.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    planned: Slab<Planned>,
    calls: Vec<Line>,
    faults: Vec<Line>,
    /// For every line of the faults, the nodes any of which it may happen to, sorted; none where it happens to all of some.
    any_of: Vec<Vec<NodeId>>,
    /// For every node, the lines of calls that begin anew when it is back.
    anew: Vec<Vec<u32>>,
    /// Where a run ends by the clock.
    end: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// How often it happened, since its budget last began anew.
    spent: u64,
    /// How often it happened in all.
    fired: u64,
    /// How many numbers were drawn for it.
    drawn: u64,
    /// How often its budget began anew: what was planned before is void.
    epoch: u32,
}

#[derive(Clone, Debug)]
enum Planned {
    Call {
        line: usize,
        epoch: u32,
        begun: u64,
    },
    Fault {
        line: usize,
    },
    Restart(NodeId),
    Heal(Vec<NodeId>),
    /// A node goes down or comes back by a law of churn.
    Turn {
        node: NodeId,
        up: bool,
    },
    /// A turn of the record of churn.
    Recorded(usize),
    /// The patience of a connection with a message that a partition holds back is at its end.
    GiveUp {
        slot: u32,
        order: u64,
    },
}

impl Schedule {
    pub fn new(model: &Model, end: Option<u64>) -> Self {
        let mut anew = vec![Vec::new(); model.nodes.len()];
        for (line, call) in model.calls.iter().enumerate().filter(|(_, call)| call.after_restart) {
            for way in &call.ways {
                let lines: &mut Vec<u32> = &mut anew[way.node.index()];
                if lines.last() != Some(&(line as u32)) {
                    lines.push(line as u32);
                }
            }
        }
        let any_of = |fault: &FaultPlan| match &fault.target {
            FaultTarget::OneOf(nodes) => nodes.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            FaultTarget::AllOf(_) => Vec::new(),
        };
        Schedule {
            anew,
            any_of: model.faults.iter().map(any_of).collect(),
            planned: Slab::new(),
            calls: vec![Line::default(); model.calls.len()],
            faults: vec![Line::default(); model.faults.len()],
            end,
        }
    }

    /// Writes down how often each line happened, where it may not happen for ever.
    pub fn write(&self, key: &mut Key, model: &Model) {
        let Schedule { planned: _, calls, faults, any_of: _, anew: _, end: _ } = self;
        let most =
            model.calls.iter().map(|call| call.most).chain(model.faults.iter().map(|fault| fault.most));
        for (line, _) in calls.iter().chain(faults).zip(most).filter(|(_, most)| most.is_some()) {
            key.word(line.spent);
        }
    }

    /// Writes down something that is planned; a message held back, by its place.
    pub fn write_planned(&self, key: &mut Key, slot: u32, places: &Places) {
        let node_of = |node: &NodeId| node.index() as u64;
        match self.planned.get(slot) {
            None => key.words([0; 4]),
            Some(Planned::Call { line, epoch, begun }) => {
                // Whether it is void already.
                let stands = *epoch == self.calls[*line].epoch;
                key.words([1, *line as u64, u64::from(stands), *begun]);
            }
            Some(Planned::Fault { line }) => key.words([2, *line as u64, 0, 0]),
            Some(Planned::Restart(node)) => key.words([3, node_of(node), 0, 0]),
            Some(Planned::Turn { node, up }) => key.words([4, node_of(node), u64::from(*up), 0]),
            Some(Planned::Recorded(place)) => key.words([5, *place as u64, 0, 0]),
            Some(Planned::GiveUp { slot: _, order }) => {
                key.words([6, places.get(order).copied().unwrap_or_default(), 0, 0]);
            }
            Some(Planned::Heal(side)) => {
                key.words([7, side.len() as u64, 0, 0]);
                side.iter().for_each(|node| key.node(*node));
            }
        }
    }

    /// How often each line of the faults came true.
    pub fn runs(&self, model: &Model) -> Vec<FaultRuns> {
        let run = |(fault, line): (&FaultPlan, &Line)| FaultRuns {
            fault: fault.text,
            line: fault.line,
            fired: line.fired,
        };
        model.faults.iter().zip(&self.faults).map(run).collect()
    }
}

impl Engine {
    /// Puts everything that the system plans on the clock.
    pub fn plan(&mut self) {
        (0..self.model.calls.len()).for_each(|line| self.plan_calls(line));
        (0..self.model.faults.len()).for_each(|line| self.plan_fault(line));
        self.plan_churn();
    }

    fn draw_call(&mut self, line: usize) -> Numbers {
        let number = self.schedule.calls[line].drawn;
        self.schedule.calls[line].drawn += 1;
        self.draws.call(line, number)
    }

    fn draw_fault(&mut self, line: usize) -> Numbers {
        let number = self.schedule.faults[line].drawn;
        self.schedule.faults[line].drawn += 1;
        self.draws.fault(line, number)
    }

    /// Lets a node go down or come back at `at`.
    pub fn plan_turn(&mut self, at: u64, node: NodeId, up: bool) {
        self.put(at, Planned::Turn { node, up });
    }

    /// Lets a turn of the record happen at `at`.
    pub fn plan_recorded(&mut self, at: u64, place: usize) {
        self.put(at, Planned::Recorded(place));
    }

    /// How often a line of the faults came true, since its budget last began anew.
    pub fn spent(&self, line: usize) -> u64 {
        self.schedule.faults[line].spent
    }

    /// Looks at `at` whether a message is still held back.
    pub fn plan_giving_up(&mut self, at: u64, slot: u32, order: u64) {
        self.put(at, Planned::GiveUp { slot, order });
    }

    /// The line of the faults by which a connection between two nodes may break now.
    pub fn line_of_cuts(&self, ends: (NodeId, NodeId)) -> Option<usize> {
        let seen = Seen { states: &self.states, ambient: &self.ambient };
        let view = View::new(&self.model, &seen);
        let may = |line: &usize| {
            let fault = &self.model.faults[*line];
            let left = fault.most.is_none_or(|most| self.schedule.faults[*line].spent < u64::from(most));
            let among = |nodes: &[NodeId]| nodes.contains(&ends.0) || nodes.contains(&ends.1);
            fault.kind == FaultKind::Cut
                && left
                && match &fault.target {
                    FaultTarget::OneOf(nodes) => among(nodes),
                    FaultTarget::AllOf(set) => among(&set(&view)),
                }
        };
        (0..self.model.faults.len()).find(may)
    }

    fn put(&mut self, at: u64, planned: Planned) {
        let order = self.next_order();
        let slot = self.schedule.planned.insert(planned);
        self.queue.push(Entry::new(at, Kind::Plan, order, slot, 0));
    }

    /// The calls of a line, from now on.
    fn plan_calls(&mut self, line: usize) {
        let call = &self.model.calls[line];
        let (timing, begun) = (call.timing, self.now.get());
        let epoch = self.schedule.calls[line].epoch;
        if timing.rate.is_some() {
            return self.next_call(line, epoch, begun, begun);
        }
        for _ in 0..call.most.unwrap_or(1) {
            let mut draw = self.draw_call(line);
            let at = begun.saturating_add(moment(timing, None, &mut draw));
            self.put(at, Planned::Call { line, epoch, begun });
        }
    }

    /// The next call of a line at a rate, after `since`.
    fn next_call(&mut self, line: usize, epoch: u32, begun: u64, since: u64) {
        let timing = self.model.calls[line].timing;
        let mut draw = self.draw_call(line);
        if let Some(at) = arrival(timing, begun, since, &mut draw) {
            self.put(at, Planned::Call { line, epoch, begun });
        }
    }

    fn plan_fault(&mut self, line: usize) {
        let fault = &self.model.faults[line];
        let (timing, most) = (fault.timing, fault.most);
        if let Some(chance) = fault.chance
            && !self.draw_fault(line).happens(chance)
        {
            return;
        }
        if timing.rate.is_some() {
            return self.next_fault(line, 0);
        }
        for _ in 0..most.unwrap_or(1) {
            let mut draw = self.draw_fault(line);
            let at = moment(timing, self.schedule.end, &mut draw);
            self.put(at, Planned::Fault { line });
        }
    }

    fn next_fault(&mut self, line: usize, since: u64) {
        let timing = self.model.faults[line].timing;
        let mut draw = self.draw_fault(line);
        if let Some(at) = arrival(timing, 0, since, &mut draw) {
            self.put(at, Planned::Fault { line });
        }
    }

    /// The moment of something that was planned.
    pub fn planned(&mut self, slot: u32) {
        match self.schedule.planned.remove(slot) {
            Some(Planned::Call { line, epoch, begun }) if epoch == self.schedule.calls[line].epoch => {
                self.planned_call(line);
                // What follows from the call may have begun the line anew.
                if self.model.calls[line].timing.rate.is_some() && epoch == self.schedule.calls[line].epoch {
                    self.next_call(line, epoch, begun, self.now.get());
                }
            }
            Some(Planned::Fault { line }) => {
                self.planned_fault(line);
                if self.model.faults[line].timing.rate.is_some() {
                    self.next_fault(line, self.now.get());
                }
            }
            Some(Planned::Restart(id)) if !self.ambient.up(id) => self.restart(id),
            Some(Planned::Turn { node, up }) => self.turn_by_law(node, up),
            Some(Planned::Recorded(place)) => self.turn_recorded(place),
            Some(Planned::GiveUp { slot, order }) => self.give_up_held(slot, order),
            Some(Planned::Heal(side)) if self.ambient.parted.contains_key(&side) => self.heal(side),
            _ => {}
        }
    }

    fn planned_call(&mut self, line: usize) {
        let model = self.model.clone();
        let call = &model.calls[line];
        if call.ways.is_empty()
            || call.most.is_some_and(|most| self.schedule.calls[line].spent >= u64::from(most))
        {
            return;
        }
        let weights: Vec<f64> = call.ways.iter().map(|way| way.probability).collect();
        let way = match weights.len() {
            1 => 0,
            _ => self.draw_call(line).weighted(&weights),
        };
        // Nobody is there to be called at a node that is down.
        if self.ambient.up(call.ways[way].node) {
            self.schedule.calls[line].spent += 1;
            self.schedule.calls[line].fired += 1;
            self.call(line, way);
        }
    }

    fn planned_fault(&mut self, line: usize) {
        let model = self.model.clone();
        let fault = &model.faults[line];
        if fault.most.is_some_and(|most| self.schedule.faults[line].spent >= u64::from(most)) {
            return;
        }
        let seen = Seen { states: &self.states, ambient: &self.ambient };
        let stops = matches!(fault.kind, FaultKind::Crash | FaultKind::Reset);
        let (together, nodes) = match &fault.target {
            // Of many nodes one is picked without a list of those that are up.
            FaultTarget::OneOf(_) if stops => (false, self.one_up(line).into_iter().collect()),
            FaultTarget::OneOf(_) => (false, self.schedule.any_of[line].clone()),
            FaultTarget::AllOf(_) => (true, seen.meant(&model, fault)),
        };
        let plan = line as u32;
        match fault.kind {
            FaultKind::Crash => {
                if !nodes.is_empty() {
                    self.count(line);
                    self.crash(plan, nodes.clone(), fault.back.is_some());
                    nodes.into_iter().for_each(|id| self.later(line, Planned::Restart(id)));
                }
            }
            FaultKind::Reset => {
                if let Some(id) = self.one_of(line, nodes) {
                    self.count(line);
                    self.reset(plan, id);
                }
            }
            FaultKind::Partition => {
                let free = |side: &Vec<NodeId>| {
                    !side.is_empty()
                        && side.len() < self.states.len()
                        && !self.ambient.parted.contains_key(side)
                };
                let sides: Vec<Vec<NodeId>> =
                    if together { vec![nodes] } else { nodes.into_iter().map(|id| vec![id]).collect() };
                let sides = sides.into_iter().filter(free).collect();
                if let Some(side) = self.one_of(line, sides) {
                    self.count(line);
                    self.partition(plan, side.clone(), fault.back.is_some());
                    self.later(line, Planned::Heal(side));
                }
            }
            FaultKind::Cut => {
                let open = self.open_connections(&nodes);
                if let Some((carrier, ends)) = self.one_of(line, open) {
                    self.count(line);
                    self.cut(plan, carrier, ends);
                }
            }
        }
    }

    pub fn count(&mut self, line: usize) {
        self.schedule.faults[line].spent += 1;
        self.schedule.faults[line].fired += 1;
    }

    /// One of `options`, all equally likely.
    fn one_of<T>(&mut self, line: usize, mut options: Vec<T>) -> Option<T> {
        match options.len() {
            0 => None,
            1 => options.pop(),
            several => {
                let place = self.draw_fault(line).below(several as u64) as usize;
                Some(options.swap_remove(place))
            }
        }
    }

    /// One of the nodes of a line that are up, all equally likely.
    fn one_up(&mut self, line: usize) -> Option<NodeId> {
        let nodes = &self.schedule.any_of[line];
        let down = self.ambient.down.keys().filter_map(|node| nodes.binary_search(node).ok());
        let down: Vec<usize> = down.collect();
        let mut place = match nodes.len() - down.len() {
            0 => return None,
            1 => 0,
            several => self.draw_fault(line).below(several as u64) as usize,
        };
        for down in down {
            place += usize::from(down <= place);
        }
        Some(self.schedule.any_of[line][place])
    }

    /// What ends a fault, if something does.
    fn later(&mut self, line: usize, planned: Planned) {
        if let Some((least, most)) = self.model.faults[line].back {
            let mut draw = self.draw_fault(line);
            let at = self.now.get().saturating_add(between(least, most, &mut draw));
            self.put(at, planned);
        }
    }

    /// A node is back: what the application calls after a restart, it calls again.
    pub fn restarted(&mut self, id: NodeId) {
        if !self.plans_run() {
            return;
        }
        for place in 0..self.schedule.anew[id.index()].len() {
            let line = self.schedule.anew[id.index()][place] as usize;
            self.schedule.calls[line].spent = 0;
            self.schedule.calls[line].epoch += 1;
            self.plan_calls(line);
        }
    }
}

/// When something of this timing happens, in nanoseconds after the beginning: within what is said, else within `all`, else at once.
pub fn moment(timing: Timing, all: Option<u64>, draw: &mut impl Draw) -> u64 {
    match (timing.within, all) {
        (Some((least, most)), _) => between(least, most, draw),
        (None, Some(end)) => draw.below(end.max(1)),
        (None, None) => 0,
    }
}

fn between(least: Duration, most: Duration, draw: &mut impl Draw) -> u64 {
    let (least, most) = (nanos(least), nanos(most));
    if most > least { least + draw.below((most - least).saturating_add(1)) } else { least }
}

/// The next moment of something that happens at a rate, after `since` and, in nanoseconds, from `begun` on; None where its time is over.
pub fn arrival(timing: Timing, begun: u64, since: u64, draw: &mut impl Draw) -> Option<u64> {
    let rate = timing.rate.filter(|rate| rate.is_finite() && *rate > 0.0)?;
    let (from, to) = match timing.within {
        Some((from, to)) => (begun.saturating_add(nanos(from)), begun.saturating_add(nanos(to))),
        None => (begun, u64::MAX),
    };
    let mean = (1e9 / rate).min(u64::MAX as f64) as u64;
    let at = since.max(from).saturating_add(foresee_net::Delay::Exponential(mean).nanos(draw));
    (at <= to && at < u64::MAX).then_some(at)
}
