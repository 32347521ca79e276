//! One ordered connection: between this node and a peer, for one carrier of one service. A task each.
//!
//! Connections are made on demand, by whoever sends first; where both do at once, the one that the lesser id made stands. When
//! one ends, the service is told once, after what had arrived, and what it sent before it was told is lost: so says section 7 of
//! the semantics. A link never blocks the service: what waits to be sent is bounded by [`Queue`], and beyond the bound
//! the connection breaks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use foresee_kernel::{Datum, NodeId, Wires};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use crate::emulate::{Leaves, Path};
use crate::frame::{self, Answer, HANDSHAKE_BYTES_MAX, Hello, Session};
use crate::host::Shared;
use crate::transport::{Reader, Stream, Unreached, Writer};

/// How many frames are written at once.
const BATCH_FRAMES_MAX: usize = 256;

/// How many bytes are gathered before they are written.
const BATCH_BYTES_MAX: usize = 64 << 10;

/// The pause before a connection is tried again, at first and at most; it doubles and varies by half.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What comes from the network to a service, in order.
#[derive(Debug)]
pub(crate) enum Input {
    Message { from: NodeId, carrier: u8, message: Datum },
    Broken { peer: NodeId, carrier: u8 },
}

/// What a service tells its link.
#[derive(Debug)]
enum Out {
    /// A frame, and before when it must not leave.
    Frame(Vec<u8>, Option<Instant>),
    /// It was told of the break: what follows is meant for a new connection.
    Told,
}

/// A connection that a peer made, and said who it is.
#[derive(Debug)]
pub(crate) struct Adopt {
    pub stream: Stream,
    pub hello: Hello,
}

/// What waits to be sent.
#[derive(Debug, Default)]
struct Queue {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// The bound was reached: the connection must break.
    full: Notify,
    /// Whether what is sent now is lost anyway.
    overrun: AtomicBool,
}

/// The service's end of a link. Dropping it ends the task and closes the connection.
#[derive(Debug)]
pub(crate) struct Link {
    out: mpsc::UnboundedSender<Out>,
    adopts: mpsc::Sender<Adopt>,
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    /// The emulated way to the peer.
    path: Option<Path>,
}

/// What a link is for.
#[derive(Clone)]
pub(crate) struct Seat {
    pub shared: Arc<Shared>,
    pub service: Arc<str>,
    pub carrier: (u8, &'static str),
    /// Whether the carrier is one of ordered connections; else it carries datagrams.
    pub ordered: bool,
    pub wires: Arc<Wires>,
    pub peer: NodeId,
    pub life: u64,
    pub inbox: mpsc::Sender<Input>,
}

impl Link {
    /// Makes a link; no connection yet.
    pub(crate) fn open(seat: Seat) -> Self {
        let (out, outgoing) = mpsc::unbounded_channel();
        let (adopts, adopted) = mpsc::channel(4);
        let (queue, shared) = (Arc::new(Queue::default()), seat.shared.clone());
        let path = shared.emulation.clone().map(|network| Path::new(network, seat.peer, seat.ordered));
        let task = Task { seat, outgoing, adopted, queue: queue.clone(), ended: 0, taken: VecDeque::new() };
        shared.spawn(task.run());
        Link { out, adopts, queue, shared, path }
    }

    /// Sends a frame, or loses it where the connection is about to break.
    pub(crate) fn send(&self, frame: Vec<u8>) {
        let Some(path) = &self.path else { return self.queue_up(frame, None) };
        // The wire form comes behind two bytes of the type's place.
        match path.leaves(frame.len().saturating_sub(2)) {
            Leaves::Never => {}
            Leaves::Once(at) => self.queue_up(frame, Some(at)),
            Leaves::Twice(one, two) => {
                self.queue_up(frame.clone(), Some(one));
                self.queue_up(frame, Some(two));
            }
        }
    }

    fn queue_up(&self, frame: Vec<u8>, at: Option<Instant>) {
        let limits = &self.shared.limits;
        let messages = self.queue.messages.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.queue.bytes.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        let beyond = messages > limits.queued_messages || bytes > limits.queued_bytes;
        if beyond && !self.queue.overrun.swap(true, Ordering::Relaxed) {
            self.queue.full.notify_one();
        }
        if self.queue.overrun.load(Ordering::Relaxed) {
            self.queue.left(&frame);
            self.shared.meter.lose("queue full");
            return;
        }
        self.shared.meter.send_queue_bytes.inc_by(frame.len() as i64);
        if self.out.send(Out::Frame(frame, at)).is_err() {
            self.shared.meter.lose("stopped");
        }
    }

    /// The service was told that the connection broke.
    pub(crate) fn told(&self) {
        self.queue.overrun.store(false, Ordering::Relaxed);
        // A task that is gone needs no word.
        let _ = self.out.send(Out::Told);
    }

