//! `merge`: the recordings of real processes as one run, in an order in which nothing arrives before it was sent; and as a trace.

use std::path::{Path, PathBuf};
use std::process::Command;

use foresee::kernel::recording::{Contents, Writer, read};
use live_tests::process::{self, Process, counter, peers_of, start, stop, text, until};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_desk"));
    command.args(arguments);
    command
}

/// What `merge` comes to.
fn merge(files: &[PathBuf], more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = command(&["merge"]);
    process::output(command.args(files).args(more))
}

/// Three nodes that send beats to each other, of which one is killed and comes back. Their recordings.
fn run(folder: &Path) -> Vec<PathBuf> {
    let names: Vec<String> = (0..3).map(|index| format!("pulse[{index}]")).collect();
    let (peers, addresses) = peers_of(folder, &names);
    let file = |index: usize, life: u32| folder.join(format!("{index}-{life}.jsonl"));
    let node = |index: usize, life: u32| {
        let mut command = command(&["node", "--system", "Pulses", "--log", "error", "--http", "127.0.0.1:0"]);
        command.args(["--node", &names[index], "--listen", &addresses[index].to_string()]);
        command.arg("--peers").arg(&peers).arg("--data").arg(folder.join(index.to_string()));
        command.arg("--record").arg(file(index, life));
        start(command)
    };
    let mut nodes: Vec<Process> = (0..3).map(|index| node(index, 0)).collect();
    for node in &nodes {
        until("beats arrive", || counter(&node.http, "messages_received") > 20);
    }
    assert_eq!(stop(&mut nodes[1], libc::SIGKILL), None);
    until("the break is told", || counter(&nodes[0].http, "breaks") > 0);
    until("the break is told", || counter(&nodes[2].http, "breaks") > 0);
    nodes[1] = node(1, 1);
    until("beats arrive again", || counter(&nodes[1].http, "messages_received") > 20);
    for node in &mut nodes {
        assert_eq!(stop(node, libc::SIGTERM), Some(0));
    }
    vec![file(0, 0), file(1, 0), file(1, 1), file(2, 0)]
}

/// The recording in `file` as by a machine whose clock is early by so many nanoseconds.
fn early(file: &Path, by: u64) -> PathBuf {
    let Contents { head, entries, ended_nanos } =
        read(&std::fs::read_to_string(file).expect("it is read")).expect("it is a recording");
    let began = head.began_nanos.map(|began| began - by);
    let (mut writer, mut text) = Writer::new(head.origin, head.node, began, head.checked);
    entries.into_iter().for_each(|entry| text += &writer.line(entry));
    ended_nanos.into_iter().for_each(|at| text += &writer.end(at));
    let path = file.with_extension("early.jsonl");
    std::fs::write(&path, text).expect("it is written");
    path
}

/// The number before a word in what `merge` says in the end.
fn number(out: &str, behind: &str) -> usize {
    let line =
        out.lines().rev().find(|line| line.contains(behind)).unwrap_or_else(|| panic!("{behind}: {out}"));
    let before = line.split(behind).next().and_then(|rest| rest.split_whitespace().last());
    before.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{behind}: {line}"))
}

#[test]
fn recordings_of_a_cluster_merge_by_causality_whatever_the_clocks_say() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let files = run(folder.path());
    let trace = folder.path().join("trace.json");
    let (code, out, err) = merge(&files, &["--trace-out", text(&trace), "--fault", "crash=9"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains(" steps of 3 nodes, from 4 recordings"), "{out}");
    let (explained, arrived) = (number(&out, " of "), number(&out, " messages that arrived"));
    assert!(arrived > 60 && explained <= arrived, "{explained} {arrived}");
    // The one that was killed may not have written down the last that it sent.
    assert!(arrived - explained < 20, "{explained} of {arrived}");
    // The system lets one node crash; the others, which stopped in the end, are more than it knows.
    let (code, _, err) = merge(&files, &["--trace-out", text(&trace)]);
    assert_eq!(code, Some(2));
    assert!(err.contains("the system does not let pulse["), "{err}");
    // The trace is one of the whole system: it has the crash, and replays as any other.
    let (code, story, err) = process::output(&mut command(&["replay", text(&trace)]));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{story}");
    assert!(story.contains("crash pulse[1]") && story.contains("restart pulse[1]"), "{story}");
    assert!(story.contains("pulse[0]: its connection to pulse[1] is broken"), "{story}");
    // One clock is ten seconds early: by time alone, all that the others sent would arrive before it was sent.
    let mut skewed = files.clone();
    skewed[0] = early(&files[0], 10_000_000_000);
    let (code, out, err) = merge(&skewed, &["--trace-out", text(&trace), "--fault", "crash=9"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(number(&out, " by the clocks") > 5, "{out}");
    assert_eq!((number(&out, " of "), number(&out, " messages that arrived")), (explained, arrived));
    // Without the other life of the node that was killed, what it sent in it has no sender; so it is said.
    let (code, out, _) = merge(&[files[0].clone(), files[1].clone(), files[3].clone()], &[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(number(&out, " were sent by steps that no recording has") > 0, "{out}");
    // What does not fit is refused, with its place.
    let (code, _, err) = merge(&[files[0].clone(), files[0].clone()], &[]);
    assert_eq!(code, Some(2));
    assert!(err.contains("are of the same life of pulse[0]"), "{err}");
    let strangers = run(other.path());
    let (code, _, err) = merge(&[files[0].clone(), strangers[3].clone()], &[]);
    assert_eq!(code, Some(2), "recordings of two runs");
    assert!(err.contains("they are not of one run") && err.contains(".jsonl: line "), "{err}");
}
