//! Who answers choices, by name. One interface, a user's own included.
//!
//! Chance is never asked here: nature draws it from the seed by its weights, whatever the resolver.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{Model, Nature, NodeEvent, NodeId, NodeState, Point, Resolver, SiteInfo};
use foresee_net::Draw;

use crate::draws::Draws;
use crate::witness::{Step, Truth, Witness};

/// Answers the choices of a run. Made anew for every run, so what it remembers never crosses from one seed to another.
pub trait Policy {
    /// The option taken, below `point.options`.
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32;

    /// Who has to be told what happens, for this policy to choose. Only a policy that has one is shown the [`Step`].
    fn witness(&mut self) -> Option<&mut dyn Witness> {
        None
    }

    /// Figures about what it did in the run, by name; see [`crate::Run::resolver`].
    fn report(&self) -> BTreeMap<String, f64> {
        BTreeMap::new()
    }
}

/// What a policy may know beside the point.
pub struct Scene<'a> {
    /// The virtual time, in nanoseconds.
    pub now_nanos: u64,
    /// Random numbers for this choice alone.
    pub draw: &'a mut dyn Draw,
    /// The step in which the choice comes up, for a policy with a witness.
    pub step: Option<Step<'a>>,
    /// How long the choice took, in nanoseconds: what the step sends leaves as much later. For a policy with a witness.
    pub thought_nanos: u64,
    /// What happens to the node, and what it was before; in runs alone that are made with care.
    pub(crate) own: Option<(&'a NodeEvent, &'a NodeState)>,
}

/// A resolver of choices.
#[derive(Clone, Debug, Default)]
pub enum ResolverKind {
    /// Any option, all equally likely.
    #[default]
    Random,
    /// The first option.
    First,
    /// Every option in turn, for each node and each place in the spec.
    RoundRobin,
    /// The author's default where the choice has one, else any.
    Default,
    /// A user's own.
    Custom(Custom),
}

/// A user's own resolver.
#[derive(Clone)]
pub struct Custom {
    name: Arc<str>,
    make: Arc<Make>,
}

type Make = dyn Fn(&Arc<Model>) -> Box<dyn Policy> + Send + Sync;

impl Custom {
    /// A resolver called `name`; `make` makes its policy for one run of a model.
    pub fn new(name: &str, make: impl Fn(&Arc<Model>) -> Box<dyn Policy> + Send + Sync + 'static) -> Self {
        Custom { name: name.into(), make: Arc::new(make) }
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custom({})", self.name)
    }
}

impl ResolverKind {
    /// The name by which it is asked for.
    pub fn name(&self) -> &str {
        match self {
            ResolverKind::Random => "random",
            ResolverKind::First => "first",
            ResolverKind::RoundRobin => "round-robin",
            ResolverKind::Default => "default",
            ResolverKind::Custom(custom) => &custom.name,
        }
    }

    pub(crate) fn policy(&self, model: &Arc<Model>) -> Box<dyn Policy> {
        match self {
            ResolverKind::Random => Box::new(Random),
            ResolverKind::First => Box::new(First),
            ResolverKind::RoundRobin => Box::new(RoundRobin::default()),
            ResolverKind::Default => Box::new(AuthorsDefault),
            ResolverKind::Custom(custom) => (custom.make)(model),
        }
    }
}

impl fmt::Display for ResolverKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ResolverKind {
    type Err = UnknownResolver;
    fn from_str(name: &str) -> Result<Self, UnknownResolver> {
        Resolvers::default().get(name)
    }
}

/// The resolvers that may be asked for by name.
#[derive(Clone, Debug)]
pub struct Resolvers(Vec<ResolverKind>);

impl Default for Resolvers {
    fn default() -> Self {
        use ResolverKind::{Default, First, Random, RoundRobin};
        Resolvers(vec![Random, First, RoundRobin, Default])
    }
}

impl Resolvers {
    /// These and one more; it takes the place of one of the same name.
    pub fn with(mut self, custom: Custom) -> Self {
        self.0.retain(|kind| kind.name() != &*custom.name);
        self.0.push(ResolverKind::Custom(custom));
        self
    }

    /// The resolver of this name.
    ///
    /// # Errors
    /// A name that none of them has.
    pub fn get(&self, name: &str) -> Result<ResolverKind, UnknownResolver> {
        let found = self.0.iter().find(|kind| kind.name() == name);
        found.cloned().ok_or_else(|| UnknownResolver {
            name: name.to_owned(),
            known: self.names().map(str::to_owned).collect(),
        })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ResolverKind::name)
    }
}

/// A name that no resolver has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownResolver {
    /// The name.
    pub name: String,
    /// The names that there are.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no resolver `{}` (there are: {})", self.name, self.known.join(", "))
    }
}

impl std::error::Error for UnknownResolver {}

/// Any option, all equally likely.
#[derive(Debug)]
pub struct Random;

impl Policy for Random {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        scene.draw.below(u64::from(point.options)) as u32
    }
}

pub(crate) struct First;

impl Policy for First {
    fn choose(&mut self, _: &Point<'_>, _: &mut Scene<'_>) -> u32 {
        0
    }
}

/// The author's default, else any option.
#[derive(Debug)]
pub struct AuthorsDefault;

impl Policy for AuthorsDefault {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        point.default.unwrap_or_else(|| Random.choose(point, scene))
    }
}

/// How often each node came to each place.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoundRobin(pub BTreeMap<(NodeId, &'static str, &'static SiteInfo), u32>);

impl Policy for RoundRobin {
    fn choose(&mut self, point: &Point<'_>, _: &mut Scene<'_>) -> u32 {
        let turn = self.0.entry((point.node, point.service.name, point.site)).or_default();
        let picked = *turn % point.options;
        *turn = turn.wrapping_add(1);
        picked
    }
}

/// Answers the points of steps: nature draws chance, the policy answers choices.
pub(crate) struct Chooser<'a> {
    pub policy: &'a mut dyn Policy,
    pub draws: &'a mut Draws,
    pub now: u64,
    pub labels: bool,
    /// For a policy that has a witness.
    pub step: Option<Deliberation<'a>>,
    /// As [`Scene::own`].
    pub own: Option<(&'a NodeEvent, &'a NodeState)>,
}

/// A step as it is shown to a policy that has a witness.
pub(crate) struct Deliberation<'a> {
    pub event: &'a NodeEvent,
    pub truth: &'a dyn Truth,
    pub picks: Vec<u32>,
    /// How long the choices of the step took.
    pub thought: u64,
}

impl Resolver for Chooser<'_> {
    fn resolve(&mut self, point: &Point<'_>) -> u32 {
        let picked = match point.nature {
            Nature::Chance => self.draws.chance(point.node).weighted(point.weights) as u32,
            Nature::Choice => {
                let mut draw = self.draws.choice(point.node);
                let step =
                    self.step.as_ref().map(|it| Step { event: it.event, picks: &it.picks, truth: it.truth });
                let mut scene =
                    Scene { now_nanos: self.now, draw: &mut draw, step, thought_nanos: 0, own: self.own };
                let picked = self.policy.choose(point, &mut scene);
                let thought = scene.thought_nanos;
                if let Some(step) = &mut self.step {
                    step.thought += thought;
                }
                picked
            }
        };
        if let Some(step) = &mut self.step {
            step.picks.push(picked);
        }
        picked
    }

    fn now(&self) -> Option<Duration> {
        Some(Duration::from_nanos(self.now))
    }

    fn wants_labels(&self) -> bool {
        self.labels
    }
}
