//! What bodies mean: aspects, choices and chance, shown by running specs of `ui/run`.

use foresee::kernel::SpecInfo;
use serde_json::Value;

foresee::include_spec!("aspects");
foresee::include_spec!("choices");

/// What a command of a generated service printed, as JSON, and its exit code.
fn run(spec: &'static SpecInfo, line: &str) -> (u8, Value) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = ["spec"].into_iter().chain(line.split(' ')).chain(["--format", "json"]);
    let exit = foresee::app::run(spec, words.map(Into::into), &mut out, &mut err);
    let first = out.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let parsed = serde_json::from_slice(first);
    (exit as u8, parsed.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&err))))
}

/// The status of a property.
fn status<'v>(report: &'v Value, name: &str) -> &'v str {
    let properties = report["properties"].as_array().expect("a list");
    let found =
        properties.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"));
    found["status"].as_str().expect("a word")
}

#[test]
fn aspects_run_after_each_change_in_the_order_of_changes() {
    let (exit, report) = run(&aspects::SPEC, "check --system Watched");
    assert_eq!(exit, 0, "{report}");
    for (name, expected) in [("order", "held"), ("all", "reached"), ("up", "reached"), ("down", "reached")] {
        assert_eq!(status(&report, name), expected, "{name}: {report}");
    }
    assert_eq!(status(&report, "no_fault"), "held");
}

#[test]
fn aspects_without_end_are_a_fault_of_the_step() {
    let (exit, report) = run(&aspects::SPEC, "check --system Loop");
    assert_eq!((exit, status(&report, "no_fault")), (1, "violated"), "{report}");
    let shown = report.to_string();
    assert!(shown.contains("more than 4096 calls and aspects"), "{shown}");
}

#[test]
fn choices_have_the_options_that_they_say_and_no_others() {
    let (exit, report) = run(&choices::SPEC, "check --system Alone");
    assert_eq!((exit, report["verdict"].as_str()), (0, Some("held")), "{report}");
    // With two members of which it is one, there is one quorum; without any there is none to ask.
    let runs = |name: &str| {
        let handlers = report["handlers"].as_array().expect("a list");
        handlers.iter().find(|it| it["name"] == name).and_then(|it| it["runs"].as_u64())
    };
    assert!(runs("ask") > Some(0) && runs("again") > Some(0), "{report}");
    let (_, nobody) = run(&choices::SPEC, "check --system One");
    assert_eq!(status(&nobody, "last"), "never reached", "nobody to choose from: {nobody}");
}

#[test]
fn choices_declared_fair_are_fair_in_the_tables() {
    let sites = choices::picker::INFO.sites;
    let fair: Vec<&str> = sites.iter().filter(|site| site.fair).map(|site| site.name).collect();
    assert_eq!(fair, ["beat.every", "beat.every", "ask", "again.pair", "again.wait"]);
}

#[test]
fn a_simulation_draws_what_it_is_told_to_and_repeats_it() {
    let line = "simulate --system Three --seeds 0..20";
    let (exit, report) = run(&choices::SPEC, line);
    assert_eq!(exit, 0, "{report}");
    assert_eq!(run(&choices::SPEC, line), (exit, report));
}
