//! `foresee cargo ..` and `cargo foresee ..`: cargo, with places in specs.
//!
//! Plain cargo reports an error in a handler's body at the right line and column of `OUT_DIR/<name>.mace.rs`, which holds
//! the spec's text. Here cargo runs with this very program as its `RUSTC_WRAPPER`, for that one run; `wrapper.rs` is
//! what happens then. No file of the project is ever changed, and neither are other runs of cargo.
//!
//! *Caveats*: a wrapper that stands in a configuration file of cargo (`build.rustc-wrapper`) gives way to this one for the
//! run; one in the environment is kept and called. On line 1 of a spec rustc's columns count the opener of the macro call
//! with it: it stands before the text on the same line, so that all other lines are exact. Diagnostics of our own
//! are exact on line 1 too. `rustdoc` is not wrapped; it looks into no body.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use crate::exit::{Failure, Outcome};

/// Set for rustc's sake: holds the wrapper that was set before, or nothing. Its presence makes this program a wrapper.
pub const CHAINED: &str = "FORESEE_RUSTC_WRAPPER";

/// Known to cargo as an input of every crate with a spec, since the build script's output asks for it: whoever changes
/// between plain cargo and this command gets these crates compiled anew, and no stale places.
pub const PLACES: &str = "FORESEE_SPEC_PLACES";

/// Runs cargo.
pub fn run(args: &[OsString]) -> Outcome {
    become_program(command(args)?)
}

/// The command that runs cargo with places in specs.
///
/// # Errors
/// This program cannot be found, so that rustc could not be wrapped.
pub fn command(args: &[OsString]) -> Result<Command, Failure> {
    let wrapper = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let before = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let chained =
        chained(before("RUSTC_WRAPPER"), before("CARGO_BUILD_RUSTC_WRAPPER"), std::env::var_os(CHAINED));
    let mut cargo = Command::new(before("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args).env("RUSTC_WRAPPER", wrapper).env(CHAINED, chained).env(PLACES, "1");
    Ok(cargo)
}

/// What to call with rustc: the wrapper of the surroundings. Where that is this program, since it runs below itself, it
/// is the one that the outer run found.
fn chained(wrapper: Option<OsString>, configured: Option<OsString>, outer: Option<OsString>) -> OsString {
    let found = wrapper.or(configured).unwrap_or_default();
    let ours = Path::new(&found).file_stem().is_some_and(|stem| stem == "foresee" || stem == "cargo-foresee");
    if ours { outer.unwrap_or_default() } else { found }
}

/// Replaces this process by a program, where the system knows such a thing, or runs it to its end.
pub fn become_program(mut command: Command) -> Outcome {
    #[cfg(unix)]
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    #[cfg(not(unix))]
    let error = match command.status() {
        Ok(status) => {
            return Ok(crate::exit::Exit::Program(
                status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101),
            ));
        }
        Err(error) => error,
    };
    Err(Failure::Told(format!("cannot run {}: {error}", shown(command.get_program()))))
}

/// What `cargo foresee ARGS..` means: the arguments of `foresee cargo ARGS..`, if this program was called so.
pub fn as_subcommand(args: &[OsString]) -> Option<Vec<OsString>> {
    let program = Path::new(args.first()?).file_stem()?;
    if program != "cargo-foresee" {
        return None;
    }
    let rest = args.get(1..).unwrap_or(&[]);
    let rest = if rest.first().is_some_and(|arg| arg == "foresee") { &rest[1..] } else { rest };
    let rest = if rest.first().is_some_and(|arg| arg == "cargo") { &rest[1..] } else { rest };
    let head = ["foresee".into(), "cargo".into()];
    Some(head.into_iter().chain(rest.iter().cloned()).collect())
}

fn shown(name: &OsStr) -> String {
    Path::new(name).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(list: &[&str]) -> Vec<OsString> {
        list.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_wrapper_that_was_there_is_kept_and_never_this_program_itself() {
        let some = |text: &str| Some(OsString::from(text));
        assert_eq!(chained(None, None, None), "");
        assert_eq!(chained(some("sccache"), some("other"), None), "sccache");
        assert_eq!(chained(None, some("other"), None), "other");
        assert_eq!(chained(some("bin/foresee"), None, some("sccache")), "sccache");
        assert_eq!(chained(some("bin/cargo-foresee"), None, None), "");
    }

    #[test]
    fn as_a_subcommand_of_cargo_everything_goes_to_cargo() {
        let meant = |list: &[&str]| as_subcommand(&args(list));
        assert_eq!(meant(&["foresee", "cargo", "check"]), None);
        let expected = Some(args(&["foresee", "cargo", "test", "--", "x"]));
        assert_eq!(meant(&["bin/cargo-foresee", "foresee", "test", "--", "x"]), expected);
        assert_eq!(meant(&["bin/cargo-foresee", "foresee", "cargo", "test", "--", "x"]), expected);
        assert_eq!(meant(&["cargo-foresee", "test", "--", "x"]), expected);
    }
}
