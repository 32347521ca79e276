//! Ordered connections where they can break: what stands in each channel, kept by the rules of [`foresee_world::channel`].
//!
//! The world says what a channel is and how it changes; here it holds the numbers of messages under way, and the simulator says
//! when each arrives. What a break cuts off stays in its channel until the break is told, as it does in the world, but is no longer
//! under way.
//!
//! All that is known of two nodes stands in one place, which takes a line of the cache. A message under way keeps the number of that
//! place, so that it is looked up once a message, and as long as nothing breaks messages of a channel are a list through what is under way.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use foresee_kernel::digest::mix;
use foresee_kernel::{Digest, NodeId};
use foresee_world::channel::{self, Fate};
use foresee_world::{Mark, Route};
use hashbrown::{HashMap, HashTable};

use crate::exact::key::{Key, Places};
use crate::flights::{Flight, Flights};
use crate::slab::Slab;

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

/// The slot of nothing, and the number of no pair.
pub(crate) const NONE: u32 = u32::MAX;

const OPEN: Item = Item { mark: Some(Mark::Open), slot: NONE, order: 0 };

/// Where a channel ends: what is still under way of it, the oldest first.
pub(crate) type UnderWay = Vec<Item>;

/// The channels of a run.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    /// One in which nothing stands may be missing.
    pairs: Slab<Pair>,
    /// The number of each pair, by its ends.
    numbers: HashTable<(Ends, u32)>,
    /// For every node, the carrier and the other end of its pairs, and their numbers, in no order.
    ends: Vec<Vec<End>>,
    /// When the last message arrives of pairs that were forgotten before it.
    left: HashMap<Ends, [u64; 2], BuildHasherDefault<Digest>>,
    /// How large `left` may get before it is cleared of what has arrived.
    left_max: usize,
    /// The clock.
    now: Rc<Cell<u64>>,
}

/// A carrier and two nodes, the lower id first.
type Ends = (u8, NodeId, NodeId);

/// A carrier and the other node of a pair, and its number.
type End = (u8, NodeId, u32);

/// So many pairs of a node are looked through, and those of one that has more are found by a table.
const LOOKED_THROUGH_MOST: usize = 16;

/// Both ways between two nodes, in a line of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Pair {
    ways: [Way; 2],
    ends: Ends,
}

/// One way of a pair.
#[derive(Clone, Debug, Default)]
struct Way {
    /// When the last message arrives, where delays vary.
    last: u64,
    stands: Stands,
}

/// What stands in a channel.
#[derive(Clone, Debug, Default)]
enum Stands {
    #[default]
    Nothing,
    /// A mark that it is open stands at its head, and no other anywhere: as long as nothing breaks. Then messages, each of which
    /// knows the next; first and last are none where there is none.
    Plain {
        first: u32,
        last: u32,
    },
    Other(Box<Items>),
}

/// All that stands in a channel; behind one address, so that a pair stays in its line.
#[derive(Clone, Debug)]
struct Items(Vec<Item>);

const PLAIN: Stands = Stands::Plain { first: NONE, last: NONE };

const LEFT_LEAST: usize = 1 << 12;

fn mark(item: &Item) -> Option<Mark> {
    item.mark
}

impl Stands {
    fn other(items: Vec<Item>) -> Self {
        if items.is_empty() { Stands::Nothing } else { Stands::Other(Box::new(Items(items))) }
    }

    fn all(self, flights: &Flights) -> Vec<Item> {
        match self {
            Stands::Nothing => Vec::new(),
            Stands::Other(items) => items.0,
            Stands::Plain { mut first, .. } => {
                let mut items = vec![OPEN];
                while let Some(flight) = flights.get(first) {
                    items.push(Item { mark: None, slot: first, order: flight.order });
                    first = flight.next;
                }
                items
            }
        }
    }
}

impl Way {
    fn is_empty(&self) -> bool {
        matches!(self.stands, Stands::Nothing)
    }

    /// All that stands in it, which is empty then.
    fn take_all(&mut self, flights: &Flights) -> Vec<Item> {
        std::mem::take(&mut self.stands).all(flights)
    }

    /// Writes down what stands in it: marks, and messages by their places; one that was cut off has none. No message that is sent
    /// from `now` on comes before the last one that has come.
    fn write(&self, key: &mut Key, now: u64, flights: &Flights, places: &Places) {
        key.word(self.last.max(now));
        let items = self.stands.clone().all(flights);
        key.word(items.len() as u64);
        for Item { mark, order, .. } in items {
            key.word(mark.map_or(0, |mark| 1 + mark as u64));
            key.word(places.get(&order).copied().unwrap_or_default());
        }
    }

