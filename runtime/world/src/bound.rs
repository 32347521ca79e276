//! Where a search stops on purpose: the bounds of a model, applied to a world of which only figures are known.

use foresee_kernel::Bounds;

/// A bound that keeps a world from being explored further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// As many steps as the bound allows were taken.
    Depth,
    /// More messages are in flight than the bound allows.
    Messages,
    /// A `within` predicate is false.
    Within,
}

/// The bound that ends the search at a world, if one does: `depth` steps were taken, `in_flight` messages are under
/// way, and `within` says whether every `within` predicate holds.
pub fn cut_by(bounds: &Bounds, depth: u32, in_flight: usize, within: impl FnOnce() -> bool) -> Option<Bound> {
    if bounds.depth.is_some_and(|most| depth >= most) {
        return Some(Bound::Depth);
    }
    if bounds.messages.is_some_and(|most| in_flight > most as usize) {
        return Some(Bound::Messages);
    }
    (!bounds.within.is_empty() && !within()).then_some(Bound::Within)
}
