//! Topologies: how far apart sites are, which node is at which site, and what the paths between them are like.
//!
//! A [`Topology`] is read from a matrix ([`Topology::from_csv`], [`Topology::from_json`]), made from a seed
//! ([`TransitStub`], [`Inet`]), or that of a cloud's regions as it was measured ([`regions`]).

use std::collections::BTreeMap;

use crate::bottleneck::Bottleneck;
use crate::draw::Draw;
use crate::file::{self, FileError};
use crate::intake::Intake;
use crate::link::{Fate, Link, Memory, Passage, Path};

mod csv;
mod graph;
mod inet;
mod json;
mod regions;
mod transit_stub;

pub use inet::Inet;
pub use regions::{REGIONS, regions};
pub use transit_stub::TransitStub;

/// The most sites of a topology: its matrix takes 4 bytes for each pair of them.
pub const SITES_MAX: usize = 4_096;

/// How long an ordered connection waits beyond a round trip before it sends again what was lost, the first time; each
/// time is twice the one before. As RFC 6298 has it, with the least variance term that is common (200 ms).
const RETRANSMIT_NANOS: u64 = 200_000_000;

/// How often an ordered connection sends a message again; it gets through then, as if the path had recovered.
pub const RETRANSMISSIONS_MAX: u32 = 8;

/// What became of a message of an ordered connection, see [`Topology::insist`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insisted {
    /// It arrives after so many nanoseconds.
    pub nanos: u64,
    /// How often it was sent again.
    pub again: u32,
    /// Whether it did not get through in the time that a connection has, and the connection breaks after so many nanoseconds instead.
    pub broken: bool,
}

/// Nodes at sites, and the paths between sites.
#[derive(Clone, Debug)]
pub struct Topology {
    sites: Vec<String>,
    /// The time one way in microseconds, by row (from) and column (to).
    base: Vec<u32>,
    /// The site of each node; nodes beyond go round the sites.
    homes: Vec<u32>,
    path: Path,
    /// Directions between sites that are not like `path`.
    paths: BTreeMap<(u32, u32), Path>,
    /// The line out of every node, before its paths part.
    uplink: Option<Bottleneck>,
    /// What a message meets at a node before it is delivered.
    intake: Intake,
    /// How long a connection tries to get a message through before it breaks, in nanoseconds; None where it never breaks for that.
    patience: Option<u64>,
}

impl Topology {
    /// Sites and the time one way between them in milliseconds, by row (from) and column (to); what is on the
    /// diagonal is the time between two nodes of one site.
    ///
    /// # Errors
    /// There are no sites or too many, two have the same name, or a time is negative, not finite or beyond an hour.
    pub fn new(sites: Vec<String>, one_way_ms: &[Vec<f64>]) -> Result<Self, FileError> {
        Topology::with_lines(sites, one_way_ms, &|_| 0)
    }

    /// As [`Topology::new`], where rows stand in lines of a text.
    fn with_lines(
        sites: Vec<String>,
        one_way_ms: &[Vec<f64>],
        line: &dyn Fn(usize) -> usize,
    ) -> Result<Self, FileError> {
        named(&sites)?;
        if one_way_ms.len() != sites.len() {
            let message = format!("there are {} sites and {} rows", sites.len(), one_way_ms.len());
            return Err(FileError::new(0, message));
        }
        let mut base = Vec::with_capacity(sites.len() * sites.len());
        for (from, row) in one_way_ms.iter().enumerate() {
            if row.len() != sites.len() {
                let message = format!(
                    "the row of `{}` has {} values for {} sites",
                    sites[from],
                    row.len(),
                    sites.len()
                );
                return Err(FileError::new(line(from), message));
            }
            for (to, ms) in row.iter().enumerate() {
                let micros = file::micros(*ms).map_err(|what| {
                    let way = format!("from `{}` to `{}`", sites[from], sites[to]);
                    FileError::new(line(from), format!("the time {way} {what}"))
                })?;
                base.push(micros);
            }
        }
        Ok(Topology::of(sites, base))
    }

    /// A matrix that is known to be sound.
    fn of(sites: Vec<String>, base: Vec<u32>) -> Self {
        let path = Path::default();
        let (homes, paths, intake) = (Vec::new(), BTreeMap::new(), Intake::default());
        Topology { sites, base, homes, path, paths, uplink: None, intake, patience: None }
    }

    /// The names of the sites.
    pub fn sites(&self) -> &[String] {
        &self.sites
    }

    /// The site of a node.
    pub fn site(&self, node: u32) -> usize {
        match self.homes.get(node as usize) {
            Some(site) => *site as usize,
            None => node as usize % self.sites.len(),
        }
    }

    /// The time one way between two nodes, in nanoseconds, beside what the path adds.
    pub fn base_nanos(&self, from: u32, to: u32) -> u64 {
        let (from, to) = (self.site(from), self.site(to));
        u64::from(self.base[from * self.sites.len() + to]) * 1_000
    }

    /// The mean time one way between different sites, in nanoseconds; within the site where there is one alone.
    pub fn mean_nanos(&self) -> u64 {
        let n = self.sites.len();
        let all = self.base.iter().enumerate().filter(|(i, _)| n == 1 || i / n != i % n);
        let (sum, count) =
            all.fold((0_u64, 0_u64), |(sum, count), (_, micros)| (sum + u64::from(*micros), count + 1));
        sum * 1_000 / count.max(1) + self.path.delay.mean()
    }

