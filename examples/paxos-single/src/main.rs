//! `specs/paxos_single.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("paxos_single");

fn main() -> std::process::ExitCode {
    foresee::app::main(&paxos_single::SPEC)
}
