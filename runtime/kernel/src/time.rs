//! Durations as specs write them. The kernel has no clock: a delay is data in an effect, and a driver decides.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use crate::Distribution;

/// How long until a timer fires: exactly so long, or some moment that nature picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delay {
    /// The shortest delay.
    pub least: Duration,
    /// The longest delay; equal to `least` where the delay is exact.
    pub most: Duration,
    /// How likely the moments in between are.
    pub law: Law,
}

/// How likely the moments of a range are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// All alike.
    Uniform,
    /// Exponential with this mean, from no time at all to any time.
    Exponential(Duration),
}

/// The exponential law with a mean: of a delay, or of chance on a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exponential {
    mean: Duration,
}

/// The exponential law with this mean.
pub fn exponential(mean: Duration) -> Exponential {
    Exponential { mean }
}

impl Exponential {
    /// The law on a grid: each value stands for what lies between it and the one before, and the last for all beyond.
    pub fn on(self, grid: impl IntoIterator<Item = Duration>) -> Distribution<Duration> {
        let mut values: Vec<Duration> = grid.into_iter().collect();
        values.sort();
        values.dedup();
        let mean = self.mean.as_secs_f64();
        let beyond = |at: Duration| if mean > 0.0 { (-at.as_secs_f64() / mean).exp() } else { 0.0 };
        let last = values.len().saturating_sub(1);
        let mut before = 1.0;
        let weighed = values.into_iter().enumerate().map(|(place, value)| {
            let after = if place == last { 0.0 } else { beyond(value) };
            let weight = before - after;
            before = after;
            (value, weight)
        });
        Distribution::weighted(weighed.collect::<Vec<_>>())
    }
}

impl Span for Exponential {
    fn delay(self) -> Delay {
        Delay { least: Duration::ZERO, most: Duration::MAX, law: Law::Exponential(self.mean) }
    }
}

/// What a delay may be written as.
pub trait Span {
    /// The bounds of the delay.
    fn delay(self) -> Delay;
}

impl Span for Duration {
    fn delay(self) -> Delay {
        Delay { least: self, most: self, law: Law::Uniform }
    }
}

impl Span for Range<Duration> {
    fn delay(self) -> Delay {
        Delay { least: self.start, most: self.end.max(self.start), law: Law::Uniform }
    }
}

impl Span for RangeInclusive<Duration> {
    fn delay(self) -> Delay {
        let (least, most) = self.into_inner();
        Delay { least, most: most.max(least), law: Law::Uniform }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_law_on_a_grid_keeps_its_masses() {
        let seconds = |n| Duration::from_secs(n);
        let outcomes = exponential(seconds(1)).on([seconds(2), seconds(1), seconds(3), seconds(1)]);
        let expected =
            [(1, 1.0 - (-1.0_f64).exp()), (2, (-1.0_f64).exp() - (-2.0_f64).exp()), (3, (-2.0_f64).exp())];
        for ((value, weight), (at, mass)) in outcomes.outcomes().iter().zip(expected) {
            assert_eq!(*value, seconds(at));
            assert!((weight - mass).abs() < 1e-12, "{weight} is not {mass}");
        }
        assert_eq!(exponential(seconds(0)).on([seconds(1), seconds(2)]).outcomes(), [(seconds(1), 1.0)]);
        assert!(exponential(seconds(1)).on([]).outcomes().is_empty());
    }
}
