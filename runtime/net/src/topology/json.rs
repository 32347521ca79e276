//! Topologies as JSON: a matrix or a generator, where nodes are, and what the paths are like.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::csv::Unit;
use super::{Inet, Topology, TransitStub, regions};
use crate::bottleneck::Bottleneck;
use crate::delay::Delay;
use crate::file::{self, FileError, Law};
use crate::intake::{Intake, Work};
use crate::link::Path;
use crate::loss::{GilbertElliott, Loss};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    matrix: Option<Matrix>,
    transit_stub: Option<TransitStub>,
    inet: Option<Inet>,
    regions: Option<bool>,
    #[serde(default)]
    nodes: Vec<String>,
    #[serde(default)]
    path: Segment,
    #[serde(default)]
    paths: Vec<Way>,
    uplink: Option<Line>,
    downlink: Option<Line>,
    processing: Option<Processing>,
    connections: Option<Connections>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    unit: Unit,
    sites: Vec<String>,
    rows: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    from: String,
    to: String,
    path: Segment,
}

/// What a node does with a message before it is delivered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Processing {
    each: Law,
    waiting: Option<u32>,
    #[serde(default)]
    slow: Vec<Slow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slow {
    node: u32,
    times: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connections {
    timeout_ms: f64,
}

/// What a path is like beside the time between its sites.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Segment {
    jitter: Option<Law>,
    loss: Option<Losses>,
    #[serde(default)]
    duplication: f64,
    #[serde(default)]
    overtaking: f64,
    line: Option<Line>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Losses {
    Independent(f64),
    Bursts(Bursts),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bursts {
    worsens: f64,
    recovers: f64,
    #[serde(default)]
    good: f64,
    #[serde(default = "one")]
    bad: f64,
}

fn one() -> f64 {
    1.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    mbit_per_second: f64,
    buffer_kib: Option<f64>,
}

impl Topology {
    /// A topology as JSON:
    ///
    /// ```json
    /// { "matrix": { "unit": "rtt_ms", "sites": ["fra", "lon"], "rows": [[1, 13], [13, 1]] },
    ///   "nodes": ["fra", "fra", "lon"],
    ///   "path": { "jitter": { "lognormal": { "median_ms": 1, "sigma": 0.5 } }, "loss": 0.001 },
    ///   "paths": [ { "from": "fra", "to": "lon", "path": { "line": { "mbit_per_second": 10, "buffer_kib": 64 } } } ],
    ///   "uplink": { "mbit_per_second": 100 } }
    /// ```
    ///
    /// Instead of `matrix` there may be `transit_stub`, `inet` or `"regions": true`. `jitter` adds to the time between
    /// sites. A `loss` is a probability, or `{ "worsens", "recovers", "good", "bad" }` of the channel of Gilbert and
    /// Elliott.
    ///
    /// # Errors
    /// The line, or the field that is wrong.
    pub fn from_json(text: &str) -> Result<Self, FileError> {
        let file: File = file::json(text)?;
        let made = [
            file.matrix.as_ref().map(matrix),
            file.transit_stub.as_ref().map(TransitStub::build),
            file.inet.as_ref().map(Inet::build),
            file.regions.filter(|wanted| *wanted).map(|_| Ok(regions())),
        ];
        let mut made = made.into_iter().flatten();
        let (Some(topology), None) = (made.next(), made.next()) else {
            let message = "one of `matrix`, `transit_stub`, `inet` and `regions` says where the sites are";
            return Err(FileError::new(0, message));
        };
        let mut topology = topology?.with_nodes(&file.nodes)?.with_path(file.path.path("path")?);
        for (place, way) in file.paths.iter().enumerate() {
            let path = way.path.path(&format!("paths[{place}]"))?;
            topology = topology.with_path_between(&way.from, &way.to, path)?;
        }
        let uplink = file.uplink.as_ref().map(|line| line.bottleneck("uplink")).transpose()?;
        let line = file.downlink.as_ref().map(|line| line.bottleneck("downlink")).transpose()?;
        let work = file.processing.as_ref().map(Processing::work).transpose()?;
        let patience = file.connections.as_ref().map(Connections::nanos).transpose()?;
        Ok(topology.with_uplink(uplink).with_intake(Intake { line, work }).with_patience(patience))
    }
}

fn matrix(it: &Matrix) -> Result<Topology, FileError> {
    let one_way = |row: &Vec<f64>| row.iter().map(|value| it.unit.one_way_ms(*value)).collect();
    let rows: Vec<Vec<f64>> = it.rows.iter().map(one_way).collect();
    Topology::new(it.sites.clone(), &rows)
}

impl Processing {
    fn work(&self) -> Result<Work, FileError> {
        if self.waiting == Some(0) {
            let message = "`processing.waiting` counts the message that is worked on, and so is at least 1";
            return Err(FileError::new(0, message));
        }
        let mut slow = BTreeMap::new();
        for (place, Slow { node, times }) in self.slow.iter().enumerate() {
            if !(times.is_finite() && *times > 0.0) {
                let message = format!("`processing.slow[{place}].times` is above 0 and finite, not {times}");
                return Err(FileError::new(0, message));
            }
            if slow.insert(*node, *times).is_some() {
                let message = format!("`processing.slow[{place}]`: node {node} stands there twice");
                return Err(FileError::new(0, message));
            }
        }
        let each = self.each.delay("processing.each")?;
        Ok(Work { each, waiting: self.waiting.map(|most| most as usize), slow })
    }
}

impl Connections {
    fn nanos(&self) -> Result<u64, FileError> {
        match crate::file::micros(self.timeout_ms) {
            Ok(0) => Err(FileError::new(0, "`connections.timeout_ms` is above 0")),
            Ok(micros) => Ok(u64::from(micros) * 1_000),
            Err(what) => Err(FileError::new(0, format!("`connections.timeout_ms` {what}"))),
        }
    }
}

impl Segment {
    fn path(&self, place: &str) -> Result<Path, FileError> {
        let loss = match &self.loss {
            None => Loss::Never,
            Some(Losses::Independent(p)) => Loss::Independent(probability(*p, place, "loss")?),
            Some(Losses::Bursts(it)) => Loss::Bursts(GilbertElliott {
                worsens: probability(it.worsens, place, "loss.worsens")?,
                recovers: probability(it.recovers, place, "loss.recovers")?,
                good: probability(it.good, place, "loss.good")?,
                bad: probability(it.bad, place, "loss.bad")?,
            }),
        };
        Ok(Path {
            delay: match &self.jitter {
                None => Delay::Constant(0),
                Some(jitter) => jitter.delay(&format!("{place}.jitter"))?,
            },
            loss,
            duplication: probability(self.duplication, place, "duplication")?,
            overtaking: probability(self.overtaking, place, "overtaking")?,
            line: match &self.line {
                None => None,
                Some(line) => Some(line.bottleneck(&format!("{place}.line"))?),
            },
        })
    }
}

impl Line {
    fn bottleneck(&self, place: &str) -> Result<Bottleneck, FileError> {
        let sound = |value: f64| value.is_finite() && value > 0.0;
        if !sound(self.mbit_per_second) {
            let message =
                format!("`{place}.mbit_per_second` is above 0 and finite, not {}", self.mbit_per_second);
            return Err(FileError::new(0, message));
        }
        if let Some(buffer) = self.buffer_kib.filter(|buffer| !sound(*buffer)) {
            let message = format!("`{place}.buffer_kib` is above 0 and finite, not {buffer}");
            return Err(FileError::new(0, message));
        }
        Ok(Bottleneck {
            bytes_per_second: self.mbit_per_second * 1e6 / 8.0,
            buffer: self.buffer_kib.map(|kib| (kib * 1024.0) as u64),
        })
    }
}

fn probability(p: f64, place: &str, what: &str) -> Result<f64, FileError> {
    match (0.0..=1.0).contains(&p) {
        true => Ok(p),
        false => Err(FileError::new(0, format!("`{place}.{what}` is a probability, and {p} is none"))),
    }
}
