//! Ordered connections where they can break: what stands in each channel, kept by the rules of [`foresee_world::channel`].
//!
//! The world says what a channel is and how it changes; here it holds the numbers of messages under way, and the simulator says
//! when each arrives. What a break cuts off stays in its channel until the break is told, as it does in the world, but is no longer
//! under way.

use std::hash::BuildHasherDefault;

use foresee_kernel::{Digest, NodeId};
use foresee_world::channel::{self, Fate};
use foresee_world::{Mark, Route};
use hashbrown::HashMap;

/// What stands in a channel: a message under way or a mark, by its slot and its order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub mark: Option<Mark>,
    pub slot: u32,
    pub order: u64,
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order && self.mark == other.mark
    }
}

const OPEN: Item = Item { mark: Some(Mark::Open), slot: u32::MAX, order: 0 };

/// The channels of a run.
#[derive(Debug)]
pub(crate) struct Channels {
    /// Both ways between two nodes, by carrier and ends, the lower id first. One in which nothing stands may be missing.
    pairs: HashMap<(u8, NodeId, NodeId), [Channel; 2], BuildHasherDefault<Digest>>,
    /// For every node, the carrier and the other end of its pairs, in no order.
    ends: Vec<Vec<(u8, NodeId)>>,
}

/// One way of a pair.
#[derive(Debug, Default)]
struct Channel {
    /// A mark that it is open stands at its head, and no other anywhere: as long as nothing breaks. That mark is not among the items.
    plain: bool,
    items: Vec<Item>,
}

/// Where a channel ends: what is still under way of it, the oldest first.
pub(crate) type UnderWay = Vec<Item>;

fn mark(item: &Item) -> Option<Mark> {
    item.mark
}

impl Channel {
    fn is_empty(&self) -> bool {
        !self.plain && self.items.is_empty()
    }

    /// Changes it by the rules of channels.
    fn edit<R>(&mut self, change: impl FnOnce(&mut Vec<Item>) -> R) -> R {
        if self.plain {
            self.items.insert(0, OPEN);
        }
        let result = change(&mut self.items);
        let is_open = |item: &Item| item.mark == Some(Mark::Open);
        self.plain =
            self.items.first().is_some_and(is_open) && self.items[1..].iter().all(|it| it.mark.is_none());
        if self.plain {
            self.items.remove(0);
        }
        result
    }

    fn put(&mut self, item: Item) {
        self.edit(|items| channel::put(items, &item, mark, |mark| Item { mark: Some(mark), ..item }));
    }

    fn is_open(&self) -> bool {
        self.plain || channel::is_open(&self.items, mark)
    }

    fn fate(&self) -> Fate {
        if self.plain { Fate::Sent } else { channel::fate(self.items.iter().map(mark)) }
    }

    fn has_mark(&self, order: u64) -> bool {
        self.items.iter().any(|item| item.mark.is_some() && item.order == order)
    }

    /// The messages in it, which is empty then.
    fn take(&mut self) -> impl Iterator<Item = Item> + use<> {
        self.plain = false;
        std::mem::take(&mut self.items).into_iter().filter(|item| item.mark.is_none())
    }
}

impl Channels {
    pub fn new(nodes: usize) -> Self {
        Channels { pairs: HashMap::default(), ends: vec![Vec::new(); nodes] }
    }

    fn get(&self, route: Route) -> Option<&Channel> {
        let (key, way) = place(route);
        self.pairs.get(&key).map(|pair| &pair[way])
    }

    /// Both ways of a pair: by `route`, and back.
    fn pair(&mut self, route: Route) -> (&mut Channel, &mut Channel) {
        let (key, way) = place(route);
        let pair = self.pairs.entry(key).or_insert_with(|| {
            self.ends[route.src.index()].push((route.carrier, route.dst));
            self.ends[route.dst.index()].push((route.carrier, route.src));
            Default::default()
        });
        let [low, high] = pair;
        if way == 0 { (low, high) } else { (high, low) }
    }

    /// What becomes of a message that a node sends by `route`, which is up.
    pub fn fate(&self, route: Route) -> Fate {
        self.get(back(route)).map_or(Fate::Sent, Channel::fate)
    }

    /// A message is under way by `route`: both ends are open.
    pub fn send(&mut self, route: Route, item: Item) {
        let (there, back) = self.pair(route);
        if !(there.plain && back.plain) {
            back.put(OPEN);
            there.put(OPEN);
        }
        match there.plain {
            true => there.items.push(item),
            false => there.put(item),
        }
    }

    /// Nothing gets through by `route`, and so its sender will be told, by `item` in the channel back. False where it will be told
    /// anyway.
    pub fn refuse(&mut self, route: Route, order: u64) -> bool {
        let (_, back) = self.pair(route);
        back.put(Item { mark: Some(Mark::Refused), slot: u32::MAX, order });
        back.has_mark(order)
    }

