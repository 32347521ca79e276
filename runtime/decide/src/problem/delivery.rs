//! The protocols and periods of a problem's link: a table, the best periods, and where the choice flips.
//!
//! # Caveats
//! The protocols are compared for one invocation with both ends up at its start; what heartbeats cost is added to the
//! heartbeat protocol at `c_hb / (delta sigma)`. In the long run, after one end has crashed, the driven protocols
//! cost more than here. Flips vary one figure at a time at a fixed period.

use serde::Serialize;

use super::{Costs, LinkFigures, Problem};
use crate::decision::sensitivity::{self, Flip};
use crate::error::{self, Error, Reason, Result};
use crate::extended::Extended;
use crate::heartbeat::{Form, Pair, optimum::Optimum, share};
use crate::protocol::{
    Link, Prices, Protocol, approximate,
    approximate::Approximation,
    choose::{self, Best, Flips, Row},
};

/// Places of the curve of cost against period.
const CURVE: u32 = 240;

/// How far a figure is varied in search of a flip: up to this factor, down to its inverse.
const VARIED: f64 = 100.0;

/// Protocols and periods, decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The period at which the protocols are compared, in rounds.
    pub delta: u64,
    /// The four protocols at that period.
    pub protocols: Vec<Line>,
    /// The protocol of the least cost at that period, heartbeats charged.
    pub choice: Protocol,
    /// The one of the least cost among those that deliver for certain while both ends stay up; none if nothing does.
    pub live_choice: Option<Protocol>,
    /// Where the choice flips, a figure at a time.
    pub figures: Vec<Figure>,
    /// The paper's thresholds; none where its approximations do not apply.
    pub thresholds: Option<Flips>,
    /// How often to beat; needs a demand and a price.
    pub heartbeat: Option<Heartbeat>,
    /// Cost against period, for a plot.
    pub curve: Vec<Place>,
}

/// A protocol at the common period, and its own best.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Exact expectations and cost at the common period, heartbeats free.
    pub row: Row,
    /// The same cost with the heartbeats' share.
    pub charged: Extended,
    /// The period of the least cost up to the longest, heartbeats free.
    pub best: Best,
    /// The paper's approximation; none where it does not apply.
    pub paper: Option<Approximation>,
    /// The refined approximation; none where it does not apply.
    pub refined: Option<Approximation>,
}

/// How far one figure may move.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its name in the problem: `link.gamma`.
    pub name: &'static str,
    /// Where the choice flips.
    pub flip: Flip,
}

/// How often to beat.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Heartbeat {
    /// Share of invocations that cost anything (lambda).
    pub share: f64,
    /// The best period by Theorem 5.1.
    pub paper: Optimum,
    /// The best period by the exact objective.
    pub exact: Optimum,
    /// The square-root law.
    pub square_root: Extended,
    /// The law for periods below the round trip.
    pub smoothed: Extended,
}

/// One place of the curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// The period, in rounds.
    pub delta: u64,
    /// Cost of one invocation by trivial, sd, rd and hb, heartbeats free.
    pub once: Vec<Extended>,
    /// Long-run cost of an invocation on heartbeats, these charged, by the paper and exactly; empty without a demand.
    pub long_run: Vec<Extended>,
}

/// All figures that the choice hangs on.
#[derive(Clone, Copy)]
struct Setting {
    link: Link,
    prices: Prices,
    c_hb: f64,
    sigma: Option<f64>,
    delta: u64,
}

/// Decides among the protocols and periods of a problem.
pub fn report(problem: &Problem, figures: &LinkFigures) -> Result<Report> {
    let costs = problem.costs.as_ref().ok_or_else(|| Error::new("costs", Reason::Missing))?;
    let demand = problem.demand.clone().unwrap_or_default();
    let mut setting = setting(figures, costs, demand.sigma)?;
    let heartbeat = setting.heartbeat()?;
    let round_trip = 2 * figures.tau;
    let beat = heartbeat.and_then(|h| h.exact.period.get().finite()).map_or(round_trip, |delta| delta as u64);
    setting.delta = error::period("delta", demand.delta.unwrap_or(beat)).map_err(|e| e.within("demand"))?;
    let longest = demand.longest.unwrap_or_else(|| (20 * round_trip).clamp(200, 20_000).max(setting.delta));
    error::period("longest", longest).map_err(|e| e.within("demand"))?;

    let protocols = lines(&setting, longest)?;
    let cheapest = |live: bool| {
        let open = protocols.iter().filter(|line| !live || line.row.live);
        open.min_by_key(|line| line.charged).map(|line| line.row.protocol)
    };
    Ok(Report {
        delta: setting.delta,
        choice: cheapest(false).unwrap_or(Protocol::Trivial),
        live_choice: cheapest(true),
        figures: figures_that_flip(&setting)?,
        thresholds: choose::flips(&setting.link, setting.delta, &setting.prices).ok(),
        heartbeat,
        curve: curve(&setting, longest)?,
        protocols,
    })
}

fn setting(figures: &LinkFigures, costs: &Costs, sigma: Option<f64>) -> Result<Setting> {
    let LinkFigures { tau, gamma, sender, receiver } = *figures;
    let link = Link { tau, gamma, sender, receiver };
    link.check().map_err(|e| e.within("link"))?;
    let cost = |name: &str, x: f64| error::non_negative(name, x).map_err(|e| e.within("costs"));
    let prices = Prices { send: cost("send", costs.send)?, wait: cost("wait", costs.wait)? };
    let c_hb = cost("heartbeat", costs.heartbeat)?;
    if let Some(sigma) = sigma {
        let inner = |e: Error| e.within("demand");
        error::probability("sigma", sigma).map_err(inner)?;
        error::positive("sigma", sigma).map_err(inner)?;
    }
    Ok(Setting { link, prices, c_hb, sigma, delta: 1 })
}

