//! A client that may have any number of calls under way: one task reads the connection, and answers whoever waits, by the number of the call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Mutex as Turn, oneshot};
use tokio::task::JoinSet;

use super::{Failed, Message, Outcome, answer, get, halves, pair, plain, put};
use crate::meter::{latency, now};

/// The last number, and who waits.
type Calls = Mutex<(u64, BTreeMap<u64, oneshot::Sender<u64>>)>;

struct Client {
    calls: Arc<Calls>,
    /// Where calls are written, and what they are encoded in.
    out: Turn<(OwnedWriteHalf, Vec<u8>)>,
}

impl Client {
    async fn call(&self) -> Result<u64, Failed> {
        let (done, answered) = oneshot::channel();
        let number = {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.0 += 1;
            let number = calls.0;
            calls.1.insert(number, done);
            number
        };
        {
            use tokio::io::AsyncWriteExt;
            let mut out = self.out.lock().await;
            let (writer, buffer) = &mut *out;
            buffer.clear();
            put(buffer, &Message::Ping { number })?;
            writer.write_all(buffer).await?;
        }
        Ok(answered.await?)
    }
}

/// Round trips, one after another, of a client that could have many under way.
pub async fn ping(count: u32) -> Outcome {
    let (one, other) = pair().await.map_err(plain)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { answer(other).await.map(drop) });
    let (mut reader, writer) = halves(one);
    let calls = Arc::<Calls>::default();
    let client = Client { calls: calls.clone(), out: Turn::new((writer, Vec::new())) };
    tasks.spawn(async move {
        let mut form = Vec::new();
        loop {
            if let Message::Pong { number } = get(&mut reader, &mut form).await? {
                let waiting = calls.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&number);
                // Whoever gave up needs no answer.
                let _ = waiting.map(|done| done.send(number));
            }
        }
    });
    let mut times = Vec::new();
    for _ in 0..count {
        let began = now();
        client.call().await.map_err(plain)?;
        times.push(now().duration_since(began));
    }
    Ok(latency(times))
}
