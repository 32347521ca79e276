//! `specs/consensus_by_utility.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("consensus_by_utility");

fn main() -> std::process::ExitCode {
    foresee::app::main(&consensus_by_utility::SPEC)
}
