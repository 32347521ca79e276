//! The delivery protocols of `specs/reliable_link.mace`, simulated, against the closed forms of `foresee-decide`: what one
//! invocation sends and waits, what it costs in the long run with its heartbeats, and where the cost has no bound.
//!
//! The closed forms count in rounds, a simulation in moments (docs/decisions/0033): sends have the same distribution, and a wait
//! that a crash ends does so within a round, which is a factor for every pair of ends that crash or do not. Run them all, in a
//! few minutes, with `cargo test --release -p foresee-tests --test delivery -- --ignored --nocapture`: they print tables.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use foresee::kernel::{Arguments, Model};
use foresee::sim::{Answers, Options, Run, exact as solve, runs};
use foresee_decide::protocol::{Link, Process, Protocol, exact};

foresee::include_spec!("reliable_link");

/// How far a mean may be from what is expected, in standard errors.
const ERRORS_MAX: f64 = 3.0;

/// The greatest standard error, relative to the mean.
const ERROR_WANTED: f64 = 0.01;

/// Runs of a batch, and the most of a setting.
const BATCH: u64 = 2_000;
const RUNS_MAX: u64 = 400_000;

/// Threads that run.
const THREADS: usize = 2;

/// One invocation of a protocol.
#[derive(Clone, Copy)]
struct Setting {
    protocol: Protocol,
    tau: u64,
    delta: u64,
    gamma: f64,
    /// Probability of being correct, and of a crash in a round if not.
    sender: (f64, f64),
    receiver: (f64, f64),
}

const fn setting(
    protocol: Protocol,
    (tau, delta, gamma): (u64, u64, f64),
    sender: (f64, f64),
    receiver: (f64, f64),
) -> Setting {
    Setting { protocol, tau, delta, gamma, sender, receiver }
}

use Protocol::{Heartbeat as Hb, ReceiverDriven as Rd, SenderDriven as Sd, Trivial};

/// Small and large loss, periods below and above the round trip, all mixtures of correct and not.
const SETTINGS: &[Setting] = &[
    setting(Sd, (1, 1, 0.1), (0.0, 0.02), (0.0, 0.02)),
    setting(Sd, (5, 3, 0.01), (0.0, 0.001), (0.0, 0.0001)),
    setting(Sd, (5, 10, 0.1), (0.0, 0.01), (0.9, 0.01)),
    setting(Sd, (3, 2, 0.1), (1.0, 0.01), (1.0, 0.01)),
    setting(Sd, (5, 14, 0.3), (0.9, 0.01), (1.0, 0.01)),
    setting(Rd, (5, 4, 0.05), (1.0, 0.001), (0.5, 0.001)),
    setting(Rd, (2, 5, 0.2), (0.0, 0.02), (0.0, 0.02)),
    setting(Rd, (5, 4, 0.05), (0.7, 0.01), (0.0, 0.02)),
    setting(Hb, (20, 6, 0.1), (0.5, 0.001), (0.5, 0.0005)),
    setting(Hb, (1, 2, 0.2), (1.0, 0.01), (0.0, 0.01)),
    setting(Hb, (5, 4, 0.05), (0.6, 0.001), (0.8, 0.001)),
    setting(Hb, (20, 50, 0.1), (0.0, 0.001), (0.0, 0.001)),
    setting(Hb, (5, 20, 0.3), (0.5, 0.01), (0.5, 0.01)),
    setting(Hb, (3, 1, 0.01), (1.0, 0.01), (1.0, 0.01)),
    setting(Trivial, (1, 1, 0.1), (0.0, 0.01), (0.3, 0.02)),
    // Where the approximations of the paper break.
    setting(Sd, (20, 20, 0.3), (0.0, 0.001), (0.0, 0.001)),
    setting(Hb, (20, 1, 0.1), (0.0, 0.001), (0.0, 0.001)),
];

impl Setting {
    fn link(&self) -> Link {
        let end = |(correct, crash)| Process { correct, crash };
        Link { tau: self.tau, gamma: self.gamma, sender: end(self.sender), receiver: end(self.receiver) }
    }

