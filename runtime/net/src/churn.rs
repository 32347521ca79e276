//! When nodes go down and come back: as it was recorded, or by laws.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::delay::Delay;
use crate::file::{self, FileError, Law, shown};

/// The comings and goings of nodes, beside what a system says of their faults.
#[derive(Clone, Debug, PartialEq)]
pub enum Churn {
    /// As it was recorded: in the order of time.
    Recorded(Vec<Turn>),
    /// Each node by itself, up and down in turns.
    Laws(Vec<Turns>),
}

/// A node goes down, or comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When, in nanoseconds from the beginning.
    pub at: u64,
    /// Which, from 0.
    pub node: u32,
    /// Whether it is up from then on.
    pub up: bool,
    /// Whether it is the last turn of this node.
    pub last: bool,
}

/// Nodes of which each is up for a while, then down for a while, and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Turns {
    /// The nodes, from 0; None for all.
    pub nodes: Option<Vec<u32>>,
    /// How long one is up; None where it never goes down.
    pub up: Option<Delay>,
    /// How long one is down; None where it never comes back.
    pub down: Option<Delay>,
}

/// The most lines of a record, and nodes of laws.
const MOST: usize = 4_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    laws: Vec<LawFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LawFile {
    nodes: Option<Vec<u32>>,
    up: Option<Law>,
    down: Option<Law>,
}

impl Churn {
    /// A record as comma-separated values: the first line is `at_s,node,event`, each other a time in seconds from the beginning, a node
    /// by its number, and `down` or `up`. Times do not fall, and a node goes down and up in turns, up first. Lines that are empty or begin
    /// with `#` do not count.
    ///
    /// # Errors
    /// The line that is wrong.
    pub fn from_csv(text: &str) -> Result<Self, FileError> {
        let mut lines = file::lines(text);
        let Some((first, header)) = lines.next() else {
            return Err(FileError::new(0, "the record is empty"));
        };
        if !header.split(',').map(str::trim).eq(["at_s", "node", "event"]) {
            return Err(FileError::new(first, "the first line says what there is: `at_s,node,event`"));
        }
        let (mut turns, mut down) = (Vec::new(), BTreeMap::new());
        let mut last = 0_u64;
        for (number, line) in lines {
            let wrong = |what: String| FileError::new(number, what);
            let cells: Vec<&str> = line.split(',').map(str::trim).collect();
            let [at, node, event] = cells[..] else {
                return Err(wrong(format!(
                    "a time, a node and an event are expected, not {} cells",
                    cells.len()
                )));
            };
            let seconds: f64 =
                at.parse().map_err(|_| wrong(format!("`{}` is no time in seconds", shown(at))))?;
            // As far as the clock goes, with room to spare.
            if !(0.0..=1e9).contains(&seconds) {
                return Err(wrong(format!("a time is 0 to a billion seconds, not {}", shown(at))));
            }
            let at = (seconds * 1e9).round() as u64;
            if at < last {
                return Err(wrong(format!(
                    "times do not fall, and {seconds} s comes after {} s",
                    last as f64 / 1e9
                )));
            }
            last = at;
            let node: u32 = node
                .parse()
                .map_err(|_| wrong(format!("`{}` is no node: its number is meant", shown(node))))?;
            let up = match event {
                "up" => true,
                "down" => false,
                other => return Err(wrong(format!("an event is `down` or `up`, not `{}`", shown(other)))),
            };
            if down.insert(node, !up).unwrap_or(false) != up {
                let state = if up { "up" } else { "down" };
                return Err(wrong(format!("node {node} is {state} already")));
            }
            turns.push(Turn { at, node, up, last: false });
            if turns.len() > MOST {
                return Err(wrong(format!("a record has at most {MOST} lines")));
            }
        }
        let mut later = BTreeSet::new();
        turns.iter_mut().rev().for_each(|turn| turn.last = later.insert(turn.node));
        Ok(Churn::Recorded(turns))
    }

    /// Laws as JSON, of which each node may stand in one:
    ///
    /// ```json
    /// { "laws": [ { "nodes": [1, 2, 3], "up": { "weibull": { "scale_ms": 60000, "shape": 0.6 } }, "down": { "exponential_ms": 5000 } } ] }
    /// ```
    ///
    /// Without `nodes` it is that of all others, without `down` they never come back, and without `up` they never go down.
    ///
    /// # Errors
    /// The line, or the field that is wrong.
    pub fn from_json(text: &str) -> Result<Self, FileError> {
        let file: File = file::json(text)?;
        let (mut laws, mut seen, mut all) = (Vec::new(), BTreeMap::new(), None);
        for (place, law) in file.laws.into_iter().enumerate() {
            let place = format!("laws[{place}]");
            let twice = |node: &str, first: &String| {
                FileError::new(0, format!("`{place}`: {node} stand in `{first}` already"))
            };
            match &law.nodes {
                None => {
                    if let Some(first) = all.replace(place.clone()) {
                        return Err(twice("all other nodes", &first));
                    }
                }
                Some(nodes) => {
                    for node in nodes {
                        if let Some(first) = seen.insert(*node, place.clone()) {
                            return Err(twice(&format!("the turns of node {node}"), &first));
                        }
                    }
                }
            }
            let up = law.up.map(|up| up.delay(&format!("{place}.up"))).transpose()?;
            let down = law.down.map(|down| down.delay(&format!("{place}.down"))).transpose()?;
            if up.as_ref().is_some_and(|up| up.mean() == 0) {
                return Err(FileError::new(0, format!("`{place}.up`: nodes are up for some time")));
            }
            if up.is_none() && down.is_some() {
                return Err(FileError::new(0, format!("`{place}`: nodes that never go down are never down")));
            }
            laws.push(Turns { nodes: law.nodes, up, down });
        }
        Ok(Churn::Laws(laws))
    }

