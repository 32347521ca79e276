//! How often to send again, from the law of the round trip, its loss, and the chance that the peer is dead.
//!
//! Copies leave at `t_0 < t_1 < ..`; each comes back with probability `1 - loss` after a round trip of law `G`. The
//! wait outlasts `t` with probability `P(A > t) = product over t_i <= t of [1 - (1-loss) G(t - t_i)]`; giving up at
//! `H` after `K` copies costs
//!
//! ```text
//! J = (1-dead) [c_wait E[wait] + c_copy E[copies] + penalty P(A > H)] + dead [c_wait H + c_copy K + penalty]
//! ```
//!
//! Section 5(b). A copy costs `c_send (1 + (1 - gamma))`, its acknowledgement included. Times are in the caller's unit.

use serde::Serialize;

use crate::error::{self, Error, Reason, Result};
use crate::law::Law;
use crate::numeric;

/// The most copies of a schedule.
pub const COPIES_MAX: usize = 4096;

/// How many periods a search tries between its bounds before it refines the best.
const SCAN: u32 = 48;

/// The figures of a retransmission.
pub struct Retransmission<'a> {
    /// Law of the round trip, given that both messages get through.
    pub rtt: &'a dyn Law,
    /// Probability that a round trip fails.
    pub loss: f64,
    /// Probability that the peer is dead: nothing ever comes back.
    pub dead: f64,
    /// Cost of a unit of waiting.
    pub c_wait: f64,
    /// Cost of a copy and its acknowledgement.
    pub c_copy: f64,
    /// Cost of giving up without an answer.
    pub penalty: f64,
}

/// What a schedule is expected to do, a dead peer counted in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Expected cost.
    pub cost: f64,
    /// Expected wait.
    pub wait: f64,
    /// Expected copies.
    pub copies: f64,
    /// Probability of giving up without an answer.
    pub failure: f64,
}

/// A period, the number of copies, and what they are expected to do; it gives up one period after the last copy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Periodic {
    /// Time between two copies.
    pub period: f64,
    /// Copies at most.
    pub copies: usize,
    /// What this does.
    pub outcome: Outcome,
}

impl Retransmission<'_> {
    /// Checks every figure.
    pub fn check(&self) -> Result<()> {
        error::probability("loss", self.loss)?;
        error::probability("dead", self.dead)?;
        error::non_negative("c_wait", self.c_wait)?;
        error::non_negative("c_copy", self.c_copy)?;
        error::non_negative("penalty", self.penalty)?;
        Ok(())
    }

    /// What sending at `times`, ascending from the first copy on, and giving up at `give_up` does.
    pub fn outcome(&self, times: &[f64], give_up: f64) -> Result<Outcome> {
        self.check()?;
        check_schedule(times, give_up)?;
        Ok(self.evaluate(times, give_up))
    }

    /// `copies` copies every `period`, given up one period after the last.
    pub fn periodic(&self, period: f64, copies: usize) -> Result<Periodic> {
        error::positive("delta", period)?;
        if copies == 0 {
            return Err(Error::new("K", Reason::NotAPeriod(0.0)));
        }
        let times = periodic_times(period, copies)?;
        let outcome = self.outcome(&times, period * copies as f64)?;
        Ok(Periodic { period, copies, outcome })
    }

    /// The best period up to `longest`, with at most `most` copies: both chosen together.
    ///
    /// For every number of copies the period is found by a scan and golden sections, so a narrow second valley can
    /// be missed.
    pub fn best(&self, longest: f64, most: usize) -> Result<Periodic> {
        self.check()?;
        error::positive("longest", longest)?;
        if most == 0 || most > COPIES_MAX {
            return Err(Error::out_of_range("K", format!("must be from 1 to {COPIES_MAX}, and is {most}")));
        }
        let mut best = self.periodic(longest, 1)?;
        for copies in 1..=most {
            let cost = |period: f64| self.cost_of(period, copies);
            let (period, _) = scan(&cost, longest / f64::from(SCAN), longest);
            let here = self.periodic(period, copies)?;
            if here.outcome.cost < best.outcome.cost {
                best = here;
            }
        }
        Ok(best)
    }

    /// A better schedule than `times`, moving one time after the other between its neighbours, `rounds` times; the
    /// first copy stays. Never worse than what it was given.
    pub fn improve(&self, times: &[f64], give_up: f64, rounds: usize) -> Result<(Vec<f64>, Outcome)> {
        let mut best = self.outcome(times, give_up)?;
        let mut times = times.to_vec();
        for _ in 0..rounds {
            let before = best.cost;
            for i in 1..times.len() {
                let to = times.get(i + 1).copied().unwrap_or(give_up);
                let cost = |t: f64| {
                    let mut moved = times.clone();
                    moved[i] = t;
                    self.evaluate(&moved, give_up).cost
                };
                let (t, _) = scan(&cost, times[i - 1], to);
                let mut moved = times.clone();
                // Rounding may carry the last place of a scan past the end.
                moved[i] = t.min(to);
                let here = self.evaluate(&moved, give_up);
                if here.cost < best.cost && moved.is_sorted_by(|a, b| a < b) {
                    (best, times) = (here, moved);
                }
            }
            if best.cost >= before {
                break;
            }
        }
        Ok((times, best))
    }

    fn cost_of(&self, period: f64, copies: usize) -> f64 {
        let times: Vec<f64> = (0..copies).map(|i| i as f64 * period).collect();
        self.evaluate(&times, period * copies as f64).cost
    }

    fn evaluate(&self, times: &[f64], give_up: f64) -> Outcome {
        let open = |t: f64| self.open(times, t);
        let mut corners: Vec<f64> = times.to_vec();
        let kinks = self.rtt.kinks();
        corners.extend(times.iter().flat_map(|t| kinks.iter().map(move |k| t + k)));
        let alive = 1.0 - self.dead;
        let wait = alive * numeric::integral(&open, 0.0, give_up, &corners) + self.dead * give_up;
        let sent: f64 = times.iter().map(|&t| open(t)).sum();
        let copies = alive * sent + self.dead * times.len() as f64;
        let failure = alive * open(give_up) + self.dead;
        let cost = self.c_wait * wait + self.c_copy * copies + self.penalty * failure;
        Outcome { cost, wait, copies, failure }
    }

    /// `P(A > t)` for a living peer.
    fn open(&self, times: &[f64], t: f64) -> f64 {
        let kept = 1.0 - self.loss;
        times
            .iter()
            .take_while(|&&sent| sent <= t)
            .map(|&sent| 1.0 - kept * self.rtt.arrived(t - sent))
            .product()
    }
}

