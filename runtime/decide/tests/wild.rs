//! Awkward figures everywhere: an error or an answer, never NaN and never a panic.

use foresee_decide::belief::{Chance, Delays, Rate};
use foresee_decide::combined::{self, Watch};
use foresee_decide::cost::{Benefit, Cost};
use foresee_decide::decision::{Between, Rule, Table, report};
use foresee_decide::detector::{self, Detector, Requirement};
use foresee_decide::heartbeat::{Demand, Detection, Form, Objective, Period};
use foresee_decide::law::{Arrival, Delay};
use foresee_decide::protocol::{Link, Prices, Process, Protocol, approximate, choose, exact};
use foresee_decide::retransmit::{Retransmission, best_fixed};
use foresee_decide::tradeoff::{Risk, flip_penalty};
use foresee_decide::wait::{self, Plan, commit, exponential::Exponential};
use foresee_decide::{Extended, Result};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Any figure, the awkward ones often, and now and then none at all.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1.0,
        3 => (0u32..40).prop_map(f64::from),
        1 => Just(1e-300),
        1 => Just(5e-324),
        1 => Just(1e300),
        1 => Just(f64::MAX),
        1 => Just(-1.0),
        1 => Just(1.0),
        1 => Just(0.0),
        1 => prop::num::f64::POSITIVE,
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ]
}

fn number<T>(result: Result<T>, numbers: impl Fn(T) -> Vec<f64>) {
    match result {
        Ok(found) => assert!(numbers(found).iter().all(|x| !x.is_nan())),
        Err(error) => assert!(!error.field.is_empty() && error.to_string().contains(&error.field)),
    }
}

fn plan(result: Result<Plan>) {
    number(result, |p| vec![p.until.get(), p.utility.get()]);
}

