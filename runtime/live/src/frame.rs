//! Bytes on the wire: the handshake of a connection, frames of messages, datagrams. Pure: it reads and writes buffers alone.
//!
//! A connection carries one ordered carrier between two nodes of one service. It begins with a [`Hello`] and its answer, each
//! a frame of at most [`HANDSHAKE_BYTES_MAX`] bytes; then follow frames of the place of a message's type and its wire form.
//! Every frame has a length of four bytes before it. An empty frame keeps a connection alive.

use foresee_kernel::{CarrierKind, NodeId};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// The version of framing and handshake.
pub(crate) const PROTOCOL: u16 = 1;

/// What every connection begins with.
const MAGIC: [u8; 4] = *b"FORE";

/// The most bytes of a frame of the handshake.
pub(crate) const HANDSHAKE_BYTES_MAX: usize = 1024;

/// The bytes of the length before a frame.
pub(crate) const LENGTH_BYTES: usize = 4;

/// How many bytes are read at once, at least.
const READ_BYTES: usize = 64 << 10;

/// The room that is left for a read before more is made.
const ROOM_BYTES: usize = 4 << 10;

/// The most bytes that a datagram of UDP carries.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 65_507;

/// The first frame of a connection, from the node that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    magic: [u8; 4],
    /// The version of the protocol.
    pub protocol: u16,
    /// The hash of what travels.
    pub wire: u64,
    /// The service, by its name on the host.
    pub service: String,
    /// The carrier.
    pub carrier: String,
    /// Who says so.
    pub from: NodeId,
    /// Whom it wants.
    pub to: NodeId,
    /// Which connection of which life it is.
    pub session: Session,
}

/// Which life of a node, and how many connections with the peer have ended in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Session {
    pub life: u64,
    pub ended: u64,
}

/// The answer to a [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The connection stands.
    Welcome(Session),
    /// Both made a connection at once, and the other one stands.
    Crossed,
    /// It is refused, for this reason.
    Refused(String),
}

/// Why a hello is refused, as counted and as said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub counted: &'static str,
    pub said: String,
}

impl Refusal {
    pub(crate) fn new(counted: &'static str, said: impl Into<String>) -> Self {
        Refusal { counted, said: said.into() }
    }
}

impl Hello {
    pub(crate) fn new(
        wire: u64,
        service: &str,
        carrier: &str,
        way: (NodeId, NodeId),
        session: Session,
    ) -> Self {
        let (service, carrier) = (service.to_owned(), carrier.to_owned());
        Hello { magic: MAGIC, protocol: PROTOCOL, wire, service, carrier, from: way.0, to: way.1, session }
    }

    /// Reads the first frame of a connection.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        // What follows the version may differ in another one.
        let head = postcard::take_from_bytes::<([u8; 4], u16)>(bytes).ok().map(|(head, _)| head);
        match head {
            Some((MAGIC, PROTOCOL)) => {}
            Some((MAGIC, other)) => {
                let said = format!("the protocol is version {other}, here it is {PROTOCOL}");
                return Err(Refusal::new("version", said));
            }
            _ => return Err(Refusal::new("noise", "it does not begin as a connection does")),
        }
        let hello = postcard::take_from_bytes::<Hello>(bytes);
        match hello {
            Ok((hello, [])) => Ok(hello),
            _ => Err(Refusal::new("noise", "its first frame is malformed")),
        }
    }
}

/// A postcard form that cannot fail: of our own plain types.
pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).unwrap_or_default()
}

/// Appends a frame with its length to `buffer`.
pub(crate) fn put(buffer: &mut Vec<u8>, frame: &[u8]) {
    buffer.extend_from_slice(&(frame.len() as u32).to_be_bytes());
    buffer.extend_from_slice(frame);
}

/// The length that `bytes` begin with; None where they are too few.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|length| u32::from_be_bytes(*length) as usize)
}

/// What was read of a connection, and is taken from there frame by frame.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// What is before it was taken.
    start: usize,
}

impl Frames {
    /// Where the next bytes go. What a length announces takes no memory before it comes.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(READ_BYTES);
            self.start = 0;
        }
        if self.bytes.capacity() - self.bytes.len() < ROOM_BYTES {
            self.bytes.drain(..self.start);
            self.start = 0;
            if self.bytes.capacity() - self.bytes.len() < ROOM_BYTES {
                self.bytes.reserve(READ_BYTES);
            }
        }
        &mut self.bytes
    }

    /// The next frame, if all of it was read.
    ///
    /// # Errors
    /// A frame of more than `most` bytes, whatever was read of it; so many it has.
    pub(crate) fn next(&mut self, most: usize) -> Result<Option<&[u8]>, usize> {
        let rest = &self.bytes[self.start..];
        let Some(length) = length(rest) else { return Ok(None) };
        if length > most {
            return Err(length);
        }
        let Some(frame) = rest[LENGTH_BYTES..].get(..length) else { return Ok(None) };
        self.start += LENGTH_BYTES + length;
        Ok(Some(frame))
    }

    /// Whether part of a frame was read.
    pub(crate) fn is_within(&self) -> bool {
        self.start < self.bytes.len()
    }
}

