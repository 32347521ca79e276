//! Scenarios: golden scripts that a spec holds about one of its systems, as the compiler hands them over.
//!
//! A script is data: a table of lines. What a line speaks of (nodes, arguments, values) is worked out from the [`View`] of
//! the state in which its turn comes. Nothing here carries a script out; that is the simulator's.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Datum, NodeId, View};

/// A scenario.
#[derive(Debug)]
pub struct ScenarioInfo {
    /// Its name.
    pub name: &'static str,
    /// The spec's path as it was given to the compiler.
    pub file: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// The system that it runs in.
    pub system: &'static str,
    /// What it does and expects, in order.
    pub script: &'static [ScriptLine],
}

/// A command of a scenario.
#[derive(Debug)]
pub struct ScriptLine {
    /// As written, on one line, without the semicolon.
    pub text: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// What is to be done.
    pub command: Command,
}

/// What a line of a script says.
pub enum Command {
    /// This happens.
    Do(fn(&View<'_>) -> Act),
    /// This could not happen.
    Refuse(fn(&View<'_>) -> Act),
    /// Messages arrive until none is in flight.
    RunQuiet,
    /// Everything happens that comes within some time.
    RunFor(fn(&View<'_>) -> Duration),
    /// Everything happens that comes until something holds.
    RunUntil(fn(&View<'_>) -> bool),
    /// Something holds.
    Expect(fn(&View<'_>) -> Claim),
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Command::Do(_) => "Do",
            Command::Refuse(_) => "Refuse",
            Command::RunQuiet => "RunQuiet",
            Command::RunFor(_) => "RunFor",
            Command::RunUntil(_) => "RunUntil",
            Command::Expect(_) => "Expect",
        })
    }
}

/// Something that a script makes happen.
pub enum Act {
    /// The application calls.
    Call {
        /// The node that is called.
        node: NodeId,
        /// The layer that is called, the top being 0.
        layer: u8,
        /// The downcall; a request is given this number.
        call: Arc<dyn Fn(u64) -> Datum + Send + Sync>,
        /// How its step goes.
        pin: Option<Pin>,
    },
    /// A message arrives.
    Deliver(Wanted, Option<Pin>),
    /// A message is lost.
    Drop(Wanted),
    /// A message is doubled.
    Duplicate(Wanted),
    /// A timer fires.
    Fire {
        /// The node.
        node: NodeId,
        /// The layer whose timer it is.
        layer: u8,
        /// The timer with its arguments.
        timer: Datum,
        /// How its step goes.
        pin: Option<Pin>,
    },
    /// A node stops.
    Crash(NodeId),
    /// A node that had stopped starts again.
    Restart(NodeId),
    /// A node stops and starts again at once, and its peers are not told.
    Reset(NodeId),
    /// Nothing passes between these and those.
    Partition(Vec<NodeId>, Vec<NodeId>),
    /// The ordered connections between two nodes break.
    Cut(NodeId, NodeId),
    /// All partitions are over.
    Heal,
}

/// A message that a script speaks of: the oldest in flight that is like this.
pub struct Wanted {
    /// The message's name, for people.
    pub kind: &'static str,
    /// Whether a message is one of these.
    pub is: fn(&Datum) -> bool,
    /// Its sender; anyone where it is not said.
    pub from: Option<NodeId>,
    /// Its receiver.
    pub to: NodeId,
}

/// `as pass(child: n[2])`: how the choices of a step go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The service of the handler.
    pub service: &'static str,
    /// The handler.
    pub handler: &'static str,
    /// What its head binds, in its order, each with the value that it is to have; None for any.
    pub head: Vec<(&'static str, Option<String>)>,
    /// Sites in its body, each with the option that is to be taken.
    pub body: Vec<(&'static str, String)>,
}

/// What became of an expectation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Whether it holds.
    pub holds: bool,
    /// Where it does not: its parts as written, each with its value.
    pub seen: Vec<(&'static str, String)>,
}

impl Pin {
    /// Whether `label` is that of an option that the pin allows where a handler is picked: `pass(child: n[2])`.
    pub fn allows(&self, label: &str) -> bool {
        let Some(rest) = label.strip_prefix(self.handler) else { return false };
        if self.head.is_empty() {
            return rest.is_empty();
        }
        let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        inner.is_some_and(|inner| matches(inner, &self.head))
    }

    /// The option that the pin gives the site of this name in the handler's body.
    pub fn answer(&self, site: &str) -> Option<&str> {
        self.body.iter().find(|(known, _)| *known == site).map(|(_, option)| option.as_str())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.handler)?;
        let head = self.head.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?)));
        // A choice of the handler's own has its bare name, one of a routine the routine's before it.
        let own = |site: &'static str| site.strip_prefix(self.handler).and_then(|it| it.strip_prefix('.'));
        let short = |site: &'static str| own(site).unwrap_or(site);
        let body = self.body.iter().map(|(site, option)| (short(site), option));
        let all: Vec<String> = head.chain(body).map(|(name, value)| format!("{name}: {value}")).collect();
        if all.is_empty() { Ok(()) } else { write!(f, "({})", all.join(", ")) }
    }
}

/// Whether `text` is `a: x, b: y` with these names and values, a value that is not given being anything.
fn matches(text: &str, head: &[(&'static str, Option<String>)]) -> bool {
    let Some(((name, value), rest)) = head.split_first() else { return text.is_empty() };
    let Some(text) = text.strip_prefix(name).and_then(|text| text.strip_prefix(": ")) else { return false };
    match value {
        Some(value) => text.strip_prefix(value.as_str()).is_some_and(|text| match rest {
            [] => text.is_empty(),
            _ => text.strip_prefix(", ").is_some_and(|text| matches(text, rest)),
        }),
        None if rest.is_empty() => true,
        None => text.match_indices(", ").any(|(at, comma)| matches(&text[at + comma.len()..], rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(head: &[(&'static str, Option<&str>)]) -> Pin {
        let head = head.iter().map(|(name, value)| (*name, value.map(str::to_owned))).collect();
        Pin { service: "S", handler: "pass", head, body: vec![("pass.to", "n[1]".to_owned())] }
    }

    #[test]
    fn a_pin_allows_what_it_leaves_open_and_nothing_else() {
        assert!(pin(&[]).allows("pass"));
        assert!(!pin(&[]).allows("passes") && !pin(&[]).allows("pass(child: n[2])"));
        let child = pin(&[("child", Some("n[2]"))]);
        assert!(child.allows("pass(child: n[2])"));
        assert!(!child.allows("pass(child: n[21])") && !child.allows("pass(child: n[1])"));
        let second = pin(&[("a", None), ("b", Some("7"))]);
        assert!(second.allows("pass(a: {1, 2}, b: 7)"));
        assert!(!second.allows("pass(a: {1, 2}, b: 8)"));
        assert!(pin(&[("a", None), ("b", None)]).allows("pass(a: (1, 2), b: 8)"));
    }

    #[test]
    fn a_pin_is_told_as_it_is_written() {
        assert_eq!(
            pin(&[("child", Some("n[2]")), ("other", None)]).to_string(),
            "pass(child: n[2], to: n[1])"
        );
    }
}
