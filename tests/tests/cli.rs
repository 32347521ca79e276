//! The `foresee` program on good files, bad files and files that are no text at all.

mod common;

use std::fs;
#[cfg(unix)]
use std::{path::Path, process::Command};

#[cfg(unix)]
use common::Ran;
use common::{fields, foresee, promised_fields, root, run};
use serde_json::Value;

/// The most that a file may cost that is no spec, in seconds of CPU of a debug build.
const REFUSAL_CPU_SECONDS_MAX: f64 = 5.0;

/// `foresee check` of a file, and the seconds of CPU that it took, which do not depend on what else the machine does.
#[cfg(unix)]
fn timed_check(path: &Path) -> (Ran, f64) {
    let shell = "TIMEFORMAT='%U %S'; time \"$0\" check \"$1\"";
    let program = common::binary("foresee-cli", "foresee");
    let ran = run(Command::new("bash").args(["-c", shell]).arg(program).arg(path).env("LC_ALL", "C"));
    let times = ran.err.lines().next_back().unwrap_or_default().split(' ');
    let seconds = times.map(|time| time.parse::<f64>().expect("seconds")).sum();
    (ran, seconds)
}

#[cfg(unix)]
#[test]
fn files_that_are_no_specs_are_refused_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cases: [(&str, Vec<u8>); 7] = [
        ("empty.mace", Vec::new()),
        ("binary.mace", (0..=255u8).cycle().take(100_000).collect()),
        ("latin1.mace", b"service Caf\xe9 { }".to_vec()),
        ("braces.mace", vec![b'{'; 10 << 20]),
        ("line.mace", b"every word of this is in the wrong place ".repeat((1 << 20) / 41)),
        ("nested.mace", [b"service A { routines { fn f() { ".to_vec(), vec![b'('; 1 << 20]].concat()),
        ("quote.mace", b"service A { const X: &str = \"never closed; }".to_vec()),
    ];
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        let (ran, seconds) = timed_check(&path);
        assert_eq!(ran.code, 2, "{name}: {ran:?}");
        assert!(ran.err.contains("error"), "{name}: {}", ran.err);
        assert!(ran.err.len() < 100_000, "{name}: {} bytes of errors", ran.err.len());
        assert!(seconds < REFUSAL_CPU_SECONDS_MAX, "{name} took {seconds} s of CPU in a debug build");
    }
    let missing = run(foresee().arg("check").arg(folder.path().join("missing.mace")));
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(missing.err.contains("missing.mace") && missing.err.contains("E0009"), "{}", missing.err);
    let directory = run(foresee().arg("check").arg(folder.path()));
    assert_eq!(directory.code, 2, "{directory:?}");
}

#[test]
fn twelve_mistakes_are_shown_at_once_as_text_and_as_json() {
    let path = root().join("tests/ui/fail/twelve.mace");
    let text = run(foresee().arg("check").arg(&path));
    assert_eq!(text.code, 2, "{text:?}");
    let json = run(foresee().arg("check").arg(&path).args(["--format", "json"]));
    assert_eq!(json.code, 2, "{json:?}");
    let diagnostics: Vec<Value> =
        json.out.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    let errors: Vec<&Value> =
        diagnostics.iter().filter(|diagnostic| diagnostic["level"] == "error").collect();
    let codes: std::collections::BTreeSet<&str> =
        errors.iter().filter_map(|error| error["code"].as_str()).collect();
    assert!(errors.len() >= 12 && codes.len() >= 12, "{} errors, codes {codes:?}", errors.len());
    for error in errors {
        let code = error["code"].as_str().expect("a code");
        assert!(text.err.contains(code), "{code} is missing in the text");
        assert!(error["spans"][0]["line"].as_u64() > Some(0), "{error}");
        assert!(error["help"].as_array().is_some_and(|help| !help.is_empty()), "no help: {error}");
    }
}

#[test]
fn every_spec_of_the_repository_passes_the_front_end_and_becomes_rust() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for entry in fs::read_dir(root().join("specs")).expect("there are specs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "mace") {
            let checked = run(foresee().arg("check").arg(&path));
            assert_eq!(checked.code, 0, "{checked:?}");
            let built = run(foresee().arg("build").arg(&path).arg("-o").arg(folder.path()));
            assert_eq!(built.code, 0, "{built:?}");
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let rust = fs::read_to_string(folder.path().join(format!("{stem}.rs"))).expect("it was written");
            assert!(rust.contains("impl") && rust.contains("Service for"), "{stem} has no service");
        }
    }
}

#[test]
fn codes_are_explained_and_unknown_ones_told_their_neighbour() {
    let explained = run(foresee().args(["explain", "e101", "--format", "json"]));
    assert_eq!(explained.code, 0, "{explained:?}");
    assert_eq!(explained.json()["code"], "E0101");
    let unknown = run(foresee().args(["explain", "E0191"]));
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.err.contains("did you mean E0"), "{}", unknown.err);
    let all = run(foresee().arg("explain"));
    assert!(all.code == 0 && all.out.lines().count() > 10, "{all:?}");
}

