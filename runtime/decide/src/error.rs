//! What can be wrong with a question: a field and the reason, and the checks that name both.
//!
//! Every public function of this crate that takes numbers checks them here, so nonsense is an [`Error`] that names
//! the field and never a NaN, a panic or a silent correction.

use std::fmt;

use serde::Serialize;

/// A question that has no answer, with the field at fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Error {
    /// The field at fault, as the caller wrote it: `gamma`, `acts[2].utilities`.
    pub field: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "found", rename_all = "snake_case")]
pub enum Reason {
    /// Must lie between 0 and 1.
    NotAProbability(f64),
    /// Must not be below zero.
    Negative(f64),
    /// Must be above zero.
    NotPositive(f64),
    /// Must be a finite number.
    NotFinite,
    /// Must be a number; NaN is none.
    NotANumber,
    /// Must be a whole number of at least 1, small enough to be exact.
    NotAPeriod(f64),
    /// Must be a whole number of at least 0, small enough to be exact.
    NotACount(f64),
    /// Must have at least one element.
    Empty,
    /// Has the wrong number of elements.
    Length {
        /// How many it has.
        found: usize,
        /// How many it must have.
        expected: usize,
    },
    /// Must add up to 1.
    NotADistribution(f64),
    /// Must lie in a range that other fields set; the text says which.
    OutOfRange(String),
    /// Infinity minus infinity: the outcomes of positive probability pull both ways without bound.
    Undefined(String),
    /// Is required.
    Missing,
    /// Is not a field of this kind of case.
    Unknown(String),
    /// Has a value of the wrong shape or an unknown name.
    Malformed(String),
}

/// The result of a computation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error about `field`.
    pub fn new(field: impl Into<String>, reason: Reason) -> Self {
        Error { field: field.into(), reason }
    }

    /// `field` lies outside of what other fields allow; `why` completes "`field` ..".
    pub fn out_of_range(field: impl Into<String>, why: impl Into<String>) -> Self {
        Error::new(field, Reason::OutOfRange(why.into()))
    }

    /// The same error about a field inside another: `p` within `acts[1]` is `acts[1].p`.
    #[must_use]
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.field)?;
        match &self.reason {
            Reason::NotAProbability(x) => write!(f, "must be a probability, from 0 to 1, and is {x}"),
            Reason::Negative(x) => write!(f, "must not be negative, and is {x}"),
            Reason::NotPositive(x) => write!(f, "must be positive, and is {x}"),
            Reason::NotFinite => f.write_str("must be finite"),
            Reason::NotANumber => f.write_str("must be a number"),
            Reason::NotAPeriod(x) => write!(f, "must be a whole number from 1 to {COUNT_MAX}, and is {x}"),
            Reason::NotACount(x) => write!(f, "must be a whole number from 0 to {COUNT_MAX}, and is {x}"),
            Reason::Empty => f.write_str("must not be empty"),
            Reason::Length { found, expected } => write!(f, "must have {expected} elements, and has {found}"),
            Reason::NotADistribution(x) => write!(f, "must add up to 1, and adds up to {x}"),
            Reason::OutOfRange(why) | Reason::Malformed(why) => f.write_str(why),
            Reason::Undefined(why) => write!(f, "is undefined: {why}"),
            Reason::Missing => f.write_str("is missing"),
            Reason::Unknown(known) => write!(f, "is not a field here; the fields are {known}"),
        }
    }
}

impl std::error::Error for Error {}

/// The largest count or period: 2^52, so that twice it is still an exact `f64`.
pub const COUNT_MAX: u64 = 1 << 52;

/// How far the sum of a distribution may be from 1, to allow for decimal input.
pub const SUM_SLACK: f64 = 1e-9;

/// `x` if it is a finite number.
pub fn finite(field: &str, x: f64) -> Result<f64> {
    if x.is_nan() {
        return Err(Error::new(field, Reason::NotANumber));
    }
    if x.is_infinite() { Err(Error::new(field, Reason::NotFinite)) } else { Ok(x) }
}

/// `x` if it is a probability.
pub fn probability(field: &str, x: f64) -> Result<f64> {
    finite(field, x)?;
    if (0.0..=1.0).contains(&x) { Ok(x) } else { Err(Error::new(field, Reason::NotAProbability(x))) }
}

/// `x` if it is finite and not negative: a cost, a duration, a rate that may be zero.
pub fn non_negative(field: &str, x: f64) -> Result<f64> {
    finite(field, x)?;
    if x >= 0.0 { Ok(x) } else { Err(Error::new(field, Reason::Negative(x))) }
}

/// `x` if it is finite and positive: a rate, a mean, a scale.
pub fn positive(field: &str, x: f64) -> Result<f64> {
    finite(field, x)?;
    if x > 0.0 { Ok(x) } else { Err(Error::new(field, Reason::NotPositive(x))) }
}

/// `n` if it is at least 1 and exact as a float: a period or a delay, in rounds.
pub fn period(field: &str, n: u64) -> Result<u64> {
    if (1..=COUNT_MAX).contains(&n) { Ok(n) } else { Err(Error::new(field, Reason::NotAPeriod(n as f64))) }
}

/// The list itself if it is not empty.
pub fn non_empty<'a, T>(field: &str, list: &'a [T]) -> Result<&'a [T]> {
    if list.is_empty() { Err(Error::new(field, Reason::Empty)) } else { Ok(list) }
}

/// The list itself if it has `expected` elements.
pub fn length<'a, T>(field: &str, list: &'a [T], expected: usize) -> Result<&'a [T]> {
    if list.len() == expected {
        Ok(list)
    } else {
        Err(Error::new(field, Reason::Length { found: list.len(), expected }))
    }
}

/// The list itself if it is a probability distribution: probabilities that add up to 1, within [`SUM_SLACK`].
pub fn distribution<'a>(field: &str, list: &'a [f64]) -> Result<&'a [f64]> {
    non_empty(field, list)?;
    for (i, &p) in list.iter().enumerate() {
        probability(&format!("{field}[{i}]"), p)?;
    }
    let sum: f64 = list.iter().sum();
    if (sum - 1.0).abs() <= SUM_SLACK {
        Ok(list)
    } else {
        Err(Error::new(field, Reason::NotADistribution(sum)))
    }
}
