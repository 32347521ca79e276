//! `specs/ping.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("ping");

fn main() -> std::process::ExitCode {
    foresee::app::main(&ping::SPEC)
}
