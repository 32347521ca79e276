//! Protocols of message-passing nodes for the `stateright` crate, on its own actors and its own network: the peers of specs.
//!
//! Arguments: `paxos CLIENTS`, `register READS` or `retries ROUNDS`; then `bfs` or `dfs`, and how many threads. Prints one JSON object.
//! Each is written as its examples are: what changes nothing leaves the state borrowed, so that `stateright` drops the step and keeps
//! the message.

mod paxos;
mod register;
mod retries;

use std::fmt::Debug;
use std::hash::Hash;
use std::io::{self, Write};

use stateright::{Checker, CheckerBuilder, Model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let protocol = args.next().ok_or("which protocol?")?;
    let size = args.next().ok_or("of which size?")?.parse()?;
    let search = args.next().ok_or("bfs or dfs?")?;
    let threads = args.next().map_or(Ok(1), |text| text.parse())?;
    let states = match protocol.as_str() {
        "paxos" => count(paxos::model(size).checker(), &search, threads)?,
        "register" => count(register::model(size).checker(), &search, threads)?,
        "retries" => count(retries::model(size).checker(), &search, threads)?,
        other => return Err(format!("`{other}` is no protocol: paxos, register or retries").into()),
    };
    writeln!(io::stdout(), "{{\"unique_states\":{states}}}")?;
    Ok(())
}

fn count<M>(checker: CheckerBuilder<M>, search: &str, threads: usize) -> Result<usize, String>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let checker = checker.threads(threads);
    match search {
        "bfs" => Ok(checker.spawn_bfs().join().unique_state_count()),
        "dfs" => Ok(checker.spawn_dfs().join().unique_state_count()),
        other => Err(format!("`{other}` is no search: bfs or dfs")),
    }
}
