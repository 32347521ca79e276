//! From the TOML of an experiment to its cells: every combination of what is crossed.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

/// The most cells of an experiment, and the most seeds of each.
const CELLS_MAX: usize = 10_000;
const SEEDS_MAX: u64 = 10_000_000;

/// What is to be run.
#[derive(Debug)]
pub(super) struct Experiment {
    /// For the head of the table.
    pub title: Option<String>,
    /// The seeds of every cell.
    pub seeds: Range<u64>,
    /// Whether programs are built for speed.
    pub release: bool,
    /// The services.
    pub services: Vec<Service>,
    /// Every combination.
    pub cells: Vec<Cell>,
    /// The axis along which cells are compared, and the value on it with which the others are.
    pub compare: Option<(String, String)>,
}

/// A service that takes part.
#[derive(Clone, Debug)]
pub(super) struct Service {
    /// Its name in labels.
    pub name: String,
    /// Where its program comes from.
    pub program: Program,
}

/// Where a program comes from.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// Cargo builds this package.
    Package(String),
    /// It is this file.
    File(String),
}

/// One combination.
#[derive(Debug)]
pub(super) struct Cell {
    /// The place of its service.
    pub service: usize,
    /// What tells it apart: axes and values.
    pub labels: Vec<(String, String)>,
    /// What its `simulate` is told, beside seeds.
    pub arguments: Vec<String>,
}

impl Cell {
    /// `service=ping resolver=random`.
    pub fn name(&self) -> String {
        let labels: Vec<String> = self.labels.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
        labels.join(" ")
    }

    /// The value on an axis.
    pub fn on(&self, axis: &str) -> Option<&str> {
        self.labels.iter().find(|(it, _)| it == axis).map(|(_, value)| value.as_str())
    }
}

/// What is wrong, and where in the text.
#[derive(Debug)]
pub(super) struct Wrong {
    pub span: Option<Range<usize>>,
    pub message: String,
}

fn wrong(span: Range<usize>, message: impl Into<String>) -> Wrong {
    Wrong { span: Some(span), message: message.into() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: Option<String>,
    seeds: Spanned<String>,
    until: Option<Spanned<String>>,
    every: Option<String>,
    #[serde(default = "yes")]
    release: bool,
    service: Spanned<Vec<ServiceFile>>,
    #[serde(default)]
    cross: Cross,
    compare: Option<Spanned<Compare>>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    package: Option<Spanned<String>>,
    program: Option<Spanned<String>>,
    name: Option<String>,
    system: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cross {
    #[serde(default)]
    system: Many,
    #[serde(default)]
    resolver: Many,
    #[serde(default)]
    lookahead: Many,
    #[serde(default)]
    topology: Many,
    #[serde(default)]
    churn: Many,
    #[serde(default)]
    params: BTreeMap<String, Many>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compare {
    axis: String,
    with: Scalar,
}

/// A value as the command line takes it.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Whole(i64),
    Real(f64),
    Flag(bool),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Scalar::Text(text) => text.clone(),
            Scalar::Whole(number) => number.to_string(),
            Scalar::Real(number) => number.to_string(),
            Scalar::Flag(flag) => flag.to_string(),
        }
    }
}

/// One value or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Many {
    Several(Vec<Scalar>),
    One(Scalar),
}

impl Default for Many {
    fn default() -> Self {
        Many::Several(Vec::new())
    }
}

impl Many {
    fn texts(&self) -> Vec<String> {
        match self {
            Many::One(one) => vec![one.text()],
            Many::Several(several) => several.iter().map(Scalar::text).collect(),
        }
    }
}

/// An axis: its name, the option that sets it, and its values.
struct Axis {
    name: String,
    option: &'static str,
    values: Vec<String>,
}

