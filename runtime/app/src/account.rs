//! `account`: what the recordings of a cluster came to, in the figures of `simulate`, so that the two can be set side by side.
//!
//! Each recording is walked through as `replay` does, with every state compared, and the steps of all nodes are told in the order of
//! their times. A node is down between the last step of one life and the start of the next.
//!
//! *Caveats*: times are those of the machines' clocks; on one machine they agree. When a life ended is not recorded: a killed node
//! counts as down from its last step on. Steps that a killed process had taken and not yet written are missing.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use foresee_kernel::recording::Happening;
use foresee_kernel::{FaultPlan, FaultTarget, Model, SpecInfo, Timing, names};
use foresee_net::Draw;
use foresee_sim::{Accounted, Accounts};
use serde_json::{Value, json};

use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::lives::{self, Life};
use crate::recording::Walk;

/// The arguments.
#[derive(Args, Debug)]
pub struct AccountArgs {
    /// The recordings, one for each life of each node
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// When the run begins, in milliseconds since 1970; with the first recording if left out
    #[arg(long, value_name = "MILLISECONDS")]
    pub begin: Option<u64>,
    /// Leave out what happened later than this after the beginning, such as 60s
    #[arg(long, value_name = "DURATION", value_parser = crate::args::duration)]
    pub until: Option<Duration>,
    /// Say also when the faults of the system come, as this seed draws them (with --until and --format json)
    #[arg(long, requires = "until")]
    pub seed: Option<u64>,
    /// How it is shown
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// Runs the command.
pub fn run(spec: &'static SpecInfo, args: &AccountArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (model, lives) = lives::read(spec, &args.files)?;
    let (accounts, ended) = names::scope(&model.names, || tell(&model, &lives, args))?;
    let (faults, holds) = names::scope(&model.names, || (faults(&model, &accounts, args), accounts.holds()));
    let account = accounts.close(ended);
    match args.format {
        Format::Text => text(&model, &account, ended, &holds, out)?,
        Format::Json => {
            let value = json!({
                "spec": spec.name, "system": model.system, "nodes": model.names.to_vec(),
                "seconds": ended as f64 / 1e9, "steps": account.steps, "messages": account.messages,
                "bytes": account.bytes, "objectives": account.objectives,
                "by_node": account.objectives_by_node, "holds": holds, "faults": faults,
            });
            writeln!(out, "{value}")?;
        }
    }
    Ok(Exit::Held)
}

/// What happens at a moment, in the order of moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    at: u64,
    life: usize,
    entry: usize,
}

/// Tells all steps in the order of their times, and gives the time of the end.
fn tell(model: &Arc<Model>, lives: &[Life], args: &AccountArgs) -> Result<(Accounts, u64), Failure> {
    let first = lives.iter().map(|life| life.began).min().unwrap_or_default();
    let begin = args.begin.map_or(first, |millis| millis.saturating_mul(1_000_000));
    let until = args.until.map_or(u64::MAX, |until| until.as_nanos() as u64);
    let mut moments = Vec::new();
    for (place, life) in lives.iter().enumerate() {
        for (entry, it) in life.entries.iter().enumerate() {
            let at = life.began.saturating_add(it.at_nanos).saturating_sub(begin);
            if at <= until {
                moments.push(Moment { at, life: place, entry });
            }
        }
    }
    moments.sort_unstable();
    let last = moments.last().map_or(0, |moment| moment.at);
    let mut accounts = Accounts::new(model.clone());
    let by_name = |name: &str| model.node(name);
    let mut walks: Vec<Walk<'_>> = lives.iter().map(|life| Walk::new(model, life.node, &by_name)).collect();
    // A later life of the node, of which this one's end is not the end of all.
    let again = |life: &Life| lives.iter().any(|it| it.node == life.node && it.began > life.began);
    for Moment { at, life: place, entry } in moments {
        let life = &lives[place];
        let failed =
            |what: String| Failure::usage(format!("{}: line {}: {what}", life.path.display(), entry + 2));
        let it = &life.entries[entry];
        // A service that faulted starts again within its process.
        if entry > 0 && matches!(it.happening, Happening::Start { .. }) {
            accounts.down(at, life.node);
        }
        let outcome = walks[place].take(it).map_err(failed)?.outcome;
        accounts.step(at, life.node, &outcome);
        if entry + 1 == life.entries.len() && again(life) {
            accounts.down(at, life.node);
        }
    }
    Ok((accounts, args.until.map_or(last, |_| until)))
}

