//! Closed forms of the protocols' expected sends and waits, and of `cost2`, without approximation.
//!
//! Section 3 of the reference, "Exact forms, any alphas". A process's survival is a mixture of "for ever" and
//! geometric; each expectation is a sum over the up to four pairs of such parts, and each part is a sum of geometric
//! series. The sender may send copy `i` iff it is up at `i * delta` and none of the round trips that could have
//! answered by then succeeded; waiting goes on past `t` iff both are up through `t` and every delivery due failed.
//!
//! Every function checks its link and period. Results are infinite where Theorem 3.2 says so, never NaN.

use super::{Decay, Expected, Link, Prices, Protocol};
use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;

/// The most copies that [`truncated_sends`] adds up.
pub const COPIES_MAX: u64 = 100_000_000;

/// The expected sends and wait of one invocation at time 0, with period `delta` in rounds.
pub fn expected(protocol: Protocol, link: &Link, delta: u64) -> Result<Expected> {
    link.check()?;
    error::period("delta", delta)?;
    let wait = wait(protocol, link, delta);
    let (sender, receiver) = match protocol {
        Protocol::Trivial => (Extended::ZERO, Extended::ZERO),
        Protocol::SenderDriven => driven(link, delta),
        Protocol::ReceiverDriven => {
            let (driver, responder) = driven(&link.reversed(), delta);
            (responder, driver)
        }
        Protocol::Heartbeat => beaten(link, delta),
    };
    Ok(Expected { sender, receiver, sends: total([sender, receiver]), wait })
}

/// The expected `cost1 = c_send * sends + c_wait * wait` of one invocation.
pub fn cost1(protocol: Protocol, link: &Link, delta: u64, prices: &Prices) -> Result<Extended> {
    prices.check()?;
    Ok(expected(protocol, link, delta)?.cost(prices))
}

/// `E[N^t_wait]`, the growing waiting cost of Proposition 3.5; `growth` is `N >= 1`.
///
/// `1 + (N - 1) sum ws wr V(ps pr)` with `V(q) = q [geo(y, L) + y^L geo(y, delta) f / (1 - f y^delta)]`, `y = N q`;
/// infinite iff `f > 0` and `f y^delta >= 1` for a pair of positive weight.
pub fn growing_wait(protocol: Protocol, link: &Link, delta: u64, growth: f64) -> Result<Extended> {
    link.check()?;
    error::period("delta", delta)?;
    error::finite("N", growth)?;
    if growth < 1.0 {
        return Err(Error::out_of_range("N", format!("must be at least 1, and is {growth}")));
    }
    let (first, failure, success) = deliveries(protocol, link);
    let delta = if protocol == Protocol::Trivial { 1.0 } else { delta as f64 };
    let grown = total(pairs(link).map(|(weight, s, r)| {
        let both = s.and(r);
        let q = both.pow(1.0);
        if q == 0.0 {
            return Extended::ZERO;
        }
        let y = both.times(growth);
        let left = y.gap_of(delta, failure, success);
        let tail = if failure == 0.0 {
            Extended::ZERO
        } else if left <= 0.0 {
            Extended::INFINITY
        } else {
            Extended::of(y.pow(first)) * Extended::of(y.geometric(1.0, delta) * failure / left)
        };
        Extended::of(weight * q) * total([Extended::of(y.geometric(1.0, first)), tail])
    }));
    Ok(total([Extended::from(1), Extended::of(growth - 1.0) * grown]))
}

/// The expected `cost2 = c_send * sends + c_wait * N^t_wait`.
pub fn cost2(protocol: Protocol, link: &Link, delta: u64, growth: f64, prices: &Prices) -> Result<Extended> {
    prices.check()?;
    let grown = growing_wait(protocol, link, delta, growth)?;
    Ok(prices.cost(expected(protocol, link, delta)?.sends, grown))
}

