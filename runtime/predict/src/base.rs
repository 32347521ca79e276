//! Base policies: who answers the choices that come up in a rollout. The author's default goes before any of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_kernel::Point;
use foresee_sim::{Policy, Random, Scene};

/// Answers choices where the author gives no default.
#[derive(Clone, Debug, Default)]
pub enum Base {
    /// Any option.
    #[default]
    Uniform,
    /// The first handler in the order of the file that applies, in any of its ways: a spec is often written from what is usual to what is not.
    Order,
    /// A handler as often as a predictor took it where the same ones applied, in any of its ways.
    Imitated(Arc<Imitation>),
}

/// Where a choice comes up: the service, the site, and which handlers apply.
type Place = (&'static str, &'static str, Vec<u16>);

/// How often each handler was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imitation {
    taken: BTreeMap<Place, BTreeMap<u16, u64>>,
}

fn place(point: &Point<'_>) -> Place {
    let mut handlers: Vec<u16> = (0..point.options).map(|option| (point.handler)(option)).collect();
    handlers.dedup();
    (point.service.name, point.site.name, handlers)
}

impl Imitation {
    /// Takes note of a choice.
    pub fn note(&mut self, point: &Point<'_>, picked: u32) {
        let counts = self.taken.entry(place(point)).or_default();
        *counts.entry((point.handler)(picked)).or_default() += 1;
    }

    /// Whether it says more than that any option may be taken: somewhere several handlers applied.
    pub fn tells_apart(&self) -> bool {
        self.taken.keys().any(|(_, _, handlers)| handlers.len() > 1)
    }

    fn handler(&self, point: &Point<'_>, scene: &mut Scene<'_>) -> Option<u16> {
        let counts = self.taken.get(&place(point))?;
        let mut left = scene.draw.below(counts.values().sum());
        counts.iter().find_map(|(handler, count)| {
            if left < *count {
                return Some(*handler);
            }
            left -= count;
            None
        })
    }
}

impl Base {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Base::Uniform => "uniform",
            Base::Order => "order",
            Base::Imitated(_) => "imitation",
        }
    }

    /// It as a policy.
    pub fn policy(&self) -> Box<dyn Policy> {
        Box::new(Basic(self.clone()))
    }
}

struct Basic(Base);

impl Policy for Basic {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        if let Some(default) = point.default {
            return default;
        }
        let handler = match &self.0 {
            Base::Uniform => None,
            Base::Order => Some((point.handler)(0)),
            Base::Imitated(imitation) => imitation.handler(point, scene),
        };
        match handler {
            None => Random.choose(point, scene),
            Some(handler) => {
                let its = |option: &u32| (point.handler)(*option) == handler;
                let first = (0..point.options).find(its).unwrap_or_default();
                let ways = (first..point.options).take_while(its).count();
                first + scene.draw.below(ways as u64) as u32
            }
        }
    }
}
