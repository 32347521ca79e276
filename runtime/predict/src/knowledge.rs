//! What one node knows: the newest checkpoint of every other node that it heard of, and what it sent that they have not seen.
//!
//! A checkpoint says how far its node had come: its state and timers, the number of the last message that it had from each other node, and
//! those of its own messages that had not been seen, as far as it knew. So whoever holds two checkpoints knows what is under way between
//! their nodes, however far apart in time they were taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_kernel::{Datum, NodeId, NodeState};
use foresee_sim::Armed;
use foresee_world::Route;

/// The most messages that a node remembers as not seen; the oldest go first.
const LOG_MAX: usize = 64;

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
    /// How many bytes it takes to send.
    pub bytes: u64,
}

/// Bytes for the number of a node and of a version.
const HEAD_BYTES: u64 = 3;

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
        let lost = Checkpoint { node: peer, version, at_nanos, state, timers, heard, log, bytes: HEAD_BYTES };
        self.known.insert(peer, Arc::new(lost));
    }

    /// It learns of a checkpoint, from `from` or whoever.
    pub fn learns(&mut self, from: NodeId, checkpoint: &Arc<Checkpoint>) {
        let held = self.held.entry(from).or_default().entry(checkpoint.node).or_default();
        *held = checkpoint.version.max(*held);
        if checkpoint.node == self.me {
            return;
        }
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
        let is_old = |last: &Arc<Checkpoint>| {
            last.state.as_ref() == Some(state) && last.heard == self.heard && last.log == self.log
        };
        // Timers that were only set again make no new version.
        self.version += u64::from(!self.last.as_ref().is_some_and(is_old));
        let mut bytes = HEAD_BYTES + 3 * self.heard.len() as u64;
        bytes += state.iter().map(|layer| layer.encoded_len() as u64).sum::<u64>();
        bytes += timers.iter().map(|armed| armed.timer.encoded_len() as u64 + 2).sum::<u64>();
        bytes += self.log.iter().map(|sent| sent.message.encoded_len() as u64 + 4).sum::<u64>();
        let own = Arc::new(Checkpoint {
            node: self.me,
            version: self.version,
            at_nanos: now_nanos,
            state: Some(state.clone()),
            timers: timers.to_vec(),
            heard: self.heard.clone(),
            log: self.log.clone(),
            bytes,
        });
        self.own = Some(own.clone());
        self.last = Some(own.clone());
        own
    }

    /// What `peer` is to be told: this checkpoint of itself, and of those of others, the newest first, as many as are not more than
    /// `bytes` in all; nothing that `peer` is thought to hold.
    pub fn pack(&mut self, peer: NodeId, own: Arc<Checkpoint>, bytes: u64) -> Vec<Arc<Checkpoint>> {
        let held = self.held.entry(peer).or_default();
        let mut others: Vec<&Arc<Checkpoint>> = self.known.values().filter(|it| it.node != peer).collect();
        others.sort_by_key(|it| std::cmp::Reverse((it.at_nanos, it.node)));
        let (mut packed, mut left) = (Vec::new(), bytes);
        for checkpoint in std::iter::once(&own).chain(others) {
            let version = held.entry(checkpoint.node).or_default();
            let mine = checkpoint.node == self.me;
            if checkpoint.version > *version && (mine || checkpoint.bytes <= left) {
                *version = checkpoint.version;
                left = left.saturating_sub(checkpoint.bytes);
                packed.push(checkpoint.clone());
            }
        }
        packed
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
        assert_eq!(to_a.iter().map(|it| it.node).collect::<Vec<_>>(), [C, B]);
        to_a.iter().for_each(|checkpoint| a.learns(C, checkpoint));
        assert_eq!(a.unseen().iter().map(|sent| sent.number).collect::<Vec<_>>(), [second]);
        assert_eq!(own(&mut a, 7).log.len(), 1);
    }

    #[test]
    fn nothing_is_told_twice_and_older_checkpoints_change_nothing() {
        let (mut a, mut b) = (Knowledge::new(A), Knowledge::new(B));
        let old = own(&mut b, 1);
        b.steps();
        let new = own(&mut b, 2);
        assert_eq!(b.pack(A, new.clone(), u64::MAX).len(), 1);
        assert_eq!(b.pack(A, new.clone(), u64::MAX).len(), 0);
        a.learns(B, &new);
        a.learns(B, &old);
        assert_eq!(a.of(B).map(|it| it.at_nanos), Some(2));
        let of_a = own(&mut a, 3);
        assert_eq!(a.pack(B, of_a, u64::MAX).len(), 1, "b holds its own");
        b.is_held(A, a.version_of(B));
        assert_eq!(b.pack(A, new.clone(), 0).len(), 0);
        b.steps();
        let newer = own(&mut b, 4);
        assert_eq!(b.pack(A, newer, 0).len(), 1, "of itself it tells in any case");
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
