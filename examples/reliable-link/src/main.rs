//! `specs/reliable_link.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("reliable_link");

fn main() -> std::process::ExitCode {
    foresee::app::main(&reliable_link::SPEC)
}
