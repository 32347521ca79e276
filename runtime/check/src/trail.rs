//! From the log back to a path: the numbers of transitions, walked forward from a first state, become actions and tapes.

use foresee_kernel::trace::Ending;
use foresee_world::{Move, Path};

use crate::log::{Log, trail};
use crate::memo::Near;
use crate::parts::{Parts, Transition, Way};

/// A first state: its row, and the answers that the starts of its nodes were given.
pub(crate) struct Root {
    pub words: Vec<u32>,
    pub starts: Vec<Vec<u32>>,
}

/// The path to the state at `index`, and the row of that state.
pub(crate) fn path_to(parts: &Parts, roots: &[Root], logs: &[Log], index: u32) -> (Path, Vec<u32>) {
    let (root, ordinals) = trail(logs, index);
    let root = &roots[root as usize];
    let mut words = root.words.clone();
    let mut path = Path { starts: root.starts.clone(), moves: Vec::new() };
    for ordinal in ordinals {
        let (node, transition, way) = find(parts, &words, ordinal);
        apply(parts, &mut words, node, transition);
        path.moves.push(Move { action: way.action, tape: way.tape });
    }
    (path, words)
}

/// The path to the first fault of `node` in the state at `index`, and how it ends.
pub(crate) fn path_to_fault(
    parts: &Parts,
    roots: &[Root],
    logs: &[Log],
    index: u32,
    node: usize,
) -> (Path, Ending) {
    let (mut path, words) = path_to(parts, roots, logs, index);
    let mut message = String::new();
    if let Some((way, said)) = parts.fault(node, words[node], parts.ambient(&words)) {
        path.moves.push(Move { action: way.action, tape: way.tape });
        message = said;
    }
    (path, Ending::Fault { message })
}

fn find(parts: &Parts, words: &[u32], mut ordinal: u32) -> (usize, Transition, Way) {
    let ambient = parts.ambient(words);
    for (node, part) in words[..parts.nodes()].iter().enumerate() {
        let mut ways = parts.ways(node, *part, ambient);
        if (ordinal as usize) < ways.len() {
            let (transition, way) = ways.swap_remove(ordinal as usize);
            return (node, transition, way);
        }
        ordinal -= ways.len() as u32;
    }
    unreachable!("a state has as many transitions as it had when it was explored")
}

fn apply(parts: &Parts, words: &mut [u32], node: usize, transition: Transition) {
    words[node] = transition.part;
    let Some(beyond) = transition.beyond() else { return };
    let beyond = parts.beyond(beyond);
    let mut near = Near::new(4);
    for (receiver, bundle) in &beyond.sends {
        let place = *receiver as usize;
        words[place] = parts.put(&mut near, place, words[place], *bundle).0;
    }
    if let Some(ambient) = words.get_mut(parts.nodes()) {
        *ambient = beyond.ambient;
    }
}
