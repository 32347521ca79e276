//! Decisions under uncertainty.
pub mod decision;
pub mod detector;
pub mod error;
pub mod extended;
pub mod batch;
pub mod belief;
pub mod combined;
pub mod cost;
pub mod heartbeat;
pub mod law;
pub mod numeric;
pub mod problem;
pub mod protocol;
pub mod retransmit;
pub mod wait;
pub use error::{Error, Reason, Result};
pub use extended::Extended;
