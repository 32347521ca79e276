//! The commands in process, on the two-phase commit written by hand.

use std::ffi::OsString;
use std::fs;

use foresee_app::Exit;
use foresee_tests::two_phase_commit::SPEC;
use serde_json::Value;

fn run(args: &[&str]) -> (Exit, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["two-phase-commit"].iter().chain(args).map(OsString::from);
    let exit = foresee_app::run(&SPEC, args, &mut out, &mut err);
    (exit, String::from_utf8(out).expect("UTF-8"), String::from_utf8(err).expect("UTF-8"))
}

fn json(args: &[&str]) -> (Exit, Value) {
    let (exit, out, err) = run(&[args, &["--format", "json"]].concat());
    (exit, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

#[test]
fn every_search_counts_the_same() {
    for search in ["bfs", "dfs", "reference"] {
        let (exit, json) = json(&["check", "--param", "rms=4", "--search", search]);
        assert_eq!((exit, &json["verdict"]), (Exit::Held, &Value::from("held")), "{search}");
        assert_eq!(json["unique_states"], 1_568, "{search}");
        assert_eq!(json["properties"][0]["status"], "held");
    }
}

#[test]
fn a_violation_is_told_step_by_step_and_replays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.json");
    let file = path.to_str().expect("UTF-8");
    let (exit, out, _) = run(&["check", "--param", "fickle=true", "--trace-out", file]);
    assert_eq!(exit, Exit::Violation, "{out}");
    for part in [
        "`consistent` (two_phase_commit.mace:15) is violated",
        "timer Vote fires",
        "choice vote: refuse",
        "rm[",
    ] {
        assert!(out.contains(part), "`{part}` is missing in:\n{out}");
    }
    let (exit, replayed, err) = run(&["replay", file]);
    assert_eq!(exit, Exit::Violation, "{err}");
    assert!(replayed.contains("`consistent` is violated in the last state"), "{replayed}");
    let text = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, text.replacen("\"true\"", "\"false\"", 1)).expect("it can be edited");
    let (exit, _, err) = run(&["replay", file]);
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("step 1"), "{err}");
}

#[test]
fn a_run_that_is_written_down_replays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let file = path.to_str().expect("UTF-8");
    let (exit, out, err) = run(&["simulate", "--seed", "7", "--until", "30s", "--trace-out", file]);
    assert_eq!(exit, Exit::Held, "{out}{err}");
    let (exit, _, err) = run(&["replay", file]);
    assert_eq!(exit, Exit::Held, "{err}");
}

#[test]
fn budgets_and_mistakes_have_their_exit_codes() {
    assert_eq!(run(&["check", "--param", "rms=6", "--max-states", "100"]).0, Exit::Inconclusive);
    for (args, said) in [
        (&["check", "--param", "rms=x"][..], "whole number"),
        (&["check", "--param", "tms=2"], "no such parameter"),
        (&["check", "--system", "Elsewhere"], "no system"),
        (&["check", "--param", "rms=99999999"], "at most"),
        (&["simulate", "--resolver", "oracle"], "random"),
        (&["replay", "missing.json"], "missing.json"),
        (&["fly"], "unrecognized"),
    ] {
        let (exit, _, err) = run(args);
        assert_eq!(exit, Exit::Usage, "{args:?}: {err}");
        assert!(err.contains(said), "{args:?} does not say `{said}`: {err}");
    }
    assert_eq!(run(&["info"]).0, Exit::Held);
    assert_eq!(run(&["--help"]).0, Exit::Held);
}

#[test]
fn faults_of_the_command_line_are_explored_alike_by_every_search_and_counted() {
    let mut told = Vec::new();
    for search in ["bfs", "dfs", "reference"] {
        let args = ["check", "--param", "rms=2", "--fault", "crash=1,partition=1", "--keep-going"];
        let (exit, json) = json(&[&args[..], &["--search", search]].concat());
        assert_eq!(exit, Exit::Violation, "who committed and forgot it may abort");
        let fired = |kind: &str| {
            let plans = json["plans"].as_array().expect("plans");
            plans.iter().find(|plan| plan["kind"] == kind).and_then(|plan| plan["fired"].as_u64())
        };
        assert!(fired("crash") > Some(0) && fired("partition") > Some(0), "{json}");
        told.push((json["unique_states"].clone(), json["transitions"].clone(), json["plans"].clone()));
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

#[test]
fn a_counterexample_with_a_crash_says_so_and_replays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.json");
    let file = path.to_str().expect("UTF-8");
    let (exit, out, _) = run(&["check", "--param", "rms=2", "--fault", "crash=1", "--trace-out", file]);
    assert_eq!(exit, Exit::Violation, "{out}");
    assert!(out.contains("crash rm[") && out.contains("restart rm["), "{out}");
    let (exit, replayed, err) = run(&["replay", file]);
    assert_eq!(exit, Exit::Violation, "{err}");
    assert!(replayed.contains("crash rm["), "{replayed}");
}

#[test]
fn a_fault_that_never_fires_fails_a_complete_search_unless_it_is_allowed() {
    // Datagrams have no connections to cut.
    let args = ["check", "--param", "rms=2", "--fault", "cut=1"];
    let (exit, out, _) = run(&args);
    assert_eq!(exit, Exit::Violation, "{out}");
    assert!(out.contains("never fired") && out.contains("--allow-unfired"), "{out}");
    assert_eq!(run(&[&args[..], &["--allow-unfired"]].concat()).0, Exit::Held);
    assert_eq!(run(&[&args[..], &["--depth", "2"]].concat()).0, Exit::Held);
    assert_eq!(run(&["check", "--param", "rms=2", "--fault", "cut=0"]).0, Exit::Held);
    let (exit, _, err) = run(&["check", "--fault", "flood=1"]);
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("partition"), "{err}");
}
