//! `specs/abd_register.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("abd_register");

fn main() -> std::process::ExitCode {
    foresee::app::main(&abd_register::SPEC)
}
