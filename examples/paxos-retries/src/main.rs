//! `specs/paxos_retries.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("paxos_retries");

fn main() -> std::process::ExitCode {
    foresee::app::main(&paxos_retries::SPEC)
}
