//! Rust inside a specification: bodies, expressions, patterns, types and items, parsed with syn.
//!
//! This is the only place that parses Rust. [`Rust::read`] parses every fragment of a tree once; `walk.rs` resolves
//! the bare names in it and rewrites them, each token keeping its own place, so that an error of rustc lands on the
//! author's line and column. Nothing here decides what a name means: see `names.rs`.

mod calls;
mod facts;
mod ghost;
mod glue;
mod infer;
mod layers;
mod literal;
mod macros;
mod methods;
mod order;
mod purity;
mod qualify;
mod read;
mod resolve;
mod scope;
mod sends;
mod survey;
mod timers;
mod walk;

pub use facts::{Borrow, Effect, Facts, Mode, RoutineShape, Site, Window};
pub use glue::fits;
pub use infer::Scope;
pub use literal::{duration_tokens, with_unknown_unit};
pub use purity::{Purity, impure_items, impure_path, impurities};
pub use read::{Places, Rust};
pub use resolve::{borrowed, message_type, root};
pub use scope::{bindings, is_capitalised};
pub use sends::{Receiver, Sent};
pub use survey::{Survey, Surveyor};
pub use walk::Walker;
