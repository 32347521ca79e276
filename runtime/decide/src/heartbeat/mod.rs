//! How often to beat: heartbeats cost for ever, and a long period makes every invocation wait for the next one.
//!
//! Theorem 5.1, per invocation, for two processes that both invoke with probability `sigma` a round:
//!
//! ```text
//! lambda [ (tau + (delta-1)/2) c_wait + 2 ceil(2 tau/delta) c_send ] + c_hb / (delta sigma)
//! ```
//!
//! and its exact form, which adds the losses. [`lambda`](share::lambda) is the share of invocations that cost
//! anything. [`Objective`] generalises this to any number of processes and protocols that share the heartbeats, and
//! to the detection of crashes; [`Objective::best`] is its exact integer optimum, [`Objective::square_root`] and
//! [`Objective::smoothed`] are the two laws that explain it.
//!
//! Everything is per *round*, the unit of `tau` and `delta`; invocation rates are per round.
//!
//! # Caveats
//! `lambda` is a limit for rates of invocation far above those of crashes: it is 20 % high at `beta / sigma = 0.2`.
//! An invocation that meets a heartbeat in its own round counts it as fresh; where it does not, the wait is one
//! round longer and the best period the same.

pub mod optimum;
pub mod share;

use serde::{Deserialize, Serialize, Serializer};

use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;
use crate::protocol::{Link, Prices, Process};

/// Which objective: the paper's, or the exact one with all losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Theorem 5.1: as if no message were lost.
    Paper,
    /// Lost heartbeats lengthen the wait by `delta a/(1-a)`; the sends are
    /// `(1-gamma)(2-gamma)(m0 + b3/(1-b3))`.
    Exact,
}

/// One protocol's use of the heartbeats, on links that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// Invocations a round, over all processes.
    pub rate: f64,
    /// Share of the invocations that cost anything (lambda), see [`share::lambda`].
    pub share: f64,
    /// Delay of a message, in rounds.
    pub tau: u64,
    /// Probability that a message is lost.
    pub gamma: f64,
    /// What a message and a round of waiting cost.
    pub prices: Prices,
}

/// Crashes that the same heartbeats are to reveal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Crashes a round, over all pairs of a watcher and a watched process.
    pub rate: f64,
    /// Cost of a round in which one watcher has not noticed one crash (`c_det`).
    pub cost: f64,
    /// What the time-out adds to half a period, in rounds; it does not depend on the period.
    pub slack: f64,
}

/// What heartbeats of a common period cost and bring, a round.
///
/// Made by [`Objective::new`], [`Objective::mesh`] or [`Pair::objective`], which check every figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objective {
    beats: f64,
    c_hb: f64,
    demands: Vec<Demand>,
    detection: Option<Detection>,
}

/// A heartbeat period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// Every so many rounds.
    Every(u64),
    /// Heartbeats cost and help nobody: the longer the better.
    Never,
}

impl Period {
    /// The period in rounds, infinite for never.
    #[must_use]
    pub fn get(self) -> Extended {
        match self {
            Period::Every(n) => Extended::of(n as f64),
            Period::Never => Extended::INFINITY,
        }
    }
}

/// The number of rounds, or the text `inf`.
impl Serialize for Period {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Period::Every(n) => to.serialize_u64(*n),
            Period::Never => Extended::INFINITY.serialize(to),
        }
    }
}

/// Two processes that invoke one protocol with each other: the setting of Theorem 5.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The link and its ends.
    pub link: Link,
    /// Probability that the first, while up, invokes in a round.
    pub sigma_s: f64,
    /// Probability that the second does.
    pub sigma_r: f64,
    /// What a message and a round of waiting cost.
    pub prices: Prices,
    /// Cost of a heartbeat message.
    pub c_hb: f64,
}

impl Pair {
    /// Both ends beat and both invoke: two heartbeats a period, `sigma_s + sigma_r` invocations a round.
    pub fn objective(&self) -> Result<Objective> {
        self.link.check()?;
        error::probability("sigma_s", self.sigma_s)?;
        error::probability("sigma_r", self.sigma_r)?;
        let demand = Demand {
            rate: self.sigma_s + self.sigma_r,
            share: share::lambda(&self.link.sender, &self.link.receiver)?,
            tau: self.link.tau,
            gamma: self.link.gamma,
            prices: self.prices,
        };
        Objective::new(2.0, self.c_hb, vec![demand], None)
    }
}

/// How a process reaches all the others with one heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// A message to each.
    Unicast,
    /// One message for all.
    Multicast,
}

impl Objective {
    /// `beats` heartbeat messages in every period over all processes, at `c_hb` each; the protocols that wait for
    /// them; and the crashes to be noticed, if that matters.
    ///
    /// Errors name `demands[i].gamma` and the like.
    pub fn new(beats: f64, c_hb: f64, demands: Vec<Demand>, detection: Option<Detection>) -> Result<Self> {
        let objective = Objective { beats, c_hb, demands, detection };
        objective.check()?;
        Ok(objective)
    }

