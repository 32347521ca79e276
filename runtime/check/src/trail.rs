//! From the log back to a path: the numbers of transitions, walked forward from a first state, become actions and tapes.

use foresee_kernel::trace::Ending;
use foresee_world::{Move, Path};

use crate::expansion::{Transition, Way};
use crate::log::{Log, trail};
use crate::memo::Near;
use crate::parts::{Parts, Spot};
use crate::rows::Edit;

/// A first state: its row, and the path to it.
pub(crate) struct Root {
    pub words: Vec<u32>,
    pub path: Path,
}

/// The path to the state at `index`, and the row of that state.
pub(crate) fn path_to(parts: &Parts, roots: &[Root], logs: &[Log], index: u32) -> (Path, Vec<u32>) {
    let (root, ordinals) = trail(logs, index);
    let root = &roots[root as usize];
    let mut words = root.words.clone();
    let mut path = root.path.clone();
    for ordinal in ordinals {
        let way = step(parts, &mut words, ordinal);
        path.moves.push(Move { action: way.action, tape: way.tape });
    }
    (path, words)
}

/// The path to the first fault of `node` in the state at `index`, and how it ends. Past the nodes stands what concerns several.
pub(crate) fn path_to_fault(
    parts: &Parts,
    roots: &[Root],
    logs: &[Log],
    index: u32,
    node: usize,
) -> (Path, Ending) {
    let (mut path, words) = path_to(parts, roots, logs, index);
    let mut message = String::new();
    let fault = match node < parts.nodes() {
        true => parts
            .spots(&words)
            .into_iter()
            .filter(|spot| spot.index == node)
            .find_map(|spot| parts.fault(spot)),
        false => parts.several_ways(&words).1,
    };
    if let Some((way, said)) = fault {
        path.moves.push(Move { action: way.action, tape: way.tape });
        message = said;
    }
    (path, Ending::Fault { message })
}

/// Takes the transition of number `ordinal` from `words`.
fn step(parts: &Parts, words: &mut Vec<u32>, mut ordinal: u32) -> Way {
    for spot in parts.spots(words) {
        let mut ways = parts.ways(spot);
        if (ordinal as usize) < ways.len() {
            let (transition, way) = ways.swap_remove(ordinal as usize);
            apply(parts, words, spot, transition);
            return way;
        }
        ordinal -= ways.len() as u32;
    }
    // That a state has as many transitions as it had when it was explored is what numbers of transitions rest on.
    let several = parts.several(words).expect("it was explored");
    let way = parts.several_ways(words).0.swap_remove(ordinal as usize);
    words.clone_from(&several.rows[ordinal as usize]);
    way
}

/// Makes of the row of a state the row of the state after a transition at a spot.
pub(crate) fn apply(parts: &Parts, words: &mut [u32], spot: Spot, transition: Transition) {
    words[spot.index] = transition.part;
    let mut edit = Edit { took: spot.arriving.filter(|_| transition.takes()), ..Edit::default() };
    if let Some(beyond) = transition.beyond() {
        let beyond = parts.beyond(beyond);
        let mut near = Near::new(4);
        for (receiver, bundle) in &beyond.sends {
            let place = *receiver as usize;
            words[place] = parts.put(&mut near, place, words[place], *bundle).0;
        }
        if let Some(ambient) = words.get_mut(parts.nodes()) {
            *ambient = beyond.ambient;
        }
        edit.loses = beyond.loses.map(|all| (spot.index as u32, all));
        (edit.puts, edit.once) = (&beyond.puts, &beyond.once);
    }
    parts.edit(words, &edit);
}
