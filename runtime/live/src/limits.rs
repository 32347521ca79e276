//! The bounds of a host: everything that somebody else could make grow has one.

use std::time::Duration;

/// The bounds of a host, with defaults that suit a cluster.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most bytes of a frame, checked before anything is allocated.
    pub frame_bytes: usize,
    /// The most messages that wait to be sent over one connection; beyond it the connection breaks.
    pub queued_messages: usize,
    /// The most bytes that wait to be sent over one connection; beyond it the connection breaks.
    pub queued_bytes: usize,
    /// The most messages from the network that wait for a service.
    pub inbox: usize,
    /// The most upcalls that wait for the program; when they do, the service stops reading the network.
    pub upcalls: usize,
    /// The most steps whose changes wait to be on disk; when they do, the service waits.
    pub open_steps: u64,
    /// An idle connection says so this often, and one that was silent for three to four times as long is broken.
    pub keep_alive: Duration,
    /// How long a peer is tried before its connection counts as broken.
    pub patience: Duration,
    /// How long the other end may take to say who it is.
    pub handshake: Duration,
    /// The most connections that have not said who they are.
    pub handshakes: usize,
    /// How long one write to a connection may take.
    pub write: Duration,
    /// How often names of peers are asked for again.
    pub resolve: Duration,
    /// The most connections to its pages at once.
    pub pages: usize,
    /// How long a connection to its pages may last.
    pub page: Duration,
    /// How often a service may start again after a fault within [`Limits::restart_window`]; then it stays down.
    pub restarts: usize,
    /// See [`Limits::restarts`].
    pub restart_window: Duration,
    /// A step that takes longer is reported.
    pub slow_step: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            frame_bytes: 8 << 20,
            queued_messages: 1 << 16,
            queued_bytes: 64 << 20,
            inbox: 1024,
            upcalls: 1024,
            open_steps: 4096,
            keep_alive: Duration::from_secs(5),
            patience: Duration::from_secs(2),
            handshake: Duration::from_secs(5),
            handshakes: 256,
            write: Duration::from_secs(15),
            resolve: Duration::from_secs(5),
            pages: 64,
            page: Duration::from_secs(30),
            restarts: 5,
            restart_window: Duration::from_secs(60),
            slow_step: Duration::from_millis(100),
        }
    }
}
