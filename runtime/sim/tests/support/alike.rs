//! Exact solutions by both ways, compared figure by figure: with states merged, and by making every run. Whoever includes this has the
//! kernel and the simulator by the names `kernel` and `sim`.

use std::sync::Arc;

use super::kernel::Model;
use super::sim::{Answered, Answers, Exact, ExactError, Options, exact, exhaustive};

/// How far two figures may be apart, as a share of the larger; or of 1, where they are less.
const APART: f64 = 1e-9;

/// What a comparison was of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// All runs, and the states that they were merged in.
    pub runs: f64,
    pub states: u64,
    /// Lines of the policy.
    pub answers: usize,
}

/// Solves a system both ways, and says where they differ. None where there are more than `runs_max` runs.
pub fn compare(
    model: &Arc<Model>,
    options: &Options,
    answers: Answers,
    runs_max: u64,
) -> Result<Option<Compared>, String> {
    let all = match exhaustive(model, options, answers, runs_max) {
        Ok(all) if all.cut > 0.0 => return Ok(None),
        Err(ExactError::TooMany { .. } | ExactError::Endless { .. }) => return Ok(None),
        all => all,
    };
    // No tree of runs has more places at which it parts than ends.
    match (all, exact(model, options, answers, runs_max)) {
        (Ok(all), Ok(merged)) => {
            let states = merged.states.ok_or("no states are told apart")?;
            let compared = Compared { runs: all.runs, states, answers: all.policy.len() };
            same(&all, &merged).map(|()| Some(compared))
        }
        // By which run a fault of the system is found first is another matter.
        (Err(one), Err(other)) if one.to_string() == other.to_string() => Ok(None),
        (all, merged) => Err(format!("{all:?} and {merged:?}")),
    }
}

fn near(what: &str, all: f64, merged: f64) -> Result<(), String> {
    let far = (all - merged).abs() > APART * all.abs().max(merged.abs()).max(1.0);
    // A figure that is no number, or is infinite, is so both ways.
    let odd = all.is_nan() != merged.is_nan() || all.is_infinite() && all != merged;
    if far || odd { Err(format!("{what}: {all} and, merged, {merged}")) } else { Ok(()) }
}

fn maybe(what: &str, all: Option<f64>, merged: Option<f64>) -> Result<(), String> {
    match (all, merged) {
        (Some(all), Some(merged)) => near(what, all, merged),
        (None, None) => Ok(()),
        (all, merged) => Err(format!("{what}: {all:?} and, merged, {merged:?}")),
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, all: T, merged: T) -> Result<(), String> {
    if all == merged { Ok(()) } else { Err(format!("{what}: {all:?} and, merged, {merged:?}")) }
}

/// The lines of a policy, in an order that no rounding changes.
fn policy(of: &Exact) -> Vec<&Answered> {
    let mut policy: Vec<&Answered> = of.policy.iter().collect();
    policy.sort_by_key(|it| (it.service, it.site, it.line, &it.node, &it.event, &it.state));
    policy
}

fn same(all: &Exact, merged: &Exact) -> Result<(), String> {
    // All figures of both stand for the same runs: a state that was merged and is none shows here, too.
    equal("runs", all.runs, merged.runs)?;
    equal("cut", all.cut, merged.cut)?;
    equal(
        "names of objectives",
        all.objectives.keys().collect(),
        merged.objectives.keys().collect::<Vec<_>>(),
    )?;
    for ((name, all), merged) in all.objectives.iter().zip(merged.objectives.values()) {
        maybe(name, *all, *merged)?;
    }
    let figures = |of: &Exact| -> Vec<(String, f64)> {
        let statuses = of.properties.iter().flat_map(|(name, statuses)| {
            statuses.iter().map(move |(status, p)| (format!("{name} {status:?}"), *p))
        });
        let violations = of.violations.iter().map(|(name, p)| (format!("a run violates {name}"), *p));
        let choices =
            of.choices.iter().map(|it| (format!("{} {} {}", it.site, it.line, it.option), it.times));
        let answers = policy(of);
        let answers = answers.iter().flat_map(|it| {
            let Answered { service, site, line, node, event, state, options } = it;
            let place = format!("{service} {site} {line} at {node} on {event} in {state}");
            options.iter().map(move |(option, times)| (format!("{place}: {option}"), *times))
        });
        statuses.chain(violations).chain(choices).chain(answers).collect()
    };
    let (ours, theirs) = (figures(all), figures(merged));
    let names = |of: &[(String, f64)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    equal("names of figures", names(&ours), names(&theirs))?;
    for ((name, all), (_, merged)) in ours.iter().zip(&theirs) {
        near(name, *all, *merged)?;
    }
    for (all, merged) in all.statistics.iter().zip(&merged.statistics) {
        let what = format!("{}: {}", all.name, all.claim);
        maybe(&what, all.value, merged.value)?;
        near(&what, all.left_out, merged.left_out)?;
        equal(&what, all.verdict, merged.verdict)?;
        equal(&what, all.note, merged.note)?;
    }
    equal("statistics", all.statistics.len(), merged.statistics.len())
}
