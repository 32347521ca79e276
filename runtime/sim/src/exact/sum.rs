//! What runs come to, each weighed by its probability.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use foresee_kernel::Model;
use foresee_world::reference::NO_FAULT;

use super::dice::{Kind, Moment, Wheel};
use crate::Run;
use crate::result::{Status, TOTAL};

/// Two expectations nearer than this share of the larger are the same: the sums of different options round differently.
const SAME: f64 = 1e-12;

const STATUSES: [Status; 4] = [Status::Held, Status::Violated, Status::Reached, Status::Unreached];

/// Which figure of a [`Sum`] stands where.
#[derive(Debug)]
pub(super) struct Layout {
    /// The objectives and their sums.
    pub objectives: Vec<String>,
    /// The properties, the built-in one last.
    pub properties: Vec<String>,
    /// How many statistical properties there are.
    pub figures: usize,
    /// The sums of objectives that the best is best by, the first level first, each by its place among the objectives.
    levels: Vec<usize>,
}

/// The probability of the runs that no violation cut short, and that of the runs that were not made.
const WHOLE: usize = 0;
const CUT: usize = 1;
const FIRST: usize = 2;

impl Layout {
    pub fn new(model: &Model) -> Self {
        let levels: BTreeSet<u32> = model.objectives.iter().map(|objective| objective.level).collect();
        let name = |(place, level): (usize, u32)| match place {
            0 => TOTAL.to_owned(),
            _ => format!("{TOTAL}_level_{level}"),
        };
        let levels: Vec<String> = levels.into_iter().enumerate().map(name).collect();
        let names = model.objectives.iter().map(|objective| objective.name.to_owned());
        let objectives: Vec<String> =
            names.chain(levels.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect();
        let place = |level: &String| objectives.iter().position(|name| name == level);
        let properties = model.properties.iter().map(|property| property.name);
        Layout {
            levels: levels.iter().filter_map(place).collect(),
            properties: properties.chain([NO_FAULT]).map(str::to_owned).collect(),
            figures: model.statistics.len(),
            objectives,
        }
    }

    fn objectives(&self) -> Range<usize> {
        FIRST..FIRST + self.objectives.len()
    }

    /// What became of each property, four figures each.
    fn statuses(&self) -> Range<usize> {
        let from = self.objectives().end;
        from..from + STATUSES.len() * self.properties.len()
    }

    /// For each property, the probability that it ended a run.
    fn violations(&self) -> Range<usize> {
        let from = self.statuses().end;
        from..from + self.properties.len()
    }

    /// For each statistical property what runs say of it, and the probability of the runs that say anything.
    fn figures(&self) -> Range<usize> {
        let from = self.violations().end;
        from..from + 2 * self.figures
    }

    /// Nothing.
    pub fn nothing(&self) -> Sum {
        Sum {
            values: vec![0.0; self.figures().end].into(),
            runs: 0.0,
            taken: BTreeMap::new(),
            next: Vec::new(),
        }
    }

    /// Runs that are not made.
    pub fn missing(&self) -> Sum {
        let mut sum = self.nothing();
        sum.values[CUT] = 1.0;
        sum
    }

    /// One run.
    pub fn of(&self, run: &Run) -> Sum {
        let mut sum = self.nothing();
        sum.runs = 1.0;
        let values = &mut sum.values;
        for (outcome, place) in run.properties.iter().zip(self.statuses().step_by(STATUSES.len())) {
            let status = STATUSES.iter().position(|status| *status == outcome.status).unwrap_or_default();
            values[place + status] = 1.0;
        }
        if let Some(violation) = &run.violation {
            let property = self.properties.iter().position(|name| *name == violation.property);
            if let Some(property) = property {
                values[self.violations().start + property] = 1.0;
            }
            return sum;
        }
        values[WHOLE] = 1.0;
        for (name, place) in self.objectives.iter().zip(self.objectives()) {
            values[place] = run.objectives.get(name).copied().unwrap_or_default();
        }
        for (figure, place) in run.figures.iter().zip(self.figures().step_by(2)) {
            if let Some(figure) = figure {
                (values[place], values[place + 1]) = (*figure, 1.0);
            }
        }
        sum
    }

    /// Whether `new` is better than `old`: fewer violations, then less at the first of the levels that differs.
    pub fn better(&self, new: &Sum, old: &Sum) -> bool {
        let violations = |sum: &Sum| sum.values[self.violations()].iter().sum::<f64>();
        let level = |sum: &Sum, place: usize| sum.values[FIRST + place];
        let pairs = self.levels.iter().map(|place| (level(new, *place), level(old, *place)));
        std::iter::once((violations(new), violations(old)))
            .chain(pairs)
            .find(|(new, old)| new != old && (new - old).abs() > SAME * new.abs().max(old.abs()))
            .is_some_and(|(new, old)| new < old)
    }

    /// Takes the outcome of a run, or of all runs from some state on, up to the draw at which runs part, wheel by wheel: weighed at a
    /// draw of nature, the best at an open choice. `found` is what the possibilities of each wheel came to before.
    pub fn fold(
        &self,
        wheels: &mut Vec<Wheel>,
        found: &mut Vec<Option<Sum>>,
        mut sum: Sum,
        stops: Option<Stops>,
    ) -> Folded {
        found.resize(wheels.len(), None);
        while let (Some(mut wheel), Some(before)) = (wheels.pop(), found.pop()) {
            let at = wheel.at;
            let turns = wheel.turn();
            if turns && stops == Some(Stops::Unknown) {
                return Folded::Unknown;
            }
            let mut now = match &wheel.kind {
                Kind::Chance(values) => {
                    let mut now = before.unwrap_or_else(|| self.nothing());
                    now.add(&sum, values[at].1);
                    if turns && stops.is_some() {
                        now.values[CUT] += values[wheel.at..].iter().map(|(_, p)| p).sum::<f64>();
                    }
                    now
                }
                Kind::Choice { moment, labels } => {
                    *sum.taken.entry((moment.clone(), labels[at].clone())).or_default() += 1.0;
                    let runs = sum.runs + before.as_ref().map_or(0.0, |before| before.runs);
                    let best = match before {
                        Some(before) if !self.better(&sum, &before) => before,
                        _ => sum,
                    };
                    Sum { runs, ..best }
                }
            };
            if turns && stops.is_none() {
                wheels.push(wheel);
                found.push(Some(now));
                return Folded::Turned;
            }
            sum = std::mem::replace(&mut now, self.nothing());
        }
        Folded::Whole(sum)
    }
}

/// What becomes of possibilities that are left when no more runs are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stops {
    /// They are missing, by their probability.
    Missing,
    /// Nothing is known without them.
    Unknown,
}

