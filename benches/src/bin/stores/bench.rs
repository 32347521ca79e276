//! What is measured, how often, and the table.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use foresee_benches::{Spread, peer};

use crate::clients::{self, Failed, Figures};
use crate::cluster::{Cluster, Kind};

/// The key-value store beside one on openraft
#[derive(Debug, Parser)]
pub struct Args {
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

/// Measures, and writes a row of the table when it is known.
///
/// # Errors
/// A store that is not built or does not come up, and a write that fails.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failed> {
    let stores = stores()?;
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
    for clients in &args.clients {
        let mut all = vec![Vec::new(); stores.len()];
        for _ in 0..args.rounds.max(1) {
            for ((_, kind), runs) in stores.iter().zip(&mut all) {
                let cluster = Cluster::start(kind)?;
                let writes = clients::write(&cluster, *clients, Duration::from_secs(args.seconds));
                runs.push(runtime.block_on(writes)?);
            }
        }
        for ((name, _), runs) in stores.iter().zip(&all) {
            row(*clients, name, runs, &all[0], out)?;
        }
    }
    Ok(())
}

/// The stores, the peer first.
fn stores() -> Result<Vec<(&'static str, Kind)>, Failed> {
    let ours = std::env::current_exe()?.with_file_name("kv");
    if !ours.is_file() {
        return Err("build the store first: cargo build --release -p kv".into());
    }
    let mut stores = vec![
        ("openraft, in memory", Kind::Openraft(peer::build("openraft")?)),
        ("kv, on disk", Kind::Ours(ours.clone(), std::env::temp_dir())),
    ];
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        stores.push(("kv, file system in memory", Kind::Ours(ours, memory)));
    }
    Ok(stores)
}

/// What the runs of a store came to, beside those of the peer.
fn row(
    clients: usize,
    name: &str,
    runs: &[Figures],
    peer: &[Figures],
    out: &mut dyn Write,
) -> io::Result<()> {
    let over = |figure: fn(&Figures) -> f64| Spread::of(runs.iter().map(figure));
    let ratio = |figure: fn(&Figures) -> f64| {
        Spread::of(runs.iter().zip(peer).map(|(ours, theirs)| figure(ours) / figure(theirs))).shown(2)
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
    out.flush()
}
