//! Compiles the specs of `ui/run`, which `tests/run.rs` runs.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from("ui/run");
    println!("cargo:rerun-if-changed={}", folder.display());
    let entries: Vec<_> = std::fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
    let mut specs: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
    specs.retain(|path| path.extension().is_some_and(|extension| extension == "mace"));
    specs.sort();
    foresee_compiler::configure().compile(&specs)?;
    Ok(())
}
