//! Runs from a given situation: what comes of a step if it goes this way, for a while.
//!
//! A rollout is a run like any other, by the same engine, but for what nobody can foresee: nobody calls and nothing fails. What was going to
//! be told of broken connections is told. It says what the time from its beginning came to, by levels of objectives.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use foresee_kernel::{Datum, Model, Nature, NodeEvent, NodeId, NodeState, Point, names};
use foresee_net::{Memory, Topology};
use foresee_world::Route;

use crate::draws::Draws;
use crate::engine::{Engine, Seen};
use crate::flights::{Flight, Stage};
use crate::network::Network;
use crate::resolver::Policy;
use crate::run::Record;
use crate::{Options, Scene};

/// A system at one moment: where a rollout begins.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// The moment.
    pub now_nanos: u64,
    /// The state of every node.
    pub states: Vec<NodeState>,
    /// The nodes that are down, and whether they come back (in a rollout none does).
    pub down: BTreeMap<NodeId, bool>,
    /// The armed timers.
    pub timers: Vec<Armed>,
    /// What is under way.
    pub flights: Vec<UnderWay>,
    /// The network as it truly is, where somebody looks on who knows it; by default it is that of the system.
    pub network: Surroundings,
}

/// Where nodes are, and what waits before lines and at nodes. Nobody but a run knows it.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub(crate) place: Option<(Arc<Topology>, Memory)>,
}

/// An armed timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armed {
    /// Whose.
    pub node: NodeId,
    /// The layer, the top being 0.
    pub layer: u8,
    /// The timer with its arguments.
    pub timer: Datum,
    /// When it is due.
    pub at_nanos: u64,
}

/// Something under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Its way.
    pub route: Route,
    /// The message; None for word of the end of the connection from `route.src`.
    pub message: Option<Datum>,
    /// When it arrives; where it has come already, when its receiver is told.
    pub at_nanos: u64,
    /// Whether its receiver has it already, and works on what came before it.
    pub taken: bool,
}

/// A step to begin with.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// Who takes it.
    pub node: NodeId,
    /// What it is told.
    pub event: &'a NodeEvent,
    /// How its first points are answered; the policy and chance answer the others.
    pub picks: &'a [u32],
}

/// Until when a rollout lasts.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// How long things happen, in nanoseconds.
    pub nanos: u64,
    /// For how long after that what costs by the second is taken to go on, in nanoseconds.
    pub tail_nanos: u64,
    /// The most events.
    pub events_max: u64,
}

/// What a rollout came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Prospect {
    /// The sums of objectives, one a level, less being better; none where a step faulted, which is worse than anything.
    pub levels: Option<Vec<f64>>,
    /// How many events it took.
    pub events: u64,
}

/// Lets things happen from `situation` on. `seed` fixes every number that is drawn.
pub fn rollout(
    model: &Arc<Model>,
    situation: &Situation,
    opening: Option<Opening<'_>>,
    seed: u64,
    span: Span,
    policy: Box<dyn Policy>,
) -> Prospect {
    let now = Rc::new(Cell::new(situation.now_nanos));
    names::scope(&model.names, || {
        let options = Options { events_max: Some(span.events_max), ..Options::default() };
        let Ok(mut engine) = Engine::new(model, seed, &options, Record::Nothing, &now) else {
            // What a simulation cannot run it does not reach a choice in.
            return Prospect { levels: None, events: 0 };
        };
        engine.resume(situation, policy);
        if let Some(opening) = opening {
            engine.open(opening);
        }
        engine.go_until(situation.now_nanos.saturating_add(span.nanos));
        let levels = engine.violation.is_none().then(|| engine.levels_after(span.tail_nanos));
        Prospect { levels, events: engine.events }
    })
}

/// All nodes of `model` as they are once they have started, the first options taken where a start makes choices.
pub fn started(model: &Arc<Model>) -> Situation {
    let now = Rc::new(Cell::new(0));
    names::scope(&model.names, || {
        let options = Options { resolver: crate::ResolverKind::First, ..Options::default() };
        let Ok(mut engine) = Engine::new(model, 0, &options, Record::States, &now) else {
            return Situation::default();
        };
        engine.start();
        engine.situation_now()
    })
}

/// Answers the first points of a step as it is told, then leaves them to another.
struct Led<'a> {
    picks: &'a [u32],
    asked: usize,
    policy: &'a mut dyn Policy,
    draws: &'a mut Draws,
    now: u64,
}

impl foresee_kernel::Resolver for Led<'_> {
    fn resolve(&mut self, point: &Point<'_>) -> u32 {
        use foresee_net::Draw;
        self.asked += 1;
        if let Some(pick) = self.picks.get(self.asked - 1).filter(|pick| **pick < point.options) {
            return *pick;
        }
        match point.nature {
            Nature::Chance => self.draws.chance(point.node).weighted(point.weights) as u32,
            Nature::Choice => {
                let mut draw = self.draws.choice(point.node);
                let mut scene =
                    Scene { now_nanos: self.now, draw: &mut draw, step: None, thought_nanos: 0, own: None };
                self.policy.choose(point, &mut scene)
            }
        }
    }
}

impl Engine {
    /// Stands where `situation` says.
    fn resume(&mut self, situation: &Situation, policy: Box<dyn Policy>) {
        self.policy = policy;
        self.channels = None;
        self.states.clone_from(&situation.states);
        self.ambient.down.clone_from(&situation.down);
        situation.down.keys().for_each(|node| self.down.set(*node, true));
        if let Some((topology, memory)) = &situation.network.place {
            self.network = Network::resumed(&self.model, topology.clone(), memory.clone());
        }
        for timer in &situation.timers {
            let order = self.next_order();
            let at = timer.at_nanos.max(situation.now_nanos);
            let (queued, _) = self.timers.set(timer.node, timer.layer, timer.timer.clone(), at, order);
            if let Some(queued) = queued {
                self.push_timer(timer.node, queued);
            }
        }
        for UnderWay { route, message, at_nanos, taken } in &situation.flights {
            let order = self.next_order();
            let stage = if *taken { Stage::Taken } else { Stage::Under };
            let (mark, message) = (message.is_none(), message.clone().unwrap_or_else(|| Datum::new(0_u8)));
            let flight = Flight { mark, stage, ..Flight::new(*route, message, order) };
            self.schedule((*at_nanos).max(situation.now_nanos), flight);
        }
        let seen = Seen { states: &self.states, ambient: &self.ambient };
        self.ledger.start(&self.model, &seen, situation.now_nanos);
    }

    /// Takes a step whose first answers are given.
    fn open(&mut self, Opening { node, event, picks }: Opening<'_>) {
        self.events += 1;
        let stack = &self.model.nodes[node.index()];
        let mut led =
            Led { picks, asked: 0, policy: &mut *self.policy, draws: &mut self.draws, now: self.now.get() };
        let state = &mut self.states[node.index()];
        let stepped = stack.step_in_place(node, state, event, &mut led, &mut self.scratch);
        self.settle(node, stepped);
    }

    /// Lets happen what comes up to `end`, which is where the clock then stands.
    fn go_until(&mut self, end: u64) {
        while self.violation.is_none() {
            let Some(entry) = self.queue.pop() else { break };
            if entry.at > end || !self.happen(entry) {
                break;
            }
        }
        self.now.set(end);
    }

    /// What all objectives come to if what costs by the second goes on for as long, by levels.
    fn levels_after(&mut self, tail: u64) -> Vec<f64> {
        let now = self.now.get().saturating_add(tail);
        self.ledger.levels(&self.model, &Seen { states: &self.states, ambient: &self.ambient }, now)
    }
}
