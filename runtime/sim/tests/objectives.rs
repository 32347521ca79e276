//! Objectives of small runs, against figures reckoned by hand.

mod support;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{Amount, Event, Growth, Model, NodeId, Objective, Sense, Term, View};
use foresee_sim::{Options, Run, SimError, TOTAL, run};
use support::{Behaviour, Memory, Message, Puppet, Timer, stage};

const A: NodeId = NodeId::new(0);
const B: NodeId = NodeId::new(1);

/// The first node sends a ball at 1 s, a ball and a box of 100 bytes at 2 s, .., and counts its seconds.
const SECONDS: Behaviour = |this, event, ctx| match event {
    Event::Start if ctx.me() == A => ctx.set(Timer(0), Duration::from_secs(1)),
    Event::Timer(_) => {
        this.count += 1;
        ctx.send(0, B, Message::Ball(1));
        if this.count == 2 {
            ctx.send(0, B, Message::Box(vec![0; 100]));
        }
        if this.count < 4 {
            ctx.set(Timer(0), Duration::from_secs(1));
        }
    }
    Event::Deliver { .. } => this.count += 1,
    _ => {}
};

fn count(view: &View<'_>, node: NodeId) -> f64 {
    view.variables::<Puppet<false>>(node).map_or(0.0, |memory: &Memory| f64::from(memory.count))
}

fn objective(name: &'static str, terms: &'static [Term]) -> Objective {
    Objective::minimize(name, terms)
}

fn play(objectives: Vec<Objective>, until: f64) -> Run {
    look(objectives, until, None).expect("it runs")
}

fn look(objectives: Vec<Objective>, until: f64, every: Option<Duration>) -> Result<Run, SimError> {
    let mut model: Model = stage(2, SECONDS, |_| {});
    model.objectives = objectives;
    let options = Options { until: Some(Duration::from_secs_f64(until)), every, ..Options::default() };
    run(&Arc::new(model), 1, &options)
}

/// A look at 1 s sees the ball of 1 s, and none changes what comes of it all.
#[test]
fn objectives_are_looked_at_on_the_way_as_if_the_run_ended_there() {
    let objectives = || {
        let counted: &'static [Term] =
            &[Term::PerSecond { over: |view| view.running::<Puppet<false>>(), rate: count, local: true }];
        let grows: &'static [Term] = &[Term::AtHorizon { value: |view| count(view, A) }];
        let mut early = objective("early", counted);
        early.horizon = Some(Duration::from_millis(1_700));
        let discounted = Objective { discount: 0.9, ..objective("discounted", counted) };
        vec![
            objective("messages", &[Term::PerMessage { amount: Amount::Number(1.0), kinds: &[] }]),
            objective("seconds", counted),
            early,
            discounted,
            objective("state", grows),
        ]
    };
    let every = Duration::from_millis(500);
    let run = look(objectives(), 5.0, Some(every)).unwrap();
    let seconds: Vec<f64> = (1..=10).map(|turn| f64::from(turn) / 2.0).collect();
    assert_eq!(run.over_time.seconds, seconds);
    for (place, until) in seconds.iter().enumerate() {
        let short = play(objectives(), *until);
        for (name, value) in &short.objectives {
            assert_eq!(run.over_time.objectives[name][place], *value, "{name} at {until} s");
        }
    }
    assert_eq!(run.over_time.objectives["messages"][..4], [0.0, 1.0, 1.0, 3.0]);
    let last = run.over_time.objectives.iter().map(|(name, of)| (name.clone(), of[9])).collect();
    assert_eq!(run.objectives, last);
    assert_eq!(run.objectives, play(objectives(), 5.0).objectives);
    assert!(play(objectives(), 5.0).over_time.is_empty());
}

#[test]
fn looks_have_an_end() {
    let objectives = || vec![objective("none", &[])];
    for every in [Duration::ZERO, Duration::from_nanos(1)] {
        assert_eq!(look(objectives(), 5.0, Some(every)).unwrap_err(), SimError::Looks(every));
    }
    let model = Arc::new(stage(2, SECONDS, |_| {}));
    let options = Options { every: Some(Duration::from_secs(1)), ..Options::default() };
    assert_eq!(run(&model, 1, &options).unwrap_err(), SimError::Looks(Duration::from_secs(1)));
}

