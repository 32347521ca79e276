//! Recordings: what one live node did, line by line, so that it can be walked through again on a desk.
//!
//! A [`crate::Trace`] tells the run of a whole system; a live node knows its own part alone. A recording is written while the
//! node runs and may end anywhere, since a process may be killed: its first line is the [`Head`], and every further line is an [`Entry`],
//! sealed over all before it. A node that ends in good order says so in a last line. A line that was not finished is left out; anything
//! else that does not fit is refused.

use std::collections::BTreeMap;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};

use crate::trace::{Choice, Origin, hex};
use crate::{Digest, NodeState, Rows, TraceError, wire};

/// The version of the format.
pub const VERSION: u32 = 1;

/// What the first line begins with.
pub const FORMAT: &str = "foresee-recording";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Always [`FORMAT`].
    pub format: String,
    /// The version of the format.
    pub version: u32,
    /// The system that the node is part of.
    pub origin: Origin,
    /// The node, by its name in the system.
    pub node: String,
    /// When it began, in nanoseconds since 1970 by the clock of its machine; not known of older recordings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_nanos: Option<u64>,
    /// Whether the node checked after each step what it can decide alone ([`crate::LocalClaims`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checked: bool,
    /// The seal over this line.
    #[serde(default)]
    seal: String,
}

/// What happened to the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It started, with what was on disk.
    Start {
        /// Which life it is; its requests are numbered from this, shifted by 32 bits.
        life: u64,
        /// The durable variables of every layer that has some, in hexadecimal: postcard of layers, variables and rows.
        durable: String,
    },
    /// A message arrived.
    Deliver {
        /// The sender.
        from: String,
        /// The carrier.
        carrier: String,
        /// The message, as people read it.
        message: String,
        /// The place of its type.
        place: u16,
        /// Its wire form in hexadecimal.
        wire: String,
    },
    /// A connection broke.
    Broken {
        /// The other end.
        peer: String,
        /// The carrier.
        carrier: String,
    },
    /// A timer fired.
    Fire {
        /// The layer, the top being 0.
        layer: u8,
        /// The timer with its arguments.
        timer: String,
        /// Its wire form in hexadecimal.
        wire: String,
    },
    /// The program made a call.
    Call {
        /// The call with its arguments.
        call: String,
        /// The place of its type among the calls.
        place: u16,
        /// Its wire form in hexadecimal.
        wire: String,
    },
}

/// One step of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Nanoseconds since the recording began.
    pub at_nanos: u64,
    /// What happened.
    pub happening: Happening,
    /// How the step's points were answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// The digest of the node's state after the step, in hexadecimal; empty where the step faulted.
    pub state: String,
    /// Why the step had no effect, if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The claims that the step made false, where the node checked them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<String>,
    /// The seal over all lines up to this one.
    #[serde(default)]
    seal: String,
}

impl Entry {
    /// An entry that is not sealed yet.
    pub fn new(
        at_nanos: u64,
        happening: Happening,
        choices: Vec<Choice>,
        outcome: Result<u64, String>,
    ) -> Self {
        let (state, fault) = match outcome {
            Ok(state) => (format!("{state:016x}"), None),
            Err(fault) => (String::new(), Some(fault)),
        };
        let (violated, seal) = (Vec::new(), String::new());
        Entry { at_nanos, happening, choices, state, fault, violated, seal }
    }
}

/// The last line of a node that ended in good order: nothing is missing behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    /// Nanoseconds since the recording began.
    ended_nanos: u64,
    #[serde(default)]
    seal: String,
}

/// A recording that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The first line.
    pub head: Head,
    /// The steps, each in the line two after its place.
    pub entries: Vec<Entry>,
    /// When the node ended in good order, in nanoseconds since the recording began; None where it was killed, or still runs.
    pub ended_nanos: Option<u64>,
}

/// Makes the lines of a recording, one after another.
#[derive(Debug)]
pub struct Writer {
    digest: Digest,
}

impl Writer {
    /// A writer, and the first line; `began_nanos` is the time since 1970, `checked` whether the node checks itself.
    pub fn new(origin: Origin, node: String, began_nanos: Option<u64>, checked: bool) -> (Self, String) {
        let mut writer = Writer { digest: Digest::new() };
        let seal = String::new();
        let head =
            Head { format: FORMAT.to_owned(), version: VERSION, origin, node, began_nanos, checked, seal };
        let seal = writer.seal(&head);
        (writer, line(&Head { seal, ..head }))
    }

    /// The line of the next entry, whatever seal it had elsewhere.
    pub fn line(&mut self, entry: Entry) -> String {
        let entry = Entry { seal: String::new(), ..entry };
        let seal = self.seal(&entry);
        line(&Entry { seal, ..entry })
    }

    /// The last line, where the node ends in good order.
    pub fn end(&mut self, ended_nanos: u64) -> String {
        let closed = Closed { ended_nanos, seal: String::new() };
        let seal = self.seal(&closed);
        line(&Closed { seal, ..closed })
    }

