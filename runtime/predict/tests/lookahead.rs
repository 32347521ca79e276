//! Looking ahead on systems whose best choices are known; what a node cannot know makes no difference to it.

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::ctx::{Alternative, Taken};
use foresee_kernel::model::ModelBuilder;
use foresee_kernel::{
    Amount, Arguments, CarrierInfo, CarrierKind, Ctx, Datum, DelayModel, Event, FaultKind, FaultPlan,
    FaultTarget, HandlerInfo, Layer, Model, NodeId, Objective, Service, ServiceInfo, Shape, SiteInfo,
    SpecInfo, Stack, SystemInfo, Term, Timing,
};
use foresee_net::Topology;
use foresee_predict::{Base, Lookahead, Omniscient, Settings, resolvers, train};
use foresee_sim::{Custom, Options, ResolverKind, Run, run};
use serde::{Deserialize, Serialize};

/// A client gives each of its jobs to one of three servers; a server takes its own time for each job, one after another.
#[derive(Clone, Debug)]
enum Role {
    Client { jobs: u32 },
    Server { takes: Duration },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Memory {
    /// Jobs to give away, or to be done.
    jobs: u32,
    done: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Job;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Tick;

impl Shape for Memory {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}
impl Shape for Job {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}
impl Shape for Tick {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

static GIVE: SiteInfo = SiteInfo::new("give", 2);
static HANDLERS: [HandlerInfo; 1] = [HandlerInfo::new("any", "any", 1)];
static SITES: [SiteInfo; 1] = [SiteInfo::new("any", 1)];
static INFO: ServiceInfo = ServiceInfo {
    name: "Balance",
    file: "balance.mace",
    line: 1,
    states: &[],
    variables: &[],
    messages: &[],
    carriers: &[CarrierInfo { name: "net", kind: CarrierKind::Reliable }],
    handlers: &HANDLERS,
    sites: &SITES,
    tables: &foresee_kernel::Tables::NONE,
};
static SPEC: SpecInfo = SpecInfo {
    name: "balance",
    file: "balance.mace",
    hash: 3,
    services: &[&INFO],
    systems: &[SystemInfo {
        name: "Farm",
        line: 9,
        parameters: &[],
        order_of_ids: &[],
        build: |_| unreachable!("built by hand"),
    }],
    scenarios: &[],
};

/// How often a client gives a job away.
const EVERY: Duration = Duration::from_millis(200);

impl Service for Role {
    type Variables = Memory;
    type Timer = Tick;

    fn info() -> &'static ServiceInfo {
        &INFO
    }

    fn init(&self, _: NodeId) -> Memory {
        match self {
            Role::Client { jobs } => Memory { jobs: *jobs, done: 0 },
            Role::Server { .. } => Memory::default(),
        }
    }

    fn recover(&self, me: NodeId, _: &Memory) -> Memory {
        Service::init(self, me)
    }

    fn step(&self, this: &mut Memory, event: &Event, ctx: &Ctx<'_, Tick>) {
        ctx.which(&SITES[0], &[Alternative { handler: 0, ways: 1 }], &|_: Taken| String::new());
        match (self, event) {
            (Role::Client { .. }, Event::Start) => ctx.set(Tick, EVERY),
            (Role::Client { .. }, Event::Timer(_)) if this.jobs > 0 => {
                this.jobs -= 1;
                let servers: Vec<NodeId> = (0..3).map(NodeId::new).collect();
                ctx.send(0, ctx.choose(&GIVE, servers), Job);
                ctx.set(Tick, EVERY);
            }
            (Role::Server { takes }, Event::Deliver { .. }) => {
                this.jobs += 1;
                if this.jobs == 1 {
                    ctx.set(Tick, *takes);
                }
            }
            (Role::Server { takes }, Event::Timer(_)) => {
                this.jobs -= 1;
                this.done += 1;
                if this.jobs > 0 {
                    ctx.set(Tick, *takes);
                }
            }
            _ => {}
        }
    }

    fn control(_: &Memory) -> &'static str {
        ""
    }

    fn fields(this: &Memory) -> Vec<(&'static str, String)> {
        vec![("jobs", this.jobs.to_string())]
    }

    fn accepts(message: &Datum) -> bool {
        message.get::<Job>().is_some()
    }
}

/// What waits at servers costs 1 a second.
const QUEUES: &[Term] = &[Term::PerSecond {
    over: |view| (0..3).map(NodeId::new).filter(|node| view.up(*node)).collect(),
    rate: |view, node| view.variables::<Role>(node).map_or(0.0, |memory| f64::from(memory.jobs)),
    local: true,
}];
const MESSAGES: &[Term] = &[Term::PerMessage { amount: Amount::Number(0.01), kinds: &[] }];

/// Three servers that take so many milliseconds for a job, and some clients of ten jobs each.
fn farm(takes: [u64; 3], clients: usize) -> Arc<Model> {
    let mut model = ModelBuilder::new(&SPEC, "Farm", &Arguments::default()).expect("no arguments");
    let servers = model.group("server", Some(3)).expect("not too many");
    let group = model.group("client", Some(clients)).expect("not too many");
    model.place(&servers, |id| {
        let takes = Duration::from_millis(takes[id.index()]);
        Stack::new(vec![Layer::new(Role::Server { takes })])
    });
    model.place(&group, |_| Stack::new(vec![Layer::new(Role::Client { jobs: 10 })]));
    model.network("net", |told| {
        told.delay = DelayModel::Uniform(Duration::from_millis(5), Duration::from_millis(25));
    });
    model.horizon(Duration::from_secs(20));
    let mut model = model.finish();
    model.objectives = vec![Objective::minimize("queues", QUEUES), Objective::minimize("messages", MESSAGES)];
    Arc::new(model)
}

const SLOW_AND_FAST: [u64; 3] = [2_000, 100, 400];

fn settings() -> Settings {
    Settings { rollouts: 8, horizon: Some(Duration::from_secs(2)), training: 4, ..Settings::default() }
}

fn kind(name: &str, settings: &Settings) -> ResolverKind {
    let settings = settings.clone();
    ResolverKind::Custom(match name {
        "omniscient" => {
            Custom::new(name, move |model| Box::new(Omniscient::new(model, &settings, Base::Uniform)))
        }
        _ => Custom::new(name, move |model| Box::new(Lookahead::new(model, &settings, Base::Uniform))),
    })
}

fn play(model: &Arc<Model>, resolver: ResolverKind, seed: u64) -> Run {
    run(model, seed, &Options { resolver, ..Options::default() }).expect("it runs")
}

fn mean(model: &Arc<Model>, resolver: &ResolverKind) -> f64 {
    (0..6).map(|seed| play(model, resolver.clone(), seed).objectives["total"]).sum::<f64>() / 6.0
}

#[test]
fn looking_ahead_sends_jobs_where_they_are_done_sooner() {
    let model = farm(SLOW_AND_FAST, 2);
    let random = mean(&model, &ResolverKind::Random);
    let lookahead = mean(&model, &kind("lookahead", &settings()));
    let omniscient = mean(&model, &kind("omniscient", &settings()));
    assert!(lookahead < 0.4 * random, "{lookahead} against {random}");
    assert!(omniscient < 0.4 * random, "{omniscient} against {random}");
    // What is known decides how much of the gap is closed: most of it.
    assert!((random - lookahead) / (random - omniscient) > 0.8, "{random} {lookahead} {omniscient}");
}

#[test]
fn a_seed_fixes_every_byte_and_knowledge_is_counted() {
    let model = farm(SLOW_AND_FAST, 2);
    let text = |resolver| serde_json::to_string(&play(&model, resolver, 3)).expect("it serialises");
    let ahead = || kind("lookahead", &settings());
    assert_eq!(text(ahead()), text(ahead()));
    let run = play(&model, ahead(), 3);
    assert_eq!(run.resolver["choices"], 20.0);
    assert_eq!(run.resolver["rollouts"], 20.0 * 3.0 * 8.0);
    assert!(run.resolver["rollout_steps"] > 480.0 && run.resolver["knowledge_bytes"] > 0.0, "{run:?}");
    let mute = Settings { riding: false, gather: None, ..settings() };
    assert_eq!(play(&model, kind("lookahead", &mute), 3).resolver["knowledge_bytes"], 0.0);
    assert!(!play(&model, kind("omniscient", &settings()), 3).resolver.contains_key("knowledge_bytes"));
}

/// Whether the other client is there at all is nothing that a client knows unless it is told.
#[test]
fn a_node_does_not_know_what_nobody_told_it() {
    let picks = |crashes: bool, settings: &Settings| {
        let mut model = Model::clone(&farm([300, 300, 300], 2));
        let moment = Duration::from_millis(50);
        model.faults.extend(crashes.then_some(FaultPlan {
            text: "crash client[1]",
            line: 1,
            kind: FaultKind::Crash,
            target: FaultTarget::OneOf(vec![NodeId::new(4)]),
            most: Some(1),
            timing: Timing { rate: None, within: Some((moment, moment)) },
            chance: None,
            back: None,
        }));
        let options = Options { resolver: kind("lookahead", settings), trace: true, ..Options::default() };
        let run = run(&Arc::new(model), 5, &options).expect("it runs");
        assert_eq!(run.faults.iter().map(|fault| fault.fired).sum::<u64>(), u64::from(crashes));
        let steps = run.trace.expect("it was asked for").steps.into_iter();
        let of_first = steps.filter(|step| step.action.to_string().contains("client[0]"));
        of_first.flat_map(|step| step.choices).map(|choice| choice.picked).collect::<Vec<u32>>()
    };
    let mute = Settings { riding: false, gather: None, ..settings() };
    assert_eq!(picks(true, &mute), picks(false, &mute));
    let told = Settings { gather: Some(Duration::from_millis(300)), ..settings() };
    assert_ne!(picks(true, &told), picks(false, &told));
}

/// What never comes out of a server's intake waits nowhere that counts: whoever knows the network gives all jobs to that server.
#[test]
fn omniscience_knows_the_network_and_a_node_does_not() {
    let text = r#"{ "matrix": { "unit": "one_way_ms", "sites": ["s"], "rows": [[10]] },
        "processing": { "each": { "constant_ms": 1 }, "slow": [ { "node": 1, "times": 1000000 } ] } }"#;
    let model = farm([300, 300, 300], 1);
    let jobs = |name: &str| {
        let options = Options {
            resolver: kind(name, &settings()),
            topology: Some(Arc::new(Topology::from_json(text).expect("it is sound"))),
            ..Options::default()
        };
        run(&model, 2, &options).expect("it runs").objectives["queues"]
    };
    assert_eq!(jobs("omniscient"), 0.0);
    assert!(jobs("lookahead") > 0.0);
}

