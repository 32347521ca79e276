//! From the TOML of a cluster to what is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::exit::Failure;
use crate::input;

/// A cluster as its file describes it.
#[derive(Debug)]
pub(super) struct Cluster {
    /// The file.
    pub path: PathBuf,
    /// Where its program comes from.
    pub program: Program,
    /// Whether the program is built for speed.
    pub release: bool,
    /// The system; the first of the spec if left out.
    pub system: Option<String>,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
    /// The nodes that run here; all of the system if left out.
    pub nodes: Option<Vec<String>>,
    /// The topology that is emulated.
    pub topology: Option<String>,
    /// The folder of everything that the cluster writes.
    pub folder: PathBuf,
    /// The first of the ports; free ones are looked for if left out.
    pub base_port: Option<u16>,
    /// The seed of all nodes.
    pub seed: u64,
    /// Whether nodes record what they do.
    pub record: bool,
    /// Whether nodes make the calls of the system's workload.
    pub workload: bool,
    /// How long `run` lets it run, such as `60s`.
    pub until: Option<String>,
    /// Options of `node` for all.
    pub options: toml::Table,
}

/// Where a program comes from.
#[derive(Debug)]
pub(super) enum Program {
    /// Cargo builds this package.
    Package(String),
    /// It is this file.
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    package: Option<String>,
    program: Option<String>,
    #[serde(default)]
    release: bool,
    system: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, toml::Value>,
    nodes: Option<Vec<String>>,
    topology: Option<String>,
    data: Option<PathBuf>,
    base_port: Option<u16>,
    #[serde(default)]
    seed: u64,
    #[serde(default = "yes")]
    record: bool,
    #[serde(default = "yes")]
    workload: bool,
    until: Option<String>,
    #[serde(default)]
    node: toml::Table,
}

fn yes() -> bool {
    true
}

/// Options of `node` that the cluster sets for each node by itself.
const OURS: [&str; 11] =
    ["node", "listen", "peers", "data", "http", "record", "seed", "emulate", "links", "workload", "begin"];

/// Reads the file of a cluster.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn read(path: &Path) -> Result<Cluster, Failure> {
    let shown = input::name(path);
    let told = |what: String| Failure::Told(format!("{shown}: {what}"));
    let length = fs::metadata(path).map_err(|error| told(error.to_string()))?.len();
    if length > input::TEXT_BYTES_MAX {
        return Err(told(format!("it has {length} bytes; at most {} are read", input::TEXT_BYTES_MAX)));
    }
    let text = fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| told(error.to_string().trim().to_owned()))?;
    let program = match (file.package, file.program) {
        (Some(package), None) => Program::Package(package),
        (None, Some(program)) => Program::File(program),
        (Some(_), Some(_)) => return Err(told("`package` or `program` says what runs, not both".to_owned())),
        (None, None) => {
            return Err(told(
                "what runs is not said: `package` names one that cargo builds, `program` a file".to_owned(),
            ));
        }
    };
    if let Some(ours) = OURS.iter().find(|ours| file.node.contains_key(**ours)) {
        return Err(told(format!(
            "`node.{ours}`: the cluster says this for each node by itself; leave it out"
        )));
    }
    let mut params = BTreeMap::new();
    for (name, value) in file.params {
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Array(_) | toml::Value::Table(_) => {
                return Err(told(format!("`params.{name}` is a number, a text or a truth value")));
            }
            other => other.to_string(),
        };
        params.insert(name, value);
    }
    // A path in the file is from the folder of the file.
    let base = path.parent().unwrap_or(Path::new(""));
    let folder = file.data.map_or_else(|| path.with_extension("cluster"), |data| base.join(data));
    let folder = std::path::absolute(&folder).map_err(|error| told(error.to_string()))?;
    let topology = file.topology.map(|topology| match base.join(&topology).canonicalize() {
        Ok(found) => found.to_string_lossy().into_owned(),
        // `regions` and the like; a file that is missing is complained of by the program.
        Err(_) => topology,
    });
    Ok(Cluster {
        path: path.to_owned(),
        program,
        release: file.release,
        system: file.system,
        params,
        nodes: file.nodes,
        topology,
        folder,
        base_port: file.base_port,
        seed: file.seed,
        record: file.record,
        workload: file.workload,
        until: file.until,
        options: file.node,
    })
}

