//! [`Ctx`]: the only window a handler has. Own id, outbox, timers, choices, chance.
//!
//! Everything takes `&self`, so that a body never meets a borrow error that nobody wrote. Effects are collected,
//! never carried out. Generated code is the only caller.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::choice::{Chance, Options};
use crate::fault;
use crate::info::{ServiceInfo, SiteInfo};
use crate::instant::{InTime, Instant, Relation};
use crate::service::{LayerStep, Requests};
use crate::spare::Spare;
use crate::stack::{Below, Called, DRAIN_EVENTS_MAX, Ran};
use crate::touched::Touched;
use crate::{
    Datum, Decision, Delay, Direction, Effect, Event, Nature, NodeId, Point, Reply, Resolver, Span, Value,
};

/// What the layers of one node share during one step.
pub(crate) struct StepEnv<'a> {
    pub resolver: &'a dyn Ask,
    pub effects: &'a RefCell<Vec<Effect>>,
    pub queue: &'a RefCell<VecDeque<(usize, Event)>>,
    pub decisions: &'a RefCell<Vec<Decision>>,
    pub ran: &'a RefCell<Vec<Ran>>,
    pub called: &'a RefCell<Vec<Called>>,
    /// Where bodies note what they change of durable variables, if anybody asks.
    pub touched: Option<&'a Touched>,
    /// Data to be used again.
    pub spare: &'a RefCell<Spare>,
    /// How many events the layers were told.
    pub drained: Cell<usize>,
    /// Whether the resolver is asked where there is one option, too.
    pub asks_always: bool,
}

impl StepEnv<'_> {
    /// Counts one more event that a layer is told; a fault of the step beyond the limit.
    pub(crate) fn told(&self) {
        if self.drained.get() == DRAIN_EVENTS_MAX {
            fault::raise(format!("a step drained more than {DRAIN_EVENTS_MAX} calls and aspects"));
        }
        self.drained.set(self.drained.get() + 1);
    }

    /// Notes a call that the service of `layer` provides.
    pub(crate) fn called(&self, layer: usize, direction: Direction, call: &Datum) {
        self.called.borrow_mut().push(Called { layer: layer as u8, direction, name: call.kind() });
    }
}

/// A resolver behind a shared reference, so that [`Ctx`] is covariant and takes `&self`.
pub(crate) trait Ask {
    fn ask(&self, point: &Point<'_>) -> u32;
    fn wants_labels(&self) -> bool;
    fn now(&self) -> Option<Duration>;
}

impl Ask for RefCell<&mut dyn Resolver> {
    fn ask(&self, point: &Point<'_>) -> u32 {
        self.borrow_mut().resolve(point)
    }
    fn wants_labels(&self) -> bool {
        self.borrow().wants_labels()
    }
    fn now(&self) -> Option<Duration> {
        self.borrow().now()
    }
}

/// The window of a handler of a service whose timers are `T`.
pub struct Ctx<'a, T> {
    pub(crate) info: &'static ServiceInfo,
    pub(crate) at: &'a LayerStep<'a>,
    pub(crate) armed: RefCell<&'a mut Vec<T>>,
    pub(crate) requests: RefCell<&'a mut Requests>,
}

/// Handlers that may run for an event, and for each how many ways its head's choice can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Index into [`ServiceInfo::handlers`].
    pub handler: u16,
    /// 1, or the number of options its head's `choose` leaves; 0 where it does not apply.
    pub ways: usize,
}

/// The alternative that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Index into the alternatives.
    pub alternative: usize,
    /// Which of its ways.
    pub way: usize,
}

