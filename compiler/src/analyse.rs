//! What follows from what bodies do: how routines are called (`shapes.rs`), and what is never sent, handled, armed or
//! read (`usage.rs`); and which warnings the specification allows (`allow.rs`). It looks at facts alone, never at Rust.

mod allow;
mod shapes;
mod usage;

pub use shapes::{asks, asks_timers, close, effects_of, shapes};

use crate::check::Checked;
use crate::diag::Diagnostics;

pub use allow::check as check_allowances;

/// Everything that deserves a second look and is not allowed.
pub fn warnings(checked: &Checked<'_>, diagnostics: &mut Diagnostics) {
    let mut found = Diagnostics::new();
    usage::warnings(checked, &mut found);
    allow::filter(checked, found, diagnostics);
}
