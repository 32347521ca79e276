//! Safety as a penalty, liveness as a cost: which protocol, and at which penalty the choice flips.
//!
//! Section 5(f). A violation of safety costs `L`, blocking for ever costs `K`, and a protocol that is unsafe with
//! probability `u`, blocks with probability `b` and otherwise costs `k` is worth `-(L u + K b + k)`. An infinite `L`
//! recovers "never unsafe" exactly, since `0 * inf = 0` lets `u = 0` pass.

use serde::{Deserialize, Serialize};

use crate::error::{self, Result};
use crate::extended::Extended;

/// What can go wrong with a protocol, and what it costs besides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Probability that safety is violated.
    pub unsafe_: f64,
    /// Probability that it blocks for ever.
    pub blocks: f64,
    /// Every other cost.
    pub other: f64,
}

impl Risk {
    /// Checks both probabilities and the cost.
    pub fn check(&self, name: &str) -> Result<()> {
        error::probability("unsafe", self.unsafe_).map_err(|e| e.within(name))?;
        error::probability("blocks", self.blocks).map_err(|e| e.within(name))?;
        error::non_negative("other", self.other).map_err(|e| e.within(name))?;
        Ok(())
    }

    /// The expected cost with a penalty for each violation of safety, possibly infinite, and one for blocking.
    ///
    /// An infinite penalty leaves only what is never unsafe: `0 * inf = 0` lets that pass.
    #[must_use]
    pub fn cost(&self, penalty: Extended, blocking: Extended) -> Extended {
        let parts = [Extended::of(self.unsafe_) * penalty, Extended::of(self.blocks) * blocking];
        Extended::of(parts[0].get() + parts[1].get() + self.other)
    }
}

/// The safety penalty at which `x` and `y` cost the same: `(K (b_Y - b_X) + k_Y - k_X) / (u_X - u_Y)`.
///
/// Above it the safer of the two is better, below it the other. `None` where both are equally safe, or where the
/// penalty would be negative: then no penalty makes a difference.
pub fn flip_penalty(x: &Risk, y: &Risk, blocking: f64) -> Result<Option<f64>> {
    x.check("x")?;
    y.check("y")?;
    error::non_negative("blocking", blocking)?;
    let flip = (blocking * (y.blocks - x.blocks) + (y.other - x.other)) / (x.unsafe_ - y.unsafe_);
    Ok((flip.is_finite() && flip >= 0.0).then_some(flip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infinite_penalty_leaves_only_what_is_never_unsafe() {
        let safe = Risk { unsafe_: 0.0, blocks: 0.1, other: 1.0 };
        let quick = Risk { unsafe_: 0.001, blocks: 0.01, other: 1.0 };
        let flip = flip_penalty(&quick, &safe, 50.0).unwrap().unwrap();
        assert!((flip - 4500.0).abs() < 1e-9);
        let at = |risk: &Risk, penalty| risk.cost(penalty, Extended::from(50));
        assert!(at(&quick, Extended::from(4499)) < at(&safe, Extended::from(4499)));
        assert!(at(&quick, Extended::from(4501)) > at(&safe, Extended::from(4501)));
        assert!(at(&safe, Extended::INFINITY).is_finite());
        assert_eq!(flip_penalty(&safe, &safe, 50.0).unwrap(), None);
    }
}
