//! [`check`]: sets a search up, lets its threads run, and makes the report of what they found.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use foresee_kernel::trace::Ending;
use foresee_kernel::{Model, NodeId, PropertyKind, Ran, SiteInfo};
use foresee_world::reference::NO_FAULT;
use foresee_world::{Program, narrate, path};

use crate::channels::Channels;
use crate::choices::choices;
use crate::deepen::deepen;
use crate::flat::Flat;
use crate::frontier::{Breadth, Control, Depth, Frontier};
use crate::log::Log;
use crate::network::Network;
use crate::options::{Backend, CheckError, Fingerprint, Options, Progress, Search, Tuning};
use crate::pages;
use crate::parts::Parts;
use crate::plans::plans;
use crate::report::{Counterexample, Cut, CutReport, Memo, Memory, PropertyReport, Report, Status, Verdict};
use crate::rows::Layout;
use crate::search::Worker;
use crate::shared::Shared;
use crate::spill::Spilling;
use crate::suits::{self, Probe, layout};
use crate::tally::{Findings, Tally};
use crate::trail::{Root, path_to, path_to_fault};
use crate::visited::{Keeps, Visited};
use crate::walks::{Walked, walk};

/// The most nodes that may sleep: each takes a bit from where a fingerprint is kept, and doubles the smallest table.
const SLEEPERS_MAX: u32 = 12;

/// The most first states of a system.
pub const STARTS_MAX: usize = 1 << 20;

/// Explores what `model` can reach.
///
/// # Errors
/// Starts that branch beyond [`STARTS_MAX`], a property that panics, no memory at all.
pub fn check(model: &Arc<Model>, options: &Options, progress: &Arc<Progress>) -> Result<Report, CheckError> {
    check_with(model, options, &Tuning::default(), progress)
}

/// As [`check`], within bounds on what is remembered. They change nothing but memory and time.
///
/// # Errors
/// As [`check`].
pub fn check_with(
    model: &Arc<Model>,
    options: &Options,
    tuning: &Tuning,
    progress: &Arc<Progress>,
) -> Result<Report, CheckError> {
    #[expect(clippy::disallowed_methods, reason = "a budget of time is counted from here")]
    let started = Instant::now();
    let sorts_arrivals = options.search == Search::Consequences;
    let mut parts = Parts::new(model.clone(), tuning, sorts_arrivals);
    if options.network == Backend::Flat {
        let flat = layout(&parts, tuning);
        parts = parts.laid_out(tuning, flat);
    }
    loop {
        let probe = Probe::new(&parts, options, tuning);
        if let Some(report) = attempt(&parts, options, tuning, progress, started, probe)? {
            return Ok(report);
        }
        // What was remembered of steps and properties stays.
        let flat = layout(&parts, tuning);
        parts = parts.laid_out(tuning, flat);
    }
}

