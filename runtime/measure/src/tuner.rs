//! The option to take, by the measured figures.
//!
//! Every option is given its cost (`cost`) by the losses and round trips that are believed of it. The prior of a rate is the one for
//! which the safe default is best, so that who knows nothing does what is safe. Beyond that, no option is further from the
//! default than `1 + evidence / EVIDENCE_STEP` times, a shorter one than the one in force is taken after a while and by half at
//! most, what overflowed is avoided (`brake`), and the option in force is kept unless another is better by [`MARGIN`].
//!
//! Beats go on whatever is lost, so they can cause losses themselves: what is believed of them is what was measured while the option was
//! in force, and not long ago; where it never was, what was under other options, the nearer the more they count. What is
//! sent again is sent until it is acknowledged: there all is measured together. The rest is the same for both.

use std::collections::BTreeMap;

use foresee_decide::belief::chance::Counts;
use foresee_kernel::{NodeId, Point, argument};

use crate::brake::{self, Heard, Verdict};
use crate::cost::{Way, losses};
use crate::form::Form;
use crate::gauge::{Gauge, Peer, median};

/// How much better another option must be, relatively, to be taken instead of the one in force.
pub const MARGIN: f64 = 0.01;

/// How many observations allow an option twice as far from the safe default.
const EVIDENCE_STEP: f64 = 8.0;

/// To which part of the period in force another may go down at once.
const FASTER: f64 = 0.5;

/// What was measured under another option is of the past after so many beats at the one in force, or after so many calls.
const AGE: f64 = 300.0;

