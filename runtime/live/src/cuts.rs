//! Links that are cut: a file says which nodes are cut off from all others, and is read again when it changes.
//!
//! A cut link is a network that swallows everything. Nothing is written to a connection, not even that it is alive; so its other end hears
//! nothing, and the connection breaks when it was silent for too long, as over any network. What waits is sent when the link is
//! whole again, if the connection still stands. New connections are not made and not taken, and datagrams are lost.
//!
//! The file is TOML: `cut` is a list of sides, each a list of nodes by name or number, cut off from all that are not on it.
//! `version` is any number, which the host shows as `foresee_links_version`: whoever writes the file sees when it was read.
//! Without the file, and without `cut`, nothing is cut.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::NodeId;
use serde::Deserialize;
use tokio::sync::watch;

use crate::Error;
use crate::host::Shared;
use crate::peers;

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// The links that are cut, as they stand.
#[derive(Debug)]
pub(crate) struct Cuts {
    path: PathBuf,
    names: Vec<String>,
    me: NodeId,
    sides: watch::Sender<Arc<Links>>,
}

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    pub version: u64,
    sides: Vec<BTreeSet<NodeId>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LinksFile {
    version: u64,
    cut: Vec<Vec<String>>,
}

impl Links {
    /// Whether the link between two nodes is cut: some side has one of them alone.
    fn cut(&self, a: NodeId, b: NodeId) -> bool {
        self.sides.iter().any(|side| side.contains(&a) != side.contains(&b))
    }
}

impl Cuts {
    /// Reads the file.
    ///
    /// # Errors
    /// A file that cannot be read, or is not as it should be.
    pub(crate) fn open(path: PathBuf, names: Vec<String>, me: NodeId) -> Result<Self, Error> {
        let links = read(&path, &names)?;
        Ok(Cuts { path, names, me, sides: watch::Sender::new(Arc::new(links)) })
    }

    /// Whether the link with `peer` is cut.
    pub(crate) fn cut(&self, peer: NodeId) -> bool {
        self.sides.borrow().cut(self.me, peer)
    }

    /// Waits until the link with `peer` is whole.
    pub(crate) async fn whole(&self, peer: NodeId) {
        let mut sides = self.sides.subscribe();
        // The sender is this.
        let _ = sides.wait_for(|links| !links.cut(self.me, peer)).await;
    }

    fn show(&self, shared: &Shared) {
        let links = self.sides.borrow();
        let cut = shared.peers.ids().into_iter().filter(|peer| links.cut(self.me, *peer)).count();
        shared.meter.links_version.set(links.version as i64);
        shared.meter.links_cut.set(cut as i64);
    }
}

/// Reads the file again whenever it changes. A file with a mistake changes nothing, and is complained of once.
pub(crate) async fn watch(shared: Arc<Shared>, cuts: Arc<Cuts>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut complained = None;
    loop {
        cuts.show(&shared);
        ticks.tick().await;
        match read(&cuts.path, &cuts.names) {
            Ok(links) => {
                complained = None;
                if **cuts.sides.borrow() != links {
                    tracing::info!(node = %shared.name, ?links, "links changed");
                    cuts.sides.send_replace(Arc::new(links));
                }
            }
            Err(error) => {
                let said = error.to_string();
                if complained.as_ref() != Some(&said) {
                    tracing::warn!(error = said, "the links stay as they are");
                    complained = Some(said);
                }
            }
        }
    }
}

fn read(path: &Path, names: &[String]) -> Result<Links, Error> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Links::default()),
        Err(error) => return Err(Error::io(format!("the links in {shown} cannot be read"), error)),
    };
    let file: LinksFile =
        toml::from_str(&text).map_err(|error| Error::Peers(format!("{shown}: {}", error.message())))?;
    let node = |name: &String| {
        peers::node(name, names).ok_or_else(|| {
            Error::Peers(format!("{shown}: `{name}` is no node; write its number, or its name in the system"))
        })
    };
    let side = |side: &Vec<String>| side.iter().map(node).collect();
    Ok(Links { version: file.version, sides: file.cut.iter().map(side).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_cut_off_from_all_that_are_not_on_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("links.toml");
        let names = || vec!["a".to_owned(), "b".to_owned(), "c".to_owned(), "d".to_owned()];
        let id = NodeId::new;
        let cuts = Cuts::open(path.clone(), names(), id(0)).expect("no file cuts nothing");
        assert!(!cuts.cut(id(1)));
        let write = |text: &str| std::fs::write(&path, text).expect("it can be written");
        write("version = 3\ncut = [[\"a\", \"b\"], [\"3\"]]\n");
        let links = read(&path, &names()).expect("it is read");
        assert_eq!(links.version, 3);
        let cut: Vec<_> = (0..4)
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .filter(|(a, b)| links.cut(id(*a), id(*b)))
            .collect();
        assert_eq!(cut, [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]);
        for (text, said) in [("cut = [[\"e\"]]", "`e` is no node"), ("cuts = []", "cuts"), ("cut = 3", "")] {
            write(text);
            let error = read(&path, &names()).expect_err("it is wrong").to_string();
            assert!(error.contains(said) && error.contains("links.toml"), "{error}");
        }
    }
}