#[test]
fn messages_and_bytes_are_counted_by_kind() {
    let run = play(
        vec![
            objective("messages", &[Term::PerMessage { amount: Amount::Number(0.5), kinds: &[] }]),
            objective("boxes", &[Term::PerMessage { amount: Amount::Number(3.0), kinds: &["Box"] }]),
            objective("bytes", &[Term::PerByte { amount: Amount::Number(1.0), kinds: &[] }]),
            objective(
                "ball_bytes",
                &[Term::PerByte { amount: Amount::Number(2.0), kinds: &["Ball", "Bell"] }],
            ),
        ],
        10.0,
    );
    // A ball is its kind and its number, a byte each; a box its kind, its length and 100 bytes.
    assert_eq!(run.objectives["messages"], 2.5);
    assert_eq!(run.objectives["boxes"], 3.0);
    assert_eq!(run.objectives["bytes"], 4.0 * 2.0 + 102.0);
    assert_eq!(run.objectives["ball_bytes"], 16.0);
    assert_eq!(run.objectives[TOTAL], 2.5 + 3.0 + 110.0 + 16.0);
    assert_eq!((run.messages, run.bytes), (5, 110));
    assert_eq!(run.objectives_by_node["boxes"], [3.0, 0.0]);
}

const LOCAL: Term = Term::PerSecond { over: |view| view.all(), rate: count, local: true };
/// What the second node costs depends on the first.
const FOREIGN: Term = Term::PerSecond {
    over: |view| view.group(0).into_iter().filter(|node| *node == B).collect(),
    rate: |view, _| count(view, A),
    local: false,
};
const ONLY_ODD: Term = Term::PerSecond {
    over: |view| view.all().into_iter().filter(|node| count(view, *node) % 2.0 == 1.0).collect(),
    rate: |_, _| 10.0,
    local: false,
};

#[test]
fn rates_last_from_one_event_to_the_next() {
    let run = play(
        vec![
            objective("local", const { &[LOCAL] }),
            objective("foreign", const { &[FOREIGN] }),
            objective("odd", const { &[ONLY_ODD] }),
            objective("end", &[Term::AtHorizon { value: |view| count(view, A) * 100.0 }]),
        ],
        3.5,
    );
    // At A: 1 from 1 s, 2 from 2 s, 3 from 3 s. At B: 1 from 1.001 s, 3 from 2.001 s, 4 from 3.001 s.
    let at_a = 1.0 + 2.0 + 3.0 * 0.5;
    let at_b = 1.0 + 3.0 + 4.0 * 0.499;
    // Exact, not near: whole rates over whole nanoseconds do not round.
    assert_eq!(run.objectives["local"], at_a + at_b);
    assert_eq!(run.objectives["foreign"], at_a);
    // A is odd from 1 to 2 and from 3 s; B from 1.001 to 3.001 s, except for no time at 2.001 s between two arrivals.
    assert_eq!(run.objectives["odd"], 10.0 * (1.5 + 2.0));
    assert_eq!(run.objectives["end"], 300.0);
    assert_eq!(run.objectives_by_node["foreign"], [0.0, at_a]);
}

#[test]
fn totals_add_by_weight_and_level_and_what_is_maximised_counts_negative() {
    const ONE: &[Term] = &[Term::PerMessage { amount: Amount::Number(1.0), kinds: &[] }];
    let run = play(
        vec![
            Objective { weight: 2.0, ..objective("cost", ONE) },
            Objective { sense: Sense::Maximize, weight: 0.5, ..objective("gain", ONE) },
            Objective { level: 2, weight: 3.0, ..objective("later", ONE) },
        ],
        10.0,
    );
    assert_eq!(run.objectives[TOTAL], 10.0 - 2.5);
    assert_eq!(run.objectives["total_level_2"], 15.0);
    assert_eq!(play(Vec::new(), 1.0).objectives.len(), 0);
}

