//! `specs/chord.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("chord");

fn main() -> std::process::ExitCode {
    foresee::app::main(&chord::SPEC)
}
