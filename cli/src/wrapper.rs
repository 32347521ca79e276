//! What happens between cargo and rustc under `foresee cargo`: one flag for each spec of the crate.
//!
//! The build script leaves `<name>.mace.rs` in the crate's `OUT_DIR` and beside it `<name>.mace.path`, the path of the spec; what a
//! spec imports is in a folder of its name.
//! `--remap-path-prefix` makes rustc call the first by the name of the second: in errors, in cargo's JSON, in panics and
//! in backtraces. `cargo fix` edits the files that errors name, at offsets that are not the spec's, so it is shown none
//! of this. See `cargo.rs` for who sets it up.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{CHAINED, become_program};
use crate::exit::Outcome;

/// What cargo sets while it applies the suggestions of rustc.
const FIXING: &str = "__CARGO_FIX_DIAGNOSTICS_SERVER";

/// Whether these are the arguments of a wrapper: under `foresee cargo`, and the first is a program rather than a command
/// of ours. (A program that `cargo run` starts may well call us as itself.)
pub fn is_meant(args: &[OsString], is_command: impl Fn(&str) -> bool) -> bool {
    let Some(first) = args.get(1) else { return false };
    let word = first.to_str().unwrap_or_default();
    std::env::var_os(CHAINED).is_some() && !word.starts_with('-') && !is_command(word)
}

/// Runs rustc, or the next wrapper with it.
pub fn run(args: &[OsString]) -> Outcome {
    let chained = std::env::var_os(CHAINED).filter(|wrapper| !wrapper.is_empty());
    let mut programs = chained.into_iter().chain(args[1..].iter().cloned());
    let mut rustc = Command::new(programs.next().unwrap_or_default());
    rustc.args(programs);
    if let (Some(specs), None, Ok(here)) = (specs(), std::env::var_os(FIXING), std::env::current_dir()) {
        rustc.args(remaps(&specs, &here));
    }
    become_program(rustc)
}

/// The folder with the specs of what is compiled: that of a program of `foresee test`, which has no build script (and may
/// well be started where another's `OUT_DIR` is set), or the build script's.
fn specs() -> Option<PathBuf> {
    let own = || {
        let folder = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR")?).join("specs");
        Some(folder.join(std::env::var_os("CARGO_BIN_NAME")?)).filter(|folder| folder.is_dir())
    };
    own().or_else(|| std::env::var_os("OUT_DIR").map(PathBuf::from))
}

/// The flags for the specs of a crate, in the order of their names. A spec below the folder in which rustc runs (the
/// workspace) is named from there, as rustc names other files.
fn remaps(out: &Path, here: &Path) -> Vec<OsString> {
    let here = here.canonicalize().unwrap_or_else(|_| here.to_path_buf());
    let within = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<PathBuf>>()
    };
    let specs = within(out).into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let all = specs.flat_map(|spec| {
        let imported = within(&spec.with_extension("").with_extension(""));
        std::iter::once(spec).chain(imported)
    });
    let mut flags: Vec<OsString> = all.filter_map(|path| remap(&path, &here)).collect();
    flags.sort();
    flags
}

fn remap(included: &Path, here: &Path) -> Option<OsString> {
    let name = included.file_name()?.to_str()?.strip_suffix(".mace.rs")?;
    let told = fs::read_to_string(included.with_file_name(format!("{name}.mace.path"))).ok()?;
    let spec = Path::new(told.trim_end_matches(['\r', '\n']));
    let spec = spec.canonicalize().ok()?;
    let spec = spec.strip_prefix(here).unwrap_or(&spec);
    // rustc splits at the last `=`.
    if spec.as_os_str().is_empty() || spec.to_string_lossy().contains('=') {
        return None;
    }
    let parts = [OsStr::new("--remap-path-prefix="), included.as_os_str(), OsStr::new("="), spec.as_os_str()];
    Some(parts.iter().fold(OsString::new(), |mut flag, part| {
        flag.push(part);
        flag
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_of_a_crate_has_its_flag() {
        let folder = tempfile::tempdir().unwrap();
        let (root, out) = (folder.path().join("project"), folder.path().join("out"));
        fs::create_dir_all(root.join("specs")).unwrap();
        fs::create_dir_all(&out).unwrap();
        for name in ["b", "a", "odd=one", "gone", "untold"] {
            let spec = root.join(format!("specs/{name}.mace"));
            if name != "gone" {
                fs::write(&spec, "service A { }").unwrap();
            }
            fs::write(out.join(format!("{name}.mace.rs")), "").unwrap();
            if name != "untold" {
                fs::write(out.join(format!("{name}.mace.path")), format!("{}\n", spec.display())).unwrap();
            }
        }
        fs::write(out.join("other.rs"), "").unwrap();
        fs::create_dir(out.join("a")).unwrap();
        fs::write(out.join("a/part.mace.rs"), "").unwrap();
        fs::write(root.join("specs/part.mace"), "service A { }").unwrap();
        fs::write(out.join("a/part.mace.path"), format!("{}\n", root.join("specs/part.mace").display()))
            .unwrap();
        let imported =
            format!("--remap-path-prefix={}=specs/part.mace", out.join("a/part.mace.rs").display());
        let flag = |name: &str| {
            let from = out.join(format!("{name}.mace.rs"));
            OsString::from(format!("--remap-path-prefix={}=specs/{name}.mace", from.display()))
        };
        let mut expected = [flag("a"), flag("b"), OsString::from(imported)];
        expected.sort();
        assert_eq!(remaps(&out, &root), expected);
        // From elsewhere the spec has its whole path.
        let elsewhere = remaps(&out, &out);
        let whole = root.canonicalize().unwrap().join("specs/a.mace");
        let ends = format!("={}", whole.display());
        assert!(elsewhere.iter().any(|flag| flag.to_str().unwrap().ends_with(&ends)), "{elsewhere:?}");
        assert!(remaps(&folder.path().join("nothing"), &root).is_empty());
    }

    #[test]
    fn our_own_commands_are_no_rustc() {
        let args = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        // Without the variable nothing is a wrapper; tests never set it.
        assert!(!is_meant(&args(&["foresee", "rustc", "-vV"]), |_| false));
        assert!(!is_meant(&args(&["foresee"]), |_| false));
    }
}
