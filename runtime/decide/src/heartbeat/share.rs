//! The share of invocations that cost anything, in the long run.
//!
//! If exactly one process is correct, all but finitely many invocations come after the other's crash and complete at
//! once, for nothing. If both are correct, every invocation costs. If both crash, those begun before the first crash
//! do: `E[2 min(T_s, T_r) / (T_s + T_r)]`, with crash times that are exponential where crashes are rare.

use crate::error::{self, Result};
use crate::protocol::Process;

/// `alpha_s alpha_r + (1 - alpha_s)(1 - alpha_r) lam3(beta_s / beta_r)`, from 0 to 1.
///
/// A process whose crash probability is 0 is correct, whatever its `correct` says.
pub fn lambda(sender: &Process, receiver: &Process) -> Result<f64> {
    sender.check("sender")?;
    receiver.check("receiver")?;
    let correct = |p: &Process| if p.crash == 0.0 { 1.0 } else { p.correct };
    let (s, r) = (correct(sender), correct(receiver));
    let crashing = (1.0 - s) * (1.0 - r);
    let begun = if crashing == 0.0 { 0.0 } else { crashing * lam3(sender.crash, receiver.crash)? };
    Ok(s * r + begun)
}

/// The share where both crash: `2 [g(rho) + g(1/rho)]`, `rho = beta_s / beta_r`, with
/// `g(rho) = (rho / k^2) [ln(1 + k/2) + 1/(1 + k/2) - 1]`, `k = rho - 1`, `g(1) = 1/8`.
///
/// Symmetric; 1/2 for equal rates, towards 0 as they part. Both rates must be positive.
pub fn lam3(beta_s: f64, beta_r: f64) -> Result<f64> {
    error::positive("sender.crash", beta_s)?;
    error::positive("receiver.crash", beta_r)?;
    Ok(2.0 * (g(beta_s / beta_r) + g(beta_r / beta_s)))
}

fn g(rho: f64) -> f64 {
    if rho == f64::INFINITY {
        return 0.0;
    }
    let k = rho - 1.0;
    let x = k / 2.0;
    if x.abs() < 0.05 {
        // The bracket is sum over n >= 2 of (-1)^n (n-1)/n x^n, and k^2 = 4 x^2.
        let series: f64 = (2..16).rev().fold(0.0, |sum, n| f64::from(n - 1) / f64::from(n) - x * sum);
        return rho * series / 4.0;
    }
    (rho / k) / k * (x.ln_1p() + 1.0 / (1.0 + x) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_and_closed_form_meet() {
        for rho in [0.9, 0.9 - 1e-9, 1.1, 1.1 + 1e-9, 1.0 + 1e-12, 1.0] {
            let k: f64 = rho - 1.0;
            let expansion = 1.0 / 8.0 + k / 24.0 - 7.0 * k * k / 192.0;
            assert!((g(rho) - expansion).abs() < 4e-2 * k.abs().powi(3) + 1e-15, "{rho}");
        }
        assert!((g(0.9 - 1e-12) - g(0.9 + 1e-12)).abs() < 1e-12);
        assert!((g(1.1 - 1e-12) - g(1.1 + 1e-12)).abs() < 1e-12);
    }

    #[test]
    fn the_share_vanishes_as_the_rates_part() {
        assert_eq!(lam3(1e-5, 1e-5).unwrap(), 0.5);
        assert!(lam3(1e-300, 1.0).unwrap() < 1e-290);
        assert_eq!(lam3(0.0, 1.0).unwrap_err().field, "sender.crash");
    }
}
