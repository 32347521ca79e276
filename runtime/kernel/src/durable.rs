//! Durable variables as rows: what a step changed in them, and how a variable is made of its rows again.
//!
//! A variable is written under its name. Maps and sets are written by entry and vectors by element, so that a step costs what it
//! changed; anything else is one row. The first row of a variable has an empty key and says what it is: its [`Form`] and its type,
//! as the spec writes it. Rows are bytes: this module never touches a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::touched::{Key, Touch, TouchedIn};
use crate::{Value, wire};

/// A row that a step wrote, or one that it removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The variable.
    pub variable: &'static str,
    /// The row; empty for the one that says what the variable is.
    pub key: Vec<u8>,
    /// What stands in it; None where it is removed.
    pub value: Option<Vec<u8>>,
}

/// The changes of one layer in one step.
#[derive(Debug, Default)]
pub struct Changes {
    list: Vec<Change>,
    failed: Option<String>,
}

impl Changes {
    /// The changes, in order.
    ///
    /// # Errors
    /// A value that has no wire form, since its own `Serialize` fails.
    pub fn into_list(self) -> Result<Vec<Change>, String> {
        match self.failed {
            Some(failed) => Err(failed),
            None => Ok(self.list),
        }
    }

    fn bytes(&mut self, variable: &'static str, value: &impl Serialize) -> Vec<u8> {
        postcard::to_stdvec(value).unwrap_or_else(|error| {
            self.failed.get_or_insert_with(|| format!("`{variable}` cannot be written: {error}"));
            Vec::new()
        })
    }

    fn put(&mut self, variable: &'static str, key: Vec<u8>, value: Vec<u8>) {
        self.list.push(Change { variable, key, value: Some(value) });
    }

    fn remove(&mut self, variable: &'static str, key: Vec<u8>) {
        self.list.push(Change { variable, key, value: None });
    }
}

/// The rows of one layer, as they were found: by variable, then by key.
pub type Rows = BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>;

/// Why variables cannot be made of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    /// The variable.
    pub variable: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "durable variable `{}`: {}", self.variable, self.message)
    }
}

impl std::error::Error for SchemaError {}

/// How a variable of type `T` is laid out in rows.
pub trait Form<T> {
    /// The name of the layout, part of what the first row says.
    const NAME: &'static str;

