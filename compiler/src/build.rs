//! The API for build scripts, in the habit of prost and tonic.
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     foresee_compiler::configure().compile(&["specs/ping.mace"])?;
//!     Ok(())
//! }
//! ```
//!
//! For each spec `NAME.mace` it writes `OUT_DIR/NAME.mace.rs`, which `foresee::include_spec!("NAME")` includes. Only what
//! changed is written, and Cargo is told which files to watch. Printing is for Cargo alone: it is its protocol.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::compile;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::emit;
use crate::import::Disk;
use crate::render::{self, Style};
use crate::source::SourceFile;

/// Starts the configuration of a compilation.
pub fn configure() -> Builder {
    Builder { out_dir: None, cargo: std::env::var_os("CARGO_MANIFEST_DIR").is_some() }
}

/// What to compile, and where to.
#[derive(Clone, Debug)]
pub struct Builder {
    out_dir: Option<PathBuf>,
    cargo: bool,
}

/// Why specs could not be compiled. `Display` and `Debug` both show what is wrong, as the compiler would.
pub struct Error {
    text: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// A build script that returns an error has its `Debug` printed: people read this.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.text)
    }
}

impl std::error::Error for Error {}

impl Builder {
    /// Writes to this folder instead of `OUT_DIR`.
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// Whether to speak Cargo's protocol on standard output; by default where Cargo runs the build.
    pub fn emit_cargo(mut self, cargo: bool) -> Self {
        self.cargo = cargo;
        self
    }

    /// Compiles specs. All of them are looked at before the first error is returned.
    ///
    /// # Errors
    /// What is wrong with the specs, rendered; or a file that cannot be read or written.
    pub fn compile(self, specs: &[impl AsRef<Path>]) -> Result<(), Error> {
        let folder = match &self.out_dir {
            Some(folder) => folder.clone(),
            None => match std::env::var_os("OUT_DIR") {
                Some(folder) => PathBuf::from(folder),
                None => {
                    let text =
                        "there is no OUT_DIR: call this from a build script, or name a folder with `out_dir`";
                    return Err(Error { text: text.to_owned() });
                }
            },
        };
        let mut failures = Vec::new();
        for spec in specs {
            if let Err(failure) = self.one(spec.as_ref(), &folder) {
                failures.push(failure);
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(Error { text: failures.join("\n") }) }
    }

    fn one(&self, path: &Path, folder: &Path) -> Result<(), String> {
        let shown = path.to_string_lossy().replace('\\', "/");
        self.tell(format_args!("cargo:rerun-if-changed={shown}"));
        let bytes = std::fs::read(path).map_err(|error| format!("{shown}: {error}\n"))?;
        let empty = SourceFile::new(shown.as_str(), "");
        let source = SourceFile::from_bytes(shown.as_str(), bytes)
            .map_err(|error| render::all_text(&Diagnostics::from(error), &empty, Style::Plain))?;
        let loaded = compile::load(source, &Disk);
        for file in &loaded.files[1..] {
            self.tell(format_args!("cargo:rerun-if-changed={}", file.path));
        }
        let name = module_name(path).ok_or_else(|| {
            format!("{shown}: the name of a spec becomes a Rust module: letters, digits and `_`, such as `ping.mace`\n")
        })?;
        let diagnostics = compile::look(&loaded);
        if diagnostics.has_errors() {
            return Err(render::all_text(&diagnostics, &loaded.source, Style::Plain));
        }
        for warning in diagnostics.iter().filter(|it| it.severity == Severity::Warning) {
            self.tell(format_args!("cargo:warning={}", one_line(warning, &loaded.source)));
        }
        let wrappers = emit::wrappers(&name, &loaded);
        for (index, (target, wrapper)) in wrappers.into_iter().enumerate() {
            let spec = if index == 0 { path } else { Path::new(&loaded.files[index].path) };
            self.write(&folder.join(target), &wrapper, spec)?;
        }
        Ok(())
    }

    /// Writes the file around a spec's text, and beside it where that spec is: so `foresee cargo` knows by which name rustc
    /// shall call it.
    fn write(&self, target: &Path, wrapper: &str, spec: &Path) -> Result<(), String> {
        let whole = spec.canonicalize().unwrap_or_else(|_| spec.to_owned());
        let whole = format!("{}\n", whole.to_string_lossy());
        for (target, text) in [(target.to_owned(), wrapper), (target.with_extension("path"), whole.as_str())]
        {
            write_changed(&target, text).map_err(|error| format!("{}: {error}\n", target.display()))?;
            // `cargo fix` edits what it finds here, and not the spec: that brings the text back.
            self.tell(format_args!("cargo:rerun-if-changed={}", target.display()));
            age(&target, spec);
        }
        Ok(())
    }

    /// Speaks to Cargo.
    #[allow(clippy::print_stdout)]
    fn tell(&self, line: fmt::Arguments<'_>) {
        if self.cargo {
            println!("{line}");
        }
    }
}

/// The module that a spec becomes; `None` where its file name is no Rust name.
pub fn module_name(path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    syn::parse_str::<syn::Ident>(name).ok()?;
    Some(name.to_owned())
}

fn one_line(warning: &Diagnostic, source: &SourceFile) -> String {
    let place = source.line_column(warning.span.start);
    let name = source.name_at(warning.span.start);
    format!("{name}:{}:{}: {} [{}]", place.line, place.column, warning.message, warning.code)
}

/// Writes a file unless it holds the same already, so that nothing is rebuilt for nothing.
fn write_changed(path: &Path, text: &str) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

/// Gives a file the time of the spec that it was made from. Cargo takes whatever was written while a build script ran for
/// changed since. Where this fails the script runs once more than it must.
fn age(target: &Path, spec: &Path) {
    let time = std::fs::metadata(spec).and_then(|metadata| metadata.modified());
    if let (Ok(time), Ok(file)) = (time, std::fs::File::options().write(true).open(target)) {
        let _ = file.set_modified(time);
    }
}