impl Cluster {
    /// How its programs are told which system they are of.
    pub fn system_arguments(&self) -> Vec<String> {
        let system = self.system.iter().flat_map(|system| ["--system".to_owned(), system.clone()]);
        let params =
            self.params.iter().flat_map(|(name, value)| ["--param".to_owned(), format!("{name}={value}")]);
        system.chain(params).collect()
    }
}

/// The nodes that words name: `n[3]`, `n[3..7]`, a group such as `n`, a number, numbers `3..7`, or `all`. A range does not have its end.
///
/// # Errors
/// A word that names none.
pub(super) fn named(words: &[String], names: &[String]) -> Result<Vec<usize>, Failure> {
    let mut found = Vec::new();
    for word in words {
        let before = found.len();
        found.extend(one_word(word, names));
        if found.len() == before {
            return Err(Failure::Told(format!(
                "`{word}` names no node; say a name such as {}, a range such as `{}`, or `all`",
                names.first().map_or("`n[0]`".to_owned(), |name| format!("`{name}`")),
                names.first().map_or("n[0..2]".to_owned(), |name| name.replace("[0]", "[0..2]")),
            )));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn one_word(word: &str, names: &[String]) -> Vec<usize> {
    let all = 0..names.len();
    if word == "all" {
        return all.collect();
    }
    if let Some(place) = names.iter().position(|name| name == word) {
        return vec![place];
    }
    if let Ok(number) = word.parse::<usize>() {
        return all.filter(|place| *place == number).collect();
    }
    let range = |text: &str| -> Option<std::ops::Range<usize>> {
        let (from, to) = text.split_once("..")?;
        Some(from.trim().parse().ok()?..to.trim().parse().ok()?)
    };
    if let Some(range) = range(word) {
        return all.filter(|place| range.contains(place)).collect();
    }
    let within = word.strip_suffix(']').and_then(|word| word.split_once('['));
    let inside = within.and_then(|(group, text)| Some((group, range(text)?)));
    let is_meant = |name: &str| match (&inside, name.split_once('[')) {
        (Some((group, range)), Some((of, number))) => {
            of == *group && number.trim_end_matches(']').parse().is_ok_and(|number| range.contains(&number))
        }
        (None, Some((of, _))) => of == word,
        _ => false,
    };
    all.filter(|place| is_meant(&names[*place])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_nodes() {
        let names: Vec<String> = ["tm", "n[0]", "n[1]", "n[2]", "n[3]"].map(str::to_owned).into();
        let named = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            super::named(&words, &names)
        };
        let places = |words: &[&str]| named(words).expect("they are named");
        assert_eq!(places(&["n[1]"]), [2]);
        assert_eq!(places(&["n[1..3]", "tm"]), [0, 2, 3]);
        assert_eq!(places(&["n"]), [1, 2, 3, 4]);
        assert_eq!(places(&["0..2", "4"]), [0, 1, 4]);
        assert_eq!(places(&["all", "n"]), [0, 1, 2, 3, 4]);
        for wrong in ["m", "n[4]", "n[4..9]", "7", "5..9", "", "n[]"] {
            let Err(Failure::Told(said)) = named(&[wrong]) else { panic!("{wrong} names something") };
            assert!(said.contains("names no node"), "{said}");
        }
    }

    #[test]
    fn a_file_says_what_runs_and_its_mistakes_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("net.toml");
        let read = |text: &str| {
            fs::write(&path, text).expect("it can be written");
            super::read(&path)
        };
        let cluster = read("package = \"ping\"\n[params]\nsize = 3\nspread = \"5s\"\n").expect("it is right");
        assert_eq!(cluster.system_arguments(), ["--param", "size=3", "--param", "spread=5s"]);
        assert!(cluster.folder.ends_with("net.cluster") && cluster.folder.is_absolute());
        for (text, said) in [
            ("", "what runs is not said"),
            ("package = \"a\"\nprogram = \"b\"", "not both"),
            ("package = \"a\"\nport = 3", "unknown field `port`"),
            ("package = \"a\"\nbase_port = 70000", "line 2"),
            ("package = \"a\"\n[node]\nlisten = \"x\"", "`node.listen`"),
            ("package = \"a\"\n[params]\nx = [1]", "`params.x`"),
        ] {
            let Err(Failure::Told(told)) = read(text) else { panic!("{text} is right") };
            assert!(told.contains(said) && told.contains("net.toml"), "{told}");
        }
    }
}
