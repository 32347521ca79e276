//! Compiles the specs; `src/main.rs` includes what comes out.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    foresee_compiler::configure().compile(&["../../specs/reliable_link.mace", "accrual_link.mace"])?;
    Ok(())
}
