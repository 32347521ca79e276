//! States as rows of numbers: what stands where, and back to worlds.
//!
//! A row has the number of each node's part; the number of the ambient, where it can change; and, where what is in no order is kept flat
//! ([`Layout::Flat`]), these messages one by one: so many in the row itself, the least numbers first, and the number of a list of the
//! rest. One world has one row, whatever led to it.

use foresee_kernel::digest::mix;
use foresee_world::{Ambient, Direct, Discipline, Program, World};

use crate::intern::{Interned, NOBODY};
use crate::parts::{Parts, Spot};

/// Sets messages apart from parts in second fingerprints.
const SECOND: u64 = 1 << 63;

/// How what is under way is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// With the part of its receiver: what is under way to a node and the node's state have one number. Where few such pairs make up many
    /// states, nothing is faster.
    Channels,
    /// What is in no order, one by one: a node's state has a number, and so has each message. Where almost every state has inboxes of its
    /// own, nothing else can be remembered.
    Flat {
        /// How many messages stand in the row itself.
        inline: usize,
    },
}

/// The messages of a row that are no part's, in the order of their numbers.
#[derive(Clone, Copy)]
pub(crate) struct Flight<'p> {
    /// As they stand in the row: each number plus 1, and 0 where nothing is.
    inline: &'p [u32],
    rest: &'p [u32],
}

impl<'p> Flight<'p> {
    pub(crate) fn iter(self) -> impl Iterator<Item = u32> + 'p {
        self.inline.iter().map_while(|word| word.checked_sub(1)).chain(self.rest.iter().copied())
    }

    pub(crate) fn contains(self, envelope: u32) -> bool {
        self.inline.contains(&(envelope + 1)) || self.rest.binary_search(&envelope).is_ok()
    }

    pub(crate) fn len(self) -> usize {
        self.inline.iter().take_while(|word| **word != 0).count() + self.rest.len()
    }
}

/// What becomes of the messages of a row that are no part's.
#[derive(Clone, Copy, Default)]
pub(crate) struct Edit<'e> {
    /// The message that is not under way any more.
    pub took: Option<u32>,
    /// The node to which all is lost, or what it sent itself.
    pub loses: Option<(u32, bool)>,
    /// What is sent.
    pub puts: &'e [u32],
    /// What is sent and is there once.
    pub once: &'e [u32],
}

impl Parts {
    /// How many numbers a state is.
    pub(crate) fn stride(&self) -> usize {
        let tail = match self.layout {
            Layout::Channels => 0,
            Layout::Flat { inline } => inline + 1,
        };
        self.head() + tail
    }

    /// Where the messages of a row begin.
    fn head(&self) -> usize {
        self.places.len() + usize::from(self.changes)
    }

    /// Whether the messages of a carrier of this discipline are kept apart from parts.
    pub(crate) fn is_flat(&self, discipline: Discipline) -> bool {
        self.layout != Layout::Channels && discipline != Discipline::Fifo
    }

    /// How the carrier of a message treats it.
    pub(crate) fn discipline(&self, envelope: u32) -> Discipline {
        self.program.disciplines()[usize::from(self.program.route(&envelope).carrier)]
    }

    /// Whether a message that is sent is there once, however often it is sent.
    pub(crate) fn is_once(&self, envelope: u32) -> bool {
        let route = self.program.route(&envelope);
        self.discipline(envelope) == Discipline::Set && route.src != route.dst
    }

    /// The messages of a row that are no part's.
    #[inline]
    pub(crate) fn flight<'p>(&'p self, words: &'p [u32]) -> Flight<'p> {
        let Layout::Flat { inline } = self.layout else { return Flight { inline: &[], rest: &[] } };
        let (inline, rest) = words[self.head()..self.stride()].split_at(inline);
        let rest = rest[0].checked_sub(1).map_or(&[][..], |rest| self.overflow.get(rest));
        Flight { inline, rest }
    }

    /// Where something may happen to a state, in the order in which transitions are numbered.
    pub(crate) fn spots(&self, words: &[u32]) -> Vec<Spot> {
        let ambient = self.ambient(words);
        let parts = words[..self.nodes()].iter().enumerate();
        let mut spots: Vec<Spot> =
            parts.map(|(index, part)| Spot { index, part: *part, ambient, arriving: None }).collect();
        let mut before = None;
        for envelope in self.flight(words).iter() {
            if before.replace(envelope) != Some(envelope) {
                let index = self.receiver(envelope) as usize;
                spots.push(Spot { index, part: words[index], ambient, arriving: Some(envelope) });
            }
        }
        spots
    }

