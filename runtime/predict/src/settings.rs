//! How a node looks ahead: how far, how often, with what knowledge.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use foresee_kernel::{Model, argument};
use foresee_sim::Paths;

/// How a node looks ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How many rollouts each option gets, at most.
    pub rollouts: u32,
    /// The most options that are tried; of more, so many are drawn.
    pub options_max: u32,
    /// How many steps the rollouts of one choice may take; every option gets one rollout anyway.
    pub steps_max: u64,
    /// How far a rollout goes. None for the shortest horizon of an objective or 25 mean delays of the slowest carrier, whichever is less.
    pub horizon: Option<Duration>,
    /// How long after that what costs by the second is taken to go on; None for two and a half horizons.
    pub tail: Option<Duration>,
    /// How often a node asks all others for their checkpoints; None for never.
    pub gather: Option<Duration>,
    /// Whether messages and acknowledgements carry knowledge.
    pub riding: bool,
    /// How many bytes of knowledge about others ride on a message, at most.
    pub riding_bytes: u64,
    /// How long a step of a rollout takes the node: what the choice sends leaves as much later.
    pub step_time: Duration,
    /// How many runs it is trained on; 0 for none.
    pub training: u32,
    /// Where the runs of training end; the system's horizon where it is not given.
    pub training_until: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            rollouts: 32,
            options_max: 12,
            steps_max: 100_000,
            horizon: None,
            tail: None,
            gather: Some(Duration::from_secs(10)),
            riding: true,
            riding_bytes: 1_000,
            step_time: Duration::ZERO,
            training: 8,
            training_until: None,
        }
    }
}

/// Mean delays of the slowest carrier in a horizon that nobody gave.
const HORIZON_DELAYS: u32 = 25;

impl Settings {
    /// How far rollouts of `model` go.
    pub fn horizon_of(&self, model: &Model) -> Duration {
        self.horizon.unwrap_or_else(|| {
            let usual = Duration::from_nanos(Paths::mean_nanos(model)) * HORIZON_DELAYS;
            let own = model.objectives.iter().filter_map(|objective| objective.horizon).min();
            own.map_or(usual, |own| own.min(usual))
        })
    }

    /// How long what costs by the second is taken to go on after that.
    pub fn tail_of(&self, model: &Model) -> Duration {
        self.tail.unwrap_or_else(|| self.horizon_of(model) * 5 / 2)
    }
}

/// Settings that were written wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl FromStr for Settings {
    type Err = SettingsError;

    /// `gather=10s,rollouts=32`: what is left out is as usual.
    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let mut settings = Settings::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let wrong = |expected: &str| SettingsError(format!("`{}`: expected {expected}", part.trim()));
            let (name, value) = part.split_once('=').ok_or_else(|| wrong("NAME=VALUE"))?;
            let value = value.trim();
            let number = || value.parse::<u32>().map_err(|_| wrong("a whole number"));
            let above_0 =
                || number().and_then(|n| if n > 0 { Ok(n) } else { Err(wrong("a number above 0")) });
            let time = || argument::duration(value).ok_or_else(|| wrong("a duration such as 2s"));
            match name.trim() {
                "rollouts" => settings.rollouts = above_0()?,
                "options" => settings.options_max = above_0()?.max(2),
                "steps" => settings.steps_max = u64::from(above_0()?),
                "horizon" => settings.horizon = Some(time()?),
                "tail" => settings.tail = Some(time()?),
                "gather" if value == "never" => settings.gather = None,
                "gather" => {
                    let every = time()?;
                    if every.is_zero() {
                        return Err(wrong("a duration above 0, or `never`"));
                    }
                    settings.gather = Some(every);
                }
                "riding" => settings.riding = value.parse().map_err(|_| wrong("true or false"))?,
                "riding_bytes" => settings.riding_bytes = u64::from(number()?),
                "step_time" => settings.step_time = time()?,
                "training" => settings.training = number()?,
                _ => {
                    return Err(wrong(
                        "one of rollouts, options, steps, horizon, tail, gather, riding, riding_bytes, step_time, training",
                    ));
                }
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_mistakes_are_named() {
        let read: Settings = "gather=1s, rollouts=8,riding=false".parse().expect("it is right");
        let second = Some(Duration::from_secs(1));
        assert_eq!(read, Settings { gather: second, rollouts: 8, riding: false, ..Settings::default() });
        assert_eq!("gather=never".parse::<Settings>().expect("it is right").gather, None);
        assert_eq!("".parse(), Ok(Settings::default()));
        for (text, said) in [
            ("rollouts=0", "above 0"),
            ("rollouts", "NAME=VALUE"),
            ("gather=10", "a duration"),
            ("gather=0s", "above 0"),
            ("riding=maybe", "true or false"),
            ("speed=3", "one of"),
        ] {
            let error = text.parse::<Settings>().expect_err("it is wrong").to_string();
            assert!(error.contains(said) && error.contains(text), "{error}");
        }
    }
}
