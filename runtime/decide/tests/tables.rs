//! The verification tables of the reference, sections 4 and 5, to their printed digits.

use foresee_decide::Extended;
use foresee_decide::belief::{self, Chance};
use foresee_decide::cost::{Benefit, Cost};
use foresee_decide::decision::{Between, Rule, Table, report};
use foresee_decide::detector::{self, Detector};
use foresee_decide::heartbeat::{Demand, Form, Objective, Pair, Period, share};
use foresee_decide::law::{Arrival, Delay, Steps};
use foresee_decide::protocol::{Link, Prices, Process, Protocol, approximate, exact};
use foresee_decide::retransmit::Retransmission;
use foresee_decide::wait::{commit, exponential::Exponential, observed};

/// The rows of a table, cells apart; lines that begin with `#` are its legend.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').collect())
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap()
}

/// Whether a value is what was printed with `digits` significant digits; trailing zeros may have been left out.
fn printed(found: impl Into<f64>, cell: &str, digits: i32) {
    let (found, shown): (f64, f64) = (found.into(), number(cell));
    if found == shown {
        return;
    }
    let size = shown.abs().max(found.abs()).log10().floor() as i32;
    let half = 0.5001 * 10_f64.powi(size + 1 - digits);
    assert!((found - shown).abs() <= half, "found {found}, printed {cell}");
}

fn protocol(cell: &str) -> Protocol {
    Protocol::named(cell).unwrap()
}

fn crashing(tau: &str, gamma: &str, beta_s: &str, beta_r: &str) -> Link {
    let process = |crash| Process { correct: 0.0, crash: number(crash) };
    Link {
        tau: tau.parse().unwrap(),
        gamma: number(gamma),
        sender: process(beta_s),
        receiver: process(beta_r),
    }
}

#[test]
fn one_invocation_paper_refined_and_exact() {
    let mut count = 0;
    for row in rows(include_str!("tables/protocols.txt")) {
        let (protocol, link) = (protocol(row[0]), crashing(row[1], row[3], row[4], row[5]));
        let delta = row[2].parse().unwrap();
        let paper = approximate::paper(protocol, &link, delta).unwrap();
        let refined = approximate::refined(protocol, &link, delta).unwrap();
        let exact = exact::expected(protocol, &link, delta).unwrap();
        printed(paper.sends, row[6], 6);
        printed(refined.sends, row[7], 6);
        printed(exact.sends, row[8], 8);
        printed(paper.wait, row[9], 6);
        printed(refined.wait, row[10], 6);
        printed(exact.wait, row[11], 8);
        // The first order of the crashes takes the refined wait nearer to the exact one, where they are rare.
        let crashes = (link.sender.crash + link.receiver.crash) * (link.tau as f64 + delta as f64);
        if protocol != Protocol::Trivial && crashes <= 0.002 {
            let off = |wait: f64| (wait - exact.wait.get()).abs();
            let corrected = refined.wait.get() - approximate::crash_correction(protocol, &link);
            assert!(off(corrected) < off(refined.wait.get()), "{row:?}");
        }
        count += 1;
    }
    assert_eq!(count, 6 + 3 * 14);
}

#[test]
fn one_invocation_of_processes_that_may_be_correct() {
    for row in rows(include_str!("tables/mixed.txt")) {
        let mut link = crashing(row[1], row[3], row[6], row[7]);
        link.sender.correct = number(row[4]);
        link.receiver.correct = number(row[5]);
        let expected = exact::expected(protocol(row[0]), &link, row[2].parse().unwrap()).unwrap();
        printed(expected.sends, row[8], 9);
        printed(expected.wait, row[9], 9);
    }
}

#[test]
fn the_grid_of_theorem_3_2() {
    // Rows alpha_s in 0, .5, 1; columns alpha_r.
    for (protocol, grid) in [
        (Protocol::Trivial, "fff fii fii"),
        (Protocol::SenderDriven, "fff iif iif"),
        (Protocol::ReceiverDriven, "fii fii fff"),
        (Protocol::Heartbeat, "fff fff fff"),
    ] {
        for (row, alpha_s) in grid.split(' ').zip([0.0, 0.5, 1.0]) {
            for (cell, alpha_r) in row.chars().zip([0.0, 0.5, 1.0]) {
                let process = |correct| Process { correct, crash: 0.01 };
                let link = Link { tau: 3, gamma: 0.2, sender: process(alpha_s), receiver: process(alpha_r) };
                let cost = exact::cost1(protocol, &link, 2, &Prices { send: 1.0, wait: 1.0 }).unwrap();
                assert_eq!(cost.is_finite(), cell == 'f', "{protocol:?} {alpha_s} {alpha_r}");
                assert_eq!(protocol.is_finite(&link), cell == 'f', "{protocol:?} {alpha_s} {alpha_r}");
            }
        }
    }
}

