//! `foresee cluster`: a cluster of real processes on this machine, from a TOML file that says what runs and how far apart.
//!
//! Nodes are processes of a service's own program, in the background, each with a folder for its log, its durable state and its
//! recordings. Nothing of ours runs beside them: what there is to know lies in the cluster's folder, so any command may be killed
//! and another goes on from what it finds. Nodes listen on the loopback alone; links are cut through a file that they read again.
//!
//! `run` plays the faults of the system on the real nodes, and `compare` sets what they came to beside runs of the simulator.

mod ask;
mod compare;
mod file;
mod folder;
mod play;
mod process;
mod program;
mod status;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::args::{ClusterCommand, Format};
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::report::Report;

use ask::Health;
use file::Cluster;
use folder::{Folder, Node, State, within};

/// How long nodes may take until they answer.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// How long nodes may take to stop in good order, before they are killed.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// How long a killed process may take to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// How long nodes may take to read which links are cut.
const LINK_PATIENCE: Duration = Duration::from_secs(5);

/// How often a node whose port was taken meanwhile is started at another.
const PORT_TRIES: u32 = 3;

/// Runs the command.
///
/// # Errors
/// What is wrong with the file, the folder, the program or a node.
pub fn run(command: &ClusterCommand, report: &mut Report<'_>) -> Outcome {
    match command {
        ClusterCommand::Up { file, fresh, .. } => up(file, *fresh, report),
        ClusterCommand::Status { file, .. } => status::run(&file::read(file)?, report),
        ClusterCommand::Kill { file, nodes, fault, .. } => kill(file, nodes, *fault, report),
        ClusterCommand::Restart { file, nodes, .. } => restart(file, nodes, report),
        ClusterCommand::Partition { file, nodes, .. } => partition(file, nodes, report),
        ClusterCommand::Heal { file, nodes, .. } => heal(file, nodes, report),
        ClusterCommand::Down { file, .. } => down(file, report),
        ClusterCommand::Run { file, until, .. } => play::run(file, until.as_deref(), report),
        ClusterCommand::Compare { file, seeds, .. } => compare::run(&file::read(file)?, seeds, report),
    }
}

/// Tells what was done to which nodes.
fn tell(what: &str, nodes: &[String], report: &mut Report<'_>) -> Result<(), Failure> {
    match report.format {
        Format::Text if nodes.is_empty() => writeln!(report.out, "{what}: none")?,
        Format::Text => writeln!(report.out, "{what}: {}", nodes.join(", "))?,
        Format::Json => writeln!(report.out, "{}", json!({ "event": what, "nodes": nodes }))?,
    }
    Ok(())
}

/// The cluster of a file that is up, held.
fn held(path: &Path) -> Result<(Cluster, Folder, State), Failure> {
    let cluster = file::read(path)?;
    if folder::state(&cluster.folder)?.is_none() {
        return Err(not_up(path));
    }
    let folder = Folder::hold(&cluster.folder)?;
    let state = folder.state()?.ok_or_else(|| not_up(path))?;
    Ok((cluster, folder, state))
}

fn not_up(path: &Path) -> Failure {
    let file = input::name(path);
    Failure::Told(format!("the cluster of `{file}` is not up: `foresee cluster up {file}` starts it"))
}

fn up(path: &Path, fresh: bool, report: &mut Report<'_>) -> Outcome {
    let cluster = file::read(path)?;
    let folder = Folder::hold(&cluster.folder)?;
    let state = begin(&cluster, &folder, fresh, report)?;
    let names: Vec<String> = state.nodes.iter().map(|node| node.name.clone()).collect();
    tell("up", &names, report)?;
    Ok(Exit::Held)
}

