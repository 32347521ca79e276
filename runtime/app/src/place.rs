//! Where nodes are, and when: `--topology` and `--churn`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use foresee_net::{Churn, Inet, Topology, TransitStub, regions};

/// The most bytes of a file: a matrix of the most sites, and a record of the most lines, have fewer.
const BYTES_MAX: u64 = 256 << 20;

/// A topology by what was said on the command line: `regions`, `transit-stub` or `inet`, those two with a seed behind a
/// colon if one is given, or a file of comma-separated values or JSON.
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn topology(said: &str) -> Result<Arc<Topology>, String> {
    let (name, seed) = match said.split_once(':') {
        Some((name, seed)) => (name, Some(seed)),
        None => (said, None),
    };
    let seed = |default: u64| match seed {
        Some(seed) => seed.parse().map_err(|_| format!("`{seed}` is no seed: a whole number is meant")),
        None => Ok(default),
    };
    let made = match name {
        "regions" if said == name => Ok(regions()),
        "transit-stub" => {
            let default = TransitStub::default();
            TransitStub { seed: seed(default.seed)?, ..default }.build()
        }
        "inet" => {
            let default = Inet::default();
            Inet { seed: seed(default.seed)?, ..default }.build()
        }
        _ => return read(Path::new(said)).map_err(|error| format!("{said}: {error}")),
    };
    made.map(Arc::new).map_err(|error| error.to_string())
}

/// When nodes go down and come back, by a file: a record of comma-separated values, or laws as JSON.
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn churn(said: &str) -> Result<Arc<Churn>, String> {
    let path = Path::new(said);
    let read = |text: String| match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Churn::from_csv(&text).map_err(|error| error.to_string()),
        Some("json") => Churn::from_json(&text).map_err(|error| error.to_string()),
        _ => Err("a churn is a file named .csv or .json".to_owned()),
    };
    text(path).and_then(read).map(Arc::new).map_err(|error| format!("{said}: {error}"))
}

/// The text of a file.
fn text(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > BYTES_MAX {
        return Err(format!("it has {length} bytes, and {BYTES_MAX} are the most"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes)
        .map_err(|error| format!("byte {}: it is not UTF-8", error.utf8_error().valid_up_to()))
}

fn read(path: &Path) -> Result<Arc<Topology>, String> {
    let read = match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Topology::from_csv(&text(path)?),
        Some("json") => Topology::from_json(&text(path)?),
        _ => {
            return Err(
                "a topology is a file named .csv or .json, or `regions`, `transit-stub` or `inet`".to_owned()
            );
        }
    };
    read.map(Arc::new).map_err(|error| error.to_string())
}
