//! A service as the engines see it: the typed trait that generated code implements, and its object-safe face.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ctx::StepEnv;
use crate::stack::{Below, Layer};
use crate::touched::TouchedIn;
use crate::{Changes, Ctx, Datum, Event, Extent, NodeId, Rows, SchemaError, ServiceInfo, Shape, Value, Wire};

/// A service. The implementing value holds its parameters; generated code implements it.
pub trait Service: fmt::Debug + Send + Sync + 'static {
    /// Control state and variables.
    type Variables: Value;
    /// Timers with their arguments.
    type Timer: Value;

    /// The service's tables.
    fn info() -> &'static ServiceInfo;

    /// The variables before `start()` has run.
    fn init(&self, me: NodeId) -> Self::Variables;

    /// The variables after a crash: durable and ghost ones kept from `before`, the rest as [`Service::init`] gives.
    fn recover(&self, me: NodeId, before: &Self::Variables) -> Self::Variables;

    /// Makes ghost variables as [`Service::init`] gives them: a live node, which nobody judges by them, does not let them grow.
    fn forget_ghosts(&self, me: NodeId, this: &mut Self::Variables) {
        let _ = (me, this);
    }

    /// The step: atomic, deterministic, total. A panic in it is a fault of the step.
    fn step(&self, this: &mut Self::Variables, event: &Event, ctx: &Ctx<'_, Self::Timer>);

    /// Answers a query of one of the interfaces that the service provides: `query` and the answer have the
    /// interface's own types. None where it provides no such query.
    fn query(&self, this: &Self::Variables, query: &dyn Any, below: &Below<'_>) -> Option<Box<dyn Any>> {
        let _ = (this, query, below);
        None
    }

    /// What a generic node may send, one of which nothing is known but that it runs this service: each message with the slot
    /// of its carrier. Nothing where the service does not say.
    fn sendable(&self, me: NodeId) -> Vec<(u8, Datum)> {
        let _ = me;
        Vec::new()
    }

    /// The name of the control state; empty where the service declares none.
    fn control(this: &Self::Variables) -> &'static str;

    /// Every variable's name and value, as people read them, the control state first.
    fn fields(this: &Self::Variables) -> Vec<(&'static str, String)>;

    /// Whether `message` is of a type that this service handles or ignores somewhere.
    fn accepts(message: &Datum) -> bool;

    /// What the services of its spec send between processes.
    fn wire() -> &'static Wire {
        &Wire::NONE
    }

    /// Writes what the durable variables of `now` differ in from `before`, looking where they were touched, and makes those of
    /// `before` equal to them; writes all of them where there is no `before`.
    fn save(before: Option<(&mut Self::Variables, TouchedIn<'_>)>, now: &Self::Variables, out: &mut Changes) {
        let _ = (before, now, out);
    }

    /// The variables before `start()` has run, with durable ones from `rows`; one that has none is as [`Service::init`] says.
    ///
    /// # Errors
    /// Rows that are not of the variables that the service declares.
    fn load(&self, me: NodeId, rows: &Rows) -> Result<Self::Variables, SchemaError> {
        let _ = rows;
        Ok(self.init(me))
    }
}

/// The state of one layer: its variables, and which timers are armed (sorted).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerState<V, T> {
    /// Control state and variables.
    pub variables: V,
    /// The armed timers, sorted. How long they have to go is no part of the state.
    pub armed: Vec<T>,
    /// The requests that this layer made of lower ones.
    pub requests: Requests,
}

/// The requests that a layer made and that are not answered. Numbers go on over a crash, so that an answer to an
/// earlier life is not taken for one of this.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Requests {
    next: u64,
    open: BTreeMap<u64, (u8, u16)>,
}

impl Requests {
    pub(crate) fn open(&mut self, slot: u8, method: u16) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, (slot, method));
        number
    }

    /// No open requests; the next has this number.
    fn from(next: u64) -> Self {
        Requests { next, open: BTreeMap::new() }
    }

    /// How many are open, and the number of the next.
    fn extent(&self) -> Extent {
        Extent { elements: self.open.len() as u64, magnitude: self.next }
    }

    fn forget(&self) -> Self {
        Requests { next: self.next, open: BTreeMap::new() }
    }
}

impl<V: Shape, T: Shape + Ord> Shape for LayerState<V, T> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        self.variables.rename(map);
        self.armed.rename(map);
        self.armed.sort();
    }
}

