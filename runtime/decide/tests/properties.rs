//! The identities of the reference, each closed form against its numeric counterpart, and no NaN from any figures.

use foresee_decide::batch::{self, Case, Field};
use foresee_decide::cost::{Benefit, Cost};
use foresee_decide::extended::Extended;
use foresee_decide::heartbeat::{Demand, Detection, Form, Objective, Period, share};
use foresee_decide::law::{Arrival, Delay, Law, Steps};
use foresee_decide::numeric;
use foresee_decide::protocol::{Link, Prices, Process, Protocol, choose, exact};
use foresee_decide::retransmit::{Retransmission, best_fixed};
use foresee_decide::wait::{self, exponential::Exponential, observed, search};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn process() -> impl Strategy<Value = Process> {
    let alpha = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    (alpha, 0.002..0.3).prop_map(|(correct, crash)| Process { correct, crash })
}

fn link() -> impl Strategy<Value = Link> {
    let gamma = prop_oneof![Just(0.0), 0.0..0.7];
    (1u64..30, gamma, process(), process()).prop_map(|(tau, gamma, sender, receiver)| Link {
        tau,
        gamma,
        sender,
        receiver,
    })
}

fn close(x: impl Into<f64>, y: impl Into<f64>, accuracy: f64) -> bool {
    let (x, y): (f64, f64) = (x.into(), y.into());
    x == y || (x - y).abs() <= accuracy * x.abs().max(y.abs()).max(1.0)
}