    /// A connection ends at its receiver, if it is open there: with what is still under way over it.
    pub fn end(&mut self, route: Route, how: Mark, order: u64) -> Option<UnderWay> {
        if !self.is_open(route) {
            return None;
        }
        let (there, _) = self.pair(route);
        there.put(Item { mark: Some(how), slot: u32::MAX, order });
        let is_end = |item: &&Item| matches!(item.mark, Some(Mark::Broken | Mark::Ended));
        let mut over_it: UnderWay = Vec::new();
        for item in there.items.iter().rev().skip_while(is_end).take_while(|item| !is_end(item)) {
            if item.mark.is_none() {
                over_it.push(*item);
            }
        }
        over_it.reverse();
        self.settle(route);
        Some(over_it)
    }

    /// Whether the receiver has an open end of the connection to the sender.
    pub fn is_open(&self, route: Route) -> bool {
        self.get(route).is_some_and(Channel::is_open)
    }

    /// Takes the message of this order out, which arrives. False where it was cut off.
    pub fn arrive(&mut self, route: Route, order: u64) -> bool {
        let (key, way) = place(route);
        let Some(channel) = self.pairs.get_mut(&key).map(|pair| &mut pair[way]) else { return false };
        if channel.plain {
            let is_next = channel.items.first().is_some_and(|item| item.order == order);
            if is_next {
                channel.items.remove(0);
            }
            return is_next;
        }
        let next = channel::next(&channel.items, mark).head.copied().filter(|item| item.order == order);
        if let Some(item) = next {
            channel.edit(|items| channel::take(items, &item, mark));
            self.settle(route);
        }
        next.is_some()
    }

    /// Takes out the ends up to the mark of this order, with what they cut off, and says how they are told. None where the mark is gone,
    /// or says nothing any more.
    pub fn close(&mut self, route: Route, order: u64) -> Vec<Mark> {
        let mut ends = Vec::new();
        let (channel, _) = self.pair(route);
        if channel.has_mark(order) {
            while let Some(end) = channel::next(&channel.items, mark).end.copied() {
                channel.edit(|items| channel::take(items, &end, mark));
                ends.extend(end.mark);
                if end.order == order {
                    break;
                }
            }
        }
        self.settle(route);
        ends
    }

    /// Forgets all that comes to `node`; the messages that were under way to it.
    pub fn forget(&mut self, node: NodeId) -> UnderWay {
        let mut under_way = Vec::new();
        for (carrier, src) in self.sorted(node) {
            let route = Route { carrier, src, dst: node };
            under_way.extend(self.pair(route).0.take());
            self.settle(route);
        }
        under_way
    }

    /// The carriers and peers to which `node` has an open end, in a fixed order.
    pub fn open_at(&self, node: NodeId) -> Vec<(u8, NodeId)> {
        let mut open = self.sorted(node);
        open.retain(|(carrier, src)| self.is_open(Route { carrier: *carrier, src: *src, dst: node }));
        open
    }

    /// By which ways something stands in a channel from `node`, by carrier and receiver.
    pub fn ways_from(&self, node: NodeId) -> Vec<Route> {
        let ways = self.sorted(node).into_iter();
        let ways = ways.map(|(carrier, dst)| Route { carrier, src: node, dst });
        ways.filter(|route| self.get(*route).is_some_and(|channel| !channel.is_empty())).collect()
    }

    /// The pairs of a node, by carrier and the other end.
    fn sorted(&self, node: NodeId) -> Vec<(u8, NodeId)> {
        let mut ends = self.ends[node.index()].clone();
        ends.sort_unstable();
        ends
    }

    /// Forgets a pair in which nothing stands.
    fn settle(&mut self, route: Route) {
        let (key, _) = place(route);
        if self.pairs.get(&key).is_none_or(|pair| pair.iter().any(|channel| !channel.is_empty())) {
            return;
        }
        self.pairs.remove(&key);
        for (node, other) in [(route.src, route.dst), (route.dst, route.src)] {
            let ends = &mut self.ends[node.index()];
            if let Some(place) = ends.iter().position(|end| *end == (route.carrier, other)) {
                ends.swap_remove(place);
            }
        }
    }
}

/// Where a channel is kept: its pair, and which of its ways.
fn place(route: Route) -> ((u8, NodeId, NodeId), usize) {
    match route.src <= route.dst {
        true => ((route.carrier, route.src, route.dst), 0),
        false => ((route.carrier, route.dst, route.src), 1),
    }
}

fn back(route: Route) -> Route {
    Route { carrier: route.carrier, src: route.dst, dst: route.src }
}
