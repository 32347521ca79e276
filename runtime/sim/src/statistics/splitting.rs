//! The probability of something rare: splitting on the way to it.
//!
//! Fixed effort splitting (Garvels, "The splitting method in rare event simulation", 2000; L'Ecuyer, Demers and Tuffin, "Rare events,
//! splitting, and quasi-Monte Carlo", ACM TOMACS 17, 2007). On the way to the event stand milestones. As many runs are made to the first
//! milestone; from the states in which they reached it, taken in turn, as many go on, with random numbers of their own, to the second; and
//! so on. The product of the shares that reach each next milestone is an estimate of the probability of the event without bias, whatever the
//! milestones are, as long as each is passed on the way to the next; good ones make it precise. Batches are independent, and say how precise
//! it is.
//!
//! A run that goes on is made anew from its first seed up to where it goes on, and then has another seed: a run is fixed by its seeds, and
//! nothing need be copied.

use std::ops::ControlFlow;
use std::sync::Arc;

use foresee_kernel::{Model, PropertyKind};
use foresee_net::{Draw, Purpose, Stream};
use serde::Serialize;

use super::{Interval, Means};
use crate::journey::{Leg, journey};
use crate::many::in_order;
use crate::{Options, SimError};

/// How the probability of a rare event is looked for.
#[derive(Clone, Debug)]
pub struct Splitting {
    /// The event: a `reachable` property that comes true, or any other that is violated, before the end of a run.
    pub event: String,
    /// Properties that are reached on the way to it, in this order.
    pub milestones: Vec<String>,
    /// How many runs go from each milestone to the next, in each batch.
    pub effort: u32,
    /// How many independent batches there are.
    pub batches: u32,
    /// The probability that the interval misses the true probability.
    pub error: f64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Rare {
    /// The event.
    pub event: String,
    /// The mean over batches.
    pub probability: f64,
    /// Student's interval over batches; None for one batch.
    pub interval: Option<Interval>,
    /// The probability that the interval misses the true probability.
    pub error: f64,
    /// For each milestone and for the event, in order: its name, and the mean share of the runs from the one before that reached it.
    pub levels: Vec<Level>,
    /// How many runs were made, or went on, in all.
    pub runs: u64,
}

/// A milestone, or the event.
#[derive(Clone, Debug, Serialize)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// The share of the runs from the level before that reached it; those of batches that came so far.
    pub share: f64,
}

/// Where seeds of legs are drawn from: nothing of a run has this purpose.
const LEG: Purpose = Purpose(11);

/// A batch: for each level that was come to, how many reached it.
struct Batch {
    reached: Vec<u32>,
    runs: u64,
}

/// Estimates the probability of a rare event. The result depends on `seed` and not on `threads`.
///
/// # Errors
/// A property that the system does not have, a milestone that is none, no effort; those of [`crate::run`].
pub fn rare(
    model: &Arc<Model>,
    seed: u64,
    threads: usize,
    options: &Options,
    how: &Splitting,
) -> Result<Rare, SimError> {
    let names: Vec<&String> = how.milestones.iter().chain([&how.event]).collect();
    let levels: Vec<usize> = names.iter().map(|name| find(model, name)).collect::<Result<_, _>>()?;
    for (name, level) in how.milestones.iter().zip(&levels) {
        if model.properties[*level].kind != PropertyKind::Reachable {
            let message = format!("`{name}` is no milestone: only a `reachable` property is");
            return Err(SimError::Rare { message });
        }
    }
    if how.effort == 0 || how.batches == 0 {
        return Err(SimError::Rare {
            message: "there are no runs: effort and batches are above 0".to_owned(),
        });
    }
    let (mut product, mut shares, mut runs) = (Means::default(), vec![Means::default(); levels.len()], 0);
    let make = |number: u64| {
        let seed = Stream::new(seed, LEG, (number as u32, 0), 0).bits();
        batch(model, seed, options, &levels, how.effort)
    };
    in_order(0..u64::from(how.batches), threads, &make, &mut |batch: Batch| {
        runs += batch.runs;
        let share = |reached: &u32| f64::from(*reached) / f64::from(how.effort);
        let all = batch.reached.len() == levels.len();
        product.add(if all { batch.reached.iter().map(share).product() } else { 0.0 });
        batch.reached.iter().zip(&mut shares).for_each(|(reached, level)| level.add(share(reached)));
        ControlFlow::Continue(())
    })?;
    let level = |(name, share): (&&String, &Means)| Level {
        name: (*name).clone(),
        share: share.mean().unwrap_or_default(),
    };
    Ok(Rare {
        event: how.event.clone(),
        probability: product.mean().unwrap_or_default(),
        // A probability is not negative, whatever the spread of few batches says.
        interval: product
            .student(how.error)
            .map(|it| Interval { low: it.low.max(0.0), high: it.high.min(1.0) }),
        error: how.error,
        levels: names.iter().zip(&shares).map(level).collect(),
        runs,
    })
}

fn find(model: &Model, name: &str) -> Result<usize, SimError> {
    model.properties.iter().position(|property| property.name == name).ok_or_else(|| {
        let known: Vec<String> = model.properties.iter().map(|it| format!("`{}`", it.name)).collect();
        let known = if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
        SimError::Rare { message: format!("the system has no property `{name}`: {known}") }
    })
}

fn batch(
    model: &Arc<Model>,
    seed: u64,
    options: &Options,
    levels: &[usize],
    effort: u32,
) -> Result<Batch, SimError> {
    // The ways by which the level before was reached; at first, that of a run that has not begun.
    let mut ways: Vec<Vec<Leg>> = vec![Vec::new()];
    let mut batch = Batch { reached: Vec::new(), runs: 0 };
    for (place, level) in levels.iter().enumerate() {
        let mut further = Vec::new();
        for number in 0..effort {
            let mut way = ways[number as usize % ways.len()].clone();
            let seed = Stream::new(seed, LEG, (place as u32, number), 1).bits();
            way.push(Leg { seed, ends: u64::MAX });
            batch.runs += 1;
            if let Some(ends) = journey(model, &way, *level, options)? {
                if let Some(last) = way.last_mut() {
                    last.ends = ends;
                }
                further.push(way);
            }
        }
        batch.reached.push(further.len() as u32);
        if further.is_empty() {
            break;
        }
        ways = further;
    }
    Ok(batch)
}