/// What is measured under another option counts a tenth for each doubling between them.
const OTHERS: f64 = 0.1;

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
        self.age(now, &options);
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

    /// What was measured under another option than the one in force, and long ago, is of the past.
    fn age(&mut self, now: u64, options: &[f64]) {
        let Some(force) = self.force() else { return };
        // A beat comes every period, and what is sent again as often as there are calls.
        let pace = match self.form {
            Form::Beats(_) => options.get(force as usize).copied(),
            Form::Resends(_) => Some(1.0 / self.rate()),
        };
        let Some(age) = pace.map(|it| (AGE * it * 1e9) as u64) else { return };
        for peer in self.peers.values_mut() {
            peer.under.retain(|option, under| *option == force || now.saturating_sub(under.last) < age);
        }
    }

    /// Calls a second here.
    fn rate(&self) -> f64 {
        let rate = |(calls, time): (f64, f64)| if time > 0.0 { calls / time } else { 0.0 };
        self.own.iter().map(|it| rate(it.seen())).sum()
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
            let times = match self.form {
                Form::Beats(_) => seconds,
                Form::Resends(_) => seconds * self.rate(),
            };
            self.brake.pays((costs[taken] - costs[next]) * times);
        }
        Some(taken)
    }

    /// What is known of each peer that has told of itself.
    fn heard(&self, safe: f64) -> BTreeMap<NodeId, Heard> {
        let of = |(id, peer): (&NodeId, &Peer)| {
            let told = peer.told?;
            // Whoever answers beats tells how often; who sends again knows it.
            let (copies, rate, prior) = match &self.form {
                Form::Beats(beats) => {
                    let priors = beats.demands.iter().map(|it| beats.prior_rate(it, safe));
                    let rates =
                        peer.calls.iter().map(|(calls, time)| if *time > 0.0 { calls / time } else { 0.0 });
                    (told, rates.sum(), priors.sum())
                }
                Form::Resends(_) => {
                    let share = self.share(peer).filter(|it| *it > 0.0)?;
                    ((peer.copies, peer.begun), share * self.rate(), self.rate())
                }
            };
            let trip = peer.under.values().filter_map(|it| median(&it.trips)).min().unwrap_or(0);
            let heard = Heard {
                copies,
                rate,
                prior,
                trip: trip as f64 / 1e9,
                recent: median(peer.recent()).unwrap_or(0) as f64 / 1e9,
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

    /// What is known, in observations. Of beats, which go to all peers alike, the least over them: of messages that they have told of,
    /// and of calls that came or would have come by the prior. Of what is sent again, the messages of those who are called.
    fn evidence(&self, safe: f64) -> f64 {
        let messages = |peer: &Peer| peer.lost().1;
        match &self.form {
            Form::Beats(beats) => {
                let of = |peer: &Peer| {
                    let calls = peer.calls.iter().zip(&beats.demands);
                    let calls =
                        calls.map(|((calls, time), demand)| calls.max(time * beats.prior_rate(demand, safe)));
                    calls.fold(messages(peer), f64::min)
                };
                self.peers.values().map(of).reduce(f64::min).unwrap_or(0.0)
            }
            Form::Resends(_) => self.mean(messages),
        }
    }

    /// The share of a peer in what calls have sent at once; None where none has sent anything.
    fn share(&self, peer: &Peer) -> Option<f64> {
        let all: u64 = self.peers.values().map(|it| it.begun).sum();
        (all > 0).then(|| peer.begun as f64 / all as f64)
    }

    /// The mean of a figure of peers, by their shares.
    fn mean(&self, of: impl Fn(&Peer) -> f64) -> f64 {
        self.peers
            .values()
            .filter_map(|peer| Some((self.share(peer).filter(|it| *it > 0.0)?, peer)))
            .map(|(share, peer)| share * of(peer))
            .sum()
    }

    /// What is believed of the way to a peer under an option. A longer period than the one in force loads the line less, so what was
    /// measured there once, and is worse than what is measured now, is not believed.
    fn way<'p>(&self, peer: &'p Peer, option: u32, options: &[f64]) -> Way<'p> {
        let incoming = losses(peer.incoming.as_ref().map_or((0.0, 0.0), |it| it.seen()));
        if let Form::Resends(_) = self.form {
            // Copies end with their call, so until the brake finds otherwise the link loses the same at every period. Kept apart, what was
            // measured would make an option look better by chance alone.
            return Way { outgoing: losses(peer.lost()), incoming, trips: peer.recent() };
        }
        let (outgoing, trips) = under(peer, option, options);
        let longer =
            |force: &u32| options.get(*force as usize).is_some_and(|it| *it < options[option as usize]);
        let now = self.force().filter(longer).and_then(|it| peer.under.get_key_value(&it));
        let Some((force, _)) = now.filter(|(_, it)| !it.trips.is_empty()) else {
            return Way { outgoing, incoming, trips };
        };
        let (now_outgoing, now_trips) = under(peer, *force, options);
        let loss = |of: &Counts| of.events / (of.events + of.others);
        let outgoing = if loss(&now_outgoing) < loss(&outgoing) { now_outgoing } else { outgoing };
        let trips = if median(now_trips) < median(trips) { now_trips } else { trips };
        Way { outgoing, incoming, trips }
    }

    /// What an option costs: of beats a second with all peers, of what is sent again a call.
    fn cost(&self, option: u32, options: &[f64], safe: f64) -> f64 {
        let period = options[option as usize];
        match &self.form {
            Form::Beats(it) => {
                let of = |peer: &Peer| {
                    it.second(&self.way(peer, option, options), &peer.calls, period, options, safe)
                };
                self.peers.values().map(of).sum()
            }
            Form::Resends(it) => self.mean(|peer| it.call(&self.way(peer, option, options), period)),
        }
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

/// What is believed of the way to a peer under an option: the loss, and the last round trips.
fn under<'p>(peer: &'p Peer, option: u32, options: &[f64]) -> (Counts, &'p [u64]) {
    let (mut lost, mut messages) = (0.0, 0.0);
    let mut trips: Option<(f64, &[u64])> = None;
    for (other, under) in &peer.under {
        let Some(length) = options.get(*other as usize) else { continue };
        let weight = OTHERS.powf((length / options[option as usize]).log2().abs());
        if let Some(drift) = under.outgoing.as_ref().filter(|_| *other != option) {
            let (events, occasions) = drift.seen();
            lost += weight * events;
            messages += weight * occasions;
        }
        if !under.trips.is_empty() && trips.is_none_or(|(best, _)| weight > best) {
            trips = Some((weight, &under.trips));
        }
    }
    let scale = if messages > OTHERS_MAX { OTHERS_MAX / messages } else { 1.0 };
    let own = peer.under.get(&option).and_then(|it| it.outgoing.as_ref()).map_or((0.0, 0.0), |it| it.seen());
    let counts = losses((own.0 + lost * scale, own.1 + messages * scale));
    (counts, trips.map_or(&[], |(_, trips)| trips))
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
