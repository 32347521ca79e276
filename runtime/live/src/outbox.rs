//! What waits to be sent over one connection, and how it leaves.
//!
//! Whoever took the steps writes what they sent, at once and without waiting ([`Outbox::flush`]): no other task has to run first. What the
//! connection does not take at once is left to its own task ([`Outbox::mind`]), which alone waits, says that the connection is alive, and holds
//! back what an emulated network has under way. Everything of one connection stands in one buffer, so that what waits is written at once.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use foresee_kernel::{Datum, NodeId, Wires};
use tokio::io::AsyncWrite;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clock;
use crate::emulate::{Leaves, Path};
use crate::frame;
use crate::host::Shared;
use crate::meter::Meter;
use crate::transport::Writer;

/// Beyond so many bytes what waits is written even within a step. So much must leave within [`crate::Limits::write`], too.
const GATHERED_BYTES: usize = 64 << 10;

/// The most bytes that a buffer keeps when it is empty.
const KEPT_BYTES: usize = 256 << 10;

/// Why a connection breaks for which too much waits.
const OVERRUN: &str = "more waits to be sent than it may";

/// What waits to be sent over one connection.
#[derive(Debug)]
pub(crate) struct Outbox {
    shared: Arc<Shared>,
    out: Mutex<Out>,
    /// Wakes the task of the connection.
    call: Notify,
    /// The bound was reached: wakes it even where it waits to write.
    full: Notify,
}

/// Whether messages are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// More would wait than may: the connection must break, and what is sent until the service is told is lost.
    Overrun,
    /// The connection broke, and the service was not told yet: what it sends is lost.
    Broken,
}

#[derive(Default)]
struct Out {
    /// Frames with their lengths before them; those before `start` are written.
    buffer: Vec<u8>,
    start: usize,
    /// How much of the first frame is still to be written; 0 where nothing of it was.
    rest: usize,
    /// The bytes of the first frame without its length, where some of it was written.
    first: usize,
    /// Frames that must not leave yet, in the order in which they do.
    held: VecDeque<(Instant, Vec<u8>)>,
    held_bytes: usize,
    /// How many messages wait.
    messages: usize,
    stage: Stage,
    /// Where the connection stands.
    writer: Option<Writer>,
    /// Whether something was written since its task looked.
    written: bool,
    /// The writer did not take all: its task writes, and nobody else.
    blocked: bool,
    /// Why nothing can be written.
    failed: Option<String>,
    /// Whether whoever takes steps knows that there is something to write.
    listed: bool,
    /// The service lets go of the connection, when all is written.
    let_go: bool,
    /// The bytes that are counted as waiting.
    gauged: usize,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out")
            .field("messages", &self.messages)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// What became of a message that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It waits, and the box wants to be flushed.
    Flush,
    /// It waits, or is lost and counted; nothing is to be done.
    Done,
    /// It has no wire form.
    Formless,
    /// It has so many bytes, and is longer than a frame may be.
    Oversized(usize),
}

/// Why the task of a connection has nothing more to write.
#[derive(Debug)]
pub(crate) enum Written {
    /// The service let go, and all is written.
    All,
    /// The connection does not take it.
    Failed(String),
}

impl Outbox {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Outbox { shared, out: Mutex::default(), call: Notify::new(), full: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message, or loses it where the connection is about to break; `path` is the emulated way to the peer.
    pub(crate) fn send(&self, path: Option<&Path>, wires: &Wires, message: &Datum) -> Sent {
        let shared = &*self.shared;
        let most = shared.limits.frame_bytes;
        let Some(path) = path else {
            let out = &mut *self.lock();
            if !out.takes(&shared.meter) {
                return Sent::Done;
            }
            let before = out.buffer.len();
            if let Err(unsent) = put(wires, message, &mut out.buffer, most) {
                return unsent;
            }
            if out.beyond(shared) {
                out.buffer.truncate(before);
                self.overrun(out);
                return Sent::Done;
            }
            out.messages += 1;
            let first = !std::mem::replace(&mut out.listed, true);
            if out.buffer.len() - out.start >= GATHERED_BYTES {
                self.write_now(out);
            }
            return if first { Sent::Flush } else { Sent::Done };
        };
        let mut frame = Vec::new();
        if let Err(unsent) = put(wires, message, &mut frame, most) {
            return unsent;
        }
        // The wire form comes behind a length and the place of its type.
        match path.leaves(frame.len().saturating_sub(frame::LENGTH_BYTES + 2)) {
            Leaves::Never => {}
            Leaves::Once(at) => self.hold(frame, at),
            Leaves::Twice(one, two) => {
                self.hold(frame.clone(), one);
                self.hold(frame, two);
            }
        }
        Sent::Done
    }

    fn hold(&self, frame: Vec<u8>, at: Instant) {
        let shared = &*self.shared;
        let out = &mut *self.lock();
        if !out.takes(&shared.meter) {
            return;
        }
        out.held_bytes += frame.len();
        if out.beyond(shared) {
            out.held_bytes -= frame.len();
            return self.overrun(out);
        }
        out.messages += 1;
        out.held.push_back((at, frame));
        out.gauge(&shared.meter);
        if out.held.len() == 1 {
            self.call.notify_one();
        }
    }

