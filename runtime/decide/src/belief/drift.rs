//! A belief about a rate or a probability that may jump: what was seen before a jump is dropped, once the evidence is strong.
//!
//! Forgetting at a constant pace (`Fading`'s) is too fast for what is rare and stays as it is, and too slow for what jumps.
//! Here everything counts in full until a likelihood ratio says that the figure was another before some moment: with `n1` events in
//! the exposure `e1` before it and `n2` in `e2` after it,
//!
//! ```text
//! rate:    n1 ln(n1/e1) + n2 ln(n2/e2) - (n1+n2) ln((n1+n2)/(e1+e2))
//! chance:  l(n1, e1) + l(n2, e2) - l(n1+n2, e1+e2),   l(k, n) = k ln(k/n) + (n-k) ln((n-k)/n)
//! ```
//!
//! is compared with a threshold at every moment that is kept. These are as many as the logarithm of the events: older ones stand
//! further apart.
//!
//! # Caveats
//! At a threshold of 10 a jump is seen in what did not jump about once in some thousand events. A slow change is seen as steps.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::moderate;
use crate::error::{self, Error, Result};

/// The threshold in common use: odds of some 20,000 to 1.
pub const THRESHOLD: f64 = 10.0;

/// The most stretches of one size that are kept apart.
const ALIKE_MAX: usize = 4;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Events in time: the exposure is time.
    Rate,
    /// Events on occasions: the exposure is the number of occasions, the events among them.
    Chance,
}

/// Events and exposure since the last jump.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    counted: Counted,
    threshold: f64,
    /// Stretches that are over, the oldest first: how often it was doubled, events, exposure. Each ended with an event.
    over: VecDeque<(u32, f64, f64)>,
    /// Since the last event.
    open: f64,
}

impl Drift {
    /// Nothing seen.
    pub fn new(counted: Counted, threshold: f64) -> Result<Drift> {
        error::positive("threshold", threshold)?;
        Ok(Drift { counted, threshold, over: VecDeque::new(), open: 0.0 })
    }

    /// Adds what was seen: `events` in an `exposure`, all at its end. Whether there was a jump, so that what came before it was
    /// dropped.
    pub fn observe(&mut self, events: f64, exposure: f64) -> Result<bool> {
        moderate("events", events)?;
        moderate("exposure", exposure)?;
        if self.counted == Counted::Chance && events > exposure {
            return Err(Error::out_of_range("events", format!("must be among the {exposure} occasions")));
        }
        self.open += exposure;
        if events > 0.0 {
            self.over.push_back((0, events, self.open));
            self.open = 0.0;
            self.thin();
        }
        Ok(self.drop_before_jump())
    }

    /// Events and exposure that count.
    #[must_use]
    pub fn seen(&self) -> (f64, f64) {
        self.over.iter().fold((0.0, self.open), |(events, exposure), it| (events + it.1, exposure + it.2))
    }

    /// Merges the oldest two of a size of which there are too many.
    fn thin(&mut self) {
        let mut size = 0;
        loop {
            let alike = self.over.iter().filter(|it| it.0 == size).count();
            let Some(first) = self.over.iter().position(|it| it.0 == size).filter(|_| alike > ALIKE_MAX)
            else {
                return;
            };
            let Some((_, events, exposure)) = self.over.remove(first + 1) else { return };
            let merged = &mut self.over[first];
            *merged = (size + 1, merged.1 + events, merged.2 + exposure);
            size += 1;
        }
    }

    fn drop_before_jump(&mut self) -> bool {
        let (events, exposure) = self.seen();
        let whole = self.likelihood(events, exposure);
        let (mut before, mut best) = ((0.0, 0.0), (self.threshold, 0));
        for (place, (_, n, e)) in self.over.iter().enumerate() {
            before = (before.0 + n, before.1 + e);
            let after = (events - before.0, exposure - before.1);
            let gain = self.likelihood(before.0, before.1) + self.likelihood(after.0, after.1) - whole;
            if gain > best.0 {
                best = (gain, place + 1);
            }
        }
        self.over.drain(..best.1);
        best.1 > 0
    }

    /// The logarithm of the greatest likelihood, up to what does not depend on the figure.
    fn likelihood(&self, events: f64, exposure: f64) -> f64 {
        let part = |n: f64, of: f64| if n > 0.0 && of > 0.0 { n * (n / of).ln() } else { 0.0 };
        match self.counted {
            Counted::Rate => part(events, exposure),
            Counted::Chance => part(events, exposure) + part(exposure - events, exposure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, from 0 to 1.
    fn units() -> impl FnMut() -> f64 {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        }
    }

    #[test]
    fn a_rate_is_followed_up_and_down_and_kept_where_it_stays() {
        let (mut unit, mut drift) = (units(), Drift::new(Counted::Rate, THRESHOLD).unwrap());
        for (rate, events) in [(0.2, 400), (0.005, 60), (2.0, 400)] {
            for _ in 0..events {
                drift.observe(1.0, -unit().ln() / rate).unwrap();
            }
            let (seen, exposure) = drift.seen();
            // Most of what was seen since the jump counts, and little from before.
            assert!(
                seen > 0.8 * f64::from(events) && seen < 1.1 * f64::from(events) + 5.0,
                "{seen} of {events}"
            );
            assert!(
                (seen / exposure / rate - 1.0).abs() < 4.0 / seen.sqrt(),
                "{} for {rate}",
                seen / exposure
            );
        }
        assert!(drift.over.len() < 40, "{} stretches are kept", drift.over.len());
    }

    #[test]
    fn silence_is_evidence() {
        let mut drift = Drift::new(Counted::Rate, THRESHOLD).unwrap();
        for _ in 0..100 {
            assert_eq!(drift.observe(1.0, 1.0), Ok(false));
        }
        let jumped = (0..20).position(|_| drift.observe(0.0, 1.0).unwrap()).expect("it falls silent");
        assert!((5..=15).contains(&jumped), "seen after {jumped} mean gaps");
        assert_eq!(drift.seen().0, 0.0);
    }

    #[test]
    fn a_probability_is_followed() {
        let (mut unit, mut drift) = (units(), Drift::new(Counted::Chance, THRESHOLD).unwrap());
        for chance in [0.01, 0.2, 0.02] {
            for _ in 0..3_000 {
                drift.observe(f64::from(u8::from(unit() < chance)), 1.0).unwrap();
            }
            let (events, occasions) = drift.seen();
            let error = (chance * (1.0 - chance) / occasions).sqrt();
            assert!(
                (events / occasions - chance).abs() < 4.0 * error,
                "{events} of {occasions} for {chance}"
            );
            assert!(occasions > 2_500.0);
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert_eq!(Drift::new(Counted::Rate, 0.0).unwrap_err().field, "threshold");
        let mut drift = Drift::new(Counted::Chance, THRESHOLD).unwrap();
        assert_eq!(drift.observe(2.0, 1.0).unwrap_err().field, "events");
        assert_eq!(drift.observe(0.0, -1.0).unwrap_err().field, "exposure");
        assert_eq!(drift.observe(0.0, 0.0), Ok(false));
    }
}
