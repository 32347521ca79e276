//! A process from start to end: what it found, and what the operating system counted of it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::problems::Contender;

/// What a process found and used.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Unique states, as it says.
    pub unique_states: u64,
    /// User and system CPU time of all its threads.
    pub cpu_seconds: f64,
    /// From its start to its end.
    pub wall_seconds: f64,
    /// Its largest resident size.
    pub peak_rss_bytes: u64,
}

/// Runs a contender, which says how many states it found.
///
/// # Errors
/// A program that cannot be started, or that does not say so.
pub fn run(contender: &Contender) -> Result<Figures, String> {
    let (program, args) = (&contender.program, &contender.args);
    let told = |what: &str| format!("{} {}: {what}", program.display(), args.join(" "));
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| told(&format!("{error}; build it first: cargo build --release --workspace")))?;
    let mut text = String::new();
    if let Some(mut out) = child.stdout.take() {
        out.read_to_string(&mut text).map_err(|error| told(&error.to_string()))?;
    }
    let (cpu_seconds, peak_rss_bytes) = wait(child.id()).ok_or_else(|| told("its end is not told"))?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let states = if contender.spin.is_some() { stored(&text) } else { unique(&text) };
    let unique_states = states.ok_or_else(|| told(&format!("says no number of states: {text}")))?;
    Ok(Figures { unique_states, cpu_seconds, wall_seconds, peak_rss_bytes })
}

/// The `unique_states` of a JSON object.
fn unique(text: &str) -> Option<u64> {
    serde_json::from_str::<Value>(text).ok()?["unique_states"].as_u64()
}

/// The states that a verifier of Spin stored; None where it found an error, or stopped early.
fn stored(text: &str) -> Option<u64> {
    let whole = text.contains("errors: 0") && !text.contains("Warning: Search not completed");
    let line = text.lines().find(|line| line.contains("states, stored"))?;
    let states = line.split_whitespace().next()?.parse::<f64>().ok()?;
    whole.then_some(states as u64)
}

/// Waits for a child and reads its usage: CPU seconds and peak resident bytes.
fn wait(process: u32) -> Option<(f64, u64)> {
    // SAFETY: `rusage` is plain data for which all zeros is a value; wait4 writes it and the status, and nothing else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let mut status = 0;
        if libc::wait4(process as libc::pid_t, &raw mut status, 0, &raw mut usage) < 0 {
            return None;
        }
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    Some((seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as u64 * 1024))
}

/// The median of some figures; NaN of none.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0,
    }
}
