//! Real nodes against what one writes by hand with tokio and redb: the same codec, over the loopback, in one process and in one run.
//!
//! Rounds are interleaved, and medians are shown, so that a machine that is busy for a while is busy for all. Both ends run in this process:
//! CPU time a message is that of both.
//!
//! *Caveats*: by hand there is neither a handshake, nor a bound, nor word of breaks, nor anything counted. `direct` does without tasks and
//! queues as well: whoever waits for an answer reads it off the socket itself, so that one is under way at a time, and nothing else is
//! heard meanwhile. `calls` has a task that reads, and answers whoever waits: what a program needs where several call. `tasks` has a task
//! for the state and one for each half of a connection, as a program needs that talks to several peers.

#[cfg(unix)]
mod by_hand;
#[cfg(unix)]
mod meter;
#[cfg(unix)]
mod ours;

foresee::include_spec!("bench");

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use clap::Parser;
    let args = meter::Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let table = runtime.block_on(meter::run(&args))?;
    use std::io::Write;
    std::io::stdout().write_all(table.as_bytes())?;
    Ok(())
}

#[cfg(not(unix))]
fn main() {}
