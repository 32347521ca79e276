//! The model checker: search over worlds with interned, memoised steps.
//!
//! [`check`] explores every world that a model can reach, and says whether its properties hold. What may happen next is
//! what [`foresee_world::World`] says; this crate remembers it. In the order in which one builds on the other:
//!
//! - `table`, `chunked`, `memo`, `pages`, `cells`, `visited`: numbers for things, values by key, fingerprints of states;
//! - `intern`, `steps`, `expansion`, `place`, `parts`, `rows`: node states, messages and timers as numbers; what a step comes to; what may
//!   happen to a node and what is under way to it; a state as a row of numbers;
//! - `judge`: properties, evaluated on what they read;
//! - `network`, `channels`, `flat`, `suits`: what is under way, together with its receiver or one by one, and which suits;
//! - `frontier`, `spill`, `shared`, `gather`, `search`, `log`, `tally`, `growth`: the order of states, the loop, how a state was
//!   reached, what is counted and measured;
//! - `plans`, `choices`: what of a spec came about;
//! - `deepen`, `consequences`, `walks`: searches that are told of in a module of their own;
//! - `liveness`: claims about runs, in a graph of its own;
//! - `trail`, `verdict`: from the log to a path, and from all of it to a [`Report`];
//! - `raw`: the table of fingerprints by itself, for benches.
//!
//! It never prints, never looks at a clock but to end a search, and gives the same states, transitions and verdict
//! whatever the number of threads.
//!
//! # Caveats
//! - States are known by 64 bits of their content, or 128 ([`Fingerprint::Wide`]), and properties by 64 bits of what they read: see `visited` and
//!   `judge` for how probable a miss is. Everything else compares for equality.
//! - A search holds at most 2^32 states; more ends it as a budget does.
//! - A node with a state of its own for almost every state of the system gains little: what is remembered would seldom be asked for
//!   again, so that its steps are executed directly (`suits`). So does one with an inbox of its own where messages are in order.
//! - A bound on the transitions kept is reached late; from then on a part that is not kept costs as much as a step by values.

#![deny(unsafe_code)]

mod cells;
mod channels;
mod choices;
mod chunked;
mod consequences;
mod deepen;
mod expansion;
mod flat;
mod frontier;
mod gather;
mod growth;
mod intern;
mod judge;
pub mod liveness;
mod locals;
mod log;
mod memo;
mod network;
mod options;
mod pages;
mod parts;
mod place;
mod plans;
mod raw;
mod report;
mod rows;
mod search;
mod several;
mod shared;
mod spill;
mod steps;
mod suits;
mod table;
mod tally;
mod trail;
mod verdict;
mod visited;
mod walks;

pub use choices::choices;
pub use options::{Backend, CheckError, Fingerprint, Options, Progress, Search, Tuning, Walks};
pub use plans::plans;
#[doc(hidden)]
pub use raw::RawTable;
pub use report::{
    ChoiceReport, Counterexample, Cut, CutReport, GrowthReport, HandlerReport, IgnoredReport, Measure, Memo,
    Memory, NetworkReport, PlanReport, PropertyReport, Report, Status, Verdict,
};
pub use verdict::{STARTS_MAX, check, check_with};
