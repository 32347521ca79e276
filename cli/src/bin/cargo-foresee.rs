//! `cargo foresee ..`, the same as `foresee cargo ..`: see the library.

fn main() -> std::process::ExitCode {
    foresee_cli::main()
}
