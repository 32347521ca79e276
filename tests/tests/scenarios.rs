//! `foresee test`: scenarios of specs within and outside packages, as a user runs them.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Ran, fields, foresee, promised_fields, root, run, target};
use serde_json::Value;

/// One node that counts, and fails at three.
const COUNTER: &str = "//! One node that counts.

service Counter {
    variables { count: u32; }
    timers { tick; }
    transitions {
        upcall start() { tick.set(1s); }
        scheduler tick {
            count = count + 1;
            assert!(count < 3, \"too much\");
            tick.set(1s);
        }
    }
}

system One { nodes { n: Counter; } }

scenario counts in One { fire tick at n; expect n.count == 1; }
scenario wrong in One { fire tick at n; expect n.count == 2; }
scenario faults in One { fire tick at n; fire tick at n; fire tick at n; }
";

/// `foresee test` in a folder, with what the tests of crates outside the workspace have built already.
fn test(folder: &Path, args: &[&str]) -> Ran {
    let mut command: Command = foresee();
    command.arg("test").args(args).current_dir(folder).env("NO_COLOR", "1").env_remove("RUSTFLAGS");
    command
        .env("CARGO_TARGET_DIR", target().join("outside"))
        .env("FORESEE_CACHE_DIR", target().join("cache"));
    run(&mut command)
}

fn values(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

/// Text without figures before ` s`.
fn untimed(text: &str) -> String {
    let time = |word: &str| word.trim_start_matches('(').parse::<f64>().is_ok() && word.contains('.');
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        words.iter().map(|word| if time(word) { "#" } else { word }).collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn bare_specs_outside_any_package_are_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        fs::create_dir_all(folder.path().join("specs")).expect("it can be made");
        fs::write(folder.path().join("specs").join(name), text).expect("it can be written");
    };
    write("counter.mace", COUNTER);
    write("quiet.mace", "service Quiet { }\n");
    // What our own checks cannot know and rustc does, on line 9 of the spec.
    write("rusty.mace", &COUNTER.replace("count + 1;", "count.to_vec();"));
    write("wrong.mace", &COUNTER.replace("timers { tick; }", "timers { tick; tick; }"));
    write("part.mace", &COUNTER[..COUNTER.find("system").expect("a system")]);
    write(
        "importing.mace",
        &format!("import part::Counter;\n{}", &COUNTER[COUNTER.find("system").expect("a system")..]),
    );

    let ran = test(folder.path(), &["specs", "--format", "json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let all = values(&ran);
    let level = |value: &&Value| value["level"] == "error";
    let errors: Vec<(&str, u64, u64)> = all
        .iter()
        .filter(level)
        .map(|it| {
            let span = &it["spans"][0];
            let number = |key: &str| span[key].as_u64().unwrap_or_default();
            (span["file"].as_str().unwrap_or_default(), number("line"), number("column"))
        })
        .collect();
    assert_eq!(errors, [("specs/wrong.mace", 5, 20), ("specs/rusty.mace", 9, 27)], "{}", ran.out);
    let went = |file: &str, name: &str| {
        let found = all.iter().find(|it| it["file"] == file && it["scenario"] == name);
        found.unwrap_or_else(|| panic!("{name} of {file} was not run: {ran:?}"))
    };
    for file in ["specs/counter.mace", "specs/importing.mace"] {
        assert_eq!(went(file, "counts")["passed"], true);
        assert!(went(file, "counts")["seconds"].as_f64().is_some_and(|it| it > 0.0));
        let failure = &went(file, "wrong")["failure"];
        assert_eq!((&failure["file"], &failure["command"]), (&file.into(), &"expect n.count == 2".into()));
    }
    let reason =
        |file: &str| went(file, "faults")["failure"]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason("specs/counter.mace").contains("specs/counter.mace:10:13"), "{}", ran.out);
    assert!(reason("specs/importing.mace").contains("specs/part.mace:10:13"), "{}", ran.out);
    let last = all.last().expect("a last line");
    let counts = ["specs", "passed", "failed", "unbuilt"].map(|key| last[key].as_u64());
    assert_eq!(counts, [3, 2, 4, 1].map(Some), "{last}");

    // What the reference promises of each object.
    let promised = promised_fields("test");
    assert_eq!(
        (fields(went("specs/counter.mace", "wrong")), fields(last)),
        (promised[0].clone(), promised[1].clone())
    );
    let mistakes = all.iter().filter(|it| it.get("level").is_some());
    mistakes.for_each(|it| assert_eq!(fields(it), promised_fields("any")[0]));
    let failure = &went("specs/counter.mace", "wrong")["failure"];
    let expected = ["command", "file", "line", "notes", "property", "reason"].map(str::to_owned);
    assert_eq!(fields(failure), expected.into());

    // As text, from elsewhere, without building anything anew.
    let ran = test(&folder.path().join("specs"), &["counter.mace", "--filter", "counter::"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let expected = "ok      counter::counts (2 commands, 1 events in # s) # s
FAILED  counter::wrong # s
        counter.mace:19: expect n.count == 2
        this does not hold
          n.count is 1
FAILED  counter::faults # s
        counter.mace:20: fire tick at n
        a step faults: too much (at counter.mace:10:13)
1 passed, 2 failed in 1 spec";
    assert_eq!(untimed(&ran.out), expected, "{ran:?}");
    assert!(!ran.err.contains("Compiling"), "{}", ran.err);
    let ran = test(folder.path(), &["specs/counter.mace", "--filter", "counts"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{ran:?}");

    // Cargo that cannot work says nothing of a spec: that it failed is said.
    let mut command = foresee();
    command.args(["test", "specs/counter.mace"]).current_dir(folder.path()).env("RUSTC", "false");
    command
        .env("CARGO_TARGET_DIR", target().join("outside"))
        .env("FORESEE_CACHE_DIR", target().join("cache"));
    let ran = run(&mut command);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("error: `cargo build` of") && ran.err.contains("ended with"), "{}", ran.err);

    // What rustc says as text names the spec and nothing of ours.
    let ran = test(folder.path(), &["specs/rusty.mace"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("E0599") && ran.err.contains(" specs/rusty.mace:9:27"), "{}", ran.err);
    assert!(!ran.err.contains(".mace.rs"), "{}", ran.err);
    assert_eq!(test(folder.path(), &[]).code, 2, "no package is here");
}

#[test]
fn a_package_is_run_by_its_own_program() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = run(foresee().args(["new", "owner"]).current_dir(folder.path()));
    assert_eq!(made.code, 0, "{made:?}");
    let project = folder.path().join("owner");
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).expect("it can be copied");
    // A spec that needs Rust of the crate: no other program could run it.
    let main = project.join("src/main.rs");
    let text = fs::read_to_string(&main).expect("the template");
    fs::write(&main, format!("{text}\nfn start() -> u32 {{\n    7\n}}\n")).expect("it can be written");
    let spec = COUNTER.replace("service Counter {", "use crate::start;\n\nservice Counter {");
    let spec = spec.replace("count = count + 1;", "count = start();").replace("count < 3", "count < 9");
    fs::write(project.join("specs/owner.mace"), spec).expect("it can be written");
    let ran = test(&project.join("src"), &["--filter", "counts", "--format", "json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(values(&ran)[0]["failure"]["notes"][0], "n.count is 7");
    let ran = test(folder.path(), &["owner", "--filter", "wrong"]);
    assert!(ran.code == 1 && ran.out.contains("owner/specs/owner.mace:21: expect n.count == 2"), "{ran:?}");
    // Without that program the spec says what it needs.
    fs::write(&main, "fn main() {}\n").expect("it can be written");
    let ran = test(&project, &[]);
    assert!(ran.code == 2 && ran.err.contains("owner::SPEC"), "{ran:?}");
}

#[test]
#[ignore = "builds a program for each spec: run it with --ignored"]
fn every_scenario_of_every_spec_passes() {
    let ran = test(root(), &["specs", "--format", "json"]);
    let last = values(&ran).pop().expect("a last line");
    assert!(ran.code == 0 && last["failed"] == 0 && last["unbuilt"] == 0, "{ran:?}");
    assert!(last["passed"].as_u64() > Some(20), "{last}");
}
