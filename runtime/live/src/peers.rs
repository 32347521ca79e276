//! Who the other nodes are and where: given by the program, added later, read from a file and read again when it changes, or asked
//! of the domain name system again and again.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use foresee_kernel::NodeId;
use serde::Deserialize;

use crate::Error;

/// Where a host finds its peers: a file's path, or a list.
#[derive(Clone, Debug)]
pub enum PeerSource {
    /// A TOML file with a table `peers`: names or numbers of nodes, and their addresses.
    File(PathBuf),
    /// Known from the start.
    List(BTreeMap<NodeId, SocketAddr>),
    /// Known by names that follow from their numbers.
    Dns(Dns),
}

/// The most nodes that are looked for beyond those that are known, each time.
const BEYOND_MAX: u32 = 64;

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Peers that are found by name: node 3 is at `node-3.cluster.example:7000`, where the pattern is `node-{}.cluster.example:7000`. Names are
/// asked for again every [`crate::Limits::resolve`]; nodes beyond those at the start are found when their names appear, one number after
/// another.
#[derive(Clone)]
pub struct Dns {
    pattern: String,
    nodes: u32,
    look_up: Arc<dyn Fn(String) -> Found + Send + Sync>,
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns")
            .field("pattern", &self.pattern)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

impl Dns {
    /// Names with the number of a node in the place of `{}`, and the port behind a colon; `nodes` is how many there are at the start.
    pub fn new(pattern: impl Into<String>, nodes: u32) -> Self {
        let look_up = |name: String| -> Found {
            Box::pin(async move { Ok(tokio::net::lookup_host(name).await?.collect()) })
        };
        Dns { pattern: pattern.into(), nodes, look_up: Arc::new(look_up) }
    }

    /// Asks somebody else than the system: for a name with its port, the addresses.
    pub fn asking<F>(mut self, look_up: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.look_up = Arc::new(move |name| Box::pin(look_up(name)));
        self
    }

    fn name(&self, node: u32) -> String {
        self.pattern.replace("{}", &node.to_string())
    }

    /// The address of a node, of the kind that is wanted if there is one.
    async fn find(&self, node: u32, v6: bool) -> io::Result<SocketAddr> {
        let found = (self.look_up)(self.name(node)).await?;
        let wanted = found.iter().find(|address| address.is_ipv6() == v6);
        let nothing = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        wanted.or(found.first()).copied().ok_or_else(nothing)
    }
}

impl From<Dns> for PeerSource {
    fn from(dns: Dns) -> Self {
        PeerSource::Dns(dns)
    }
}

impl From<&str> for PeerSource {
    fn from(path: &str) -> Self {
        PeerSource::File(path.into())
    }
}

impl From<&Path> for PeerSource {
    fn from(path: &Path) -> Self {
        PeerSource::File(path.to_owned())
    }
}

impl From<PathBuf> for PeerSource {
    fn from(path: PathBuf) -> Self {
        PeerSource::File(path)
    }
}

impl From<BTreeMap<NodeId, SocketAddr>> for PeerSource {
    fn from(list: BTreeMap<NodeId, SocketAddr>) -> Self {
        PeerSource::List(list)
    }
}

/// The nodes that are known, with their addresses. Only the live driver knows addresses.
#[derive(Debug)]
pub(crate) struct Peers {
    source: PeerSource,
    names: Vec<String>,
    known: RwLock<BTreeMap<NodeId, SocketAddr>>,
    /// Whether the addresses that are looked for are of IPv6.
    v6: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersFile {
    peers: BTreeMap<String, String>,
}

impl Peers {
    /// The peers of `source`; `names` are those that its file may use beside numbers.
    /// `listens` is where the host will, as it was written.
    pub(crate) async fn open(source: PeerSource, names: Vec<String>, listens: &str) -> Result<Self, Error> {
        let known = match &source {
            PeerSource::List(list) => list.clone(),
            PeerSource::File(path) => read(path, &names)?,
            PeerSource::Dns(dns) if !dns.pattern.contains("{}") => {
                let message = format!("`{}` has no `{{}}` where the number of a node belongs", dns.pattern);
                return Err(Error::Peers(message));
            }
            PeerSource::Dns(_) => BTreeMap::new(),
        };
        let v6 = listens.starts_with('[');
        let peers = Peers { source, names, known: RwLock::new(known), v6 };
        if let PeerSource::Dns(dns) = &peers.source {
            let failed = peers.look_up().await;
            if let (true, Some(error)) = (peers.ids().is_empty(), failed) {
                let name = dns.name(0);
                return Err(Error::io(format!("no peer is found by name, such as `{name}`"), error));
            }
        }
        Ok(peers)
    }