/// Expected wait and the messages of (driver or sender, responder or receiver), added up round by round.
fn added_up(protocol: Protocol, link: &Link, delta: u64) -> (f64, f64, f64) {
    let horizon = 60_000;
    let (a, kept) = (link.round_trip_loss(), 1.0 - link.gamma);
    let (mut wait, mut first, mut second) = (0.0, 0.0, 0.0);
    let (due, fails) = match protocol {
        Protocol::Trivial => (u64::MAX, 1.0),
        Protocol::SenderDriven => (link.tau, link.gamma),
        _ => (2 * link.tau, a),
    };
    let up = |p: &Process, t: u64| p.up_at(t);
    for t in 0..horizon {
        let failed = if t < due { 1.0 } else { f64::powi(fails, ((t - due) / delta + 1) as i32) };
        let open = up(&link.sender, t) * up(&link.receiver, t) * failed;
        wait += open;
        if open < 1e-14 {
            break;
        }
    }
    let (driver, responder) = match protocol {
        Protocol::ReceiverDriven => (&link.receiver, &link.sender),
        _ => (&link.sender, &link.receiver),
    };
    for i in (0..).map_while(|i: u64| (i * delta < horizon).then_some(i)) {
        let tried = (i + 1).saturating_sub(link.window(delta));
        match protocol {
            Protocol::Trivial => break,
            Protocol::Heartbeat => {
                let none = f64::powi(link.triple_loss(), tried as i32);
                let beat = kept * up(responder, i * delta) * up(driver, i * delta + link.tau) * none;
                first += beat;
                second += kept
                    * kept
                    * up(responder, i * delta + 2 * link.tau)
                    * up(driver, i * delta + link.tau)
                    * none;
                if beat < 1e-14 {
                    break;
                }
            }
            _ => {
                let none = f64::powi(a, tried as i32);
                second += kept * up(driver, i * delta) * up(responder, i * delta + link.tau) * none;
            }
        }
    }
    if matches!(protocol, Protocol::SenderDriven | Protocol::ReceiverDriven) {
        first = exact::truncated_sends(protocol, link, delta, horizon).unwrap();
    }
    (wait, first, second)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(64) })]

    #[test]
    fn closed_forms_are_the_sums_they_stand_for(link in link(), delta in 1u64..40) {
        for protocol in Protocol::ALL {
            let expected = exact::expected(protocol, &link, delta).unwrap();
            let (wait, first, second) = added_up(protocol, &link, delta);
            if expected.wait.is_finite() {
                prop_assert!(close(expected.wait, wait, 1e-8), "{protocol:?} {expected:?} {wait}");
            }
            let (driver, responder) = match protocol {
                Protocol::ReceiverDriven => (expected.receiver, expected.sender),
                _ => (expected.sender, expected.receiver),
            };
            prop_assert!(close(responder, second, 1e-8), "{protocol:?} {expected:?} {second}");
            if driver.is_finite() {
                prop_assert!(close(driver, first, 1e-8), "{protocol:?} {expected:?} {first}");
            } else {
                prop_assert!(exact::send_slope(protocol, &link, delta).unwrap() > 0.0);
            }
            prop_assert_eq!(expected.cost(&Prices { send: 1.0, wait: 1.0 }).is_finite(), protocol.is_finite(&link));
        }
    }

    #[test]
    fn identities_between_protocols(link in link(), delta in 1u64..80) {
        let of = |protocol, link: &Link| exact::expected(protocol, link, delta).unwrap();
        let (rd, hb) = (of(Protocol::ReceiverDriven, &link), of(Protocol::Heartbeat, &link));
        prop_assert_eq!(rd.wait, hb.wait);
        let mirrored = of(Protocol::SenderDriven, &link.reversed());
        prop_assert!(close(rd.sends, mirrored.sends, 1e-12));

        // Both correct: two messages a copy and a failed round trip more.
        let correct = Link { sender: Process::CORRECT, receiver: Process::CORRECT, ..link };
        let (gamma, a) = (link.gamma, link.round_trip_loss());
        let copies = (2.0 - gamma) * (link.window(delta) as f64 + a / (1.0 - a));
        prop_assert!(close(of(Protocol::SenderDriven, &correct).sends, copies, 1e-12));

        // And nothing lost.
        let safe = Link { gamma: 0.0, ..correct };
        for protocol in [Protocol::SenderDriven, Protocol::ReceiverDriven, Protocol::Heartbeat] {
            let expected = of(protocol, &safe);
            let legs = if protocol == Protocol::SenderDriven { 1 } else { 2 };
            prop_assert_eq!(expected.sends.get(), 2.0 * link.window(delta) as f64);
            prop_assert_eq!(expected.wait.get(), (legs * link.tau) as f64);
        }
    }

    #[test]
    fn waits_are_monotone(link in link(), delta in 1u64..60, more in 0.0..0.2) {
        let wait = |link: &Link, delta| {
            Protocol::ALL.map(|p| exact::expected(p, link, delta).unwrap().wait.get())
        };
        let nowhere_above = |low: [f64; 4], high: [f64; 4]| {
            low.iter().zip(high).all(|(x, y)| *x <= y * (1.0 + 1e-12))
        };
        let here = wait(&link, delta);
        let mut other = link;
        other.receiver.crash += more;
        prop_assert!(nowhere_above(wait(&other, delta), here), "decreasing in beta");
        let other = Link { gamma: link.gamma + more, ..link };
        prop_assert!(nowhere_above(here, wait(&other, delta)), "increasing in gamma");
        prop_assert!(nowhere_above(here, wait(&link, delta + 1)), "non-decreasing in delta");
    }

    #[test]
    fn a_growing_cost_caps_the_period(link in link(), growth in 1.001..1.6) {
        for protocol in Protocol::ALL {
            let cap = choose::period_cap(protocol, &link, growth).unwrap().get();
            let finite = |delta| exact::growing_wait(protocol, &link, delta, growth).unwrap().is_finite();
            if protocol == Protocol::Trivial {
                prop_assert_eq!(finite(1), cap > 0.0);
            } else if cap < 1e6 && (cap - cap.round()).abs() > 1e-6 {
                let delta = cap.floor() as u64;
                prop_assert!(delta == 0 || finite(delta), "{protocol:?} {cap}");
                prop_assert!(!finite(delta + 1), "{protocol:?} {cap}");
            }
        }
        // Growth 1 does not grow.
        for protocol in Protocol::ALL {
            prop_assert_eq!(exact::growing_wait(protocol, &link, 3, 1.0).unwrap().get(), 1.0);
        }
    }

    #[test]
    fn shares_are_symmetric_and_the_expectation_they_stand_for(s in 1e-6..1e-2, ratio in 0.05..20.0) {
        let (s, r): (f64, f64) = (s, s * ratio);
        let share = share::lam3(s, r).unwrap();
        prop_assert!(close(share, share::lam3(r, s).unwrap(), 1e-13));
        // E[2 min / (T_s + T_r)]: the ratio T_s / (T_s + T_r) = v has density s r / (s v + r (1-v))^2.
        let density = |v: f64| s * r / (s * v + r * (1.0 - v)).powi(2);
        let integral = numeric::integral(&|v| 2.0 * v.min(1.0 - v) * density(v), 0.0, 1.0, &[0.5]);
        prop_assert!(close(share, integral, 1e-9), "{share} {integral}");
    }

    #[test]
    fn exponential_waits_are_what_the_search_finds(
        mu in 0.05..2.0, never in prop_oneof![Just(0.0), 0.001..0.9], start in prop_oneof![Just(0.0), 0.0..5.0],
        benefit in 0.5..100.0, kind in 0..3, rate in 0.05..3.0, growth in 0.01..0.5,
    ) {
        let cost = match kind {
            0 => Cost::linear(rate),
            1 => Cost::Quadratic { rate, growth },
            _ => Cost::Exponential { scale: rate, growth },
        };
        let closed = Exponential { mu, never, start, benefit, cost: cost.clone() };
        let arrival = closed.arrival();
        let constant = Benefit::constant(benefit);
        let plan = closed.best().unwrap();
        let found = search::best(&arrival, &constant, &cost, 0.0).unwrap();
        prop_assert!(close(plan.utility, found.utility, 1e-7), "{plan:?} {found:?}");
        prop_assert_eq!(wait::best(&arrival, &constant, &cost).unwrap(), plan);
        if plan.utility.get() > 1e-6 && plan.until.is_finite() {
            prop_assert!(close(plan.until, found.until, 1e-5), "{plan:?} {found:?}");
        }
        if kind == 0 {
            // Waiting for ever costs without bound exactly if it may be in vain.
            let for_ever = closed.utility(Extended::INFINITY).unwrap();
            prop_assert_eq!(for_ever == Extended::NEG_INFINITY, never > 0.0);
        }
        // The utility function is the integral, and the plan its greatest value.
        for w in [0.5 * start, start + 0.3 / mu, start + 2.0 / mu] {
            let utility = closed.utility(Extended::try_from(w).unwrap()).unwrap();
            let integral = search::utility(&arrival, &constant, &cost, 0.0, Extended::try_from(w).unwrap());
            prop_assert!(close(utility, integral.unwrap(), 1e-8));
            prop_assert!(utility.get() <= plan.utility.get() + 1e-9 * benefit);
        }
        // -inf at infinity iff it may never come (or the cost outgrows the delay).
        let outgrown = kind == 2 && growth >= mu;
        let for_ever = closed.utility(Extended::INFINITY).unwrap();
        prop_assert_eq!(for_ever == Extended::NEG_INFINITY, never > 0.0 || outgrown);
        // Half-way, with no news, the plan is the same.
        if plan.until.is_finite() && plan.until > Extended::ZERO && arrival.survival(0.5 * plan.until.get()) > 1e-6 {
            let later = search::best(&arrival, &constant, &cost, 0.5 * plan.until.get()).unwrap();
            prop_assert!(close(later.until, plan.until, 1e-5), "{later:?} {plan:?}");
        }
    }

    #[test]
    fn free_waiting_never_ends(mu in 0.1..2.0, never in 0.0..0.9) {
        let wait = Exponential { mu, never, start: 1.0, benefit: 5.0, cost: Cost::linear(0.0) };
        let plan = wait.best().unwrap();
        prop_assert_eq!(plan.until, Extended::INFINITY);
        prop_assert!(close(plan.utility, 5.0 * (1.0 - never), 1e-12));
    }

    #[test]
    fn observed_waits_are_the_best_of_all_times(
        arrivals in prop::collection::vec(0.1f64..20.0, 1..12), never in 0u32..4, benefit in 1.0..50.0, rate in 0.1..5.0,
    ) {
        let (constant, cost) = (Benefit::constant(benefit), Cost::Quadratic { rate, growth: 0.1 });
        let law = Steps::observed(&arrivals, f64::from(never)).unwrap();
        let plan = observed::best(&law, &constant, &cost, 0.0).unwrap();
        let total = arrivals.len() as f64 + f64::from(never);
        let utility = |w: f64| {
            let each = |x: &f64| if *x <= w { benefit - cost.total(*x) } else { -cost.total(w) };
            (arrivals.iter().map(each).sum::<f64>() - f64::from(never) * cost.total(w)) / total
        };
        let best = (0..=2100).map(|i| utility(f64::from(i) / 100.0)).chain(arrivals.iter().map(|x| utility(*x)));
        let best = best.fold(0.0, f64::max);
        prop_assert!(close(plan.utility, best, 1e-9), "{plan:?} {best}");
        prop_assert!(close(utility(plan.until.get()), best, 1e-9));
    }

    #[test]
    fn fixed_round_trips_are_best_divided_evenly(
        rtt in 1.0..50.0, loss in 0.0..0.9, c_wait in 0.01..5.0, c_copy in 0.05..5.0,
    ) {
        let (period, cost) = best_fixed(rtt, loss, c_wait, c_copy).unwrap();
        let odds = loss / (1.0 - loss);
        let of = |delta: f64| {
            c_wait * (rtt + delta * odds) + c_copy * ((rtt / delta - 1e-9).ceil() + odds)
        };
        prop_assert!(close(of(period), cost, 1e-9));
        for i in 1..2000 {
            prop_assert!(of(rtt * f64::from(i) / 1000.0) >= cost - 1e-9 * cost);
        }
    }

    #[test]
    fn moving_copies_never_makes_a_schedule_worse(dead in 0.0..0.4, c_copy in 0.1..3.0, period in 0.7..4.0) {
        let rtt = Arrival { delay: Delay::Exponential { rate: 1.0 }, start: 1.0, never: 0.0 };
        let setting = Retransmission { rtt: &rtt, loss: 0.2, dead, c_wait: 1.0, c_copy, penalty: 20.0 };
        let times: Vec<f64> = (0..3).map(|i| f64::from(i) * period).collect();
        let before = setting.outcome(&times, 3.0 * period).unwrap();
        let (moved, after) = setting.improve(&times, 3.0 * period, 1).unwrap();
        prop_assert!(after.cost <= before.cost);
        prop_assert_eq!(setting.outcome(&moved, 3.0 * period).unwrap(), after);
    }
}

