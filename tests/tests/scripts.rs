//! Scenarios: what `test` prints for the specs of `scripts/` is what stands beside them in `NAME.out`.
//!
//! `FORESEE_BLESS=1` writes what comes out; look at the difference before you keep it.

mod common;

use std::fs;
use std::path::Path;

use foresee::kernel::trace::Action;
use foresee::kernel::{SpecInfo, Trace};
use serde_json::Value;

foresee::include_spec!("keeper");
foresee::include_spec!("pins");
foresee::include_spec!("quantified");
foresee::include_spec!("relay");
foresee::include_spec!("tower");

/// Runs the command line of a generated service; the exit code and what it printed.
fn run(spec: &'static SpecInfo, arguments: &[&str]) -> (i32, String, String) {
    let common::Ran { code, out, err } = common::generated(spec, arguments);
    (code, out, err)
}

fn golden(spec: &'static SpecInfo) {
    let (exit, out, err) = run(spec, &["test"]);
    let found = format!("exit code {exit}\n{out}{err}").replace(concat!(env!("OUT_DIR"), "/"), "OUT_DIR/");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(format!("{}.out", spec.name));
    if std::env::var_os("FORESEE_BLESS").is_some() {
        fs::write(&path, &found).expect("it can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, found, "run with FORESEE_BLESS=1 to take this over");
}

#[test]
fn what_scenarios_print_is_golden() {
    golden(&relay::SPEC);
    golden(&keeper::SPEC);
    golden(&tower::SPEC);
    golden(&quantified::SPEC);
    golden(&pins::SPEC);
}

#[test]
fn scenarios_are_the_same_again_and_their_traces_replay() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let read = |name: &str| fs::read_to_string(folder.path().join(format!("{name}.json"))).expect("a trace");
    for spec in [&relay::SPEC, &keeper::SPEC, &tower::SPEC] {
        let first = run(spec, &["test", "--trace-out", path]);
        let traces: Vec<String> = spec.scenarios.iter().map(|scenario| read(scenario.name)).collect();
        assert_eq!(run(spec, &["test", "--trace-out", path]), first);
        for (scenario, trace) in spec.scenarios.iter().zip(&traces) {
            assert_eq!(read(scenario.name), *trace);
            let file = folder.path().join(format!("{}.json", scenario.name));
            let (exit, out, err) = run(spec, &["replay", file.to_str().expect("UTF-8")]);
            let violated = trace.contains("\"fault\"") || trace.contains("\"violation\"");
            assert_eq!(exit, i32::from(violated), "{}: {out}{err}", scenario.name);
        }
    }
    let file = folder.path().join("twice.json");
    fs::write(&file, read("twice").replacen("duplicate", "drop", 1)).expect("it can be written");
    let (exit, _, err) = run(&relay::SPEC, &["replay", file.to_str().expect("UTF-8")]);
    assert_eq!((exit, err.contains("step")), (2, true), "{err}");
}

#[test]
fn what_lower_layers_do_is_told_and_written_down_by_their_paths() {
    let folder = tempfile::tempdir().expect("a folder");
    run(
        &tower::SPEC,
        &["test", "by_a_layer", "later", "--trace-out", folder.path().to_str().expect("UTF-8")],
    );
    let replay = |name: &str, more: &[&str]| {
        let file = folder.path().join(format!("{name}.json"));
        run(&tower::SPEC, &[&["replay", file.to_str().expect("UTF-8")], more].concat())
    };
    let (exit, story, err) = replay("by_a_layer", &[]);
    assert_eq!(exit, 0, "{err}");
    for told in ["n[1].desk.mail.timers: [] -> [late(n[0])]", "n[0].desk.got: 0 -> 1"] {
        assert!(story.contains(told), "no {told} in:\n{story}");
    }
    // But for what it expects, the scenario is what it was.
    let (exit, scenario, err) = replay("by_a_layer", &["--to-test", "scenario"]);
    let expected = "scenario found_run in Three {
    n[1].desk.write(n[0]) as desk.mail.later;
    fire desk.mail.late(n[0]) at n[1];
    deliver desk.mail.Letter from n[1] to n[0];
    // end of the run.
}
";
    assert_eq!((exit, scenario.as_str()), (0, expected), "{err}");
    // A run that ends well is to stay possible.
    let (exit, test, err) = replay("by_a_layer", &["--to-test", "rust"]);
    assert_eq!((exit, test.contains("assert!(went.is_there()")), (0, true), "{test}{err}");
    assert!(test.contains("fn the_run_goes_the_same_way()"), "{test}");
    let traced = fs::read_to_string(folder.path().join("by_a_layer.json")).expect("the trace");
    let goes = |trace: &str| foresee::app::regress(&tower::SPEC, trace).expect("it is a trace").is_there();
    assert!(goes(&traced));
    let Trace { origin, ending, mut steps, .. } = Trace::from_json(&traced).expect("it is a trace");
    let called = steps.iter().position(|step| matches!(step.action, Action::Call(_))).expect("a call");
    steps.remove(called);
    assert!(!goes(&Trace::new(origin, ending, steps).to_json()));
    // One pin is about one handler.
    let (exit, _, err) = replay("later", &["--to-test", "scenario"]);
    assert_eq!((exit, err.contains("`later` chooses in the same step as `work`")), (2, true), "{err}");
}

#[test]
fn scenarios_are_chosen_by_name_and_told_as_json() {
    let (exit, out, _) = run(&relay::SPEC, &["test", "twice", "not_so", "--format", "json"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((exit, lines.len()), (1, 3));
    assert_eq!((&lines[0]["scenario"], &lines[0]["passed"]), (&"twice".into(), &true.into()));
    assert_eq!(lines[1]["failure"]["command"].as_str().map(|text| text.starts_with("expect ")), Some(true));
    assert_eq!((&lines[2]["passed"], &lines[2]["failed"]), (&1.into(), &1.into()));
    let (exit, _, err) = run(&relay::SPEC, &["test", "once"]);
    assert_eq!((exit, err.contains("no scenario `once`")), (2, true), "{err}");
}

#[test]
fn simulations_with_calls_and_faults_are_the_same_again_and_replay() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    let file = path.to_str().expect("UTF-8");
    let mut fired = std::collections::BTreeSet::new();
    let (mut made, mut answered) = (0, 0);
    for seed in 0..20 {
        let seed = seed.to_string();
        let arguments = ["simulate", "--system", "Stormy", "--seed", &seed, "--format", "json"];
        let first = run(&keeper::SPEC, &arguments);
        let traced = run(&keeper::SPEC, &[&arguments[..], &["--trace-out", file]].concat());
        assert_eq!(first, traced, "seed {seed}");
        assert_eq!(first.0, 0, "seed {seed}: {}{}", first.1, first.2);
        let (exit, _, err) = run(&keeper::SPEC, &["replay", file]);
        assert_eq!(exit, 0, "seed {seed}: {err}");
        let told: Value = serde_json::from_str(first.1.lines().next().expect("a line")).expect("JSON");
        for fault in told["faults"].as_array().expect("a list") {
            if fault["fired"].as_u64() > Some(0) {
                fired.insert(fault["fault"].as_str().expect("text").to_owned());
            }
        }
        for call in told["calls"].as_array().expect("a list") {
            made += call["requests"].as_u64().expect("a count");
            answered += call["answered"].as_u64().expect("a count");
        }
    }
    assert_eq!(fired.len(), 4, "{fired:?}");
    assert!(made > 50 && answered > made / 2 && answered < made, "{answered} of {made}");
}
