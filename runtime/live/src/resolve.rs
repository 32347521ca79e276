//! Who answers the points of a live step, until a predictor advises: the author's default, else a seeded draw.

use std::cell::Cell;
use std::time::Duration;

use foresee_kernel::{Nature, Point, Resolver};
use foresee_net::{Draw, Purpose, Stream};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use crate::meter::Meter;

/// Advice on choices from outside, such as a predictor's table: it answers at once or not at all.
pub trait Advisor: Send {
    /// The option to take, if there is advice.
    fn advise(&mut self, point: &Point<'_>) -> Option<u32>;
}

/// Answers the points of a node's steps, one after another. Every step has a stream of its own.
pub(crate) struct Chooser {
    advisor: Option<Box<dyn Advisor>>,
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
        let (sites, now) = (Vec::new(), Cell::new(None));
        Chooser { advisor, seed, place, steps: 0, draws, labels, sites, began, now }
    }

    /// Begins the next step.
    pub(crate) fn step<'a>(&'a mut self, meter: &'a Meter) -> Counting<'a> {
        self.steps += 1;
        self.now.set(None);
        self.draws = Stream::new(self.seed, PURPOSE, self.place, self.steps);
        Counting { chooser: self, meter }
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
        let Chooser { advisor, draws, .. } = self.chooser;
        match point.nature {
            Nature::Chance => draws.weighted(point.weights) as u32,
            Nature::Choice => {
                let advised = advisor.as_mut().and_then(|advisor| advisor.advise(point));
                let advised = advised.filter(|option| *option < point.options);
                let drawn = || draws.below(u64::from(point.options)) as u32;
                advised.or(point.default).unwrap_or_else(drawn)
            }
        }
    }

    fn now(&self) -> Option<Duration> {
        // Few steps ask, and looking costs as much as a small step.
        let now = self.chooser.now.get().unwrap_or_else(|| self.chooser.began.elapsed());
        self.chooser.now.set(Some(now));
        Some(now)
    }

    fn wants_labels(&self) -> bool {
        self.chooser.labels
    }
}
