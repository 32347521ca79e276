//! The `foresee` program on good files, bad files and files that are no text at all.

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::{foresee, root, run};
use serde_json::Value;

#[test]
fn files_that_are_no_specs_are_refused_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cases: [(&str, Vec<u8>); 6] = [
        ("empty.mace", Vec::new()),
        ("binary.mace", (0..=255u8).cycle().take(100_000).collect()),
        ("latin1.mace", b"service Caf\xe9 { }".to_vec()),
        ("braces.mace", vec![b'{'; 10 << 20]),
        ("nested.mace", [b"service A { routines { fn f() { ".to_vec(), vec![b'('; 1 << 20]].concat()),
        ("quote.mace", b"service A { const X: &str = \"never closed; }".to_vec()),
    ];
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        let mut check = foresee();
        let started = Instant::now();
        let ran = run(check.arg("check").arg(&path));
        assert_eq!(ran.code, 2, "{name}: {ran:?}");
        assert!(ran.err.contains("error"), "{name}: {}", ran.err);
        assert!(ran.err.len() < 100_000, "{name}: {} bytes of errors", ran.err.len());
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{name} took {:?} in a debug build",
            started.elapsed()
        );
    }
    let missing = run(foresee().arg("check").arg(folder.path().join("missing.mace")));
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(missing.err.contains("missing.mace"), "{}", missing.err);
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
