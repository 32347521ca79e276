//! Survival over whole numbers of rounds: powers of a probability near 1, exact where crashes are rare.
//!
//! `1 - q^n` loses every digit where `q` is within rounding of 1, which is where real machines live; so `q` is kept
//! as its logarithm and differences go through `exp_m1`.

/// A number `q >= 0` that is raised to whole powers, kept as `ln q`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decay {
    ln: f64,
}

impl Decay {
    /// Never decays: `q = 1`.
    pub const NONE: Decay = Decay { ln: 0.0 };

    /// Survives one round with probability `1 - crash`.
    pub fn surviving(crash: f64) -> Self {
        Decay { ln: (-crash).ln_1p() }
    }

    /// Both survive: the product.
    pub fn and(self, other: Decay) -> Self {
        Decay { ln: self.ln + other.ln }
    }

    /// `factor * q`, for a positive factor.
    pub fn times(self, factor: f64) -> Self {
        Decay { ln: self.ln + factor.ln() }
    }

    /// `q = 1`.
    pub fn is_none(self) -> bool {
        self.ln == 0.0
    }

    /// `q^n`.
    pub fn pow(self, n: f64) -> f64 {
        if n == 0.0 { 1.0 } else { (n * self.ln).exp() }
    }

    /// `1 - q^n`.
    pub fn gap(self, n: f64) -> f64 {
        if n == 0.0 { 0.0 } else { -(n * self.ln).exp_m1() }
    }

    /// `1 - f q^n`, where `rest` is `1 - f`.
    pub fn gap_of(self, n: f64, f: f64, rest: f64) -> f64 {
        if f == 0.0 { 1.0 } else { rest + f * self.gap(n) }
    }

    /// `1 + z + .. + z^(n-1)` for `z = q^step`.
    pub fn geometric(self, step: f64, n: f64) -> f64 {
        let one = self.gap(step);
        if one == 0.0 {
            n
        } else if one == f64::NEG_INFINITY {
            // Beyond the floats, unless there is only the first term.
            if n <= 1.0 { n } else { f64::INFINITY }
        } else {
            self.gap(step * n) / one
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_agree_with_additions() {
        for crash in [0.0, 1e-17, 1e-9, 0.25, 1.0] {
            let q = Decay::surviving(crash);
            let added: f64 = (0..5).map(|i| (1.0 - crash).powi(3 * i)).sum();
            assert!((q.geometric(3.0, 5.0) - added).abs() < 1e-12, "{crash}");
        }
    }

    #[test]
    fn rare_crashes_keep_their_digits() {
        let q = Decay::surviving(1e-18);
        assert!((q.gap(1000.0) - 1e-15).abs() < 1e-30);
    }
}