    fn overrun(&self, out: &mut Out) {
        out.stage = Stage::Overrun;
        self.shared.meter.lose("queue full");
        self.full.notify_one();
        self.call.notify_one();
    }

    /// Writes what waits as far as that goes at once, and leaves the rest to the task of the connection.
    pub(crate) fn flush(&self) {
        let out = &mut *self.lock();
        out.listed = false;
        self.write_now(out);
    }

    /// Has the task of the connection write what waits: what is sent until it does goes along.
    pub(crate) fn flush_soon(&self) {
        let out = &mut *self.lock();
        out.listed = false;
        if !out.blocked {
            self.call.notify_one();
        }
    }

    fn write_now(&self, out: &mut Out) {
        let shared = &*self.shared;
        // A link may be cut at any time, and its task waits until it is whole.
        let stands = out.writer.is_some() && out.failed.is_none() && shared.cuts.is_none();
        match out.blocked {
            true => {}
            false if !stands => self.call.notify_one(),
            false => match out.poll_write(&shared.meter, &mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    out.failed = Some(error.to_string());
                    self.call.notify_one();
                }
                Poll::Pending => {
                    out.blocked = true;
                    self.call.notify_one();
                }
            },
        }
        out.gauge(&shared.meter);
    }

    /// Waits until there is something to send, and so a connection is wanted; false where the service lets go.
    pub(crate) async fn wanted(&self) -> bool {
        self.when(|out| {
            let waits = out.messages > 0;
            (waits || out.let_go).then_some(waits)
        })
        .await
    }

    /// Waits until the service was told that the connection broke; false where it lets go.
    pub(crate) async fn told_of_break(&self) -> bool {
        self.when(|out| {
            let told = out.stage == Stage::Open;
            (told || out.let_go).then_some(told)
        })
        .await
    }

    async fn when<T>(&self, is: impl Fn(&Out) -> Option<T>) -> T {
        loop {
            if let Some(found) = is(&self.lock()) {
                return found;
            }
            self.call.notified().await;
        }
    }

    /// Whether the service lets go.
    pub(crate) fn is_let_go(&self) -> bool {
        self.lock().let_go
    }

    /// The service lets go of the connection.
    pub(crate) fn let_go(&self) {
        self.lock().let_go = true;
        self.call.notify_one();
    }

    /// The connection stands, and this writes to it.
    pub(crate) fn stand(&self, writer: Writer) {
        let out = &mut *self.lock();
        (out.writer, out.written) = (Some(writer), false);
        (out.blocked, out.failed) = (false, None);
    }

    /// The connection ended: what waits is lost, and so is what the service sends until it is told.
    pub(crate) fn broke(&self) {
        let meter = &self.shared.meter;
        let out = &mut *self.lock();
        meter.lose_all("connection broke", out.messages as u64);
        let old = std::mem::replace(out, Out { stage: Stage::Broken, ..Out::default() });
        (out.listed, out.let_go, out.gauged) = (old.listed, old.let_go, old.gauged);
        out.gauge(meter);
    }

    /// The service was told that the connection broke: what it sends from here on is meant for a new one.
    pub(crate) fn told(&self) {
        let out = &mut *self.lock();
        if out.stage == Stage::Broken {
            out.stage = Stage::Open;
            self.call.notify_one();
        }
    }

    /// Writes what was not written at once, and says now and then that the connection with `peer` is alive.
    pub(crate) async fn mind(&self, peer: NodeId) -> Written {
        let shared = &*self.shared;
        // Twice as often as it must be said, so that it is said in time whenever something was written last.
        let period = shared.limits.keep_alive / 2;
        let mut look = Instant::now() + period;
        // Frames that are held back leave in time; what keeps a connection alive may be late.
        let sleep = if shared.emulation.is_some() { sleep_until(look) } else { clock::beside(look) };
        tokio::pin!(sleep);
        let mut slept = false;
        loop {
            let wait = {
                let out = &mut *self.lock();
                if out.stage == Stage::Overrun {
                    return Written::Failed(OVERRUN.to_owned());
                }
                if slept || !out.held.is_empty() {
                    let now = Instant::now();
                    out.release(now, &shared.meter);
                    if look <= now {
                        look = now + period;
                        if !std::mem::take(&mut out.written) && !out.waits_to_be_written() {
                            frame::put(&mut out.buffer, &[]);
                        }
                    }
                }
                if out.waits_to_be_written() && shared.cuts.is_none() {
                    self.write_now(out);
                }
                if let Some(failed) = out.failed.take() {
                    return Written::Failed(failed);
                }
                let waits = out.waits_to_be_written();
                if !waits && out.let_go && out.held.is_empty() {
                    return Written::All;
                }
                (!waits).then(|| out.held.front().map_or(look, |(at, _)| look.min(*at)))
            };
            if let Some(at) = wait {
                if sleep.deadline() != at {
                    sleep.as_mut().reset(at);
                }
                slept = tokio::select! {
                    biased;
                    () = self.call.notified() => false,
                    () = sleep.as_mut() => true,
                };
                continue;
            }
            tokio::select! {
                written = self.write_some(peer) => if let Err(reason) = written {
                    return Written::Failed(reason);
                },
                // Word of an earlier connection may be left.
                () = self.full.notified() => {}
            }
        }
    }

