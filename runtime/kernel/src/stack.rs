//! A node is a stack of layers and takes a step as a whole: calls between layers are drained within it.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::ctx::StepEnv;
use crate::service::LayerStep;
use crate::{AnyService, Datum, Decision, Effect, Event, Fault, NodeId, Resolver, fault};

/// The most events that one step may drain through the layers of a node; beyond it the step is a fault.
pub const DRAIN_EVENTS_MAX: usize = 4096;

/// One layer of a node: a service with its parameters, and how it is wired.
#[derive(Clone, Debug)]
pub struct Layer {
    service: Arc<dyn AnyService>,
    carriers: Vec<u8>,
    above: Option<(usize, u8)>,
}

impl Layer {
    /// A layer that nothing is wired to yet.
    pub fn new(service: impl AnyService + 'static) -> Self {
        Layer { service: Arc::new(service), carriers: Vec::new(), above: None }
    }

    /// The service.
    pub fn service(&self) -> &dyn AnyService {
        &*self.service
    }

    /// The model's carrier behind `slot` of the service's carriers.
    pub fn carrier(&self, slot: usize) -> u8 {
        self.carriers[slot]
    }

    /// The layer above and the `uses` slot that this layer fills there, if any.
    pub fn above(&self) -> Option<(usize, u8)> {
        self.above
    }

    pub(crate) fn wire(&mut self, carriers: Vec<u8>) {
        self.carriers = carriers;
    }
}

/// A node: its layers, the top first.
#[derive(Clone, Debug)]
pub struct Stack {
    layers: Vec<Layer>,
}

/// The state of a node: one datum a layer, the top first.
pub type NodeState = Vec<Datum>;

/// An event for a node: which layer is told what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeEvent {
    /// Boot or restart: every layer starts, the lowest first.
    Start,
    /// One layer is told.
    Layer(u8, Event),
}

/// What ran in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ran {
    /// A handler: index into the layer's [`crate::ServiceInfo::handlers`].
    Handler {
        /// The layer.
        layer: u8,
        /// The handler.
        handler: u16,
    },
    /// No handler applied and the event was consumed; `meant` where the spec says so.
    Consumed {
        /// The layer.
        layer: u8,
        /// Whether an `ignore` covers it.
        meant: bool,
    },
}

/// What a step came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The state after the step; the state before it where the step faulted.
    pub state: NodeState,
    /// What it asks of the world, in order; nothing where the step faulted.
    pub effects: Vec<Effect>,
    /// What ran, in order.
    pub ran: Vec<Ran>,
    /// How its points were answered, in order.
    pub decisions: Vec<Decision>,
    /// Why the step had no effect, if it had none.
    pub fault: Option<Fault>,
}

impl Stack {
    /// A node of the given layers, the top first.
    pub fn new(layers: Vec<Layer>) -> Self {
        assert!(!layers.is_empty(), "a node has at least one layer");
        assert!(layers.len() <= usize::from(u8::MAX), "a node has at most 255 layers");
        Stack { layers }
    }

    /// The layers, the top first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    pub(crate) fn layers_mut(&mut self) -> &mut [Layer] {
        &mut self.layers
    }

    /// The position of the layer that runs the service of the given type, if one does.
    pub fn layer_of(&self, service: TypeId) -> Option<usize> {
        self.layers.iter().position(|layer| layer.service.service_type() == service)
    }

    /// The layer that a message is for: the topmost that handles its type, or the top where none does.
    pub fn addressee(&self, message: &Datum) -> u8 {
        self.layers.iter().position(|layer| layer.service.accepts(message)).unwrap_or(0) as u8
    }

    /// The state before `start()` has run.
    pub fn init(&self, me: NodeId) -> NodeState {
        self.layers.iter().map(|layer| layer.service.init(me)).collect()
    }

    /// The state after a crash in `before`, before `start()` has run.
    pub fn recover(&self, me: NodeId, before: &NodeState) -> NodeState {
        self.layers.iter().zip(before).map(|(layer, before)| layer.service.recover(me, before)).collect()
    }

    /// The armed timers of all layers.
    pub fn armed(&self, state: &NodeState) -> Vec<(u8, Datum)> {
        let timers = |index: usize| self.layers[index].service.armed(&state[index]);
        (0..self.layers.len())
            .flat_map(|i| timers(i).into_iter().map(move |timer| (i as u8, timer)))
            .collect()
    }

    /// One step: `event` and everything it drains through the layers, as a whole, or nothing of it.
    pub fn step(
        &self,
        me: NodeId,
        state: &NodeState,
        event: &NodeEvent,
        resolver: &mut dyn Resolver,
    ) -> Outcome {
        let resolver = RefCell::new(resolver);
        let env = StepEnv {
            resolver: &resolver,
            effects: RefCell::default(),
            queue: RefCell::default(),
            decisions: RefCell::default(),
            ran: RefCell::default(),
        };
        let mut next = state.clone();
        let result = fault::guard(|| self.drain(me, &mut next, event, &env));
        let mut outcome = Outcome {
            state: next,
            effects: env.effects.into_inner(),
            ran: env.ran.into_inner(),
            decisions: env.decisions.into_inner(),
            fault: None,
        };
        if let Err(fault) = result {
            outcome.state = state.clone();
            outcome.effects.clear();
            outcome.fault = Some(fault);
        }
        outcome
    }

    fn drain(&self, me: NodeId, state: &mut NodeState, event: &NodeEvent, env: &StepEnv<'_>) {
        let mut queue: VecDeque<(usize, Event)> = match event {
            NodeEvent::Start => (0..self.layers.len()).rev().map(|index| (index, Event::Start)).collect(),
            NodeEvent::Layer(index, event) => VecDeque::from([(usize::from(*index), event.clone())]),
        };
        for _ in 0..DRAIN_EVENTS_MAX {
            let Some((index, event)) = queue.pop_front() else { return };
            let layer = &self.layers[index];
            layer.service.step(LayerStep { me, layer, index, state: &mut state[index], env }, &event);
            queue.append(&mut env.queue.borrow_mut());
        }
        if !queue.is_empty() {
            fault::raise(format!("a step drained more than {DRAIN_EVENTS_MAX} events between layers"));
        }
    }
}
