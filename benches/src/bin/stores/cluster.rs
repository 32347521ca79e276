//! Three processes of a store.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const NODES: usize = 3;

/// Which store it is: its program, and for ours the folder in which the data is.
pub enum Kind {
    Openraft(PathBuf),
    Ours(PathBuf, PathBuf),
}

/// The processes of a store; they end with it.
pub struct Cluster {
    /// Where clients go.
    pub leader: SocketAddr,
    processes: Vec<Child>,
    /// Where the data is; removed with it.
    folder: Option<TempDir>,
}

impl Cluster {
    /// Starts the processes.
    pub fn start(kind: &Kind) -> io::Result<Self> {
        // Ports that were free a moment ago.
        let ports =
            (0..2 * NODES).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<Vec<_>>>()?;
        let addresses = ports.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        drop(ports);
        let (peers, http) = addresses.split_at(NODES);
        let folder = match kind {
            Kind::Openraft(_) => None,
            Kind::Ours(_, folder) => Some(tempfile::tempdir_in(folder)?),
        };
        if let Some(folder) = &folder {
            let lines = peers.iter().enumerate().map(|(id, address)| format!("{id} = \"{address}\"\n"));
            std::fs::write(
                folder.path().join("peers.toml"),
                format!("[peers]\n{}", lines.collect::<String>()),
            )?;
        }
        let mut cluster = Cluster { leader: http[0], processes: Vec::new(), folder: None };
        // The one that leads starts last, and finds the others.
        for id in (0..NODES).rev() {
            let id_text = id.to_string();
            let mut command = match (kind, &folder) {
                (Kind::Ours(program, _), Some(folder)) => {
                    let mut command = Command::new(program);
                    command.args(["--listen", &peers[id].to_string()]);
                    command.arg("--peers").arg(folder.path().join("peers.toml"));
                    command.arg("--data").arg(folder.path().join(&id_text));
                    command
                }
                (Kind::Openraft(program) | Kind::Ours(program, _), _) => {
                    let mut command = Command::new(program);
                    command.args([
                        "--peers",
                        &peers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
                    ]);
                    command
                }
            };
            command.args(["--id", &id_text, "--http", &http[id].to_string()]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            cluster.processes.push(command.spawn()?);
        }
        cluster.folder = folder;
        Ok(cluster)
    }

    /// The CPU time that the processes have taken.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut ticks = 0;
        for process in &self.processes {
            let text = std::fs::read_to_string(format!("/proc/{}/stat", process.id()))?;
            // The name, in parentheses, may hold anything; 11 fields after it come user and system time.
            let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
            ticks += fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum::<u64>();
        }
        // SAFETY: the call only reads a constant of the system.
        let each = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
        Ok(Duration::from_secs_f64(ticks as f64 / each as f64))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
