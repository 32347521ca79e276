//! Topologies whose degrees follow a power law.

use serde::Deserialize;

use super::graph::Graph;
use super::transit_stub::{Draws, between, fail};
use super::{SITES_MAX, Topology};
use crate::draw::Draw;
use crate::file::FileError;

/// An Internet of autonomous systems as Inet makes them (Jin, Chen and Jamin, "Inet: Internet topology generator", 2000):
/// positions uniform in a square, few routers with very many links and many with few. Links are drawn by preferential
/// attachment (Barabási and Albert, "Emergence of scaling in random networks", Science 286, 1999), which gives a power law
/// of degrees with exponent 3; the time of a link is its length. Sites are the routers of the least degree.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inet {
    /// What is random is drawn from this.
    pub seed: u64,
    /// Routers.
    pub routers: u32,
    /// Links that each router brings.
    pub links: u32,
    /// Sites, at most as many as routers.
    pub sites: u32,
    /// The time from one side of the square to the other, in milliseconds.
    pub across_ms: f64,
    /// The time between two nodes at one site, in milliseconds.
    pub site_ms: f64,
}

impl Default for Inet {
    fn default() -> Self {
        Inet { seed: 1, routers: 1_000, links: 2, sites: 100, across_ms: 60.0, site_ms: 1.0 }
    }
}

impl Inet {
    /// The topology.
    ///
    /// # Errors
    /// A figure that is none of its kind, or more sites than a topology can have.
    pub fn build(&self) -> Result<Topology, FileError> {
        const ROUTERS_MAX: u32 = 100_000;
        if self.links == 0 || self.routers <= self.links || self.routers > ROUTERS_MAX || self.links > 64 {
            let message = format!(
                "an inet topology has more routers than links of each (1 to 64), and at most {ROUTERS_MAX}"
            );
            return Err(fail(message));
        }
        if self.sites == 0 || self.sites > self.routers || self.sites as usize > SITES_MAX {
            return Err(fail(format!("sites are 1 to {SITES_MAX}, and no more than routers")));
        }
        let across =
            crate::file::micros(self.across_ms).map_err(|what| fail(format!("`across_ms` {what}")))?;
        let within = crate::file::micros(self.site_ms).map_err(|what| fail(format!("`site_ms` {what}")))?;

        let graph = self.graph(across);
        let mut hosts: Vec<u32> = (0..self.routers).collect();
        hosts.sort_by_key(|router| (graph.degree(*router), *router));
        hosts.truncate(self.sites as usize);
        let names = hosts.iter().map(|router| format!("as{router}")).collect();
        Ok(between(names, &graph, &hosts, within))
    }

    /// The routers and their links, in a square whose side takes `across` microseconds.
    pub(super) fn graph(&self, across: u32) -> Graph {
        let mut draw = Draws { seed: self.seed, number: u32::MAX, draws: 0, stream: None };
        let mut graph = Graph::default();
        let places: Vec<(f64, f64)> = (0..self.routers).map(|_| (draw.unit(), draw.unit())).collect();
        let length = |a: u32, b: u32| {
            let ((ax, ay), (bx, by)) = (places[a as usize], places[b as usize]);
            let far = ((ax - bx) * (ax - bx) + (ay - by) * (ay - by)).sqrt();
            ((far * f64::from(across)).round() as u32).max(1)
        };
        // Both ends of each link: a router stands there as often as it has links.
        let mut ends: Vec<u32> = Vec::new();
        for router in 0..self.routers {
            graph.router();
            let mut near = std::collections::BTreeSet::new();
            while near.len() < (self.links.min(router)) as usize {
                // The first routers are linked each to each.
                let other = match router <= self.links {
                    true => near.len() as u32,
                    false => ends[draw.below(ends.len() as u64) as usize],
                };
                near.insert(other);
            }
            for other in near {
                graph.link(router, other, length(router, other));
                ends.extend([router, other]);
            }
        }
        graph
    }
}
