//! `specs/desk.mace` as a program, for the tests of its commands.

fn main() -> std::process::ExitCode {
    foresee::app::main(&live_tests::desk::SPEC)
}
