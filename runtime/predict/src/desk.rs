//! All nodes of a run as far as knowledge goes: what each of them knows, and how it comes to the others.
//!
//! Each node's knowledge is its own; this keeps them in one place because a run has all nodes in one place. Knowledge travels on messages and
//! on their acknowledgements, and in answers to whoever gathers it, and is under way as long as anything of its carrier. What it takes on the
//! wire is counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use foresee_kernel::{Datum, Model, NodeId, NodeState};
use foresee_sim::{Armed, Own, Paths, Witness};
use foresee_world::Route;

use crate::knowledge::{Knowledge, Parcel};
use crate::settings::Settings;

/// Mean delays after which somebody who has not answered is missed.
const PATIENCE_DELAYS: u64 = 8;

/// Bytes of a question, and of an answer beside its checkpoint.
const QUESTION_BYTES: u64 = 4;
const ANSWER_BYTES: u64 = 2;

/// The most attachments that are kept; of lost messages nobody hears again.
const ATTACHED_MAX: usize = 1 << 16;

/// What all nodes know.
#[derive(Debug)]
pub(crate) struct Desk {
    model: Arc<Model>,
    gather: Option<u64>,
    riding: bool,
    riding_bytes: u64,
    pub nodes: Vec<Knowledge>,
    selves: Vec<Current>,
    paths: Paths,
    seed: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    coming: BTreeMap<u64, Coming>,
    attached: BTreeMap<u64, Attached>,
    /// What was sent in a step that is not over.
    waiting: Vec<(NodeId, NodeId, Vec<u64>)>,
    /// Whom the running step has to acknowledge.
    owed: BTreeMap<NodeId, Vec<Route>>,
    order: u64,
    /// For each node, its last question and who has not answered it.
    asked: Vec<(u64, Vec<NodeId>)>,
    pub bytes: u64,
}

/// What a node is now.
#[derive(Clone, Debug, Default)]
struct Current {
    state: NodeState,
    timers: Vec<Armed>,
    up: bool,
}

/// What rides on a message.
#[derive(Debug)]
struct Attached {
    number: u64,
    knowledge: Parcel,
}

/// What comes to the desk.
#[derive(Debug)]
enum Coming {
    /// Time for a node to gather.
    Gather(NodeId),
    /// A question reaches a node: which version is held of it.
    Question { from: NodeId, to: NodeId, round: u64, version: u64 },
    /// Knowledge reaches a node: an acknowledgement, or the answer to a question.
    Knowledge { from: NodeId, to: NodeId, round: Option<u64>, knowledge: Parcel },
    /// Who has not answered by now is missed.
    Patience { node: NodeId, round: u64, since: u64 },
}

impl Desk {
    pub fn new(model: &Arc<Model>, settings: &Settings) -> Self {
        let count = model.nodes.len();
        let gather = settings.gather.map(|every| every.as_nanos() as u64);
        let mut desk = Desk {
            model: model.clone(),
            gather,
            riding: settings.riding,
            riding_bytes: settings.riding_bytes,
            nodes: (0..count).map(|index| Knowledge::new(NodeId::new(index as u32))).collect(),
            selves: vec![Current::default(); count],
            paths: Paths::new(model),
            seed: 0,
            queue: BinaryHeap::new(),
            coming: BTreeMap::new(),
            attached: BTreeMap::new(),
            waiting: Vec::new(),
            owed: BTreeMap::new(),
            order: 0,
            asked: vec![(0, Vec::new()); count],
            bytes: 0,
        };
        if let Some(every) = gather {
            // Nodes gather in turn, so that not all of them ask at once.
            for index in 0..count {
                let first = every / count as u64 * (index as u64 + 1);
                desk.put(first, Coming::Gather(NodeId::new(index as u32)));
            }
        }
        desk
    }

    fn put(&mut self, at: u64, coming: Coming) {
        self.order += 1;
        self.queue.push(Reverse((at, self.order)));
        self.coming.insert(self.order, coming);
    }

    /// Sends something of our own; it may be lost.
    fn post(&mut self, now: u64, carrier: u8, (from, to): (NodeId, NodeId), coming: Coming) {
        if let Some(nanos) = self.paths.nanos(self.seed, carrier, (from, to), self.order) {
            self.put(now.saturating_add(nanos), coming);
        }
    }

    /// Everything comes that is due.
    pub fn run(&mut self, now: u64) {
        while let Some(Reverse((at, order))) = self.queue.peek().copied() {
            if at > now {
                break;
            }
            self.queue.pop();
            if let Some(coming) = self.coming.remove(&order) {
                self.comes(at, coming);
            }
        }
    }

