//! A node is a stack of layers and takes a step as a whole: calls between layers are drained within it.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use crate::ctx::StepEnv;
use crate::places::Places;
use crate::service::LayerStep;
use crate::spare::Spare;
use crate::{
    AnyService, CarrierInfo, Datum, Decision, Direction, Effect, Event, Fault, NodeId, Resolver, Touched,
    fault,
};

/// The most events that one step may drain through the layers of a node, changes that aspects are told of included;
/// beyond it the step is a fault.
pub const DRAIN_EVENTS_MAX: usize = 4096;

/// One layer of a node: a service with its parameters, and how it is wired.
#[derive(Clone, Debug)]
pub struct Layer {
    service: Arc<dyn AnyService>,
    carriers: Places,
    above: Option<(u8, u8)>,
    lower: Places,
}

/// What a layer sees of the layers below it, for queries.
#[derive(Clone, Copy)]
pub struct Below<'a> {
    me: NodeId,
    layers: &'a [Layer],
    states: &'a dyn LayerStates,
    /// The layer that looks down.
    index: usize,
}

/// The states of the layers of a stack, by position.
pub trait LayerStates {
    /// The state of layer `layer`.
    fn layer(&self, layer: usize) -> &Datum;
}

impl LayerStates for NodeState {
    fn layer(&self, layer: usize) -> &Datum {
        &self[layer]
    }
}

/// The states of the layers from `first` on.
struct Lower<'a> {
    first: usize,
    states: &'a [Datum],
}

impl LayerStates for Lower<'_> {
    fn layer(&self, layer: usize) -> &Datum {
        &self.states[layer - self.first]
    }
}

impl<'a> Below<'a> {
    /// What layer `index` of node `me` sees of the layers below it.
    pub fn new(me: NodeId, layers: &'a [Layer], states: &'a dyn LayerStates, index: usize) -> Self {
        Below { me, layers, states, index }
    }

    /// The id of the node.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// The answer of the service at `uses` slot `slot`; a fault of the step where it does not know the query.
    pub fn query<Q: Any, A: Any>(&self, slot: usize, query: &Q) -> A {
        match self.pass(slot, query).and_then(|answer| answer.downcast::<A>().ok()) {
            Some(answer) => *answer,
            None => self.unknown(slot),
        }
    }

    /// Passes a query on to the service at `uses` slot `slot`, and its answer back.
    pub fn pass(&self, slot: usize, query: &dyn Any) -> Option<Box<dyn Any>> {
        let index = usize::from(self.layers[self.index].lower(slot));
        let below = Below { index, ..*self };
        self.layers[index].service().query(self.states.layer(index), query, &below)
    }

    /// The answer of this layer itself.
    pub(crate) fn own<Q: Any, A: Any>(&self, query: &Q) -> Option<A> {
        let service = self.layers[self.index].service();
        let answer = service.query(self.states.layer(self.index), query, self)?;
        answer.downcast::<A>().ok().map(|answer| *answer)
    }

    fn unknown(&self, slot: usize) -> ! {
        let index = usize::from(self.layers[self.index].lower(slot));
        fault::raise(format!("{} does not answer this query", self.layers[index].service().info().name))
    }
}

impl Layer {
    /// A layer that nothing is wired to yet.
    pub fn new(service: impl AnyService + 'static) -> Self {
        Layer { service: Arc::new(service), carriers: Places::new(), above: None, lower: Places::new() }
    }

    /// The service.
    pub fn service(&self) -> &dyn AnyService {
        &*self.service
    }

    /// The model's carrier behind `slot` of the service's carriers.
    pub fn carrier(&self, slot: usize) -> u8 {
        self.carriers.as_slice()[slot]
    }

    /// The layer above and the `uses` slot that this layer fills there, if any.
    pub fn above(&self) -> Option<(usize, u8)> {
        self.above.map(|(layer, slot)| (usize::from(layer), slot))
    }

    /// The layer that fills `slot` of the services that this layer's service uses.
    pub fn lower(&self, slot: usize) -> u8 {
        self.lower.as_slice()[slot]
    }

