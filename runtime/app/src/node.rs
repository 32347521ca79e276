//! `node`: one node of a system as a process, over real sockets, until it is told to stop.
//!
//! What it needs is said by flags, by the environment (`FORESEE_LISTEN` and so on) or by a TOML file, in this order. Logs go to the
//! standard error; counters and health are shown over HTTP, and a recording is what `replay` walks through. With `emulate` it
//! pretends to be far from its peers, with `workload` it makes the calls of the system, and `links` says from whom it is cut off: what
//! a cluster on one machine is made of.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use foresee_kernel::{Model, NodeId, SpecInfo, argument, names};
use foresee_live::{Advisor, Dns, Extras, Host, Limits, Measured, Recording, Transport};
use foresee_world::narrate;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tracing_subscriber::EnvFilter;

use crate::args::SystemArgs;
use crate::exit::{Exit, Failure};
use crate::workload::Workload;
use crate::{model, place};

#[derive(Args, Debug)]
pub struct NodeArgs {
    #[command(flatten)]
    pub system: SystemArgs,
    /// A TOML file with any of the options below, by their names
    #[arg(long, value_name = "FILE", env = "FORESEE_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub options: NodeOptions,
}

/// What a node needs, from whichever source.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeOptions {
    /// Which node this is, by its name in the system or its number
    #[arg(long, value_name = "NAME", env = "FORESEE_NODE")]
    pub node: Option<String>,
    /// Where it listens for its peers, such as 0.0.0.0:7000
    #[arg(long, value_name = "ADDRESS", env = "FORESEE_LISTEN")]
    pub listen: Option<String>,
    /// The TOML file that says where the nodes are: a table `peers` of names and addresses; read again when it changes. Or names to ask
    /// for again and again, with the number of a node in the place of `{}`: `dns:node-{}.example:7000`
    #[arg(long, value_name = "FILE|dns:PATTERN", env = "FORESEE_PEERS")]
    pub peers: Option<String>,
    /// The folder for durable state
    #[arg(long, value_name = "DIR", env = "FORESEE_DATA")]
    pub data: Option<PathBuf>,
    /// Run without a folder: what is durable ends with the process
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "FORESEE_VOLATILE")]
    pub volatile: Option<bool>,
    /// Where it shows `/metrics` and `/health`
    #[arg(long, value_name = "ADDRESS", env = "FORESEE_HTTP")]
    pub http: Option<String>,
    /// Record what it does to this file, for `replay`
    #[arg(long, value_name = "FILE", env = "FORESEE_RECORD")]
    pub record: Option<PathBuf>,
    /// What is logged, such as `info` or `foresee_live=debug`
    #[arg(long, value_name = "FILTER", env = "FORESEE_LOG")]
    pub log: Option<String>,
    /// The seed of its choices and chance, of the emulated network and of the workload; from the clock if left out
    #[arg(long, env = "FORESEE_SEED")]
    pub seed: Option<u64>,
    /// Send datagrams through connections: for messages longer than UDP carries
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "FORESEE_DATAGRAMS_IN_STREAMS")]
    pub datagrams_in_streams: Option<bool>,
    /// Pretend to be far from its peers: the topology that says how far, as for `simulate --topology`
    #[arg(long, value_name = "FILE|NAME", env = "FORESEE_EMULATE")]
    pub emulate: Option<String>,
    /// The TOML file that says which links are cut: `cut`, a list of sides; read again when it changes
    #[arg(long, value_name = "FILE", env = "FORESEE_LINKS")]
    pub links: Option<PathBuf>,
    /// Who answers choices: `default`, the author's default or a draw; `measured`, periods by what the node measures, as in simulations. All
    /// nodes of a system must have the same
    #[arg(long, value_name = "NAME", env = "FORESEE_RESOLVER")]
    pub resolver: Option<String>,
    /// Make the calls of the system's workload that are this node's
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "FORESEE_WORKLOAD")]
    pub workload: Option<bool>,
    /// When the workload begins, in milliseconds since 1970; when the process starts if left out
    #[arg(long, value_name = "MILLISECONDS", env = "FORESEE_BEGIN")]
    pub begin: Option<u64>,
    /// Check after each step what the node can decide alone of the claims of the system, and report what is violated
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "FORESEE_CHECK_LOCAL")]
    pub check_local: Option<bool>,
    /// What carries connections: tcp, tls or quic
    #[arg(long, value_name = "NAME", env = "FORESEE_TRANSPORT")]
    pub transport: Option<String>,
    /// The folder of certificates for tls and quic, as `foresee certs` makes it
    #[arg(long, value_name = "DIR", env = "FORESEE_CERTIFICATES")]
    pub certificates: Option<PathBuf>,
    /// How long a peer that does not answer is tried before its connection counts as broken, such as 500ms
    #[arg(long, value_name = "DURATION", env = "FORESEE_PATIENCE")]
    pub patience: Option<String>,
}