    /// Hands over a connection that the peer made; one too many is closed.
    pub(crate) fn adopt(&self, adopt: Adopt) {
        if self.adopts.try_send(adopt).is_err() {
            self.shared.meter.refuse("too many connections");
        }
    }
}

impl Queue {
    fn left(&self, frame: &[u8]) {
        self.messages.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(frame.len(), Ordering::Relaxed);
    }
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The service let go of it.
    Stopped,
    /// The other end is gone, or what it sent is refused.
    Broken(String),
    /// The peer made a new one: the old one must have ended.
    Replaced(Adopt),
}

struct Task {
    seat: Seat,
    outgoing: mpsc::UnboundedReceiver<Out>,
    adopted: mpsc::Receiver<Adopt>,
    queue: Arc<Queue>,
    /// How many connections have ended.
    ended: u64,
    /// What was taken from the queue and not written: first of all the frame that a connection is made for.
    taken: VecDeque<Out>,
}

/// A connection that stands, and the peer's session.
type Standing = (Stream, Session);

impl Task {
    async fn run(mut self) {
        let mut next: Option<Adopt> = None;
        loop {
            let standing = match next.take() {
                Some(adopt) => self.welcome(adopt).await,
                None => tokio::select! {
                    out = self.outgoing.recv() => match out {
                        None => break,
                        Some(Out::Told) => continue,
                        Some(frame @ Out::Frame(..)) => {
                            self.taken.push_back(frame);
                            self.dial().await
                        }
                    },
                    Some(adopt) = self.adopted.recv() => self.welcome(adopt).await,
                },
            };
            let stood = standing.is_ok();
            let end = match standing {
                Ok(standing) => self.stand(standing).await,
                // A connection of the peer's that never stood is nobody's business here.
                Err(End::Broken(_)) if self.taken.is_empty() => continue,
                Err(end) => end,
            };
            self.lose_taken();
            match end {
                End::Stopped => break,
                End::Broken(reason) => {
                    tracing::debug!(peer = %self.seat.peer, carrier = self.seat.carrier.1, reason, "connection broke");
                }
                End::Replaced(adopt) => next = Some(adopt),
            }
            self.ended += 1;
            if let (true, Some(network)) = (stood, &self.seat.shared.emulation) {
                // Word of the end comes as far as a message does.
                sleep_until(network.notice(self.seat.peer)).await;
            }
            if !self.tell_broken().await {
                break;
            }
        }
        while let Ok(out) = self.outgoing.try_recv() {
            self.lose(out);
        }
    }

    /// Tells the service, and loses what it sent before it was told. False where the service is gone.
    async fn tell_broken(&mut self) -> bool {
        let Seat { inbox, peer, carrier, .. } = &self.seat;
        if inbox.send(Input::Broken { peer: *peer, carrier: carrier.0 }).await.is_err() {
            return false;
        }
        loop {
            match self.outgoing.recv().await {
                None => return false,
                Some(Out::Told) => return true,
                Some(out) => self.lose(out),
            }
        }
    }

    fn lose(&self, out: Out) {
        if let Out::Frame(frame, _) = out {
            self.took(&frame);
            self.seat.shared.meter.lose("connection broke");
        }
    }

    fn lose_taken(&mut self) {
        while let Some(out) = self.taken.pop_front() {
            self.lose(out);
        }
    }

    /// Notes that a frame left the queue.
    fn took(&self, frame: &[u8]) {
        self.queue.left(frame);
        self.seat.shared.meter.send_queue_bytes.dec_by(frame.len() as i64);
    }

    fn session(&self) -> Session {
        Session { life: self.seat.life, ended: self.ended }
    }

    /// Makes a connection, and tries for as long as patience lasts; takes one of the peer's where the peer's stands.
    async fn dial(&mut self) -> Result<Standing, End> {
        let shared = self.seat.shared.clone();
        let deadline = Instant::now() + shared.limits.patience;
        let mut pause = PAUSES.0;
        let mut reason = String::new();
        for attempt in 0_u32.. {
            let seat = self.seat.clone();
            let session = self.session();
            let connecting =
                timeout(deadline.saturating_duration_since(Instant::now()), connect(&seat, session));
            tokio::pin!(connecting);
            // The peer may stand on it already: it is let go only for one that stands.
            let tried = loop {
                tokio::select! {
                    biased;
                    tried = &mut connecting => break tried,
                    Some(adopt) = self.adopted.recv() => {
                        if let Some(standing) = self.cross(adopt).await {
                            return Ok(standing);
                        }
                    }
                }
            };
            match tried {
                Ok(Ok(Some(standing))) => return Ok(standing),
                // The peer's own connection is on its way.
                Ok(Ok(None)) => "it makes a connection itself".clone_into(&mut reason),
                Ok(Err(why)) => reason = why,
                Err(_) if reason.is_empty() => "it does not answer".clone_into(&mut reason),
                Err(_) => {}
            }
            let unit = shared.unit((self.seat.peer.index() as u32, self.ended as u32), u64::from(attempt));
            let wait = Instant::now() + pause.mul_f64(0.75 + unit / 2.0);
            if wait >= deadline {
                break;
            }
            pause = (pause * 2).min(PAUSES.1);
            tokio::select! {
                () = sleep_until(wait) => {}
                Some(adopt) = self.adopted.recv() => {
                    if let Some(standing) = self.cross(adopt).await {
                        return Ok(standing);
                    }
                }
            }
            if self.outgoing.is_closed() {
                return Err(End::Stopped);
            }
        }
        Err(End::Broken(reason))
    }

