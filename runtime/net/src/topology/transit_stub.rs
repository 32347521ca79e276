//! Transit-stub topologies.

use serde::Deserialize;

use super::graph::Graph;
use super::{SITES_MAX, Topology};
use crate::draw::{Draw, Purpose, Stream};
use crate::file::FileError;

/// A two-level Internet after Zegura, Calvert and Bhattacharjee, "How to model an internetwork" (INFOCOM 1996): transit
/// domains of routers, and stub domains behind each of those. Sites are the routers of stub domains; times are those of
/// the shortest ways.
///
/// The times of links by default are 100 ms between transit routers, 10 ms to a stub and 1 ms within it, as the authors
/// of CAN had them (Ratnasamy et al., SIGCOMM 2001).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransitStub {
    /// What is random is drawn from this.
    pub seed: u64,
    /// Transit domains.
    pub domains: u32,
    /// Routers of each transit domain.
    pub transits: u32,
    /// Stub domains behind each transit router.
    pub stubs: u32,
    /// Routers of each stub domain.
    pub routers: u32,
    /// The probability of a link between two routers of one domain, beside those that keep it together.
    pub more: f64,
    /// The time of a link between transit routers, in milliseconds.
    pub transit_ms: f64,
    /// The time of a link between a transit router and a stub, in milliseconds.
    pub access_ms: f64,
    /// The time of a link within a stub, and between two nodes at one router, in milliseconds.
    pub stub_ms: f64,
}

impl Default for TransitStub {
    fn default() -> Self {
        TransitStub {
            seed: 1,
            domains: 2,
            transits: 4,
            stubs: 3,
            routers: 4,
            more: 0.3,
            transit_ms: 100.0,
            access_ms: 10.0,
            stub_ms: 1.0,
        }
    }
}

const GRAPH: Purpose = Purpose(64);

impl TransitStub {
    /// The topology.
    ///
    /// # Errors
    /// A figure that is none of its kind, or more sites than a topology can have.
    pub fn build(&self) -> Result<Topology, FileError> {
        let counts = [self.domains, self.transits, self.stubs, self.routers];
        let sites = counts.iter().try_fold(1_usize, |product, count| product.checked_mul(*count as usize));
        match sites {
            Some(1..=SITES_MAX) => {}
            Some(0) => return Err(fail("a transit-stub topology has at least one of each of its parts")),
            _ => return Err(fail(format!("more than {SITES_MAX} routers in stubs"))),
        }
        if !(0.0..=1.0).contains(&self.more) {
            return Err(fail(format!("`more` is a probability, and {} is none", self.more)));
        }
        let micros =
            |name: &str, ms: f64| crate::file::micros(ms).map_err(|what| fail(format!("`{name}` {what}")));
        let transit = micros("transit_ms", self.transit_ms)?;
        let access = micros("access_ms", self.access_ms)?;
        let stub = micros("stub_ms", self.stub_ms)?;

        let (mut graph, mut number) = (Graph::default(), 0);
        let mut stream = || {
            number += 1;
            Draws { seed: self.seed, number, draws: 0, stream: None }
        };
        let transits: Vec<Vec<u32>> = (0..self.domains)
            .map(|_| {
                let routers: Vec<u32> = (0..self.transits).map(|_| graph.router()).collect();
                graph.connect(&routers, self.more, &mut stream(), transit);
                routers
            })
            .collect();
        // Domains are linked as the routers of one are: a random tree and some more, between random routers of theirs.
        let mut draw = stream();
        for domain in 1..transits.len() {
            let other = draw.below(domain as u64) as usize;
            let ends =
                [&transits[other], &transits[domain]].map(|it| it[draw.below(it.len() as u64) as usize]);
            graph.link(ends[0], ends[1], transit);
        }
        for a in 0..transits.len() {
            for b in a + 1..transits.len() {
                if draw.happens(self.more) {
                    let ends =
                        [&transits[a], &transits[b]].map(|it| it[draw.below(it.len() as u64) as usize]);
                    graph.link(ends[0], ends[1], transit);
                }
            }
        }
        let (mut names, mut hosts) = (Vec::new(), Vec::new());
        for (domain, transits) in transits.iter().enumerate() {
            for (place, gateway) in transits.iter().enumerate() {
                for of in 0..self.stubs {
                    let routers: Vec<u32> = (0..self.routers).map(|_| graph.router()).collect();
                    let mut draw = stream();
                    graph.connect(&routers, self.more, &mut draw, stub);
                    let door = routers[draw.below(routers.len() as u64) as usize];
                    graph.link(*gateway, door, access);
                    names.extend((0..routers.len()).map(|router| format!("{domain}.{place}.{of}.{router}")));
                    hosts.extend(routers);
                }
            }
        }
        Ok(between(names, &graph, &hosts, stub))
    }
}

/// The topology of some routers of a graph; two nodes at one of them are `within` microseconds apart.
pub(super) fn between(names: Vec<String>, graph: &Graph, hosts: &[u32], within: u32) -> Topology {
    let mut base = Vec::with_capacity(hosts.len() * hosts.len());
    for from in hosts {
        let times = graph.times(*from);
        base.extend(hosts.iter().map(|to| if from == to { within } else { times[*to as usize] }));
    }
    Topology::of(names, base)
}

pub(super) fn fail(message: impl Into<String>) -> FileError {
    FileError::new(0, message)
}

/// A source of any number of draws, where a [`Stream`] repeats itself after 512.
pub(super) struct Draws {
    pub seed: u64,
    pub number: u32,
    pub draws: u64,
    pub stream: Option<Stream>,
}

impl Draw for Draws {
    fn bits(&mut self) -> u64 {
        let renew = self.draws.is_multiple_of(256);
        let stream = match &mut self.stream {
            Some(stream) if !renew => stream,
            slot => slot.insert(Stream::new(self.seed, GRAPH, (self.number, 0), self.draws / 256)),
        };
        self.draws += 1;
        stream.bits()
    }
}
