//! Payloads: a value of the layer above on its way through lower ones, which store and send it without knowing its type.
//!
//! A [`Payload`] is the typed value itself and never bytes: it is compared, ordered, hashed and printed as that value, and ids in
//! it are renamed. Bytes are its wire form alone. They name the type, and [`reading`] says which types there are: those of a
//! spec, which the compiler lists, and the plain ones of Rust. So every payload that can be made can be read wherever the same
//! spec runs; [`Carried`] is what makes sure of it.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Datum, Extent, NodeId, Shape, Value};

/// A type whose values may travel as payloads. The compiler implements it for the messages and types of a spec.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a payload",
    label = "neither a message nor a type of the specification",
    note = "whoever reads a payload must know its type: wrap the value in a message, or in a `struct` or `enum` of the specification"
)]
pub trait Carried: Value {
    /// The name of the type on the wire; no other type that meets it has the same.
    const NAME: &'static str;
}

/// A value that becomes a payload: one that is [`Carried`], or a text.
pub trait Contents {
    /// What is carried.
    type Carried: Carried;
    /// The value.
    fn contents(self) -> Self::Carried;
}

impl<T: Carried> Contents for T {
    type Carried = T;
    fn contents(self) -> T {
        self
    }
}

impl Contents for &str {
    type Carried = String;
    fn contents(self) -> String {
        self.to_owned()
    }
}

/// A value of some layer above.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Payload {
    name: &'static str,
    value: Datum,
}

impl Payload {
    /// Wraps `value`.
    pub fn of(value: impl Contents) -> Self {
        Payload::wrap(value.contents())
    }

    fn wrap<T: Carried>(value: T) -> Self {
        Payload { name: T::NAME, value: Datum::new(value) }
    }

    /// The value, if it is a `T`.
    pub fn get<T: Value>(&self) -> Option<&T> {
        self.value.get()
    }

    /// Whether the value is a `T`.
    pub fn is<T: Value>(&self) -> bool {
        self.get::<T>().is_some()
    }
}

impl Shape for Payload {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        self.value = self.value.renamed(map);
    }

    fn kind(&self) -> &'static str {
        self.value.kind()
    }

    fn extent(&self, extent: &mut Extent) {
        self.value.extent(extent);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A type that payloads of a spec may have.
#[derive(Clone, Copy)]
pub struct PayloadType {
    name: &'static str,
    decode: fn(&[u8]) -> Result<Payload, postcard::Error>,
}

impl PayloadType {
    /// The entry of `T`.
    pub const fn of<T: Carried>() -> Self {
        PayloadType { name: T::NAME, decode: |bytes| postcard::from_bytes::<T>(bytes).map(Payload::wrap) }
    }

    /// The name of the type.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

thread_local! {
    static TYPES: Cell<&'static [PayloadType]> = const { Cell::new(&[]) };
}

/// Runs `body`, in which payloads of these types can be read besides the plain ones.
pub fn reading<R>(types: &'static [PayloadType], body: impl FnOnce() -> R) -> R {
    struct Restore(&'static [PayloadType]);
    impl Drop for Restore {
        fn drop(&mut self) {
            TYPES.set(self.0);
        }
    }
    let _restore = Restore(TYPES.replace(types));
    body()
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.value.encode().map_err(S::Error::custom)?;
        (self.name, bytes).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, bytes) = <(String, Vec<u8>)>::deserialize(deserializer)?;
        let named = |known: &&PayloadType| known.name == name;
        let found = TYPES.get().iter().find(named).or_else(|| PLAIN.iter().find(named));
        let known = found.ok_or_else(|| D::Error::custom(format!("no payload here is a `{name}`")))?;
        (known.decode)(&bytes).map_err(D::Error::custom)
    }
}

macro_rules! plain {
    ($($type:ty => $name:literal),* $(,)?) => {
        $(impl Carried for $type {
            const NAME: &'static str = $name;
        })*

        /// The types that any spec may send as payloads.
        static PLAIN: &[PayloadType] = &[$(PayloadType::of::<$type>()),*];
    };
}

plain! {
    () => "()", bool => "bool", char => "char", String => "String", Duration => "Duration", NodeId => "NodeId",
    u8 => "u8", u16 => "u16", u32 => "u32", u64 => "u64", u128 => "u128", usize => "usize",
    i8 => "i8", i16 => "i16", i32 => "i32", i64 => "i64", i128 => "i128", isize => "isize",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    struct Post {
        author: NodeId,
    }

    impl Shape for Post {
        fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
            self.author.rename(map);
        }
    }

    impl Carried for Post {
        const NAME: &'static str = "Post";
    }

    static TYPES: [PayloadType; 1] = [PayloadType::of::<Post>()];

    fn post(author: u32) -> Payload {
        Payload::of(Post { author: NodeId::new(author) })
    }

    #[test]
    fn a_payload_is_its_value() {
        assert_eq!(Payload::of("hi"), Payload::of("hi".to_owned()));
        assert_ne!(Payload::of(1u8), Payload::of(1u16));
        assert_eq!(Payload::of("hi").get::<String>().map(String::as_str), Some("hi"));
        assert!(!Payload::of("hi").is::<u8>());
        assert_eq!(format!("{:?}", Payload::of("hi")), "\"hi\"");
        let mut renamed = post(1);
        renamed.rename(&|id| NodeId::new(id.index() as u32 + 1));
        assert_eq!(renamed, post(2));
        assert_eq!(Datum::new(renamed).digest(), Datum::new(post(2)).digest());
    }

    #[test]
    fn a_payload_is_read_where_its_type_is_known() {
        let read = |bytes: &[u8]| postcard::from_bytes::<Payload>(bytes);
        for payload in [post(7), Payload::of("hi"), Payload::of(())] {
            let bytes = postcard::to_stdvec(&payload).expect("it has a wire form");
            assert_eq!(reading(&TYPES, || read(&bytes)), Ok(payload));
            assert!(reading(&TYPES, || read(&bytes[..bytes.len() - 1])).is_err());
        }
        let bytes = postcard::to_stdvec(&post(7)).expect("it has a wire form");
        assert!(read(&bytes).is_err(), "nobody said that there are posts");
    }
}
