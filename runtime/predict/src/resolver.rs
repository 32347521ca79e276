//! The resolvers that look ahead, as policies of the simulator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use foresee_kernel::{Model, Point};
use foresee_sim::{
    AuthorsDefault, Custom, Onlooker, Paths, Policy, Resolvers, Scene, Situation, Witness, started,
};

use crate::advise::{Advice, Adviser, Moment};
use crate::base::{Base, Imitation};
use crate::desk::Desk;
use crate::measured::measured;
use crate::picture::{Studio, picture};
use crate::settings::Settings;
use crate::train::{Trained, train};

/// The names of the resolvers that are trained before their first run.
pub const TRAINED: [&str; 2] = ["lookahead", "omniscient"];

/// The resolvers that may be asked for by name: those of the simulator, `lookahead`, and `omniscient` (a reference, not one that a node could
/// follow). The two are trained once, when they are first used.
pub fn resolvers(settings: &Settings) -> Resolvers {
    let settings = Arc::new(settings.clone());
    let by_measuring = measured(&settings);
    let trained: Arc<OnceLock<Trained>> = Arc::default();
    let (for_omniscient, as_trained) = (settings.clone(), trained.clone());
    let omniscient = Custom::new("omniscient", move |model| {
        let base = as_trained.get_or_init(|| train(model, &for_omniscient)).base.clone();
        Box::new(Omniscient::new(model, &for_omniscient, base))
    });
    let lookahead = Custom::new("lookahead", move |model| {
        let found = trained.get_or_init(|| train(model, &settings));
        match found.guarded {
            true => Box::new(Guarded),
            false => Box::new(Lookahead::new(model, &settings, found.base.clone())),
        }
    });
    Resolvers::default().with(omniscient).with(lookahead).with(by_measuring)
}

/// The author's default in the place of a predictor that came out worse in training.
struct Guarded;

impl Policy for Guarded {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        AuthorsDefault.choose(point, scene)
    }

    fn report(&self) -> BTreeMap<String, f64> {
        [("guarded".to_owned(), 1.0)].into()
    }
}

/// What a resolver says of itself.
#[derive(Debug, Default)]
struct Effort {
    choices: u64,
    rollouts: u64,
    steps: u64,
}

impl Effort {
    fn add(&mut self, advice: &Advice) {
        self.choices += 1;
        self.rollouts += advice.rollouts;
        self.steps += advice.steps;
    }

    fn report(&self) -> BTreeMap<String, f64> {
        let figures = [("choices", self.choices), ("rollouts", self.rollouts), ("rollout_steps", self.steps)];
        figures.into_iter().map(|(name, figure)| (name.to_owned(), figure as f64)).collect()
    }
}

/// Looks ahead from what the choosing node could know.
pub struct Lookahead {
    adviser: Adviser,
    desk: Desk,
    started: Situation,
    paths: Paths,
    step_nanos: u64,
    effort: Effort,
    /// Where choices are noted, in training.
    notes: Option<Arc<Mutex<Imitation>>>,
}

impl Lookahead {
    /// For one run of `model`.
    pub fn new(model: &Arc<Model>, settings: &Settings, base: Base) -> Self {
        Lookahead {
            adviser: Adviser::new(model, settings, base),
            desk: Desk::new(model, settings),
            started: started(model),
            paths: Paths::new(model),
            step_nanos: settings.step_time.as_nanos() as u64,
            effort: Effort::default(),
            notes: None,
        }
    }

    /// Notes its choices in `notes`.
    pub(crate) fn noting(mut self, notes: Arc<Mutex<Imitation>>) -> Self {
        self.notes = Some(notes);
        self
    }
}

impl Policy for Lookahead {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        let Some(step) = scene.step.take() else { return AuthorsDefault.choose(point, scene) };
        let now = scene.now_nanos;
        self.desk.run(now);
        let knowledge = &self.desk.nodes[point.node.index()];
        let studio = Studio { started: &self.started, paths: &self.paths };
        let own = step.own(point.node);
        let moment = Moment { node: point.node, event: step.event, picks: step.picks };
        let mut from = |seed: u64| picture(&studio, knowledge, (point.node, &own), now, seed);
        let advice = self.adviser.advise(point, moment, &mut from, scene);
        self.effort.add(&advice);
        scene.thought_nanos = advice.steps.saturating_mul(self.step_nanos);
        if let Some(notes) = &self.notes {
            notes.lock().unwrap_or_else(PoisonError::into_inner).note(point, advice.option);
        }
        advice.option
    }

    fn witness(&mut self) -> Option<&mut dyn Witness> {
        Some(&mut self.desk)
    }

    fn report(&self) -> BTreeMap<String, f64> {
        let mut figures = self.effort.report();
        figures.insert("knowledge_bytes".to_owned(), self.desk.bytes as f64);
        figures
    }
}

/// Looks ahead from the true state of everything, which no node could know.
pub struct Omniscient {
    adviser: Adviser,
    effort: Effort,
    onlooker: Onlooker,
}

impl Omniscient {
    /// For one run of `model`.
    pub fn new(model: &Arc<Model>, settings: &Settings, base: Base) -> Self {
        let adviser = Adviser::new(model, settings, base);
        Omniscient { adviser, effort: Effort::default(), onlooker: Onlooker }
    }
}

impl Policy for Omniscient {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        let Some(step) = scene.step.take() else { return AuthorsDefault.choose(point, scene) };
        let truth = step.truth();
        let moment = Moment { node: point.node, event: step.event, picks: step.picks };
        let advice = self.adviser.advise(point, moment, &mut |_| truth.clone(), scene);
        self.effort.add(&advice);
        advice.option
    }

    fn witness(&mut self) -> Option<&mut dyn Witness> {
        Some(&mut self.onlooker)
    }

    fn report(&self) -> BTreeMap<String, f64> {
        self.effort.report()
    }
}
