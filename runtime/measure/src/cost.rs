//! What an option costs, by what is believed of the ways to the peers: the exact forms of `foresee-decide`.
//!
//! Of beats it is what a second costs, since they are shared by all calls and sent without any. What is sent again is each call's own:
//! there it is what a call costs, the mean over the last round trips, since a period that is a little shorter than the
//! next round trip has one copy more on its way.

use std::collections::BTreeMap;

use foresee_decide::belief::chance::Counts;
use foresee_decide::heartbeat::{Demand as Use, Form as Law, Objective, Period};
use foresee_decide::protocol::{Link, Prices, Process, Protocol, exact};

use crate::form::{Beats, Demand, Ends, Resends};
use crate::gauge::median;

/// What the prior of a rate is worth, in calls.
const PRIOR_CALLS: f64 = 0.5;

/// The prior of a loss: one in a hundred, worth so many messages.
const PRIOR_LOSS: f64 = 0.01;
const PRIOR_MESSAGES: f64 = 20.0;

/// Rounds in the shortest period of beats: their formulas count in whole rounds.
const ROUNDS: f64 = 50.0;

/// What is believed of the way to a peer and back under an option.
pub(crate) struct Way<'a> {
    /// Losses of what the peer is sent.
    pub outgoing: Counts,
    /// Losses of what it sends.
    pub incoming: Counts,
    /// The last round trips, in nanoseconds; none where none is known.
    pub trips: &'a [u64],
}

impl Way<'_> {
    /// The loss of one message for which a round trip fails as often as it does, whatever each way loses.
    fn loss(&self) -> f64 {
        let odds = |of: &Counts| of.mean_odds().get();
        let passes = 1.0 / ((1.0 + odds(&self.outgoing)) * (1.0 + odds(&self.incoming)));
        (1.0 - passes.sqrt()).clamp(0.0, 1.0)
    }
}

/// A belief about a loss of which so much was seen: lost messages, and all.
pub(crate) fn losses((lost, messages): (f64, f64)) -> Counts {
    Counts {
        events: PRIOR_LOSS * PRIOR_MESSAGES + lost,
        others: (1.0 - PRIOR_LOSS) * PRIOR_MESSAGES + messages - lost,
    }
}

impl Beats {
    /// What a second of beats to a peer costs at a period of `options`, with the calls that it has told of: for each demand their
    /// number, and the seconds in which they came.
    pub(crate) fn second(
        &self,
        way: &Way<'_>,
        calls: &[(f64, f64)],
        period: f64,
        options: &[f64],
        safe: f64,
    ) -> f64 {
        let round = options[0] / ROUNDS;
        let rounds = |seconds: f64| (seconds / round).round().max(1.0) as u64;
        let (trip, gamma) = (median(way.trips).unwrap_or(0) as f64 / 1e9, way.loss());
        let uses = self.demands.iter().enumerate().map(|(place, demand)| {
            let prior = self.prior_rate(demand, safe);
            let (calls, time) = calls.get(place).copied().unwrap_or_default();
            let rate = (PRIOR_CALLS + calls) / (PRIOR_CALLS / prior + time);
            let send = (demand.answer + (1.0 - gamma) * demand.acknowledgement) / (2.0 - gamma);
            Use {
                rate: rate * round,
                share: 1.0,
                tau: rounds(trip / 2.0),
                gamma,
                prices: Prices { send: send.max(0.0), wait: demand.wait * round },
            }
        });
        let objective = Objective::new(1.0, self.price, uses.collect(), None);
        let period = Period::Every(rounds(period));
        objective.map_or(f64::INFINITY, |it| it.cost(Law::Exact, period).get() / round)
    }

    /// The rate of calls for which a period is best where nothing is lost: `A period = K / period` with `A = rate wait / 2`.
    pub(crate) fn prior_rate(&self, demand: &Demand, period: f64) -> f64 {
        2.0 * self.price / (demand.wait * period * period)
    }
}

impl Resends {
    /// What a call to a peer costs at a period in seconds, while both live.
    pub(crate) fn call(&self, way: &Way<'_>, period: f64) -> f64 {
        // Where nobody crashes all is linear in rounds, so a round may be a nanosecond.
        let period = ((period * 1e9).round() as u64).max(1);
        let gamma = way.loss();
        let odds = way.outgoing.mean_odds().get();
        let there = odds / (1.0 + odds);
        let expected = |protocol: Protocol, gamma: f64, trip: u64| {
            let (sender, receiver) = (Process::CORRECT, Process::CORRECT);
            let link = Link { tau: trip.div_ceil(2).max(1), gamma, sender, receiver };
            exact::expected(protocol, &link, period).ok()
        };
        // Waits are linear in the round trip, and copies depend on how many periods it takes.
        let trips = if way.trips.is_empty() { &[0] } else { way.trips };
        let mean = trips.iter().map(|it| *it as f64).sum::<f64>() / trips.len() as f64;
        let waits = self.waits.iter().map(|waiting| {
            let (protocol, gamma) = match waiting.ends {
                Ends::Arrival => (Protocol::SenderDriven, there),
                // A request that is answered waits for as long as an acknowledgement takes.
                Ends::Acknowledgement => (Protocol::ReceiverDriven, gamma),
            };
            Some(waiting.wait * expected(protocol, gamma, mean as u64)?.wait.get() / 1e9)
        });
        let mut windows: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for trip in trips {
            windows.entry(trip.div_ceil(period)).or_insert((*trip, 0)).1 += 1;
        }
        let copies = windows.values().map(|(trip, often)| {
            let sent = expected(Protocol::SenderDriven, gamma, *trip)?.sender.get();
            Some(sent * *often as f64 / trips.len() as f64)
        });
        let copy = self.price + (1.0 - there) * self.acknowledgement;
        let cost = copies.sum::<Option<f64>>().zip(waits.sum::<Option<f64>>());
        cost.map_or(f64::INFINITY, |(copies, waits)| copies * copy + waits)
    }
}
