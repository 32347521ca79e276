//! `specs/token_ring.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("token_ring");

fn main() -> std::process::ExitCode {
    foresee::app::main(&token_ring::SPEC)
}
