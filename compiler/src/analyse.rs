//! What follows from what bodies do: how routines are called (`shapes.rs`), and what is never sent, handled, armed or
//! read (`usage.rs`); messages that no state expects (`pairs.rs`), handlers that never run (`idle.rs`), timers that can be lost
//! (`lost.rs`), variables that only grow (`grows.rs`), durability that is missing or untested (`crashes.rs`); where the order of
//! ids matters (`order.rs`), secrets that are sent (`secrets.rs`) and which handlers meet (`overlaps.rs`); and which warnings the specification allows (`allow.rs`). `tables.rs` gathers
//! what the generated code says of itself. It looks at facts alone, never at Rust.

mod allow;
mod crashes;
mod grows;
mod idle;
mod lost;
mod order;
mod overlaps;
mod pairs;
mod secrets;
mod setting;
mod shapes;
mod tables;
mod tunings;
mod usage;
mod whole;

pub use shapes::{asks, asks_timers, close, effects_beyond, effects_of, shapes};

use std::collections::BTreeMap;

use crate::check::Checked;
use crate::diag::Diagnostics;
use crate::ir::{Ordered, Tables};

pub use allow::check as check_allowances;

/// Everything that deserves a second look and is not allowed. What was found out about each service and each system comes back.
pub fn look(checked: &Checked<'_>, diagnostics: &mut Diagnostics) -> Analysed {
    let mut found = Diagnostics::new();
    let traffic = usage::Traffic::of(checked);
    usage::warnings(checked, &traffic, &mut found);
    let endless = grows::endless(checked);
    let mut analysed = Analysed::default();
    let all_settings = setting::Settings::of(checked.ast, checked.places.file);
    for (index, service) in checked.ast.services().enumerate() {
        let wholes = whole::wholes(&checked.services[index]);
        let settings = all_settings.running(&service.name.name);
        pairs::warnings(checked, index, &mut found);
        idle::warnings(checked, index, &mut found);
        overlaps::warnings(checked, index, &mut found);
        lost::warnings(checked, index, &wholes, &mut found);
        lost::by_crashes(checked, index, service, (&wholes, &settings), &mut found);
        secrets::warnings(checked, index, service, &mut found);
        crashes::untested(service, &settings, &mut found);
        crashes::forgetful(checked, index, service, (&wholes, &settings), &mut found);
        let growing = grows::growing(checked, index, service, (&wholes, &endless[index]));
        grows::warnings(&growing, &settings, &mut found);
        let ordered = order::ordered(checked, index, service);
        order::warnings(&ordered, &settings, &mut found);
        let grows = growing.into_iter().map(|(name, _)| name.name).collect();
        analysed.services.push(tables::tables(checked, index, (&ordered, grows, &traffic)));
    }
    for system in checked.ast.systems() {
        let ordered = order::in_properties(checked, system.properties());
        let ordered = ordered.iter().map(|it| tables::lowered(checked, it)).collect();
        analysed.systems.insert(system.name.name.clone(), ordered);
    }
    allow::filter(checked, found, diagnostics);
    analysed
}

/// What was found out.
#[derive(Default)]
pub struct Analysed {
    /// The tables of the services, in their order.
    pub services: Vec<Tables>,
    /// Where the properties of a system depend on the order of ids, by the system's name.
    pub systems: BTreeMap<String, Vec<Ordered>>,
}
