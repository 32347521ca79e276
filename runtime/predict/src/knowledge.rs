//! What one node knows: the newest checkpoint of every other node that it heard of, and what it sent that they have not seen.
//!
//! A checkpoint says how far its node had come: its state and timers, the number of the last message that it had from each other node, and
//! those of its own messages that had not been seen, as far as it knew. So whoever holds two checkpoints knows what is under way between
//! their nodes, however far apart in time they were taken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use foresee_kernel::{Datum, NodeId, NodeState};
use foresee_sim::Armed;
use foresee_world::Route;

use crate::wire;

/// The most messages that a node remembers as not seen; the oldest go first.
const LOG_MAX: usize = 64;

/// How many checkpoints of a node are kept, the newest of them: those that patches may build on.
const RECENT_MAX: usize = 16;

/// The way of a message as one of its ends sees it: the carrier and the other end.
type Peer = (u8, NodeId);

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its way.
    pub route: Route,
    /// Its number among those that went this way.
    pub number: u64,
    /// When it was sent, in nanoseconds.
    pub at_nanos: u64,
    /// The message.
    pub message: Datum,
}

/// How far a node had come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose it is.
    pub node: NodeId,
    /// Later ones have greater numbers.
    pub version: u64,
    /// When it was taken, in nanoseconds.
    pub at_nanos: u64,
    /// The state; None where the node was found to be down.
    pub state: Option<NodeState>,
    /// Its armed timers.
    pub timers: Vec<Armed>,
    /// The number of the last message that it had from others.
    pub heard: BTreeMap<Peer, u64>,
    /// What it sent that had not been seen, the oldest first.
    pub log: Vec<Sent>,
    /// It on the wire, without its head; empty where the node was found to be down.
    pub body: Vec<u8>,
}

/// A checkpoint on its way to another node.
#[derive(Clone, Debug)]
pub struct Told {
    /// What it is.
    pub checkpoint: Arc<Checkpoint>,
    /// The version that it is a patch of; 0 where it is whole.
    base: u64,
    /// How many bytes it takes.
    pub bytes: u64,
}

/// What one node tells another at a time.
#[derive(Clone, Debug, Default)]
pub struct Parcel {
    told: Vec<Told>,
    /// Which versions the sender holds, where the receiver took it to hold later ones.
    holds: Vec<(NodeId, u64)>,
}

impl Parcel {
    /// Whether it says nothing: then it is not sent.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && self.holds.is_empty()
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> u64 {
        let holds = self.holds.iter().map(|(node, version)| id_bytes(*node) + wire::length(*version));
        self.told.iter().map(|told| told.bytes).sum::<u64>() + holds.sum::<u64>()
    }
}

/// Bytes of the number of a node.
fn id_bytes(node: NodeId) -> u64 {
    wire::length(node.index() as u64)
}

/// Bytes that say what stands in a parcel, and how far back the version is that a patch builds on.
const KIND_BYTES: u64 = 1;

