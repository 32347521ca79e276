//! `specs/failure_detector.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("failure_detector");

fn main() -> std::process::ExitCode {
    foresee::app::main(&failure_detector::SPEC)
}
