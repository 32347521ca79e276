//! Compiles the specs that the programs here run; they include what comes out.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let specs = [
        "../../specs/paxos_retries.mace",
        "../../specs/rand_tree.mace",
        "specs/flood.mace",
        "specs/overlay.mace",
    ];
    foresee_compiler::configure().compile(&specs)?;
    Ok(())
}
