//! Who answers the points of a live step, until a predictor advises: the author's default, else a seeded draw.

use std::cell::Cell;
use std::time::Duration;

use foresee_kernel::{Datum, Nature, NodeId, Noted, Point, Ran, Resolver, WireError, Wires};
use foresee_net::{Draw, Purpose, Stream};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use crate::meter::Meter;

/// Advice on choices from outside, such as a predictor's table: it answers at once or not at all.
pub trait Advisor: Send {
    /// The option to take, if there is advice.
    fn advise(&mut self, point: &Point<'_>) -> Option<u32>;

    /// As [`Advisor::advise`], where the node's clock shows `now`: the time since it began.
    fn advise_at(&mut self, now: Duration, point: &Point<'_>) -> Option<u32> {
        let _ = now;
        self.advise(point)
    }

    /// Whether it has something to tell its like on other nodes, which rides on messages. Either all nodes of a service have such an
    /// advisor or none has: what travels is not the same. The methods below are called of those alone.
    fn notes(&self) -> bool {
        false
    }

    /// What rides on a message that the node sends.
    fn sends(&mut self, now: Duration, carrier: u8, to: NodeId, message: &Datum) -> Vec<u8> {
        let _ = (now, carrier, to, message);
        Vec::new()
    }

    /// What rode on a message that has come. The bytes are those of a stranger, perhaps.
    fn hears(&mut self, now: Duration, carrier: u8, from: NodeId, note: &[u8]) {
        let _ = (now, carrier, from, note);
    }

    /// What ran in a step.
    fn ran(&mut self, now: Duration, ran: &[Ran]) {
        let _ = (now, ran);
    }

    /// The service begins, for the first time or again.
    fn begins(&mut self, now: Duration) {
        let _ = now;
    }
}

/// Answers the points of a node's steps, one after another. Every step has a stream of its own.
pub(crate) struct Chooser {
    advisor: Option<Box<dyn Advisor>>,
    /// Whether notes ride on messages.
    noting: bool,
    seed: u64,
    place: (u32, u32),
    steps: u64,
    draws: Stream,
    labels: bool,
    /// The counters of the sites that were asked about, by the names of service and site.
    sites: Vec<(&'static str, &'static str, Counter)>,
    /// When the clock of the node began.
    began: Instant,
    /// What it showed when the current step asked first: the moment of that step, however long it takes.
    now: Cell<Option<Duration>>,
}

/// Draws of a live node: what its choices and chances take when nothing else says.
const PURPOSE: Purpose = Purpose(200);

impl Chooser {
    /// For the node and life at `place`.
    pub(crate) fn new(seed: u64, place: (u32, u32), advisor: Option<Box<dyn Advisor>>, labels: bool) -> Self {
        let (draws, began) = (Stream::new(seed, PURPOSE, place, 0), Instant::now());
        let noting = advisor.as_ref().is_some_and(|it| it.notes());
        let (sites, now) = (Vec::new(), Cell::new(None));
        Chooser { advisor, noting, seed, place, steps: 0, draws, labels, sites, began, now }
    }

    /// Begins the next step.
    pub(crate) fn step<'a>(&'a mut self, meter: &'a Meter) -> Counting<'a> {
        self.steps += 1;
        self.now.set(None);
        self.draws = Stream::new(self.seed, PURPOSE, self.place, self.steps);
        Counting { chooser: self, meter }
    }

    /// What the node's messages are on the wire: those of the spec, with notes where there are any.
    pub(crate) fn wires(advisor: Option<&dyn Advisor>, wires: Wires) -> Wires {
        if advisor.is_some_and(Advisor::notes) { wires.noting() } else { wires }
    }

    /// The moment of the current step. Few steps ask, and looking costs as much as a small step.
    fn moment(&self) -> Duration {
        let now = self.now.get().unwrap_or_else(|| self.began.elapsed());
        self.now.set(Some(now));
        now
    }

    /// The service begins.
    pub(crate) fn begins(&mut self) {
        if self.noting {
            let now = self.moment();
            self.advisor.iter_mut().for_each(|advisor| advisor.begins(now));
        }
    }

    /// What ran in the current step.
    pub(crate) fn ran(&mut self, ran: &[Ran]) {
        if self.noting {
            let now = self.moment();
            self.advisor.iter_mut().for_each(|advisor| advisor.ran(now, ran));
        }
    }

    /// A message of the current step as it leaves for a peer: with a note, if there is one.
    pub(crate) fn loaded(&mut self, wires: &Wires, carrier: u8, to: NodeId, message: Datum) -> Datum {
        if !self.noting {
            return message;
        }
        let now = self.moment();
        let Some(advisor) = &mut self.advisor else { return message };
        let Some((place, form)) = wires.encode(&message) else { return message };
        let note = advisor.sends(now, carrier, to, &message);
        Datum::new(Noted { note, place, form })
    }

    /// A message from a peer as the step takes it: without its note, which is heard.
    pub(crate) fn unloaded(
        &mut self,
        wires: &Wires,
        carrier: u8,
        from: NodeId,
        message: Datum,
    ) -> Result<Datum, WireError> {
        let (true, Some(advisor)) = (self.noting, &mut self.advisor) else { return Ok(message) };
        let Some(Noted { note, place, form }) = message.get() else { return Ok(message) };
        let inner = wires.decode(*place, form)?;
        if inner.get::<Noted>().is_some() {
            return Err(WireError::Malformed("a note rides on a note".to_owned()));
        }
        advisor.hears(self.began.elapsed(), carrier, from, note);
        Ok(inner)
    }

    /// A number from the stream of the current step, for the moments that nature picks.
    pub(crate) fn unit(&mut self) -> f64 {
        self.draws.unit()
    }

    /// Counts a choice.
    fn count(&mut self, service: &'static str, site: &'static str, meter: &Meter) {
        let is = |known: &&(&'static str, &'static str, Counter)| known.0 == service && known.1 == site;
        match self.sites.iter().find(is) {
            Some((.., counter)) => drop(counter.inc()),
            None => {
                let counter = meter.choice(service, site);
                counter.inc();
                self.sites.push((service, site, counter));
            }
        }
    }
}

/// A chooser that counts what it answers.
pub(crate) struct Counting<'a> {
    chooser: &'a mut Chooser,
    meter: &'a Meter,
}

impl Resolver for Counting<'_> {
    fn resolve(&mut self, point: &Point<'_>) -> u32 {
        self.chooser.count(point.service.name, point.site.name, self.meter);
        let now = self.chooser.moment();
        let Chooser { advisor, draws, .. } = self.chooser;
        match point.nature {
            Nature::Chance => draws.weighted(point.weights) as u32,
            Nature::Choice => {
                let advised = advisor.as_mut().and_then(|advisor| advisor.advise_at(now, point));
                let advised = advised.filter(|option| *option < point.options);
                let drawn = || draws.below(u64::from(point.options)) as u32;
                advised.or(point.default).unwrap_or_else(drawn)
            }
        }
    }

    fn now(&self) -> Option<Duration> {
        Some(self.chooser.moment())
    }

    fn wants_labels(&self) -> bool {
        self.chooser.labels
    }
}
