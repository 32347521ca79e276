//! Periods of a live node by what it measures: the simulator's resolver `measured` as an advisor.
//!
//! The measuring and the choosing are `foresee-measure`'s, on the same calls. What nodes tell each other rides on their messages as notes,
//! so either all nodes of a service have this advisor or none has. Other choices are answered as without it.

use std::time::Duration;

use foresee_kernel::{Datum, Model, NodeId, Point, Ran, ServiceInfo};
use foresee_measure::{Gauge, Told, tunables};

use crate::resolve::Advisor;

/// Resolves choices of periods by what the node measures.
#[derive(Debug)]
pub struct Measured {
    /// The layers.
    services: Vec<&'static ServiceInfo>,
    /// What it measures for each choice: the names of service and site.
    gauges: Vec<(&'static str, &'static str, Gauge)>,
}

impl Measured {
    /// For a node of a system. None where the system leaves no choice there whose form is known: `info` says which are.
    pub fn new(model: &Model, node: NodeId) -> Option<Self> {
        let layers = model.nodes.get(node.index())?.layers();
        let services: Vec<&'static ServiceInfo> = layers.iter().map(|layer| layer.service().info()).collect();
        let its =
            tunables(model).into_iter().filter(|it| services.iter().any(|layer| layer.name == it.service));
        let gauges: Vec<_> = its.filter_map(|it| Some((it.service, it.choice, Gauge::new(&it)?))).collect();
        (!gauges.is_empty()).then_some(Measured { services, gauges })
    }
}

fn nanos(now: Duration) -> u64 {
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

impl Advisor for Measured {
    fn advise(&mut self, _: &Point<'_>) -> Option<u32> {
        // Without the time nothing was measured.
        None
    }

    fn advise_at(&mut self, now: Duration, point: &Point<'_>) -> Option<u32> {
        let is_its = |it: &&mut (&str, &str, Gauge)| (it.0, it.1) == (point.service.name, point.site.name);
        self.gauges.iter_mut().find(is_its).and_then(|(_, _, gauge)| gauge.choose(nanos(now), point))
    }

    fn notes(&self) -> bool {
        true
    }

    fn sends(&mut self, now: Duration, carrier: u8, to: NodeId, message: &Datum) -> Vec<u8> {
        let gauges = self.gauges.iter_mut();
        let told: Vec<Told> =
            gauges.map(|(_, _, it)| it.sends(nanos(now), carrier, to, message.kind())).collect();
        postcard::to_stdvec(&told).unwrap_or_default()
    }

    fn hears(&mut self, now: Duration, carrier: u8, from: NodeId, note: &[u8]) {
        let Ok(told) = postcard::from_bytes::<Vec<Told>>(note) else { return };
        for ((_, _, gauge), told) in self.gauges.iter_mut().zip(&told) {
            gauge.hears(nanos(now), carrier, from, told);
        }
    }

    fn ran(&mut self, now: Duration, ran: &[Ran]) {
        for (_, _, gauge) in &mut self.gauges {
            gauge.ran(nanos(now), &self.services, ran);
        }
    }

    fn begins(&mut self, now: Duration) {
        self.gauges.iter_mut().for_each(|(_, _, gauge)| gauge.restarted(nanos(now)));
    }
}
