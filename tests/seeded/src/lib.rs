//! Bugs put into the specs on purpose ([`BUGS`]), each compiled into a spec of its own ([`SPECS`]), and the searches that find them.
//!
//! `docs/seeded-bugs.md` shows what `cargo run -p seeded-bugs` prints. Nothing here searches by itself: it is the command line of the specs.

mod bugs;

use std::ffi::OsString;
use std::io::Write;

use foresee::app::Exit;

pub use bugs::{BUGS, Bug};

include!(concat!(env!("OUT_DIR"), "/specs.rs"));

/// Runs the command line of the spec that has the bug at `index`.
pub fn run(index: usize, arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let program = [BUGS[index].name.to_owned()];
    let arguments = program.iter().chain(arguments).map(OsString::from);
    foresee::app::run(SPECS[index], arguments, out, err)
}

/// The arguments of the search that finds a bug.
pub fn search(bug: &Bug) -> Vec<String> {
    ["check"].into_iter().chain(bug.check.split_whitespace()).map(str::to_owned).collect()
}
