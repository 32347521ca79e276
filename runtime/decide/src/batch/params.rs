//! Parameters of a case: named values, read with checks that name them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{self, COUNT_MAX, Error, Reason, Result};
use crate::extended::Extended;

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number, or the text `inf` or `-inf`.
    Number(Extended),
    /// A name.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// True or false, which no parameter is.
    Flag(bool),
    /// Nothing: as if it were not there.
    Null(()),
}

/// The parameters of a case, by name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// Parameters from a map.
    #[must_use]
    pub fn new(map: BTreeMap<String, Value>) -> Params {
        Params(map)
    }

    /// Checks that all are among the known.
    pub(super) fn only(&self, known: &[&str]) -> Result<()> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Error::new(name, Reason::Unknown(known.join(", ")))),
            None => Ok(()),
        }
    }

    /// Whether there is one of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !matches!(value, Value::Null(())))
    }

    /// A number, possibly infinite.
    pub(super) fn number(&self, name: &str) -> Result<f64> {
        match self.value(name)? {
            Value::Number(x) => Ok(x.get()),
            _ => Err(malformed(name, "must be a number")),
        }
    }

    /// A probability.
    pub(super) fn probability(&self, name: &str) -> Result<f64> {
        error::probability(name, self.number(name)?)
    }

    /// A number that is not negative.
    pub(super) fn non_negative(&self, name: &str) -> Result<f64> {
        error::non_negative(name, self.number(name)?)
    }

    /// A number that is not negative, 0 if it is not there.
    pub(super) fn non_negative_or_zero(&self, name: &str) -> Result<f64> {
        if self.has(name) { self.non_negative(name) } else { Ok(0.0) }
    }

    /// A positive number.
    pub(super) fn positive(&self, name: &str) -> Result<f64> {
        error::positive(name, self.number(name)?)
    }

    /// A whole number of at least 1.
    pub(super) fn period(&self, name: &str) -> Result<u64> {
        let x = error::finite(name, self.number(name)?)?;
        let whole = x.fract() == 0.0 && x >= 1.0 && x <= COUNT_MAX as f64;
        if whole { Ok(x as u64) } else { Err(Error::new(name, Reason::NotAPeriod(x))) }
    }

    /// A whole number of at least 0.
    pub(super) fn count(&self, name: &str) -> Result<u64> {
        let x = error::finite(name, self.number(name)?)?;
        let whole = x.fract() == 0.0 && x >= 0.0 && x <= COUNT_MAX as f64;
        if whole { Ok(x as u64) } else { Err(Error::new(name, Reason::NotACount(x))) }
    }

    /// A name.
    pub(super) fn text(&self, name: &str) -> Result<&str> {
        match self.value(name)? {
            Value::Text(text) => Ok(text),
            _ => Err(malformed(name, "must be a name")),
        }
    }

    /// A list of numbers.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<Extended>> {
        numbers(name, self.value(name)?)
    }

    /// A list of lists of numbers.
    pub(super) fn rows(&self, name: &str) -> Result<Vec<Vec<Extended>>> {
        match self.value(name)? {
            Value::List(rows) => {
                rows.iter().enumerate().map(|(i, row)| numbers(&format!("{name}[{i}]"), row)).collect()
            }
            _ => Err(malformed(name, "must be a list of lists of numbers")),
        }
    }

    fn value(&self, name: &str) -> Result<&Value> {
        match self.0.get(name) {
            None | Some(Value::Null(())) => Err(Error::new(name, Reason::Missing)),
            Some(value) => Ok(value),
        }
    }
}

fn numbers(name: &str, value: &Value) -> Result<Vec<Extended>> {
    let Value::List(list) = value else { return Err(malformed(name, "must be a list of numbers")) };
    let number = |(i, value): (usize, &Value)| match value {
        Value::Number(x) => Ok(*x),
        _ => Err(malformed(&format!("{name}[{i}]"), "must be a number")),
    };
    list.iter().enumerate().map(number).collect()
}

fn malformed(name: &str, why: &str) -> Error {
    Error::new(name, Reason::Malformed(why.to_string()))
}
