//! Where the program of a spec comes from.
//!
//! A spec of a package with a build script is run by the program of the package that runs it: the one whose main file hands the
//! spec's `SPEC` to `foresee::app`, as `foresee new` writes it. All others become programs of one crate in a cache folder,
//! which depends on the runtime as a new project does. That crate keeps one program for each spec that it has met, named
//! after the file and its path, and cargo is asked for those that are wanted: one build, and what did not change is not
//! built again.
//!
//! *Caveats*: a program is recognised by the text of its main file. A spec that uses Rust of its crate can be run by a
//! program of that crate alone. Nothing is ever taken out of the cache; the folder may be removed at any time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use foresee_compiler::ast::RustItemKind;
use foresee_compiler::emit;
use serde_json::Value;

use super::{Spec, cargo, is_package};
use crate::build::write_changed;
use crate::exit::Failure;
use crate::report::Report;
use crate::{input, new};

/// Names the folder for what is kept between runs.
const CACHE: &str = "FORESEE_CACHE_DIR";
const MANIFEST: &str = include_str!("../../templates/scenarios.toml.txt");

/// The program of each spec, built; `None` for those that do not compile, and what is wrong with them is shown.
///
/// # Errors
/// Cargo that cannot be started, or a cache that cannot be written.
pub fn programs(specs: &[Spec], report: &mut Report<'_>) -> Result<Vec<Option<PathBuf>>, Failure> {
    let mut packages: BTreeMap<PathBuf, Vec<Program>> = BTreeMap::new();
    // The crate in the cache is only made where it is needed.
    let mut cached = None;
    let mut wanted: Vec<Option<(PathBuf, String)>> = vec![];
    for spec in specs {
        let of_package = match package(&spec.path) {
            Some(manifest) => {
                if !packages.contains_key(&manifest) {
                    packages.insert(manifest.clone(), programs_of(&manifest)?);
                }
                let program = packages[&manifest].iter().find(|program| program.runs(&spec.module));
                program.map(|program| (manifest, program.name.clone()))
            }
            None => None,
        };
        wanted.push(match of_package {
            Some(program) => Some(program),
            None if uses_its_crate(spec) => {
                let message = "the spec uses Rust of its crate, and no program of its package runs it";
                let help =
                    format!("give the package a program with `foresee::app::main(&{}::SPEC)`", spec.module);
                writeln!(report.err, "error: {}: {message}; {help}", spec.shown)?;
                None
            }
            None => {
                if cached.is_none() {
                    cached = Some(Cached::open()?);
                }
                cached.as_ref().map(|cached| cached.add(spec)).transpose()?
            }
        });
    }
    let mut by_manifest: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for (manifest, name) in wanted.iter().flatten() {
        by_manifest.entry(manifest.clone()).or_default().push(name.clone());
    }
    let mut built = BTreeMap::new();
    for (manifest, names) in by_manifest {
        let ours = cached.as_ref().filter(|cached| cached.manifest() == manifest);
        let target = ours.and_then(Cached::target);
        built.insert(manifest.clone(), cargo::build(&manifest, &names, target.as_deref(), report)?);
    }
    let found = |program: Option<(PathBuf, String)>| {
        let (manifest, name) = program?;
        built.get(&manifest)?.get(&name).cloned()
    };
    Ok(wanted.into_iter().map(found).collect())
}

/// The manifest of the package that a spec belongs to: the nearest one, if a build script stands beside it.
fn package(spec: &Path) -> Option<PathBuf> {
    let folder = spec.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file())?;
    is_package(folder).then(|| folder.join("Cargo.toml"))
}

/// Whether a spec, or one that it imports, uses items of the crate that it becomes a part of.
fn uses_its_crate(spec: &Spec) -> bool {
    let items = spec.loaded.files.iter().flat_map(|file| file.ast.rust_items());
    items.filter(|item| item.kind == RustItemKind::Use).any(|item| item.fragment.text.contains("crate::"))
}

/// A program of a package.
struct Program {
    name: String,
    main: String,
}

