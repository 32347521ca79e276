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
mod bound;
mod direct;
mod network;
mod program;
mod world;

pub mod narrate;
pub mod path;
pub mod reference;

pub use action::{Action, Stimulus};
pub use bound::{Bound, cut_by};
pub use direct::{Direct, Envelope, Node, Timer};
pub use network::{Discipline, disciplines};
pub use path::{Move, Path};
pub use program::{Program, Route, Successor};
pub use world::{Make, Sink, Spent, World};
