//! `cargo run --release -p foresee-benches --bin stores`: the key-value store of `examples/kv` beside one on openraft.
//!
//! Three processes each, on this machine, with the same HTTP front. Clients write to the node that leads, each on a connection of its own
//! and one write after another. The peer, in `benches/peers/openraft`, keeps everything in memory, with the store that openraft's own tests
//! use; ours is durable, and run with its data on the disk of the folder for temporary files and, where there is one, on a file system in
//! memory. Rounds are interleaved; a ratio is taken in each round. CPU time is that of the three servers.
//!
//! *Caveats*: the log of openraft's store holds each entry as JSON. Ours is told to let one member propose, as is the node that leads there.

#[cfg(unix)]
mod bench;
#[cfg(unix)]
mod clients;
#[cfg(unix)]
mod cluster;

#[cfg(unix)]
fn main() -> Result<(), clients::Failed> {
    use clap::Parser;
    bench::run(&bench::Args::parse(), &mut std::io::stdout())
}

#[cfg(not(unix))]
fn main() {}
