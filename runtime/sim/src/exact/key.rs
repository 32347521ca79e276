//! What a run may still do depends on its state: all of that, in bytes.
//!
//! Two runs of a system in one state have the same future, drawn alike. What was, and leaves no trace but in sums, is no part of it: how many
//! messages there were, when the last event came, what objectives came to ([`crate::ledger::Ledger::draw_off`] takes that
//! out). Numbers that say nothing but the order in which things came about are left out where the order does not matter, and replaced
//! by places where it does: the queue goes by time, then kind, then order, so that places in a sorted list say as much.
//!
//! Each part of a run writes down its own: it knows what of it matters.

use std::collections::BTreeMap;

use foresee_kernel::{Datum, NodeId};
use foresee_world::Route;
use xxhash_rust::xxh3::xxh3_128;

use crate::engine::Engine;
use crate::flights::Flight;
use crate::queue::Kind;
use crate::resolver::RoundRobin;

/// What tells states apart, as it is written.
#[derive(Debug, Default)]
pub(crate) struct Key {
    bytes: Vec<u8>,
    /// Whether something cannot be written, so that this state is taken to be like no other.
    alone: bool,
}

impl Key {
    pub fn word(&mut self, word: u64) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    pub fn words<const N: usize>(&mut self, words: [u64; N]) {
        words.into_iter().for_each(|word| self.word(word));
    }

    pub fn flag(&mut self, flag: bool) {
        self.bytes.push(u8::from(flag));
    }

    pub fn node(&mut self, node: NodeId) {
        self.word(node.index() as u64);
    }

    /// A number, by its bits.
    pub fn number(&mut self, number: f64) {
        self.word(number.to_bits());
    }

    pub fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub fn route(&mut self, route: Route) {
        self.word(u64::from(route.carrier));
        self.node(route.src);
        self.node(route.dst);
    }

    /// A value: by its wire form, and by its hash, which knows of its type and of what does not go over a wire.
    pub fn datum(&mut self, datum: &Datum) {
        self.word(datum.digest());
        let length = self.bytes.len();
        self.word(0);
        self.alone |= datum.encode_into(&mut self.bytes).is_err();
        let written = (self.bytes.len() - length - 8) as u64;
        self.bytes[length..length + 8].copy_from_slice(&written.to_le_bytes());
    }

    /// The hash of what was written; None where it tells nothing.
    pub fn finish(&self) -> Option<u128> {
        (!self.alone).then(|| xxh3_128(&self.bytes))
    }
}

/// The places of what is under way, by the order of its entry.
pub(crate) type Places = BTreeMap<u64, u64>;

/// Something that may still happen.
enum Coming<'a> {
    Plan(u32),
    Flight(&'a Flight),
    Timer(NodeId, u8, &'a Datum),
}

impl Engine {
    /// Writes down the state, in which nothing is to happen before the time of the clock.
    pub fn write(&mut self, key: &mut Key, turns: &RoundRobin) {
        let now = self.now.get();
        key.word(now);
        for state in &self.states {
            key.word(state.len() as u64);
            state.iter().for_each(|layer| key.datum(layer));
        }
        key.word(self.ambient.down.len() as u64);
        for (node, back) in &self.ambient.down {
            key.node(*node);
            key.flag(*back);
        }
        key.word(self.ambient.parted.len() as u64);
        for (side, heals) in &self.ambient.parted {
            key.word(side.len() as u64);
            side.iter().for_each(|node| key.node(*node));
            key.flag(*heals);
        }
        let places = self.write_coming(key);
        if let Some(channels) = &self.channels {
            channels.write(key, now, &self.flights, &places);
        }
        self.network.write(key, now);
        self.requests.write(key);
        self.schedule.write(key, &self.model);
        if let Some(watch) = &self.watch {
            watch.write(key);
        }
        if let Some(gauge) = &self.gauge {
            gauge.write(key);
        }
        self.ledger.write(key);
        key.word(turns.0.len() as u64);
        for ((node, service, site), turn) in &turns.0 {
            key.node(*node);
            key.text(service);
            key.text(site.name);
            key.word(u64::from(site.line));
            key.word(u64::from(*turn));
        }
    }

    /// Writes down what may still happen, in its order; the places of what is under way.
    fn write_coming(&self, key: &mut Key) -> Places {
        let beyond = |at: u64| self.end.is_some_and(|end| at > end.at);
        // What a partition holds back comes for itself, then what is queued.
        let held = self.held.iter().map(|entry| (false, entry));
        let queued = self.queue.entries().map(|entry| (true, entry));
        let mut coming = Vec::new();
        for (queued, entry) in held.chain(queued) {
            let what = match entry.kind() {
                Kind::Plan => Coming::Plan(entry.slot),
                Kind::Delivery => match self.flights.get(entry.slot) {
                    Some(flight) if flight.order == entry.order() => Coming::Flight(flight),
                    _ => continue,
                },
                // The timers know better when they are due.
                Kind::Timer => continue,
            };
            coming.push(((queued, entry.at, entry.kind(), entry.order()), what));
        }
        for (at, order, node, layer, timer) in self.timers.all().filter(|it| !beyond(it.0)) {
            coming.push(((true, at, Kind::Timer, order), Coming::Timer(node, layer, timer)));
        }
        coming.sort_unstable_by_key(|(order, _)| *order);
        let places: Places = (1..).zip(&coming).map(|(place, ((.., order), _))| (*order, place)).collect();
        key.word(coming.len() as u64);
        for ((queued, at, kind, _), what) in coming {
            key.flag(queued);
            key.word(at);
            key.word(kind as u64);
            match what {
                Coming::Plan(slot) => self.schedule.write_planned(key, slot, &places),
                Coming::Flight(flight) => flight.write(key),
                Coming::Timer(node, layer, timer) => {
                    key.node(node);
                    key.word(u64::from(layer));
                    key.datum(timer);
                }
            }
        }
        places
    }
}
