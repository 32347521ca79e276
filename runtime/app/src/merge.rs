//! `merge`: the recordings of a cluster as one run: every node's steps in its own order, no message before it was sent, and otherwise by
//! time. Each step is walked through as `replay` does, and the claims of the system are looked at after each, over all nodes.
//!
//! With `--trace-out` the run is also written as a trace, where the system as it is specified can take it.
//!
//! *Caveats*: clocks of several machines may differ, so a state between two steps is one that may have been and not one that was: whatever
//! order is taken, some nodes' steps could have come in another. Claims that read ghosts are left out, since no live node keeps these.

mod causal;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use foresee_kernel::recording::{Entry, Happening};
use foresee_kernel::{
    CarrierKind, Datum, Effect, Model, NodeId, NodeState, PropertyKind, SpecInfo, States, View, Violation,
    fault, names,
};
use serde_json::json;

use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::faults::FaultArg;
use crate::lives::{self, Life};
use crate::recording::{Taken, Walk};
use crate::story;

use causal::{Content, Ended, Place, Stretch, Traffic, Way};

/// The arguments.
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// The recordings, one for each life of each node
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the run to this file as a trace, which `replay` opens; it ends at the first violation
    #[arg(long, value_name = "FILE")]
    pub trace_out: Option<PathBuf>,
    /// What the environment may have done in the trace, in the place of what the system says: crash, reset, cut, partition
    #[arg(long, value_name = "KIND=COUNT,..", value_delimiter = ',', value_parser = FaultArg::parse, requires = "trace_out")]
    pub fault: Vec<FaultArg>,
    /// How it is shown
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// A step of some recording.
#[derive(Clone, Copy)]
struct At {
    life: usize,
    entry: usize,
}

/// Runs the command.
pub fn run(spec: &'static SpecInfo, args: &MergeArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (model, mut lives) = lives::read(spec, &args.files)?;
    lives.retain(|life| !life.entries.is_empty());
    let of_nodes = by_node(&model, &lives)?;
    let merged = Merged::new(&model, &lives, &of_nodes)?;
    let mut shown = Shown { format: args.format, told: Vec::new(), violations: Vec::new() };
    let told = names::scope(&model.names, || merged.tell(&mut shown, args.trace_out.is_some(), out))?;
    let trace = match &args.trace_out {
        None => None,
        Some(file) => Some((file, names::scope(&model.names, || world::trace(&model, &args.fault, &told))?)),
    };
    if let Some((file, trace)) = &trace {
        std::fs::write(file, trace.to_json())
            .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    }
    let Shown { told: steps, violations, .. } = &shown;
    match args.format {
        Format::Text => {
            let (nodes, files) = (of_nodes.len(), lives.len());
            writeln!(out, "{} steps of {nodes} nodes, from {files} recordings", merged.order.len())?;
            writeln!(
                out,
                "{} of {} messages that arrived come after the step that sent them; {} by the clocks would not",
                merged.explained, merged.arrived, merged.early
            )?;
            if merged.arrived > merged.explained {
                let left = merged.arrived - merged.explained;
                writeln!(out, "{left} were sent by steps that no recording has")?;
            }
            for node in &merged.missing {
                writeln!(out, "no recording of {node}: claims about all nodes are not looked at")?;
            }
            for (step, Violation { property, .. }) in violations {
                writeln!(out, "`{property}` is violated by step {step}")?;
            }
        }
        Format::Json => {
            let violations = violations.iter().map(|(step, Violation { property, why })| {
                json!({ "step": step, "property": property, "why": story::json_why(why) })
            });
            let value = json!({
                "spec": spec.name, "system": model.system, "steps": story::steps_json(steps),
                "arrived": merged.arrived, "explained": merged.explained, "early_by_clock": merged.early,
                "missing": merged.missing, "violations": violations.collect::<Vec<_>>(),
            });
            writeln!(out, "{value}")?;
        }
    }
    let wrong = !violations.is_empty() || told.iter().any(|step| step.taken.outcome.fault.is_some());
    Ok(if wrong { Exit::Violation } else { Exit::Held })
}

