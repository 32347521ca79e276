//! What the engines of the benches share: how much CPU time was used.

/// User and system CPU seconds of this process so far.
pub fn cpu_seconds() -> f64 {
    // SAFETY: `rusage` is plain data for which all zeros is a value; getrusage writes it, and nothing else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