    fn comes(&mut self, now: u64, coming: Coming) {
        match coming {
            Coming::Gather(node) => self.gathers(now, node),
            Coming::Question { from, to, round, version } if self.selves[to.index()].up => {
                self.nodes[to.index()].is_held(from, version);
                // Others are asked themselves.
                self.bytes += ANSWER_BYTES;
                let knowledge = self.pack(now, to, from, 0);
                let answer = Coming::Knowledge { from: to, to: from, round: Some(round), knowledge };
                self.post(now, 0, (to, from), answer);
            }
            Coming::Knowledge { from, to, round, knowledge } if self.selves[to.index()].up => {
                if round == Some(self.asked[to.index()].0) {
                    self.asked[to.index()].1.retain(|waited_for| *waited_for != from);
                }
                self.nodes[to.index()].hears_of(from, &knowledge);
            }
            Coming::Patience { node, round, since } if self.asked[node.index()].0 == round => {
                let missed = std::mem::take(&mut self.asked[node.index()].1);
                missed.into_iter().for_each(|peer| self.nodes[node.index()].misses(peer, since));
            }
            Coming::Question { .. } | Coming::Knowledge { .. } | Coming::Patience { .. } => {}
        }
    }

    fn gathers(&mut self, now: u64, node: NodeId) {
        let Some(every) = self.gather else { return };
        self.put(now.saturating_add(every), Coming::Gather(node));
        if !self.selves[node.index()].up || self.model.carriers.is_empty() {
            return;
        }
        // Of whom it heard since it last asked, from whomever, it need not ask.
        let (known, since) = (&self.nodes[node.index()], now.saturating_sub(every));
        let is_fresh =
            |other: NodeId| known.of(other).is_some_and(|it| it.state.is_some() && it.at_nanos >= since);
        let others = (0..self.nodes.len()).map(|index| NodeId::new(index as u32));
        let others: Vec<NodeId> = others.filter(|other| *other != node && !is_fresh(*other)).collect();
        self.asked[node.index()].0 += 1;
        let round = self.asked[node.index()].0;
        for to in &others {
            self.bytes += QUESTION_BYTES;
            let version = self.nodes[node.index()].version_of(*to);
            let question = Coming::Question { from: node, to: *to, round, version };
            self.post(now, 0, (node, *to), question);
        }
        self.asked[node.index()].1 = others;
        let patience = PATIENCE_DELAYS * Paths::mean_nanos(&self.model);
        self.put(now.saturating_add(patience), Coming::Patience { node, round, since: now });
    }

    /// What `from` tells `to` now of itself, and of others in so many bytes; what it takes is counted.
    fn pack(&mut self, now: u64, from: NodeId, to: NodeId, bytes: u64) -> Parcel {
        let Current { state, timers, .. } = &self.selves[from.index()];
        let node = &mut self.nodes[from.index()];
        let own = node.own(now, state, timers);
        let packed = node.pack(to, own, bytes);
        self.bytes += packed.bytes();
        packed
    }
}

impl Witness for Desk {
    fn sent(&mut self, now: u64, route: Route, message: &Datum) -> u64 {
        self.run(now);
        if route.src == route.dst {
            return 0;
        }
        let number = self.nodes[route.src.index()].sends(now, route, message.clone());
        self.order += 1;
        let id = self.order;
        if self.attached.len() >= ATTACHED_MAX {
            self.attached.pop_first();
        }
        self.attached.insert(id, Attached { number, knowledge: Parcel::default() });
        // The step is not over: what it makes of the node is known afterwards.
        let ends = |it: &&mut (NodeId, NodeId, Vec<u64>)| (it.0, it.1) == (route.src, route.dst);
        match self.waiting.iter_mut().find(ends) {
            Some((_, _, ids)) => ids.push(id),
            None => self.waiting.push((route.src, route.dst, vec![id])),
        }
        id
    }

    fn arrives(&mut self, now: u64, route: Route, attached: u64) {
        self.run(now);
        let Some(Attached { number, knowledge }) = self.attached.remove(&attached) else { return };
        let node = &mut self.nodes[route.dst.index()];
        node.hears(route, number);
        node.hears_of(route.src, &knowledge);
        if self.riding {
            self.owed.entry(route.dst).or_default().push(route);
        }
    }

    fn changed(&mut self, now: u64, node: NodeId, own: &Own<'_>) {
        self.run(now);
        self.selves[node.index()] = Current { state: own.state.clone(), timers: own.timers(), up: own.up };
        if !own.up {
            self.nodes[node.index()].forgets();
            self.owed.remove(&node);
            return;
        }
        self.nodes[node.index()].steps();
        let (ready, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|it| it.0 == node);
        self.waiting = waiting;
        let ready: Vec<(NodeId, NodeId, Vec<u64>)> = ready;
        if self.riding {
            for (src, dst, ids) in ready {
                let knowledge = self.pack(now, src, dst, self.riding_bytes);
                // What a step sends the same way travels together; it rides on the first.
                if let Some(attached) = ids.first().and_then(|id| self.attached.get_mut(id)) {
                    attached.knowledge = knowledge;
                }
            }
        }
        for route in self.owed.remove(&node).unwrap_or_default() {
            let knowledge = self.pack(now, node, route.src, self.riding_bytes);
            if !knowledge.is_empty() {
                let told = Coming::Knowledge { from: node, to: route.src, round: None, knowledge };
                self.post(now, route.carrier, (node, route.src), told);
            }
        }
    }

    fn broke(&mut self, now: u64, node: NodeId, peer: NodeId) {
        self.run(now);
        self.nodes[node.index()].misses(peer, now);
    }
}