    /// Lets this stand in it.
    fn put_all(&mut self, items: Vec<Item>, flights: &mut Flights) {
        let is_plain = match items.as_slice() {
            [first, messages @ ..] if first.mark == Some(Mark::Open) => messages.iter().all(|item| {
                item.mark.is_none() && flights.get(item.slot).is_some_and(|flight| flight.order == item.order)
            }),
            _ => false,
        };
        if !is_plain {
            self.stands = Stands::other(items);
            return;
        }
        self.stands = PLAIN;
        for item in &items[1..] {
            self.append(item.slot, flights);
        }
    }

    /// A message comes behind the others, where no mark but the first is. False where it is not so.
    #[inline]
    fn append(&mut self, slot: u32, flights: &mut Flights) -> bool {
        let Stands::Plain { first, last } = &mut self.stands else { return false };
        if *first == NONE {
            *first = slot;
        } else if let Some(before) = flights.get_mut(*last) {
            before.next = slot;
        }
        *last = slot;
        if let Some(flight) = flights.get_mut(slot) {
            flight.next = NONE;
        }
        true
    }

    /// Changes it by the rules of channels.
    fn edit<R>(&mut self, flights: &mut Flights, change: impl FnOnce(&mut Vec<Item>) -> R) -> R {
        let mut items = self.take_all(flights);
        let result = change(&mut items);
        self.put_all(items, flights);
        result
    }

    fn put(&mut self, item: Item, flights: &mut Flights) {
        self.edit(flights, |items| {
            channel::put(items, &item, mark, |mark| Item { mark: Some(mark), ..item })
        });
    }

    fn is_open(&self) -> bool {
        match &self.stands {
            Stands::Nothing => false,
            Stands::Plain { .. } => true,
            Stands::Other(items) => channel::is_open(&items.0, mark),
        }
    }

    #[inline]
    fn fate(&self) -> Fate {
        match &self.stands {
            Stands::Nothing | Stands::Plain { .. } => Fate::Sent,
            Stands::Other(items) => channel::fate(items.0.iter().map(mark)),
        }
    }

    fn has_mark(&self, order: u64) -> bool {
        match &self.stands {
            Stands::Nothing | Stands::Plain { .. } => false,
            Stands::Other(items) => items.0.iter().any(|item| item.mark.is_some() && item.order == order),
        }
    }
}

impl Channels {
    /// Of so many nodes, by a clock in nanoseconds.
    pub fn new(nodes: usize, now: Rc<Cell<u64>>) -> Self {
        Channels {
            pairs: Slab::new(),
            numbers: HashTable::new(),
            ends: vec![Vec::new(); nodes],
            left: HashMap::default(),
            left_max: LEFT_LEAST,
            now,
        }
    }

    /// The number of the pair of a route, if there is one.
    #[inline]
    pub fn find(&self, route: Route) -> Option<u32> {
        let of_node = &self.ends[route.src.index()];
        if of_node.len() <= LOOKED_THROUGH_MOST {
            let is_it = |end: &&End| end.1 == route.dst && end.0 == route.carrier;
            return of_node.iter().find(is_it).map(|(.., number)| *number);
        }
        let ends = ends_of(route);
        self.numbers.find(hash(ends), |(known, _)| *known == ends).map(|(_, number)| *number)
    }

    /// The number of the pair of a route.
    pub fn number(&mut self, route: Route) -> u32 {
        if let Some(number) = self.find(route) {
            return number;
        }
        let ends = ends_of(route);
        let mut pair = Pair { ways: Default::default(), ends };
        if let Some(left) = self.left.remove(&ends) {
            pair.ways.iter_mut().zip(left).for_each(|(way, last)| way.last = last);
        }
        let number = self.pairs.insert(pair);
        self.numbers.insert_unique(hash(ends), (ends, number), |(ends, _)| hash(*ends));
        self.ends[route.src.index()].push((route.carrier, route.dst, number));
        self.ends[route.dst.index()].push((route.carrier, route.src, number));
        number
    }

    fn get(&self, route: Route) -> Option<&Way> {
        self.pairs.get(self.find(route)?).map(|pair| &pair.ways[way(route)])
    }