#[test]
fn formatting_changes_only_what_it_must_and_never_a_wrong_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("it can be written");
        path
    };
    let ugly = write("ugly.mace", "service   A{states{B,C}} // kept\n");
    let wrong = write("wrong.mace", "service A { states { B C } }\n");
    let listed = run(foresee().args(["fmt", "--check"]).arg(&ugly));
    assert_eq!(listed.code, 1, "{listed:?}");
    assert!(listed.out.trim_end().ends_with("ugly.mace"), "{listed:?}");
    let failed = run(foresee().arg("fmt").args([&ugly, &wrong]));
    assert_eq!(failed.code, 2, "{failed:?}");
    assert_eq!(fs::read_to_string(&wrong).expect("it is there"), "service A { states { B C } }\n");
    let text = fs::read_to_string(&ugly).expect("it is there");
    assert!(text.contains("service A {") && text.contains("// kept"), "{text}");
    let again = run(foresee().args(["fmt", "--check"]).arg(&ugly));
    assert_eq!(again.code, 0, "{again:?}");
}

#[test]
fn every_spec_of_the_repository_has_numbers_and_pages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let entries = fs::read_dir(root().join("specs")).expect("there are specs");
    let specs: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "mace"))
        .collect();
    let counted = run(foresee().arg("stats").args(&specs).args(["--format", "json"]));
    assert_eq!(counted.code, 0, "{counted:?}");
    let numbers: Vec<Value> =
        counted.out.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    assert_eq!(numbers.len(), specs.len());
    for stats in &numbers {
        assert!(stats["lines"].as_u64() > stats["protocol_lines"].as_u64(), "{stats}");
        assert!(stats["total"]["handlers"].as_u64() > Some(0), "{stats}");
        assert_eq!(stats["missing_modules"], Value::Array(vec![]), "{stats}");
    }
    let written = run(foresee().arg("doc").args(&specs).arg("-o").arg(folder.path()));
    assert_eq!(written.code, 0, "{written:?}");
    let pages = fs::read_dir(folder.path()).expect("it was made").count();
    let services: usize = numbers.iter().filter_map(|stats| stats["services"].as_array()).map(Vec::len).sum();
    assert_eq!(pages, services + 1, "a page a service, and the index");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_failure() {
    let program = common::binary("foresee-cli", "foresee");
    let shell = format!("'{}' explain | true; exit ${{PIPESTATUS[0]}}", program.display());
    let ran = run(Command::new("bash").args(["-c", &shell]));
    assert!(ran.code == 0 && !ran.err.contains("panicked"), "{ran:?}");
}

#[test]
fn what_is_told_as_json_has_the_fields_that_the_reference_promises() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("it can be written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let ping = root().join("specs/ping.mace").to_str().expect("UTF-8").to_owned();
    let ugly = write("ugly.mace", "service   A{states{B,C}}\n");
    let wrong = write("wrong.mace", "service A { states { B, B } }\n");
    let missing = folder.path().join("missing.mace").to_str().expect("UTF-8").to_owned();
    let out = folder.path().join("out").to_str().expect("UTF-8").to_owned();
    let bob = write(
        "bob.toml",
        "states = [\"late\", \"never\"]\nprobabilities = [0.7, 0.3]\n[[act]]\nname = \"leave\"\nutilities = [1, 1]\n\
         [[act]]\nname = \"stay\"\nutilities = [3, 0]\n",
    );
    let cases: [(&str, &[&str], u8); 12] = [
        ("any", &["check", &wrong, &missing], 2),
        ("any", &["build", &wrong, "-o", &out], 2),
        ("any", &["fmt", &missing], 2),
        ("any", &["stats", &missing], 2),
        ("any", &["doc", &missing, "-o", &out], 2),
        ("any", &["test", &wrong], 2),
        ("fmt --check", &["fmt", "--check", &ugly, &ping], 1),
        ("stats", &["stats", &ping, "--against", &ugly], 0),
        ("doc", &["doc", &ping, "-o", &out], 0),
        ("explain", &["explain"], 0),
        ("explain", &["explain", "W0402"], 0),
        ("decide", &["decide", &bob], 0),
    ];
    for (command, args, code) in cases {
        let ran = run(foresee().args(args).args(["--format", "json"]));
        assert_eq!((ran.code, ran.err.as_str()), (i32::from(code), ""), "{args:?}: {ran:?}");
        let promised = &promised_fields(command)[0];
        assert!(!promised.is_empty() && ran.out.lines().count() > 0, "{args:?}: {ran:?}");
        for line in ran.out.lines() {
            let value: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{args:?}: {error}: {line}"));
            // What a run of tests ends with has a row of its own.
            let ends = args[0] == "test" && value.get("unbuilt").is_some();
            let promised = if ends { &promised_fields("test")[1] } else { promised };
            assert_eq!(fields(&value), *promised, "{args:?}: {line}");
        }
    }
}
