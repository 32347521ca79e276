//! The command line that every generated service gets: `check`, `simulate`, `test`, `replay`, `info`, and for
//! real nodes `node`, `merge` and `account`.
//!
//! [`main`] is all that a service's `main.rs` calls. Everything below it writes to the streams it is given and
//! returns an [`Exit`]; nothing here searches, simulates or decides by itself.

mod account;
mod args;
mod check;
mod claims;
mod exact;
mod exit;
mod faults;
mod forever;
mod from;
mod info;
mod interrupt;
mod lives;
mod merge;
mod model;
#[cfg(feature = "live")]
mod node;
mod observed;
mod place;
mod plain;
mod progress;
mod rare;
mod recording;
mod regress;
mod render;
mod replay;
mod simulate;
mod step;
mod story;
mod tables;
mod test;
mod totest;
mod tunables;
pub mod usage;
mod verify;
#[cfg(feature = "live")]
mod workload;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use foresee_kernel::SpecInfo;

use args::{Cli, Command};
pub use exit::Exit;
pub use regress::{Regression, regress};

/// Runs the command line of `spec` on the process's arguments and standard streams.
pub fn main(spec: &'static SpecInfo) -> ExitCode {
    interrupt::outlive_full_files();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut err = io::stderr();
    let exit = run(spec, std::env::args_os(), &mut out, &mut err);
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(err, "error: cannot write the output: {error}");
            Exit::Internal.into()
        }
        _ => exit.into(),
    }
}

/// Runs the command line of `spec` on `args`, whose first item is the program's name.
pub fn run(
    spec: &'static SpecInfo,
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    let name = spec.name.replace('_', "-");
    let command =
        Cli::command().name(name.clone()).bin_name(name).about(format!("The service of {}", spec.file));
    let cli = match command.try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let told = error.use_stderr();
            let text = match told {
                true if io::stderr().is_terminal() => error.render().ansi().to_string(),
                _ => error.render().to_string(),
            };
            let _ = if told { write!(err, "{text}") } else { write!(out, "{text}") };
            return if told { Exit::Usage } else { Exit::Held };
        }
    };
    let result = match &cli.command {
        Command::Check(args) => check::run(spec, args, out, err),
        Command::Simulate(args) => simulate::run(spec, args, out, err),
        Command::Test(args) => test::run(spec, args, out),
        #[cfg(feature = "live")]
        Command::Node(args) => node::run(spec, args, out),
        Command::Replay(args) => replay::run(spec, args, out),
        Command::Merge(args) => merge::run(spec, args, out),
        Command::Account(args) => account::run(spec, args, out),
        Command::Info(args) => info::run(spec, args, out),
    };
    result.unwrap_or_else(|failure| {
        let _ = writeln!(err, "error: {}", failure.message);
        failure.exit
    })
}
