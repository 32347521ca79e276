//! What travels between processes: the message types of a spec, each with its place in a table, and a hash of them all.
//!
//! Postcard does not describe itself, so whoever reads bytes must know their type: a message travels as the place of its
//! type and its wire form. Nodes compare the hash before the first message. Nothing here is part of a step.

use std::any::TypeId;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Datum, NodeId, PayloadType, Shape, Stack, Value, payload};

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The table has no type at this place.
    Unknown(u16),
    /// The bytes are no value of the type; with what was wrong.
    Malformed(String),
    /// There are bytes after the value.
    Trailing(usize),
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Unknown(place) => write!(f, "there is no message type {place}"),
            WireError::Malformed(what) => write!(f, "the bytes are no message of their type: {what}"),
            WireError::Trailing(count) => write!(f, "{count} bytes follow the message"),
        }
    }
}

impl std::error::Error for WireError {}

/// A type of messages.
#[derive(Clone, Copy)]
pub struct WireType {
    name: &'static str,
    id: fn() -> TypeId,
    decode: fn(&[u8]) -> Result<Datum, WireError>,
}

impl WireType {
    /// The entry of `T`.
    pub const fn of<T: Value>(name: &'static str) -> Self {
        WireType { name, id: TypeId::of::<T>, decode: |bytes| decode::<T>(bytes).map(Datum::new) }
    }

    /// Its name in the spec.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for WireType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What the services of a spec send: the same table in every process that runs the same spec.
#[derive(Debug)]
pub struct Wire {
    /// The hash of the types and all that they contain, in a canonical text. Comments and handlers take no part.
    pub hash: u64,
    /// The types of messages.
    pub types: &'static [WireType],
    /// The types of calls that programs make. They never travel: recordings hold them.
    pub calls: &'static [WireType],
    /// The types of payloads in them.
    pub payloads: &'static [PayloadType],
}

impl Wire {
    /// The wire of a service that sends nothing between processes.
    pub const NONE: Wire = Wire { hash: 0, types: &[], calls: &[], payloads: &[] };
}

/// A message on which a note of the driver's rides, such as what nodes measure: it travels as a message of its own type, behind those of
/// the spec ([`Wires::noting`]). The driver takes it apart before the step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Noted {
    /// The note, whatever the driver means by it.
    pub note: Vec<u8>,
    /// The place of the message's type.
    pub place: u16,
    /// Its wire form.
    pub form: Vec<u8>,
}

impl Shape for Noted {
    // A note is never part of a state that is searched.
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

/// What nodes that write notes have in common.
static NOTED: Wire =
    Wire { hash: 0x6e6f_7465_6400_0001, types: &[WireType::of::<Noted>("noted")], calls: &[], payloads: &[] };

/// The message types of a stack, whatever specs its layers come from: their tables one after another, each once.
#[derive(Clone, Debug)]
pub struct Wires {
    tables: Vec<&'static Wire>,
    /// The types of messages one after another, each with the payloads of its table: what is looked up for every message.
    messages: Vec<(TypeId, &'static WireType, &'static [PayloadType])>,
}

impl Wires {
    /// Those of `stack`.
    pub fn of(stack: &Stack) -> Self {
        let mut tables: Vec<&'static Wire> = Vec::new();
        for layer in stack.layers() {
            let table = layer.service().wire();
            if !tables.iter().any(|known| std::ptr::eq(*known, table)) {
                tables.push(table);
            }
        }
        Wires::over(tables)
    }

    fn over(tables: Vec<&'static Wire>) -> Self {
        let messages = tables
            .iter()
            .flat_map(|table| table.types.iter().map(|known| ((known.id)(), known, table.payloads)));
        Wires { messages: messages.collect(), tables }
    }

    /// The same, and messages with notes: [`Noted`]. Its hash is another, so that nodes with notes and nodes without refuse each other.
    pub fn noting(mut self) -> Self {
        self.tables.push(&NOTED);
        Wires::over(self.tables)
    }

    /// Nodes talk where it is the same.
    pub fn hash(&self) -> u64 {
        let travelling = self.tables.iter().filter(|table| !table.types.is_empty());
        travelling.fold(0, |hash: u64, table| hash.rotate_left(7) ^ table.hash)
    }

    /// The place of a message's type, and its wire form; None where the message has none.
    pub fn encode(&self, message: &Datum) -> Option<(u16, Vec<u8>)> {
        Some((self.place(message)?, message.encode().ok()?))
    }

