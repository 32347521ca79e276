//! `cargo run --release -p foresee-benches --bin stores`: the key-value store of `examples/kv` beside one on openraft.
//!
//! Three processes each, on this machine, with the same HTTP front. Clients write to the node that leads, each on a connection of its own
//! and one write after another. The peer, in `benches/peers/openraft`, keeps everything in memory, with the store that openraft's own tests
//! use; ours is durable, and run with its data on the disk of the folder for temporary files and, where there is one, on a file system in
//! memory. Rounds are interleaved; a ratio is taken in each round. CPU time is that of the three servers.
//!
//! *Caveats*: the log of openraft's store holds each entry as JSON. Ours is told to let one member propose, as is the node that leads there.

#[cfg(unix)]
mod clients;
#[cfg(unix)]
mod cluster;

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    use std::io::Write;
    use std::path::PathBuf;
    use std::time::Duration;

    use clap::Parser;
    use cluster::{Cluster, Kind};
    use foresee_benches::{Spread, peer};

    /// The key-value store beside one on openraft
    #[derive(Debug, Parser)]
    struct Args {
        /// Rounds, each of all stores
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// How many clients write at once; may be repeated
        #[arg(long, value_name = "COUNT", default_values_t = [1, 16, 64])]
        clients: Vec<usize>,
        /// For how many seconds they write
        #[arg(long, default_value_t = 3)]
        seconds: u64,
    }

    let args = Args::parse();
    let mut out = std::io::stdout();
    let ours = std::env::current_exe()?.parent().map(|it| it.join("kv")).unwrap_or_default();
    if !ours.is_file() {
        return Err("build the store first: cargo build --release -p kv".into());
    }
    let memory = Some(PathBuf::from("/dev/shm")).filter(|it| it.is_dir());
    let disk = std::env::temp_dir();
    let theirs = peer::build("openraft")?;
    let stores =
        [("openraft, in memory", Kind::Openraft(theirs)), ("kv, on disk", Kind::Ours(ours.clone(), disk))];
    let stores = stores
        .into_iter()
        .chain(memory.map(|folder| ("kv, file system in memory", Kind::Ours(ours, folder))));
    let stores: Vec<(&str, Kind)> = stores.collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    writeln!(
        out,
        "{} rounds of {} s; every ratio is over openraft in the same round",
        args.rounds, args.seconds
    )?;
    writeln!(
        out,
        "\n| clients | store | writes/s | p50 ms | p99 ms | CPU us each | writes/s, ratio | p99, ratio |"
    )?;
    writeln!(out, "|---:|---|---:|---:|---:|---:|---:|---:|")?;
    for clients in args.clients {
        let mut all = vec![Vec::new(); stores.len()];
        for _ in 0..args.rounds.max(1) {
            for ((_, kind), runs) in stores.iter().zip(&mut all) {
                let cluster = Cluster::start(kind)?;
                let writes = clients::write(&cluster, clients, Duration::from_secs(args.seconds));
                runs.push(runtime.block_on(writes)?);
            }
        }
        for ((name, _), runs) in stores.iter().zip(&all) {
            let over = |figure: fn(&clients::Figures) -> f64| Spread::of(runs.iter().map(figure));
            let ratio = |figure: fn(&clients::Figures) -> f64| {
                Spread::of(runs.iter().zip(&all[0]).map(|(ours, theirs)| figure(ours) / figure(theirs)))
                    .shown(2)
            };
            writeln!(
                out,
                "| {clients} | {name} | {} | {} | {} | {} | {} | {} |",
                over(|it| it.rate).shown(0),
                over(|it| it.p50_ms).shown(2),
                over(|it| it.p99_ms).shown(2),
                over(|it| it.cpu_us).shown(0),
                ratio(|it| it.rate),
                ratio(|it| it.p99_ms)
            )?;
        }
        out.flush()?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn main() {}
