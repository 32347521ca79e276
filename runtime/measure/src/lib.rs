//! Choices of periods, resolved from what a node measures.
//!
//! `form` looks at a model and says of each choice of a duration whether it has a form that `foresee-decide` solves, and what must be
//! measured for it: that follows from the objectives. `gauge` is what one node measures, and what it tells its peers on the
//! messages that it sends anyway. `tuner` takes the option: the best by the measured figures, with hysteresis, and no further
//! from a safe default than the evidence allows. `cost` has what an option costs by the formulas, and is, with `form`, all that
//! differs from form to form. `brake` keeps it clear of periods at which what is sent fills the line.
//!
//! Nothing here knows any service, and there is no clock and no draw: a driver says what happens and when. The simulator's resolver
//! `measured` is one (in `foresee-predict`); a live node's advisor can be another, on the same calls.
//!
//! # Caveats
//! - Two forms are known: heartbeats for which calls wait ([`Beats`]), and retransmission ([`Resends`]). All else is left to whoever
//!   looks ahead.
//! - Delays are taken to be alike both ways, and losses to be independent.
//! - Peers are taken to be up: the share of calls to dead ones is not measured.

mod brake;
mod cost;
mod form;
mod gauge;
mod tuner;

pub use form::{Beats, Demand, Ends, Form, Resends, Tunable, Waiting, tunables};
pub use gauge::{Gauge, Told};
pub use tuner::{MARGIN, seconds};
