//! A contender from start to end: what it found, and what it used.

use foresee_benches::process::{self, Ran};
use serde_json::Value;

use crate::problems::{Contender, Kind};

/// What a process found and used.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Unique states, as it says.
    pub unique_states: u64,
    /// How often it was looked up whether a state is known, as it says; 0 where it does not.
    pub lookups: u64,
    /// User and system CPU time of all its threads; of the bare table, that of its operations alone.
    pub cpu_seconds: f64,
    /// From its start to its end.
    pub wall_seconds: f64,
    /// Its largest resident size.
    pub peak_rss_bytes: u64,
}

impl Figures {
    /// Look-ups by CPU second.
    pub fn lookup_rate(&self) -> f64 {
        self.lookups as f64 / self.cpu_seconds
    }
}

/// Runs a contender, which says how many states it found. `spares_none` is what our search that spares no
/// transition said in this round, if it ran before.
///
/// # Errors
/// A program that cannot be started, or that does not say so.
pub fn run(contender: &Contender, spares_none: Option<&Figures>) -> Result<Figures, String> {
    let (program, mut args) = (&contender.program, contender.args.clone());
    if let (Kind::Table, Some(search)) = (&contender.kind, spares_none) {
        args.extend([search.unique_states.to_string(), search.lookups.to_string()]);
    }
    let told = |what: &str| format!("{} {}: {what}", program.display(), args.join(" "));
    let Ran { text, cpu_seconds, wall_seconds, peak_rss_bytes } = process::run(program, &args)?;
    let found = if let Kind::Spin(_) = contender.kind { stored(&text) } else { said(&text) };
    let Said { unique_states, lookups, own } =
        found.ok_or_else(|| told(&format!("says no number of states: {text}")))?;
    let own = own.filter(|_| matches!(contender.kind, Kind::Table));
    let cpu_seconds = own.unwrap_or(cpu_seconds);
    Ok(Figures { unique_states, lookups, cpu_seconds, wall_seconds, peak_rss_bytes })
}

/// What a contender says itself.
struct Said {
    unique_states: u64,
    lookups: u64,
    /// CPU seconds of what it is about.
    own: Option<f64>,
}

/// What a JSON object says.
fn said(text: &str) -> Option<Said> {
    let object = serde_json::from_str::<Value>(text).ok()?;
    let lookups = object["lookups"].as_u64().unwrap_or(0);
    let own = object["cpu_seconds"].as_f64();
    Some(Said { unique_states: object["unique_states"].as_u64()?, lookups, own })
}

/// The states that a verifier of Spin stored; None where it found an error, or stopped early.
fn stored(text: &str) -> Option<Said> {
    let whole = text.contains("errors: 0") && !text.contains("Warning: Search not completed");
    let line = text.lines().find(|line| line.contains("states, stored"))?;
    let states = line.split_whitespace().next()?.parse::<f64>().ok()?;
    whole.then_some(Said { unique_states: states as u64, lookups: 0, own: None })
}
