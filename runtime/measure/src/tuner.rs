//! The option to take, by the measured figures.
//!
//! Every option is given its cost a second by `foresee_decide::heartbeat`, in its exact form. Losses and round trips are those measured
//! while the option was in force, since beats can cause losses themselves, and not long ago; where it never was, those of other options, the nearer the
//! more they count. The prior of a rate is the one for which the safe default is best, so that who knows nothing does
//! what is safe. Beyond that, no option is further from the default than `1 + evidence / EVIDENCE_STEP` times, a shorter one than the one
//! in force is taken after a while and by half at most, what overflowed is avoided (`brake`), and the option in force is
//! kept unless another is better by [`MARGIN`].

use std::collections::BTreeMap;

use foresee_decide::belief::chance::Counts;
use foresee_decide::heartbeat::{Demand as Use, Form, Objective, Period};
use foresee_decide::protocol::Prices;
use foresee_kernel::{NodeId, Point, argument};

use crate::brake::{self, Heard, Verdict};
use crate::gauge::{Gauge, Peer, Under};

/// How much better another option must be, relatively, to be taken instead of the one in force.
pub const MARGIN: f64 = 0.01;

/// How many observations allow an option twice as far from the safe default.
const EVIDENCE_STEP: f64 = 8.0;

/// To which part of the period in force another may go down at once.
const FASTER: f64 = 0.5;

/// What was measured under another option is of the past after so many of the periods in force.
const AGE: f64 = 300.0;

/// What the prior of a rate is worth, in calls.
const PRIOR_CALLS: f64 = 0.5;

/// The prior of a loss: one in a hundred, worth so many messages.
const PRIOR_LOSS: f64 = 0.01;
const PRIOR_MESSAGES: f64 = 20.0;

/// What is measured under another option counts a tenth for each doubling between them.
const OTHERS: f64 = 0.1;

/// Rounds in the shortest option: the formulas count in whole rounds.
const ROUNDS: f64 = 50.0;

/// The most that other options' evidence of a loss is worth, in messages.
const OTHERS_MAX: f64 = 50.0;

impl Gauge {
    /// The option to take at `point`, at `now` in nanoseconds. None where its options are no durations above 0.
    pub fn choose(&mut self, now: u64, point: &Point<'_>) -> Option<u32> {
        let options: Vec<f64> =
            (0..point.options).map(|option| seconds(&(point.label)(option))).collect::<Option<_>>()?;
        let (shortest, longest) = (options.first().copied()?, options.last().copied()?);
        if shortest <= 0.0 {
            return None;
        }
        let nearest = |to: f64| {
            let apart = |option: &usize| (options[*option] / to).ln().abs();
            (0..options.len()).min_by(|a, b| apart(a).total_cmp(&apart(b))).unwrap_or(0)
        };
        let safe = point.default.map_or_else(|| nearest((shortest * longest).sqrt()), |it| it as usize);
        self.watch(now, None);
        let seconds = now.saturating_sub(self.asked) as f64 / 1e9;
        self.asked = now;
        if let Some(period) = self.force().and_then(|it| options.get(it as usize)) {
            let age = (AGE * period * 1e9) as u64;
            for peer in self.peers.values_mut() {
                peer.under.retain(|option, under| {
                    self.force.is_some_and(|(it, _)| it == *option) || now.saturating_sub(under.last) < age
                });
            }
        }
        let heard = self.heard(options[safe]);
        let current = self.force.map(|(option, _)| option as usize).filter(|it| *it < options.len());
        if let Some(current) = current {
            let verdict = self.brake.look(&heard, &options, current, seconds);
            if let Some(Verdict::Overflow(failed)) = verdict {
                self.forget(&options, failed);
            }
        }
        self.barred = self.brake.barred().map_or(0.0, |it| options[it]);
        let taken = match self.brake.tries() {
            Some(tried) => tried,
            None => self.best(&options, safe, current, &heard, seconds)?,
        };
        if current != Some(taken) {
            self.force = Some((taken as u32, now));
            self.brake.changed();
        }
        Some(taken as u32)
    }