    /// The system that is one invocation, at most `rounds` long.
    fn model(&self, rounds: u64) -> Arc<Model> {
        let system = match self.protocol {
            Trivial => "Never",
            Sd => "OnceBySender",
            Rd => "OnceByReceiver",
            Hb => "Once",
        };
        let mut arguments = vec![
            ("correct_a", self.sender.0.to_string()),
            ("crash_a", self.sender.1.to_string()),
            ("correct_b", self.receiver.0.to_string()),
            ("crash_b", self.receiver.1.to_string()),
            ("length", format!("{}s", rounds + 1)),
        ];
        if self.protocol != Trivial {
            arguments.push(("delay", format!("{}s", self.tau)));
            arguments.push(("period", format!("{}s", self.delta)));
            arguments.push(("loss", self.gamma.to_string()));
        }
        model(system, &arguments)
    }

    /// After so many rounds nothing is left to happen, but for one invocation in ten million.
    fn rounds(&self) -> u64 {
        let rare = 1e-7_f64.ln();
        let attempts = rare / (1.0 - (1.0 - self.gamma).powi(3)).max(1e-3).ln();
        // The last copy leaves three delays after the beat that brings it about, and is acknowledged one later.
        let delivered = 5 * self.tau + (attempts.ceil() as u64 + 1) * self.delta;
        let crashed = [self.sender, self.receiver].into_iter().filter(|(correct, _)| *correct < 1.0);
        let crashed = crashed.map(|(_, crash)| (rare / (-crash).ln_1p()).ceil() as u64).max().unwrap_or(0);
        // With heartbeats nobody sends to the dead, and so nothing waits for a crash.
        if self.protocol == Hb { delivered } else { delivered.max(crashed) }
    }

    /// The expected sends, and the expected wait in moments instead of rounds.
    fn expected(&self) -> (f64, f64) {
        let link = self.link();
        let sends = exact::expected(self.protocol, &link, self.delta).expect("a sound setting").sends.get();
        let parts = |(correct, crash): (f64, f64)| [(correct, 0.0), (1.0 - correct, crash)];
        let mut wait = 0.0;
        for (weight_s, crash_s) in parts(self.sender) {
            for (weight_r, crash_r) in parts(self.receiver) {
                let end = |crash| Process { correct: if crash == 0.0 { 1.0 } else { 0.0 }, crash };
                let link = Link { sender: end(crash_s), receiver: end(crash_r), ..link };
                let weight = weight_s * weight_r;
                let of_pair =
                    exact::expected(self.protocol, &link, self.delta).expect("a sound setting").wait.get();
                if weight > 0.0 {
                    wait += weight * of_pair * within_rounds((1.0 - crash_s) * (1.0 - crash_r));
                }
            }
        }
        (sends, wait)
    }

    fn name(&self) -> String {
        let Setting { protocol, tau, delta, gamma, sender, receiver } = self;
        let ends = format!("{} {} {} {}", sender.0, receiver.0, sender.1, receiver.1);
        format!("{:<8} {tau:>3} {delta:>3} {gamma:>5} {ends:<22}", protocol.name())
    }
}

/// The mean of `q^x` for `x` from 0 to 1: what is left of a round in which both ends survive with probability `q`.
fn within_rounds(q: f64) -> f64 {
    if q == 1.0 { 1.0 } else { (q - 1.0) / q.ln() }
}

fn model(system: &str, arguments: &[(&str, String)]) -> Arc<Model> {
    let arguments: Arguments =
        arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let system = reliable_link::SPEC.systems.iter().find(|it| it.name == system).expect("the spec has it");
    Arc::new((system.build)(&arguments).expect("the arguments fit"))
}

/// A mean, with what is needed for its standard error.
#[derive(Clone, Copy, Default)]
struct Mean {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Mean {
    fn add(&mut self, x: f64) {
        self.n += 1.0;
        self.sum += x;
        self.squares += x * x;
    }

    fn get(&self) -> f64 {
        self.sum / self.n
    }

