//! Decisions under uncertainty.
pub mod error;
pub mod extended;
pub mod protocol;
pub use error::{Error, Reason, Result};
pub use extended::Extended;
