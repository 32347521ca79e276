//! Specs of `ui/run`: what they mean is shown by running them. `build.rs` has compiled them.

use foresee::kernel::SpecInfo;
use serde_json::Value;

foresee::include_spec!("tree");

/// Runs the command line of a generated service; the exit code and what it printed, as JSON lines.
fn run(spec: &'static SpecInfo, arguments: &[&str]) -> (u8, Vec<Value>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["spec"].iter().chain(arguments).chain(&["--format", "json"]);
    let exit = foresee::app::run(spec, line.map(Into::into), &mut out, &mut err);
    let text = String::from_utf8(out).expect("the output is text");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
    let lines: Vec<Value> = lines.collect();
    assert!(!lines.is_empty(), "{}", String::from_utf8_lossy(&err));
    (exit as u8, lines)
}

#[test]
fn every_engine_agrees_on_a_tree() {
    let mut seen = Vec::new();
    for search in ["reference", "bfs", "dfs"] {
        let (exit, lines) = run(&tree::SPEC, &["check", "--search", search]);
        println!("{search} {exit} {}", lines[0]);
        seen.push((exit, lines[0]["unique_states"].as_u64()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}
