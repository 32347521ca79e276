//! `foresee`: new projects, the front end alone, and readable generated Rust. A library does each job; this prints.

mod build;
mod check;
mod new;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// A language for distributed services that are checked, simulated and run from one specification
#[derive(Debug, Parser)]
#[command(name = "foresee", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new project with a small service in it
    New {
        /// The name of the project and of its folder
        name: String,
        /// The folder to make it in, instead of one named after it
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
    },
    /// Check specs without generating anything
    Check {
        /// The `.mace` files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Write the Rust that a spec stands for, formatted for reading
    Build {
        /// The `.mace` file
        file: PathBuf,
        /// The folder to write to
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, as rustc does
    Text,
    /// A JSON object a line
    Json,
}

/// The exit codes of the commands of a generated service hold here too.
const HELD: u8 = 0;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // As `cargo foresee ..` the first argument is the name of the subcommand.
    let mut args: Vec<_> = std::env::args_os().collect();
    if args.get(1).is_some_and(|arg| arg == "foresee") {
        args.remove(1);
    }
    let cli = Cli::parse_from(args);
    let result = match &cli.command {
        Command::New { name, path } => new::run(name, path.as_deref(), &mut io::stdout()),
        Command::Check { files, format } => check::run(files, *format, &mut io::stdout(), &mut io::stderr()),
        Command::Build { file, out, format } => build::run(file, out, *format, &mut io::stdout(), &mut io::stderr()),
    };
    match result {
        Ok(true) => ExitCode::from(HELD),
        Ok(false) => ExitCode::from(USAGE),
        Err(message) => {
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(USAGE)
        }
    }
}
