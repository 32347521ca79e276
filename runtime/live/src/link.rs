//! One ordered connection: between this node and a peer, for one carrier of one service. A task each.
//!
//! Connections are made on demand, by whoever sends first; where both do at once, the one that the lesser id made stands. When
//! one ends, the service is told once, after what had arrived, and what it sent before it was told is lost: so says section 7 of
//! the semantics. A link never blocks the service: what waits to be sent is bounded, in its [`Outbox`], and beyond the bound
//! the connection breaks.
//!
//! The task reads, and takes the service's steps itself where nobody else does ([`Helm`]); so a message that arrives, the step and the answer
//! that it sends are all of one task.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foresee_kernel::{Datum, NodeId, Wires};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clock;
use crate::emulate::Path;
use crate::frame::{self, Answer, Frames, HANDSHAKE_BYTES_MAX, Hello, Session};
use crate::helm::Helm;
use crate::host::Shared;
use crate::outbox::{Outbox, Sent, Written};
use crate::seldom::Seldom;
use crate::transport::{Reader, Stream, Unreached, Writer};

/// The most messages that are read before the service is given them.
const BATCH_MESSAGES_MAX: usize = 64;

/// After so many periods of [`crate::Limits::keep_alive`] without a whole frame, and what was left of the one before, a connection is broken.
const SILENT_PERIODS_MAX: u32 = 3;

/// The pause before a connection is tried again, at first and at most; it doubles and varies by half.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What comes from the network to a service, in order.
#[derive(Debug)]
pub(crate) enum Input {
    Message { from: NodeId, carrier: u8, message: Datum },
    Broken { peer: NodeId, carrier: u8 },
}

/// A connection that a peer made, and said who it is.
#[derive(Debug)]
pub(crate) struct Adopt {
    pub stream: Stream,
    pub hello: Hello,
}

/// The service's end of a link. Dropping it ends the task and closes the connection, when what waits is written.
#[derive(Debug)]
pub(crate) struct Link {
    outbox: Arc<Outbox>,
    adopts: mpsc::Sender<Adopt>,
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
    /// Where the service's steps are taken.
    pub helm: Arc<Helm>,
    pub inbox: mpsc::Sender<Input>,
}

impl Link {
    /// Makes a link; no connection yet.
    pub(crate) fn open(seat: Seat) -> Self {
        let (adopts, adopted) = mpsc::channel(4);
        let (outbox, shared) = (Arc::new(Outbox::new(seat.shared.clone())), seat.shared.clone());
        let path = shared.emulation.clone().map(|network| Path::new(network, seat.peer, seat.ordered));
        let task = Task { seat, adopted, outbox: outbox.clone(), ended: 0 };
        shared.spawn(task.run());
        Link { outbox, adopts, path }
    }

    /// Sends a message, or loses it where the connection is about to break.
    pub(crate) fn send(&self, wires: &Wires, message: &Datum) -> Sent {
        self.outbox.send(self.path.as_ref(), wires, message)
    }