    /// Changes the messages of a row that are no part's.
    pub(crate) fn edit(&self, words: &mut [u32], edit: &Edit<'_>) {
        let Layout::Flat { inline } = self.layout else { return };
        let (head, end) = (self.head(), self.stride());
        let tail = &mut words[head..end];
        let few = tail[inline] == 0 && edit.loses.is_none();
        let length = tail[..inline].iter().take_while(|word| **word != 0).count();
        if few && length + edit.puts.len() + edit.once.len() <= inline {
            return short(&mut tail[..inline], length, edit);
        }
        let mut all: Vec<u32> = self.flight(words).iter().collect();
        if let Some(took) = edit.took {
            all.remove(all.binary_search(&took).expect("only what is in flight is taken"));
        }
        if let Some((node, whole)) = edit.loses {
            all.retain(|envelope| !self.is_lost(*envelope, node, whole));
        }
        all.extend_from_slice(edit.puts);
        all.extend(edit.once.iter().filter(|envelope| !all.contains(envelope)).copied().collect::<Vec<_>>());
        self.write(words, all);
    }

    /// Whether a message that is no part's is lost where `node` loses all that is under way to it, or what it sent itself.
    pub(crate) fn is_lost(&self, envelope: u32, node: u32, all: bool) -> bool {
        let route = self.program.route(&envelope);
        route.dst.index() as u32 == node && (all || route.src == route.dst)
    }

    /// Writes the messages of a row that are no part's.
    fn write(&self, words: &mut [u32], mut all: Vec<u32>) {
        let Layout::Flat { inline } = self.layout else { return };
        all.sort_unstable();
        let tail = &mut words[self.head()..self.stride()];
        let here = all.len().min(inline);
        tail.fill(0);
        tail.iter_mut().zip(&all[..here]).for_each(|(word, envelope)| *word = envelope + 1);
        if here < all.len() {
            self.flight_max.fetch_max(all.len(), std::sync::atomic::Ordering::Relaxed);
            tail[inline] = self.overflow_id(&all[here..]) + 1;
        }
    }

    /// A state as a row of numbers.
    pub(crate) fn encode_interned(&self, world: &World<Interned>) -> Vec<u32> {
        let mut ambient = world.ambient.clone();
        let mut words = Vec::with_capacity(self.stride());
        let disciplines = self.program.disciplines();
        for (index, node) in world.nodes.iter().enumerate() {
            let mut part = self.bare(index, *node, self.first());
            let queues = world.carriers.iter().zip(&mut part.carriers).zip(disciplines);
            for ((queue, kept), _) in queues.filter(|(_, discipline)| !self.is_flat(**discipline)) {
                let here = |envelope: &&u32| self.receiver(**envelope) as usize == index;
                kept.extend(queue.iter().filter(here));
            }
            let counters = self.locals[index].split(&mut ambient);
            words.push(self.part_id(index, &part, &counters));
        }
        let ambient = self.ambient_id(&ambient);
        words.resize(self.head(), ambient);
        words.resize(self.stride(), 0);
        let queues = world.carriers.iter().zip(disciplines);
        let flat = queues.filter(|(_, discipline)| self.is_flat(**discipline));
        self.write(&mut words, flat.flat_map(|(queue, _)| queue.iter().copied()).collect());
        words
    }

    /// A part with nothing under way.
    pub(crate) fn bare(&self, index: usize, node: u32, ambient: &Ambient) -> World<Interned> {
        let mut nodes = vec![NOBODY; self.places.len()];
        nodes[index] = node;
        let carriers = vec![Vec::new(); self.program.model().carriers.len()];
        World { nodes, carriers, ambient: ambient.clone() }
    }

    /// The world of a part, of which the other nodes are left out.
    pub(crate) fn world(&self, index: usize, part: u32, ambient: u32) -> World<Interned> {
        let words = &self.part(index, part).words;
        let mut world = self.bare(index, words[0], self.ambients.get(ambient));
        self.join(index, part, &mut world.ambient);
        let mut rest = &words[1 + self.locals[index].len()..];
        for queue in &mut world.carriers {
            let (length, tail) = rest.split_first().expect("a length for each carrier");
            let (envelopes, tail) = tail.split_at(*length as usize);
            queue.extend_from_slice(envelopes);
            rest = tail;
        }
        world
    }

