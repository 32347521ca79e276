//! An atomic register on three replicas (Attiya, Bar-Noy, Dolev 1995), the peer of `Register` in `specs/abd_register.mace` without
//! its crash: one writer that reads afterwards, and a reader.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, Network, Out};

const REPLICAS: usize = 3;
const MAJORITY: usize = REPLICAS / 2 + 1;

type Stamp = (u64, Option<Id>);
type Entry = (Stamp, u32);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    Query(u64),
    Found(u64, Entry),
    Record(u64, Entry),
    Recorded(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Asking,
    Recording,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    phase: Phase,
    number: u64,
    found: BTreeMap<Id, Entry>,
    entry: Entry,
    recorded: BTreeSet<Id>,
    ended: BTreeSet<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    Replica(Entry),
    Client(Client),
}

pub enum Node {
    Replica,
    Client { writes: u64, reads: u64 },
}

fn replicas() -> Vec<Id> {
    (0..REPLICAS).map(Id::from).collect()
}

impl Actor for Node {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        let entry = ((0, None), 0);
        if let Node::Replica = self {
            return State::Replica(entry);
        }
        out.broadcast(&replicas(), &Message::Query(0));
        State::Client(Client {
            phase: Phase::Asking,
            number: 0,
            found: BTreeMap::new(),
            entry,
            recorded: BTreeSet::new(),
            ended: BTreeSet::new(),
        })
    }

    fn on_msg(&self, id: Id, state: &mut Cow<'_, State>, src: Id, message: Message, out: &mut Out<Self>) {
        match (self, &**state, message) {
            (Node::Replica, State::Replica(entry), Message::Query(number)) => {
                out.send(src, Message::Found(number, *entry));
            }
            (Node::Replica, State::Replica(entry), Message::Record(number, newer)) => {
                if newer > *entry {
                    *state.to_mut() = State::Replica(newer);
                }
                out.send(src, Message::Recorded(number));
            }
            (Node::Client { writes, .. }, State::Client(before), Message::Found(number, entry))
                if before.phase == Phase::Asking && number == before.number =>
            {
                let mut client = before.clone();
                client.found.insert(src, entry);
                if client.found.len() == MAJORITY {
                    let newest = client.found.values().max().copied().unwrap_or(entry);
                    let write = ((newest.0.0 + 1, Some(id)), usize::from(id) as u32);
                    client.entry = if number < *writes { write } else { newest };
                    client.found.clear();
                    client.phase = Phase::Recording;
                    out.broadcast(&replicas(), &Message::Record(number, client.entry));
                }
                *state.to_mut() = State::Client(client);
            }
            (Node::Client { writes, reads }, State::Client(before), Message::Recorded(number))
                if before.phase == Phase::Recording && number == before.number =>
            {
                let mut client = before.clone();
                client.recorded.insert(src);
                if client.recorded.len() == MAJORITY {
                    client.ended.insert(client.entry);
                    client.recorded.clear();
                    client.number += 1;
                    client.phase = Phase::Done;
                    if client.number < writes + reads {
                        client.phase = Phase::Asking;
                        out.broadcast(&replicas(), &Message::Query(client.number));
                    }
                }
                *state.to_mut() = State::Client(client);
            }
            _ => {}
        }
    }
}

/// Three replicas, a writer that reads so often afterwards, and a reader; checked is that what an operation ended with stands at a
/// majority.
pub fn model(reads: usize) -> ActorModel<Node, (), ()> {
    ActorModel::new((), ())
        .actors((0..REPLICAS).map(|_| Node::Replica))
        .actor(Node::Client { writes: 1, reads: reads as u64 })
        .actor(Node::Client { writes: 0, reads: 1 })
        .init_network(Network::new_unordered_nonduplicating([]))
        .property(Expectation::Always, "anchored", |_, state| {
            let stored: Vec<Entry> = state.actor_states[..REPLICAS]
                .iter()
                .filter_map(|state| if let State::Replica(entry) = &**state { Some(*entry) } else { None })
                .collect();
            state.actor_states[REPLICAS..].iter().all(|state| match &**state {
                State::Client(client) => client
                    .ended
                    .iter()
                    .all(|ended| stored.iter().filter(|entry| *entry >= ended).count() >= MAJORITY),
                State::Replica(_) => true,
            })
        })
        .property(Expectation::Sometimes, "done", |_, state| {
            state.actor_states.iter().all(|state| match &**state {
                State::Client(client) => client.phase == Phase::Done,
                State::Replica(_) => true,
            })
        })
}
