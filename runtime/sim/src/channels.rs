//! Ordered connections where they can break: what stands in each channel, kept by the rules of [`foresee_world::channel`].
//!
//! The world says what a channel is and how it changes; here it holds the numbers of messages under way, and the simulator says
//! when each arrives. What a break cuts off stays in its channel until the break is told, as it does in the world, but is no longer
//! under way.

use std::collections::{BTreeMap, BTreeSet};

use foresee_kernel::NodeId;
use foresee_world::channel::{self, Fate};
use foresee_world::{Mark, Route};

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

/// The channels of a run.
#[derive(Debug)]
pub(crate) struct Channels {
    /// For every receiver, what comes to it, by carrier and sender.
    to: Vec<BTreeMap<(u8, NodeId), Vec<Item>>>,
    /// For every sender, the channels from it in which something stands, by carrier and receiver.
    from: Vec<BTreeSet<(u8, NodeId)>>,
}

/// Where a channel ends: what is still under way of it, the oldest first.
pub(crate) type UnderWay = Vec<Item>;

fn mark(item: &Item) -> Option<Mark> {
    item.mark
}

impl Channels {
    pub fn new(nodes: usize) -> Self {
        Channels { to: vec![BTreeMap::new(); nodes], from: vec![BTreeSet::new(); nodes] }
    }

    fn get(&self, route: Route) -> &[Item] {
        self.to[route.dst.index()].get(&(route.carrier, route.src)).map_or(&[], Vec::as_slice)
    }

    /// Changes a channel, and forgets it where nothing is left of it.
    fn edit<R>(&mut self, route: Route, change: impl FnOnce(&mut Vec<Item>) -> R) -> R {
        let channels = &mut self.to[route.dst.index()];
        let channel = channels.entry((route.carrier, route.src)).or_default();
        let was_empty = channel.is_empty();
        let result = change(channel);
        let is_empty = channel.is_empty();
        if is_empty {
            channels.remove(&(route.carrier, route.src));
        }
        if was_empty != is_empty {
            let from = &mut self.from[route.src.index()];
            match is_empty {
                true => from.remove(&(route.carrier, route.dst)),
                false => from.insert((route.carrier, route.dst)),
            };
        }
        result
    }

    /// What becomes of a message that a node sends by `route`, which is up.
    pub fn fate(&self, route: Route) -> Fate {
        channel::fate(self.get(back(route)).iter().map(mark))
    }

    /// A message is under way by `route`: both ends are open.
    pub fn send(&mut self, route: Route, item: Item) {
        let open = |route: Route, channels: &mut Self| {
            channels.put(route, Item { mark: Some(Mark::Open), slot: u32::MAX, order: 0 });
        };
        open(back(route), self);
        open(route, self);
        self.put(route, item);
    }

    fn put(&mut self, route: Route, item: Item) {
        self.edit(route, |channel| {
            channel::put(channel, &item, mark, |mark| Item { mark: Some(mark), ..item })
        });
    }

    /// Nothing gets through by `route`, and so its sender will be told, by `item` in the channel back. False where it will be told
    /// anyway.
    pub fn refuse(&mut self, route: Route, order: u64) -> bool {
        let refused = Item { mark: Some(Mark::Refused), slot: u32::MAX, order };
        self.put(back(route), refused);
        self.has(back(route), order)
    }

    /// A connection ends at its receiver, if it is open there: with what is still under way over it.
    pub fn end(&mut self, route: Route, how: Mark, order: u64) -> Option<UnderWay> {
        if !self.is_open(route) {
            return None;
        }
        self.put(route, Item { mark: Some(how), slot: u32::MAX, order });
        let is_end = |item: &&Item| matches!(item.mark, Some(Mark::Broken | Mark::Ended));
        let mut over_it: UnderWay = Vec::new();
        for item in self.get(route).iter().rev().skip_while(is_end).take_while(|item| !is_end(item)) {
            if item.mark.is_none() {
                over_it.push(*item);
            }
        }
        over_it.reverse();
        Some(over_it)
    }

    /// Whether the receiver has an open end of the connection to the sender.
    pub fn is_open(&self, route: Route) -> bool {
        channel::is_open(self.get(route), mark)
    }

    fn has(&self, route: Route, order: u64) -> bool {
        self.get(route).iter().any(|item| item.mark.is_some() && item.order == order)
    }

    /// Takes the message of this order out, which arrives. False where it was cut off.
    pub fn arrive(&mut self, route: Route, order: u64) -> bool {
        let next = channel::next(self.get(route), mark).head.copied();
        match next.filter(|item| item.order == order) {
            Some(item) => {
                self.edit(route, |channel| channel::take(channel, &item, mark));
                true
            }
            None => false,
        }
    }

    /// Takes out the ends up to the mark of this order, with what they cut off, and says how they are told. None where the mark is gone,
    /// or says nothing any more.
    pub fn close(&mut self, route: Route, order: u64) -> Vec<Mark> {
        let mut ends = Vec::new();
        if !self.has(route, order) {
            return ends;
        }
        while let Some(end) = channel::next(self.get(route), mark).end.copied() {
            self.edit(route, |channel| channel::take(channel, &end, mark));
            ends.extend(end.mark);
            if end.order == order {
                break;
            }
        }
        ends
    }

    /// Forgets all that comes to `node`; the messages that were under way to it.
    pub fn forget(&mut self, node: NodeId) -> UnderWay {
        let channels = std::mem::take(&mut self.to[node.index()]);
        for (carrier, src) in channels.keys() {
            self.from[src.index()].remove(&(*carrier, node));
        }
        channels.into_values().flatten().filter(|item| item.mark.is_none()).collect()
    }

    /// The carriers and peers to which `node` has an open end, in a fixed order.
    pub fn open_at(&self, node: NodeId) -> Vec<(u8, NodeId)> {
        let open = |(_, channel): &(&(u8, NodeId), &Vec<Item>)| channel::is_open(channel, mark);
        self.to[node.index()].iter().filter(open).map(|(key, _)| *key).collect()
    }

    /// By which ways something stands in a channel from `node`, by carrier and receiver.
    pub fn ways_from(&self, node: NodeId) -> Vec<Route> {
        let ways = self.from[node.index()].iter();
        ways.map(|(carrier, dst)| Route { carrier: *carrier, src: node, dst: *dst }).collect()
    }
}

fn back(route: Route) -> Route {
    Route { carrier: route.carrier, src: route.dst, dst: route.src }
}
