//! What one node measures, whatever the form: losses by the gaps in the numbers of what it is sent, round trips by the echo of its own
//! times, rates of its calls, copies of what it sends; and what its peers tell it of theirs. All of it rides on messages that are
//! sent anyway.
//!
//! A node never compares its clock with another's: a time of its own comes back to it with how long it was held.

use std::collections::{BTreeMap, BTreeSet};

use foresee_decide::belief::Drift;
use foresee_decide::belief::drift::{Counted, THRESHOLD};
use foresee_kernel::{NodeId, Ran, ServiceInfo};
use serde::{Deserialize, Serialize};

use crate::brake::Brake;
use crate::form::{Form, Tunable};

/// How many round trips are kept: their median is what is believed.
const TRIPS_MAX: usize = 15;

/// A message is taken for lost when so many that were sent after it are known of.
const OVERTAKERS: u64 = 4;

/// What rides on a message to a peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// How many messages were sent that way before it, this carrier's alone.
    number: u64,
    /// When it was sent, by the sender's clock.
    at: u64,
    /// The last time of the receiver that the sender has heard, and how long ago that was.
    echo: Option<(u64, u64)>,
    /// How many of the receiver's messages have arrived, and how many are missing.
    heard: (u64, u64),
    /// For each kind of call of which peers must know how often they come: calls, and the seconds in which they came.
    calls: Vec<(f64, f64)>,
    /// Copies that it has sent to the receiver, and calls that it has had, since it began.
    copies: (u64, u64),
    /// The longest period that the sender has seen overflow, in seconds; 0 where there is none.
    barred: f64,
}

impl Told {
    /// Whether its figures can be: it may come from a stranger.
    fn is_sound(&self) -> bool {
        let fine = |figure: f64| figure.is_finite() && figure >= 0.0;
        let rate = |calls: f64, time: f64| time == 0.0 || fine(calls / time);
        let calls = |(calls, time): &(f64, f64)| fine(*calls) && fine(*time) && rate(*calls, *time);
        self.calls.iter().all(calls) && fine(self.barred)
    }

    /// How long it is on the wire, in bytes, written plainly.
    pub fn bytes(&self) -> u64 {
        4 + 8 + if self.echo.is_some() { 16 } else { 1 } + 8 + 8 * self.calls.len() as u64 + 12
    }
}

/// What is known of one peer.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// By carrier: the number of the next message to it, and what came from it.
    ways: BTreeMap<u8, (u64, Coming)>,
    /// What has arrived from it, and what is missing.
    heard: (u64, u64),
    /// Its last time, and when that was heard.
    last: Option<(u64, u64)>,
    /// What it has heard of ours when it last told.
    reported: (u64, u64),
    /// Losses of what it sends.
    pub incoming: Option<Drift>,
    /// By the option in force: losses of what it is sent, and round trips.
    pub under: BTreeMap<u32, Under>,
    /// The last round trips, in nanoseconds, under whatever option.
    recent: Vec<u64>,
    /// For each kind of call that it tells of: its calls, and the seconds in which they came.
    pub calls: Vec<(f64, f64)>,
    /// Copies that it was sent.
    pub copies: u64,
    /// Those of them that a call has sent at once.
    pub begun: u64,
    /// Copies that it has sent, and calls that it has had, as it last told; None before it did.
    pub told: Option<(u64, u64)>,
    /// The longest period that it has seen overflow, in seconds.
    pub barred: f64,
}

/// What comes from a peer by one carrier.
#[derive(Debug, Default)]
struct Coming {
    /// The number of the next.
    next: u64,
    /// The numbers before it that have not come, and may yet.
    awaited: BTreeSet<u64>,
}

