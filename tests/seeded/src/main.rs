//! Without arguments, prints the table of `docs/seeded-bugs.md`: each bug is searched for. With the name of a bug, runs the search that
//! finds it and shows the counterexample; what stands behind the name is given to `check` besides. With `NAME replay FILE` and other
//! commands, runs these.

use std::io::Write;
use std::process::ExitCode;

use foresee::app::Exit;
use seeded_bugs::{BUGS, run, search};
use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    let Some((name, rest)) = arguments.split_first() else { return table(&mut out).into() };
    let Some(index) = BUGS.iter().position(|bug| bug.name == name) else {
        let names: Vec<&str> = BUGS.iter().map(|bug| bug.name).collect();
        let _ = writeln!(err, "error: there is no bug `{name}`; there are: {}", names.join(", "));
        return Exit::Usage.into();
    };
    let command = match rest.first() {
        Some(first) if !first.starts_with('-') => rest.to_vec(),
        _ => [search(&BUGS[index]), rest.to_vec()].concat(),
    };
    run(index, &command, &mut out, &mut err).into()
}

fn table(out: &mut dyn Write) -> Exit {
    let mut worst = Exit::Held;
    let mut line = |text: String| {
        if writeln!(out, "{text}").is_err() {
            worst = Exit::Internal;
        }
    };
    line("| bug | what is wrong | spec | search | violates | states | seconds | steps |".to_owned());
    line("|---|---|---|---|---|---:|---:|---:|".to_owned());
    for (index, bug) in BUGS.iter().enumerate() {
        let mut found = Vec::new();
        let arguments = [search(bug), vec!["--format".to_owned(), "json".to_owned()]].concat();
        run(index, &arguments, &mut found, &mut std::io::stderr());
        let found: Value = serde_json::from_slice(&found).unwrap_or_default();
        let steps = found["counterexample"]["steps"].as_array().map_or(0, Vec::len);
        line(format!(
            "| `{}` | {} | `{}` | `{}` | {} | {} | {:.2} | {steps} |",
            bug.name,
            bug.what,
            bug.spec,
            bug.check,
            found["counterexample"]["property"].as_str().unwrap_or("**nothing**"),
            found["unique_states"],
            found["cpu_seconds"].as_f64().unwrap_or_default(),
        ));
    }
    worst
}
