//! The choices that specs leave open, and how often each was made.

use foresee_kernel::{Model, ServiceInfo, SiteInfo};

/// A choice that the author left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceReport {
    /// Its service.
    pub service: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// How often it was made among several options, once for each way in which transitions can go; in starts of nodes, once each.
    pub made: u64,
}

/// The open choices of the services that `model` runs, of which `made` says how often each site was asked. What stands once in the spec
/// and is asked at several sites, as how long until a timer fires, is one choice.
pub fn choices(model: &Model, made: impl Fn(&'static SiteInfo) -> u64) -> Vec<ChoiceReport> {
    let mut services: Vec<&'static ServiceInfo> = Vec::new();
    for layer in model.nodes.iter().flat_map(|stack| stack.layers()) {
        let info = layer.service().info();
        if !services.iter().any(|known| std::ptr::eq(*known, info)) {
            services.push(info);
        }
    }
    let mut rows: Vec<ChoiceReport> = Vec::new();
    for info in services {
        for site in info.sites.iter().filter(|site| site.open) {
            let row = ChoiceReport { service: info.name, name: site.name, line: site.line, made: made(site) };
            let same = |other: &&mut ChoiceReport| {
                (other.service, other.name, other.line) == (row.service, row.name, row.line)
            };
            match rows.iter_mut().find(same) {
                Some(known) => known.made += row.made,
                None => rows.push(row),
            }
        }
    }
    rows
}
