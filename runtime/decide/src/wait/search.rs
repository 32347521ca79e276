//! The hazard rule for any law, benefit and cost, by quadrature.
//!
//! The derivative of `U` is `B(w) f(w) - C'(w) S(w)`: the best plan ends where it crosses zero from above, or at
//! once, or never. All such crossings are compared. A [`Prospect`] generalises the law: success has a density, and
//! the wait may end without success, as when a vote is *no*.
//!
//! # Caveats
//! Between neighbouring landmarks of a prospect at most one crossing is found; landmarks are quantiles, a few
//! hundred of them, and all kinks. A chance of success below 1e-13 counts as none.

use super::Plan;
use crate::cost::{Benefit, Cost};
use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;
use crate::law::{Arrival, Law};
use crate::numeric;

/// How many quantiles of a law are landmarks in its bulk.
const BULK: u32 = 256;

/// The survival below which a tail is over.
const TAIL: f64 = 1e-13;

/// How often the horizon of an endless wait is doubled before its cost counts as infinite.
const DOUBLINGS_MAX: u32 = 200;

/// Something to wait for.
pub trait Prospect {
    /// Density of success at `t`.
    fn density(&self, t: f64) -> f64;

    /// Probability that at `t` it is still open: neither success nor the end of hope.
    fn open(&self, t: f64) -> f64;

    /// Probability that it stays open for ever.
    fn unresolved(&self) -> f64;

    /// Ascending times between which the chances change smoothly; the last is when nearly all has happened.
    fn landmarks(&self) -> Vec<f64>;
}

impl Prospect for Arrival {
    fn density(&self, t: f64) -> f64 {
        Arrival::density(self, t)
    }

    fn open(&self, t: f64) -> f64 {
        self.survival(t)
    }

    fn unresolved(&self) -> f64 {
        self.never
    }

    fn landmarks(&self) -> Vec<f64> {
        let survival = |x: f64| self.delay.survival(x);
        let bulk = (1..BULK).map(|i| 1.0 - f64::from(i) / f64::from(BULK));
        let tail = (9..=44).flat_map(|i| [1.0, 0.75].map(|part| part * 0.5_f64.powi(i)));
        let levels = bulk.chain(tail).filter(|&level| level >= TAIL);
        let mut times: Vec<f64> = levels.map(|level| self.start + quantile(&survival, level)).collect();
        times.extend(self.kinks());
        times.retain(|t| *t >= 0.0);
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    }
}

/// The best plan after `elapsed` without news; the earliest of several. The utility counts from `elapsed` on.
pub fn best(prospect: &dyn Prospect, benefit: &Benefit, cost: &Cost, elapsed: f64) -> Result<Plan> {
    benefit.check()?;
    cost.check()?;
    error::non_negative("elapsed", elapsed)?;
    let open = prospect.open(elapsed);
    if open <= 0.0 {
        return Ok(Plan::stop(elapsed));
    }
    let slope = |t: f64| slope(prospect, benefit, cost, t);
    let marks = marks(prospect, benefit, cost, elapsed);
    let mut plan = Plan::stop(elapsed);
    let (mut from, mut sum) = (elapsed, 0.0);
    let mut rising = false;
    for (i, &to) in marks.iter().enumerate() {
        // Just inside the piece, since the slope may jump at its ends.
        let inside = |share: f64| slope(from + share * (to - from));
        let (first, last) = (inside(1e-9), inside(1.0 - 1e-9));
        let mut end = None;
        if first > 0.0 && last <= 0.0 {
            end = Some(numeric::root(&slope, from, to));
        } else if rising && first <= 0.0 {
            consider(&mut plan, from, sum / open)?;
        }
        if let Some(end) = end {
            let here = sum + numeric::integral(&slope, from, end, &[]);
            consider(&mut plan, end, here / open)?;
        }
        sum += numeric::integral(&slope, from, to, &[]);
        rising = last > 0.0;
        from = to;
        if i + 1 == marks.len() && rising {
            let until = if worth_for_ever(prospect, cost) { f64::INFINITY } else { to };
            consider(&mut plan, until, sum / open)?;
        }
    }
    Ok(plan)
}