/// Reads an experiment.
pub(super) fn read(text: &str) -> Result<Experiment, Wrong> {
    let file: File = toml::from_str(text).map_err(|error| Wrong {
        span: error.span(),
        message: error.message().lines().collect::<Vec<_>>().join(", "),
    })?;
    let seeds = seeds(&file.seeds)?;
    let (mut services, mut fixed) = (Vec::new(), Vec::new());
    for it in file.service.get_ref() {
        let (program, default) = match (&it.package, &it.program) {
            (Some(package), None) => (Program::Package(package.get_ref().clone()), package.get_ref().clone()),
            (None, Some(path)) => {
                let stem = std::path::Path::new(path.get_ref()).file_stem();
                let name =
                    stem.map_or_else(|| path.get_ref().clone(), |it| it.to_string_lossy().into_owned());
                (Program::File(path.get_ref().clone()), name)
            }
            _ => {
                let message = "a service is named by `package` or by `program`, one of the two";
                return Err(wrong(file.service.span(), message));
            }
        };
        let name = it.name.clone().unwrap_or(default);
        if services.iter().any(|known: &Service| known.name == name) {
            let message = format!("there are two services `{name}`: give one of them a `name`");
            return Err(wrong(file.service.span(), message));
        }
        services.push(Service { name, program });
        fixed.push(it);
    }
    if services.is_empty() {
        return Err(wrong(file.service.span(), "there is no service to run"));
    }
    let axes = axes(&file.cross);
    let mut cells = Vec::new();
    for (service, it) in fixed.iter().enumerate() {
        let first = vec![("service".to_owned(), services[service].name.clone())];
        let mut arguments = Vec::new();
        if let Some(system) = &it.system {
            arguments.extend(["--system".to_owned(), system.clone()]);
        }
        if let Some(until) = &file.until {
            arguments.extend(["--until".to_owned(), until.get_ref().clone()]);
        }
        if let Some(every) = &file.every {
            arguments.extend(["--every".to_owned(), every.clone()]);
        }
        for (name, value) in &it.params {
            arguments.extend(["--param".to_owned(), format!("{name}={}", value.text())]);
        }
        let mut crossed = vec![Cell { service, labels: first, arguments }];
        for axis in &axes {
            crossed = along(axis, &crossed);
            if cells.len() + crossed.len() > CELLS_MAX {
                let message = format!("more than {CELLS_MAX} combinations");
                return Err(wrong(file.seeds.span(), message));
            }
        }
        cells.extend(crossed);
    }
    let compare = match &file.compare {
        None => None,
        Some(said) => {
            let Compare { axis, with } = said.get_ref();
            let with = with.text();
            if !cells.iter().any(|cell| cell.on(axis) == Some(with.as_str())) {
                return Err(wrong(said.span(), format!("nothing here has `{with}` on an axis `{axis}`")));
            }
            Some((axis.clone(), with))
        }
    };
    Ok(Experiment { title: file.title, seeds, release: file.release, services, cells, compare })
}

fn axes(cross: &Cross) -> Vec<Axis> {
    let axis = |name: &str, option, many: &Many| Axis { name: name.to_owned(), option, values: many.texts() };
    let mut axes = vec![
        axis("system", "--system", &cross.system),
        axis("topology", "--topology", &cross.topology),
        axis("churn", "--churn", &cross.churn),
    ];
    axes.extend(cross.params.iter().map(|(name, many)| axis(name, "--param", many)));
    axes.extend([
        axis("resolver", "--resolver", &cross.resolver),
        axis("lookahead", "--lookahead", &cross.lookahead),
    ]);
    axes.retain(|axis| !axis.values.is_empty());
    axes
}

