//! How a program uses a node: typed handles over a [`Port`], which every driver that can be embedded provides.
//!
//! The compiler writes a handle for each service, with the calls of its interfaces as asynchronous methods. The kernel knows no
//! runtime: futures here are those of `std`, and who drives the node is the driver's business. Calls are made between steps,
//! never within one.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Datum, NodeId, Reply, Service, ServiceInfo, Stack, Value};

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The service started again from its durable state; whether the call took effect is not known.
    Restarted,
    /// The node was stopped, or its driver is gone.
    Stopped,
    /// The service is down, for this reason.
    Down(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Restarted => f.write_str("the service started again before it answered"),
            Lost::Stopped => f.write_str("the node was stopped"),
            Lost::Down(reason) => write!(f, "the service is down: {reason}"),
        }
    }
}

impl std::error::Error for Lost {}

/// The result of a call, to come.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Lost>> + Send>>;

/// Asks the top layer of a node, and knows the type of the answer. None where the layer does not know the query.
pub type Question =
    Box<dyn FnOnce(&dyn Fn(&dyn Any) -> Option<Box<dyn Any>>) -> Option<Box<dyn Any + Send>> + Send>;

/// Makes a request of the number that it is given.
pub type Asking = Box<dyn FnOnce(u64) -> Datum + Send>;

/// A node as a program sees it. Dropping a pending call does not take it back.
pub trait Port: Send + Sync {
    /// The node.
    fn me(&self) -> NodeId;
    /// Makes a call without an answer; done when what it changed is durable.
    fn command(&self, call: Datum) -> Pending<()>;
    /// Makes a request; done when it is answered.
    fn request(&self, asking: Asking) -> Pending<Datum>;
    /// Asks a query; the answer is of one moment between steps.
    fn query(&self, question: Question) -> Pending<Box<dyn Any + Send>>;
}

/// A service that a program can use: the compiler implements it where everything below the service has a default.
pub trait Embedded: Service + Sized {
    /// What it tells the program.
    type Upcall: Send + 'static;
    /// How the program calls it.
    type Handle: Handle;

    /// The service over what is below it.
    fn stack(self, me: NodeId) -> Stack;
    /// An upcall that the top layer emitted.
    fn upcall(upcall: &Datum) -> Option<Self::Upcall>;
}

/// The handle of a service; the compiler writes one for each.
pub trait Handle: Clone + Send + Sync + 'static {
    /// The service that it calls.
    fn service() -> &'static ServiceInfo;
    /// The handle of the node behind `port`, whose topmost layer is that service.
    fn over(port: Arc<dyn Port>) -> Self;
}

/// A handle of a service that provides the interface `I`.
pub trait Provides<I>: Send + Sync {
    /// The node behind it.
    fn port(&self) -> &dyn Port;
}

/// Makes a command.
///
/// # Errors
/// See [`Lost`].
pub async fn command(port: &dyn Port, call: impl Value) -> Result<(), Lost> {
    port.command(Datum::new(call)).await
}

/// Makes the request that `make` builds around its reply.
///
/// # Errors
/// See [`Lost`].
pub async fn request<A: Value, D: Value>(
    port: &dyn Port,
    make: impl FnOnce(Reply<A>) -> D + Send + 'static,
) -> Result<A, Lost> {
    let me = port.me();
    let asking = move |number| Datum::new(make(Reply::new(me, Reply::<A>::APPLICATION, number)));
    let answer = port.request(Box::new(asking)).await?;
    answer.get::<A>().cloned().ok_or_else(|| foreign(answer.type_name()))
}

/// Asks a query.
///
/// # Errors
/// See [`Lost`].
pub async fn query<Q: Any + Send, A: Any + Send>(port: &dyn Port, query: Q) -> Result<A, Lost> {
    let question: Question = Box::new(move |ask| {
        let answer = ask(&query)?.downcast::<A>().ok()?;
        Some(answer as Box<dyn Any + Send>)
    });
    let answer = port.query(question).await?;
    answer.downcast::<A>().map(|answer| *answer).map_err(|_| foreign("something else"))
}

fn foreign(what: &str) -> Lost {
    Lost::Down(format!("an answer is of another type than its call: {what}"))
}
