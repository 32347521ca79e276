//! The runs of a cell on disk: a file of JSON lines, the first of which says whose they are.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::Cell;
use crate::exit::Failure;
use crate::input;

/// The most bytes of a file of runs that is read.
const BYTES_MAX: u64 = 4 << 30;

/// The runs of a cell.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    file: File,
    /// What `simulate` said of each seed that has ended.
    pub runs: BTreeMap<u64, Value>,
}

/// The first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    cell: Vec<(String, String)>,
    arguments: Vec<String>,
    /// The hash of the spec that ran.
    spec: String,
}

/// What a file of runs holds.
type Whose = (Head, BTreeMap<u64, Value>);

impl Store {
    /// Opens the runs of a cell, or begins with none. A last line that was cut off is given up.
    ///
    /// # Errors
    /// The file belongs to another cell, other arguments or another spec; a line in the middle is broken; it cannot be read or
    /// written.
    pub fn open(folder: &Path, cell: &Cell, spec: &str) -> Result<Self, Failure> {
        let runs = folder.join("runs");
        let path = runs.join(format!("{}.jsonl", slug(&cell.name())));
        let told = |error: std::io::Error| Failure::Told(format!("{}: {error}", input::name(&path)));
        fs::create_dir_all(&runs).map_err(told)?;
        let head =
            Head { cell: cell.labels.clone(), arguments: cell.arguments.clone(), spec: spec.to_owned() };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(told)?;
        let whole = whole_lines(&path)?;
        file.set_len(whole.len() as u64).map_err(told)?;
        let runs = match read(&path, &whole)? {
            None => {
                let line = serde_json::to_string(&head).map_err(|error| Failure::Told(error.to_string()))?;
                file.write_all(format!("{line}\n").as_bytes()).map_err(told)?;
                BTreeMap::new()
            }
            Some((found, runs)) if found == head => runs,
            Some((found, _)) => {
                let what = if found.spec == head.spec { "other arguments" } else { "another spec" };
                let name = input::name(&path);
                return Err(format!(
                    "{name} has the runs of {what}: name another folder with `--out`, or delete it"
                )
                .into());
            }
        };
        Ok(Store { path, file, runs })
    }

    /// Adds a run that has ended; it is written before this returns.
    pub fn add(&mut self, line: &str, run: Value) -> Result<(), Failure> {
        let Some(seed) = run["seed"].as_u64() else { return Ok(()) };
        let told = |error: std::io::Error| Failure::Told(format!("{}: {error}", input::name(&self.path)));
        if !self.runs.contains_key(&seed) {
            self.file.write_all(format!("{line}\n").as_bytes()).map_err(told)?;
            self.runs.insert(seed, run);
        }
        Ok(())
    }
}

/// The text up to the last end of a line.
fn whole_lines(path: &Path) -> Result<String, Failure> {
    let told = |message: String| Failure::Told(format!("{}: {message}", input::name(path)));
    let length = fs::metadata(path).map_err(|error| told(error.to_string()))?.len();
    if length > BYTES_MAX {
        return Err(told(format!("it has {length} bytes; a file of runs has at most {BYTES_MAX}")));
    }
    let mut bytes = fs::read(path).map_err(|error| told(error.to_string()))?;
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1));
    String::from_utf8(bytes)
        .map_err(|error| told(format!("byte {}: it is not UTF-8", error.utf8_error().valid_up_to())))
}

/// The head and the runs of a file; None where it is empty.
fn read(path: &Path, text: &str) -> Result<Option<Whose>, Failure> {
    let broken = |line: usize, what: &str| Failure::Told(format!("{}:{line}: {what}", input::name(path)));
    let mut lines = text.lines().enumerate();
    let Some((_, first)) = lines.next() else { return Ok(None) };
    let head: Head =
        serde_json::from_str(first).map_err(|_| broken(1, "this is no file of runs of an experiment"))?;
    let mut runs = BTreeMap::new();
    for (number, line) in lines {
        let run: Value =
            serde_json::from_str(line).map_err(|error| broken(number + 1, &error.to_string()))?;
        let seed = run["seed"].as_u64().ok_or_else(|| broken(number + 1, "a run has a `seed`"))?;
        runs.insert(seed, run);
    }
    Ok(Some((head, runs)))
}

