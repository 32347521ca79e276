//! What a network does to a message: [`Link`], and the plain link of independent delay, loss and doubling.

use std::fmt;

use crate::draw::Draw;
use crate::ln::ln;

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The sender.
    pub from: u32,
    /// The receiver.
    pub to: u32,
    /// The length of the wire form.
    pub bytes: u64,
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

/// A model of the network between two nodes. Pure: the same passage and draws have the same answers.
pub trait Link: fmt::Debug + Send + Sync {
    /// How many nanoseconds it is under way.
    fn delay_nanos(&self, passage: Passage, draw: &mut dyn Draw) -> u64;

    /// Whether it is lost.
    fn loses(&self, passage: Passage, draw: &mut dyn Draw) -> bool;

    /// Whether it is doubled.
    fn doubles(&self, passage: Passage, draw: &mut dyn Draw) -> bool;

    /// Whether all messages between two nodes take equally long, so that none can overtake another.
    fn steady(&self) -> bool;

    /// What becomes of a message. The order of draws is part of the format of a seed: loss, doubling, delay, and
    /// the delay of the copy.
    fn fate(&self, passage: Passage, draw: &mut dyn Draw) -> Fate {
        if self.loses(passage, draw) {
            return Fate::Lost;
        }
        let doubled = self.doubles(passage, draw);
        let delay = self.delay_nanos(passage, draw);
        match doubled {
            true => Fate::Doubled(delay, self.delay_nanos(passage, draw)),
            false => Fate::Arrives(delay),
        }
    }
}

/// A distribution of delays, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always as long.
    Constant(u64),
    /// Every nanosecond from the first to the second, both included, equally likely.
    Uniform(u64, u64),
    /// Exponential with this mean: memoryless, by inversion.
    Exponential(u64),
}

impl Delay {
    /// A delay of this distribution.
    pub fn nanos(self, draw: &mut dyn Draw) -> u64 {
        match self {
            Delay::Constant(nanos) => nanos,
            Delay::Uniform(least, most) if most <= least => least,
            Delay::Uniform(least, most) => {
                let span = u128::from(most - least) + 1;
                least + ((u128::from(draw.bits()) * span) >> 64) as u64
            }
            // 1 - u is in (0, 1], a normal number, so the logarithm is finite; a float saturates on its way to u64.
            Delay::Exponential(mean) => (-ln(1.0 - draw.unit()) * mean as f64).round() as u64,
        }
    }

    /// Whether it is always as long.
    pub fn steady(self) -> bool {
        match self {
            Delay::Constant(_) => true,
            Delay::Uniform(least, most) => most <= least,
            Delay::Exponential(mean) => mean == 0,
        }
    }
}

/// The plain link: delay, loss and doubling are independent of each other, of the way and of the past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plain {
    /// How long a message is under way.
    pub delay: Delay,
    /// The probability that it is lost.
    pub loss: f64,
    /// The probability that it is doubled, unless it is lost.
    pub duplication: f64,
}

impl Link for Plain {
    fn delay_nanos(&self, _: Passage, draw: &mut dyn Draw) -> u64 {
        self.delay.nanos(draw)
    }

    fn loses(&self, _: Passage, draw: &mut dyn Draw) -> bool {
        draw.happens(self.loss)
    }

    fn doubles(&self, _: Passage, draw: &mut dyn Draw) -> bool {
        draw.happens(self.duplication)
    }

    fn steady(&self) -> bool {
        self.delay.steady()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Purpose, Stream};

    const N: u64 = 200_000;
    const PASSAGE: Passage = Passage { from: 0, to: 1, bytes: 0 };

    fn stream(number: u64) -> Stream {
        Stream::new(11, Purpose(0), (0, 1), number)
    }

    /// Mean, variance and the share above twice the mean.
    fn moments(delay: Delay) -> (f64, f64, f64) {
        let draws: Vec<f64> = (0..N).map(|number| delay.nanos(&mut stream(number)) as f64).collect();
        let mean = draws.iter().sum::<f64>() / N as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64;
        let above = draws.iter().filter(|x| **x > 2.0 * mean).count() as f64 / N as f64;
        (mean, variance, above)
    }

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found / expected - 1.0).abs() < tolerance, "{found} is not near {expected}");
    }

    #[test]
    fn delays_have_the_moments_of_their_distributions() {
        assert_eq!(moments(Delay::Constant(1_000)), (1_000.0, 0.0, 0.0));
        let (mean, variance, _) = moments(Delay::Uniform(1_000_000, 3_000_000));
        near(mean, 2e6, 0.005);
        near(variance, 4e12 / 12.0, 0.01);
        let (mean, variance, above) = moments(Delay::Exponential(5_000_000));
        near(mean, 5e6, 0.01);
        near(variance, 25e12, 0.02);
        near(above, (-2.0_f64).exp(), 0.02);
    }

    #[test]
    fn uniform_delays_reach_both_bounds_and_nothing_else() {
        let delay = Delay::Uniform(4, 6);
        let drawn: std::collections::BTreeSet<u64> =
            (0..100).map(|number| delay.nanos(&mut stream(number))).collect();
        assert_eq!(drawn, [4, 5, 6].into());
        assert_eq!(Delay::Uniform(7, 3).nanos(&mut stream(0)), 7);
        assert_eq!(Delay::Uniform(0, u64::MAX).nanos(&mut Ones), u64::MAX);
    }

    struct Ones;
    impl Draw for Ones {
        fn bits(&mut self) -> u64 {
            u64::MAX
        }
    }

    #[test]
    fn the_longest_exponential_delay_is_finite() {
        assert!(Delay::Exponential(1_000_000_000).nanos(&mut Ones) < 40_000_000_000);
        assert_eq!(Delay::Exponential(0).nanos(&mut Ones), 0);
    }

    #[test]
    fn loss_and_doubling_have_their_rates_and_are_independent() {
        let link = Plain { delay: Delay::Constant(1), loss: 0.1, duplication: 0.3 };
        let (mut lost, mut doubled) = (0, 0);
        for number in 0..N {
            match link.fate(PASSAGE, &mut stream(number)) {
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
        let link = Plain { delay: Delay::Constant(5), loss: 0.0, duplication: 0.0 };
        assert_eq!(link.fate(PASSAGE, &mut None), Fate::Arrives(5));
        assert!(link.steady());
    }

    /// Changing these numbers changes every run of every seed.
    #[test]
    fn fates_are_part_of_the_format() {
        let link = Plain { delay: Delay::Exponential(1_000_000), loss: 0.2, duplication: 0.5 };
        let fates: Vec<Fate> = (6..12).map(|number| link.fate(PASSAGE, &mut stream(number))).collect();
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