    /// Asks for the names again, and for those beyond: what was found stays where nothing else is. The first failure for a node that is
    /// known, or should be.
    pub(crate) async fn look_up(&self) -> Option<io::Error> {
        let PeerSource::Dns(dns) = &self.source else { return None };
        let known = self.ids().last().map_or(0, |last| last.index() as u32 + 1).max(dns.nodes);
        let mut failed = None;
        for node in 0..known.saturating_add(BEYOND_MAX) {
            let id = NodeId::new(node);
            match dns.find(node, self.v6).await {
                Ok(address) => {
                    if self.address(id) != Some(address) {
                        tracing::info!(node, %address, name = dns.name(node), "a peer was found");
                        self.add(id, address);
                    }
                }
                Err(_) if node >= known => break,
                Err(error) => {
                    tracing::debug!(node, %error, name = dns.name(node), "a peer's name is not found");
                    failed.get_or_insert(error);
                }
            }
        }
        failed
    }

    /// Reads the file again, if there is one; what was added by the program stays.
    pub(crate) fn refresh(&self) -> Result<(), Error> {
        if let PeerSource::File(path) = &self.source {
            let read = read(path, &self.names)?;
            self.known.write().unwrap_or_else(PoisonError::into_inner).extend(read);
        }
        Ok(())
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.source {
            PeerSource::File(path) => Some(path),
            PeerSource::List(_) | PeerSource::Dns(_) => None,
        }
    }

    /// Whether names are asked for again.
    pub(crate) fn by_name(&self) -> bool {
        matches!(self.source, PeerSource::Dns(_))
    }

    pub(crate) fn add(&self, node: NodeId, address: SocketAddr) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(node, address);
    }

    pub(crate) fn address(&self, node: NodeId) -> Option<SocketAddr> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&node).copied()
    }

    pub(crate) fn ids(&self) -> Vec<NodeId> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// The node that is listed at this address.
    pub(crate) fn at(&self, address: SocketAddr) -> Option<NodeId> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = known.iter().filter(|(_, known)| **known == address).map(|(node, _)| *node);
        found.next().filter(|_| found.next().is_none())
    }
}

fn read(path: &Path, names: &[String]) -> Result<BTreeMap<NodeId, SocketAddr>, Error> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::io(format!("the peers in {shown} cannot be read"), error))?;
    let file: PeersFile =
        toml::from_str(&text).map_err(|error| Error::Peers(format!("{shown}: {}", error.message())))?;
    let entry = |(name, address): (String, String)| {
        let node = node(&name, names).ok_or_else(|| {
            Error::Peers(format!("{shown}: `{name}` is no node; write its number, or its name in the system"))
        })?;
        let mut found = address
            .to_socket_addrs()
            .map_err(|error| Error::io(format!("{shown}: the address `{address}` of `{name}`"), error))?;
        let first = found.next();
        let first = first.ok_or_else(|| Error::Peers(format!("{shown}: `{address}` has no address")))?;
        Ok((node, first))
    };
    file.peers.into_iter().map(entry).collect()
}

