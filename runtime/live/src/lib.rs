//! The live driver: generated services as real nodes over real sockets, embedded in any program that runs tokio.
//!
//! ```text
//!                  program
//!      handles │       ▲ upcalls
//!              ▼       │
//!   Host ─▶ Helm: the steps of a service, by whoever comes ──▶ store: one thread, group commit
//!              ▲       │
//!     messages │       ▼ frames: Outbox
//!            Link, one task a connection        listen: who may come in
//! ```
//!
//! A [`Host`] is one process's place in a cluster: an address, peers, a folder. It runs any number of services. Messages,
//! answers and upcalls of a step leave when its durable changes are on disk. Choices are answered at once: by an [`Advisor`], by
//! the author's default, or by a seeded draw. [`Measured`] is an advisor for periods. Nothing here ever waits for a prediction. It prints nothing and never ends
//! the process: what is worth saying goes to `tracing`, what is worth counting to [`Meter`].
//!
//! A host can pretend to be far from its peers ([`Builder::emulate`]), and cut off from some of them ([`Builder::links`]).

mod clock;
mod cuts;
mod emulate;
mod error;
mod frame;
mod helm;
mod host;
mod leaving;
mod limits;
mod link;
mod listen;
mod measured;
mod meter;
mod observe;
mod outbox;
mod peers;
mod port;
mod record;
mod resolve;
mod seldom;
mod service;
mod steps;
mod store;
mod transport;

pub use error::Error;
pub use host::{Builder, Extras, Host};
pub use limits::Limits;
pub use measured::Measured;
pub use meter::Meter;
pub use peers::{Dns, PeerSource};
pub use port::Upcalls;
pub use record::Recording;
pub use resolve::Advisor;
pub use transport::Transport;