/// The parts of a message's frame.
pub(crate) fn parts(frame: &[u8]) -> Option<(u16, &[u8])> {
    let (place, form) = frame.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*place), form))
}

/// What stands before a message in a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatagramHead {
    /// The key of service and carrier, see [`key`].
    pub key: u32,
    pub wire: u64,
    pub from: NodeId,
    pub to: NodeId,
}

impl DatagramHead {
    pub(crate) const BYTES: usize = 4 + 2 + 4 + 8 + 4 + 4;

    /// The head, with room for what follows it.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 * Self::BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&PROTOCOL.to_be_bytes());
        bytes.extend_from_slice(&self.key.to_be_bytes());
        bytes.extend_from_slice(&self.wire.to_be_bytes());
        bytes.extend_from_slice(&(self.from.index() as u32).to_be_bytes());
        bytes.extend_from_slice(&(self.to.index() as u32).to_be_bytes());
        bytes
    }

    /// The head, and the frame after it.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Refusal> {
        let (head, frame) = bytes
            .split_at_checked(Self::BYTES)
            .ok_or_else(|| Refusal::new("noise", "it is shorter than the head of a datagram"))?;
        if head[..4] != MAGIC {
            return Err(Refusal::new("noise", "it does not begin as a datagram does"));
        }
        let version = u16::from_be_bytes([head[4], head[5]]);
        if version != PROTOCOL {
            let said = format!("the protocol is version {version}, here it is {PROTOCOL}");
            return Err(Refusal::new("version", said));
        }
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let wire = u64::from(word(10)) << 32 | u64::from(word(14));
        let (from, to) = (NodeId::new(word(18)), NodeId::new(word(22)));
        Ok((DatagramHead { key: word(6), wire, from, to }, frame))
    }
}

/// The number by which datagrams name a service and one of its carriers.
pub(crate) fn key(service: &str, carrier: &str, kind: CarrierKind) -> u32 {
    xxh3_64(format!("{service}\0{carrier}\0{}", kind as u8).as_bytes()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        let way = (NodeId::new(1), NodeId::new(2));
        Hello::new(7, "kv", "net", way, Session { life: 3, ended: 0 })
    }

    #[test]
    fn a_hello_reads_back_and_anything_else_is_refused() {
        let bytes = encode(&hello());
        assert!(bytes.len() < HANDSHAKE_BYTES_MAX);
        assert_eq!(Hello::read(&bytes), Ok(hello()));
        for end in 0..bytes.len() {
            assert!(Hello::read(&bytes[..end]).is_err(), "cut at {end}");
        }
        let other = Hello { protocol: PROTOCOL + 1, ..hello() };
        assert_eq!(Hello::read(&encode(&other)).map_err(|it| it.counted), Err("version"));
        assert_eq!(Hello::read(b"GET / HTTP/1.1").map_err(|it| it.counted), Err("noise"));
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let sent: Vec<Vec<u8>> = (0..40).map(|at| vec![at; usize::from(at) * 700]).collect();
        let mut bytes = Vec::new();
        sent.iter().for_each(|frame| put(&mut bytes, frame));
        for part in [1, 3, 4, 5, 1000, 64 << 10, bytes.len()] {
            let (mut frames, mut read) = (Frames::default(), Vec::new());
            for part in bytes.chunks(part) {
                frames.room().extend_from_slice(part);
                while let Some(frame) = frames.next(1 << 20).expect("none is long") {
                    read.push(frame.to_vec());
                }
            }
            assert!(read == sent && !frames.is_within(), "in parts of {part}");
        }
    }

    #[test]
    fn a_frame_takes_no_memory_before_it_comes() {
        let mut frames = Frames::default();
        frames.room().extend_from_slice(&(8_u32 << 20).to_be_bytes());
        assert_eq!(frames.next(8 << 20), Ok(None));
        assert!(frames.is_within());
        assert!(frames.room().capacity() < 4 * READ_BYTES);
        assert_eq!(frames.next((8 << 20) - 1), Err(8 << 20));
    }

    #[test]
    fn the_head_of_a_datagram_reads_back_and_anything_else_is_refused() {
        let head = DatagramHead { key: 5, wire: u64::MAX - 9, from: NodeId::new(1), to: NodeId::new(70_000) };
        let mut bytes = head.write();
        bytes.extend_from_slice(b"\0\x03abc");
        let (read, frame) = DatagramHead::read(&bytes).expect("it is a datagram");
        assert_eq!((read, parts(frame)), (head, Some((3, &b"abc"[..]))));
        assert!(DatagramHead::read(&bytes[..DatagramHead::BYTES - 1]).is_err());
        bytes[5] += 1;
        assert_eq!(DatagramHead::read(&bytes).map_err(|it| it.counted), Err("version"));
    }
}
