//! Training in simulation: which base policy rollouts follow, and whether looking ahead pays at all.
//!
//! Runs of training have seeds of their own, far from those of anybody's runs. First any option, and the order of the file, resolve the runs by
//! themselves. With the better of them the predictor looks ahead and notes what it chooses; then with what imitates that, and so on for
//! some generations. The base is kept with which looking ahead came out best: a good base need not be a good policy by itself. The
//! *guard* compares that with the author's default on the same runs: where it comes out worse, the default is shipped.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use foresee_kernel::Model;
use foresee_sim::{AuthorsDefault, Custom, Options, Policy, ResolverKind, TOTAL, runs};

use crate::base::{Base, Imitation};
use crate::resolver::Lookahead;
use crate::settings::Settings;

/// How often what the predictor chose is imitated.
const GENERATIONS: u32 = 2;

/// The first seed of training.
const SEEDS_FROM: u64 = 0x7261_696E << 32;

/// What came of training.
#[derive(Clone, Debug, Default)]
pub struct Trained {
    /// The base policy that rollouts follow.
    pub base: Base,
    /// Whether looking ahead came out worse than the author's default: then the default is taken.
    pub guarded: bool,
}

/// Trains on runs of `model`.
pub fn train(model: &Arc<Model>, settings: &Settings) -> Trained {
    if settings.training == 0 {
        return Trained::default();
    }
    let seeds = SEEDS_FROM..SEEDS_FROM + u64::from(settings.training);
    let cost = |base: &Base| {
        let base = base.clone();
        mean_cost(model, settings, seeds.clone(), move |_| base.policy())
    };
    // What looking ahead comes to with a base, and what imitates it.
    let looking = |base: &Base| {
        let notes: Arc<Mutex<Imitation>> = Arc::default();
        let (noted, ahead, with) = (notes.clone(), settings.clone(), base.clone());
        let cost = mean_cost(model, settings, seeds.clone(), move |model| {
            Box::new(Lookahead::new(model, &ahead, with.clone()).noting(noted.clone()))
        });
        let imitation = notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (cost, imitation)
    };
    let mut base = if cost(&Base::Order) < cost(&Base::Uniform) { Base::Order } else { Base::Uniform };
    let (mut least, mut imitation) = looking(&base);
    for _ in 0..GENERATIONS {
        if !imitation.tells_apart() {
            break;
        }
        let imitated = Base::Imitated(Arc::new(imitation));
        let (cost, next) = looking(&imitated);
        if cost < least {
            (base, least) = (imitated, cost);
        }
        imitation = next;
    }
    let default = mean_cost(model, settings, seeds.clone(), |_| Box::new(AuthorsDefault));
    Trained { base, guarded: least > default }
}

/// The mean of the objectives of the first level; a run that fails costs more than anything.
fn mean_cost(
    model: &Arc<Model>,
    settings: &Settings,
    seeds: Range<u64>,
    policy: impl Fn(&Arc<Model>) -> Box<dyn Policy> + Send + Sync + 'static,
) -> f64 {
    let resolver = ResolverKind::Custom(Custom::new("training", policy));
    let options = Options { resolver, until: settings.training_until, ..Options::default() };
    let (mut sum, mut count) = (0.0, 0.0);
    let all = runs(model, seeds, 1, &options, &mut |run| {
        let failed = run.violation.is_some();
        sum += if failed { f64::INFINITY } else { run.objectives.get(TOTAL).copied().unwrap_or_default() };
        count += 1.0;
    });
    if all.is_err() || count == 0.0 { f64::INFINITY } else { sum / count }
}
