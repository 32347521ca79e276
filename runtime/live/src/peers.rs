//! Who the other nodes are and where: given by the program, added later, or read from a file and read again when it changes.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersFile {
    peers: BTreeMap<String, String>,
}

impl Peers {
    /// The peers of `source`; `names` are those that its file may use beside numbers.
    pub(crate) fn open(source: PeerSource, names: Vec<String>) -> Result<Self, Error> {
        let known = match &source {
            PeerSource::List(list) => list.clone(),
            PeerSource::File(path) => read(path, &names)?,
        };
        Ok(Peers { source, names, known: RwLock::new(known) })
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
            PeerSource::List(_) => None,
        }
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

    #[test]
    fn a_file_of_peers_is_read_again_and_its_mistakes_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("peers.toml");
        let write = |text: &str| std::fs::write(&path, text).expect("it can be written");
        write("[peers]\n0 = \"127.0.0.1:7000\"\n\"b\" = \"127.0.0.1:7001\"\n");
        let peers = Peers::open(path.clone().into(), vec!["a".into(), "b".into()]).expect("it is read");
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
}
