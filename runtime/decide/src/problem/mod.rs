//! A problem as a user writes it, and everything this crate can say about it.
//!
//! A [`Problem`] is read from TOML by whoever has a TOML reader: its types are plain `serde` types, and unknown fields
//! are errors. It has acts, or a link with costs, or both; [`Problem::report`] answers what it has. Rendering is left to
//! the command line.
//!
//! ```toml
//! title = "Wait for Bob?"
//!
//! states = ["prompt", "late", "never"]
//! probabilities = [0.2, 0.5, 0.3]     # leave out for the rules that need none
//! observations = 40                   # what they are worth, if they were counted
//!
//! [[act]]
//! name = "leave"
//! utilities = [100, 100, 100]         # one a state; inf and -inf are allowed
//! [[act]]
//! name = "stay"
//! utilities = [300, 140, 0]
//!
//! [rules]                             # all optional
//! optimism = 0.3                      # Hurwicz
//! tail = 0.1                          # CVaR
//! ```
//!
//! Acts that do not share their states list their own outcomes:
//! `outcomes = [{ probability = 0.9, utility = 112 }, { probability = 0.1, utility = 0 }]`. Where there are no numbers,
//! `likelihood` ranks the states and each act's `preference` ranks its outcomes, higher is more. Further levels, each
//! less important than the ones before, are lists of utilities in an act's `then`.
//!
//! ```toml
//! [link]
//! tau = 20                            # rounds
//! gamma = 0.1
//! sender = { correct = 0.9, crash = 1e-5 }
//! receiver = { correct = 0.9, crash = 2e-5 }
//!
//! [costs]
//! send = 5
//! wait = 1
//! heartbeat = 1
//!
//! [demand]
//! sigma = 0.001                       # invocations a round by each end
//! delta = 40                          # compare the protocols at this period; left out, at the best for heartbeats
//! ```

pub mod decision;
pub mod delivery;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Reason, Result};
use crate::extended::Extended;

/// A problem: acts, or a link, or both.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What it is about.
    pub title: Option<String>,
    /// The states' names.
    #[serde(default)]
    pub states: Vec<String>,
    /// The states' probabilities, if known.
    pub probabilities: Option<Vec<f64>>,
    /// How many observations the probabilities are worth, if they were counted.
    pub observations: Option<f64>,
    /// The states' likelihoods as ranks, higher is likelier, for a decision without numbers.
    pub likelihood: Option<Vec<u32>>,
    /// The acts.
    #[serde(default)]
    pub act: Vec<Act>,
    /// Parameters of the rules.
    #[serde(default)]
    pub rules: Parameters,
    /// The link to deliver over.
    pub link: Option<LinkFigures>,
    /// What delivery costs.
    pub costs: Option<Costs>,
    /// How often it is wanted.
    pub demand: Option<DemandFigures>,
}

/// An act, with its utilities over the states or its own outcomes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Its name.
    pub name: String,
    /// Its utility in every state.
    pub utilities: Option<Vec<Extended>>,
    /// Utilities of further levels, each a list over the states.
    #[serde(default)]
    pub then: Vec<Vec<Extended>>,
    /// Its outcomes in every state as ranks, higher is better.
    pub preference: Option<Vec<u32>>,
    /// Its own outcomes, where acts share no states.
    pub outcomes: Option<Vec<Outcome>>,
}

/// One outcome of an act.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What happens.
    pub name: Option<String>,
    /// How likely.
    pub probability: f64,
    /// How good.
    pub utility: Extended,
}

/// Parameters of the rules; what is left out has the default given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Hurwicz's optimism: 0.5.
    pub optimism: Option<f64>,
    /// Contamination: `1/(1 + observations)` if these are known, else 0.1.
    pub epsilon: Option<f64>,
    /// The tail of CVaR: 0.1.
    pub tail: Option<f64>,
    /// The weight of the tail in mean-CVaR: 0.5.
    pub weight: Option<f64>,
    /// Half the width of the box of gamma-maximin: the 95 % intervals if observations are known, else 0.1.
    pub radius: Option<f64>,
    /// How much worse than the best is still as good, level by level of a lexicographic choice: 0.
    #[serde(default)]
    pub slack: Vec<f64>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFigures {
    /// Delay, in rounds.
    pub tau: u64,
    /// Probability that a message is lost.
    pub gamma: f64,
    /// The end that has the message.
    pub sender: crate::protocol::Process,
    /// The end that wants it.
    pub receiver: crate::protocol::Process,
}

/// What delivery costs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// A message of the protocol.
    pub send: f64,
    /// A round of waiting.
    pub wait: f64,
    /// A heartbeat.
    #[serde(default)]
    pub heartbeat: f64,
}

/// How often delivery is wanted.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemandFigures {
    /// Probability that an end that is up invokes the protocol in a round.
    pub sigma: Option<f64>,
    /// The period at which the protocols are compared, in rounds.
    pub delta: Option<u64>,
    /// The longest period to consider, in rounds.
    pub longest: Option<u64>,
}

/// Everything there is to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What it is about.
    pub title: Option<String>,
    /// The choice among the acts, if there are any.
    pub decision: Option<decision::Report>,
    /// The choice among the protocols and periods, if there is a link.
    pub delivery: Option<delivery::Report>,
}

impl Problem {
    /// Answers all that is asked; an error names the field in the problem's own spelling.
    pub fn report(&self) -> Result<Report> {
        if self.act.is_empty() && self.link.is_none() {
            return Err(Error::new("act", Reason::Empty));
        }
        let decision = if self.act.is_empty() { None } else { Some(decision::report(self)?) };
        let delivery = self.link.as_ref().map(|link| delivery::report(self, link)).transpose()?;
        Ok(Report { title: self.title.clone(), decision, delivery })
    }
}