/// Each cell with each value of an axis.
fn along(axis: &Axis, cells: &[Cell]) -> Vec<Cell> {
    let with = |cell: &Cell, value: &String| {
        let (mut labels, mut arguments) = (cell.labels.clone(), cell.arguments.clone());
        labels.push((axis.name.clone(), value.clone()));
        match axis.option {
            // The carriers' own delays, and the faults of the system alone: what there is without a file.
            "--topology" | "--churn" if value == "none" => {}
            "--param" => arguments.extend(["--param".to_owned(), format!("{}={value}", axis.name)]),
            option => arguments.extend([option.to_owned(), value.clone()]),
        }
        Cell { service: cell.service, labels, arguments }
    };
    cells.iter().flat_map(|cell| axis.values.iter().map(move |value| with(cell, value))).collect()
}

fn seeds(said: &Spanned<String>) -> Result<Range<u64>, Wrong> {
    let text = said.get_ref();
    let ends = text
        .split_once("..")
        .and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
    match ends {
        Some((from, to)) if from < to && to - from <= SEEDS_MAX => Ok(from..to),
        Some((from, to)) if from < to => {
            Err(wrong(said.span(), format!("more than {SEEDS_MAX} seeds of each combination")))
        }
        Some(_) => {
            Err(wrong(said.span(), format!("no seed is in `{text}`: the second comes after the last")))
        }
        None => Err(wrong(said.span(), format!("`{text}` is no range of seeds, such as `0..100`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        seeds = "0..10"
        until = "60s"
        every = "5s"
        compare = { axis = "resolver", with = "random" }
        [[service]]
        package = "ping"
        system = "Pair"
        [[service]]
        program = "bin/other"
        params = { size = 3 }
        [cross]
        resolver = ["random", "first"]
        topology = ["none", "regions"]
        params = { rounds = [1, 2.5], loud = true }
    "#;

    #[test]
    fn cells_are_all_combinations() {
        let experiment = read(TEXT).unwrap();
        assert_eq!((experiment.cells.len(), experiment.seeds), (2 * 2 * 2 * 2, 0..10));
        let cell = &experiment.cells[1];
        assert_eq!(cell.name(), "service=ping topology=none loud=true rounds=1 resolver=first");
        let told = "--system Pair --until 60s --every 5s --param loud=true --param rounds=1 --resolver first";
        assert_eq!(cell.arguments.join(" "), told);
        let last = experiment.cells.last().unwrap();
        assert_eq!(last.name(), "service=other topology=regions loud=true rounds=2.5 resolver=first");
        assert!(
            last.arguments.join(" ").starts_with("--until 60s --every 5s --param size=3 --topology regions")
        );
        let names: std::collections::BTreeSet<String> = experiment.cells.iter().map(Cell::name).collect();
        assert_eq!(names.len(), 16);
    }

    #[test]
    fn mistakes_have_their_place() {
        let told = |from: &str, to: &str| {
            let text = TEXT.replacen(from, to, 1);
            let wrong = read(&text).unwrap_err();
            (wrong.message, wrong.span.map(|span| text[span].to_owned()).unwrap_or_default())
        };
        let cases = [
            (told("0..10", "ten"), "`ten` is no range of seeds, such as `0..100`", "\"ten\""),
            (told("0..10", "9..3"), "no seed is in `9..3`: the second comes after the last", "\"9..3\""),
            (told("0..10", "0..99999999"), "more than 10000000 seeds of each combination", "\"0..99999999\""),
            (
                told("with = \"random\"", "with = \"best\""),
                "nothing here has `best` on an axis `resolver`",
                "{ axis = \"resolver\", with = \"best\" }",
            ),
        ];
        for ((message, place), expected, at) in cases {
            assert_eq!((message.as_str(), place.as_str()), (expected, at));
        }
        assert!(told("resolver = [", "resolvers = [").0.starts_with("unknown field `resolvers`"));
        assert!(told("package = \"ping\"", "name = \"ping\"").0.starts_with("a service is named by"));
        assert!(told("[1, 2.5]", "[[1]]").0.contains("did not match"));
        assert!(read("").unwrap_err().message.contains("missing field"));
        for cut in 0..TEXT.len() {
            let _ = read(&TEXT[..cut]);
        }
    }
}
