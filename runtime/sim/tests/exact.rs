//! Small systems solved exactly, against closed forms and against the means of many runs.

mod support;

use std::any::TypeId;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::{
    Amount, Claim, DelayModel, Event, Figure, Model, NodeId, Objective, Predicate, Property, PropertyKind,
    Quantity, Read, Statistical, Term, View,
};
use foresee_sim::{
    Answered, Answers, Custom, Exact, ExactError, Options, Random, ResolverKind, SimError, Status, Summary,
    TOTAL, Verdict, exact, runs,
};
use support::{Behaviour, DRAW, Memory, Message, PICK, Puppet, Timer, stage};

const A: NodeId = NodeId::new(0);
const B: NodeId = NodeId::new(1);

/// The first node sends a ball every second until a box comes back; the second sends a box for every ball.
const RESENDS: Behaviour = |this, event, ctx| match event {
    Event::Start if ctx.me() == A => ctx.set(Timer(0), Duration::from_secs(1)),
    Event::Timer(_) => {
        ctx.send(0, B, Message::Ball(1));
        ctx.set(Timer(0), Duration::from_secs(1));
    }
    Event::Deliver { .. } if ctx.me() == B => ctx.send(0, A, Message::Box(Vec::new())),
    Event::Deliver { .. } => {
        this.count = 1;
        ctx.cancel(Timer(0));
    }
    _ => {}
};

/// The probability that a message of [`RESENDS`] is lost, and that a ball and the box for it both arrive.
const LOSS: f64 = 0.3;
const ROUND: f64 = (1.0 - LOSS) * (1.0 - LOSS);

const READS: &[Read] = &[Read {
    service: || TypeId::of::<Puppet<false>>(),
    digest: |variables, digest| {
        if let Some(memory) = variables.downcast_ref::<Memory>() {
            memory.hash(digest);
        }
    },
}];

fn count(view: &View<'_>, node: NodeId) -> f64 {
    view.variables::<Puppet<false>>(node).map_or(0.0, |memory: &Memory| f64::from(memory.count))
}

fn acknowledged(within: Option<Duration>) -> Figure {
    let event = Predicate { holds: |view, _| count(view, A) > 0.0, reads: READS, reads_up: false };
    Figure::Probability { event, within, given: None }
}

fn claims(claims: impl IntoIterator<Item = (Figure, Claim)>) -> Vec<Arc<Statistical>> {
    let claim = |(figure, claim)| {
        let (name, file, text) = ("claim", "puppet.mace", "as written");
        Arc::new(Statistical { name, file, line: 1, text, figure, claim })
    };
    claims.into_iter().map(claim).collect()
}

/// [`RESENDS`] over `seconds` and a half, so with as many balls at most.
fn resends(seconds: u64) -> Model {
    let mut model = stage(2, RESENDS, |carrier| carrier.loss = LOSS);
    model.horizon = Some(Duration::from_millis(seconds * 1_000 + 500));
    model.objectives = vec![
        Objective::minimize("balls", &[Term::PerMessage { amount: Amount::Number(1.0), kinds: &["Ball"] }]),
        Objective::minimize("boxes", &[Term::PerMessage { amount: Amount::Number(1.0), kinds: &["Box"] }]),
    ];
    model
}

fn resolver(name: &str) -> Options {
    Options { resolver: name.parse().expect("there is one"), ..Options::default() }
}

fn solve(model: Model) -> Exact {
    exact(&Arc::new(model), &resolver("random"), Answers::Resolver, 10_000).expect("it is small")
}

fn near(found: Option<f64>, expected: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?} is not {expected}");
}

