//! Which option is best: rollouts for each, on random numbers that they share.

use std::cmp::Ordering;
use std::sync::Arc;

use foresee_kernel::{Model, NodeEvent, NodeId, Point, digest::mix};
use foresee_sim::{Opening, Prospect, Scene, Situation, Span, rollout};

use crate::base::Base;
use crate::settings::Settings;

/// What does not change from one choice to the next.
#[derive(Clone, Debug)]
pub(crate) struct Adviser {
    pub model: Arc<Model>,
    pub base: Base,
    rollouts: u32,
    options_max: u32,
    steps_max: u64,
    span: Span,
}

/// The step in which a choice comes up.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub node: NodeId,
    pub event: &'a NodeEvent,
    pub picks: &'a [u32],
}

/// An option, and what it costs.
pub(crate) struct Advice {
    pub option: u32,
    /// How many steps the rollouts took.
    pub steps: u64,
    pub rollouts: u64,
}

/// What the rollouts of an option came to.
#[derive(Clone, Debug, Default)]
struct Score {
    faults: u32,
    sums: Vec<f64>,
    count: u32,
}

/// The most events of a rollout: a system that never rests is cut.
const ROLLOUT_EVENTS_MAX: u64 = 20_000;

/// How many times as many options are tried as get all their rollouts, where there are more.
const TRIED: u32 = 4;

/// Sums that differ by less are alike.
const ALIKE: f64 = 1e-9;

impl Adviser {
    pub fn new(model: &Arc<Model>, settings: &Settings, base: Base) -> Self {
        let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let span = Span {
            nanos: nanos(settings.horizon_of(model)),
            tail_nanos: nanos(settings.tail_of(model)),
            events_max: ROLLOUT_EVENTS_MAX,
        };
        // Nobody calls and nothing fails in a rollout, and nobody asks what properties became of.
        let mut bare = Model::clone(model);
        (bare.calls, bare.faults) = (Vec::new(), Vec::new());
        (bare.properties, bare.liveness, bare.statistics) = (Vec::new(), Vec::new(), Vec::new());
        Adviser {
            model: Arc::new(bare),
            base,
            rollouts: settings.rollouts,
            options_max: settings.options_max,
            steps_max: settings.steps_max,
            span,
        }
    }

    /// The best option at `point`; `picture` gives the situation of a rollout by its seed.
    pub fn advise(
        &self,
        point: &Point<'_>,
        moment: Moment<'_>,
        picture: &mut dyn FnMut(u64) -> Situation,
        scene: &mut Scene<'_>,
    ) -> Advice {
        let mut options = self.options(point, scene);
        let seed = scene.draw.bits();
        let mut scores = vec![Score::default(); options.len()];
        let (mut steps, mut rollouts, mut turn) = (0, 0, 0);
        'stages: for (stage, rounds) in
            stages(options.len(), self.options_max, self.rollouts).into_iter().enumerate()
        {
            if stage > 0 {
                halve(&mut options, &mut scores);
            }
            for _ in 0..rounds {
                if turn > 0 && steps >= self.steps_max {
                    break 'stages;
                }
                let seed = mix(seed.wrapping_add(turn));
                turn += 1;
                let situation = picture(seed);
                if situation.states.len() < self.model.nodes.len() {
                    // Nodes are still starting.
                    break 'stages;
                }
                for (option, score) in options.iter().zip(&mut scores) {
                    let picks: Vec<u32> = moment.picks.iter().copied().chain([*option]).collect();
                    let opening = Opening { node: moment.node, event: moment.event, picks: &picks };
                    let base = self.base.policy();
                    let prospect = rollout(&self.model, &situation, Some(opening), seed, self.span, base);
                    steps += prospect.events;
                    rollouts += 1;
                    score.add(prospect);
                }
            }
        }
        let option = best(point, &options, &scores, scene);
        Advice { option, steps, rollouts }
    }

    /// The options that are tried: all, or some that are drawn and the default.
    fn options(&self, point: &Point<'_>, scene: &mut Scene<'_>) -> Vec<u32> {
        let most = self.options_max.saturating_mul(TRIED);
        if point.options <= most {
            return (0..point.options).collect();
        }
        let mut all: Vec<u32> = (0..point.options).filter(|option| Some(*option) != point.default).collect();
        let mut drawn: Vec<u32> = point.default.into_iter().collect();
        while drawn.len() < most as usize {
            let place = scene.draw.below(all.len() as u64) as usize;
            drawn.push(all.swap_remove(place));
        }
        drawn.sort_unstable();
        drawn
    }
}

