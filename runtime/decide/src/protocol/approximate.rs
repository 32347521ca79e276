//! The paper's approximations of one invocation's cost, and their refinement: for explaining, not for deciding.
//!
//! Proposition 3.4 and Theorem 4.1 drop products of small probabilities, for two processes that both crash some day.
//! The refined forms of the reference keep all powers of the loss and the first order in the crash probabilities.
//! Decide with [`super::exact`]; a table of both shows where the approximations break.
//!
//! # Caveats
//! The paper's are within about 2 % where `gamma <= 0.01`, `delta <= 2 tau` and `beta (tau + delta) <= 0.002`; the
//! refined within 1 % where `beta (tau + delta) <= 0.006`. Neither knows a process that may be correct.

use serde::Serialize;

use super::{Link, Protocol};
use crate::error::{self, Error, Result};
use crate::extended::Extended;

/// An approximation of what one invocation does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Approximation {
    /// Messages sent by the protocol.
    pub sends: Extended,
    /// Rounds waited.
    pub wait: Extended,
}

/// Proposition 3.4 and Theorem 4.1, for `alpha_s = alpha_r = 0`.
///
/// trivial: `(1-b)/b` rounds, `b` the probability that one of the two crashes in a round. sd: `tau` rounds and
/// `2 m0 + (tau+1) beta_r / (delta beta_s)` messages. rd: `2 tau`, with the betas exchanged. hb: `2 tau` and `2 m0`.
///
/// An error where a crash probability is 0, since the approximation divides by it.
pub fn paper(protocol: Protocol, link: &Link, delta: u64) -> Result<Approximation> {
    let sides = Sides::of(link, delta)?;
    let answered = 2.0 * sides.window;
    let orphaned = |ratio: f64| (sides.tau + 1.0) * ratio / sides.delta;
    Ok(match protocol {
        Protocol::Trivial => sides.trivial(),
        Protocol::SenderDriven => pair(answered + orphaned(sides.ratio), sides.tau),
        Protocol::ReceiverDriven => pair(answered + orphaned(1.0 / sides.ratio), 2.0 * sides.tau),
        Protocol::Heartbeat => pair(answered, 2.0 * sides.tau),
    })
}

/// The refined forms: all powers of the loss, `a` a failed round trip, `b3` three messages of which one is lost.
///
/// sd: `tau + delta gamma/(1-gamma)` rounds and
/// `(2-gamma)(m0 + a/(1-a)) + beta_r/(delta beta_s) (tau + 1 + delta a/(1-a))` messages; rd and hb wait
/// `2 tau + delta a/(1-a)`; hb sends `(1-gamma)(2-gamma)(m0 + b3/(1-b3))`. See [`crash_correction`] for the waits.
pub fn refined(protocol: Protocol, link: &Link, delta: u64) -> Result<Approximation> {
    let sides = Sides::of(link, delta)?;
    let gamma = link.gamma;
    let odds = |lost: f64, kept: f64| if lost == 0.0 { 0.0 } else { lost / kept };
    let one = odds(gamma, 1.0 - gamma);
    let two = odds(link.round_trip_loss(), (1.0 - gamma).powi(2));
    let three = odds(link.triple_loss(), (1.0 - gamma).powi(3));
    let (tau, delta) = (sides.tau, sides.delta);
    let answered = (2.0 - gamma) * (sides.window + two);
    let orphaned = |ratio: f64| (Extended::of(ratio / delta) * Extended::of(tau + 1.0 + delta * two)).get();
    Ok(match protocol {
        Protocol::Trivial => sides.trivial(),
        Protocol::SenderDriven => pair(answered + orphaned(sides.ratio), tau + delta * one),
        Protocol::ReceiverDriven => pair(answered + orphaned(1.0 / sides.ratio), 2.0 * tau + delta * two),
        Protocol::Heartbeat if gamma == 1.0 => pair(0.0, f64::INFINITY),
        Protocol::Heartbeat => {
            pair((1.0 - gamma) * (2.0 - gamma) * (sides.window + three), 2.0 * tau + delta * two)
        }
    })
}

/// What crashes take off the refined wait, to first order: `(beta_s + beta_r) L (L + 1) / 2` rounds, where `L` is
/// `tau` for sd and `2 tau` for rd and hb; 0 for trivial, whose form is exact.
#[must_use]
pub fn crash_correction(protocol: Protocol, link: &Link) -> f64 {
    let due = match protocol {
        Protocol::Trivial => return 0.0,
        Protocol::SenderDriven => link.tau as f64,
        Protocol::ReceiverDriven | Protocol::Heartbeat => 2.0 * link.tau as f64,
    };
    (link.sender.crash + link.receiver.crash) * due * (due + 1.0) / 2.0
}

/// The figures that all the forms share.
struct Sides {
    tau: f64,
    delta: f64,
    window: f64,
    /// `beta_r / beta_s`.
    ratio: f64,
    /// Probability that one of the two crashes in a round.
    either: f64,
}

impl Sides {
    fn of(link: &Link, delta: u64) -> Result<Sides> {
        link.check()?;
        error::period("delta", delta)?;
        let (s, r) = (
            error::positive("sender.crash", link.sender.crash)?,
            error::positive("receiver.crash", link.receiver.crash)?,
        );
        for (field, process) in [("sender.correct", link.sender), ("receiver.correct", link.receiver)] {
            if process.correct != 0.0 {
                return Err(Error::out_of_range(field, "must be 0 for the paper's approximation"));
            }
        }
        let ratio = r / s;
        let window = link.window(delta) as f64;
        Ok(Sides { tau: link.tau as f64, delta: delta as f64, window, ratio, either: s + r - s * r })
    }

    fn trivial(&self) -> Approximation {
        pair(0.0, (1.0 - self.either) / self.either)
    }
}

fn pair(sends: f64, wait: f64) -> Approximation {
    Approximation { sends: Extended::of(sends), wait: Extended::of(wait) }
}
