//! `foresee stats`: the numbers of specs, as a table or as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use foresee_compiler::parse;
use foresee_compiler::source::SourceFile;
use foresee_compiler::stats::{Counts, Modules, Stats, modules, stats};
use foresee_compiler::tokens::TokenIndex;

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
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

/// Counts every file. A file that cannot be parsed is told, and has no numbers.
pub fn run(files: &[PathBuf], report: &mut Report<'_>) -> Outcome {
    let mut exit = Exit::Held;
    let mut all = vec![];
    for path in files {
        match input::read(path) {
            Ok(file) => match counted(path, &file) {
                Ok(stats) => all.push(stats),
                Err(diagnostics) => {
                    report.show(&diagnostics, &file)?;
                    exit = exit.and(Exit::Usage);
                }
            },
            Err(unusable) => {
                report.unusable(&unusable)?;
                exit = exit.and(Exit::Usage);
            }
        }
    }
    match report.format {
        Format::Text if all.is_empty() => {}
        Format::Text => write!(report.out, "{}", table(&all))?,
        Format::Json => {
            for stats in &all {
                let line = serde_json::to_string(stats).map_err(|error| Failure::Told(error.to_string()))?;
                writeln!(report.out, "{line}")?;
            }
        }
    }
    Ok(exit)
}

fn counted(path: &Path, file: &SourceFile) -> Result<Stats, foresee_compiler::diag::Diagnostics> {
    let (ast, diagnostics) = parse::parse(file);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let tokens = TokenIndex::of_source(file)?;
    let modules = match manifest(path) {
        Some(folder) => modules(&ast, &folder, &|path| fs::read_to_string(path).ok()),
        None => Modules::default(),
    };
    Ok(stats(file, &ast, &tokens, modules))
}

/// The folder of the nearest `Cargo.toml` around a spec.
fn manifest(spec: &Path) -> Option<PathBuf> {
    let spec = spec.canonicalize().ok()?;
    spec.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file()).map(Path::to_path_buf)
}

/// One row a file, and below it one a service where there are several, and one a Rust module.
fn table(all: &[Stats]) -> String {
    let mut rows = vec![("".to_owned(), HEAD.map(str::to_owned))];
    for stats in all {
        let scenarios = stats.scenarios.to_string();
        rows.push((
            stats.file.clone(),
            row(&stats.total, stats.lines, stats.protocol_lines.to_string(), scenarios),
        ));
        for service in stats.services.iter().filter(|_| stats.services.len() > 1) {
            let cells = row(&service.counts, service.lines, service.lines.to_string(), String::new());
            rows.push((format!("  {}", service.name), cells));
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

    fn told(files: &[PathBuf], format: Format) -> (Exit, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut report = Report { format, out: &mut out, err: &mut err, style: Style::Plain };
        let exit = run(files, &mut report).unwrap();
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
        let (exit, out, err) = told(&[good.clone(), bad.clone()], Format::Text);
        assert_eq!(exit, Exit::Usage);
        assert!(err.contains("b.mace"), "{err}");
        let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1][1..], ["7", "7", "1", "1", "1.00", "1", "1.00", "0", "0"], "{out}");
        assert_eq!(rows[2], ["src/kv.rs", "3", "3", "0"], "{out}");

        let (exit, out, _) = told(&[good], Format::Json);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(exit, Exit::Held);
        assert_eq!(value["lines"], 7);
        assert_eq!(value["total"]["branches_per_handler"], 1.0);
        assert_eq!(value["services"][0]["handlers"], 1);
        assert_eq!(value["modules"][0]["file"], "src/kv.rs");
    }
}
