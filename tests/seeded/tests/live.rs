//! A bug of the table in production: real processes, of which one checks itself, says what is violated, and writes it down. What it
//! recorded shows the same violation on a desk.

use std::process::Command;

use live_tests::process::{self, output, page, peers_of, stop, text, until};
use serde_json::Value;

fn command(bug: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seeded-bugs"));
    command.arg(bug);
    command
}

/// A peer that asks for one block more than its window has room for asks another that has the file.
#[test]
fn a_seeded_bug_is_violated_live_and_its_recording_replays_the_same_violation() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["seed", "n[0]", "n[1]"].map(str::to_owned);
    let (peers, addresses) = peers_of(folder.path(), &names);
    let record = |checked: bool| folder.path().join(format!("{checked}.jsonl"));
    let node = |index: usize, more: &[&str]| {
        let mut command = command("swarm_greedy");
        command.args(["node", "--system", "Small", "--node", &names[index], "--volatile", "--log", "error"]);
        command.args(["--listen", &addresses[index].to_string(), "--http", "127.0.0.1:0", "--seed", "1"]);
        command.arg("--peers").arg(&peers).args(more);
        process::start(command)
    };
    let mut greedy = node(1, &["--check-local", "--record", text(&record(true))]);
    assert_eq!(page(&greedy.http, "/health").0, 200, "nothing is violated yet");
    let mut silent = node(2, &["--record", text(&record(false))]);
    // Who has what they want comes last.
    let mut seed = node(0, &["--check-local"]);
    until("the violation", || page(&greedy.http, "/health").0 == 500);
    let (_, health) = page(&greedy.http, "/health");
    assert!(health.contains("Small: running\nSmall: violated: window: a counterexample to "), "{health}");
    assert!(
        health.contains("is n: n[0]; ")
            && health.contains("n.wanted.len() is 2")
            && health.contains("n.window is 1"),
        "{health}"
    );
    let counted = "foresee_violations_total{service=\"Small\",property=\"window\"} ";
    let (_, metrics) = page(&greedy.http, "/metrics");
    assert!(metrics.contains(counted), "{metrics}");
    // One that has the bug and does not look says nothing; one that does no wrong is well.
    assert_eq!(page(&silent.http, "/health").0, 200);
    assert_eq!(page(&seed.http, "/health").0, 200);
    for node in [&mut greedy, &mut silent, &mut seed] {
        assert_eq!(stop(node, libc::SIGTERM), Some(0));
    }
    for checked in [true, false] {
        let file = record(checked);
        let (code, out, err) = output(command("swarm_greedy").args(["replay", text(&file)]));
        assert_eq!((code, err.as_str()), (Some(1), ""), "{out}");
        assert!(out.contains("        violates `window`\n        a counterexample to `"), "{out}");
        let (code, out, _) =
            output(command("swarm_greedy").args(["replay", text(&file), "--format", "json"]));
        let found: Value = serde_json::from_str(&out).expect("a report");
        let violations = found["violations"].as_array().expect("a list");
        assert!(violations.iter().all(|it| it["property"] == "window"), "{violations:?}");
        // The live node has written down where, and the desk finds it there.
        let recorded = std::fs::read_to_string(&file).expect("it is read");
        let lines =
            recorded.lines().enumerate().filter(|(_, line)| line.contains("\"violated\":[\"window\"]"));
        let recorded: Vec<usize> = lines.map(|(line, _)| line).collect();
        let steps: Vec<usize> =
            violations.iter().filter_map(|it| it["step"].as_u64()).map(|step| step as usize).collect();
        assert_eq!(code, Some(1));
        assert!(!steps.is_empty());
        assert_eq!(recorded, if checked { steps } else { vec![] }, "{checked}");
    }
}

/// A peer that says too soon that it has all: another claim, and no other.
#[test]
fn another_bug_violates_another_claim() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["seed", "n[0]", "n[1]"].map(str::to_owned);
    let (peers, addresses) = peers_of(folder.path(), &names);
    let node = |index: usize| {
        let mut command = command("swarm_boastful");
        command.args(["node", "--system", "Small", "--node", &names[index], "--volatile", "--log", "error"]);
        command.args(["--listen", &addresses[index].to_string(), "--http", "127.0.0.1:0", "--check-local"]);
        command.arg("--peers").arg(&peers);
        process::start(command)
    };
    let nodes = [1, 2, 0].map(node);
    until("another claim is violated", || page(&nodes[0].http, "/health").0 == 500);
    let (_, health) = page(&nodes[0].http, "/health");
    assert!(health.contains("violated: honest") && !health.contains("violated: window"), "{health}");
}
