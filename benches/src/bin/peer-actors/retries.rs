//! Single-decree Paxos on five servers with timers that propose again, the peer of `specs/paxos_retries.mace`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use stateright::Expectation;
use stateright::actor::{Actor, ActorModel, Id, Network, Out, model_timeout};

const SERVERS: usize = 5;
const MAJORITY: usize = SERVERS / 2 + 1;

type Ballot = (u64, Id);
type Vote = (Ballot, Id);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    Prepare(Ballot),
    Promise(Ballot, Option<Vote>),
    Accept(Vote),
    Accepted(Ballot),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    promised: Option<Ballot>,
    accepted: Option<Vote>,
    round: u64,
    promises: BTreeMap<Id, Option<Vote>>,
    votes: BTreeSet<Id>,
    chosen: Option<Id>,
}

pub struct Server {
    /// How many ballots it may start.
    rounds: u64,
}

fn others(me: Id) -> Vec<Id> {
    (0..SERVERS).map(Id::from).filter(|id| *id != me).collect()
}

impl Actor for Server {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        if self.rounds > 0 {
            out.set_timer((), model_timeout());
        }
        State::default()
    }

    fn on_timeout(&self, me: Id, state: &mut Cow<'_, State>, (): &(), out: &mut Out<Self>) {
        if state.chosen.is_some() {
            return;
        }
        let server = state.to_mut();
        server.round += 1;
        server.promises.clear();
        server.votes.clear();
        let mine = (server.round, me);
        out.broadcast(&others(me), &Message::Prepare(mine));
        server.promised = server.promised.max(Some(mine));
        if server.promised == Some(mine) {
            server.promises.insert(me, server.accepted);
        }
        if server.round < self.rounds {
            out.set_timer((), model_timeout());
        }
    }

    fn on_msg(&self, me: Id, state: &mut Cow<'_, State>, src: Id, message: Message, out: &mut Out<Self>) {
        let mine = (state.round, me);
        match message {
            Message::Prepare(ballot) if state.promised < Some(ballot) => {
                let server = state.to_mut();
                server.promised = Some(ballot);
                out.send(src, Message::Promise(ballot, server.accepted));
            }
            Message::Promise(ballot, accepted)
                if ballot == mine && state.promised == Some(mine) && state.promises.len() < MAJORITY =>
            {
                let server = state.to_mut();
                server.promises.insert(src, accepted);
                if server.promises.len() == MAJORITY {
                    let bound = server.promises.values().copied().max().flatten();
                    let vote = (ballot, bound.map_or(me, |vote| vote.1));
                    server.accepted = Some(vote);
                    server.votes.insert(me);
                    out.broadcast(&others(me), &Message::Accept(vote));
                }
            }
            Message::Accept(vote) if state.promised <= Some(vote.0) => {
                let server = state.to_mut();
                server.promised = Some(vote.0);
                server.accepted = Some(vote);
                out.send(src, Message::Accepted(vote.0));
            }
            Message::Accepted(ballot) if ballot == mine && state.chosen.is_none() => {
                let server = state.to_mut();
                server.votes.insert(src);
                if server.votes.len() == MAJORITY {
                    server.chosen = server.accepted.map(|vote| vote.1);
                }
            }
            _ => {}
        }
    }
}

/// Five servers, of which the first two propose, each up to so many times.
pub fn model(rounds: usize) -> ActorModel<Server, (), ()> {
    let server = |index: usize| Server { rounds: if index < PROPOSERS { rounds as u64 } else { 0 } };
    ActorModel::new((), ())
        .actors((0..SERVERS).map(server))
        .init_network(Network::new_unordered_nonduplicating([]))
        .property(Expectation::Always, "agree", |_, state| {
            let chosen = state.actor_states.iter().filter_map(|state| state.chosen);
            chosen.collect::<BTreeSet<Id>>().len() <= 1
        })
        .property(Expectation::Sometimes, "chosen", |_, state| {
            state.actor_states.iter().any(|state| state.chosen.is_some())
        })
}

const PROPOSERS: usize = 2;