/// What has become of wheels.
#[derive(Debug)]
pub(super) enum Folded {
    /// The last of them shows the next possibility.
    Turned,
    /// All their possibilities are gone through.
    Whole(Sum),
    /// Options are left that may not be tried.
    Unknown,
}

/// Sums over runs, given that they come to some draw.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    /// See [`Layout`].
    values: Box<[f64]>,
    /// How many runs these are.
    pub runs: f64,
    /// How often each option of an open choice is taken, by the moment: up to the next states, where these are told apart.
    pub taken: BTreeMap<(Rc<Moment>, Rc<str>), f64>,
    /// The next states, by their numbers, and the probability of each.
    pub next: Vec<(u32, f64)>,
}

impl Sum {
    /// Adds what comes about with probability `p`.
    pub fn add(&mut self, other: &Sum, p: f64) {
        for (mine, value) in self.values.iter_mut().zip(&other.values) {
            *mine += p * value;
        }
        self.runs += other.runs;
        for (option, times) in &other.taken {
            *self.taken.entry(option.clone()).or_default() += p * times;
        }
        self.next.extend(other.next.iter().map(|(state, q)| (*state, p * q)));
    }

    /// The figures, without the way on from here.
    pub fn only(&self) -> Self {
        Sum { values: self.values.clone(), runs: self.runs, taken: BTreeMap::new(), next: Vec::new() }
    }

    /// The same runs, in which this came up before.
    pub fn after(mut self, layout: &Layout, before: &Gain) -> Self {
        let whole = self.values[WHOLE];
        if whole > 0.0 {
            let objectives = self.values[layout.objectives()].iter_mut().zip(&before.objectives);
            objectives.for_each(|(sum, gain)| *sum += whole * gain);
        }
        let figures = self.values[layout.figures()].chunks_exact_mut(2);
        for (figure, gain) in figures.zip(&before.figures) {
            if figure[1] > 0.0 {
                figure[0] += figure[1] * gain;
            }
        }
        self
    }

    /// The probability of the runs that no violation cut short.
    pub fn whole(&self) -> f64 {
        self.values[WHOLE]
    }

    /// The probability of the runs that were not made.
    pub fn cut(&self) -> f64 {
        self.values[CUT]
    }

    /// The value of each objective, over the runs that no violation cut short.
    pub fn objectives<'a>(&'a self, layout: &'a Layout) -> impl Iterator<Item = (&'a String, f64)> {
        layout.objectives.iter().zip(self.values[layout.objectives()].iter().copied())
    }

    /// For each property, the probability of what became of it.
    pub fn properties(&self, layout: &Layout) -> BTreeMap<String, BTreeMap<Status, f64>> {
        let each = self.values[layout.statuses()].chunks_exact(STATUSES.len());
        let mut properties: BTreeMap<String, BTreeMap<Status, f64>> = BTreeMap::new();
        for (name, values) in layout.properties.iter().zip(each) {
            for (status, p) in STATUSES.into_iter().zip(values).filter(|(_, p)| **p > 0.0) {
                *properties.entry(name.clone()).or_default().entry(status).or_default() += p;
            }
        }
        properties
    }

    /// For each property that ends runs, the probability that it ends one.
    pub fn violations(&self, layout: &Layout) -> BTreeMap<String, f64> {
        let each = layout.properties.iter().zip(&self.values[layout.violations()]);
        each.filter(|(_, p)| **p > 0.0).map(|(name, p)| (name.clone(), *p)).collect()
    }

    /// What runs say of a statistical property, and the probability of the runs that say anything.
    pub fn figure(&self, layout: &Layout, index: usize) -> (f64, f64) {
        let place = layout.figures().start + 2 * index;
        (self.values[place], self.values[place + 1])
    }
}

/// What came up on the way from one state to the next.
#[derive(Clone, Debug)]
pub(super) struct Gain {
    /// By the objectives of [`Layout`].
    pub objectives: Vec<f64>,
    /// What it adds to the value of each statistical property.
    pub figures: Vec<f64>,
}

impl Gain {
    /// Nothing.
    pub fn none(layout: &Layout) -> Self {
        Gain { objectives: vec![0.0; layout.objectives.len()], figures: vec![0.0; layout.figures] }
    }
}
