//! Values: what services store and send. Ordered, hashable, serialisable, and renameable.
//!
//! Engines handle them without knowing their types, as a [`Datum`]: a shared, immutable value behind a vtable.
//! So the engines are compiled once, and a user's crate compiles only its own services.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Digest, Extent, NodeId};

/// What the runtime must know of a type beyond the traits of `std`: where node ids stand in it, how large its values are, and, for
/// an enum, the name of its variant. Derived by `#[derive(foresee::Value)]`.
pub trait Shape {
    /// Replaces every node id in the value by `map` of it.
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId);

    /// The variant's name, for an enum; empty otherwise.
    fn kind(&self) -> &'static str {
        ""
    }

    /// Counts into `extent` what in the value may grow; nothing, where the type does not say.
    fn extent(&self, extent: &mut Extent) {
        let _ = extent;
    }

    /// Calls `visit` with each field of a struct that has names: the name, and the value's extent. In the order of the fields.
    fn each_field(&self, visit: &mut dyn FnMut(&'static str, Extent)) {
        let _ = visit;
    }
}

/// What a service may store in a variable or send in a message.
pub trait Value:
    Shape + Clone + Eq + Ord + Hash + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T> Value for T where
    T: Shape + Clone + Eq + Ord + Hash + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

/// The object-safe face of a [`Value`].
trait AnyValue: Any + Send + Sync {
    fn type_name(&self) -> &'static str;
    fn kind(&self) -> &'static str;
    fn extent(&self, extent: &mut Extent);
    fn equals(&self, other: &dyn AnyValue) -> bool;
    fn compare(&self, other: &dyn AnyValue) -> Ordering;
    fn digest(&self) -> u64;
    fn format(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), postcard::Error>;
    fn encoded_len(&self) -> usize;
    fn renamed(&self, map: &dyn Fn(NodeId) -> NodeId) -> Datum;
    fn cloned(&self) -> Arc<dyn AnyValue>;
}

impl<T: Value> AnyValue for T {
    fn type_name(&self) -> &'static str {
        std::any::type_name::<T>()
    }
    fn kind(&self) -> &'static str {
        Shape::kind(self)
    }
    fn extent(&self, extent: &mut Extent) {
        Shape::extent(self, extent);
    }
    fn equals(&self, other: &dyn AnyValue) -> bool {
        (other as &dyn Any).downcast_ref::<T>().is_some_and(|other| self == other)
    }
    fn compare(&self, other: &dyn AnyValue) -> Ordering {
        match (other as &dyn Any).downcast_ref::<T>() {
            Some(other) => self.cmp(other),
            None => AnyValue::type_name(self).cmp(other.type_name()),
        }
    }
    fn digest(&self) -> u64 {
        // Equal contents of different types are different: two services may send alike messages by one carrier.
        let mut digest = Digest::new();
        digest.write(std::any::type_name::<T>().as_bytes());
        self.hash(&mut digest);
        digest.finish()
    }
    fn format(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), postcard::Error> {
        postcard::serialize_with_flavor(self, Behind(out))
    }
    fn encoded_len(&self) -> usize {
        postcard::experimental::serialized_size(self).unwrap_or(0)
    }
    fn renamed(&self, map: &dyn Fn(NodeId) -> NodeId) -> Datum {
        let mut value = self.clone();
        value.rename(map);
        Datum::new(value)
    }
    fn cloned(&self) -> Arc<dyn AnyValue> {
        Arc::new(self.clone())
    }
}

/// Puts a wire form behind what is in a buffer.
struct Behind<'a>(&'a mut Vec<u8>);

impl Flavor for Behind<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> Result<(), postcard::Error> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> Result<(), postcard::Error> {
        Ok(())
    }
}

/// A [`Value`] whose type is known to generated code only. Cloning shares it; equality, order and hash are the value's.
#[derive(Clone)]
pub struct Datum(Arc<dyn AnyValue>);

impl Datum {
    /// Wraps `value`.
    pub fn new<T: Value>(value: T) -> Self {
        Datum(Arc::new(value))
    }

    /// The value, if it is a `T`.
    #[inline]
    pub fn get<T: Value>(&self) -> Option<&T> {
        self.as_any().downcast_ref()
    }

    /// The value as `Any`, for a caller that knows its type by other means.
    #[inline]
    pub fn as_any(&self) -> &dyn Any {
        &*self.0
    }

    /// Exclusive access to the value, if it is a `T`; copies it first where it is shared.
    #[inline]
    pub fn make_mut<T: Value>(&mut self) -> Option<&mut T> {
        if !self.is_alone() {
            self.0 = self.0.cloned();
        }
        self.alone()
    }

    /// Exclusive access to the value, if it is a `T` and nobody else holds it.
    #[inline]
    pub(crate) fn alone<T: Value>(&mut self) -> Option<&mut T> {
        if !self.is_alone() {
            return None;
        }
        // SAFETY: a `Datum` alone holds the `Arc`, which it never makes a weak reference of; so who holds the only one, by an exclusive
        // reference, holds the value alone, and nobody can come to share it meanwhile. `Arc::get_mut` would lock the count of weak
        // references to find that out, with every step of a simulation.
        let value: &mut dyn AnyValue = unsafe { &mut *Arc::as_ptr(&self.0).cast_mut() };
        (value as &mut dyn Any).downcast_mut()
    }

