//! `foresee build`: the Rust that a spec stands for, formatted, for people who want to read or to keep it.

use std::fs;
use std::path::Path;

use foresee_compiler::build::module_name;
use foresee_compiler::compile;
use foresee_compiler::import::Disk;

use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::report::Report;

/// Writes `<name>.rs` into the folder `out`, unless the file there is the same already.
///
/// # Errors
/// A file name that is no name of a module, or a file that cannot be written.
pub fn run(path: &Path, out: &Path, report: &mut Report<'_>) -> Outcome {
    let file = match input::read(path) {
        Ok(file) => file,
        Err(unusable) => {
            report.unusable(&unusable)?;
            return Ok(Exit::Usage);
        }
    };
    let name = module_name(path).ok_or_else(|| {
        format!(
            "{}: the name of a spec becomes a Rust module: letters, digits and `_`, such as `ping.mace`",
            file.name
        )
    })?;
    let loaded = compile::load(file, &Disk);
    match compile::write(&loaded, &name) {
        Ok((text, warnings)) => {
            report.show(&warnings, &loaded.source)?;
            write_changed(&out.join(format!("{name}.rs")), &text)?;
            Ok(Exit::Held)
        }
        Err(diagnostics) => {
            report.show(&diagnostics, &loaded.source)?;
            Ok(Exit::Usage)
        }
    }
}

/// Writes a file and the folders that it stands in, unless it holds this text already; whether it did.
///
/// # Errors
/// A folder that cannot be made, or a file that cannot be written.
pub fn write_changed(path: &Path, text: &str) -> Result<bool, Failure> {
    let told = |error: std::io::Error| Failure::Told(format!("{}: {error}", path.display()));
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    fs::write(path, text).map_err(told)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use foresee_compiler::render::Style;

    use super::*;
    use crate::args::Format;

    fn built(path: &Path, out: &Path) -> (Outcome, String) {
        let (mut stdout, mut err) = (Vec::new(), Vec::new());
        let mut report =
            Report { format: Format::Text, out: &mut stdout, err: &mut err, style: Style::Plain };
        let outcome = run(path, out, &mut report);
        (outcome, String::from_utf8(err).unwrap())
    }

    #[test]
    fn rust_is_written_where_it_changed_and_only_for_a_good_spec() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("some/where");
        let ping = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/ping.mace");
        let (outcome, err) = built(&ping, &out);
        assert!(matches!(outcome, Ok(Exit::Held)), "{outcome:?} {err}");
        let rust = out.join("ping.rs");
        assert!(fs::read_to_string(&rust).unwrap().contains("Service for"));
        let written = fs::metadata(&rust).unwrap().modified().unwrap();
        assert!(matches!(built(&ping, &out).0, Ok(Exit::Held)));
        assert_eq!(fs::metadata(&rust).unwrap().modified().unwrap(), written);

        let wrong = folder.path().join("wrong.mace");
        fs::write(&wrong, "service A { states { B, B } }").unwrap();
        let (outcome, err) = built(&wrong, &out);
        assert!(matches!(outcome, Ok(Exit::Usage)), "{outcome:?}");
        assert!(err.contains("wrong.mace:1"), "{err}");
        assert!(!out.join("wrong.rs").exists());

        let named = folder.path().join("no-name.mace");
        fs::write(&named, "service A { }").unwrap();
        assert!(matches!(built(&named, &out).0, Err(Failure::Told(_))));
    }
}
