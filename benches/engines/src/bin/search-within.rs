//! One search from the state that a simulated run is in, ended after some CPU seconds.
//!
//! Arguments: `bfs` or `predict`, the seed of the run, its virtual time in milliseconds, the CPU milliseconds, and parameters of the
//! system as `name=value`. Counted is the search alone: neither the start of the process nor the run that leads to the state, but
//! the first touch of memory, which every search pays in a process of its own. Prints one JSON object.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foresee::app::usage;
use foresee::check::{Cut, Options, Progress, Report, Search, check};
use foresee::kernel::{Arguments, Model};
use foresee::world::narrate::{holds, replay, unbudgeted, worlds};
use foresee::world::{Action, Direct, Path};

foresee::include_spec!("paxos_retries");

/// How often it is looked whether the CPU seconds are spent.
const LOOK: Duration = Duration::from_micros(500);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let search = match args.next().as_deref() {
        Some("bfs") => Search::BreadthFirst,
        Some("predict") => Search::Consequences,
        _ => return Err("bfs or predict?".into()),
    };
    let seed: u64 = args.next().ok_or("which seed?")?.parse()?;
    let at = Duration::from_millis(args.next().ok_or("at which virtual millisecond?")?.parse()?);
    let budget = Duration::from_millis(args.next().ok_or("how many CPU milliseconds?")?.parse()?);
    let parameters: Option<Arguments> =
        args.map(|it| it.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
    let model = (paxos_retries::SPEC.systems[0].build)(&parameters.ok_or("parameters are NAME=VALUE")?)?;
    let model = Arc::new(model);

    let path = walked(&model, seed, at)?;
    let start = start(&model, &path)?;
    let options = Options { search, keep_going: true, from: Some(path), ..Options::default() };
    let (report, cpu) = within(&model, &options, budget)?;
    let (whole, reached) = depths(&report);
    let report = serde_json::json!({
        "unique_states": report.unique_states,
        "transitions": report.transitions,
        "lookups": report.lookups,
        "steps_executed": report.memo.entries + report.memo.direct,
        "depth_histogram": report.depth_histogram,
        "interner_bytes": report.memory.interner,
        "memo_bytes": report.memory.memo,
        "whole": whole,
        "reached": reached,
        "cpu_seconds": cpu,
        "decided": start.decided,
        "arrivals": start.arrivals,
        "timers": start.timers,
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// The way to where the run of that seed is at that time.
fn walked(model: &Arc<Model>, seed: u64, at: Duration) -> Result<Path, Box<dyn std::error::Error>> {
    let options = foresee::sim::Options { until: Some(at), trace: true, ..foresee::sim::Options::default() };
    let run = foresee::sim::run(model, seed, &options).map_err(|error| error.to_string())?;
    let trace = run.trace.ok_or("the run was not recorded")?;
    Ok(replay(model, &trace).map_err(|error| error.to_string())?.0)
}

/// What there is at the end of a path.
struct Start {
    /// Whether some server has chosen.
    decided: bool,
    /// Messages that may arrive.
    arrivals: u32,
    /// Timers that may fire.
    timers: u32,
}

fn start(model: &Arc<Model>, path: &Path) -> Result<Start, Box<dyn std::error::Error>> {
    let model = unbudgeted(model);
    let worlds = worlds(&model, path).map_err(|error| error.to_string())?;
    let world = worlds.last().ok_or("a path has a first world")?;
    let decided = holds(&model, world, "chosen").ok_or("the spec has no property `chosen`")?;
    let (mut arrivals, mut timers) = (0, 0);
    world.enabled(&Direct::new(model.clone()), |action| match action {
        Action::Deliver(_) => arrivals += 1,
        Action::Fire(..) => timers += 1,
        _ => {}
    });
    Ok(Start { decided, arrivals, timers })
}

/// A search that is cancelled when the process has used so much more CPU time, and how much it used.
fn within(
    model: &Arc<Model>,
    options: &Options,
    budget: Duration,
) -> Result<(Report, f64), Box<dyn std::error::Error>> {
    let (progress, over) = (Arc::new(Progress::default()), AtomicBool::new(false));
    let before = usage::now().cpu_seconds;
    let spent = || usage::now().cpu_seconds - before;
    let (report, cpu) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if spent() >= budget.as_secs_f64() {
                    return progress.cancel();
                }
                #[expect(clippy::disallowed_methods, reason = "it watches a search from beside")]
                std::thread::sleep(LOOK);
            }
        });
        let report = check(model, options, &progress);
        let cpu = spent();
        over.store(true, Ordering::Relaxed);
        (report, cpu)
    });
    Ok((report?, cpu))
}

/// The deepest level of which the search has seen all states that it ever would, and the deepest of which it has seen any.
fn depths(report: &Report) -> (u32, u32) {
    let reached = report.depth;
    let left = report.cut_by.iter().find(|cut| cut.by == Cut::Cancelled).map_or(0, |cut| cut.states);
    // Where nothing but the last level is left, the one before was explored to its end.
    let last = report.depth_histogram.last().copied().unwrap_or(0);
    (if left <= last { reached } else { reached.saturating_sub(1) }, reached)
}
