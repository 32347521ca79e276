//! `specs/paxos.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("paxos");

fn main() -> std::process::ExitCode {
    foresee::app::main(&paxos::SPEC)
}