/// The recordings of each node, in the order of its lives.
fn by_node(model: &Model, lives: &[Life]) -> Result<BTreeMap<NodeId, Vec<usize>>, Failure> {
    let mut of_nodes: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (place, life) in lives.iter().enumerate() {
        let refuse = |what: String| Failure::usage(format!("{}: {what}", life.path.display()));
        if number(&life.entries[0]).is_none() {
            return Err(refuse("line 2: a recording begins with a start".to_owned()));
        }
        of_nodes.entry(life.node).or_default().push(place);
    }
    let last = |place: usize| lives[place].entries.iter().rev().find_map(number);
    for (node, places) in &mut of_nodes {
        places.sort_by_key(|place| number(&lives[*place].entries[0]));
        for pair in places.windows(2) {
            if last(pair[0]) >= number(&lives[pair[1]].entries[0]) {
                let [one, other] = [pair[0], pair[1]].map(|place| lives[place].path.display());
                let name = model.name(*node);
                return Err(Failure::usage(format!("{one} and {other} are of the same life of {name}")));
            }
        }
    }
    Ok(of_nodes)
}

/// Which life begins with this step, if one does.
fn number(entry: &Entry) -> Option<u64> {
    match &entry.happening {
        Happening::Start { life, .. } => Some(*life),
        _ => None,
    }
}

/// Recordings, put in order.
struct Merged<'a> {
    model: &'a Arc<Model>,
    lives: &'a [Life],
    steps: Vec<At>,
    order: Vec<Place>,
    /// Nodes of which there is no recording.
    missing: Vec<String>,
    arrived: usize,
    explained: usize,
    /// Messages that arrived before they were sent, by the clocks.
    early: usize,
}

impl<'a> Merged<'a> {
    fn new(
        model: &'a Arc<Model>,
        lives: &'a [Life],
        of_nodes: &BTreeMap<NodeId, Vec<usize>>,
    ) -> Result<Self, Failure> {
        let (mut steps, mut times, mut before) = (Vec::new(), Vec::new(), Vec::new());
        // The start of the life that each step is in.
        let mut starts: Vec<Place> = Vec::new();
        let mut ways: BTreeMap<Way, Traffic> = BTreeMap::new();
        for places in of_nodes.values() {
            let mut last: Option<Place> = None;
            for life in places {
                let first = steps.len();
                for (entry, it) in lives[*life].entries.iter().enumerate() {
                    before.extend(last.map(|last| (last, steps.len())));
                    last = Some(steps.len());
                    let goes_on = starts.last().copied().filter(|_| number(it).is_none());
                    starts.push(goes_on.unwrap_or(steps.len()));
                    steps.push(At { life: *life, entry });
                    times.push(lives[*life].began.saturating_add(it.at_nanos));
                }
                names::scope(&model.names, || note(model, &lives[*life], first, &mut ways))?;
            }
        }
        let mut merged = Merged {
            model,
            lives,
            steps,
            order: vec![],
            missing: vec![],
            arrived: 0,
            explained: 0,
            early: 0,
        };
        let known = |node: &NodeId| of_nodes.contains_key(node);
        let all = (0..model.nodes.len() as u32).map(NodeId::new);
        merged.missing = all.filter(|node| !known(node)).map(|node| model.name(node).to_owned()).collect();
        let (mut senders, mut broke) = (BTreeMap::new(), Vec::new());
        for ((from, _, _), traffic) in &mut ways {
            let from = NodeId::new(*from as u32);
            merged.arrived += traffic.received.iter().map(Vec::len).sum::<usize>();
            let Some(places) = of_nodes.get(&from) else { continue };
            traffic.gaps = gaps(lives, places);
            traffic.later = places.last().is_some_and(|last| !lives[*last].closed);
            let explained = causal::explain(traffic).map_err(|place| merged.unexplained(place))?;
            let found =
                explained.receipts.into_iter().filter_map(|(receipt, sender)| Some((receipt, sender?)));
            senders.extend(found);
            broke.extend(explained.broke.into_iter().map(|(told, last)| (last, told)));
        }
        merged.explained = senders.len();
        merged.early = senders.iter().filter(|(receipt, sender)| times[**receipt] < times[**sender]).count();
        before.extend(senders.iter().map(|(receipt, sender)| (*sender, *receipt)));
        // What is sent to a node that is down is lost, says the semantics; a live node tries for a while. So a node counts as up from
        // before it was sent what its life received. And who is told of a break is told after the other end ended. Neither is certain: it is
        // taken so where nothing speaks against it.
        let up = senders.iter().map(|(receipt, sender)| (starts[*receipt], *sender));
        let likely = before.iter().copied().chain(up.filter(|(start, sender)| start != sender)).chain(broke);
        let likely: Vec<(Place, Place)> = likely.collect();
        merged.order = match causal::order(&times, &likely) {
            Ok(order) => order,
            Err(_) => causal::order(&times, &before).map_err(|ring| merged.ring(&ring, &senders))?,
        };
        Ok(merged)
    }

