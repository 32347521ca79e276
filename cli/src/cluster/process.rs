//! The processes of a cluster: started in the background, found again, and ended.
//!
//! A process is known by its command line, which names the file of its node: that stands in no other process, so a number of a
//! process that is gone and was given to another is never mistaken for a node. Where the system shows no command lines as files,
//! `ps` is asked about the numbers that were kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::file::Cluster;
use super::folder::{self, Folder, Node, State};
use crate::exit::Failure;
use crate::input;

/// Ports are looked for from here on: below those that systems give to connections that they make, which would take the port of a node
/// that is down for a moment.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// How much of the end of a log is looked at.
const TAIL_BYTES: u64 = 4096;

/// The file of a node's options, which its command line names.
fn options_file(folder: &Path, index: usize) -> PathBuf {
    folder::node(folder, index).join("node.toml")
}

/// The processes of the nodes of the cluster in `folder`, by the numbers of the nodes.
pub(super) fn running(folder: &Path, nodes: &[Node]) -> BTreeMap<usize, Pid> {
    let files: BTreeMap<String, usize> = nodes
        .iter()
        .map(|node| (options_file(folder, node.index).to_string_lossy().into_owned(), node.index))
        .collect();
    let of = |line: &str| line.split('\0').find_map(|word| files.get(word)).copied();
    if !Path::new("/proc/self/cmdline").exists() {
        let kept = |node: &Node| {
            let pid = fs::read_to_string(folder::node(folder, node.index).join("pid")).ok()?;
            let output =
                Command::new("ps").args(["-ww", "-o", "command=", "-p", pid.trim()]).output().ok()?;
            let file = options_file(folder, node.index);
            let is = String::from_utf8_lossy(&output.stdout).contains(&*file.to_string_lossy());
            let pid = Pid::from_raw(pid.trim().parse().ok()?)?;
            is.then_some((node.index, pid))
        };
        return nodes.iter().filter_map(kept).collect();
    }
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        // One that has ended and was not waited for has no command line.
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some((of(&String::from_utf8_lossy(&line))?, pid))
    });
    found.collect()
}

/// Sends a signal. A process that is gone needs none.
pub(super) fn signal(pid: Pid, signal: Signal) {
    let _ = kill_process(pid, signal);
}

/// Ports for nodes, as many as wanted: all of them free for connections and datagrams a moment ago.
///
/// # Errors
/// There are not as many, or one that was asked for is taken.
pub(super) fn ports(base: Option<u16>, count: usize, taken: &[u16]) -> Result<Vec<u16>, Failure> {
    let free = |port: u16| {
        let address = (Ipv4Addr::LOCALHOST, port);
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    };
    if let Some(base) = base {
        let last = usize::from(base) + count;
        if last > usize::from(u16::MAX) + 1 {
            return Err(Failure::Told(format!("{count} ports from {base} on end behind {}", u16::MAX)));
        }
        let ports: Vec<u16> = (0..count).map(|place| base + place as u16).collect();
        return match ports.iter().find(|port| !free(**port)) {
            Some(port) => Err(Failure::Told(format!(
                "port {port} is taken: choose another `base_port`, or leave it out for ports that are free"
            ))),
            None => Ok(ports),
        };
    }
    // Where the search begins differs by process, so that two clusters rarely look at the same ports at once.
    let start = (std::process::id() as u16).wrapping_mul(97) % (PORTS.end - PORTS.start);
    let all =
        (0..PORTS.end - PORTS.start).map(|step| PORTS.start + (start + step) % (PORTS.end - PORTS.start));
    let ports: Vec<u16> = all.filter(|port| !taken.contains(port) && free(*port)).take(count).collect();
    match ports.len() == count {
        true => Ok(ports),
        false => Err(Failure::Told(format!("there are not {count} free ports from {} on", PORTS.start))),
    }
}

/// Starts a node in the background. Its state says that it begins another life.
///
/// # Errors
/// A file that cannot be written, a program that cannot be started.
pub(super) fn start(
    folder: &Folder,
    cluster: &Cluster,
    state: &mut State,
    place: usize,
) -> Result<Child, Failure> {
    let first = state.nodes[place].lives == 0;
    state.nodes[place].lives += 1;
    // Kept first: whoever comes after a command that was killed here knows which recordings there may be.
    folder.keep(state)?;
    let node = &state.nodes[place];
    let home = folder.node(node.index);
    let told = |error: std::io::Error| Failure::Told(format!("{}: {error}", input::name(&home)));
    fs::create_dir_all(&home).map_err(told)?;
    let mut options = cluster.options.clone();
    let mut set = |name: &str, value: toml::Value| options.insert(name.to_owned(), value);
    let text = |path: PathBuf| toml::Value::String(path.to_string_lossy().into_owned());
    set("node", node.name.clone().into());
    set("listen", format!("127.0.0.1:{}", node.port).into());
    set("http", format!("127.0.0.1:{}", node.http).into());
    set("peers", text(folder.at("peers.toml")));
    set("links", text(folder.at("links.toml")));
    set("seed", toml::Value::Integer(cluster.seed as i64));
    set("workload", cluster.workload.into());
    if first {
        set("begin", toml::Value::Integer(state.begin_millis as i64));
    }
    if !cluster.options.contains_key("volatile") {
        set("data", text(home.join("data")));
    }
    if cluster.record {
        set("record", text(recording(&home, node.lives - 1)));
    }
    if let Some(topology) = &cluster.topology {
        set("emulate", topology.clone().into());
    }
    let file = home.join("node.toml");
    fs::write(&file, options.to_string()).map_err(told)?;
    let log = File::options().create(true).append(true).open(home.join("log")).map_err(told)?;
    let errors = log.try_clone().map_err(told)?;
    let child = Command::new(&state.program)
        .arg("node")
        .args(&state.system)
        .arg("--config")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // What ends the program at a terminal does not end its nodes.
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::Told(format!("{} cannot be started: {error}", state.program.display())))?;
    fs::write(home.join("pid"), format!("{}\n", child.id())).map_err(told)?;
    Ok(child)
}

/// The recording of a life.
pub(super) fn recording(home: &Path, life: u32) -> PathBuf {
    home.join(format!("life-{life}.jsonl"))
}

/// The last lines of a node's log.
pub(super) fn tail(home: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(home.join("log"))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_a_taken_one_is_named() {
        let found = ports(None, 20, &[]).expect("there are some");
        assert_eq!(found.len(), 20);
        assert!(found.iter().all(|port| PORTS.contains(port)));
        let again = ports(None, 20, &found).expect("there are more");
        assert!(again.iter().all(|port| !found.contains(port)));
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = held.local_addr().expect("it has one").port();
        let Err(Failure::Told(said)) = ports(Some(port), 1, &[]) else { panic!("it is taken") };
        assert!(said.contains(&format!("port {port} is taken")), "{said}");
        let Err(Failure::Told(said)) = ports(Some(65_530), 10, &[]) else { panic!("there are none") };
        assert!(said.contains("end behind 65535"), "{said}");
    }
}