/// The node of this name or number.
pub(crate) fn node(name: &str, names: &[String]) -> Option<NodeId> {
    let place = names.iter().position(|known| known == name).and_then(|place| u32::try_from(place).ok());
    place.or_else(|| name.parse().ok()).map(NodeId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_of_peers_is_read_again_and_its_mistakes_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("peers.toml");
        let write = |text: &str| std::fs::write(&path, text).expect("it can be written");
        write("[peers]\n0 = \"127.0.0.1:7000\"\n\"b\" = \"127.0.0.1:7001\"\n");
        let peers = Peers::open(path.clone().into(), vec!["a".into(), "b".into()], "127.0.0.1:0").await;
        let peers = peers.expect("it is read");
        assert_eq!(peers.ids(), [NodeId::new(0), NodeId::new(1)]);
        assert_eq!(peers.at("127.0.0.1:7001".parse().expect("an address")), Some(NodeId::new(1)));
        write("[peers]\n7 = \"127.0.0.1:7007\"\n");
        peers.refresh().expect("it is read again");
        assert_eq!(peers.ids().len(), 3);
        write("[peers]\nc = \"127.0.0.1:7007\"\n");
        let error = peers.refresh().expect_err("there is no such node").to_string();
        assert!(error.contains("`c` is no node"), "{error}");
        write("[peers]\n0 = \"nowhere\"\n");
        assert!(peers.refresh().is_err());
        write("[pears]\n");
        assert!(peers.refresh().expect_err("no such table").to_string().contains("pears"));
        assert_eq!(peers.ids().len(), 3, "a file with a mistake changes nothing");
    }

    #[tokio::test]
    async fn names_are_asked_for_again_and_beyond_those_at_the_start() {
        type Table = Arc<std::sync::Mutex<BTreeMap<String, Vec<SocketAddr>>>>;
        let table = Table::default();
        let says = |name: &str, addresses: &[&str]| {
            let addresses = addresses.iter().map(|it| it.parse().expect("an address")).collect();
            table.lock().expect("nobody panics").insert(name.to_owned(), addresses);
        };
        let asked = table.clone();
        let dns = Dns::new("node-{}.example:7000", 2).asking(move |name| {
            let found = asked.lock().expect("nobody panics").get(&name).cloned();
            async move { found.ok_or_else(|| io::ErrorKind::NotFound.into()) }
        });
        let open = |listens: &'static str| Peers::open(dns.clone().into(), vec![], listens);
        let error = open("0.0.0.0:7000").await.expect_err("nobody is known").to_string();
        assert!(error.contains("`node-0.example:7000`"), "{error}");
        says("node-1.example:7000", &["[::1]:7000", "10.0.0.1:7000"]);
        let peers = open("0.0.0.0:7000").await.expect("one is found");
        assert_eq!(peers.ids(), [NodeId::new(1)]);
        assert_eq!(
            peers.address(NodeId::new(1)),
            "10.0.0.1:7000".parse().ok(),
            "of the kind that is listened on"
        );
        let six = open("[::]:7000").await.expect("one is found");
        assert_eq!(six.address(NodeId::new(1)), "[::1]:7000".parse().ok());
        // One moves, one comes late, two come beyond, and one is too far from all others.
        says("node-1.example:7000", &["10.0.0.9:7000"]);
        for node in [0, 2, 3, 5] {
            says(&format!("node-{node}.example:7000"), &["10.0.0.2:7000"]);
        }
        assert!(peers.look_up().await.is_none());
        assert_eq!(peers.ids(), [0, 1, 2, 3].map(NodeId::new));
        assert_eq!(peers.address(NodeId::new(1)), "10.0.0.9:7000".parse().ok());
        // A name that is gone takes nobody away: its node may be down, and have no other.
        table.lock().expect("nobody panics").remove("node-0.example:7000");
        assert!(peers.look_up().await.is_some());
        assert_eq!(peers.ids().len(), 4);
        // What the program adds stays.
        peers.add(NodeId::new(9), "10.0.0.7:7000".parse().expect("an address"));
        peers.look_up().await;
        assert_eq!(peers.address(NodeId::new(9)), "10.0.0.7:7000".parse().ok());
        let error = Peers::open(Dns::new("cluster.example:7000", 2).into(), vec![], "").await;
        assert!(error.expect_err("it has no place for the number").to_string().contains("has no `{}`"));
    }
}