    /// Where a step was read: the file and the line.
    fn place(&self, place: Place) -> String {
        let At { life, entry } = self.steps[place];
        format!("{}: line {}", self.lives[life].path.display(), entry + 2)
    }

    fn unexplained(&self, place: Place) -> Failure {
        let At { life, entry } = self.steps[place];
        let shown = self.place(place);
        Failure::usage(match &self.lives[life].entries[entry].happening {
            Happening::Deliver { from, carrier, message, .. } => format!(
                "{shown}: {message} arrives from {from} over {carrier}, and the recordings of {from} say that it sent something else: they \
                 are not of one run, or one was left out"
            ),
            _ => format!("{shown}: it does not fit the other recordings"),
        })
    }

    fn ring(&self, ring: &[Place], senders: &BTreeMap<Place, Place>) -> Failure {
        let arrives = ring.iter().find(|place| senders.get(place).is_some_and(|it| ring.contains(it)));
        Failure::usage(match arrives {
            Some(place) => {
                let sender = self.place(senders[place]);
                format!(
                    "{}: what arrives here is sent by a step ({sender}) that itself comes after this one: the recordings are not of one run",
                    self.place(*place)
                )
            }
            None => "the recordings do not fit each other".to_owned(),
        })
    }

    /// Walks through all steps in their order; what each was is kept where `keep` says so.
    fn tell(&self, shown: &mut Shown, keep: bool, out: &mut dyn Write) -> Result<Vec<Step>, Failure> {
        let by_name = |name: &str| self.model.node(name);
        let mut walks: Vec<Walk<'_>> =
            self.lives.iter().map(|life| Walk::new(self.model, life.node, &by_name)).collect();
        let mut cut = Cut::new(self.model, self.missing.is_empty());
        let mut kept = Vec::new();
        for (number, place) in self.order.iter().enumerate() {
            let At { life, entry } = self.steps[*place];
            let it = &self.lives[life].entries[entry];
            let taken = walks[life].take(it);
            let taken = taken.map_err(|what| Failure::usage(format!("{}: {what}", self.place(*place))))?;
            let violated = cut.step(self.lives[life].node, &taken);
            let told = walks[life].tell(it, &taken);
            if shown.format == Format::Text {
                story::write_step(out, number + 1, &told)?;
                for Violation { property, why } in &violated {
                    writeln!(out, "        violates `{property}`")?;
                    story::write_why(out, why)?;
                }
            } else {
                shown.told.push(told);
            }
            let ends = violated.first().map(|it| it.property).or_else(|| {
                let fault = taken.outcome.fault.as_ref();
                fault.map(|_| "no_fault")
            });
            if keep || taken.outcome.fault.is_some() {
                kept.push(Step { node: self.lives[life].node, taken, violates: ends });
            }
            shown.violations.extend(violated.into_iter().map(|it| (number + 1, it)));
        }
        Ok(kept)
    }
}

