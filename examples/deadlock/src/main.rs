//! `specs/deadlock.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("deadlock");

fn main() -> std::process::ExitCode {
    foresee::app::main(&deadlock::SPEC)
}
