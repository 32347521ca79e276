//! Compiles the specs; `src/main.rs` includes what comes out.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    foresee_compiler::configure().compile(&[
        "../../specs/rand_tree.mace",
        "../../specs/rand_tree_baseline.mace",
        "specs/rand_tree_direct.mace",
    ])?;
    Ok(())
}
