//! The experiment of the papers, in simulation: nodes join a tree, half of it fails and joins again, under several resolvers.
//!
//! All nodes join at the root within 0.1, 5 or 60 s; then the largest subtree of the root crashes, is back at once, and joins again at the root
//! or at survivors, within the same time. What is measured: the greatest depth in levels, the seconds that nodes waited, the
//! objective of the spec; for what joins again, all but the depth from the crash on. All resolvers run the same seeds.
//!
//! `cargo run --release -p rand-tree-experiment` prints the table; docs/rand-tree.md reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use foresee::kernel::{
    Arguments, Call, Datum, FaultTarget, Model, NodeId, NodeState, SpecInfo, States, Timing, View, Way,
};
use foresee::predict::{Settings, Trained, train};
use foresee::sim::{Custom, Means, Options, ResolverKind, Run, run};

foresee::include_spec!("rand_tree");
foresee::include_spec!("rand_tree_baseline");
foresee::include_spec!("rand_tree_direct");

/// A protocol of the tree.
#[derive(Clone, Copy)]
struct Tree {
    spec: &'static SpecInfo,
    /// The application's call to join at these.
    join: fn(BTreeSet<NodeId>) -> Datum,
    children: for<'v> fn(&'v View<'_>, NodeId) -> Option<&'v BTreeSet<NodeId>>,
}

/// The protocol of a spec: the types that are generated have the same names in each.
macro_rules! tree {
    ($spec:ident) => {
        Tree {
            spec: &$spec::SPEC,
            join: |seeds| Datum::new($spec::tree::Downcall::Join { seeds }),
            children: |view, node| {
                view.variables::<$spec::rand_tree::RandTree>(node).map(|variables| &variables.children)
            },
        }
    };
}

/// Which protocol leaves its choices open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// A place is admitted by the root: `rand_tree`
    Admitted,
    /// A place is taken when it is offered, by the messages of the baseline: `rand_tree_direct`
    Direct,
}

const BASELINE: Tree = tree!(rand_tree_baseline);
const ADMITTED: Tree = tree!(rand_tree);
const DIRECT: Tree = tree!(rand_tree_direct);

/// The times within which nodes join.
const SPREADS: [Duration; 3] = [Duration::from_millis(100), Duration::from_secs(5), Duration::from_secs(60)];

/// How long a run lasts after the last has joined.
const SETTLES: Duration = Duration::from_secs(30);

/// How long the root is alone.
const ROOT_FIRST: Duration = Duration::from_secs(1);

/// How long nodes are down.
const DOWN: Duration = Duration::from_millis(200);

/// How many runs the predictor is trained on: with a few, chance says which base policy is best.
const TRAINING: u32 = 24;

/// Who makes the choices.
const CONTENDERS: [&str; 6] =
    ["baseline", "hard-coded", "random", "gathering alone", "lookahead", "omniscient"];

/// What happens.
const PHASES: [&str; 3] = ["joining", "rejoining at the root", "rejoining at survivors"];

/// Figures of a run: depth, waiting, objective, knowledge in bytes, bytes of the protocol, choices, steps of rollouts,
/// objective without messages.
const FIGURES: usize = 8;
type Figures = [f64; FIGURES];

