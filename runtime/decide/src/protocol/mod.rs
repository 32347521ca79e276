//! Delivery protocols over a lossy link between processes that may crash: what one invocation costs.
//!
//! Four protocols (section 3 and 4 of the paper): [`Protocol::Trivial`] sends nothing, [`Protocol::SenderDriven`]
//! repeats the message until it is acknowledged, [`Protocol::ReceiverDriven`] repeats a request until the message is
//! there, [`Protocol::Heartbeat`] sends once for every fresh heartbeat of the receiver.
//!
//! Time is in rounds, a message takes `tau` of them. A process acts at time `t` if it crashes later than `t`; at one
//! time crashes come first, then receptions, then sends. Waiting ends at the first crash of either process.
//!
//! [`exact`] has closed forms without approximation, [`approximate`] the paper's and their refinement, [`choose`]
//! the best period, the best protocol and where the choice flips. Nothing here charges for heartbeats: see
//! [`crate::heartbeat`].

pub mod approximate;
pub mod choose;
mod decay;
pub mod exact;

use serde::{Deserialize, Serialize};

use crate::error::{self, Result};
use crate::extended::Extended;
pub(crate) use decay::Decay;

/// How one message is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// Sends nothing, ever.
    #[serde(rename = "trivial")]
    Trivial,
    /// The sender repeats the message every period until an acknowledgement arrives.
    #[serde(rename = "sd")]
    SenderDriven,
    /// The receiver repeats a request every period until the message arrives.
    #[serde(rename = "rd")]
    ReceiverDriven,
    /// The sender sends whenever a heartbeat of the receiver arrives, until an acknowledgement does.
    #[serde(rename = "hb")]
    Heartbeat,
}

impl Protocol {
    /// All four, in the paper's order.
    pub const ALL: [Protocol; 4] =
        [Protocol::Trivial, Protocol::SenderDriven, Protocol::ReceiverDriven, Protocol::Heartbeat];

    /// Its short name: `trivial`, `sd`, `rd`, `hb`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Trivial => "trivial",
            Protocol::SenderDriven => "sd",
            Protocol::ReceiverDriven => "rd",
            Protocol::Heartbeat => "hb",
        }
    }

    /// The protocol of a short name.
    #[must_use]
    pub fn named(name: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Specification S2: given that both stay up, the message arrives with probability 1 in the limit.
    #[must_use]
    pub fn is_live(self, link: &Link) -> bool {
        self != Protocol::Trivial && link.gamma < 1.0
    }

    /// Specification S3 under `cost1`, by Theorem 3.2: whether the expected cost of one invocation is finite.
    ///
    /// A crash probability of 0 makes a process correct whatever its `correct` says. With `gamma = 1` nothing ever
    /// arrives, which the theorem leaves out: then every protocol waits for a crash, and one that sends sends until
    /// its driver crashes.
    #[must_use]
    pub fn is_finite(self, link: &Link) -> bool {
        let (s, r) = (link.sender.surely(), link.receiver.surely());
        let someone_crashes = s == Some(false) || r == Some(false);
        if link.gamma == 1.0 {
            return match self {
                Protocol::Trivial | Protocol::Heartbeat => someone_crashes,
                Protocol::SenderDriven => s == Some(false),
                Protocol::ReceiverDriven => r == Some(false),
            };
        }
        match self {
            Protocol::Trivial => someone_crashes,
            Protocol::SenderDriven => s == Some(false) || r == Some(true),
            Protocol::ReceiverDriven => r == Some(false) || s == Some(true),
            Protocol::Heartbeat => true,
        }
    }
}

/// One end of the link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Probability that it never crashes (alpha).
    pub correct: f64,
    /// Crash probability in each round, if it is not correct (beta).
    pub crash: f64,
}

impl Process {
    /// Never crashes.
    pub const CORRECT: Process = Process { correct: 1.0, crash: 0.0 };