/// The faults that the system says may happen, with the nodes that they would happen to now.
fn faults(model: &Model, accounts: &Accounts, args: &AccountArgs) -> Vec<Value> {
    let seconds = |(from, to): (Duration, Duration)| [from.as_secs_f64(), to.as_secs_f64()];
    let one = |(line, fault): (usize, &FaultPlan)| {
        let nodes: Vec<&str> = accounts.meant(fault).into_iter().map(|node| model.name(node)).collect();
        json!({
            "fault": fault.text, "line": fault.line, "kind": fault.kind.keyword(), "most": fault.most, "chance": fault.chance,
            "rate": fault.timing.rate, "within_seconds": fault.timing.within.map(seconds),
            "back_seconds": fault.back.map(seconds),
            "moments": moments(line, fault, model.nodes.len(), args),
            "together": matches!(fault.target, FaultTarget::AllOf(_)), "nodes": nodes,
        })
    };
    model.faults.iter().enumerate().map(one).collect()
}

/// The most moments of a line at a rate.
const MOMENTS_MAX: usize = 10_000;

/// When a line of the faults comes true, with what is drawn for whom it happens to, in `0..1`, and for how long each node stays away.
fn moments(line: usize, fault: &FaultPlan, nodes: usize, args: &AccountArgs) -> Vec<Value> {
    let (Some(seed), Some(until)) = (args.seed, args.until) else { return Vec::new() };
    let end = until.as_nanos() as u64;
    let mut number = 0;
    let mut draw = || {
        number += 1;
        foresee_sim::fault_draw(seed, line, number - 1)
    };
    if fault.chance.is_some_and(|chance| draw().unit() >= chance) {
        return Vec::new();
    }
    let mut at = Vec::new();
    match fault.timing.rate {
        None => {
            for _ in 0..fault.most.unwrap_or(1) {
                at.push(foresee_sim::moment(fault.timing, Some(end), &mut draw()));
            }
        }
        Some(_) => {
            let most = fault.most.map_or(MOMENTS_MAX, |most| (most as usize).min(MOMENTS_MAX));
            let mut since = 0;
            while at.len() < most
                && let Some(next) = foresee_sim::arrival(fault.timing, 0, since, &mut draw())
            {
                at.push(next);
                since = next;
            }
        }
    }
    at.retain(|at| *at <= end);
    at.sort_unstable();
    let seconds = |at: u64| at as f64 / 1e9;
    let mut one = |at: u64| {
        let pick = draw().unit();
        let back = fault.back.map(|within| {
            let timing = Timing { rate: None, within: Some(within) };
            (0..nodes).map(|_| seconds(foresee_sim::moment(timing, None, &mut draw()))).collect::<Vec<_>>()
        });
        json!({ "at_seconds": seconds(at), "pick": pick, "back_seconds": back })
    };
    at.into_iter().map(&mut one).collect()
}

fn text(
    model: &Model,
    account: &Accounted,
    ended: u64,
    holds: &std::collections::BTreeMap<String, bool>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Accounted { steps, messages, .. } = account;
    let (nodes, seconds) = (model.names.len(), ended as f64 / 1e9);
    writeln!(out, "{} of {nodes} nodes: {steps} steps in {seconds:.3} s, {messages} messages", model.system)?;
    for (name, value) in &account.objectives {
        writeln!(out, "  objective  {name:<24} {value:.3}")?;
    }
    for (name, holds) in holds {
        let holds = if *holds { "holds in the end" } else { "does not hold in the end" };
        writeln!(out, "  property   {name:<24} {holds}")?;
    }
    Ok(())
}