/// What is known of a contender in a cell of the table, by seed.
type Cells = BTreeMap<(usize, usize, &'static str), BTreeMap<u64, Figures>>;

/// The experiment of the papers: a tree of nodes joins, half of it fails and joins again
#[derive(Debug, Parser)]
struct Args {
    /// Which protocol all but the baseline run
    #[arg(long, value_enum, default_value_t = Protocol::Direct)]
    protocol: Protocol,
    /// How many runs of each contender
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// How many nodes
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    nodes: u32,
    /// How many rollouts an option gets
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    rollouts: u32,
    /// Seconds between gatherings of checkpoints
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    gather: u64,
    /// Bytes of knowledge about others that ride on a message, at most
    #[arg(long, default_value_t = Settings::default().riding_bytes)]
    riding_bytes: u64,
    /// These contenders alone
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How many runs the predictor is trained on
    #[arg(long, default_value_t = TRAINING)]
    training: u32,
}

fn main() -> std::io::Result<()> {
    let Args { protocol, seeds, nodes, rollouts, gather, riding_bytes, only, training } = Args::parse();
    let open = match protocol {
        Protocol::Admitted => ADMITTED,
        Protocol::Direct => DIRECT,
    };
    let gather = Some(Duration::from_secs(gather));
    let settings = Settings { rollouts, gather, riding_bytes, training, ..Settings::default() };
    let mut out = std::io::stdout().lock();
    let mut cells = Cells::new();
    for (column, spread) in SPREADS.into_iter().enumerate() {
        let trained = train(&model(open.spec, nodes, spread), &settings);
        writeln!(
            out,
            "joining within {spread:?}: rollouts follow `{}`{}",
            trained.base.name(),
            if trained.guarded { "; looking ahead does not pay, says the guard" } else { "" }
        )?;
        let wanted = |contender: &&str| only.is_empty() || only.iter().any(|it| it == contender);
        for contender in CONTENDERS.into_iter().filter(wanted) {
            let tree = if contender == "baseline" { BASELINE } else { open };
            let options = Options {
                resolver: resolver(contender, &settings, &trained),
                last: true,
                ..Options::default()
            };
            let lives = play(tree, &model(tree.spec, nodes, spread), spread, seeds, &options);
            for (phase, seed, figures) in lives {
                cells.entry((phase, column, contender)).or_default().insert(seed, figures);
            }
        }
    }
    print(&cells, &mut out)
}

/// The system, joined within `spread`; what fails is left to the caller.
fn model(spec: &'static SpecInfo, nodes: u32, spread: Duration) -> Arc<Model> {
    let system = spec.systems.iter().find(|system| system.name == "Internet").expect("the spec has it");
    let spread_text = format!("{}ms", spread.as_millis());
    let failure = format!("{}ms", (ROOT_FIRST + spread + SETTLES).as_millis());
    let arguments = [("size", nodes.to_string()), ("spread", spread_text), ("failure", failure)];
    let arguments = arguments.map(|(name, value)| (name.to_owned(), value));
    let mut model = (system.build)(&Arguments::from_iter(arguments)).expect("the arguments fit");
    model.horizon = Some(ROOT_FIRST + spread + SETTLES);
    for call in &mut model.calls {
        call.after_restart = false;
        let first = call.ways.iter().all(|way| way.node.index() == 0);
        let from = if first { Duration::ZERO } else { ROOT_FIRST };
        call.timing.within = Some((from, if first { from } else { from + spread }));
    }
    Arc::new(model)
}

/// All lives of one contender, on all cores: phase, seed and figures.
fn play(
    tree: Tree,
    whole: &Arc<Model>,
    spread: Duration,
    seeds: u64,
    options: &Options,
) -> Vec<(usize, u64, Figures)> {
    let found = Mutex::new((0..seeds, Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let next = || found.lock().unwrap_or_else(PoisonError::into_inner).0.next();
                while let Some(seed) = next() {
                    let phases = life(tree, whole, spread, seed, options).into_iter().enumerate();
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.1.extend(phases.map(|(phase, figures)| (phase, seed, figures)));
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner).1
}

fn resolver(contender: &str, settings: &Settings, trained: &Trained) -> ResolverKind {
    use foresee::predict::{Base, Lookahead, Omniscient};
    let (settings, base) = (settings.clone(), trained.base.clone());
    let custom = match contender {
        // The first handler that applies: a place if there is one, else any child.
        "hard-coded" => Custom::new(contender, |_| Base::Order.policy()),
        "lookahead" => {
            Custom::new(contender, move |model| Box::new(Lookahead::new(model, &settings, base.clone())))
        }
        "gathering alone" => {
            let settings = Settings { riding: false, ..settings };
            Custom::new(contender, move |model| Box::new(Lookahead::new(model, &settings, base.clone())))
        }
        "omniscient" => {
            Custom::new(contender, move |model| Box::new(Omniscient::new(model, &settings, base.clone())))
        }
        _ => return ResolverKind::Random,
    };
    ResolverKind::Custom(custom)
}

/// Joining, and joining again at the root and at survivors, of one seed.
fn life(tree: Tree, whole: &Arc<Model>, spread: Duration, seed: u64, options: &Options) -> [Figures; 3] {
    let failure = ROOT_FIRST + spread + SETTLES;
    let mut calm = Model::clone(whole);
    calm.faults.clear();
    let calm = Arc::new(calm);
    let joined = run(&calm, seed, options).expect("it runs");
    let lost = largest(&View::new(&calm, &Last(&joined.last)));
    let again = |survivors: bool| {
        let mut model = Model::clone(whole);
        model.horizon = Some(failure + spread + SETTLES);
        model.faults[0].back = Some((DOWN, DOWN));
        model.faults[0].target = FaultTarget::AllOf(largest);
        let entries: Vec<NodeId> = if survivors {
            let all = (0..model.nodes.len() as u32).map(NodeId::new);
            all.filter(|node| !lost.contains(node)).collect()
        } else {
            vec![NodeId::new(0)]
        };
        for node in &lost {
            let way = |entry: &NodeId| {
                let entry = *entry;
                let call: Arc<dyn Fn(u64) -> Datum + Send + Sync> =
                    Arc::new(move |_| (tree.join)([entry].into()));
                Way { node: *node, layer: 0, probability: 1.0 / entries.len() as f64, call }
            };
            let within = Some((failure + 2 * DOWN, failure + 2 * DOWN + spread));
            model.calls.push(Call {
                text: "a.join([entry])",
                line: 0,
                most: Some(1),
                timing: Timing { rate: None, within },
                after_restart: false,
                ways: entries.iter().map(way).collect(),
            });
        }
        run(&Arc::new(model), seed, options).expect("it runs")
    };
    let before = figures(&joined);
    let rejoined = |run: &Run| {
        let mut figures = figures(run);
        (1..FIGURES).for_each(|index| figures[index] -= before[index]);
        // The objective counts the depth once.
        figures[2] += before[0] - 1.0;
        figures[FIGURES - 1] += before[0] - 1.0;
        figures
    };
    [before, rejoined(&again(false)), rejoined(&again(true))]
}

fn figures(run: &Run) -> Figures {
    assert!(run.violation.is_none(), "seed {}: {:?}", run.seed, run.violation);
    let objective = |name: &str| run.objectives[name];
    let told = |name: &str| run.resolver.get(name).copied().unwrap_or_default();
    [
        objective("depth") + 1.0,
        objective("waiting") / 0.2,
        objective("total"),
        told("knowledge_bytes"),
        run.bytes as f64,
        told("choices"),
        told("rollout_steps"),
        objective("depth") + objective("waiting"),
    ]
}

/// The largest of the subtrees below the root.
fn largest(view: &View<'_>) -> Vec<NodeId> {
    let subtrees = children(view, NodeId::new(0)).into_iter().map(|child| subtree(view, child));
    subtrees.max_by_key(Vec::len).unwrap_or_default()
}

fn subtree(view: &View<'_>, top: NodeId) -> Vec<NodeId> {
    let mut found = vec![top];
    let mut place = 0;
    while let Some(node) = found.get(place) {
        let more = children(view, *node).into_iter().filter(|child| !found.contains(child));
        let more: Vec<NodeId> = more.collect();
        found.extend(more);
        place += 1;
    }
    found
}

/// The children of a node, whatever the protocol.
fn children(view: &View<'_>, node: NodeId) -> Vec<NodeId> {
    let known = [BASELINE, ADMITTED, DIRECT].into_iter().find_map(|tree| (tree.children)(view, node));
    known.into_iter().flatten().copied().collect()
}

/// The states at the end of a run in which nothing is down.
struct Last<'a>(&'a [NodeState]);

impl States for Last<'_> {
    fn layer(&self, node: NodeId, layer: usize) -> &Datum {
        &self.0[node.index()][layer]
    }

    fn up(&self, _: NodeId) -> bool {
        true
    }
}

/// A mean with half of its 95 % interval.
fn mean(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut means = Means::default();
    values.for_each(|value| means.add(value));
    (means.mean().unwrap_or_default(), 1.96 * means.deviation() / (means.runs().max(1) as f64).sqrt())
}

fn print(cells: &Cells, out: &mut impl Write) -> std::io::Result<()> {
    let nobody = BTreeMap::new();
    let cell = |phase, column, contender| cells.get(&(phase, column, contender)).unwrap_or(&nobody);
    let played = |contender: &&str| cells.contains_key(&(0, 0, *contender));
    let titles = [
        (0, "greatest depth in levels"),
        (1, "seconds of waiting"),
        (2, "objective"),
        (FIGURES - 1, "objective without messages"),
    ];
    for (phase, name) in PHASES.into_iter().enumerate() {
        writeln!(
            out,
            "\n{name:<24}{}",
            SPREADS.map(|spread| format!("{:>18}", format!("{spread:?}"))).concat()
        )?;
        for (figure, title) in titles {
            writeln!(out, "  {title}")?;
            for contender in CONTENDERS.into_iter().filter(played) {
                write!(out, "    {contender:<20}")?;
                for column in 0..SPREADS.len() {
                    let (mean, half) = mean(cell(phase, column, contender).values().map(|it| it[figure]));
                    write!(out, "{:>18}", format!("{mean:.2} ±{half:.2}"))?;
                }
                writeln!(out)?;
            }
        }
        if played(&"omniscient") {
            write!(out, "  gap closed by lookahead")?;
            for column in 0..SPREADS.len() {
                let of = |contender| mean(cell(phase, column, contender).values().map(|it| it[0])).0;
                let (random, found, best) = (of("random"), of("lookahead"), of("omniscient"));
                let closed = match random > best {
                    true => format!("{:.0}%", 100.0 * (random - found) / (random - best)),
                    false => "no gap".to_owned(),
                };
                write!(out, "{closed:>18}")?;
            }
        }
        for other in ["baseline", "hard-coded"] {
            let titles =
                [(2, format!("objective less {other}")), (FIGURES - 1, "  without messages".to_owned())];
            for (figure, title) in titles {
                write!(out, "\n  {title:<26}")?;
                for column in 0..SPREADS.len() {
                    let others = cell(phase, column, other);
                    let ours = cell(phase, column, "lookahead").iter();
                    let pairs = ours.filter_map(|(seed, it)| Some(it[figure] - others.get(seed)?[figure]));
                    let (mean, half) = mean(pairs);
                    write!(out, "{:>18}", format!("{mean:.2} ±{half:.2}"))?;
                }
            }
        }
        writeln!(out)?;
        for contender in ["gathering alone", "lookahead"].into_iter().filter(played) {
            write!(out, "  {contender:<22}")?;
            for column in 0..SPREADS.len() {
                let of = |figure: usize| mean(cell(phase, column, contender).values().map(|it| it[figure])).0;
                let steps = of(6) / of(5).max(1.0);
                let told = format!("{:.0}/{:.0} B, {:.0} x {steps:.0}", of(3), of(4), of(5));
                write!(out, " {told:>26}")?;
            }
            writeln!(out, "   knowledge/protocol, choices x steps")?;
        }
    }
    Ok(())
}