/// Messages that the driver of a driven protocol is expected to send at times up to and including `horizon`.
///
/// Where the full expectation is infinite this grows linearly, with the slope of [`send_slope`]: the numeric signature
/// of Theorem 3.2. [`Protocol::Trivial`] and [`Protocol::Heartbeat`] have no driver.
pub fn truncated_sends(protocol: Protocol, link: &Link, delta: u64, horizon: u64) -> Result<f64> {
    let link = driver_first(protocol, link, delta)?;
    let copies = horizon / delta + 1;
    if copies > COPIES_MAX {
        return Err(Error::out_of_range("horizon", format!("must be at most {COPIES_MAX} periods")));
    }
    let (a, window) = (link.round_trip_loss(), link.window(delta));
    let kept = (1.0 - link.gamma) * (1.0 - link.gamma);
    let (tau, delta) = (link.tau as f64, delta as f64);
    Ok(pairs(&link)
        .map(|(weight, driver, responder)| {
            let step = a * responder.pow(delta);
            let (mut answered, mut next) = (0.0, kept * responder.pow(tau + 1.0));
            let mut sent = 0.0;
            for i in 0..copies {
                // Copy i is sent unless one of the first max(0, i - window + 1) round trips succeeded.
                if i >= window {
                    answered += next;
                    next *= step;
                }
                sent += driver.pow(i as f64 * delta + 1.0) * (1.0 - answered);
            }
            weight * sent
        })
        .sum())
}

/// The rate, in messages a round, at which the expected sends of a driven protocol grow with the horizon:
/// `alpha_s (1 - alpha_r) (1 - c) / delta`, 0 where they are finite (or grow more slowly than linearly).
pub fn send_slope(protocol: Protocol, link: &Link, delta: u64) -> Result<f64> {
    let link = driver_first(protocol, link, delta)?;
    Ok(pairs(&link)
        .filter(|(_, driver, _)| driver.is_none())
        .map(|(weight, _, responder)| weight * Answer::of(&link, delta, responder).never / delta as f64)
        .sum())
}

/// The first `terms` terms of the messages that Proposition 3.1's delayed acknowledger costs at least:
/// `sum gamma^k (1 - gamma) N^(k+1)`, where the receiver sends its `k`-th acknowledgement `N^k` rounds late.
///
/// It satisfies S2, and with `N gamma >= 1` the sum has no bound: S2 does not imply S3.
pub fn delayed_acknowledger(gamma: f64, growth: f64, terms: u32) -> Result<Extended> {
    error::probability("gamma", gamma)?;
    error::positive("N", growth)?;
    let mut term = (1.0 - gamma) * growth;
    let mut sum = 0.0;
    for _ in 0..terms {
        sum += term;
        term *= gamma * growth;
    }
    Extended::new("N", sum)
}

/// `E[t_wait]`: the sum over pairs of `q geo(q, L) + q^(L+1) geo(q, delta) f / (1 - f q^delta)`.
fn wait(protocol: Protocol, link: &Link, delta: u64) -> Extended {
    let (first, failure, success) = deliveries(protocol, link);
    let delta = if protocol == Protocol::Trivial { 1.0 } else { delta as f64 };
    total(pairs(link).map(|(weight, s, r)| {
        let q = s.and(r);
        let sure = q.pow(1.0) * q.geometric(1.0, first);
        let left = q.gap_of(delta, failure, success);
        let late = if failure == 0.0 {
            0.0
        } else if left == 0.0 {
            f64::INFINITY
        } else {
            q.pow(first + 1.0) * q.geometric(1.0, delta) * failure / left
        };
        Extended::of(weight) * Extended::of(sure + late)
    }))
}

/// When the first delivery is due, and the probabilities that a delivery fails and that it succeeds.
fn deliveries(protocol: Protocol, link: &Link) -> (f64, f64, f64) {
    let (tau, kept) = (link.tau as f64, 1.0 - link.gamma);
    match protocol {
        Protocol::Trivial => (0.0, 1.0, 0.0),
        Protocol::SenderDriven => (tau, link.gamma, kept),
        Protocol::ReceiverDriven | Protocol::Heartbeat => (2.0 * tau, link.round_trip_loss(), kept * kept),
    }
}

/// How the responder's fate decides whether the driver is ever answered.
struct Answer {
    /// Some round trip succeeds before the responder crashes: `c = (1-a) pr^(tau+1) / (1 - a pr^delta)`.
    ever: f64,
    /// `1 - c`, without cancellation.
    never: f64,
}

impl Answer {
    fn of(link: &Link, delta: u64, responder: Decay) -> Answer {
        let (a, kept) = (link.round_trip_loss(), (1.0 - link.gamma) * (1.0 - link.gamma));
        let (tau, delta) = (link.tau as f64, delta as f64);
        let whole = responder.gap_of(delta, a, kept);
        if kept == 0.0 || whole == 0.0 {
            return Answer { ever: 0.0, never: 1.0 };
        }
        let never = a * responder.gap(delta) + kept * responder.gap(tau + 1.0);
        Answer { ever: kept * responder.pow(tau + 1.0) / whole, never: never / whole }
    }
}

