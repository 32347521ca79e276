//! What runs come to, each weighed by its probability.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::dice::Moment;
use crate::Run;
use crate::result::Status;

/// Two expectations nearer than this share of the larger are the same: the sums of different options round differently.
const SAME: f64 = 1e-12;

/// Sums over runs, given that they come to some draw.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    /// The probability of the runs that no violation cut short.
    pub whole: f64,
    /// The probability of the runs that were not made.
    pub cut: f64,
    /// The value of each objective, over the runs that no violation cut short.
    pub objectives: BTreeMap<String, f64>,
    /// For each property, the probability of what became of it.
    pub properties: BTreeMap<String, BTreeMap<Status, f64>>,
    /// For each property, the probability that it ended a run.
    pub violations: BTreeMap<String, f64>,
    /// For each statistical property what runs say of it, and the probability of the runs that say anything.
    pub figures: Vec<(f64, f64)>,
    /// How often each option of an open choice is taken, by the moment.
    pub taken: BTreeMap<(Rc<Moment>, Rc<str>), f64>,
}

impl Sum {
    /// One run.
    pub fn of(run: &Run) -> Self {
        let mut sum = Sum::default();
        for outcome in &run.properties {
            sum.properties.entry(outcome.name.clone()).or_default().insert(outcome.status, 1.0);
        }
        match &run.violation {
            Some(violation) => {
                sum.violations.insert(violation.property.clone(), 1.0);
            }
            None => {
                sum.whole = 1.0;
                sum.objectives.clone_from(&run.objectives);
                let figure = |value: &Option<f64>| value.map_or((0.0, 0.0), |value| (value, 1.0));
                sum.figures = run.figures.iter().map(figure).collect();
            }
        }
        sum
    }

    /// Adds what comes about with probability `p`.
    pub fn add(&mut self, other: &Sum, p: f64) {
        self.whole += p * other.whole;
        self.cut += p * other.cut;
        add_all(&mut self.objectives, &other.objectives, p);
        for (name, counts) in &other.properties {
            let mine = self.properties.entry(name.clone()).or_default();
            counts.iter().for_each(|(status, count)| *mine.entry(*status).or_default() += p * count);
        }
        add_all(&mut self.violations, &other.violations, p);
        if self.figures.len() < other.figures.len() {
            self.figures.resize(other.figures.len(), (0.0, 0.0));
        }
        for (mine, (value, mass)) in self.figures.iter_mut().zip(&other.figures) {
            *mine = (mine.0 + p * value, mine.1 + p * mass);
        }
        for (option, times) in &other.taken {
            *self.taken.entry(option.clone()).or_default() += p * times;
        }
    }

    /// An option is taken, and this is what comes of it.
    pub fn take(&mut self, moment: Rc<Moment>, option: Rc<str>) {
        *self.taken.entry((moment, option)).or_default() += 1.0;
    }
}

fn add_all(sums: &mut BTreeMap<String, f64>, values: &BTreeMap<String, f64>, p: f64) {
    for (name, value) in values {
        match sums.get_mut(name) {
            Some(sum) => *sum += p * value,
            None => {
                sums.insert(name.clone(), p * value);
            }
        }
    }
}

/// Whether `new` is better than `old`: fewer violations, then less at the first of `levels` that differs.
pub(super) fn better(new: &Sum, old: &Sum, levels: &[String]) -> bool {
    let violations = |sum: &Sum| sum.violations.values().sum::<f64>();
    let level = |sum: &Sum, name: &String| sum.objectives.get(name).copied().unwrap_or_default();
    let pairs = levels.iter().map(|name| (level(new, name), level(old, name)));
    std::iter::once((violations(new), violations(old)))
        .chain(pairs)
        .find(|(new, old)| new != old && (new - old).abs() > SAME * new.abs().max(old.abs()))
        .is_some_and(|(new, old)| new < old)
}