/// What one node knows.
#[derive(Clone, Debug)]
pub struct Knowledge {
    me: NodeId,
    known: BTreeMap<NodeId, Arc<Checkpoint>>,
    sent: BTreeMap<Peer, u64>,
    heard: BTreeMap<Peer, u64>,
    log: Vec<Sent>,
    version: u64,
    /// The newest checkpoint of itself, until something happens.
    own: Option<Arc<Checkpoint>>,
    /// The last checkpoint of itself, whatever happened since.
    last: Option<Arc<Checkpoint>>,
    /// For each other node, the versions that it is thought to hold.
    held: BTreeMap<NodeId, BTreeMap<NodeId, u64>>,
    /// The last checkpoints of every node, itself too.
    recent: BTreeMap<NodeId, VecDeque<Arc<Checkpoint>>>,
    /// Whom it has to tell what it holds, because they took it to hold more: a patch came that builds on what it lacks.
    amiss: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Knowledge {
    /// What `me` knows before anything happened: nothing.
    pub fn new(me: NodeId) -> Self {
        Knowledge {
            me,
            known: BTreeMap::new(),
            sent: BTreeMap::new(),
            heard: BTreeMap::new(),
            log: Vec::new(),
            version: 0,
            own: None,
            last: None,
            held: BTreeMap::new(),
            recent: BTreeMap::new(),
            amiss: BTreeMap::new(),
        }
    }

    /// The newest checkpoint of another node.
    pub fn of(&self, node: NodeId) -> Option<&Arc<Checkpoint>> {
        self.known.get(&node)
    }

    /// The newest checkpoints of others.
    pub fn checkpoints(&self) -> impl Iterator<Item = &Arc<Checkpoint>> {
        self.known.values()
    }

    /// What it sent that has not been seen, as far as it knows.
    pub fn unseen(&self) -> &[Sent] {
        &self.log
    }

    /// The number of the last message by `route`, which ends here, that arrived.
    pub fn heard(&self, route: Route) -> u64 {
        self.heard.get(&(route.carrier, route.src)).copied().unwrap_or_default()
    }

    /// It sends a message. The number of it.
    pub fn sends(&mut self, at_nanos: u64, route: Route, message: Datum) -> u64 {
        let number = self.sent.entry((route.carrier, route.dst)).or_default();
        *number += 1;
        let sent = Sent { route, number: *number, at_nanos, message };
        if self.log.len() == LOG_MAX {
            self.log.remove(0);
        }
        self.log.push(sent);
        self.own = None;
        self.log.last().map_or(0, |sent| sent.number)
    }

    /// A message of this number arrives.
    pub fn hears(&mut self, route: Route, number: u64) {
        let last = self.heard.entry((route.carrier, route.src)).or_default();
        *last = number.max(*last);
        self.own = None;
    }

    /// It took a step.
    pub fn steps(&mut self) {
        self.own = None;
    }

    /// It went down: what it knew is gone, all numbers go on.
    pub fn forgets(&mut self) {
        self.known.clear();
        self.log.clear();
        self.held.clear();
        self.recent.clear();
        self.amiss.clear();
        self.own = None;
    }

    /// Another node is found to be down: what was under way to it is lost.
    pub fn misses(&mut self, peer: NodeId, at_nanos: u64) {
        self.log.retain(|sent| sent.route.dst != peer);
        self.held.remove(&peer);
        self.own = None;
        let (version, heard) = match self.known.get(&peer) {
            Some(known) if known.at_nanos > at_nanos => return,
            Some(known) => (known.version, known.heard.clone()),
            None => (0, BTreeMap::new()),
        };
        let (state, timers, log) = (None, Vec::new(), Vec::new());
        let lost = Checkpoint { node: peer, version, at_nanos, state, timers, heard, log, body: Vec::new() };
        self.known.insert(peer, Arc::new(lost));
    }

    /// It is told by `from`. A patch of what it lacks tells it nothing; `from` will hear of that.
    pub fn hears_of(&mut self, from: NodeId, parcel: &Parcel) {
        for (node, version) in &parcel.holds {
            self.held.entry(from).or_default().insert(*node, *version);
        }
        for Told { checkpoint, base, .. } in &parcel.told {
            let holds = |recent: &VecDeque<Arc<Checkpoint>>| recent.iter().any(|it| it.version == *base);
            if *base == 0 || self.recent.get(&checkpoint.node).is_some_and(holds) {
                self.learns(from, checkpoint);
            } else {
                let amiss = self.amiss.entry(from).or_default();
                if !amiss.contains(&checkpoint.node) {
                    amiss.push(checkpoint.node);
                }
            }
        }
    }

    /// Keeps a checkpoint for patches to build on.
    fn keep(&mut self, checkpoint: &Arc<Checkpoint>) {
        let recent = self.recent.entry(checkpoint.node).or_default();
        if checkpoint.state.is_none() || recent.iter().any(|it| it.version == checkpoint.version) {
            return;
        }
        if recent.len() == RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(checkpoint.clone());
    }

    /// It learns of a checkpoint, from `from` or whoever.
    fn learns(&mut self, from: NodeId, checkpoint: &Arc<Checkpoint>) {
        let held = self.held.entry(from).or_default().entry(checkpoint.node).or_default();
        *held = checkpoint.version.max(*held);
        if checkpoint.node == self.me {
            return;
        }
        self.keep(checkpoint);
        let news = self
            .known
            .get(&checkpoint.node)
            .is_none_or(|known| (checkpoint.at_nanos, checkpoint.version) > (known.at_nanos, known.version));
        if news {
            self.known.insert(checkpoint.node, checkpoint.clone());
            let (me, seen) = (self.me, &checkpoint.heard);
            let before = self.log.len();
            self.log.retain(|sent| {
                let last = seen.get(&(sent.route.carrier, me)).copied().unwrap_or_default();
                sent.route.dst != checkpoint.node || sent.number > last
            });
            if self.log.len() != before {
                self.own = None;
            }
        }
    }

    /// The version that it holds of another node; 0 for none.
    pub fn version_of(&self, node: NodeId) -> u64 {
        self.known.get(&node).filter(|it| it.state.is_some()).map_or(0, |checkpoint| checkpoint.version)
    }

    /// `peer` says which version of this node it holds.
    pub fn is_held(&mut self, peer: NodeId, version: u64) {
        self.held.entry(peer).or_default().insert(self.me, version);
    }

    /// A checkpoint of itself.
    pub fn own(&mut self, now_nanos: u64, state: &NodeState, timers: &[Armed]) -> Arc<Checkpoint> {
        if let Some(own) = &self.own {
            return own.clone();
        }
        let is_it = |last: &&Arc<Checkpoint>| {
            last.state.as_ref() == Some(state)
                && last.timers == timers
                && last.heard == self.heard
                && last.log == self.log
        };
        if let Some(last) = self.last.as_ref().filter(is_it) {
            // Nothing is new but that it was still so.
            let own = Arc::new(Checkpoint { at_nanos: now_nanos, ..Checkpoint::clone(last) });
            (self.own, self.last) = (Some(own.clone()), Some(own.clone()));
            return own;
        }
        self.version += 1;
        let mut own = Checkpoint {
            node: self.me,
            version: self.version,
            at_nanos: now_nanos,
            state: Some(state.clone()),
            timers: timers.to_vec(),
            heard: self.heard.clone(),
            log: self.log.clone(),
            body: Vec::new(),
        };
        own.body = wire::body(&own);
        let own = Arc::new(own);
        self.keep(&own);
        self.own = Some(own.clone());
        self.last = Some(own.clone());
        own
    }

    /// What `peer` is to be told: this checkpoint of itself, and of those of others, the newest first, as many as are not more than
    /// `bytes` in all; nothing that `peer` is thought to hold.
    pub fn pack(&mut self, peer: NodeId, own: Arc<Checkpoint>, bytes: u64) -> Parcel {
        let mut others: Vec<&Arc<Checkpoint>> = self.known.values().filter(|it| it.node != peer).collect();
        others.sort_by_key(|it| std::cmp::Reverse((it.at_nanos, it.node)));
        let held = self.held.entry(peer).or_default();
        let (mut told, mut left) = (Vec::new(), bytes);
        for checkpoint in std::iter::once(&own).chain(others) {
            let version = held.entry(checkpoint.node).or_default();
            if checkpoint.version <= *version {
                continue;
            }
            let recent = self.recent.get(&checkpoint.node);
            let base = recent.and_then(|recent| recent.iter().find(|it| it.version == *version));
            let one = Told::new(checkpoint, base);
            if checkpoint.node == self.me || one.bytes <= left {
                *version = checkpoint.version;
                left = left.saturating_sub(one.bytes);
                told.push(one);
            }
        }
        let amiss = self.amiss.remove(&peer).unwrap_or_default();
        let newest = |node: &NodeId| self.known.get(node).filter(|it| it.state.is_some());
        let holds = amiss.into_iter().map(|node| (node, newest(&node).map_or(0, |it| it.version)));
        Parcel { told, holds: holds.collect() }
    }
}

impl Told {
    /// A checkpoint as a patch of `base`, if that is less than the whole.
    fn new(checkpoint: &Arc<Checkpoint>, base: Option<&Arc<Checkpoint>>) -> Self {
        let Checkpoint { node, version, at_nanos, body, .. } = &**checkpoint;
        let head = KIND_BYTES + id_bytes(*node) + wire::length(*version) + wire::length(at_nanos / 1_000_000);
        let whole = Told { checkpoint: checkpoint.clone(), base: 0, bytes: head + body.len() as u64 };
        let Some(base) = base.filter(|_| checkpoint.state.is_some()) else { return whole };
        let bytes = head + wire::patch_bytes(&wire::patch(&base.body, body));
        if bytes < whole.bytes { Told { base: base.version, bytes, ..whole } } else { whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId::new(0);
    const B: NodeId = NodeId::new(1);
    const C: NodeId = NodeId::new(2);

    fn route(src: NodeId, dst: NodeId) -> Route {
        Route { carrier: 0, src, dst }
    }

    fn own(knowledge: &mut Knowledge, now: u64) -> Arc<Checkpoint> {
        knowledge.own(now, &vec![Datum::new(now)], &[])
    }

    #[test]
    fn what_is_seen_leaves_the_log_and_what_is_known_goes_on_to_third_nodes() {
        let (mut a, mut b, mut c) = (Knowledge::new(A), Knowledge::new(B), Knowledge::new(C));
        let first = a.sends(1, route(A, B), Datum::new(1_u8));
        let second = a.sends(2, route(A, B), Datum::new(2_u8));
        assert_eq!((first, second, a.unseen().len()), (1, 2, 2));
        b.hears(route(A, B), first);
        let of_b = own(&mut b, 5);
        c.learns(B, &of_b);
        let to_a = {
            let of_c = own(&mut c, 6);
            c.pack(A, of_c, u64::MAX)
        };
        assert_eq!(to_a.told.iter().map(|it| it.checkpoint.node).collect::<Vec<_>>(), [C, B]);
        a.hears_of(C, &to_a);
        assert_eq!(a.unseen().iter().map(|sent| sent.number).collect::<Vec<_>>(), [second]);
        assert_eq!(own(&mut a, 7).log.len(), 1);
    }

    #[test]
    fn nothing_is_told_twice_and_older_checkpoints_change_nothing() {
        let (mut a, mut b) = (Knowledge::new(A), Knowledge::new(B));
        let old = own(&mut b, 1);
        b.steps();
        let new = own(&mut b, 2);
        assert_eq!(b.pack(A, new.clone(), u64::MAX).told.len(), 1);
        assert!(b.pack(A, new.clone(), u64::MAX).is_empty());
        a.learns(B, &new);
        a.learns(B, &old);
        assert_eq!(a.of(B).map(|it| it.at_nanos), Some(2));
        let of_a = own(&mut a, 3);
        assert_eq!(a.pack(B, of_a, u64::MAX).told.len(), 1, "b holds its own");
        b.is_held(A, a.version_of(B));
        assert!(b.pack(A, new.clone(), 0).is_empty());
        b.steps();
        let newer = own(&mut b, 4);
        assert_eq!(b.pack(A, newer, 0).told.len(), 1, "of itself it tells in any case");
    }

    #[test]
    fn what_is_held_already_is_patched_and_whoever_lacks_it_says_so() {
        let (mut a, mut b) = (Knowledge::new(A), Knowledge::new(B));
        let long = |last: u8| vec![Datum::new((0..100).chain([last]).collect::<Vec<u8>>())];
        let whole = {
            let own = b.own(1, &long(1), &[]);
            b.pack(A, own, 0)
        };
        a.hears_of(B, &whole);
        let told = |b: &mut Knowledge, now, last| {
            b.steps();
            let own = b.own(now, &long(last), &[]);
            b.pack(A, own, 0)
        };
        let patch = told(&mut b, 2, 2);
        assert!(whole.bytes() > 100 && patch.bytes() < 12, "{} and {}", whole.bytes(), patch.bytes());
        a.hears_of(B, &patch);
        assert_eq!(a.version_of(B), 2);
        // The third is lost, so the fourth tells nothing; then b hears of it, and builds on what a holds.
        told(&mut b, 3, 3);
        let fourth = told(&mut b, 4, 4);
        a.hears_of(B, &fourth);
        assert_eq!(a.version_of(B), 2);
        let of_a = own(&mut a, 5);
        b.hears_of(A, &a.pack(B, of_a, 0));
        let fifth = told(&mut b, 6, 5);
        assert!(fifth.bytes() < 12);
        a.hears_of(B, &fifth);
        assert_eq!(a.version_of(B), 5);
    }

    #[test]
    fn a_node_that_is_missed_is_down_until_it_is_heard_of_again() {
        let (mut a, mut b) = (Knowledge::new(A), Knowledge::new(B));
        a.sends(1, route(A, B), Datum::new(1_u8));
        a.learns(B, &own(&mut b, 1));
        a.misses(B, 10);
        assert!(a.unseen().is_empty() && a.of(B).is_some_and(|it| it.state.is_none()));
        b.forgets();
        a.learns(B, &own(&mut b, 11));
        assert!(a.of(B).is_some_and(|it| it.state.is_some()));
        a.misses(B, 9);
        assert!(a.of(B).is_some_and(|it| it.state.is_some()), "what is newer stays");
    }
}