impl Coming {
    /// A message of this number comes: how many before it are lost for good.
    fn comes(&mut self, number: u64) -> u64 {
        if number < self.next {
            if !self.awaited.remove(&number) {
                // Whoever counts anew has begun anew.
                *self = Coming { next: number.saturating_add(1), awaited: BTreeSet::new() };
            }
            return 0;
        }
        let gap = number - self.next;
        let far = gap.saturating_sub(OVERTAKERS);
        self.awaited.extend(self.next + far..number);
        self.next = number.saturating_add(1);
        let late = self.awaited.split_off(&self.next.saturating_sub(OVERTAKERS));
        far + std::mem::replace(&mut self.awaited, late).len() as u64
    }
}

/// What was measured while an option was in force.
#[derive(Debug, Default)]
pub(crate) struct Under {
    pub outgoing: Option<Drift>,
    /// The last round trips, in nanoseconds.
    pub trips: Vec<u64>,
    /// When something was last measured.
    pub last: u64,
}

impl Peer {
    /// The last round trips under whatever option, in nanoseconds.
    pub fn recent(&self) -> &[u64] {
        &self.recent
    }

    /// Messages to it that are lost, and all that it has told of, under whatever option.
    pub fn lost(&self) -> (f64, f64) {
        let seen = self.under.values().filter_map(|it| it.outgoing.as_ref()).map(Drift::seen);
        seen.fold((0.0, 0.0), |sum, (lost, all)| (sum.0 + lost, sum.1 + all))
    }

    /// Messages of both ways that are missing, and all that were told of.
    pub fn missed(&self) -> (f64, f64) {
        let missed = self.heard.1.saturating_add(self.reported.1);
        (missed as f64, missed.saturating_add(self.heard.0).saturating_add(self.reported.0) as f64)
    }
}

