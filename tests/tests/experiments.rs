//! Experiments: what is crossed is run once, a killed one goes on, and results tell what was measured.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Ran, binary, foresee, run};
use serde_json::Value;

fn experiment(folder: &Path, service: &str, rest: &str) -> PathBuf {
    let program = binary(service, service);
    let path = folder.join("it.toml");
    let text = format!("{rest}\n[[service]]\nprogram = {:?}\n", program.to_str().expect("UTF-8"));
    // Keys of the whole come before the first table.
    let (keys, tables) = rest.split_once("[cross]").unwrap_or((rest, ""));
    let text = match tables {
        "" => text,
        _ => {
            format!("{keys}\n[[service]]\nprogram = {:?}\n[cross]{tables}", program.to_str().expect("UTF-8"))
        }
    };
    fs::write(&path, text).expect("the file can be written");
    path
}

fn ran(path: &Path) -> Ran {
    run(foresee().args(["experiment", "--format", "json"]).arg(path))
}

#[test]
fn every_combination_is_run_and_agrees_with_simulate() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "seeds = \"3..9\"\ncompare = { axis = \"resolver\", with = \"first\" }\n[cross]\nresolver = [\"first\", \"random\"]\nparams = { rms = [2, 3] }";
    let path = experiment(folder.path(), "two-phase-commit", text);
    let first = ran(&path);
    assert_eq!(first.code, 0, "{first:?}");
    let summary = first.json();
    assert_eq!(vec![common::fields(&summary)], common::promised_fields("experiment"));
    let cells = summary["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 4);
    for cell in cells {
        assert_eq!((cell["runs"].as_u64(), cell["violations"].as_u64()), (Some(6), Some(0)), "{cell}");
        let (rms, resolver) =
            (cell["cell"]["rms"].as_str(), cell["cell"]["resolver"].as_str().expect("a resolver"));
        let rms = format!("rms={}", rms.expect("a number"));
        let line =
            ["simulate", "--seeds", "3..9", "--format", "json", "--resolver", resolver, "--param", &rms];
        let alone = run(common::service("two-phase-commit").args(line));
        let last: Value = serde_json::from_str(alone.out.lines().last().expect("a summary")).expect("JSON");
        let mean = last["objectives"]["total"]["mean"].as_f64().expect("a mean");
        assert!((cell["figures"]["total"]["mean"].as_f64().expect("a mean") - mean).abs() < 1e-9, "{cell}");
        assert_eq!(cell["differences"].is_null(), resolver == "first", "{cell}");
    }
    let csv = fs::read_to_string(folder.path().join("it.results/runs.csv")).expect("it is there");
    assert_eq!(csv.lines().count(), 1 + 4 * 6);
    assert!(
        csv.starts_with(
            "service,rms,resolver,seed,ending,violation,events,messages,bytes,virtual_seconds,total,"
        ),
        "{csv}"
    );
    // Nothing is run twice, and the same is said.
    let log = folder.path().join("it.results/runs");
    let times = || -> Vec<_> {
        let entries = fs::read_dir(&log).expect("runs").map(|entry| entry.expect("an entry").metadata());
        entries.map(|it| it.expect("metadata").len()).collect()
    };
    let before = times();
    assert_eq!((ran(&path).out, times()), (first.out, before));
    for form in ["box", "cdf"] {
        let drawn = run(foresee()
            .args(["plot", "--format", "json", "--as", form])
            .arg(folder.path().join("it.results")));
        assert_eq!(drawn.code, 0, "{drawn:?}");
        assert_eq!(vec![common::fields(&drawn.json())], common::promised_fields("plot"));
        let svg = fs::read_to_string(folder.path().join("it.results/total.svg")).expect("it is drawn");
        assert!(svg.contains("rms=3 resolver=random"), "{form}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a process is killed once it has written something")]
fn a_killed_experiment_goes_on_and_loses_no_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path =
        experiment(folder.path(), "failure-detector", "seeds = \"0..60\"\n[cross]\nsystem = [\"Watch\"]");
    let runs = folder.path().join("it.results/runs");
    let kept = || -> Vec<String> {
        let Ok(entries) = fs::read_dir(&runs) else { return Vec::new() };
        let texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
        let mut lines: Vec<String> = texts
            .flat_map(|text| {
                text.split_inclusive('\n')
                    .filter(|it| it.ends_with('\n'))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        lines.sort();
        lines
    };
    let mut before: Vec<String> = Vec::new();
    for _ in 0..3 {
        let mut going = foresee()
            .args(["experiment", "--jobs", "1"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let begun = Instant::now();
        while kept().len() < before.len() + 3 && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        going.kill().expect("SIGKILL");
        going.wait().expect("it is gone");
        let now = kept();
        assert!(before.iter().all(|line| now.contains(line)), "a finished run is lost");
        before = now;
    }
    let whole = ran(&path);
    assert_eq!(whole.code, 0, "{whole:?}");
    assert_eq!(whole.json()["cells"][0]["runs"], 60);
    assert!(before.iter().all(|line| kept().contains(line)));
    assert_eq!(kept().len(), 61, "each seed once, and the head");
}

#[test]
fn what_cannot_run_is_told_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "seeds = \"0..2\"\n[cross]\nresolver = [\"first\", \"oracle\"]";
    let told = ran(&experiment(folder.path(), "ping", text));
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.err.contains("resolver=oracle: ") && told.err.contains("oracle"), "{told:?}");
    let runs: Vec<_> =
        told.json()["cells"].as_array().expect("cells").iter().map(|it| it["runs"].clone()).collect();
    assert_eq!(runs, [2, 0]);

    let path = folder.path().join("broken.toml");
    fs::write(&path, "seeds = \"0..2\"\nsevice = 3\n").expect("it can be written");
    let told = run(foresee().arg("experiment").arg(&path));
    assert_eq!(told.code, 2);
    assert!(told.err.contains("E0012") && told.err.contains("broken.toml:2:1"), "{told:?}");
    fs::write(&path, "seeds = \"0..2\"\n[[service]]\nprogram = \"it.toml\"\n").expect("it can be written");
    let told = run(foresee().arg("experiment").arg(&path));
    assert_eq!(told.code, 2);
    assert!(told.err.contains("it.toml cannot be started"), "{told:?}");
}