/// A figure of a run: one of its objectives, one of what its resolver says, or a count of its own.
pub(super) fn figure(run: &Value, name: &str) -> Option<f64> {
    let of = |group: &str| run[group][name].as_f64();
    of("objectives").or_else(|| of("resolver")).or_else(|| run[name].as_f64())
}

/// What a cell is called, and a figure of its runs, in the order of their seeds.
pub(super) struct Series {
    pub name: String,
    /// What it is on each axis on which there are several.
    pub labels: Vec<(String, String)>,
    pub values: Vec<f64>,
}

/// Labels as a name.
pub(super) fn named(labels: &[(String, String)]) -> String {
    labels.iter().map(|(axis, value)| format!("{axis}={value}")).collect::<Vec<_>>().join(" ")
}

/// What a cell is, on each axis on which there are several, and its runs by their seeds.
type Runs = (Vec<(String, String)>, BTreeMap<u64, Value>);

/// A figure of all cells whose runs stand in a folder, by their names without what they have in common.
///
/// # Errors
/// A folder without runs, a figure that none of them has.
pub(super) fn series(folder: &Path, name: &str) -> Result<Vec<Series>, Failure> {
    let of = |(labels, runs): Runs| {
        let values = runs.values().filter_map(|run| figure(run, name)).filter(|it| it.is_finite()).collect();
        Series { name: named(&labels), labels, values }
    };
    let series: Vec<Series> = cells(folder)?.into_iter().map(of).collect();
    if series.iter().all(|it| it.values.is_empty()) {
        let runs = folder.join("runs");
        return Err(format!("no run in {} has a figure `{name}`", input::name(&runs)).into());
    }
    Ok(series)
}

/// An objective of all cells on the way: for each cell its values at each moment, of which a label `time` says the seconds.
///
/// # Errors
/// A folder without runs, an objective that none of them shows on the way.
pub(super) fn over_time(folder: &Path, name: &str) -> Result<Vec<Series>, Failure> {
    let mut series = Vec::new();
    for (labels, runs) in cells(folder)? {
        let mut moments: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for run in runs.values() {
            let seen = &run["over_time"];
            let numbers = |of: &Value| -> Vec<Option<f64>> {
                of.as_array().into_iter().flatten().map(Value::as_f64).collect()
            };
            for (at, value) in numbers(&seen["seconds"]).into_iter().zip(numbers(&seen["objectives"][name])) {
                if let (Some(at), Some(value)) = (at.filter(|at| *at >= 0.0), value) {
                    // Times that are not negative are in the order of their bits.
                    moments.entry(at.to_bits()).or_default().push(value);
                }
            }
        }
        series.extend(moments.into_iter().map(|(at, values)| {
            let mut labels = labels.clone();
            labels.push((TIME.to_owned(), f64::from_bits(at).to_string()));
            Series { name: named(&labels), labels, values }
        }));
    }
    if series.is_empty() {
        let runs = folder.join("runs");
        return Err(format!(
            "no run in {} shows `{name}` on the way: say `every = \"5s\"` in the experiment",
            input::name(&runs)
        )
        .into());
    }
    Ok(series)
}

/// The axis along which a run goes.
pub(super) const TIME: &str = "time";

/// The cells whose runs stand in a folder, without what they have in common.
fn cells(folder: &Path) -> Result<Vec<Runs>, Failure> {
    let runs = folder.join("runs");
    let entries = fs::read_dir(&runs).map_err(|error| format!("{}: {error}", input::name(&runs)))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "jsonl"));
    paths.sort();
    let mut found = Vec::new();
    for path in &paths {
        if let Some((head, runs)) = read(path, &whole_lines(path)?)? {
            found.push((head.cell, runs));
        }
    }
    let common: Vec<(String, String)> = match found.first() {
        Some((first, _)) if found.len() > 1 => {
            first.iter().filter(|label| found.iter().all(|(cell, _)| cell.contains(label))).cloned().collect()
        }
        _ => Vec::new(),
    };
    if found.is_empty() {
        return Err(format!("there are no runs in {}", input::name(&runs)).into());
    }
    let own = |cell: Vec<(String, String)>| cell.into_iter().filter(|it| !common.contains(it)).collect();
    Ok(found.into_iter().map(|(cell, runs)| (own(cell), runs)).collect())
}

