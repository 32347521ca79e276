//! A told path as a picture, or in the form of another tool: sequence diagrams as Mermaid and SVG, a log for ShiViz, a trace for ITF.
//!
//! All but ITF are drawn from a [`Scene`]: lanes, one for each node, and rows, one for each step. Nothing here walks a path.

mod debug;
mod itf;
pub(crate) mod map;
mod mermaid;
mod shiviz;
mod svg;

use std::sync::Arc;

use foresee_kernel::trace::{Action, Called, Connection, Ending, Transfer};
use foresee_kernel::{Model, NodeId};
use foresee_world::narrate::{self, Handled, Narration, Told};
use foresee_world::{Direct, Path, World};

use crate::args::TraceForm;
use crate::exit::Failure;
use crate::story;

/// What is drawn: a path through a model, told, and how it ends.
pub struct Drawn<'d> {
    pub model: &'d Arc<Model>,
    pub path: &'d Path,
    pub narration: &'d Narration,
    pub ending: &'d Ending,
}

impl Drawn<'_> {
    /// The text of it in another form than that of traces.
    pub fn render(&self, form: TraceForm) -> Result<String, Failure> {
        Ok(match form {
            TraceForm::Json => return Err(Failure::internal("a trace is not drawn")),
            TraceForm::Text => {
                let mut text = Vec::new();
                story::write(&mut text, self.narration)?;
                let ending = story::ending(self.ending);
                format!("{}{ending}\n", String::from_utf8_lossy(&text))
            }
            TraceForm::Mermaid => mermaid::write(&Scene::of(self)),
            TraceForm::Svg => svg::write(&Scene::of(self)),
            TraceForm::Shiviz => shiviz::write(&Scene::of(self)),
            TraceForm::Itf => itf::write(self, &self.worlds()?),
        })
    }

    fn worlds(&self) -> Result<Vec<World<Direct>>, Failure> {
        narrate::worlds(self.model, self.path).map_err(|error| Failure::internal(error.to_string()))
    }
}

/// Lanes and rows of a picture.
pub struct Scene {
    /// What it shows.
    pub title: String,
    /// The names of the nodes.
    pub lanes: Vec<String>,
    /// A row for each step.
    pub rows: Vec<Row>,
    /// What was sent and is still under way at the end: from, to, what, and the row in which it was sent.
    pub waiting: Vec<Flight>,
    /// How it ends.
    pub ending: String,
}

/// A step.
pub struct Row {
    /// What happened, in a few words.
    pub what: String,
    pub mark: Mark,
    /// What ran, what was chosen, and what changed.
    pub details: Vec<String>,
}

/// How a step is drawn.
pub enum Mark {
    /// A message from a lane to another; it was sent in the row of that number, or before the first.
    Arrow { from: usize, to: usize, sent: Option<usize>, fate: Fate },
    /// Something at one node.
    At(usize),
    /// Something that concerns these nodes; all, where there are none.
    Across(Vec<usize>),
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    IsLost,
    IsDoubled,
}

/// A message under way.
pub struct Flight {
    pub from: usize,
    pub to: usize,
    pub label: String,
    pub sent: usize,
}

impl Scene {
    fn of(drawn: &Drawn<'_>) -> Scene {
        let ids = (0..drawn.model.nodes.len() as u32).map(NodeId::new);
        let lanes = foresee_kernel::names::scope(&drawn.model.names, || {
            ids.map(|id| id.to_string()).collect::<Vec<String>>()
        });
        let mut drawing = Drawing { lanes: &lanes, sent: Vec::new() };
        let steps = drawn.narration.steps.iter().enumerate();
        let rows: Vec<Row> = steps.map(|(index, told)| drawing.row(index, told)).collect();
        let waiting = drawing.sent.iter().filter(|(_, _, used)| !used);
        let waiting = waiting.filter_map(|(sent, transfer, _)| {
            let (from, to) = (place(&lanes, &transfer.from)?, place(&lanes, &transfer.to)?);
            Some(Flight { from, to, label: transfer.message.clone(), sent: *sent })
        });
        let waiting = waiting.collect();
        let title = format!("{} {}", drawn.model.spec.name, drawn.model.system);
        Scene { title, rows, waiting, ending: story::ending(drawn.ending), lanes }
    }
}

fn place(lanes: &[String], name: &str) -> Option<usize> {
    lanes.iter().position(|lane| lane == name)
}

/// Remembers what was sent, so that an arrow begins where its message did.
struct Drawing<'l> {
    lanes: &'l [String],
    /// The row, the message, and whether something became of it.
    sent: Vec<(usize, Transfer, bool)>,
}