    /// Puts the place of a message's type behind what is in `out`, most significant byte first, and its wire form behind that. False where the
    /// message has none; then `out` is as it was.
    pub fn encode_into(&self, message: &Datum, out: &mut Vec<u8>) -> bool {
        let Some(place) = self.place(message) else { return false };
        let before = out.len();
        out.extend_from_slice(&place.to_be_bytes());
        let encoded = message.encode_into(out).is_ok();
        if !encoded {
            out.truncate(before);
        }
        encoded
    }

    /// As [`Wires::encode`], of a call.
    pub fn encode_call(&self, call: &Datum) -> Option<(u16, Vec<u8>)> {
        let id = call.as_any().type_id();
        let place = self.tables.iter().flat_map(|table| table.calls).position(|known| (known.id)() == id)?;
        Some((u16::try_from(place).ok()?, call.encode().ok()?))
    }

    /// The message of the type at `place` with this wire form.
    ///
    /// # Errors
    /// A place beyond the tables, bytes that are no such message, or more bytes than the message has.
    pub fn decode(&self, place: u16, bytes: &[u8]) -> Result<Datum, WireError> {
        let (_, known, payloads) = self.messages.get(usize::from(place)).ok_or(WireError::Unknown(place))?;
        payload::reading(payloads, || (known.decode)(bytes))
    }

    /// As [`Wires::decode`], of a call.
    ///
    /// # Errors
    /// See there.
    pub fn decode_call(&self, place: u16, bytes: &[u8]) -> Result<Datum, WireError> {
        let mut known =
            self.tables.iter().flat_map(|table| table.calls.iter().map(|it| (table.payloads, it)));
        let (payloads, known) = known.nth(usize::from(place)).ok_or(WireError::Unknown(place))?;
        payload::reading(payloads, || (known.decode)(bytes))
    }

    fn place(&self, message: &Datum) -> Option<u16> {
        let id = message.as_any().type_id();
        let place = self.messages.iter().position(|(known, ..)| *known == id)?;
        u16::try_from(place).ok()
    }
}

/// The value with this wire form, and nothing after it.
///
/// # Errors
/// Bytes that are no such value, or more than the value has.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let (value, rest) =
        postcard::take_from_bytes(bytes).map_err(|error| WireError::Malformed(error.to_string()))?;
    if rest.is_empty() { Ok(value) } else { Err(WireError::Trailing(rest.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    static WIRE: Wire = Wire {
        hash: 1,
        types: &[WireType::of::<u32>("a"), WireType::of::<Vec<String>>("b")],
        calls: &[],
        payloads: &[],
    };

    fn wires() -> Wires {
        Wires::over(vec![&Wire::NONE, &WIRE])
    }

    #[test]
    fn a_message_is_read_by_the_place_of_its_type() {
        let message = Datum::new(vec!["x".to_owned()]);
        let (place, bytes) = wires().encode(&message).expect("it has a wire form");
        assert_eq!(wires().decode(place, &bytes), Ok(message.clone()));
        let mut out = vec![9];
        assert!(wires().encode_into(&message, &mut out));
        assert_eq!(out, [&[9], &place.to_be_bytes()[..], &bytes].concat());
        assert!(!wires().encode_into(&Datum::new(1u8), &mut out));
        assert_eq!(out.len(), 3 + bytes.len());
        assert_eq!(wires().encode(&Datum::new(1u8)), None);
        assert_eq!(wires().encode_call(&message), None);
    }

    #[test]
    fn a_note_rides_on_a_message_where_all_write_notes() {
        let (plain, noting) = (wires(), wires().noting());
        assert_ne!(plain.hash(), noting.hash());
        let (place, form) = noting.encode(&Datum::new(7u32)).expect("it has a wire form");
        let noted = Datum::new(Noted { note: vec![1, 2], place, form });
        assert_eq!(plain.encode(&noted), None);
        let (place, form) = noting.encode(&noted).expect("it has a wire form");
        let read = noting.decode(place, &form).expect("it is one");
        let Some(Noted { note, place, form }) = read.get() else { panic!("{read:?}") };
        assert_eq!((note.as_slice(), noting.decode(*place, form)), (&[1, 2][..], Ok(Datum::new(7u32))));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert_eq!(wires().decode(2, &[]), Err(WireError::Unknown(2)));
        assert_eq!(wires().decode(0, &[5, 6]), Err(WireError::Trailing(1)));
        assert!(matches!(wires().decode(0, &[]), Err(WireError::Malformed(_))));
        // A length that nobody could have sent allocates nothing.
        assert!(matches!(wires().decode(1, &[0xff, 0xff, 0xff, 0xff, 0x7f]), Err(WireError::Malformed(_))));
    }
}