impl NodeOptions {
    /// These options, and those of `other` where these say nothing.
    fn or(self, other: NodeOptions) -> Self {
        NodeOptions {
            node: self.node.or(other.node),
            listen: self.listen.or(other.listen),
            peers: self.peers.or(other.peers),
            data: self.data.or(other.data),
            volatile: self.volatile.or(other.volatile),
            http: self.http.or(other.http),
            record: self.record.or(other.record),
            log: self.log.or(other.log),
            seed: self.seed.or(other.seed),
            datagrams_in_streams: self.datagrams_in_streams.or(other.datagrams_in_streams),
            emulate: self.emulate.or(other.emulate),
            links: self.links.or(other.links),
            resolver: self.resolver.or(other.resolver),
            workload: self.workload.or(other.workload),
            begin: self.begin.or(other.begin),
            check_local: self.check_local.or(other.check_local),
            transport: self.transport.or(other.transport),
            certificates: self.certificates.or(other.certificates),
            patience: self.patience.or(other.patience),
        }
    }
}

/// Runs the command until the process is told to stop.
pub fn run(spec: &'static SpecInfo, args: &NodeArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let file = args.config.as_deref().map(read).transpose()?.unwrap_or_default();
    let options = args.options.clone().or(file);
    let model = model::build(spec, &args.system)?;
    let node = node(&model, options.node.as_deref())?;
    let filter = options.log.as_deref().unwrap_or("info");
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure::usage(format!("--log: {error}")))?;
    // A program that has a subscriber of its own keeps it.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&model, node, options, out))
}

fn read(path: &Path) -> Result<NodeOptions, Failure> {
    let refuse = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    toml::from_str(&text).map_err(|error| refuse(error.to_string()))
}

fn node(model: &Model, name: Option<&str>) -> Result<NodeId, Failure> {
    let known = || model.names.join(", ");
    let name = name.ok_or_else(|| Failure::usage(format!("which node? --node is one of: {}", known())))?;
    let numbered =
        || name.parse().ok().filter(|number| (*number as usize) < model.nodes.len()).map(NodeId::new);
    model.node(name).or_else(numbered).ok_or_else(|| {
        Failure::usage(format!("system `{}` has no node `{name}`; it has: {}", model.system, known()))
    })
}