    /// The way of a route within the pair of this number, if that is its pair.
    #[inline]
    fn of(&mut self, number: u32, route: Route) -> Option<&mut Way> {
        let pair = self.pairs.get_mut(number).filter(|pair| pair.ends == ends_of(route));
        pair.map(|pair| &mut pair.ways[way(route)])
    }

    /// Where the pair of this number is, to be fetched ahead.
    #[inline]
    pub fn place(&self, number: u32) -> *const u8 {
        self.pairs.place(number).cast()
    }

    /// The pairs of each node, to be fetched ahead.
    #[inline]
    pub fn ends(&self) -> &[Vec<End>] {
        &self.ends
    }

    /// What becomes of a message that a node sends by `route`, which is up, and whose pair has this number.
    #[inline]
    pub fn fate(&self, number: Option<u32>, route: Route) -> Fate {
        let pair = number.and_then(|number| self.pairs.get(number));
        pair.map_or(Fate::Sent, |pair| pair.ways[1 - way(route)].fate())
    }

    /// When the last message by `route` arrives, whose pair has this number.
    #[inline]
    pub fn last(&mut self, number: u32, route: Route) -> Option<&mut u64> {
        self.of(number, route).map(|way| &mut way.last)
    }

    /// A message is under way by `route`, whose pair has this number: both ends are open.
    #[inline]
    pub fn send(&mut self, number: u32, route: Route, slot: u32, order: u64, flights: &mut Flights) {
        let Some(pair) = self.pairs.get_mut(number) else { return };
        let [low, high] = &mut pair.ways;
        let (there, back) = if way(route) == 0 { (low, high) } else { (high, low) };
        match (&there.stands, &back.stands) {
            (Stands::Plain { .. }, Stands::Plain { .. }) => {}
            (Stands::Nothing, Stands::Nothing) => (there.stands, back.stands) = (PLAIN, PLAIN),
            _ => {
                back.put(OPEN, flights);
                there.put(OPEN, flights);
            }
        }
        if !there.append(slot, flights) {
            there.put(Item { mark: None, slot, order }, flights);
        }
    }

    /// Nothing gets through by `route`, and so its sender will be told, by `item` in the channel back. False where it will be told
    /// anyway.
    pub fn refuse(&mut self, route: Route, order: u64, flights: &mut Flights) -> bool {
        let back = self.way(back(route));
        back.put(Item { mark: Some(Mark::Refused), slot: NONE, order }, flights);
        back.has_mark(order)
    }

    fn way(&mut self, route: Route) -> &mut Way {
        let number = self.number(route);
        self.of(number, route).expect("a pair that has a number")
    }

    /// A connection ends at its receiver, if it is open there: with what is still under way over it.
    pub fn end(&mut self, route: Route, how: Mark, order: u64, flights: &mut Flights) -> Option<UnderWay> {
        if !self.is_open(route) {
            return None;
        }
        let is_end = |item: &&Item| matches!(item.mark, Some(Mark::Broken | Mark::Ended));
        let mut over_it: UnderWay = Vec::new();
        let ended = Item { mark: Some(how), slot: NONE, order };
        self.way(route).edit(flights, |items| {
            channel::put(items, &ended, mark, |mark| Item { mark: Some(mark), ..ended });
            let ended = items.iter().rev().skip_while(is_end).take_while(|item| !is_end(item));
            over_it.extend(ended.filter(|item| item.mark.is_none()));
        });
        over_it.reverse();
        self.settle(route);
        Some(over_it)
    }

    /// Whether the receiver has an open end of the connection to the sender.
    pub fn is_open(&self, route: Route) -> bool {
        self.get(route).is_some_and(Way::is_open)
    }

    /// Takes the message of this slot out, which arrives. False where it was cut off.
    #[inline]
    pub fn arrive(&mut self, slot: u32, flights: &mut Flights) -> bool {
        let Some(&Flight { pair, route, next, .. }) = flights.get(slot) else { return false };
        let Some(way) = self.of(pair, route) else { return false };
        if let Stands::Plain { first, last } = &mut way.stands
            && *first == slot
        {
            *first = next;
            if next == NONE {
                *last = NONE;
            }
            return true;
        }
        self.arrive_otherwise(slot, route, flights)
    }

    #[cold]
    fn arrive_otherwise(&mut self, slot: u32, route: Route, flights: &mut Flights) -> bool {
        let way = self.way(route);
        let mut items = way.take_all(flights);
        let next = channel::next(&items, mark).head.copied();
        let next = next.filter(|item| flights.get(slot).is_some_and(|flight| flight.order == item.order));
        if let Some(item) = next {
            channel::take(&mut items, &item, mark);
        }
        // What does not arrive now is no longer under way, and yet stands where it stood.
        way.stands = Stands::other(items);
        if next.is_some() {
            way.edit(flights, |_| ());
            self.settle(route);
        }
        next.is_some()
    }

