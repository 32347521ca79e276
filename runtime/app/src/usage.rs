//! What the process has used: CPU time and peak memory, as the operating system counts them.

/// CPU seconds and peak resident bytes of this process so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// User and system CPU time of all threads, in seconds.
    pub cpu_seconds: f64,
    /// The largest resident size so far, in bytes.
    pub peak_rss_bytes: u64,
}

/// Reads the counters; zeros where the system does not tell.
#[cfg(unix)]
pub fn now() -> Usage {
    // SAFETY: `rusage` is plain data for which all zeros is a value, and getrusage writes nothing but it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        if libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) != 0 {
            return Usage::default();
        }
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Usage {
        cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        peak_rss_bytes: usage.ru_maxrss as u64 * unit,
    }
}

/// Reads the counters; zeros where the system does not tell.
#[cfg(not(unix))]
pub fn now() -> Usage {
    Usage::default()
}