/// The object-safe face of a [`Service`]: what a [`Layer`] holds. States are [`Datum`]s of [`LayerState`].
pub trait AnyService: fmt::Debug + Send + Sync {
    /// The service's tables.
    fn info(&self) -> &'static ServiceInfo;
    /// The type of the service.
    fn service_type(&self) -> TypeId;
    /// The service itself, for its parameters.
    fn as_any(&self) -> &dyn Any;
    /// The state before `start()` has run.
    fn init(&self, me: NodeId) -> Datum;
    /// The state after a crash in `before`, before `start()` has run.
    fn recover(&self, me: NodeId, before: &Datum) -> Datum;
    /// See [`Service::forget_ghosts`].
    fn forget_ghosts(&self, me: NodeId, state: &mut Datum);
    /// The armed timers of `state`, sorted.
    fn armed(&self, state: &Datum) -> Vec<Datum>;
    /// The variables in `state`.
    fn variables<'s>(&self, state: &'s Datum) -> &'s dyn Any;
    /// The name of the control state.
    fn control(&self, state: &Datum) -> &'static str;
    /// Variables as people read them, and the armed timers last.
    fn fields(&self, state: &Datum) -> Vec<(&'static str, String)>;
    /// Calls `visit` with each variable and its extent, as far as its type says, then with the armed timers and the requests.
    fn extents(&self, state: &Datum, visit: &mut dyn FnMut(&'static str, Extent));
    /// See [`Service::sendable`].
    fn sendable(&self, me: NodeId) -> Vec<(u8, Datum)>;
    /// See [`Service::accepts`].
    fn accepts(&self, message: &Datum) -> bool;
    /// See [`Service::wire`].
    fn wire(&self) -> &'static Wire;
    /// See [`Service::save`].
    fn save(&self, before: Option<(&mut Datum, TouchedIn<'_>)>, now: &Datum, out: &mut Changes);
    /// See [`Service::load`]; requests are numbered from `requests` on.
    ///
    /// # Errors
    /// See there.
    fn load(&self, me: NodeId, rows: &Rows, requests: u64) -> Result<Datum, SchemaError>;
    /// See [`Service::query`].
    fn query(&self, state: &Datum, query: &dyn Any, below: &Below<'_>) -> Option<Box<dyn Any>>;
    #[doc(hidden)]
    fn step(&self, step: &LayerStep<'_>, state: &mut Datum, event: &Event);
}

/// Where [`AnyService::step`] is taken; only [`crate::Stack`] makes one.
pub struct LayerStep<'a> {
    pub(crate) me: NodeId,
    pub(crate) layer: &'a Layer,
    pub(crate) index: usize,
    pub(crate) below: Below<'a>,
    pub(crate) env: &'a StepEnv<'a>,
}

type State<S> = LayerState<<S as Service>::Variables, <S as Service>::Timer>;

fn state<S: Service>(datum: &Datum) -> &State<S> {
    datum.get::<State<S>>().expect("a layer's state has the type of its service")
}

impl<S: Service> AnyService for S {
    fn info(&self) -> &'static ServiceInfo {
        S::info()
    }

    fn service_type(&self) -> TypeId {
        TypeId::of::<S>()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn init(&self, me: NodeId) -> Datum {
        Datum::new(State::<S> {
            variables: Service::init(self, me),
            armed: Vec::new(),
            requests: Requests::default(),
        })
    }

    fn recover(&self, me: NodeId, before: &Datum) -> Datum {
        let before = state::<S>(before);
        let variables = Service::recover(self, me, &before.variables);
        Datum::new(State::<S> { variables, armed: Vec::new(), requests: before.requests.forget() })
    }

    fn forget_ghosts(&self, me: NodeId, datum: &mut Datum) {
        if S::info().variables.iter().any(|variable| variable.ghost) {
            let state = datum.make_mut::<State<S>>().expect("a layer's state has the type of its service");
            Service::forget_ghosts(self, me, &mut state.variables);
        }
    }

    fn armed(&self, datum: &Datum) -> Vec<Datum> {
        state::<S>(datum).armed.iter().cloned().map(Datum::new).collect()
    }

    fn variables<'s>(&self, datum: &'s Datum) -> &'s dyn Any {
        &state::<S>(datum).variables
    }

    fn control(&self, datum: &Datum) -> &'static str {
        S::control(&state::<S>(datum).variables)
    }

    fn fields(&self, datum: &Datum) -> Vec<(&'static str, String)> {
        let state = state::<S>(datum);
        let mut fields = S::fields(&state.variables);
        fields.push(("timers", format!("{:?}", state.armed)));
        fields
    }

    fn extents(&self, datum: &Datum, visit: &mut dyn FnMut(&'static str, Extent)) {
        let state = state::<S>(datum);
        state.variables.each_field(visit);
        visit("timers", Extent::of(&state.armed));
        visit("requests", state.requests.extent());
    }

    fn sendable(&self, me: NodeId) -> Vec<(u8, Datum)> {
        Service::sendable(self, me)
    }

    fn accepts(&self, message: &Datum) -> bool {
        S::accepts(message)
    }

    fn wire(&self) -> &'static Wire {
        S::wire()
    }

    fn save(&self, before: Option<(&mut Datum, TouchedIn<'_>)>, now: &Datum, out: &mut Changes) {
        let before = before.map(|(before, touched)| {
            let before = before.make_mut::<State<S>>().expect("a layer's state has the type of its service");
            (&mut before.variables, touched)
        });
        S::save(before, &state::<S>(now).variables, out);
    }

    fn load(&self, me: NodeId, rows: &Rows, requests: u64) -> Result<Datum, SchemaError> {
        let variables = Service::load(self, me, rows)?;
        Ok(Datum::new(State::<S> { variables, armed: Vec::new(), requests: Requests::from(requests) }))
    }

    fn query(&self, datum: &Datum, query: &dyn Any, below: &Below<'_>) -> Option<Box<dyn Any>> {
        Service::query(self, &state::<S>(datum).variables, query, below)
    }

    fn step(&self, at: &LayerStep<'_>, state: &mut Datum, event: &Event) {
        let state = state.make_mut::<State<S>>().expect("a layer's state has the type of its service");
        if let Event::Timer(timer) = event {
            let timer = timer.get::<S::Timer>().expect("a timer has the type of its service");
            let Ok(place) = state.armed.binary_search(timer) else { return };
            state.armed.remove(place);
        }
        let mut answered = None;
        if let Event::Answered { number, value, .. } = event {
            let Some((slot, method)) = state.requests.open.remove(number) else { return };
            answered = Some(Event::Answered { slot, method, number: *number, value: value.clone() });
        }
        let armed = RefCell::new(&mut state.armed);
        let requests = RefCell::new(&mut state.requests);
        let ctx = Ctx { info: S::info(), at, armed, requests };
        Service::step(self, &mut state.variables, answered.as_ref().unwrap_or(event), &ctx);
    }
}