    /// Whether nobody else holds the value.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        let alone = Arc::strong_count(&self.0) == 1;
        // What others did with it before they let it go comes before what is done with it now.
        std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
        alone
    }

    /// The variant's name, where the value is an enum.
    pub fn kind(&self) -> &'static str {
        self.0.kind()
    }

    /// Counts the value's extent: see [`Shape::extent`].
    pub fn extent(&self, extent: &mut Extent) {
        self.0.extent(extent);
    }

    /// The full name of the value's type, for messages to people.
    pub fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    /// A hash of type and content: the same in every process and thread that runs the same build.
    pub fn digest(&self) -> u64 {
        self.0.digest()
    }

    /// The value in its wire form (postcard).
    ///
    /// # Errors
    /// Where a user's own `Serialize` fails.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        let mut out = Vec::new();
        self.0.encode(&mut out)?;
        Ok(out)
    }

    /// Puts the wire form behind what is in `out`; where it fails, part of it may stand there.
    ///
    /// # Errors
    /// Where a user's own `Serialize` fails.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), postcard::Error> {
        self.0.encode(out)
    }

    /// The length of the wire form in bytes.
    pub fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }

    /// A copy with every node id replaced by `map` of it.
    pub fn renamed(&self, map: &dyn Fn(NodeId) -> NodeId) -> Datum {
        self.0.renamed(map)
    }
}

impl PartialEq for Datum {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.equals(&*other.0)
    }
}

impl Eq for Datum {}

impl PartialOrd for Datum {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Datum {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.compare(&*other.0)
    }
}

impl Hash for Datum {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.digest());
    }
}

impl fmt::Debug for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format(f)
    }
}

macro_rules! without_ids {
    ($($type:ty),* $(,)?) => {
        $(impl Shape for $type {
            fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
        })*
    };
}

without_ids!((), bool, char);

macro_rules! numbers {
    ($($type:ty: $magnitude:expr),* $(,)?) => {
        $(impl Shape for $type {
            fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}

            fn extent(&self, extent: &mut Extent) {
                let magnitude: fn($type) -> _ = $magnitude;
                extent.reach(u64::try_from(magnitude(*self)).unwrap_or(u64::MAX));
            }
        })*
    };
}

numbers!(
    u8: |it| it,
    u16: |it| it,
    u32: |it| it,
    u64: |it| it,
    u128: |it| it,
    usize: |it| it,
    i8: i8::unsigned_abs,
    i16: i16::unsigned_abs,
    i32: i32::unsigned_abs,
    i64: i64::unsigned_abs,
    i128: i128::unsigned_abs,
    isize: isize::unsigned_abs,
);

impl Shape for String {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}

    fn extent(&self, extent: &mut Extent) {
        extent.add(self.len());
    }
}

impl Shape for Duration {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}

    fn extent(&self, extent: &mut Extent) {
        extent.last(*self);
    }
}

impl Shape for NodeId {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        *self = map(*self);
    }
}

impl<T: Shape> Shape for Option<T> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        if let Some(value) = self {
            value.rename(map);
        }
    }

    fn extent(&self, extent: &mut Extent) {
        if let Some(value) = self {
            value.extent(extent);
        }
    }
}

impl<T: Shape> Shape for Box<T> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        (**self).rename(map);
    }

    fn extent(&self, extent: &mut Extent) {
        (**self).extent(extent);
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        self.iter_mut().for_each(|value| value.rename(map));
    }

    fn extent(&self, extent: &mut Extent) {
        extent.add(self.len());
        self.iter().for_each(|value| value.extent(extent));
    }
}

impl<T: Shape, const N: usize> Shape for [T; N] {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        self.iter_mut().for_each(|value| value.rename(map));
    }

    fn extent(&self, extent: &mut Extent) {
        self.iter().for_each(|value| value.extent(extent));
    }
}

impl<T: Shape> Shape for VecDeque<T> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        self.iter_mut().for_each(|value| value.rename(map));
    }

    fn extent(&self, extent: &mut Extent) {
        extent.add(self.len());
        self.iter().for_each(|value| value.extent(extent));
    }
}

impl<T: Shape + Ord> Shape for BTreeSet<T> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        let renamed = std::mem::take(self).into_iter().map(|mut value| {
            value.rename(map);
            value
        });
        *self = renamed.collect();
    }

    fn extent(&self, extent: &mut Extent) {
        extent.add(self.len());
        self.iter().for_each(|value| value.extent(extent));
    }
}

impl<K: Shape + Ord, V: Shape> Shape for BTreeMap<K, V> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        let renamed = std::mem::take(self).into_iter().map(|(mut key, mut value)| {
            key.rename(map);
            value.rename(map);
            (key, value)
        });
        *self = renamed.collect();
    }

    fn extent(&self, extent: &mut Extent) {
        extent.add(self.len());
        for (key, value) in self {
            key.extent(extent);
            value.extent(extent);
        }
    }
}

impl<T: Shape, E: Shape> Shape for Result<T, E> {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        match self {
            Ok(value) => value.rename(map),
            Err(error) => error.rename(map),
        }
    }

    fn extent(&self, extent: &mut Extent) {
        match self {
            Ok(value) => value.extent(extent),
            Err(error) => error.extent(extent),
        }
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => {
        $(impl<$($name: Shape),+> Shape for ($($name,)+) {
            fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
                $(self.$index.rename(map);)+
            }

            fn extent(&self, extent: &mut Extent) {
                $(self.$index.extent(extent);)+
            }
        })*
    };
}

tuples!((A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) (A 0, B 1, C 2, D 3, E 4, F 5));
