//! The arguments of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// A language for distributed services that are checked, simulated and run from one specification
#[derive(Debug, Parser)]
#[command(name = "foresee", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
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
        /// How diagnostics are shown
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
        /// How diagnostics are shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Write specs anew in the one layout; only files that change are written
    Fmt {
        /// The `.mace` files, or folders with some in them; `-` reads standard input and writes standard output
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Write nothing, list the files that would change, and exit with 1 if there are any
        #[arg(long)]
        check: bool,
        /// How diagnostics and the list are shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Count lines, handlers, branches and choices, and compare
    ///
    /// Lines hold something else than white space and comments; `protocol` leaves systems and scenarios out. Branches are each `if`,
    /// each `else` that is no `else if` and each arm of a `match` beyond the first, in handlers, routines and the Rust that the spec uses; `with
    /// guards` adds each `&&` and `||` in guards. What a spec imports is counted in, and has a row of its own.
    Stats {
        /// The `.mace` files, or folders with some in them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Show also how each file differs from this one, in percent
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
        /// How the numbers are shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Run the scenarios of specs
    Test {
        /// The `.mace` files, or folders with some in them; the package here if left out
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Only scenarios whose name, such as `ping::lost`, contains this
        #[arg(long, value_name = "NAME")]
        filter: Option<String>,
        /// How results and diagnostics are shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Write a page a service: states, messages, choices, properties, objectives
    Doc {
        /// The `.mace` files, or folders with some in them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The folder to write to
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// How diagnostics are shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Make the authority of a cluster, and certificates that say which node is which, for `node --transport tls` or `quic`
    ///
    /// What is there already stays: the same command with more nodes makes those that are new. Whoever has `authority.key` can make
    /// certificates for any node; nodes need `authority.pem` and their own two files alone.
    Certs {
        /// The folder: `authority.pem` and `.key`, and `node-3.pem` and `.key` for each node
        dir: PathBuf,
        /// The nodes by their numbers: `3`, or `0..5` without its end; may be repeated
        #[arg(long, required = true, value_name = "NODES", value_parser = crate::certs::numbers)]
        nodes: Vec<std::ops::Range<u32>>,
        /// For how many days they are good
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..))]
        days: u16,
        /// Make certificates anew that are there, as before they expire; the authority stays
        #[arg(long)]
        renew: bool,
    },
    /// Decide a problem under uncertainty: the choice by every rule, how firm it is, and which protocol and period
    Decide {
        /// The problem, in TOML
        #[arg(required_unless_present = "batch", value_name = "FILE")]
        file: Option<PathBuf>,
        /// Write an SVG of cost against period
        #[arg(long, value_name = "SVG")]
        plot: Option<PathBuf>,
        /// Evaluate a JSON list of cases, each with `kind` and `params`, and print a JSON list of answers
        #[arg(long, value_name = "JSON", conflicts_with_all = ["file", "plot"])]
        batch: Option<PathBuf>,
        /// How the answer is shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Cross services, systems, resolvers, topologies and parameters, and run every combination on the same seeds
    ///
    /// What was run stays in the folder of results: an experiment that was killed goes on where it stopped.
    Experiment {
        /// The experiment, in TOML
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The folder of results; FILE.results beside the file if left out
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// How many runs at a time; as many as there are cores if left out
        #[arg(short, long, value_name = "N")]
        jobs: Option<usize>,
        /// How the summary is shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Draw a figure of an experiment's results as an SVG
    Plot {
        /// The folder of results
        #[arg(value_name = "DIR")]
        results: PathBuf,
        /// The figure: an objective, `total`, `messages`, ..
        #[arg(long, value_name = "FIGURE", default_value = "total")]
        of: String,
        /// What is drawn
        #[arg(long = "as", value_enum, default_value = "box")]
        form: PlotForm,
        /// Draw means with their intervals along this axis, whose values are numbers or durations, a line for each combination of the others;
        /// `time` for what was seen on the way, with `every` in the experiment
        #[arg(long, value_name = "AXIS", conflicts_with = "form")]
        over: Option<String>,
        /// The file; FIGURE.svg among the results if left out
        #[arg(short, long, value_name = "SVG")]
        out: Option<PathBuf>,
        /// How it is told where the file is
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Run a cluster of real processes on this machine, far from each other as a topology says
    #[cfg(unix)]
    Cluster {
        /// What to do with it
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Explain a code such as E0101, or list all of them
    Explain {
        /// The code
        code: Option<String>,
        /// How the explanation is shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Run cargo so that rustc's errors, panics and backtraces name the spec: check, build, test, clippy, run, doc
    #[command(disable_help_flag = true)]
    Cargo {
        /// What cargo is told
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
}

/// What is done with a cluster. FILE is its description, in TOML; nodes are named as `n[3]`, `n[3..7]`, `n`, `3`, `3..7` or `all`.
#[cfg(unix)]
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Start its nodes in the background, and wait until they answer
    Up {
        /// The cluster, in TOML
        file: PathBuf,
        /// Forget the durable state of an earlier time
        #[arg(long)]
        fresh: bool,
        /// How it is told
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Ask each node how it is; ends with 1 where one does not run well
    Status {
        /// The cluster, in TOML
        file: PathBuf,
        /// How it is shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// End nodes at once, with SIGKILL
    Kill {
        /// The cluster, in TOML
        file: PathBuf,
        /// The nodes
        #[arg(required_unless_present = "fault", value_name = "NODE")]
        nodes: Vec<String>,
        /// Those that this line of the system's faults, counted from 1, means as things stand
        #[arg(long, value_name = "NUMBER", conflicts_with = "nodes")]
        fault: Option<usize>,
        /// How it is told
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Start nodes again; those that run are stopped first
    Restart {
        /// The cluster, in TOML
        file: PathBuf,
        /// The nodes; all that are down if left out
        #[arg(value_name = "NODE")]
        nodes: Vec<String>,
        /// How it is told
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Cut nodes off from all others
    Partition {
        /// The cluster, in TOML
        file: PathBuf,
        /// The nodes
        #[arg(required = true, value_name = "NODE")]
        nodes: Vec<String>,
        /// How it is told
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Make links whole again
    Heal {
        /// The cluster, in TOML
        file: PathBuf,
        /// A side that was cut off; all if left out
        #[arg(value_name = "NODE")]
        nodes: Vec<String>,
        /// How it is told
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Stop all nodes in good order, and collect logs and recordings
    Down {
        /// The cluster, in TOML
        file: PathBuf,
        /// How it is told
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// All of it: start anew, play the system's faults on the real nodes, stop, and say what it came to
    Run {
        /// The cluster, in TOML
        file: PathBuf,
        /// How long, such as 60s; as the file says if left out
        #[arg(long, value_name = "DURATION")]
        until: Option<String>,
        /// How it is shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Set what was collected beside runs of the simulator
    Compare {
        /// The cluster, in TOML
        file: PathBuf,
        /// The seeds of the simulator's runs
        #[arg(long, value_name = "A..B", default_value = "0..100")]
        seeds: String,
        /// How it is shown
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

#[cfg(unix)]
impl ClusterCommand {
    /// How it is shown.
    pub fn format(&self) -> Format {
        use ClusterCommand::*;
        match self {
            Up { format, .. } | Status { format, .. } | Kill { format, .. } | Restart { format, .. } => {
                *format
            }
            Partition { format, .. } | Heal { format, .. } | Down { format, .. } => *format,
            Run { format, .. } | Compare { format, .. } => *format,
        }
    }
}

/// How something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// What a plot shows of the runs of each combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlotForm {
    /// Quartiles, and what lies beyond them
    Box,
    /// The share of runs at or below each value
    Cdf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_follows_cargo_is_left_alone() {
        let cli = Cli::parse_from(["foresee", "cargo", "test", "--help", "--", "--format", "json"]);
        let Command::Cargo { args } = cli.command else { panic!("another command") };
        assert_eq!(args, ["test", "--help", "--", "--format", "json"]);
    }
}