#[test]
fn thinking_makes_what_is_sent_leave_later() {
    let model = farm(SLOW_AND_FAST, 1);
    let slow = Settings { step_time: Duration::from_millis(10), ..settings() };
    let options = |settings: &Settings| Options {
        resolver: kind("lookahead", settings),
        until: Some(Duration::from_secs(1)),
        ..Options::default()
    };
    let done = |settings: &Settings| {
        let run = run(&model, 1, &options(settings)).expect("it runs");
        (run.messages, run.events)
    };
    let (quick, late) = (done(&settings()), done(&slow));
    assert_eq!(quick.0, late.0, "as much is sent");
    assert!(late.1 < quick.1, "but less has arrived: {late:?} {quick:?}");
}

#[test]
fn effort_is_bounded_in_steps() {
    let model = farm(SLOW_AND_FAST, 2);
    let short = Settings { steps_max: 1, ..settings() };
    let run = play(&model, kind("lookahead", &short), 0);
    assert_eq!(run.resolver["rollouts"], 20.0 * 3.0, "one for each option all the same");
}

#[test]
fn training_finds_what_pays_and_the_guard_what_does_not() {
    let model = farm(SLOW_AND_FAST, 2);
    let trained = train(&model, &settings());
    assert!(!trained.guarded);
    assert_eq!(trained.base.name(), "uniform", "there is one handler, so nothing to imitate");
    // Six clients that know nothing of each other do no better than chance where all servers are alike, and come out worse in training:
    // then the default is what the resolver takes.
    let blind = Settings { riding: false, gather: None, ..settings() };
    let same = farm([900, 900, 900], 6);
    assert!(train(&same, &blind).guarded);
    let shipped = resolvers(&blind).get("lookahead").expect("it is known");
    for seed in 0..3 {
        let (ours, default) = (play(&same, shipped.clone(), seed), play(&same, ResolverKind::Default, seed));
        assert_eq!((ours.objectives, ours.events), (default.objectives, default.events));
    }
}

#[test]
fn resolvers_are_found_by_name() {
    let known = resolvers(&settings());
    let model = farm(SLOW_AND_FAST, 1);
    for name in ["lookahead", "omniscient"] {
        let kind = known.get(name).expect("it is known");
        assert_eq!(kind.name(), name);
        assert!(play(&model, kind, 0).objectives["total"] < 20.0);
    }
    assert!(known.get("oracle").is_err());
}
