//! Compiles the specs that are run over real sockets.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    foresee_compiler::configure().compile(&[
        "specs/desk.mace",
        "specs/desk_next.mace",
        "specs/ledger.mace",
        "../../specs/reliable_link.mace",
    ])?;
    Ok(())
}
