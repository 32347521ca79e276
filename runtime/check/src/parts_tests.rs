//! Parts against worlds by values: the same fingerprints, and the same worlds after every way of every action.

use std::collections::BTreeMap;

use foresee_tests::{random, two_phase_commit};
use foresee_world::{Direct, path};
use proptest::prelude::*;

use super::*;
use crate::trail::apply;

/// Every world that follows `world`, by values, with how many ways lead there.
fn by_values(direct: &Direct, world: &World<Direct>) -> BTreeMap<u64, u32> {
    let mut after = BTreeMap::new();
    let mut note = |next: World<Direct>| *after.entry(next.digest(direct)).or_insert(0) += 1;
    let mut actions = Vec::new();
    world.enabled(direct, |action| actions.push(action));
    for action in actions {
        let Some((id, stimulus)) = action.stimulus(direct) else {
            note(world.after(direct, &action, None));
            continue;
        };
        for successor in direct.successors(&world.nodes[id.index()], &stimulus) {
            note(world.after(direct, &action, Some(&successor)));
        }
    }
    after
}

/// Every row that follows `words`, by its fingerprint, with how many transitions lead there.
fn by_parts(parts: &Parts, words: &[u32]) -> (BTreeMap<u64, u32>, u32) {
    let (mut after, mut all) = (BTreeMap::new(), 0);
    let (ambient, fingerprint) = (parts.ambient(words), parts.fingerprint(words));
    let ways = |expansion: &Expansion| {
        let kept = expansion.steps.iter().map(|step| parts.steps.get(*step).successors.len() as u32);
        let loose = expansion.loose.iter().map(|step| step.successors.len() as u32);
        expansion.network + kept.chain(loose).sum::<u32>()
    };
    for spot in parts.spots(words) {
        let expansion = parts.expand(spot);
        all += ways(&expansion);
        for transition in &expansion.transitions {
            let mut next = words.to_vec();
            apply(parts, &mut next, spot, *transition);
            let sum = parts.fingerprint(&next);
            if transition.beyond().is_none() {
                assert_eq!(sum, fingerprint.wrapping_add(transition.delta), "what a transition adds");
            }
            assert_eq!(parts.encode_interned(&parts.decode(&next)), next, "a world has one row");
            *after.entry(sum).or_insert(0) += 1;
        }
    }
    let several = parts.several(words).expect("sets can be worked out");
    all += ways(&several.counted);
    for row in &several.rows {
        *after.entry(parts.fingerprint(row)).or_insert(0) += 1;
    }
    assert!(several.rows.is_empty() || parts.concerns_several());
    if let Some(divides) = parts.divides(ambient) {
        let after = divides.after.iter().map(|(ambient, delta)| (*ambient, fingerprint.wrapping_add(*delta)));
        let rows = several.rows.iter().map(|row| (parts.ambient(row), parts.fingerprint(row)));
        assert!(after.eq(rows), "what is remembered of partitions");
        let counted = |counted: &Expansion| (counted.fired.clone(), counted.network);
        assert_eq!(counted(&divides.counted), counted(&several.counted));
    }
    (after, all)
}

/// Walks some hundred worlds of `model` by values, and looks at each by parts.
fn same(model: Model, tuning: &Tuning) {
    let model = Arc::new(model);
    let parts = Parts::new(model.clone(), tuning, false);
    walked(&model, &parts);
    walked(&model, &parts.laid_out(tuning, Layout::Flat { inline: 2 }));
}

fn walked(model: &Arc<Model>, parts: &Parts) {
    let direct = Direct::new(model.clone());
    let mut seen = std::collections::BTreeSet::new();
    let mut waiting: Vec<World<Direct>> =
        path::initials(&direct, 100).into_iter().flatten().map(|initial| initial.world).collect();
    while let Some(world) = waiting.pop() {
        let digest = world.digest(&direct);
        if seen.len() > 200 || world.in_flight(&direct) > 6 || !seen.insert(digest) {
            continue;
        }
        let words = parts.encode(&world);
        assert_eq!(parts.fingerprint(&words), digest, "a state has the fingerprint of its world");
        let (values, (mut rows, all)) = (by_values(&direct, &world), by_parts(parts, &words));
        assert_eq!(values.values().sum::<u32>(), all, "ways");
        // Transitions that lead nowhere are not kept.
        let still = all - rows.values().sum::<u32>();
        *rows.entry(digest).or_insert(0) += still;
        rows.retain(|_, count| *count > 0);
        assert_eq!(rows, values);
        let mut actions = Vec::new();
        world.enabled(&direct, |action| actions.push(action));
        for action in actions {
            match action.stimulus(&direct) {
                None => waiting.push(world.after(&direct, &action, None)),
                Some((id, stimulus)) => {
                    let ways = direct.successors(&world.nodes[id.index()], &stimulus);
                    waiting.extend(ways.iter().map(|way| world.after(&direct, &action, Some(way))));
                }
            }
        }
    }
}

#[test]
fn two_phase_commit_by_parts_is_two_phase_commit() {
    same(two_phase_commit::model(3, true), &Tuning::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_systems_by_parts_are_the_same(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        same(random::model(&bytes), &Tuning::default());
        same(random::model(&bytes), &Tuning { steps_max: 5, ..Tuning::default() });
    }

    #[test]
    fn random_plans_by_parts_are_the_same(bytes in prop::collection::vec(any::<u8>(), 0..750)) {
        same(random::planned(&bytes), &Tuning::default());
        same(random::planned(&bytes), &Tuning { steps_max: 5, ..Tuning::default() });
    }
}
