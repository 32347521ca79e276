//! What follows from what bodies do: how routines are called (`shapes.rs`), and what is never sent, handled, armed or
//! read (`usage.rs`); messages that no state expects (`pairs.rs`), handlers that never run (`idle.rs`), timers that can be lost
//! (`lost.rs`), variables that only grow (`grows.rs`), durability that is missing or untested (`crashes.rs`); and which warnings the specification allows (`allow.rs`). It looks at facts alone, never at Rust.

mod allow;
mod crashes;
mod grows;
mod idle;
mod lost;
mod pairs;
mod setting;
mod shapes;
mod usage;
mod whole;

pub use shapes::{asks, asks_timers, close, effects_of, shapes};

use crate::check::Checked;
use crate::diag::Diagnostics;

pub use allow::check as check_allowances;

/// Everything that deserves a second look and is not allowed.
pub fn warnings(checked: &Checked<'_>, diagnostics: &mut Diagnostics) {
    let mut found = Diagnostics::new();
    usage::warnings(checked, &mut found);
    let wholes: Vec<Vec<whole::Whole>> = checked.services.iter().map(whole::wholes).collect();
    let endless = grows::endless(checked);
    for (index, service) in checked.ast.services().enumerate() {
        let (own, name) = (&wholes[index], &service.name.name);
        let settings = setting::settings(checked.ast, checked.places.file, name);
        pairs::warnings(checked, index, &mut found);
        idle::warnings(checked, index, &mut found);
        lost::warnings(checked, index, own, &mut found);
        crashes::untested(service, &settings, &mut found);
        crashes::forgetful(checked, index, service, (own, &settings), &mut found);
        grows::warnings(checked, index, service, (own, &settings, &endless[index]), &mut found);
    }
    allow::filter(checked, found, diagnostics);
}