#[test]
fn a_sender_that_sends_again_has_the_figures_of_a_truncated_geometric_law() {
    for balls in [1, 2, 5, 8] {
        let mut model = resends(balls);
        let never = (1.0 - ROUND).powi(balls as i32);
        let first = Some(Duration::from_millis(1_500));
        model.statistics = claims([
            (acknowledged(None), Claim::AtLeast(1.0 - never)),
            (acknowledged(None), Claim::Above(1.0 - never)),
            (acknowledged(first), Claim::AtMost(ROUND)),
            (acknowledged(first), Claim::Below(ROUND - 1e-6)),
            (Figure::Expected(Quantity::Objective("balls")), Claim::AtMost((1.0 - never) / ROUND)),
        ]);
        let found = solve(model);
        // Lost balls and lost boxes both leave the next ball to be sent: two runs for one. Something is drawn for each ball and each box.
        assert_eq!((found.runs, found.cut), (((1 << (balls + 1)) - 1) as f64, 0.0));
        assert_eq!(found.states, Some(2 * balls));
        near(found.objectives["balls"], (1.0 - never) / ROUND);
        near(found.objectives["boxes"], (1.0 - LOSS) * (1.0 - never) / ROUND);
        near(found.objectives[TOTAL], (2.0 - LOSS) * (1.0 - never) / ROUND);
        let verdicts: Vec<Verdict> = found.statistics.iter().map(|claim| claim.verdict).collect();
        use Verdict::{Held, Violated};
        assert_eq!(verdicts, [Held, Violated, Held, Violated, Held], "{balls}");
        near(found.statistics[0].value, 1.0 - never);
        near(found.statistics[2].value, ROUND);
        assert!(found.statistics.iter().all(|claim| claim.left_out < 1e-12), "{found:?}");
    }
}

#[test]
fn runs_that_are_not_made_leave_intervals_that_hold_the_truth() {
    let mut model = resends(8);
    let truth = 1.0 - (1.0 - ROUND).powi(8);
    model.statistics = claims([
        (acknowledged(None), Claim::AtLeast(0.01)),
        (acknowledged(None), Claim::AtLeast(truth)),
        (Figure::Expected(Quantity::Objective("balls")), Claim::AtMost(100.0)),
    ]);
    let all = solve(model.clone()).states.expect("states are told apart");
    let model = Arc::new(model);
    let mut widest = 1.0;
    for most in [2, 5, 10, all - 1] {
        let found = exact(&model, &Options::default(), Answers::Resolver, most).expect("it is small");
        assert_eq!(found.states, Some(most));
        assert!(found.cut > 0.0 && found.cut < widest, "{}", found.cut);
        widest = found.cut;
        let interval = found.statistics[0].interval.expect("it is a probability");
        assert!(interval.low <= truth && truth <= interval.high, "{interval:?}");
        assert_eq!((found.statistics[0].value, found.objectives["balls"]), (None, None));
        assert_eq!(found.statistics[2].verdict, Verdict::Undecided);
        // Whether the last box arrives decides it.
        assert_eq!(found.statistics[1].verdict, Verdict::Undecided);
        assert_eq!(found.statistics[0].verdict, Verdict::Held);
    }
    let found = exact(&model, &Options::default(), Answers::Resolver, all).expect("it is small");
    assert_eq!(found.cut, 0.0);
    near(found.statistics[1].value, truth);
}

/// Two attempts at most, by a cheap route that fails every second time or by a dear one that fails every fifth time; it costs 4 not to
/// succeed. What is paid is counted; a timer says which attempt it is.
const ROUTES: Behaviour = |this, event, ctx| match event {
    Event::Start => ctx.set(Timer(1), Duration::from_secs(1)),
    Event::Timer(timer) => {
        let attempt = timer.get::<Timer>().map_or(0, |timer| timer.0);
        let price = ctx.choose(&PICK, [1_u32, 2]);
        this.count += price;
        let fails = if price == 1 { 0.5 } else { 0.2 };
        if ctx.random(&DRAW, Distribution::weighted([(true, fails), (false, 1.0 - fails)])) {
            match attempt {
                1 => ctx.set(Timer(2), Duration::from_secs(1)),
                _ => this.count += 4,
            }
        }
    }
    _ => {}
};

const PAID: &[Term] = &[Term::AtHorizon { value: |view| count(view, A) }];

fn routes() -> Arc<Model> {
    let mut model = stage(1, ROUTES, |_| {});
    model.horizon = Some(Duration::from_secs(5));
    model.objectives = vec![Objective::minimize("paid", PAID)];
    Arc::new(model)
}

