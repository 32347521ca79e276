//! Which protocol, which period, and where the choice flips.
//!
//! [`compare`] and [`best_period`] decide with the exact forms. The thresholds of [`flips`] and the one-shot period
//! come from the paper's approximations and explain a choice: they say which ratio of the figures it hangs on.
//! How often to beat is decided in [`crate::heartbeat`].

use serde::Serialize;

use super::{Expected, Link, Prices, Protocol, approximate, exact};
use crate::error::{self, Error, Result};
use crate::extended::Extended;

/// The most periods that [`best_period`] tries.
pub const PERIODS_MAX: u64 = 10_000_000;

/// One protocol at one period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The protocol.
    pub protocol: Protocol,
    /// Its period, in rounds.
    pub delta: u64,
    /// What one invocation is expected to do.
    pub expected: Expected,
    /// Expected `cost1` of one invocation, heartbeats not charged.
    pub cost: Extended,
    /// Specification S2: given that both stay up, the message arrives.
    pub live: bool,
    /// Specification S3: the expected cost is finite.
    pub finite: bool,
}

/// All four protocols at one period, in the paper's order.
pub fn compare(link: &Link, delta: u64, prices: &Prices) -> Result<Vec<Row>> {
    prices.check()?;
    let row = |protocol: Protocol| {
        let expected = exact::expected(protocol, link, delta)?;
        let cost = expected.cost(prices);
        Ok(Row {
            protocol,
            delta,
            expected,
            cost,
            live: protocol.is_live(link),
            finite: protocol.is_finite(link),
        })
    };
    Protocol::ALL.into_iter().map(row).collect()
}

/// A period and its cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Best {
    /// The period, in rounds.
    pub delta: u64,
    /// Expected `cost1` at it.
    pub cost: Extended,
}

/// The period from 1 to `most` of the least expected `cost1`; the smallest such period.
pub fn best_period(protocol: Protocol, link: &Link, prices: &Prices, most: u64) -> Result<Best> {
    error::period("D", most)?;
    if most > PERIODS_MAX {
        return Err(Error::out_of_range("D", format!("must be at most {PERIODS_MAX}, and is {most}")));
    }
    let mut best = Best { delta: 1, cost: exact::cost1(protocol, link, 1, prices)? };
    for delta in 2..=most {
        let cost = exact::cost1(protocol, link, delta, prices)?;
        if cost < best.cost {
            best = Best { delta, cost };
        }
    }
    Ok(best)
}

/// Where the choice between two protocols flips, by the paper's approximations, at `rho = beta_r / beta_s`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Flips {
    /// The ratio as it is.
    pub rho: f64,
    /// sd is cheaper than rd iff `rho` is below this: `(x + sqrt(x^2 + 4)) / 2`.
    pub sender_over_receiver_below: Extended,
    /// hb, its heartbeats free, is cheaper than sd iff `rho` is above this:
    /// `x = delta tau c_wait / ((tau + 1) c_send)`.
    pub heartbeat_over_sender_above: Extended,
    /// trivial is cheaper than sd iff `c_send / c_wait` is above this.
    pub trivial_over_sender_above: Extended,
    /// trivial is cheaper than rd iff `c_send / c_wait` is above this.
    pub trivial_over_receiver_above: Extended,
    /// trivial is cheaper than hb iff `c_send / c_wait` is above this.
    pub trivial_over_heartbeat_above: Extended,
}

/// The thresholds at period `delta`; an error where the paper's approximations do not apply.
pub fn flips(link: &Link, delta: u64, prices: &Prices) -> Result<Flips> {
    prices.check()?;
    let idle = approximate::paper(Protocol::Trivial, link, delta)?.wait.get();
    let above = |protocol| -> Result<Extended> {
        let busy = approximate::paper(protocol, link, delta)?;
        Extended::new("wait", (idle - busy.wait.get()) / busy.sends.get())
    };
    let tau = link.tau as f64;
    let waited = delta as f64 * tau * prices.wait;
    // Free messages leave nothing to weigh against the wait.
    let x = if prices.send == 0.0 { f64::INFINITY } else { waited / ((tau + 1.0) * prices.send) };
    Ok(Flips {
        rho: link.receiver.crash / link.sender.crash,
        sender_over_receiver_below: Extended::new("c_send", 0.5 * (x + x.hypot(2.0)))?,
        heartbeat_over_sender_above: Extended::new("c_send", x)?,
        trivial_over_sender_above: above(Protocol::SenderDriven)?,
        trivial_over_receiver_above: above(Protocol::ReceiverDriven)?,
        trivial_over_heartbeat_above: above(Protocol::Heartbeat)?,
    })
}

/// The best period of sd for a single invocation, approximately:
/// `max(2 tau, sqrt(c_send (tau+1) (beta_r/beta_s) (1-gamma) / (c_wait gamma)))`, in rounds.
///
/// The paper's "very large" drops the wait for a retransmission; with no loss or free waiting it is right, and the
/// result infinite.
pub fn one_shot_period(link: &Link, prices: &Prices) -> Result<Extended> {
    link.check()?;
    prices.check()?;
    error::positive("sender.crash", link.sender.crash)?;
    let floor = 2.0 * link.tau as f64;
    let ratio = link.receiver.crash / link.sender.crash;
    let saved = prices.send * (link.tau as f64 + 1.0) * ratio * (1.0 - link.gamma);
    if saved == 0.0 {
        return Ok(Extended::of(floor));
    }
    let paid = prices.wait * link.gamma;
    // Figures beyond the floats on both sides have no quotient.
    Extended::new("c_send", (saved / paid).sqrt()).map(|period| period.max(Extended::of(floor)))
}

/// The least period at which `E[N^t_wait]` is infinite; below it the growing cost is finite.
///
/// `ln(1/f) / ln(N q)`, where `f` is the probability that a delivery fails and `q` the best that both survive a
/// round with; infinite where `N q <= 1` or nothing is lost. So a growing waiting cost caps the period.
pub fn period_cap(protocol: Protocol, link: &Link, growth: f64) -> Result<Extended> {
    link.check()?;
    error::positive("N", growth)?;
    let failure = match protocol {
        Protocol::Trivial => 1.0,
        Protocol::SenderDriven => link.gamma,
        Protocol::ReceiverDriven | Protocol::Heartbeat => link.round_trip_loss(),
    };
    let survives = |p: &super::Process| if p.correct > 0.0 { 1.0 } else { 1.0 - p.crash };
    let grown = (growth * survives(&link.sender) * survives(&link.receiver)).ln();
    if failure == 0.0 || grown < 0.0 || (grown == 0.0 && failure < 1.0) {
        return Ok(Extended::INFINITY);
    }
    Ok(Extended::of(if failure == 1.0 { 0.0 } else { -failure.ln() / grown }))
}
