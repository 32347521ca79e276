//! A process from start to end: what it printed, and what the operating system counted of it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a process printed and used.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What it printed.
    pub text: String,
    /// User and system CPU time of all its threads.
    pub cpu_seconds: f64,
    /// From its start to its end.
    pub wall_seconds: f64,
    /// Its largest resident size.
    pub peak_rss_bytes: u64,
}

/// Runs a program to its end.
///
/// # Errors
/// A program that cannot be started, or whose end is not told.
pub fn run(program: &Path, args: &[String]) -> Result<Ran, String> {
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
    Ok(Ran { text, cpu_seconds, wall_seconds: started.elapsed().as_secs_f64(), peak_rss_bytes })
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