/// What is shown.
struct Shown {
    format: Format,
    told: Vec<foresee_world::narrate::Told>,
    violations: Vec<(usize, Violation)>,
}

/// A step of the run.
struct Step {
    node: NodeId,
    taken: Taken,
    /// What is wrong after it, if anything is.
    violates: Option<&'static str>,
}

/// Whether lives are missing between those whose recordings there are: a host that was opened again counts on.
fn gaps(lives: &[Life], places: &[usize]) -> bool {
    let opened = |entry: &Entry| number(entry).map(|life| life >> 12);
    places.windows(2).any(|pair| {
        let (one, next) = (opened(&lives[pair[0]].entries[0]), opened(&lives[pair[1]].entries[0]));
        one.zip(next).is_none_or(|(one, next)| next != one + 1)
    })
}

/// Notes what one recording says of messages, each with the place of its step, of which the first is `first`.
fn note(model: &Model, life: &Life, first: Place, ways: &mut BTreeMap<Way, Traffic>) -> Result<(), Failure> {
    let by_name = |name: &str| model.node(name);
    let mut walk = Walk::new(model, life.node, &by_name);
    let carriers: Vec<(&str, CarrierKind)> = walk.carriers().iter().map(|it| (it.name, it.kind)).collect();
    let carrier = |name: &str| carriers.iter().position(|(known, _)| *known == name);
    let me = life.node.index();
    let mut noting =
        Noting { model, carriers: &carriers, ways, sent: BTreeMap::new(), received: BTreeMap::new() };
    for (entry, it) in life.entries.iter().enumerate() {
        let refuse =
            |what: String| Failure::usage(format!("{}: line {}: {what}", life.path.display(), entry + 2));
        let taken = walk.take(it).map_err(refuse)?;
        match &it.happening {
            Happening::Start { .. } => noting.end_all((first + entry).saturating_sub(1), false),
            Happening::Deliver { from, carrier: name, place, wire, .. } => {
                if let (Some(from), Some(carrier)) = (by_name(from), carrier(name)) {
                    let stretch = noting.received.entry((from.index(), me, carrier)).or_default();
                    stretch.push((first + entry, (*place, wire.clone())));
                }
            }
            Happening::Broken { peer, carrier: name } => {
                if let (Some(peer), Some(carrier)) = (by_name(peer), carrier(name)) {
                    noting.end(me, peer.index(), carrier, Ended::Told(first + entry));
                }
            }
            Happening::Fire { .. } | Happening::Call { .. } => {}
        }
        for effect in &taken.outcome.effects {
            match effect {
                Effect::Send { carrier, to, message } => {
                    let content: Content = walk.wire(message).unwrap_or_default();
                    let stretch = noting.sent.entry((me, to.index(), usize::from(*carrier))).or_default();
                    stretch.push((first + entry, content));
                }
                Effect::Disconnect { carrier, to } => {
                    noting.end(me, to.index(), usize::from(*carrier), Ended::LetGo);
                }
                _ => {}
            }
        }
    }
    if !life.closed {
        // It may have sent more than was written down, and to anybody.
        for to in 0..model.nodes.len() {
            for carrier in 0..carriers.len() {
                noting.sent.entry((me, to, carrier)).or_default();
            }
        }
    }
    noting.end_all(first + life.entries.len() - 1, !life.closed);
    Ok(())
}

/// The stretches of one recording.
struct Noting<'a> {
    model: &'a Model,
    carriers: &'a [(&'a str, CarrierKind)],
    ways: &'a mut BTreeMap<Way, Traffic>,
    sent: BTreeMap<Way, Stretch>,
    received: BTreeMap<Way, Stretch>,
}

