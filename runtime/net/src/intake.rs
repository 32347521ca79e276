//! What a message meets at its receiver before it is delivered: the line into the node, which all senders share, and the work that
//! the node does on it.

use std::collections::{BTreeMap, VecDeque};

use crate::bottleneck::{Backlog, Bottleneck};
use crate::delay::Delay;
use crate::draw::Draw;

/// The way into every node: a line of limited speed, then a server that works on one message after the other, in order of arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intake {
    /// The line, where its speed is limited.
    pub line: Option<Bottleneck>,
    /// What the node does with a message, if that takes time.
    pub work: Option<Work>,
}

/// The work on a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// How long a node works on one.
    pub each: Delay,
    /// The most messages that may wait or be worked on at once; what comes to more is dropped. None for any number.
    pub waiting: Option<usize>,
    /// Nodes that take so many times as long.
    pub slow: BTreeMap<u32, f64>,
}

/// What is left to do for a node, on its clock in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    line: Backlog,
    /// When each message that it still has will be done, in order.
    done: VecDeque<u64>,
}

impl Intake {
    /// Whether nothing happens at the receiver.
    pub fn is_none(&self) -> bool {
        self.line.is_none() && self.work.is_none()
    }

    /// Whether a message may be dropped.
    pub fn loses(&self) -> bool {
        self.line.is_some_and(|line| line.buffer.is_some())
            || self.work.as_ref().is_some_and(|work| work.waiting.is_some())
    }

    /// A message comes to `node` at `now`: after how many nanoseconds it is delivered; None where it is dropped. What comes over a
    /// connection (`insists`) is never dropped: it waits. Times of arrival must not fall.
    pub fn take(
        &self,
        node: u32,
        bytes: u64,
        now: u64,
        insists: bool,
        desk: &mut Desk,
        draw: &mut dyn Draw,
    ) -> Option<u64> {
        let came = match self.line {
            None => 0,
            Some(line) if insists => Bottleneck { buffer: None, ..line }.offer(now, bytes, &mut desk.line)?,
            Some(line) => line.offer(now, bytes, &mut desk.line)?,
        };
        let Some(work) = &self.work else { return Some(came) };
        let at = now.saturating_add(came);
        while desk.done.front().is_some_and(|done| *done <= at) {
            desk.done.pop_front();
        }
        if !insists && work.waiting.is_some_and(|most| desk.done.len() >= most) {
            return None;
        }
        let times = work.slow.get(&node).copied().unwrap_or(1.0);
        let takes = (work.each.nanos(draw) as f64 * times).round() as u64;
        let done = desk.done.back().copied().unwrap_or(at).saturating_add(takes);
        desk.done.push_back(done);
        Some(done - now)
    }
}

impl Desk {
    /// What still makes a difference from `now` on: when the line will be idle, and when each message will be done; nothing where
    /// there is nothing to do.
    pub(crate) fn remains(&self, now: u64) -> Vec<u64> {
        let done = self.done.iter().copied().filter(|done| *done > now);
        let line = Some(self.line.idle_at()).filter(|idle| *idle > now);
        let mut remains: Vec<u64> = done.collect();
        if line.is_some() || !remains.is_empty() {
            remains.insert(0, line.unwrap_or(now));
        }
        remains
    }

    /// When a node will be done with all that it has; not before `now`.
    pub fn idle_at(&self, now: u64) -> u64 {
        self.done.back().copied().unwrap_or(0).max(self.line.idle_at()).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Purpose, Stream};

    const N: u64 = 1_000_000;

    fn stream(purpose: u8, number: u64) -> Stream {
        Stream::new(3, Purpose(purpose), (0, 0), number)
    }

    fn work(each: Delay) -> Intake {
        Intake { line: None, work: Some(Work { each, waiting: None, slow: BTreeMap::new() }) }
    }

    /// The mean wait before service, in units of the mean service time, at a load.
    fn wait(load: f64, intake: &Intake) -> f64 {
        let (mut now, mut desk, mut waits) = (0_u64, Desk::default(), 0.0);
        for number in 0..N {
            now += Delay::Exponential((1e6 / load) as u64).nanos(&mut stream(1, number));
            let before = desk.idle_at(now) - now;
            intake.take(0, 0, now, false, &mut desk, &mut stream(2, number)).expect("there is room for all");
            waits += before as f64;
        }
        waits / N as f64 / 1e6
    }

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 0.02, "{found} is not within 2 % of {expected}");
    }

    #[test]
    fn work_waits_as_m_m_1_and_m_d_1_do() {
        for load in [0.3, 0.6] {
            near(wait(load, &work(Delay::Exponential(1_000_000))), load / (1.0 - load));
            near(wait(load, &work(Delay::Constant(1_000_000))), load / (2.0 * (1.0 - load)));
        }
    }

    #[test]
    fn an_overloaded_node_drops_what_it_has_no_place_for_and_waits_for_connections() {
        let Intake { work: Some(work), .. } = work(Delay::Constant(1_000)) else { return };
        let intake = Intake { line: None, work: Some(Work { waiting: Some(2), ..work }) };
        let mut desk = Desk::default();
        let mut take = |now, insists| intake.take(0, 0, now, insists, &mut desk, &mut stream(2, 0));
        assert_eq!([take(0, false), take(0, false), take(0, false)], [Some(1_000), Some(2_000), None]);
        assert_eq!(take(0, true), Some(3_000), "a connection waits");
        assert_eq!((take(2_500, false), take(2_500, false)), (Some(1_500), None));
        assert!(intake.loses());
    }

    #[test]
    fn slow_nodes_take_their_time_and_the_line_comes_first() {
        let line = Some(Bottleneck { bytes_per_second: 1e6, buffer: None });
        let work = Work { each: Delay::Constant(1_000), waiting: None, slow: BTreeMap::from([(7, 20.0)]) };
        let intake = Intake { line, work: Some(work) };
        let take = |node, desk: &mut Desk| intake.take(node, 10, 0, false, desk, &mut stream(2, 0));
        let mut desks = [Desk::default(), Desk::default()];
        assert_eq!((take(0, &mut desks[0]), take(0, &mut desks[0])), (Some(11_000), Some(21_000)));
        assert_eq!((take(7, &mut desks[1]), take(7, &mut desks[1])), (Some(30_000), Some(50_000)));
        assert_eq!(desks[1].idle_at(0), 50_000);
    }
}
