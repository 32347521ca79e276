//! What follows from what bodies do: how routines are called (`shapes.rs`), and what is never sent, handled, armed or
//! read (`usage.rs`). It looks at facts alone, never at Rust.

mod shapes;
mod usage;

pub use shapes::{asks_timers, close, effects_of, shapes};
pub use usage::warnings;