/// A name as a file can have it.
pub(super) fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "=._-".contains(c) { c } else { '_' };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: &str) -> Cell {
        Cell { service: 0, labels: vec![("service".into(), value.into())], arguments: vec![] }
    }

    fn told<T>(result: Result<T, Failure>) -> String {
        match result {
            Err(Failure::Told(message)) => message,
            _ => panic!("no error"),
        }
    }

    #[test]
    fn runs_are_found_again_and_a_cut_line_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let add = |store: &mut Store, seed: u64| {
            let line = format!("{{\"seed\":{seed},\"events\":1}}");
            let run = serde_json::from_str(&line).unwrap();
            store.add(&line, run).unwrap();
        };
        let mut store = Store::open(folder.path(), &cell("a"), "1").unwrap();
        add(&mut store, 3);
        add(&mut store, 5);
        add(&mut store, 3);
        let path = store.path.clone();
        drop(store);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3, "a seed is kept once");
        // Wherever it is cut, what was whole stays, and it can be gone on with.
        for cut in 0..text.len() {
            fs::write(&path, &text[..cut]).unwrap();
            let mut store = Store::open(folder.path(), &cell("a"), "1").unwrap();
            let whole = text[..cut].matches('\n').count().saturating_sub(1);
            assert_eq!(store.runs.len(), whole);
            add(&mut store, 9);
            drop(store);
            assert_eq!(Store::open(folder.path(), &cell("a"), "1").unwrap().runs.len(), whole + 1);
        }
    }

    #[test]
    fn runs_of_something_else_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = Store::open(folder.path(), &cell("a"), "1").unwrap().path;
        assert!(told(Store::open(folder.path(), &cell("a"), "2")).contains("the runs of another spec"));
        let other = Cell { arguments: vec!["--until".into(), "1s".into()], ..cell("a") };
        assert!(told(Store::open(folder.path(), &other, "1")).contains("the runs of other arguments"));
        fs::write(&path, "[1]\n").unwrap();
        assert!(told(Store::open(folder.path(), &cell("a"), "1")).contains("no file of runs"));
        let good = "{\"cell\":[[\"service\",\"a\"]],\"arguments\":[],\"spec\":\"1\"}\n";
        fs::write(&path, format!("{good}{{\"seed\":1}}\n{{\"se\n")).unwrap();
        assert!(told(Store::open(folder.path(), &cell("a"), "1")).contains("jsonl:3: EOF"));
        fs::write(&path, format!("{good}{{\"events\":1}}\n")).unwrap();
        assert!(told(Store::open(folder.path(), &cell("a"), "1")).ends_with("jsonl:2: a run has a `seed`"));
    }

    #[test]
    fn what_was_seen_on_the_way_stands_along_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), &cell("a"), "1").unwrap();
        for (seed, values) in [(0, "[1,2.5]"), (1, "[3]")] {
            let line = format!(
                "{{\"seed\":{seed},\"over_time\":{{\"seconds\":[0.5,10],\"objectives\":{{\"total\":{values}}}}}}}"
            );
            let run = serde_json::from_str(&line).unwrap();
            store.add(&line, run).unwrap();
        }
        let series = over_time(folder.path(), "total").unwrap();
        let found: Vec<_> = series.iter().map(|it| (it.labels[1].1.as_str(), it.values.as_slice())).collect();
        assert_eq!(found, [("0.5", &[1.0, 3.0][..]), ("10", &[2.5])]);
        assert!(told(over_time(folder.path(), "depth")).contains("`every = \"5s\"`"));
    }

    #[test]
    fn names_of_series_leave_out_what_all_have() {
        let folder = tempfile::tempdir().unwrap();
        for (resolver, value) in [("first", 1), ("random", 2)] {
            let labels = vec![("service".into(), "a".into()), ("resolver".into(), resolver.to_owned())];
            let cell = Cell { service: 0, labels, arguments: vec![] };
            let line = format!("{{\"seed\":0,\"objectives\":{{\"total\":{value}}}}}");
            let run = serde_json::from_str(&line).unwrap();
            Store::open(folder.path(), &cell, "1").unwrap().add(&line, run).unwrap();
        }
        let series = series(folder.path(), "total").unwrap();
        let found: Vec<_> = series.iter().map(|it| (it.name.as_str(), it.values.as_slice())).collect();
        assert_eq!(found, [("resolver=first", &[1.0][..]), ("resolver=random", &[2.0])]);
        assert!(told(super::series(folder.path(), "depth")).contains("has a figure `depth`"));
        assert!(told(super::series(&folder.path().join("x"), "depth")).contains("x/runs"));
    }
}
