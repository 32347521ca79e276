//! Durations as specs write them. The kernel has no clock: a delay is data in an effect, and a driver decides.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

/// How long until a timer fires: exactly so long, or some moment in a range that nature picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delay {
    /// The shortest delay.
    pub least: Duration,
    /// The longest delay; equal to `least` where the delay is exact.
    pub most: Duration,
}

/// What a delay may be written as.
pub trait Span {
    /// The bounds of the delay.
    fn delay(self) -> Delay;
}

impl Span for Duration {
    fn delay(self) -> Delay {
        Delay { least: self, most: self }
    }
}

impl Span for Range<Duration> {
    fn delay(self) -> Delay {
        Delay { least: self.start, most: self.end.max(self.start) }
    }
}

impl Span for RangeInclusive<Duration> {
    fn delay(self) -> Delay {
        let (least, most) = self.into_inner();
        Delay { least, most: most.max(least) }
    }
}