    /// A connection of the peer's while this node makes one: the lesser id's stands.
    async fn cross(&mut self, adopt: Adopt) -> Option<Standing> {
        if self.seat.peer < self.seat.shared.me {
            return self.welcome(adopt).await.ok();
        }
        answer(adopt.stream, &Answer::Crossed).await;
        None
    }

    async fn welcome(&mut self, adopt: Adopt) -> Result<Standing, End> {
        let Adopt { mut stream, hello } = adopt;
        let mut bytes = Vec::new();
        frame::put(&mut bytes, &frame::encode(&Answer::Welcome(self.session())));
        match send(&mut stream.writer, &bytes).await {
            Ok(()) => Ok((stream, hello.session)),
            Err(error) => Err(End::Broken(error.to_string())),
        }
    }

    /// Sends and receives until the connection ends.
    async fn stand(&mut self, (stream, session): Standing) -> End {
        let shared = self.seat.shared.clone();
        shared.meter.connections.inc();
        let Stream { reader, writer, .. } = stream;
        let reading = read(self.seat.clone(), reader);
        tokio::pin!(reading);
        let queue = self.queue.clone();
        let Task { outgoing, adopted, taken, seat, .. } = self;
        let writing = write(seat, outgoing, taken, &queue, writer);
        tokio::pin!(writing);
        loop {
            tokio::select! {
                end = &mut reading => return end,
                end = &mut writing => return end,
                () = queue.full.notified() => return End::Broken("more waits to be sent than it may".to_owned()),
                Some(adopt) = adopted.recv() => {
                    // The same session: made at once with the one that stands.
                    if adopt.hello.session <= session {
                        shared.spawn(answer(adopt.stream, &Answer::Crossed));
                        continue;
                    }
                    return End::Replaced(adopt);
                }
            }
        }
    }
}

/// Answers a hello, and lets go of the connection.
pub(crate) fn answer(stream: Stream, answer: &Answer) -> impl Future<Output = ()> + Send + 'static {
    let mut bytes = Vec::new();
    frame::put(&mut bytes, &frame::encode(answer));
    async move { stream.say(&bytes).await }
}

/// Writes bytes, and has them leave.
async fn send(writer: &mut Writer, bytes: &[u8]) -> std::io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}

/// Makes a connection. None where the peer makes one itself that stands.
async fn connect(seat: &Seat, session: Session) -> Result<Option<Standing>, String> {
    let shared = &seat.shared;
    let address = shared.peers.address(seat.peer).ok_or("its address is not known")?;
    if shared.is_cut(seat.peer) {
        return Err("the link is cut".to_owned());
    }
    let mut stream = match shared.carry.connect(seat.peer, address).await {
        Ok(stream) => stream,
        Err(Unreached::Failed(reason)) => return Err(reason),
        Err(Unreached::Untrusted(reason)) => {
            shared.meter.refuse("wrong certificate");
            tracing::warn!(peer = %seat.peer, %address, reason, "whoever answers does not prove to be the peer");
            return Err(reason);
        }
    };
    let way = (shared.me, seat.peer);
    let hello = Hello::new(seat.wires.hash(), &seat.service, seat.carrier.1, way, session);
    let mut bytes = Vec::new();
    frame::put(&mut bytes, &frame::encode(&hello));
    send(&mut stream.writer, &bytes).await.map_err(|error| error.to_string())?;
    let frame = handshake_frame(&mut stream.reader).await?;
    match postcard::from_bytes(&frame) {
        Ok(Answer::Welcome(session)) => Ok(Some((stream, session))),
        Ok(Answer::Crossed) => Ok(None),
        Ok(Answer::Refused(reason)) => {
            tracing::warn!(peer = %seat.peer, %address, reason, "a peer refuses the connection");
            Err(format!("it refuses: {reason}"))
        }
        Err(_) => Err("it answers as no node does".to_owned()),
    }
}

