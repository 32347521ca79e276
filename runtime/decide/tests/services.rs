//! Beliefs, detectors and heartbeats that serve several: each against a second way to compute it.

use foresee_decide::belief::{Chance, Delays, Rate, alive};
use foresee_decide::combined::{self, Watch};
use foresee_decide::detector::{self, Detector, Requirement};
use foresee_decide::heartbeat::{Demand, Detection, Form, Objective, Pair, Period, Reach};
use foresee_decide::law::{Delay, Law};
use foresee_decide::numeric;
use foresee_decide::protocol::{Link, Prices, Process, Protocol, choose, exact};

#[test]
fn a_beta_belief_is_its_integrals() {
    let mut chance = Chance::new(2.0, 5.0, None).unwrap();
    chance.observe(0.0, 1.5, 2.5).unwrap();
    let counts = chance.at(1e9);
    // Beta(3.5, 7.5), up to its constant.
    let density = |p: f64| p.powf(2.5) * (1.0 - p).powf(6.5);
    let mean = |f: &dyn Fn(f64) -> f64| {
        let part = |upper| numeric::integral(&|p| f(p) * density(p), 0.0, upper, &[]);
        part(1.0) / numeric::integral(&density, 0.0, 1.0, &[])
    };
    assert!((counts.mean() - mean(&|p| p)).abs() < 1e-9);
    assert!((counts.mean_odds().get() - mean(&|p| p / (1.0 - p))).abs() < 1e-8);
    assert!((counts.mean_inverse().get() - mean(&|p| 1.0 / p)).abs() < 1e-8);
    assert!((counts.variance() - mean(&|p| (p - counts.mean()).powi(2))).abs() < 1e-9);
    let median = counts.quantile(0.5);
    assert!((mean(&|p| f64::from(u8::from(p <= median))) - 0.5).abs() < 1e-3);
    assert!((counts.cumulative(median) - 0.5).abs() < 1e-12);
    // Too little to say: the expectation of the odds does not exist.
    assert!(!Chance::new(1.0, 1.0, None).unwrap().at(0.0).mean_odds().is_finite());
    assert!((counts.mean_ratio(&counts).get() - counts.mean() * counts.mean_inverse().get()).abs() < 1e-12);
}

#[test]
fn a_gamma_belief_is_its_integrals() {
    let mut rate = Rate::new(1.0, 10.0, None).unwrap();
    rate.observe(5.0, 3.0, 20.0).unwrap();
    let exposure = rate.at(5.0);
    let density = |r: f64| r.powi(3) * (-30.0 * r).exp();
    let mean = |f: &dyn Fn(f64) -> f64| {
        numeric::integral(&|r| f(r) * density(r), 0.0, 3.0, &[]) / numeric::integral(&density, 0.0, 3.0, &[])
    };
    assert!((exposure.mean() - mean(&|r| r)).abs() < 1e-9);
    assert!((exposure.variance() - mean(&|r| (r - exposure.mean()).powi(2))).abs() < 1e-9);
    assert!((exposure.mean_inverse().get() - mean(&|r| 1.0 / r)).abs() < 1e-7);
    assert!((exposure.next_event().survival(4.0) - mean(&|r| (-4.0 * r).exp())).abs() < 1e-9);
    let confidence = rate.confidence(7.0);
    let between = numeric::integral(&density, confidence.low, confidence.high, &[])
        / numeric::integral(&density, 0.0, 3.0, &[]);
    assert!((between - 0.95).abs() < 1e-8);
    assert_eq!((confidence.observations, confidence.age), (3.0, Some(2.0)));
}