impl Score {
    fn add(&mut self, prospect: Prospect) {
        match prospect.levels {
            None => self.faults += 1,
            Some(levels) => {
                self.count += 1;
                self.sums.resize(levels.len().max(self.sums.len()), 0.0);
                self.sums.iter_mut().zip(levels).for_each(|(sum, value)| *sum += value);
            }
        }
    }

    /// Less is better: fewer faults, then level by level.
    fn compare(&self, other: &Score) -> Ordering {
        let mean = |score: &Score, level: usize| score.sums[level] / f64::from(score.count.max(1));
        let order = |level: usize| {
            let (mine, others) = (mean(self, level), mean(other, level));
            let alike = (mine - others).abs() <= ALIKE * mine.abs().max(others.abs()).max(1.0);
            if alike { Ordering::Equal } else { mine.total_cmp(&others) }
        };
        let levels = self.sums.len().min(other.sums.len());
        let by_levels = (0..levels).map(order).find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
        self.faults.cmp(&other.faults).then(by_levels)
    }
}

/// How many rollouts each option gets in each stage, the better half of the options going on from one stage to the next (Karnin, Koren and
/// Somekh, "Almost optimal exploration in multi-armed bandits", 2013). No more than `few` options have one stage of `rollouts`. More of them share
/// what `few` would get, each stage about as many as any other, and no option less than one a stage.
fn stages(options: usize, few: u32, rollouts: u32) -> Vec<u32> {
    if options <= few as usize {
        return vec![rollouts];
    }
    let halves = std::iter::successors(Some(options), |left| Some(left.div_ceil(2)));
    let left: Vec<usize> = halves.take_while(|left| *left > 1).collect();
    let share = few as usize * rollouts as usize / left.len();
    left.iter().map(|left| (share / left).max(1) as u32).collect()
}

/// Leaves the better half of the options, in their order.
fn halve(options: &mut Vec<u32>, scores: &mut Vec<Score>) {
    let mut places: Vec<usize> = (0..options.len()).collect();
    places.sort_by(|a, b| scores[*a].compare(&scores[*b]));
    places.truncate(options.len().div_ceil(2));
    places.sort_unstable();
    *options = places.iter().map(|place| options[*place]).collect();
    *scores = places.iter().map(|place| std::mem::take(&mut scores[*place])).collect();
}

/// The best option; of several that are alike the author's default, else any.
fn best(point: &Point<'_>, options: &[u32], scores: &[Score], scene: &mut Scene<'_>) -> u32 {
    let mut leading = vec![0];
    for place in 1..options.len() {
        match scores[place].compare(&scores[leading[0]]) {
            Ordering::Less => leading = vec![place],
            Ordering::Equal => leading.push(place),
            Ordering::Greater => {}
        }
    }
    let default = leading.iter().copied().find(|place| Some(options[*place]) == point.default);
    let place = default.unwrap_or_else(|| leading[scene.draw.below(leading.len() as u64) as usize]);
    options[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_options_have_one_stage_and_many_share_what_few_would_get() {
        assert_eq!(stages(12, 12, 8), [8]);
        assert_eq!(stages(2, 12, 32), [32]);
        // 48, 24, 12, 6, 3 and 2 options.
        assert_eq!(stages(48, 12, 8), [1, 1, 1, 2, 5, 8]);
        assert_eq!(stages(13, 12, 1), [1, 1, 1, 1]);
        for options in 13..100 {
            let left = std::iter::successors(Some(options), |left: &usize| Some(left.div_ceil(2)));
            let rollouts: usize =
                left.zip(stages(options, 12, 16)).map(|(left, each)| left * each as usize).sum();
            assert!(rollouts <= 12 * 16 + options, "{options} options, {rollouts} rollouts");
        }
    }

    #[test]
    fn the_better_half_goes_on() {
        let score = |cost: f64| Score { faults: 0, sums: vec![cost], count: 1 };
        let faulty = Score { faults: 1, sums: vec![0.0], count: 1 };
        let mut options = vec![3, 4, 7, 8, 9];
        let mut scores = vec![score(5.0), score(1.0), faulty, score(2.0), score(4.0)];
        halve(&mut options, &mut scores);
        assert_eq!(options, [4, 8, 9]);
        assert_eq!(scores.iter().map(|score| score.sums[0]).collect::<Vec<_>>(), [1.0, 2.0, 4.0]);
    }
}
