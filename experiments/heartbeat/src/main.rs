//! Heartbeats whose period follows what is measured, against every fixed period, in a world that changes half way.
//!
//! Two ends call each other over a lossy link; a call waits for the next beat of the other end (`specs/reliable_link.mace`, system
//! `Pair`). Loss, delay and the rate of calls are unknown, and all three change half way, so that the best periods of the halves
//! differ. What is measured is the cost of a second in the last three quarters of each half: what comes before is left to learning. All
//! contenders run the same seeds. The best fixed period in hindsight is looked for among those of a fine grid.
//!
//! `cargo run --release -p heartbeat-experiment` prints the table; docs/adaptive-heartbeat.md reads them.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use foresee::kernel::{Arguments, Model, SpecInfo};
use foresee::net::topology::Topology;
use foresee::net::{Bottleneck, Loss, Path};
use foresee::predict::{MEASURED, Settings, resolvers};
use foresee::sim::{Means, Options, ResolverKind, runs};

foresee::include_spec!("accrual_link");
foresee::include_spec!("reliable_link");

/// Parts of a half; the first of them is not counted.
const PARTS: u64 = 4;

/// Fixed periods in milliseconds, each a little longer than the last. Shorter ones are far from the best of any half.
const SHORTEST: f64 = 400.0;
const LONGEST: f64 = 10_000.0;

/// The periods that people write down, in milliseconds.
const USUAL: [u64; 3] = [100, 1_000, 10_000];

/// Who sets the period, or does without.
#[derive(Clone, Copy)]
enum Contender {
    /// The resolver that measures.
    Measured,
    /// Always so many milliseconds.
    Fixed(u64),
    /// Beats every second for an accrual detector; whoever trusts the peer sends at once (`accrual_link.mace`).
    Accrual,
}

/// A half of a world.
#[derive(Clone, Copy)]
struct Half {
    loss: f64,
    delay_ms: f64,
    /// Calls a second of each end.
    calls: f64,
}

/// What the ends live in.
struct World {
    name: &'static str,
    halves: [Half; 2],
    /// The line out of each end, where it is limited.
    line: Option<Bottleneck>,
}

const WORLDS: [World; 2] = [
    World {
        name: "a link that loses",
        halves: [
            Half { loss: 0.01, delay_ms: 50.0, calls: 0.2 },
            Half { loss: 0.1, delay_ms: 400.0, calls: 0.004 },
        ],
        line: None,
    },
    World {
        name: "buffers that overflow",
        halves: [
            Half { loss: 0.01, delay_ms: 50.0, calls: 0.5 },
            Half { loss: 0.1, delay_ms: 400.0, calls: 0.004 },
        ],
        line: Some(Bottleneck { bytes_per_second: 30.0, buffer: Some(90) }),
    },
];

/// Heartbeats that follow what is measured, against fixed periods
#[derive(Debug, Parser)]
struct Args {
    /// How many runs of each contender
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(2..))]
    seeds: u64,
    /// The world: 1 the link that loses, 2 the buffers that overflow, where lines that collapse take hours
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    world: u8,
    /// Seconds of a half of a run
    #[arg(long, default_value_t = 6_000, value_parser = clap::value_parser!(u64).range(PARTS..))]
    half: u64,
    /// Steps of the grid of fixed periods
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    grid: u32,
    /// Runs at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
}

/// The cost of a second in the counted part of each half, by seeds, and what the resolver says of itself.
struct Found {
    costs: [Vec<f64>; 2],
    told: BTreeMap<String, f64>,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let mut out = std::io::stdout().lock();
    let places = WORLDS.iter().zip(1..);
    for (world, _) in places.filter(|(_, place)| *place == args.world) {
        writeln!(out, "{}", world.name)?;
        for Half { loss, delay_ms, calls } in world.halves {
            writeln!(out, "  loss {loss}, delay {delay_ms} ms, {calls} calls a second of each end")?;
        }
        let step = (LONGEST / SHORTEST).powf(1.0 / f64::from(args.grid));
        let grid = (0..=args.grid).map(|place| (SHORTEST * step.powi(place as i32)).round() as u64);
        let fixed: BTreeMap<u64, Found> =
            grid.chain(USUAL).map(|period| (period, play(world, Contender::Fixed(period), &args))).collect();
        let measured = play(world, Contender::Measured, &args);
        let accrual = play(world, Contender::Accrual, &args);
        table(&fixed, &measured, &accrual, &mut out)?;
    }
    Ok(())
}

