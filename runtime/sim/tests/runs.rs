//! One seed, the same bytes; many seeds on threads; resolvers; violations with their traces.

mod support;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::trace::Ending as TraceEnding;
use foresee_kernel::{Event, Model, NodeId, Objective, Point, Property, PropertyKind, Sense, Term, Trace};
use foresee_sim::{
    Custom, Ending, Options, Policy, ResolverKind, Resolvers, Run, Scene, SimError, Status, Summary, run,
    runs,
};
use foresee_tests::two_phase_commit;
use foresee_world::narrate;
use support::{Behaviour, DRAW, Message, PICK, Puppet, Timer, lines, stage, with_properties};
use xxhash_rust::xxh3::xxh3_64;

fn commit(fickle: bool) -> Arc<Model> {
    Arc::new(two_phase_commit::model(4, fickle))
}

fn json(run: &Run) -> String {
    serde_json::to_string(run).expect("it serialises")
}

fn traced() -> Options {
    Options { trace: true, ..Options::default() }
}

/// Everything that a run gives, as bytes.
fn bytes(run: &Run) -> String {
    json(run) + &run.trace.as_ref().map(Trace::to_json).unwrap_or_default()
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_gives_others() {
    let model = commit(false);
    let play = |seed| bytes(&run(&model, seed, &traced()).expect("it runs"));
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
}

/// Changing this number changes every run of every seed: say so in the change log. It covers what happened, when, and
/// how choices were answered; how a state is hashed or a trace is written is no part of it.
#[test]
fn the_bytes_of_a_seed_are_golden() {
    let mut all = String::new();
    for model in [commit(false), Arc::new(two_phase_commit::model(2, true))] {
        for seed in 0..20 {
            let run = run(&model, seed, &traced()).expect("it runs");
            all += &json(&run);
            for step in run.trace.expect("it was asked for").steps {
                let picked: Vec<u32> = step.choices.iter().map(|choice| choice.picked).collect();
                all += &format!("{:?} {} {picked:?}\n", step.at_nanos, step.action);
            }
        }
    }
    assert_eq!(xxh3_64(all.as_bytes()), 0xCF6D_304D_D5AE_CABF);
}

#[test]
fn recording_changes_nothing_of_a_run() {
    for seed in 0..50 {
        for fickle in [false, true] {
            let model = commit(fickle);
            let plain = run(&model, seed, &Options::default()).expect("it runs");
            let recorded = run(&model, seed, &traced()).expect("it runs");
            assert_eq!(json(&plain), json(&recorded));
            assert_eq!(plain.trace.is_some(), plain.violation.is_some());
        }
    }
}

#[test]
fn runs_come_in_the_order_of_seeds_with_the_same_bytes_whatever_the_threads() {
    let model = Arc::new(two_phase_commit::model(2, true));
    let play = |threads| {
        let mut all = Vec::new();
        let mut summary = Summary::default();
        let mut each = |run: Run| {
            summary.add(&run);
            all.push((run.seed, bytes(&run)));
        };
        runs(&model, 5..205, threads, &Options::default(), &mut each).expect("they run");
        (all, serde_json::to_string(&summary).expect("it serialises"))
    };
    let one = play(1);
    assert!(one.0.iter().map(|(seed, _)| *seed).eq(5..205));
    for threads in [0, 2, 3, 300] {
        assert_eq!(play(threads), one, "{threads} threads");
    }
    runs(&model, 3..3, 4, &Options::default(), &mut |_| panic!("there is no seed")).expect("nothing to run");
}

#[test]
fn a_property_that_panics_is_an_error_with_its_time_and_ends_many_runs_at_its_seed() {
    static FRAGILE: [Property; 1] = [Property {
        name: "fragile",
        kind: PropertyKind::Safety,
        file: "puppet.mace",
        line: 5,
        holds: |view| {
            let count = |node| view.variables::<Puppet<false>>(node).map_or(0, |memory| memory.count);
            let count: u32 = view.all().into_iter().map(count).sum();
            100 / (1 - i64::from(count.min(1))) == 100
        },
        reads: &READS,
        reads_up: false,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    }];
    let behaviour: Behaviour = |this, event, ctx| match event {
        Event::Start => ctx.set(Timer(0), Duration::from_secs(2)),
        _ => this.count = u32::from(ctx.random(&DRAW, Distribution::uniform([false, true, false, false]))),
    };
    let model = with_properties(stage(1, behaviour, |_| {}), &FRAGILE);
    let failing = (0..100).find(|seed| run(&model, *seed, &Options::default()).is_err()).expect("one fails");
    let error = run(&model, failing, &Options::default()).expect_err("it fails");
    assert!(matches!(&error, SimError::Evaluation { at_nanos: 2_000_000_000, .. }), "{error}");
    assert!(error.to_string().contains("divide by zero"), "{error}");
    for threads in [1, 2] {
        let mut seeds = Vec::new();
        let result = runs(&model, 0..1_000, threads, &Options::default(), &mut |run| seeds.push(run.seed));
        assert_eq!(result, Err(error.clone()));
        assert!(seeds.into_iter().eq(0..failing));
    }
}

#[test]
fn a_violation_ends_the_run_and_its_trace_replays_into_it() {
    let model = Arc::new(two_phase_commit::model(2, true));
    let mut violated = 0;
    for seed in 0..100 {
        let run = run(&model, seed, &Options::default()).expect("it runs");
        let Some(violation) = &run.violation else { continue };
        violated += 1;
        assert_eq!((violation.property.as_str(), run.ending), ("consistent", Ending::Violation));
        assert_eq!(run.properties[0].status, Status::Violated);
        let trace = run.trace.expect("a violation keeps its trace");
        assert_eq!(trace.ending, TraceEnding::Violation { property: "consistent".to_owned() });
        assert_eq!(trace.steps.last().and_then(|step| step.at_nanos), Some(violation.at_nanos));
        let read = Trace::from_json(&trace.to_json()).expect("it reads");
        let (_, narration) = narrate::replay(&model, &read).expect("it replays");
        let program = foresee_world::Direct::new(model.clone());
        assert!(!narration.world.view(&program, |view| (model.properties[0].holds)(view)));
    }
    assert!(violated > 5, "{violated}");
}

#[test]
fn traces_of_whole_runs_replay() {
    for seed in 0..20 {
        let model = commit(false);
        let run = run(&model, seed, &traced()).expect("it runs");
        assert_eq!(run.ending, Ending::Quiet);
        let trace = run.trace.expect("it was asked for");
        let (path, _) = narrate::replay(&model, &trace).expect("it replays");
        assert_eq!(path.moves.len() as u64, run.events);
    }
}

static READS: [foresee_kernel::Read; 1] = [foresee_kernel::Read {
    service: std::any::TypeId::of::<Puppet<false>>,
    digest: |variables, digest| {
        if let Some(memory) = variables.downcast_ref::<support::Memory>() {
            std::hash::Hash::hash(&memory.count, digest);
        }
    },
}];

#[test]
fn a_fault_ends_the_run_without_effect_and_its_trace_replays() {
    let behaviour: Behaviour = |this, event, ctx| match event {
        Event::Start => {
            this.count = ctx.choose(&PICK, [3_u32, 4, 5]);
            ctx.set(Timer(0), Duration::from_secs(1));
        }
        Event::Timer(_) => {
            this.count += 10;
            ctx.send(0, NodeId::new(0), Message::Ball(0));
            assert!(this.count > 13, "a low count");
            ctx.set(Timer(0), Duration::from_secs(1));
        }
        _ => {}
    };
    let model = Arc::new(stage(2, behaviour, |_| {}));
    let options = Options { until: Some(Duration::from_secs(3)), ..Options::default() };
    let mut faults = 0;
    for seed in 0..20 {
        let run = run(&model, seed, &options).expect("it runs");
        let Some(violation) = &run.violation else { continue };
        faults += 1;
        assert_eq!((violation.property.as_str(), violation.at_nanos), ("no_fault", 1_000_000_000));
        assert!(violation.fault.as_ref().is_some_and(|fault| fault.contains("a low count")), "{violation}");
        assert_eq!(run.properties.last().map(|outcome| outcome.status), Some(Status::Violated));
        let trace = run.trace.expect("a fault keeps its trace");
        assert!(matches!(trace.ending, TraceEnding::Fault { .. }));
        let (_, narration) = narrate::replay(&model, &trace).expect("it replays");
        assert!(narration.steps.last().is_some_and(|told| told.fault.is_some() && told.sent.is_empty()));
    }
    assert!(faults > 3, "{faults}");

    // What a fault leaves behind is no state, and nothing looks at it.
    let half_done: Behaviour = |this, event, ctx| match event {
        Event::Start => ctx.set(Timer(0), Duration::from_secs(1)),
        _ => {
            this.count = 7;
            panic!("half done");
        }
    };
    const NOT_SEVEN: Term = Term::AtHorizon {
        value: |view| {
            let count = view.variables::<Puppet<false>>(NodeId::new(0)).map_or(0, |memory| memory.count);
            assert_ne!(count, 7);
            f64::from(count)
        },
    };
    let mut model = stage(1, half_done, |_| {});
    let terms = const { &[NOT_SEVEN] };
    let (name, sense) = ("never_seven", Sense::Minimize);
    model.objectives.push(Objective { sense, ..Objective::minimize(name, terms) });
    let half = run(&Arc::new(model), 0, &options).expect("it runs");
    assert_eq!((half.ending, half.objectives["never_seven"]), (Ending::Violation, 0.0));

    let at_start: Behaviour = |this, _, ctx| {
        ctx.send(0, NodeId::new(1), Message::Ball(0));
        assert!(this.count > 0 || ctx.me() != NodeId::new(1), "never starts");
    };
    let model = Arc::new(stage(2, at_start, |_| {}));
    let run = run(&model, 0, &options).expect("it runs");
    assert_eq!((run.events, run.ending), (0, Ending::Violation));
    narrate::replay(&model, &run.trace.expect("a fault keeps its trace")).expect("it replays");
}

#[test]
fn reachable_properties_are_reached_or_not() {
    static WITNESSES: [Property; 2] = [
        Property {
            name: "three",
            kind: PropertyKind::Reachable,
            file: "puppet.mace",
            line: 6,
            holds: |view| count(view) == 3,
            reads: &READS,
            reads_up: false,
            alone: false,
            ghosts: false,
            why: Property::UNEXPLAINED,
        },
        Property {
            name: "ten",
            kind: PropertyKind::Reachable,
            file: "puppet.mace",
            line: 7,
            holds: |view| count(view) == 10,
            reads: &READS,
            reads_up: false,
            alone: false,
            ghosts: false,
            why: Property::UNEXPLAINED,
        },
    ];
    fn count(view: &foresee_kernel::View<'_>) -> u32 {
        view.variables::<Puppet<false>>(NodeId::new(0)).map_or(0, |memory| memory.count)
    }
    let behaviour: Behaviour = |this, _, ctx| {
        this.count += 1;
        if this.count < 5 {
            ctx.set(Timer(0), Duration::from_secs(1));
        }
    };
    let model = with_properties(stage(1, behaviour, |_| {}), &WITNESSES);
    let run = run(&model, 0, &Options::default()).expect("it runs");
    let statuses: Vec<Status> = run.properties.iter().map(|outcome| outcome.status).collect();
    assert_eq!(statuses, [Status::Reached, Status::Unreached, Status::Held]);
}

#[test]
fn resolvers_go_by_name_and_an_unknown_one_lists_them() {
    for name in ["random", "first", "round-robin", "default"] {
        assert_eq!(name.parse::<ResolverKind>().expect("it is known").name(), name);
    }
    let error = "best".parse::<ResolverKind>().expect_err("it is not known");
    assert_eq!(
        error.to_string(),
        "there is no resolver `best` (there are: random, first, round-robin, default)"
    );
    assert_eq!(ResolverKind::default().name(), "random");
    let last = Custom::new("last", |_| Box::new(Last));
    let resolvers = Resolvers::default().with(last.clone()).with(last);
    assert_eq!(resolvers.names().last(), Some("last"));
    assert_eq!(resolvers.get("last").expect("it was added").name(), "last");
}

struct Last;

impl Policy for Last {
    fn choose(&mut self, point: &Point<'_>, _: &mut Scene<'_>) -> u32 {
        point.options - 1
    }
}

/// What each of two nodes picked and drew, by the log that it keeps.
fn picks(resolver: ResolverKind, seed: u64) -> Vec<String> {
    let behaviour: Behaviour = |this, event, ctx| {
        if matches!(event, Event::Timer(_)) {
            let free = ctx.choose(&PICK, [1, 2, 3]);
            let held = ctx.choose_or(&DRAW, [1, 2, 3], 2);
            let drawn = ctx.random(&DRAW, Distribution::weighted([('a', 1.0), ('b', 3.0)]));
            this.log.push(format!("{free}{held}{drawn}"));
        }
        if this.log.len() < 4 {
            ctx.set(Timer(0), Duration::from_secs(1));
        }
    };
    let model = Arc::new(stage(2, behaviour, |_| {}));
    let run = run(&model, seed, &Options { resolver, ..traced() }).expect("it runs");
    let (_, narration) = narrate::replay(&model, &run.trace.expect("it was asked for")).expect("it replays");
    let logs = (0..2).map(|node| {
        let layer = &narration.world.nodes[node].layers[0];
        model.nodes[node].layers()[0].service().fields(layer)[0].1.clone()
    });
    logs.collect()
}

#[test]
fn resolvers_answer_choices_and_never_chance() {
    let chosen = |logs: &[String]| {
        let strip = |log: &String| log.replace(['a', 'b'], "");
        logs.iter().map(strip).collect::<Vec<String>>()
    };
    let drawn =
        |logs: &[String]| logs.iter().map(|log| log.replace(['1', '2', '3'], "")).collect::<Vec<String>>();
    let first = picks(ResolverKind::First, 1);
    assert_eq!(chosen(&first), ["11 11 11 11", "11 11 11 11"]);
    let turns = picks(ResolverKind::RoundRobin, 1);
    assert_eq!(chosen(&turns), ["11 22 33 11", "11 22 33 11"]);
    let defaults = picks(ResolverKind::Default, 1);
    assert!(chosen(&defaults).iter().all(|log| log.split(' ').all(|pair| pair.ends_with('2'))));
    assert_ne!(chosen(&defaults)[0], chosen(&defaults)[1], "what has no default is drawn");
    let random = picks(ResolverKind::Random, 1);
    assert_ne!(chosen(&random), chosen(&picks(ResolverKind::Random, 2)));
    let last = picks(ResolverKind::Custom(Custom::new("last", |_| Box::new(Last))), 1);
    assert_eq!(chosen(&last), ["33 33 33 33", "33 33 33 33"]);
    // Chance is keyed by seed, node and count, so it is the same under every resolver.
    for logs in [&turns, &defaults, &random, &last] {
        assert_eq!(drawn(logs), drawn(&first));
    }
    assert_ne!(drawn(&picks(ResolverKind::First, 2)), drawn(&first));
}

#[test]
fn chance_follows_its_weights() {
    let behaviour: Behaviour = |this, event, ctx| {
        if matches!(event, Event::Timer(_)) {
            this.count += u32::from(ctx.random(&DRAW, Distribution::weighted([(true, 1.0), (false, 3.0)])));
            if this.count == 1_000 {
                return;
            }
        }
        ctx.set(Timer(0), Duration::from_secs(1));
    };
    let model = Arc::new(stage(1, behaviour, |_| {}));
    let run =
        run(&model, 4, &Options { resolver: ResolverKind::First, ..Options::default() }).expect("it runs");
    assert!((run.events as f64 / 4_000.0 - 1.0).abs() < 0.08, "{}", run.events);
}

#[test]
fn handlers_and_ignored_messages_are_counted() {
    let behaviour: Behaviour = |_, event, ctx| {
        if matches!(event, Event::Start) && ctx.me() == NodeId::new(0) {
            ctx.send(0, NodeId::new(1), Message::Ball(u32::MAX));
            ctx.send(0, NodeId::new(1), Message::Ball(1));
        }
    };
    let model = Arc::new(stage(2, behaviour, |_| {}));
    let run = run(&model, 0, &traced()).expect("it runs");
    assert_eq!((run.handlers[0].name, run.handlers[0].runs), ("any", 3));
    assert_eq!((run.ignored[0].message, run.ignored[0].count), ("Ball", 1));
    assert_eq!(lines(&run.trace.expect("it was asked for")).len(), 2);
}
