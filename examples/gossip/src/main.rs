//! `specs/gossip.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("gossip");

fn main() -> std::process::ExitCode {
    foresee::app::main(&gossip::SPEC)
}
