//! Models of networks, and nothing else: how long a message is under way, whether it is lost, whether it is doubled.
//!
//! A [`Link`] is a pure function of what travels and of numbers that its caller draws; it keeps no state, knows no
//! service and never looks at a clock. [`Plain`] is the link of today: a [`Delay`], a loss and a doubling that are
//! independent of each other and of the past.
//!
//! [`Stream`] is the generator that the project's simulations draw from: Philox4x32-10, keyed by seed, purpose,
//! place and number. Anything that implements [`Draw`] will do for a link. Read [`draw`] and [`link`] next.
//!
//! # Caveats
//! Links have no memory yet, so there is no queueing at a bottleneck and no burst of losses.

pub mod draw;
pub mod link;
mod ln;

pub use draw::{Draw, Purpose, Stream};
pub use link::{Delay, Fate, Link, Passage, Plain};
