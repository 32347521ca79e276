//! `specs/rand_tree_baseline.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("rand_tree_baseline");

fn main() -> std::process::ExitCode {
    foresee::app::main(&rand_tree_baseline::SPEC)
}
