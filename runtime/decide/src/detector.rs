//! Quality of service of a failure detector, and what to choose for it.
//!
//! The detector is NFD-S of Chen, Toueg and Aguilera: heartbeat `i` is sent at `i eta`; from the freshness point
//! `i eta + shift` until the next one the watcher trusts iff some heartbeat `j >= i` has arrived. With the loss `p`,
//! the delay `D`, `k = ceil(shift/eta)`, `p_j(x) = p + (1-p) P(D > shift + x - j eta)` and
//! `u(x) = product of p_0(x) .. p_k(x)`:
//!
//! ```text
//! q0 = (1-p) P(D < shift + eta)      p_S = q0 u(0)
//! E[T_MR] = eta / p_S     E[T_M] = (integral of u over [0, eta]) / p_S     P_A = 1 - (that integral) / eta
//! ```
//!
//! Section 5(c). Times are in the caller's unit; clocks agree.

use serde::{Deserialize, Serialize};

use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;
use crate::law::Law;
use crate::numeric;

/// The most heartbeats that may be under way or overdue at once: `shift / eta`.
pub const OVERDUE_MAX: f64 = 1e5;

/// How many periods [`configure`] tries below the longest allowed.
const SCAN: u32 = 4000;

/// A detector and the link it listens on.
#[derive(Clone, Copy)]
pub struct Detector<'a> {
    /// Time between two heartbeats.
    pub eta: f64,
    /// How long after it is sent a heartbeat is due.
    pub shift: f64,
    /// Probability that a heartbeat is lost.
    pub loss: f64,
    /// Law of a heartbeat's delay.
    pub delay: &'a dyn Law,
}

/// How good a detector is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// `q0`: probability that a heartbeat arrives in time for the next freshness point.
    pub q0: f64,
    /// `p_S`: probability that a freshness point begins a mistake.
    pub ps: f64,
    /// `E[T_MR]`: time from one mistake to the next; infinite if there are none.
    pub recurrence: Extended,
    /// `E[T_M]`: how long a mistake lasts; 0 if there are none, infinite if it never trusts.
    pub duration: Extended,
    /// `P_A`: probability that a living process is trusted.
    pub accuracy: f64,
    /// `E[T_D]`: time from a crash to its suspicion.
    pub detection: f64,
}

/// What the four sides of a detector cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// Cost of a heartbeat.
    pub c_hb: f64,
    /// Crashes a unit of time.
    pub crash_rate: f64,
    /// Cost of a unit of time in which a crash is not noticed.
    pub c_det: f64,
    /// Cost of a mistake.
    pub c_mist: f64,
    /// Cost of a unit of time in which a living process is suspected.
    pub c_susp: f64,
}

/// What a user demands of a detector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// A crash is noticed within this time.
    pub detection: f64,
    /// Mistakes are at least this long apart, in expectation.
    pub recurrence: f64,
    /// A mistake lasts at most this long, in expectation.
    pub duration: f64,
}

impl Detector<'_> {
    /// Checks every figure.
    pub fn check(&self) -> Result<()> {
        error::positive("eta", self.eta)?;
        error::non_negative("shift", self.shift)?;
        error::probability("pL", self.loss)?;
        if self.shift / self.eta > OVERDUE_MAX {
            return Err(Error::out_of_range("shift", format!("must be at most {OVERDUE_MAX} periods")));
        }
        Ok(())
    }

    /// Its quality of service, by the formulas of the module.
    pub fn quality(&self) -> Result<Quality> {
        self.check()?;
        let (eta, shift) = (self.eta, self.shift);
        let kept = 1.0 - self.loss;
        let q0 = kept * (1.0 - self.delay.not_before(shift + eta));
        let ps = q0 * self.suspects(0.0);
        let kinks = self.kinks();
        let suspected = numeric::integral(&|x| self.suspects(x), 0.0, eta, &kinks);
        let recurrence = if ps == 0.0 { f64::INFINITY } else { eta / ps };
        let duration = if suspected == 0.0 { 0.0 } else { suspected / ps };
        Ok(Quality {
            q0,
            ps,
            recurrence: Extended::of(recurrence),
            duration: Extended::of(duration),
            accuracy: (1.0 - suspected / eta).max(0.0),
            detection: self.detection(q0),
        })
    }

    /// Expected cost a unit of time: `c_hb/eta + beta c_det E[T_D] + c_mist/E[T_MR] + c_susp (1 - P_A)`.
    pub fn cost(&self, prices: &Prices) -> Result<f64> {
        prices.check()?;
        let quality = self.quality()?;
        Ok(prices.c_hb / self.eta + prices.mistakes_and_delays(&quality))
    }

    /// `u(x)`: none of the heartbeats that would do has arrived `x` after a freshness point.
    fn suspects(&self, x: f64) -> f64 {
        let overdue = (self.shift / self.eta).ceil();
        let kept = 1.0 - self.loss;
        let mut product = 1.0;
        let mut j = 0.0;
        while j <= overdue && product > 0.0 {
            product *= self.loss + kept * self.delay.survival(self.shift + x - j * self.eta);
            j += 1.0;
        }
        product
    }

    /// `E[T_D]`: the last heartbeat that arrived in time decides; the crash is uniform in the period after a beat.
    fn detection(&self, q0: f64) -> f64 {
        let (eta, shift) = (self.eta, self.shift);
        let (mut sum, mut weight) = (0.0, q0);
        let mut j = 0.0;
        while (1.0 - j) * eta + shift > 0.0 && weight > 0.0 {
            let y = (1.0 - j) * eta + shift;
            sum += weight * if y >= eta { y - eta / 2.0 } else { y * (y / eta) / 2.0 };
            weight *= 1.0 - q0;
            j += 1.0;
        }
        sum
    }

    /// Where `u` has corners inside a period.
    fn kinks(&self) -> Vec<f64> {
        let overdue = (self.shift / self.eta).ceil() as u32;
        let of_delay = self.delay.kinks();
        let dues = (0..=overdue).map(|j| f64::from(j) * self.eta - self.shift);
        let inside = |x: &f64| *x > 0.0 && *x < self.eta;
        dues.flat_map(|due| of_delay.iter().map(move |k| due + k)).filter(inside).collect()
    }
}