/// The best period for a round trip that always takes `rtt`, with a living peer and no giving up: one of `rtt / m`.
///
/// Wait `rtt + period l/(1-l)` and copies `ceil(rtt/period) + l/(1-l)`, so longer periods within the same number of
/// copies only add to the wait. Returns the period and its cost.
pub fn best_fixed(rtt: f64, loss: f64, c_wait: f64, c_copy: f64) -> Result<(f64, f64)> {
    error::positive("rtt", rtt)?;
    error::probability("loss", loss)?;
    error::non_negative("c_wait", c_wait)?;
    error::non_negative("c_copy", c_copy)?;
    if loss == 1.0 {
        return Err(Error::out_of_range("loss", "must be below 1 where nobody gives up"));
    }
    let odds = loss / (1.0 - loss);
    let once = error::finite("c_wait", c_wait * rtt)?;
    let cost = |m: f64| once * (1.0 + odds / m) + c_copy * (m + odds);
    let free = (once * odds / c_copy).sqrt();
    if free.is_nan() {
        // Neither waiting again nor copies cost anything.
        return Ok((rtt, cost(1.0)));
    }
    if free.is_infinite() {
        return Err(Error::new("c_copy", Reason::NotPositive(c_copy)));
    }
    let (low, high) = (free.floor().max(1.0), free.ceil().max(1.0));
    let copies = if cost(low) <= cost(high) { low } else { high };
    Ok((rtt / copies, cost(copies)))
}

fn periodic_times(period: f64, copies: usize) -> Result<Vec<f64>> {
    if copies > COPIES_MAX {
        return Err(Error::out_of_range("K", format!("must be at most {COPIES_MAX}, and is {copies}")));
    }
    Ok((0..copies).map(|i| i as f64 * period).collect())
}

fn check_schedule(times: &[f64], give_up: f64) -> Result<()> {
    error::non_empty("times", times)?;
    if times.len() > COPIES_MAX {
        return Err(Error::out_of_range("times", format!("must be at most {COPIES_MAX} copies")));
    }
    for (i, &t) in times.iter().enumerate() {
        error::non_negative(&format!("times[{i}]"), t)?;
        if i > 0 && t <= times[i - 1] {
            return Err(Error::out_of_range(format!("times[{i}]"), "must be after the one before"));
        }
    }
    error::finite("give_up", give_up)?;
    if give_up < times[times.len() - 1] {
        return Err(Error::out_of_range("give_up", "must not be before the last copy"));
    }
    Ok(())
}

/// The least of `f` between `a` and `b`: evenly spaced places, then golden sections around the best.
fn scan(f: &dyn Fn(f64) -> f64, a: f64, b: f64) -> (f64, f64) {
    let place = |i: u32| a + (b - a) * f64::from(i) / f64::from(SCAN);
    let mut best = (place(SCAN), f(place(SCAN)));
    let mut at = SCAN;
    for i in (1..SCAN).rev() {
        let value = f(place(i));
        if value <= best.1 {
            (best, at) = ((place(i), value), i);
        }
    }
    let refined = numeric::least(f, place(at.saturating_sub(1)), place((at + 1).min(SCAN)), 1e-7);
    if refined.1 < best.1 { refined } else { best }
}
