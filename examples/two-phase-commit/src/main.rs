//! `specs/two_phase_commit.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("two_phase_commit");

fn main() -> std::process::ExitCode {
    foresee::app::main(&two_phase_commit::SPEC)
}