#[test]
fn the_best_answers_depend_on_what_happened() {
    let paid = |found: &Exact| found.objectives["paid"];
    let best = exact(&routes(), &Options::default(), Answers::Best, 100).expect("it is small");
    // The last attempt: 1 + 0.5 * 4 is 3 by the cheap route, 2 + 0.2 * 4 is 2.8 by the dear one. The first: 1 + 0.5 * 2.8 is 2.4, and 2 +
    // 0.2 * 2.8 is 2.56. So the cheap one comes first and the dear one second.
    near(paid(&best), 2.4);
    let taken: Vec<(&str, f64)> = best.choices.iter().map(|it| (&*it.option, it.times)).collect();
    assert_eq!(taken, [("1", 1.0), ("2", 0.5)]);
    assert_eq!((best.choices[0].site, best.choices[0].line), ("pick", 2));
    // What the node knows of itself tells the attempts apart: by the timer, and by what was paid.
    let told = |it: &Answered| (it.event.clone(), it.state.contains("count: 0"), format!("{:?}", it.options));
    let first = ("timer Timer(1)".to_owned(), true, "{\"1\": 1.0}".to_owned());
    let second = ("timer Timer(2)".to_owned(), false, "{\"2\": 0.5}".to_owned());
    assert_eq!(best.policy.iter().map(told).collect::<Vec<_>>(), [first, second]);
    let by = |name| exact(&routes(), &resolver(name), Answers::Resolver, 100).expect("it is small");
    near(paid(&by("first")), 1.0 + 0.5 * 3.0);
    near(paid(&by("random")), 0.5 * (1.0 + 0.5 * 2.9) + 0.5 * (2.0 + 0.2 * 2.9));
    // In turn: cheap, then dear.
    near(paid(&by("round-robin")), 2.4);
    assert!(by("random").choices.is_empty() && by("random").policy.is_empty());
}

/// One node draws, and the other guesses what: it costs 1 to be wrong.
const GUESSES: Behaviour = |this, event, ctx| match event {
    Event::Start if ctx.me() == A => ctx.set(Timer(1), Duration::from_secs(1)),
    Event::Start => this.count = ctx.random(&DRAW, Distribution::weighted([(1_u32, 0.25), (2, 0.75)])),
    Event::Timer(_) => this.count = ctx.choose(&PICK, [1_u32, 2]),
    _ => {}
};

const WRONG: &[Term] = &[Term::AtHorizon { value: |view| f64::from(count(view, A) != count(view, B)) }];

#[test]
fn what_a_node_cannot_know_shows_as_several_best_answers() {
    let mut model = stage(2, GUESSES, |_| {});
    model.horizon = Some(Duration::from_secs(5));
    model.objectives = vec![Objective::minimize("wrong", WRONG)];
    let best = exact(&Arc::new(model), &Options::default(), Answers::Best, 100).expect("it is small");
    near(best.objectives["wrong"], 0.0);
    let told: Vec<String> = best.policy.iter().map(|it| format!("{:?}", it.options)).collect();
    assert_eq!(told, ["{\"1\": 0.25, \"2\": 0.75}"]);
}

#[test]
fn what_is_maximised_and_what_comes_second_count_as_objectives_say() {
    let mut most = Model::clone(&routes());
    most.objectives =
        vec![Objective { sense: foresee_kernel::Sense::Maximize, ..Objective::minimize("paid", PAID) }];
    let found = exact(&Arc::new(most), &Options::default(), Answers::Best, 100).expect("it is small");
    // Cheap and cheap: 1 + 0.5 * 3; dear first: 2 + 0.2 * 3.
    near(found.objectives["paid"], 2.6);
    near(found.objectives[TOTAL], -2.6);
    let mut second = Model::clone(&routes());
    second.objectives = vec![
        Objective::minimize("nothing", &[Term::AtHorizon { value: |_| 1.0 }]),
        Objective { level: 2, ..Objective::minimize("paid", PAID) },
    ];
    let found = exact(&Arc::new(second), &Options::default(), Answers::Best, 100).expect("it is small");
    near(found.objectives["paid"], 2.4);
}

