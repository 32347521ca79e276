//! The `foresee` program: everything about specs, and about decisions, that needs no service to run in its own process.
//!
//! A module a command. Each takes its arguments and the streams to write to, and returns how it ended, so that tests
//! can call it; only this file touches the process. The work itself is done by `foresee-compiler`,
//! and for `decide` by `foresee-decide`.

pub mod args;
pub mod build;
pub mod cargo;
pub mod certs;
mod check;
#[cfg(unix)]
pub mod cluster;
pub mod decide;
pub mod doc;
pub mod exit;
pub mod experiment;
pub mod explain;
pub mod fmt;
pub mod input;
pub mod new;
pub mod report;
pub mod stats;
pub mod test;
mod wrapper;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command, Format};
use exit::{Exit, Failure, Outcome};
use report::Report;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let mut commands = Cli::command();
    // Adds `help`, which is a command of ours too.
    commands.build();
    let outcome = if wrapper::is_meant(&args, |word| commands.find_subcommand(word).is_some()) {
        wrapper::run(&args)
    } else {
        let args = cargo::as_subcommand(&args).unwrap_or(args);
        run(Cli::parse_from(args).command)
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(Failure::Unread) => Exit::Held.into(),
        Err(Failure::Told(message)) => {
            // Where even this cannot be written, the exit code has to do.
            let _ = writeln!(io::stderr(), "error: {message}");
            Exit::Usage.into()
        }
    }
}

fn run(command: Command) -> Outcome {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let style = report::style_of_stderr();
    let mut report = Report { format: Format::Text, out: &mut out, err: &mut err, style };
    match command {
        Command::New { name, path } => new::run(&name, path.as_deref(), report.out),
        Command::Check { files, format } => check::run(&files, report.showing(format)),
        Command::Build { file, out, format } => build::run(&file, &out, report.showing(format)),
        Command::Fmt { files, check, format } => {
            fmt::run(&files, check, &mut io::stdin(), report.showing(format))
        }
        Command::Stats { files, against, format } => {
            stats::run(&files, against.as_deref(), report.showing(format))
        }
        Command::Doc { files, out, format } => doc::run(&files, &out, report.showing(format)),
        Command::Certs { dir, nodes, days, renew } => certs::run(&dir, &nodes, days, renew, report.out),
        Command::Decide { batch: Some(cases), format, .. } => decide::batch(&cases, report.showing(format)),
        Command::Decide { file, plot, format, .. } => {
            // The arguments say that one of the two is there.
            let file = file.unwrap_or_default();
            decide::run(&file, plot.as_deref(), report.showing(format))
        }
        Command::Test { paths, filter, format } => {
            test::run(&paths, filter.as_deref(), report.showing(format))
        }
        Command::Experiment { file, out, jobs, format } => {
            experiment::run(&file, out.as_deref(), jobs, report.showing(format))
        }
        Command::Plot { results, of, form, over, out, format } => {
            let form = (form, over.as_deref());
            experiment::plot(&results, &of, form, out.as_deref(), report.showing(format))
        }
        #[cfg(unix)]
        Command::Cluster { command } => cluster::run(&command, report.showing(command.format())),
        Command::Explain { code, format } => explain::run(code.as_deref(), format, report.out),
        Command::Cargo { args } => cargo::run(&args),
    }
}
