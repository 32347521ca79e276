//! Writing down what a service does, for `replay`: a line a step, by one blocking thread, so that no step waits for a disk.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use foresee_kernel::recording::{Entry, Happening, Writer, form};
use foresee_kernel::trace::{Choice, Origin};
use foresee_kernel::{CarrierInfo, Datum, Decision, Event, NodeEvent, NodeId, Violation, Wires, names};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Error;
use crate::host::now_nanos;
use crate::meter::Meter;

/// The most entries that wait to be written; beyond it the recording ends, and says so.
const WAITING_MAX: usize = 1 << 16;

/// Where a recording goes, and what it is of.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file; one that is there is replaced.
    pub file: PathBuf,
    /// The system that the node is part of.
    pub origin: Origin,
    /// The node's name in it.
    pub node: String,
}

/// What is written.
enum Line {
    Step(Box<Entry>),
    /// The node ends in good order, so long after the recording began.
    End(u64),
}

fn line(writer: &mut Writer, line: Line) -> String {
    match line {
        Line::Step(entry) => writer.line(*entry),
        Line::End(at) => writer.end(at),
    }
}

/// Notes the steps of one service. Dropping it says that the service ended in good order.
pub(crate) struct Recorder {
    lines: Option<mpsc::Sender<Line>>,
    began: Instant,
    wires: Arc<Wires>,
    meter: Arc<Meter>,
}

impl Recorder {
    /// Begins a recording; `checked` where the node checks itself.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn begin(
        recording: Recording,
        checked: bool,
        wires: Arc<Wires>,
        meter: Arc<Meter>,
    ) -> Result<Self, Error> {
        let Recording { file: path, origin, node } = recording;
        let what = format!("the recording {} cannot be written", path.display());
        let file = File::create(&path).map_err(|error| Error::io(what.clone(), error))?;
        let (mut writer, head) = Writer::new(origin, node, Some(now_nanos()), checked);
        let mut file = BufWriter::new(file);
        file.write_all(head.as_bytes())
            .and_then(|()| file.flush())
            .map_err(|error| Error::io(what, error))?;
        let (lines, mut waiting) = mpsc::channel::<Line>(WAITING_MAX);
        tokio::task::spawn_blocking(move || {
            while let Some(first) = waiting.blocking_recv() {
                let mut written = file.write_all(line(&mut writer, first).as_bytes());
                while let Ok(next) = waiting.try_recv() {
                    written = written.and_then(|()| file.write_all(line(&mut writer, next).as_bytes()));
                }
                if let Err(error) = written.and_then(|()| file.flush()) {
                    tracing::error!(path = %path.display(), %error, "the recording ends");
                    return;
                }
            }
        });
        Ok(Recorder { lines: Some(lines), began: Instant::now(), wires, meter })
    }

    /// Notes a step.
    pub(crate) fn note(
        &mut self,
        happening: Option<Happening>,
        decisions: &[Decision],
        outcome: Result<u64, String>,
        violated: &[Violation],
    ) {
        let (Some(lines), Some(happening)) = (&self.lines, happening) else { return };
        let choices = decisions.iter().map(|decision| Choice {
            site: decision.site.name.to_owned(),
            option: decision.label.clone(),
            picked: decision.picked,
            of: decision.options,
        });
        let at = self.began.elapsed().as_nanos() as u64;
        let mut entry = Entry::new(at, happening, choices.collect(), outcome);
        entry.violated = violated.iter().map(|it| it.property.to_owned()).collect();
        if lines.try_send(Line::Step(Box::new(entry))).is_err() {
            // A gap could not be replayed.
            tracing::error!("the recording ends: its disk is too slow, or refuses it");
            self.meter.lose("recording");
            self.lines = None;
        }
    }

    /// What happens to the node, as a recording says it. Called with the names of the nodes in scope.
    pub(crate) fn happening(&self, event: &NodeEvent, carriers: &[CarrierInfo]) -> Option<Happening> {
        let name = |node: &NodeId| names::of(*node).unwrap_or_else(|| node.index().to_string());
        let carrier = |place: u8| carriers[usize::from(place)].name.to_owned();
        let encoded = |datum: &Datum| Some(form(&datum.encode().ok()?));
        match event {
            NodeEvent::Layer(_, Event::Deliver { src, carrier: at, message }) => {
                let (place, bytes) = self.wires.encode(message)?;
                let (from, carrier, message) = (name(src), carrier(*at), format!("{message:?}"));
                Some(Happening::Deliver { from, carrier, message, place, wire: form(&bytes) })
            }
            NodeEvent::Broken { peer, carrier: at } => {
                Some(Happening::Broken { peer: name(peer), carrier: carrier(*at) })
            }
            NodeEvent::Layer(layer, Event::Timer(timer)) => {
                Some(Happening::Fire { layer: *layer, timer: format!("{timer:?}"), wire: encoded(timer)? })
            }
            NodeEvent::Layer(_, Event::Call(call)) => {
                let (place, bytes) = self.wires.encode_call(call)?;
                Some(Happening::Call { call: format!("{call:?}"), place, wire: form(&bytes) })
            }
            _ => None,
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(lines) = &self.lines {
            // Where there is no room, nobody learns that nothing is missing.
            let _ = lines.try_send(Line::End(self.began.elapsed().as_nanos() as u64));
        }
    }
}