proptest! {
    // Every case integrates many times.
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(12) })]

    #[test]
    fn deadlines_and_changing_prices_are_decided_by_the_best_time(mu in -1.0..1.0, sigma in 0.2..1.5, never in 0.0..0.5, rate in 0.01..0.5) {
        let arrival = Arrival { delay: Delay::LogNormal { mu, sigma }, start: 0.0, never };
        let deadline = Benefit::deadline(3.0, 10.0, 2.0);
        let cost = Cost::Pieces { rates: vec![(0.5, rate), (4.0, 3.0 * rate)] };
        let plan = wait::best(&arrival, &deadline, &cost).unwrap();
        let at = |w: f64| search::utility(&arrival, &deadline, &cost, 0.0, Extended::try_from(w).unwrap()).unwrap();
        if plan.until.is_finite() {
            prop_assert!(close(at(plan.until.get()), plan.utility, 1e-8));
        }
        for i in 0..16 {
            prop_assert!(at(0.6 * f64::from(i)).get() <= plan.utility.get() + 1e-7, "{plan:?} {i}");
        }
    }
}

/// A generator for what needs many settings rather than shrinking: Weyl's sequence, mixed.
struct Mixed(u64);

impl Mixed {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.unit() * n as f64) as u64
    }

    /// Spread evenly over orders of magnitude; now and then exactly 0.
    fn amount(&mut self, low: f64, high: f64) -> f64 {
        if self.below(12) == 0 { 0.0 } else { low * (high / low).powf(self.unit()) }
    }
}

