//! Single-decree Paxos, the peer of `specs/paxos_single.mace`: three servers, and clients that put a value and then read it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, Network, Out};

const SERVERS: usize = 3;
const MAJORITY: usize = SERVERS / 2 + 1;

type Ballot = (u64, Id);
type Proposal = (Id, u32);
type Vote = (Ballot, Proposal);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    Put(u32),
    PutDone,
    Get,
    Got(u32),
    Prepare(Ballot),
    Promise(Ballot, Option<Vote>),
    Accept(Ballot, Proposal),
    Accepted(Ballot),
    Decide(Ballot, Proposal),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Server {
    promised: Option<Ballot>,
    accepted: Option<Vote>,
    proposal: Option<Proposal>,
    promises: BTreeMap<Id, Option<Vote>>,
    votes: BTreeSet<Id>,
    decided: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    Server(Server),
    Putting,
    Getting,
    Done(u32),
}

pub enum Node {
    Server,
    Client,
}

impl Actor for Node {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        match self {
            Node::Server => State::Server(Server::default()),
            Node::Client => {
                out.send(server(id, 0), Message::Put(usize::from(id) as u32));
                State::Putting
            }
        }
    }

    fn on_msg(&self, id: Id, state: &mut Cow<'_, State>, src: Id, message: Message, out: &mut Out<Self>) {
        match (&**state, message) {
            (State::Server(server), message) => {
                if let Some(server) = serve(id, server, src, message, out) {
                    *state.to_mut() = State::Server(server);
                }
            }
            (State::Putting, Message::PutDone) => {
                *state.to_mut() = State::Getting;
                out.send(server(id, 1), Message::Get);
            }
            (State::Getting, Message::Got(value)) => *state.to_mut() = State::Done(value),
            _ => {}
        }
    }
}

fn server(client: Id, offset: usize) -> Id {
    Id::from((usize::from(client) + offset) % SERVERS)
}

fn others(me: Id) -> Vec<Id> {
    (0..SERVERS).map(Id::from).filter(|id| *id != me).collect()
}

/// What a server becomes, if it changes.
fn serve(me: Id, before: &Server, src: Id, message: Message, out: &mut Out<Node>) -> Option<Server> {
    if before.decided {
        if let (Message::Get, Some((_, (_, value)))) = (message, before.accepted) {
            out.send(src, Message::Got(value));
        }
        return None;
    }
    let mut server = before.clone();
    match message {
        Message::Put(value) if server.proposal.is_none() => {
            let ballot = (server.promised.map_or(0, |ballot| ballot.0) + 1, me);
            server.proposal = Some((src, value));
            server.promised = Some(ballot);
            server.promises.insert(me, server.accepted);
            out.broadcast(&others(me), &Message::Prepare(ballot));
        }
        Message::Prepare(ballot) if server.promised < Some(ballot) => {
            server.promised = Some(ballot);
            out.send(src, Message::Promise(ballot, server.accepted));
        }
        Message::Promise(ballot, accepted) if server.promised == Some(ballot) => {
            server.promises.insert(src, accepted);
            if server.promises.len() == MAJORITY {
                let bound = server.promises.values().copied().max().flatten();
                let proposal = bound.map(|vote| vote.1).or(server.proposal)?;
                server.proposal = Some(proposal);
                server.accepted = Some((ballot, proposal));
                server.votes.insert(me);
                out.broadcast(&others(me), &Message::Accept(ballot, proposal));
            }
        }
        Message::Accept(ballot, proposal) if server.promised <= Some(ballot) => {
            server.promised = Some(ballot);
            server.accepted = Some((ballot, proposal));
            out.send(src, Message::Accepted(ballot));
        }
        Message::Accepted(ballot) if server.promised == Some(ballot) => {
            server.votes.insert(src);
            if server.votes.len() == MAJORITY {
                let proposal = server.proposal?;
                server.decided = true;
                out.broadcast(&others(me), &Message::Decide(ballot, proposal));
                out.send(proposal.0, Message::PutDone);
            }
        }
        Message::Decide(ballot, proposal) => {
            server.promised = Some(ballot);
            server.accepted = Some((ballot, proposal));
            server.decided = true;
        }
        _ => return None,
    }
    Some(server)
}

/// Three servers and so many clients; checked are agreement and that a read returns what was decided.
pub fn model(clients: usize) -> ActorModel<Node, (), ()> {
    ActorModel::new((), ())
        .actors((0..SERVERS).map(|_| Node::Server))
        .actors((0..clients).map(|_| Node::Client))
        .init_network(Network::new_unordered_nonduplicating([]))
        .property(Expectation::Always, "one", |_, state| {
            let decided = state.actor_states.iter().filter_map(|state| match &**state {
                State::Server(server) if server.decided => server.accepted.map(|vote| vote.1.1),
                State::Done(value) => Some(*value),
                _ => None,
            });
            decided.collect::<BTreeSet<u32>>().len() <= 1
        })
        .property(Expectation::Sometimes, "read", |_, state| {
            state.actor_states.iter().any(|state| matches!(&**state, State::Done(_)))
        })
}
