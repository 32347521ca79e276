//! `foresee doc`: pages about services.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use foresee_compiler::ast::Ast;
use foresee_compiler::body::Places;
use foresee_compiler::doc::{Spec, site};
use foresee_compiler::import::Disk;
use foresee_compiler::ir::Tables;
use foresee_compiler::source::SourceFile;
use foresee_compiler::tokens::TokenIndex;
use foresee_compiler::{compile, parse};

use serde_json::json;

use crate::args::Format;
use crate::build::write_changed;
use crate::exit::{Exit, Outcome};
use crate::input::{self, Unusable};
use crate::report::Report;

/// Writes the pages of all files to the folder `out`. Files with errors are told; only if all can be read is anything written.
/// What the files mean is not checked: a page also serves while a protocol is being written. What the analyses know is shown of
/// those that are right.
pub fn run(files: &[PathBuf], out: &Path, report: &mut Report<'_>) -> Outcome {
    let mut specs: Vec<Read> = vec![];
    let mut exit = Exit::Held;
    for path in &input::specs(files)? {
        match read(path) {
            Ok(spec) => specs.push(spec),
            Err(unusable) => {
                report.unusable(&unusable)?;
                exit = Exit::Usage;
            }
        }
    }
    if exit != Exit::Held {
        return Ok(exit);
    }
    let specs: Vec<Spec<'_>> = specs
        .iter()
        .map(|it| Spec {
            places: Places { file: &it.file, tokens: &it.tokens },
            ast: &it.ast,
            tables: &it.tables,
        })
        .collect();
    let pages = site(&specs);
    let mut written = 0;
    for page in &pages {
        let path = out.join(&page.file);
        let changed = write_changed(&path, &page.html)?;
        written += usize::from(changed);
        if report.format == Format::Json {
            let about = page.about.as_ref();
            let value = json!({
                "page": input::name(&path),
                "spec": about.map(|(spec, _)| spec),
                "service": about.map(|(_, service)| service),
                "changed": changed,
            });
            writeln!(report.out, "{value}")?;
        }
    }
    if report.format == Format::Text {
        let index = input::name(&out.join("index.html"));
        writeln!(report.err, "{index}: {} pages, {written} of them changed", pages.len())?;
    }
    Ok(Exit::Held)
}

/// A file with all that its pages show.
struct Read {
    file: SourceFile,
    ast: Ast,
    tokens: TokenIndex,
    tables: BTreeMap<String, Tables>,
}

fn read(path: &Path) -> Result<Read, Box<Unusable>> {
    let file = input::read(path)?;
    let (ast, diagnostics) = parse::parse(&file);
    if diagnostics.has_errors() {
        return Err(Box::new(Unusable { file, diagnostics }));
    }
    match TokenIndex::of_source(&file) {
        Ok(tokens) => {
            let tables = compile::describe(&compile::load(file.clone(), &Disk));
            Ok(Read { file, ast, tokens, tables })
        }
        Err(error) => Err(Box::new(Unusable { file, diagnostics: error.into() })),
    }
}

#[cfg(test)]
mod tests {
    use foresee_compiler::render::Style;

    use super::*;

    #[test]
    fn pages_are_written_for_good_files_and_nothing_for_bad_ones() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("site");
        let wrong = folder.path().join("wrong.mace");
        std::fs::write(&wrong, "service {").unwrap();
        let ping = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/ping.mace");
        let told = |files: &[PathBuf]| {
            let (mut stdout, mut err) = (Vec::new(), Vec::new());
            let mut report =
                Report { format: Format::Text, out: &mut stdout, err: &mut err, style: Style::Plain };
            (run(files, &out, &mut report).unwrap(), String::from_utf8(err).unwrap())
        };
        let (exit, err) = told(&[ping.clone(), wrong]);
        assert!(exit == Exit::Usage && err.contains("wrong.mace") && !out.exists(), "{err}");
        let (exit, err) = told(std::slice::from_ref(&ping));
        assert!(exit == Exit::Held && err.contains("3 of them changed"), "{err}");
        assert!(std::fs::read_to_string(out.join("ping.Pinger.html")).unwrap().contains("<svg"));
        assert!(told(&[ping]).1.contains("0 of them changed"));
    }
}
