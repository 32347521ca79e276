//! Clocks that cost next to nothing while messages come and go: one to look at, to find slow steps by, as a small step takes no longer
//! than a look at the usual one; and one to wait by.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, Sleep, sleep_until};

/// A thread that keeps time for all hosts of the process. None where there can be none.
static KEEPER: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let keeper =
        Builder::new_multi_thread().worker_threads(1).thread_name("foresee-clock").enable_time().build();
    keeper
        .inspect_err(|error| tracing::warn!(%error, "no thread to keep time: the runtime's own timers do"))
        .ok()
});

/// Waits until `at` by a timer that the caller's runtime does not know of.
///
/// A runtime with a timer under way arms one of the system's each time that it waits for the network, which is much of what a round trip
/// costs beside the network itself. A connection always has timers, which hardly ever fire: they are kept elsewhere.
pub(crate) fn beside(at: Instant) -> Sleep {
    let _keeper = KEEPER.as_ref().map(Runtime::enter);
    sleep_until(at)
}

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
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}
