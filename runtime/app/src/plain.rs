//! `check --search reference`: the plain explorer, told in the words of the checker's report.

use std::sync::Arc;

use foresee_check::{
    ChoiceReport, Counterexample, HandlerReport, IgnoredReport, Memo, Memory, NetworkReport, PropertyReport,
    Report, Status, Verdict,
};
use foresee_kernel::trace::Ending;
use foresee_kernel::{Model, NodeId, PropertyKind, SiteInfo};
use foresee_world::reference::{self, Limits, NO_FAULT};
use foresee_world::{Direct, Path, narrate};

use crate::args::CheckArgs;
use crate::exit::Failure;

/// Explores `model` with the reference explorer. It knows the bound on depth and the budget of states, and no others.
pub fn check(model: &Arc<Model>, args: &CheckArgs) -> Result<Report, Failure> {
    if args.time.is_some() || args.max_memory.is_some() {
        return Err(Failure::usage(
            "the reference explorer knows --max-states and --depth, and no other budget",
        ));
    }
    let limits = Limits {
        states_max: args.max_states.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX)),
        stop_at_violation: !args.keep_going,
        ..Limits::default()
    };
    let mut bounded = model.clone();
    let bounds = &mut Arc::make_mut(&mut bounded).bounds;
    bounds.depth = bounds.depth.into_iter().chain(args.depth).min();
    let report = reference::explore(&bounded, limits)
        .ok_or_else(|| Failure::usage("the starts of the nodes branch into too many first states"))?;
    told(model, report)
}

fn told(model: &Arc<Model>, report: reference::Report) -> Result<Report, Failure> {
    let mut properties: Vec<PropertyReport> = model
        .properties
        .iter()
        .map(|property| self::property(&report, property.name, property.kind))
        .collect();
    properties.push(property(&report, NO_FAULT, PropertyKind::Safety));
    let violated = properties.iter().any(|p| matches!(p.status, Status::Violated | Status::Unreached));
    let verdict = match (violated, report.stopped, report.complete) {
        (true, ..) => Verdict::Violated,
        (false, true, _) => Verdict::Inconclusive,
        (false, false, true) => Verdict::Held,
        (false, false, false) => Verdict::HeldWithinBounds,
    };
    let counterexample = match &report.counterexample {
        Some((property, path)) => Some(counterexample(model, property, path)?),
        None => None,
    };
    Ok(Report {
        verdict,
        complete: report.complete,
        unique_states: report.unique_states as u64,
        fingerprint_bits: 0,
        transitions: report.transitions,
        lookups: report.transitions,
        depth: report.depth,
        depth_histogram: Vec::new(),
        properties,
        handlers: handlers(model, &report),
        choices: choices(model, &report),
        ignored: ignored(&report),
        plans: foresee_check::plans(model, &report.fired),
        counterexample,
        witnesses: Vec::new(),
        cut_by: Vec::new(),
        growth: Vec::new(),
        memory: Memory::default(),
        memo: Memo::default(),
        network: NetworkReport::default(),
    })
}

fn property(report: &reference::Report, name: &'static str, kind: PropertyKind) -> PropertyReport {
    let violations = report.violations.get(name).copied().unwrap_or(0);
    let reached = report.reached.contains(&name);
    let status = match (kind, report.stopped) {
        (PropertyKind::Reachable, _) if reached => Status::Reached,
        (PropertyKind::Reachable, false) => Status::Unreached,
        (PropertyKind::Safety | PropertyKind::Local, _) if violations > 0 => Status::Violated,
        (_, true) => Status::Unknown,
        (_, false) if report.complete => Status::Held,
        (_, false) => Status::HeldWithinBounds,
    };
    PropertyReport { name, kind, status, violations }
}

fn counterexample(
    model: &Arc<Model>,
    property: &'static str,
    path: &Path,
) -> Result<Counterexample, Failure> {
    let ending = match property {
        NO_FAULT => {
            let told = narrate::narrate(model, path).map_err(|error| Failure::internal(error.to_string()))?;
            let fault = told.steps.last().and_then(|step| step.fault.as_ref());
            Ending::Fault { message: fault.map(ToString::to_string).unwrap_or_default() }
        }
        _ => Ending::Violation { property: property.to_owned() },
    };
    Ok(Counterexample { property, path: path.clone(), ending })
}

/// The plain explorer counts none in the starts of nodes: these are added, once each, as the checker does.
fn choices(model: &Arc<Model>, report: &reference::Report) -> Vec<ChoiceReport> {
    let direct = Direct::new(model.clone());
    let starts = (0..model.nodes.len()).flat_map(|node| direct.starts(NodeId::new(node as u32)));
    let starts: Vec<&'static SiteInfo> = starts.flat_map(|way| way.chose).collect();
    foresee_check::choices(model, |site| {
        let at_start = starts.iter().filter(|other| std::ptr::eq(**other, site)).count() as u64;
        at_start + report.chosen.get(&site.address()).copied().unwrap_or(0)
    })
}

fn handlers(model: &Model, report: &reference::Report) -> Vec<HandlerReport> {
    let told = model.spec.services.iter().flat_map(|service| {
        service.handlers.iter().map(|handler| HandlerReport {
            service: service.name,
            name: handler.name,
            line: handler.line,
            runs: report.handlers.get(&(service.name, handler.name)).copied().unwrap_or(0),
        })
    });
    told.collect()
}

fn ignored(report: &reference::Report) -> Vec<IgnoredReport> {
    let told = report.ignored.iter().map(|(&(service, message, state), &count)| IgnoredReport {
        message,
        state,
        service,
        count,
    });
    told.collect()
}
