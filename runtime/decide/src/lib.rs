//! Decisions under uncertainty, as mathematics: useful to anyone, and what the runtime decides with.
//!
//! The crate depends on nothing else of this project. It has no clock, no randomness and no state but what a caller
//! passes in; the same figures give the same answers on every run. Source: F. Chu and J. Y. Halpern, *A
//! decision-theoretic approach to reliable message delivery* (DISC 1998), in exact forms, and what a runtime needs beyond.
//!
//! | to decide | read |
//! |--|--|
//! | among acts with uncertain outcomes | [`decision`]: rules, orders, sensitivity, elicitation |
//! | how long to wait for what may never come | [`wait`], with [`law`], [`cost`] |
//! | when to send again | [`retransmit`] |
//! | which delivery protocol, and with which period | [`protocol`] |
//! | how often to beat, for one or many | [`heartbeat`], [`combined`] |
//! | when to suspect | [`detector`] |
//! | whether safety is worth its price | [`tradeoff`] |
//! | what to believe after what was seen | [`belief`] |
//!
//! [`problem`] is a decision problem as users write it, [`batch`] evaluates cases for checking. [`extended`] has the
//! conventions for infinities: `0 * inf = 0`, and infinity minus infinity is an error.
//!
//! # Invariants
//! 1. No finite figures give NaN: `tests/properties.rs`, `no_finite_figures_give_nan`.
//! 2. Nonsense is an [`Error`] that names the field; nothing is silently corrected.
//! 3. Every closed form agrees with a second way to compute it: `tests/properties.rs`, `tests/services.rs`.
//! 4. The golden values and tables of the reference are reproduced: `tests/golden.rs`, `tests/tables.rs`.
//! 5. The rule is the caller's: no function chooses another one than it was asked for.

pub mod batch;
pub mod belief;
pub mod combined;
pub mod cost;
pub mod decision;
pub mod detector;
pub mod error;
pub mod extended;
pub mod heartbeat;
pub mod law;
pub mod numeric;
pub mod problem;
pub mod protocol;
pub mod retransmit;
pub mod tradeoff;
pub mod wait;

pub use error::{Error, Reason, Result};
pub use extended::Extended;
