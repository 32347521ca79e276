//! What systems claim: properties that read different parts of a state, and one that knows all states of a search.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use foresee_kernel::{Digest, NodeId, Property, PropertyKind, Read, View};

use super::service::{Random, Variables};
use super::tables::COUNT_MAX;

pub(super) type Upper = Random<0>;
pub(super) type Lower = Random<1>;

pub(super) fn upper<'a>(view: &View<'a>) -> Vec<&'a Variables> {
    view.running::<Upper>().into_iter().filter_map(|node| view.variables::<Upper>(node)).collect()
}

/// A number that all that properties can see of a state goes into, for predicates that are of no particular shape.
pub fn hue(view: &View<'_>) -> u64 {
    let mut digest = Digest::new();
    for node in view.all() {
        (view.variables::<Upper>(node), view.variables::<Lower>(node), view.up(node)).hash(&mut digest);
    }
    digest.finish()
}

const READS_STATE: Read = Read {
    service: || TypeId::of::<Upper>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            variables.state.hash(digest);
        }
    },
};

const READS_ALL: Read = Read {
    service: || TypeId::of::<Upper>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            (variables.state, variables.count, variables.last).hash(digest);
        }
    },
};

const READS_LOWER: Read = Read {
    service: || TypeId::of::<Lower>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            variables.count.hash(digest);
        }
    },
};

const fn property(
    name: &'static str,
    kind: PropertyKind,
    holds: fn(&View<'_>) -> bool,
    reads: &'static [Read],
) -> [Property; 1] {
    [Property {
        name,
        kind,
        file: "random.mace",
        line: 40,
        holds,
        why: Property::UNEXPLAINED,
        reads,
        reads_up: false,
        alone: false,
        ghosts: false,
    }]
}

const READS_LOWER_ALL: Read = Read {
    service: || TypeId::of::<Lower>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            (variables.state, variables.count, variables.last).hash(digest);
        }
    },
};

/// The properties that a system draws from, each in a list of its own.
pub(super) static PROPERTIES: [[Property; 1]; 6] = [
    property(
        "not_all_two",
        PropertyKind::Safety,
        |view| !upper(view).iter().all(|node| node.state == 2),
        &[READS_STATE],
    ),
    property(
        "full_only_at_zero",
        PropertyKind::Local,
        |view| upper(view).iter().all(|node| node.count < COUNT_MAX || node.state == 0),
        &[READS_ALL],
    ),
    property(
        "someone_is_full",
        PropertyKind::Reachable,
        |view| upper(view).iter().any(|node| node.count == COUNT_MAX && node.state != 0),
        &[READS_ALL],
    ),
    property(
        "lower_stays_low",
        PropertyKind::Safety,
        |view| {
            let lower = view.running::<Lower>();
            let count = |node| view.variables::<Lower>(node).map_or(0, |variables| variables.count);
            lower.into_iter().map(count).sum::<u8>() <= COUNT_MAX
        },
        &[READS_LOWER],
    ),
    property(
        "first_remembers_itself",
        PropertyKind::Reachable,
        |view| upper(view).first().is_some_and(|node| node.last == Some(NodeId::new(0))),
        &[READS_ALL],
    ),
    property(
        "neighbours_differ",
        PropertyKind::Safety,
        |view| {
            let nodes = upper(view);
            nodes.len() < 2 || nodes[0].state != 1 || nodes[1].state != 1
        },
        &[READS_STATE],
    ),
];

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::new(Seen::default());
}

/// What [`WITHIN`] remembers.
#[derive(Default)]
struct Seen {
    learns: bool,
    states: BTreeSet<u64>,
}

/// Holds in the states of nodes that the last exploration of this thread with [`learn`] saw, whatever is in flight.
pub static WITHIN: Property = Property {
    name: "within",
    kind: PropertyKind::Safety,
    file: "random.mace",
    line: 50,
    holds: |view| {
        let mut digest = Digest::new();
        for node in view.all() {
            (view.up(node), view.variables::<Upper>(node), view.variables::<Lower>(node)).hash(&mut digest);
        }
        SEEN.with_borrow_mut(|seen| {
            if seen.learns {
                seen.states.insert(digest.finish());
            }
            seen.states.contains(&digest.finish())
        })
    },
    reads: &[READS_ALL, READS_LOWER_ALL],
    reads_up: true,
    alone: false,
    ghosts: false,
    why: Property::UNEXPLAINED,
};

/// From now on [`WITHIN`] learns, having forgotten all, or it learns no more.
pub fn learn(learns: bool) {
    SEEN.with_borrow_mut(|seen| {
        if learns {
            seen.states.clear();
        }
        seen.learns = learns;
    });
}

/// Properties that see who is up.
pub(super) static UP_PROPERTIES: [[Property; 1]; 2] = [
    [Property {
        name: "up_or_at_zero",
        kind: PropertyKind::Safety,
        file: "random.mace",
        line: 45,
        holds: |view| {
            let zero = |id: &NodeId| view.variables::<Upper>(*id).is_some_and(|node| node.last.is_none());
            view.all().iter().all(|id| view.up(*id) || zero(id))
        },
        reads: &[READS_ALL],
        reads_up: true,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    }],
    [Property {
        name: "two_are_down",
        kind: PropertyKind::Reachable,
        file: "random.mace",
        line: 46,
        holds: |view| view.all().iter().filter(|id| !view.up(**id)).count() == 2,
        reads: &[],
        reads_up: true,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    }],
];
