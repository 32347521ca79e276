//! Histories of a register for each key, and whether they are linearizable.
//!
//! The search is that of Wing and Gong (1993) with the memory of Lowe (2017): operations are taken one after another, each
//! before any that began after it had ended, and a set of taken operations with a value is never visited twice. An operation
//! whose outcome is not known may be taken at any time after it began, or never.

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

/// Whether the calls on one key, in any order, are linearizable.
pub fn linearizable(calls: &[Call]) -> bool {
    let mut calls: Vec<&Call> = calls.iter().filter(|it| it.ended.is_some() || it.op != Op::Get).collect();
    calls.sort_by_key(|call| call.began);
    let mut visited = BTreeSet::new();
    let mut open = vec![(vec![0_u64; calls.len().div_ceil(64)], None::<String>)];
    while let Some((taken, value)) = open.pop() {
        let is_taken = |place: usize| taken[place / 64] & (1 << (place % 64)) != 0;
        let left = || (0..calls.len()).filter(|place| !is_taken(*place));
        let Some(first_end) = left().map(|place| calls[place].end()).min().filter(|end| *end < u64::MAX)
        else {
            return true;
        };
        for place in left().take_while(|place| calls[*place].began <= first_end) {
            if let Some(after) = calls[place].take(&value) {
                let mut next = taken.clone();
                next[place / 64] |= 1 << (place % 64);
                if visited.insert((next.clone(), after.clone())) {
                    open.push((next, after));
                }
            }
        }
    }
    calls.is_empty()
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