impl Prices {
    /// Checks that none is negative.
    pub fn check(&self) -> Result<()> {
        error::non_negative("c_hb", self.c_hb)?;
        error::non_negative("beta", self.crash_rate)?;
        error::non_negative("c_det", self.c_det)?;
        error::non_negative("c_mist", self.c_mist)?;
        error::non_negative("c_susp", self.c_susp)?;
        Ok(())
    }

    /// What a detector's quality costs a unit of time, heartbeats apart.
    #[must_use]
    pub fn mistakes_and_delays(&self, quality: &Quality) -> f64 {
        self.crash_rate * self.c_det * quality.detection
            + self.c_mist / quality.recurrence.get()
            + self.c_susp * (1.0 - quality.accuracy)
    }

    /// The best period where mistakes are negligible and the shift fixed: `sqrt(2 c_hb / (beta c_det))`.
    pub fn square_root(&self) -> Result<Extended> {
        self.check()?;
        if self.c_hb == 0.0 {
            return Ok(Extended::ZERO);
        }
        Extended::new("c_hb", (2.0 * self.c_hb / (self.crash_rate * self.c_det)).sqrt())
    }
}

/// The cheapest of all pairs of a period and a shift, and its cost a unit of time; the first of several.
pub fn best(
    loss: f64,
    delay: &dyn Law,
    prices: &Prices,
    etas: &[f64],
    shifts: &[f64],
) -> Result<(f64, f64, f64)> {
    error::non_empty("etas", etas)?;
    error::non_empty("shifts", shifts)?;
    let mut best: Option<(f64, f64, f64)> = None;
    for &eta in etas {
        for &shift in shifts {
            let cost = Detector { eta, shift, loss, delay }.cost(prices)?;
            if best.is_none_or(|b| cost < b.0) {
                best = Some((cost, eta, shift));
            }
        }
    }
    best.ok_or_else(|| Error::new("etas", Reason::Empty))
}

/// The longest period, with its shift, that meets a requirement by the procedure of Chen, Toueg and Aguilera.
///
/// With `q = (1-p) P(D < T_D)` the period is at most `q T_M`, the shift is `T_D - eta`, and
/// `eta / (q product_{j=1}^{ceil(T_D/eta)-1} [p + (1-p) P(D > T_D - j eta)]) >= T_MR`. What is returned has been
/// checked against [`Detector::quality`]. `None` where no period tried will do; none below `T_D / 200` is tried.
pub fn configure<'a>(loss: f64, delay: &'a dyn Law, wanted: &Requirement) -> Result<Option<Detector<'a>>> {
    error::probability("pL", loss)?;
    error::positive("T_D", wanted.detection)?;
    error::non_negative("T_MR", wanted.recurrence)?;
    error::positive("T_M", wanted.duration)?;
    let q = (1.0 - loss) * (1.0 - delay.not_before(wanted.detection));
    let longest = (q * wanted.duration).min(wanted.detection);
    let shortest = wanted.detection / 200.0;
    if longest <= 0.0 || longest < shortest {
        return Ok(None);
    }
    let meets = |eta: f64| -> Result<bool> {
        let detector = Detector { eta, shift: wanted.detection - eta, loss, delay };
        let quality = detector.quality()?;
        Ok(quality.recurrence.get() >= wanted.recurrence && quality.duration.get() <= wanted.duration)
    };
    // The bound is not monotone in the period: a shorter one may leave less time to the last heartbeat. So descend.
    let step = |i: u32| longest * (shortest / longest).powf(f64::from(i) / f64::from(SCAN));
    for i in 0..=SCAN {
        let eta = step(i);
        if recurrence_bound(eta, q, loss, delay, wanted.detection) >= wanted.recurrence && meets(eta)? {
            return Ok(Some(Detector { eta, shift: wanted.detection - eta, loss, delay }));
        }
    }
    Ok(None)
}

/// The expected time between mistakes that the procedure credits a period with.
fn recurrence_bound(eta: f64, q: f64, loss: f64, delay: &dyn Law, detection: f64) -> f64 {
    let last = (detection / eta).ceil() - 1.0;
    let mut product = q;
    let mut j = 1.0;
    while j <= last && product > 0.0 {
        product *= loss + (1.0 - loss) * delay.survival(detection - j * eta);
        j += 1.0;
    }
    eta / product
}

/// The rule "suspect after `k` misses in a row": false suspicions a unit of time, `(1-gamma) gamma^k / eta`, and the
/// expected time to detection, `(k - 1/2) eta + slack`.
pub fn misses(eta: f64, k: u32, gamma: f64, slack: f64) -> Result<(f64, f64)> {
    error::positive("eta", eta)?;
    error::probability("gamma", gamma)?;
    error::non_negative("slack", slack)?;
    if k == 0 {
        return Err(Error::new("k", Reason::NotAPeriod(0.0)));
    }
    let rate = (1.0 - gamma) * gamma.powi(k.min(i32::MAX as u32) as i32) / eta;
    Ok((rate, (f64::from(k) - 0.5) * eta + slack))
}
