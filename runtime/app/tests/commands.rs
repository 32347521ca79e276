//! The commands in process, on the two-phase commit written by hand.

use std::ffi::OsString;
use std::fs;

use std::sync::Arc;
use std::time::Duration;

use foresee_app::Exit;
use foresee_kernel::{
    Amount, Claim, DelayModel, Figure, Objective, Quantity, SpecInfo, Statistical, SystemInfo, Term,
};
use foresee_tests::two_phase_commit::SPEC;
use serde_json::Value;

fn run(args: &[&str]) -> (Exit, String, String) {
    run_of(&SPEC, args)
}

fn run_of(spec: &'static SpecInfo, args: &[&str]) -> (Exit, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["two-phase-commit"].iter().chain(args).map(OsString::from);
    let exit = foresee_app::run(spec, args, &mut out, &mut err);
    (exit, String::from_utf8(out).expect("UTF-8"), String::from_utf8(err).expect("UTF-8"))
}

fn json(args: &[&str]) -> (Exit, Value) {
    let (exit, out, err) = run(&[args, &["--format", "json"]].concat());
    (exit, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

#[test]
fn every_search_counts_the_same() {
    for search in ["bfs", "dfs", "ids", "reference"] {
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

/// A trace in another form.
fn drawn(form: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.json");
    let file = path.to_str().expect("UTF-8");
    run(&["check", "--param", "fickle=true", "--trace-out", file]);
    let (exit, replayed, err) = run(&["replay", file, "--as", form]);
    assert_eq!(exit, Exit::Held, "{err}");
    // What a check writes itself is the same.
    let (exit, ..) = run(&["check", "--param", "fickle=true", "--trace-out", file, "--trace-format", form]);
    assert_eq!(exit, Exit::Violation);
    assert_eq!(fs::read_to_string(&path).expect("it was written"), replayed);
    replayed
}

#[test]
fn a_trace_is_drawn() {
    let mermaid = drawn("mermaid");
    assert!(mermaid.starts_with("sequenceDiagram\n") && mermaid.contains("->>"), "{mermaid}");
    assert!(!mermaid.replace("#gt;", "").replace("#lt;", "").contains(';'), "{mermaid}");
    let svg = drawn("svg");
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("marker-end") && svg.contains("`consistent` is violated"), "{svg}");
    let text = drawn("text");
    assert!(text.ends_with("`consistent` is violated in the last state\n"), "{text}");
}

#[test]
fn a_log_for_shiviz_has_clocks_that_grow_and_follow_messages() {
    let log = drawn("shiviz");
    let lines: Vec<&str> = log.lines().collect();
    let mut own = std::collections::BTreeMap::<String, u64>::new();
    for pair in lines.chunks(2) {
        let (host, clock) = pair[0].split_once(' ').expect("a host and a clock");
        let clock: std::collections::BTreeMap<String, u64> =
            serde_json::from_str(clock).unwrap_or_else(|error| panic!("{error}: {clock}"));
        let before = own.insert(host.to_owned(), clock[host]).unwrap_or(0);
        assert_eq!(clock[host], before + 1, "{log}");
        // Of others it knows what has been.
        assert!(
            clock.iter().all(|(other, count)| own.get(other).is_some_and(|known| count <= known)),
            "{log}"
        );
        if pair[1].starts_with("Prepared") || pair[1].contains("arrives") {
            assert!(clock.len() > 1, "a message brings its sender's clock: {log}");
        }
    }
    assert!(log.contains("arrives"), "{log}");
}

#[test]
fn an_informal_trace_has_a_state_for_each_step_and_the_start() {
    let trace: Value = serde_json::from_str(&drawn("itf")).expect("JSON");
    let states = trace["states"].as_array().expect("states");
    assert_eq!(states[0]["action"], "start");
    let vars: Vec<&str> = trace["vars"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert!(vars.contains(&"network") && vars.contains(&"Participant.state"), "{vars:?}");
    for (index, state) in states.iter().enumerate() {
        assert_eq!(state["#meta"]["index"], index);
        assert!(vars.iter().all(|var| state.get(var).is_some()), "{state}");
    }
    let last = &states[states.len() - 1]["Participant.state"]["#map"];
    assert!(last.to_string().contains("Committed") && last.to_string().contains("Aborted"), "{last}");
}

#[test]
fn depth_first_finds_what_is_made_short() {
    let steps = |search: &str| {
        let (exit, json) = json(&["check", "--param", "fickle=true", "--search", search]);
        assert_eq!(exit, Exit::Violation);
        json["counterexample"]["steps"].as_array().expect("steps").len()
    };
    let (shortest, made_short) = (steps("bfs"), steps("dfs"));
    assert!(made_short >= shortest && made_short <= shortest + 2, "{made_short}, {shortest}");
}

#[test]
fn searches_that_miss_states_never_say_that_a_property_holds() {
    for (search, said) in [("walks", "random walks met no violation"), ("predict", "among the consequences")]
    {
        let arguments = ["check", "--param", "rms=4", "--search", search, "--walks", "50", "--seed", "3"];
        let (exit, out, _) = run(&arguments);
        assert_eq!(exit, Exit::Inconclusive, "{out}");
        assert!(out.contains(said), "{out}");
        let (_, first) = json(&arguments);
        assert_eq!(first["complete"], false);
        let states = |json: &Value| json["unique_states"].as_u64().expect("a number");
        assert!(states(&first) > 50 && states(&first) <= 1_568, "{first}");
        assert_eq!(states(&first), states(&json(&arguments).1), "the same again");
        assert_eq!(run(&["check", "--search", search, "--threads", "2"]).0, Exit::Usage);
        if search == "predict" {
            // Two participants have to act by themselves before anything arrives: that is left out here.
            continue;
        }
        // What they do find is shown as short as breadth first shows it, and replays.
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.json");
        let file = path.to_str().expect("UTF-8");
        let (exit, found) =
            json(&["check", "--param", "fickle=true", "--search", search, "--trace-out", file]);
        assert_eq!(exit, Exit::Violation, "{found}");
        let steps = |json: &Value| json["counterexample"]["steps"].as_array().expect("steps").len();
        let shortest = steps(&json(&["check", "--param", "fickle=true"]).1);
        assert!(steps(&found) <= shortest + 2, "{} {shortest}", steps(&found));
        assert_eq!(run(&["replay", file]).0, Exit::Violation);
    }
}

#[test]
fn a_search_begins_where_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.json");
    let file = path.to_str().expect("UTF-8");
    run(&["check", "--param", "fickle=true", "--trace-out", file]);
    let whole = json(&["check", "--param", "fickle=true", "--keep-going"]).1;
    let states = |json: &Value| json["unique_states"].as_u64().expect("a number");
    for (step, search) in [("2", "bfs"), ("2", "ids"), ("4", "predict"), ("0", "dfs")] {
        let from = format!("{file}:{step}");
        let arguments =
            ["check", "--param", "fickle=true", "--keep-going", "--search", search, "--from", &from];
        let (exit, part) = json(&arguments);
        assert_eq!(exit, Exit::Violation);
        assert!(states(&part) <= states(&whole), "{search}");
        assert!((step == "0") == (states(&part) == states(&whole)), "{search} from {step}");
    }
    for (arguments, said) in [
        (&["check", "--param", "fickle=true", "--from", &format!("{file}:99")][..], "and not 99"),
        (&["check", "--from", file], "of other parameters"),
        (&["check", "--from-simulation", "7"], "SEED@TIME"),
    ] {
        let (exit, _, err) = run(arguments);
        assert_eq!(exit, Exit::Usage);
        assert!(err.contains(said), "{err}");
    }
    // From a state of a run, the way there is part of the trace, which replays.
    let arguments = ["--param", "fickle=true", "--from-simulation", "3@0.01s", "--trace-out", file];
    let (exit, out, err) = run(&[&["check"], &arguments[..]].concat());
    assert_eq!(exit, Exit::Violation, "{out}{err}");
    assert_eq!(run(&["replay", file]).0, Exit::Violation);
}

/// A message costs 1: a run 6 where the first option is always taken, and less where any is.
const TRAFFIC: &[Term] = &[Term::PerMessage { amount: Amount::Number(1.0), kinds: &[] }];

/// Two-phase commit with a claim about what it costs.
static CLAIMED: SpecInfo = SpecInfo {
    name: "two_phase_commit",
    file: "two_phase_commit.mace",
    hash: 1,
    services: &[],
    systems: &[SystemInfo {
        name: "Commit",
        line: 30,
        parameters: &[],
        order_of_ids: &[],
        build: |arguments| {
            let mut model = (SPEC.systems[0].build)(arguments)?;
            model.objectives.push(Objective::minimize("traffic", TRAFFIC));
            model.statistics.push(Arc::new(Statistical {
                name: "cheap",
                file: "two_phase_commit.mace",
                line: 31,
                text: "expected(total) <= 5.0",
                figure: Figure::Expected(Quantity::Total),
                claim: Claim::AtMost(5.0),
            }));
            Ok(model)
        },
    }],
    scenarios: &[],
};

#[test]
fn statistical_properties_are_decided_with_an_exit_code_each() {
    let verify = |args: &[&str]| run_of(&CLAIMED, &[&["simulate", "--verify"], args].concat());
    let (exit, out, err) = verify(&["--resolver", "random"]);
    assert_eq!(exit, Exit::Held, "{out}{err}");
    for part in [
        "statistical cheap held: expected(total) <= 5.0",
        " to ",
        "with 99 %",
        "refuted though true at most 0.01",
    ] {
        assert!(out.contains(part), "`{part}` is missing in:\n{out}");
    }
    assert_eq!(verify(&["--resolver", "first"]).0, Exit::Violation);
    let (exit, out, _) = verify(&["--seeds", "0..10", "--format", "json"]);
    assert_eq!(exit, Exit::Inconclusive);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&json["statistics"][0]["verdict"], &json["runs"]), (&"undecided".into(), &10.into()));
    // A run that violates another property decides nothing and fails all the same.
    let (exit, out, _) = verify(&["--param", "fickle=true"]);
    assert!(exit == Exit::Violation && out.contains("is violated at"), "{out}");

    let (exit, _, err) = run(&["simulate", "--verify"]);
    assert!(exit == Exit::Usage && err.contains("no statistical property"), "{err}");
    for bound in ["0", "0.5", "nan", "x"] {
        let (exit, _, err) = verify(&["--alpha", bound]);
        assert!(exit == Exit::Usage && err.contains("above 0 and below 0.5"), "{err}");
    }
    assert_eq!(run(&["simulate", "--alpha", "0.1"]).0, Exit::Usage, "it goes with --verify");
}

#[test]
fn two_resolvers_are_compared_on_the_same_seeds() {
    let compare = |args: &[&str]| run(&[&["simulate", "--compare", "first", "random"], args].concat());
    let (exit, out, err) = compare(&["--seeds", "0..40"]);
    assert_eq!(exit, Exit::Held, "{err}");
    assert!(out.contains("random less first, 40 seeds run by both") && out.contains("difference -"), "{out}");
    let (_, out, _) = compare(&["--seeds", "0..40", "--threads", "2", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    let total = &json["figures"]["messages"];
    assert!(total["interval"]["high"].as_f64() < Some(0.0), "{json}");
    let (exit, _, err) = run(&["simulate", "--compare", "first", "oracle"]);
    assert!(exit == Exit::Usage && err.contains("no resolver"), "{err}");
}

#[test]
fn an_exact_solution_needs_discrete_delays_and_goes_with_no_seeds() {
    let (exit, _, err) = run(&["simulate", "--exact", "--seeds", "0..5"]);
    assert_eq!(exit, Exit::Usage, "{err}");
    let (exit, _, err) = run(&["simulate", "--optimal"]);
    assert!(exit == Exit::Usage && err.contains("--exact"), "{err}");
    let (exit, _, err) = run(&["simulate", "--exact", "--until", "1s"]);
    assert_eq!(exit, Exit::Usage);
    assert!(
        err.contains("the delay of `net` has 9000001 values") && err.contains("say a constant delay"),
        "{err}"
    );
}

/// The claimed two-phase commit on a network without chance, so that all its runs can be gone through.
static DISCRETE: SpecInfo = SpecInfo {
    systems: &[SystemInfo {
        build: |arguments| {
            let mut model = (CLAIMED.systems[0].build)(arguments)?;
            for carrier in &mut model.carriers {
                carrier.delay = DelayModel::Constant(Duration::from_millis(1));
            }
            Ok(model)
        },
        ..CLAIMED.systems[0]
    }],
    ..CLAIMED
};

#[test]
fn the_best_answers_are_told_by_what_a_node_knows() {
    let (exit, out, err) = run_of(&DISCRETE, &["simulate", "--exact", "--optimal", "--until", "1s"]);
    assert_eq!(exit, Exit::Held, "{out}{err}");
    // Where all refuse no message is sent.
    let told = [
        "  best       vote at rm[1], on timer Vote",
        "             in Participant { state: Working, timers: [Vote] }",
        "             takes refuse, 1.000000 times a run",
    ];
    assert!(out.contains(&told.join("\n")), "{out}");
    let (_, out, _) =
        run_of(&DISCRETE, &["simulate", "--exact", "--optimal", "--until", "1s", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["policy"][0]["options"], serde_json::json!({ "refuse": 1.0 }), "{json}");
}
