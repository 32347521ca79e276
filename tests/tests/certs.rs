//! `foresee certs` and `node`: what the one makes is what the other takes, and nothing else is.
#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{binary, foresee, run};

/// A node that ends with the test, and where it shows itself.
struct Node(Child, String);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A counter of a node, summed over its labels.
fn counter(node: &Node, name: &str) -> u64 {
    let mut stream = TcpStream::connect(&node.1).expect("it listens");
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it is sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let of = |line: &str| line.starts_with(&format!("foresee_{name}"));
    text.lines().filter(|line| of(line)).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        // Nothing ever comes: what is wanted is the pause.
        let (_keep, pause) = std::sync::mpsc::channel::<()>();
        let _ = pause.recv_timeout(Duration::from_millis(20));
    }
    panic!("{what} did not happen");
}

fn command(folder: &Path, addresses: &[SocketAddr], index: usize, transport: &str, certs: &str) -> Command {
    let mut command = Command::new(binary("live-tests", "desk"));
    command.args(["node", "--system", "Pulses", "--volatile", "--log", "off", "--http", "127.0.0.1:0"]);
    command.args(["--node", &format!("pulse[{index}]"), "--listen", &addresses[index].to_string()]);
    command.arg("--peers").arg(folder.join("peers.toml"));
    command.args(["--transport", transport]).arg("--certificates").arg(folder.join(certs));
    command
}

fn start(mut command: Command) -> Node {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
    out.read_line(&mut line).expect("it says where it shows itself");
    let http = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("it says where");
    Node(child, http.to_owned())
}

#[test]
fn nodes_with_the_certificates_of_one_authority_talk_and_others_do_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let ports: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    let addresses: Vec<SocketAddr> = ports.iter().map(|it| it.local_addr().expect("it has one")).collect();
    drop(ports);
    let lines = addresses.iter().enumerate().map(|(index, it)| format!("\"pulse[{index}]\" = \"{it}\"\n"));
    let peers = format!("[peers]\n{}", lines.collect::<String>());
    std::fs::write(folder.path().join("peers.toml"), peers).expect("it is written");
    for dir in ["ours", "theirs"] {
        let made = run(foresee().arg("certs").arg(folder.path().join(dir)).args(["--nodes", "0..3"]));
        assert_eq!((made.code, made.err.as_str()), (0, ""), "{made:?}");
        assert!(made.out.contains("made 3 certificates for nodes"), "{made:?}");
    }
    for transport in ["tls", "quic"] {
        let node = |index, certs| start(command(folder.path(), &addresses, index, transport, certs));
        // Two of the cluster, and one that comes from another authority.
        let nodes = [node(0, "ours"), node(1, "ours"), node(2, "theirs")];
        for node in &nodes[..2] {
            until("beats arrive", || counter(node, "messages_received_total") > 10);
        }
        until("the stranger is refused", || counter(&nodes[0], "refused_total") > 0);
        assert_eq!(counter(&nodes[2], "messages_received_total"), 0);
    }
    for (transport, certs, said) in [
        ("carrier pigeon", "ours", "there are tcp, tls, quic"),
        ("tcp", "ours", "plain TCP shows none"),
        ("tls", "nowhere", "authority.pem"),
    ] {
        let ran = run(&mut command(folder.path(), &addresses, 0, transport, certs));
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(said), "{ran:?}");
    }
}
