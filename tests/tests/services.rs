//! The command line of the example services, run as a user runs it.

mod common;

use std::fs;

use common::{Ran, run, service};
use serde_json::Value;

fn check(name: &str, args: &[&str]) -> Ran {
    run(service(name).arg("check").args(args))
}

fn check_json(args: &[&str]) -> Value {
    let ran = check("two-phase-commit", &[args, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

#[test]
fn two_phase_commit_has_the_known_counts_in_every_search_and_on_every_number_of_threads() {
    for (rms, states) in [("rms=3", 288), ("rms=5", 8_832), ("rms=7", 296_448)] {
        let mut transitions = None;
        for search in ["bfs", "dfs", "reference"] {
            if search == "reference" && states > 10_000 {
                continue;
            }
            for threads in ["1", "2"] {
                let json = check_json(&["--param", rms, "--search", search, "--threads", threads]);
                assert_eq!(json["unique_states"], states, "{rms} {search} {threads}");
                assert_eq!(json["complete"], true);
                assert_eq!(json["verdict"], "held");
                let counted = json["transitions"].as_u64();
                assert_eq!(*transitions.get_or_insert(counted), counted, "{rms} {search} {threads}");
                let consistent = &json["properties"].as_array().expect("an array")[..];
                assert!(consistent.iter().any(|p| p["kind"] == "safety" && p["status"] == "held"), "{json}");
            }
        }
    }
}

#[test]
fn the_json_of_check_has_what_scripts_rely_on() {
    let json = check_json(&[]);
    for field in [
        "verdict",
        "complete",
        "unique_states",
        "transitions",
        "depth",
        "seconds",
        "cpu_seconds",
        "peak_rss_bytes",
        "properties",
        "handlers",
        "ignored",
        "trace",
    ] {
        assert!(json.get(field).is_some(), "`{field}` is missing: {json}");
    }
    assert!(
        json["handlers"].as_array().expect("an array").iter().all(|h| h["runs"].as_u64() > Some(0)),
        "{json}"
    );
}

#[test]
fn the_broken_one_shows_a_shortest_counterexample_that_replays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("t.json");
    let path = file.to_str().expect("UTF-8");
    let ran = check("two-phase-commit-broken", &["--trace-out", path]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in
        ["rm[", "specs/two_phase_commit_broken.mace:", "choice", " -> ", "arrives from tm", "is violated"]
    {
        assert!(ran.out.contains(part), "`{part}` is missing in:\n{}", ran.out);
    }
    let json = check("two-phase-commit-broken", &["--format", "json"]).json();
    let shortest = check("two-phase-commit-broken", &["--format", "json", "--search", "reference"]).json();
    let steps = |json: &Value| json["trace"]["steps"].as_array().expect("steps").len();
    assert_eq!(steps(&json), steps(&shortest));

    let replayed = run(service("two-phase-commit-broken").args(["replay", path]));
    assert_eq!(replayed.code, 1, "{replayed:?}");
    assert!(replayed.out.contains("is violated in the last state"), "{}", replayed.out);

    let text = fs::read_to_string(&file).expect("it was written");
    fs::write(&file, &text[..text.len() * 2 / 3]).expect("it can be cut");
    let refused = run(service("two-phase-commit-broken").args(["replay", path]));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("line ") && refused.err.contains("ends in the middle"), "{}", refused.err);

    let edited = text.replacen("\"picked\": 0", "\"picked\": 1", 1);
    assert_ne!(edited, text, "the trace has a choice");
    fs::write(&file, edited).expect("it can be written");
    let refused = run(service("two-phase-commit-broken").args(["replay", path]));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("step "), "{}", refused.err);

    let other = run(service("two-phase-commit").args(["replay", path]));
    assert_eq!(other.code, 2, "{other:?}");
}

#[test]
fn simulations_are_the_same_bytes_when_run_again_and_on_more_threads() {
    for name in ["two-phase-commit", "two-phase-commit-broken", "ping"] {
        let simulate = |threads: &str| {
            run(service(name).args([
                "simulate",
                "--seeds",
                "0..100",
                "--format",
                "json",
                "--threads",
                threads,
            ]))
        };
        let first = simulate("1");
        assert_eq!(first.out.lines().count(), 101, "{first:?}");
        assert_eq!(first.out, simulate("1").out, "{name}");
        assert_eq!(first.out, simulate("2").out, "{name}");
        let run: Value = serde_json::from_str(first.out.lines().next().expect("a line")).expect("JSON");
        for field in ["seed", "events", "virtual_seconds", "objectives", "properties", "messages", "bytes"] {
            assert!(run.get(field).is_some(), "`{field}` is missing: {run}");
        }
        let seeds: std::collections::BTreeSet<&str> = first.out.lines().collect();
        assert!(seeds.len() > 10, "seeds make no difference");
    }
}

#[test]
fn a_failed_seed_leaves_a_trace_that_replays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("run.json");
    let path = file.to_str().expect("UTF-8");
    let ran = run(service("two-phase-commit-broken").args([
        "simulate",
        "--seeds",
        "0..200",
        "--resolver",
        "random",
        "--trace-out",
        path,
    ]));
    assert_eq!(ran.code, 1, "no seed of 200 finds the violation: {}", ran.err);
    let replayed = run(service("two-phase-commit-broken").args(["replay", path]));
    assert_eq!(replayed.code, 1, "{replayed:?}");
}

