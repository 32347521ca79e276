//! What a policy that looks ahead is told: what each node sends, hears and becomes, and the step in which it chooses.
//!
//! A [`Witness`] stands beside the run and never changes it. It is told everything, node by node, and keeps apart itself what each node
//! could know: what it attaches to a message ([`Witness::sent`]) is handed to it where the message arrives, if it does.

use foresee_kernel::{Model, NodeEvent, NodeId, NodeState, Ran};
use foresee_net::{Draw, Fate, Purpose, Stream};
use foresee_world::Route;

use crate::network::Network;
use crate::rollout::{Armed, Situation};
use crate::timers::Timers;

/// Is told what happens.
pub trait Witness {
    /// `route.src` sends a message, which is the first of its kind. What is returned is handed over where the message arrives.
    fn sent(&mut self, now_nanos: u64, route: Route, message: &foresee_kernel::Datum) -> u64;

    /// The message to which this was attached arrives at `route.dst`, whose step comes next.
    fn arrives(&mut self, now_nanos: u64, route: Route, attached: u64);

    /// `node` takes a step, in which this ran. What the step sends is told of next. Most policies need not know.
    fn ran(&mut self, now_nanos: u64, node: NodeId, ran: &[Ran]) {
        let _ = (now_nanos, node, ran);
    }

    /// `node` has taken a step, or has gone down.
    fn changed(&mut self, now_nanos: u64, node: NodeId, own: &Own<'_>);

    /// `node` is told, in its next step, that a connection to `peer` broke.
    fn broke(&mut self, now_nanos: u64, node: NodeId, peer: NodeId);
}

/// Takes no note of anything: for a policy that is to be shown the steps in which it chooses, and needs no more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Onlooker;

impl Witness for Onlooker {
    fn sent(&mut self, _: u64, _: Route, _: &foresee_kernel::Datum) -> u64 {
        0
    }
    fn arrives(&mut self, _: u64, _: Route, _: u64) {}
    fn changed(&mut self, _: u64, _: NodeId, _: &Own<'_>) {}
    fn broke(&mut self, _: u64, _: NodeId, _: NodeId) {}
}

/// What a node knows of itself.
pub struct Own<'a> {
    /// Its state.
    pub state: &'a NodeState,
    /// Whether it is up.
    pub up: bool,
    pub(crate) node: NodeId,
    pub(crate) timers: &'a Timers,
}

impl Own<'_> {
    /// Its armed timers, and when they are due.
    pub fn timers(&self) -> Vec<Armed> {
        self.timers.armed(self.node)
    }
}

/// The step in which a choice comes up.
pub struct Step<'a> {
    /// What the node is told.
    pub event: &'a NodeEvent,
    /// How the points of the step before this one were answered.
    pub picks: &'a [u32],
    pub(crate) truth: &'a dyn Truth,
}

impl Step<'_> {
    /// What `node` knows of itself, before the step.
    pub fn own(&self, node: NodeId) -> Own<'_> {
        self.truth.own(node)
    }

    /// The true state of everything, before the step. No node could know it: it is for a resolver to measure others by.
    pub fn truth(&self) -> Situation {
        self.truth.situation()
    }
}

/// The run itself.
pub(crate) trait Truth {
    fn own(&self, node: NodeId) -> Own<'_>;
    fn situation(&self) -> Situation;
}

/// How long something that is no message of the spec is under way, by the carriers of a model: what a predictor sends for itself.
#[derive(Debug)]
pub struct Paths {
    network: Network,
}

/// Numbers of paths have nothing in common with those of runs.
const PATH: Purpose = Purpose(8);

impl Paths {
    /// The carriers of `model`.
    pub fn new(model: &Model) -> Self {
        Paths { network: Network::of_carriers(model) }
    }

    /// How long the `number`-th thing from one node to another is under way, in nanoseconds; None where it is lost. The answer depends
    /// on nothing but the arguments and the model.
    pub fn nanos(&self, seed: u64, carrier: u8, (src, dst): (NodeId, NodeId), number: u64) -> Option<u64> {
        if src == dst {
            return Some(crate::LOOPBACK_NANOS);
        }
        let mut draw = Stream::new(seed, PATH, (src.index() as u32, dst.index() as u32), number);
        match self.network.fate(carrier, (src, dst), &mut draw) {
            Fate::Lost => None,
            Fate::Arrives(nanos) | Fate::Doubled(nanos, _) => Some(nanos),
        }
    }

    /// The mean time under way of the slowest carrier, in nanoseconds.
    pub fn mean_nanos(model: &Model) -> u64 {
        let delays = model.carriers.iter().map(|carrier| crate::network::delay(carrier, true).mean());
        delays.max().unwrap_or_default()
    }
}

/// A draw that a predictor makes for itself: the `number`-th of `place` under `seed`.
pub fn draw(seed: u64, place: u32, number: u64) -> impl Draw {
    Stream::new(seed, PATH, (u32::MAX, place), number)
}
