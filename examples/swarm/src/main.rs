//! `specs/swarm.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("swarm");

fn main() -> std::process::ExitCode {
    foresee::app::main(&swarm::SPEC)
}
