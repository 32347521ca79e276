//! `foresee stats`: the numbers of specs, as a table or as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use foresee_compiler::import::{self, Disk};
use foresee_compiler::parse;
use foresee_compiler::stats::{Against, Counts, Modules, Stats, modules, stats};
use foresee_compiler::tokens::TokenIndex;

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};
use crate::input::{self, Unusable};
use crate::report::Report;

/// The columns after the name.
const HEAD: [&str; 9] = [
    "lines",
    "protocol",
    "handlers",
    "branches",
    "/handler",
    "with guards",
    "/handler",
    "choices",
    "scenarios",
];

/// Counts every file, and sets those after the first beside it where it is named by `against`. A file that cannot be parsed,
/// or that imports one which cannot, is told, and has no numbers.
pub fn run(files: &[PathBuf], against: Option<&Path>, report: &mut Report<'_>) -> Outcome {
    let mut exit = Exit::Held;
    let mut all = vec![];
    let other = against.map(Path::to_path_buf);
    for path in other.iter().chain(&input::specs(files)?) {
        match counted(path) {
            Ok(stats) => all.push(stats),
            Err(unusable) => {
                report.unusable(&unusable)?;
                exit = exit.and(Exit::Usage);
            }
        }
    }
    // Where the other has no numbers there is nothing to compare with.
    let name = against.map(input::name);
    let other = all.first().filter(|first| Some(&first.file) == name.as_ref()).cloned();
    let beside = |index: usize, stats: &Stats| Some(stats.against(other.as_ref().filter(|_| index > 0)?));
    let all: Vec<(Stats, Option<Against>)> =
        all.iter().enumerate().map(|(index, stats)| (stats.clone(), beside(index, stats))).collect();
    match report.format {
        Format::Text if all.is_empty() => {}
        Format::Text => write!(report.out, "{}", table(&all))?,
        Format::Json => {
            for (stats, against) in &all {
                let told = |error: serde_json::Error| Failure::Told(error.to_string());
                let mut value = serde_json::to_value(stats).map_err(told)?;
                value["against"] = serde_json::to_value(against).map_err(told)?;
                writeln!(report.out, "{value}")?;
            }
        }
    }
    Ok(exit)
}

/// The numbers of a file with all that it imports and the Rust that these use, each counted once.
fn counted(path: &Path) -> Result<Stats, Box<Unusable>> {
    let loaded = import::load(input::read(path)?, &Disk);
    let mut errors = loaded.diagnostics.clone();
    errors.extend(loaded.files.iter().flat_map(|file| file.syntax.iter().cloned()));
    if errors.has_errors() {
        return Err(Box::new(Unusable { file: loaded.source, diagnostics: errors }));
    }
    let mut specs = vec![];
    for (index, imported) in loaded.files.iter().enumerate() {
        let path = if index == 0 { path } else { Path::new(&imported.path) };
        let file = input::read(path)?;
        let (ast, _) = parse::parse(&file);
        match TokenIndex::of_source(&file) {
            Ok(tokens) => specs.push((file, ast, tokens)),
            Err(error) => return Err(Box::new(Unusable { file, diagnostics: error.into() })),
        }
    }
    let mut used = Modules::default();
    for (file, ast, _) in &specs {
        let Some(folder) = manifest(Path::new(&file.name)) else { continue };
        let found = modules(ast, &folder, &|path| fs::read_to_string(path).ok());
        for module in found.found {
            if !used.found.iter().any(|it| it.file == module.file) {
                used.found.push(module);
            }
        }
        used.missing.extend(found.missing);
    }
    let mut all = specs.iter();
    let mut total = match all.next() {
        Some((file, ast, tokens)) => stats(file, ast, tokens, used),
        None => return Err(Box::new(Unusable { file: loaded.source, diagnostics: errors })),
    };
    all.for_each(|(file, ast, tokens)| total.import(stats(file, ast, tokens, Modules::default())));
    Ok(total)
}

/// The folder of the nearest `Cargo.toml` around a spec.
fn manifest(spec: &Path) -> Option<PathBuf> {
    let spec = spec.canonicalize().ok()?;
    spec.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file()).map(Path::to_path_buf)
}

/// One row a file, and below it how it compares, one a service where they are not all, one a file that it imports, and one a
/// Rust module.
fn table(all: &[(Stats, Option<Against>)]) -> String {
    let mut rows = vec![("".to_owned(), HEAD.map(str::to_owned))];
    for (stats, against) in all {
        let scenarios = stats.scenarios.to_string();
        rows.push((
            stats.file.clone(),
            row(&stats.total, stats.lines, stats.protocol_lines.to_string(), scenarios),
        ));
        if let Some(against) = against {
            rows.push((format!("  against {}", against.file), changes(against)));
        }
        let several = stats.services.len() + stats.imports.len() > 1;
        for service in stats.services.iter().filter(|_| several) {
            let cells = row(&service.counts, service.lines, service.lines.to_string(), String::new());
            rows.push((format!("  {}", service.name), cells));
        }
        for import in &stats.imports {
            let cells = row(&import.counts, import.lines, import.lines.to_string(), String::new());
            rows.push((format!("  {}", import.file), cells));
        }
        for module in &stats.modules {
            let lines = module.lines.to_string();
            let mut cells = [const { String::new() }; HEAD.len()];
            cells[0].clone_from(&lines);
            cells[1] = lines;
            cells[3] = module.branches.to_string();
            rows.push((format!("  {}", module.file), cells));
        }
        for missing in &stats.missing_modules {
            rows.push((
                format!("  {missing}: not found, not counted"),
                [const { String::new() }; HEAD.len()],
            ));
        }
    }
    aligned(&rows)
}

