//! Compiles what is measured.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    foresee_compiler::configure().compile(&["bench.mace", "../../specs/mutual_exclusion.mace"])?;
    Ok(())
}
