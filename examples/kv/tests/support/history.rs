//! Histories of a register for each key, and whether they are linearizable.
//!
//! The search is that of Wing and Gong (1993) with the memory of Lowe (2017): operations are taken one after another, each
//! before any that began after it had ended, and a set of taken operations with a value is never visited twice. An operation
//! whose outcome is not known may be taken at any time after it began, or never; those whose value nobody saw are left out.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What was asked of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Its value.
    Get,
    /// Another value.
    Put(String),
    /// Another value where it is the first.
    Swap(Option<String>, String),
}

/// An operation on one key.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was asked.
    pub op: Op,
    /// When it began.
    pub began: u64,
    /// When it ended, whether it was done, and the value before it; None where that is not known.
    pub ended: Option<(u64, bool, Option<String>)>,
}

impl Call {
    fn end(&self) -> u64 {
        self.ended.as_ref().map_or(u64::MAX, |(at, ..)| *at)
    }

    /// The value after the operation, if it can be taken at `value`.
    fn take(&self, value: &Option<String>) -> Option<Option<String>> {
        let (done, after) = match &self.op {
            Op::Get => (true, value.clone()),
            Op::Put(to) => (true, Some(to.clone())),
            Op::Swap(from, to) if from == value => (true, Some(to.clone())),
            Op::Swap(..) => (false, value.clone()),
        };
        match &self.ended {
            Some((_, said, before)) => (*said == done && before == value).then_some(after),
            None => Some(after),
        }
    }
}

/// Whether the calls on one key, in any order, are linearizable. No two of them write the same value.
pub fn linearizable(calls: &[Call]) -> bool {
    // What nobody has seen of a call without an answer may as well never have been done: whatever came right after it has no answer
    // either, and may be left out likewise.
    let seen: BTreeSet<&String> = calls
        .iter()
        .filter_map(|it| it.ended.as_ref())
        .filter_map(|(_, _, before)| before.as_ref())
        .collect();
    let matters = |call: &&Call| match &call.op {
        _ if call.ended.is_some() => true,
        Op::Get => false,
        Op::Put(to) | Op::Swap(_, to) => seen.contains(to),
    };
    let mut calls: Vec<&Call> = calls.iter().filter(matters).collect();
    calls.sort_by_key(|call| call.began);
    let mut visited = BTreeSet::new();
    let mut open = vec![(Taken::default(), None::<String>)];
    while let Some((taken, value)) = open.pop() {
        // Whoever began after somebody left had ended cannot be next.
        let (mut first_end, mut left) = (u64::MAX, Vec::new());
        for (place, call) in calls.iter().enumerate().skip(taken.all_below) {
            if call.began > first_end {
                break;
            }
            if !taken.beyond.contains(&place) {
                first_end = first_end.min(call.end());
                left.push(place);
            }
        }
        if first_end == u64::MAX {
            return true;
        }
        // The last that is put on the pile is tried first: one that has an answer, the earliest.
        left.sort_by_key(|place| (calls[*place].ended.is_some(), Reverse(*place)));
        for place in left.into_iter().filter(|place| calls[*place].began <= first_end) {
            if let Some(after) = calls[place].take(&value) {
                let next = (taken.with(place), after);
                if visited.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    false
}

/// The calls that were taken: all below a place, and some beyond it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    all_below: usize,
    beyond: BTreeSet<usize>,
}

impl Taken {
    fn with(&self, place: usize) -> Self {
        let mut next = self.clone();
        next.beyond.insert(place);
        while next.beyond.remove(&next.all_below) {
            next.all_below += 1;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn get(began: u64, ended: u64, value: Option<String>) -> Call {
        Call { op: Op::Get, began, ended: Some((ended, true, value)) }
    }

    fn put(began: u64, ended: u64, value: &str, before: Option<String>) -> Call {
        Call { op: Op::Put(value.to_owned()), began, ended: Some((ended, true, before)) }
    }

    fn unknown(began: u64, value: &str) -> Call {
        Call { op: Op::Put(value.to_owned()), began, ended: None }
    }

    #[test]
    fn histories_are_told_apart() {
        assert!(linearizable(&[]));
        assert!(linearizable(&[put(0, 1, "a", None), get(2, 3, some("a"))]));
        assert!(!linearizable(&[put(0, 1, "a", None), get(2, 3, None)]), "a lost write");
        assert!(linearizable(&[put(0, 5, "a", None), get(2, 3, None)]), "at once");
        assert!(
            !linearizable(&[put(0, 9, "a", None), get(1, 2, some("a")), get(3, 4, None),]),
            "a value that is there and then is not"
        );
        assert!(linearizable(&[unknown(0, "a"), get(5, 6, some("a"))]), "it was done");
        assert!(linearizable(&[unknown(0, "a"), get(5, 6, None)]), "it was not done, or later");
        assert!(
            linearizable(&[unknown(0, "a"), unknown(1, "b"), get(5, 6, some("b"))]),
            "of two one was seen"
        );
        assert!(!linearizable(&[unknown(0, "a"), get(5, 6, some("a")), get(7, 8, None)]), "it was undone");
        let many: Vec<Call> = (0..5000)
            .map(|n| put(2 * n, 2 * n + 1, &n.to_string(), n.checked_sub(1).map(|n| n.to_string())))
            .chain((0..100).map(|n| unknown(n, &format!("lost {n}"))))
            .collect();
        assert!(linearizable(&many), "a long one");
        assert!(!linearizable(&[unknown(7, "a"), get(5, 6, some("a"))]), "out of thin air");
        assert!(
            !linearizable(&[
                put(0, 1, "a", None),
                unknown(2, "b"),
                get(3, 4, some("b")),
                get(5, 6, some("a")),
            ]),
            "done twice"
        );
        let swap = |began, ended, from: Option<String>, to: &str, done, before| Call {
            op: Op::Swap(from, to.to_owned()),
            began,
            ended: Some((ended, done, before)),
        };
        let two = |second| {
            [
                swap(0, 5, None, "a", true, None),
                swap(1, 5, None, "b", second, if second { None } else { some("a") }),
            ]
        };
        assert!(linearizable(&two(false)));
        assert!(!linearizable(&two(true)), "both cannot have been first");
    }
}
