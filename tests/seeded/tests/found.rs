//! Every bug is found by the search that the table names, as a violation of the property that it names, with a trace that replays.

use foresee::app::Exit;
use seeded_bugs::{BUGS, run, search};
use serde_json::Value;

/// The bugs that take longer than a second to find.
const SLOW: &[&str] = &["paxos_promises_below"];

fn found(names: impl Fn(&str) -> bool) {
    let folder = tempfile::tempdir().expect("a folder");
    for (index, bug) in BUGS.iter().enumerate().filter(|(_, bug)| names(bug.name)) {
        let trace = folder.path().join(bug.name).display().to_string();
        let more = ["--format", "json", "--trace-out", &trace].map(str::to_owned);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run(index, &[search(bug), more.to_vec()].concat(), &mut out, &mut err);
        let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
        assert_eq!(exit, Exit::Violation, "{}: {out}{err}", bug.name);
        let report: Value = serde_json::from_str(&out).expect("a report");
        assert_eq!(report["counterexample"]["property"], bug.property, "{}", bug.name);
        // A fault says itself what it is.
        let says_why = report["counterexample"]["why"].as_array().is_some_and(|why| !why.is_empty());
        assert!(says_why || bug.property == "no_fault", "{out}");
        let exit = run(index, &["replay".to_owned(), trace], &mut Vec::new(), &mut Vec::new());
        assert_eq!(exit, Exit::Violation, "{} replays", bug.name);
    }
}

#[test]
fn every_bug_is_found_and_its_trace_replays() {
    found(|name| !SLOW.contains(&name));
}

#[test]
#[ignore = "takes seconds"]
fn bugs_that_take_longer_are_found() {
    found(|name| SLOW.contains(&name));
}
