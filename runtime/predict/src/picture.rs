//! The picture that a node makes itself of the system: a situation put together from its knowledge.
//!
//! Others are as their newest checkpoints say, however old; nobody is aged to now. What a checkpoint says was sent, and the receiver's does
//! not say it had, is under way, and how long it still takes is drawn.

use foresee_kernel::NodeId;
use foresee_sim::{Armed, Own, Paths, Situation, UnderWay};

use crate::knowledge::{Knowledge, Sent};

/// How often a delay is drawn anew that has passed already.
const REDRAWS: u64 = 4;

/// What a picture is made of besides knowledge.
pub(crate) struct Studio<'a> {
    /// All nodes as they are once they have started.
    pub started: &'a Situation,
    pub paths: &'a Paths,
}

/// The picture that `me` has at `now_nanos`; what nobody can know is drawn under `seed`.
pub(crate) fn picture(
    studio: &Studio<'_>,
    knowledge: &Knowledge,
    (me, own): (NodeId, &Own<'_>),
    now_nanos: u64,
    seed: u64,
) -> Situation {
    let mut picture = Situation { now_nanos, ..Situation::default() };
    for index in 0..studio.started.states.len() {
        let node = NodeId::new(index as u32);
        let as_started = || studio.started.states[index].clone();
        if node == me {
            picture.states.push(own.state.clone());
            picture.timers.extend(own.timers());
            continue;
        }
        match knowledge.of(node) {
            None => {
                picture.states.push(as_started());
                let timers = studio.started.timers.iter().filter(|armed| armed.node == node);
                picture.timers.extend(timers.map(|armed| due(armed, 0, now_nanos)));
            }
            Some(checkpoint) => match &checkpoint.state {
                Some(state) => {
                    picture.states.push(state.clone());
                    let timers = checkpoint.timers.iter();
                    picture.timers.extend(timers.map(|armed| due(armed, checkpoint.at_nanos, now_nanos)));
                }
                None => {
                    picture.states.push(as_started());
                    picture.down.insert(node, false);
                }
            },
        }
    }
    let logs = knowledge.checkpoints().flat_map(|checkpoint| &checkpoint.log);
    for sent in logs.chain(knowledge.unseen()) {
        if !seen(knowledge, me, sent) {
            let at_nanos = arrival(studio.paths, sent, now_nanos, seed);
            let message = Some(sent.message.clone());
            picture.flights.push(UnderWay { route: sent.route, message, at_nanos, taken: false });
        }
    }
    picture.flights.sort_by_key(|flight| flight.at_nanos);
    picture
}

/// When a timer is due that was armed when its node was last heard of. What is overdue was armed anew, as far as one can tell.
fn due(armed: &Armed, then: u64, now: u64) -> Armed {
    let at_nanos = match armed.at_nanos {
        at if at >= now => at,
        at => now.saturating_add(at.saturating_sub(then)),
    };
    Armed { at_nanos, ..armed.clone() }
}

/// Whether a message is reflected in what is known of its receiver.
fn seen(knowledge: &Knowledge, me: NodeId, sent: &Sent) -> bool {
    let last = match sent.route.dst {
        dst if dst == me => knowledge.heard(sent.route),
        dst => knowledge
            .of(dst)
            .and_then(|checkpoint| checkpoint.heard.get(&(sent.route.carrier, sent.route.src)).copied())
            .unwrap_or_default(),
    };
    sent.number <= last
}

fn arrival(paths: &Paths, sent: &Sent, now: u64, seed: u64) -> u64 {
    let route = sent.route;
    let drawn = (0..REDRAWS)
        .filter_map(|turn| paths.nanos(seed, route.carrier, (route.src, route.dst), sent.number << 3 | turn));
    let mut at = drawn.map(|nanos| sent.at_nanos.saturating_add(nanos));
    at.find(|at| *at > now).unwrap_or(now)
}
