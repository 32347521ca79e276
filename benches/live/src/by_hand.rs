//! What one writes by hand: frames with a length before them, postcard, tokio's sockets and channels, redb.

pub mod calls;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as blocking;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redb::{Database, TableDefinition};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::meter::{BATCH, Figures, NODES, VALUE_BYTES, WINDOW, WRITERS, cpu, latency, now, rate};

type Outcome = Result<Figures, Box<dyn Error>>;
type Failed = Box<dyn Error + Send + Sync>;

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Message {
    Ping { number: u64 },
    Pong { number: u64 },
    Item { number: u64, load: Vec<u8> },
    Last { number: u64 },
    Rumour { number: u64 },
}

/// Bytes that are gathered before they are written.
const GATHERED_BYTES: usize = 64 << 10;

async fn pair() -> Result<(TcpStream, TcpStream), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (one, other) = tokio::join!(TcpStream::connect(listener.local_addr()?), listener.accept());
    let (one, other) = (one?, other?.0);
    one.set_nodelay(true)?;
    other.set_nodelay(true)?;
    Ok((one, other))
}

fn put(buffer: &mut Vec<u8>, message: &Message) -> Result<(), Failed> {
    let form = postcard::to_stdvec(message)?;
    buffer.extend_from_slice(&(form.len() as u32).to_be_bytes());
    buffer.extend_from_slice(&form);
    Ok(())
}

async fn get(reader: &mut BufReader<OwnedReadHalf>, buffer: &mut Vec<u8>) -> Result<Message, Failed> {
    let length = reader.read_u32().await? as usize;
    buffer.resize(length, 0);
    reader.read_exact(buffer).await?;
    Ok(postcard::from_bytes(buffer)?)
}

fn halves(stream: TcpStream) -> (BufReader<OwnedReadHalf>, OwnedWriteHalf) {
    let (reader, writer) = stream.into_split();
    (BufReader::with_capacity(GATHERED_BYTES, reader), writer)
}

/// Answers pings and the last of each batch, and takes items, until the other end closes.
async fn answer(stream: TcpStream) -> Result<u64, Failed> {
    let (mut reader, mut writer) = halves(stream);
    let (mut form, mut out, mut items) = (Vec::new(), Vec::new(), 0);
    loop {
        match get(&mut reader, &mut form).await {
            Ok(Message::Ping { number } | Message::Last { number }) => {
                out.clear();
                put(&mut out, &Message::Pong { number })?;
                writer.write_all(&out).await?;
            }
            Ok(Message::Item { .. }) => items += 1,
            Ok(_) => {}
            Err(_) => return Ok(items),
        }
    }
}

fn plain(error: Failed) -> Box<dyn Error> {
    error
}

/// Whoever pings writes to the socket and reads from it.
pub async fn ping(count: u32) -> Outcome {
    let (one, other) = pair().await.map_err(plain)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(answer(other));
    let (mut reader, mut writer) = halves(one);
    let (mut form, mut out, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..u64::from(count) {
        let began = now();
        out.clear();
        put(&mut out, &Message::Ping { number }).map_err(plain)?;
        writer.write_all(&out).await?;
        get(&mut reader, &mut form).await.map_err(plain)?;
        times.push(now().duration_since(began));
    }
    Ok(latency(times))
}

/// A round trip of datagrams: whoever asks waits for the answer at its socket.
pub async fn datagrams(count: u32) -> Outcome {
    let (one, other) = tokio::join!(UdpSocket::bind("127.0.0.1:0"), UdpSocket::bind("127.0.0.1:0"));
    let (one, other) = (one?, other?);
    let to = other.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut buffer = vec![0; GATHERED_BYTES];
        loop {
            let (length, from) = other.recv_from(&mut buffer).await?;
            if let Message::Ping { number } = postcard::from_bytes(&buffer[..length])? {
                other.send_to(&postcard::to_stdvec(&Message::Pong { number })?, from).await?;
            }
        }
        #[allow(unreachable_code, reason = "it says what the errors are")]
        Ok::<_, Failed>(())
    });
    let (mut buffer, mut times) = (vec![0; GATHERED_BYTES], Vec::new());
    for number in 0..u64::from(count) {
        let began = now();
        one.send_to(&postcard::to_stdvec(&Message::Ping { number })?, to).await?;
        let (length, _) = one.recv_from(&mut buffer).await?;
        postcard::from_bytes::<Message>(&buffer[..length])?;
        times.push(now().duration_since(began));
    }
    Ok(latency(times))
}

