//! What a checkpoint takes on the wire: whole, or as a patch of an earlier one that its receiver holds.
//!
//! A simulation hands checkpoints over as they are. These are the bytes that would carry them, so that what is counted is what it would cost.

use foresee_sim::Armed;

use crate::knowledge::{Checkpoint, Sent};

/// The most products of lengths for which common runs are looked for.
const COMPARED_MAX: usize = 1 << 16;

/// A run that two texts have in common is worth an edit more if it has so many bytes.
const RUN_LEAST: usize = 4;

/// A place at which one text differs from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// How many bytes stay as they are since the edit before.
    pub kept: usize,
    /// How many bytes behind them go.
    pub gone: usize,
    /// What comes in their place.
    pub put: Vec<u8>,
}

/// A checkpoint without its head: the states, when timers are due (which are armed the states say), what was heard, what was sent and not seen.
/// Times are in milliseconds.
pub(crate) fn body(checkpoint: &Checkpoint) -> Vec<u8> {
    let Checkpoint { state, timers, heard, log, .. } = checkpoint;
    let mut bytes = Vec::new();
    for layer in state.iter().flatten() {
        // What cannot be encoded cannot be sent: the spec's own `Serialize` fails.
        bytes.extend(layer.encode().unwrap_or_default());
    }
    timers.iter().for_each(|Armed { at_nanos, .. }| number(&mut bytes, millis(*at_nanos)));
    number(&mut bytes, heard.len() as u64);
    for ((carrier, peer), last) in heard {
        bytes.push(*carrier);
        number(&mut bytes, peer.index() as u64);
        number(&mut bytes, *last);
    }
    number(&mut bytes, log.len() as u64);
    for Sent { route, number: count, at_nanos, message } in log {
        bytes.push(route.carrier);
        number(&mut bytes, route.dst.index() as u64);
        number(&mut bytes, *count);
        number(&mut bytes, millis(*at_nanos));
        bytes.extend(message.encode().unwrap_or_default());
    }
    bytes
}

fn millis(nanos: u64) -> u64 {
    nanos / 1_000_000
}

/// A number in as few groups of seven bits as it has.
fn number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// How many bytes a number takes.
pub(crate) fn length(value: u64) -> u64 {
    u64::from(value.max(1).ilog2() / 7 + 1)
}

/// What makes `new` of `old`.
pub(crate) fn patch(old: &[u8], new: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let left = differ(old, new, 0, &mut edits);
    debug_assert!(left <= old.len());
    edits
}

/// How many bytes a patch takes.
pub(crate) fn patch_bytes(edits: &[Edit]) -> u64 {
    let bytes = |edit: &Edit| {
        let head = [edit.kept, edit.gone, edit.put.len()].map(|part| length(part as u64));
        head.iter().sum::<u64>() + edit.put.len() as u64
    };
    1 + edits.iter().map(bytes).sum::<u64>()
}

/// Adds the edits of a stretch before which `kept` bytes stay; how many stay at its end.
fn differ(old: &[u8], new: &[u8], kept: usize, edits: &mut Vec<Edit>) -> usize {
    let first = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (kept, old, new) = (kept + first, &old[first..], &new[first..]);
    let last = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - last], &new[..new.len() - last]);
    if old.is_empty() && new.is_empty() {
        return kept + last;
    }
    let (from, to, run) = longest_run(old, new);
    if run < RUN_LEAST {
        edits.push(Edit { kept, gone: old.len(), put: new.to_vec() });
        return last;
    }
    let kept = differ(&old[..from], &new[..to], kept, edits);
    differ(&old[from + run..], &new[to + run..], kept + run, edits) + last
}

/// The longest run that stands in both: where, and how long it is.
fn longest_run(old: &[u8], new: &[u8]) -> (usize, usize, usize) {
    let mut best = (0, 0, 0);
    if old.len() * new.len() > COMPARED_MAX {
        return best;
    }
    // For each place of `new`, how long a run ends there and at the place of `old` before.
    let mut runs = vec![0; new.len() + 1];
    for (from, a) in old.iter().enumerate() {
        for (to, b) in new.iter().enumerate().rev() {
            runs[to + 1] = if a == b { runs[to] + 1 } else { 0 };
            let run = runs[to + 1];
            if run > best.2 {
                best = (from + 1 - run, to + 1 - run, run);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use foresee_kernel::digest::mix;

    use super::*;

    fn apply(old: &[u8], edits: &[Edit]) -> Vec<u8> {
        let (mut new, mut at) = (Vec::new(), 0);
        for Edit { kept, gone, put } in edits {
            new.extend(&old[at..at + kept]);
            new.extend(put);
            at += kept + gone;
        }
        new.extend(&old[at..]);
        new
    }

    #[test]
    fn a_patch_makes_the_new_of_the_old() {
        let mut state = 1;
        let mut below = |end: u64| {
            state = mix(state);
            state % end
        };
        for round in 0..2_000 {
            let old: Vec<u8> = (0..below(60)).map(|_| below(3) as u8).collect();
            let mut new = old.clone();
            for _ in 0..below(4) {
                let place = below(new.len() as u64 + 1) as usize;
                match below(3) {
                    0 => new.insert(place, 9),
                    1 if place < new.len() => new[place] = 7,
                    _ if place < new.len() => drop(new.remove(place)),
                    _ => new.push(5),
                }
            }
            let edits = patch(&old, &new);
            assert_eq!(apply(&old, &edits), new, "round {round}: {old:?} {edits:?}");
            assert_eq!(edits.is_empty(), old == new);
        }
    }

    #[test]
    fn two_small_changes_far_apart_are_two_small_edits() {
        let old: Vec<u8> = (0..200).collect();
        let mut new = old.clone();
        (new[10], new[150]) = (255, 254);
        let edits = patch(&old, &new);
        assert_eq!(edits.len(), 2);
        assert_eq!(patch_bytes(&edits), 1 + 4 + 5);
    }

    #[test]
    fn numbers_take_a_byte_for_seven_bits() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::MAX] {
            let mut bytes = Vec::new();
            number(&mut bytes, value);
            assert_eq!(bytes.len() as u64, length(value), "{value}");
        }
    }
}
