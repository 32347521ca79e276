//! Two-phase commit for the `stateright` crate, after Gray and Lamport: the peer of `specs/two_phase_commit.mace`.
//!
//! Arguments: how many participants, `bfs` or `dfs`, how many threads. Prints one JSON object.

use std::collections::BTreeSet;
use std::io::{self, Write};

use stateright::{Checker, Model, Property};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Participant {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Coordinator {
    Collecting,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Ready(usize),
    Commit,
    Abort,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    participants: Vec<Participant>,
    coordinator: Coordinator,
    ready: Vec<bool>,
    sent: BTreeSet<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    HearReady(usize),
    Commit,
    Abort,
    Prepare(usize),
    Refuse(usize),
    HearCommit(usize),
    HearAbort(usize),
}

struct TwoPhase {
    participants: usize,
}

impl Model for TwoPhase {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            participants: vec![Participant::Working; self.participants],
            coordinator: Coordinator::Collecting,
            ready: vec![false; self.participants],
            sent: BTreeSet::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let collecting = state.coordinator == Coordinator::Collecting;
        if collecting && state.ready.iter().all(|ready| *ready) {
            actions.push(Action::Commit);
        }
        if collecting {
            actions.push(Action::Abort);
        }
        for index in 0..self.participants {
            if collecting && state.sent.contains(&Message::Ready(index)) {
                actions.push(Action::HearReady(index));
            }
            if state.participants[index] == Participant::Working {
                actions.extend([Action::Prepare(index), Action::Refuse(index)]);
            }
            if state.sent.contains(&Message::Commit) {
                actions.push(Action::HearCommit(index));
            }
            if state.sent.contains(&Message::Abort) {
                actions.push(Action::HearAbort(index));
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::HearReady(index) => state.ready[index] = true,
            Action::Commit => {
                state.coordinator = Coordinator::Committed;
                state.sent.insert(Message::Commit);
            }
            Action::Abort => {
                state.coordinator = Coordinator::Aborted;
                state.sent.insert(Message::Abort);
            }
            Action::Prepare(index) => {
                state.participants[index] = Participant::Prepared;
                state.sent.insert(Message::Ready(index));
            }
            Action::Refuse(index) => state.participants[index] = Participant::Aborted,
            Action::HearCommit(index) => state.participants[index] = Participant::Committed,
            Action::HearAbort(index) => state.participants[index] = Participant::Aborted,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::sometimes("committed", |_, state| {
                state.participants.iter().all(|it| *it == Participant::Committed)
            }),
            Property::<Self>::sometimes("aborted", |_, state| {
                state.participants.iter().all(|it| *it == Participant::Aborted)
            }),
            Property::<Self>::always("consistent", |_, state| {
                let some = |wanted| state.participants.contains(&wanted);
                !(some(Participant::Aborted) && some(Participant::Committed))
            }),
        ]
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let participants = args.next().ok_or("how many participants?")?.parse()?;
    let search = args.next().ok_or("bfs or dfs?")?;
    let threads = args.next().map_or(Ok(1), |text| text.parse())?;
    let checker = TwoPhase { participants }.checker().threads(threads);
    let states = match search.as_str() {
        "bfs" => checker.spawn_bfs().join().unique_state_count(),
        "dfs" => checker.spawn_dfs().join().unique_state_count(),
        other => return Err(format!("`{other}` is no search: bfs or dfs").into()),
    };
    writeln!(io::stdout(), "{{\"unique_states\":{states}}}")?;
    Ok(())
}
