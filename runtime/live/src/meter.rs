//! What a host counts, as Prometheus reads it. Counting never waits and never fails.

use std::sync::Mutex;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The bounds of the buckets in which the lateness of frames is counted, in seconds.
const LATE_SECONDS: [f64; 9] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5];

type Labels = Vec<(&'static str, String)>;

/// The counters of one host, over all its services.
#[derive(Debug)]
pub struct Meter {
    registry: Mutex<Registry>,
    events: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    dropped: Family<Labels, Counter>,
    choices: Family<Labels, Counter>,
    emulated: Family<Labels, Counter>,
    violations: Family<Labels, Counter>,
    late: Histogram,
    pub(crate) links_version: Gauge,
    pub(crate) links_cut: Gauge,
    pub(crate) consumed: Counter,
    pub(crate) messages_sent: Counter,
    pub(crate) messages_received: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) connections: Counter,
    pub(crate) breaks: Counter,
    pub(crate) commits: Counter,
    pub(crate) durable_steps: Counter,
    pub(crate) restarts: Counter,
    pub(crate) slow_steps: Counter,
    pub(crate) upcalls_waiting: Gauge,
    pub(crate) send_queue_bytes: Gauge,
    pub(crate) tasks: Gauge,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("foresee");
        let meter = Meter {
            registry: Mutex::default(),
            events: Family::default(),
            refused: Family::default(),
            dropped: Family::default(),
            choices: Family::default(),
            emulated: Family::default(),
            violations: Family::default(),
            late: Histogram::new(LATE_SECONDS),
            links_version: Gauge::default(),
            links_cut: Gauge::default(),
            consumed: Counter::default(),
            messages_sent: Counter::default(),
            messages_received: Counter::default(),
            bytes_sent: Counter::default(),
            bytes_received: Counter::default(),
            connections: Counter::default(),
            breaks: Counter::default(),
            commits: Counter::default(),
            durable_steps: Counter::default(),
            restarts: Counter::default(),
            slow_steps: Counter::default(),
            upcalls_waiting: Gauge::default(),
            send_queue_bytes: Gauge::default(),
            tasks: Gauge::default(),
        };
        registry.register("events", "Steps taken, by what happened", meter.events.clone());
        registry.register("refused", "Input from the network that was refused", meter.refused.clone());
        registry.register("dropped", "Messages of our own that were not sent", meter.dropped.clone());
        registry.register("choices", "Choices and draws, by their site", meter.choices.clone());
        registry.register("emulated", "Messages in the emulated network, by fate", meter.emulated.clone());
        let violations = "Claims that a step made false, where the node checks itself";
        registry.register("violations", violations, meter.violations.clone());
        let late = "By how many seconds frames left the emulated network late";
        registry.register("emulated_late_seconds", late, meter.late.clone());
        registry.register(
            "links_version",
            "The version of the links that were read last",
            meter.links_version.clone(),
        );
        registry.register("links_cut", "Peers to which the link is cut", meter.links_cut.clone());
        registry.register("consumed", "Events that no handler wanted", meter.consumed.clone());
        registry.register("messages_sent", "Messages handed to the network", meter.messages_sent.clone());
        registry.register("messages_received", "Messages from the network", meter.messages_received.clone());
        registry.register("bytes_sent", "Bytes of messages sent", meter.bytes_sent.clone());
        registry.register("bytes_received", "Bytes of messages received", meter.bytes_received.clone());
        registry.register("connections", "Connections that were made", meter.connections.clone());
        registry.register("breaks", "Breaks that a service was told of", meter.breaks.clone());
        registry.register("commits", "Commits to disk", meter.commits.clone());
        registry.register("durable_steps", "Steps that changed durable state", meter.durable_steps.clone());
        registry.register("restarts", "Restarts of a service after a fault", meter.restarts.clone());
        registry.register("slow_steps", "Steps that took long", meter.slow_steps.clone());
        registry.register("upcalls_waiting", "Upcalls nobody took yet", meter.upcalls_waiting.clone());
        registry.register("send_queue_bytes", "Bytes queued to be sent", meter.send_queue_bytes.clone());
        registry.register("tasks", "Tasks of the host", meter.tasks.clone());
        Meter { registry: Mutex::new(registry), ..meter }
    }

    /// All counters in the text format of Prometheus.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }

    /// How much input was refused for this reason.
    pub fn refused(&self, reason: &str) -> u64 {
        self.refused.get_or_create(&vec![("reason", reason.to_owned())]).get()
    }

    /// How many messages of our own were dropped for this reason.
    pub fn dropped(&self, reason: &str) -> u64 {
        self.dropped.get_or_create(&vec![("reason", reason.to_owned())]).get()
    }

    /// How many messages were handed to the network, and how many came from it.
    pub fn messages(&self) -> (u64, u64) {
        (self.messages_sent.get(), self.messages_received.get())
    }

    /// How many connections were made, and of how many breaks a service was told.
    pub fn connections(&self) -> (u64, u64) {
        (self.connections.get(), self.breaks.get())
    }

    /// How many commits there were, and how many steps changed durable state.
    pub fn commits(&self) -> (u64, u64) {
        (self.commits.get(), self.durable_steps.get())
    }

    /// How often a service started again after a fault.
    pub fn restarts(&self) -> u64 {
        self.restarts.get()
    }

    /// What became of messages in the emulated network: how many `arrives`, were `lost`, `doubled`, or sent `again`.
    pub fn emulated(&self, fate: &str) -> u64 {
        self.emulated.get_or_create(&vec![("fate", fate.to_owned())]).get()
    }

    pub(crate) fn emulate(&self, fate: &'static str, count: u64) {
        if count > 0 {
            self.emulated.get_or_create(&vec![("fate", fate.to_owned())]).inc_by(count);
        }
    }

    /// Notes by how much a frame left the emulated network late.
    pub(crate) fn late(&self, by: std::time::Duration) {
        self.late.observe(by.as_secs_f64());
    }

    /// How often a step of a service made a claim false, where it checks itself.
    pub fn violations(&self, service: &str, property: &str) -> u64 {
        let labels = vec![("service", service.to_owned()), ("property", property.to_owned())];
        self.violations.get_or_create(&labels).get()
    }

    pub(crate) fn violate(&self, service: &str, property: &'static str) {
        let labels = vec![("service", service.to_owned()), ("property", property.to_owned())];
        self.violations.get_or_create(&labels).inc();
    }

    pub(crate) fn refuse(&self, reason: &'static str) {
        self.refused.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }

    /// Notes that a message of our own was lost.
    pub(crate) fn lose(&self, reason: &'static str) {
        self.lose_all(reason, 1);
    }

    /// Notes that so many messages of our own were lost.
    pub(crate) fn lose_all(&self, reason: &'static str, count: u64) {
        if count > 0 {
            self.dropped.get_or_create(&vec![("reason", reason.to_owned())]).inc_by(count);
        }
    }

    /// The counter of steps upon events of this kind, to be kept: looking it up takes longer than counting.
    pub(crate) fn event(&self, kind: &'static str) -> Counter {
        self.events.get_or_create_owned(&vec![("kind", kind.to_owned())])
    }

    /// The counter of choices at a site, to be kept.
    pub(crate) fn choice(&self, service: &'static str, site: &'static str) -> Counter {
        let labels = vec![("service", service.to_owned()), ("site", site.to_owned())];
        self.choices.get_or_create_owned(&labels)
    }
}
