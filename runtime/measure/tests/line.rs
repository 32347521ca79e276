//! Two ends that measure, over a line that overflows or a link that loses: a small world of its own, so that the tuner is held to
//! what it is for without any spec.
//!
//! The protocol is that of `Beats`: calls wait for a beat of the other end, which has all sent again that is not acknowledged. Or that of
//! `Resends`: calls send at once, and again until they are acknowledged.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use foresee_kernel::{NodeId, Ran};
use foresee_measure::{Ends, Gauge, Told};
use support::{BEAT, SEND, SERVICE, beats, choose, periods, resends};

/// What lies between the ends, each way alike.
#[derive(Clone, Copy)]
struct Way {
    loss: f64,
    delay: f64,
    /// Bytes a second, and in the buffer.
    line: Option<(f64, f64)>,
    /// Calls a second of each end.
    calls: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Message {
    Beat,
    Data(u32),
    Ack(u32),
}

impl Message {
    fn kind(self) -> &'static str {
        match self {
            Message::Beat => "Beat",
            Message::Data(_) => "Data",
            Message::Ack(_) => "Ack",
        }
    }

    fn bytes(self) -> f64 {
        match self {
            Message::Beat => 1.0,
            Message::Data(_) => 11.0,
            Message::Ack(_) => 6.0,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Beats,
    Resends,
}

enum Happens {
    Beat,
    Call,
    Again(u32),
    Comes(Message, Option<Told>),
}

#[derive(Default)]
struct End {
    calls: u32,
    unacked: BTreeMap<u32, f64>,
    got: BTreeSet<u32>,
    /// Until when its line is busy.
    busy: f64,
}

struct World {
    protocol: Protocol,
    way: Way,
    state: u64,
    ends: [End; 2],
    /// None where the period is fixed.
    gauges: Option<[Gauge; 2]>,
    fixed: f64,
    agenda: BTreeMap<(u64, u64), (usize, Happens)>,
    number: u64,
    now: f64,
    cost: f64,
}

impl World {
    fn new(protocol: Protocol, way: Way, seed: u64, fixed: Option<f64>) -> World {
        let tunable = match protocol {
            Protocol::Beats => beats(),
            Protocol::Resends => resends(Ends::Arrival),
        };
        let gauge = || Gauge::new(&tunable).expect("the form is known");
        let mut world = World {
            protocol,
            way,
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            ends: Default::default(),
            gauges: fixed.is_none().then(|| [gauge(), gauge()]),
            fixed: fixed.unwrap_or_default(),
            agenda: BTreeMap::new(),
            number: 0,
            now: 0.0,
            cost: 0.0,
        };
        for end in 0..2 {
            if protocol == Protocol::Beats {
                world.at(0.0, end, Happens::Beat);
            }
            let first = world.gap();
            world.at(first, end, Happens::Call);
        }
        world
    }

    fn unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((mixed ^ (mixed >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn gap(&mut self) -> f64 {
        -self.unit().ln() / self.way.calls
    }

    fn at(&mut self, time: f64, end: usize, happens: Happens) {
        self.number += 1;
        self.agenda.insert(((time * 1e9) as u64, self.number), (end, happens));
    }

    fn send(&mut self, from: usize, message: Message) {
        let to = NodeId::new(1 - from as u32);
        let nanos = (self.now * 1e9) as u64;
        self.cost += if message == Message::Beat { BEAT } else { SEND };
        let told = self.gauges.as_mut().map(|it| it[from].sends(nanos, 0, to, message.kind()));
        let mut leaves = self.now;
        if let Some((speed, buffer)) = self.way.line {
            let end = &mut self.ends[from];
            let waits = (end.busy - self.now).max(0.0);
            if waits * speed + message.bytes() > buffer {
                return;
            }
            leaves += waits + message.bytes() / speed;
            end.busy = leaves;
        }
        if self.unit() >= self.way.loss {
            self.at(leaves + self.way.delay, 1 - from, Happens::Comes(message, told));
        }
    }

    /// Runs until a moment; what it has cost by then.
    fn run(&mut self, until: f64) -> f64 {
        while let Some(first) = self.agenda.first_entry() {
            let time = first.key().0 as f64 / 1e9;
            if time >= until {
                break;
            }
            let (end, happens) = first.remove();
            self.now = time;
            self.happen(end, happens);
        }
        let open = self.ends.iter().zip([1, 0]).map(|(end, other)| {
            let left = end.unacked.iter().filter(|(number, _)| !self.ends[other].got.contains(number));
            left.map(|(_, since)| until - since).sum::<f64>()
        });
        self.cost + open.sum::<f64>()
    }

    fn happen(&mut self, end: usize, happens: Happens) {
        let nanos = (self.now * 1e9) as u64;
        match happens {
            Happens::Call => {
                let next = self.now + self.gap();
                self.at(next, end, Happens::Call);
                let own = &mut self.ends[end];
                let number = own.calls;
                own.unacked.insert(number, self.now);
                own.calls += 1;
                self.ran(end, nanos, &[Ran::Handler { layer: 0, handler: 0 }]);
                if self.protocol == Protocol::Resends {
                    self.attempt(end, number, nanos);
                }
            }
            Happens::Again(number) => {
                self.ran(end, nanos, &[]);
                if self.ends[end].unacked.contains_key(&number) {
                    self.attempt(end, number, nanos);
                }
            }
            Happens::Beat => {
                self.send(end, Message::Beat);
                let period = self.period(end, nanos);
                self.at(self.now + period, end, Happens::Beat);
            }
            Happens::Comes(message, told) => {
                let from = NodeId::new(1 - end as u32);
                if let (Some(gauges), Some(told)) = (&mut self.gauges, told) {
                    gauges[end].hears(nanos, 0, from, &told);
                }
                self.ran(end, nanos, &[]);
                match message {
                    Message::Beat => {
                        let all: Vec<u32> = self.ends[end].unacked.keys().copied().collect();
                        all.into_iter().for_each(|number| self.send(end, Message::Data(number)));
                    }
                    Message::Data(number) => {
                        if self.ends[end].got.insert(number) {
                            self.cost += self.now - self.ends[1 - end].unacked[&number];
                        }
                        self.send(end, Message::Ack(number));
                    }
                    Message::Ack(number) => {
                        self.ends[end].unacked.remove(&number);
                    }
                }
            }
        }
    }

    fn ran(&mut self, end: usize, nanos: u64, ran: &[Ran]) {
        if let Some(gauges) = &mut self.gauges {
            gauges[end].ran(nanos, &[&SERVICE], ran);
        }
    }

    fn attempt(&mut self, end: usize, number: u32, nanos: u64) {
        self.send(end, Message::Data(number));
        let period = self.period(end, nanos);
        self.at(self.now + period, end, Happens::Again(number));
    }

    fn period(&mut self, end: usize, nanos: u64) -> f64 {
        let Some(gauges) = &mut self.gauges else { return self.fixed };
        let options = periods();
        options[choose(&mut gauges[end], NodeId::new(end as u32), nanos, &options, None)]
    }
}

/// The mean cost over seeds.
fn mean(protocol: Protocol, way: Way, fixed: Option<f64>, until: f64) -> f64 {
    const SEEDS: u64 = 6;
    let costs = (1..=SEEDS).map(|seed| World::new(protocol, way, seed, fixed).run(until));
    costs.sum::<f64>() / SEEDS as f64
}

/// The best fixed period in hindsight, of a few, and its mean cost.
fn best(protocol: Protocol, way: Way, periods: &[f64], until: f64) -> (f64, f64) {
    let costs = periods.iter().map(|period| (*period, mean(protocol, way, Some(*period), until)));
    costs.min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are some")
}

#[test]
fn a_line_that_beats_would_fill_does_not_collapse() {
    const UNTIL: f64 = 1_000.0;
    let way = Way { loss: 0.01, delay: 0.05, line: Some((30.0, 90.0)), calls: 0.5 };
    let mean = |fixed| mean(Protocol::Beats, way, fixed, UNTIL);
    let (period, cost) = best(Protocol::Beats, way, &[1.2, 1.4, 1.7, 2.0, 2.8], UNTIL);
    // The period that would be best if nothing overflowed, and the safe default too, are far below what the line bears.
    for collapsed in [0.7, 1.0] {
        assert!(mean(Some(collapsed)) > 3.0 * cost, "every {collapsed} s, against {cost}");
    }
    let measured = mean(None);
    assert!(measured < 1.5 * cost, "{measured}, and {cost} every {period} s");
}

#[test]
fn a_link_that_loses_by_itself_is_answered_with_more_beats() {
    const UNTIL: f64 = 2_000.0;
    // So lossy that the copies of a call are an alarm: the experiment must find that longer periods are no help.
    let way = Way { loss: 0.4, delay: 0.05, line: None, calls: 0.5 };
    let mean = |fixed| mean(Protocol::Beats, way, fixed, UNTIL);
    let (period, cost) = best(Protocol::Beats, way, &[0.2, 0.24, 0.28, 0.35, 0.5, 0.7], UNTIL);
    let measured = mean(None);
    assert!(measured < 1.2 * cost, "{measured}, and {cost} every {period} s");
    assert!(cost < 0.8 * mean(Some(1.0)), "the safe default does as well");
}

#[test]
fn a_line_that_copies_would_fill_does_not_collapse() {
    const UNTIL: f64 = 1_000.0;
    let way = Way { loss: 0.01, delay: 0.05, line: Some((30.0, 90.0)), calls: 1.0 };
    let mean = |fixed, until| mean(Protocol::Resends, way, fixed, until);
    let (period, cost) = best(Protocol::Resends, way, &[2.8, 3.0, 4.0, 5.0], UNTIL);
    // What is sent again fills the line at the safe default, and at twice of it.
    assert!(mean(Some(1.0), 100.0) > cost, "the safe default costs less in 100 s than {cost} in {UNTIL}");
    assert!(mean(Some(2.0), UNTIL) > 3.0 * cost, "every 2 s does not collapse");
    let measured = mean(None, UNTIL);
    assert!(measured < 1.5 * cost, "{measured}, and {cost} every {period} s");
}

#[test]
fn a_link_that_loses_by_itself_is_answered_by_sending_again_soon() {
    const UNTIL: f64 = 1_000.0;
    // Six copies of a call, three times what raises an alarm.
    let way = Way { loss: 0.6, delay: 0.05, line: None, calls: 0.5 };
    let (period, cost) = best(Protocol::Resends, way, &[0.1, 0.125, 0.15, 0.2], UNTIL);
    let measured = mean(Protocol::Resends, way, None, UNTIL);
    assert!(measured < 1.3 * cost, "{measured}, and {cost} every {period} s");
    assert!(cost < 0.7 * mean(Protocol::Resends, way, Some(1.0), UNTIL), "the safe default does as well");
}
