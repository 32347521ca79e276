//! `foresee experiment`: crosses services, systems, resolvers, topologies and parameters, runs every combination on the same
//! seeds, and sets the results side by side. `foresee plot` draws them.
//!
//! The runs are those of the services' own `simulate`, in processes of their own, as many at a time as there are cores. Each run is
//! on disk when it has ended, so an experiment that was killed goes on where it stopped.

mod plan;
mod plot;
mod store;
mod summary;
mod work;

use std::fs;
use std::path::{Path, PathBuf};

use foresee_compiler::diag::{Diagnostic, Diagnostics};
use foresee_compiler::source::{SourceFile, Span};

use crate::args::{Format, PlotForm};
use crate::exit::{Exit, Failure, Outcome};
use crate::input::{self, Unusable};
use crate::report::Report;

use plan::Experiment;
use store::Store;
#[cfg(unix)]
pub(crate) use work::{absolute, build};

/// Runs the experiment of a file, or what is missing of it. The results go to `out`, or beside the file.
///
/// # Errors
/// Programs that cannot be built or started, results of another experiment, a folder that cannot be written.
pub fn run(path: &Path, out: Option<&Path>, jobs: Option<usize>, report: &mut Report<'_>) -> Outcome {
    let experiment = match input::read(path).and_then(planned) {
        Ok(experiment) => experiment,
        Err(unusable) => {
            report.unusable(&unusable)?;
            return Ok(Exit::Usage);
        }
    };
    let folder = out.map_or_else(|| beside(path), Path::to_path_buf);
    let base = path.parent().unwrap_or(Path::new(""));
    let programs = work::programs(&experiment, base)?;
    let mut stores = Vec::with_capacity(experiment.cells.len());
    for cell in &experiment.cells {
        let spec = &programs[cell.service].spec;
        stores.push(Store::open(&folder, cell, spec)?);
    }
    let jobs = jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let failures = work::run(&experiment, &programs, base, &mut stores, jobs)?;
    let results = summary::of(&experiment, &stores)?;
    write(&folder.join("runs.csv"), &summary::csv(&experiment, &stores)?)?;
    let json = serde_json::to_string_pretty(&results).map_err(|error| Failure::Told(error.to_string()))?;
    write(&folder.join("summary.json"), &format!("{json}\n"))?;
    match report.format {
        Format::Text => {
            write!(report.out, "{}", summary::text(&results))?;
            writeln!(report.out, "runs and summary: {}", input::name(&folder))?;
        }
        Format::Json => writeln!(report.out, "{}", serde_json::json!(results))?,
    }
    for failure in &failures {
        writeln!(report.err, "error: {failure}")?;
    }
    Ok(if failures.is_empty() { Exit::Held } else { Exit::Usage })
}

/// Draws a figure of the results in a folder to `out`, or into that folder.
///
/// # Errors
/// A folder without results, a figure that they do not have.
pub fn plot(
    folder: &Path,
    figure: &str,
    (form, over): (PlotForm, Option<&str>),
    out: Option<&Path>,
    report: &mut Report<'_>,
) -> Outcome {
    let drawn = match over {
        None => plot::svg(&store::series(folder, figure)?, figure, form),
        Some(store::TIME) => plot::lines(&store::over_time(folder, figure)?, figure, store::TIME),
        Some(axis) => plot::lines(&store::series(folder, figure)?, figure, axis),
    };
    let drawn = drawn.map_err(Failure::Told)?;
    let name = format!("{}.svg", store::slug(figure));
    let out = out.map_or_else(|| folder.join(name), Path::to_path_buf);
    write(&out, &drawn)?;
    match report.format {
        Format::Text => writeln!(report.out, "drawn: {}", input::name(&out))?,
        Format::Json => writeln!(report.out, "{}", serde_json::json!({ "file": input::name(&out) }))?,
    }
    Ok(Exit::Held)
}

/// `net.toml` has its results in `net.results`.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("results")
}

/// Writes a whole file or nothing: what was there stays until the new one is complete.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let told =
        |error: std::io::Error| Failure::Told(format!("cannot write `{}`: {error}", input::name(path)));
    let part = path.with_extension("part");
    fs::write(&part, text).and_then(|()| fs::rename(&part, path)).map_err(told)
}

fn planned(file: SourceFile) -> Result<Experiment, Box<Unusable>> {
    plan::read(&file.text).map_err(|wrong| {
        let span = wrong.span.map_or(Span::default(), |at| Span::at(at.start, at.end));
        let found = Diagnostic::error("E0012", span, wrong.message)
            .with_help("`foresee explain E0012` names all that may stand in an experiment");
        Box::new(Unusable { file, diagnostics: Diagnostics::from(found) })
    })
}
