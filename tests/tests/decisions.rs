//! Decisions of the specs, simulated: an appointment is worth what `foresee-decide` computes, a lock manager that weighs its
//! victims beats those that do not, a coordinator that weighs what a transaction is worth beats every fixed time-out, and consensus
//! has a penalty above which safety is never traded.
//!
//! The long ones print tables: `cargo test --release -p foresee-tests --test decisions -- --ignored --nocapture`.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use foresee::kernel::{Arguments, Model, SpecInfo};
use foresee::predict::{Settings, resolvers};
use foresee::sim::{Options, ResolverKind, Run, Status, runs};
use foresee_decide::cost::{Benefit, Cost};
use foresee_decide::extended::Extended;
use foresee_decide::law::{Arrival, Delay};
use foresee_decide::tradeoff::{Risk, flip_penalty};
use foresee_decide::wait::{self, exponential::Exponential, search};

foresee::include_spec!("appointment");
foresee::include_spec!("atomic_commit");
foresee::include_spec!("consensus_by_utility");
foresee::include_spec!("deadlock");

fn model(spec: &'static SpecInfo, system: &str, arguments: &[(&str, String)]) -> Arc<Model> {
    let arguments: Arguments =
        arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let system = spec.systems.iter().find(|it| it.name == system).expect("the spec has it");
    Arc::new((system.build)(&arguments).expect("the arguments fit"))
}

/// What `figure` is in the runs of the seeds from 0, in their order. Of several options the first is taken.
fn figures(model: &Arc<Model>, seeds: u64, figure: impl FnMut(&Run) -> f64) -> Vec<f64> {
    resolved(ResolverKind::First, model, seeds, figure)
}

/// Looking ahead without training, so far and no further.
fn ahead(horizon: Duration) -> ResolverKind {
    let settings = Settings {
        training: 0,
        rollouts: 16,
        horizon: Some(horizon),
        tail: Some(Duration::ZERO),
        ..Settings::default()
    };
    resolvers(&settings).get("lookahead").expect("there is one")
}

/// As `figures`, where `resolver` chooses.
fn resolved(
    resolver: ResolverKind,
    model: &Arc<Model>,
    seeds: u64,
    mut figure: impl FnMut(&Run) -> f64,
) -> Vec<f64> {
    let options = Options { resolver, ..Options::default() };
    let mut found = Vec::new();
    runs(model, 0..seeds, 2, &options, &mut |run| {
        assert!(run.violation.is_none(), "seed {}: {:?}", run.seed, run.violation);
        found.push(figure(&run));
    })
    .expect("it runs");
    found
}