#[test]
fn the_integer_heartbeat_optimum_is_that_of_brute_force() {
    let mut draw = Mixed(7);
    let most = 250;
    let mut beyond = 0;
    for _ in 0..10_000 {
        let demands = (0..1 + draw.below(3)).map(|_| Demand {
            rate: 1e-3_f64.powf(draw.unit()),
            share: if draw.below(10) == 0 { 0.0 } else { draw.unit() },
            tau: 1 + draw.below(40),
            gamma: if draw.below(8) == 0 { 0.0 } else { 0.6 * draw.unit() },
            prices: Prices { send: draw.amount(0.01, 20.0), wait: draw.amount(0.05, 20.0) },
        });
        let demands: Vec<Demand> = demands.collect();
        let detection = (draw.below(4) == 0).then(|| Detection {
            rate: draw.amount(1e-5, 1e-2),
            cost: draw.amount(0.1, 100.0),
            slack: draw.amount(0.1, 50.0),
        });
        let objective = Objective::new(2.0, draw.amount(0.001, 3.0), demands, detection).unwrap();
        for form in [Form::Paper, Form::Exact] {
            let best = objective.best(form).unwrap();
            let cost = |delta| objective.cost(form, Period::Every(delta));
            let mut brute = (1, cost(1));
            for delta in 2..=most {
                let here = cost(delta);
                if here < brute.1 {
                    brute = (delta, here);
                }
            }
            match best.period {
                Period::Every(delta) if delta <= most => {
                    // Equal costs may differ by rounding, in either direction.
                    let same = delta == brute.0 || close(best.cost, brute.1, 1e-14);
                    assert!(same, "{objective:?} {form:?} {best:?} {brute:?}");
                    assert!(best.cost.get() <= brute.1.get() * (1.0 + 1e-14));
                }
                _ => {
                    // Beyond what was tried: still better, and brute force was still falling.
                    beyond += 1;
                    assert!(best.cost <= brute.1 && brute.0 > most - 100, "{objective:?} {best:?} {brute:?}");
                }
            }
        }
    }
    assert!(beyond < 6_000, "too few settings within reach: {beyond} beyond");
}