    /// The law of a node.
    pub fn law(&self, node: u32) -> Option<&Turns> {
        let Churn::Laws(laws) = self else { return None };
        let own = laws.iter().find(|law| law.nodes.as_ref().is_some_and(|nodes| nodes.contains(&node)));
        own.or_else(|| laws.iter().find(|law| law.nodes.is_none()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSV: &str = "at_s,node,event\n1.5, 3, down\n2, 0, down\n2, 3, up\n";

    #[test]
    fn a_record_is_read_in_its_order() {
        let turn = |at, node, up| Turn { at, node, up, last: at == 2_000_000_000 };
        let turns =
            [turn(1_500_000_000, 3, false), turn(2_000_000_000, 0, false), turn(2_000_000_000, 3, true)];
        assert_eq!(Churn::from_csv(CSV), Ok(Churn::Recorded(turns.to_vec())));
    }

    #[test]
    fn mistakes_in_a_record_are_told_with_their_line() {
        let wrong =
            |from: &str, to: &str| Churn::from_csv(&CSV.replacen(from, to, 1)).unwrap_err().to_string();
        let told = [
            (wrong("at_s", "at_ms"), "line 1: the first line says what there is: `at_s,node,event`"),
            (wrong("1.5", "1.5s"), "line 2: `1.5s` is no time in seconds"),
            (wrong("1.5", "-1"), "line 2: a time is 0 to a billion seconds, not -1"),
            (wrong("1.5", "NaN"), "line 2: a time is 0 to a billion seconds, not NaN"),
            (wrong("1.5", "7"), "line 3: times do not fall, and 2 s comes after 7 s"),
            (wrong(" 0,", " n[0],"), "line 3: `n[0]` is no node: its number is meant"),
            (wrong("0, down", "0, gone"), "line 3: an event is `down` or `up`, not `gone`"),
            (wrong("0, down", "0, up"), "line 3: node 0 is up already"),
            (wrong("3, up", "3, down"), "line 4: node 3 is down already"),
            (wrong(", up", ""), "line 4: a time, a node and an event are expected, not 2 cells"),
            (Churn::from_csv("").unwrap_err().to_string(), "the record is empty"),
        ];
        for (found, expected) in told {
            assert_eq!(found, expected);
        }
    }

    const JSON: &str = r#"{ "laws": [ { "nodes": [1, 2], "up": { "weibull": { "scale_ms": 60000, "shape": 0.6 } },
        "down": { "exponential_ms": 5000 } }, { "up": { "constant_ms": 10 } } ] }"#;

    #[test]
    fn laws_are_those_of_their_nodes_or_of_all_others() {
        let churn = Churn::from_json(JSON).unwrap();
        let of = |node| churn.law(node).unwrap();
        assert_eq!(of(1).up, Some(Delay::Weibull { scale: 60_000_000_000, shape: 0.6 }));
        assert_eq!((&of(7).up, &of(7).down), (&Some(Delay::Constant(10_000_000)), &None));
        assert!(Churn::from_csv(CSV).unwrap().law(0).is_none());
        let wrong =
            |from: &str, to: &str| Churn::from_json(&JSON.replacen(from, to, 1)).unwrap_err().to_string();
        let told = [
            (wrong("[1, 2]", "[1, 1]"), "`laws[0]`: the turns of node 1 stand in `laws[0]` already"),
            (wrong("\"nodes\": [1, 2],", ""), "`laws[1]`: all other nodes stand in `laws[0]` already"),
            (wrong("0.6", "0"), "`laws[0].up`: the shape is above 0 and finite, not 0"),
            (wrong("5000", "-5"), "a time of `laws[0].down` is negative: -5 ms"),
            (
                wrong("\"up\": { \"weibull\": { \"scale_ms\": 60000, \"shape\": 0.6 } },", ""),
                "`laws[0]`: nodes that never go down are never down",
            ),
            (wrong(": 10 ", ": 0 "), "`laws[1].up`: nodes are up for some time"),
        ];
        for (found, expected) in told {
            assert_eq!(found, expected);
        }
        for cut in 0..JSON.len() {
            assert!(Churn::from_json(&JSON[..cut]).is_err(), "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(text in "\\PC{0,200}", csv in "at_s,node,event(\n-?[0-9.e]{0,4},[0-9]{0,3},(up|down)?){0,4}") {
            let _ = (Churn::from_csv(&text), Churn::from_json(&text), Churn::from_csv(&csv));
        }
    }
}
