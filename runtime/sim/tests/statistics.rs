//! Claims about chains whose figures are known: verdicts are right as often as they say, on any number of threads.

mod support;

use std::any::TypeId;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::{
    Claim, Event, Figure, Model, NodeId, Objective, Predicate, Quantity, Read, Statistical, Term,
};
use foresee_sim::{Demands, Estimate, Options, SimError, Verdict, Verification, compare, verify};
use support::{Behaviour, DRAW, Memory, Puppet, Timer, stage};

const A: NodeId = NodeId::new(0);

/// A node that fails with probability 0.7 every second until it succeeds: then its count is the number of tries. With probability
/// 0.5 its log is not empty, from the start on.
const TRIES: Behaviour = |this, event, ctx| match event {
    Event::Start => {
        if ctx.random(&DRAW, Distribution::weighted([(true, 1.0), (false, 1.0)])) {
            this.log.push("marked".to_owned());
        }
        ctx.set(Timer(0), Duration::from_secs(1));
    }
    Event::Timer(_) => {
        this.count += 1;
        if ctx.random(&DRAW, Distribution::weighted([(true, 0.7), (false, 0.3)])) {
            ctx.set(Timer(0), Duration::from_secs(1));
        } else {
            this.log.push("done".to_owned());
        }
    }
    _ => {}
};

/// That it succeeds within 3 s.
const WITHIN_3_S: f64 = 1.0 - 0.7 * 0.7 * 0.7;

/// The mean number of tries.
const TRIES_MEAN: f64 = 1.0 / 0.3;

/// A predicate may read all that a puppet remembers.
const READS: &[Read] = &[Read {
    service: || TypeId::of::<Puppet<false>>(),
    digest: |variables, digest| {
        if let Some(memory) = variables.downcast_ref::<Memory>() {
            memory.hash(digest);
        }
    },
}];

fn memory<'a>(view: &foresee_kernel::View<'a>) -> &'a Memory {
    view.variables::<Puppet<false>>(A).expect("it is a puppet")
}