/// All runs of a contender.
fn play(world: &World, contender: Contender, args: &Args) -> Found {
    let resolver = match contender {
        Contender::Measured => resolvers(&Settings::default()).get(MEASURED).expect("there is one"),
        _ => ResolverKind::First,
    };
    let [first, second] = world.halves.map(|half| Arc::new(topology(half, world.line)));
    let model = model(world, contender, args.half);
    let mut told: BTreeMap<String, Means> = BTreeMap::new();
    // A run is the beginning of every longer run of its seed: what it costs by then is what it costs so far.
    let mut so_far = |part: u64| {
        let options = Options {
            resolver: resolver.clone(),
            until: Some(Duration::from_secs(part * args.half / PARTS)),
            topology: Some(first.clone()),
            later: vec![(Duration::from_secs(args.half), second.clone())],
            ..Options::default()
        };
        let mut costs = Vec::new();
        runs(&model, 0..args.seeds, usize::from(args.threads), &options, &mut |run| {
            assert!(run.violation.is_none(), "seed {}: {:?}", run.seed, run.violation);
            costs.push(run.objectives["total"]);
            if part == 2 * PARTS {
                run.resolver
                    .iter()
                    .for_each(|(name, figure)| told.entry(name.clone()).or_default().add(*figure));
            }
        })
        .expect("it runs");
        costs
    };
    let ends = [1, PARTS, PARTS + 1, 2 * PARTS].map(&mut so_far);
    let seconds = (args.half * (PARTS - 1) / PARTS) as f64;
    let between =
        |from: &[f64], to: &[f64]| from.iter().zip(to).map(|(from, to)| (to - from) / seconds).collect();
    Found {
        costs: [between(&ends[0], &ends[1]), between(&ends[2], &ends[3])],
        told: told.into_iter().filter_map(|(name, means)| Some((name, means.mean()?))).collect(),
    }
}

/// The system `Pair` in which nobody crashes; calls come at the rate of the half.
fn model(world: &World, contender: Contender, half: u64) -> Arc<Model> {
    // The losses are those of the link. That there are any is for the system to say.
    let mut arguments = vec![("length", format!("{}s", 2 * half)), ("loss", "1e-12".to_owned())];
    let spec: &SpecInfo = match contender {
        Contender::Accrual => &accrual_link::SPEC,
        _ => &reliable_link::SPEC,
    };
    if !matches!(contender, Contender::Accrual) {
        arguments.push(("correct", "1.0".to_owned()));
    }
    if let Contender::Measured = contender {
        arguments.push(("fine", "true".to_owned()));
    }
    if let Contender::Fixed(period) = contender {
        arguments.push(("shortest", format!("{period}ms")));
        arguments.push(("longest", format!("{period}ms")));
    }
    let arguments: Arguments = arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let system = spec.systems.iter().find(|it| it.name == "Pair").expect("the spec has it");
    let mut model = (system.build)(&arguments).expect("the arguments fit");
    // What is claimed of the system is checked elsewhere, and would take most of the time here.
    model.properties.clear();
    model.liveness.clear();
    model.statistics.clear();
    let halves = world.halves.iter().zip([0, half]);
    let calls = halves.flat_map(|(it, from)| {
        model.calls.iter().cloned().map(move |mut call| {
            call.timing.rate = Some(it.calls);
            call.timing.within = Some((Duration::from_secs(from), Duration::from_secs(from + half)));
            call
        })
    });
    model.calls = calls.collect();
    Arc::new(model)
}

fn topology(half: Half, line: Option<Bottleneck>) -> Topology {
    let rows = [[0.0, half.delay_ms], [half.delay_ms, 0.0]].map(Vec::from);
    let path = Path { loss: Loss::Independent(half.loss), line, ..Path::default() };
    Topology::new(vec!["a".to_owned(), "b".to_owned()], &rows).expect("it is sound").with_path(path)
}

fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

/// By how much a contender costs more than another, in parts of the other's mean, with half of the 95 % interval over the seeds.
fn more(ours: &[f64], theirs: &[f64]) -> (f64, f64) {
    let mut means = Means::default();
    ours.iter().zip(theirs).for_each(|(ours, theirs)| means.add(ours - theirs));
    let scale = 100.0 / mean(theirs);
    (scale * means.mean().unwrap_or_default(), scale * 1.96 * means.deviation() / (ours.len() as f64).sqrt())
}

fn table(
    fixed: &BTreeMap<u64, Found>,
    measured: &Found,
    accrual: &Found,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let best = |half: usize| {
        let costs = fixed.iter().map(|(period, found)| (*period, mean(&found.costs[half])));
        costs.min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are some").0
    };
    let bests = [best(0), best(1)];
    let ratio = bests[1] as f64 / bests[0] as f64;
    writeln!(
        out,
        "  best fixed periods in hindsight: {} ms and {} ms, {ratio:.1} times apart",
        bests[0], bests[1]
    )?;
    // Of all fixed periods the one whose worse half is best.
    let worse = |found: &Found| {
        let over = |half: usize| mean(&found.costs[half]) / mean(&fixed[&bests[half]].costs[half]);
        over(0).max(over(1))
    };
    let both = *fixed.iter().min_by(|a, b| worse(a.1).total_cmp(&worse(b.1))).expect("there are some").0;
    writeln!(out, "  {:<28}{:>34}{:>34}", "cost a second", "first half", "second half")?;
    let mut row = |name: &str, found: &Found| {
        write!(out, "  {name:<28}")?;
        for half in 0..2 {
            let (more, around) = more(&found.costs[half], &fixed[&bests[half]].costs[half]);
            write!(out, "{:>34}", format!("{:.5} {more:+.1} % ±{around:.1}", mean(&found.costs[half])))?;
        }
        writeln!(out)
    };
    row("measured", measured)?;
    for period in USUAL.iter().chain(&bests) {
        row(&format!("every {period} ms"), &fixed[period])?;
    }
    row(&format!("every {both} ms, best on both"), &fixed[&both])?;
    row("accrual detector, 1000 ms", accrual)?;
    let told: Vec<String> =
        measured.told.iter().map(|(name, figure)| format!("{name} {figure:.0}")).collect();
    writeln!(out, "  of a run that measures: {}", told.join(", "))?;
    Ok(())
}
