//! Looking ahead on specs that have nothing in common: push gossip among nodes of which a quarter is slow, a swarm whose peers upload at
//! unequal speed, and a load balancer. The resolvers are those of `simulate`, and for the swarm rarest-first in two ways, written for it by hand.
//!
//! All resolvers run the same seeds; each is compared with others seed by seed.
//!
//! `cargo run --release -p lookahead-experiment` prints the tables; docs/lookahead.md reads them.

mod rarest;
mod table;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use foresee::kernel::{Arguments, Model, SpecInfo};
use foresee::net::Topology;
use foresee::predict::{Settings, resolvers};
use foresee::sim::{Custom, Options, ResolverKind, Run, runs};

foresee::include_spec!("gossip");
foresee::include_spec!("load_balancer");
foresee::include_spec!("swarm");

/// A quarter of 20 nodes is far from everybody.
const SLOW: &str = include_str!("slow.json");

/// What is run.
struct Task {
    name: &'static str,
    /// What its figure is, for people.
    figure: &'static str,
    spec: &'static SpecInfo,
    system: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    until: Duration,
    topology: Option<&'static str>,
    contenders: &'static [&'static str],
    /// The objective that is compared, and what it is divided by.
    objective: &'static str,
    share: f64,
}

const TASKS: [Task; 3] = [
    Task {
        name: "gossip",
        figure: "objective: seconds for which a node does not know a rumour, and 0.05 a message",
        spec: &gossip::SPEC,
        system: "Square",
        arguments: &[],
        until: Duration::from_secs(20),
        topology: Some(SLOW),
        contenders: &["random", "round-robin", "lookahead", "omniscient"],
        objective: "total",
        share: 1.0,
    },
    Task {
        name: "swarm",
        figure: "mean seconds until a peer has all blocks",
        spec: &swarm::SPEC,
        system: "Uneven",
        arguments: &[],
        until: Duration::from_secs(120),
        topology: None,
        contenders: &["random", "rarest", "idlest, rarest", "lookahead", "omniscient"],
        objective: "waiting",
        share: 11.0,
    },
    Task {
        name: "load-balancer",
        figure: "seconds that requests waited for their answers, in all",
        spec: &load_balancer::SPEC,
        system: "Farm",
        arguments: &[],
        until: Duration::from_secs(60),
        topology: None,
        contenders: &["random", "round-robin", "default", "lookahead", "omniscient"],
        objective: "response",
        share: 1.0,
    },
];

/// Looking ahead on gossip, a swarm and a load balancer, beside other resolvers
#[derive(Debug, Parser)]
struct Args {
    /// How many runs of each contender
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..))]
    seeds: u64,
    /// How to look ahead, as `simulate` has it
    #[arg(long, value_name = "SETTINGS", default_value = "rollouts=4,training=4")]
    lookahead: Settings,
    /// One of gossip, swarm and load-balancer alone
    #[arg(long)]
    only: Option<String>,
    /// Where runs end, in seconds, if not where it is usual
    #[arg(long)]
    until: Option<u64>,
    /// These resolvers alone, semicolons between them
    #[arg(long, value_delimiter = ';')]
    resolvers: Vec<String>,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let mut out = std::io::stdout().lock();
    for task in TASKS.iter().filter(|task| args.only.as_deref().is_none_or(|only| only == task.name)) {
        let until = args.until.map_or(task.until, Duration::from_secs);
        let settings = Settings { training_until: Some(until), ..args.lookahead.clone() };
        let model = task.model();
        let known = resolvers(&settings)
            .with(Custom::new("rarest", |model| Box::new(rarest::RarestFirst::new(model, false))))
            .with(Custom::new("idlest, rarest", |model| Box::new(rarest::RarestFirst::new(model, true))));
        let wanted = |name: &&&str| args.resolvers.is_empty() || args.resolvers.iter().any(|it| it == **name);
        let mut rows = Vec::new();
        for name in task.contenders.iter().filter(wanted) {
            let resolver = known.get(name).map_err(std::io::Error::other)?;
            rows.push((*name, task.play(&model, resolver, until, args.seeds)));
        }
        table::print(task, &rows, &mut out)?;
        out.flush()?;
    }
    Ok(())
}

impl Task {
    fn model(&self) -> Arc<Model> {
        let system = self.spec.systems.iter().find(|it| it.name == self.system).expect("the spec has it");
        let arguments = self.arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Arc::new((system.build)(&Arguments::from_iter(arguments)).expect("the arguments fit"))
    }

    /// The runs of one contender, in the order of seeds.
    fn play(&self, model: &Arc<Model>, resolver: ResolverKind, until: Duration, seeds: u64) -> Vec<Run> {
        let topology = self.topology.map(|text| Arc::new(Topology::from_json(text).expect("it is sound")));
        let options = Options { until: Some(until), resolver, topology, ..Options::default() };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut found = Vec::new();
        runs(model, 0..seeds, threads, &options, &mut |run| found.push(run)).expect("it runs");
        for run in &found {
            assert!(run.violation.is_none(), "seed {}: {:?}", run.seed, run.violation);
        }
        found
    }

    /// The figure of a run.
    fn of(&self, run: &Run) -> f64 {
        run.objectives[self.objective] / self.share
    }
}