/// Batches are gathered and written by one task, and their acknowledgements read by another.
pub async fn flood(count: u32) -> Outcome {
    let (one, other) = pair().await.map_err(plain)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(answer(other));
    let (mut reader, mut writer) = halves(one);
    let room = Arc::new(Semaphore::new(WINDOW));
    let began = (now(), cpu());
    let acknowledged = room.clone();
    let mut reading = JoinSet::new();
    reading.spawn(async move {
        let mut form = Vec::new();
        for _ in 0..count {
            get(&mut reader, &mut form).await?;
            acknowledged.add_permits(1);
        }
        Ok::<_, Failed>(())
    });
    let mut out = Vec::with_capacity(2 * GATHERED_BYTES);
    for batch in 0..u64::from(count) {
        room.acquire().await?.forget();
        for number in 0..u64::from(BATCH) {
            put(&mut out, &Message::Item { number, load: vec![7; 64] }).map_err(plain)?;
            if out.len() >= GATHERED_BYTES {
                writer.write_all(&out).await?;
                out.clear();
            }
        }
        put(&mut out, &Message::Last { number: batch }).map_err(plain)?;
        writer.write_all(&out).await?;
        out.clear();
    }
    while let Some(done) = reading.join_next().await {
        done?.map_err(plain)?;
    }
    Ok(rate(u64::from(count) * u64::from(BATCH), began))
}

/// What a node's state task is told.
enum Told {
    Message(u32, Message),
    /// Ask a peer, or flood it, and say when it has answered.
    Ask(Message, u32, oneshot::Sender<()>),
    Rumour(u64),
}

/// A node with a task for its state, and two for each connection.
struct Node {
    told: mpsc::Sender<Told>,
    links: Vec<(u32, mpsc::UnboundedSender<Message>)>,
    inbox: mpsc::Receiver<Told>,
}

impl Node {
    fn new() -> Self {
        let (told, inbox) = mpsc::channel(1024);
        Node { told, links: Vec::new(), inbox }
    }

    /// Takes one end of a connection with `peer`.
    fn connect(&mut self, peer: u32, stream: TcpStream, tasks: &mut JoinSet<Result<(), Failed>>) {
        let (mut reader, mut writer) = halves(stream);
        let (out, mut outgoing) = mpsc::unbounded_channel();
        let told = self.told.clone();
        tasks.spawn(async move {
            let mut form = Vec::new();
            loop {
                let message = get(&mut reader, &mut form).await?;
                told.send(Told::Message(peer, message)).await?;
            }
        });
        tasks.spawn(async move {
            let (mut batch, mut buffer) = (Vec::new(), Vec::with_capacity(2 * GATHERED_BYTES));
            while outgoing.recv_many(&mut batch, 256).await > 0 {
                for message in batch.drain(..) {
                    put(&mut buffer, &message)?;
                }
                writer.write_all(&buffer).await?;
                buffer.clear();
            }
            Ok(())
        });
        self.links.push((peer, out));
    }

    /// The task of the state.
    async fn run(mut self, heard: Arc<(AtomicU64, Notify)>) -> Result<(), Failed> {
        drop(self.told);
        let send = |links: &[(u32, mpsc::UnboundedSender<Message>)], to: u32, message| {
            if let Some((_, link)) = links.iter().find(|(peer, _)| *peer == to) {
                let _ = link.send(message);
            }
        };
        let (mut asked, mut asks, mut known) =
            (std::collections::BTreeMap::<u64, oneshot::Sender<()>>::new(), 0, BTreeSet::new());
        let mut items = 0_u64;
        while let Some(told) = self.inbox.recv().await {
            let rumour = match told {
                Told::Message(from, Message::Ping { number } | Message::Last { number }) => {
                    send(&self.links, from, Message::Pong { number });
                    None
                }
                Told::Message(_, Message::Pong { number }) => {
                    if let Some(done) = asked.remove(&number) {
                        // Whoever gave up needs no answer.
                        let _ = done.send(());
                    }
                    None
                }
                Told::Message(_, Message::Item { .. }) => {
                    items += 1;
                    None
                }
                Told::Message(_, Message::Rumour { number }) | Told::Rumour(number) => Some(number),
                Told::Ask(message, to, done) => {
                    asks += 1;
                    asked.insert(asks, done);
                    if let Message::Last { .. } = message {
                        for number in 0..u64::from(BATCH) {
                            send(&self.links, to, Message::Item { number, load: vec![7; 64] });
                        }
                        send(&self.links, to, Message::Last { number: asks });
                    } else {
                        send(&self.links, to, Message::Ping { number: asks });
                    }
                    None
                }
            };
            if let Some(number) = rumour.filter(|number| known.insert(*number)) {
                for (_, link) in &self.links {
                    let _ = link.send(Message::Rumour { number });
                }
                heard.0.fetch_add(1, Ordering::Relaxed);
                heard.1.notify_one();
            }
        }
        std::hint::black_box(items);
        Ok(())
    }
}

