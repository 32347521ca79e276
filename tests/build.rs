//! Compiles the specs of `ui/run`, which `tests/run.rs` runs, and those of `ui/pass`, which `tests/pass.rs` compiles.

use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let (run, pass) = (specs("ui/run")?, specs("ui/pass")?);
    foresee_compiler::configure().compile(&[run, pass.clone()].concat())?;
    let includes = pass.iter().filter_map(|path| path.file_stem()).map(|name| {
        let name = name.to_string_lossy();
        format!("foresee::include_spec!(\"{name}\");\n")
    });
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names a folder")?).join("pass.rs");
    std::fs::write(out, includes.collect::<String>())?;
    Ok(())
}

fn specs(folder: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    println!("cargo:rerun-if-changed={folder}");
    let entries: Vec<_> = std::fs::read_dir(Path::new(folder))?.collect::<Result<_, _>>()?;
    let mut specs: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
    specs.retain(|path| path.extension().is_some_and(|extension| extension == "mace"));
    specs.sort();
    Ok(specs)
}