/// Starts all nodes, and waits until they answer.
fn begin(cluster: &Cluster, folder: &Folder, fresh: bool, report: &mut Report<'_>) -> Result<State, Failure> {
    if let Some(left) = folder.state()? {
        let running = process::running(&cluster.folder, &left.nodes).len();
        if running > 0 {
            return Err(Failure::Told(format!(
                "the cluster of `{}` is up already: {running} of its {} nodes run; `down` ends it, `restart` brings back the others",
                input::name(&cluster.path),
                left.nodes.len()
            )));
        }
        let kept = collect(cluster, folder, &left, None)?;
        let kept = input::name(&kept);
        writeln!(report.err, "note: nothing runs of the cluster that was up; what it left is in {kept}")?;
    }
    let program = program::find(cluster)?;
    let mut state = plan(cluster, &program)?;
    for node in state.nodes.iter().filter(|_| fresh) {
        // What is not there need not be removed; what cannot be is refused by the node.
        let _ = fs::remove_dir_all(folder.node(node.index).join("data"));
    }
    folder.peers(&state)?;
    folder.link(&state)?;
    state.begin_millis = folder::now_millis() + 1_000 + 100 * state.nodes.len() as u64;
    folder.keep(&state)?;
    folder.note("up", &[])?;
    let all: Vec<usize> = (0..state.nodes.len()).collect();
    if let Err(failure) = start(cluster, folder, &mut state, &all) {
        end(&cluster.folder, &state.nodes, Signal::KILL, KILL_PATIENCE);
        folder.forget();
        return Err(failure);
    }
    Ok(state)
}

/// Which nodes there will be, and at which ports.
fn plan(cluster: &Cluster, program: &program::Found) -> Result<State, Failure> {
    let places = match &cluster.nodes {
        None => (0..program.nodes.len()).collect(),
        Some(words) => file::named(words, &program.nodes)?,
    };
    let count = places.len();
    let ports = process::ports(cluster.base_port, 2 * count, &[])?;
    let (listen, http) = ports.split_at(count);
    let ways = places.into_iter().zip(listen.iter().zip(http));
    let nodes = ways.map(|(index, (port, http))| Node {
        name: program.nodes[index].clone(),
        index,
        port: *port,
        http: *http,
        lives: 0,
    });
    Ok(State {
        program: program.path.clone(),
        spec: program.spec.clone(),
        system: cluster.system_arguments(),
        begin_millis: 0,
        nodes: nodes.collect(),
        names: program.nodes.clone(),
        links_version: 1,
        cut: Vec::new(),
    })
}

/// Starts nodes, by their places in the state, and waits until they answer.
fn start(cluster: &Cluster, folder: &Folder, state: &mut State, places: &[usize]) -> Result<(), Failure> {
    let mut waiting: BTreeMap<usize, (Child, u32)> = BTreeMap::new();
    for place in places {
        waiting.insert(*place, (process::start(folder, cluster, state, *place)?, 1));
    }
    let end = folder::now_millis() + START_PATIENCE.as_millis() as u64;
    while let Some((place, (child, tries))) = waiting.pop_first() {
        let node = state.nodes[place].clone();
        if let Some(mut child) = settle(folder, &node, child, end)? {
            // It ended by itself.
            let ended = child.wait().map(|status| status.to_string()).unwrap_or_default();
            let said = process::tail(&folder.node(node.index));
            if !said.contains("cannot listen on") || cluster.base_port.is_some() || tries >= PORT_TRIES {
                return Err(Failure::Told(format!(
                    "{} does not start ({ended}); its log ends:\n{said}",
                    node.name
                )));
            }
            // Somebody took its port meanwhile. Its peers read again where it is.
            let taken: Vec<u16> = state.nodes.iter().flat_map(|node| [node.port, node.http]).collect();
            let ports = process::ports(None, 2, &taken)?;
            (state.nodes[place].port, state.nodes[place].http) = (ports[0], ports[1]);
            folder.peers(state)?;
            // A life that did not begin is none.
            state.nodes[place].lives -= 1;
            waiting.insert(place, (process::start(folder, cluster, state, place)?, tries + 1));
        }
    }
    Ok(())
}

/// Waits until a node answers; the child where it ended instead.
fn settle(folder: &Folder, node: &Node, mut child: Child, end: u64) -> Result<Option<Child>, Failure> {
    loop {
        match ask::health(node.http, &node.name) {
            Health::Well | Health::Violated(_) => return Ok(None),
            Health::Down(reason) => {
                return Err(Failure::Told(format!("{} runs, but its service is down: {reason}", node.name)));
            }
            Health::Silent | Health::Stranger => {}
        }
        if matches!(child.try_wait(), Ok(Some(_))) {
            return Ok(Some(child));
        }
        if folder::now_millis() >= end {
            let said = process::tail(&folder.node(node.index));
            return Err(Failure::Told(format!(
                "{} does not answer within {START_PATIENCE:?}; its log ends:\n{said}",
                node.name
            )));
        }
        folder::pause(Duration::from_millis(20));
    }
}

