//! `foresee cluster`: real processes that are started, watched, killed, cut off and compared with the simulator.
#![cfg(unix)]

mod common;

use std::path::PathBuf;

use common::{Ran, binary, foresee, run};
use serde_json::Value;

/// A cluster that is ended with its test, whatever became of it.
struct Cluster {
    folder: tempfile::TempDir,
    file: PathBuf,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        run(foresee().args(["cluster", "down"]).arg(&self.file));
    }
}

impl Cluster {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tree.toml");
        let program = binary("rand-tree", "rand-tree");
        let text = format!("program = {program:?}\nsystem = \"Internet\"\n{text}");
        std::fs::write(&file, text).expect("it is written");
        Cluster { folder, file }
    }

    fn run(&self, command: &str, more: &[&str]) -> Ran {
        run(foresee().args(["cluster", command]).arg(&self.file).args(more))
    }

    fn well(&self, command: &str, more: &[&str]) -> Ran {
        let ran = self.run(command, more);
        assert_eq!(ran.code, 0, "{command}: {ran:?}");
        ran
    }

    fn status(&self) -> Value {
        self.run("status", &["--format", "json"]).json()
    }

    fn states(&self) -> Vec<String> {
        let status = self.status();
        let nodes = status["nodes"].as_array().expect("a list").clone();
        nodes.iter().map(|node| node["state"].as_str().expect("a word").to_owned()).collect()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("tree.cluster").join(name)
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        // Nothing ever comes: what is wanted is the pause.
        let (_keep, pause) = std::sync::mpsc::channel::<()>();
        let _ = pause.recv_timeout(std::time::Duration::from_millis(50));
    }
    panic!("{what} did not happen");
}

fn number(status: &Value, node: usize, field: &str) -> u64 {
    status["nodes"][node][field].as_u64().unwrap_or_default()
}

#[test]
fn a_cluster_is_started_watched_killed_cut_off_and_collected() {
    let cluster = Cluster::new("topology = \"regions\"\nseed = 3\n[params]\nsize = 5\nspread = \"100ms\"\n");
    let ran = cluster.run("status", &[]);
    assert!(ran.code == 2 && ran.err.contains("is not up"), "{ran:?}");
    cluster.well("up", &[]);
    assert_eq!(cluster.states(), ["running"; 5]);
    let again = cluster.run("up", &[]);
    assert!(again.code == 2 && again.err.contains("is up already: 5 of its 5 nodes run"), "{again:?}");
    until("all have joined", || {
        let status = cluster.status();
        (0..5).all(|node| number(&status, node, "messages_received") > 0)
    });
    // The network is in the way of every message.
    let page = |port: u64| {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port as u16)).expect("it listens");
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it is sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        text
    };
    assert!(page(number(&cluster.status(), 0, "http")).contains("foresee_emulated_total{fate=\"arrives\"}"));

    // SIGKILL, and back with what was durable.
    let ran = cluster.well("kill", &["n[1..3]"]);
    assert_eq!(ran.out, "killed: n[1], n[2]\n");
    assert_eq!(cluster.states(), ["running", "dead", "dead", "running", "running"]);
    assert_eq!(cluster.run("status", &[]).code, 1, "not all run");
    assert_eq!(cluster.well("restart", &[]).out, "restarted: n[1], n[2]\n");
    assert_eq!(cluster.states(), ["running"; 5]);
    assert_eq!(number(&cluster.status(), 1, "lives"), 2);

    // A side that is cut off, and whole again.
    cluster.well("partition", &["n[4]"]);
    let status = cluster.status();
    assert_eq!((number(&status, 4, "links_cut"), number(&status, 0, "links_cut")), (4, 1));
    let ran = cluster.run("heal", &["n[3]"]);
    assert!(ran.code == 2 && ran.err.contains("those are: n[4]"), "{ran:?}");
    cluster.well("heal", &[]);
    assert_eq!(number(&cluster.status(), 4, "links_cut"), 0);

    // The system's own fault says whom it means as things stand.
    let ran = cluster.well("kill", &["--fault", "1"]);
    assert!(ran.out.starts_with("killed: n["), "{ran:?}");
    let ran = cluster.run("kill", &["--fault", "9"]);
    assert!(ran.code == 2 && ran.err.contains("has no fault 9"), "{ran:?}");
    let ran = cluster.run("kill", &["n[9]"]);
    assert!(ran.code == 2 && ran.err.contains("`n[9]` names no node"), "{ran:?}");

    cluster.well("down", &[]);
    let kept = cluster.at("runs/000");
    for file in ["run.json", "events.jsonl", "00.log", "01.life-0.jsonl", "01.life-1.jsonl"] {
        assert!(kept.join(file).exists(), "{file} is missing");
    }
    let replayed = run(common::service("rand-tree").arg("replay").arg(kept.join("01.life-1.jsonl")));
    assert!(replayed.code == 0 && replayed.out.contains("steps of n[1]"), "{replayed:?}");
    assert!(cluster.run("status", &[]).err.contains("is not up"));
}