/// Mean and standard error.
fn mean(of: &[f64]) -> (f64, f64) {
    let n = of.len() as f64;
    let mean = of.iter().sum::<f64>() / n;
    let squares: f64 = of.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// Mean of the differences, seed by seed, and its standard error.
fn paired(left: &[f64], right: &[f64]) -> (f64, f64) {
    mean(&left.iter().zip(right).map(|(x, y)| x - y).collect::<Vec<_>>())
}

fn say(line: &str) {
    // Straight to the stream: these tables are what the tests are run for.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// What an evening is worth in which Alice waits for so many minutes.
fn evening(minutes: u64, others: &[(&str, &str)], seeds: u64) -> (f64, f64) {
    let wait = format!("{minutes}min");
    let mut arguments = vec![("shortest", wait.clone()), ("longest", wait)];
    arguments.extend(others.iter().map(|(name, value)| (*name, (*value).to_owned())));
    mean(&figures(&model(&appointment::SPEC, "Five", &arguments), seeds, |run| -run.objectives["total"]))
}

#[test]
fn an_appointment_is_worth_what_is_computed() {
    // Minutes; the golden value G14.
    let wait = Exponential { mu: 0.1, never: 0.2, start: 5.0, benefit: 100.0, cost: Cost::linear(1.0) };
    let at = |minutes: u64| Extended::from(minutes as u32);
    let best = wait.best().expect("sound figures").until.get();
    assert!((best - 40.8351893846).abs() < 1e-9);
    for minutes in [0, 10, 20, 41, 80] {
        let exact = wait.utility(at(minutes)).expect("sound figures").get();
        let (found, error) = evening(minutes, &[], 8_000);
        assert!((found - exact).abs() <= 3.0 * error + 1e-9, "{minutes}: {found} ({error}), not {exact}");
    }
    // Without a magazine each minute costs more than the last, and after half an hour the table is gone.
    let arrival = Arrival { delay: Delay::Exponential { rate: 0.1 }, start: 5.0, never: 0.2 };
    let (benefit, cost) = (Benefit::deadline(30.0, 100.0, 40.0), Cost::Quadratic { rate: 1.0, growth: 0.1 });
    let plan = wait::best(&arrival, &benefit, &cost).expect("sound figures");
    assert!(plan.until.get() < best, "{plan:?}");
    for minutes in [15, 25, 40] {
        let exact =
            search::utility(&arrival, &benefit, &cost, 0.0, at(minutes)).expect("sound figures").get();
        let (found, error) = evening(minutes, &[("after", "40"), ("bored", "0.1"), ("pages", "0min")], 8_000);
        assert!((found - exact).abs() <= 3.0 * error + 1e-9, "{minutes}: {found} ({error}), not {exact}");
    }
}

#[test]
#[ignore = "hundreds of busy simulations: a minute in a release build"]
fn a_victim_by_utility_is_cheaper_than_the_youngest_the_oldest_and_any() {
    let lateness = |rule: u32| {
        let model = model(&deadlock::SPEC, "Bank", &[("rule", rule.to_string())]);
        figures(&model, 200, |run| run.objectives["lateness"])
    };
    let open = model(&deadlock::SPEC, "Bank", &[]);
    let ahead = resolved(ahead(Duration::from_secs(5)), &open, 200, |run| run.objectives["lateness"]);
    let others = [(1, "youngest"), (2, "oldest"), (3, "any")].map(|(rule, name)| (name, lateness(rule)));
    for (name, ours) in [("by importance times locks", lateness(4)), ("by looking ahead", ahead)] {
        say(&format!("{name}: {:.1} ({:.1})", mean(&ours).0, mean(&ours).1));
        for (other, theirs) in &others {
            let (low, _) = against(other, &ours, theirs);
            assert!(low > 0.0, "{name} against {other}: {low}");
        }
    }
}

/// Prints what another costs more, and gives the interval of that.
fn against(name: &str, ours: &[f64], theirs: &[f64]) -> (f64, f64) {
    let (saved, error) = paired(theirs, ours);
    let (low, high) = (saved - 1.96 * error, saved + 1.96 * error);
    let (cost, share) = (mean(theirs).0, 100.0 * saved / mean(theirs).0);
    say(&format!("  {name:<10}: {cost:.1}, which is {saved:.1} more ({low:.1} to {high:.1}), {share:.1} %"));
    (low, high)
}

#[test]
#[ignore = "hundreds of runs that look ahead: two minutes in a release build"]
fn a_coordinator_that_weighs_a_transaction_beats_every_fixed_time_out() {
    const SEEDS: u64 = 100;
    // Messages take two seconds in the mean, so a vote that is late may be worth waiting for, or not.
    let shop = |bounds: &[(&str, String)]| {
        let own = [("delay", "2s".to_owned()), ("calls", "0.2".to_owned())];
        model(
            &atomic_commit::SPEC,
            "Shop",
            &own.into_iter().chain(bounds.iter().cloned()).collect::<Vec<_>>(),
        )
    };
    let grid = shop(&[("shortest", "250ms".to_owned()), ("longest", "32s".to_owned())]);
    let ours = resolved(ahead(Duration::from_secs(60)), &grid, SEEDS, |run| run.objectives["total"]);
    say(&format!("the wait by looking ahead: {:.1} ({:.1})", mean(&ours).0, mean(&ours).1));
    // The time-outs of the choice, and those between them.
    let mut all = Vec::new();
    for doubling in 0..8 {
        for part in [4, 5, 6, 7] {
            all.push(250 * part * (1 << doubling) / 4);
        }
    }
    for wait in all.into_iter().filter(|wait| *wait <= 32_000) {
        let wait = format!("{wait}ms");
        let fixed = shop(&[("shortest", wait.clone()), ("longest", wait.clone())]);
        let theirs = figures(&fixed, SEEDS, |run| run.objectives["total"]);
        let (low, _) = against(&wait, &ours, &theirs);
        assert!(low > 0.0, "a time-out of {wait}: {low}");
    }
}

/// What a policy of consensus comes to: how often it decides two values, and what waiting costs in the mean and in each run.
fn policy(system: &str, tries: Option<u32>, seeds: u64) -> (Risk, Vec<f64>) {
    let tries = tries.map(|tries| ("tries", tries.to_string()));
    let model = model(&consensus_by_utility::SPEC, system, tries.as_slice());
    let mut divided = 0;
    let divides =
        |run: &Run| run.properties.iter().any(|it| it.name == "divided" && it.status == Status::Reached);
    let waits = figures(&model, seeds, |run| {
        divided += u64::from(divides(run));
        run.objectives["waiting"]
    });
    let risk = Risk { unsafe_: divided as f64 / seeds as f64, blocks: 0.0, other: mean(&waits).0 };
    (risk, waits)
}

#[test]
#[ignore = "hundreds of thousands of runs: minutes in a release build"]
fn above_a_threshold_of_the_penalty_safety_is_never_traded() {
    const SEEDS: u64 = 100_000;
    let (strict, waits) = policy("Strict", None, SEEDS);
    assert_eq!(strict.unsafe_, 0.0);
    say(&format!("a majority: never divided, waiting {:.3}", strict.other));
    let (mut policies, mut tips) = (vec![strict], Vec::new());
    for tries in [0, 1] {
        let (hasty, hasty_waits) = policy("Hasty", Some(tries), SEEDS);
        let (saved, error) = paired(&waits, &hasty_waits);
        assert!(saved > 3.0 * error, "settling after {tries} ballots in vain saves {saved} ({error})");
        let tip = flip_penalty(&hasty, &strict, 0.0).expect("sound figures").expect("it was divided");
        say(&format!(
            "one vote, after {tries} in vain: divided in {:.5}, waiting {:.3}, which saves {saved:.3} ({error:.3}); tips at {tip:.0}",
            hasty.unsafe_, hasty.other
        ));
        tips.push(tip);
        policies.push(hasty);
    }
    let best = |penalty: f64| {
        let penalty = Extended::try_from(penalty).expect("a number");
        let cost = |risk: &&Risk| risk.cost(penalty, Extended::ZERO);
        policies.iter().min_by_key(cost).expect("there are policies").unsafe_
    };
    // The dearer it is to be divided, the safer is what is best; above the last tip it is the majority, and nothing else can be where
    // the penalty is infinite.
    assert!(tips[0] < tips[1], "{tips:?}");
    let chosen = [0.0, tips[1] * 0.99, tips[1] * 1.01, f64::INFINITY].map(best);
    assert!(chosen.windows(2).all(|pair| pair[0] >= pair[1]), "{chosen:?}");
    assert!(chosen[1] > 0.0 && chosen[2] == 0.0 && chosen[3] == 0.0, "{chosen:?}");
}