/// The median of round trips; None of none.
pub(crate) fn median(trips: &[u64]) -> Option<u64> {
    let mut sorted = trips.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Keeps the last round trips.
fn keep(trips: &mut Vec<u64>, trip: u64) {
    if trips.len() == TRIPS_MAX {
        trips.remove(0);
    }
    trips.push(trip);
}

/// What a node measures for a choice.
#[derive(Debug)]
pub struct Gauge {
    pub(crate) form: Form,
    /// For each kind of call: its calls here.
    pub(crate) own: Vec<Drift>,
    /// Until when they were watched, in nanoseconds.
    watched: u64,
    pub(crate) peers: BTreeMap<NodeId, Peer>,
    /// Calls here, since the node began.
    pub(crate) called: u64,
    /// Whether there was one in the step that is being taken.
    calling: bool,
    /// The option in force, and since when.
    pub(crate) force: Option<(u32, u64)>,
    pub(crate) brake: Brake,
    /// The longest period that was seen to overflow here, in seconds.
    pub(crate) barred: f64,
    /// When an option was last asked for.
    pub(crate) asked: u64,
}

fn drift(counted: Counted) -> Drift {
    Drift::new(counted, THRESHOLD).unwrap_or_else(|_| unreachable!("the threshold is above 0"))
}

impl Gauge {
    /// For a choice, if it has a form that can be measured.
    pub fn new(tunable: &Tunable) -> Option<Gauge> {
        let form = tunable.form.as_ref().ok()?;
        Some(Gauge {
            own: form.calls().map(|_| drift(Counted::Rate)).collect(),
            form: form.clone(),
            watched: 0,
            peers: BTreeMap::new(),
            called: 0,
            calling: false,
            force: None,
            brake: form.brake(),
            barred: 0.0,
            asked: 0,
        })
    }

    /// The option in force, once one was taken.
    pub fn force(&self) -> Option<u32> {
        self.force.map(|(option, _)| option)
    }

    /// The node has begun anew, at `now`: what it knew is gone.
    pub fn restarted(&mut self, now: u64) {
        self.own.iter_mut().for_each(|it| *it = drift(Counted::Rate));
        self.watched = now;
        self.peers.clear();
        self.called = 0;
        self.calling = false;
        self.force = None;
        self.brake = self.form.brake();
        self.barred = 0.0;
        self.asked = now;
    }

    /// This ran in a step at `now`; `services` are the node's layers. It is said before what the step sends.
    pub fn ran(&mut self, now: u64, services: &[&'static ServiceInfo], ran: &[Ran]) {
        self.calling = false;
        for place in 0..self.own.len() {
            let Some((service, handlers)) = self.form.calls().nth(place) else { break };
            let begins = |it: &&Ran| match **it {
                Ran::Handler { layer, handler } => {
                    services[usize::from(layer)].name == service && handlers.contains(&handler)
                }
                Ran::Consumed { .. } => false,
            };
            let calls = ran.iter().filter(begins).count();
            if calls > 0 {
                self.calling = true;
                self.called += calls as u64;
                self.watch(now, Some((place, calls as f64)));
            }
        }
    }

    /// Time passes; `calls` of a kind come.
    pub(crate) fn watch(&mut self, now: u64, calls: Option<(usize, f64)>) {
        let seconds = now.saturating_sub(self.watched) as f64 / 1e9;
        self.watched = self.watched.max(now);
        for (place, drift) in self.own.iter_mut().enumerate() {
            let calls = calls.filter(|(kind, _)| *kind == place).map_or(0.0, |(_, calls)| calls);
            // Counts and seconds of a run are moderate.
            let _ = drift.observe(calls, seconds);
        }
    }

    /// What rides on a message of a kind that is sent at `now`.
    pub fn sends(&mut self, now: u64, carrier: u8, to: NodeId, kind: &str) -> Told {
        self.watch(now, None);
        let peer = self.peers.entry(to).or_default();
        let copy = self.form.is_copy(kind);
        peer.copies += u64::from(copy);
        peer.begun += u64::from(copy && self.calling);
        let (next, _) = peer.ways.entry(carrier).or_default();
        let number = *next;
        *next += 1;
        Told {
            number,
            at: now,
            echo: peer.last.map(|(time, heard)| (time, now.saturating_sub(heard))),
            heard: peer.heard,
            calls: self.own.iter().take(self.form.told()).map(Drift::seen).collect(),
            copies: (peer.copies, self.called),
            barred: self.barred,
        }
    }

    /// A message arrives from a peer at `now`, with what rides on it.
    pub fn hears(&mut self, now: u64, carrier: u8, from: NodeId, told: &Told) {
        if !told.is_sound() || told.calls.len() != self.form.told() {
            return;
        }
        let force = self.force;
        let peer = self.peers.entry(from).or_default();
        let (_, coming) = peer.ways.entry(carrier).or_default();
        let lost = coming.comes(told.number);
        // What is lost while an experiment goes on is lost by what went before.
        let tries = self.brake.tries().is_some();
        if !tries {
            let incoming = peer.incoming.get_or_insert_with(|| drift(Counted::Chance));
            let _ = incoming.observe(lost as f64, lost as f64 + 1.0);
        }
        peer.heard.1 = peer.heard.1.saturating_add(lost);
        peer.heard.0 += 1;
        peer.last = Some((told.at, now));
        peer.calls.clone_from(&told.calls);
        peer.told = Some(told.copies);
        peer.barred = told.barred;
        let trip = told.echo.map(|(sent, held)| (sent, now.saturating_sub(sent).saturating_sub(held)));
        if let Some((_, trip)) = trip {
            keep(&mut peer.recent, trip);
        }
        let Some((option, since)) = force else { return };
        // A report counts for the option in force if that was so when what it is about was sent.
        let (arrived, missed) = (
            told.heard.0.saturating_sub(peer.reported.0) as f64,
            told.heard.1.saturating_sub(peer.reported.1) as f64,
        );
        let known = peer.reported;
        peer.reported = (known.0.max(told.heard.0), known.1.max(told.heard.1));
        let Some((_, trip)) = trip.filter(|(sent, _)| *sent >= since && !tries) else { return };
        let under = peer.under.entry(option).or_default();
        keep(&mut under.trips, trip);
        under.last = now;
        let outgoing = under.outgoing.get_or_insert_with(|| drift(Counted::Chance));
        if let Ok(true) = outgoing.observe(missed, arrived + missed) {
            // The way is another: what was measured under other options is of the past.
            peer.under.retain(|other, _| *other == option);
        }
    }
}