#[test]
fn beliefs_slide_back_to_the_prior() {
    let mut chance = Chance::new(1.0, 9.0, Some(10.0)).unwrap();
    assert_eq!(chance.confidence(0.0).age, None);
    for t in 0..1000 {
        chance.observe(f64::from(t), 1.0, 0.0).unwrap();
    }
    // One observation a unit of time: about half-life / ln 2 of them count.
    let now = chance.confidence(999.0);
    assert!((now.observations - 10.0 / 2f64.ln()).abs() < 0.6, "{now:?}");
    assert!(now.low > 0.3 && now.high < 0.9);
    let later = chance.confidence(1999.0);
    assert!((later.mean - 0.1).abs() < 1e-9 && later.age == Some(1000.0));
    assert!(later.high - later.low > now.high - now.low - 0.2);
    // What comes late counts as now.
    chance.observe(500.0, 0.0, 1.0).unwrap();
    assert_eq!(chance.confidence(999.0).age, Some(0.0));
    for (field, error) in [
        ("prior.events", Chance::new(0.0, 1.0, None).map(drop)),
        ("half_life", Chance::new(1.0, 1.0, Some(0.0)).map(drop)),
        ("events", chance.observe(0.0, -1.0, 0.0)),
        ("now", chance.observe(f64::NAN, 1.0, 0.0)),
    ] {
        assert_eq!(error.unwrap_err().field, field);
    }
    let text = serde_json::to_string(&chance).unwrap();
    assert_eq!(serde_json::from_str::<Chance>(&text).unwrap(), chance);
}

#[test]
fn delays_are_kept_weighted_and_fitted() {
    let mut delays = Delays::new(100, 0.05, 2.0, Some(50.0)).unwrap();
    assert_eq!(delays.observed(0.0).unwrap_err().field, "arrivals");
    // The logarithms are 0 and 2 in turn; then the world slows down for good.
    for t in 0..200 {
        let late = if t >= 100 { 3.0 } else { 0.0 };
        delays.arrived(f64::from(t), f64::exp(late + f64::from(2 * (t % 2)))).unwrap();
    }
    for _ in 0..10 {
        delays.lost(199.0).unwrap();
    }
    let fit = delays.lognormal(199.0).unwrap();
    let Delay::LogNormal { mu, sigma } = fit.delay else { panic!("{fit:?}") };
    // What is two half-lives old weighs a quarter: 4/5 of the weight is the slow half's.
    assert!((mu - (1.0 + 0.8 * 3.0)).abs() < 0.02, "{mu}");
    assert!(sigma > 1.0 && sigma < 2.2, "{sigma}");
    assert!(fit.never > 0.05 && fit.never < 0.2, "{}", fit.never);
    let law = delays.observed(199.0).unwrap();
    assert!((law.never() - fit.never).abs() < 1e-12);
    assert_eq!(law.points().len(), 2, "the last hundred, of two values");
    assert!(law.survival(1.0) > 0.999, "the fast ones are no longer kept");
    assert_eq!(delays.never(249.0).age, Some(50.0));
}

#[test]
fn silence_by_adding_up_the_ways() {
    for (t, eta, k, gamma, beta, alpha) in
        [(35.0, 10.0, 3, 0.1, 0.001, 0.0), (61.0, 10.0, 6, 0.4, 0.02, 0.3), (9.0, 2.0, 4, 0.9, 0.3, 0.1)]
    {
        // Crash times one by one; beats due at eta, 2 eta, .. arrive from a process that is still up then.
        let (mut silent, mut up) = (0.0, 0.0);
        let last = 5000;
        for crash in 1..=last {
            let chance = if crash == last {
                alpha + (1.0 - alpha) * f64::powi(1.0 - beta, last - 1)
            } else {
                (1.0 - alpha) * beta * f64::powi(1.0 - beta, crash - 1)
            };
            // Crashing in unit n means being up at times before n.
            let sent = (1..=k).filter(|j| *j as f64 * eta < f64::from(crash)).count();
            silent += chance * f64::powi(gamma, sent as i32);
            if f64::from(crash) > t {
                up += chance * f64::powi(gamma, k as i32);
            }
        }
        let found = alive::after_misses(&alive::Silence { t, eta, k, gamma, beta, alpha }).unwrap();
        assert!((found - up / silent).abs() < 1e-12, "{found} {}", up / silent);
    }
    let correct = alive::correct(100.0, 0.5, 0.05).unwrap();
    assert!((correct - 0.5 / (0.5 + 0.5 * 0.95f64.powi(100))).abs() < 1e-15);
    let law = Delay::Exponential { rate: 1.0 };
    assert!((alive::suspicion(&law, 3.0 * 10f64.ln()).unwrap().get() - 3.0).abs() < 1e-12);
    // Nothing is lost and nobody crashes, yet a beat is missed.
    let impossible = alive::Silence { t: 10.0, eta: 5.0, k: 1, gamma: 0.0, beta: 0.0, alpha: 0.0 };
    assert_eq!(alive::after_misses(&impossible).unwrap_err().field, "k");
}

