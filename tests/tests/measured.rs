//! Choices that are resolved from what nodes measure: which have a form that is solved, and how near the resolver comes to what is
//! computed for figures that it does not know.
//!
//! What it is worth in a world that changes is an experiment: `cargo run --release -p heartbeat-experiment`.

use std::sync::Arc;

use foresee::kernel::{Arguments, Model, SpecInfo};
use foresee::measure::{Form, tunables};
use foresee::predict::{MEASURED, Settings, leaves_others, resolvers};
use foresee::sim::{Options, ResolverKind, Run, run};
use foresee_decide::heartbeat::{self, Demand, Objective, Period};
use foresee_decide::protocol::Prices;

foresee::include_spec!("appointment");
foresee::include_spec!("atomic_commit");
foresee::include_spec!("reliable_link");

fn model(spec: &'static SpecInfo, system: &str, arguments: &[(&str, &str)]) -> Arc<Model> {
    let arguments: Arguments =
        arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let system = spec.systems.iter().find(|it| it.name == system).expect("the spec has it");
    Arc::new((system.build)(&arguments).expect("the arguments fit"))
}

fn measured() -> ResolverKind {
    resolvers(&Settings { training: 0, ..Settings::default() }).get(MEASURED).expect("there is one")
}

fn play(model: &Arc<Model>, seed: u64, resolver: ResolverKind) -> Run {
    let found = run(model, seed, &Options { resolver, ..Options::default() }).expect("it runs");
    assert!(found.violation.is_none(), "seed {seed}: {:?}", found.violation);
    found
}

#[test]
fn heartbeats_for_which_calls_wait_are_recognised_with_their_prices() {
    let pair = model(&reliable_link::SPEC, "Pair", &[]);
    let found = tunables(&pair);
    let [beat] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((beat.service, beat.choice, beat.timer), ("Heartbeat", "beat.period", "beat"));
    let Ok(Form::Beats(beats)) = &beat.form else { panic!("{beat:?}") };
    assert_eq!((beats.messages.as_slice(), beats.price), (&["Beat"][..], 0.05));
    let [demand] = beats.demands.as_slice() else { panic!("{beats:?}") };
    assert_eq!((demand.service, demand.objective, demand.wait), ("ReliableLink", "waiting", 1.0));
    assert_eq!((demand.answers.as_slice(), demand.answer), (&["Data"][..], 0.2));
    assert_eq!((demand.acknowledgements.as_slice(), demand.acknowledgement), (&["Ack"][..], 0.2));
    assert!(!leaves_others(&pair, &found), "the period is all that there is to choose");
}

#[test]
fn waits_of_which_the_worth_depends_on_the_state_are_left_to_looking_ahead() {
    let choices: [(&'static SpecInfo, &str, &str); 2] =
        [(&atomic_commit::SPEC, "Shop", "commit.wait"), (&appointment::SPEC, "Five", "start.patience")];
    for (spec, system, choice) in choices {
        let model = model(spec, system, &[]);
        let found = tunables(&model);
        let open = found.iter().find(|it| it.choice == choice);
        let open = open.unwrap_or_else(|| panic!("{choice} is not among {found:?}"));
        assert!(open.form.is_err(), "{open:?}");
        assert!(leaves_others(&model, &found));
    }
}

/// What a second of `Pair` costs by the exact form, in seconds: both ends beat and call.
fn cost(period_ms: u64, loss: f64, delay_ms: u64, calls: f64) -> f64 {
    let prices = Prices { send: 0.2, wait: 1e-3 };
    let demand = Demand { rate: 2.0 * calls * 1e-3, share: 1.0, tau: delay_ms, gamma: loss, prices };
    let objective = Objective::new(2.0, 0.05, vec![demand], None).expect("sound figures");
    1e3 * objective.cost(heartbeat::Form::Exact, Period::Every(period_ms)).get()
}

#[test]
fn the_measured_period_costs_little_more_than_the_best_for_figures_that_nobody_told() {
    for (loss, delay_ms, calls) in [(0.02, 50, 0.2), (0.1, 300, 0.02)] {
        let arguments = [
            ("correct", "1.0".to_owned()),
            ("fine", "true".to_owned()),
            ("length", "1000s".to_owned()),
            ("loss", loss.to_string()),
            ("delay", format!("{delay_ms}ms")),
            ("calls", calls.to_string()),
        ];
        let arguments: Vec<(&str, &str)> =
            arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let pair = model(&reliable_link::SPEC, "Pair", &arguments);
        let best =
            (100..=10_000).map(|period| cost(period, loss, delay_ms, calls)).fold(f64::INFINITY, f64::min);
        let seeds = 3;
        let mut sum = 0.0;
        for seed in 0..seeds {
            sum += play(&pair, seed, measured()).objectives["total"] / 1_000.0;
        }
        let over = sum / f64::from(seeds as u32) / best - 1.0;
        // The calls of so few runs are not quite as many as are expected, either.
        assert!(over.abs() < 0.2, "{loss} {delay_ms} {calls}: {over}");
        let fixed = |period: &str| {
            let mut arguments = arguments.clone();
            arguments.extend([("shortest", period), ("longest", period)]);
            let pair = model(&reliable_link::SPEC, "Pair", &arguments);
            (0..seeds).map(|seed| play(&pair, seed, ResolverKind::First).objectives["total"]).sum::<f64>()
        };
        assert!(1_000.0 * sum < fixed("10s"), "the longest period is better");
    }
}

#[test]
fn who_has_seen_nothing_stays_at_the_safe_default() {
    // Nobody calls for long, and there are few messages: the period moves away from the middle step by step.
    let quiet = [("correct", "1.0"), ("calls", "0.000001"), ("loss", "0.0000001"), ("length", "4s")];
    let begins = play(&model(&reliable_link::SPEC, "Pair", &quiet), 1, measured());
    // Beats at 0, 0.8, 1.6, .. of both ends: the middle of 100 ms and 10 s is 1 s, and 0.8 s the nearest of the options.
    assert_eq!(begins.objectives["beating"], 12.0);
    let later = play(
        &model(&reliable_link::SPEC, "Pair", &[("length", "4000s"), quiet[0], quiet[1], quiet[2]]),
        1,
        measured(),
    );
    let beats = later.objectives["beating"];
    // Every 0.8 s there would be ten thousand, and every 10 s eight hundred.
    assert!((800.0..1_500.0).contains(&beats), "{beats} beats, though nobody calls");
}

#[test]
fn the_same_seed_measures_the_same() {
    let pair = model(&reliable_link::SPEC, "Pair", &[("length", "300s")]);
    let told = |run: Run| (run.events, run.objectives, run.resolver);
    assert_eq!(told(play(&pair, 7, measured())), told(play(&pair, 7, measured())));
}
