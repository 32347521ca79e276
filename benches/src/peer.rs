//! Peers with folders of their own in `benches/peers`, outside the workspace: what they need is built for nobody else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Builds a peer in its own folder, for a target folder beside this program's, under no flags but its own: flags of one peer stand in its
/// `.cargo/config.toml`, which any in the environment would override.
///
/// # Errors
/// A peer that cannot be built.
pub fn build(name: &str) -> Result<PathBuf, String> {
    let programs = std::env::current_exe().map_err(|error| error.to_string())?;
    let programs = programs.parent().unwrap_or(&programs);
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
    let target = programs.parent().unwrap_or(programs).join("peers");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(name);
    }
    command.current_dir(&peer).env("CARGO_TARGET_DIR", &target);
    let built = command.args(["build", "--release", "--locked", "--quiet"]).stdin(Stdio::null()).status();
    match built {
        Ok(status) if status.success() => Ok(target.join("release").join(format!("peer-{name}"))),
        Ok(status) => {
            Err(format!("`cargo build --release --locked` in {} ended with {status}", peer.display()))
        }
        Err(error) => Err(format!("cargo cannot be started in {}: {error}", peer.display())),
    }
}
