//! What a network does to a message: [`Link`], what it remembers of the messages before, and [`Path`], a link between
//! two nodes.

use std::fmt;

use hashbrown::HashMap;

use crate::bottleneck::{Backlog, Bottleneck};
use crate::delay::Delay;
use crate::draw::Draw;
use crate::intake::Desk;
use crate::loss::Loss;

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The sender.
    pub from: u32,
    /// The receiver.
    pub to: u32,
    /// The length of the wire form.
    pub bytes: u64,
    /// When it is sent, in nanoseconds; must not fall from one passage of a sender to its next.
    pub at: u64,
}

/// What becomes of a message: when it arrives, if it does, and when its copy does, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives after so many nanoseconds.
    Arrives(u64),
    /// It arrives twice, after so many nanoseconds each.
    Doubled(u64, u64),
}

/// What a network remembers of the messages that it carried: the backlog before each line and whether a direction is
/// in a burst of losses. A run has one, and clones of it go their own ways.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pairs: HashMap<(u32, u32), Past, foldhash::fast::FixedState>,
    nodes: HashMap<u32, Backlog, foldhash::fast::FixedState>,
    desks: HashMap<u32, Desk, foldhash::fast::FixedState>,
}

/// What is remembered of one direction between two nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Past {
    backlog: Backlog,
    bad: bool,
}

impl Memory {
    /// What is remembered of one direction.
    pub fn pair(&mut self, from: u32, to: u32) -> &mut Past {
        self.pairs.entry((from, to)).or_default()
    }

    /// What a node has to do before it is told of messages.
    pub fn desk(&mut self, node: u32) -> &mut Desk {
        self.desks.entry(node).or_default()
    }

    /// What a node had to do is gone.
    pub fn forget_desk(&mut self, node: u32) {
        self.desks.remove(&node);
    }

    /// All that still makes a difference to what is sent from `now` on, in words: equal memories have equal words, however they
    /// came about.
    pub fn remains(&self, now: u64) -> Vec<u64> {
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.retain(|(_, past)| past.bad || past.backlog.idle_at() > now);
        pairs.sort_unstable_by_key(|(pair, _)| **pair);
        let mut nodes: Vec<_> = self.nodes.iter().filter(|(_, line)| line.idle_at() > now).collect();
        nodes.sort_unstable_by_key(|(node, _)| **node);
        let mut desks: Vec<_> = self.desks.iter().map(|(node, desk)| (*node, desk.remains(now))).collect();
        desks.retain(|(_, remains)| !remains.is_empty());
        desks.sort_unstable();
        let mut words = Vec::new();
        if pairs.is_empty() && nodes.is_empty() && desks.is_empty() {
            return words;
        }
        words.push(pairs.len() as u64);
        for ((from, to), past) in pairs {
            let idle = past.backlog.idle_at().max(now);
            words.extend([u64::from(*from), u64::from(*to), idle, u64::from(past.bad)]);
        }
        words.push(nodes.len() as u64);
        words.extend(nodes.into_iter().flat_map(|(node, line)| [u64::from(*node), line.idle_at()]));
        for (node, remains) in desks {
            words.extend([u64::from(node), remains.len() as u64]);
            words.extend(remains);
        }
        words
    }

    /// What waits for the line out of a node.
    pub fn node(&mut self, node: u32) -> &mut Backlog {
        self.nodes.entry(node).or_default()
    }
}

/// A model of the network. Pure: the same passage, memory and draws have the same answers.
pub trait Link: fmt::Debug + Send + Sync {
    /// What becomes of a message, which `memory` is told of.
    fn fate(&self, passage: Passage, memory: &mut Memory, draw: &mut dyn Draw) -> Fate;

    /// Whether all messages between two nodes take equally long, so that none can overtake another.
    fn steady(&self) -> bool;

    /// How long every message is under way, in nanoseconds, where that is always the same, nothing is lost or doubled and
    /// nothing need be remembered.
    fn constant(&self) -> Option<u64> {
        None
    }
}

/// A link between two nodes. In the order in which a message meets them: a line of limited speed, loss, doubling, and the
/// time under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// How long a message is under way, beside the time it spends before and in the line.
    pub delay: Delay,
    /// Which messages are lost.
    pub loss: Loss,
    /// The probability that one is doubled, unless it is lost.
    pub duplication: f64,
    /// The probability that a message takes half of its time alone, and so overtakes those before it.
    pub overtaking: f64,
    /// The speed of the line, where it is limited.
    pub line: Option<Bottleneck>,
}

impl Default for Path {
    /// A path that does nothing to a message and takes no time.
    fn default() -> Self {
        Path { delay: Delay::Constant(0), loss: Loss::Never, duplication: 0.0, overtaking: 0.0, line: None }
    }
}

impl Path {
    /// As [`Link::fate`], for a message that is under way for another `base` nanoseconds and of whose direction `past` is
    /// known. The order of draws is part of the format of a seed: loss, doubling, delay, the delay of the copy.
    pub fn pass(&self, base: u64, passage: Passage, past: &mut Past, draw: &mut dyn Draw) -> Fate {
        let leaves = match &self.line {
            None => 0,
            Some(line) => match line.offer(passage.at, passage.bytes, &mut past.backlog) {
                Some(leaves) => leaves,
                None => return Fate::Lost,
            },
        };
        if self.loss.happens(&mut past.bad, draw) {
            return Fate::Lost;
        }
        let doubled = draw.happens(self.duplication);
        let before = leaves.saturating_add(base);
        let mut arrives = || {
            let delay = self.delay.nanos(draw);
            let delay = if draw.happens(self.overtaking) { delay / 2 } else { delay };
            before.saturating_add(delay)
        };
        let first = arrives();
        if doubled { Fate::Doubled(first, arrives()) } else { Fate::Arrives(first) }
    }

