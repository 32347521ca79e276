//! A line of limited speed before which messages queue.

/// A line that sends one message after the other, and a buffer before it from whose end is dropped what finds no room.
///
/// A fluid account in the unit of bytes: what came before is sent first, each byte takes as long. So the waits are those
/// of a queue with one server and service in order of arrival, whatever the sizes are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bottleneck {
    /// Bytes a second, above 0.
    pub bytes_per_second: f64,
    /// The most bytes that may wait or be under way into the line at once; None for any number.
    pub buffer: Option<u64>,
}

/// What is left to do for a line: when it will be idle, on its clock in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    idle_at: u64,
}

impl Backlog {
    /// When the line will be idle.
    pub fn idle_at(&self) -> u64 {
        self.idle_at
    }
}

impl Bottleneck {
    /// How long `bytes` take to be sent, in nanoseconds; as long as the clock goes where it is longer.
    pub fn service(&self, bytes: u64) -> u64 {
        (bytes as f64 / self.bytes_per_second * 1e9).round() as u64
    }

    /// Offers a message at `now`: when it will have left the line, in nanoseconds from now; None where it is dropped.
    /// Times of offers must not fall.
    pub fn offer(&self, now: u64, bytes: u64, backlog: &mut Backlog) -> Option<u64> {
        let waits = backlog.idle_at.saturating_sub(now);
        if let Some(buffer) = self.buffer {
            let waiting = waits as f64 / 1e9 * self.bytes_per_second;
            // Half a byte of grace for rounding of times to nanoseconds.
            if waiting + bytes as f64 > buffer as f64 + 0.5 {
                return None;
            }
        }
        let leaves = waits.saturating_add(self.service(bytes));
        backlog.idle_at = now.saturating_add(leaves);
        Some(leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delay::Delay;
    use crate::draw::{Purpose, Stream};

    const N: u64 = 2_000_000;
    /// A byte takes a microsecond.
    const LINE: Bottleneck = Bottleneck { bytes_per_second: 1e6, buffer: None };

    fn exponential(purpose: u8, mean: u64, number: u64) -> u64 {
        Delay::Exponential(mean).nanos(&mut Stream::new(5, Purpose(purpose), (0, 1), number))
    }

    /// The mean wait before service, in units of the mean service time, at a load.
    fn wait(load: f64, size: impl Fn(u64) -> u64) -> f64 {
        let (mut now, mut backlog, mut waits) = (0_u64, Backlog::default(), 0.0);
        for number in 0..N {
            now += exponential(1, (1_000_000.0 / load) as u64, number);
            let bytes = size(number);
            let leaves = LINE.offer(now, bytes, &mut backlog).expect("there is room for all");
            waits += (leaves - LINE.service(bytes)) as f64;
        }
        waits / N as f64 / 1e6
    }

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 0.02, "{found} is not within 2 % of {expected}");
    }

    #[test]
    fn waits_of_random_sizes_are_those_of_m_m_1() {
        for load in [0.3, 0.6] {
            near(wait(load, |number| exponential(2, 1_000, number)), load / (1.0 - load));
        }
    }

    #[test]
    fn waits_of_equal_sizes_are_those_of_m_d_1() {
        for load in [0.3, 0.6] {
            near(wait(load, |_| 1_000), load / (2.0 * (1.0 - load)));
        }
    }

    #[test]
    fn what_finds_no_room_is_dropped_from_the_tail() {
        let line = Bottleneck { buffer: Some(2_500), ..LINE };
        let mut backlog = Backlog::default();
        let fates: Vec<_> = (0..4).map(|_| line.offer(0, 1_000, &mut backlog)).collect();
        assert_eq!(fates, [Some(1_000_000), Some(2_000_000), None, None]);
        // After half a message there is room for half a one, and after the other half for another.
        assert_eq!(line.offer(500_000, 1_000, &mut backlog), Some(2_500_000));
        assert_eq!(line.offer(1_000_000, 1_000, &mut backlog), None);
        assert_eq!(line.offer(1_500_000, 1_000, &mut backlog), Some(2_500_000));
        assert_eq!(line.offer(60_000_000, 2_501, &mut backlog), None);
    }

    #[test]
    fn a_full_line_of_equal_sizes_loses_as_m_d_1_with_places_does() {
        // Overload by two: in the long run the line sends half of what is offered.
        let line = Bottleneck { buffer: Some(10_000), ..LINE };
        let (mut now, mut backlog, mut sent) = (0_u64, Backlog::default(), 0_u32);
        for number in 0..N / 10 {
            now += exponential(1, 500_000, number);
            sent += u32::from(line.offer(now, 1_000, &mut backlog).is_some());
        }
        near(f64::from(sent) / (N / 10) as f64, 0.5);
    }
}