fn predicate(holds: fn(&foresee_kernel::View<'_>, &[NodeId]) -> bool) -> Predicate {
    Predicate { holds, reads: READS, reads_up: false }
}

fn event(seconds: u64) -> Figure {
    Figure::Probability {
        event: predicate(|view, _| memory(view).log.iter().any(|line| line == "done")),
        within: Some(Duration::from_secs(seconds)),
        given: None,
    }
}

fn tries() -> Figure {
    Figure::Expected(Quantity::State(|view| f64::from(memory(view).count)))
}

fn model(claims: impl IntoIterator<Item = (Figure, Claim)>) -> Arc<Model> {
    let mut model = stage(1, TRIES, |_| {});
    model.horizon = Some(Duration::from_secs(200));
    let claims = claims.into_iter().map(|(figure, claim)| {
        let (name, file, text) = ("claim", "puppet.mace", "as written");
        Arc::new(Statistical { name, file, line: 1, text, figure, claim })
    });
    model.statistics = claims.collect();
    Arc::new(model)
}

const DEMANDS: Demands = Demands { alpha: 0.05, beta: 0.05, indifference: Some(0.03) };

fn decide(model: &Arc<Model>, from: u64, most: u64, demands: &Demands) -> Verification {
    verify(model, from..from + most, 1, &Options::default(), demands).expect("it runs")
}

fn only(found: Verification) -> Estimate {
    let [estimate] = <[Estimate; 1]>::try_from(found.estimates).expect("there is one claim");
    estimate
}

/// In how many of `repetitions` the claim was refuted; each on seeds of its own.
fn refuted(figure: fn() -> Figure, claim: Claim, repetitions: u64, indifference: f64) -> u64 {
    let model = model([(figure(), claim)]);
    let demands = Demands { indifference: Some(indifference), ..DEMANDS };
    let refutes = |repetition: u64| {
        let found = only(decide(&model, repetition << 32, 1 << 30, &demands));
        assert_ne!(found.verdict, Verdict::Undecided);
        u64::from(found.verdict == Verdict::Violated)
    };
    (0..repetitions).map(refutes).sum()
}

/// At the edges of what either answer would do for, true claims are refuted and false ones held no more often than is stated.
fn errors_are_as_stated(repetitions: u64) {
    // Three standard deviations of the number of errors above its mean.
    let n = repetitions as f64;
    let most = n * 0.05 + 3.0 * (n * 0.05 * 0.95).sqrt();
    let (near, far) = (0.03, 0.3);
    let cases = [
        (Claim::AtLeast(WITHIN_3_S - near), Claim::AtLeast(WITHIN_3_S + near)),
        (Claim::AtMost(WITHIN_3_S + near), Claim::Below(WITHIN_3_S - near)),
    ];
    for (holds, fails) in cases {
        let wrong = refuted(|| event(3), holds, repetitions, near);
        assert!(wrong as f64 <= most, "{holds:?} was refuted {wrong} times of {repetitions}");
        let wrong = repetitions - refuted(|| event(3), fails, repetitions, near);
        assert!(wrong as f64 <= most, "{fails:?} was held {wrong} times of {repetitions}");
    }
    let wrong = refuted(tries, Claim::AtMost(TRIES_MEAN + far), repetitions, far);
    assert!(wrong as f64 <= most, "the mean was refuted {wrong} times of {repetitions}");
    let wrong = repetitions - refuted(tries, Claim::AtMost(TRIES_MEAN - far), repetitions, far);
    assert!(wrong as f64 <= most, "the mean was held {wrong} times of {repetitions}");
}

#[test]
fn errors_stay_within_alpha_and_beta() {
    errors_are_as_stated(50);
}

#[test]
#[ignore = "a thousand repetitions take minutes; the suite has fifty"]
fn errors_stay_within_alpha_and_beta_in_a_thousand_repetitions() {
    errors_are_as_stated(1_000);
}

#[test]
fn estimates_come_with_intervals_that_hold_the_known_figures() {
    let model = model([(event(3), Claim::AtLeast(0.5)), (tries(), Claim::Below(4.0))]);
    let found = decide(&model, 0, 100_000, &Demands::default());
    for (estimate, truth) in found.estimates.iter().zip([WITHIN_3_S, TRIES_MEAN]) {
        let interval = estimate.interval.expect("there were runs");
        assert_eq!(estimate.verdict, Verdict::Held);
        assert!((interval.low..=interval.high).contains(&truth), "{estimate:?}");
        assert!(estimate.runs <= found.summary.runs && found.summary.runs < 100_000, "{estimate:?}");
    }
}

#[test]
fn only_runs_in_which_what_is_given_holds_are_counted() {
    let given = predicate(|view, _| memory(view).log.first().is_some_and(|line| line == "marked"));
    let Figure::Probability { event, within, .. } = event(3) else { unreachable!("it is one") };
    let figure = Figure::Probability { event, within, given: Some(given) };
    let found = only(decide(&model([(figure, Claim::AtLeast(0.6))]), 0, 50_000, &Demands::default()));
    assert_eq!(found.verdict, Verdict::Held);
    let share = found.left_out as f64 / (found.left_out + found.runs) as f64;
    assert!((share - 0.5).abs() < 0.1, "{found:?}");
    assert!((found.estimate.expect("it has one") - WITHIN_3_S).abs() < 0.06, "{found:?}");
}

#[test]
fn too_few_runs_leave_a_claim_undecided() {
    let found = only(decide(&model([(event(3), Claim::AtLeast(0.65))]), 0, 20, &Demands::default()));
    assert_eq!((found.verdict, found.runs), (Verdict::Undecided, 20));
    let found = only(decide(&model([(tries(), Claim::AtMost(1.0))]), 0, 20, &Demands::default()));
    assert_eq!((found.verdict, found.interval), (Verdict::Undecided, None));
    assert!(found.note.is_some());
}

#[test]
fn quotients_without_a_value_are_left_out() {
    let zero = || Box::new(Quantity::Number(0.0));
    let figure = Figure::Expected(Quantity::Quotient(zero(), zero()));
    let found = only(decide(&model([(figure, Claim::AtMost(1.0))]), 0, 100, &Demands::default()));
    assert_eq!((found.verdict, found.runs, found.left_out), (Verdict::Undecided, 0, 100));
}

#[test]
fn finite_is_told_from_growing_by_evidence() {
    const EVER: &[Term] = &[Term::PerSecond { over: |view| view.all(), rate: |_, _| 1.0, local: true }];
    let mut grows = Model::clone(&model([(Figure::Expected(Quantity::Total), Claim::Finite)]));
    grows.objectives = vec![Objective::minimize("ever", EVER)];
    let found = only(decide(&Arc::new(grows), 0, 1_000, &Demands::default()));
    assert_eq!(found.verdict, Verdict::Violated, "{found:?}");
    let found = only(decide(&model([(tries(), Claim::Finite)]), 0, 1_000, &Demands::default()));
    assert_eq!(found.verdict, Verdict::Held, "{found:?}");
    assert!(found.note.is_some_and(|note| note.contains("no proof")));
}

#[test]
fn a_claim_about_a_time_beyond_the_end_is_refused() {
    let found = verify(
        &model([(event(300), Claim::AtLeast(0.5))]),
        0..10,
        1,
        &Options::default(),
        &Demands::default(),
    );
    let Err(error @ SimError::BeyondEnd { .. }) = found else { panic!("{found:?}") };
    assert!(error.to_string().contains("300s") && error.to_string().contains("200s"), "{error}");
}

#[test]
fn verdicts_do_not_depend_on_threads() {
    let model = model([(event(3), Claim::AtLeast(0.65)), (tries(), Claim::AtMost(3.5))]);
    let play = |threads| {
        verify(&model, 0..5_000, threads, &Options::default(), &DEMANDS).expect("it runs").estimates
    };
    assert_eq!(play(1), play(3));
}

#[test]
fn a_resolver_does_not_differ_from_itself() {
    let mut two = Model::clone(&model([]));
    two.objectives = vec![Objective::minimize(
        "count",
        &[Term::AtHorizon { value: |view| f64::from(memory(view).count) }],
    )];
    let resolvers = ["random", "first"].map(|name| name.parse().expect("there is one"));
    let play = |one, other| {
        compare(&Arc::new(two.clone()), 0..50, 2, &Options::default(), [one, other], 0.05).expect("it runs")
    };
    // The chain makes no choices, so common random numbers make the runs the same.
    let found = play(&resolvers[0], &resolvers[1]);
    let count = &found.figures["count"];
    let interval = count.interval.expect("there are fifty");
    assert_eq!((found.seeds, count.difference, interval.low, interval.high), (50, 0.0, 0.0, 0.0));
    assert!((count.means[0] - TRIES_MEAN).abs() < 1.5);
}
