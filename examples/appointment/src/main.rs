//! `specs/appointment.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("appointment");

fn main() -> std::process::ExitCode {
    foresee::app::main(&appointment::SPEC)
}
