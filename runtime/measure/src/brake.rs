//! Keeps clear of periods at which what is sent fills a line until it drops what it is given.
//!
//! The formulas take the loss for given. Where a buffer overflows it is not: every beat has all sent again that is not acknowledged, and
//! so does every period of retransmission, so what is lost is sent again, and lost again with more. Then the answer to loss
//! must be a *longer* period, and not the shorter one that the formula asks for. Nothing that one node sees tells the two
//! kinds of loss apart, so it is tried out. A *beat* is here whatever a period is taken for: a beat, or a copy that is sent again.
//!
//! - *Watching.* Copies are counted, and the calls that they are of: answers to beats by the peer, which tells of them, and what is
//!   sent again by the node itself. Copies beyond [`SURPLUS`] times what the link is known to take are summed up (Page's test:
//!   the sum starts again at 0), and [`ALARM`] of them are an alarm, where a call takes one: the more it takes, the more of
//!   them come between two calls by chance.
//! - *Trying.* The period is doubled. While losses, round trips or copies fall from one look to the next, the line is
//!   draining, and the period stays; where they do not, it is doubled again, as often as [`RAISES`].
//! - *Concluding.* Where the copies are few again, and losses or round trips are half of what they were, beats did it: the period in force
//!   at the alarm is *barred*, and all below 1.4 times of it. Otherwise the link itself is to blame: so many copies are what it takes
//!   from now on, and no period is barred.
//! - *Going faster.* From a period to a shorter one only after [`SETTLED`] beats and calls without an alarm, and to half of it at most.
//! - *Trying again.* A bar is lifted by one option when what it was seen to cost (by the formula) is more than what the last overflow
//!   cost, times two for each overflow in a row; and at once where calls have become a quarter as frequent.
//! - *Telling.* Both ends keep clear of what either of them has barred, or has just seen overflow: the lines are shared, and
//!   one end that goes back alone leaves the other to fill them.
//!
//! # Caveats
//! Two ends that overflow each other's lines each see it in the other's answers, and both go back. A line that is filled by others is
//! tried out like one of our own, and then taken for the link's. What is paid for an experiment is not known beforehand.

use std::collections::BTreeMap;

use foresee_kernel::NodeId;

/// So many times the copies that the link takes are no cause for alarm.
const SURPLUS: f64 = 2.0;

/// So many copies beyond that are an alarm.
const ALARM: f64 = 10.0;

/// A look takes so many beats, and so many calls or four times the beats.
const LOOK: f64 = 4.0;

/// And so many messages, of both ways, or again four times the beats.
const LOOK_MESSAGES: f64 = 40.0;

/// What has fallen to this part since the last look is falling.
const FALLING: f64 = 0.75;

/// Losses or round trips that are this part of those at the alarm show that beats were to blame.
const FALLEN: f64 = 0.5;

/// The most doublings that are tried.
const RAISES: u32 = 2;

/// So many beats and calls without an alarm allow a shorter period.
const SETTLED: f64 = 8.0;

/// A bar is gone where calls have become so much rarer.
const RARER: f64 = 0.25;

/// So far from a period that overflowed another must be.
const CLEAR: f64 = 1.4;

/// What is known of a peer: what it has told, and what is believed of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// Copies and calls, since whoever sends the copies began.
    pub copies: (u64, u64),
    /// Calls a second, as believed.
    pub rate: f64,
    /// Calls a second that are believed of whoever was never heard.
    pub prior: f64,
    /// The round trip in seconds, without waiting in line as far as that is known.
    pub trip: f64,
    /// The last round trips in seconds: their median.
    pub recent: f64,
    /// Messages of both ways that were missed, and all that were told of, since it began.
    pub missed: (f64, f64),
    /// The share of messages that are lost now, as believed.
    pub loss: f64,
}

impl Heard {
    fn state(&self) -> State {
        State { loss: self.loss, trip: self.recent }
    }
}

/// How a link is.
#[derive(Clone, Copy, Debug)]
struct State {
    loss: f64,
    trip: f64,
}

impl State {
    /// Whether losses or round trips are at most such a part of what they were.
    fn is_below(&self, part: f64, before: &State) -> bool {
        self.loss < part * before.loss || self.trip < part * before.trip
    }
}

/// What came since some moment.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    answers: f64,
    calls: f64,
    seconds: f64,
    beats: f64,
}

impl Sums {
    fn add(&mut self, more: &Sums) {
        self.answers += more.answers;
        self.calls += more.calls;
        self.seconds += more.seconds;
        self.beats += more.beats;
    }

    fn calls(&self, rate: f64) -> f64 {
        self.calls.max(rate * self.seconds)
    }

    /// Copies that a call takes. There was one call at least, or there would be no answers.
    fn copies(&self, rate: f64) -> f64 {
        self.answers / self.calls(rate).max(1.0)
    }
}

/// One peer.
#[derive(Debug, Default)]
struct Watch {
    /// Copies and calls, as last seen.
    copies: (u64, u64),
    /// Copies beyond what is usual, and all that came since there were none.
    over: f64,
    excursion: Sums,
    /// Since the option in force was taken.
    since: Sums,
    /// Times the copies of a loss-free link that this link is known to take.
    own: f64,
}