impl Program {
    /// Whether its main file hands this spec to the command line of services.
    fn runs(&self, module: &str) -> bool {
        let Some((_, after)) = self.main.split_once("app::") else { return false };
        let named = format!("{module}::SPEC");
        after
            .match_indices(&named)
            .any(|(at, _)| !after[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    }
}

/// The programs of the package with this manifest.
fn programs_of(manifest: &Path) -> Result<Vec<Program>, Failure> {
    let mut cargo = crate::cargo::command(&["metadata".into()])?;
    cargo.args(["--no-deps", "--format-version", "1", "--manifest-path"]).arg(manifest);
    let ran = cargo.stdin(Stdio::null()).output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).trim_end().to_owned().into());
    }
    let all: Value =
        serde_json::from_slice(&ran.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let same = |package: &&Value| {
        let path = package["manifest_path"].as_str().map(Path::new);
        path.and_then(|path| path.canonicalize().ok()).as_deref() == Some(manifest)
    };
    let package = all["packages"].as_array().into_iter().flatten().find(same);
    let targets = package.and_then(|package| package["targets"].as_array()).into_iter().flatten();
    let programs = targets.filter(|target| target["kind"][0] == "bin").filter_map(|target| {
        let main = fs::read_to_string(target["src_path"].as_str()?).ok()?;
        Some(Program { name: target["name"].as_str()?.to_owned(), main })
    });
    Ok(programs.collect())
}

/// The crate in the cache.
struct Cached {
    folder: PathBuf,
}

impl Cached {
    /// Makes the crate, or brings it up to the checkout that this program was built from.
    fn open() -> Result<Cached, Failure> {
        let checkout = new::checkout()?;
        let folder = cache()?.join(format!("test-{:016x}", emit::hash(&checkout)));
        write_changed(&folder.join("Cargo.toml"), &MANIFEST.replace("{checkout}", &checkout))?;
        // The same versions as the checkout, so that nothing is looked up anew.
        if let Ok(versions) = fs::read_to_string(Path::new(&checkout).join("Cargo.lock"))
            && write_changed(&folder.join("checkout.lock"), &versions)?
        {
            write_changed(&folder.join("Cargo.lock"), &versions)?;
        }
        Ok(Cached { folder })
    }

    fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }

    /// Where cargo puts what it builds, unless the user has said so.
    fn target(&self) -> Option<PathBuf> {
        let said = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        (!said).then(|| self.folder.join("target"))
    }

    /// Writes the program of a spec; its manifest and name.
    fn add(&self, spec: &Spec) -> Result<(PathBuf, String), Failure> {
        let path = input::name(&spec.path);
        let program = format!("{}-{:016x}", spec.module, emit::hash(&path));
        let specs = self.folder.join("specs").join(&program);
        // Named by their whole paths, so that the program is the same from wherever it is asked for.
        let loaded = foresee_compiler::compile::load(
            foresee_compiler::source::SourceFile::new(
                path.as_str(),
                spec.loaded.source.slice(spec.loaded.source.span()),
            ),
            &foresee_compiler::import::Disk,
        );
        for (index, (file, text)) in emit::wrappers(&spec.module, &loaded).into_iter().enumerate() {
            let file = specs.join(file);
            write_changed(&file, &text)?;
            let of = if index == 0 { path.as_str() } else { loaded.files[index].path.as_str() };
            write_changed(&file.with_extension("path"), &format!("{of}\n"))?;
        }
        // By its whole path, as rustc is told by which name to call it.
        let included = input::name(&specs.join(format!("{}.mace.rs", spec.module)));
        let main = format!(
            "//! The scenarios of a spec.\n\ninclude!({included:?});\n\n\
             fn main() -> std::process::ExitCode {{\n    foresee::app::main(&{}::SPEC)\n}}\n",
            spec.module
        );
        write_changed(&self.folder.join("src/bin").join(format!("{program}.rs")), &main)?;
        Ok((self.manifest(), program))
    }
}

/// The folder for what is kept between runs.
fn cache() -> Result<PathBuf, Failure> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let found = folder(CACHE)
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("foresee")))
        .or_else(|| Some(folder("LOCALAPPDATA")?.join("foresee")))
        .or_else(|| Some(folder("HOME")?.join(".cache/foresee")));
    let found =
        found.ok_or_else(|| format!("there is no folder for what is kept between runs: set {CACHE}"))?;
    std::path::absolute(&found).map_err(|error| format!("{}: {error}", found.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_the_spec_that_it_runs() {
        let runs =
            |main: &str, module: &str| Program { name: String::new(), main: main.to_owned() }.runs(module);
        let main = "foresee::include_spec!(\"kv\");\nfn main() { foresee::app::main(&kv::SPEC) }";
        assert!(runs(main, "kv") && !runs(main, "v") && !runs(main, "k"));
        assert!(!runs("fn main() { foresee::Host::bind(&kv::SPEC) }", "kv"));
    }
}
