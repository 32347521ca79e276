//! What silence says: the chance that the other process is up, correct, or suspicious.

use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;
use crate::law::Law;

/// The most misses that [`after_misses`] adds up.
pub const MISSES_MAX: u64 = 10_000_000;

/// Survival of a process that is correct with probability `alpha` and else crashes with probability `beta` in each
/// unit of time: `U(t) = alpha + (1 - alpha)(1 - beta)^t`.
pub fn up(t: f64, alpha: f64, beta: f64) -> Result<f64> {
    error::non_negative("t", t)?;
    error::probability("alpha", alpha)?;
    error::probability("beta", beta)?;
    Ok(survival(t, alpha, beta))
}

/// The chance that a process is correct, given that it has survived `t`: `alpha / U(t)`.
pub fn correct(t: f64, alpha: f64, beta: f64) -> Result<f64> {
    let up = up(t, alpha, beta)?;
    if alpha == 0.0 { Ok(0.0) } else { Ok(alpha / up) }
}

/// What is known of a process that sends heartbeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    /// Time since the last heartbeat that arrived was *sent*.
    pub t: f64,
    /// Time between two heartbeats.
    pub eta: f64,
    /// Later heartbeats that should have arrived and did not.
    pub k: u64,
    /// Probability that a heartbeat is lost.
    pub gamma: f64,
    /// Crash probability in a unit of time.
    pub beta: f64,
    /// Probability that it never crashes.
    pub alpha: f64,
}

/// The chance that it is alive:
///
/// ```text
/// U(t) gamma^k / ( sum_{j<k} [U(j eta) - U((j+1) eta)] gamma^j + U(k eta) gamma^k )
/// ```
///
/// With no misses this is pure ageing. An error where more beats are missed than can have been sent by now, and where
/// the silence cannot be: nothing is ever lost and nobody crashes.
pub fn after_misses(silence: &Silence) -> Result<f64> {
    let Silence { t, eta, k, gamma, beta, alpha } = *silence;
    error::non_negative("t", t)?;
    error::positive("eta", eta)?;
    error::probability("gamma", gamma)?;
    error::probability("beta", beta)?;
    error::probability("alpha", alpha)?;
    if k > MISSES_MAX {
        return Err(Error::out_of_range("k", format!("must be at most {MISSES_MAX}, and is {k}")));
    }
    // The slack is for periods that are no exact floats: 3 * 0.1 > 0.3.
    if error::finite("eta", k as f64 * eta)? > t * (1.0 + 1e-9) {
        return Err(Error::out_of_range(
            "k",
            format!("beats cannot be missed within {t}: only {} were due", t / eta),
        ));
    }
    let up = |t: f64| survival(t, alpha, beta);
    // Divided by gamma^k from the outside in, so that long silences do not underflow.
    let (mut crashed, mut factor) = (0.0, 1.0);
    for j in (0..k).rev() {
        factor /= gamma;
        let in_this_period = gone(j as f64 * eta, eta, alpha, beta);
        if in_this_period > 0.0 {
            crashed += in_this_period * factor;
        }
    }
    let evidence = crashed + up(k as f64 * eta);
    if evidence == 0.0 || (gamma == 0.0 && k > 0 && crashed == 0.0) {
        return Err(Error::new("k", Reason::Undefined("silence that nothing can cause".into())));
    }
    Ok(up(t) / evidence)
}

/// How suspicious a silence of `elapsed` is, for a law of the time between heartbeats: `-log10 P(T > elapsed)`, as
/// phi-accrual detectors report it. 3 means that a living process is silent as long once in a thousand times.
pub fn suspicion(law: &dyn Law, elapsed: f64) -> Result<Extended> {
    error::non_negative("elapsed", elapsed)?;
    let survival = law.survival(elapsed);
    Ok(Extended::of(if survival >= 1.0 { 0.0 } else { -survival.log10() }))
}

fn survival(t: f64, alpha: f64, beta: f64) -> f64 {
    if t == 0.0 { 1.0 } else { alpha + (1.0 - alpha) * (t * (-beta).ln_1p()).exp() }
}

/// `U(from) - U(from + more)`, without cancellation.
fn gone(from: f64, more: f64, alpha: f64, beta: f64) -> f64 {
    let ln = (-beta).ln_1p();
    let reached = if from == 0.0 { 1.0 } else { (from * ln).exp() };
    (1.0 - alpha) * reached * -(more * ln).exp_m1()
}