impl Watch {
    /// A link that was taken to lose more than it is seen to.
    fn relax(&mut self, heard: &Heard, period: f64) {
        if self.since.calls >= 4.0 * SETTLED {
            let seen = self.since.copies(heard.rate) / in_flight(heard.trip, period);
            self.own = self.own.min(seen).max(1.0);
        }
    }
}

/// A longer period is tried.
#[derive(Debug)]
struct Trial {
    peer: NodeId,
    failed: usize,
    option: usize,
    raises: u32,
    /// How it was at the alarm, and in the last look.
    alarm: State,
    last: State,
    /// Copies of a call under the option that failed, and in the last look.
    before: f64,
    copies: f64,
    look: Sums,
    /// What was missed when the look began.
    missed: (f64, f64),
    cost: f64,
}

/// A period that overflows, as far as is known.
#[derive(Debug)]
struct Bar {
    option: usize,
    /// Calls a second when it did.
    rate: f64,
    /// What it cost, what is left of that to be paid back, and how often in a row it did.
    cost: f64,
    debt: f64,
    times: u32,
}

/// What is known of overflows, and what is tried about them.
#[derive(Debug)]
pub(crate) struct Brake {
    /// What a second of waiting costs, and an answer with its acknowledgement.
    prices: (f64, f64),
    peers: BTreeMap<NodeId, Watch>,
    trial: Option<Trial>,
    bar: Option<Bar>,
}

/// What an experiment has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Beats fill the line at this option.
    Overflow(usize),
    /// The link loses by itself.
    Lossy,
}

impl Brake {
    /// With what a second of waiting costs, and a copy with its acknowledgement.
    pub fn new(prices: (f64, f64)) -> Self {
        Brake { prices, peers: BTreeMap::new(), trial: None, bar: None }
    }

    /// The option that is tried, if any.
    pub fn tries(&self) -> Option<usize> {
        self.trial.as_ref().map(|it| it.option)
    }

    /// The longest option that is known to overflow.
    pub fn barred(&self) -> Option<usize> {
        let bar = self.bar.as_ref().map(|it| it.option);
        bar.max(self.trial.as_ref().map(|it| it.failed))
    }

    /// Whether there is evidence enough to go faster than the option in force.
    pub fn settled(&self, peers: &BTreeMap<NodeId, Heard>) -> bool {
        let settled = |(id, heard): (&NodeId, &Heard)| {
            let since = self.peers.get(id).map(|it| it.since).unwrap_or_default();
            since.beats >= SETTLED && since.calls(heard.prior) >= SETTLED
        };
        !peers.is_empty() && peers.iter().all(settled)
    }

    /// Another option was taken.
    pub fn changed(&mut self) {
        self.peers.values_mut().for_each(|it| it.since = Sums::default());
    }

    /// One beat more at the option `force`, `seconds` after the last: begins, goes on with or ends an experiment.
    pub fn look(
        &mut self,
        peers: &BTreeMap<NodeId, Heard>,
        periods: &[f64],
        force: usize,
        seconds: f64,
    ) -> Option<Verdict> {
        let mut alarm: Option<(NodeId, f64)> = None;
        for (id, heard) in peers {
            let watch = self.peers.entry(*id).or_insert_with(|| Watch {
                copies: heard.copies,
                own: 1.0,
                ..Watch::default()
            });
            // Whoever counts anew has begun anew.
            let anew = heard.copies.0 < watch.copies.0 || heard.copies.1 < watch.copies.1;
            let before = if anew { (0, 0) } else { watch.copies };
            let news = Sums {
                answers: (heard.copies.0 - before.0) as f64,
                calls: (heard.copies.1 - before.1) as f64,
                seconds,
                beats: 1.0,
            };
            watch.copies = heard.copies;
            watch.since.add(&news);
            watch.relax(heard, periods[force]);
            let usual = watch.own * in_flight(heard.trip, periods[force]);
            watch.over = (watch.over + news.answers - SURPLUS * usual * news.calls).max(0.0);
            watch.excursion.add(&news);
            // What comes first is what the option before has left.
            if watch.over == 0.0 || watch.since.beats < LOOK {
                watch.over = 0.0;
                watch.excursion = Sums::default();
            }
            match &mut self.trial {
                Some(trial) if trial.peer == *id => {
                    trial.look.add(&news);
                    let (wait, answer) = self.prices;
                    let excess = (news.answers - usual * news.calls).max(0.0);
                    trial.cost += excess * (wait * periods[force] + answer);
                }
                Some(_) => {}
                // Calls of one period are answered at once.
                None if watch.over >= ALARM * watch.own + SURPLUS * usual * heard.rate * seconds
                    && alarm.is_none_or(|(_, worst)| watch.over > worst) =>
                {
                    alarm = Some((*id, watch.over));
                }
                None => {}
            }
        }
        match (&self.trial, alarm) {
            (Some(_), _) => self.conclude(peers, periods),
            (None, Some((peer, _))) => {
                self.begin(peer, &peers[&peer], periods, force);
                None
            }
            (None, None) => {
                let rate: f64 = peers.values().map(|it| it.rate).sum();
                self.bar = self.bar.take().filter(|bar| rate > RARER * bar.rate);
                None
            }
        }
    }