    /// Folds in something without its seal, and gives the seal.
    fn seal(&mut self, value: &impl Serialize) -> String {
        self.digest.write(serde_json::to_string(value).unwrap_or_default().as_bytes());
        format!("{:016x}", self.digest.finish())
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

/// Whether a text is meant to be a recording.
pub fn is_recording(text: &str) -> bool {
    text.starts_with(&format!("{{\"format\":\"{FORMAT}\""))
}

/// Reads a recording and checks its seals. A last line without its end is left out.
///
/// # Errors
/// A text that is no recording, of another version, or not what was once written; with the place.
pub fn read(text: &str) -> Result<Contents, TraceError> {
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let mut lines = whole.lines().enumerate();
    let (_, first) =
        lines.next().ok_or_else(|| TraceError::at("line 1", "the head is missing".to_owned()))?;
    let head: Head = parse(1, first)?;
    if head.format != FORMAT || head.version != VERSION {
        let message = format!("{} of version {} cannot be read", head.format, head.version);
        return Err(TraceError::at("line 1", message));
    }
    let mut writer = Writer { digest: Digest::new() };
    let changed = |number: usize| {
        TraceError::at(
            &format!("line {number}"),
            "its seal does not match: it was changed after it was written".to_owned(),
        )
    };
    if writer.seal(&Head { seal: String::new(), ..head.clone() }) != head.seal {
        return Err(changed(1));
    }
    let (mut entries, mut ended_nanos) = (Vec::new(), None);
    for (index, line) in lines {
        if ended_nanos.is_some() {
            let message = "the node had ended before, and this comes after".to_owned();
            return Err(TraceError::at(&format!("line {}", index + 1), message));
        }
        if let Ok(closed) = serde_json::from_str::<Closed>(line) {
            if writer.seal(&Closed { seal: String::new(), ..closed.clone() }) != closed.seal {
                return Err(changed(index + 1));
            }
            ended_nanos = Some(closed.ended_nanos);
            continue;
        }
        let entry: Entry = parse(index + 1, line)?;
        if writer.seal(&Entry { seal: String::new(), ..entry.clone() }) != entry.seal {
            return Err(changed(index + 1));
        }
        entries.push(entry);
    }
    Ok(Contents { head, entries, ended_nanos })
}

fn parse<'t, T: Deserialize<'t>>(number: usize, line: &'t str) -> Result<T, TraceError> {
    serde_json::from_str(line).map_err(|error| TraceError::at(&format!("line {number}"), error.to_string()))
}

/// The bytes of a hexadecimal text.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The durable variables of layers, by their services, as [`Happening::Start`] holds them.
pub type Durable = BTreeMap<String, Rows>;

/// Durable variables as a recording writes them.
pub fn durable_text(durable: &Durable) -> String {
    // Maps of bytes and texts have a wire form.
    hex(&postcard::to_stdvec(durable).unwrap_or_default())
}

/// The durable variables in the bytes of a recording.
///
/// # Errors
/// Bytes that are none.
pub fn durable(bytes: &[u8]) -> Result<Durable, String> {
    wire::decode(bytes).map_err(|error| format!("the durable variables cannot be read: {error}"))
}

/// The digest of a node's state that a recording compares.
pub fn digest(state: &NodeState) -> u64 {
    let mut digest = Digest::new();
    state.iter().for_each(|layer| digest.write_u64(layer.digest()));
    digest.finish()
}

/// A wire form as a recording writes it.
pub fn form(bytes: &[u8]) -> String {
    hex(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        written().1
    }

    fn written() -> (Writer, String) {
        let origin = Origin {
            spec: "s".into(),
            spec_hash: "0".into(),
            system: "S".into(),
            parameters: vec![],
            writer: "node".into(),
            seed: Some(1),
            scenario: None,
            faults: vec![],
            unbudgeted: false,
        };
        let (mut writer, mut text) = Writer::new(origin, "n[0]".into(), Some(3), false);
        for life in 0..3 {
            let happening = Happening::Start { life, durable: form(&[0xab, life as u8]) };
            text += &writer.line(Entry::new(life, happening, vec![], Ok(life)));
        }
        (writer, text)
    }

    #[test]
    fn a_node_that_ends_in_good_order_says_so_last() {
        let (mut writer, mut text) = written();
        text += &writer.end(9);
        let read_back = read(&text).expect("it is whole");
        assert_eq!((read_back.entries.len(), read_back.ended_nanos), (3, Some(9)));
        assert!(read(&text.replace("ended_nanos\":9", "ended_nanos\":8")).is_err(), "it was changed");
        let more = Entry::new(10, Happening::Start { life: 7, durable: String::new() }, vec![], Ok(1));
        text += &writer.line(more);
        assert_eq!(read(&text).expect_err("there is more").place, "line 6");
    }

    #[test]
    fn a_recording_reads_back_as_far_as_it_was_written() {
        let text = text();
        assert!(is_recording(&text));
        let Contents { head, entries, ended_nanos } = read(&text).expect("it is whole");
        assert_eq!((head.node.as_str(), entries.len(), ended_nanos), ("n[0]", 3, None));
        let cut = read(&text[..text.len() - 5]).expect("its last line is cut");
        assert_eq!(cut.entries, entries[..2]);
        assert_eq!(unhex("ab02"), Some(vec![0xab, 2]));
    }

    #[test]
    fn a_changed_recording_is_refused_with_the_line() {
        let text = text();
        for (from, to, line) in [("\"at_nanos\":1", "\"at_nanos\":7", "line 3"), ("n[0]", "n[1]", "line 1")] {
            let error = read(&text.replacen(from, to, 1)).expect_err("it was changed");
            assert_eq!(error.place, line);
        }
        let lines: Vec<&str> = text.lines().collect();
        let gap = [lines[0], lines[2], lines[3], ""].join("\n");
        assert_eq!(read(&gap).expect_err("a line is missing").place, "line 2");
        assert!(read("").is_err());
    }
}
