//! A program's way into a service, and the stream of what the service tells it.

use std::any::Any;

use foresee_kernel::embed::{Asking, Pending, Question};
use foresee_kernel::{Datum, Lost, NodeId, Port};
use tokio::sync::{mpsc, oneshot};

use crate::service::{Ask, Done};

/// The port behind a live handle.
pub(crate) struct LivePort {
    pub me: NodeId,
    pub asks: mpsc::Sender<Ask>,
}

impl LivePort {
    fn ask<T: Send + 'static>(&self, make: impl FnOnce(Done<T>) -> Ask + Send + 'static) -> Pending<T> {
        let asks = self.asks.clone();
        Box::pin(async move {
            let (done, outcome) = oneshot::channel();
            asks.send(make(done)).await.map_err(|_| Lost::Stopped)?;
            outcome.await.unwrap_or(Err(Lost::Stopped))
        })
    }
}

impl Port for LivePort {
    fn me(&self) -> NodeId {
        self.me
    }

    fn command(&self, call: Datum) -> Pending<()> {
        self.ask(|done| Ask::Command { call, done })
    }

    fn request(&self, asking: Asking) -> Pending<Datum> {
        self.ask(|done| Ask::Request { asking, done })
    }

    fn query(&self, question: Question) -> Pending<Box<dyn Any + Send>> {
        self.ask(|done| Ask::Query { question, done })
    }
}

/// What a service tells the program, in order. It is bounded: a program that does not take upcalls stops its node from
/// reading the network. One that lets go of the stream loses them instead.
#[derive(Debug)]
pub struct Upcalls<U> {
    pub(crate) stream: mpsc::Receiver<Datum>,
    pub(crate) read: fn(&Datum) -> Option<U>,
}

impl<U> Upcalls<U> {
    /// The next upcall; None once the service has ended.
    pub async fn next(&mut self) -> Option<U> {
        loop {
            let upcall = self.stream.recv().await?;
            if let Some(upcall) = (self.read)(&upcall) {
                return Some(upcall);
            }
        }
    }
}
