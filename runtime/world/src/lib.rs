//! The world: many nodes, the network between them, timers and faults as ONE value.
//!
//! [`World`] is the single definition of what may happen next ([`World::enabled`]) and of what happens
//! ([`World::perform`]). Checker, simulator and predictor differ only in how they walk it. It is generic in how
//! states and messages are kept ([`Program`]): as values ([`Direct`]) or as interned numbers.
//!
//! [`mod@reference`] is the plain explorer that every engine is tested against: clone, hash, a set, a queue.
//! [`narrate`] turns a path into what people read and into a [`foresee_kernel::Trace`], and back.
//!
//! This crate never searches cleverly, never draws a random number, never looks at a clock.

mod action;
mod ambient;
mod bound;
mod describe;
mod direct;
mod happen;
mod network;
mod plans;
mod program;
mod shrink;
mod sink;
mod world;

pub mod channel;
pub mod narrate;
pub mod path;
pub mod reference;

pub use action::{Action, Calling, Planned, Stimulus};
pub use ambient::Ambient;
pub use bound::{Bound, cut_by};
pub use channel::Mark;
pub use direct::{Direct, Envelope, Node, Timer};
pub use network::{Discipline, disciplines};
pub use path::{Move, Path};
pub use plans::{Of, Plans};
pub use program::{Program, Route, Successor};
pub use shrink::shrink;
pub use sink::{Make, Noted, Sink};
pub use world::World;
