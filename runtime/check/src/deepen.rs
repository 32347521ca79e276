//! Iterative deepening: depth first within a bound on depth, which grows by one until it cuts nothing any more.
//!
//! What was remembered of steps, parts and properties is kept from one bound to the next; the table of states is not. A counterexample
//! is a shortest one, since at the bound before there was none.

use std::sync::RwLock;
use std::sync::atomic::AtomicU64;

use crate::frontier::{Control, Depth};
use crate::options::CheckError;
use crate::shared::Shared;
use crate::trail::Root;
use crate::verdict::{Found, Starts, explore, grade};
use crate::visited::{Keeps, Visited};

/// Explores within each bound on depth in turn, and gives the last search to `report` as if there had been no other. Nothing, where the
/// layout was seen not to suit.
pub(crate) fn deepen<R>(
    shared: &Shared<'_>,
    roots: &[Root],
    starts: &Starts,
    report: impl FnOnce(&Shared<'_>, Found) -> R,
) -> Result<Option<R>, CheckError> {
    let last = shared.bounds.depth.unwrap_or(u32::MAX);
    let threads = shared.options.threads.max(1);
    for depth in 0..=last {
        let control = Control::default();
        let mut bounds = shared.bounds.clone();
        bounds.depth = Some(depth);
        let round = Shared {
            bounds,
            visited: RwLock::new(Visited::new(Keeps::Depths, shared.wide).ok_or(CheckError::NoMemory)?),
            unique: AtomicU64::new(0),
            own_bytes: AtomicU64::new(0),
            control: &control,
            ..*shared
        };
        let mut found = explore(&round, &Depth::new(round.stride(), threads), roots, starts)?;
        if let Some(error) = control.error() {
            return Err(error);
        }
        if control.is_unsuited() {
            return Ok(None);
        }
        grade(&round, &mut found.findings);
        let cut = found.findings.cuts[foresee_world::Bound::Depth as usize];
        if cut == 0 || depth == last || control.stopped().is_some() {
            return Ok(Some(report(&round, found)));
        }
    }
    unreachable!("the last bound returns")
}
