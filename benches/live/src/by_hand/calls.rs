//! A client that may have any number of calls under way: one task reads the connection, and answers whoever waits, by the number of the call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::{Failed, Message, Outcome, answer, get, halves, pair, plain, put};
use crate::meter::{latency, now};

#[derive(Default)]
struct Calls {
    last: u64,
    waiting: BTreeMap<u64, oneshot::Sender<u64>>,
}

fn open(calls: &Mutex<Calls>) -> MutexGuard<'_, Calls> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Client {
    calls: Arc<Mutex<Calls>>,
    /// Where calls are written, one after another, and what they are encoded in.
    out: tokio::sync::Mutex<(OwnedWriteHalf, Vec<u8>)>,
}

impl Client {
    async fn call(&self) -> Result<u64, Failed> {
        let (number, answered) = self.begin();
        self.write(&Message::Ping { number }).await?;
        Ok(answered.await?)
    }

    fn begin(&self) -> (u64, oneshot::Receiver<u64>) {
        let (done, answered) = oneshot::channel();
        let mut calls = open(&self.calls);
        calls.last += 1;
        let number = calls.last;
        calls.waiting.insert(number, done);
        (number, answered)
    }

    async fn write(&self, message: &Message) -> Result<(), Failed> {
        let mut out = self.out.lock().await;
        let (writer, buffer) = &mut *out;
        buffer.clear();
        put(buffer, message)?;
        Ok(writer.write_all(buffer).await?)
    }
}

/// Round trips, one after another, of a client that could have many under way.
pub async fn ping(count: u32) -> Outcome {
    let (one, other) = pair().await.map_err(plain)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { answer(other).await.map(drop) });
    let (mut reader, writer) = halves(one);
    let calls: Arc<Mutex<Calls>> = Arc::default();
    let client = Client { calls: calls.clone(), out: tokio::sync::Mutex::new((writer, Vec::new())) };
    tasks.spawn(async move {
        let mut form = Vec::new();
        loop {
            if let Message::Pong { number } = get(&mut reader, &mut form).await? {
                let done = open(&calls).waiting.remove(&number);
                // Whoever gave up needs no answer.
                let _ = done.map(|done| done.send(number));
            }
        }
    });
    let mut times = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let began = now();
        client.call().await.map_err(plain)?;
        times.push(now().duration_since(began));
    }
    Ok(latency(times))
}
