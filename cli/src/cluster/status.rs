//! `status`: how the nodes of a cluster are, by asking each.

use serde_json::{Value, json};

use super::ask::{self, Health, counter};
use super::file::Cluster;
use super::folder::{self, Node};
use super::{not_up, process};
use crate::args::Format;
use crate::exit::{Exit, Outcome};
use crate::report::Report;

/// How many nodes are asked at a time.
const ASKED_MAX: usize = 16;

/// The counters that are shown.
const COUNTERS: [&str; 6] =
    ["events", "messages_sent", "messages_received", "breaks", "restarts", "links_cut"];

/// What is known of a node.
struct Known {
    node: Node,
    pid: Option<i32>,
    health: &'static str,
    reason: Option<String>,
    counters: Option<Vec<f64>>,
}

/// Shows a table. It ends with 1 where a node does not run, or not well.
///
/// # Errors
/// A cluster that is not up.
pub(super) fn run(cluster: &Cluster, report: &mut Report<'_>) -> Outcome {
    let state = folder::state(&cluster.folder)?.ok_or_else(|| not_up(&cluster.path))?;
    let running = process::running(&cluster.folder, &state.nodes);
    let known = |node: &Node| {
        let pid = running.get(&node.index).map(|pid| pid.as_raw_nonzero().get());
        asked(node.clone(), pid)
    };
    let mut all = Vec::with_capacity(state.nodes.len());
    for some in state.nodes.chunks(ASKED_MAX) {
        std::thread::scope(|scope| {
            let asking: Vec<_> = some.iter().map(|node| scope.spawn(move || known(node))).collect();
            all.extend(asking.into_iter().filter_map(|one| one.join().ok()));
        });
    }
    let well = all.iter().all(|known| known.health == "running");
    match report.format {
        Format::Text => table(&all, &state.cut, report)?,
        Format::Json => {
            let nodes: Vec<Value> = all.iter().map(value).collect();
            writeln!(report.out, "{}", json!({ "well": well, "nodes": nodes, "cut": state.cut }))?;
        }
    }
    Ok(if well { Exit::Held } else { Exit::Violated })
}

fn asked(node: Node, pid: Option<i32>) -> Known {
    if pid.is_none() {
        return Known { node, pid, health: "dead", reason: None, counters: None };
    }
    let (health, reason) = match ask::health(node.http, &node.name) {
        Health::Well => ("running", None),
        Health::Down(reason) => ("down", Some(reason)),
        Health::Violated(reason) => ("wrong", Some(reason)),
        Health::Silent => ("silent", Some("it does not answer".to_owned())),
        Health::Stranger => ("silent", Some(format!("another program answers at port {}", node.http))),
    };
    let metrics = ask::page(node.http, "/metrics").filter(|_| health != "silent");
    let counters =
        metrics.map(|(_, text)| COUNTERS.iter().map(|name| counter(&text, name)).collect::<Vec<f64>>());
    Known { node, pid, health, reason, counters }
}

fn table(all: &[Known], cut: &[Vec<String>], report: &mut Report<'_>) -> std::io::Result<()> {
    let width = all.iter().map(|known| known.node.name.len()).max().unwrap_or(4).max(4);
    writeln!(
        report.out,
        "{:<width$}  {:<7}  {:>8}  {:>5}  {:>5}  {:>5}  {:>8}  {:>8}  {:>8}  {:>6}  {:>8}  {:>4}",
        "node",
        "state",
        "pid",
        "port",
        "http",
        "lives",
        "steps",
        "sent",
        "received",
        "breaks",
        "restarts",
        "cut"
    )?;
    for Known { node, pid, health, reason, counters } in all {
        let pid = pid.map_or("-".to_owned(), |pid| pid.to_string());
        let shown = |place: usize| {
            counters.as_ref().and_then(|them| them.get(place)).map_or("-".to_owned(), |it| format!("{it:.0}"))
        };
        writeln!(
            report.out,
            "{:<width$}  {health:<7}  {pid:>8}  {:>5}  {:>5}  {:>5}  {:>8}  {:>8}  {:>8}  {:>6}  {:>8}  {:>4}",
            node.name,
            node.port,
            node.http,
            node.lives,
            shown(0),
            shown(1),
            shown(2),
            shown(3),
            shown(4),
            shown(5)
        )?;
        if let Some(reason) = reason {
            writeln!(report.out, "{:<width$}  {reason}", "")?;
        }
    }
    for side in cut {
        writeln!(report.out, "cut off from all others: {}", side.join(", "))?;
    }
    Ok(())
}

fn value(known: &Known) -> Value {
    let Known { node, pid, health, reason, counters } = known;
    let mut value = json!({
        "name": node.name, "state": health, "pid": pid, "port": node.port, "http": node.http, "lives": node.lives,
        "reason": reason,
    });
    for (place, name) in COUNTERS.iter().enumerate() {
        value[*name] =
            counters.as_ref().and_then(|them| them.get(place)).map_or(Value::Null, |it| json!(*it as u64));
    }
    value
}
