//! Liveness: whether some *fair* run violates a claim about runs.
//!
//! [`decide`] builds the graph of worlds by values (`graph`), looks for components in which a fair run may stay for ever
//! (`components`), and makes a [`Lasso`] of one (`lasso`): a path, then a cycle that takes all that it owes.
//!
//! # What is fair
//! Owed is what stays possible for ever: that a message arrives (at a node that is down: that it is lost), that a timer fires, that the
//! application makes its call, that a node which is to come back does, that a partition which is to end does. Never owed is a fault: a crash, a reset, a
//! cut, a partition, a loss, a doubling. A choice is adversarial; of one that is declared `fair choice`, an option that is
//! offered again and again is taken again and again. Chance and the answers of clocks are adversarial. Where nothing is owed a run may stay for ever.
//!
//! What a form claims needs no memory of the path but where in the graph its bad runs stay: the progress is the region that is searched.
//!
//! # Caveats
//! - Worlds are kept whole: this is for graphs of some hundred thousand states. A bound that cuts the graph leaves at most
//!   [`Decision::NotRefuted`]; what is refuted within it is refuted.
//! - Losses without a bound may go on for ever, as may every adversarial choice: a sender that repeats for ever over such a carrier is refuted.

mod components;
mod graph;
mod lasso;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::claim::{Liveness, Temporal};
use foresee_kernel::{Model, NodeId, Predicate, TraceError, fault};
use foresee_world::{Direct, Discipline, Path, disciplines, narrate};

use crate::options::{CheckError, Progress};
use components::Fair;
use graph::Graph;

/// A path and a cycle after it, which is walked for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasso {
    /// The path, and the cycle once.
    pub path: Path,
    /// After how many moves the cycle begins. Where that is all of them the run stays in the last state, in which nothing is owed.
    pub cycle: usize,
    /// The nodes that the claim is about, where it stands within `forall`.
    pub about: Vec<NodeId>,
}

/// What the graph may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// About the most states.
    pub states_max: usize,
    /// The most time.
    pub time: Option<Duration>,
    /// The most bytes that the process may have in memory.
    pub max_memory: Option<u64>,
}

impl Limits {
    /// No other limit than on states.
    pub fn of_states(states_max: usize) -> Self {
        Limits { states_max, time: None, max_memory: None }
    }
}

/// What is known of a liveness property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// In the complete graph there is no fair run that violates it.
    Proved,
    /// There is one.
    Refuted(Box<Lasso>),
    /// There is none that stays within the bounds of the model.
    NotRefuted,
    /// The graph was not finished: a limit was reached, or it was interrupted.
    Unknown,
}

/// A liveness property, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its name.
    pub name: &'static str,
    /// What is known of it.
    pub decision: Decision,
}

/// What came of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LivenessReport {
    /// The properties, in the model's order.
    pub properties: Vec<Judged>,
    /// The states of the graph.
    pub states: usize,
    /// Its edges.
    pub edges: usize,
    /// How many states a bound of the model kept from being explored.
    pub bounded: usize,
    /// Whether every state was explored.
    pub complete: bool,
    /// The choices that were met and are declared fair, by name; all others are adversarial.
    pub fair_choices: Vec<&'static str>,
}

/// Why liveness of `model` is not decided, if it cannot be.
pub fn refusal(model: &Model) -> Option<&'static str> {
    if model.bounds.retain_ignored {
        return Some("`retain-ignored` changes which runs there are, and is refused with liveness");
    }
    disciplines(model).contains(&Discipline::Set).then_some(
        "where a message may be doubled without bound, nothing tells whether it has arrived: bound it by `duplicate: at most ..`",
    )
}

/// Decides the liveness properties of `model`, in a graph within `limits`. Of a model that [`refusal`] speaks of none is
/// decided.
///
/// # Errors
/// Starts that branch in more ways than there may be states, and a predicate that panics.
pub fn decide(model: &Arc<Model>, limits: Limits, progress: &Progress) -> Result<LivenessReport, CheckError> {
    if refusal(model).is_some() || model.liveness.is_empty() {
        return Ok(LivenessReport::default());
    }
    let program = Direct::new(model.clone());
    let graph = Graph::explore(&program, limits, progress)?;
    let mut report = LivenessReport {
        properties: Vec::new(),
        states: graph.worlds.len(),
        edges: graph.edges.len(),
        bounded: graph.bounded,
        complete: !graph.cut && graph.bounded == 0,
        fair_choices: graph.fair_choices.clone(),
    };
    for claim in &model.liveness {
        let decision = match judge(&program, &graph, claim)? {
            Some(lasso) => Decision::Refuted(Box::new(lasso)),
            None if graph.cut => Decision::Unknown,
            None if graph.bounded > 0 => Decision::NotRefuted,
            None => Decision::Proved,
        };
        report.properties.push(Judged { name: claim.name, decision });
    }
    Ok(report)
}

/// Where bad runs of a claim begin, where they stay, and what they come to again and again.
struct Bad {
    sources: Vec<u32>,
    region: Vec<bool>,
    again: Option<Vec<bool>>,
}

fn judge(program: &Direct, graph: &Graph, claim: &Liveness) -> Result<Option<Lasso>, CheckError> {
    let Some(first) = graph.worlds.first() else { return Ok(None) };
    let error = |fault| CheckError::PropertyFault { property: claim.name, fault };
    let instances = fault::guard(|| first.view(program, |view| (claim.instances)(view))).map_err(error)?;
    for about in instances {
        let not = |predicate: &Predicate| {
            let ask = || {
                let worlds = graph.worlds.iter();
                worlds.map(|world| !world.view(program, |view| (predicate.holds)(view, &about))).collect()
            };
            fault::guard(ask).map_err(error)
        };
        let all = 0..graph.worlds.len() as u32;
        let bad = match &claim.claim {
            Temporal::AlwaysEventually(p) => {
                let region: Vec<bool> = not(p)?;
                Bad { sources: all.filter(|state| region[*state as usize]).collect(), region, again: None }
            }
            Temporal::Eventually(p) => {
                let region: Vec<bool> = not(p)?;
                let starts = 0..graph.starts.len() as u32;
                Bad { sources: starts.filter(|state| region[*state as usize]).collect(), region, again: None }
            }
            Temporal::EventuallyAlways(p) => {
                Bad { sources: all.collect(), region: vec![true; graph.worlds.len()], again: Some(not(p)?) }
            }
            Temporal::LeadsTo(p, q) => {
                let (idle, region): (Vec<bool>, Vec<bool>) = (not(p)?, not(q)?);
                let asks = |state: &u32| !idle[*state as usize] && region[*state as usize];
                Bad { sources: all.filter(asks).collect(), region, again: None }
            }
        };
        let (region, parents) = graph.spread(&bad.sources, &bad.region);
        let fair = Fair { graph, again: bad.again.as_deref() };
        if let Some(component) = fair.component(&region) {
            let (path, cycle) = lasso::of(program, graph, &fair, &component, &region, &parents);
            let worlds = narrate::worlds(&graph.model, &path).map_err(CheckError::NoPath)?;
            if worlds.get(cycle) != worlds.last() {
                let error =
                    TraceError::at(claim.name, "the cycle found does not end where it begins".to_owned());
                return Err(CheckError::NoPath(error));
            }
            return Ok(Some(Lasso { path, cycle, about }));
        }
    }
    Ok(None)
}
