//! What a host shows of itself over HTTP: its counters for Prometheus, and whether its services are well.

use std::fmt::Write;
use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::host::Shared;

/// Answers `/metrics` and `/health` until the host stops.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let pages = Router::new().route("/metrics", get(metrics)).route("/health", get(health));
    let served = axum::serve(listener, pages.with_state(shared)).await;
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