/// Explores in the layout of `parts`; no report where that was seen not to suit.
fn attempt(
    parts: &Parts,
    options: &Options,
    tuning: &Tuning,
    progress: &Arc<Progress>,
    started: Instant,
    probe: Probe,
) -> Result<Option<Report>, CheckError> {
    let (roots, starts) = match &options.from {
        None => starts(parts)?,
        Some(path) => (vec![end_of(parts, path)?], Starts::default()),
    };
    let mut bounds = parts.program.model().bounds.clone();
    bounds.depth = bounds.depth.into_iter().chain(options.max_depth).min();
    let graded = match options.search {
        Search::DepthFirst => bounds.depth.is_some(),
        Search::IterativeDeepening => true,
        Search::BreadthFirst | Search::Consequences | Search::Walks => false,
    };
    let spared = match options.search {
        Search::BreadthFirst | Search::Consequences => true,
        Search::DepthFirst | Search::IterativeDeepening => tuning.sleepers_depth_first,
        Search::Walks => false,
    };
    let sleepers = if graded || !spared { 0 } else { sleepers(parts, tuning) };
    let keeps = match (graded, sleepers) {
        (true, _) => Keeps::Depths,
        (false, 0) => Keeps::Nothing,
        (false, nodes) => Keeps::Sleepers(nodes),
    };
    let wide = options.fingerprint == Fingerprint::Wide && options.search != Search::Walks;
    let control = Control::default();
    progress.transitions.store(0, Ordering::Relaxed);
    let shared = Shared {
        parts,
        options,
        bounds,
        visited: RwLock::new(Visited::new(keeps, wide).ok_or(CheckError::NoMemory)?),
        graded,
        wide,
        sleepers,
        consequences: options.search == Search::Consequences,
        unique: AtomicU64::new(0),
        own_bytes: AtomicU64::new(0),
        control: &control,
        progress,
        started,
        probe: &probe,
    };
    let stride = shared.stride();
    let found = match options.search {
        Search::BreadthFirst | Search::Consequences => {
            explore(&shared, &breadth(&shared, tuning)?, &roots, &starts)
        }
        Search::DepthFirst => explore(&shared, &Depth::new(stride, shared.threads()), &roots, &starts),
        Search::IterativeDeepening => {
            return deepen(&shared, &roots, &starts, |shared, found| report(shared, &roots, &starts, found));
        }
        Search::Walks => walk(&shared, &roots, &options.walks).map(Found::of_walks),
    }?;
    if let Some(error) = control.error() {
        return Err(error);
    }
    Ok((!control.is_unsuited()).then(|| report(&shared, &roots, &starts, found)))
}

/// The state at the end of a path.
fn end_of(parts: &Parts, path: &path::Path) -> Result<Root, CheckError> {
    let direct = parts.program.direct();
    let worlds = narrate::worlds(direct.shared_model(), path).map_err(CheckError::NoPath)?;
    let world = worlds.last().expect("the first world is one");
    Ok(Root { words: parts.encode(world), path: path.clone() })
}

fn breadth(shared: &Shared<'_>, tuning: &Tuning) -> Result<Breadth, CheckError> {
    let Options { max_memory, spill_dir, .. } = shared.options;
    let bytes_max = tuning.frontier_max.or(max_memory.map(|most| most / 8));
    let folder = || spill_dir.clone().unwrap_or_else(std::env::temp_dir);
    let spilling = bytes_max.map(|bytes_max| Spilling { folder: folder(), bytes_max });
    if let (Some(spilling), Some(_)) = (&spilling, spill_dir) {
        // A folder that somebody named and that is of no use is best said at once, and not when memory is short.
        spilling.open().map_err(|error| spilling.error(&error))?;
    }
    Ok(Breadth::new(shared.stride(), shared.threads(), spilling))
}

/// How many nodes may sleep: none where steps of different nodes do not commute, or do not commute within the bounds.
fn sleepers(parts: &Parts, tuning: &Tuning) -> u32 {
    let model = parts.program.model();
    let bounds = &model.bounds;
    let commute = model.calls.is_empty()
        && model.faults.is_empty()
        && bounds.drops.is_none()
        && bounds.duplicates.is_none()
        && bounds.messages.is_none()
        && bounds.within.is_empty();
    if commute { (parts.nodes() as u32).min(tuning.sleepers_max).min(SLEEPERS_MAX) } else { 0 }
}

/// What starting the nodes showed.
#[derive(Default)]
pub(crate) struct Starts {
    /// Nodes, layers and handlers that ran.
    ran: Vec<(usize, u8, u16)>,
    /// The choices that were made.
    chose: Vec<&'static SiteInfo>,
    /// The numbers of the first states in which a start faulted, and what the first fault says.
    faults: Vec<(usize, String)>,
}