impl<T: Value> Ctx<'_, T> {
    /// The id of the node that takes the step.
    pub fn me(&self) -> NodeId {
        self.at.me
    }

    /// Notes that the entry of `key` in a durable variable may change now.
    pub fn touch<K: Value>(&self, variable: &'static str, key: &K) {
        if let Some(touched) = self.at.env.touched {
            touched.key(self.at.index, variable, Box::new(key.clone()));
        }
    }

    /// As [`Ctx::touch`], for a key in a borrowed form.
    pub fn touch_borrowed<Q: ToOwned<Owned: Value> + ?Sized>(&self, variable: &'static str, key: &Q) {
        if let Some(touched) = self.at.env.touched {
            touched.key(self.at.index, variable, Box::new(key.to_owned()));
        }
    }

    /// Notes that anything of a durable variable may change in this body.
    pub fn touch_all(&self, variable: &'static str) {
        if let Some(touched) = self.at.env.touched {
            touched.all(self.at.index, variable);
        }
    }

    /// Sends `message` over the service's carrier `slot` to every one of `targets`.
    pub fn send<M: Value>(&self, slot: usize, targets: impl Targets, message: M) {
        let carrier = self.at.layer.carrier(slot);
        let message = self.at.env.spare.borrow_mut().wrap(message);
        let mut effects = self.at.env.effects.borrow_mut();
        if let Some(to) = targets.only() {
            return effects.push(Effect::Send { carrier, to, message });
        }
        // The last of them is given the message itself.
        let mut last = None;
        targets.each(&mut |to| {
            if let Some(to) = last.replace(to) {
                effects.push(Effect::Send { carrier, to, message: message.clone() });
            }
        });
        match last {
            Some(to) => effects.push(Effect::Send { carrier, to, message }),
            None => self.at.env.spare.borrow_mut().keep(message),
        }
    }

    /// Arms `timer`, anew if it is armed.
    pub fn set(&self, timer: T, delay: impl Span) {
        let delay: Delay = delay.delay();
        let mut armed = self.armed.borrow_mut();
        if let Err(place) = armed.binary_search(&timer) {
            armed.insert(place, timer.clone());
        }
        let timer = self.at.env.spare.borrow_mut().wrap(timer);
        let effect = Effect::SetTimer { layer: self.at.index as u8, timer, delay };
        self.at.env.effects.borrow_mut().push(effect);
    }

    /// Disarms `timer`; nothing happens where it is not armed.
    pub fn cancel(&self, timer: T) {
        let mut armed = self.armed.borrow_mut();
        if let Ok(place) = armed.binary_search(&timer) {
            armed.remove(place);
            let timer = self.at.env.spare.borrow_mut().wrap(timer);
            let effect = Effect::CancelTimer { layer: self.at.index as u8, timer };
            self.at.env.effects.borrow_mut().push(effect);
        }
    }

    /// Whether `timer` is armed.
    pub fn is_set(&self, timer: T) -> bool {
        self.armed.borrow().binary_search(&timer).is_ok()
    }

    /// Emits an upcall to the layer above, or to the application.
    pub fn up<U: Value>(&self, upcall: U) {
        let upcall = self.at.env.spare.borrow_mut().wrap(upcall);
        self.emit(upcall);
    }

    fn emit(&self, upcall: Datum) {
        self.at.env.called(self.at.index, Direction::Up, &upcall);
        match self.at.layer.above() {
            Some((above, slot)) => {
                self.at.env.queue.borrow_mut().push_back((above, Event::Upcall { slot, upcall }));
            }
            None => self.at.env.effects.borrow_mut().push(Effect::Emit { upcall }),
        }
    }

    /// Gives a command to the service at `uses` slot `slot`; the stack drains it within this step.
    pub fn call<D: Value>(&self, slot: usize, downcall: D) {
        let lower = usize::from(self.at.layer.lower(slot));
        let downcall = self.at.env.spare.borrow_mut().wrap(downcall);
        self.at.env.queue.borrow_mut().push_back((lower, Event::Call(downcall)));
    }

    /// Makes a request of the service at `uses` slot `slot`: `downcall` builds it around its reply.
    pub fn request<A, D: Value>(
        &self,
        slot: usize,
        method: u16,
        downcall: impl FnOnce(Reply<A>) -> D,
    ) -> Reply<A> {
        let number = self.requests.borrow_mut().open(slot as u8, method);
        let reply = Reply::new(self.at.me, self.at.index as u8, number);
        self.call(slot, downcall(reply));
        reply
    }

    /// The reply of request `number` of this layer.
    pub fn reply<A>(&self, number: u64) -> Reply<A> {
        Reply::new(self.at.me, self.at.index as u8, number)
    }

    /// Answers a request. Nothing happens but at the node at which it was made, and there only once.
    pub fn answer<A: Value>(&self, reply: Reply<A>, value: A) {
        if reply.origin() != self.at.me {
            return;
        }
        let (number, value) = (reply.number(), Datum::new(value));
        if reply.layer() == Reply::<A>::APPLICATION {
            self.at.env.effects.borrow_mut().push(Effect::Answer { request: number, value });
        } else {
            // Which slot and method it was is known to the layer that asked.
            let answered = Event::Answered { slot: 0, method: 0, number, value };
            self.at.env.queue.borrow_mut().push_back((usize::from(reply.layer()), answered));
        }
    }

    /// Asks the service at `uses` slot `slot`: answered at once, seeing its state before queued commands.
    pub fn query<Q: std::any::Any, A: std::any::Any>(&self, slot: usize, query: &Q) -> A {
        self.at.below.query(slot, query)
    }

    /// Passes a call from above on to the service at `uses` slot `slot`.
    pub fn pass_down(&self, slot: usize, call: &Datum) {
        let lower = usize::from(self.at.layer.lower(slot));
        self.at.env.queue.borrow_mut().push_back((lower, Event::Call(call.clone())));
    }

    /// Passes an upcall from below on to the layer above, or to the application.
    pub fn pass_up(&self, upcall: &Datum) {
        self.emit(upcall.clone());
    }

    /// What this layer sees of those below it.
    pub fn below(&self) -> &Below<'_> {
        &self.at.below
    }

    /// A line for the trace.
    pub fn trace(&self, text: String) {
        self.at.env.effects.borrow_mut().push(Effect::Trace { text });
    }

    /// Which of the handlers of an event runs. None where none applies: the event is consumed and counted.
    pub fn which(
        &self,
        site: &'static SiteInfo,
        alternatives: &[Alternative],
        binding: &dyn Fn(Taken) -> String,
    ) -> Option<Taken> {
        if let [Alternative { handler, ways: 1 }] = *alternatives
            && !self.at.env.asks_always
        {
            self.at.env.ran.borrow_mut().push(Ran::Handler { layer: self.at.index as u8, handler });
            return Some(Taken { alternative: 0, way: 0 });
        }
        let total: usize = alternatives.iter().map(|alternative| alternative.ways).sum();
        if total == 0 {
            return None;
        }
        let label = |option: u32| {
            let taken = nth(alternatives, option as usize);
            let name = self.info.handlers[alternatives[taken.alternative].handler as usize].name;
            match binding(taken) {
                bound if bound.is_empty() => name.to_owned(),
                bound => format!("{name}({bound})"),
            }
        };
        let handler = |option: u32| alternatives[nth(alternatives, option as usize).alternative].handler;
        let told = Told { weights: &[], default: None, label: &label, handler: &handler };
        let option = self.decide(site, Nature::Choice, total, &told);
        let taken = nth(alternatives, option);
        let handler = alternatives[taken.alternative].handler;
        self.at.env.ran.borrow_mut().push(Ran::Handler { layer: self.at.index as u8, handler });
        Some(taken)
    }

    /// Counts a change that aspects are told of: like calls between layers they are drained within the step, up to
    /// [`DRAIN_EVENTS_MAX`].
    pub fn changed(&self) {
        self.at.env.told();
    }

    /// Records that no handler applied to the event: it is consumed. `meant` where the spec `ignore`s it.
    pub fn consumed(&self, meant: bool) {
        self.at.env.ran.borrow_mut().push(Ran::Consumed { layer: self.at.index as u8, meant });
    }

    /// One of `options`, which are sorted and made unique; a fault of the handler where there is none.
    pub fn choose<O: Options>(&self, site: &'static SiteInfo, options: O) -> O::Item
    where
        O::Item: std::fmt::Debug,
    {
        self.choose_from(site, options.options(), None)
    }

    /// One of `options`, or `default`: where nothing is predicted the default is taken.
    pub fn choose_or<O: Options>(&self, site: &'static SiteInfo, options: O, default: O::Item) -> O::Item
    where
        O::Item: std::fmt::Debug,
    {
        let mut options = options.options();
        let place = options.binary_search(&default).unwrap_or_else(|place| {
            options.insert(place, default);
            place
        });
        self.choose_from(site, options, Some(place as u32))
    }

    fn choose_from<I: Ord + std::fmt::Debug>(
        &self,
        site: &'static SiteInfo,
        mut options: Vec<I>,
        default: Option<u32>,
    ) -> I {
        if options.is_empty() {
            fault::raise(format!("`{}` (line {}) chooses from an empty set", site.name, site.line));
        }
        let label = |option: u32| format!("{:?}", options[option as usize]);
        let told = Told { weights: &[], default, label: &label, handler: &|_| 0 };
        let picked = self.decide(site, Nature::Choice, options.len(), &told);
        options.swap_remove(picked)
    }

    /// An outcome drawn by nature from `chance`; a fault of the handler where it has no outcome.
    pub fn random<C: Chance>(&self, site: &'static SiteInfo, chance: C) -> C::Outcome
    where
        C::Outcome: std::fmt::Debug,
    {
        let mut outcomes = chance.distribution().into_outcomes();
        if outcomes.is_empty() {
            fault::raise(format!("`{}` (line {}) draws from an empty distribution", site.name, site.line));
        }
        let weights: Vec<f64> = outcomes.iter().map(|(_, weight)| *weight).collect();
        let label = |option: u32| format!("{:?}", outcomes[option as usize].0);
        let told = Told { weights: &weights, default: None, label: &label, handler: &|_| 0 };
        let picked = self.decide(site, Nature::Chance, outcomes.len(), &told);
        outcomes.swap_remove(picked).0
    }

    /// The moment of this step.
    pub fn now(&self) -> Instant {
        Instant::new(self.at.env.resolver.now())
    }

    /// A comparison in time, at the point `site`: answered by the clock, or by nature in both ways where there is none. Where a
    /// clock answers, the answer stands among the decisions all the same, so that a trace replays without one.
    pub fn compare<A: InTime<B>, B>(
        &self,
        site: &'static SiteInfo,
        one: &A,
        relation: Relation,
        other: &B,
    ) -> bool {
        let known = one.order(other).map(|order| relation.holds(order));
        let weights = match known {
            Some(true) => [0.0, 1.0],
            Some(false) => [1.0, 0.0],
            None => [0.5, 0.5],
        };
        let label = |option: u32| (option == 1).to_string();
        let told = Told { weights: &weights, default: None, label: &label, handler: &|_| 0 };
        let answered = self.decide(site, Nature::Chance, weights.len(), &told) == 1;
        assert!(known.is_none_or(|known| known == answered), "a resolver answered what the clock denies");
        answered
    }

    fn decide(&self, site: &'static SiteInfo, nature: Nature, options: usize, told: &Told<'_>) -> usize {
        if options == 1 && !self.at.env.asks_always {
            return 0;
        }
        let options = options as u32;
        let Told { weights, default, label, handler } = *told;
        let (node, service) = (self.at.me, self.info);
        let point = Point { node, service, site, nature, options, weights, default, label, handler };
        let picked = self.at.env.resolver.ask(&point);
        assert!(picked < options, "a resolver answered {picked} of {options} options");
        let probability = weights.get(picked as usize).copied().unwrap_or(1.0);
        let label = if self.at.env.resolver.wants_labels() { label(picked) } else { String::new() };
        self.at.env.decisions.borrow_mut().push(Decision {
            site,
            nature,
            picked,
            options,
            probability,
            label,
        });
        picked as usize
    }
}

/// What a resolver is told of the options of a point.
struct Told<'a> {
    weights: &'a [f64],
    default: Option<u32>,
    label: &'a dyn Fn(u32) -> String,
    handler: &'a dyn Fn(u32) -> u16,
}

fn nth(alternatives: &[Alternative], mut option: usize) -> Taken {
    for (alternative, Alternative { ways, .. }) in alternatives.iter().enumerate() {
        if option < *ways {
            return Taken { alternative, way: option };
        }
        option -= ways;
    }
    unreachable!("an option beyond the alternatives")
}

/// To whom a message is sent: an id, an option or a collection of ids. The order has no meaning.
pub trait Targets {
    /// Calls `visit` with each id once.
    fn each(self, visit: &mut dyn FnMut(NodeId));

    /// The id, where there is one by the type.
    fn only(&self) -> Option<NodeId> {
        None
    }
}

impl Targets for NodeId {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        visit(self);
    }

    fn only(&self) -> Option<NodeId> {
        Some(*self)
    }
}

impl Targets for &NodeId {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        visit(*self);
    }

    fn only(&self) -> Option<NodeId> {
        Some(**self)
    }
}

impl Targets for Option<NodeId> {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        self.into_iter().for_each(visit);
    }
}

impl Targets for &Option<NodeId> {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        (*self).each(visit);
    }
}

impl Targets for Option<&NodeId> {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        self.copied().each(visit);
    }
}

impl Targets for BTreeSet<NodeId> {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        (&self).each(visit);
    }
}

impl Targets for &BTreeSet<NodeId> {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        self.iter().copied().for_each(visit);
    }
}

impl Targets for Vec<NodeId> {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        self.as_slice().each(visit);
    }
}

impl Targets for &Vec<NodeId> {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        self.as_slice().each(visit);
    }
}

impl Targets for &[NodeId] {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        let unique: BTreeSet<NodeId> = self.iter().copied().collect();
        unique.each(visit);
    }
}

impl<const N: usize> Targets for [NodeId; N] {
    fn each(self, visit: &mut dyn FnMut(NodeId)) {
        self.as_slice().each(visit);
    }
}