    pub(crate) fn wire(&mut self, carriers: Places) {
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
    /// An ordered connection broke: every layer that uses the carrier is told, the lowest first.
    Broken {
        /// The other end.
        peer: NodeId,
        /// Index into [`crate::Model::carriers`].
        carrier: u8,
    },
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

/// A call between layers, or between a node and its application, that a step has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Called {
    /// The layer that provides the call.
    pub layer: u8,
    /// Which way it went.
    pub direction: Direction,
    /// Its name.
    pub name: &'static str,
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
    /// The calls that it saw, in order; nothing where the step faulted.
    pub called: Vec<Called>,
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

    /// `top` over the stacks that fill the services it uses, in the order of its `uses`.
    pub fn over(mut top: Layer, lower: Vec<Stack>) -> Self {
        let mut layers = Vec::new();
        for (slot, stack) in lower.into_iter().enumerate() {
            let base = layers.len() + 1;
            top.lower.push(base as u8);
            for (place, mut layer) in stack.layers.into_iter().enumerate() {
                layer.above = match layer.above {
                    None if place == 0 => Some((0, slot as u8)),
                    above => above.map(|(index, slot)| (index + base as u8, slot)),
                };
                layer.lower.shift(base as u8);
                layers.push(layer);
            }
        }
        layers.insert(0, top);
        Stack::new(layers)
    }

    /// The stack outside of any system, with the carriers that its layers use: those of one name and kind are one.
    pub fn alone(mut self) -> (Stack, Vec<CarrierInfo>) {
        let mut carriers: Vec<CarrierInfo> = Vec::new();
        for layer in &mut self.layers {
            let used = layer.service().info().carriers;
            let places = used.iter().map(|info| {
                let known = carriers.iter().position(|it| it.name == info.name && it.kind == info.kind);
                known.unwrap_or_else(|| {
                    carriers.push(CarrierInfo { ..*info });
                    carriers.len() - 1
                }) as u8
            });
            let places = places.collect();
            layer.wire(places);
        }
        (self, carriers)
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
        if self.layers.len() == 1 {
            return 0;
        }
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

    /// Makes the ghost variables of all layers as they were at first, as a live node does after each step.
    pub fn forget_ghosts(&self, me: NodeId, state: &mut NodeState) {
        for (layer, state) in self.layers.iter().zip(state) {
            layer.service.forget_ghosts(me, state);
        }
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
        let mut scratch = Scratch::default();
        let mut next = state.clone();
        let fault = self.step_in_place(me, &mut next, event, resolver, &mut scratch).err();
        scratch.outcome(state, next, fault)
    }

    /// As [`Stack::step`], but `resolver` is asked wherever the step could branch, and so also where one option is left.
    /// The decisions of the outcome fit no tape: it is for looking ahead.
    pub fn probe(
        &self,
        me: NodeId,
        state: &NodeState,
        event: &NodeEvent,
        resolver: &mut dyn Resolver,
    ) -> Outcome {
        let mut scratch = Scratch::default();
        let mut next = state.clone();
        let fault = self.take(me, &mut next, event, resolver, &mut scratch, true).err();
        scratch.outcome(state, next, fault)
    }

    /// As [`Stack::step`], but `state` becomes the state after the step, and what the step came to is left in
    /// `scratch`. Nothing is copied that the caller alone holds.
    ///
    /// # Errors
    /// The fault of the step. It asks nothing of the world, but `state` is left as the handlers left it: there
    /// is no copy to go back to. A caller that goes on after a fault takes [`Stack::step`].
    pub fn step_in_place(
        &self,
        me: NodeId,
        state: &mut NodeState,
        event: &NodeEvent,
        resolver: &mut dyn Resolver,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        self.take(me, state, event, resolver, scratch, false)
    }

    fn take(
        &self,
        me: NodeId,
        state: &mut NodeState,
        event: &NodeEvent,
        resolver: &mut dyn Resolver,
        scratch: &mut Scratch,
        asks_always: bool,
    ) -> Result<(), Fault> {
        scratch.clear();
        let resolver = RefCell::new(resolver);
        let env = StepEnv {
            resolver: &resolver,
            effects: &scratch.effects,
            queue: &scratch.queue,
            decisions: &scratch.decisions,
            ran: &scratch.ran,
            called: &scratch.called,
            touched: scratch.touched.as_ref(),
            spare: &scratch.spare,
            drained: Cell::new(0),
            asks_always,
        };
        let result = fault::guard(|| self.drain(me, state, event, &env));
        if result.is_err() {
            scratch.effects.get_mut().clear();
            scratch.queue.get_mut().clear();
            scratch.called.get_mut().clear();
        }
        result
    }

    /// Handles `event`, then what the layers ask of each other, in the order in which they ask.
    fn drain(&self, me: NodeId, state: &mut NodeState, event: &NodeEvent, env: &StepEnv<'_>) {
        let mut tell = |index: usize, event: &Event| {
            env.told();
            let layer = &self.layers[index];
            if let Event::Call(downcall) = event {
                env.called(index, Direction::Down, downcall);
            }
            let (upper, lower) = state.split_at_mut(index + 1);
            let states = Lower { first: index + 1, states: lower };
            let below = Below::new(me, &self.layers, &states, index);
            layer.service.step(&LayerStep { me, layer, index, below, env }, &mut upper[index], event);
        };
        match event {
            NodeEvent::Start => (0..self.layers.len()).rev().for_each(|index| tell(index, &Event::Start)),
            NodeEvent::Broken { peer, carrier } => {
                let uses = |index: &usize| self.layers[*index].carriers.as_slice().contains(carrier);
                let broken = Event::Broken { peer: *peer, carrier: *carrier };
                (0..self.layers.len()).rev().filter(uses).for_each(|index| tell(index, &broken));
            }
            NodeEvent::Layer(index, event) => tell(usize::from(*index), event),
        }
        loop {
            let next = env.queue.borrow_mut().pop_front();
            let Some((index, event)) = next else { return };
            tell(index, &event);
            if let Event::Call(datum) | Event::Upcall { upcall: datum, .. } = event {
                env.spare.borrow_mut().keep(datum);
            }
        }
    }
}

/// What one step after another leaves its results in, so that steps in place allocate nothing of their own.
#[derive(Debug, Default)]
pub struct Scratch {
    effects: RefCell<Vec<Effect>>,
    ran: RefCell<Vec<Ran>>,
    called: RefCell<Vec<Called>>,
    decisions: RefCell<Vec<Decision>>,
    /// Empty between steps.
    queue: RefCell<VecDeque<(usize, Event)>>,
    /// What was touched of durable variables; None where nobody asks.
    touched: Option<Touched>,
    /// Data to be used again.
    spare: RefCell<Spare>,
}

impl Scratch {
    /// One in which the bodies also note what they touch of durable variables.
    pub fn noting() -> Self {
        Scratch { touched: Some(Touched::new()), ..Scratch::default() }
    }

    /// What the last step touched of durable variables; None where this does not note it.
    pub fn touched(&self) -> Option<&Touched> {
        self.touched.as_ref()
    }

    /// What the last step asks of the world, in order, to be taken; nothing where it faulted.
    pub fn effects(&mut self) -> &mut Vec<Effect> {
        self.effects.get_mut()
    }

    /// What ran in the last step, in order.
    pub fn ran(&mut self) -> &mut Vec<Ran> {
        self.ran.get_mut()
    }

    /// The calls that the last step saw, in order; nothing where it faulted.
    pub fn called(&mut self) -> &mut Vec<Called> {
        self.called.get_mut()
    }

    /// What ran in the last step, and the calls that it saw.
    pub fn seen(&mut self) -> (&[Ran], &[Called]) {
        (self.ran.get_mut(), self.called.get_mut())
    }

    /// How the points of the last step were answered, in order.
    pub fn decisions(&mut self) -> &mut Vec<Decision> {
        self.decisions.get_mut()
    }

    /// Takes a datum back that is not needed any more, such as a message that was delivered: a step to come may put another value where
    /// this one is.
    pub fn keep(&mut self, datum: Datum) {
        self.spare.get_mut().keep(datum);
    }

    /// Lets go of data that were kept, where steps are too far apart for them to be used soon.
    pub fn let_go(&mut self) {
        self.spare.get_mut().clear();
    }

    /// What a step from `before` to `after` came to.
    fn outcome(self, before: &NodeState, after: NodeState, fault: Option<Fault>) -> Outcome {
        let state = if fault.is_some() { before.clone() } else { after };
        let (effects, ran, decisions) =
            (self.effects.into_inner(), self.ran.into_inner(), self.decisions.into_inner());
        Outcome { state, effects, ran, called: self.called.into_inner(), decisions, fault }
    }

    fn clear(&mut self) {
        self.effects.get_mut().clear();
        self.ran.get_mut().clear();
        self.called.get_mut().clear();
        self.decisions.get_mut().clear();
        if let Some(touched) = &mut self.touched {
            touched.clear();
        }
    }
}
