//! [`Direct`]: nodes and messages as values, steps executed as they come. The plainest representation.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foresee_kernel::digest::at;
use foresee_kernel::{
    Datum, Digest, Effect, Event, Model, NodeEvent, NodeId, NodeState, Outcome, Resolver, Tape, Way,
};

use crate::action::Calling;
use crate::{Discipline, Mark, Plans, Program, Route, Stimulus, Successor, World, disciplines};

/// Nodes and messages as values.
#[derive(Clone, Debug)]
pub struct Direct {
    model: Arc<Model>,
    disciplines: Vec<Discipline>,
    plans: Plans,
}

/// A message under way, or a [`Mark`] that stands where one does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Envelope {
    /// Its way.
    pub route: Route,
    /// The message.
    pub message: Datum,
}

/// An armed timer: its layer, and the timer with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer {
    /// The layer.
    pub layer: u8,
    /// The timer.
    pub timer: Datum,
}

/// A node's state as [`Direct`] keeps it: which node it is, and its layers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Which node it is.
    pub id: NodeId,
    /// Its layers, the top first.
    pub layers: NodeState,
}

impl Direct {
    /// The direct program of `model`.
    pub fn new(model: Arc<Model>) -> Self {
        let (disciplines, plans) = (disciplines(&model), Plans::new(&model));
        Direct { model, disciplines, plans }
    }

    /// The model, to share.
    pub fn shared_model(&self) -> &Arc<Model> {
        &self.model
    }

    /// One step of `node`, its points answered by `resolver`.
    pub fn step(&self, node: &Node, stimulus: &Stimulus<'_, Self>, resolver: &mut dyn Resolver) -> Outcome {
        let stack = &self.model.nodes[node.id.index()];
        let event = match stimulus {
            Stimulus::Deliver(envelope) => {
                let Route { carrier, src, .. } = envelope.route;
                if envelope.message.get::<Mark>().is_some() {
                    NodeEvent::Broken { peer: src, carrier }
                } else {
                    let message = envelope.message.clone();
                    NodeEvent::Layer(stack.addressee(&message), Event::Deliver { src, carrier, message })
                }
            }
            Stimulus::Fire(Timer { layer, timer }) => NodeEvent::Layer(*layer, Event::Timer(timer.clone())),
            Stimulus::Call(calling) => {
                let way = self.way(*calling);
                NodeEvent::Layer(way.layer, Event::Call((way.call)(u64::from(calling.number))))
            }
            Stimulus::Start => NodeEvent::Start,
            Stimulus::Reset => {
                let recovered = stack.recover(node.id, &node.layers);
                return stack.step(node.id, &recovered, &NodeEvent::Start, resolver);
            }
        };
        stack.step(node.id, &node.layers, &event, resolver)
    }

    /// The way in which a call goes.
    pub fn way(&self, calling: Calling) -> &Way {
        &self.model.calls[calling.plan as usize].ways[calling.way as usize]
    }

    /// Every way in which a step of `node` can go, in the order of the tape.
    pub fn successors(&self, node: &Node, stimulus: &Stimulus<'_, Self>) -> Vec<Successor<Self>> {
        self.enumerate(node.id, |tape| self.step(node, stimulus, tape))
    }

    /// Every way in which the start of node `id` can go.
    pub fn starts(&self, id: NodeId) -> Vec<Successor<Self>> {
        let stack = &self.model.nodes[id.index()];
        let init = stack.init(id);
        self.enumerate(id, |tape| stack.step(id, &init, &NodeEvent::Start, tape))
    }

    fn enumerate(&self, id: NodeId, step: impl Fn(&mut Tape) -> Outcome) -> Vec<Successor<Self>> {
        let mut tape = Tape::default();
        let mut successors = Vec::new();
        loop {
            let outcome = step(&mut tape);
            successors.push(self.successor(id, outcome, tape.picks().to_vec()));
            if !tape.advance() {
                return successors;
            }
        }
    }

    /// The outcome of a step of node `id` as a change of the world.
    pub fn successor(&self, id: NodeId, outcome: Outcome, tape: Vec<u32>) -> Successor<Self> {
        let Outcome { state, effects, ran, fault, decisions, .. } = outcome;
        let chose = decisions.iter().filter(|it| it.site.open && it.options > 1).map(|it| it.site).collect();
        let sends = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send { carrier, to, message } => {
                Some(Envelope { route: Route { carrier, src: id, dst: to }, message })
            }
            _ => None,
        });
        Successor { sends: sends.collect(), node: Node { id, layers: state }, tape, ran, chose, fault }
    }

    /// A world before anything was sent, of nodes in the given states.
    pub fn world(&self, nodes: Vec<Node>) -> World<Self> {
        let carriers = vec![Vec::new(); self.model.carriers.len()];
        World { nodes, carriers, ambient: self.plans.first().clone() }
    }
}

impl Program for Direct {
    type Node = Node;
    type Envelope = Envelope;
    type Timer = Timer;

    fn model(&self) -> &Model {
        &self.model
    }

    fn disciplines(&self) -> &[Discipline] {
        &self.disciplines
    }

    fn plans(&self) -> &Plans {
        &self.plans
    }

    fn mark(&self, envelope: &Envelope) -> Option<Mark> {
        envelope.message.get::<Mark>().copied()
    }

    fn marked(&self, route: Route, mark: Mark) -> Envelope {
        Envelope { route, message: Datum::new(mark) }
    }

    fn recover(&self, id: NodeId, node: &Node) -> Node {
        Node { id, layers: self.model.nodes[id.index()].recover(id, &node.layers) }
    }

    fn route(&self, envelope: &Envelope) -> Route {
        envelope.route
    }

    fn each_timer(&self, node: &Node, visit: &mut dyn FnMut(&Timer)) {
        for (layer, timer) in self.model.nodes[node.id.index()].armed(&node.layers) {
            visit(&Timer { layer, timer });
        }
    }

    fn layer<'a>(&'a self, node: &'a Node, layer: usize) -> &'a Datum {
        &node.layers[layer]
    }

    fn node_digest(&self, id: NodeId, node: &Node) -> u64 {
        let mut digest = Digest::new();
        for layer in &node.layers {
            digest.write_u64(layer.digest());
        }
        at(id.index() as u64, digest.finish())
    }

    fn envelope_digest(&self, envelope: &Envelope) -> u64 {
        let mut digest = Digest::new();
        envelope.route.hash(&mut digest);
        digest.write_u64(envelope.message.digest());
        digest.finish()
    }
}