/// Sends a signal to those nodes that run, and waits until they are gone; those that were.
fn end(folder: &Path, nodes: &[Node], signal: Signal, patience: Duration) -> Vec<String> {
    let running = process::running(folder, nodes);
    running.values().for_each(|pid| process::signal(*pid, signal));
    within(patience, || {
        reap();
        process::running(folder, nodes).is_empty()
    });
    nodes.iter().filter(|node| running.contains_key(&node.index)).map(|node| node.name.clone()).collect()
}

/// Lets go of children that have ended: those of this very process, where it started them.
fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

fn kill(path: &Path, words: &[String], fault: Option<usize>, report: &mut Report<'_>) -> Outcome {
    let (cluster, folder, state) = held(path)?;
    let words = match fault {
        Some(number) => program::meant(&cluster, &state, number)?,
        None => words.to_vec(),
    };
    let nodes = chosen(&state, &words)?;
    let killed = struck(&cluster, &folder, &nodes)?;
    tell("killed", &killed, report)?;
    Ok(Exit::Held)
}

/// Kills nodes with SIGKILL, and notes it.
fn struck(cluster: &Cluster, folder: &Folder, nodes: &[Node]) -> Result<Vec<String>, Failure> {
    let killed = end(&cluster.folder, nodes, Signal::KILL, KILL_PATIENCE);
    folder.note("kill", &killed)?;
    Ok(killed)
}

/// The nodes of the cluster that words name.
fn chosen(state: &State, words: &[String]) -> Result<Vec<Node>, Failure> {
    let named = file::named(words, &state.names)?;
    let here = |index: &usize| state.nodes.iter().find(|node| node.index == *index).cloned();
    let nodes: Vec<Node> = named.iter().filter_map(here).collect();
    match nodes.is_empty() {
        true => Err(Failure::Told(format!("{} is not among the nodes that run here", words.join(", ")))),
        false => Ok(nodes),
    }
}

fn restart(path: &Path, words: &[String], report: &mut Report<'_>) -> Outcome {
    let (cluster, folder, mut state) = held(path)?;
    let running = process::running(&cluster.folder, &state.nodes);
    let nodes = match words {
        // All that are down.
        [] => state.nodes.iter().filter(|node| !running.contains_key(&node.index)).cloned().collect(),
        words => chosen(&state, words)?,
    };
    end(&cluster.folder, &nodes, Signal::TERM, STOP_PATIENCE);
    end(&cluster.folder, &nodes, Signal::KILL, KILL_PATIENCE);
    back(&cluster, &folder, &mut state, &nodes)?;
    let names: Vec<String> = nodes.into_iter().map(|node| node.name).collect();
    tell("restarted", &names, report)?;
    Ok(Exit::Held)
}

/// Starts nodes again, and notes it.
fn back(cluster: &Cluster, folder: &Folder, state: &mut State, nodes: &[Node]) -> Result<(), Failure> {
    let is_meant = |node: &Node| nodes.iter().any(|it| it.index == node.index);
    let places: Vec<usize> =
        state.nodes.iter().enumerate().filter(|(_, node)| is_meant(node)).map(|(place, _)| place).collect();
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    folder.note("restart", &names)?;
    start(cluster, folder, state, &places)
}

fn partition(path: &Path, words: &[String], report: &mut Report<'_>) -> Outcome {
    let (cluster, folder, mut state) = held(path)?;
    let side: Vec<String> = chosen(&state, words)?.into_iter().map(|node| node.name).collect();
    if side.len() == state.names.len() {
        return Err(Failure::Told("a partition has nodes on both sides; these are all".to_owned()));
    }
    state.cut.push(side.clone());
    relink(&cluster, &folder, &mut state)?;
    folder.note("partition", &side)?;
    tell("cut off", &side, report)?;
    Ok(Exit::Held)
}

fn heal(path: &Path, words: &[String], report: &mut Report<'_>) -> Outcome {
    let (cluster, folder, mut state) = held(path)?;
    let healed: Vec<String> = match words {
        [] => std::mem::take(&mut state.cut).into_iter().flatten().collect(),
        words => {
            let side: Vec<String> = chosen(&state, words)?.into_iter().map(|node| node.name).collect();
            let before = state.cut.len();
            state.cut.retain(|cut| *cut != side);
            if state.cut.len() == before {
                let sides: Vec<String> = state.cut.iter().map(|side| side.join(" ")).collect();
                return Err(Failure::Told(format!(
                    "{} are not a side that was cut off; those are: {}",
                    side.join(", "),
                    if sides.is_empty() { "none".to_owned() } else { sides.join("; ") }
                )));
            }
            side
        }
    };
    relink(&cluster, &folder, &mut state)?;
    folder.note("heal", &healed)?;
    tell("healed", &healed, report)?;
    Ok(Exit::Held)
}

