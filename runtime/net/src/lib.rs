//! Models of networks, and nothing else: how long a message is under way, whether it is lost, whether it is doubled.
//!
//! A [`Link`] is a pure function of what travels, of what the network remembers ([`Memory`]: backlogs, bursts of losses) and
//! of numbers that its caller draws; it knows no service and never looks at a clock. [`Path`] is a link between two
//! nodes: a [`Delay`], a [`Loss`], doubling, overtaking and a [`Bottleneck`]. [`Topology`] puts nodes at sites and paths
//! between those: a matrix, a cloud's regions, or a made-up Internet.
//!
//! [`Stream`] is the generator that the project's simulations draw from: Philox4x32-10, keyed by seed, purpose,
//! place and number. Anything that implements [`Draw`] will do for a link. Read [`draw`] and [`link`] next.
//!
//! # Caveats
//! Lines of limited speed are at both ends and along the path of a pair; there is none in the middle that several pairs share.

pub mod bottleneck;
pub mod churn;
pub mod delay;
pub mod draw;
mod file;
pub mod intake;
pub mod link;
mod ln;
pub mod loss;
pub mod topology;

pub use bottleneck::Bottleneck;
pub use churn::Churn;
pub use delay::{Delay, Sample};
pub use draw::{Draw, Purpose, Stream};
pub use file::FileError;
pub use intake::{Desk, Intake, Work};
pub use link::{Fate, Link, Memory, Passage, Path};
pub use loss::{GilbertElliott, Loss};
pub use topology::{Inet, Insisted, Topology, TransitStub, regions};
