//! A program's way into a service, and the stream of what the service tells it.

use std::any::Any;
use std::sync::Arc;

use foresee_kernel::embed::{Asking, Pending, Question};
use foresee_kernel::{Datum, Lost, NodeId, Port};
use tokio::sync::{mpsc, oneshot};

use crate::helm::Helm;
use crate::service::{Ask, Done};

/// The port behind a live handle.
pub(crate) struct LivePort {
    pub me: NodeId,
    /// Where the service's steps are taken: a call takes them itself, where nobody else does.
    pub helm: Arc<Helm>,
    /// Where calls wait that cannot be made at once.
    pub asks: mpsc::Sender<Ask>,
}

impl LivePort {
    fn ask<T: Send + 'static>(&self, make: impl FnOnce(Done<T>) -> Ask) -> Pending<T> {
        let (done, outcome) = oneshot::channel();
        let outcome = async { outcome.await.unwrap_or(Err(Lost::Stopped)) };
        let Some(ask) = self.helm.ask(make(done)) else { return Box::pin(outcome) };
        let (helm, asks) = (self.helm.clone(), self.asks.clone());
        Box::pin(async move {
            asks.send(ask).await.map_err(|_| Lost::Stopped)?;
            helm.drive();
            outcome.await
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
