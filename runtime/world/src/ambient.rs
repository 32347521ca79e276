//! [`Ambient`]: what a world is besides nodes and messages. What was spent of budgets, who is down, who is cut off from whom.

use std::collections::BTreeMap;

use foresee_kernel::digest::{at, mix};
use foresee_kernel::{Model, NodeId};

/// What a world is besides nodes and messages. Only what is bounded is counted, or equal worlds would differ.
#[expect(clippy::derived_hash_with_manual_eq, reason = "it is equality by fields all the same")]
#[derive(Clone, Debug, Default, PartialOrd, Ord, Hash)]
pub struct Ambient {
    /// Messages lost.
    pub drops: u32,
    /// Messages doubled.
    pub duplicates: u32,
    /// Calls of the application, over all lines.
    pub made: u32,
    /// For each line of the workload, the calls made; none where no line is bounded.
    pub calls: Vec<u32>,
    /// For each node, the number of the next request that the application makes there; none where it makes none anywhere.
    pub requests: Vec<u32>,
    /// For each line of the faults, how often it happened; none where no line is bounded.
    pub faults: Vec<u32>,
    /// For each bound of the check on faults, how many happened.
    pub budgets: Vec<u32>,
    /// The nodes that are down, and whether they come back.
    pub down: BTreeMap<NodeId, bool>,
    /// The sets of nodes that are cut off from all others, and whether that ends.
    pub parted: BTreeMap<Vec<NodeId>, bool>,
}

/// Places of digests, beyond any node's.
mod place {
    pub const SPENT: u64 = u64::MAX;
    const fn kind(kind: u64) -> u64 {
        u64::MAX - (kind << 40)
    }
    pub const CALLS: u64 = kind(1);
    pub const REQUESTS: u64 = kind(2);
    pub const FAULTS: u64 = kind(3);
    pub const DOWN: u64 = kind(4);
    pub const PARTED: u64 = kind(5);
    pub const BUDGETS: u64 = kind(6);
    pub const MADE: u64 = kind(7);
}

/// By the fields, as deriving it would. Almost always most of them are empty, and comparing bytes of none is slow where the place they
/// are not at is nowhere.
impl PartialEq for Ambient {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(a: &[T], b: &[T]) -> bool {
            a.len() == b.len() && (a.is_empty() || a == b)
        }
        let Ambient { drops, duplicates, made, calls, requests, faults, budgets, down, parted } = self;
        *drops == other.drops
            && *duplicates == other.duplicates
            && *made == other.made
            && same(calls, &other.calls)
            && same(requests, &other.requests)
            && same(faults, &other.faults)
            && same(budgets, &other.budgets)
            && *down == other.down
            && *parted == other.parted
    }
}

impl Eq for Ambient {}

impl Ambient {
    /// What every run of `model` begins with. `requests` says whether the application makes any.
    pub(crate) fn first(model: &Model, requests: bool) -> Self {
        let counters = |bounded: bool, lines: usize| if bounded { vec![0; lines] } else { Vec::new() };
        Ambient {
            calls: counters(model.calls.iter().any(|call| call.most.is_some()), model.calls.len()),
            requests: counters(requests, model.nodes.len()),
            faults: counters(model.faults.iter().any(|fault| fault.most.is_some()), model.faults.len()),
            budgets: vec![0; model.bounds.faults.len()],
            ..Ambient::default()
        }
    }

    /// Whether `node` is up.
    #[inline]
    pub fn up(&self, node: NodeId) -> bool {
        self.down.is_empty() || !self.down.contains_key(&node)
    }

    /// Leaves those of `sorted` that are up, in one walk beside those that are down.
    pub fn keep_up(&self, sorted: &mut Vec<NodeId>) {
        let mut down = self.down.keys().peekable();
        sorted.retain(|node| {
            while down.next_if(|other| *other < node).is_some() {}
            down.peek() != Some(&node)
        });
    }

    /// Whether `node` is down and will never be back.
    pub fn gone(&self, node: NodeId) -> bool {
        self.down.get(&node) == Some(&false)
    }

    /// Whether no partition stands between two nodes.
    pub fn joined(&self, a: NodeId, b: NodeId) -> bool {
        self.parted.keys().all(|side| side.contains(&a) == side.contains(&b))
    }

    /// A digest: a sum over all that is not as it was at the start.
    pub fn digest(&self) -> u64 {
        let spent = u64::from(self.drops) << 32 | u64::from(self.duplicates);
        let mut sum = at(place::SPENT, spent);
        let mut add = |place: u64, index: usize, content: u64| {
            sum = sum.wrapping_add(at(place - index as u64, content));
        };
        if self.made > 0 {
            add(place::MADE, 0, u64::from(self.made));
        }
        let counters = [
            (place::CALLS, &self.calls),
            (place::REQUESTS, &self.requests),
            (place::FAULTS, &self.faults),
            (place::BUDGETS, &self.budgets),
        ];
        for (place, counters) in counters {
            for (index, count) in counters.iter().enumerate().filter(|(_, count)| **count > 0) {
                add(place, index, u64::from(*count));
            }
        }
        for (node, back) in &self.down {
            add(place::DOWN, node.index(), u64::from(*back));
        }
        for (side, heals) in &self.parted {
            // Mixed before a node is added, or a side that heals would look like one of other nodes that does not.
            let heals = mix(1 + u64::from(*heals));
            let side = side.iter().fold(heals, |sum, node| mix(sum.wrapping_add(node.index() as u64 + 1)));
            add(place::PARTED, 0, side);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_that_differ_have_digests_that_differ() {
        let nodes = |places: &[u32]| places.iter().map(|place| NodeId::new(*place)).collect::<Vec<_>>();
        let mut seen = std::collections::BTreeSet::new();
        let sides: [&[u32]; 8] = [&[], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]];
        for side in sides {
            for heals in [false, true] {
                let parted = BTreeMap::from([(nodes(side), heals)]);
                assert!(seen.insert(Ambient { parted, ..Ambient::default() }.digest()), "{side:?} {heals}");
            }
        }
        assert!(!seen.contains(&Ambient::default().digest()));
    }

    #[test]
    fn those_that_are_down_are_left_out() {
        let nodes = |places: &[u32]| places.iter().map(|place| NodeId::new(*place)).collect::<Vec<_>>();
        for down in [&[][..], &[0], &[2, 3, 9], &[1, 5, 7, 8], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] {
            let down = nodes(down).into_iter().map(|node| (node, true)).collect();
            let ambient = Ambient { down, ..Ambient::default() };
            for all in [&[][..], &[0, 1, 2], &[1, 2, 5, 8], &[3, 7, 9]] {
                let mut kept = nodes(all);
                ambient.keep_up(&mut kept);
                let up: Vec<NodeId> = nodes(all).into_iter().filter(|node| ambient.up(*node)).collect();
                assert_eq!(kept, up);
            }
        }
    }
}
