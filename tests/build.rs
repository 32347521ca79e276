//! Compiles the specs of `ui/run`, which `tests/run.rs` runs, those of `scripts`, which `tests/scripts.rs` does, those of
//! `ui/pass`, which `tests/pass.rs` compiles, the examples of the reference, which `tests/reference.rs` does, and the specs of
//! the repository, for `tests/specs.rs`.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "src/examples.rs"]
mod examples;

use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let (run, pass, scripts) = (specs("ui/run")?, specs("ui/pass")?, specs("scripts")?);
    let shown = specs("../specs")?;
    foresee_compiler::configure().compile(&[run.as_slice(), &pass, &scripts, &shown].concat())?;
    let includes = pass.iter().filter_map(|path| path.file_stem()).map(|name| {
        let name = name.to_string_lossy();
        format!("foresee::include_spec!(\"{name}\");\n")
    });
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names a folder")?);
    std::fs::write(out.join("pass.rs"), includes.collect::<String>())?;
    std::fs::write(out.join("counted.rs"), counted(&run)?)?;
    std::fs::write(out.join("reference.rs"), reference(&out)?)?;
    Ok(())
}

/// The examples of the reference that the front end accepts; `tests/reference.rs` says what is wrong with others.
fn reference(out: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../docs");
    let folder = out.join("examples");
    std::fs::create_dir_all(&folder)?;
    let mut includes = String::new();
    if foresee_compiler::configure().emit_cargo(false).compile(&["../docs/cheatsheet.mace"]).is_ok() {
        includes += "foresee::include_spec!(\"cheatsheet\");\n";
    }
    // A page that cannot be read in whole is reported by the tests too.
    for example in examples::examples(Path::new("..")).unwrap_or_default() {
        let path = folder.join(example.page.replace('/', "_")).join(&example.file);
        std::fs::create_dir_all(path.parent().ok_or("it has a folder")?)?;
        std::fs::write(&path, &example.text)?;
        let compiler = foresee_compiler::configure().emit_cargo(false);
        if example.code.is_none() && compiler.compile(&[&path]).is_ok() {
            let name = example.file.trim_end_matches(".mace");
            includes += &format!("foresee::include_spec!(\"{name}\");\n");
        }
    }
    Ok(includes)
}

/// The specs whose first line says how many states they have, in a table.
fn counted(specs: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let (mut includes, mut table) = (String::new(), String::new());
    for path in specs {
        let text = std::fs::read_to_string(path)?;
        let states = text.strip_prefix("//! ").and_then(|it| it.split_once(" state"));
        let states = states.and_then(|(number, _)| number.replace(',', "").parse::<u64>().ok());
        if let (Some(states), Some(name)) = (states, path.file_stem()) {
            let name = name.to_string_lossy();
            includes += &format!("foresee::include_spec!(\"{name}\");\n");
            table += &format!("    (&{name}::SPEC, {states}),\n");
        }
    }
    let table = format!("const COUNTED: &[(&foresee::kernel::SpecInfo, u64)] = &[\n{table}];\n");
    Ok(includes + &table)
}

fn specs(folder: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    println!("cargo:rerun-if-changed={folder}");
    let entries: Vec<_> = std::fs::read_dir(Path::new(folder))?.collect::<Result<_, _>>()?;
    let mut specs: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
    specs.retain(|path| path.extension().is_some_and(|extension| extension == "mace"));
    specs.sort();
    Ok(specs)
}
