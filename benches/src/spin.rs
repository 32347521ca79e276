//! Models for Spin, and verifiers made of them where Spin and a C compiler are installed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use crate::problems::Spin;

/// Two-phase commit as `specs/two_phase_commit.mace` has it: one process whose every turn is one indivisible action, so that its states
/// are those of the system.
pub fn two_phase_commit(participants: usize) -> String {
    let mut model = format!(
        "#define ALL {all}\n\
         byte rm[{participants}];  /* 0 working, 1 prepared, 2 committed, 3 aborted */\n\
         byte tm;                  /* 0 collecting, 2 committed, 3 aborted */\n\
         short ready;              /* whom the coordinator heard */\n\
         short sent;               /* whose Ready is under way, for ever */\n\
         active proctype system() {{\n  do\n\
         \x20 :: d_step {{ tm == 0 && ready == ALL -> tm = 2 }}\n\
         \x20 :: d_step {{ tm == 0 -> tm = 3 }}\n",
        all = (1 << participants) - 1,
    );
    let (mut aborted, mut committed) = (String::from("0"), String::from("0"));
    for rm in 0..participants {
        let bit = 1 << rm;
        let _ = write!(
            model,
            "\x20 :: d_step {{ tm == 0 && (sent & {bit}) -> ready = ready | {bit} }}\n\
             \x20 :: d_step {{ rm[{rm}] == 0 -> rm[{rm}] = 1; sent = sent | {bit} }}\n\
             \x20 :: d_step {{ rm[{rm}] == 0 -> rm[{rm}] = 3 }}\n\
             \x20 :: d_step {{ tm == 2 -> rm[{rm}] = 2 }}\n\
             \x20 :: d_step {{ tm == 3 -> rm[{rm}] = 3 }}\n"
        );
        let _ = write!(aborted, " || rm[{rm}] == 3");
        let _ = write!(committed, " || rm[{rm}] == 2");
    }
    let _ = write!(model, "\x20 :: d_step {{ ({aborted}) && ({committed}) -> assert(false) }}\n  od\n}}\n");
    model
}

/// The verifier of a model, made in `folder`; None where Spin or a C compiler is not installed.
///
/// # Errors
/// A folder that cannot be written, or a tool that refuses.
pub fn build(spin: &Spin, folder: &Path) -> io::Result<Option<PathBuf>> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("model.pml"), &spin.model)?;
    let Some(made) = tool(Command::new("spin").args(["-a", "model.pml"]).current_dir(folder))? else {
        return Ok(None);
    };
    let gcc = tool(Command::new("gcc").args(spin.flags).args(["-o", "pan", "pan.c"]).current_dir(folder))?;
    match gcc {
        None => Ok(None),
        Some(compiled) if made && compiled => Ok(Some(folder.join("pan"))),
        Some(_) => Err(io::Error::other("spin or gcc refuses the model")),
    }
}

/// Whether a tool succeeds; None where it is not installed.
fn tool(command: &mut Command) -> io::Result<Option<bool>> {
    match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) => Ok(Some(status.success())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
