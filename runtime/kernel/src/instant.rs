//! Instants: what `now()` gives a body. Opaque, so that the moment at which something happened is no part of a state.
//!
//! An [`Instant`] holds the moment that its driver's clock showed, and holds none where there is no clock, as in a check. All
//! instants are equal, hash alike and are written alike, in every driver: whether a variable holds one is part of the state, which one
//! is not, and a check still comes to an end. Only a comparison with `now()` in it tells them apart, and that is a point of the
//! step ([`crate::Ctx::compare`]): answered by the clock where there is one, else by nature in both ways.
//!
//! *Caveats.* Comparisons without a clock are answered each for itself: a check may explore that 5 s have passed and, later in
//! the same step, that 3 s have not. It explores more than can happen, and never less.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{NodeId, Shape, fault};

/// A moment of the clock of one node.
#[derive(Clone, Copy)]
pub struct Instant {
    /// Since the clock began; None where there is no clock.
    at: Option<Duration>,
}

/// How much time has passed between two instants of one node: it can be compared, and nothing else.
#[derive(Clone, Copy)]
pub struct Elapsed {
    time: Option<Duration>,
}

impl Instant {
    /// What a clock shows; None where there is none.
    pub(crate) fn new(at: Option<Duration>) -> Self {
        Instant { at }
    }
}

impl PartialEq for Instant {
    fn eq(&self, _: &Instant) -> bool {
        true
    }
}

impl Eq for Instant {}

impl Ord for Instant {
    fn cmp(&self, _: &Instant) -> Ordering {
        Ordering::Equal
    }
}

// The order of values is not the order in time: a body that asks for that by `<` without `now()` is told.
#[expect(clippy::non_canonical_partial_ord_impl, reason = "a body that compares by it is told")]
impl PartialOrd for Instant {
    fn partial_cmp(&self, _: &Instant) -> Option<Ordering> {
        if fault::guarded() {
            fault::raise(
                "instants are compared with the present alone: write `now() - since >= 5s` or `now() >= deadline`",
            );
        }
        Some(Ordering::Equal)
    }
}

impl Hash for Instant {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instant")
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Instant { at: None })
    }
}

impl Shape for Instant {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, time: Duration) -> Instant {
        Instant { at: self.at.map(|at| at.saturating_add(time)) }
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, time: Duration) {
        *self = *self + time;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, time: Duration) -> Instant {
        Instant { at: self.at.map(|at| at.saturating_sub(time)) }
    }
}

impl Sub<Instant> for Instant {
    type Output = Elapsed;
    fn sub(self, earlier: Instant) -> Elapsed {
        let time = self.at.zip(earlier.at).map(|(at, earlier)| at.saturating_sub(earlier));
        Elapsed { time }
    }
}

impl Sub<&Instant> for Instant {
    type Output = Elapsed;
    fn sub(self, earlier: &Instant) -> Elapsed {
        self - *earlier
    }
}

/// A comparison that a body writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Other,
}

impl Relation {
    /// Whether it holds of two values in this order.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::Greater => order.is_gt(),
            Relation::AtLeast => order.is_ge(),
            Relation::Equal => order.is_eq(),
            Relation::Other => order.is_ne(),
        }
    }
}

/// What can stand on the two sides of a comparison in time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` and `{B}` cannot be compared in time",
    label = "instants are compared with instants, and what has passed between two of them with durations"
)]
pub trait InTime<B: ?Sized> {
    /// The order in time; None where no clock says.
    fn order(&self, other: &B) -> Option<Ordering>;
}

macro_rules! in_time {
    ($($one:ty, $other:ty: |$a:ident, $b:ident| $order:expr;)*) => {
        $(impl InTime<$other> for $one {
            fn order(&self, other: &$other) -> Option<Ordering> {
                let ($a, $b) = (self, other);
                $order
            }
        })*
    };
}

in_time! {
    Instant, Instant: |a, b| Some(a.at?.cmp(&b.at?));
    Elapsed, Elapsed: |a, b| Some(a.time?.cmp(&b.time?));
    Elapsed, Duration: |a, b| Some(a.time?.cmp(b));
    Duration, Elapsed: |a, b| Some(a.cmp(&b.time?));
}

impl<A: InTime<B> + ?Sized, B: ?Sized> InTime<&B> for &A {
    fn order(&self, other: &&B) -> Option<Ordering> {
        (**self).order(*other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    fn at(seconds: u64) -> Instant {
        Instant::new(Some(Duration::from_secs(seconds)))
    }

    #[test]
    fn instants_are_alike_as_values_and_told_apart_in_time() {
        assert_eq!(at(1), at(2));
        assert_eq!(at(1).cmp(&Instant::new(None)), Ordering::Equal);
        let digest = |instant: Instant| {
            let mut digest = Digest::new();
            instant.hash(&mut digest);
            digest.finish()
        };
        assert_eq!(digest(at(1)), digest(at(2)));
        assert_eq!(at(1).order(&at(2)), Some(Ordering::Less));
        assert_eq!((at(1) + Duration::from_secs(1)).order(&at(2)), Some(Ordering::Equal));
        assert_eq!((at(5) - at(2)).order(&Duration::from_secs(2)), Some(Ordering::Greater));
        assert_eq!((at(2) - at(5)).order(&Duration::ZERO), Some(Ordering::Equal));
        assert_eq!(at(1).order(&Instant::new(None)), None);
        assert_eq!(Duration::ZERO.order(&(at(1) - Instant::new(None))), None);
    }

    #[test]
    fn a_body_that_orders_instants_as_values_faults() {
        let found = fault::guard(|| at(1) < at(2));
        assert!(found.is_err_and(|fault| fault.message.contains("now() - since")));
        let values = postcard::to_stdvec(&(at(1), at(2))).expect("a value");
        assert!(values.is_empty());
    }
}