    fn begin(&mut self, peer: NodeId, heard: &Heard, periods: &[f64], force: usize) {
        let Some(watch) = self.peers.get(&peer) else { return };
        let copies = watch.excursion.copies(heard.rate);
        let before = watch.since.copies(heard.rate) / in_flight(heard.trip, periods[force]);
        let (wait, answer) = self.prices;
        self.trial = Some(Trial {
            peer,
            failed: force,
            option: twice(periods, force),
            raises: 1,
            alarm: heard.state(),
            last: heard.state(),
            before,
            copies,
            look: Sums::default(),
            missed: heard.missed,
            cost: watch.over * (wait * periods[force] + answer),
        });
    }

    fn conclude(&mut self, peers: &BTreeMap<NodeId, Heard>, periods: &[f64]) -> Option<Verdict> {
        let trial = self.trial.as_mut()?;
        let heard = peers.get(&trial.peer).copied();
        let (Some(heard), Some(watch)) = (heard, self.peers.get_mut(&trial.peer)) else {
            self.trial = None;
            return None;
        };
        let told = heard.missed.1 - trial.missed.1;
        let few = trial.look.calls(heard.rate) < LOOK || told < LOOK_MESSAGES;
        if trial.look.beats < LOOK || few && trial.look.beats < 4.0 * LOOK {
            return None;
        }
        let copies = trial.look.copies(heard.rate);
        let flight = in_flight(heard.trip, periods[trial.option]);
        let loss = (heard.missed.0 - trial.missed.0) / told.max(1.0);
        let state = State { loss, trip: heard.recent };
        let verdict = match copies <= SURPLUS * watch.own * flight {
            true if state.is_below(FALLEN, &trial.alarm) => Verdict::Overflow(trial.failed),
            true => Verdict::Lossy,
            false => {
                let falls = copies < FALLING * trial.copies || state.is_below(FALLING, &trial.last);
                let longer = trial.raises < RAISES && trial.option + 1 < periods.len();
                if falls || longer {
                    if !falls {
                        trial.option = twice(periods, trial.option);
                        trial.raises += 1;
                    }
                    (trial.last, trial.copies, trial.missed) = (state, copies, heard.missed);
                    trial.look = Sums::default();
                    return None;
                }
                match state.is_below(FALLEN, &trial.alarm) {
                    true => Verdict::Overflow(trial.failed),
                    false => Verdict::Lossy,
                }
            }
        };
        if verdict == Verdict::Lossy {
            watch.own = watch.own.max(trial.before).max(copies / flight);
        }
        let trial = self.trial.take()?;
        self.peers.values_mut().for_each(|it| {
            it.over = 0.0;
            it.excursion = Sums::default();
        });
        match verdict {
            Verdict::Lossy => self.bar = None,
            Verdict::Overflow(option) => {
                let times = self.bar.as_ref().map_or(0, |bar| bar.times) + 1;
                let rate = peers.values().map(|it| it.rate).sum();
                let debt = trial.cost * doublings(times);
                self.bar = Some(Bar { option, rate, cost: trial.cost, debt, times });
            }
        }
        Some(verdict)
    }

    /// The option that would be the longest barred, were the bar lifted by one.
    pub fn lifted(&self) -> Option<usize> {
        self.bar.as_ref().and_then(|bar| bar.option.checked_sub(1))
    }

    /// Not to have lifted the bar has cost so much since the last time.
    pub fn pays(&mut self, cost: f64) {
        let Some(bar) = &mut self.bar else { return };
        bar.debt -= cost.max(0.0);
        if bar.debt <= 0.0 && cost > 0.0 {
            bar.debt = bar.cost * doublings(bar.times);
            match bar.option.checked_sub(1) {
                Some(shorter) => bar.option = shorter,
                None => self.bar = None,
            }
        }
    }
}

/// How many times its cost an overflow that came so often in a row has to be paid back.
fn doublings(times: u32) -> f64 {
    f64::from(1_u32 << times.saturating_sub(1).min(20))
}

/// Whether an option is too near to a period that overflows. The longest never is.
pub(crate) fn near(option: usize, barred: f64, periods: &[f64]) -> bool {
    option + 1 < periods.len() && periods[option] < barred * CLEAR
}

/// Copies of what is lost nowhere: as many as beats fit into a round trip.
fn in_flight(trip: f64, period: f64) -> f64 {
    (trip / period).ceil().max(1.0)
}

/// The first option of at least twice the period, or the longest.
fn twice(periods: &[f64], option: usize) -> usize {
    let long = |other: &usize| periods[*other] >= 2.0 * periods[option] * (1.0 - 1e-9);
    (0..periods.len()).find(long).unwrap_or(periods.len().saturating_sub(1))
}