impl Drawing<'_> {
    fn row(&mut self, index: usize, told: &Told) -> Row {
        let mark = self.mark(told);
        self.sent.extend(told.sent.iter().map(|sent| (index, sent.clone(), false)));
        Row { what: words(told), mark, details: details(told) }
    }

    fn mark(&mut self, told: &Told) -> Mark {
        let arrow = |drawing: &mut Self, transfer: &Transfer, fate| {
            let sent = drawing.take(transfer, fate);
            let (from, to) = (drawing.lane(&transfer.from), drawing.lane(&transfer.to));
            match (from, to) {
                (Some(from), Some(to)) => Mark::Arrow { from, to, sent, fate },
                _ => Mark::Across(Vec::new()),
            }
        };
        let at = |lane: Option<usize>| lane.map_or(Mark::Across(Vec::new()), Mark::At);
        match &told.action {
            None => at(told.node.as_deref().and_then(|node| self.lane(node))),
            Some(Action::Deliver(transfer)) => arrow(self, transfer, Fate::Arrives),
            Some(Action::Drop(transfer) | Action::Miss(transfer)) => arrow(self, transfer, Fate::IsLost),
            Some(Action::Duplicate(transfer)) => arrow(self, transfer, Fate::IsDoubled),
            Some(
                Action::Start { node }
                | Action::Fire { node, .. }
                | Action::Restart { node }
                | Action::Reset { node, .. }
                | Action::Call(Called { node, .. })
                | Action::Broken(Connection { node, .. })
                | Action::Lapse(Connection { node, .. }),
            ) => at(self.lane(node)),
            Some(Action::Cut { connection: Connection { node, peer, .. }, .. }) => {
                Mark::Across([node, peer].into_iter().filter_map(|node| self.lane(node)).collect())
            }
            Some(
                Action::Crash { nodes, .. }
                | Action::Partition { side: nodes, .. }
                | Action::Heal { side: nodes },
            ) => {
                let lanes: Vec<usize> = nodes.iter().filter_map(|node| self.lane(node)).collect();
                match lanes.as_slice() {
                    [one] => Mark::At(*one),
                    _ => Mark::Across(lanes),
                }
            }
        }
    }

    fn lane(&self, name: &str) -> Option<usize> {
        place(self.lanes, name)
    }

    /// The row in which a message was sent; the oldest that is alike and of which nothing became, else the oldest that is alike.
    fn take(&mut self, transfer: &Transfer, fate: Fate) -> Option<usize> {
        let open = self.sent.iter().position(|(_, sent, used)| !used && sent == transfer);
        if let Some(open) = open {
            self.sent[open].2 |= fate != Fate::IsDoubled;
            return Some(self.sent[open].0);
        }
        self.sent.iter().find(|(_, sent, _)| sent == transfer).map(|(row, _, _)| *row)
    }
}

/// A step in a few words: what arrows and boxes are labelled with.
fn words(told: &Told) -> String {
    match &told.action {
        None => "starts".to_owned(),
        Some(
            Action::Deliver(transfer)
            | Action::Drop(transfer)
            | Action::Duplicate(transfer)
            | Action::Miss(transfer),
        ) => transfer.message.clone(),
        Some(Action::Fire { timer, .. }) => format!("timer {timer}"),
        Some(Action::Call(Called { call, .. })) => call.clone(),
        Some(Action::Broken(Connection { peer, .. })) => format!("connection to {peer} broken"),
        Some(Action::Lapse(Connection { peer, .. })) => format!("the rest from {peer} is lost"),
        Some(Action::Start { .. }) => "starts".to_owned(),
        Some(Action::Restart { .. }) => "restart".to_owned(),
        Some(Action::Reset { .. }) => "silent reset".to_owned(),
        Some(Action::Crash { .. }) => "crash".to_owned(),
        Some(Action::Cut { .. }) => "cut".to_owned(),
        Some(Action::Partition { side, .. }) => format!("partition: {}", side.join(", ")),
        Some(Action::Heal { side }) => format!("heal: {}", side.join(", ")),
    }
}

fn details(told: &Told) -> Vec<String> {
    let ran = told.ran.iter().map(|handled| match handled {
        Handled::Handler { service, name, line, .. } => format!("{service}.{name} (line {line})"),
        Handled::Consumed { service, meant: true } => format!("{service} ignores it"),
        Handled::Consumed { service, meant: false } => format!("{service} has no handler for it"),
    });
    let choices = told.choices.iter().map(|choice| format!("choice {}: {}", choice.site, choice.option));
    let changes = told.changes.iter().map(|change| {
        let narrate::Change { node, path, variable, before, after, .. } = change;
        format!("{node}.{path}{variable}: {before} -> {after}")
    });
    let fault = told.fault.iter().map(|fault| format!("fault: {fault}"));
    ran.chain(choices).chain(changes).chain(fault).collect()
}