#[test]
fn truncated_sends_grow_with_the_predicted_slope() {
    let process = Process { correct: 0.5, crash: 0.001 };
    let link = Link { tau: 2, gamma: 0.1, sender: process, receiver: process };
    let sent = |horizon| exact::truncated_sends(Protocol::SenderDriven, &link, 3, horizon).unwrap();
    for (horizon, shown) in [(1000, "2.730399"), (10_000, "5.616503"), (100_000, "33.347032")] {
        printed(sent(horizon), shown, shown.len() as i32 - 1);
    }
    let slope = exact::send_slope(Protocol::SenderDriven, &link, 3).unwrap();
    printed(slope, "0.00030811683001022", 14);
    let measured = (sent(300_000) - sent(60_000)) / 240_000.0;
    assert!((measured / slope - 1.0).abs() < 1e-6);
}

#[test]
fn the_delayed_acknowledger_costs_without_bound() {
    for (terms, shown) in [(5, "35.7"), (10, "125"), (20, "896"), (40, "3.53e4")] {
        printed(exact::delayed_acknowledger(0.2, 6.0, terms).unwrap(), shown, 3);
    }
}

#[test]
fn growing_waiting_costs() {
    for row in rows(include_str!("tables/growing.txt")) {
        let link = crashing(row[1], row[3], row[4], row[4]);
        let value =
            exact::growing_wait(protocol(row[0]), &link, row[2].parse().unwrap(), number(row[5])).unwrap();
        printed(value, row[7], 8);
        assert_eq!(value.is_finite(), number(row[6]) < 1.0);
    }
}

#[test]
fn one_invocation_on_heartbeats() {
    for row in rows(include_str!("tables/invocations.txt")) {
        let demand = Demand {
            rate: 2.0 * number(row[3]),
            share: 1.0,
            tau: row[0].parse().unwrap(),
            gamma: number(row[2]),
            prices: Prices { send: 1.0, wait: 1.0 },
        };
        let period = Period::Every(row[1].parse().unwrap());
        printed(demand.wait(Form::Paper, period), row[4], 8);
        printed(demand.wait(Form::Exact, period), row[5], 7);
        printed(demand.sends(Form::Paper, period), row[6], 8);
        printed(demand.sends(Form::Exact, period), row[7], 7);
        // Only heartbeats charged, two a period.
        let free = Demand { prices: Prices { send: 0.0, wait: 0.0 }, ..demand };
        let objective = Objective::new(2.0, 1.0, vec![free], None).unwrap();
        printed(objective.cost_per_invocation(Form::Exact, period), row[8], 6);
    }
}

#[test]
fn shares_of_invocations_that_cost() {
    for (s, r, shown) in [
        (1e-5, 1e-5, "0.50000000"),
        (1e-5, 2e-5, "0.47113214"),
        (1e-5, 1e-4, "0.27331138"),
        (1e-4, 1e-6, "0.06609074"),
        (3e-5, 1e-5, "0.43152311"),
        (1e-5, 1e-3, "0.06609074"),
    ] {
        printed(share::lam3(s, r).unwrap(), shown, 7);
    }
}

/// The setting of a row of the table of periods, whose crash probabilities are 1e-5 and 2e-5.
fn pair(tau: &str, gamma: &str, sigma: &str, alpha: &str, prices: [&str; 3]) -> Objective {
    let mut link = crashing(tau, gamma, "1e-5", "2e-5");
    (link.sender.correct, link.receiver.correct) = (number(alpha), number(alpha));
    let sigma = number(sigma);
    let [wait, send, c_hb] = prices.map(number);
    Pair { link, sigma_s: sigma, sigma_r: sigma, prices: Prices { send, wait }, c_hb }.objective().unwrap()
}

#[test]
fn best_heartbeat_periods_and_both_laws() {
    for row in rows(include_str!("tables/periods.txt")) {
        let objective = pair(row[0], row[1], row[2], row[3], [row[4], row[5], row[6]]);
        printed(objective.demands()[0].share, row[7], 6);
        assert!((objective.square_root().get() - number(row[8])).abs() < 5.1e-5, "{row:?}");
        assert!((objective.smoothed().get() - number(row[9])).abs() < 5.1e-5, "{row:?}");
        for (form, period, cost) in [(Form::Paper, row[10], row[11]), (Form::Exact, row[12], row[13])] {
            let best = objective.best(form).unwrap();
            assert_eq!(best.period, Period::Every(period.parse().unwrap()), "{row:?}");
            printed(best.per_invocation, cost, 8);
        }
    }
}