fn one(result: Result<Extended>) {
    number(result, |x| vec![x.get()]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(150) })]

    #[test]
    fn protocols_and_heartbeats(x in prop::array::uniform14(wild()), tau in 0u64..60, delta in 0u64..90, proto in 0usize..4) {
        let process = |correct, crash| Process { correct, crash };
        let link = Link { tau, gamma: x[0], sender: process(x[1], x[2]), receiver: process(x[3], x[4]) };
        let prices = Prices { send: x[5], wait: x[6] };
        let protocol = Protocol::ALL[proto];
        for approximation in [approximate::paper, approximate::refined] {
            number(approximation(protocol, &link, delta), |a| vec![a.sends.get(), a.wait.get()]);
        }
        number(exact::expected(protocol, &link, delta), |e| vec![e.sends.get(), e.wait.get()]);
        one(exact::cost2(protocol, &link, delta, x[7], &prices));
        number(exact::truncated_sends(protocol, &link, delta, 200), |s| vec![s]);
        number(exact::send_slope(protocol, &link, delta), |s| vec![s]);
        number(choose::flips(&link, delta, &prices), |f| {
            vec![f.rho, f.sender_over_receiver_below.get(), f.trivial_over_heartbeat_above.get()]
        });
        one(choose::one_shot_period(&link, &prices));
        one(choose::period_cap(protocol, &link, x[7]));
        let demand = Demand { rate: x[8], share: x[9], tau, gamma: x[0], prices };
        let detection = Detection { rate: x[10], cost: x[11], slack: x[12] };
        let objective = Objective::new(2.0, x[13], vec![demand, demand], Some(detection));
        number(objective, |objective| {
            let best = objective.best(Form::Exact).unwrap();
            let never = objective.cost_per_invocation(Form::Paper, Period::Never);
            vec![best.cost.get(), never.get(), objective.square_root().get(), objective.smoothed().get()]
        });
    }

    #[test]
    fn waits(x in prop::array::uniform10(wild()), law in 0..5, costs in 0..4, worth in 0..3) {
        let delay = match law {
            0 => Delay::Exponential { rate: x[0] },
            1 => Delay::LogNormal { mu: x[0], sigma: x[1] },
            2 => Delay::Lomax { shape: x[0], scale: x[1] },
            3 => Delay::Uniform { from: x[0], to: x[1] },
            _ => Delay::Constant { value: x[0] },
        };
        let cost = match costs {
            0 => Cost::linear(x[2]),
            1 => Cost::Quadratic { rate: x[2], growth: x[3] },
            2 => Cost::Exponential { scale: x[2], growth: x[3] },
            _ => Cost::Pieces { rates: vec![(x[3], x[2]), (x[4], x[5])] },
        };
        let benefit = match worth {
            0 => Benefit::constant(x[6]),
            1 => Benefit::deadline(x[7], x[6], x[8]),
            _ => Benefit::Fading { amount: x[6], half_life: x[7] },
        };
        let arrival = Arrival { delay, start: x[8], never: x[9] };
        plan(wait::best(&arrival, &benefit, &cost));
        let wait = Exponential { mu: x[0], never: x[9], start: x[8], benefit: x[6], cost: cost.clone() };
        for w in [0.0, 1.0, 1e300, f64::INFINITY] {
            one(wait.utility(Extended::try_from(w).unwrap()));
        }
        let vote = commit::Vote { arrival, yes: x[7] };
        plan(commit::best(&[vote, vote], &commit::Stakes { commit: x[5], abort: x[4], cost }, x[3]));
    }

    #[test]
    fn detectors_and_retransmissions(x in prop::array::uniform12(wild())) {
        let delay = Delay::Exponential { rate: x[0] };
        if delay.check().is_ok() {
            let detector = Detector { eta: x[1], shift: x[2].min(40.0 * x[1]), loss: x[3], delay: &delay };
            number(detector.quality(), |q| vec![q.ps, q.recurrence.get(), q.duration.get(), q.accuracy, q.detection]);
            let prices = detector::Prices { c_hb: x[4], crash_rate: x[5], c_det: x[6], c_mist: x[7], c_susp: x[8] };
            one(prices.square_root());
            let wanted = Requirement { detection: x[9], recurrence: x[10], duration: x[11] };
            if x[3] > 0.9 {
                number(detector::configure(x[3], &delay, &wanted), |d| d.map_or(vec![], |d| vec![d.eta, d.shift]));
            }
            let setting = Retransmission { rtt: &delay, loss: x[3], dead: x[4], c_wait: x[5], c_copy: x[6], penalty: x[7] };
            number(setting.periodic(x[1], 3), |p| vec![p.outcome.wait, p.outcome.copies, p.outcome.failure]);
            let demand = Demand { rate: 0.1, share: 1.0, tau: 4, gamma: 0.1, prices: Prices { send: 1.0, wait: 1.0 } };
            let objective = Objective::new(2.0, 1.0, vec![demand], None).unwrap();
            let watch = Watch { pairs: x[9], loss: x[3], delay: &delay, prices };
            number(combined::at(&objective, Form::Exact, &watch, 7, x[2].min(50.0)), |p| vec![p.cost.get()]);
        }
        number(best_fixed(x[0], x[3], x[5], x[6]), |(period, cost)| vec![period, cost]);
        let risk = |i: usize| Risk { unsafe_: x[i], blocks: x[i + 1], other: x[i + 2] };
        number(flip_penalty(&risk(0), &risk(3), x[6]), |flip| flip.into_iter().collect());
    }

    #[test]
    fn tables(rows in prop::collection::vec(prop::collection::vec(wild(), 3), 0..4), p in prop::collection::vec(wild(), 3), even: bool, x in prop::array::uniform3(wild())) {
        let rows: Vec<Vec<Extended>> =
            rows.iter().map(|row| row.iter().filter_map(|u| Extended::try_from(*u).ok()).collect()).collect();
        let p = if even { vec![0.25, 0.5, 0.25] } else { p };
        let Ok(table) = Table::unnamed(rows, Some(p.clone())) else { return Ok(()) };
        for rule in [
            Rule::ExpectedUtility,
            Rule::Hurwicz { optimism: x[0] },
            Rule::Laplace,
            Rule::MinimaxRegret,
            Rule::Contamination { epsilon: x[0] },
            Rule::Cvar { tail: x[0] },
            Rule::MeanCvar { tail: x[0], weight: x[1] },
        ] {
            number(rule.decide(&table), |v| v.values.iter().map(|u| u.get()).collect());
        }
        number(Between::of_observations(&p, x[2]), |b| b.low.into_iter().chain(b.high).collect());
        number(report(&table, Some(x[2])), |r| {
            r.rivals.iter().flat_map(|r| r.shifts.iter().chain(&r.moves).copied().flatten().chain(r.epsilon)).collect()
        });
    }

    #[test]
    fn beliefs(x in prop::array::uniform8(wild())) {
        let mut chance = Chance::new(x[0], x[1], Some(x[2]));
        if let Ok(chance) = &mut chance {
            let _ = chance.observe(x[3], x[4], x[5]);
            let c = chance.confidence(x[6]);
            prop_assert!(![c.mean, c.low, c.high].iter().any(|x| x.is_nan()), "{c:?}");
        }
        let mut rate = Rate::new(x[0], x[1], None);
        if let Ok(rate) = &mut rate {
            let _ = rate.observe(x[3], x[4], x[5]);
            let c = rate.confidence(x[6]);
            prop_assert!(![c.mean, c.low, c.high].iter().any(|x| x.is_nan()), "{c:?}");
        }
        if let Ok(mut delays) = Delays::new(4, x[0], x[1], Some(x[2])) {
            for (now, delay) in [(x[3], x[4]), (x[5], x[6]), (x[6], x[7])] {
                let _ = delays.arrived(now, delay);
            }
            number(delays.lognormal(x[7]), |a| {
                a.check().unwrap();
                vec![a.never, a.delay.mean()]
            });
            number(delays.observed(x[7]), |s| vec![s.total()]);
        }
    }
}
