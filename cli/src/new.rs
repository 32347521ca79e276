//! `foresee new`: a project that builds at once, with the tutorial's service in it.
//!
//! Until there is a release, the project depends on the checkout that this program was built from.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Outcome};

const MANIFEST: &str = include_str!("../templates/Cargo.toml.txt");
const BUILD: &str = include_str!("../templates/build.rs.txt");
const MAIN: &str = include_str!("../templates/main.rs.txt");
const README: &str = include_str!("../templates/README.md.txt");
const SPEC: &str = include_str!("../../specs/ping.mace");

/// Makes the project `name`, in `path` or in a folder named after it.
///
/// # Errors
/// A name that cargo would refuse, a folder that is not empty, or a file that cannot be written.
pub fn run(name: &str, path: Option<&Path>, out: &mut dyn Write) -> Outcome {
    valid(name)?;
    let folder = path.map_or_else(|| PathBuf::from(name), Path::to_path_buf);
    let occupied = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(format!("{}: the folder exists and is not empty", folder.display()).into());
    }
    let module = name.replace('-', "_");
    let checkout = checkout()?;
    let fill = |template: &str| {
        template.replace("{name}", name).replace("{module}", &module).replace("{checkout}", &checkout)
    };
    write(&folder.join("Cargo.toml"), &fill(MANIFEST))?;
    write(&folder.join("build.rs"), &fill(BUILD))?;
    write(&folder.join("src/main.rs"), &fill(MAIN))?;
    write(&folder.join("README.md"), &fill(README))?;
    write(&folder.join(".gitignore"), "/target\n")?;
    write(&folder.join(format!("specs/{module}.mace")), SPEC)?;
    writeln!(out, "made {}: now `cd {0}` and `cargo run -- check`", folder.display())?;
    Ok(Exit::Held)
}

/// What both cargo and the generated module accept as a name.
fn valid(name: &str) -> Result<(), String> {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if !starts || !rest {
        return Err(format!(
            "`{name}` is no project name: use lower-case letters, digits, - and _, a letter first"
        ));
    }
    const TAKEN: [&str; 8] = ["foresee", "std", "core", "alloc", "test", "self", "super", "crate"];
    if TAKEN.contains(&name) || syn_keyword(name) {
        return Err(format!("`{name}` cannot be the name of a project: Rust or foresee uses it"));
    }
    Ok(())
}

fn syn_keyword(name: &str) -> bool {
    const KEYWORDS: [&str; 41] = [
        "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false", "fn",
        "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
        "static", "struct", "trait", "true", "type", "unsafe", "use", "where", "while", "abstract", "become",
        "box", "do", "final", "try", "yield",
    ];
    KEYWORDS.contains(&name)
}

/// The checkout that this program was built from, as a path in a manifest.
///
/// # Errors
/// It is there no more.
pub fn checkout() -> Result<String, String> {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = cli.parent().unwrap_or(cli);
    if !root.join("runtime/Cargo.toml").is_file() {
        return Err(format!("the checkout that foresee was built from is gone ({})", root.display()));
    }
    Ok(root.display().to_string().replace('\\', "/"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    fs::write(path, text).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::valid;

    #[test]
    fn names_that_cargo_or_the_module_would_refuse_are_refused() {
        for name in ["demo", "two-phase-commit", "a1_b"] {
            assert!(valid(name).is_ok(), "{name}");
        }
        for name in ["", "1st", "Demo", "a b", "../up", "fn", "foresee", "é"] {
            assert!(valid(name).is_err(), "{name}");
        }
    }
}
