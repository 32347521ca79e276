//! What is under way: messages, and word of the ends of connections.
//!
//! Each has a number that is used again. It is written field by field where it stays, and read so: what is put together elsewhere and moved
//! as a whole waits for its parts.

use foresee_kernel::{Datum, NodeId};
use foresee_world::Route;

use crate::channels::NONE;
use crate::exact::key::Key;
use crate::fetch::fetch;

/// A message under way, in a line of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Flight {
    pub route: Route,
    /// None in a place that is free.
    pub message: Option<Datum>,
    /// The order of its entry in the queue: an entry of another order is none of its own.
    pub order: u64,
    /// Whether it is no message but word of the end of a connection.
    pub mark: bool,
    /// What the policy's witness attached to it.
    pub attached: u64,
    /// How far it has come.
    pub stage: Stage,
    /// The number of the pair in whose channels it stands; none where it stands in no channel.
    pub pair: u32,
    /// The slot of the message behind it in its channel, as [`crate::channels::Channels`] has it.
    pub next: u32,
}

/// How far a message under way has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its entry in the queue is when it comes to its receiver.
    Under,
    /// Its receiver has it, and will be told when it has done its work.
    Taken,
    /// Its connection does not get it through; its entry is when the patience ends.
    Stuck,
}

impl Flight {
    /// A message that sets out, and stands in no channel.
    #[inline(always)]
    pub fn new(route: Route, message: Datum, order: u64) -> Self {
        let message = Some(message);
        let (mark, stage) = (false, Stage::Under);
        Flight { route, message, order, mark, attached: 0, stage, pair: NONE, next: NONE }
    }

    /// Writes down what it is. Its order, and what is behind it in its channel, is for others to say.
    pub fn write(&self, key: &mut Key) {
        let Flight { route, message, order: _, mark, attached, stage, pair, next: _ } = self;
        key.route(*route);
        message.iter().for_each(|message| key.datum(message));
        key.flag(*mark);
        key.word(*attached);
        key.word(*stage as u64);
        key.flag(*pair != NONE);
    }

    /// The message, or what stands for one.
    #[inline(always)]
    pub fn message(&self) -> &Datum {
        self.message.as_ref().expect("what is under way is something")
    }
}

/// All that is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flights {
    places: Vec<Flight>,
    free: Vec<u32>,
    own: Own,
}

impl Flights {
    /// Something is under way; the number is its own until it is taken out.
    #[inline(always)]
    pub fn insert(&mut self, flight: Flight) -> u32 {
        let (order, is_own) = (flight.order, flight.mark || flight.route.src == flight.route.dst);
        let slot = match self.free.pop() {
            Some(slot) => {
                let place = &mut self.places[slot as usize];
                let Flight { route, message, order, mark, attached, stage, pair, next } = flight;
                (place.route, place.order, place.mark, place.attached) = (route, order, mark, attached);
                (place.stage, place.pair, place.next) = (stage, pair, next);
                place.message = message;
                // In a burst the place that is taken next was free for long.
                if let Some(next) = self.free.last() {
                    fetch(self.place(*next));
                }
                slot
            }
            None => self.insert_anew(flight),
        };
        if is_own {
            self.note_own(slot, order);
        }
        slot
    }

    #[cold]
    fn insert_anew(&mut self, flight: Flight) -> u32 {
        let slot = u32::try_from(self.places.len()).expect("fewer than 2^32 values at a time");
        self.places.push(flight);
        slot
    }

    /// Where something is, to be fetched ahead.
    #[inline]
    pub fn place(&self, slot: u32) -> *const Flight {
        self.places.as_ptr().wrapping_add(slot as usize)
    }

    #[inline(always)]
    pub fn get(&self, slot: u32) -> Option<&Flight> {
        self.places.get(slot as usize).filter(|flight| flight.message.is_some())
    }

    #[inline(always)]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Flight> {
        self.places.get_mut(slot as usize).filter(|flight| flight.message.is_some())
    }

    /// What is under way by its numbers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Flight)> {
        let places = self.places.iter().enumerate();
        places.filter(|(_, flight)| flight.message.is_some()).map(|(slot, flight)| (slot as u32, flight))
    }

    /// Takes something out: the message, or what stands for one.
    #[inline(always)]
    pub fn remove(&mut self, slot: u32) -> Option<Datum> {
        let message = self.places.get_mut(slot as usize)?.message.take()?;
        self.free.push(slot);
        Some(message)
    }

    #[inline(never)]
    fn note_own(&mut self, slot: u32, order: u64) {
        if self.own.flights.len() >= self.own.most {
            self.keep_own();
            self.own.most = (2 * self.own.flights.len()).max(OWN_LEAST);
        }
        self.own.flights.push((slot, order));
    }

    fn keep_own(&mut self) {
        let places = &self.places;
        self.own.flights.retain(|(slot, order)| {
            let flight = &places[*slot as usize];
            flight.order == *order && flight.message.is_some()
        });
    }

    /// What is under way from `node` to itself, and word to it of the ends of connections.
    pub fn own(&mut self, node: NodeId) -> Vec<u32> {
        self.keep_own();
        let slots = self.own.flights.iter().map(|(slot, _)| *slot);
        slots.filter(|slot| self.places[*slot as usize].route.dst == node).collect()
    }
}

/// What a crash of its receiver takes with it, though it stands in no channel: messages of a node to itself and word of the ends of
/// connections, by slot and order. Some of it may have arrived.
#[derive(Clone, Debug, Default)]
struct Own {
    flights: Vec<(u32, u64)>,
    /// How many there may be before what has arrived is left out.
    most: usize,
}

const OWN_LEAST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(src: u32, dst: u32, order: u64) -> Flight {
        let route = Route { carrier: 0, src: NodeId::new(src), dst: NodeId::new(dst) };
        Flight::new(route, Datum::new(order), order)
    }

    #[test]
    fn numbers_are_used_again() {
        let mut flights = Flights::default();
        let (a, b) = (flights.insert(flight(0, 1, 1)), flights.insert(flight(1, 2, 2)));
        let taken = flights.remove(a).expect("it is under way");
        assert_eq!(taken.get(), Some(&1_u64));
        assert!(flights.remove(a).is_none() && flights.get(a).is_none());
        assert_eq!(flights.iter().map(|(slot, it)| (slot, it.order)).collect::<Vec<_>>(), [(b, 2)]);
        assert_eq!(flights.insert(flight(0, 1, 3)), a);
        assert_eq!(flights.get(a).map(|it| it.order), Some(3));
    }

    #[test]
    fn what_is_a_nodes_own_is_found_as_long_as_it_is_under_way() {
        let mut flights = Flights::default();
        for order in 0..1_000 {
            let slot = flights.insert(flight(order as u32 % 2, 1, order));
            if order % 100 != 1 {
                flights.remove(slot);
            }
        }
        let marks = [1, 2].map(|dst| flights.insert(Flight { mark: true, ..flight(0, dst, 2_000) }));
        let mut own: Vec<u64> =
            flights.own(NodeId::new(1)).iter().map(|it| flights.places[*it as usize].order).collect();
        own.sort_unstable();
        assert_eq!(own, [1, 101, 201, 301, 401, 501, 601, 701, 801, 901, 2_000]);
        assert_eq!(flights.own(NodeId::new(2)), [marks[1]]);
        assert!(flights.own.flights.len() < 100);
    }
}