    /// The same topology with its nodes elsewhere: a site for each; what is beyond goes round the sites.
    ///
    /// # Errors
    /// A site that there is not.
    pub fn with_nodes(mut self, sites: &[String]) -> Result<Self, FileError> {
        self.homes = sites.iter().map(|site| self.find(site)).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The same topology where each path is like this one, beside the time between its sites.
    pub fn with_path(mut self, path: Path) -> Self {
        self.path = path;
        self
    }

    /// The same topology where all that a node sends passes a line of limited speed first.
    pub fn with_uplink(mut self, uplink: Option<Bottleneck>) -> Self {
        self.uplink = uplink;
        self
    }

    /// The same topology where a message meets this at its receiver.
    pub fn with_intake(mut self, intake: Intake) -> Self {
        self.intake = intake;
        self
    }

    /// The same topology where a connection breaks that does not get a message through in so many nanoseconds.
    pub fn with_patience(mut self, nanos: Option<u64>) -> Self {
        self.patience = nanos;
        self
    }

    /// What a message meets at its receiver, if anything.
    pub fn intake(&self) -> Option<&Intake> {
        Some(&self.intake).filter(|intake| !intake.is_none())
    }

    /// Whether all that happens to a message happens where it is sent or on its way, and not at its receiver.
    pub fn ends_on_the_way(&self) -> bool {
        self.intake.is_none() && self.patience.is_none()
    }

    /// How long a connection tries to get a message through before it breaks, in nanoseconds; None where it never breaks for that.
    pub fn patience(&self) -> Option<u64> {
        self.patience
    }

    /// The same topology where the path from one site to another is like this one; the way back stays as it is.
    ///
    /// # Errors
    /// A site that there is not.
    pub fn with_path_between(mut self, from: &str, to: &str, path: Path) -> Result<Self, FileError> {
        let way = (self.find(from)?, self.find(to)?);
        self.paths.insert(way, path);
        Ok(self)
    }

    /// How long a message is under way that is sent again until it arrives, as ordered connections do: after a round trip and
    /// 200 ms, then after twice that, at most eight times, or until the connection has no patience left. What is sent again takes no place
    /// in lines, and a copy is not noticed.
    pub fn insist(&self, mut passage: Passage, memory: &mut Memory, draw: &mut dyn Draw) -> Insisted {
        let there = self.base_nanos(passage.from, passage.to);
        let back = self.base_nanos(passage.to, passage.from);
        let mut patience = there.saturating_add(back).saturating_add(RETRANSMIT_NANOS);
        let mut waited = 0_u64;
        for again in 0..RETRANSMISSIONS_MAX {
            match self.fate(passage, memory, draw) {
                Fate::Arrives(delay) | Fate::Doubled(delay, _) => {
                    return Insisted { nanos: waited.saturating_add(delay), again, broken: false };
                }
                Fate::Lost => {
                    waited = waited.saturating_add(patience);
                    patience = patience.saturating_mul(2);
                    passage.bytes = 0;
                    if let Some(most) = self.patience.filter(|most| waited >= *most) {
                        return Insisted { nanos: most, again, broken: true };
                    }
                }
            }
        }
        Insisted { nanos: waited.saturating_add(there), again: RETRANSMISSIONS_MAX, broken: false }
    }

    /// Whether a message may be lost: on its path, or for lack of room before a line.
    pub fn loses(&self) -> bool {
        let full = |line: &Option<Bottleneck>| line.is_some_and(|line| line.buffer.is_some());
        full(&self.uplink)
            || self.intake.loses()
            || self.all_paths().any(|path| !path.loss.never() || full(&path.line))
    }

    /// Whether a message may be doubled.
    pub fn doubles(&self) -> bool {
        self.all_paths().any(|path| path.duplication > 0.0)
    }

    fn all_paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.values().chain([&self.path])
    }

    fn find(&self, site: &str) -> Result<u32, FileError> {
        match self.sites.iter().position(|it| it == site) {
            Some(found) => Ok(found as u32),
            None => Err(FileError::new(0, format!("there is no site `{site}`"))),
        }
    }
}

impl Link for Topology {
    fn fate(&self, passage: Passage, memory: &mut Memory, draw: &mut dyn Draw) -> Fate {
        let Passage { from, to, bytes, at } = passage;
        let out = match &self.uplink {
            None => 0,
            Some(line) => match line.offer(at, bytes, memory.node(from)) {
                Some(leaves) => leaves,
                None => return Fate::Lost,
            },
        };
        let way = (self.site(from) as u32, self.site(to) as u32);
        let path = self.paths.get(&way).unwrap_or(&self.path);
        let passage = Passage { at: at.saturating_add(out), ..passage };
        let base = self.base_nanos(from, to).saturating_add(out);
        path.pass(base, passage, memory.pair(from, to), draw)
    }

    fn steady(&self) -> bool {
        self.all_paths().all(Path::steady)
    }
}

/// There are sites, not too many, and each has a name of its own.
fn named(sites: &[String]) -> Result<(), FileError> {
    if sites.is_empty() {
        return Err(FileError::new(0, "there are no sites"));
    }
    if sites.len() > SITES_MAX {
        let message = format!("there are {} sites; {SITES_MAX} are the most", sites.len());
        return Err(FileError::new(0, message));
    }
    let mut seen = BTreeMap::new();
    for (place, site) in sites.iter().enumerate() {
        if let Some(first) = seen.insert(site, place) {
            let message = format!("sites {} and {} are both named `{site}`", first + 1, place + 1);
            return Err(FileError::new(0, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
