//! What routines borrow and need, transitively: a routine that calls another passes on what that one borrows.

use std::collections::{BTreeMap, BTreeSet};

use crate::body::{Borrow, Effect, Facts, RoutineShape};
use crate::names::CallRef;
use crate::source::Span;

/// The shapes of all routines from what each does directly.
pub fn shapes(facts: &BTreeMap<String, Facts>) -> BTreeMap<String, RoutineShape> {
    let mut shapes: BTreeMap<String, RoutineShape> = BTreeMap::new();
    for (name, facts) in facts {
        let borrows = facts.variables.keys().chain(facts.writes.keys()).map(|variable| {
            let mutable = facts.writes.contains_key(variable);
            (variable.clone(), if mutable { Borrow::Mutable } else { Borrow::Shared })
        });
        let asks = |effect: &Effect| *effect == Effect::Ask;
        let ctx = facts.touches || facts.effects.iter().any(|(effect, _)| !asks(effect));
        let below = facts.effects.iter().any(|(effect, _)| asks(effect));
        let shape = RoutineShape { borrows: borrows.collect(), ctx, below, me: facts.me };
        shapes.insert(name.clone(), shape);
    }
    // Borrows only grow, so this ends.
    loop {
        let mut changed = false;
        for (name, facts) in facts {
            let mut shape = shapes[name].clone();
            for callee in facts.calls.keys().filter_map(|callee| shapes.get(callee)) {
                for (variable, borrow) in &callee.borrows {
                    let mine = shape.borrows.entry(variable.clone()).or_insert(*borrow);
                    *mine = (*mine).max(*borrow);
                }
                shape.ctx |= callee.ctx;
                shape.below |= callee.below;
                shape.me |= callee.me;
            }
            if shape != shapes[name] {
                shapes.insert(name.clone(), shape);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    shapes
}

/// The routines that a body reaches, itself not included.
pub fn close<'f>(start: &Facts, routines: &'f BTreeMap<String, Facts>) -> BTreeMap<&'f str, &'f Facts> {
    let mut reached: BTreeMap<&str, &Facts> = BTreeMap::new();
    let mut work: Vec<&String> = start.calls.keys().collect();
    while let Some(name) = work.pop() {
        if let Some((name, facts)) = routines.get_key_value(name)
            && reached.insert(name, facts).is_none()
        {
            work.extend(facts.calls.keys());
        }
    }
    reached
}

/// The first thing in a body, or in what it calls, that is no mere reading: what it does, where, and in which routine.
pub fn effects_of(
    start: &Facts,
    routines: &BTreeMap<String, Facts>,
) -> Option<(String, Span, Option<String>)> {
    effects_beyond(start, routines, Effect::is_reading, |_| false)
}

/// The first thing in a body, or in what it calls, that `permits` does not allow, or the first change of a variable that it may not
/// change, as [`effects_of`] gives it.
pub fn effects_beyond(
    start: &Facts,
    routines: &BTreeMap<String, Facts>,
    permits: fn(Effect) -> bool,
    may_change: impl Fn(&str) -> bool,
) -> Option<(String, Span, Option<String>)> {
    let own = |facts: &Facts| {
        let effect = facts.effects.iter().find(|(effect, _)| !permits(*effect));
        let effect = effect.map(|(effect, span)| (effect.describe().to_owned(), *span));
        let write = facts
            .writes
            .iter()
            .find(|(name, _)| !may_change(name))
            .map(|(name, span)| (format!("changes `{name}`"), *span));
        effect.or(write)
    };
    if let Some((what, span)) = own(start) {
        return Some((what, span, None));
    }
    let reached = close(start, routines);
    reached
        .iter()
        .find_map(|(name, facts)| own(facts).map(|(what, span)| (what, span, Some((*name).to_owned()))))
}

/// Where a body, or what it calls, asks about timers, which neither a property nor a query can see.
pub fn asks_timers(facts: &Facts, routines: &BTreeMap<String, Facts>) -> Option<Span> {
    let own = |facts: &Facts| {
        let asks = facts.effects.iter().find(|(effect, _)| *effect == Effect::ReadTimer);
        asks.map(|(_, span)| *span)
    };
    own(facts).or_else(|| close(facts, routines).into_values().find_map(own))
}

/// What a body, and what it calls, asks of lower layers: slots and queries.
pub fn asks(facts: &Facts, routines: &BTreeMap<String, Facts>) -> BTreeSet<(usize, CallRef)> {
    let reached = close(facts, routines);
    reached.into_values().chain([facts]).flat_map(|it| it.asked.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routine(reads: &[&str], writes: &[&str], calls: &[&str]) -> Facts {
        let named = |names: &[&str]| names.iter().map(|it| ((*it).to_owned(), Span::default())).collect();
        Facts { variables: named(reads), writes: named(writes), calls: named(calls), ..Facts::default() }
    }

    #[test]
    fn borrows_are_passed_on_through_cycles() {
        let facts = BTreeMap::from([
            ("a".to_owned(), routine(&["x"], &[], &["b"])),
            ("b".to_owned(), Facts { me: true, ..routine(&["y"], &["y"], &["a"]) }),
        ]);
        let shapes = shapes(&facts);
        let expected = BTreeMap::from([("x".to_owned(), Borrow::Shared), ("y".to_owned(), Borrow::Mutable)]);
        assert_eq!(
            shapes["a"],
            RoutineShape { borrows: expected.clone(), me: true, ..RoutineShape::default() }
        );
        assert_eq!(shapes["b"].borrows, expected);
        assert_eq!(effects_of(&facts["a"], &facts).map(|(what, ..)| what).as_deref(), Some("changes `y`"));
    }
}
