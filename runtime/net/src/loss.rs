//! Which messages are lost: independently of each other, or in bursts.

use crate::draw::Draw;

/// How messages of one direction between two nodes are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Loss {
    /// None is.
    #[default]
    Never,
    /// Each with this probability, whatever became of the others.
    Independent(f64),
    /// In bursts.
    Bursts(GilbertElliott),
}

/// The channel of Gilbert (1960) and Elliott (1963): a Markov chain of a good and a bad state takes a step before each
/// message, and the message is lost with the probability of the state that is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GilbertElliott {
    /// The probability of a step from good to bad.
    pub worsens: f64,
    /// The probability of a step from bad to good; its inverse is the mean length of a bad stretch, in messages.
    pub recovers: f64,
    /// The probability of a loss in the good state.
    pub good: f64,
    /// The probability of a loss in the bad state.
    pub bad: f64,
}

impl GilbertElliott {
    /// The share of messages that meet the bad state: worsens / (worsens + recovers); 0 where the chain never moves.
    pub fn bad_share(&self) -> f64 {
        let moves = self.worsens + self.recovers;
        if moves > 0.0 { self.worsens / moves } else { 0.0 }
    }
}

impl Loss {
    /// Whether the next message is lost; `bad` is the state of the channel, which starts good.
    pub fn happens(&self, bad: &mut bool, draw: &mut dyn Draw) -> bool {
        match self {
            Loss::Never => false,
            Loss::Independent(p) => draw.happens(*p),
            Loss::Bursts(channel) => {
                let moves = if *bad { channel.recovers } else { channel.worsens };
                *bad ^= draw.happens(moves);
                draw.happens(if *bad { channel.bad } else { channel.good })
            }
        }
    }

    /// The share of messages that are lost in the long run.
    pub fn rate(&self) -> f64 {
        match self {
            Loss::Never => 0.0,
            Loss::Independent(p) => *p,
            Loss::Bursts(it) => it.bad_share() * it.bad + (1.0 - it.bad_share()) * it.good,
        }
    }

    /// Whether it is certain that nothing is lost.
    pub fn never(&self) -> bool {
        match self {
            Loss::Never => true,
            Loss::Independent(p) => *p <= 0.0,
            Loss::Bursts(it) => it.good <= 0.0 && (it.bad <= 0.0 || it.worsens <= 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Purpose, Stream};

    /// The share of losses, the mean length of a run of losses, and the mean of a run of arrivals.
    fn runs(loss: Loss) -> (f64, f64, f64) {
        let (mut bad, mut lost, mut bursts, mut last) = (false, 0_u32, 0_u32, false);
        let n = 1_000_000_u32;
        for number in 0..u64::from(n) {
            let now = loss.happens(&mut bad, &mut Stream::new(3, Purpose(0), (0, 1), number));
            lost += u32::from(now);
            bursts += u32::from(now && !last);
            last = now;
        }
        let (lost, bursts, n) = (f64::from(lost), f64::from(bursts), f64::from(n));
        (lost / n, lost / bursts, (n - lost) / bursts)
    }

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 0.02, "{found} is not within 2 % of {expected}");
    }

    #[test]
    fn independent_losses_have_their_rate_and_geometric_runs() {
        let (rate, burst, gap) = runs(Loss::Independent(0.2));
        near(rate, 0.2);
        near(burst, 1.0 / 0.8);
        near(gap, 1.0 / 0.2);
    }

    #[test]
    fn gilberts_channel_has_its_rate_and_its_bursts() {
        // All of a bad stretch is lost: bursts are geometric with mean 1 / recovers.
        let channel = GilbertElliott { worsens: 0.02, recovers: 0.25, good: 0.0, bad: 1.0 };
        let (rate, burst, gap) = runs(Loss::Bursts(channel));
        near(rate, 0.02 / 0.27);
        near(burst, 4.0);
        near(gap, 50.0);
        near(Loss::Bursts(channel).rate(), 0.02 / 0.27);
    }

    #[test]
    fn elliotts_channel_has_its_rate() {
        let channel = GilbertElliott { worsens: 0.05, recovers: 0.1, good: 0.01, bad: 0.6 };
        let (rate, burst, _) = runs(Loss::Bursts(channel));
        near(rate, (0.05 * 0.6 + 0.1 * 0.01) / 0.15);
        // P(lost and the one before lost), by the stationary distribution and one step of the chain.
        let (bad, good) = (1.0 / 3.0, 2.0 / 3.0);
        let both = bad * 0.6 * (0.9 * 0.6 + 0.1 * 0.01) + good * 0.01 * (0.05 * 0.6 + 0.95 * 0.01);
        near(burst, 1.0 / (1.0 - both / rate));
    }

    #[test]
    fn what_cannot_be_lost_draws_nothing() {
        struct Nothing;
        impl Draw for Nothing {
            fn bits(&mut self) -> u64 {
                panic!("nothing is to be drawn")
            }
        }
        let still = GilbertElliott { worsens: 0.0, recovers: 0.0, good: 0.0, bad: 1.0 };
        for loss in [Loss::Never, Loss::Independent(0.0), Loss::Bursts(still)] {
            assert!(loss.never() && !loss.happens(&mut false, &mut Nothing));
            assert_eq!(loss.rate(), 0.0);
        }
    }
}