/// The detector's `u` is a polynomial in `exp(-x/mean)` on either side of its corner: integrate that exactly.
fn duration_of_mistakes(eta: f64, shift: f64, loss: f64, mean: f64) -> f64 {
    let k = (shift / eta).ceil() as i32;
    let corner = f64::from(k) * eta - shift;
    let piece = |from: f64, to: f64| {
        // Factors loss + b_j y with y = exp(-(x - from)/mean), multiplied out.
        let mut poly = vec![1.0];
        for j in 0..=k {
            let late = shift + from - f64::from(j) * eta;
            let factor = if late < -1e-12 { [1.0, 0.0] } else { [loss, (1.0 - loss) * (-late / mean).exp()] };
            let mut next = vec![0.0; poly.len() + 1];
            for (n, c) in poly.iter().enumerate() {
                next[n] += c * factor[0];
                next[n + 1] += c * factor[1];
            }
            poly = next;
        }
        let power = |n: usize| {
            if n == 0 {
                to - from
            } else {
                mean / n as f64 * (1.0 - (-(n as f64) * (to - from) / mean).exp())
            }
        };
        poly.iter().enumerate().map(|(n, c)| c * power(n)).sum::<f64>()
    };
    piece(0.0, corner) + piece(corner, eta)
}

#[test]
fn a_detectors_integral_is_its_polynomial() {
    for (eta, shift, loss, mean) in
        [(1.0, 1.5, 0.05, 0.1), (1.0, 0.2, 0.1, 0.1), (0.5, 2.3, 0.2, 0.7), (2.0, 1.2, 0.03, 0.4)]
    {
        let delay = Delay::Exponential { rate: 1.0 / mean };
        let quality = Detector { eta, shift, loss, delay: &delay }.quality().unwrap();
        let integral = duration_of_mistakes(eta, shift, loss, mean);
        assert!((quality.duration.get() / (integral / quality.ps) - 1.0).abs() < 1e-10);
        assert!((quality.accuracy - (1.0 - integral / eta)).abs() < 1e-12);
        // Mistakes that recur and last leave the rest for being right.
        assert!((quality.duration.get() / quality.recurrence.get() - (1.0 - quality.accuracy)).abs() < 1e-12);
    }
}

#[test]
fn a_detector_that_never_errs_and_one_that_never_trusts() {
    let delay = Delay::Constant { value: 1.0 };
    let perfect = Detector { eta: 2.0, shift: 1.0, loss: 0.0, delay: &delay }.quality().unwrap();
    assert!(!perfect.recurrence.is_finite() && perfect.duration.get() == 0.0 && perfect.accuracy == 1.0);
    assert!((perfect.detection - 2.0).abs() < 1e-12, "shift + eta/2");
    let deaf = Detector { eta: 2.0, shift: 1.0, loss: 1.0, delay: &delay }.quality().unwrap();
    assert!(!deaf.duration.is_finite() && deaf.accuracy == 0.0 && deaf.detection == 0.0);
    let wrong = Detector { eta: 0.0, shift: 1.0, loss: 0.1, delay: &delay };
    assert_eq!(wrong.quality().unwrap_err().field, "eta");
}

#[test]
fn configurations_meet_what_was_demanded_with_the_longest_period() {
    let delay = Delay::Exponential { rate: 50.0 };
    // The example of Chen, Toueg and Aguilera: 30 s to detection, a mistake a month, of a minute.
    let wanted = Requirement { detection: 30.0, recurrence: 2_592_000.0, duration: 60.0 };
    let found = detector::configure(0.01, &delay, &wanted).unwrap().unwrap();
    assert!((found.eta - 9.97).abs() < 0.05, "{}", found.eta);
    let quality = found.quality().unwrap();
    assert!(quality.recurrence.get() >= wanted.recurrence && quality.duration.get() <= wanted.duration);
    assert!((found.eta + found.shift - wanted.detection).abs() < 1e-9);
    let never = detector::configure(1.0, &delay, &wanted).unwrap();
    assert!(never.is_none());
}