/// What is paid for at the first node from 1 s on: a key for each two units of its count.
const AGES: fn(&View<'_>, NodeId) -> Vec<(u64, f64)> = |view, node| {
    let things = (count(view, node) / 2.0).ceil() as u64;
    (0..things).map(|key| (key, 1.0)).collect()
};

const GROWING: [Term; 2] = [
    Term::Growing { over: |_| vec![A], rates: AGES, growth: Growth::Power(|_| 1.0), local: true },
    Term::Growing { over: |_| vec![A], rates: AGES, growth: Growth::Factor(|_| 2.0), local: false },
];

#[test]
fn rates_grow_with_the_age_of_each_thing_for_itself() {
    let run = play(
        vec![Objective::minimize("linear", &GROWING[..1]), Objective::minimize("factor", &GROWING[1..])],
        5.0,
    );
    // The first thing is there from 1 s to 5 s, the second from 3 s on, when the count goes from 2 to 3.
    assert!(
        (run.objectives["linear"] - (16.0 / 2.0 + 4.0 / 2.0)).abs() < 1e-12,
        "{}",
        run.objectives["linear"]
    );
    let exponential = |age: f64| (age.exp2() - 1.0) / std::f64::consts::LN_2;
    let expected = exponential(4.0) + exponential(2.0);
    assert!((run.objectives["factor"] - expected).abs() < 1e-9, "{}", run.objectives["factor"]);
}

#[test]
fn what_comes_later_counts_less_under_a_discount() {
    const MESSAGES: &[Term] = &[Term::PerMessage { amount: Amount::Number(1.0), kinds: &[] }];
    const END: &[Term] = &[Term::AtHorizon { value: |view| count(view, A) }];
    const BY_NODE: &[Term] =
        &[Term::PerMessage { amount: Amount::AtNode(|_, node| node.index() as f64 + 3.0), kinds: &["Ball"] }];
    let run = play(
        vec![
            Objective { discount: 0.5, ..objective("messages", MESSAGES) },
            Objective { discount: 0.5, ..objective("end", END) },
            objective("by_node", BY_NODE),
        ],
        6.0,
    );
    // A message at 1 s, two at 2 s, one at 3 s and at 4 s.
    assert!((run.objectives["messages"] - (0.5 + 0.5 + 0.125 + 0.0625)).abs() < 1e-12);
    assert!((run.objectives["end"] - 4.0 / 64.0).abs() < 1e-12, "{}", run.objectives["end"]);
    assert_eq!(run.objectives["by_node"], 12.0);
}

#[test]
fn a_node_that_counts_nothing_is_not_asked_for_its_amount() {
    fn amount(_: &View<'_>, node: NodeId) -> f64 {
        assert_eq!(node, A, "this one may run another service, which has no such parameter");
        3.0
    }
    const BY_NODE: &[Term] = &[Term::PerMessage { amount: Amount::AtNode(amount), kinds: &["Ball"] }];
    assert_eq!(play(vec![objective("by_node", BY_NODE)], 6.0).objectives["by_node"], 12.0);
}

#[test]
fn an_objective_may_end_before_the_run_does() {
    const ALL: &[Term] = &[
        Term::PerMessage { amount: Amount::Number(1.0), kinds: &[] },
        Term::PerSecond { over: |_| vec![A], rate: |_, _| 10.0, local: true },
        Term::AtHorizon { value: |view| count(view, A) * 100.0 },
    ];
    let short =
        |millis| Objective { horizon: Some(Duration::from_millis(millis)), ..objective("short", ALL) };
    // Messages at 1 s and 2 s, the rate for as long, and the count as it stood then.
    assert_eq!(play(vec![short(2_500)], 10.0).objectives["short"], 3.0 + 25.0 + 200.0);
    assert_eq!(play(vec![short(2_000)], 10.0).objectives["short"], 3.0 + 20.0 + 200.0);
    assert_eq!(play(vec![short(60_000)], 5.0).objectives["short"], 5.0 + 50.0 + 400.0);
}
