//! `specs/rand_tree.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("rand_tree");

fn main() -> std::process::ExitCode {
    foresee::app::main(&rand_tree::SPEC)
}