#[test]
fn regret_of_the_approximate_optimum() {
    for (setting, paper, rounded) in [
        (["5", "0.01", "0.01", "1", "1", "1", "1"], 0.000, 0.000),
        (["20", "0.01", "0.01", "1", "1", "1", "1"], 0.000, 2.547),
        (["20", "0.1", "0.001", "1", "1", "5", "1"], 1.045, 1.045),
        (["20", "0.1", "0.001", "0.9", "1", "5", "1"], 1.339, 1.339),
        (["20", "0.1", "0.1", "0.5", "10", "1", "0.1"], 0.115, 13.022),
        (["5", "0.3", "0.5", "0", "1", "0.1", "0.05"], 10.946, 0.000),
        (["10", "0.001", "0.02", "0.99", "0.1", "3", "2"], 0.000, 0.000),
    ] {
        let [tau, gamma, sigma, alpha, wait, send, c_hb] = setting;
        let objective = pair(tau, gamma, sigma, alpha, [wait, send, c_hb]);
        let best = objective.best(Form::Exact).unwrap().cost.get();
        let regret = |period| 100.0 * (objective.cost(Form::Exact, period).get() / best - 1.0);
        let of_paper = regret(objective.best(Form::Paper).unwrap().period);
        let law = (objective.square_root().get().round() as u64).max(1);
        assert!((of_paper - paper).abs() < 6e-4, "{setting:?}: {of_paper}");
        assert!((regret(Period::Every(law)) - rounded).abs() < 6e-4, "{setting:?}");
    }
}

#[test]
fn invocations_of_processes_that_both_crash() {
    for (tau, delta, gamma, s, r, wait, sends) in [
        ("5", 4, "0.01", "1e-05", "1e-05", "3.2906", "2.9853"),
        ("5", 4, "0.01", "1e-05", "0.0001", "1.7987", "1.6318"),
        ("20", 30, "0.1", "1e-05", "2e-05", "19.569", "1.9108"),
        ("1", 1, "0.001", "0.0001", "0.0001", "0.501", "2"),
        ("20", 10, "0.1", "0.001", "0.001", "13.423", "3.7378"),
    ] {
        let link = crashing(tau, gamma, s, r);
        let pair =
            Pair { link, sigma_s: 0.02, sigma_r: 0.02, prices: Prices { send: 1.0, wait: 1.0 }, c_hb: 1.0 };
        let demand = pair.objective().unwrap().demands()[0];
        printed(demand.share * demand.wait(Form::Exact, Period::Every(delta)).get(), wait, 5);
        printed(demand.share * demand.sends(Form::Exact, Period::Every(delta)).get(), sends, 5);
    }
}

#[test]
fn waits_for_an_exponential_delay() {
    for row in rows(include_str!("tables/waits.txt")) {
        let wait = Exponential {
            mu: number(row[0]),
            never: number(row[1]),
            start: number(row[2]),
            benefit: number(row[3]),
            cost: Cost::linear(number(row[4])),
        };
        let plan = wait.best().unwrap();
        printed(plan.until, row[5], 8);
        printed(plan.utility, row[6], 8);
    }
}

#[test]
fn waits_whose_cost_grows() {
    let best = |never, cost| Exponential { mu: 0.2, never, start: 0.0, benefit: 50.0, cost }.best().unwrap();
    let quadratic = Cost::Quadratic { rate: 1.0, growth: 0.5 };
    let plan = best(0.0, quadratic.clone());
    printed(plan.until, "18.0", 14);
    // The reference's utilities come from a grid.
    assert!((plan.utility.get() - 32.84154655900652).abs() < 1e-6, "{plan:?}");
    let plan = best(0.0, Cost::Exponential { scale: 1.0, growth: 0.1 });
    printed(plan.until, "46.051701859880914", 15);
    assert!((plan.utility.get() - 49.00499999917055).abs() < 1e-6, "{plan:?}");
    let plan = best(0.1, quadratic);
    assert!((plan.until.get() - 9.488).abs() < 6e-4, "{plan:?}");
    assert!((plan.utility.get() - 24.865915255176947).abs() < 1e-6, "{plan:?}");
    // For ever it would cost kappa g / (mu - g) = 1.
    let cost = Cost::Exponential { scale: 1.0, growth: 0.1 };
    let wait = Exponential { mu: 0.2, never: 0.0, start: 0.0, benefit: 0.0, cost };
    assert!((wait.utility(Extended::INFINITY).unwrap().get() + 1.0).abs() < 1e-12);
}