    /// Puts the counters of a part into `ambient`.
    fn join(&self, index: usize, part: u32, ambient: &mut Ambient) {
        let locals = &self.locals[index];
        locals.join(&self.part(index, part).words[1..=locals.len()], ambient);
    }

    /// The fingerprint of a state: the digest of its world.
    pub(crate) fn fingerprint(&self, words: &[u32]) -> u64 {
        let ambient = self.ambient_digest(self.ambient(words));
        let parts = words[..self.places.len()].iter().enumerate();
        let sum = parts.fold(ambient, |sum, (index, part)| sum.wrapping_add(self.part(index, *part).digest));
        let flight = self.flight(words).iter();
        flight.fold(sum, |sum, envelope| sum.wrapping_add(self.program.envelope_digest(&envelope)))
    }

    /// A fingerprint of the numbers of a row. They are not the same in every run, and exact within one.
    pub(crate) fn second(&self, words: &[u32]) -> u64 {
        let head = words[..self.head()].iter().enumerate();
        let head = head.fold(0, |sum: u64, (place, word)| {
            sum.wrapping_add(mix((place as u64 + 1) << 32 | u64::from(*word)))
        });
        let flight = self.flight(words).iter().map(|envelope| mix(SECOND ^ u64::from(envelope)));
        flight.fold(head, u64::wrapping_add)
    }

    /// How many messages are under way.
    pub(crate) fn in_flight(&self, words: &[u32]) -> usize {
        let parts = words[..self.places.len()].iter().enumerate();
        let parts: usize = parts.map(|(node, part)| self.part(node, *part).messages as usize).sum();
        parts + self.flight(words).len()
    }

    /// The world of a state.
    pub(crate) fn decode(&self, words: &[u32]) -> World<Interned> {
        let ambient = self.ambient(words);
        let mut world = self.world(0, words[0], ambient);
        for (index, part) in words[..self.nodes()].iter().enumerate().skip(1) {
            let other = self.world(index, *part, ambient);
            world.nodes[index] = other.nodes[index];
            for (queue, more) in world.carriers.iter_mut().zip(other.carriers) {
                queue.extend(more);
            }
            self.join(index, *part, &mut world.ambient);
        }
        for envelope in self.flight(words).iter() {
            world.carriers[usize::from(self.program.route(&envelope).carrier)].push(envelope);
        }
        // Parts are put together in the order of receivers, and queues are kept in another.
        for (queue, discipline) in world.carriers.iter_mut().zip(self.program.disciplines()) {
            match discipline {
                Discipline::Fifo => queue.sort_by_key(|envelope| {
                    let route = self.program.route(envelope);
                    (route.src, route.dst)
                }),
                Discipline::Bag | Discipline::Set => queue.sort_unstable(),
            }
        }
        world
    }

    /// The row of a world by values.
    pub(crate) fn encode(&self, world: &World<Direct>) -> Vec<u32> {
        let nodes = world.nodes.iter().map(|node| self.program.node(node)).collect();
        let number = |queue: &Vec<_>| queue.iter().map(|envelope| self.program.envelope(envelope)).collect();
        let carriers: Vec<Vec<u32>> = world.carriers.iter().map(number).collect();
        let mut interned = World::<Interned> { nodes, carriers, ambient: world.ambient.clone() };
        // By values, the order of what is in no order is that of values.
        for (queue, discipline) in interned.carriers.iter_mut().zip(self.program.disciplines()) {
            if *discipline != Discipline::Fifo {
                queue.sort_unstable();
            }
        }
        self.encode_interned(&interned)
    }
}

/// Changes the messages of a row where all stay in it: `length` of these places are taken.
fn short(places: &mut [u32], mut length: usize, edit: &Edit<'_>) {
    if let Some(took) = edit.took {
        let place = places[..length].iter().position(|word| *word == took + 1);
        let place = place.expect("only what is in flight is taken");
        places.copy_within(place + 1..length, place);
        length -= 1;
        places[length] = 0;
    }
    let mut put = |word: u32, is_once: bool| {
        let place = places[..length].partition_point(|other| *other < word);
        if is_once && place < length && places[place] == word {
            return;
        }
        places.copy_within(place..length, place + 1);
        places[place] = word;
        length += 1;
    };
    edit.puts.iter().for_each(|envelope| put(envelope + 1, false));
    edit.once.iter().for_each(|envelope| put(envelope + 1, true));
}
