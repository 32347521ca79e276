//! Nodes as processes: started, asked over HTTP, stopped and killed by tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::PATIENCE;

/// A node that ends with the test.
#[derive(Debug)]
pub struct Process {
    /// The process.
    pub child: Child,
    /// Where it shows itself.
    pub http: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command comes to that ends by itself: its code, what it wrote, and its complaints.
pub fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

/// A file of peers of these names on ports that were free a moment ago, and the addresses.
pub fn peers_of(folder: &Path, names: &[String]) -> (PathBuf, Vec<SocketAddr>) {
    let ports: Vec<TcpListener> =
        names.iter().map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    let addresses: Vec<SocketAddr> = ports.iter().map(|it| it.local_addr().expect("it has one")).collect();
    let lines = names.iter().zip(&addresses).map(|(name, address)| format!("\"{name}\" = \"{address}\"\n"));
    let path = folder.join("peers.toml");
    std::fs::write(&path, format!("[peers]\n{}", lines.collect::<String>())).expect("it is written");
    (path, addresses)
}

/// Starts a node with an HTTP page, and waits until it listens.
pub fn start(mut command: Command) -> Process {
    let log = std::env::temp_dir().join("live-tests-node.log");
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut line = || lines.next().and_then(Result::ok).unwrap_or_default();
    let shown = line();
    let http = shown.split("http://").nth(1).and_then(|rest| rest.split('/').next());
    let http = http.unwrap_or_else(|| panic!("it says {shown:?}")).to_owned();
    let listens = line();
    assert!(listens.contains(" listens on "), "it says {listens:?}");
    Process { child, http }
}

/// The status and the text of a page.
pub fn page(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it is sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// A counter without labels, from the metrics of a node.
pub fn counter(address: &str, name: &str) -> u64 {
    let (_, text) = page(address, "/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("foresee_{name}_total ")));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// Waits until `holds`.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if holds() {
            return;
        }
        // Nothing ever comes: what is wanted is the pause.
        let (_keep, pause) = std::sync::mpsc::channel::<()>();
        let _ = pause.recv_timeout(Duration::from_millis(20));
    }
    panic!("{what} did not happen within {PATIENCE:?}");
}

/// Sends a signal, and waits until the process has ended: its code.
pub fn stop(process: &mut Process, signal: i32) -> Option<i32> {
    // SAFETY: a signal to a child that has not been waited for.
    unsafe { libc::kill(process.child.id() as i32, signal) };
    process.child.wait().expect("it ends").code()
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}