#[test]
fn waits_for_what_was_observed() {
    let law = Steps::observed(&[1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0], 2.0).unwrap();
    let (benefit, cost) = (Benefit::constant(20.0), Cost::linear(1.0));
    let found = observed::utilities(&law, &benefit, &cost, 0.0).unwrap();
    let shown = [(1.0, 1.0), (2.0, 4.1), (3.0, 5.4), (5.0, 6.2), (8.0, 6.7), (13.0, 6.7), (21.0, 6.3)];
    for ((x, u), (y, v)) in found.iter().zip(shown) {
        assert!(*x == y && (u - v).abs() < 1e-12);
    }
    let best = observed::best(&law, &benefit, &cost, 0.0).unwrap();
    assert_eq!(best.until.get(), 8.0, "the earlier of a tie");
}

#[test]
fn waits_for_votes() {
    let arrival = Arrival { delay: Delay::Exponential { rate: 0.5 }, start: 0.0, never: 0.02 };
    let vote = commit::Vote { arrival, yes: 1.0 };
    let stakes = commit::Stakes { commit: 30.0, abort: 0.0, cost: Cost::linear(1.0) };
    let plan = commit::best(&[vote; 3], &stakes, 0.0).unwrap();
    // The reference tried a grid.
    assert!((plan.until.get() - 13.015).abs() < 6e-3, "{plan:?}");
    assert!((plan.utility.get() - 23.901_544_819_730_05).abs() < 1e-6);
    let later = commit::best(&[vote], &stakes, 4.0).unwrap();
    printed(later.until.get() - 4.0, "9.061755255451772", 9);
    printed(later.utility, "22.881462452592714", 10);
}

#[test]
fn retransmissions() {
    let rtt = Arrival { delay: Delay::Exponential { rate: 1.0 }, start: 2.0, never: 0.0 };
    let of =
        |dead, c_copy, penalty| Retransmission { rtt: &rtt, loss: 0.1, dead, c_wait: 1.0, c_copy, penalty };
    for row in rows(include_str!("tables/retransmissions.txt")) {
        let found = of(number(row[2]), 1.9, 50.0).periodic(number(row[0]), row[1].parse().unwrap()).unwrap();
        // The reference integrated by steps: its last digit is off by two at worst.
        assert!((found.outcome.cost - number(row[3])).abs() < 2e-6, "{row:?}");
        assert!((found.outcome.wait - number(row[4])).abs() < 2e-6, "{row:?}");
        printed(found.outcome.copies, row[5], 7);
        printed(found.outcome.failure, row[6], 3);
    }
    // Given up after 24 whatever the period, which was tried in steps of a tenth.
    for (c_copy, cost, period) in
        [(0.05, 3.029529795652729, 0.5), (0.2, 3.5635086969011556, 1.4), (1.9, 5.757117408111477, 4.8)]
    {
        let setting = of(0.0, c_copy, 50.0);
        let tried = (5..=80).map(|tenths| {
            let delta = f64::from(tenths) / 10.0;
            let copies = (24.0 / delta).ceil() as usize;
            let times: Vec<f64> = (0..copies).map(|i| i as f64 * delta).collect();
            (setting.outcome(&times, 24.0).unwrap().cost, delta)
        });
        let best = tried.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        assert!((best.0 - cost).abs() < 1.5e-5 && best.1 == period, "{best:?} {cost} {period}");
    }
}

#[test]
fn detectors() {
    let delay = Delay::Exponential { rate: 10.0 };
    for row in rows(include_str!("tables/detectors.txt")) {
        let detector =
            Detector { eta: number(row[0]), shift: number(row[1]), loss: number(row[2]), delay: &delay };
        let quality = detector.quality().unwrap();
        printed(quality.recurrence, row[3], 6);
        printed(quality.duration, row[4], 6);
        printed(quality.accuracy, row[5], 8);
        printed(quality.detection, row[6], 6);
    }
    for row in rows(include_str!("tables/detections.txt")) {
        let delay = Delay::Exponential { rate: 1.0 / number(row[3]) };
        let detector =
            Detector { eta: number(row[0]), shift: number(row[1]), loss: number(row[2]), delay: &delay };
        printed(detector.quality().unwrap().detection, row[4], 6);
    }
    let prices = detector::Prices { c_hb: 1e-3, crash_rate: 1e-5, c_det: 100.0, c_mist: 1.0, c_susp: 1.0 };
    let tenths = |from: u32, to: u32| (from..=to).map(|i| f64::from(i) / 10.0).collect::<Vec<_>>();
    let (cost, eta, shift) = detector::best(0.01, &delay, &prices, &tenths(1, 30), &tenths(0, 30)).unwrap();
    printed(cost, "0.003198692823965787", 6);
    assert_eq!((eta, shift), (0.9, 1.4));
    printed(prices.square_root().unwrap(), "1.4142135623730951", 15);
}

