//! Arguments of a system: `--param k=v` as text, read into the types that parameters may have.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Named arguments, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments(BTreeMap<String, String>);

/// Why an argument cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError {
    /// The parameter's name.
    pub parameter: String,
    /// What is wrong with it.
    pub message: String,
}

impl ArgumentError {
    /// An error about `parameter`.
    pub fn new(parameter: &str, message: impl Into<String>) -> Self {
        ArgumentError { parameter: parameter.to_owned(), message: message.into() }
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter `{}`: {}", self.parameter, self.message)
    }
}

impl std::error::Error for ArgumentError {}

impl FromIterator<(String, String)> for Arguments {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Arguments(pairs.into_iter().collect())
    }
}

impl Arguments {
    /// The arguments in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The value of parameter `name`: what was given, else its default.
    ///
    /// # Errors
    /// Text that does not read as a `T`, or nothing given where there is no default.
    pub fn get<T: Argument>(&self, name: &str, default: Option<T>) -> Result<T, ArgumentError> {
        match (self.0.get(name), default) {
            (Some(text), _) => T::read(text).map_err(|message| ArgumentError::new(name, message)),
            (None, Some(value)) => Ok(value),
            (None, None) => {
                Err(ArgumentError::new(name, format!("has no default; give `--param {name}=..`")))
            }
        }
    }
}

/// A type that a parameter of a system may have.
pub trait Argument: Sized {
    /// Reads the value from text.
    ///
    /// # Errors
    /// What was expected instead.
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! parsed {
    ($($type:ty => $what:literal),* $(,)?) => {
        $(impl Argument for $type {
            fn read(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| format!("expected {}, found `{text}`", $what))
            }
        })*
    };
}

parsed! {
    u8 => "a whole number from 0 to 255", u16 => "a whole number from 0 to 65535",
    u32 => "a whole number of 32 bits", u64 => "a whole number", usize => "a whole number",
    i32 => "an integer", i64 => "an integer", bool => "true or false",
}

impl Argument for f64 {
    fn read(text: &str) -> Result<Self, String> {
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!("expected a finite number, found `{text}`")),
        }
    }
}

impl Argument for String {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Argument for Duration {
    fn read(text: &str) -> Result<Self, String> {
        duration(text)
            .ok_or_else(|| format!("expected a duration such as 250ms, 5s, 2min or 1h, found `{text}`"))
    }
}

/// Reads a duration as specs write them: a number and one of ns, us, ms, s, min, h.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let seconds_per_unit = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    if let Ok(whole) = number.trim().parse::<u64>() {
        let nanos_per_unit = (seconds_per_unit * 1e9) as u128;
        let nanos = u128::from(whole) * nanos_per_unit;
        return Some(Duration::new(
            u64::try_from(nanos / 1_000_000_000).ok()?,
            (nanos % 1_000_000_000) as u32,
        ));
    }
    Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * seconds_per_unit).ok()
}