    /// What waits to be sent.
    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Hands over a connection that the peer made; one too many is closed.
    pub(crate) fn adopt(&self, shared: &Shared, adopt: Adopt) {
        if self.adopts.try_send(adopt).is_err() {
            shared.meter.refuse("too many connections");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.outbox.let_go();
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
    adopted: mpsc::Receiver<Adopt>,
    outbox: Arc<Outbox>,
    /// How many connections have ended.
    ended: u64,
}

/// A connection that stands, and the peer's session.
type Standing = (Stream, Session);

impl Task {
    async fn run(mut self) {
        let mut next: Option<Adopt> = None;
        loop {
            let (wanted, standing) = match next.take() {
                Some(adopt) => (false, self.welcome(adopt).await),
                None => tokio::select! {
                    wanted = self.outbox.wanted() => match wanted {
                        false => break,
                        true => (true, self.dial().await),
                    },
                    Some(adopt) = self.adopted.recv() => (false, self.welcome(adopt).await),
                },
            };
            let stood = standing.is_ok();
            let end = match standing {
                Ok(standing) => self.stand(standing).await,
                // A connection of the peer's that never stood is nobody's business here.
                Err(End::Broken(_)) if !wanted => continue,
                Err(end) => end,
            };
            self.outbox.broke();
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
        self.outbox.broke();
    }

    /// Tells the service; what it sent before it was told is lost. False where the service is gone.
    async fn tell_broken(&mut self) -> bool {
        let Seat { inbox, helm, peer, carrier, .. } = &self.seat;
        if inbox.send(Input::Broken { peer: *peer, carrier: carrier.0 }).await.is_err() {
            return false;
        }
        helm.drive();
        self.outbox.told_of_break().await
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
            if self.outbox.is_let_go() {
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
        self.seat.shared.meter.connections.inc();
        let Stream { reader, writer, .. } = stream;
        self.outbox.stand(writer);
        let heard = AtomicBool::new(false);
        let Task { seat, adopted, outbox, .. } = self;
        let reading = read(seat, reader, &heard);
        // What there is beside reading is not looked at with each message.
        let beside = Seldom::new(beside(seat, adopted, outbox, session, &heard));
        tokio::select! {
            biased;
            end = reading => end,
            end = beside => end,
        }
    }
}

/// Waits for what ends a connection beside what is read: it is silent, it cannot be written to, the service lets go, the peer makes another.
async fn beside(
    seat: &Seat,
    adopted: &mut mpsc::Receiver<Adopt>,
    outbox: &Outbox,
    session: Session,
    heard: &AtomicBool,
) -> End {
    let minding = outbox.mind(seat.peer);
    let silence = silence(heard, seat.shared.limits.keep_alive);
    tokio::pin!(minding, silence);
    loop {
        tokio::select! {
            biased;
            written = &mut minding => return match written {
                Written::All => End::Stopped,
                Written::Failed(reason) => End::Broken(reason),
            },
            () = &mut silence => return End::Broken("it is silent".to_owned()),
            Some(adopt) = adopted.recv() => {
                // The same session: made at once with the one that stands.
                if adopt.hello.session <= session {
                    seat.shared.spawn(answer(adopt.stream, &Answer::Crossed));
                    continue;
                }
                return End::Replaced(adopt);
            }
        }
    }
}

/// Waits until nothing was heard for [`SILENT_PERIODS_MAX`] whole periods.
async fn silence(heard: &AtomicBool, period: Duration) {
    let mut silent = 0;
    while silent < SILENT_PERIODS_MAX {
        clock::beside(Instant::now() + period).await;
        silent = if heard.swap(false, Ordering::Relaxed) { 0 } else { silent + 1 };
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

/// Reads frames until the connection ends, and hands messages to the service; notes in `heard` that there was a frame.
async fn read(seat: &Seat, mut reader: Reader, heard: &AtomicBool) -> End {
    let limits = &seat.shared.limits;
    let batch = BATCH_MESSAGES_MAX.min(limits.inbox);
    let mut frames = Frames::default();
    let mut messages = VecDeque::with_capacity(batch);
    loop {
        let read = reader.read_buf(frames.room()).await;
        match read {
            Ok(0) if frames.is_within() => {
                return refuse(seat, "cut", "the connection ends within a frame".to_owned());
            }
            Ok(0) => return End::Broken("the other end closed it".to_owned()),
            Ok(_) => {}
            Err(error) => return End::Broken(error.to_string()),
        }
        loop {
            let taken = take(seat, &mut frames, &mut messages, batch);
            if !messages.is_empty() && !hand_over(seat, &mut messages).await {
                return End::Stopped;
            }
            match taken {
                Ok(Taken { more, any }) => {
                    // What is heard of a frame that is never complete counts as silence.
                    if any {
                        heard.store(true, Ordering::Relaxed);
                    }
                    if !more {
                        break;
                    }
                }
                Err((counted, said)) => return refuse(seat, counted, said),
            }
        }
    }
}

/// Why input is refused, as counted and as said.
type Refused = (&'static str, String);

/// What was taken of what was read.
struct Taken {
    /// Whether there may be more.
    more: bool,
    /// Whether there was a frame.
    any: bool,
}

/// Takes up to `most` messages; those before one that is refused are taken.
fn take(
    seat: &Seat,
    frames: &mut Frames,
    messages: &mut VecDeque<Datum>,
    most: usize,
) -> Result<Taken, Refused> {
    let meter = &seat.shared.meter;
    let (mut any, mut bytes) = (false, 0);
    let outcome = loop {
        if messages.len() == most {
            break Ok(true);
        }
        let frame = match frames.next(seat.shared.limits.frame_bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => break Ok(false),
            Err(_) => {
                let said = format!("a frame is longer than {} bytes", seat.shared.limits.frame_bytes);
                break Err(("oversized", said));
            }
        };
        any = true;
        if frame.is_empty() {
            continue;
        }
        let Some((place, form)) = frame::parts(frame) else {
            break Err(("malformed", "a frame of one byte".to_owned()));
        };
        match seat.wires.decode(place, form) {
            Ok(message) => messages.push_back(message),
            Err(error) => break Err(("malformed", error.to_string())),
        }
        bytes += frame.len() as u64;
    };
    meter.messages_received.inc_by(messages.len() as u64);
    meter.bytes_received.inc_by(bytes);
    outcome.map(|more| Taken { more, any })
}

/// Hands messages to the service, at once where it has time and room for them; false where it is gone.
async fn hand_over(seat: &Seat, messages: &mut VecDeque<Datum>) -> bool {
    let (from, carrier) = (seat.peer, seat.carrier.0);
    seat.helm.deliver(seat.life, from, carrier, messages);
    if messages.is_empty() {
        return true;
    }
    for message in messages.drain(..) {
        if seat.inbox.send(Input::Message { from, carrier, message }).await.is_err() {
            return false;
        }
        seat.helm.drive();
    }
    true
}

fn refuse(seat: &Seat, counted: &'static str, said: String) -> End {
    seat.shared.meter.refuse(counted);
    tracing::warn!(peer = %seat.peer, carrier = seat.carrier.1, reason = said, "input refused, connection closed");
    End::Broken(said)
}
