//! Looking ahead: choices resolved by what is likely to come of each option, from what a node could know.
//!
//! At a choice, a node makes itself a picture of the system (`picture`) from its *knowledge* (`knowledge`): its own state, the newest
//! checkpoints that it has of others, and what they sent and is not reflected in them. For each option it lets the picture run on for a
//! while, several times, with random numbers that all options share, and takes the option whose objectives come out best (`advise`).
//! Choices that come up on the way are answered by a base policy (`base`), which is the author's default where there is one and is else found
//! by training (`train`).
//!
//! Knowledge rides on messages and their acknowledgements, and is gathered every so often (`desk`); its bytes are counted. [`Lookahead`]
//! is the resolver; [`Omniscient`] looks at the true state instead, which no node could, to measure others by.
//!
//! Nothing here knows any service. There is no clock and no thread: a seed fixes every byte, and effort is counted in steps.
//!
//! # Caveats
//! - A message that was overtaken by a later one to the same node is taken for received.
//! - Nodes of which nothing is known are taken to be as they started; rollouts have no calls, crashes or breaks to come.
//! - The growth of what has been paid for before a choice begins anew in a rollout.

mod advise;
mod base;
mod desk;
mod knowledge;
mod measured;
mod picture;
mod resolver;
mod settings;
mod train;
mod wire;

pub use base::{Base, Imitation};
pub use knowledge::{Checkpoint, Knowledge, Parcel, Sent, Told};
pub use measured::{MEASURED, Measured, leaves_others};
pub use resolver::{Lookahead, Omniscient, TRAINED, resolvers};
pub use settings::{Settings, SettingsError};
pub use train::{Trained, train};