#[test]
fn misses_in_a_row_trade_speed_for_calm() {
    let (rate, late) = detector::misses(2.0, 3, 0.1, 0.5).unwrap();
    assert!((rate - 0.9 * 0.001 / 2.0).abs() < 1e-15 && (late - 5.5).abs() < 1e-12);
    assert_eq!(detector::misses(2.0, 0, 0.1, 0.5).unwrap_err().field, "k");
}

fn demand(rate: f64, tau: u64, gamma: f64) -> Demand {
    Demand { rate, share: 1.0, tau, gamma, prices: Prices { send: 1.0, wait: 1.0 } }
}

#[test]
fn heartbeats_shared_by_many_are_paid_by_many() {
    let process = Process { correct: 0.9, crash: 1e-5 };
    let use_ = demand(0.01, 5, 0.1);
    // Two processes are a pair.
    let link = Link { tau: 5, gamma: 0.1, sender: process, receiver: process };
    let pair = Pair { link, sigma_s: 0.01, sigma_r: 0.01, prices: use_.prices, c_hb: 2.0 };
    let pair = pair.objective().unwrap();
    let two = Objective::mesh(2, &process, Reach::Unicast, 2.0, &[use_]).unwrap();
    assert_eq!(pair.best(Form::Exact).unwrap(), two.best(Form::Exact).unwrap());
    // More processes beat at more others: the period grows with the square root of their number less one.
    let ten = Objective::mesh(10, &process, Reach::Unicast, 2.0, &[use_]).unwrap();
    assert!((ten.square_root().get() / two.square_root().get() - 3.0).abs() < 1e-12);
    let cast = Objective::mesh(10, &process, Reach::Multicast, 2.0, &[use_]).unwrap();
    assert!((cast.square_root().get() - two.square_root().get()).abs() < 1e-12, "one beat for all");
    // A second protocol on the same beats: no dearer than each with its own.
    let both = Objective::mesh(10, &process, Reach::Unicast, 2.0, &[use_, demand(0.03, 11, 0.2)]).unwrap();
    let other = Objective::mesh(10, &process, Reach::Unicast, 2.0, &[demand(0.03, 11, 0.2)]).unwrap();
    let cost = |o: &Objective| o.best(Form::Exact).unwrap().cost.get();
    assert!(cost(&both) < cost(&ten) + cost(&other));
    assert_eq!(Objective::mesh(1, &process, Reach::Unicast, 2.0, &[use_]).unwrap_err().field, "n");
}

#[test]
fn periods_without_an_inner_optimum() {
    let free = |send: f64, wait: f64| Demand { prices: Prices { send, wait }, ..demand(0.1, 7, 0.1) };
    let best = |c_hb: f64, demand: Demand| {
        Objective::new(2.0, c_hb, vec![demand], None).unwrap().best(Form::Exact).unwrap().period
    };
    assert_eq!(best(1.0, free(1.0, 0.0)), Period::Never, "nobody minds waiting");
    assert_eq!(best(0.0, free(0.0, 1.0)), Period::Every(1), "beats and copies are free");
    assert_eq!(best(0.0, free(1.0, 0.0)), Period::Every(14), "only copies cost");
    assert_eq!(best(0.0, free(0.0, 0.0)), Period::Every(1));
    let deaf = Demand { gamma: 1.0, ..free(1.0, 1.0) };
    let found = Objective::new(2.0, 1.0, vec![deaf], None).unwrap().best(Form::Exact).unwrap();
    assert!(!found.cost.is_finite() && found.period == Period::Every(1));
    let wrong = Objective::new(2.0, 1.0, vec![Demand { gamma: 1.2, ..deaf }], None);
    assert_eq!(wrong.unwrap_err().field, "demands[0].gamma");
    assert_eq!(Objective::new(2.0, -1.0, vec![deaf], None).unwrap_err().field, "c_hb");
    assert_eq!(Objective::new(2.0, 1.0, vec![], None).unwrap_err().field, "demands");
}