impl Setting {
    fn pair(&self) -> Option<Pair> {
        let sigma = self.sigma?;
        let Setting { link, prices, c_hb, .. } = *self;
        Some(Pair { link, sigma_s: sigma, sigma_r: sigma, prices, c_hb })
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>> {
        let Some(pair) = self.pair() else { return Ok(None) };
        let objective = pair.objective()?;
        Ok(Some(Heartbeat {
            share: share::lambda(&self.link.sender, &self.link.receiver)?,
            paper: objective.best(Form::Paper)?,
            exact: objective.best(Form::Exact)?,
            square_root: objective.square_root(),
            smoothed: objective.smoothed(),
        }))
    }

    /// A protocol's cost with its share of the heartbeats.
    fn charged(&self, row: &Row) -> Extended {
        let beats = match (row.protocol, self.sigma) {
            (Protocol::Heartbeat, Some(sigma)) => self.c_hb / (self.delta as f64 * sigma),
            _ => 0.0,
        };
        Extended::of(row.cost.get() + beats)
    }

    /// The number of the cheapest protocol.
    fn choice(&self) -> Result<usize> {
        let rows = choose::compare(&self.link, self.delta, &self.prices)?;
        let costs: Vec<Extended> = rows.iter().map(|row| self.charged(row)).collect();
        Ok((0..costs.len()).min_by_key(|&i| costs[i]).unwrap_or(0))
    }
}

fn lines(setting: &Setting, longest: u64) -> Result<Vec<Line>> {
    let line = |row: Row| {
        let best =
            choose::best_period(row.protocol, &setting.link, &setting.prices, longest).map_err(|_| {
                Error::out_of_range("demand.longest", format!("must be at most {}", choose::PERIODS_MAX))
            })?;
        Ok(Line {
            charged: setting.charged(&row),
            best,
            paper: approximate::paper(row.protocol, &setting.link, setting.delta).ok(),
            refined: approximate::refined(row.protocol, &setting.link, setting.delta).ok(),
            row,
        })
    };
    choose::compare(&setting.link, setting.delta, &setting.prices)?.into_iter().map(line).collect()
}

/// Each figure that is not 0, varied around its value.
fn figures_that_flip(setting: &Setting) -> Result<Vec<Figure>> {
    type Vary = fn(&mut Setting, f64);
    let Setting { link, prices, c_hb, sigma, .. } = *setting;
    let varied: [(&'static str, f64, f64, Vary); 10] = [
        ("link.gamma", link.gamma, 1.0, |s, x| s.link.gamma = x),
        ("link.sender.correct", link.sender.correct, 1.0, |s, x| s.link.sender.correct = x),
        ("link.sender.crash", link.sender.crash, 1.0, |s, x| s.link.sender.crash = x),
        ("link.receiver.correct", link.receiver.correct, 1.0, |s, x| s.link.receiver.correct = x),
        ("link.receiver.crash", link.receiver.crash, 1.0, |s, x| s.link.receiver.crash = x),
        ("costs.send", prices.send, f64::MAX, |s, x| s.prices.send = x),
        ("costs.wait", prices.wait, f64::MAX, |s, x| s.prices.wait = x),
        ("costs.heartbeat", c_hb, f64::MAX, |s, x| s.c_hb = x),
        ("demand.sigma", sigma.unwrap_or(0.0), 1.0, |s, x| s.sigma = Some(x)),
        ("demand.delta", setting.delta as f64, choose::PERIODS_MAX as f64, |s, x| s.delta = x.round() as u64),
    ];
    let used = varied.into_iter().filter(|(_, at, _, _)| *at > 0.0);
    let flip = |(name, at, most, vary): (&'static str, f64, f64, Vary)| {
        let choice = |x: f64| {
            let mut other = *setting;
            vary(&mut other, x);
            other.delta = other.delta.max(1);
            other.choice()
        };
        let high = (at * VARIED).min(most).max(at);
        Ok(Figure { name, flip: sensitivity::flip_of(&choice, at, at / VARIED, high)? })
    };
    used.map(flip).collect()
}

/// All small periods, then ever wider apart.
fn curve(setting: &Setting, longest: u64) -> Result<Vec<Place>> {
    let objective = setting.pair().map(|pair| pair.objective()).transpose()?;
    let ratio = (longest as f64).powf(1.0 / f64::from(CURVE));
    let mut places: Vec<Place> = Vec::new();
    for i in 0..=CURVE {
        let delta = (ratio.powi(i as i32).round() as u64).clamp(1, longest);
        if places.last().is_some_and(|place| place.delta == delta) {
            continue;
        }
        let rows = choose::compare(&setting.link, delta, &setting.prices)?;
        let long_run = objective.iter().flat_map(|objective| {
            let period = crate::heartbeat::Period::Every(delta);
            [Form::Paper, Form::Exact].map(|form| objective.cost_per_invocation(form, period))
        });
        let long_run = long_run.collect();
        places.push(Place { delta, once: rows.iter().map(|row| row.cost).collect(), long_run });
    }
    Ok(places)
}