    /// The option of the least cost, of those that may be taken now.
    fn best(
        &mut self,
        options: &[f64],
        safe: usize,
        current: Option<usize>,
        heard: &BTreeMap<NodeId, Heard>,
        seconds: f64,
    ) -> Option<usize> {
        let far = 1.0 + self.evidence(options[safe]) / EVIDENCE_STEP;
        let near = |option: &usize| {
            let apart = options[*option] / options[safe];
            *option == safe || apart.max(1.0 / apart) <= far
        };
        let costs: Vec<f64> =
            (0..options.len()).map(|option| self.cost(option as u32, options, options[safe])).collect();
        let least = |a: &usize, b: &usize| costs[*a].total_cmp(&costs[*b]);
        // One goes faster by half at most, and only after a while; what is barred is left at once.
        let faster = if self.brake.settled(heard) { FASTER } else { 1.0 };
        let slow =
            |option: &usize| current.is_none_or(|it| options[*option] >= options[it] * faster * (1.0 - 1e-9));
        let others = self.peers.values().map(|it| it.barred).fold(0.0, f64::max);
        let beyond = |barred: f64| move |option: &usize| !brake::near(*option, barred, options);
        let clear = beyond(others.max(self.barred));
        let allowed = |option: &usize| near(option) && slow(option) && clear(option);
        let best = (0..options.len()).filter(allowed).min_by(least);
        // What is clear may be further from the default than what is known allows.
        let best = best.or_else(|| (0..options.len()).find(|option| slow(option) && clear(option)))?;
        let taken = match current.filter(allowed) {
            Some(current) if costs[best] >= costs[current] * (1.0 - MARGIN) => current,
            None if allowed(&safe) && costs[best] >= costs[safe] * (1.0 - MARGIN) => safe,
            _ => best,
        };
        // What the next shorter option would save, were it not for the bar.
        let lifted = beyond(self.brake.lifted().map_or(0.0, |it| options[it]));
        if let Some(next) = (0..options.len()).filter(near).find(lifted)
            && !beyond(self.barred)(&next)
        {
            self.brake.pays((costs[taken] - costs[next]) * seconds);
        }
        Some(taken)
    }

    /// What is known of each peer that has told of itself.
    fn heard(&self, safe: f64) -> BTreeMap<NodeId, Heard> {
        let of = |(id, peer): (&NodeId, &Peer)| {
            let priors = self.beats.demands.iter().map(|it| prior_rate(self.beats.price, it.wait, safe));
            let rates = peer.calls.iter().map(|(calls, time)| if *time > 0.0 { calls / time } else { 0.0 });
            let trip = peer.under.values().filter_map(Under::trip).min().unwrap_or(0);
            let heard = Heard {
                told: peer.told?,
                rate: rates.sum(),
                prior: priors.sum(),
                trip: trip as f64 / 1e9,
                recent: peer.recent().unwrap_or(0) as f64 / 1e9,
                missed: peer.missed(),
                loss: loss_now(peer, self.force()),
            };
            Some((*id, heard))
        };
        self.peers.iter().filter_map(of).collect()
    }

    /// Beats fill the line at an option: what was measured there and at shorter ones is of a line that overflows.
    fn forget(&mut self, options: &[f64], failed: usize) {
        let clear = |option: u32| options.get(option as usize).is_some_and(|it| *it > options[failed]);
        for peer in self.peers.values_mut() {
            peer.under.retain(|option, _| clear(*option));
            peer.incoming = None;
        }
    }

    /// What is known, in observations: the least, over peers, of messages that they have told of and of calls that came or would
    /// have come by the prior.
    fn evidence(&self, safe: f64) -> f64 {
        let of = |peer: &Peer| {
            let messages: f64 =
                peer.under.values().filter_map(|it| it.outgoing.as_ref()).map(|it| it.seen().1).sum();
            let calls = peer.calls.iter().zip(&self.beats.demands).map(|((calls, time), demand)| {
                calls.max(time * prior_rate(self.beats.price, demand.wait, safe))
            });
            calls.fold(messages, f64::min)
        };
        self.peers.values().map(of).reduce(f64::min).unwrap_or(0.0)
    }

    /// What is believed of the way to a peer under an option. A longer period than the one in force loads the line less, so what was
    /// measured there once, and is worse than what is measured now, is not believed.
    fn believed(&self, peer: &Peer, option: u32, options: &[f64]) -> (Counts, f64) {
        let (counts, trip) = under(peer, option, options);
        let longer =
            |force: &u32| options.get(*force as usize).is_some_and(|it| *it < options[option as usize]);
        let Some(force) = self.force().filter(longer) else { return (counts, trip) };
        let (now_counts, now_trip) = under(peer, force, options);
        let known = peer.under.get(&force).is_some_and(|it| it.trip().is_some());
        let loss = |of: &Counts| of.events / (of.events + of.others);
        match known {
            true if loss(&now_counts) < loss(&counts) => (now_counts, trip.min(now_trip)),
            true => (counts, trip.min(now_trip)),
            false => (counts, trip),
        }
    }