fn starts(parts: &Parts) -> Result<(Vec<Root>, Starts), CheckError> {
    let direct = parts.program.direct();
    let too_many = CheckError::TooManyStarts { most: STARTS_MAX };
    let mut starts = Starts::default();
    let mut roots = Vec::new();
    for (number, initial) in path::initials(direct, STARTS_MAX).ok_or(too_many)?.into_iter().enumerate() {
        if let Some((_, fault)) = &initial.fault {
            starts.faults.push((number, fault.to_string()));
        }
        let path = path::Path { starts: initial.starts, moves: Vec::new() };
        roots.push(Root { words: parts.encode(&initial.world), path });
    }
    for node in 0..parts.nodes() {
        for way in direct.starts(NodeId::new(node as u32)) {
            starts.chose.extend(way.chose);
            for ran in way.ran {
                if let Ran::Handler { layer, handler } = ran {
                    starts.ran.push((node, layer, handler));
                }
            }
        }
    }
    Ok((roots, starts))
}

/// What all threads found, and what the frontier held.
pub(crate) struct Found {
    logs: Vec<Log>,
    tally: Tally,
    pub findings: Findings,
    frontier_bytes: u64,
    spilled: u64,
    peak: Option<u64>,
    /// What walks found, which leave no log.
    walked: Option<(Option<Counterexample>, Vec<Counterexample>)>,
    /// How many walks there were that ended by their length, where there were walks.
    walks: Option<u64>,
}

impl Found {
    fn of_walks(walked: Walked) -> Found {
        let Walked { tally, findings, counterexample, witnesses, cut } = walked;
        Found {
            logs: Vec::new(),
            tally,
            findings,
            frontier_bytes: 0,
            spilled: 0,
            peak: pages::resident_peak(),
            walked: Some((counterexample, witnesses)),
            walks: Some(cut),
        }
    }
}

pub(crate) fn explore<F: Frontier>(
    shared: &Shared<'_>,
    frontier: &F,
    roots: &[Root],
    starts: &Starts,
) -> Result<Found, CheckError> {
    match shared.parts.layout {
        Layout::Channels => explore_by::<F, Channels>(shared, frontier, roots, starts),
        Layout::Flat { .. } => explore_by::<F, Flat>(shared, frontier, roots, starts),
    }
}

fn explore_by<F: Frontier, N: Network>(
    shared: &Shared<'_>,
    frontier: &F,
    roots: &[Root],
    starts: &Starts,
) -> Result<Found, CheckError> {
    let threads = shared.threads();
    let mut workers: Vec<Worker<'_, F, N>> =
        (0..threads).map(|worker| Worker::new(shared, frontier, Log::new(worker, threads))).collect();
    for (number, root) in roots.iter().enumerate() {
        workers[0].root(&root.words, number as u32)?;
    }
    if !starts.faults.is_empty() && !shared.options.keep_going {
        frontier.violated(shared.control);
    }
    run(shared, &mut workers);
    let peak = pages::resident_peak();
    let model = parts_model(shared);
    let mut found = Found {
        logs: Vec::new(),
        tally: Tally::new(model),
        findings: Findings::new(model.properties.len()),
        frontier_bytes: frontier.bytes_peak(),
        spilled: frontier.spilled(),
        peak,
        walked: None,
        walks: None,
    };
    found.findings.left = frontier.shared_left();
    for worker in workers {
        let (log, tally, findings) = worker.finish();
        found.logs.push(log);
        found.tally.merge(tally);
        found.findings.merge(findings);
    }
    found.tally.settle(shared.parts);
    Ok(found)
}

fn parts_model<'s>(shared: &'s Shared<'_>) -> &'s Model {
    shared.parts.program.model()
}

/// Ends the search where a thread does not: the others would wait for it.
struct EndsAll<'a>(&'a Control);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(Cut::Cancelled);
        }
    }
}

fn run<F: Frontier, N: Network>(shared: &Shared<'_>, workers: &mut [Worker<'_, F, N>]) {
    if let [worker] = workers {
        return worker.run();
    }
    std::thread::scope(|scope| {
        for worker in workers {
            scope.spawn(|| {
                let _ends = EndsAll(shared.control);
                worker.run();
            });
        }
    });
}