#[test]
fn violations_have_probabilities_and_the_best_answers_avoid_them_first() {
    static PROPERTIES: [Property; 1] = [Property {
        name: "cheap",
        kind: PropertyKind::Safety,
        file: "puppet.mace",
        line: 7,
        holds: |view| count(view, A) < 5.0,
        reads: READS,
        reads_up: false,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    }];
    let mut model = Model::clone(&routes());
    model.properties.extend(&PROPERTIES);
    let model = Arc::new(model);
    let found = exact(&model, &resolver("first"), Answers::Resolver, 100).expect("it is small");
    // The cheap route fails twice.
    near(found.violations.get("cheap").copied(), 0.25);
    near(found.properties["cheap"].get(&Status::Violated).copied(), 0.25);
    near(found.properties["cheap"].get(&Status::Held).copied(), 0.75);
    // Over the runs that are not cut short: 1 half of all times, 2 a quarter.
    near(found.objectives["paid"], (0.5 + 0.25 * 2.0) / 0.75);
    let found = exact(&model, &Options::default(), Answers::Best, 100).expect("it is small");
    near(found.violations.get("cheap").copied(), 0.04);
}

#[test]
fn the_means_of_many_runs_come_near() {
    const RUNS: u64 = 4_000;
    let mut model = resends(5);
    model.carriers[0].duplicates = Some(0.2);
    let model = Arc::new(model);
    let found = exact(&model, &Options::default(), Answers::Resolver, 1_000_000).expect("it is small");
    let mut summary = Summary::default();
    runs(&model, 0..RUNS, 1, &Options::default(), &mut |run| summary.add(&run)).expect("they run");
    for (name, moments) in &summary.objectives {
        let truth = found.objectives[name].expect("all runs were made");
        let error = moments.standard_deviation / (RUNS as f64).sqrt();
        assert!((moments.mean - truth).abs() < 3.0 * error, "{name}: {} and {truth}", moments.mean);
        assert!(error > 0.0);
    }
}

#[test]
fn what_cannot_be_solved_is_refused_with_what_to_do() {
    let refused = |model: Model, answers, most| {
        let found = exact(&Arc::new(model), &Options::default(), answers, most);
        found.expect_err("it cannot be solved")
    };
    let mut slow = resends(5);
    slow.carriers[0].delay = DelayModel::Exponential(Duration::from_millis(1));
    let error = refused(slow, Answers::Resolver, 1_000).to_string();
    assert!(error.contains("the delay of `net` has a continuous law: say a constant"), "{error}");
    let mut spread = resends(5);
    spread.carriers[0].delay = DelayModel::Uniform(Duration::ZERO, Duration::from_millis(1));
    let error = refused(spread, Answers::Resolver, 1_000).to_string();
    assert!(error.contains("the delay of `net` has 1000001 values"), "{error}");
    const RANGES: Behaviour = |_, event, ctx| {
        if let Event::Start = event {
            ctx.set(Timer(0), Duration::from_secs(1)..=Duration::from_secs(2));
        }
    };
    let error = refused(stage(1, RANGES, |_| {}), Answers::Resolver, 1_000).to_string();
    assert!(error.contains("a timer of p[0]") && error.contains("1000000001 values"), "{error}");
    let error = refused(stage(1, ROUTES, |_| {}), Answers::Best, 1_000);
    assert_eq!(error, ExactError::NoObjective { system: "Stage" });
    assert_eq!(
        refused(Model::clone(&routes()), Answers::Best, 1),
        ExactError::TooMany { most: 1, of: "states" }
    );
    const TICKS: Behaviour = |_, event, ctx| {
        if let Event::Start | Event::Timer(_) = event {
            ctx.set(Timer(0), Duration::from_secs(1));
        }
    };
    let endless = refused(stage(1, TICKS, |_| {}), Answers::Resolver, 1_000);
    assert_eq!(endless, ExactError::Endless { events: foresee_sim::EVENTS_MAX });
    let custom = ResolverKind::Custom(Custom::new("own", |_| Box::new(Random)));
    let options = Options { resolver: custom, ..Options::default() };
    let error = exact(&routes(), &options, Answers::Resolver, 100).expect_err("it may do anything");
    assert_eq!(error, ExactError::Resolver { name: "own".to_owned() });
    let mut late = resends(1);
    late.statistics = claims([(acknowledged(Some(Duration::from_secs(9))), Claim::AtLeast(0.5))]);
    let error = refused(late, Answers::Resolver, 10);
    assert!(matches!(error, ExactError::Sim(SimError::BeyondEnd { .. })), "{error}");
}
