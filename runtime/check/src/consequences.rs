//! Consequence prediction: breadth first, but not every interleaving of what nodes do by themselves.
//!
//! What is under way always arrives. What a node does by itself (its timers, calls of the application, and what may befall it:
//! crash, restart, reset, loss) is explored only from states of that node that were not explored before in this search, whatever the
//! other nodes' states were. So causal chains are followed to their end, and deep states are reached soon (Yabandeh et al.,
//! *CrystalBall: Predicting and Preventing Inconsistencies in Deployed Distributed Systems*, NSDI 2009).
//!
//! What concerns several nodes at once is explored where some node is in a state that it was not in before.
//!
//! # Sleeping nodes
//! Of two arrivals at different nodes either may come first, and both orders would be explored: so after an arrival at one node those
//! before it sleep as to what is under way to them, as in `search`. They have nothing else to do there: their states are not fresh. After
//! what a node did by itself nobody sleeps: in the other order its state may not be fresh any more, and then that would be left out.
//!
//! # Caveats
//! States are missed: a search that left a step out says so ([`crate::Cut::Consequences`]), and is never complete. Every state that it
//! reaches is reachable. Which they are depends on the order of exploration, so there is one thread.

use std::ops::Range;

use foresee_kernel::NodeId;

use crate::expansion::Expansion;
use crate::gather::{Out, Sleep};

/// In which states nodes were seen, and what was left out for it.
#[derive(Default)]
pub(crate) struct Fresh {
    /// By node, by the number of its state: whether it was seen while the node was up, and while it was down.
    seen: Vec<Vec<[bool; 2]>>,
    /// Which nodes of the state that is explored were never seen in their states before.
    here: Vec<bool>,
    /// Whether something of the state that is explored was left out.
    pub left: bool,
    /// In how many states something was left out.
    pub left_out: u64,
}

impl Fresh {
    /// Another state is explored.
    pub(crate) fn begin(&mut self) {
        self.here.clear();
        self.left = false;
    }

    /// Whether some node of the state that is explored was never seen in its state before.
    pub(crate) fn is_some(&self) -> bool {
        self.here.contains(&true)
    }

    /// Notes in which state the next node is, which is `node`.
    pub(crate) fn note(&mut self, out: &Out<'_>, node: usize) {
        let up = out.parts.ambient_of(out.ambient).up(NodeId::new(node as u32));
        let place = out.parts.part(node, out.row[node]).node() as usize;
        if self.seen.len() <= node {
            self.seen.resize_with(node + 1, Vec::new);
        }
        let states = &mut self.seen[node];
        if states.len() <= place {
            states.resize(place + 1 + place / 2, [false; 2]);
        }
        let fresh = !std::mem::replace(&mut states[place][usize::from(up)], true);
        self.here.push(fresh);
    }

    /// What is explored of what may happen at `node`; that the rest is left out is noted. All of it, where the node's state is fresh, or
    /// where what would be left out leads nowhere.
    pub(crate) fn which(&mut self, node: usize, expansion: &Expansion) -> Which {
        let all = self.here[node] || expansion.arrivals.len() == expansion.transitions.len();
        self.left |= !all;
        if all { Which::All } else { Which::Arrivals }
    }
}

/// Which of the transitions of an expansion are explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All of them.
    All,
    /// Those by what was under way.
    Arrivals,
}

impl Which {
    /// The places of these transitions, and which nodes sleep as to them in a state where `sleep` says who does.
    pub(crate) fn ranges(
        self,
        expansion: &Expansion,
        node: usize,
        sleep: Sleep,
    ) -> impl Iterator<Item = (Range<usize>, Sleep)> + '_ {
        let arrivals = expansion.arrivals.iter().map(|place| *place as usize);
        // Between two arrivals there is what the node does by itself, after which nobody sleeps.
        let ends = arrivals.clone().chain([expansion.transitions.len()]);
        let starts = [0].into_iter().chain(arrivals.clone().map(|place| place + 1));
        let own = starts.zip(ends).map(move |(start, end)| (start..end, Sleep { mask: 0, ..sleep }));
        let own = own.filter(move |(range, _)| self == Which::All && !range.is_empty());
        let arrivals = arrivals.map(move |place| (place..place + 1, sleep));
        own.chain(arrivals.filter(move |_| sleep.wakes(node)))
    }

    /// Whether some step of these is a fault.
    pub(crate) fn faults(self, expansion: &Expansion) -> bool {
        match self {
            Which::All => expansion.faults > 0,
            Which::Arrivals => expansion.arrivals_fault,
        }
    }
}