#[test]
fn what_a_killed_command_left_is_found_again() {
    let cluster = Cluster::new("[params]\nsize = 2\n");
    cluster.well("up", &[]);
    // Numbers of processes that are gone, or are somebody else's, are nobody's.
    let pid = cluster.at("nodes/00/pid");
    std::fs::write(&pid, format!("{}\n", std::process::id())).expect("it is written");
    std::fs::remove_file(cluster.at("nodes/01/pid")).expect("it is there");
    assert_eq!(cluster.states(), ["running"; 2]);
    cluster.well("kill", &["all"]);
    assert_eq!(cluster.states(), ["dead"; 2]);
    // As after the machine went down: what was left is collected, and all begin anew.
    let ran = cluster.well("up", &[]);
    assert!(ran.err.contains("nothing runs of the cluster that was up"), "{ran:?}");
    assert!(cluster.at("runs/000/00.life-0.jsonl").exists());
    assert_eq!(cluster.states(), ["running"; 2]);
}

#[test]
fn a_port_that_is_taken_and_a_node_that_does_not_start_are_told() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = held.local_addr().expect("it has one").port();
    let cluster = Cluster::new(&format!("base_port = {port}\n[params]\nsize = 2\n"));
    let ran = cluster.run("up", &[]);
    assert!(ran.code == 2 && ran.err.contains(&format!("port {port} is taken")), "{ran:?}");
    let cluster = Cluster::new("topology = \"nowhere.json\"\n[params]\nsize = 2\n");
    let ran = cluster.run("up", &[]);
    assert!(ran.code == 2 && ran.err.contains("n[0] does not start"), "{ran:?}");
    assert!(ran.err.contains("nowhere.json"), "{ran:?}");
    assert!(cluster.run("status", &[]).err.contains("is not up"), "nothing is left of it");
}

/// The tree of a run, in the words of the spec's own properties.
fn whole(ran: &Ran) {
    let value: Value = serde_json::from_str(ran.out.lines().last().unwrap_or_default()).expect("JSON");
    let holds = &value["account"]["holds"];
    for property in ["joined", "one", "linked", "placed", "no_loop", "formed"] {
        assert_eq!(holds[property], true, "{property}: {value}");
    }
}

#[test]
fn a_small_tree_of_processes_is_killed_heals_and_is_compared() {
    let text = "topology = \"regions\"\nseed = 1\nuntil = \"12s\"\n[params]\nsize = 5\nspread = \"1s\"\nfailure = \"3s\"\n";
    let cluster = Cluster::new(text);
    let ran = cluster.well("run", &["--format", "json"]);
    assert!(ran.err.contains("killed n["), "{ran:?}");
    let compared = cluster.well("compare", &["--seeds", "0..20", "--format", "json"]).json();
    assert_eq!(compared["simulated_runs"], 20);
    let figures = compared["figures"].as_array().expect("a list");
    assert!(figures.iter().any(|row| row["figure"] == "depth" && row["live"][0].as_f64() >= Some(1.0)));
}

#[test]
#[ignore = "takes two minutes"]
fn a_tree_of_31_processes_is_one_heals_and_is_like_the_simulators() {
    let text = "topology = \"regions\"\nseed = 1\nuntil = \"100s\"\n[params]\nsize = 31\nfailure = \"30s\"\n";
    let cluster = Cluster::new(text);
    let ran = cluster.well("run", &["--format", "json"]);
    assert!(ran.err.contains("killed n["), "{ran:?}");
    whole(&ran);
    let compared = cluster.well("compare", &["--seeds", "0..100", "--format", "json"]).json();
    for row in compared["figures"].as_array().expect("a list") {
        let value = row["live"][0].as_f64().expect("a number");
        let (low, high) = (row["low"].as_f64().expect("a number"), row["high"].as_f64().expect("a number"));
        // One run in twenty lies outside; twice as far out, none should.
        let slack = (high - low) / 2.0;
        assert!((low - slack..=high + slack).contains(&value), "{row}");
    }
}