    /// Whether it certainly never crashes, certainly crashes at some time, or neither is certain.
    #[must_use]
    pub fn surely(&self) -> Option<bool> {
        if self.crash == 0.0 || self.correct == 1.0 {
            Some(true)
        } else if self.correct == 0.0 {
            Some(false)
        } else {
            None
        }
    }

    /// Probability that it acts at time `t`: `alpha + (1 - alpha)(1 - beta)^(t + 1)`.
    #[must_use]
    pub fn up_at(&self, t: u64) -> f64 {
        self.correct + (1.0 - self.correct) * Decay::surviving(self.crash).pow(t as f64 + 1.0)
    }

    /// Checks both probabilities; `name` precedes the fields: `sender.crash`.
    pub fn check(&self, name: &str) -> Result<()> {
        error::probability("correct", self.correct).map_err(|e| e.within(name))?;
        error::probability("crash", self.crash).map_err(|e| e.within(name))?;
        Ok(())
    }

    /// The mixture over "correct" and "crashes": weight and survival of a round, parts of weight 0 left out.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (f64, Decay)> + use<> {
        let parts = [(self.correct, Decay::NONE), (1.0 - self.correct, Decay::surviving(self.crash))];
        parts.into_iter().filter(|&(weight, _)| weight > 0.0)
    }
}

/// A link between a sender and a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Delay of every message, in rounds; at least 1.
    pub tau: u64,
    /// Probability that a message is lost, independently, in both directions.
    pub gamma: f64,
    /// The process that has the message.
    pub sender: Process,
    /// The process that wants it.
    pub receiver: Process,
}

impl Link {
    /// Checks every figure.
    pub fn check(&self) -> Result<()> {
        error::period("tau", self.tau)?;
        error::probability("gamma", self.gamma)?;
        self.sender.check("sender")?;
        self.receiver.check("receiver")
    }

    /// Probability that a round trip fails: `a = 1 - (1 - gamma)^2`.
    #[must_use]
    pub fn round_trip_loss(&self) -> f64 {
        self.gamma * (2.0 - self.gamma)
    }

    /// Probability that one of three messages in a row is lost: `b3 = 1 - (1 - gamma)^3`.
    #[must_use]
    pub fn triple_loss(&self) -> f64 {
        self.gamma * (3.0 - 3.0 * self.gamma + self.gamma * self.gamma)
    }

    /// Sends under way before the first answer can be back: `m0 = ceil(2 tau / delta)`.
    #[must_use]
    pub fn window(&self, delta: u64) -> u64 {
        (2 * self.tau).div_ceil(delta)
    }

    /// The same link seen from the other end.
    #[must_use]
    pub fn reversed(&self) -> Link {
        Link { sender: self.receiver, receiver: self.sender, ..*self }
    }
}

/// What the author pays, in the author's unit of utility.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// For one protocol message, lost or not; heartbeats are none.
    pub send: f64,
    /// For one round of waiting.
    pub wait: f64,
}

impl Prices {
    /// Checks that neither is negative.
    pub fn check(&self) -> Result<()> {
        error::non_negative("c_send", self.send)?;
        error::non_negative("c_wait", self.wait)?;
        Ok(())
    }

    /// `cost1 = c_send * sends + c_wait * wait`, with `0 * inf = 0`; of checked prices.
    #[must_use]
    pub fn cost(&self, sends: Extended, wait: Extended) -> Extended {
        let sends = Extended::of(self.send) * sends;
        // Neither is negative, so the sum is defined.
        Extended::of(sends.get() + (Extended::of(self.wait) * wait).get())
    }
}

/// What one invocation is expected to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Expected {
    /// Messages sent by the sender.
    pub sender: Extended,
    /// Messages sent by the receiver.
    pub receiver: Extended,
    /// Messages sent by the protocol, lost ones included and heartbeats not.
    pub sends: Extended,
    /// Rounds waited, until the message is there or a process crashes.
    pub wait: Extended,
}

impl Expected {
    /// The expected cost at these prices, which have been checked.
    #[must_use]
    pub fn cost(&self, prices: &Prices) -> Extended {
        prices.cost(self.sends, self.wait)
    }
}
