//! Choices that are resolved from what nodes measure: which have a form that is solved, and how near the resolver comes to what is
//! computed for figures that it does not know.
//!
//! What it is worth in a world that changes is an experiment: `cargo run --release -p heartbeat-experiment`. The table of periods of
//! retransmission is printed by `cargo test --release -p foresee-tests --test measured -- --ignored --nocapture`.

use std::io::Write;
use std::sync::Arc;

use foresee::kernel::{Arguments, Model, SpecInfo};
use foresee::measure::{Ends, Form, tunables};
use foresee::predict::{MEASURED, Settings, leaves_others, resolvers};
use foresee::sim::{Means, Options, ResolverKind, Run, run};
use foresee_decide::heartbeat::{self, Demand, Objective, Period};
use foresee_decide::protocol::{Link, Prices, Process, Protocol, exact};

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
fn retransmission_is_recognised_with_its_prices() {
    // The period of a system that leaves none to choose is one, too.
    for system in ["PairBySender", "OnceBySender"] {
        let model = model(&reliable_link::SPEC, system, &[]);
        let found = tunables(&model);
        let [resend] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            (resend.service, resend.choice, resend.timer),
            ("SenderDriven", "attempt.every", "resend")
        );
        let Ok(Form::Resends(it)) = &resend.form else { panic!("{resend:?}") };
        assert_eq!((it.service, it.messages.as_slice(), it.price), ("SenderDriven", &["Data"][..], 0.2));
        assert_eq!((it.acknowledgements.as_slice(), it.acknowledgement), (&["Ack"][..], 0.2));
        let [wait] = it.waits.as_slice() else { panic!("{it:?}") };
        assert_eq!((wait.objective, wait.wait, wait.ends), ("waiting", 1.0, Ends::Arrival));
        assert!(!leaves_others(&model, &found));
    }
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

/// A sender over a link of which it is told nothing: its loss, and how long a message takes, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Setting {
    loss: f64,
    delay_ms: u64,
}

/// Small and large losses, round trips far below the default of 2 s, near it, and above.
const SETTINGS: [Setting; 6] = [
    Setting { loss: 0.02, delay_ms: 20 },
    Setting { loss: 0.3, delay_ms: 50 },
    Setting { loss: 0.1, delay_ms: 400 },
    Setting { loss: 0.02, delay_ms: 2_000 },
    Setting { loss: 0.3, delay_ms: 2_000 },
    Setting { loss: 0.5, delay_ms: 1_000 },
];

impl Setting {
    /// Both ends call each other every two seconds for so long; the period is chosen among 28, or fixed.
    fn model(&self, seconds: u64, fixed_ms: Option<u64>) -> Arc<Model> {
        let mut arguments = vec![
            ("loss", self.loss.to_string()),
            ("delay", format!("{}ms", self.delay_ms)),
            ("calls", "0.5".to_owned()),
            ("length", format!("{seconds}s")),
            ("fine", "true".to_owned()),
        ];
        if let Some(fixed) = fixed_ms {
            arguments.extend(["shortest", "longest", "period"].map(|name| (name, format!("{fixed}ms"))));
        }
        let arguments: Vec<(&str, &str)> =
            arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut model = model(&reliable_link::SPEC, "PairBySender", &arguments);
        // What is claimed of the system is checked elsewhere, and would take most of the time here.
        let changed = Arc::make_mut(&mut model);
        changed.properties.clear();
        changed.liveness.clear();
        changed.statistics.clear();
        model
    }

    /// What the runs cost, by seeds.
    fn costs(&self, seconds: u64, seeds: u64, fixed_ms: Option<u64>) -> Vec<f64> {
        let model = self.model(seconds, fixed_ms);
        let resolver = if fixed_ms.is_some() { ResolverKind::First } else { measured() };
        (0..seeds).map(|seed| play(&model, seed, resolver.clone()).objectives["total"]).collect()
    }

