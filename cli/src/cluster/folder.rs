//! The folder of a cluster: what is known of its nodes between commands, and where everything lies.
//!
//! ```text
//! cluster.json       which nodes there are, and at which ports
//! lock               held while a command changes something
//! peers.toml links.toml                 read again by the nodes when they change
//! events.jsonl       what was done to the cluster, and when
//! nodes/03/          node.toml, pid, log, data/, life-0.jsonl, ..: one recording a life
//! runs/000/          what `down` collected: run.json, events.jsonl, logs and recordings
//! ```
//!
//! Files are replaced as a whole, so a command that is killed leaves none half written.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::exit::Failure;
use crate::input;

/// What is known of a cluster between commands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The program of the nodes.
    pub program: PathBuf,
    /// The hash of its spec.
    pub spec: String,
    /// What it is told of the system.
    pub system: Vec<String>,
    /// When the workload began, in milliseconds since 1970.
    pub begin_millis: u64,
    /// The names of all nodes of the system.
    pub names: Vec<String>,
    /// The nodes that run here.
    pub nodes: Vec<Node>,
    /// The version of the links.
    pub links_version: u64,
    /// The sides that are cut off, by the names of their nodes.
    pub cut: Vec<Vec<String>>,
}

/// A node that runs here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Node {
    /// Its name.
    pub name: String,
    /// Its number in the system.
    pub index: usize,
    /// Where it listens for its peers.
    pub port: u16,
    /// Where it shows itself.
    pub http: u16,
    /// How often it was started.
    pub lives: u32,
}

/// The folder, held by a command that may change something.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Holds the folder; it is made if need be.
    ///
    /// # Errors
    /// A folder that cannot be made, or that another command holds.
    pub fn hold(path: &Path) -> Result<Self, Failure> {
        let told = |error: std::io::Error| Failure::Told(format!("{}: {error}", input::name(path)));
        fs::create_dir_all(path.join("nodes")).map_err(told)?;
        let lock = File::create(path.join("lock")).map_err(told)?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::Told(format!(
                "another command is at work on the cluster in `{}`; wait for it, or stop it",
                input::name(path)
            ))),
            Err(TryLockError::Error(error)) => Err(told(error)),
        }
    }

    /// What is known of the cluster; None where it was never up, or is down.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn state(&self) -> Result<Option<State>, Failure> {
        state(&self.path)
    }

    /// Keeps what is known.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep(&self, state: &State) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(state).map_err(|error| Failure::Told(error.to_string()))?;
        self.write("cluster.json", &(text + "\n"))
    }

    /// Forgets the cluster.
    pub fn forget(&self) {
        // What is not there need not be removed, and what cannot be is found by the next command.
        for name in ["cluster.json", "links.toml", "peers.toml", "events.jsonl"] {
            let _ = fs::remove_file(self.path.join(name));
        }
    }

    /// A path in the folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder of a node.
    pub fn node(&self, index: usize) -> PathBuf {
        node(&self.path, index)
    }

    /// Writes a whole file, or nothing.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        let part = path.with_extension("part");
        fs::write(&part, text)
            .and_then(|()| fs::rename(&part, &path))
            .map_err(|error| Failure::Told(format!("cannot write `{}`: {error}", input::name(&path))))
    }

    /// Notes what was done, and when.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn note(&self, what: &str, nodes: &[String]) -> Result<(), Failure> {
        let path = self.path.join("events.jsonl");
        let line = json!({ "at_millis": now_millis(), "event": what, "nodes": nodes });
        let file = File::options().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
            .map_err(|error| Failure::Told(format!("cannot write `{}`: {error}", input::name(&path))))
    }

    /// Tells the nodes which links are cut.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn link(&self, state: &State) -> Result<(), Failure> {
        let sides: Vec<String> = state.cut.iter().map(|side| format!("    {side:?},\n")).collect();
        let text = format!("version = {}\ncut = [\n{}]\n", state.links_version, sides.concat());
        self.write("links.toml", &text)
    }

    /// Tells the nodes where they are.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn peers(&self, state: &State) -> Result<(), Failure> {
        let line = |node: &Node| format!("{:?} = \"127.0.0.1:{}\"\n", node.name, node.port);
        let lines: String = state.nodes.iter().map(line).collect();
        self.write("peers.toml", &format!("[peers]\n{lines}"))
    }
}

/// As [`Folder::state`], for commands that change nothing.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn state(folder: &Path) -> Result<Option<State>, Failure> {
    let path = folder.join("cluster.json");
    let told = |what: String| Failure::Told(format!("{}: {what}", input::name(&path)));
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| told(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(error.to_string())),
    }
}

/// The folder of a node.
pub(super) fn node(folder: &Path, index: usize) -> PathBuf {
    folder.join("nodes").join(format!("{index:02}"))
}

/// The time in milliseconds since 1970.
#[allow(clippy::disallowed_methods, reason = "real processes agree on moments by the machine's clock")]
pub(super) fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// Lets real processes have some time.
#[allow(clippy::disallowed_methods, reason = "real processes take real time")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Asks `done` again and again until it is, for at most so long. Whether it came to be.
pub(super) fn within(most: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = now_millis() + most.as_millis() as u64;
    loop {
        if done() {
            return true;
        }
        if now_millis() >= end {
            return false;
        }
        pause(Duration::from_millis(20));
    }
}
