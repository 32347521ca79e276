//! The kernel: what a service *is*, and nothing of who runs it.
//!
//! A service is a pure step function, `(state, event, choices) -> (state', effects)`. This crate defines the
//! types on both sides of that arrow ([`Event`], [`Effect`]), the only window a handler has ([`Ctx`]), who
//! answers its choices ([`Resolver`]), how layers make a node ([`Stack`]), what is put together ([`Model`]),
//! what is claimed of it ([`Property`], [`Objective`]) and how a run is written down ([`Trace`]).
//!
//! It never touches a clock, a socket, a thread or a random number generator. Generated code depends on this
//! crate alone, as `foresee::kernel`. Read [`service`] next, then [`stack`], then the `foresee-world` crate.

pub mod argument;
pub mod choice;
pub mod claim;
pub mod ctx;
pub mod digest;
pub mod durable;
pub mod embed;
pub mod event;
pub mod extent;
pub mod fault;
pub mod grid;
pub mod id;
pub mod info;
pub mod instant;
pub mod local;
pub mod model;
pub mod names;
pub mod objective;
pub mod payload;
mod places;
pub mod plan;
pub mod property;
pub mod recording;
pub mod reply;
pub mod script;
pub mod service;
mod spare;
pub mod stack;
mod tables;
pub mod time;
pub mod touched;
pub mod trace;
pub mod value;
pub mod wire;

pub use argument::{Argument, ArgumentError, Arguments};
pub use choice::{Decision, Distribution, Nature, Point, Resolver, Tape};
pub use claim::{Claim, Figure, Liveness, Predicate, Quantity, Statistical, Temporal};
pub use ctx::{Ctx, Targets};
pub use digest::Digest;
pub use durable::{Changes, Rows, SchemaError};
pub use embed::{Embedded, Lost, Port};
pub use event::{Effect, Event};
pub use extent::Extent;
pub use fault::Fault;
pub use id::NodeId;
pub use info::{
    CarrierInfo, CarrierKind, HandlerInfo, MessageInfo, ParameterInfo, ServiceInfo, SiteInfo, SpecInfo,
    SystemInfo, VariableInfo,
};
pub use instant::{Elapsed, Instant, Relation};
pub use local::{LocalClaims, Violation};
pub use model::{Bounds, Carrier, DelayModel, Group, Model};
pub use objective::{Amount, Direction, Growth, Objective, Sense, ServiceType, Term};
pub use payload::{Payload, PayloadType};
pub use plan::{Call, FaultBudget, FaultKind, FaultPlan, FaultTarget, Timing, Way};
pub use property::{Property, PropertyKind, Read, States, View};
pub use reply::Reply;
pub use script::ScenarioInfo;
pub use service::{AnyService, LayerState, Service};
pub use stack::{Below, Called, Layer, LayerStates, NodeEvent, NodeState, Outcome, Ran, Scratch, Stack};
pub use tables::{
    Deeds, IdsInfo, OrderInfo, OverlapInfo, PairInfo, Receiver, SendInfo, Tables, TuningInfo, WaitInfo,
};
pub use time::{Delay, Law, Span};
pub use touched::{Touched, TouchedIn};
pub use trace::{Trace, TraceError};
pub use value::{Datum, Shape, Value};
pub use wire::{Noted, Wire, WireError, WireType, Wires};