/// Tells the nodes which links are cut, and waits until those that run have read it.
fn relink(cluster: &Cluster, folder: &Folder, state: &mut State) -> Result<(), Failure> {
    state.links_version += 1;
    folder.keep(state)?;
    folder.link(state)?;
    let running = process::running(&cluster.folder, &state.nodes);
    for node in state.nodes.iter().filter(|node| running.contains_key(&node.index)) {
        let read = within(LINK_PATIENCE, || {
            let page = ask::page(node.http, "/metrics");
            page.is_some_and(|(_, text)| ask::counter(&text, "links_version") >= state.links_version as f64)
        });
        if !read {
            return Err(Failure::Told(format!(
                "{} did not read within {LINK_PATIENCE:?} which links are cut; `status` says how it is",
                node.name
            )));
        }
    }
    Ok(())
}

fn down(path: &Path, report: &mut Report<'_>) -> Outcome {
    let (cluster, folder, state) = held(path)?;
    let kept = finish(&cluster, &folder, &state, None, report)?;
    match report.format {
        Format::Text => writeln!(report.out, "down: logs and recordings are in {}", input::name(&kept))?,
        Format::Json => {
            writeln!(report.out, "{}", json!({ "event": "down", "collected": input::name(&kept) }))?;
        }
    }
    Ok(Exit::Held)
}

/// Ends all nodes in good order, and collects what they left.
fn finish(
    cluster: &Cluster,
    folder: &Folder,
    state: &State,
    played: Option<&str>,
    report: &mut Report<'_>,
) -> Result<PathBuf, Failure> {
    folder.note("down", &[])?;
    end(&cluster.folder, &state.nodes, Signal::TERM, STOP_PATIENCE);
    let killed = end(&cluster.folder, &state.nodes, Signal::KILL, KILL_PATIENCE);
    if !killed.is_empty() {
        let killed = killed.join(", ");
        writeln!(report.err, "note: killed, since they did not stop within {STOP_PATIENCE:?}: {killed}")?;
    }
    collect(cluster, folder, state, played)
}

/// Moves logs and recordings to a folder of their own, and forgets the cluster; its durable state stays. `played` says for how long the
/// faults of the system were played, where they were.
fn collect(
    cluster: &Cluster,
    folder: &Folder,
    state: &State,
    played: Option<&str>,
) -> Result<PathBuf, Failure> {
    let runs = folder.at("runs");
    let told = |error: std::io::Error| Failure::Told(format!("{}: {error}", input::name(&runs)));
    fs::create_dir_all(&runs).map_err(told)?;
    let number = (0..).find(|number| !runs.join(format!("{number:03}")).exists()).unwrap_or(0);
    let run = runs.join(format!("{number:03}"));
    fs::create_dir(&run).map_err(told)?;
    for node in &state.nodes {
        let home = folder.node(node.index);
        let mut files = vec![(home.join("log"), format!("{:02}.log", node.index))];
        let lives = (0..node.lives)
            .map(|life| (process::recording(&home, life), format!("{:02}.life-{life}.jsonl", node.index)));
        files.extend(lives);
        for (from, to) in files.into_iter().filter(|(from, _)| from.exists()) {
            fs::rename(from, run.join(to)).map_err(told)?;
        }
    }
    let events = folder.at("events.jsonl");
    if events.exists() {
        fs::rename(events, run.join("events.jsonl")).map_err(told)?;
    }
    let about = json!({
        "program": state.program, "spec": state.spec, "system": state.system, "topology": cluster.topology,
        "seed": cluster.seed, "played": played, "begin_millis": state.begin_millis, "ended_millis": folder::now_millis(),
        "nodes": state.nodes.iter().map(|node| &node.name).collect::<Vec<_>>(),
    });
    fs::write(run.join("run.json"), format!("{about:#}\n")).map_err(told)?;
    folder.forget();
    Ok(run)
}
