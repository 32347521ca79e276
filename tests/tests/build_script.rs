//! The interface for build scripts, called as one would: what is written, when, and what an error says.

use std::fs;
use std::path::Path;

const GOOD: &str = "//! Ä good one.\nservice A { uses net: Reliable; }\nsystem S { nodes { a: A; } }\n";

fn compile(folder: &Path, specs: &[&str]) -> Result<(), foresee_compiler::Error> {
    let paths: Vec<_> = specs.iter().map(|name| folder.join(name)).collect();
    foresee_compiler::configure().out_dir(folder.join("out")).emit_cargo(false).compile(&paths)
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a file written again would have the same time without a pause"
)]
fn the_text_is_wrapped_verbatim_and_written_once() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("good.mace"), GOOD).expect("a spec");
    compile(folder.path(), &["good.mace"]).expect("a good spec");
    let target = folder.path().join("out/good.mace.rs");
    let written = fs::read_to_string(&target).expect("the wrapper");
    let (opener, rest) = written.split_once("; ").expect("an opener");
    assert!(opener.starts_with("::foresee_macros::spec! { 0 \"good\" \""), "{opener}");
    assert_eq!(rest, format!("{GOOD}\n}}\n"));

    let time = || fs::metadata(&target).and_then(|it| it.modified()).expect("a time");
    let before = time();
    std::thread::sleep(std::time::Duration::from_millis(20));
    compile(folder.path(), &["good.mace"]).expect("a good spec");
    assert_eq!(time(), before, "nothing changed, so nothing is written");
}

#[test]
fn every_spec_is_looked_at_before_an_error_is_returned() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("good.mace"), GOOD).expect("a spec");
    fs::write(folder.path().join("bad.mace"), "service A {\n    states { B, B }\n}\n").expect("a spec");
    fs::write(folder.path().join("empty.mace"), " \n").expect("a spec");
    fs::write(folder.path().join("no-name.mace"), GOOD).expect("a spec");
    let error =
        compile(folder.path(), &["bad.mace", "empty.mace", "no-name.mace", "missing.mace", "good.mace"])
            .expect_err("four of them are wrong");
    let text = error.to_string();
    for part in ["E0201", "bad.mace:2:17", "E0003", "no-name.mace: the name of a spec", "missing.mace: "] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert_eq!(format!("{error:?}"), format!("\n{text}"));
    assert!(
        folder.path().join("out/good.mace.rs").exists() && !folder.path().join("out/bad.mace.rs").exists()
    );
}
