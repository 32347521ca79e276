//! `specs/mutual_exclusion.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("mutual_exclusion");

fn main() -> std::process::ExitCode {
    foresee::app::main(&mutual_exclusion::SPEC)
}
