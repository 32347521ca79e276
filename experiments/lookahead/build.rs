//! Compiles the specs; `src/main.rs` includes what comes out.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    foresee_compiler::configure().compile(&[
        "../../specs/gossip.mace",
        "../../specs/load_balancer.mace",
        "../../specs/swarm.mace",
    ])?;
    Ok(())
}
