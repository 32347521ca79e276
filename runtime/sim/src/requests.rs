//! What the application calls: how often, how often it was answered, and how long that took; and what it is told.

use std::collections::BTreeMap;

use foresee_kernel::{Datum, Model, NodeEvent, NodeId};
use foresee_world::{Action, Calling, Plans};

use crate::engine::Engine;
use crate::exact::key::Key;
use crate::result::CallRuns;

/// What an application is told by its nodes.
pub(crate) enum Told {
    /// The answer to a request that it made.
    Answer { node: NodeId, request: u64, value: Datum },
    /// An upcall of the topmost layer.
    Upcall { node: NodeId, upcall: Datum },
    /// A life of the node is over: requests that are open there are not answered any more.
    Ended { node: NodeId },
}

/// The calls of a run.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// For each line and each of its ways, whether calls are numbered.
    numbered: Vec<Vec<bool>>,
    /// For each node, the number of its next request.
    next: BTreeMap<NodeId, u32>,
    /// Requests that are not answered: the line and the time at which they were made.
    open: BTreeMap<(NodeId, u64), (usize, u64)>,
    lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    made: u64,
    requests: u64,
    answered: u64,
    nanos: u64,
}

impl Requests {
    pub fn new(model: &Model) -> Self {
        let plans = Plans::new(model);
        let numbered = model.calls.iter().enumerate().map(|(plan, call)| {
            (0..call.ways.len()).map(|way| plans.is_numbered(plan as u32, way as u32)).collect()
        });
        Requests {
            numbered: if model.calls.is_empty() { Vec::new() } else { numbered.collect() },
            next: BTreeMap::new(),
            open: BTreeMap::new(),
            lines: vec![Line::default(); model.calls.len()],
        }
    }

    /// A call is made at `node`: the number that it is given.
    fn made(&mut self, (plan, way): (usize, usize), node: NodeId, now: u64) -> u32 {
        let line = &mut self.lines[plan];
        line.made += 1;
        if !self.numbered[plan][way] {
            return 0;
        }
        line.requests += 1;
        let number = self.number(node);
        let line = (plan, now);
        self.open.insert((node, u64::from(number)), line);
        number
    }

    /// The number of the next request at `node`.
    pub fn number(&mut self, node: NodeId) -> u32 {
        let next = self.next.entry(node).or_default();
        let number = *next;
        *next += 1;
        number
    }

    /// A request of the application at `node` is answered; only the first answer counts.
    pub fn answered(&mut self, node: NodeId, request: u64, now: u64) {
        if let Some((plan, since)) = self.open.remove(&(node, request)) {
            let line = &mut self.lines[plan];
            line.answered += 1;
            line.nanos += now - since;
        }
    }

    /// How often the application made the downcall of this name.
    pub fn made_of(&self, model: &Model, name: &str) -> u64 {
        let is_it =
            |call: &foresee_kernel::Call| call.ways.first().is_some_and(|way| (way.call)(0).kind() == name);
        let lines = model.calls.iter().zip(&self.lines).filter(|(call, _)| is_it(call));
        lines.map(|(_, line)| line.made).sum()
    }

    /// Lets all calls that were made be forgotten, but for their numbers.
    pub fn forget_made(&mut self) {
        self.lines.iter_mut().for_each(|line| line.made = 0);
    }

    /// Writes down the numbers of requests to come, and how many calls were made. When a request was made, or how many are
    /// answered, makes no difference to a run.
    pub fn write(&self, key: &mut Key) {
        let Requests { numbered: _, next, open: _, lines } = self;
        key.word(next.len() as u64);
        for (node, next) in next {
            key.node(*node);
            key.word(u64::from(*next));
        }
        lines.iter().for_each(|line| key.word(line.made));
    }

    /// What became of the calls of each line.
    pub fn runs(&self, model: &Model) -> Vec<CallRuns> {
        let run = |(call, line): (&foresee_kernel::Call, &Line)| CallRuns {
            call: call.text,
            line: call.line,
            made: line.made,
            requests: line.requests,
            answered: line.answered,
            latency_seconds: match line.answered {
                0 => None,
                answered => Some(line.nanos as f64 / answered as f64 / 1e9),
            },
        };
        model.calls.iter().zip(&self.lines).map(run).collect()
    }
}

impl Engine {
    /// Keeps what the application is told, where there is one that listens.
    pub fn tell_application(&mut self, told: impl FnOnce() -> Told) {
        if let Some(all) = &mut self.told {
            all.push(told());
        }
    }

    /// The application makes a call. Its node is up.
    pub fn call(&mut self, plan: usize, way: usize) {
        let chosen = &self.model.calls[plan].ways[way];
        let number = self.requests.made((plan, way), chosen.node, self.now.get());
        let event = foresee_kernel::Event::Call((chosen.call)(u64::from(number)));
        let calling = Calling { plan: plan as u32, way: way as u32, number };
        self.event_as(chosen.node, NodeEvent::Layer(chosen.layer, event), Action::Call(calling));
    }
}