/// `U(w)` given silence until `elapsed`, for any `w`, infinite for ever.
pub fn utility(
    prospect: &dyn Prospect,
    benefit: &Benefit,
    cost: &Cost,
    elapsed: f64,
    w: Extended,
) -> Result<Extended> {
    benefit.check()?;
    cost.check()?;
    error::non_negative("elapsed", elapsed)?;
    if w.get() < elapsed {
        return Err(Error::out_of_range("w", format!("must not be before `elapsed`, and is {w}")));
    }
    let open = prospect.open(elapsed);
    if open <= 0.0 {
        return Ok(Extended::ZERO);
    }
    let slope = |t: f64| slope(prospect, benefit, cost, t);
    let marks = marks(prospect, benefit, cost, elapsed);
    let sum = |from: f64, to: f64| numeric::integral(&slope, from, to, &marks);
    if w.is_finite() {
        return settled(sum(elapsed, w.get()) / open);
    }
    if prospect.unresolved() > 0.0 && cost.is_unbounded() {
        return Ok(Extended::NEG_INFINITY);
    }
    let mut to = marks.last().copied().unwrap_or(elapsed).max(elapsed + 1.0);
    let mut whole = sum(elapsed, to);
    for _ in 0..DOUBLINGS_MAX {
        let more = sum(to, 2.0 * to);
        whole += more;
        to *= 2.0;
        if more.abs() <= 1e-14 * whole.abs() {
            return settled(whole / open);
        }
    }
    Ok(Extended::NEG_INFINITY)
}

/// Whether a wait that is still worth while at the last landmark is so for ever: nothing is left open, or the open
/// part costs nothing.
fn worth_for_ever(prospect: &dyn Prospect, cost: &Cost) -> bool {
    prospect.unresolved() == 0.0 || !cost.is_unbounded()
}

fn slope(prospect: &dyn Prospect, benefit: &Benefit, cost: &Cost, t: f64) -> f64 {
    let (open, rate) = (prospect.open(t), cost.rate(t));
    let spent = if open == 0.0 || rate == 0.0 { 0.0 } else { rate * open };
    let density = prospect.density(t);
    let gained = if density == 0.0 { 0.0 } else { benefit.at(t) * density };
    gained - spent
}

fn marks(prospect: &dyn Prospect, benefit: &Benefit, cost: &Cost, elapsed: f64) -> Vec<f64> {
    let mut marks = prospect.landmarks();
    marks.extend(benefit.kinks());
    marks.extend(cost.kinks());
    marks.retain(|&t| t > elapsed && t.is_finite());
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    marks
}

fn consider(plan: &mut Plan, until: f64, utility: f64) -> Result<()> {
    let utility = settled(utility)?;
    if utility > plan.utility {
        *plan = Plan { until: Extended::of(until), utility };
    }
    Ok(())
}

fn settled(x: f64) -> Result<Extended> {
    if x.is_nan() { Err(Error::new("cost", Reason::NotFinite)) } else { Ok(Extended::of(x)) }
}

/// The first time at which a survival function is at most `level`.
pub(super) fn quantile(survival: &dyn Fn(f64) -> f64, level: f64) -> f64 {
    let mut far = 1.0;
    while survival(far) > level && far < f64::MAX / 4.0 {
        far *= 2.0;
    }
    while far > f64::MIN_POSITIVE * 4.0 && survival(far / 2.0) <= level {
        far /= 2.0;
    }
    // Forty halvings place a landmark well enough.
    let (mut a, mut b) = (far / 2.0, far);
    for _ in 0..40 {
        let middle = (a + b) / 2.0;
        if survival(middle) > level { a = middle } else { b = middle }
    }
    b
}
