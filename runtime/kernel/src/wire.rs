//! What travels between processes: the message types of a spec, each with its place in a table, and a hash of them all.
//!
//! Postcard does not describe itself, so whoever reads bytes must know their type: a message travels as the place of its
//! type and its wire form. Nodes compare the hash before the first message. Nothing here is part of a step.

use std::any::TypeId;
use std::fmt;

use serde::de::DeserializeOwned;

use crate::{Datum, PayloadType, Value, payload};

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
    /// The types of payloads in them.
    pub payloads: &'static [PayloadType],
}

impl Wire {
    /// The wire of a service that sends nothing between processes.
    pub const NONE: Wire = Wire { hash: 0, types: &[], payloads: &[] };

    /// The place of the type of `message`.
    pub fn place(&self, message: &Datum) -> Option<u16> {
        let id = message.as_any().type_id();
        self.types.iter().position(|known| (known.id)() == id).map(|place| place as u16)
    }

    /// The message of the type at `place` with this wire form.
    ///
    /// # Errors
    /// A place beyond the table, bytes that are no such message, or more bytes than the message has.
    pub fn decode(&self, place: u16, bytes: &[u8]) -> Result<Datum, WireError> {
        let known = self.types.get(usize::from(place)).ok_or(WireError::Unknown(place))?;
        payload::reading(self.payloads, || (known.decode)(bytes))
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

    static WIRE: Wire =
        Wire { hash: 1, types: &[WireType::of::<u32>("a"), WireType::of::<Vec<String>>("b")], payloads: &[] };

    #[test]
    fn a_message_is_read_by_the_place_of_its_type() {
        let message = Datum::new(vec!["x".to_owned()]);
        let place = WIRE.place(&message).expect("it has a place");
        let bytes = message.encode().expect("it has a wire form");
        assert_eq!(WIRE.decode(place, &bytes), Ok(message));
        assert_eq!(WIRE.place(&Datum::new(1u8)), None);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert_eq!(WIRE.decode(2, &[]), Err(WireError::Unknown(2)));
        assert_eq!(WIRE.decode(0, &[5, 6]), Err(WireError::Trailing(1)));
        assert!(matches!(WIRE.decode(0, &[]), Err(WireError::Malformed(_))));
        // A length that nobody could have sent allocates nothing.
        assert!(matches!(WIRE.decode(1, &[0xff, 0xff, 0xff, 0xff, 0x7f]), Err(WireError::Malformed(_))));
    }
}
