//! Compiles the spec; `src/main.rs` includes what comes out.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    foresee_compiler::configure().compile(&["../../specs/load_balancer.mace"])?;
    Ok(())
}
