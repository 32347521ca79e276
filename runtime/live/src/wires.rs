//! The message types of a stack, whatever specs its layers come from.

use foresee_kernel::{Datum, Stack, Wire, WireError};

/// The tables of the layers' specs, one after another, each once.
#[derive(Clone, Debug)]
pub(crate) struct Wires {
    tables: Vec<&'static Wire>,
}

impl Wires {
    pub(crate) fn of(stack: &Stack) -> Self {
        let mut tables: Vec<&'static Wire> = Vec::new();
        for layer in stack.layers() {
            let table = layer.service().wire();
            if !table.types.is_empty() && !tables.iter().any(|known| std::ptr::eq(*known, table)) {
                tables.push(table);
            }
        }
        Wires { tables }
    }

    /// Nodes talk where it is the same.
    pub(crate) fn hash(&self) -> u64 {
        self.tables.iter().fold(0, |hash: u64, table| hash.rotate_left(7) ^ table.hash)
    }

    /// The place of a message's type, and its wire form; None where the message has none.
    pub(crate) fn encode(&self, message: &Datum) -> Option<(u16, Vec<u8>)> {
        let mut before = 0;
        for table in &self.tables {
            if let Some(place) = table.place(message) {
                return Some((before + place, message.encode().ok()?));
            }
            before += table.types.len() as u16;
        }
        None
    }

    pub(crate) fn decode(&self, place: u16, bytes: &[u8]) -> Result<Datum, WireError> {
        let mut rest = place;
        for table in &self.tables {
            if usize::from(rest) < table.types.len() {
                return table.decode(rest, bytes);
            }
            rest -= table.types.len() as u16;
        }
        Err(WireError::Unknown(place))
    }
}