/// A topology that loses much: what a run did on it is a trace like any other.
#[test]
fn a_run_over_a_lossy_topology_replays_and_is_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (map, trace) = (folder.path().join("map.json"), folder.path().join("run.json"));
    let text = r#"{ "inet": { "sites": 20 },
        "path": { "loss": { "worsens": 0.1, "recovers": 0.3 }, "jitter": { "exponential_ms": 20 } },
        "uplink": { "mbit_per_second": 0.05, "buffer_kib": 4 } }"#;
    fs::write(&map, text).expect("the file can be written");
    let (map, trace) = (map.to_str().expect("UTF-8"), trace.to_str().expect("UTF-8"));
    for (name, system) in
        [("paxos", "Trio"), ("failure-detector", "Watch"), ("swarm", "Crowd"), ("abd-register", "Faulty")]
    {
        let line = ["simulate", "--system", system, "--seed", "3", "--until", "10s"];
        let plain = run(service(name).args(line));
        let line = [&line[..], &["--topology", map]].concat();
        let simulate = |more: &[&str]| run(service(name).args(&line).args(more));
        let first = simulate(&["--trace-out", trace]);
        assert_eq!(first.code, 0, "{name}: {first:?}");
        assert_eq!(first.out, simulate(&["--threads", "2"]).out, "{name}");
        assert_ne!(first.out, plain.out, "{name}");
        let replayed = run(service(name).args(["replay", trace]));
        assert_eq!(replayed.code, 0, "{name}: {replayed:?}");
    }
}

#[test]
fn a_topology_that_is_none_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let told_by = |service_name: &str, name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the file can be written");
        let ran = run(service(service_name).args(["simulate", "--topology", path.to_str().expect("UTF-8")]));
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.err
    };
    let told = |name: &str, text: &[u8]| told_by("ping", name, text);
    let has = |found: &str, part: &str| assert!(found.contains(part), "{found}");
    has(&told("a.csv", b"rtt_ms,a,b\na,1,2\nb,2"), "line 3: the row of `b` has 1 values for 2 sites");
    has(&told("b.csv", b"rtt_ms,a,b\na,1,2\nb,-2,1"), "line 3: the time from `b` to `a` is negative");
    has(&told("c.csv", b"rtt,a\na,1"), "line 1: the first cell says what is counted");
    has(&told("d.json", b"{ \"regions\": true, \"nodes\": [\"paris\"] }"), "there is no site `paris`");
    has(&told("e.json", b"{ \"regions\": tr"), "line 1");
    has(&told("f.csv", b"rtt_ms,\xff"), "byte 7: it is not UTF-8");
    has(&told("g.txt", b""), "named .csv or .json");
    let doubling = br#"{ "regions": true, "path": { "duplication": 0.1 } }"#;
    let lossy = told_by("failure-detector", "h.json", doubling);
    has(&lossy, "the topology doubles messages, and the system does not say that of `net`");
    let nowhere = run(service("ping").args(["simulate", "--topology", "inet:many"]));
    has(&nowhere.err, "`many` is no seed");
}

#[test]
fn exit_codes_tell_apart() {
    let code = |name: &str, args: &[&str]| run(service(name).args(args)).code;
    assert_eq!(code("two-phase-commit", &["check"]), 0);
    assert_eq!(code("two-phase-commit-broken", &["check"]), 1);
    for usage in [
        &["check", "--param", "rms=many"][..],
        &["check", "--param", "no_such=1"],
        &["check", "--system", "Nowhere"],
        &["check", "--threads", "0"],
        &["simulate", "--seeds", "9..3"],
        &["simulate", "--resolver", "oracle"],
        &["replay", "no-such-file.json"],
        &["frobnicate"],
    ] {
        let ran = run(service("two-phase-commit").args(usage));
        assert_eq!(ran.code, 2, "{usage:?}: {ran:?}");
        assert!(!ran.err.is_empty(), "{usage:?} says nothing");
    }
    assert_eq!(code("two-phase-commit", &["check", "--param", "rms=7", "--max-states", "1000"]), 3);
    assert_eq!(code("two-phase-commit", &["check", "--param", "rms=7", "--time", "1ms"]), 3);
    assert_eq!(code("two-phase-commit-broken", &["check", "--depth", "3"]), 0);
    assert_eq!(code("two-phase-commit", &["info"]), 0);
    assert_eq!(code("ping", &["check"]), 0);
}
