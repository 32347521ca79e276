//! `specs/atomic_commit.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("atomic_commit");

fn main() -> std::process::ExitCode {
    foresee::app::main(&atomic_commit::SPEC)
}
