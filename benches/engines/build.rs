//! Compiles the spec that `search-within` searches; it includes what comes out.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    foresee_compiler::configure().compile(&["../../specs/paxos_retries.mace"])?;
    Ok(())
}