impl Noting<'_> {
    fn way(&mut self, way: Way) -> &mut Traffic {
        let (name, kind) = self.carriers[way.2];
        let known = self.model.carriers.iter().find(|it| it.name == name && it.kind == kind);
        let doubles = known.is_some_and(|it| it.duplicates.is_some());
        self.ways.entry(way).or_insert_with(|| Traffic {
            ordered: kind != CarrierKind::Datagram,
            doubles,
            ..Traffic::default()
        })
    }

    fn sent(&mut self, way: Way, stretch: Stretch, open: bool, ended: Ended) {
        let traffic = self.way(way);
        traffic.sent.push((stretch, open));
        traffic.sent_ended.push(ended);
    }

    fn received(&mut self, way: Way, stretch: Stretch, ended: Ended) {
        let traffic = self.way(way);
        traffic.received.push(stretch);
        traffic.received_ended.push(ended);
    }

    /// The connection between `me` and `peer` has ended: what comes next goes over another.
    fn end(&mut self, me: usize, peer: usize, carrier: usize, ended: Ended) {
        if let Some(stretch) = self.sent.remove(&(me, peer, carrier)) {
            self.sent((me, peer, carrier), stretch, false, ended);
        }
        if let Some(stretch) = self.received.remove(&(peer, me, carrier)) {
            self.received((peer, me, carrier), stretch, ended);
        }
    }

    /// A life has ended, with `last` as its last step; `open` where more may have been sent than was written down.
    fn end_all(&mut self, last: Place, open: bool) {
        for (way, stretch) in std::mem::take(&mut self.sent) {
            self.sent(way, stretch, open, Ended::Life(last));
        }
        for (way, stretch) in std::mem::take(&mut self.received) {
            self.received(way, stretch, Ended::Life(last));
        }
    }
}

/// The states of all nodes after some of the steps.
struct Cut<'a> {
    model: &'a Model,
    states: Vec<NodeState>,
    up: Vec<bool>,
    /// Nodes that have not started. Until all have, no claim is looked at.
    waiting: BTreeSet<NodeId>,
    /// Claims that held.
    held: BTreeMap<&'static str, bool>,
    whole: bool,
}

impl<'a> Cut<'a> {
    fn new(model: &'a Model, whole: bool) -> Self {
        let ids = || (0..model.nodes.len() as u32).map(NodeId::new);
        let states = ids().map(|node| model.nodes[node.index()].init(node)).collect();
        let up = vec![false; model.nodes.len()];
        Cut { model, states, up, waiting: ids().collect(), held: BTreeMap::new(), whole }
    }

    /// What a step made false.
    fn step(&mut self, node: NodeId, taken: &Taken) -> Vec<Violation> {
        let faulted = taken.outcome.fault.is_some();
        self.up[node.index()] = !faulted;
        self.states[node.index()] = match faulted {
            true => self.model.nodes[node.index()].recover(node, &taken.before),
            false => taken.outcome.state.clone(),
        };
        self.waiting.remove(&node);
        if !self.whole || !self.waiting.is_empty() {
            return Vec::new();
        }
        let view = View::new(self.model, self);
        let mut now = BTreeMap::new();
        let mut violated = Vec::new();
        let claims =
            self.model.properties.iter().filter(|it| it.kind != PropertyKind::Reachable && !it.ghosts);
        for property in claims {
            let holds = fault::guard(|| (property.holds)(&view)).unwrap_or(false);
            if !holds && self.held.get(property.name) != Some(&false) {
                let why = fault::guard(|| (property.why)(&view)).unwrap_or_default();
                violated.push(Violation { property: property.name, why });
            }
            now.insert(property.name, holds);
        }
        self.held = now;
        violated
    }
}

impl States for Cut<'_> {
    fn layer(&self, node: NodeId, layer: usize) -> &Datum {
        &self.states[node.index()][layer]
    }

    fn up(&self, node: NodeId) -> bool {
        self.up[node.index()]
    }
}
