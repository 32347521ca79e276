//! How fast the bare table of fingerprints is: the limit of any search that asks it for each transition.
//!
//! Arguments: how many states, how many operations. Each state is inserted once, into a table as large as that of a search which saw as
//! many; the other operations look known states up. Both go in batches, as in a search. Not counted are the first touch of
//! the table's memory, and how the fingerprints are made. Prints one JSON object.

use std::io::{self, Write};

use foresee::app::usage;
use foresee::check::RawTable;
use foresee::kernel::digest::mix;

/// How many fingerprints are asked for at once: what a search gathers before it asks.
const BATCH: usize = 256;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let states: usize = args.next().ok_or("how many states?")?.parse()?;
    let operations: usize = args.next().ok_or("how many operations?")?.parse()?;
    let lookups = operations.checked_sub(states).ok_or("each state is an operation")?;
    let table = RawTable::of(states as u64).ok_or("there is no memory")?;
    let fingerprints: Vec<u64> = (0..states as u64).map(mix).collect();

    let started = usage::now().cpu_seconds;
    let unique_states: usize = fingerprints.chunks(BATCH).map(|batch| table.note(batch)).sum();
    let inserted = usage::now().cpu_seconds;
    let (mut left, mut new) = (lookups, 0);
    while left > 0 {
        let some = &fingerprints[..left.min(states)];
        new += some.chunks(BATCH).map(|batch| table.note(batch)).sum::<usize>();
        left -= some.len();
    }
    let ended = usage::now().cpu_seconds;
    if new > 0 {
        return Err("a state that was inserted is not known".into());
    }
    let report = serde_json::json!({
        "unique_states": unique_states,
        "lookups": operations,
        "cpu_seconds": ended - started,
        "cpu_seconds_inserting": inserted - started,
        "table_bytes": table.bytes(),
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}