    /// `n` alike processes, each of which invokes every protocol of `uses` with some other process at the rate given
    /// there *for one process*; their shares follow from `process`. Heartbeats are shared by all.
    pub fn mesh(n: u64, process: &Process, reach: Reach, c_hb: f64, uses: &[Demand]) -> Result<Self> {
        if n < 2 {
            return Err(Error::out_of_range("n", format!("must be at least 2, and is {n}")));
        }
        let count = n as f64;
        let share = share::lambda(process, process)?;
        let demands = uses.iter().map(|use_| Demand { rate: use_.rate * count, share, ..*use_ }).collect();
        let beats = if reach == Reach::Unicast { count * (count - 1.0) } else { count };
        Objective::new(beats, c_hb, demands, None)
    }

    fn check(&self) -> Result<()> {
        error::positive("beats", self.beats)?;
        error::non_negative("c_hb", self.c_hb)?;
        for (i, demand) in self.demands.iter().enumerate() {
            demand.check().map_err(|e| e.within(format_args!("demands[{i}]")))?;
        }
        if let Some(detection) = &self.detection {
            detection.check().map_err(|e| e.within("detection"))?;
        }
        // Products beyond the floats have no ratio.
        error::finite("c_hb", self.beats * self.c_hb)?;
        error::finite("demands", self.invocations() + self.rise(Form::Paper) + self.copies())?;
        if self.demands.is_empty() && self.detection.is_none() {
            return Err(Error::new("demands", Reason::Empty));
        }
        Ok(())
    }

    /// The protocols that wait for the heartbeats.
    #[must_use]
    pub fn demands(&self) -> &[Demand] {
        &self.demands
    }

    /// The crashes to be noticed.
    #[must_use]
    pub fn detection(&self) -> Option<&Detection> {
        self.detection.as_ref()
    }

    /// Invocations a round, of all protocols.
    #[must_use]
    pub fn invocations(&self) -> f64 {
        self.demands.iter().map(|d| d.rate).sum()
    }

    /// Cost a round at period `delta`.
    #[must_use]
    pub fn cost(&self, form: Form, period: Period) -> Extended {
        let beats = match period {
            Period::Every(delta) => self.beats * self.c_hb / delta as f64,
            Period::Never => 0.0,
        };
        let mut sum = beats;
        for demand in &self.demands {
            sum += (Extended::of(demand.rate * demand.share) * demand.cost(form, period)).get();
        }
        if let Some(d) = &self.detection {
            let late = Extended::of(0.5) * period.get();
            sum += (Extended::of(d.rate * d.cost) * Extended::of(late.get() + d.slack)).get();
        }
        Extended::of(sum)
    }

    /// Cost of one invocation at period `delta`, everything charged to the invocations: the paper's `cost_hb`.
    ///
    /// Infinite where nobody ever invokes and something costs.
    #[must_use]
    pub fn cost_per_invocation(&self, form: Form, period: Period) -> Extended {
        let (cost, rate) = (self.cost(form, period), self.invocations());
        if cost == Extended::ZERO { cost } else { Extended::of(cost.get() / rate) }
    }
}

impl Demand {
    /// Checks every figure.
    pub fn check(&self) -> Result<()> {
        error::positive("sigma", self.rate)?;
        error::probability("share", self.share)?;
        error::period("tau", self.tau)?;
        error::probability("gamma", self.gamma)?;
        self.prices.check()
    }

    /// Cost of one invocation whose two processes stay up, heartbeats not charged; of checked figures.
    #[must_use]
    pub fn cost(&self, form: Form, period: Period) -> Extended {
        self.prices.cost(self.sends(form, period), self.wait(form, period))
    }

    /// Rounds that one such invocation waits: `tau + (delta-1)/2`, and `delta a/(1-a)` if exact.
    #[must_use]
    pub fn wait(&self, form: Form, period: Period) -> Extended {
        match period {
            Period::Never => Extended::INFINITY,
            Period::Every(delta) => {
                let delta = delta as f64;
                Extended::of(self.tau as f64 + (delta - 1.0) / 2.0 + delta * self.lost_beats(form))
            }
        }
    }

    /// Messages that one such invocation sends: `2 m0`, or `(1-gamma)(2-gamma)(m0 + b3/(1-b3))`.
    #[must_use]
    pub fn sends(&self, form: Form, period: Period) -> Extended {
        let window = match period {
            Period::Every(delta) => (2 * self.tau).div_ceil(delta) as f64,
            Period::Never => 1.0,
        };
        let kept = 1.0 - self.gamma;
        match form {
            Form::Paper => Extended::of(2.0 * window),
            Form::Exact if kept == 0.0 => Extended::ZERO,
            Form::Exact => {
                let lost = self.gamma * (3.0 - 3.0 * self.gamma + self.gamma * self.gamma);
                Extended::of(kept * (2.0 - self.gamma) * (window + lost / (kept * kept * kept)))
            }
        }
    }

    /// Rounds of waiting for each round of the period: a half, and the beats lost.
    pub(crate) fn wait_slope(&self, form: Form) -> f64 {
        0.5 + self.lost_beats(form)
    }

    /// Periods that lost round trips add to the wait: `a/(1-a)` if exact.
    fn lost_beats(&self, form: Form) -> f64 {
        let kept = 1.0 - self.gamma;
        match form {
            Form::Paper => 0.0,
            Form::Exact => self.gamma * (2.0 - self.gamma) / (kept * kept),
        }
    }
}

impl Detection {
    /// Checks every figure.
    pub fn check(&self) -> Result<()> {
        error::non_negative("rate", self.rate)?;
        error::non_negative("c_det", self.cost)?;
        error::non_negative("slack", self.slack)?;
        Ok(())
    }
}