    /// Whether the memory of a direction matters.
    fn remembers(&self) -> bool {
        self.line.is_some() || matches!(self.loss, Loss::Bursts(_))
    }
}

impl Link for Path {
    fn fate(&self, passage: Passage, memory: &mut Memory, draw: &mut dyn Draw) -> Fate {
        match self.remembers() {
            true => self.pass(0, passage, memory.pair(passage.from, passage.to), draw),
            false => self.pass(0, passage, &mut Past::default(), draw),
        }
    }

    fn steady(&self) -> bool {
        // A line sends one after the other: it delays, and lets nothing overtake.
        self.delay.steady() && self.overtaking <= 0.0
    }

    fn constant(&self) -> Option<u64> {
        let certain = self.loss.never() && self.duplication <= 0.0 && self.overtaking <= 0.0;
        match self.delay {
            Delay::Constant(nanos) if certain && self.line.is_none() => Some(nanos),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Purpose, Stream};

    const N: u64 = 200_000;
    const PASSAGE: Passage = Passage { from: 0, to: 1, bytes: 0, at: 0 };

    fn stream(number: u64) -> Stream {
        Stream::new(11, Purpose(0), (0, 1), number)
    }

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found / expected - 1.0).abs() < tolerance, "{found} is not near {expected}");
    }

    #[test]
    fn loss_and_doubling_have_their_rates_and_are_independent() {
        let link = Path { loss: Loss::Independent(0.1), duplication: 0.3, ..Path::default() };
        let (mut lost, mut doubled) = (0, 0);
        let mut memory = Memory::default();
        for number in 0..N {
            match link.fate(PASSAGE, &mut memory, &mut stream(number)) {
                Fate::Lost => lost += 1,
                Fate::Doubled(..) => doubled += 1,
                Fate::Arrives(_) => {}
            }
        }
        near(f64::from(lost) / N as f64, 0.1, 0.02);
        near(f64::from(doubled) / (N as f64 - f64::from(lost)), 0.3, 0.02);
    }

    #[test]
    fn what_is_certain_draws_nothing() {
        struct None;
        impl Draw for None {
            fn bits(&mut self) -> u64 {
                panic!("nothing is to be drawn")
            }
        }
        let link = Path { delay: Delay::Constant(5), ..Path::default() };
        assert_eq!(link.fate(PASSAGE, &mut Memory::default(), &mut None), Fate::Arrives(5));
        assert!(link.steady());
        assert_eq!(link.constant(), Some(5));
    }

    #[test]
    fn what_is_not_always_the_same_is_not_called_constant() {
        let plain = Path::default();
        let not = [
            Path { loss: Loss::Independent(0.1), ..plain.clone() },
            Path { duplication: 0.1, ..plain.clone() },
            Path { overtaking: 0.1, ..plain.clone() },
            Path { delay: Delay::Exponential(1), ..plain.clone() },
            Path { line: Some(Bottleneck { bytes_per_second: 1.0, buffer: None }), ..plain },
        ];
        assert!(not.iter().all(|path| path.constant().is_none()));
    }

    #[test]
    fn each_direction_queues_for_itself() {
        let line = Some(Bottleneck { bytes_per_second: 1_000.0, buffer: None });
        let link = Path { delay: Delay::Constant(5), line, ..Path::default() };
        let mut memory = Memory::default();
        let mut fate = |from, to, at| {
            let passage = Passage { from, to, bytes: 1, at };
            link.fate(passage, &mut memory, &mut stream(0))
        };
        assert_eq!(fate(0, 1, 0), Fate::Arrives(1_000_005));
        assert_eq!(fate(0, 1, 0), Fate::Arrives(2_000_005));
        assert_eq!(fate(1, 0, 0), Fate::Arrives(1_000_005));
        assert_eq!(fate(0, 2, 500_000), Fate::Arrives(1_000_005));
        assert_eq!(fate(0, 1, 1_500_000), Fate::Arrives(1_500_005));
    }

    #[test]
    fn a_share_of_the_messages_overtakes() {
        let link = Path { delay: Delay::Constant(10), overtaking: 0.2, ..Path::default() };
        let fates: Vec<_> =
            (0..N).map(|number| link.fate(PASSAGE, &mut Memory::default(), &mut stream(number))).collect();
        let early = fates.iter().filter(|fate| **fate == Fate::Arrives(5)).count();
        assert!(fates.iter().all(|fate| matches!(fate, Fate::Arrives(5 | 10))));
        near(early as f64 / N as f64, 0.2, 0.02);
        assert!(!link.steady());
    }

    /// Changing these numbers changes every run of every seed.
    #[test]
    fn fates_are_part_of_the_format() {
        let link = Path {
            delay: Delay::Exponential(1_000_000),
            loss: Loss::Independent(0.2),
            duplication: 0.5,
            ..Path::default()
        };
        let mut memory = Memory::default();
        let fates: Vec<Fate> =
            (6..12).map(|number| link.fate(PASSAGE, &mut memory, &mut stream(number))).collect();
        let expected = [
            Fate::Doubled(1340188, 81573),
            Fate::Doubled(3814584, 1597290),
            Fate::Arrives(550329),
            Fate::Arrives(1534548),
            Fate::Doubled(46429, 1092642),
            Fate::Lost,
        ];
        assert_eq!(fates, expected);
    }
}
