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
        let options = self.options(point, scene);
        let seed = scene.draw.bits();
        let mut scores = vec![Score::default(); options.len()];
        let (mut steps, mut rollouts) = (0, 0);
        for round in 0..self.rollouts {
            let seed = mix(seed.wrapping_add(u64::from(round)));
            let situation = picture(seed);
            if situation.states.len() < self.model.nodes.len() {
                // Nodes are still starting.
                break;
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
            if steps >= self.steps_max {
                break;
            }
        }
        let option = best(point, &options, &scores, scene);
        Advice { option, steps, rollouts }
    }

    /// The options that are tried: all, or some that are drawn and the default.
    fn options(&self, point: &Point<'_>, scene: &mut Scene<'_>) -> Vec<u32> {
        if point.options <= self.options_max {
            return (0..point.options).collect();
        }
        let mut all: Vec<u32> = (0..point.options).filter(|option| Some(*option) != point.default).collect();
        let mut drawn: Vec<u32> = point.default.into_iter().collect();
        while drawn.len() < self.options_max as usize {
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
