//! The `node` command: real processes that are configured, watched, recorded, stopped and killed; and `replay` of what they recorded.

use std::path::Path;
use std::process::Command;

use live_tests::process::{self, Process, counter, page, peers_of, start, stop, text, until};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_desk"));
    command.args(arguments);
    command
}

fn output(arguments: &[&str]) -> (Option<i32>, String, String) {
    process::output(&mut command(arguments))
}

fn peers(folder: &Path, count: usize) -> (std::path::PathBuf, Vec<std::net::SocketAddr>) {
    let names: Vec<String> = (0..count).map(|index| format!("pulse[{index}]")).collect();
    peers_of(folder, &names)
}

#[test]
fn nodes_run_are_watched_and_their_recordings_replay_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let (peers, addresses) = peers(folder.path(), 3);
    let record = |index: usize, life: u32| folder.path().join(format!("{index}-{life}.jsonl"));
    let start = |index: usize, life: u32| {
        let (listen, data) = (addresses[index].to_string(), folder.path().join(index.to_string()));
        let mut command =
            command(&["node", "--system", "Pulses", "--listen", &listen, "--http", "127.0.0.1:0"]);
        // A file, the environment, flags: each says a part.
        let config = folder.path().join(format!("{index}.toml"));
        std::fs::write(
            &config,
            format!("node = \"pulse[{index}]\"\nlog = \"error\"\nlisten = \"nowhere\"\n"),
        )
        .expect("it is written");
        command.arg("--config").arg(config).env("FORESEE_PEERS", &peers).arg("--data").arg(data);
        command.arg("--record").arg(record(index, life));
        process::start(command)
    };
    let mut nodes: Vec<Process> = (0..3).map(|index| start(index, 0)).collect();
    for node in &nodes {
        until("beats arrive", || counter(&node.http, "messages_received") > 20);
        assert_eq!(page(&node.http, "/health"), (200, page(&node.http, "/health").1));
        assert!(page(&node.http, "/health").1.contains("Pulses: running"));
    }
    assert!(page(&nodes[0].http, "/metrics").1.contains("foresee_choices_total{service=\"Pulse\""));
    // One is killed and comes back with what it knew.
    assert_eq!(stop(&mut nodes[1], libc::SIGKILL), None);
    until("the break is told", || counter(&nodes[0].http, "breaks") > 0);
    nodes[1] = start(1, 1);
    until("beats arrive again", || counter(&nodes[1].http, "messages_received") > 20);
    for (node, signal) in nodes.iter_mut().zip([libc::SIGTERM, libc::SIGINT, libc::SIGTERM]) {
        assert_eq!(stop(node, signal), Some(0), "it stops in good order");
    }
    for (index, life) in [(0, 0), (1, 0), (1, 1), (2, 0)] {
        let (code, out, err) = output(&["replay", text(&record(index, life))]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
        assert!(out.contains(&format!("steps of pulse[{index}], as they were recorded")), "{out}");
        assert!(out.contains("choice ") && out.contains(": timer "), "{out}");
    }
    let (_, out, _) = output(&["replay", text(&record(1, 1)), "--format", "json"]);
    assert!(out.contains("\"node\":\"pulse[1]\""), "{out}");
    // A recording that was changed is refused with its line.
    let path = record(2, 0);
    let changed =
        std::fs::read_to_string(&path).expect("it is read").replacen("\"picked\":", "\"picked\":1", 1);
    std::fs::write(&path, changed).expect("it is written");
    let (code, _, err) = output(&["replay", text(&path)]);
    assert_eq!(code, Some(2));
    assert!(err.contains("its seal does not match"), "{err}");
}

#[test]
fn a_fault_in_production_replays_as_the_same_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let (peers, addresses) = peers(folder.path(), 2);
    let record = folder.path().join("run.jsonl");
    let node = |index: usize, more: &[&str]| {
        let (name, listen) = (format!("pulse[{index}]"), addresses[index].to_string());
        let mut command =
            command(&["node", "--system", "Pulses", "--param", "pulses=2", "--param", "stumbles_at=5"]);
        command.args(["--node", &name, "--listen", &listen, "--http", "127.0.0.1:0", "--log", "off"]);
        command.args(["--peers", text(&peers), "--volatile"]).args(more);
        start(command)
    };
    let _other = node(1, &[]);
    let mut zero = node(0, &["--record", text(&record)]);
    // It stumbles in every life, and then stays down and says so.
    until("it is down", || page(&zero.http, "/health").0 == 503);
    let (_, health) = page(&zero.http, "/health");
    assert!(
        health.contains("Pulses: down: it faulted 6 times") && health.contains("one beat too many"),
        "{health}"
    );
    assert_eq!(stop(&mut zero, libc::SIGTERM), Some(0));
    let (code, out, err) = output(&["replay", text(&record)]);
    assert_eq!((code, err.as_str()), (Some(1), ""), "{out}");
    assert_eq!(out.matches("fault: one beat too many").count(), 6, "{out}");
}

#[test]
fn what_is_wrong_with_the_command_line_is_said() {
    for (arguments, said) in [
        (&["node", "--system", "Pulses"][..], "--node is one of: pulse[0], pulse[1], pulse[2]"),
        (&["node", "--system", "Pulses", "--node", "pulse[7]"], "has no node `pulse[7]`"),
        (&["node", "--system", "Pulses", "--node", "0"], "where does it listen?"),
        (&["node", "--system", "Pulses", "--node", "0", "--listen", "nowhere"], "cannot listen on nowhere"),
        (
            &["node", "--system", "Pulses", "--node", "0", "--listen", "127.0.0.1:0"],
            "give the host a folder with `data`",
        ),
        (&["node", "--config", "nowhere.toml"], "nowhere.toml"),
    ] {
        let (code, _, err) = output(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}