/// By how many in a hundred the columns differ.
fn changes(against: &Against) -> [String; HEAD.len()] {
    let cell = |part: Option<f64>| part.map_or("-".to_owned(), |part| format!("{:+.0} %", part * 100.0));
    [
        cell(against.lines),
        cell(against.protocol_lines),
        cell(against.handlers),
        cell(against.branches),
        cell(against.branches_per_handler),
        cell(against.branches_with_guards),
        cell(against.branches_with_guards_per_handler),
        cell(against.choices),
        String::new(),
    ]
}

fn row(counts: &Counts, lines: usize, protocol: String, scenarios: String) -> [String; HEAD.len()] {
    [
        lines.to_string(),
        protocol,
        counts.handlers.to_string(),
        counts.branches.to_string(),
        format!("{:.2}", counts.branches_per_handler),
        counts.branches_with_guards.to_string(),
        format!("{:.2}", counts.branches_with_guards_per_handler),
        counts.choices.total.to_string(),
        scenarios,
    ]
}

fn aligned(rows: &[(String, [String; HEAD.len()])]) -> String {
    let numbered = rows.iter().filter(|(_, cells)| !cells[0].is_empty());
    let name = numbered.map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (title, cells) in rows {
        text.push_str(&format!("{title:<name$}"));
        for (at, cell) in cells.iter().enumerate() {
            let width = rows.iter().map(|(_, cells)| cells[at].chars().count()).max().unwrap_or(0);
            text.push_str(&format!("  {cell:>width$}"));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use foresee_compiler::render::Style;

    use super::*;

    fn told(files: &[PathBuf], against: Option<&Path>, format: Format) -> (Exit, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut report = Report { format, out: &mut out, err: &mut err, style: Style::Plain };
        let exit = run(files, against, &mut report).unwrap();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_table_and_json_tell_the_same_and_count_rust_in() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        write("Cargo.toml", "[package]\nname = \"x\"\n");
        write("src/main.rs", "mod kv;\nfn main() {}\n");
        write("src/kv.rs", "pub enum Kv {\n    A,\n}\n");
        let good = write(
            "specs/a.mace",
            "use crate::kv::Kv;\nservice A {\n    // x\n    transitions { upcall start() { if true { } } }\n}\n",
        );
        let bad = write("specs/b.mace", "service {");
        let (exit, out, err) = told(&[good.clone(), bad.clone()], None, Format::Text);
        assert_eq!(exit, Exit::Usage);
        assert!(err.contains("b.mace"), "{err}");
        let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1][1..], ["7", "7", "1", "1", "1.00", "1", "1.00", "0", "0"], "{out}");
        assert_eq!(rows[2], ["src/kv.rs", "3", "3", "0"], "{out}");

        let (exit, out, _) = told(&[good], None, Format::Json);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(exit, Exit::Held);
        assert_eq!(value["lines"], 7);
        assert_eq!(value["total"]["branches_per_handler"], 1.0);
        assert_eq!(value["services"][0]["handlers"], 1);
        assert_eq!(value["modules"][0]["file"], "src/kv.rs");
    }

    /// Each figure is counted by hand.
    #[test]
    fn imported_specs_are_counted_in_and_files_are_compared() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let tree = "//! The tree.\n\ninterface Tree { upcall joined(); }\n\nservice T {\n    provides Tree;\n    variables { a: u8; }\n\
            transitions {\n        upcall start() { if a > 1 { a = 1 } else { a = 2 } }   // two\n    }\n}\n\
            system S {\n    nodes { n: T; }\n}\n";
        write("tree.mace", tree);
        let top = write(
            "top.mace",
            "import tree::{Tree, T};\n\nservice Top {\n    uses tree: Tree = T;\n    variables { b: u8; }\n    transitions {\n\
             /* one */\n        upcall joined() when b > 1 && b < 9 { match b { 0 => {} _ => b = 1 } }\n    }\n}\n",
        );
        let plain =
            write("plain.mace", "service P {\n    transitions {\n        upcall start() { }\n    }\n}\n");
        let (exit, out, err) = told(std::slice::from_ref(&top), Some(&plain), Format::Text);
        assert_eq!((exit, err.as_str()), (Exit::Held, ""));
        let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1][1..], ["5", "5", "1", "0", "0.00", "0", "0.00", "0", "0"], "{out}");
        assert_eq!(rows[2][1..], ["16", "16", "2", "3", "1.50", "4", "2.00", "0", "0"], "{out}");
        assert_eq!(rows[3][2..], ["+220", "%", "+220", "%", "+100", "%", "-", "-", "-", "-", "-"], "{out}");
        assert_eq!(rows[4], ["Top", "7", "7", "1", "1", "1.00", "2", "2.00", "0"], "{out}");
        assert_eq!(rows[5][1..], ["8", "8", "1", "2", "2.00", "2", "2.00", "0"], "{out}");

        let (_, out, _) = told(&[top], Some(&plain), Format::Json);
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines[0]["against"].is_null());
        assert_eq!(
            (&lines[1]["against"]["lines"], &lines[1]["against"]["branches"]),
            (&2.2.into(), &serde_json::Value::Null)
        );
        assert_eq!(
            (&lines[1]["imports"][0]["lines"], &lines[1]["imports"][0]["branches"]),
            (&8.into(), &2.into())
        );

        let broken = write("broken.mace", "import tree::Tree;\nimport wrong::W;\nservice B { }\n");
        write("wrong.mace", "service W {");
        let (exit, out, err) = told(&[broken], None, Format::Text);
        assert!(exit == Exit::Usage && out.is_empty() && err.contains("wrong.mace"), "{out}{err}");
    }
}