    /// What a second costs under an option.
    fn cost(&self, option: u32, options: &[f64], safe: f64) -> f64 {
        let round = options[0] / ROUNDS;
        let rounds = |seconds: f64| (seconds / round).round().max(1.0) as u64;
        let period = Period::Every(rounds(options[option as usize]));
        let mut sum = 0.0;
        for peer in self.peers.values() {
            let (outgoing, trip) = self.believed(peer, option, options);
            let incoming = peer.incoming.as_ref().map_or((0.0, 0.0), |it| it.seen());
            let incoming = with_prior(incoming);
            // A round trip fails with odds of (1 + one way)(1 + other way) - 1; a loss alike both ways has the same.
            let odds = |of: &Counts| of.mean_odds().get();
            let passes = 1.0 / ((1.0 + odds(&outgoing)) * (1.0 + odds(&incoming)));
            let gamma = (1.0 - passes.sqrt()).clamp(0.0, 1.0);
            let uses = self.beats.demands.iter().enumerate().map(|(place, demand)| {
                let prior = prior_rate(self.beats.price, demand.wait, safe);
                let (calls, time) = peer.calls.get(place).copied().unwrap_or_default();
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
            let objective = Objective::new(1.0, self.beats.price, uses.collect(), None);
            sum += objective.map_or(f64::INFINITY, |it| it.cost(Form::Exact, period).get() / round);
        }
        sum
    }
}

/// The share of messages of both ways that are lost, as far as is known of the option in force.
fn loss_now(peer: &Peer, force: Option<u32>) -> f64 {
    let under = force.and_then(|it| peer.under.get(&it)?.outgoing.as_ref());
    let (lost, all) = [under, peer.incoming.as_ref()].into_iter().flatten().fold((0.0, 0.0), |sum, it| {
        let (lost, all) = it.seen();
        (sum.0 + lost, sum.1 + all)
    });
    lost / f64::max(all, 1.0)
}

/// The rate of calls for which a period is best where nothing is lost: `A period = K / period` with `A = rate wait / 2`.
fn prior_rate(beat: f64, wait: f64, period: f64) -> f64 {
    2.0 * beat / (wait * period * period)
}

fn with_prior((lost, messages): (f64, f64)) -> Counts {
    Counts {
        events: PRIOR_LOSS * PRIOR_MESSAGES + lost,
        others: (1.0 - PRIOR_LOSS) * PRIOR_MESSAGES + messages - lost,
    }
}

/// What is believed of the way to a peer under an option: the loss, and the round trip in seconds.
fn under(peer: &Peer, option: u32, options: &[f64]) -> (Counts, f64) {
    let (mut lost, mut messages) = (0.0, 0.0);
    let mut trip: Option<(f64, u64)> = None;
    for (other, under) in &peer.under {
        let Some(length) = options.get(*other as usize) else { continue };
        let weight = OTHERS.powf((length / options[option as usize]).log2().abs());
        if let Some(drift) = under.outgoing.as_ref().filter(|_| *other != option) {
            let (events, occasions) = drift.seen();
            lost += weight * events;
            messages += weight * occasions;
        }
        if let Some(found) = under.trip()
            && trip.is_none_or(|(best, _)| weight > best)
        {
            trip = Some((weight, found));
        }
    }
    let scale = if messages > OTHERS_MAX { OTHERS_MAX / messages } else { 1.0 };
    let own = peer.under.get(&option).and_then(|it| it.outgoing.as_ref()).map_or((0.0, 0.0), |it| it.seen());
    let counts = with_prior((own.0 + lost * scale, own.1 + messages * scale));
    (counts, trip.map_or(0.0, |(_, nanos)| nanos as f64 / 1e9))
}

/// The seconds that a duration is which was written as Rust writes it: `100ms`, `1.6s`, `12.5µs`. None for what is no duration.
pub fn seconds(text: &str) -> Option<f64> {
    argument::duration(&text.replace('µ', "u")).map(|it| it.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        for nanos in [0, 7, 12_500, 100_000_000, 1_600_000_000, 10_000_000_000, 3_600_000_000_000] {
            let written = format!("{:?}", Duration::from_nanos(nanos));
            let read = seconds(&written).unwrap_or_else(|| panic!("{written}"));
            assert!((read - nanos as f64 / 1e9).abs() <= 1e-12 * read, "{written}: {read}");
        }
        for text in ["", "s", "ms", "1", "None", "n[2]", "NaNs"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
