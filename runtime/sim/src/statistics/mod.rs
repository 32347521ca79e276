//! Statistics over many runs: claims about probabilities and means, decided one run after another, and two resolvers compared.
//!
//! [`verify`] decides every statistical property of a model. A probability is decided by Wald's sequential test with an
//! indifference region (`sprt`); a mean by a confidence sequence (`mean`); `finite` gets evidence (`growth`). Each says how many
//! runs it took, what it estimates, in which interval, and with which bounds of error. [`compare`] pairs two resolvers on
//! common random numbers. [`rare`] estimates the probability of what hardly ever happens.
//!
//! Runs are taken in the order of their seeds, so a verdict depends on seeds and never on threads. Nothing here looks at a clock.
//!
//! # Caveats
//! - The interval of a mean is asymptotic: it needs a finite variance, and many runs where values are far from normal.
//! - Nothing that is estimated is proved. `finite` never is.

mod compare;
mod growth;
mod mean;
mod splitting;
mod sprt;
mod verify;

pub use compare::{Comparison, Difference, compare};
pub use mean::{Means, RUNS_LEAST};
pub use splitting::{Level, Rare, Splitting, rare};
pub use sprt::{Proportion, Sprt};
pub(crate) use verify::within_end;
pub use verify::{Demands, Estimate, Verdict, Verification, verify};

/// An interval of figures.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}
