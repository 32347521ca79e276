//! The `node` command: real processes that are configured, watched, recorded, stopped and killed; and `replay` of what they recorded.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use live_tests::PATIENCE;

struct Process {
    child: Child,
    http: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_desk"));
    command.args(arguments);
    command
}

/// What a command comes to that ends by itself.
fn output(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

/// A file of peers on ports that were free a moment ago, and the addresses.
fn peers(folder: &Path, count: usize) -> (PathBuf, Vec<SocketAddr>) {
    let ports: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    let addresses: Vec<SocketAddr> = ports.iter().map(|it| it.local_addr().expect("it has one")).collect();
    let lines =
        addresses.iter().enumerate().map(|(index, address)| format!("\"pulse[{index}]\" = \"{address}\"\n"));
    let path = folder.join("peers.toml");
    std::fs::write(&path, format!("[peers]\n{}", lines.collect::<String>())).expect("it is written");
    (path, addresses)
}

/// Starts a node with an HTTP page, and waits until it listens.
fn start(mut command: Command) -> Process {
    let log = std::env::temp_dir().join("live-tests-node.log");
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut line = || lines.next().and_then(Result::ok).unwrap_or_default();
    let shown = line();
    let http = shown.split("http://").nth(1).and_then(|rest| rest.split('/').next());
    let http = http.unwrap_or_else(|| panic!("it says {shown:?}")).to_owned();
    let listens = line();
    assert!(listens.contains(" listens on "), "it says {listens:?}");
    Process { child, http }
}

/// The status and the text of a page.
fn page(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it is sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

fn counter(address: &str, name: &str) -> u64 {
    let (_, text) = page(address, "/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("foresee_{name}_total ")));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if holds() {
            return;
        }
        // Nothing ever comes: what is wanted is the pause.
        let (_keep, pause) = std::sync::mpsc::channel::<()>();
        let _ = pause.recv_timeout(Duration::from_millis(20));
    }
    panic!("{what} did not happen within {PATIENCE:?}");
}

fn stop(process: &mut Process, signal: i32) -> Option<i32> {
    // SAFETY: a signal to a child that has not been waited for.
    unsafe { libc::kill(process.child.id() as i32, signal) };
    process.child.wait().expect("it ends").code()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
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
        self::start(command)
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
