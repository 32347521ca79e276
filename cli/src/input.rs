//! Reads specs, so that a path that is no spec is told as clearly as a mistake within one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use foresee_compiler::diag::{Diagnostic, Diagnostics};
use foresee_compiler::source::SourceFile;

use crate::exit::Failure;

/// The most bytes of a file that somebody wrote: a spec, an experiment, a problem. More is a mistake, and is not read.
pub const TEXT_BYTES_MAX: u64 = 64 << 20;

/// A file that cannot be used, and why.
#[derive(Debug)]
pub struct Unusable {
    /// The file; without text where there is none.
    pub file: SourceFile,
    /// All that is wrong with it.
    pub diagnostics: Diagnostics,
}

/// The files, and the specs in folders and in those below them, in the order of their names. What cargo builds and what is
/// hidden is passed over.
///
/// # Errors
/// A folder that cannot be read.
pub fn specs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = vec![];
    paths.iter().try_for_each(|path| collect(path, &mut found))?;
    Ok(found)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let told = |error: io::Error| Failure::Told(format!("{}: {error}", path.display()));
    if !path.is_dir() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(told)?;
    // `specs/a.mace` rather than `./specs/a.mace`.
    let plain = |path: PathBuf| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
    let mut inside =
        entries.map(|entry| Ok(plain(entry.map_err(told)?.path()))).collect::<Result<Vec<_>, Failure>>()?;
    inside.retain(|path| match path.is_dir() {
        true => !path.file_name().is_some_and(|it| it == "target" || it.to_string_lossy().starts_with('.')),
        false => path.extension().is_some_and(|ending| ending == "mace"),
    });
    inside.sort();
    inside.iter().try_for_each(|path| collect(path, found))
}

/// Reads a spec.
///
/// # Errors
/// A path that leads to no file, a file that may not be read, and everything that is no text.
pub fn read(path: &Path) -> Result<SourceFile, Box<Unusable>> {
    let name = name(path);
    if path.is_dir() {
        return Err(unusable(
            &name,
            no_file(format!("`{name}` is a folder")).with_help("name the `.mace` files in it"),
        ));
    }
    let unreadable = |error: io::Error| unusable(&name, unreadable(&name, &error));
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > TEXT_BYTES_MAX {
        let message = format!("`{name}` has {length} bytes; at most {TEXT_BYTES_MAX} are read");
        let large = Diagnostic::error("E0004", Default::default(), message);
        return Err(unusable(&name, large.with_help("name a file that somebody wrote")));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    of_bytes(&name, bytes)
}

/// A spec that was read elsewhere.
///
/// # Errors
/// Everything that is no text.
pub fn of_bytes(name: &str, bytes: Vec<u8>) -> Result<SourceFile, Box<Unusable>> {
    SourceFile::from_bytes(name, bytes).map_err(|diagnostic| unusable(name, diagnostic))
}

fn unusable(name: &str, diagnostic: Diagnostic) -> Box<Unusable> {
    Box::new(Unusable { file: SourceFile::new(name, ""), diagnostics: Diagnostics::from(diagnostic) })
}

/// The name of a file in messages: with `/` on every system, so that output does not depend on it.
pub fn name(path: &Path) -> String {
    let name = path.to_string_lossy();
    if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() }
}

fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::NotFound => no_file(format!("`{name}` does not exist"))
            .with_help("paths are relative to the folder in which foresee was started"),
        io::ErrorKind::PermissionDenied => {
            no_file(format!("`{name}` may not be read")).with_help("see the file's permissions")
        }
        _ => no_file(format!("`{name}` cannot be read"))
            .with_note(error.to_string())
            .with_help("name a file that can be read"),
    }
}

fn no_file(message: String) -> Diagnostic {
    Diagnostic::error("E0009", Default::default(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_spec_is_refused_with_its_name_and_help() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        // It has a length and takes no room.
        let large = folder.path().join("large.mace");
        fs::File::create(&large).and_then(|file| file.set_len(1 << 30)).unwrap();
        let cases = [
            (folder.path().join("missing.mace"), "E0009"),
            (folder.path().to_path_buf(), "E0009"),
            (write("latin1.mace", b"service Caf\xe9 { }"), "E0001"),
            (write("binary.mace", b"\x7fELF\0\0"), "E0002"),
            (write("empty.mace", b"  \n"), "E0003"),
            (large, "E0004"),
        ];
        for (path, code) in cases {
            let refused = read(&path).unwrap_err();
            assert_eq!(refused.file.name, name(&path));
            let found = refused.diagnostics.iter().next().unwrap();
            assert_eq!(found.code, code);
            assert!(!found.help.is_empty(), "{found:?}");
        }
        assert_eq!(read(&write("good.mace", b"service A { }")).unwrap().text, "service A { }");
    }
}