    fn error(&self) -> f64 {
        ((self.squares / self.n - self.get().powi(2)).max(0.0) / (self.n - 1.0)).sqrt()
    }

    /// Whether the standard error is small enough.
    fn is_sharp(&self) -> bool {
        self.error() <= ERROR_WANTED * self.get()
    }

    /// How far from what is expected, in standard errors. What never varies must be it, but for rounding.
    fn off(&self, expected: f64) -> f64 {
        let apart = self.get() - expected;
        if apart.abs() <= 1e-9 * expected.abs() { 0.0 } else { apart / self.error() }
    }
}

/// Runs seeds in batches until `enough` says so of what `each` has gathered.
fn simulate(model: &Arc<Model>, each: &mut dyn FnMut(&Run) -> bool) {
    let options = Options::default();
    let mut enough = false;
    for batch in 0..RUNS_MAX / BATCH {
        let seeds = batch * BATCH..(batch + 1) * BATCH;
        runs(model, seeds, THREADS, &options, &mut |run| enough = each(&run)).expect("it runs");
        if enough {
            return;
        }
    }
}

fn sends(run: &Run) -> f64 {
    run.objectives.get("sending").copied().unwrap_or(0.0)
}

fn say(line: &str) {
    // Straight to the stream: these tables are what the tests are run for.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Checks a setting and prints its row; how many standard errors its figures are off.
fn compare(setting: &Setting) -> [f64; 2] {
    let (mut sent, mut waited) = (Mean::default(), Mean::default());
    simulate(&setting.model(setting.rounds()), &mut |run| {
        sent.add(sends(run));
        waited.add(run.objectives["waiting"]);
        sent.is_sharp() && waited.is_sharp()
    });
    let (sends, wait) = setting.expected();
    let off = [sent.off(sends), waited.off(wait)];
    say(&format!(
        "{} {:>7} | {sends:>10.5} {:>10.5} ({:.5}) {:>5.2} | {wait:>10.5} {:>10.5} ({:.5}) {:>5.2}",
        setting.name(),
        sent.n,
        sent.get(),
        sent.error(),
        off[0],
        waited.get(),
        waited.error(),
        off[1],
    ));
    assert!(sent.is_sharp() && waited.is_sharp(), "{}: the standard error is too large", setting.name());
    off
}

#[test]
fn a_setting_of_each_protocol_is_as_computed() {
    // Those in which little varies, so that few runs will do.
    let quick = [&SETTINGS[1], &SETTINGS[5], &SETTINGS[13]];
    for off in quick.map(compare).concat() {
        assert!(off.abs() <= ERRORS_MAX, "{off} standard errors off");
    }
}

#[test]
#[ignore = "a million runs: minutes in a release build"]
fn every_setting_is_as_computed() {
    say(
        "protocol tau  delta loss  correct and crash       runs | sends: exact  simulated (se)  off | wait: exact  simulated (se)  off",
    );
    let off: Vec<f64> = SETTINGS.iter().flat_map(compare).collect();
    let worst = off.iter().fold(0.0_f64, |worst, off| worst.max(off.abs()));
    let square = off.iter().map(|off| off * off).sum::<f64>() / off.len() as f64;
    say(&format!(
        "{} figures, the worst {worst:.2} standard errors off, in the mean square {square:.2}",
        off.len()
    ));
    assert!(worst <= ERRORS_MAX, "{off:?}");
}

/// When a run is long enough that as many invocations are under way as ever.
const EARLY: Duration = Duration::from_secs(2_000);

/// Heartbeats shared by all invocations: delay, period, loss, calls a round of each end.
const LONG: &[(u64, u64, f64, f64)] = &[
    (1, 10, 0.1, 0.05),
    (5, 3, 0.01, 0.05),
    (5, 20, 0.1, 0.02),
    (20, 5, 0.01, 0.02),
    (20, 50, 0.1, 0.02),
    (5, 7, 0.3, 0.05),
];

#[test]
#[ignore = "long runs: a minute in a release build"]
fn what_an_invocation_costs_in_the_long_run_is_as_computed() {
    say("tau delta  loss calls | sends, wait, beats of an invocation: exact  simulated (se) off");
    for &(tau, delta, gamma, calls) in LONG {
        let arguments = [
            ("delay", format!("{tau}s")),
            ("shortest", format!("{delta}s")),
            ("longest", format!("{delta}s")),
            ("loss", gamma.to_string()),
            ("calls", calls.to_string()),
            ("correct", "1.0".to_owned()),
            ("length", "50000s".to_owned()),
        ];
        let model = model("Pair", &arguments);
        let until = |end| {
            let mut seen: Vec<[f64; 4]> = Vec::new();
            runs(&model, 0..40, THREADS, &Options { until: end, ..Options::default() }, &mut |run| {
                let made: u64 = run.calls.iter().map(|call| call.made).sum();
                seen.push([made as f64, sends(&run), run.objectives["waiting"], run.objectives["beating"]]);
            })
            .expect("it runs");
            seen
        };
        // What is still under way when a run ends was not paid for: as much at an early end as at the late one, so it is taken off.
        let (early, mut seen) = (until(Some(EARLY)), until(None));
        for (row, early) in seen.iter_mut().zip(&early) {
            row.iter_mut().zip(early).for_each(|(figure, early)| *figure -= early);
        }
        let kept = 1.0 - gamma;
        let (two, three) = (1.0 - kept.powi(2), 1.0 - kept.powi(3));
        let (tau, delta) = (tau as f64, delta as f64);
        let window = (2.0 * tau / delta).ceil();
        // A call comes at any moment between two beats, so the first takes half a period.
        let exact = [
            kept * (2.0 - gamma) * (window + three / (1.0 - three)),
            tau + delta / 2.0 + delta * two / (1.0 - two),
            1.0 / (delta * calls),
        ];
        let mut row = format!("{tau:>3} {delta:>5} {gamma:>5} {calls:>5} |");
        for (place, exact) in exact.into_iter().enumerate() {
            let (mean, error) = ratio(&seen, place + 1);
            row += &format!(" {exact:>9.4} {mean:>9.4} ({error:.4}) {:>5.2} |", (mean - exact) / error);
            assert!(error <= ERROR_WANTED * mean, "{row}");
            assert!((mean - exact).abs() <= ERRORS_MAX * error, "{row}");
        }
        say(&row);
    }
}

/// The ratio of a column to the first, and its standard error.
fn ratio(seen: &[[f64; 4]], column: usize) -> (f64, f64) {
    let sum = |of: usize| seen.iter().map(|row| row[of]).sum::<f64>();
    let ratio = sum(column) / sum(0);
    let (n, mean) = (seen.len() as f64, sum(0) / seen.len() as f64);
    let squares: f64 = seen.iter().map(|row| (row[column] - ratio * row[0]).powi(2)).sum();
    (ratio, (squares / (n - 1.0) / n).sqrt() / mean)
}

#[test]
#[ignore = "runs of every cell at two horizons: a minute in a release build"]
fn costs_are_finite_where_theorem_3_2_says_so_and_grow_with_the_computed_slope_elsewhere() {
    const CRASH: f64 = 0.02;
    let (near, far) = (1_000, 2_000);
    say("protocol correct: s  r | finite | slope of the cost: computed  simulated (se)");
    for protocol in Protocol::ALL {
        for (s, r) in [0.0, 0.5, 1.0].iter().flat_map(|s| [0.0, 0.5, 1.0].map(|r| (*s, r))) {
            let cell = setting(protocol, (5, 4, 0.1), (s, CRASH), (r, CRASH));
            let finite = protocol.is_finite(&cell.link());
            let slope = match protocol {
                Trivial => s * r,
                Hb => 0.0,
                // The sum of nothing is minus zero.
                _ => exact::send_slope(protocol, &cell.link(), cell.delta).expect("a sound setting") + 0.0,
            };
            assert_eq!(finite, slope == 0.0, "{protocol:?} {s} {r}");
            let seeds = if protocol == Hb { 0..300 } else { 0..4_000 };
            let cost = |rounds| {
                let mut costs = BTreeMap::new();
                runs(&cell.model(rounds), seeds.clone(), THREADS, &Options::default(), &mut |run| {
                    costs.insert(run.seed, sends(&run) + run.objectives["waiting"]);
                })
                .expect("it runs");
                costs
            };
            let (short, long) = (cost(near), cost(far));
            let mut grown = Mean::default();
            for (seed, cost) in &long {
                grown.add((cost - short[seed]) / (far - near) as f64);
            }
            say(&format!(
                "{:<8} {s:>12} {r:>3} | {finite:<6} | {slope:.6} {:.6} ({:.6})",
                protocol.name(),
                grown.get(),
                grown.error()
            ));
            if finite {
                assert_eq!(grown.get(), 0.0, "{protocol:?} {s} {r}: it goes on costing");
            } else {
                let apart = (grown.get() - slope).abs();
                assert!(apart <= ERRORS_MAX * grown.error() + 1e-9, "{protocol:?} {s} {r}");
            }
        }
    }
}

/// What the paper claims of each protocol, and what the claims of its system are decided to be. Where both ends may be correct or not
/// (Theorem 3.2) an end must be likely to crash before it is answered, or no run shows what grows.
#[test]
#[ignore = "tens of thousands of runs: a minute in a release build"]
fn each_protocol_gets_its_verdicts() {
    use foresee::sim::{Demands, Verdict, verify};
    // An end that surely crashes does so late, or no run has two that live for a minute.
    let ends = |a: &str, b: &str| {
        let (crash, length) = if a == "0" || b == "0" { ("0.02", "600s") } else { ("0.2", "300s") };
        let named =
            [("correct_a", a), ("correct_b", b), ("crash_a", crash), ("crash_b", crash), ("length", length)];
        named.map(|(name, value)| (name, value.to_owned())).to_vec()
    };
    let (held, violated) = (Verdict::Held, Verdict::Violated);
    let rows = [
        ("Once", ends("0.5", "0.5"), held, held),
        ("OnceBySender", ends("0.5", "0.5"), held, violated),
        ("OnceBySender", ends("0", "0.5"), held, held),
        ("OnceBySender", ends("0.5", "1"), held, held),
        ("OnceByReceiver", ends("0.5", "0.5"), held, violated),
        ("OnceByReceiver", ends("0.5", "0"), held, held),
        ("OnceByReceiver", ends("1", "0.5"), held, held),
        ("Never", vec![("correct_a", "0".to_owned()), ("correct_b", "0".to_owned())], violated, held),
        ("Late", vec![], held, violated),
    ];
    say("system          correct: a    b | S2: delivered with certainty  S3: finite cost");
    for (system, arguments, s2, s3) in rows {
        let model = model(system, &arguments);
        let correct = |name: &str| arguments.iter().find(|it| it.0 == name).map_or("1", |it| it.1.as_str());
        let (options, demands) = (Options::default(), Demands::default());
        let found = verify(&model, 0..400_000, THREADS, &options, &demands).expect("it runs");
        assert!(found.violating.is_none(), "{system}: S0 does not hold");
        let verdict = |name: &str| {
            let its = found.estimates.iter().find(|it| it.name == name);
            its.unwrap_or_else(|| panic!("{system} claims no {name}")).verdict
        };
        let row = (verdict("s2"), verdict("s3"));
        say(&format!(
            "{system:<16} {:>8} {:>4} | {:<29?} {:?}",
            correct("correct_a"),
            correct("correct_b"),
            row.0,
            row.1
        ));
        assert_eq!(row, (s2, s3), "{system} {arguments:?}");
    }
}

/// S1: while losses have no end, losing for ever is a fair run and refutes all; once they have, only who sends nothing is refuted.
#[test]
fn each_protocol_gets_its_verdict_on_liveness() {
    use foresee::check::Progress;
    use foresee::check::liveness::{Decision, Limits, decide};
    let verdict = |system: &str, drops: Option<u32>| {
        let mut model = model(system, &[]);
        Arc::make_mut(&mut model).bounds.drops = drops;
        let report = decide(&model, Limits::of_states(100_000), &Progress::default()).expect("it is small");
        let [judged] = report.properties.as_slice() else { panic!("{system} has S1 alone") };
        match &judged.decision {
            Decision::Refuted(lasso) => Some(lasso.path.moves.len() - lasso.cycle),
            Decision::NotRefuted => None,
            other => panic!("{system}: {other:?}"),
        }
    };
    for system in ["Once", "OnceBySender", "OnceByReceiver", "Late"] {
        assert!(verdict(system, None).is_some_and(|cycle| cycle > 0), "{system} loses for ever");
        for drops in [0, 1, 2] {
            assert_eq!(verdict(system, Some(drops)), None, "{system} with {drops} losses");
        }
    }
    // Who never sends stays as it is, whatever is lost.
    for drops in [None, Some(0), Some(1)] {
        assert_eq!(verdict("Never", drops), Some(0));
    }
}

/// Proposition 3.1: delivery is certain, and the sends have no expectation. With the loss 0.1, and twelve times longer a wait for
/// every acknowledgement, each further power of twelve adds more than the one before.
#[test]
#[ignore = "long runs: a minute in a release build"]
fn the_late_acknowledger_delivers_and_costs_without_bound() {
    let model = model("Late", &[]);
    let mut means = Vec::new();
    for power in 1..=4 {
        let options =
            Options { until: Some(Duration::from_secs(12_u64.pow(power) + 2)), ..Options::default() };
        let mut sent = Mean::default();
        let mut arrived = 0;
        runs(&model, 0..3_000, THREADS, &options, &mut |run| {
            sent.add(sends(&run));
            arrived += u32::from(
                run.properties
                    .iter()
                    .any(|it| it.name == "arrived" && it.status == foresee::sim::Status::Reached),
            );
        })
        .expect("it runs");
        say(&format!(
            "until {:>6} s: {:.2} sends ({:.2}), {arrived} of {} arrived",
            12_u64.pow(power),
            sent.get(),
            sent.error(),
            sent.n
        ));
        means.push(sent.get());
        assert_eq!(f64::from(arrived), sent.n, "twelve rounds are enough for all");
    }
    let added: Vec<f64> = means.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(added.windows(2).all(|pair| pair[1] > pair[0]), "{means:?}");
}

/// A sender over a link that loses one message in ten, ends that live, and seven sends at most: solved, simulated and by hand.
#[test]
fn an_exact_solution_is_what_simulations_come_to() {
    let settings =
        [("period", "10s"), ("correct_a", "1"), ("correct_b", "1"), ("crash_a", "0"), ("crash_b", "0")];
    let model = model("OnceBySender", &settings.map(|(name, value)| (name, value.to_owned())));
    let options = Options { until: Some(Duration::from_secs(65)), ..Options::default() };
    let found = solve(&model, &options, Answers::Resolver, 1_000).expect("it is small");
    let sends = (1.0 - 0.19_f64.powi(7)) / 0.81;
    // Each message weighs one, and nine in ten are answered.
    let sending = found.objectives["sending"].expect("all runs were made");
    assert!((sending - 1.9 * sends).abs() < 1e-12, "{sending}");
    let known = found.statistics.iter().find(|claim| claim.name == "s2").and_then(|claim| claim.value);
    assert!(known.is_some_and(|p| (p - (1.0 - 1e-6)).abs() < 1e-12), "{known:?}");
    let mut means: BTreeMap<String, Mean> = BTreeMap::new();
    let mut gather = |run: Run| {
        for (name, value) in run.objectives {
            means.entry(name).or_default().add(value);
        }
    };
    runs(&model, 0..BATCH, THREADS, &options, &mut gather).expect("it runs");
    for (name, mean) in means {
        let off = mean.off(found.objectives[&name].expect("all runs were made"));
        assert!(off.abs() < ERRORS_MAX, "{name} is {off} standard errors off");
    }
}
