//! Checks that are made to end: by the user, by a limit of the machine. What is known by then is told, and nothing is left.
#![cfg(unix)]

mod common;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Ran, binary, run};
use serde_json::Value;

/// The child ends, and says what it found.
fn ended(child: std::process::Child) -> Ran {
    let output = child.wait_with_output().expect("the program ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "an interrupt comes while a search is going on")]
fn an_interrupted_check_says_what_it_knows() {
    for search in ["bfs", "dfs", "predict"] {
        let mut check = Command::new(binary("two-phase-commit", "two-phase-commit"));
        check.args(["check", "--param", "rms=14", "--format", "json", "--search", search]);
        let child = check.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // 14 participants have far more states than any machine gets through by then.
        sleep(Duration::from_millis(1_500));
        let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
        let ran = ended(child);
        assert_eq!(ran.code, 3, "{search}: {ran:?}");
        let report: Value = ran.json();
        assert!(report["unique_states"].as_u64().is_some_and(|states| states > 1_000), "{search}: {report}");
        assert_eq!(report["verdict"], "inconclusive", "{search}: {report}");
    }
}

#[test]
fn a_disk_that_takes_no_more_ends_a_check_in_good_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = binary("two-phase-commit", "two-phase-commit");
    // A limit on the size of files is what a process meets of a full disk; in blocks of 512 bytes or of 1 KiB.
    // The program by itself takes 10 MiB or more, by how much of it the system has read: a budget near that may be spent before anything spills.
    let script = "ulimit -f 64; exec \"$0\" check --param rms=9 --max-memory 40MiB --spill-dir \"$1\"";
    let ran = run(Command::new("sh").args(["-c", script]).arg(program).arg(folder.path()));
    assert_eq!(ran.code, 2, "{ran:?}");
    let says =
        format!("error: states that wait to be explored cannot be kept in {}: ", folder.path().display());
    assert!(ran.err.starts_with(&says), "{ran:?}");
    let left = std::fs::read_dir(folder.path()).expect("it can be read").count();
    assert_eq!(left, 0, "nothing is left behind");
}
