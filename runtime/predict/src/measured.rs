//! The resolver `measured`: choices of periods by what the nodes measure (`foresee-measure`), all others by looking ahead.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use foresee_kernel::{Datum, Model, NodeId, Point, Ran, ServiceInfo};
use foresee_measure::{Gauge, Told, Tunable, tunables};
use foresee_sim::{AuthorsDefault, Custom, Own, Policy, Scene, Witness};
use foresee_world::Route;

use crate::resolver::Lookahead;
use crate::settings::Settings;
use crate::train::{Trained, train};

/// The name by which it is asked for.
pub const MEASURED: &str = "measured";

/// The most attachments that are kept; of lost messages nobody hears again.
const ATTACHED_MAX: usize = 1 << 14;

/// It, for one model after another.
pub(crate) fn measured(settings: &Arc<Settings>) -> Custom {
    let settings = settings.clone();
    let trained: Arc<OnceLock<Trained>> = Arc::default();
    Custom::new(MEASURED, move |model| {
        let tunables = tunables(model);
        if !leaves_others(model, &tunables) {
            return Box::new(Measured::new(model, &tunables, Box::new(AuthorsDefault)));
        }
        let found = trained.get_or_init(|| train(model, &settings));
        let others: Box<dyn Policy> = match found.guarded {
            true => Box::new(AuthorsDefault),
            false => Box::new(Lookahead::new(model, &settings, found.base.clone())),
        };
        Box::new(Measured::new(model, &tunables, others))
    })
}

/// Whether there are choices beside those that are resolved by measuring.
pub fn leaves_others(model: &Model, tunables: &[Tunable]) -> bool {
    let measured = |service: &str, choice: &str| {
        let its = |it: &&Tunable| it.service == service && it.choice == choice;
        tunables.iter().find(its).is_some_and(|it| it.form.is_ok())
    };
    let services = model.nodes.iter().flat_map(|stack| stack.layers()).map(|layer| layer.service().info());
    services.into_iter().any(|info| {
        let open = info.sites.iter().any(|site| site.open && !measured(info.name, site.name));
        open || !info.tables.overlaps.is_empty()
    })
}

/// Resolves choices of periods by what the nodes measure.
pub struct Measured {
    /// The services of each node, its layers.
    services: Vec<Vec<&'static ServiceInfo>>,
    /// For each node, the choices that it measures for.
    gauges: Vec<Vec<(&'static str, &'static str, Gauge)>>,
    up: Vec<bool>,
    others: Box<dyn Policy>,
    order: u64,
    attached: BTreeMap<u64, (u64, Vec<Told>)>,
    bytes: u64,
    choices: u64,
    changes: u64,
}

impl Measured {
    /// For one run of `model`; `others` answers what is not measured.
    pub fn new(model: &Model, tunables: &[Tunable], others: Box<dyn Policy>) -> Self {
        let services: Vec<Vec<&'static ServiceInfo>> = model
            .nodes
            .iter()
            .map(|stack| stack.layers().iter().map(|layer| layer.service().info()).collect())
            .collect();
        let gauges = services.iter().map(|layers: &Vec<&'static ServiceInfo>| {
            let its = tunables.iter().filter(|it| layers.iter().any(|layer| layer.name == it.service));
            its.filter_map(|it| Some((it.service, it.choice, Gauge::new(it)?))).collect()
        });
        Measured {
            gauges: gauges.collect(),
            up: vec![true; services.len()],
            services,
            others,
            order: 0,
            attached: BTreeMap::new(),
            bytes: 0,
            choices: 0,
            changes: 0,
        }
    }
}

impl Policy for Measured {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        let mut its = self.gauges[point.node.index()].iter_mut();
        let gauge =
            its.find(|(service, choice, _)| (*service, *choice) == (point.service.name, point.site.name));
        let Some((_, _, gauge)) = gauge else { return self.others.choose(point, scene) };
        let before = gauge.force();
        let Some(option) = gauge.choose(scene.now_nanos, point) else {
            return self.others.choose(point, scene);
        };
        self.choices += 1;
        self.changes += u64::from(before.is_some_and(|before| before != option));
        option
    }

    fn witness(&mut self) -> Option<&mut dyn Witness> {
        Some(self)
    }

    fn report(&self) -> BTreeMap<String, f64> {
        let mut figures = self.others.report();
        for (name, figure) in
            [("measured", self.choices), ("measured_changes", self.changes), ("measured_bytes", self.bytes)]
        {
            figures.insert(name.to_owned(), figure as f64);
        }
        figures
    }
}

impl Witness for Measured {
    fn sent(&mut self, now: u64, route: Route, message: &Datum) -> u64 {
        let theirs = self.others.witness().map_or(0, |it| it.sent(now, route, message));
        let gauges = &mut self.gauges[route.src.index()];
        if route.src == route.dst || gauges.is_empty() {
            return 2 * theirs;
        }
        let told: Vec<Told> = gauges
            .iter_mut()
            .map(|(_, _, it)| it.sends(now, route.carrier, route.dst, message.kind()))
            .collect();
        self.bytes += told.iter().map(Told::bytes).sum::<u64>();
        if self.attached.len() >= ATTACHED_MAX {
            self.attached.pop_first();
        }
        // Ours are odd, so that none of theirs is taken for one.
        self.order += 1;
        self.attached.insert(self.order, (theirs, told));
        2 * self.order + 1
    }

    fn arrives(&mut self, now: u64, route: Route, attached: u64) {
        let ours = attached % 2 == 1;
        let (theirs, told) = match ours {
            true => self.attached.remove(&(attached / 2)).unwrap_or_default(),
            false => (attached / 2, Vec::new()),
        };
        for ((_, _, gauge), told) in self.gauges[route.dst.index()].iter_mut().zip(&told) {
            gauge.hears(now, route.carrier, route.src, told);
        }
        if let Some(others) = self.others.witness() {
            others.arrives(now, route, theirs);
        }
    }

    fn ran(&mut self, now: u64, node: NodeId, ran: &[Ran]) {
        for (_, _, gauge) in &mut self.gauges[node.index()] {
            gauge.ran(now, &self.services[node.index()], ran);
        }
        if let Some(others) = self.others.witness() {
            others.ran(now, node, ran);
        }
    }

    fn changed(&mut self, now: u64, node: NodeId, own: &Own<'_>) {
        if own.up && !self.up[node.index()] {
            self.gauges[node.index()].iter_mut().for_each(|(_, _, gauge)| gauge.restarted(now));
        }
        self.up[node.index()] = own.up;
        if let Some(others) = self.others.witness() {
            others.changed(now, node, own);
        }
    }

    fn broke(&mut self, now: u64, node: NodeId, peer: NodeId) {
        if let Some(others) = self.others.witness() {
            others.broke(now, node, peer);
        }
    }
}