    /// The best of fixed periods in hindsight, in milliseconds, and what its runs cost.
    fn best(&self, seconds: u64, seeds: u64, periods: &[u64]) -> (u64, Vec<f64>) {
        let all = periods.iter().map(|period| (*period, self.costs(seconds, seeds, Some(*period))));
        let sum = |costs: &[f64]| costs.iter().sum::<f64>();
        all.min_by(|a, b| sum(&a.1).total_cmp(&sum(&b.1))).expect("there are periods")
    }

    /// What a call costs by the exact form, in milliseconds.
    fn expected(&self, period_ms: u64) -> f64 {
        let (sender, receiver) = (Process::CORRECT, Process::CORRECT);
        let link = Link { tau: self.delay_ms, gamma: self.loss, sender, receiver };
        let prices = Prices { send: 0.2, wait: 1e-3 };
        exact::cost1(Protocol::SenderDriven, &link, period_ms, &prices).expect("sound figures").get()
    }
}

#[test]
fn the_measured_retransmission_costs_little_more_than_the_best_fixed_period_in_hindsight() {
    const SECONDS: u64 = 1_000;
    const SEEDS: u64 = 2;
    for setting in SETTINGS {
        // Of all milliseconds the best by the exact form; and those that people write down.
        let exact = (100..=10_000).min_by(|a, b| setting.expected(*a).total_cmp(&setting.expected(*b)));
        let exact = exact.expect("there are some");
        let (period, best) = setting.best(SECONDS, SEEDS, &[exact, 100, 1_000, 2_000, 5_000]);
        let (best, measured) =
            (best.iter().sum::<f64>(), setting.costs(SECONDS, SEEDS, None).iter().sum::<f64>());
        let over = measured / best - 1.0;
        // A twentieth of the calls is made before much is known.
        assert!(over < 0.1, "{setting:?}: {over} over every {period} ms");
    }
}

#[test]
#[ignore = "eighteen thousand runs: five to fifteen minutes in a release build"]
fn measured_retransmission_against_fixed_periods() {
    const SECONDS: u64 = 2_000;
    const SEEDS: u64 = 100;
    let say = |line: String| writeln!(std::io::stdout(), "{line}").expect("it can be written");
    let doublings = (0..7).flat_map(|it| [100, 125, 150, 175].map(|period| period << it));
    let grid: Vec<u64> = doublings.filter(|it| *it <= 10_000).collect();
    say(format!("{SEEDS} seeds, {SECONDS} s, each end calls every 2 s; cost a second (sd over the seeds)"));
    for setting in SETTINGS {
        let mut periods = grid.clone();
        periods.push(2 * setting.delay_ms);
        let (period, best) = setting.best(SECONDS, SEEDS, &periods);
        let seconds = SECONDS as f64;
        let of = |costs: &[f64]| {
            let mut means = Means::default();
            costs.iter().for_each(|cost| means.add(cost / seconds));
            (means.mean().unwrap_or_default(), means.deviation())
        };
        let (mean, spread) = of(&best);
        say(format!("loss {}, delay {} ms", setting.loss, setting.delay_ms));
        say(format!("  best, every {period} ms      {mean:.4} ({spread:.4})"));
        let against = |name: &str, costs: Vec<f64>| {
            let (cost, spread) = of(&costs);
            let apart: Vec<f64> = costs.iter().zip(&best).map(|(ours, theirs)| ours - theirs).collect();
            let (more, deviation) = of(&apart);
            let around = 1.96 * deviation / (SEEDS as f64).sqrt();
            let scale = 100.0 / mean;
            say(format!(
                "  {name:<24} {cost:.4} ({spread:.4}) {:+.1} % ±{:.1}",
                scale * more,
                scale * around
            ));
            scale * more
        };
        let over = against("measured", setting.costs(SECONDS, SEEDS, None));
        for fixed in [100, 500, 2_000, 5_000] {
            against(&format!("every {fixed} ms"), setting.costs(SECONDS, SEEDS, Some(fixed)));
        }
        assert!(over < 5.0, "{setting:?}");
    }
}