/// Sends of a driven protocol: (driver, responder), the driver being the link's sender.
fn driven(link: &Link, delta: u64) -> (Extended, Extended) {
    let driver = total(pairs(link).map(|(w, d, r)| Extended::of(w) * driver_sends(link, delta, d, r)));
    let responder = total(pairs(link).map(|(w, d, r)| {
        let both = d.and(r);
        let reached = (1.0 - link.gamma) * d.pow(1.0) * r.pow(link.tau as f64 + 1.0);
        let copies =
            copies(link.window(delta), delta, both, link.round_trip_loss(), square(1.0 - link.gamma));
        Extended::of(w * reached) * copies
    }));
    (driver, responder)
}

/// The driver's sends for one pair of parts.
fn driver_sends(link: &Link, delta: u64, driver: Decay, responder: Decay) -> Extended {
    let (a, kept) = (link.round_trip_loss(), square(1.0 - link.gamma));
    let (window, step) = (link.window(delta) as f64, delta as f64);
    let sure = Extended::of(driver.pow(1.0) * driver.geometric(step, window));
    if driver.is_none() {
        let late =
            if responder.is_none() && kept > 0.0 { Extended::of(a / kept) } else { Extended::INFINITY };
        return total([sure, late]);
    }
    let answer = Answer::of(link, delta, responder);
    let unanswered =
        Extended::of(driver.pow(window * step + 1.0) / driver.gap(step)) * Extended::of(answer.never);
    let both = driver.and(responder);
    let x = a * both.pow(step);
    let answered = if x == 0.0 {
        0.0
    } else {
        answer.ever * driver.pow((window - 1.0) * step + 1.0) * x / both.gap_of(step, a, kept)
    };
    total([sure, unanswered, Extended::of(answered)])
}

/// Sends of the heartbeat protocol: (sender, receiver).
fn beaten(link: &Link, delta: u64) -> (Extended, Extended) {
    let (tau, kept) = (link.tau as f64, 1.0 - link.gamma);
    let (mut sender, mut receiver) = (Extended::ZERO, Extended::ZERO);
    for (weight, s, r) in pairs(link) {
        let copies = copies(link.window(delta), delta, s.and(r), link.triple_loss(), square(kept) * kept);
        let beat = kept * r.pow(1.0) * s.pow(tau + 1.0);
        let acked = square(kept) * r.pow(2.0 * tau + 1.0) * s.pow(tau + 1.0);
        sender = total([sender, Extended::of(weight * beat) * copies]);
        receiver = total([receiver, Extended::of(weight * acked) * copies]);
    }
    (sender, receiver)
}

/// `geo(z, m0) + z^(m0-1) b z / (1 - b z)` with `z = q^delta`: copies under way before the first answer could be
/// back, and one more for every failed answer.
fn copies(window: u64, delta: u64, both: Decay, failure: f64, success: f64) -> Extended {
    let (window, step) = (window as f64, delta as f64);
    let sure = Extended::of(both.geometric(step, window));
    let x = failure * both.pow(step);
    if x == 0.0 {
        return sure;
    }
    let left = both.gap_of(step, failure, success);
    let late = if left == 0.0 { f64::INFINITY } else { x / left };
    total([sure, Extended::of(both.pow((window - 1.0) * step)) * Extended::of(late)])
}

/// The link with its driver as the sender, checked.
fn driver_first(protocol: Protocol, link: &Link, delta: u64) -> Result<Link> {
    link.check()?;
    error::period("delta", delta)?;
    match protocol {
        Protocol::SenderDriven => Ok(*link),
        Protocol::ReceiverDriven => Ok(link.reversed()),
        Protocol::Trivial | Protocol::Heartbeat => {
            Err(Error::new("proto", Reason::Malformed("must be sd or rd: nobody drives the others".into())))
        }
    }
}

/// Weight and survival of a round of sender and receiver, over the parts of positive weight.
fn pairs(link: &Link) -> impl Iterator<Item = (f64, Decay, Decay)> + use<> {
    let receiver = link.receiver;
    link.sender.parts().flat_map(move |(ws, s)| receiver.parts().map(move |(wr, r)| (ws * wr, s, r)))
}

/// The sum of parts that are not negative, so that it is always defined.
fn total(parts: impl IntoIterator<Item = Extended>) -> Extended {
    Extended::of(parts.into_iter().map(Extended::get).sum())
}

fn square(x: f64) -> f64 {
    x * x
}
