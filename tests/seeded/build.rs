//! Puts each bug into its spec and compiles what comes out, under the bug's name.

#[allow(dead_code, reason = "the rest is for whoever looks for the bugs")]
#[path = "src/bugs.rs"]
mod bugs;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use bugs::{BUGS, Bug};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/bugs.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names a folder")?);
    let folder = out.join("mutants");
    fs::create_dir_all(&folder)?;
    let (mut paths, mut includes, mut table) = (Vec::new(), String::new(), String::new());
    for Bug { name, spec, edits, .. } in BUGS {
        let origin = format!("../../specs/{spec}");
        println!("cargo:rerun-if-changed={origin}");
        let mut text = fs::read_to_string(&origin)?;
        for (from, to) in *edits {
            let times = text.matches(from).count();
            if times != 1 {
                return Err(format!("{name}: `{from}` stands {times} times in {spec}").into());
            }
            text = text.replacen(from, to, 1);
        }
        let path = folder.join(format!("{name}.mace"));
        fs::write(&path, text)?;
        paths.push(path);
        includes += &format!("foresee::include_spec!(\"{name}\");\n");
        table += &format!("    &{name}::SPEC,\n");
    }
    foresee_compiler::configure().emit_cargo(false).compile(&paths)?;
    let specs = format!(
        "/// The specs, in the order of [`BUGS`].\npub const SPECS: &[&foresee::kernel::SpecInfo] = &[\n{table}];\n"
    );
    fs::write(out.join("specs.rs"), includes + &specs)?;
    Ok(())
}
