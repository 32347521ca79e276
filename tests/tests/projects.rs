//! Crates outside the workspace: what `foresee new` makes, and how plain cargo reports an error in a handler's body.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Ran, cargo_outside, foresee, root, run};

fn new_project(folder: &Path, name: &str) -> PathBuf {
    let ran = run(foresee().args(["new", name]).current_dir(folder));
    assert_eq!(ran.code, 0, "{ran:?}");
    let project = folder.join(name);
    // The same versions as the workspace, so that nothing is looked up anew.
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).expect("it can be copied");
    project
}

fn cargo(project: &Path, args: &[&str]) -> Ran {
    run(cargo_outside(project).args(args))
}

#[test]
fn a_new_project_is_checked_and_simulated_outside_the_workspace() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = new_project(folder.path(), "demo");
    let checked = cargo(&project, &["run", "--", "check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.out.contains("held"), "{}", checked.out);
    let simulated = cargo(&project, &["run", "--", "simulate", "--seeds", "0..3"]);
    assert_eq!(simulated.code, 0, "{simulated:?}");
    let again = run(foresee().args(["new", "demo"]).current_dir(folder.path()));
    assert_eq!(again.code, 2, "a folder that is not empty is left alone: {again:?}");
}

#[test]
fn errors_and_rebuilds_are_what_a_user_expects() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = new_project(folder.path(), "wrong");
    let spec = project.join("specs/wrong.mace");
    let good = fs::read_to_string(&spec).expect("the template");
    let built = cargo(&project, &["build"]);
    assert_eq!(built.code, 0, "{built:?}");

    // An unrelated edit does not run the build script again; an edit of the spec does.
    fs::write(project.join("notes.txt"), "nothing").expect("it can be written");
    let script_ran = |ran: &Ran| ran.err.contains("Dirty wrong") || ran.err.contains("Compiling wrong");
    let fresh = cargo(&project, &["build", "-v"]);
    assert!(!script_ran(&fresh), "{}", fresh.err);

    // A type error in a body stands at its line and column of a file named like the spec.
    let (line, column, bad) = with_type_error(&good);
    fs::write(&spec, bad).expect("it can be written");
    let failed = cargo(&project, &["build"]);
    assert_ne!(failed.code, 0, "a type error compiles");
    let place = format!("wrong.mace.rs:{line}:{column}");
    assert!(
        failed.err.contains("E0308") && failed.err.contains(&place),
        "{place} is missing in:\n{}",
        failed.err
    );

    // A mistake in the spec itself is reported by the build script, with its place in the spec.
    fs::write(&spec, format!("{good}\nservice Broken {{ states {{ A, A }} }}\n")).expect("it can be written");
    let failed = cargo(&project, &["build"]);
    assert_ne!(failed.code, 0, "a duplicate state compiles");
    assert!(failed.err.contains("specs/wrong.mace:"), "{}", failed.err);

    fs::write(&spec, good).expect("it can be written");
    let mended = cargo(&project, &["build"]);
    assert_eq!(mended.code, 0, "{mended:?}");
}

/// Puts `let wrong: bool = 1;` at the start of the first handler's body; line and column of the `1`.
fn with_type_error(spec: &str) -> (usize, usize, String) {
    let transitions = spec.find("transitions {").expect("a service with transitions");
    let head = transitions + spec[transitions..].find("upcall").expect("a handler");
    let body = head + spec[head..].find('{').expect("a body") + 1;
    let inserted = " let wrong: bool = 1; assert!(wrong);";
    let at = body + inserted.find('1').expect("the number");
    let bad = format!("{}{inserted}{}", &spec[..body], &spec[body..]);
    let line_start = bad[..at].rfind('\n').map_or(0, |newline| newline + 1);
    (bad[..at].matches('\n').count() + 1, bad[line_start..at].chars().count() + 1, bad)
}
