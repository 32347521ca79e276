//! What bodies mean: aspects, choices and chance, shown by running specs of `ui/run`.

use foresee::kernel::SpecInfo;
use serde_json::Value;

foresee::include_spec!("aspects");

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