    /// Writes what differs between `before` and `now`, and makes `before` equal to `now`.
    fn differences(variable: &'static str, before: &mut T, now: &T, out: &mut Changes);

    /// As [`Form::differences`], where nothing differs but at `keys`. What has no keys looks everywhere.
    fn differences_at(variable: &'static str, keys: &[Key], before: &mut T, now: &T, out: &mut Changes) {
        let _ = keys;
        Self::differences(variable, before, now, out);
    }

    /// Writes all of `now`.
    fn whole(variable: &'static str, now: &T, out: &mut Changes);

    /// The value of these rows, the first left out.
    ///
    /// # Errors
    /// What is wrong with them.
    fn restore(rows: &mut dyn Iterator<Item = (&[u8], &[u8])>) -> Result<T, String>;
}

/// Writes a variable for the first time, and what it is. `ty` is its type as the spec writes it.
pub fn write<T, F: Form<T>>(variable: &'static str, ty: &str, now: &T, out: &mut Changes) {
    out.put(variable, Vec::new(), description::<T, F>(ty).into_bytes());
    F::whole(variable, now, out);
}

/// Reads a variable; one without rows, which an earlier version of the spec did not have, keeps its declared `default`.
///
/// # Errors
/// A variable of another type or layout, or rows that are not of its type.
pub fn read<T, F: Form<T>>(
    variable: &'static str,
    ty: &str,
    rows: &Rows,
    default: impl FnOnce() -> T,
) -> Result<T, SchemaError> {
    let Some(rows) = rows.get(variable) else { return Ok(default()) };
    let error = |message: String| SchemaError { variable: variable.to_owned(), message };
    let mut entries = rows.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
    let first = entries.next().filter(|(key, _)| key.is_empty()).map(|(_, value)| value);
    let written = first.ok_or_else(|| error("the row that says what it is is missing".to_owned()))?;
    let expected = description::<T, F>(ty);
    if written != expected.as_bytes() {
        let written = String::from_utf8_lossy(written);
        return Err(error(format!("it was written as {written}, and the spec says {expected}")));
    }
    F::restore(&mut entries).map_err(error)
}

/// Writes what differs between `before` and `now` where the variable was touched, and makes `before` equal to `now`.
pub fn changes<T, F: Form<T>>(
    variable: &'static str,
    touched: TouchedIn<'_>,
    before: &mut T,
    now: &T,
    out: &mut Changes,
) {
    touched.of(variable, |touch| match touch {
        Touch::Keys(keys) => F::differences_at(variable, keys, before, now, out),
        Touch::All => F::differences(variable, before, now, out),
    });
}

fn description<T, F: Form<T>>(ty: &str) -> String {
    format!("{} {ty}", F::NAME)
}

fn malformed(error: wire::WireError) -> String {
    format!("a row is damaged: {error}")
}

/// One row, whatever the type.
#[derive(Debug)]
pub struct One;

impl<T: Value> Form<T> for One {
    const NAME: &'static str = "one";

    fn differences(variable: &'static str, before: &mut T, now: &T, out: &mut Changes) {
        if before != now {
            Self::whole(variable, now, out);
            before.clone_from(now);
        }
    }

    fn whole(variable: &'static str, now: &T, out: &mut Changes) {
        let value = out.bytes(variable, now);
        out.put(variable, vec![0], value);
    }

    fn restore(rows: &mut dyn Iterator<Item = (&[u8], &[u8])>) -> Result<T, String> {
        match (rows.next(), rows.next()) {
            (Some((_, value)), None) => wire::decode(value).map_err(malformed),
            (None, _) => Err("its row is missing".to_owned()),
            _ => Err("it has more than one row".to_owned()),
        }
    }
}

/// A row for each entry of a map.
#[derive(Debug)]
pub struct Entries;

impl<K: Value, V: Value> Form<BTreeMap<K, V>> for Entries {
    const NAME: &'static str = "entries";

    fn differences(
        variable: &'static str,
        before: &mut BTreeMap<K, V>,
        now: &BTreeMap<K, V>,
        out: &mut Changes,
    ) {
        let mut old = before.iter().peekable();
        let (mut written, mut removed) = (Vec::new(), Vec::new());
        for (key, value) in now {
            while let Some((gone, _)) = old.next_if(|(known, _)| *known < key) {
                removed.push(gone.clone());
            }
            match old.next_if(|(known, _)| *known == key) {
                Some((_, known)) if known == value => {}
                _ => written.push((key, value)),
            }
        }
        removed.extend(old.map(|(gone, _)| gone.clone()));
        for key in removed {
            let bytes = out.bytes(variable, &key);
            out.remove(variable, row(&bytes));
            before.remove(&key);
        }
        for (key, value) in written {
            let (bytes, contents) = (out.bytes(variable, key), out.bytes(variable, value));
            out.put(variable, row(&bytes), contents);
            before.insert(key.clone(), value.clone());
        }
    }

    fn differences_at(
        variable: &'static str,
        keys: &[Key],
        before: &mut BTreeMap<K, V>,
        now: &BTreeMap<K, V>,
        out: &mut Changes,
    ) {
        for key in keys {
            let Some(key) = key.downcast_ref::<K>() else {
                return Self::differences(variable, before, now, out);
            };
            match (before.get(key), now.get(key)) {
                (known, value) if known == value => {}
                (_, Some(value)) => {
                    let (bytes, contents) = (out.bytes(variable, key), out.bytes(variable, value));
                    out.put(variable, row(&bytes), contents);
                    before.insert(key.clone(), value.clone());
                }
                (_, None) => {
                    let bytes = out.bytes(variable, key);
                    out.remove(variable, row(&bytes));
                    before.remove(key);
                }
            }
        }
    }

    fn whole(variable: &'static str, now: &BTreeMap<K, V>, out: &mut Changes) {
        for (key, value) in now {
            let (bytes, contents) = (out.bytes(variable, key), out.bytes(variable, value));
            out.put(variable, row(&bytes), contents);
        }
    }

    fn restore(rows: &mut dyn Iterator<Item = (&[u8], &[u8])>) -> Result<BTreeMap<K, V>, String> {
        let entry =
            |(key, value): (&[u8], &[u8])| Ok((key_of(key)?, wire::decode(value).map_err(malformed)?));
        rows.map(entry).collect()
    }
}

/// A row for each element of a set.
#[derive(Debug)]
pub struct Elements;

impl<T: Value> Form<BTreeSet<T>> for Elements {
    const NAME: &'static str = "elements";

    fn differences(variable: &'static str, before: &mut BTreeSet<T>, now: &BTreeSet<T>, out: &mut Changes) {
        let removed: Vec<T> = before.difference(now).cloned().collect();
        let added: Vec<T> = now.difference(before).cloned().collect();
        for element in removed {
            let bytes = out.bytes(variable, &element);
            out.remove(variable, row(&bytes));
            before.remove(&element);
        }
        for element in added {
            let bytes = out.bytes(variable, &element);
            out.put(variable, row(&bytes), Vec::new());
            before.insert(element);
        }
    }

    fn differences_at(
        variable: &'static str,
        keys: &[Key],
        before: &mut BTreeSet<T>,
        now: &BTreeSet<T>,
        out: &mut Changes,
    ) {
        for key in keys {
            let Some(element) = key.downcast_ref::<T>() else {
                return Self::differences(variable, before, now, out);
            };
            match (before.contains(element), now.contains(element)) {
                (false, true) => {
                    let bytes = out.bytes(variable, element);
                    out.put(variable, row(&bytes), Vec::new());
                    before.insert(element.clone());
                }
                (true, false) => {
                    let bytes = out.bytes(variable, element);
                    out.remove(variable, row(&bytes));
                    before.remove(element);
                }
                _ => {}
            }
        }
    }

    fn whole(variable: &'static str, now: &BTreeSet<T>, out: &mut Changes) {
        for element in now {
            let bytes = out.bytes(variable, element);
            out.put(variable, row(&bytes), Vec::new());
        }
    }

    fn restore(rows: &mut dyn Iterator<Item = (&[u8], &[u8])>) -> Result<BTreeSet<T>, String> {
        rows.map(|(key, _)| key_of(key)).collect()
    }
}

/// A row for each place of a vector.
#[derive(Debug)]
pub struct Places;

impl<T: Value> Form<Vec<T>> for Places {
    const NAME: &'static str = "places";

    fn differences(variable: &'static str, before: &mut Vec<T>, now: &Vec<T>, out: &mut Changes) {
        for place in now.len()..before.len() {
            out.remove(variable, row(&(place as u64).to_be_bytes()));
        }
        before.truncate(now.len());
        for (place, element) in now.iter().enumerate() {
            if before.get(place) == Some(element) {
                continue;
            }
            let value = out.bytes(variable, element);
            out.put(variable, row(&(place as u64).to_be_bytes()), value);
            match before.get_mut(place) {
                Some(old) => old.clone_from(element),
                None => before.push(element.clone()),
            }
        }
    }

    fn whole(variable: &'static str, now: &Vec<T>, out: &mut Changes) {
        Self::differences(variable, &mut Vec::new(), now, out);
    }

    fn restore(rows: &mut dyn Iterator<Item = (&[u8], &[u8])>) -> Result<Vec<T>, String> {
        let element = |(place, (key, value)): (usize, (&[u8], &[u8]))| {
            if key != row(&(place as u64).to_be_bytes()) {
                return Err(format!("place {place} is missing"));
            }
            wire::decode(value).map_err(malformed)
        };
        rows.enumerate().map(element).collect()
    }
}

/// The key of an entry: never empty, as that of the first row is.
fn row(key: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(key.len() + 1);
    row.push(0);
    row.extend_from_slice(key);
    row
}

fn key_of<K: DeserializeOwned>(row: &[u8]) -> Result<K, String> {
    match row.split_first() {
        Some((0, key)) => wire::decode(key).map_err(malformed),
        _ => Err("a row has no key".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(rows: &mut Rows, changes: Changes) -> usize {
        let list = changes.into_list().expect("all values have a wire form");
        let count = list.len();
        for Change { variable, key, value } in list {
            let rows = rows.entry(variable.to_owned()).or_default();
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        count
    }

    /// Takes a variable through `values`; after each it must read back, with as many rows written as `expected` says.
    fn walk<T: Value, F: Form<T>>(values: &[T], expected: &[usize]) {
        let (mut rows, mut changes) = (Rows::new(), Changes::default());
        write::<T, F>("v", "T", &values[0], &mut changes);
        apply(&mut rows, changes);
        let mut before = values[0].clone();
        for (value, expected) in values.iter().zip(expected) {
            let mut changes = Changes::default();
            F::differences("v", &mut before, value, &mut changes);
            assert_eq!(apply(&mut rows, changes), *expected, "rows written for {value:?}");
            assert_eq!(before, *value);
            let found = read::<T, F>("v", "T", &rows, || panic!("it was written"));
            assert_eq!(found.as_ref(), Ok(value));
        }
    }

    #[test]
    fn a_step_writes_what_it_changed() {
        let map = |entries: &[(u32, u32)]| entries.iter().copied().collect::<BTreeMap<_, _>>();
        walk::<_, Entries>(
            &[map(&[(1, 1), (2, 2)]), map(&[(1, 1), (2, 3)]), map(&[(0, 9), (2, 3), (7, 7)]), map(&[])],
            &[0, 1, 3, 3],
        );
        let set = |elements: &[u32]| elements.iter().copied().collect::<BTreeSet<_>>();
        walk::<_, Elements>(&[set(&[1]), set(&[1, 2]), set(&[3]), set(&[])], &[0, 1, 3, 1]);
        walk::<_, Places>(&[vec![1u8], vec![1, 2], vec![5, 2, 3], vec![5], vec![]], &[0, 1, 2, 2, 1]);
        walk::<_, One>(&["a".to_owned(), "a".to_owned(), "b".to_owned()], &[0, 0, 1]);
    }

    #[test]
    fn what_an_earlier_version_lacked_has_its_default_and_what_changed_is_refused() {
        let (mut rows, mut changes) = (Rows::new(), Changes::default());
        write::<u32, One>("v", "u32", &7, &mut changes);
        apply(&mut rows, changes);
        assert_eq!(read::<u32, One>("w", "u32", &rows, || 5), Ok(5));
        let error = read::<u64, One>("v", "u64", &rows, || 5).expect_err("its type changed");
        assert_eq!(
            error.to_string(),
            "durable variable `v`: it was written as one u32, and the spec says one u64"
        );
        let error = read::<BTreeSet<u32>, Elements>("v", "u32", &rows, BTreeSet::new);
        assert!(error.is_err(), "its layout changed");
    }

    #[test]
    fn damaged_rows_are_refused() {
        let (mut rows, mut changes) = (Rows::new(), Changes::default());
        write::<Vec<String>, Places>("v", "T", &vec!["abc".to_owned(), "d".to_owned()], &mut changes);
        apply(&mut rows, changes);
        let whole = rows["v"].clone();
        for key in whole.keys().filter(|key| !key.is_empty()) {
            let mut cut = whole.clone();
            cut.get_mut(key).expect("it is there").truncate(1);
            let read_cut = read::<Vec<String>, Places>("v", "T", &[("v".to_owned(), cut)].into(), Vec::new);
            assert!(read_cut.is_err(), "a row was cut");
        }
        let mut gap = whole.clone();
        gap.remove(&row(&0u64.to_be_bytes()));
        assert!(read::<Vec<String>, Places>("v", "T", &[("v".to_owned(), gap)].into(), Vec::new).is_err());
        let mut nameless = whole;
        nameless.remove(&Vec::new());
        assert!(
            read::<Vec<String>, Places>("v", "T", &[("v".to_owned(), nameless)].into(), Vec::new).is_err()
        );
    }
}