    async fn write_some(&self, peer: NodeId) -> Result<(), String> {
        if let Some(cuts) = &self.shared.cuts {
            cuts.whole(peer).await;
        }
        let mut left = GATHERED_BYTES;
        let written = poll_fn(|context| self.poll_some(context, &mut left));
        match timeout(self.shared.limits.write, written).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err("it reads too slowly".to_owned()),
        }
    }

    /// Writes all that waits, or the `left` bytes that must leave in time.
    fn poll_some(&self, context: &mut Context<'_>, left: &mut usize) -> Poll<io::Result<()>> {
        let out = &mut *self.lock();
        // From here on the task of the connection is the one that is woken.
        out.blocked = true;
        let (before, meter) = (out.waits(), &self.shared.meter);
        let polled = out.poll_write(meter, context);
        *left = left.saturating_sub(before.saturating_sub(out.waits()));
        out.gauge(meter);
        if *left > 0 || polled.is_ready() {
            ready!(polled)?;
            out.blocked = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Out {
    /// Whether a message is taken; else it is counted as lost.
    fn takes(&self, meter: &Meter) -> bool {
        match self.stage {
            Stage::Open => return true,
            Stage::Overrun => meter.lose("queue full"),
            Stage::Broken => meter.lose("connection broke"),
        }
        false
    }

    /// Whether there is something that could be written now.
    fn waits_to_be_written(&self) -> bool {
        self.blocked || self.start < self.buffer.len()
    }

    fn waits(&self) -> usize {
        self.buffer.len() - self.start + self.held_bytes
    }

    /// Whether one more message is more than may wait, with those bytes that stand here already.
    fn beyond(&self, shared: &Shared) -> bool {
        self.messages >= shared.limits.queued_messages || self.waits() > shared.limits.queued_bytes
    }

    /// Lets go of frames that were under way for long enough.
    fn release(&mut self, now: Instant, meter: &Meter) {
        while let Some((at, _)) = self.held.front()
            && *at <= now
            && let Some((at, frame)) = self.held.pop_front()
        {
            meter.late(now - at);
            self.held_bytes -= frame.len();
            self.buffer.extend_from_slice(&frame);
        }
    }

    /// Writes all that waits, and has it leave.
    fn poll_write(&mut self, meter: &Meter, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.start < self.buffer.len() {
            let Some(writer) = &mut self.writer else { return Poll::Pending };
            let bytes = &self.buffer[self.start..];
            match ready!(Pin::new(writer).poll_write(context, bytes))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.wrote(count, meter),
            }
        }
        let Some(writer) = &mut self.writer else { return Poll::Pending };
        ready!(Pin::new(writer).poll_flush(context))?;
        self.written = true;
        Poll::Ready(Ok(()))
    }

    /// Notes that so many bytes were written, and counts the messages that are complete by it.
    fn wrote(&mut self, mut count: usize, meter: &Meter) {
        let (mut messages, mut bytes) = (0, 0);
        while count > 0 {
            if self.rest == 0 {
                self.first = frame::length(&self.buffer[self.start..]).unwrap_or(0);
                self.rest = frame::LENGTH_BYTES + self.first;
            }
            let part = self.rest.min(count);
            self.start += part;
            self.rest -= part;
            count -= part;
            // An empty frame is no message.
            if self.rest == 0 && self.first > 0 {
                messages += 1;
                bytes += self.first as u64;
            }
        }
        self.messages -= messages;
        meter.messages_sent.inc_by(messages as u64);
        meter.bytes_sent.inc_by(bytes);
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.buffer.shrink_to(KEPT_BYTES);
            self.start = 0;
        } else if self.start > GATHERED_BYTES.max(self.buffer.len() / 2) {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }

    /// Counts what waits.
    fn gauge(&mut self, meter: &Meter) {
        let waits = self.waits();
        if waits != self.gauged {
            meter.send_queue_bytes.inc_by(waits as i64 - self.gauged as i64);
            self.gauged = waits;
        }
    }
}

/// Puts a message as a frame of at most `most` bytes behind what is in `out`.
fn put(wires: &Wires, message: &Datum, out: &mut Vec<u8>, most: usize) -> Result<(), Sent> {
    let before = out.len();
    out.extend_from_slice(&[0; frame::LENGTH_BYTES]);
    let formed = wires.encode_into(message, out);
    let length = out.len() - before - frame::LENGTH_BYTES;
    let outcome = match formed {
        false => Err(Sent::Formless),
        true if length > most => Err(Sent::Oversized(length)),
        true => Ok(()),
    };
    match outcome {
        Ok(()) => out[before..before + frame::LENGTH_BYTES].copy_from_slice(&(length as u32).to_be_bytes()),
        Err(_) => out.truncate(before),
    }
    outcome
}
