//! A clock that costs next to nothing to look at, to find slow steps by: a small step takes no longer than a look at the usual one.

use std::time::Duration;

/// The time since some moment, some milliseconds late.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn coarse() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::MonotonicCoarse);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time since some moment.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn coarse() -> Duration {
    use std::sync::LazyLock;
    use tokio::time::Instant;
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}