fn report(shared: &Shared<'_>, roots: &[Root], starts: &Starts, mut found: Found) -> Report {
    let (parts, model) = (shared.parts, parts_model(shared));
    found.tally.chose(&starts.chose, 1);
    for (node, layer, handler) in &starts.ran {
        found.tally.handler(*node, *layer, *handler, 1);
    }
    let table = shared.visited.read().unwrap_or_else(PoisonError::into_inner);
    if shared.graded {
        grade(shared, &mut found.findings);
    }
    let cut_by = cut_by(shared, &found);
    let complete = cut_by.is_empty();
    let ended = cut_by.iter().all(|cut| cut.by.is_bound());
    let properties = properties(model, starts, &found, complete, ended);
    let histogram = std::mem::take(&mut found.findings.histogram);
    let memory = Memory {
        visited: table.bytes(),
        frontier: found.frontier_bytes,
        spilled: found.spilled,
        log: found.logs.iter().map(Log::bytes).sum(),
        interner: parts.interner_bytes(),
        memo: parts.memo_bytes(),
        peak_rss: found.peak,
    };
    let (entries, direct) = (u64::from(parts.steps.len()), parts.steps.loose());
    let hits = found.tally.steps_taken.saturating_sub(entries + direct);
    let unique_states = shared.unique.load(Ordering::Relaxed);
    shared.progress.unique_states.store(unique_states, Ordering::Relaxed);
    let lookups = shared.progress.transitions();
    shared.progress.transitions.store(found.tally.transitions, Ordering::Relaxed);
    let (counterexample, witnesses) = found
        .walked
        .take()
        .unwrap_or_else(|| (counterexample(parts, roots, starts, &found), witnesses(parts, roots, &found)));
    let depth = histogram.len().saturating_sub(1) as u32;
    Report {
        verdict: verdict(&properties, complete, ended),
        complete,
        unique_states,
        fingerprint_bits: if shared.wide { 2 * u64::BITS } else { u64::BITS },
        transitions: found.tally.transitions,
        lookups,
        depth,
        depth_histogram: histogram,
        counterexample,
        witnesses,
        properties,
        handlers: found.tally.handlers(),
        choices: choices(model, |site| found.tally.made(site)),
        ignored: found.tally.ignored(),
        plans: plans(model, &found.tally.fired),
        growth: found.findings.growth.report(depth, &cut_by),
        cut_by,
        memory,
        memo: Memo { entries, hits, direct, nodes_direct: parts.nodes_direct() },
        network: suits::report(parts),
    }
}

/// What is known of depths only when a depth first search within a depth is over.
pub(crate) fn grade(shared: &Shared<'_>, findings: &mut Findings) {
    let (table, bound) = (shared.table(), shared.bounds.depth);
    let mut histogram = Vec::new();
    table.each_depth(|depth| {
        if histogram.len() <= depth as usize {
            histogram.resize(depth as usize + 1, 0);
        }
        histogram[depth as usize] += 1;
    });
    if let Some(cut) = bound.and_then(|depth| histogram.get(depth as usize)) {
        findings.cuts[foresee_world::Bound::Depth as usize] = *cut;
    }
    findings.histogram = histogram;
}

fn cut_by(shared: &Shared<'_>, found: &Found) -> Vec<CutReport> {
    let findings = &found.findings;
    let bounds = [Cut::Depth, Cut::Messages, Cut::Within].into_iter().zip(findings.cuts);
    let mut cuts: Vec<CutReport> =
        bounds.filter(|(_, states)| *states > 0).map(|(by, states)| CutReport { by, states }).collect();
    let states = findings.left;
    match shared.control.stopped() {
        Some(by) => cuts.push(CutReport { by, states }),
        None if states > 0 => cuts.push(CutReport { by: Cut::Violation, states }),
        None => {}
    }
    let left_out = Some(findings.left_out).filter(|states| *states > 0);
    let own = [(Cut::Consequences, left_out), (Cut::Walks, found.walks)];
    cuts.extend(own.into_iter().filter_map(|(by, states)| Some(CutReport { by, states: states? })));
    cuts
}