    /// Takes out the ends up to the mark of this order, with what they cut off, and says how they are told. None where the mark is gone,
    /// or says nothing any more.
    pub fn close(&mut self, route: Route, order: u64, flights: &mut Flights) -> Vec<Mark> {
        let mut ends = Vec::new();
        let way = self.way(route);
        if way.has_mark(order) {
            way.edit(flights, |items| {
                while let Some(end) = channel::next(items, mark).end.copied() {
                    channel::take(items, &end, mark);
                    ends.extend(end.mark);
                    if end.order == order {
                        break;
                    }
                }
            });
        }
        self.settle(route);
        ends
    }

    /// Forgets all that comes to `node`; the messages that were under way to it.
    pub fn forget(&mut self, node: NodeId, flights: &Flights) -> UnderWay {
        let mut under_way = Vec::new();
        for (carrier, src) in self.sorted(node) {
            let route = Route { carrier, src, dst: node };
            let items = self.way(route).take_all(flights);
            under_way.extend(items.into_iter().filter(|item| item.mark.is_none()));
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
        ways.filter(|route| self.get(*route).is_some_and(|way| !way.is_empty())).collect()
    }

    /// The pairs of a node, by carrier and the other end.
    fn sorted(&self, node: NodeId) -> Vec<(u8, NodeId)> {
        let mut ends: Vec<_> =
            self.ends[node.index()].iter().map(|(carrier, other, _)| (*carrier, *other)).collect();
        ends.sort_unstable();
        ends
    }

    /// Writes down what stands in every channel at `now`, and when the last message of each arrives.
    pub fn write(&self, key: &mut Key, now: u64, flights: &Flights, places: &Places) {
        let is_idle = |way: &Way| way.is_empty() && way.last <= now;
        let mut pairs: BTreeMap<Ends, [Way; 2]> = BTreeMap::new();
        for pair in self.pairs.iter().filter(|pair| !pair.ways.iter().all(is_idle)) {
            pairs.insert(pair.ends, pair.ways.clone());
        }
        for (ends, left) in self.left.iter().filter(|(_, left)| left.iter().any(|last| *last > now)) {
            pairs.insert(*ends, left.map(|last| Way { last, stands: Stands::Nothing }));
        }
        key.word(pairs.len() as u64);
        for ((carrier, low, high), ways) in pairs {
            key.route(Route { carrier, src: low, dst: high });
            ways.iter().for_each(|way| way.write(key, now, flights, places));
        }
    }

    /// Forgets a pair in which nothing stands.
    fn settle(&mut self, route: Route) {
        let Some(number) = self.find(route) else { return };
        if self.pairs.get(number).is_none_or(|pair| pair.ways.iter().any(|way| !way.is_empty())) {
            return;
        }
        let Some(Pair { ways, ends }) = self.pairs.remove(number) else { return };
        if let Ok(entry) = self.numbers.find_entry(hash(ends), |(known, _)| *known == ends) {
            entry.remove();
        }
        for (node, other) in [(route.src, route.dst), (route.dst, route.src)] {
            let ends = &mut self.ends[node.index()];
            if let Some(place) = ends.iter().position(|end| *end == (route.carrier, other, number)) {
                ends.swap_remove(place);
            }
        }
        let (last, now) = (ways.map(|way| way.last), self.now.get());
        if last.iter().any(|last| *last > now) {
            if self.left.len() >= self.left_max {
                self.left.retain(|_, left| left.iter().any(|last| *last > now));
                self.left_max = (2 * self.left.len()).max(LEFT_LEAST);
            }
            self.left.insert(ends, last);
        }
    }
}

/// Whose channel a route is.
fn ends_of(route: Route) -> Ends {
    let Route { carrier, src, dst } = route;
    if src <= dst { (carrier, src, dst) } else { (carrier, dst, src) }
}

/// Which way of its pair a route is.
fn way(route: Route) -> usize {
    usize::from(route.src > route.dst)
}

fn hash((carrier, low, high): Ends) -> u64 {
    mix((low.index() as u64) << 32 ^ high.index() as u64 ^ u64::from(carrier) << 24)
}

fn back(route: Route) -> Route {
    Route { carrier: route.carrier, src: route.dst, dst: route.src }
}
