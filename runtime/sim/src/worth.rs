//! What time makes of amounts: discounts, and rates that grow with age. Closed forms, so that a stretch of time in which nothing
//! changes is one figure, however long.
//!
//! An integral of a power under a discount is the lower incomplete gamma function, by its series of positive terms.

use foresee_kernel::{Growth, View};

/// Nanoseconds in a second.
pub(crate) const NANOS: f64 = 1e9;

/// Beyond this many time constants of a discount nothing is left that a float would show.
const DECAY_MAX: f64 = 600.0;

/// The most terms of a series; it ends far earlier, when a term no longer changes the sum.
const TERMS_MAX: u32 = 100_000;

/// How what comes later counts: by the discount of an objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Worth {
    /// The decay a second: minus the logarithm of the discount; 0 where there is none.
    decay: f64,
}

impl Worth {
    /// The worth under a discount, in `0 < discount <= 1`.
    pub fn new(discount: f64) -> Self {
        Worth { decay: if discount == 1.0 { 0.0 } else { -discount.ln() } }
    }

    /// Whether all time counts alike.
    pub fn is_plain(self) -> bool {
        self.decay == 0.0
    }

    /// What a unit counts at `now`, in nanoseconds.
    pub fn at(self, now: u64) -> f64 {
        if self.is_plain() { 1.0 } else { (-self.decay * now as f64 / NANOS).exp() }
    }

    /// What a rate of one unit a nanosecond comes to from `from` to `to`. Exact where there is no discount.
    pub fn stretch(self, from: u64, to: u64) -> f64 {
        let length = (to - from) as f64;
        if self.is_plain() {
            return length;
        }
        self.at(from) * -(-self.decay * length / NANOS).exp_m1() / self.decay * NANOS
    }

    /// What one unit a second that grows by `growth` since `birth` comes to from `from` to `to`, in units.
    pub fn grown(self, growth: Grown, birth: u64, from: u64, to: u64) -> f64 {
        let (first, last) = ((from - birth) as f64 / NANOS, (to - birth) as f64 / NANOS);
        self.at(birth)
            * match growth {
                Grown::Power(power) => self.power(power + 1.0, last) - self.power(power + 1.0, first),
                Grown::Factor(logarithm) => {
                    // Growth and discount are one exponential.
                    let speed = logarithm - self.decay;
                    match speed == 0.0 {
                        true => last - first,
                        false => (speed * first).exp() * (speed * (last - first)).exp_m1() / speed,
                    }
                }
            }
    }

    /// The integral of a^(s-1) e^(-decay a) from 0 to `age`.
    fn power(self, s: f64, age: f64) -> f64 {
        if age <= 0.0 {
            return 0.0;
        }
        if self.is_plain() {
            return age.powf(s) / s;
        }
        let age = age.min(DECAY_MAX / self.decay);
        let x = self.decay * age;
        let (mut term, mut sum) = (1.0 / s, 0.0);
        for n in 1..TERMS_MAX {
            sum += term;
            term *= x / (s + f64::from(n));
            if term <= sum * f64::EPSILON / 4.0 {
                break;
            }
        }
        (s * age.ln() - x).exp() * sum
    }
}

/// How a rate grows, with its figure known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Grown {
    /// With this power of the age.
    Power(f64),
    /// With the exponential of this times the age.
    Factor(f64),
}

impl Grown {
    pub fn new(growth: Growth, view: &View<'_>) -> Self {
        match growth {
            Growth::Power(power) => Grown::Power(power(view).max(0.0)),
            Growth::Factor(factor) => Grown::Factor(factor(view).ln()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Simpson's rule, to compare closed forms with.
    fn numerically(worth: Worth, growth: impl Fn(f64) -> f64, birth: u64, from: u64, to: u64) -> f64 {
        let (a, b, steps) = (from as f64 / NANOS, to as f64 / NANOS, 20_000);
        let h = (b - a) / f64::from(steps);
        let value = |t: f64| (-worth.decay * t).exp() * growth(t - birth as f64 / NANOS);
        let inner = |n: i32| value(a + h * f64::from(n)) * if n % 2 == 1 { 4.0 } else { 2.0 };
        (value(a) + value(b) + (1..steps).map(inner).sum::<f64>()) * h / 3.0
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn a_discount_counts_a_second_from_now_by_its_factor() {
        let (plain, half) = (Worth::new(1.0), Worth::new(0.5));
        assert_eq!((plain.at(7 * SECOND), plain.stretch(SECOND, 3 * SECOND)), (1.0, 2.0 * NANOS));
        near(half.at(2 * SECOND), 0.25);
        near(half.stretch(0, SECOND) / NANOS, 0.5 / std::f64::consts::LN_2);
        near(half.stretch(0, 5 * SECOND) + half.stretch(5 * SECOND, 9 * SECOND), half.stretch(0, 9 * SECOND));
    }

    #[test]
    fn growing_rates_without_a_discount_are_polynomials_and_exponentials() {
        let plain = Worth::new(1.0);
        near(plain.grown(Grown::Power(1.0), SECOND, SECOND, 5 * SECOND), 8.0);
        near(plain.grown(Grown::Power(2.0), 0, SECOND, 2 * SECOND), 7.0 / 3.0);
        near(plain.grown(Grown::Power(0.0), 0, SECOND, 3 * SECOND), 2.0);
        near(plain.grown(Grown::Factor(2.0_f64.ln()), 0, 0, 3 * SECOND), 7.0 / std::f64::consts::LN_2);
        near(plain.grown(Grown::Factor(0.0), 0, SECOND, 3 * SECOND), 2.0);
    }

    #[test]
    fn growing_rates_under_a_discount_agree_with_a_numerical_integral() {
        for discount in [0.5, 0.9, 0.999] {
            let worth = Worth::new(discount);
            for (birth, from, to) in [(0, 0, SECOND), (2, 3, 7), (1, 4, 40)].map(|(a, b, c)| match c {
                SECOND => (0, 0, SECOND),
                _ => (a * SECOND, b * SECOND, c * SECOND),
            }) {
                for power in [1.0, 2.0, 3.5] {
                    let found = worth.grown(Grown::Power(power), birth, from, to);
                    near(found, numerically(worth, |age| age.powf(power), birth, from, to));
                }
                let found = worth.grown(Grown::Factor(1.1_f64.ln()), birth, from, to);
                near(found, numerically(worth, |age| 1.1_f64.powf(age), birth, from, to));
            }
        }
    }

    #[test]
    fn nothing_is_left_after_a_very_long_time() {
        let worth = Worth::new(0.5);
        let all = worth.grown(Grown::Power(1.0), 0, 0, 100_000 * SECOND);
        near(all, 1.0 / std::f64::consts::LN_2.powi(2));
        assert!(worth.grown(Grown::Power(1.0), 0, 50_000 * SECOND, 100_000 * SECOND) < 1e-100);
    }
}