fn properties(
    model: &Model,
    starts: &Starts,
    found: &Found,
    complete: bool,
    ended: bool,
) -> Vec<PropertyReport> {
    let held = match (complete, ended) {
        (true, _) => Status::Held,
        (false, true) => Status::HeldWithinBounds,
        (false, false) => Status::Unknown,
    };
    let safe = |violations| if violations > 0 { Status::Violated } else { held };
    let report = |(property, count): (&&'static foresee_kernel::Property, &u64)| {
        let (status, violations) = match property.kind {
            PropertyKind::Reachable if *count > 0 => (Status::Reached, 0),
            PropertyKind::Reachable if ended => (Status::Unreached, 0),
            PropertyKind::Reachable => (Status::Unknown, 0),
            PropertyKind::Safety | PropertyKind::Local => (safe(*count), *count),
        };
        PropertyReport { name: property.name, kind: property.kind, status, violations }
    };
    let mut reports: Vec<PropertyReport> =
        model.properties.iter().zip(&found.findings.counts).map(report).collect();
    let faults = found.tally.faults + starts.faults.len() as u64;
    // A fault that was met is one, even where its state was not counted as explored to the end.
    let faults = faults.max(u64::from(found.findings.fault.is_some()));
    let kind = PropertyKind::Safety;
    reports.push(PropertyReport { name: NO_FAULT, kind, status: safe(faults), violations: faults });
    reports
}

fn verdict(properties: &[PropertyReport], complete: bool, ended: bool) -> Verdict {
    let any = |status| properties.iter().any(|property| property.status == status);
    if any(Status::Violated) || any(Status::Unreached) {
        return Verdict::Violated;
    }
    match (complete, ended) {
        (true, _) => Verdict::Held,
        (false, true) => Verdict::HeldWithinBounds,
        (false, false) => Verdict::Inconclusive,
    }
}

/// The violation nearest to the start; of those as near, that of the first property.
fn counterexample(parts: &Parts, roots: &[Root], starts: &Starts, found: &Found) -> Option<Counterexample> {
    if let Some((number, message)) = starts.faults.first() {
        let path = roots[*number].path.clone();
        let ending = Ending::Fault { message: message.clone() };
        return Some(Counterexample { property: NO_FAULT, path, ending });
    }
    let properties = &parts.program.model().properties;
    let safety = properties.iter().zip(&found.findings.nearest);
    let safety = safety.filter(|(property, _)| property.kind != PropertyKind::Reachable);
    let nearest =
        safety.filter_map(|(property, nearest)| nearest.map(|(depth, index)| (depth, index, property)));
    let nearest = nearest.min_by_key(|(depth, _, _)| *depth);
    let fault = found.findings.fault.filter(|(depth, _, _)| nearest.is_none_or(|nearest| *depth < nearest.0));
    if let Some((_, index, node)) = fault {
        let (path, ending) = path_to_fault(parts, roots, &found.logs, index, node);
        return Some(Counterexample { property: NO_FAULT, path, ending });
    }
    let (_, index, property) = nearest?;
    let (path, _) = path_to(parts, roots, &found.logs, index);
    let ending = Ending::Violation { property: property.name.to_owned() };
    Some(Counterexample { property: property.name, path, ending })
}

fn witnesses(parts: &Parts, roots: &[Root], found: &Found) -> Vec<Counterexample> {
    let properties = parts.program.model().properties.iter().zip(&found.findings.nearest);
    let reachable = properties.filter(|(property, _)| property.kind == PropertyKind::Reachable);
    let witness = |(property, nearest): (&&'static foresee_kernel::Property, &Option<(u32, u32)>)| {
        let (path, _) = path_to(parts, roots, &found.logs, (*nearest)?.1);
        let ending = Ending::Witness { property: property.name.to_owned() };
        Some(Counterexample { property: property.name, path, ending })
    };
    reachable.filter_map(witness).collect()
}
