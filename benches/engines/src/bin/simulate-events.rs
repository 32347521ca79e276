//! One simulated run of so many events.
//!
//! Arguments: `ping`, `gossip` or `rand_tree`, how many nodes, how many events, and `claims` where the run is to evaluate the properties and
//! the objectives of its spec besides: without, it does what the peers in `benches/peers` do. Prints one JSON object: how many events and
//! messages there were, and how much virtual time went by.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use foresee::kernel::{Arguments, Model, SystemInfo};
use foresee::sim::{Ending, Options, run};

foresee::include_spec!("flood");
foresee::include_spec!("overlay");
foresee::include_spec!("rand_tree");

const SEED: u64 = 1;

/// So late that the events end a run.
const UNTIL: Duration = Duration::from_secs(10_000_000);

/// Crashes of a node of the tree by second: one in twenty minutes.
const CHURN: f64 = 1.0 / 1_200.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let service = args.next().unwrap_or_default();
    let nodes: usize = args.next().ok_or("how many nodes?")?.parse()?;
    let events: u64 = args.next().ok_or("how many events?")?.parse()?;
    let claims = args.next().as_deref() == Some("claims");
    let size = ("size".to_owned(), nodes.to_string());
    let model = match service.as_str() {
        "ping" => built(flood::SPEC.systems, "Flood", [size])?,
        "gossip" => built(overlay::SPEC.systems, "Overlay", [size])?,
        "rand_tree" => {
            let churn = ("churn".to_owned(), (CHURN * nodes as f64).to_string());
            built(rand_tree::SPEC.systems, "Internet", [size, churn])?
        }
        _ => return Err("ping, gossip or rand_tree?".into()),
    };
    let model =
        if claims { model } else { Model { properties: Vec::new(), objectives: Vec::new(), ..model } };
    let options = Options { until: Some(UNTIL), events_max: Some(events), ..Options::default() };
    let run = run(&Arc::new(model), SEED, &options)?;
    if run.ending != Ending::EventsMax {
        return Err(format!("the run ended before its events did: {:?}", run.violation).into());
    }
    let report = serde_json::json!({
        "events": run.events, "messages": run.messages, "virtual_seconds": run.virtual_seconds,
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// The system of a spec with these arguments.
fn built(
    systems: &[SystemInfo],
    name: &str,
    arguments: impl IntoIterator<Item = (String, String)>,
) -> Result<Model, Box<dyn std::error::Error>> {
    let system = systems.iter().find(|it| it.name == name).ok_or("the spec has no such system")?;
    Ok((system.build)(&arguments.into_iter().collect::<Arguments>())?)
}