async fn serve(
    model: &Arc<Model>,
    node: NodeId,
    options: NodeOptions,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let usage = |error: foresee_live::Error| Failure::usage(error.to_string());
    let listen = options.listen.ok_or_else(|| Failure::usage("where does it listen? --listen says so"))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut host = Host::bind(listen).id(node).names(model.names.iter().cloned());
    if let Some(peers) = options.peers {
        host = match peers.strip_prefix("dns:") {
            Some(pattern) => host.peers(Dns::new(pattern, model.nodes.len() as u32)),
            None => host.peers(PathBuf::from(peers)),
        };
    }
    if let Some(data) = &options.data {
        host = host.data(data);
    }
    if options.volatile == Some(true) {
        host = host.volatile();
    }
    if let Some(seed) = options.seed {
        host = host.seed(seed);
    }
    if options.datagrams_in_streams == Some(true) {
        host = host.datagrams_in_streams();
    }
    if let Some(emulate) = &options.emulate {
        let refuse = |what: String| Failure::usage(format!("--emulate: {what}"));
        let topology = place::topology(emulate).map_err(refuse)?;
        foresee_sim::said(model, &topology).map_err(|error| refuse(error.to_string()))?;
        if !topology.ends_on_the_way() {
            let told = "it says what happens at receivers (`downlink`, `processing`, `connections`), and what is emulated is the way to them";
            return Err(refuse(told.to_owned()));
        }
        host = host.emulate(topology);
    }
    if let Some(links) = &options.links {
        host = host.links(links);
    }
    host = host.transport(transport(options.transport.as_deref(), options.certificates.clone())?);
    if let Some(patience) = &options.patience {
        let expected =
            || Failure::usage(format!("--patience: `{patience}` is no duration such as 500ms or 2s"));
        let patience = argument::duration(patience).ok_or_else(expected)?;
        host = host.limits(Limits { patience, ..Limits::default() });
    }
    let began = Instant::now();
    let host = host.open().await.map_err(usage)?;
    // Without a folder a life knows nothing of those before it.
    let life = if options.data.is_some() { host.boots().saturating_sub(1) as u32 } else { 0 };
    let mut workload = match options.workload {
        Some(true) => {
            let began = options.begin.map_or(began, |begin| began + until(begin));
            Workload::new(model, node, options.seed.unwrap_or(0), life, began)?
        }
        _ => Workload::none(model, node),
    };
    let name = model.name(node);
    if let Some(http) = options.http {
        let address = host.observe(&http).await.map_err(usage)?;
        writeln!(out, "{name} shows itself on http://{address}/metrics and /health")?;
    }
    let recording = options.record.map(|file| {
        let origin = narrate::origin(model, "node", options.seed);
        Recording { file, origin, node: name.to_owned() }
    });
    let check_local = (options.check_local == Some(true)).then(|| model.clone());
    let advisor = advisor(model, node, options.resolver.as_deref())?;
    let extras = Extras { advisor, recording, check_local };
    let stack = model.nodes[node.index()].clone();
    let (port, mut upcalls) = host.start_stack(model.system, stack, extras).await.map_err(usage)?;
    writeln!(out, "{name} listens on {}", host.address())?;
    out.flush()?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = workload.turn(&port) => {}
            // Whom it tells of is called as the system calls it.
            Some(upcall) = upcalls.recv() => {
                names::scope(&model.names, || tracing::info!(node = name, ?upcall, "upcall"));
            }
        }
    }
    host.shutdown().await;
    writeln!(out, "{name} stopped")?;
    Ok(Exit::Held)
}

/// Who is asked for choices first.
fn advisor(model: &Model, node: NodeId, resolver: Option<&str>) -> Result<Option<Box<dyn Advisor>>, Failure> {
    match resolver {
        None | Some("default") => Ok(None),
        Some("measured") => match Measured::new(model, node) {
            Some(measured) => Ok(Some(Box::new(measured))),
            None => Err(Failure::usage(format!(
                "--resolver: `{}` of system `{}` has no choice of a period that can be measured for; `info --system {}` says why",
                model.name(node),
                model.system,
                model.system
            ))),
        },
        Some(other) => Err(Failure::usage(format!(
            "--resolver: a node has none named `{other}`; there are default, measured"
        ))),
    }
}

/// What carries connections.
fn transport(name: Option<&str>, certificates: Option<PathBuf>) -> Result<Transport, Failure> {
    let secret = |make: fn(PathBuf) -> Transport| {
        let missing = || Failure::usage("where are the certificates? --certificates says so");
        certificates.clone().map(make).ok_or_else(missing)
    };
    match name {
        None | Some("tcp") if certificates.is_some() => {
            Err(Failure::usage("--certificates: plain TCP shows none; --transport is tls or quic"))
        }
        None | Some("tcp") => Ok(Transport::Tcp),
        Some("tls") => secret(Transport::Tls),
        Some("quic") => secret(Transport::Quic),
        Some(other) => {
            Err(Failure::usage(format!("--transport: `{other}` is none; there are tcp, tls, quic")))
        }
    }
}

/// How long until a moment in milliseconds since 1970; nothing where it has passed.
#[allow(clippy::disallowed_methods, reason = "processes agree on a moment by the machine's clock")]
fn until(begin: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(begin).saturating_sub(now)
}
