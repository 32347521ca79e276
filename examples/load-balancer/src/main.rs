//! `specs/load_balancer.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("load_balancer");

fn main() -> std::process::ExitCode {
    foresee::app::main(&load_balancer::SPEC)
}
