//! What becomes of a message at the end of its way: it waits for its receiver, is dropped by one that has too much to do, or is given
//! up by its connection.

use foresee_kernel::NodeId;
use foresee_world::{Action, Envelope, Route};

use crate::engine::Engine;
use crate::flights::{Flight, Stage};
use crate::queue::{Entry, Kind};

impl Engine {
    /// Whether what has come up is delivered now. If not, it waits for its receiver, or is gone.
    pub fn comes_in(&mut self, entry: Entry) -> bool {
        let Some(flight) = self.flights.get(entry.slot) else { return false };
        let Flight { route, stage, mark, .. } = *flight;
        let at = entry.at.max(self.now.get());
        match stage {
            Stage::Taken => return true,
            Stage::Stuck => {
                self.now.set(at);
                // Where the system lets no connection break it is as if the path had recovered.
                let broken = self.give_up(route);
                if broken {
                    self.flights.remove(entry.slot);
                }
                return !broken;
            }
            Stage::Under if route.src == route.dst || !self.ambient.up(route.dst) => return true,
            Stage::Under => {}
        }
        let taken = match mark {
            // Word of an end takes no work, and overtakes nothing.
            true => Some(self.network.idle_at(at, route.dst)),
            false => {
                let insists = self.network.is_ordered(route.carrier);
                let bytes = flight.message().encoded_len() as u64;
                let draw = &mut self.draws.work(route.dst);
                self.network.take_in(draw, at, route.dst, bytes, insists)
            }
        };
        match taken {
            Some(done) if done <= at => return true,
            Some(done) => {
                if let Some(flight) = self.flights.get_mut(entry.slot) {
                    flight.stage = Stage::Taken;
                }
                let node = route.dst.index() as u32;
                self.queue.push(Entry::new(done, Kind::Delivery, entry.order(), entry.slot, node));
            }
            None => {
                self.now.set(at);
                if let Some(message) = self.flights.remove(entry.slot) {
                    match self.network.is_told(route.carrier) {
                        true => self.tell(Action::Drop(Envelope { route, message })),
                        false => self.scratch.keep(message),
                    }
                }
            }
        }
        false
    }

    /// A partition holds a message back; a connection waits for it as long as it has patience.
    pub fn hold_back(&mut self, entry: Entry) {
        self.held.push(entry);
        let ordered = |flight: &Flight| self.is_channel(flight.route);
        if let Some(patience) = self.network.patience()
            && self.flights.get(entry.slot).is_some_and(ordered)
        {
            self.plan_giving_up(entry.at.saturating_add(patience), entry.slot, entry.order());
        }
    }

    /// The patience with a message that a partition held back is at its end.
    pub fn give_up_held(&mut self, slot: u32, order: u64) {
        let held = self.flights.get(slot).filter(|flight| flight.order == order).map(|flight| flight.route);
        if let Some(route) = held.filter(|route| !self.ambient.joined(route.src, route.dst)) {
            self.give_up(route);
        }
    }

    /// A connection breaks because it gets nothing through. False where the system does not let it.
    fn give_up(&mut self, route: Route) -> bool {
        let Route { carrier, src, dst } = route;
        let ends: (NodeId, NodeId) = (src.min(dst), src.max(dst));
        let at_low = Route { carrier, src: ends.1, dst: ends.0 };
        if !self.channels.as_ref().is_some_and(|channels| channels.is_open(at_low)) {
            return false;
        }
        let Some(line) = self.line_of_cuts(ends) else { return false };
        self.count(line);
        self.cut(line as u32, carrier, ends);
        true
    }
}