#[test]
fn both_demands_together_follow_the_combined_law() {
    // sqrt(2 c_hb / (lambda sigma c_wait + beta c_det)) for a pair that watches each other.
    let (sigma, beta, c_det, c_hb) = (0.01, 1e-4, 300.0, 4.0);
    let invoked = Demand { prices: Prices { send: 0.0, wait: 1.0 }, ..demand(2.0 * sigma, 1, 0.0) };
    let detection = Detection { rate: 2.0 * beta, cost: c_det, slack: 3.0 };
    let objective = Objective::new(2.0, c_hb, vec![invoked], Some(detection)).unwrap();
    let law = (2.0 * c_hb / (sigma + beta * c_det)).sqrt();
    assert!((objective.square_root().get() - law).abs() < 1e-12);
    let best = objective.best(Form::Paper).unwrap().period.get().get();
    assert!((best - law).abs() <= 1.0);
    // With a real detector, whose mistakes cost: near it, and cheaper than any period and shift of a grid.
    let delay = Delay::Exponential { rate: 1.0 };
    let prices = detector::Prices { c_hb, crash_rate: beta, c_det, c_mist: 50.0, c_susp: 1.0 };
    let watch = Watch { pairs: 2.0, loss: 0.01, delay: &delay, prices };
    let plain = Objective::new(2.0, c_hb, vec![invoked], None).unwrap();
    let plan = combined::best(&plain, Form::Exact, &watch, 100, 60.0).unwrap();
    for period in (1..60).step_by(3) {
        for shift in (0..40).step_by(4) {
            let other = combined::at(&plain, Form::Exact, &watch, period, f64::from(shift)).unwrap();
            assert!(plan.cost.get() <= other.cost.get() * (1.0 + 1e-6), "{plan:?} {other:?}");
        }
    }
    assert!(plan.period as f64 <= 1.5 * law && plan.quality.accuracy > 0.99, "{plan:?}");
}

#[test]
fn the_best_protocol_period_is_that_of_brute_force_and_near_the_rule_of_thumb() {
    let process = |crash| Process { correct: 0.0, crash };
    let link = Link { tau: 5, gamma: 0.01, sender: process(1e-4), receiver: process(1e-3) };
    let prices = Prices { send: 2.0, wait: 0.5 };
    let best = choose::best_period(Protocol::SenderDriven, &link, &prices, 400).unwrap();
    let rule = choose::one_shot_period(&link, &prices).unwrap().get();
    assert!((rule - 154.0).abs() < 1.0, "{rule}");
    let cost = exact::cost1(Protocol::SenderDriven, &link, rule.round() as u64, &prices).unwrap().get();
    assert!(cost / best.cost.get() < 1.002);
    assert_eq!(choose::best_period(Protocol::Trivial, &link, &prices, 0).unwrap_err().field, "D");
}

#[test]
fn thresholds_are_where_the_approximations_meet() {
    use foresee_decide::protocol::approximate::paper;
    let prices = Prices { send: 1.0, wait: 0.2 };
    let link = |rho: f64| {
        let process = |crash| Process { correct: 0.0, crash };
        Link { tau: 5, gamma: 0.001, sender: process(1e-5), receiver: process(1e-5 * rho) }
    };
    let cost = |protocol, rho: f64| {
        let found = paper(protocol, &link(rho), 4).unwrap();
        prices.cost(found.sends, found.wait).get()
    };
    let flips = choose::flips(&link(1.0), 4, &prices).unwrap();
    let (below, above) = (flips.sender_over_receiver_below.get(), flips.heartbeat_over_sender_above.get());
    let (sd, rd, hb) = (Protocol::SenderDriven, Protocol::ReceiverDriven, Protocol::Heartbeat);
    assert!((cost(sd, below) - cost(rd, below)).abs() < 1e-9);
    assert!(cost(sd, 0.9 * below) < cost(rd, 0.9 * below));
    assert!((cost(sd, above) - cost(hb, above)).abs() < 1e-9);
    assert!(cost(hb, 1.1 * above) < cost(sd, 1.1 * above));
    let at = Prices { send: flips.trivial_over_sender_above.get(), wait: 1.0 };
    let price = |protocol| {
        let found = paper(protocol, &link(1.0), 4).unwrap();
        at.cost(found.sends, found.wait).get()
    };
    assert!((price(Protocol::Trivial) - price(sd)).abs() < 1e-6 * price(sd));
    let correct = Link { sender: Process::CORRECT, ..link(1.0) };
    assert_eq!(choose::flips(&correct, 4, &prices).unwrap_err().field, "sender.crash");
}
