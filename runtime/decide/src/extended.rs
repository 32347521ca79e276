//! Extended reals: the finite numbers and the two infinities, with the paper's conventions and without NaN.
//!
//! Section 2 of the paper: `0 * inf = 0`; `x * inf = inf` for `x > 0` and `-inf` for `x < 0`; `x + inf = inf` for
//! finite `x`; `inf + inf = inf`; and `inf + (-inf)` is undefined, which is an [`Error`] here. So a branch of
//! probability 0 adds nothing however bad it is, and a branch of positive probability and infinite cost decides.
//!
//! # Caveats
//! A finite result too large for an `f64` becomes the infinity of its sign.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Mul, Neg};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::error::{Error, Reason, Result};

/// A real number, or plus or minus infinity; never NaN, and zero has no sign.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extended(f64);

impl Extended {
    /// Nothing.
    pub const ZERO: Extended = Extended(0.0);
    /// More than every number.
    pub const INFINITY: Extended = Extended(f64::INFINITY);
    /// Less than every number.
    pub const NEG_INFINITY: Extended = Extended(f64::NEG_INFINITY);

    /// `x`, which must not be NaN; `field` is named if it is.
    pub fn new(field: &str, x: f64) -> Result<Self> {
        if x.is_nan() { Err(Error::new(field, Reason::NotANumber)) } else { Ok(Extended::of(x)) }
    }

    /// `x`, known not to be NaN by the arithmetic that made it.
    pub(crate) fn of(x: f64) -> Self {
        assert!(!x.is_nan(), "a formula of this crate left the extended reals");
        // Adding zero turns -0 into 0, so that equal numbers are written alike.
        Extended(x + 0.0)
    }

    /// The number as a float, possibly infinite.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The number if it is finite.
    #[must_use]
    pub fn finite(self) -> Option<f64> {
        self.0.is_finite().then_some(self.0)
    }

    /// Whether it is neither infinity.
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }

    /// The sum; `None` for infinity minus infinity.
    #[must_use]
    pub fn checked_add(self, other: Extended) -> Option<Extended> {
        let sum = self.0 + other.0;
        (!sum.is_nan()).then(|| Extended::of(sum))
    }

    /// The difference; `None` where both are the same infinity.
    #[must_use]
    pub fn checked_sub(self, other: Extended) -> Option<Extended> {
        self.checked_add(-other)
    }

    /// The sum; infinity minus infinity is an error about `field`.
    pub fn plus(self, other: Extended, field: &str) -> Result<Extended> {
        self.checked_add(other)
            .ok_or_else(|| Error::new(field, Reason::Undefined("infinity minus infinity".into())))
    }

    /// `factors` times `values`, added up in the given order: each product first, so that a zero factor silences an
    /// infinity. Opposite infinities among the products are an error about `field`.
    pub fn dot(factors: &[f64], values: &[Extended], field: &str) -> Result<Extended> {
        let mut sum = Extended::ZERO;
        for (&factor, &value) in factors.iter().zip(values) {
            sum = sum.plus(Extended::new(field, factor)? * value, field)?;
        }
        Ok(sum)
    }
}

/// `0 * inf = 0`, else as usual.
impl Mul for Extended {
    type Output = Extended;

    fn mul(self, other: Extended) -> Extended {
        if self.0 == 0.0 || other.0 == 0.0 { Extended::ZERO } else { Extended::of(self.0 * other.0) }
    }
}

impl Neg for Extended {
    type Output = Extended;

    fn neg(self) -> Extended {
        Extended::of(-self.0)
    }
}

impl Eq for Extended {}

impl PartialOrd for Extended {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Extended {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl From<Extended> for f64 {
    fn from(x: Extended) -> f64 {
        x.0
    }
}

impl From<u32> for Extended {
    fn from(n: u32) -> Extended {
        Extended(f64::from(n))
    }
}

impl TryFrom<f64> for Extended {
    type Error = Error;

    fn try_from(x: f64) -> Result<Extended> {
        Extended::new("value", x)
    }
}

impl fmt::Display for Extended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A number where it is finite, else the text `inf` or `-inf`: JSON has no infinity.
impl Serialize for Extended {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            to.serialize_f64(self.0)
        } else {
            to.serialize_str(if self.0 > 0.0 { "inf" } else { "-inf" })
        }
    }
}

/// A number, or the text `inf`, `+inf` or `-inf`.
impl<'de> Deserialize<'de> for Extended {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(Numbers)
    }
}

struct Numbers;

impl Visitor<'_> for Numbers {
    type Value = Extended;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: de::Error>(self, x: f64) -> std::result::Result<Extended, E> {
        if x.is_nan() { Err(E::custom("NaN is not a number")) } else { Ok(Extended::of(x)) }
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> std::result::Result<Extended, E> {
        Ok(Extended(n as f64))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> std::result::Result<Extended, E> {
        Ok(Extended(n as f64))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Extended, E> {
        match text {
            "inf" | "+inf" => Ok(Extended::INFINITY),
            "-inf" => Ok(Extended::NEG_INFINITY),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_conventions_hold() {
        let (zero, inf) = (Extended::ZERO, Extended::INFINITY);
        let two = Extended::from(2);
        assert_eq!(zero * inf, zero);
        assert_eq!(inf * zero, zero);
        assert_eq!(two * inf, inf);
        assert_eq!(-two * inf, -inf);
        assert_eq!(two.checked_add(inf), Some(inf));
        assert_eq!(inf.checked_add(inf), Some(inf));
        assert_eq!(inf.checked_add(-inf), None);
        assert!(Extended::new("x", f64::NAN).is_err());
        assert_eq!(Extended::of(-0.0).to_string(), "0");
    }

    #[test]
    fn a_branch_of_probability_zero_is_silent_and_opposite_infinities_are_an_error() {
        let values = [Extended::INFINITY, Extended::NEG_INFINITY, Extended::from(4)];
        assert_eq!(Extended::dot(&[0.0, 0.5, 0.5], &values, "u").unwrap(), Extended::NEG_INFINITY);
        assert_eq!(Extended::dot(&[0.0, 0.0, 1.0], &values, "u").unwrap(), Extended::from(4));
        assert_eq!(Extended::dot(&[0.5, 0.5, 0.0], &values, "u").unwrap_err().field, "u");
    }

    #[test]
    fn infinities_are_text_in_json() {
        let list = [Extended::INFINITY, Extended::from(3), Extended::NEG_INFINITY];
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(text, r#"["inf",3.0,"-inf"]"#);
        assert_eq!(serde_json::from_str::<Vec<Extended>>(&text).unwrap(), list);
        assert!(serde_json::from_str::<Extended>("\"infinite\"").is_err());
    }
}