/// Reads one frame of the handshake and nothing after it.
pub(crate) async fn handshake_frame(stream: &mut Reader) -> Result<Vec<u8>, String> {
    let length = stream.read_u32().await.map_err(|_| "it ends before it says who it is".to_owned())? as usize;
    if length > HANDSHAKE_BYTES_MAX {
        return Err(format!("its first frame has {length} bytes, at most {HANDSHAKE_BYTES_MAX} are read"));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await.map_err(|_| "its first frame is cut off".to_owned())?;
    Ok(frame)
}

/// Reads frames until the connection ends, and hands messages to the service.
async fn read(seat: Seat, reader: Reader) -> End {
    let Seat { shared, carrier, wires, peer, inbox, .. } = seat;
    let refuse = |counted: &'static str, said: String| {
        shared.meter.refuse(counted);
        tracing::warn!(%peer, carrier = carrier.1, reason = said, "input refused, connection closed");
        End::Broken(said)
    };
    let codec = LengthDelimitedCodec::builder().max_frame_length(shared.limits.frame_bytes).new_codec();
    let mut frames = FramedRead::new(reader, codec);
    loop {
        let frame = match timeout(shared.limits.keep_alive * 3, frames.next()).await {
            Err(_) => return End::Broken("it is silent".to_owned()),
            Ok(None) => return End::Broken("the other end closed it".to_owned()),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) if error.kind() == std::io::ErrorKind::InvalidData => {
                let said = format!("a frame is longer than {} bytes", shared.limits.frame_bytes);
                return refuse("oversized", said);
            }
            Ok(Some(Err(error))) if error.to_string().contains("bytes remaining on stream") => {
                return refuse("cut", "the connection ends within a frame".to_owned());
            }
            Ok(Some(Err(error))) => return End::Broken(error.to_string()),
        };
        if frame.is_empty() {
            continue;
        }
        let Some((place, form)) = frame::parts(&frame) else {
            return refuse("malformed", "a frame of one byte".to_owned());
        };
        let message = match wires.decode(place, form) {
            Ok(message) => message,
            Err(error) => return refuse("malformed", error.to_string()),
        };
        shared.meter.messages_received.inc();
        shared.meter.bytes_received.inc_by(frame.len() as u64);
        if inbox.send(Input::Message { from: peer, carrier: carrier.0, message }).await.is_err() {
            return End::Stopped;
        }
    }
}

/// Writes what the service sends until it lets go, or the connection ends.
async fn write(
    seat: &Seat,
    outgoing: &mut mpsc::UnboundedReceiver<Out>,
    taken: &mut VecDeque<Out>,
    queue: &Queue,
    mut writer: Writer,
) -> End {
    let Seat { shared, peer, .. } = seat;
    let mut batch = Vec::with_capacity(BATCH_FRAMES_MAX);
    let mut buffer = Vec::with_capacity(BATCH_BYTES_MAX);
    loop {
        if taken.is_empty() {
            match timeout(shared.limits.keep_alive, outgoing.recv_many(&mut batch, BATCH_FRAMES_MAX)).await {
                Err(_) => frame::put(&mut buffer, &[]),
                Ok(0) => return End::Stopped,
                Ok(_) => taken.extend(batch.drain(..)),
            }
        }
        while !taken.is_empty() || !buffer.is_empty() {
            while buffer.len() < BATCH_BYTES_MAX {
                if let Some(Out::Frame(_, Some(at))) = taken.front()
                    && *at > Instant::now()
                {
                    break;
                }
                match taken.pop_front() {
                    Some(Out::Frame(frame, at)) => {
                        if let Some(at) = at {
                            shared.meter.late(at.elapsed());
                        }
                        frame::put(&mut buffer, &frame);
                        queue.left(&frame);
                        shared.meter.send_queue_bytes.dec_by(frame.len() as i64);
                        shared.meter.messages_sent.inc();
                        shared.meter.bytes_sent.inc_by(frame.len() as u64);
                    }
                    Some(Out::Told) => {}
                    None => break,
                }
            }
            if let (true, Some(Out::Frame(_, Some(at)))) = (buffer.is_empty(), taken.front()) {
                // All that is left is still under way. The connection says meanwhile that it is alive.
                if timeout(shared.limits.keep_alive, sleep_until(*at)).await.is_err() {
                    frame::put(&mut buffer, &[]);
                }
                continue;
            }
            if let Some(cuts) = &shared.cuts {
                cuts.whole(*peer).await;
            }
            match timeout(shared.limits.write, send(&mut writer, &buffer)).await {
                Ok(Ok(())) => buffer.clear(),
                Ok(Err(error)) => return End::Broken(error.to_string()),
                Err(_) => return End::Broken("it reads too slowly".to_owned()),
            }
        }
    }
}