/// Nodes that are all connected with each other, and the ways to them.
async fn mesh(
    count: u32,
    heard: &Arc<(AtomicU64, Notify)>,
) -> Result<(Vec<mpsc::Sender<Told>>, JoinSet<Result<(), Failed>>), Failed> {
    let mut nodes: Vec<Node> = (0..count).map(|_| Node::new()).collect();
    let mut tasks = JoinSet::new();
    for one in 0..count {
        for other in one + 1..count {
            let (near, far) = pair().await?;
            nodes[one as usize].connect(other, near, &mut tasks);
            nodes[other as usize].connect(one, far, &mut tasks);
        }
    }
    let ways = nodes.iter().map(|node| node.told.clone()).collect();
    for node in nodes {
        tasks.spawn(node.run(heard.clone()));
    }
    Ok((ways, tasks))
}

async fn ask(way: &mpsc::Sender<Told>, message: Message) -> Result<(), Failed> {
    let (done, answered) = oneshot::channel();
    way.send(Told::Ask(message, 1, done)).await?;
    Ok(answered.await?)
}

pub async fn ping_tasks(count: u32) -> Outcome {
    let (ways, _tasks) = mesh(2, &Arc::default()).await.map_err(plain)?;
    let mut times = Vec::new();
    for _ in 0..count {
        let began = now();
        ask(&ways[0], Message::Ping { number: 0 }).await.map_err(plain)?;
        times.push(now().duration_since(began));
    }
    Ok(latency(times))
}

pub async fn flood_tasks(count: u32) -> Outcome {
    let (ways, _tasks) = mesh(2, &Arc::default()).await.map_err(plain)?;
    let began = (now(), cpu());
    let mut under_way = FuturesUnordered::new();
    for _ in 0..count {
        if under_way.len() == WINDOW
            && let Some(done) = under_way.next().await
        {
            let done: Result<(), Failed> = done;
            done.map_err(plain)?;
        }
        under_way.push(ask(&ways[0], Message::Last { number: 0 }));
    }
    while let Some(done) = under_way.next().await {
        done.map_err(plain)?;
    }
    Ok(rate(u64::from(count) * u64::from(BATCH), began))
}

pub async fn gossip(rumours: u32) -> Outcome {
    let heard: Arc<(AtomicU64, Notify)> = Arc::default();
    let (ways, _tasks) = mesh(NODES, &heard).await.map_err(plain)?;
    let reach = async |rumours: u64| {
        while heard.0.load(Ordering::Relaxed) < rumours * u64::from(NODES) {
            heard.1.notified().await;
        }
    };
    ways[0].send(Told::Rumour(u64::MAX)).await?;
    reach(1).await;
    let began = (now(), cpu());
    for rumour in 0..rumours {
        ways[(rumour % NODES) as usize].send(Told::Rumour(u64::from(rumour))).await?;
        reach((u64::from(rumour) + 2).saturating_sub(WINDOW as u64)).await;
    }
    reach(u64::from(rumours) + 1).await;
    Ok(rate(u64::from(rumours) * u64::from(NODES * (NODES - 1)), began))
}

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");

/// One thread commits for all who wait: as many writes as have come while the last commit went on.
pub fn durable(count: u32) -> Outcome {
    let folder = tempfile::tempdir()?;
    let database = Database::create(folder.path().join("plain.redb"))?;
    let (asks, waiting) = blocking::channel::<(u64, Vec<u8>, blocking::Sender<()>)>();
    let began = (now(), cpu());
    let failed = std::thread::scope(|scope| {
        let committing = scope.spawn(move || -> Result<(), Failed> {
            let mut batch = Vec::new();
            while let Ok(first) = waiting.recv() {
                batch.push(first);
                batch.extend(waiting.try_iter());
                let transaction = database.begin_write()?;
                {
                    let mut table = transaction.open_table(TABLE)?;
                    for (key, value, _) in &batch {
                        table.insert(key, value.as_slice())?;
                    }
                }
                transaction.commit()?;
                for (_, _, done) in batch.drain(..) {
                    let _ = done.send(());
                }
            }
            Ok(())
        });
        for writer in 0..WRITERS {
            let asks = asks.clone();
            scope.spawn(move || {
                let (done, answered) = blocking::channel();
                for key in (writer..count).step_by(WRITERS as usize) {
                    let sent = asks.send((u64::from(key), vec![7; VALUE_BYTES], done.clone()));
                    if sent.is_err() || answered.recv_timeout(Duration::from_secs(60)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(asks);
        committing.join().map_err(|_| "the thread that commits panicked".into()).and_then(|outcome| outcome)
    });
    failed.map_err(plain)?;
    Ok(rate(u64::from(count), began))
}
