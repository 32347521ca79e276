//! Liveness by the command line: what a fair run owes, on systems small enough to know the answer; lassos that replay; specs of the repository.

mod common;

use foresee::kernel::trace::Ending;
use foresee::kernel::{SpecInfo, Trace};
use serde_json::Value;

foresee::include_spec!("fair_runs");
foresee::include_spec!("deadlock");
foresee::include_spec!("load_balancer");

/// Runs the command line of a generated service: the exit code, and all that it printed.
fn run(spec: &'static SpecInfo, arguments: &[&str]) -> (i32, String) {
    let common::Ran { code, out, err } = common::generated(spec, arguments);
    (code, out + &err)
}

fn checked(spec: &'static SpecInfo, system: &str) -> (i32, Value) {
    let arguments = ["check", "--system", system, "--liveness", "--allow-unfired", "--format", "json"];
    let ran = common::generated(spec, &arguments);
    (ran.code, ran.json())
}

/// The verdicts on the liveness properties of a system of `fair_runs`, by name, with the length of the cycle where there is one.
fn verdicts(system: &str) -> Vec<(String, String, Option<u64>)> {
    let (exit, report) = checked(&fair_runs::SPEC, system);
    let properties = report["properties"].as_array().expect("a list");
    let told = properties.iter().filter(|it| it["kind"] == "liveness").map(|it| {
        let text = |field: &str| it[field].as_str().unwrap_or_default().to_owned();
        let steps = it["lasso"]["steps"].as_array().map(|steps| steps.len() as u64);
        let cycle = steps.zip(it["lasso"]["cycle"].as_u64()).map(|(steps, begin)| steps - begin);
        assert!(it["extent"]["complete"].as_bool().expect("it says so"), "{it}");
        (text("name"), text("status"), cycle)
    });
    let told: Vec<_> = told.collect();
    let refuted = told.iter().any(|it| it.1 == "refuted");
    let expected = if refuted { (1, "violated") } else { (0, "held") };
    assert_eq!((exit, report["verdict"].as_str().unwrap_or_default()), expected);
    told
}

fn proved(name: &str) -> (String, String, Option<u64>) {
    (name.to_owned(), "proved".to_owned(), None)
}

fn refuted(name: &str, cycle: u64) -> (String, String, Option<u64>) {
    (name.to_owned(), "refuted".to_owned(), Some(cycle))
}

#[test]
fn a_choice_is_adversarial_unless_it_is_fair() {
    assert_eq!(verdicts("Tossed"), [refuted("shows", 1)]);
    assert_eq!(verdicts("TossedFairly"), [proved("shows")]);
    let (_, report) = checked(&fair_runs::SPEC, "TossedFairly");
    let choices =
        report["properties"].as_array().expect("a list").iter().find_map(|it| it["choices"].as_str());
    assert_eq!(choices, Some("adversarial, but fair toss"));
}

#[test]
fn a_message_arrives_however_busy_others_are_unless_it_is_lost() {
    assert_eq!(verdicts("Sure"), [proved("heard"), proved("kept")]);
    // One loss is enough for who says it once; the timer goes on for ever.
    assert_eq!(verdicts("Lossy"), [refuted("heard", 2), refuted("kept", 2)]);
}

#[test]
fn who_is_down_for_good_hears_nothing() {
    assert_eq!(verdicts("Gone"), [refuted("heard", 2), refuted("kept", 2)]);
}

#[test]
fn what_is_behind_in_a_connection_arrives_as_well() {
    assert_eq!(verdicts("Connected"), [proved("both")]);
}

#[test]
fn each_form_claims_what_it_says() {
    // Two lights: the cycle of the bad run turns both.
    assert_eq!(verdicts("Lit"), [proved("again"), refuted("stays", 4), proved("follows")]);
}

#[test]
fn a_refutation_is_told_written_and_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lasso.json");
    let file = file.to_str().expect("its name is text");
    let spec = &fair_runs::SPEC;
    let (exit, text) =
        run(spec, &["check", "--system", "Tossed", "--property", "shows", "--trace-out", file]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("from here on again and again:") && text.contains("and so on for ever"), "{text}");
    let (exit, text) = run(spec, &["replay", file]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("`shows` is refuted: so it goes on for ever, from after step 0"), "{text}");
    let (exit, text) = run(spec, &["replay", file, "--to-test", "rust"]);
    assert!(exit == 0 && text.contains("fn shows_is_refuted_so_no_more()"), "{text}");
    let (exit, text) = run(spec, &["replay", file, "--to-test", "scenario"]);
    assert!(exit == 2 && text.contains("no scenario goes on for ever"), "{text}");
    let text = std::fs::read_to_string(file).expect("it was written");
    assert!(foresee::app::regress(spec, &text).expect("it is a trace").is_there());
    // A cycle that does not end where it begins is no refutation, whoever says so.
    let trace = Trace::from_json(&text).expect("it is a trace");
    let ending = Ending::Cycle { property: "shows".to_owned(), after: 99 };
    let spoilt = Trace::new(trace.origin, ending, trace.steps).to_json();
    assert!(!foresee::app::regress(spec, &spoilt).expect("it is a trace").is_there());
    std::fs::write(file, spoilt).expect("it is written");
    let (exit, text) = run(spec, &["replay", file]);
    assert!(exit == 2 && text.contains("the cycle after step 99 does not end where it begins"), "{text}");
}

#[test]
fn a_run_without_end_is_drawn_as_others_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lasso.txt");
    let arguments =
        ["check", "--system", "Lossy", "--property", "heard", "--trace-format", "mermaid", "--trace-out"];
    let (exit, text) =
        run(&fair_runs::SPEC, &[&arguments[..], &[file.to_str().expect("its name is text")]].concat());
    assert_eq!(exit, 1, "{text}");
    let drawn = std::fs::read_to_string(&file).expect("it was written");
    assert!(drawn.starts_with("sequenceDiagram") && drawn.contains("is refuted"), "{drawn}");
}

#[test]
fn liveness_is_not_decided_unasked_nor_along_walks_nor_beyond_its_states() {
    let spec = &fair_runs::SPEC;
    let (exit, text) = run(spec, &["check", "--system", "Tossed"]);
    assert!(exit == 0 && text.contains("not checked: `check --liveness` decides it (E0905)"), "{text}");
    let (exit, text) = run(spec, &["check", "--system", "Tossed", "--liveness", "--search", "walks"]);
    assert!(exit == 2 && text.contains("E0905"), "{text}");
    let (exit, text) = run(spec, &["check", "--system", "Lit", "--liveness", "--liveness-states", "1"]);
    assert!(exit == 3 && text.contains("a liveness property is undecided; of states: held"), "{text}");
    let (exit, text) = run(spec, &["check", "--system", "Lit", "--property", "again", "--time", "0s"]);
    assert!(exit == 3 && text.contains("unknown"), "{text}");
}

#[test]
fn specs_of_the_repository_are_proved_where_their_small_systems_are_complete() {
    for (spec, system, property) in
        [(&deadlock::SPEC, "Two", "ended"), (&load_balancer::SPEC, "Small", "answered")]
    {
        let (exit, report) = checked(spec, system);
        let properties = report["properties"].as_array().expect("a list");
        let claim = properties.iter().find(|it| it["name"] == property).expect("it is listed");
        assert_eq!((exit, &claim["status"]), (0, &"proved".into()), "{claim}");
    }
}
