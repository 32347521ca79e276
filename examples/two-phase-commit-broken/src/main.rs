//! `specs/two_phase_commit_broken.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("two_phase_commit_broken");

fn main() -> std::process::ExitCode {
    foresee::app::main(&two_phase_commit_broken::SPEC)
}