#[test]
fn silence_and_estimates() {
    let silence = |t, eta, k, gamma, beta, alpha| {
        let silence = belief::alive::Silence { t, eta, k, gamma, beta, alpha };
        belief::alive::after_misses(&silence).unwrap()
    };
    printed(silence(35.0, 10.0, 3, 0.1, 0.001, 0.0), "0.08040720", 7);
    printed(silence(12.0, 10.0, 0, 0.1, 0.001, 0.0), "0.98806578", 8);
    printed(silence(55.0, 10.0, 5, 0.01, 0.0001, 0.5), "0.00000020", 2);
    printed(silence(25.0, 10.0, 2, 0.3, 0.01, 0.0), "0.35867793", 8);

    let mut loss = Chance::new(1.0, 99.0, Some(3600.0)).unwrap();
    loss.observe(0.0, 3.0, 197.0).unwrap();
    let now = loss.at(0.0);
    printed(now.mean(), "0.013333333333333334", 16);
    printed(now.variance().sqrt(), "0.006611063805197858", 15);
    printed(now.mean_odds(), "0.013559322033898305", 15);
    printed(now.mean_inverse(), "99.66666666666667", 15);
    let confidence = loss.confidence(0.0);
    printed(confidence.low, "0.003657", 4);
    printed(confidence.high, "0.029040", 5);
    let hour = loss.at(3600.0);
    assert_eq!((hour.events, hour.others), (2.5, 197.5));
    printed(loss.at(36_000.0).mean(), "0.010009746588693956", 15);
}

#[test]
fn rules_and_flips() {
    let numbers = |row: [u32; 3]| row.map(Extended::from).to_vec();
    let rows = [[100, 100, 100], [300, 140, 0], [180, 120, 60]].map(numbers);
    let p = vec![0.2, 0.5, 0.3];
    let table = Table::unnamed(rows.to_vec(), Some(p.clone())).unwrap();
    for (rule, values, choice) in [
        (Rule::ExpectedUtility, [100.0, 130.0, 114.0], 1),
        (Rule::Maximin, [100.0, 0.0, 60.0], 0),
        (Rule::Maximax, [100.0, 300.0, 180.0], 1),
        (Rule::Hurwicz { optimism: 0.4 }, [100.0, 120.0, 108.0], 1),
        (Rule::Laplace, [100.0, 440.0 / 3.0, 120.0], 1),
        (Rule::MinimaxRegret, [-200.0, -100.0, -120.0], 1),
        (Rule::Contamination { epsilon: 0.2 }, [100.0, 104.0, 103.2], 1),
        (Rule::Cvar { tail: 0.3 }, [100.0, 0.0, 60.0], 0),
        (Rule::Cvar { tail: 0.5 }, [100.0, 56.0, 84.0], 0),
        (Rule::MeanCvar { tail: 0.3, weight: 0.5 }, [100.0, 65.0, 87.0], 0),
        (Rule::GammaMaximin { between: Between::around(&p, 0.1).unwrap() }, [100.0, 100.0, 102.0], 2),
    ] {
        let verdict = rule.decide(&table).unwrap();
        for (found, expected) in verdict.values.iter().zip(values) {
            assert!((found.get() - expected).abs() < 1e-12, "{rule:?} {verdict:?}");
        }
        assert_eq!(verdict.choice, choice, "{rule:?}");
    }
    let report = report(&table, None).unwrap();
    assert_eq!(report.evpi, Some(Extended::from(30)));
    let sure = report.rivals.iter().find(|rival| rival.act == 0).unwrap();
    printed(sure.shifts[0].unwrap(), "-0.1411764705882353", 15);
    assert_eq!(sure.shifts[1], None);
    printed(sure.shifts[2].unwrap(), "0.16153846153846152", 15);
    // The paper's example: 100 for sure against 101 with a chance of nothing.
    let x = Extended::try_from(101.0 / 0.9).unwrap();
    let hundred = Extended::from(100);
    let table =
        Table::unnamed(vec![vec![hundred; 2], vec![Extended::ZERO, x]], Some(vec![0.1, 0.9])).unwrap();
    let report = foresee_decide::decision::report(&table, None).unwrap();
    assert!((report.rivals[0].epsilon.unwrap() - 1.0 / 101.0).abs() < 1e-12);
}
