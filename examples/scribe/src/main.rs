//! `specs/scribe.mace` as a program: check it, simulate it, replay a trace.

foresee::include_spec!("scribe");

fn main() -> std::process::ExitCode {
    foresee::app::main(&scribe::SPEC)
}