/// Any finite figure, the awkward ones often.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1.0),
        Just(-1.0),
        Just(0.5),
        Just(1e-300),
        Just(5e-324),
        Just(1e300),
        Just(f64::MAX),
        0.0..1.0,
        (1u32..50).prop_map(f64::from),
        prop::num::f64::NORMAL,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_finite_figures_give_nan(x in prop::array::uniform12(wild()), proto in 0usize..4, list in prop::collection::vec(wild(), 1..5)) {
        let name = Protocol::ALL[proto].name();
        let small = |y: f64| if y.abs() <= 1000.0 { y.trunc() } else { 3.0 };
        let link = format!(
            r#""tau":{:?},"gamma":{:?},"as_":{:?},"ar":{:?},"bs":{:?},"br":{:?}"#,
            x[0].trunc().min(1e15), x[1], x[2], x[3], x[4], x[5]
        );
        let rows: Vec<String> = list.iter().map(|y| format!("[{y:?},{:?},{:?}]", x[0], -y)).collect();
        let cases = [
            format!(r#"{{"kind":"protocol","params":{{"proto":"{name}","delta":{:?},{link},"c_send":{:?},"c_wait":{:?},"D":20}}}}"#, x[6].trunc(), x[7], x[8]),
            format!(r#"{{"kind":"cost2","params":{{"proto":"{name}","delta":{:?},{link},"N":{:?}}}}}"#, x[6].trunc(), x[7]),
            format!(r#"{{"kind":"lambda","params":{{"as_":{:?},"ar":{:?},"bs":{:?},"br":{:?}}}}}"#, x[2], x[3], x[4], x[5]),
            format!(
                r#"{{"kind":"heartbeat_delta","params":{{"tau":{:?},"gamma":{:?},"sigma":{:?},"as_":{:?},"ar":{:?},"bs":{:?},"br":{:?},"c_wait":{:?},"c_send":{:?},"c_hb":{:?}}}}}"#,
                small(x[0]), x[1], x[9], x[2], x[3], x[4], x[5], x[6], x[7], x[8]
            ),
            format!(r#"{{"kind":"wait_exp","params":{{"mu":{:?},"p":{:?},"B":{:?},"c":{:?},"d":{:?}}}}}"#, x[0], x[1], x[2], x[3], x[4]),
            format!(r#"{{"kind":"wait_empirical","params":{{"arrivals":{list:?},"never":{:?},"B":{:?},"c":{:?}}}}}"#, x[1], x[2], x[3]),
            format!(r#"{{"kind":"p_alive","params":{{"t":{:?},"eta":{:?},"k":{:?},"gamma":{:?},"beta":{:?},"alpha":{:?}}}}}"#, x[0], x[1], small(x[2]), x[3], x[4], x[5]),
            format!(r#"{{"kind":"nfds","params":{{"eta":{:?},"shift":{:?},"pL":{:?},"mean":{:?}}}}}"#, x[0], x[1].min(x[0] * 60.0), x[2], x[3]),
            format!(r#"{{"kind":"rules","params":{{"U":[{}],"p":[0.25,0.5,0.25],"a":{:?}}}}}"#, rows.join(","), x[1]),
        ];
        for text in cases {
            let case: Case = serde_json::from_str(&text).unwrap();
            // A NaN is an error about the result, which none of these may be; a panic fails the test by itself.
            match batch::fields(&case) {
                Ok(fields) => for (name, field) in fields {
                    let numbers = match field {
                        Field::Number(x) => vec![x],
                        Field::List(list) => list,
                        Field::Count(_) | Field::Null => vec![],
                    };
                    prop_assert!(numbers.iter().all(|x| !x.get().is_nan()), "{text}: {name}");
                },
                Err(error) => prop_assert!(error.field != "result", "{text}: {error}"),
            }
        }
    }

    #[test]
    fn laws_are_laws(rate in 0.01..10.0, t in 0.0..50.0, more in 0.0..5.0, never in 0.0..1.0, start in 0.0..3.0) {
        for delay in [
            Delay::Exponential { rate },
            Delay::LogNormal { mu: rate.ln(), sigma: 0.7 },
            Delay::Lomax { shape: rate, scale: 2.0 },
            Delay::Uniform { from: 0.5, to: 0.5 + rate },
            Delay::Constant { value: rate },
        ] {
            let arrival = Arrival { delay, start, never };
            let (now, later) = (arrival.survival(t), arrival.survival(t + more));
            prop_assert!((0.0..=1.0).contains(&now) && later <= now + 1e-15);
            prop_assert!(arrival.not_before(t) >= now && arrival.never() <= later + 1e-15);
            prop_assert!(arrival.density(t) >= 0.0);
        }
    }
}
