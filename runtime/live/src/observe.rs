//! What a host shows of itself over HTTP: its counters for Prometheus, and whether its services are well.
//!
//! Anybody may ask, so whoever asks has little: so many connections at once, each for so long, and no request of any length.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::host::Shared;

/// Answers `/metrics` and `/health` until the host stops.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let pages = Router::new().route("/metrics", get(metrics)).route("/health", get(health));
    let room = Arc::new(Semaphore::new(shared.limits.pages));
    let served = axum::serve(Door { listener, shared: shared.clone(), room }, pages.with_state(shared)).await;
    if let Err(error) = served {
        tracing::warn!(%error, "the host shows nothing of itself any more");
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> String {
    shared.meter.render()
}

/// 200 where all is well, 503 where a service is down, 500 where all run and one has violated a claim.
async fn health(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let services = shared.services.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = format!("{}\n", shared.name);
    for (name, service) in services.iter() {
        // Writing to a string cannot fail.
        let _ = match &service.down {
            None => writeln!(text, "{name}: running"),
            Some(reason) => writeln!(text, "{name}: down: {reason}"),
        };
        for (property, why) in &service.violated {
            let _ = writeln!(text, "{name}: violated: {property}: {why}");
        }
    }
    let status = if services.values().any(|service| service.down.is_some()) {
        StatusCode::SERVICE_UNAVAILABLE
    } else if services.values().any(|service| !service.violated.is_empty()) {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::OK
    };
    (status, text)
}

/// Lets in as many as there is room for.
struct Door {
    listener: TcpListener,
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
}

impl Listener for Door {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => match self.room.clone().try_acquire_owned() {
                    Ok(permit) => {
                        let end = Box::pin(sleep_until(Instant::now() + self.shared.limits.page));
                        return (
                            Visit { stream, end, shared: self.shared.clone(), _permit: permit },
                            address,
                        );
                    }
                    Err(_) => {
                        self.shared.meter.refuse("too many connections");
                        tracing::debug!(%address, "too many ask for pages");
                    }
                },
                // Out of descriptors, mostly: those in use come back.
                Err(_) => sleep_until(Instant::now() + Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection to the pages, which ends in time.
struct Visit {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            return Poll::Ready(read);
        }
        ready!(self.end.as_mut().poll(context));
        self.shared.meter.refuse("slow");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Visit {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(context, bytes) {
            return Poll::Ready(written);
        }
        ready!(self.end.as_mut().poll(context));
        self.shared.meter.refuse("slow");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
