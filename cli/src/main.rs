//! `foresee`: see the library.

fn main() -> std::process::ExitCode {
    foresee_cli::main()
}
