//! Five real processes: all hear what one says, also after one was killed and came back; who leaves a room hears it no more.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

const NODES: usize = 5;

/// The longest that anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often something is said again: who is on the way into the tree misses it.
const AGAIN: Duration = Duration::from_millis(200);

struct Chat {
    folder: tempfile::TempDir,
    addresses: Vec<SocketAddr>,
    people: Vec<Option<(Child, ChildStdin)>>,
    heard: Receiver<(usize, String)>,
    ears: Sender<(usize, String)>,
    said: u32,
}

impl Drop for Chat {
    fn drop(&mut self) {
        (0..NODES).for_each(|id| self.kill(id));
    }
}

impl Chat {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Ports that were free a moment ago.
        let ports: Vec<TcpListener> =
            (0..NODES).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
        let addresses: Vec<SocketAddr> =
            ports.iter().map(|port| port.local_addr().expect("it has an address")).collect();
        let peers = addresses.iter().enumerate().map(|(id, address)| format!("{id} = \"{address}\"\n"));
        let peers = format!("[peers]\n{}", peers.collect::<String>());
        std::fs::write(folder.path().join("peers.toml"), peers).expect("it is written");
        drop(ports);
        let (ears, heard) = channel();
        let mut chat =
            Chat { folder, addresses, people: (0..NODES).map(|_| None).collect(), heard, ears, said: 0 };
        (0..NODES).for_each(|id| chat.start(id));
        chat
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "pipes are read while the test goes on; a thread ends with its process"
    )]
    fn start(&mut self, id: usize) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command.args(["--id", &id.to_string(), "--listen", &self.addresses[id].to_string()]);
        command.arg("--peers").arg(self.path("peers.toml")).arg("--data").arg(self.path(&id.to_string()));
        command.args(["--name", &format!("p{id}")]);
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(self.path("log")).expect("a log");
        command.env("RUST_LOG", "warn").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("it starts");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let ears = self.ears.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if ears.send((id, line)).is_err() {
                    return;
                }
            }
        });
        self.people[id] = Some((child, input));
    }

    fn kill(&mut self, id: usize) {
        if let Some((mut child, _)) = self.people[id].take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn type_in(&mut self, id: usize, line: &str) {
        let (_, input) = self.people[id].as_mut().expect("it runs");
        writeln!(input, "{line}").expect("it reads");
    }

    /// `from` says new things until each of `to` has heard one of them, in `room`; what others heard meanwhile.
    fn heard_by(&mut self, from: usize, room: u32, to: &[usize]) -> Vec<(usize, String)> {
        let (first, mut left, mut others) = (self.said, to.to_vec(), Vec::new());
        for _ in 0..PATIENCE.as_millis() / AGAIN.as_millis() {
            self.said += 1;
            self.type_in(from, &format!("line {}", self.said));
            loop {
                let (id, line) = match self.heard.recv_timeout(AGAIN) {
                    Ok(heard) => heard,
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => unreachable!("the sender is kept"),
                };
                let number = line.strip_prefix(&format!("[{room}] p{from}: line "));
                match number.and_then(|number| number.parse::<u32>().ok()) {
                    Some(number) if number > first && to.contains(&id) => left.retain(|it| *it != id),
                    _ => others.push((id, line)),
                }
                if left.is_empty() {
                    return others;
                }
            }
        }
        let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        panic!("{left:?} heard nothing of {from} in room {room} within {PATIENCE:?}\n{log}");
    }
}

#[test]
fn everybody_in_a_room_hears_what_is_said_and_nobody_else() {
    let mut chat = Chat::new();
    chat.heard_by(0, 1, &[0, 1, 2, 3, 4]);
    chat.heard_by(3, 1, &[0, 1, 2, 3, 4]);
    // One is killed: the others hear each other, and so does the one that comes back.
    chat.kill(1);
    chat.heard_by(4, 1, &[0, 2, 3, 4]);
    chat.start(1);
    chat.heard_by(1, 1, &[0, 1, 2, 3, 4]);
    // Two move to a room of their own.
    for id in [2, 4] {
        chat.type_in(id, "/room 7");
    }
    chat.heard_by(2, 7, &[2, 4]);
    chat.heard_by(0, 1, &[0, 1, 3]);
    let mut others = chat.heard_by(4, 7, &[2, 4]);
    others.extend(chat.heard_by(0, 1, &[0, 1, 3]));
    let outside = |(id, line): &&(usize, String)| line.starts_with("[1]") == [2, 4].contains(id);
    let wrong: Vec<&(usize, String)> = others.iter().filter(outside).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // Who has nothing more to say leaves in good order.
    let (mut child, input) = chat.people[3].take().expect("it runs");
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
