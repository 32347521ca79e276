//! A log for ShiViz: for each event the host, its vector clock, and what happened.
//!
//! The expression that reads it is the one that ShiViz offers by default: `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Fate, Mark, Row, Scene};

type Clock = BTreeMap<usize, u64>;

/// The log.
pub fn write(scene: &Scene) -> String {
    // Beyond the nodes stands the network, which loses and doubles, and does what concerns several.
    let network = scene.lanes.len();
    let mut hosts: Vec<Clock> = vec![Clock::new(); network + 1];
    // The clock of its host after each row.
    let mut after: Vec<Clock> = Vec::new();
    let mut out = String::new();
    for row in &scene.rows {
        let (host, sent) = match &row.mark {
            Mark::Arrow { to, sent, fate: Fate::Arrives, .. } => (*to, *sent),
            Mark::Arrow { sent, .. } => (network, *sent),
            Mark::At(lane) => (*lane, None),
            Mark::Across(_) => (network, None),
        };
        if let Some(sender) = sent.map(|sent| after[sent].clone()) {
            merge(&mut hosts[host], &sender);
        }
        *hosts[host].entry(host).or_default() += 1;
        after.push(hosts[host].clone());
        let name = |host: usize| scene.lanes.get(host).map_or("network", String::as_str);
        let clock: Vec<String> =
            hosts[host].iter().map(|(host, count)| format!("\"{}\":{count}", name(*host))).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{} {{{}}}\n{}", name(host), clock.join(","), said(row));
    }
    out
}

fn merge(clock: &mut Clock, other: &Clock) {
    for (host, count) in other {
        let own = clock.entry(*host).or_default();
        *own = (*own).max(*count);
    }
}

/// A row on one line.
fn said(row: &Row) -> String {
    let fate = match row.mark {
        Mark::Arrow { fate: Fate::Arrives, .. } => " arrives",
        Mark::Arrow { fate: Fate::IsLost, .. } => " is lost",
        Mark::Arrow { fate: Fate::IsDoubled, .. } => " is doubled",
        _ => "",
    };
    let all = [format!("{}{fate}", row.what)].into_iter().chain(row.details.iter().cloned());
    all.map(|text| text.replace(['\n', '\r'], " ")).collect::<Vec<String>>().join("; ")
}
