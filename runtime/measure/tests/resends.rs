//! The period of retransmission that is taken is the best of all options by the exact expected cost, for what was to be measured.

mod support;

use foresee_decide::protocol::{Link, Prices, Process, Protocol, exact};
use foresee_kernel::{NodeId, Ran};
use foresee_measure::{Ends, Gauge, MARGIN};
use support::{SEND, SERVICE, choose, periods, resends};

const ENDS: [NodeId; 2] = [NodeId::new(0), NodeId::new(1)];

/// How long a message takes one way, in nanoseconds, by the number of the call.
type Delay = fn(u64) -> u64;

/// Two ends of a link that loses every so many messages and is as slow as is said.
struct Ways {
    gauges: [Gauge; 2],
    /// Of so many messages each way one is lost; 0 for none.
    every: u64,
    delay: Delay,
    sent: [u64; 2],
    now: u64,
}

impl Ways {
    fn new(ends: Ends, every: u64, delay: Delay) -> Ways {
        let gauge = || Gauge::new(&resends(ends)).expect("the form is known");
        Ways { gauges: [gauge(), gauge()], every, delay, sent: [0; 2], now: 0 }
    }

    /// A message, which is lost or arrives.
    fn passes(&mut self, from: usize, at: u64, delay: u64, kind: &str) -> bool {
        let told = self.gauges[from].sends(at, 0, ENDS[1 - from], kind);
        self.sent[from] += 1;
        let lost = self.every > 0 && self.sent[from].is_multiple_of(self.every);
        if !lost {
            self.gauges[1 - from].hears(at + delay, 0, ENDS[from], &told);
        }
        !lost
    }

    /// A call of the first end, and the option that is taken for it.
    fn call(&mut self, number: u64, default: Option<u32>) -> usize {
        self.now += 20_000_000_000;
        let delay = (self.delay)(number);
        let option = choose(&mut self.gauges[0], ENDS[0], self.now, &periods(), default);
        self.gauges[0].ran(self.now, &[&SERVICE], &[Ran::Handler { layer: 0, handler: 0 }]);
        if self.passes(0, self.now, delay, "Data") {
            self.gauges[1].ran(self.now + delay, &[&SERVICE], &[]);
            self.passes(1, self.now + delay, delay, "Ack");
        }
        option
    }
}

/// What a call costs at a period, by the exact form: milliseconds are rounds.
fn cost(ends: Ends, period: f64, loss: f64, delay_ms: u64) -> f64 {
    let (sender, receiver) = (Process::CORRECT, Process::CORRECT);
    let link = Link { tau: delay_ms, gamma: loss, sender, receiver };
    let delta = (period * 1e3).round() as u64;
    let of = |protocol, prices: Prices| exact::cost1(protocol, &link, delta, &prices).expect("sound").get();
    let prices = Prices { send: SEND, wait: 1e-3 };
    match ends {
        Ends::Arrival => of(Protocol::SenderDriven, prices),
        Ends::Acknowledgement => {
            of(Protocol::SenderDriven, Prices { wait: 0.0, ..prices })
                + of(Protocol::ReceiverDriven, Prices { send: 0.0, ..prices })
        }
    }
}

#[test]
fn the_option_taken_is_the_best_of_all_by_the_exact_cost() {
    const CALLS: u64 = 1_000;
    let delays: [(u64, Delay); 4] =
        [(10, |_| 10_000_000), (150, |_| 150_000_000), (800, |_| 800_000_000), (4_000, |_| 4_000_000_000)];
    let mut taken = Vec::new();
    for ends in [Ends::Arrival, Ends::Acknowledgement] {
        for every in [0, 50, 10, 3, 2] {
            for (delay_ms, delay) in delays {
                let mut ways = Ways::new(ends, every, delay);
                let option = (0..CALLS).map(|it| ways.call(it, None)).last().expect("there are calls");
                let loss = if every == 0 { 0.0 } else { 1.0 / every as f64 };
                let costs: Vec<f64> =
                    periods().iter().map(|period| cost(ends, *period, loss, delay_ms)).collect();
                let best = costs.iter().copied().fold(f64::INFINITY, f64::min);
                // What is kept may be worse by the margin; and what the prior of a loss is worth is still seen.
                let over = costs[option] / best - 1.0;
                assert!(over <= MARGIN + 0.005, "{ends:?} 1/{every} {delay_ms} ms: {option}, {over}");
                taken.push(option);
            }
        }
    }
    taken.sort_unstable();
    taken.dedup();
    assert!(taken.len() >= 8, "the options are hardly told apart: {taken:?}");
}

#[test]
fn who_has_heard_nothing_stays_at_the_safe_default_and_moves_from_it_as_evidence_allows() {
    // Nothing is ever answered.
    let mut silent = Ways::new(Ends::Arrival, 1, |_| 10_000_000);
    assert!((0..200).all(|number| silent.call(number, Some(17)) == 17));
    // All is answered, at once: the shortest is best.
    let mut ways = Ways::new(Ends::Arrival, 20, |_| 1_000_000);
    let periods = periods();
    let mut before = periods[17];
    for number in 0..400 {
        let period = periods[ways.call(number, Some(17))];
        let most = 1.0 + number as f64 / 8.0;
        assert!(period >= periods[17] / most * (1.0 - 1e-9), "{period} after {number} calls");
        assert!(period >= before / 2.0 * (1.0 - 1e-9), "from {before} to {period} at once");
        before = period;
    }
    assert_eq!(before, periods[0]);
}

#[test]
fn round_trips_that_vary_are_weighed_all_and_not_by_their_middle() {
    // Two of three round trips take 100 ms and the third takes 900.
    let mut ways =
        Ways::new(Ends::Arrival, 10, |number| if number % 3 == 0 { 450_000_000 } else { 50_000_000 });
    let option = (0..600).map(|it| ways.call(it, None)).last().expect("there are calls");
    // By the middle one 100 ms would do; then one call in three would send nine times.
    assert!(periods()[option] >= 0.9, "{}", periods()[option]);
}

#[test]
fn a_period_is_kept_unless_another_is_better_by_the_margin() {
    let mut ways = Ways::new(Ends::Arrival, 4, |_| 600_000_000);
    let options: Vec<usize> = (0..3_000).map(|it| ways.call(it, None)).collect();
    let late = &options[1_000..];
    let changes = late.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes <= 2, "{changes} changes though nothing does");
}
